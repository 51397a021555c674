// router.ts - the URL is the whole state of a page: #/assets?kind=user&sort=-name. Back, reload and a link in a mail show the same.
//   const route = useRoute();            // { path: ["assets", "corp", "3f25..."], query, href }
//   <a href={link(["assets", c, uid], { tab: "history" })}>
//   setQuery({ kind: "user", after: null });            // a step in the history; { replace: true } while somebody types
import { useEffect, useState } from "preact/hooks";
import type { Query } from "./api";

export interface Route {
    path: string[]; // decoded segments; [] is home
    query: URLSearchParams;
    href: string; // "#/assets?kind=user"
}

export function parseRoute(hash: string): Route {
    const text = hash.replace(/^#?\/?/, "");
    const [path = "", ...rest] = text.split("?");
    const segments = path.split("/").filter((s) => s !== "");
    return { path: segments.map(decode), query: new URLSearchParams(rest.join("?")), href: "#/" + text };
}

function decode(segment: string): string {
    try {
        return decodeURIComponent(segment);
    } catch {
        return segment;
    }
}

export function link(path: string[], query?: Query | URLSearchParams): string {
    const p = new URLSearchParams();
    const given = query instanceof URLSearchParams ? query.entries() : Object.entries(query ?? {});
    for (const [key, value] of given) if (value !== null && value !== undefined && value !== "") p.append(key, String(value));
    const text = p.toString();
    return "#/" + path.map(encodeURIComponent).join("/") + (text === "" ? "" : "?" + text);
}

export function current(): Route {
    return parseRoute(location.hash);
}

const listeners = new Set<(r: Route) => void>();

function tell(): void {
    const route = current();
    for (const listener of [...listeners]) listener(route);
}
window.addEventListener("hashchange", tell);

// Only within the page: a link somebody made ("next=https://...") leads home.
export function go(href: string, options: { replace?: boolean } = {}): void {
    if (!href.startsWith("#/")) href = "#/";
    if (href === location.hash) return;
    if (!options.replace) {
        location.hash = href;
        return;
    }
    history.replaceState(history.state, "", href);
    tell();
}

// Changes members of the query of where we are; null or "" takes one away.
export function setQuery(change: Query, options: { replace?: boolean } = {}): void {
    const route = current();
    for (const [key, value] of Object.entries(change)) {
        if (value === null || value === undefined || value === "") route.query.delete(key);
        else route.query.set(key, String(value));
    }
    go(link(route.path, route.query), options);
}

export function useRoute(): Route {
    const [route, setRoute] = useState(current);
    useEffect(() => {
        listeners.add(setRoute);
        setRoute((r) => (r.href === current().href ? r : current()));
        return () => void listeners.delete(setRoute);
    }, []);
    return route;
}

// Where somebody was going when the way led over another site (OIDC), for when it comes back: once, and only within the page.
const NEXT = "rollcall-next";

export function rememberNext(href: string): void {
    sessionStorage.setItem(NEXT, href);
}

export function takeNext(): string {
    const href = sessionStorage.getItem(NEXT) ?? "#/";
    sessionStorage.removeItem(NEXT);
    return href;
}
