// setup.tsx - the first start: the one-time link of the terminal, the first admin, then where the data is.
import { useState } from "preact/hooks";
import { post, useGet } from "../lib/api";
import { go, link, useRoute } from "../lib/router";
import { setSession, useSession } from "../lib/session";
import type { Session, Start } from "../lib/types";
import { Button, ErrorBox, LinkButton, Loading, Notice } from "../ui/basic";
import { Icon } from "../ui/icon";
import { Page } from "../ui/layout";
import { PasswordField, TextField } from "../parts/inputs";
import { isGoodPassword, PasswordRules } from "../parts/password-rules";
import { useGuarded } from "../lib/use-guarded";

function WhereIsYourData() {
    const tile = (type: string, title: string, text: string) => (
        <li>
            <a class="type-tile" href={link(["connectors", "new", "connect"], { type })}>
                <Icon name="domain" />
                <strong>{title}</strong>
                <span class="muted">{text}</span>
            </a>
        </li>
    );
    return (
        <Page title="Where is your data?" sub="You can add more later.">
            <ul class="type-tiles">
                {tile("active_directory", "Microsoft Active Directory", "A domain, read over LDAP by an account that may only read.")}
                {tile("entra_id", "Microsoft Entra ID", "A tenant, read over Microsoft Graph by an app registration.")}
            </ul>
            <p>
                <LinkButton variant="quiet" href="#/">
                    Later
                </LinkButton>
            </p>
        </Page>
    );
}

function FirstAdmin({ given }: { given: string }) {
    const [token, setToken] = useState(given);
    const [name, setName] = useState("admin");
    const [password, setPassword] = useState("");
    const { error, isBusy, guarded } = useGuarded();

    const submit = (event: Event) => {
        event.preventDefault();
        void guarded(async () => {
            const session = await post<Session>("/setup", { token: token.trim(), name, password });
            go(link(["setup"], { done: "yes" }), { replace: true }); // the token leaves the address bar
            setSession(session);
        });
    };
    return (
        <Page title="Set up rollcall" sub="There is no default password: the first admin is you.">
            {error !== undefined && <ErrorBox error={error} />}
            <form class="form" onSubmit={submit}>
                {given === "" && (
                    <TextField
                        label="Setup token"
                        value={token}
                        onChange={setToken}
                        required
                        description="rollcall serve has printed a link with it; it is good once, and for 15 minutes. Start the server again for another one."
                    />
                )}
                <TextField label="Name" name="username" value={name} onChange={setName} autocomplete="username" required autofocus />
                <PasswordField label="Password" value={password} onChange={setPassword} required />
                <PasswordRules name={name} password={password} />
                <div class="row">
                    <Button
                        variant="primary"
                        type="submit"
                        busy={isBusy}
                        disabled={token.trim() === "" || name === "" || !isGoodPassword(name, password)}
                    >
                        Create the admin
                    </Button>
                </div>
            </form>
        </Page>
    );
}

export default function Setup() {
    const route = useRoute();
    const session = useSession();
    const { data: start, error } = useGet<Start>("/start");
    if (session !== null) return <WhereIsYourData />;
    if (error)
        return (
            <Page title="Set up rollcall">
                <ErrorBox error={error} />
            </Page>
        );
    if (start === undefined) return <Loading />;
    if (!start.setup_needed)
        return (
            <Page title="Already set up">
                <Notice
                    title="This server has its users."
                    actions={
                        <LinkButton href="#/login" variant="primary">
                            Log in
                        </LinkButton>
                    }
                >
                    <p>The link was good once. A forgotten password is set anew by an admin.</p>
                </Notice>
            </Page>
        );
    return <FirstAdmin given={route.query.get("token") ?? ""} />;
}
