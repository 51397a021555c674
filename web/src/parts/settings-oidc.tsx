// settings-oidc.tsx - logging in through the organisation's OpenID provider; tested before it is saved.
import { useState } from "preact/hooks";
import { ApiError, post, put, useGet } from "../lib/api";
import { words } from "../lib/strings";
import type { Secret } from "../lib/types";
import { Button, Card, Code, ErrorBox, Loading } from "../ui/basic";
import { Checkbox, Field } from "../ui/field";
import { Time } from "../ui/text";
import { toast } from "../ui/toast";
import { PasswordField, SelectField, TextArea, TextField } from "./inputs";
import { ROLES } from "./settings-account";
import { SettingsSteps, type SettingsTest } from "./settings-steps";
import { useGuarded } from "../lib/use-guarded";

interface Oidc {
    enabled: boolean;
    issuer: string;
    client_id: string;
    client_secret?: Secret;
    label: string;
    role_claim: string;
    roles: Record<string, string>;
    default_role: string;
    ca_certificate?: string;
    redirect_uri?: string;
    version?: number;
}

const FIRST: Oidc = { enabled: false, issuer: "", client_id: "", label: "", role_claim: "roles", roles: {}, default_role: "none" };

// "value = role", one a line: how the map of roles is typed.
function rolesText(roles: Record<string, string>): string {
    return Object.entries(roles)
        .map(([value, role]) => `${value} = ${role}`)
        .join("\n");
}

// A line that is none throws: left out, it would be gone at the next visit.
export function rolesOf(text: string): Record<string, string> {
    const roles: Record<string, string> = {};
    for (const line of text.split("\n").map((l) => l.trim())) {
        if (line === "") continue;
        const at = line.lastIndexOf("=");
        const value = line.slice(0, Math.max(at, 0)).trim();
        if (value === "")
            throw new ApiError(0, { class: "INPUT", message: `“${line}” does not say which value is which role`, hint: "Write it as: value = role" });
        roles[value] = line.slice(at + 1).trim();
    }
    return roles;
}

function OidcForm({ first }: { first: Oidc }) {
    const [o, setO] = useState(first);
    const [saved, setSaved] = useState(first);
    const [roles, setRoles] = useState(rolesText(first.roles ?? {}));
    const [secret, setSecret] = useState("");
    const [test, setTest] = useState<SettingsTest | null>(null);
    const { error, isBusy, guarded } = useGuarded();
    const set = (change: Partial<Oidc>) => setO({ ...o, ...change });
    const body = () => {
        const { client_secret: _, redirect_uri: __, ca_certificate, ...rest } = o;
        return {
            ...rest,
            roles: rolesOf(roles),
            ...(ca_certificate ? { ca_certificate } : {}),
            ...(secret !== "" ? { client_secret: secret } : {}),
        };
    };
    const tryIt = () => guarded(async () => setTest(await post<SettingsTest>("/settings/oidc/test", body())));
    const save = () =>
        guarded(async () => {
            const now = { ...FIRST, ...(await put<Oidc>("/settings/oidc", body())) };
            setO(now);
            setSaved(now);
            setSecret("");
            toast("Saved", "good");
        });
    const isBound = o.issuer === saved.issuer && o.client_id === saved.client_id;
    return (
        <div class="form">
            <Checkbox
                label="People may log in through it"
                checked={o.enabled}
                onChange={(enabled) => set({ enabled })}
                description="Users of this server can always log in with their password, too."
            />
            <TextField
                label="Issuer"
                description="Entra ID: https://login.microsoftonline.com/TENANT/v2.0"
                value={o.issuer}
                onChange={(issuer) => set({ issuer })}
                required
            />
            <TextField label="Client ID" value={o.client_id} onChange={(client_id) => set({ client_id })} required />
            <PasswordField
                label="Client secret"
                optional
                description={
                    o.client_secret?.set ? (
                        isBound ? (
                            <>
                                Set <Time at={o.client_secret.updated} relative />; enter another one to replace it.
                            </>
                        ) : (
                            "Enter it again: issuer or client changed."
                        )
                    ) : (
                        "Not needed by public clients: PKCE is always used."
                    )
                }
                value={secret}
                onChange={setSecret}
            />
            {o.redirect_uri && (
                <Field label="Redirect address" description="Register it with the provider.">
                    {() => <Code text={o.redirect_uri ?? ""} label="Redirect address" />}
                </Field>
            )}
            <TextField label="Words on the button" value={o.label} onChange={(label) => set({ label })} placeholder="Log in with Corp" />
            <TextField label="Claim with the roles" value={o.role_claim} onChange={(role_claim) => set({ role_claim })} placeholder="roles" />
            <TextArea
                label="Which value is which role"
                description="One a line: value = viewer, analyst, operator or admin."
                value={roles}
                onChange={setRoles}
                placeholder={"Rollcall.Admins = admin\nSecurity = analyst"}
            />
            <SelectField
                label="Everybody else"
                value={o.default_role}
                options={[{ value: "none", label: "is refused" }, ...ROLES]}
                onChange={(default_role) => set({ default_role })}
            />
            <TextArea
                label="CA certificate"
                optional
                description="PEM, or the path of a file on the server; default: the system's authorities."
                value={o.ca_certificate ?? ""}
                onChange={(ca_certificate) => set({ ca_certificate })}
            />
            {test && <SettingsSteps test={test} />}
            {error !== undefined && <ErrorBox error={error} />}
            <div class="row">
                <Button icon="play" onClick={tryIt} disabled={o.issuer === ""} busy={isBusy}>
                    Test
                </Button>
                <Button variant="primary" onClick={save} disabled={o.issuer === "" || o.client_id === ""} busy={isBusy}>
                    Save
                </Button>
            </div>
        </div>
    );
}

export function SettingsOidc() {
    const { data, error, reload } = useGet<Oidc>("/settings/oidc");
    const missing = error?.class === "NOTFOUND";
    return (
        <Card title={words("OpenID Connect")} id="oidc">
            {error && !missing && <ErrorBox error={error} retry={reload} />}
            {data === undefined && !error && <Loading />}
            {(data !== undefined || missing) && <OidcForm first={{ ...FIRST, ...data }} />}
        </Card>
    );
}
