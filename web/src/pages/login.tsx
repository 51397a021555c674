// login.tsx - name and password, or the organisation's own sign-in where it is configured.
import { useState } from "preact/hooks";
import { ApiError, BASE, post, useGet } from "../lib/api";
import { go, rememberNext, useRoute } from "../lib/router";
import { setSession } from "../lib/session";
import type { Session, Start } from "../lib/types";
import { Button, ErrorBox, Notice } from "../ui/basic";
import { Page } from "../ui/layout";
import { PasswordField, TextField } from "../parts/inputs";
import { useGuarded } from "../lib/use-guarded";

// Only a place of this page: anything else would send people elsewhere after a log-in.
function nextOf(query: URLSearchParams): string {
    const next = query.get("next") ?? "";
    return next.startsWith("#/") && !next.startsWith("#/login") && !next.startsWith("#/setup") ? next : "#/";
}

function Refused({ error }: { error: unknown }) {
    if (!(error instanceof ApiError)) return <ErrorBox error={error} />;
    if (error.class === "LIMIT")
        return (
            <Notice tone="warn" live="assertive" title="Too many attempts">
                <p>{error.message}</p>
                <p>{error.hint ?? "Wait a little, then try again. Nobody can log in faster, also not with the right password."}</p>
            </Notice>
        );
    if (error.class === "AUTH")
        return (
            <Notice tone="bad" live="assertive" title="Name or password is wrong">
                <p>
                    {error.hint ??
                        "Check the name and the keyboard's layout. An admin can set another password under Settings, or with rollcall user password."}
                </p>
            </Notice>
        );
    return <ErrorBox error={error} />;
}

export default function Login() {
    const route = useRoute();
    const { data: start } = useGet<Start>("/start");
    const [name, setName] = useState("");
    const [password, setPassword] = useState("");
    const { error, isBusy, guarded } = useGuarded();

    const submit = (event: Event) => {
        event.preventDefault();
        void guarded(async () => {
            try {
                setSession(await post<Session>("/login", { name, password }));
            } catch (e) {
                setPassword("");
                throw e;
            }
            go(nextOf(route.query), { replace: true });
        });
    };
    return (
        <Page title="Log in">
            {route.query.get("expired") === "yes" && error === undefined && (
                <Notice title="Your session is over: log in again to go on where you were." />
            )}
            {route.query.get("oidc") && (
                <Notice tone="bad" live="assertive" title="The sign-in of your organisation did not succeed">
                    {route.query.get("oidc")}
                </Notice>
            )}
            {error !== undefined && <Refused error={error} />}
            <form class="form" onSubmit={submit}>
                <TextField label="Name" name="username" value={name} onChange={setName} autocomplete="username" required autofocus />
                <PasswordField label="Password" value={password} onChange={setPassword} autocomplete="current-password" required />
                <div class="row">
                    <Button variant="primary" type="submit" busy={isBusy} disabled={name === "" || password === ""}>
                        Log in
                    </Button>
                </div>
            </form>
            {start?.oidc && (
                <div class="form-alternative">
                    <a class="button plain" href={`${BASE}/oidc/start`} onClick={() => rememberNext(nextOf(route.query))}>
                        <span>{start.oidc.label || "Log in with your organisation"}</span>
                    </a>
                </div>
            )}
            {start && <p class="muted small">rollcall {start.version}</p>}
        </Page>
    );
}
