// session.ts - who is logged in, with which role and preferences.
//   const session = useSession();                 // null: nobody (yet)
//   if (can("operator")) ...                      // hides what the server would refuse; the server decides
//   await setPreference({ theme: "dark" });
import { useEffect, useState } from "preact/hooks";
import { get, onSignedOut, post, put, setCsrf } from "./api";
import { current, go, link } from "./router";
import { applyTheme } from "./theme";
import type { Preferences, Role, Session } from "./types";

const ROLES: Role[] = ["viewer", "analyst", "operator", "admin"];
let session: Session | null = null;
const listeners = new Set<(s: Session | null) => void>();

// Of a log-in, a setup, or GET /session; null: logged out.
export function setSession(to: Session | null): void {
    session = to;
    setCsrf(to?.csrf ?? "");
    if (to !== null) applyTheme(to.preferences.theme ?? "auto");
    for (const listener of [...listeners]) listener(session);
}

export function useSession(): Session | null {
    const [value, setValue] = useState(session);
    useEffect(() => {
        listeners.add(setValue);
        setValue(session);
        return () => void listeners.delete(setValue);
    }, []);
    return value;
}

export function getSession(): Session | null {
    return session;
}

export function can(role: Role): boolean {
    return session !== null && ROLES.indexOf(session.role) >= ROLES.indexOf(role);
}

export async function loadSession(): Promise<void> {
    setSession(await get<Session>("/session"));
}

export async function logOut(): Promise<void> {
    const after = session?.logout_url;
    await post("/logout");
    setSession(null);
    if (after !== undefined && /^https:\/\//.test(after)) location.assign(after);
    else go("#/login");
}

// Shown at once; told to the server behind it.
export async function setPreference(change: Preferences): Promise<void> {
    if (session === null) return;
    const preferences = { ...session.preferences, ...change };
    setSession({ ...session, preferences });
    await put("/session/preferences", preferences);
}

onSignedOut(() => {
    const at = current();
    if (session === null || at.path[0] === "login" || at.path[0] === "setup") return;
    setSession(null);
    go(link(["login"], { next: at.href, expired: "yes" }), { replace: true });
});
