// settings-users.tsx - who may use this server, and as what.
import { useState } from "preact/hooks";
import { del, patch, post, segment, useGet } from "../lib/api";
import { go } from "../lib/router";
import { useSession } from "../lib/session";
import type { List, Role } from "../lib/types";
import { Badge, Button, Card, ErrorBox, Loading, Status } from "../ui/basic";
import { Confirm } from "../ui/dialog";
import { Checkbox } from "../ui/field";
import { Table, type Column } from "../ui/table";
import { Text, Time } from "../ui/text";
import { FormDialog } from "./form-dialog";
import { PasswordField, SelectField, TextField } from "./inputs";
import { isGoodPassword, PasswordRules } from "./password-rules";
import { ROLES } from "./settings-account";

interface User {
    name: string;
    role: Role | "none"; // none: the provider took it away
    enabled: boolean;
    has_password: boolean;
    oidc_subject?: string | null;
    created: string;
    last_login: string | null;
}

const COLUMNS: Column<User>[] = [
    { key: "name", title: "Name", cell: (u) => <Text>{u.name}</Text> },
    { key: "role", title: "Role", cell: (u) => u.role },
    { key: "state", title: "State", cell: (u) => <Status tone={u.enabled ? "good" : "off"}>{u.enabled ? "Enabled" : "Disabled"}</Status> },
    {
        key: "how",
        title: "Logs in by",
        cell: (u) => (
            <span class="row">
                {u.has_password && <Badge>Password</Badge>}
                {u.oidc_subject && <Badge tone="info">OpenID</Badge>}
            </span>
        ),
    },
    { key: "last", title: "Last log-in", cell: (u) => <Time at={u.last_login} relative /> },
];

function NewUser({ onClose, onDone }: { onClose: () => void; onDone: () => void }) {
    const [name, setName] = useState("");
    const [role, setRole] = useState<string>("viewer");
    const [password, setPassword] = useState("");
    const make = async () => {
        await post("/users", { name: name.trim(), role, ...(password === "" ? {} : { password }) });
        onDone();
        onClose();
    };
    const isGood = name.trim() !== "" && (password === "" || isGoodPassword(name, password));
    return (
        <FormDialog title="New user" action="Create the user" isGood={isGood} onSubmit={make} onClose={onClose}>
            <TextField label="Name" value={name} onChange={setName} />
            <SelectField label="Role" value={role} options={ROLES} onChange={setRole} />
            <PasswordField
                label="Password"
                optional
                description="Without one only your OpenID provider logs this name in."
                value={password}
                onChange={setPassword}
            />
            {password !== "" && <PasswordRules name={name} password={password} />}
        </FormDialog>
    );
}

function EditUser({ user, onClose, onDone }: { user: User; onClose: () => void; onDone: () => void }) {
    const [role, setRole] = useState<string>(user.role);
    const [enabled, setEnabled] = useState(user.enabled);
    const [password, setPassword] = useState("");
    const isGood = password === "" || isGoodPassword(user.name, password);
    const save = async () => {
        const change = {
            ...(role !== user.role ? { role } : {}),
            ...(enabled !== user.enabled ? { enabled } : {}),
            ...(password !== "" ? { password } : {}),
        };
        if (Object.keys(change).length > 0) await patch(`/users/${segment(user.name)}`, change);
        onDone();
        onClose();
    };
    return (
        <FormDialog
            title={`User ${user.name}`}
            action="Save"
            isGood={isGood}
            onSubmit={save}
            onClose={onClose}
            note="A change ends the sessions of this user."
        >
            <SelectField label="Role" value={role} options={user.role === "none" ? [{ value: "none", label: "None: the provider gives none" }, ...ROLES] : ROLES} onChange={setRole} />
            <Checkbox
                label="Enabled"
                description="Switched off, the user cannot log in, and all sessions end."
                checked={enabled}
                onChange={setEnabled}
            />
            <PasswordField label="New password" optional value={password} onChange={setPassword} />
            {password !== "" && <PasswordRules name={user.name} password={password} />}
        </FormDialog>
    );
}

export function SettingsUsers() {
    const me = useSession()?.name;
    const { data, error, reload } = useGet<List<User>>("/users");
    const [isNew, setNew] = useState(false);
    const [open, setOpen] = useState<User | null>(null);
    const [gone, setGone] = useState<User | null>(null);
    const users = data?.items ?? [];
    return (
        <Card
            title="Users"
            id="users"
            actions={
                <Button variant="primary" icon="plus" onClick={() => setNew(true)}>
                    New user
                </Button>
            }
        >
            {error && <ErrorBox error={error} retry={reload} />}
            {data === undefined && !error && <Loading />}
            {users.length > 0 && (
                <Table
                    caption="Users of this server"
                    columns={COLUMNS}
                    rows={users}
                    rowKey={(u) => u.name}
                    onOpen={(u) => (u.name === me ? go("#/settings/account") : setOpen(u))}
                    actions={(u) =>
                        u.name !== me && <Button small variant="quiet" icon="trash" label={`Delete ${u.name}`} onClick={() => setGone(u)} />
                    }
                />
            )}
            {isNew && <NewUser onClose={() => setNew(false)} onDone={reload} />}
            {open && <EditUser user={open} onClose={() => setOpen(null)} onDone={reload} />}
            {gone && (
                <Confirm
                    title={`Delete ${gone.name}?`}
                    action="Delete user"
                    danger
                    onClose={() => setGone(null)}
                    onConfirm={async () => {
                        await del(`/users/${segment(gone.name)}`);
                        reload();
                    }}
                >
                    <p>Sessions and API tokens of this user end. What was done stays in the audit log.</p>
                </Confirm>
            )}
        </Card>
    );
}
