// catalog_kind.tsx - the attributes of one kind from one source: how often filled, of which type, an example (masked), and the way: attribute -> normalized -> OCSF.
import { segment, url, useGet } from "../lib/api";
import { number } from "../lib/format";
import { link, setQuery, useRoute } from "../lib/router";
import { S, kindPlural } from "../lib/strings";
import type { CatalogAttribute, List } from "../lib/types";
import { Badge, CopyAs, Empty, ErrorBox, LinkButton } from "../ui/basic";
import { Bar } from "../ui/chart";
import { Segmented } from "../ui/field";
import { Icon } from "../ui/icon";
import { Page } from "../ui/layout";
import { SearchBox } from "../ui/search";
import { Table, type Column } from "../ui/table";
import { Text } from "../ui/text";

const COLUMNS: Column<CatalogAttribute>[] = [
    { key: "attribute", title: "Attribute", sort: "attribute", class: "mono", cell: (a) => <><Text>{a.attribute}</Text>{a.custom === true && <> <Badge tone="info">custom</Badge></>}</> },
    { key: "filled", title: "Filled", sort: "filled", descendingFirst: true, class: "fill", cell: (a) => <Bar part={a.filled} whole={a.of} label={a.attribute} /> },
    { key: "type", title: "Type", class: "nowrap", cell: (a) => <Text class="muted">{a.type}</Text> },
    { key: "lineage", title: "Becomes", cell: (a) => <Lineage of={a} /> },
    { key: "sample", title: "Example, masked", cell: (a) => (a.sample != null ? <Text class="mono">{a.sample}</Text> : <span class="muted">–</span>) },
];

function ocsfOf(a: CatalogAttribute): string[] {
    return a.ocsf == null ? [] : Array.isArray(a.ocsf) ? a.ocsf : [a.ocsf];
}

const FEW_PLACES = 2;

function Places({ places }: { places: string[] }) {
    const tell = (p: string) => <code class="ocsf"><Text>{p}</Text></code>;
    const rest = places.slice(FEW_PLACES);
    return (
        <span class="values">
            {places.slice(0, FEW_PLACES).map(tell)}
            {rest.length > 0 && <details class="more"><summary>{rest.length} more</summary><span class="values">{rest.map(tell)}</span></details>}
        </span>
    );
}

function Lineage({ of }: { of: CatalogAttribute }) {
    const places = ocsfOf(of);
    if (of.normalized == null && places.length === 0) return <span class="muted">kept as it is</span>;
    return (
        <span class="lineage">
            {of.normalized != null && <><Icon name="arrow" /><span class="sr-only">normalized to </span><code><Text>{of.normalized}</Text></code></>}
            {places.length > 0 && <><Icon name="arrow" /><span class="sr-only">OCSF </span><Places places={places} /></>}
        </span>
    );
}

function sorted(rows: CatalogAttribute[], sort: string): CatalogAttribute[] {
    const by = sort.endsWith("filled") ? (a: CatalogAttribute, b: CatalogAttribute) => a.filled - b.filled : (a: CatalogAttribute, b: CatalogAttribute) => a.attribute.localeCompare(b.attribute);
    return [...rows].sort((a, b) => (sort.startsWith("-") ? -by(a, b) : by(a, b)));
}

export default function CatalogKindPage() {
    const { path, query } = useRoute();
    const [, connector = "", kind = ""] = path;
    const address = `/catalog/${segment(connector)}/${segment(kind)}`;
    const { data, error, loading, reload } = useGet<List<CatalogAttribute>>(address);
    const all = data?.items ?? [];
    const find = (query.get("find") ?? "").toLowerCase();
    const show = query.get("show") ?? "all";
    const sort = query.get("sort") ?? "-filled";
    const rows = sorted(all.filter((a) => (find === "" || a.attribute.toLowerCase().includes(find) || ocsfOf(a).join(" ").toLowerCase().includes(find)) &&
        (show === "all" || (show === "custom" ? a.custom === true : ocsfOf(a).length > 0))), sort);
    return (
        <Page title={`${kindPlural(kind)} in ${connector}`} crumbs={[{ href: "#/catalog", title: S.nav.catalog }]} sub={all[0] !== undefined && <span>{number(all[0].of)} assets, {number(all.length)} attributes</span>}
              actions={<><CopyAs path={url(address)} /><LinkButton href={link(["assets"], { kind, source: connector })} icon="assets">Show the assets</LinkButton></>}>
            <div class="row spread">
                <span class="grow"><SearchBox name="find" label="Search attributes" placeholder="Attribute or OCSF path" /></span>
                <Segmented label="Which attributes" value={show} onChange={(to) => setQuery({ show: to === "all" ? null : to })}
                           options={[{ value: "all", label: "All" }, { value: "mapped", label: "In OCSF" }, { value: "custom", label: "Custom" }]} />
            </div>
            {error !== undefined && <ErrorBox error={error} retry={reload} />}
            {data !== undefined && rows.length === 0 ? <div class="card"><Empty icon="catalog" title="No attribute fits">{show === "custom" && "Custom properties are named in the connector's settings."}</Empty></div> : error === undefined && (
                <Table caption="Attributes" columns={COLUMNS} rows={rows} rowKey={(a) => a.attribute} sort={sort} onSort={(to) => setQuery({ sort: to })} loading={loading} />
            )}
        </Page>
    );
}
