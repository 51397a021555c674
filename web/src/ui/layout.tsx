// layout.tsx - the frame of every page: skip link, navigation, theme, one h1. A page renders <Page title=... actions=...>; the frame is drawn around it once (main.tsx).
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { boundKeys, keysAreOn, useKeys } from "../lib/keys";
import { go, useRoute } from "../lib/router";
import { can, logOut, setPreference, useSession } from "../lib/session";
import { S } from "../lib/strings";
import { plain } from "../lib/visible";
import { Button } from "./basic";
import { Dialog } from "./dialog";
import { Switch } from "./field";
import { Icon, type IconName } from "./icon";
import { Text } from "./text";
import { Toasts, toast } from "./toast";

interface NavItem {
    path: string;
    title: string;
    icon: IconName;
    role?: "analyst" | "operator" | "admin";
}
const NAV: NavItem[][] = [
    [
        { path: "", title: S.nav.home, icon: "home" },
        { path: "assets", title: S.nav.assets, icon: "assets" },
        { path: "changes", title: S.nav.changes, icon: "changes" },
        { path: "catalog", title: S.nav.catalog, icon: "catalog" },
    ],
    [
        { path: "access", title: S.nav.access, icon: "access", role: "analyst" },
        { path: "alerts", title: S.nav.alerts, icon: "alerts" },
    ],
    [
        { path: "connectors", title: S.nav.connectors, icon: "connectors" },
        { path: "settings", title: S.nav.settings, icon: "settings" },
        { path: "help", title: S.nav.help, icon: "help" },
    ],
];

function Logo() {
    return (
        <svg class="logo" viewBox="0 0 32 32" width="24" height="24" aria-hidden="true" focusable="false">
            <rect width="32" height="32" rx="8" class="logo-back" />
            <path d="M7 10.5l2.2 2.2L13 8.5M7 21.5l2.2 2.2L13 19.5M17.500 11H25M17.500 22H25" class="logo-front" />
        </svg>
    );
}

const THEMES = ["auto", "light", "dark"] as const;
const THEME_ICONS: Record<string, IconName> = { auto: "auto", light: "sun", dark: "moon" };

function ThemeButton() {
    const session = useSession();
    const theme = session?.preferences.theme ?? "auto";
    const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "auto";
    const label = `${S.theme}: ${S.themes[theme]}. Change to: ${S.themes[next]}`;
    return <Button variant="quiet" icon={THEME_ICONS[theme] ?? "auto"} label={label} onClick={() => setPreference({ theme: next })} />;
}

function Navigation({ isOpen, onDone }: { isOpen: boolean; onDone: () => void }) {
    const route = useRoute();
    const here = route.path[0] ?? "";
    const owner = here === "runs" || here === "jobs" ? "connectors" : here === "reports" ? "access" : here;
    return (
        <nav id="navigation" class={`navigation ${isOpen ? "open" : ""}`} aria-label="Main">
            {NAV.map((group) => (
                <ul>
                    {group.filter((i) => i.role === undefined || can(i.role)).map((i) => (
                        <li key={i.path}>
                            <a href={`#/${i.path}`} aria-current={owner === i.path ? "page" : undefined} onClick={onDone}><Icon name={i.icon} />{i.title}</a>
                        </li>
                    ))}
                </ul>
            ))}
        </nav>
    );
}

function Keys({ onClose }: { onClose: () => void }) {
    const session = useSession();
    const isOn = keysAreOn();
    return (
        <Dialog title="Keyboard shortcuts" onClose={onClose}>
            <Switch label="Shortcuts are on" checked={session?.preferences.keys !== false} onChange={(on) => setPreference({ keys: on }).catch(toast)} />
            <dl class={`keys ${isOn ? "" : "is-off"}`}>
                {boundKeys().map(([key, label]) => (
                    <div>
                        <dt>{key.split(" ").map((k) => <kbd>{k}</kbd>)}</dt>
                        <dd>{label}</dd>
                    </div>
                ))}
                <div><dt><kbd>Esc</kbd></dt><dd>Close, or leave a field</dd></div>
                <div><dt><kbd>Tab</kbd></dt><dd>Walk through everything on the page</dd></div>
            </dl>
        </Dialog>
    );
}

function User() {
    const session = useSession();
    if (session === null) return null;
    return (
        <div class="user">
            <a href="#/settings/account" class="user-name" title={`${plain(session.name)}, ${session.role}`}>
                <Icon name="user" /><span class="truncate"><Text>{session.name}</Text></span><span class="muted small">{session.role}</span>
            </a>
            <ThemeButton />
            <Button variant="quiet" icon="logout" label={S.logOut} onClick={logOut} />
        </div>
    );
}

function skip(event: MouseEvent): void {
    event.preventDefault(); // the hash is the router's
    document.getElementById("main")?.focus();
}

/** The page's own search box, or the one of the assets. */
function search(): void {
    const box = document.querySelector<HTMLInputElement>("[data-search]");
    if (box !== null) box.focus();
    else go("#/assets?focus=search");
}

export function Layout({ children }: { children: ComponentChildren }) {
    const [isMenu, setMenu] = useState(false);
    const [isKeys, setKeys] = useState(false);
    useKeys({
        "/": ["Search", search],
        "g h": ["Go to Home", () => go("#/")],
        "g a": ["Go to Assets", () => go("#/assets")],
        "g c": ["Go to Connectors", () => go("#/connectors")],
        "g x": ["Go to Access", () => go("#/access")],
        "g d": ["Go to Changes", () => go("#/changes")],
        "g l": ["Go to Alerts", () => go("#/alerts")],
        "?": ["Show the shortcuts", () => setKeys(true)],
        Escape: isMenu && ["Close the menu", () => setMenu(false)],
    });
    return (
        <div class="layout">
            <a class="skip" href="#main" onClick={skip}>{S.skip}</a>
            <header class="side">
                <div class="brand">
                    <a href="#/" aria-label="rollcall, home"><Logo /><span>{S.app}</span></a>
                    <Button class="menu-button" variant="quiet" icon={isMenu ? "cross" : "menu"} expanded={isMenu} label={S.menu} onClick={() => setMenu(!isMenu)} />
                </div>
                <div class={`side-body ${isMenu ? "open" : ""}`}>
                    <Navigation isOpen={isMenu} onDone={() => setMenu(false)} />
                    <User />
                </div>
            </header>
            <main id="main" tabIndex={-1}>{children}</main>
            {isKeys && <Keys onClose={() => setKeys(false)} />}
            <Toasts />
        </div>
    );
}

// The frame without navigation: log-in, first start.
export function Bare({ children }: { children: ComponentChildren }) {
    return (
        <div class="bare">
            <main id="main" tabIndex={-1}>
                <p class="bare-brand"><Logo /><span>{S.app}</span></p>
                {children}
            </main>
            <Toasts />
        </div>
    );
}

// A page's head: its one h1, where it belongs to, what can be done. The title goes to the window, too, and to screen readers by the focus when the page changes.
export function Page({ title, heading, crumbs, sub, actions, children }: {
    title: string; heading?: ComponentChildren; crumbs?: { href: string; title: string }[]; sub?: ComponentChildren; actions?: ComponentChildren; children?: ComponentChildren;
}) {
    const head = useRef<HTMLHeadingElement>(null);
    const isFirst = useRef(true);
    useEffect(() => {
        document.title = `${plain(title)} · rollcall`;
    }, [title]);
    useEffect(() => {
        // Not at the very first page: there the browser begins at the top by itself.
        if (isFirst.current && hasShownAPage && !(document.activeElement instanceof HTMLInputElement)) head.current?.focus({ preventScroll: true });
        isFirst.current = false;
        hasShownAPage = true;
    }, []);
    return (
        <div class="page">
            <div class="page-head">
                <div class="page-title">
                    {crumbs !== undefined && <nav class="crumbs" aria-label="Breadcrumb">{crumbs.map((c) => <a href={c.href}><Text>{c.title}</Text></a>)}</nav>}
                    <h1 ref={head} tabIndex={-1}>{heading ?? <Text>{title}</Text>}</h1>
                    {sub !== undefined && <div class="page-sub">{sub}</div>}
                </div>
                {actions !== undefined && <div class="page-actions">{actions}</div>}
            </div>
            {children}
        </div>
    );
}
let hasShownAPage = false;
