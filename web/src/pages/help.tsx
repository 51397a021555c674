// help.tsx - the manual pages of this very version, offline; the API's calls; the keys.
import { call, useGet } from "../lib/api";
import { htmlElements } from "../lib/html";
import { boundKeys } from "../lib/keys";
import { link, useRoute } from "../lib/router";
import type { List } from "../lib/types";
import { Badge, Card, ErrorBox, Loading } from "../ui/basic";
import { Page } from "../ui/layout";
import { useEffect, useState } from "preact/hooks";

interface Listed {
    name: string;
    title: string;
}
interface Manual extends Listed {
    html: string;
}

// "rollcall.1" -> "rollcall(1)"
function manualName(name: string): string {
    return { api: "API", keys: "Keys" }[name] ?? name.replace(/\.([0-9])$/, "($1)");
}

// A link of a manual page: another page of the manual, or a place in this one; nothing outside.
function resolver(pages: Listed[]) {
    return (href: string): string | null => {
        const name = /([\w.-]+?)(?:\.html)?$/.exec(href)?.[1] ?? "";
        return pages.some((p) => p.name === name) ? link(["help", name]) : null;
    };
}

function ManualPage({ name, pages }: { name: string; pages: Listed[] }) {
    const { data, error } = useGet<Manual>(`/help/${encodeURIComponent(name)}`);
    if (error) return <ErrorBox error={error} />;
    if (data === undefined) return <Loading lines={12} />;
    return <article class="manual">{htmlElements(data.html, resolver(pages))}</article>;
}

interface Operation {
    summary?: string;
    tags?: string[];
    "x-right"?: string;
    parameters?: { name: string; in: string }[];
    requestBody?: { content?: { "application/json"?: { schema?: unknown } } };
}
interface OpenApi {
    paths: Record<string, Record<string, Operation>>;
}

function useOpenApi(): { data: OpenApi | null; error: unknown } {
    const [state, setState] = useState<{ data: OpenApi | null; error: unknown }>({ data: null, error: undefined });
    useEffect(() => {
        const abort = new AbortController();
        call<OpenApi>("GET", "/api/openapi.json", undefined, abort.signal).then(
            (data) => setState({ data, error: undefined }),
            (error: unknown) => !abort.signal.aborted && setState({ data: null, error }),
        );
        return () => abort.abort();
    }, []);
    return state;
}

function OperationRow({ method, path, operation: o }: { method: string; path: string; operation: Operation }) {
    const query = (o.parameters ?? []).filter((p) => p.in === "query").map((p) => p.name);
    const schema = o.requestBody?.content?.["application/json"]?.schema;
    return (
        <li class="api-call">
            <p>
                <Badge tone={method === "get" ? "info" : method === "delete" ? "bad" : "warn"}>{method.toUpperCase()}</Badge>{" "}
                <code class="wrap">{path}</code> <Badge title="The least role">{o["x-right"] ?? ""}</Badge>
            </p>
            <p>{o.summary}</p>
            {query.length > 0 && (
                <p class="muted">
                    Query:{" "}
                    {query.map((q) => (
                        <code key={q}>{q} </code>
                    ))}
                </p>
            )}
            {schema !== undefined && (
                <details>
                    <summary>Body</summary>
                    <pre class="json" tabIndex={0} role="region" aria-label={`Body of ${method} ${path}`}>
                        {JSON.stringify(schema, null, 2)}
                    </pre>
                </details>
            )}
        </li>
    );
}

function ApiPage() {
    const { data, error } = useOpenApi();
    if (error !== undefined) return <ErrorBox error={error} />;
    if (data === null) return <Loading lines={12} />;
    const all = Object.entries(data.paths).flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
    );
    const tags = [...new Set(all.map((o) => o.operation.tags?.[0] ?? "server"))];
    return (
        <div class="stack-v">
            <p>
                Everything that this page does is one of these calls. <code>rollcall api GET /api/v1/assets</code> is the same as a command. As a
                file: <a href="/api/openapi.json">OpenAPI 3.1</a>.
            </p>
            {tags.map((tag) => (
                <Card title={tag} id={`api-${tag}`} key={tag}>
                    <ul class="stack-v">
                        {all
                            .filter((o) => (o.operation.tags?.[0] ?? "server") === tag)
                            .map((o) => (
                                <OperationRow key={o.method + o.path} {...o} />
                            ))}
                    </ul>
                </Card>
            ))}
        </div>
    );
}

function KeysPage() {
    return (
        <Card title="Keys" id="keys">
            <dl class="keys">
                {boundKeys().map(([key, label]) => (
                    <div key={key}>
                        <dt>
                            {key.split(" ").map((k) => (
                                <kbd key={k}>{k}</kbd>
                            ))}
                        </dt>
                        <dd>{label}</dd>
                    </div>
                ))}
            </dl>
            <p class="muted">
                On lists: j and k walk through the rows, Enter opens, e exports; on a connector: t tests. They can be switched off under Settings, My
                account. ? shows those of the page you are on.
            </p>
        </Card>
    );
}

export default function Help() {
    const chosen = useRoute().path[1] ?? "";
    const { data, error } = useGet<List<Listed>>("/help");
    const pages = data?.items ?? [];
    const name = chosen === "" ? (pages[0]?.name ?? "") : chosen;
    const entries = [...pages, { name: "api", title: "Every call" }, { name: "keys", title: "Shortcuts" }];
    return (
        <Page title="Help">
            {error && <ErrorBox error={error} />}
            <div class="settings">
                <nav class="settings-parts" aria-label="Help">
                    <ul>
                        {entries.map((p) => (
                            <li key={p.name}>
                                <a href={link(["help", p.name])} aria-current={p.name === name ? "page" : undefined}>
                                    {manualName(p.name)}
                                    {p.title && p.title !== manualName(p.name) && <span class="help-title">{p.title}</span>}
                                </a>
                            </li>
                        ))}
                    </ul>
                </nav>
                <div class="settings-part">
                    {name === "api" && <ApiPage />}
                    {name === "keys" && <KeysPage />}
                    {name !== "" && name !== "api" && name !== "keys" && <ManualPage key={name} name={name} pages={pages} />}
                </div>
            </div>
        </Page>
    );
}
