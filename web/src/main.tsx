// main.tsx - starts the page: theme, session, then the page that the URL names.
import { render, Component, type ComponentChildren, type ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ApiError, get } from "./lib/api";
import { current, go, link, takeNext, useRoute } from "./lib/router";
import { loadSession, useSession } from "./lib/session";
import { applyTheme, rememberedTheme } from "./lib/theme";
import type { Start } from "./lib/types";
import { findPage, type PageRow } from "./pages";
import { Empty, ErrorBox, LinkButton, Loading } from "./ui/basic";
import { Bare, Layout, Page } from "./ui/layout";

const loaded = new Map<PageRow["load"], ComponentType>();

// A page that throws shows what happened instead of nothing.
class Guard extends Component<{ children: ComponentChildren; at: string }, { error: unknown }> {
    override state: { error: unknown } = { error: undefined };
    override componentDidCatch(error: unknown): void {
        this.setState({ error });
    }
    override componentDidUpdate(before: { at: string }): void {
        if (before.at !== this.props.at && this.state.error !== undefined) this.setState({ error: undefined });
    }
    render() {
        if (this.state.error === undefined) return this.props.children;
        return <Page title="This page failed"><ErrorBox error={this.state.error} retry={() => this.setState({ error: undefined })} /></Page>;
    }
}

function Show({ row }: { row: PageRow }) {
    const [, setTurn] = useState(0);
    const [error, setError] = useState<unknown>();
    const route = useRoute();
    const Found = loaded.get(row.load);
    useEffect(() => {
        setError(undefined);
        if (loaded.has(row.load)) return;
        row.load().then((m) => {
            loaded.set(row.load, m.default);
            setTurn((n) => n + 1);
        }, () => setError(new ApiError(0, { class: "NET", message: "a part of the page could not be read", hint: "The server was perhaps updated: reload the page." })));
    }, [row]);
    if (error !== undefined) return <Page title="Not loaded"><ErrorBox error={error} retry={() => location.reload()} /></Page>;
    if (Found === undefined) return <div class="page"><Loading lines={6} /></div>;
    // Another path is another page: its state starts anew. Another query is not.
    return <Guard at={route.href}><Found key={route.path.join("/")} /></Guard>;
}

// And back, once somebody is logged in.
function goToLogin(): void {
    const at = current();
    go(link(["login"], { next: at.href === "#/" ? null : at.href }), { replace: true });
}

function App() {
    const route = useRoute();
    const session = useSession();
    const row = findPage(route.path);
    useEffect(() => window.scrollTo(0, 0), [route.path.join("/")]);
    // Back to a page of before the log-out, or a link opened at the log-in.
    useEffect(() => {
        if (session === null && !findPage(current().path)?.bare) goToLogin(); // the log-out may be on its way there already
    }, [session, route.href]);
    if (row?.bare) return <Bare><Show key={row.pattern} row={row} /></Bare>;
    if (session === null) return <Bare><Loading /></Bare>;
    return (
        <Layout>
            {row !== undefined ? <Show key={row.pattern} row={row} /> : (
                <Page title="There is no such page"><Empty title="Nothing is at this address" action={<LinkButton href="#/" icon="home">Home</LinkButton>} /></Page>
            )}
        </Layout>
    );
}

async function begin(): Promise<void> {
    applyTheme(rememberedTheme());
    const root = document.getElementById("app");
    if (root === null) return;
    try {
        await loadSession();
        const next = takeNext();
        if (current().path[0] === "login") go(current().query.get("next") ?? "#/", { replace: true });
        else if (current().href === "#/") go(next, { replace: true });
    } catch (e) {
        if (!(e instanceof ApiError) || e.status !== 401) {
            render(<Bare><h1>rollcall</h1><ErrorBox error={e} retry={() => location.reload()} /></Bare>, root);
            return;
        }
        const start = await get<Start>("/start").catch(() => null);
        const at = current().path[0];
        if (start?.setup_needed) {
            if (at !== "setup") go("#/setup", { replace: true });
        } else if (at !== "login") goToLogin();
    }
    render(<App />, root);
}

void begin();
