// settings-account.tsx - one's own: theme, keys, password, API tokens.
import { useState } from "preact/hooks";
import { del, post, put, useGet } from "../lib/api";
import { can, setPreference, setSession, useSession } from "../lib/session";
import { S } from "../lib/strings";
import type { List, Role, Session } from "../lib/types";
import { Button, Card, Code, Empty, ErrorBox, Loading, Notice } from "../ui/basic";
import { Confirm, Dialog } from "../ui/dialog";
import { Checkbox, Segmented, Switch } from "../ui/field";
import { Table, type Column } from "../ui/table";
import { Text, Time } from "../ui/text";
import { toast } from "../ui/toast";
import { FormDialog } from "./form-dialog";
import { PasswordField, SelectField, TextField } from "./inputs";
import { isGoodPassword, PasswordRules } from "./password-rules";
import { useGuarded } from "../lib/use-guarded";

export const ROLES: { value: Role; label: string }[] = [
    { value: "viewer", label: "Viewer: reads" },
    { value: "analyst", label: "Analyst: also asks about access, exports, keeps views and rules" },
    { value: "operator", label: "Operator: also runs, tests and edits connectors" },
    { value: "admin", label: "Admin: also users, settings, keys and the audit log" },
];
const ORDER: Role[] = ["viewer", "analyst", "operator", "admin"];

function Preferences() {
    const session = useSession();
    const theme = session?.preferences.theme ?? "auto";
    return (
        <Card title="Preferences" id="preferences">
            <div class="form">
                <Segmented
                    label={S.theme}
                    value={theme}
                    options={(["auto", "light", "dark"] as const).map((t) => ({ value: t, label: S.themes[t] }))}
                    onChange={(t) => void setPreference({ theme: t as "auto" | "light" | "dark" }).catch(toast)}
                />
                <Switch
                    label="Keyboard shortcuts"
                    checked={session?.preferences.keys !== false}
                    onChange={(on) => setPreference({ keys: on }).catch(toast)}
                />
            </div>
        </Card>
    );
}

function Password() {
    const session = useSession();
    const [old, setOld] = useState("");
    const [next, setNext] = useState("");
    const { error, guarded } = useGuarded();
    const name = session?.name ?? "";
    const save = (event: Event) => {
        event.preventDefault();
        void guarded(async () => {
            setSession(await put<Session>("/session/password", { old, new: next })); // a new session, with another csrf
            setOld("");
            setNext("");
            toast("The password is changed; your other sessions are over", "good");
        });
    };
    return (
        <Card title="Password" id="password">
            <form class="form" onSubmit={save}>
                <input type="text" name="username" autocomplete="username" value={name} hidden readOnly />
                <PasswordField label="Present password" value={old} onChange={setOld} autocomplete="current-password" />
                <PasswordField label="New password" value={next} onChange={setNext} />
                <PasswordRules name={name} password={next} />
                {error !== undefined && <ErrorBox error={error} />}
                <div class="row">
                    <Button type="submit" disabled={old === "" || !isGoodPassword(name, next)}>
                        Change the password
                    </Button>
                </div>
            </form>
        </Card>
    );
}

export function SettingsAccount() {
    return (
        <div class="stack-v">
            <Preferences />
            <Password />
        </div>
    );
}

interface Token {
    id: number;
    name: string;
    owner: string;
    role: Role;
    created: string;
    expires: string | null;
    last_used: string | null;
}

const TOKENS: Column<Token>[] = [
    { key: "name", title: "Name", cell: (t) => <Text>{t.name}</Text> },
    { key: "owner", title: "Owner", cell: (t) => <Text>{t.owner}</Text> },
    { key: "role", title: "Role", cell: (t) => t.role },
    { key: "created", title: "Made", cell: (t) => <Time at={t.created} relative /> },
    { key: "expires", title: "Expires", cell: (t) => <Time at={t.expires} relative /> },
    { key: "used", title: "Last used", cell: (t) => <Time at={t.last_used} relative /> },
];

function NewToken({ onClose, onDone }: { onClose: () => void; onDone: () => void }) {
    const session = useSession();
    const most = ORDER.indexOf(session?.role ?? "viewer");
    const [name, setName] = useState("");
    const [role, setRole] = useState<string>("viewer");
    const [days, setDays] = useState("90");
    const [token, setToken] = useState<string | null>(null);
    const make = async () => {
        const made = await post<{ token: string }>("/tokens", { name: name.trim(), role, ...(days === "0" ? {} : { expires_days: Number(days) }) });
        setToken(made.token);
        onDone();
    };
    if (token !== null)
        return (
            <Dialog
                title="The token"
                onClose={onClose}
                actions={
                    <Button variant="primary" onClick={onClose}>
                        I have it
                    </Button>
                }
            >
                <Notice tone="warn" title="Copy it now: it is not shown again." />
                <Code text={token} label="API token" />
                <p class="muted">
                    Send it as <code>Authorization: Bearer …</code>
                </p>
            </Dialog>
        );
    return (
        <FormDialog title="New API token" action="Make the token" isGood={name.trim() !== ""} onSubmit={make} onClose={onClose}>
            <TextField label="Name" description="What it is for." value={name} onChange={setName} />
            <SelectField label="Role" value={role} options={ROLES.filter((r) => ORDER.indexOf(r.value) <= most)} onChange={setRole} />
            <SelectField
                label="Expires"
                value={days}
                options={[
                    ["30", "after 30 days"],
                    ["90", "after 90 days"],
                    ["365", "after a year"],
                    ["0", "never"],
                ].map(([value, label]) => ({ value: value!, label: label! }))}
                onChange={setDays}
            />
        </FormDialog>
    );
}

export function SettingsTokens() {
    const [all, setAll] = useState(false);
    const { data, error, reload } = useGet<List<Token>>("/tokens", all ? { all: true } : {});
    const [isNew, setNew] = useState(false);
    const [gone, setGone] = useState<Token | null>(null);
    return (
        <Card
            title="API tokens"
            id="tokens"
            actions={
                <Button variant="primary" icon="plus" onClick={() => setNew(true)}>
                    New token
                </Button>
            }
        >
            <div class="stack-v">
                {can("admin") && <Checkbox label="Those of everybody" checked={all} onChange={setAll} />}
                {error && <ErrorBox error={error} retry={reload} />}
                {data === undefined && !error && <Loading />}
                {data?.items.length === 0 && (
                    <Empty icon="key" title="No tokens">
                        A token lets a script use the API with at most your own rights.
                    </Empty>
                )}
                {data && data.items.length > 0 && (
                    <Table
                        caption="Tokens"
                        columns={TOKENS}
                        rows={data.items}
                        rowKey={(t) => String(t.id)}
                        actions={(t) => <Button small variant="quiet" icon="trash" label={`Revoke ${t.name}`} onClick={() => setGone(t)} />}
                    />
                )}
            </div>
            {isNew && <NewToken onClose={() => setNew(false)} onDone={reload} />}
            {gone && (
                <Confirm
                    title={`Revoke the token ${gone.name}?`}
                    action="Revoke"
                    danger
                    onClose={() => setGone(null)}
                    onConfirm={async () => {
                        await del(`/tokens/${gone.id}`);
                        reload();
                    }}
                >
                    <p>Whatever uses it is refused from now on.</p>
                </Confirm>
            )}
        </Card>
    );
}
