// certificate-field.tsx - whom a connection trusts: the system's authorities, a certificate that is fetched and compared, pasted, or a file.
import { useState } from "preact/hooks";
import { post } from "../lib/api";
import { can } from "../lib/session";
import type { Secret } from "../lib/types";
import { Button, Copy, ErrorBox, Notice } from "../ui/basic";
import { Text, Time } from "../ui/text";
import { hasStoredSecret, leaveField, problemOf, type Form } from "./form";
import { RadioChoice, TextArea, TextField, type RadioOption } from "./inputs";
import { labelOf } from "./labels";
import { effective, isEmpty, pemKey } from "./spec";
import { useGuarded } from "../lib/use-guarded";

interface Certificate {
    subject: string;
    issuer: string;
    not_after: string;
    sans: string[];
    sha256: string;
    is_ca: boolean;
    pem: string;
}
interface Fetched {
    chain: Certificate[];
    problems: ({ message: string; hint?: string } | string)[];
}

type Mode = "system" | "kept" | "fetch" | "paste" | "path";

function spaced(fingerprint: string): string {
    return fingerprint
        .replace(/:/g, "")
        .toUpperCase()
        .replace(/(..)(?=.)/g, "$1:");
}

function Shown({ certificate: c, isTrusted, onTrust }: { certificate: Certificate; isTrusted: boolean; onTrust: () => void }) {
    return (
        <li class={`certificate ${isTrusted ? "trusted" : ""}`}>
            <p>
                <strong>{c.is_ca ? "Authority" : "Server"}</strong>: <Text>{c.subject}</Text>
            </p>
            <dl class="pairs">
                <dt>Issued by</dt>
                <dd>
                    <Text>{c.issuer}</Text>
                </dd>
                {c.sans.length > 0 && <dt>For</dt>}
                {c.sans.length > 0 && (
                    <dd>
                        <Text>{c.sans.join(", ")}</Text>
                    </dd>
                )}
                <dt>Valid until</dt>
                <dd>
                    <Time at={c.not_after} />
                </dd>
                <dt>SHA-256</dt>
                <dd>
                    <code class="fingerprint">{spaced(c.sha256)}</code> <Copy text={spaced(c.sha256)} label="Copy the fingerprint" />
                </dd>
            </dl>
            <Button small variant={isTrusted ? "quiet" : "plain"} icon={isTrusted ? "good" : "check"} pressed={isTrusted} onClick={onTrust}>
                {isTrusted ? "Trusted by this connector" : c.is_ca ? "Trust this authority" : "Trust only this certificate"}
            </Button>
        </li>
    );
}

interface Address {
    host: string;
    port: number;
    starttls?: boolean;
}

function addressOf(form: Form): Address | null {
    const { draft, spec } = form;
    const security = effective(spec, draft.values, "security");
    if (draft.type === "active_directory") {
        const host = String(draft.values.host ?? "").trim();
        return host === ""
            ? null
            : { host, port: Number(draft.values.port ?? (security === "ldaps" ? 636 : 389)), ...(security === "starttls" ? { starttls: true } : {}) };
    }
    try {
        const login = new URL(String(draft.values.login_url ?? "https://login.microsoftonline.com"));
        return { host: login.hostname, port: Number(login.port || 443) };
    } catch {
        return null;
    }
}

function Fetch({ form, onTrust, trusted }: { form: Form; onTrust: (pem: string) => void; trusted: unknown }) {
    const [fetched, setFetched] = useState<Fetched | null>(null);
    const { error, guarded } = useGuarded();
    const address = addressOf(form);
    const run = () =>
        guarded(async () => {
            setFetched(null);
            setFetched(await post<Fetched>("/certificate", address));
        });
    return (
        <div class="sub-form">
            <Button icon="download" onClick={run} disabled={address === null}>
                {address === null ? "Enter the servername first" : `Fetch from ${address.host}:${address.port}`}
            </Button>
            {error !== undefined && <ErrorBox error={error} />}
            <div aria-live="polite">
                {fetched && (
                    <>
                        <p>Nothing is trusted by fetching it. Compare the fingerprint with one that you have from the server itself, then choose:</p>
                        {fetched.problems.map((p) => {
                            const told = typeof p === "string" ? { message: p } : p;
                            return (
                                <Notice tone="warn" key={told.message} title={<Text>{told.message}</Text>}>
                                    <Text>{told.hint}</Text>
                                </Notice>
                            );
                        })}
                        <ol class="chain">
                            {fetched.chain.map((c) => (
                                <Shown key={c.sha256} certificate={c} isTrusted={trusted === c.pem} onTrust={() => onTrust(c.pem)} />
                            ))}
                        </ol>
                    </>
                )}
            </div>
        </div>
    );
}

const NONE: Record<string, string> = {
    ca_certificate: "The authorities that this server's system trusts",
    client_certificate: "None: a client secret, or another way",
};

function optionsOf(name: string, first: Mode, stored: Secret | undefined): RadioOption[] {
    const isAuthority = name === "ca_certificate";
    const mayName = isAuthority || first === "path" || can("admin"); // a file of the server: its authority's is no secret
    return [
        { value: "system", label: NONE[name] ?? "None" },
        ...(stored?.set
            ? [
                  {
                      value: "kept",
                      label: (
                          <>
                              The one that was entered <Time at={stored.updated} relative absent="" />
                          </>
                      ),
                  },
              ]
            : []),
        ...(isAuthority ? [{ value: "fetch", label: "Fetch it from the server and compare its fingerprint" }] : []),
        { value: "paste", label: isAuthority ? "Paste it (PEM, Base-64 .CER)" : "Paste it: certificate and private key (PEM)" },
        ...(mayName ? [{ value: "path", label: "A file on this server" }] : []),
    ];
}

function modeOf(form: Form, name: string): Mode {
    const chosen = form.draft.modes[name] as Mode | undefined;
    const entered = form.draft.entered[pemKey(name)];
    if ((chosen === "fetch" || chosen === "paste" || chosen === "path") && !entered) return chosen; // and not given yet
    if (!isEmpty(form.draft.values[name])) return "path";
    if (entered) return "paste";
    return entered === undefined && hasStoredSecret(form, pemKey(name)) ? "kept" : "system";
}

export function CertificateField({ form, name }: { form: Form; name: string }) {
    const { draft, tell } = form;
    const pem = draft.entered[pemKey(name)] ?? "";
    const [mode, setMode] = useState<Mode>(modeOf(form, name));
    const [first] = useState<Mode>(mode);
    const words = labelOf(draft.type, name);
    const problem = problemOf(form, name);
    const stored = hasStoredSecret(form, pemKey(name)) ? draft.stored?.secrets[pemKey(name)] : undefined;
    const setPem = (value: string) => tell({ do: "secret", key: pemKey(name), value });
    const trust = (value: string) => {
        setPem(value);
        leaveField(form, name);
    };
    const choose = (to: string) => {
        setMode(to as Mode);
        tell({ do: "mode", key: name, mode: to });
        if (to !== "path") tell({ do: "set", key: name, value: undefined });
        if (to === "kept") tell({ do: "keep", key: pemKey(name) });
        else if (to === "system" && draft.stored?.secrets[pemKey(name)]?.set) setPem("");
        else if (to === "system" || to === "path") tell({ do: "keep", key: pemKey(name) });
        // What is to be given next is not yet told to be missing.
        if (to === "kept" || to === "system") leaveField(form, name);
        else form.judge();
    };
    return (
        <div class="certificate-field">
            <RadioChoice
                label={words.label}
                description={words.help}
                value={mode}
                onChange={choose}
                problem={mode === "paste" || mode === "path" ? null : problem}
                options={optionsOf(name, first, stored)}
            />
            {mode === "fetch" && <Fetch form={form} trusted={pem} onTrust={trust} />}
            {mode === "paste" && (
                <TextArea
                    label="PEM"
                    value={pem}
                    placeholder="-----BEGIN CERTIFICATE-----"
                    rows={6}
                    onChange={setPem}
                    onBlur={() => leaveField(form, name)}
                    problem={problem}
                />
            )}
            {mode === "path" && (
                <TextField
                    label="Path of the certificate"
                    value={String(draft.values[name] ?? "")}
                    placeholder={form.spec.properties[name]?.examples?.[0]}
                    onChange={(to) => tell({ do: "set", key: name, value: to.trim() === "" ? undefined : to.trim() })}
                    onBlur={() => leaveField(form, name)}
                    problem={problem}
                />
            )}
        </div>
    );
}
