// settings-vault.tsx - the vault that vault: references are read from.
import { useState } from "preact/hooks";
import { post, put, useGet } from "../lib/api";
import type { Secret } from "../lib/types";
import { Button, Card, ErrorBox, Loading, Notice } from "../ui/basic";
import { Time } from "../ui/text";
import { toast } from "../ui/toast";
import { PasswordField, RadioChoice, TextField } from "./inputs";
import { SettingsSteps, type SettingsTest } from "./settings-steps";
import { useGuarded } from "../lib/use-guarded";

interface Vault {
    source: "server" | "file" | "none";
    address: string;
    namespace: string;
    ca_certificate: string;
    auth: "token" | "approle";
    mount: string;
    role_id: string;
    token?: Secret;
    secret_id?: Secret;
    version?: number;
}
const FIRST: Vault = { source: "none", address: "", namespace: "", ca_certificate: "", auth: "token", mount: "", role_id: "" };

// What the stored secret is bound to: with another one of these it is not kept (server/vault_settings.c).
const BOUND = ["address", "namespace", "mount", "role_id"] as const;

export function isBound(saved: Pick<Vault, (typeof BOUND)[number]>, now: Pick<Vault, (typeof BOUND)[number]>): boolean {
    return BOUND.every((key) => saved[key] === now[key]);
}

interface SecretLineProps {
    label: string;
    kept: Secret | undefined;
    isStale: boolean; // it will not be kept
    value: string;
    onInput: (to: string) => void;
}

function SecretLine({ label, kept, isStale, value, onInput }: SecretLineProps) {
    const set = kept?.reference ? (
        `Now: ${kept.reference}.`
    ) : kept?.set ? (
        <>
            Set <Time at={kept.updated} relative />.
        </>
    ) : null;
    const now = kept?.set && isStale ? "Give it again: what it was set for has changed." : set;
    return (
        <PasswordField
            label={label}
            description={<>{now} Enter it, or a reference: file:PATH, env:NAME or cred:NAME.</>}
            value={value}
            onChange={onInput}
        />
    );
}

function VaultForm({ first }: { first: Vault }) {
    const [v, setV] = useState(first);
    const [saved, setSaved] = useState(first);
    const [token, setToken] = useState("");
    const [secretId, setSecretId] = useState("");
    const [reference, setReference] = useState("");
    const [test, setTest] = useState<SettingsTest | null>(null);
    const { error, isBusy, guarded } = useGuarded();
    const set = (change: Partial<Vault>) => setV({ ...v, ...change });
    const isFile = first.source === "file";
    const isStale = !isBound(saved, v);
    const body = () => {
        const given = {
            address: v.address,
            namespace: v.namespace,
            ca_certificate: v.ca_certificate,
            auth: v.auth,
            mount: v.mount,
            role_id: v.role_id,
        };
        const kept = Object.fromEntries(Object.entries(given).filter(([, x]) => x !== ""));
        return {
            ...kept,
            ...(v.version !== undefined ? { version: v.version } : {}),
            ...(v.auth === "token" && token !== "" ? { token } : {}),
            ...(v.auth === "approle" && secretId !== "" ? { secret_id: secretId } : {}),
        };
    };
    const tryIt = () =>
        guarded(async () =>
            setTest(await post<SettingsTest>("/settings/vault/test", { ...(isFile ? {} : body()), ...(reference !== "" ? { reference } : {}) })),
        );
    const save = () =>
        guarded(async () => {
            const now = { ...FIRST, ...(await put<Vault>("/settings/vault", { address: "", ...body() })) };
            setV(now);
            setSaved(now);
            setToken("");
            setSecretId("");
            toast("Saved", "good");
        });
    return (
        <div class="form">
            {isFile && <Notice title="It is set in the settings file of the server, and changed there." />}
            <fieldset class="form" disabled={isFile}>
                <TextField label="Address" value={v.address} onChange={(address) => set({ address })} placeholder="https://vault.corp.example:8200" />
                <TextField label="Namespace" optional value={v.namespace} onChange={(namespace) => set({ namespace })} />
                <TextField
                    label="CA certificate"
                    optional
                    description="A file on the server; default: the system's authorities."
                    value={v.ca_certificate}
                    onChange={(ca_certificate) => set({ ca_certificate })}
                />
                <RadioChoice
                    label="Log in with"
                    value={v.auth}
                    onChange={(auth) => set({ auth: auth as Vault["auth"] })}
                    options={[
                        { value: "token", label: "Token" },
                        { value: "approle", label: "AppRole" },
                    ]}
                />
                {v.auth === "token" && <SecretLine label="Token" kept={v.token} isStale={isStale} value={token} onInput={setToken} />}
                {v.auth === "approle" && <TextField label="Role id" value={v.role_id} onChange={(role_id) => set({ role_id })} />}
                {v.auth === "approle" && (
                    <SecretLine label="Secret id" kept={v.secret_id} isStale={isStale} value={secretId} onInput={setSecretId} />
                )}
                {v.auth === "approle" && (
                    <TextField label="Mount of AppRole" optional value={v.mount} onChange={(mount) => set({ mount })} placeholder="approle" />
                )}
            </fieldset>
            <TextField
                label="Try a reference"
                optional
                description="Its value is read and thrown away; never shown."
                value={reference}
                onChange={setReference}
                placeholder="vault:secret/rollcall/corp#password"
            />
            {test && <SettingsSteps test={test} />}
            {error !== undefined && <ErrorBox error={error} />}
            <div class="row">
                <Button icon="play" onClick={tryIt} disabled={v.address === ""} busy={isBusy}>
                    Test
                </Button>
                {!isFile && (
                    <Button variant="primary" onClick={save} busy={isBusy}>
                        Save
                    </Button>
                )}
            </div>
        </div>
    );
}

export function SettingsVault() {
    const { data, error, reload } = useGet<Vault>("/settings/vault");
    return (
        <Card title="Secrets vault" id="vault">
            {error && <ErrorBox error={error} retry={reload} />}
            {data === undefined && !error && <Loading />}
            {data !== undefined && (
                <VaultForm first={{ ...FIRST, ...Object.fromEntries(Object.entries(data).filter(([, x]) => x !== null)) } as Vault} />
            )}
        </Card>
    );
}
