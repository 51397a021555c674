// assets.tsx - everybody and everything, filtered, searched, sorted and paged by the server.
import { useGet } from "../lib/api";
import { url } from "../lib/api";
import { FILTERS, assetLink, filtersOf, hasFilters, listCommand } from "../lib/assets_query";
import { number } from "../lib/format";
import { useKeys } from "../lib/keys";
import { link, setQuery, useRoute } from "../lib/router";
import { can } from "../lib/session";
import { FACETS, FACET_VALUES, KIND_ORDER, S, kindName, kindPlural, words } from "../lib/strings";
import { plain } from "../lib/visible";
import type { Asset, Facets as FacetCounts, List } from "../lib/types";
import { useState } from "preact/hooks";
import { Badge, Button, CopyAs, Empty, ErrorBox, Kind, LinkButton, Status } from "../ui/basic";
import { ColumnPicker, useColumns } from "../ui/columns";
import { Dialog } from "../ui/dialog";
import { Facets, type Facet } from "../ui/facets";
import { KindIcon } from "../ui/icon";
import { Page } from "../ui/layout";
import { SearchBox } from "../ui/search";
import { Pager, Table, type Column } from "../ui/table";
import { Text, Time } from "../ui/text";
import { Views } from "../ui/views";

const COLUMNS: Column<Asset>[] = [
    { key: "name", title: "Name", sort: "name", class: "name", cell: (a) => <span class="asset-name"><span title={kindName(a.kind)}><KindIcon kind={a.kind} /><span class="sr-only">{kindName(a.kind)} </span></span><Text>{a.name === "" ? a.uid : a.name}</Text></span> },
    { key: "account", title: "Account", sort: "account", class: "clip", cell: (a) => <Text>{a.account}</Text> },
    { key: "kind", title: "Kind", sort: "kind", class: "nowrap", cell: (a) => <Kind kind={a.kind} /> },
    { key: "source", title: "Source", sort: "source", class: "nowrap", cell: (a) => <Text>{a.connector}</Text> },
    { key: "enabled", title: "Enabled", class: "nowrap", cell: enabledCell },
    { key: "admin", title: "Admin", class: "nowrap", cell: (a) => a.admin === true && <Badge tone="warn">Admin</Badge> },
    { key: "mfa", title: "MFA", class: "nowrap", cell: mfaCell },
    { key: "last_sign_in", title: "Last sign-in", sort: "last_sign_in", descendingFirst: true, class: "nowrap", cell: (a) => <Time at={a.last_sign_in} relative absent="–" /> },
    { key: "tags", title: "Tags", class: "nowrap", cell: (a) => <Tags tags={a.tags ?? []} /> },
    { key: "last_changed", title: "Changed", sort: "last_changed", descendingFirst: true, class: "nowrap", cell: (a) => <Time at={a.last_changed} relative /> },
    { key: "display_name", title: "Display name", class: "clip", cell: (a) => <Text>{a.display_name}</Text> },
    { key: "mail", title: "Mail", class: "clip", cell: (a) => <Text>{a.mail}</Text> },
    { key: "dn", title: "Distinguished name", class: "clip-wide", cell: (a) => <Text>{a.dn}</Text> },
    { key: "uid", title: "Identifier", class: "nowrap mono", cell: (a) => <Text>{a.uid}</Text> },
];
const USUAL = ["name", "account", "source", "enabled", "admin", "mfa", "last_sign_in", "tags"];

function enabledCell(a: Asset) {
    if (a.deleted !== false && a.deleted != null) return <Status tone="bad" icon="trash">Deleted</Status>;
    if (a.enabled === true) return <Status tone="good">{S.yes}</Status>;
    return a.enabled === false ? <Status tone="off">{S.no}</Status> : <span class="muted">–</span>;
}

const MOST_TAGS = 3;

function Tags({ tags }: { tags: string[] }) {
    const rest = tags.slice(MOST_TAGS);
    return (
        <span class="tags one-line">
            {tags.slice(0, MOST_TAGS).map((t) => <Badge><Text>{words(t)}</Text></Badge>)}
            {rest.length > 0 && <span class="muted small" title={plain(rest.map(words).join(", "))}>+{rest.length}<span class="sr-only"> more: <Text>{rest.map(words).join(", ")}</Text></span></span>}
        </span>
    );
}

function mfaCell(a: Asset) {
    if (a.mfa === "yes") return <Status tone="good">{S.yes}</Status>;
    return a.mfa === "no" ? <Status tone="warn">{S.no}</Status> : <span class="muted">–</span>;
}

const SINGLE = ["enabled", "admin", "mfa", "sign_in"];

function facetsOf(counts: FacetCounts | undefined): Facet[] {
    return FACETS.map(([name, title]) => {
        const labels = FACET_VALUES[name];
        const facet: Facet = { name, title, counts: counts?.[name] as Record<string, number> | undefined, single: SINGLE.includes(name) };
        if (labels !== undefined) return { ...facet, order: Object.keys(labels), label: (v) => <Text>{labels[v] ?? v}</Text> };
        if (name === "kind") return { ...facet, order: KIND_ORDER, label: (v) => <span class="kind"><KindIcon kind={v} />{kindPlural(v)}</span> };
        if (name === "source") return { ...facet, label: (v) => <Text>{v}</Text> };
        return { ...facet, label: (v) => <Text>{words(v)}</Text> };
    });
}

export default function AssetsPage() {
    const route = useRoute();
    const filters = filtersOf(route.query);
    const sort = route.query.get("sort") ?? "name";
    const rows = useGet<List<Asset>>("/assets", { ...filters, sort: route.query.get("sort"), after: route.query.get("after"), limit: route.query.get("limit") });
    const facets = useGet<FacetCounts>("/assets/facets", filters);
    const { columns, shown } = useColumns("assets", COLUMNS, USUAL);
    const [isExport, setExport] = useState(false);
    useKeys({ e: can("analyst") && ["Export", () => setExport(true)] });
    const isEmpty = rows.data !== undefined && rows.data.items.length === 0;
    const clear = () => setQuery(Object.fromEntries([...Object.keys(filters), "after"].map((k) => [k, null])));
    return (
        <Page title={S.nav.assets} sub={facets.data !== undefined && <Total facets={facets.data} />} actions={<>
            {can("analyst") && <Views page="assets" />}
            <ColumnPicker table="assets" all={COLUMNS} shown={shown} usual={USUAL} />
            <CopyAs path={url("/assets", { ...filters, sort: route.query.get("sort") })} command={listCommand(route.query)} />
            {can("analyst") && <Button icon="download" onClick={() => setExport(true)}>Export</Button>}
        </>}>
            <div class="with-facets">
                <div class="facet-column">
                    <Facets facets={facetsOf(facets.data)} query={route.query} onChange={(name, to) => setQuery({ [name]: to, after: null })} onClear={clear} />
                    <DeletedBox query={route.query} />
                    {facets.error !== undefined && <ErrorBox error={facets.error} retry={facets.reload} />}
                </div>
                <div class="stack-v">
                    <QuickViews query={route.query} />
                    <SearchBox label="Search assets" placeholder="Name, account, mail…" />
                    {rows.error !== undefined && <ErrorBox error={rows.error} retry={rows.reload} />}
                    {isEmpty && rows.data?.next == null && route.query.get("after") === null ? <Nothing isFiltered={hasFilters(route.query)} onClear={clear} /> : (
                        <>
                            {isEmpty && <p class="muted">None on this page{rows.data?.next != null && <>: what is looked for may lie further on</>}.</p>}
                            <Table caption={S.nav.assets} columns={columns} rows={rows.data?.items ?? []} rowKey={(a) => `${a.connector}/${a.uid}`} href={(a) => assetLink(a.connector, a.uid)}
                                   sort={sort} onSort={(to) => setQuery({ sort: to, after: null })} loading={rows.loading} />
                            {rows.data !== undefined && <Pager next={rows.data.next} count={rows.data.items.length} total={facets.data?.total} exact={facets.data?.exact} what="assets" loading={rows.loading} />}
                        </>
                    )}
                </div>
            </div>
            {isExport && <ExportDialog filters={filters} sort={route.query.get("sort")} total={facets.data} onClose={() => setExport(false)} />}
        </Page>
    );
}

// Questions that are asked most, one press away; each is only a query.
const QUICK: [title: string, query: Record<string, string>][] = [
    ["All", {}],
    ["Users", { kind: "user" }],
    ["Groups", { kind: "group" }],
    ["Computers and devices", { kind: "computer,device" }],
    ["Admins", { kind: "user", admin: "yes" }],
    ["Admins without MFA", { kind: "user", admin: "yes", mfa: "no" }],
    ["Never signed in", { kind: "user", enabled: "yes", sign_in: "never" }],
    ["Disabled", { enabled: "no" }],
];

function QuickViews({ query }: { query: URLSearchParams }) {
    const now = FILTERS.filter((f) => query.get(f) !== null).map((f) => `${f}=${query.get(f) ?? ""}`).sort().join("&");
    return (
        <nav class="quick" aria-label="Quick views">
            {QUICK.map(([title, q]) => {
                const isHere = now === Object.entries(q).map(([k, v]) => `${k}=${v}`).sort().join("&");
                return <a key={title} href={link(["assets"], { ...q, sort: query.get("sort"), columns: query.get("columns") })} aria-current={isHere ? "page" : undefined}>{title}</a>;
            })}
        </nav>
    );
}

function Total({ facets }: { facets: FacetCounts }) {
    return <span>{facets.exact ? "" : "More than "}{number(facets.total)} found</span>;
}

function DeletedBox({ query }: { query: URLSearchParams }) {
    const isOn = query.get("deleted") === "yes";
    return (
        <label class="facet-value deleted-box">
            <input type="checkbox" checked={isOn} onChange={(e) => setQuery({ deleted: e.currentTarget.checked ? "yes" : null, after: null })} />
            <span>Show deleted ones, too</span>
        </label>
    );
}

function Nothing({ isFiltered, onClear }: { isFiltered: boolean; onClear: () => void }) {
    return (
        <div class="card">
            {isFiltered ? <Empty icon="search" title="Nothing fits these filters" action={<Button onClick={onClear}>{S.clearFilters}</Button>}>Fewer letters, or another filter, may find it.</Empty> : (
                <Empty icon="assets" title="No assets yet" action={<LinkButton href="#/connectors" variant="primary" icon="connectors">Connectors</LinkButton>}>They appear after the first sync of a connector.</Empty>
            )}
        </div>
    );
}

function ExportDialog({ filters, sort, total, onClose }: { filters: ReturnType<typeof filtersOf>; sort: string | null; total?: FacetCounts; onClose: () => void }) {
    const file = (format: string) => url("/assets/export", { ...filters, sort, format });
    return (
        <Dialog title="Export" onClose={onClose}>
            <p>{total === undefined ? "Everything" : `${total.exact ? "" : "More than "}${number(total.total)} assets`} that the filters leave, all columns, as one file.</p>
            <div class="row">
                <LinkButton href={file("csv")} icon="download" variant="primary" download>CSV</LinkButton>
                <LinkButton href={file("json")} icon="download" download>JSON</LinkButton>
            </div>
            <p class="muted small">Cells of the CSV file that a spreadsheet would take for a formula begin with an apostrophe.</p>
        </Dialog>
    );
}
