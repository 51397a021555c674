// catalog.tsx - what is collected: kinds by sources, with counts. A cell leads to its attributes.
import { useGet } from "../lib/api";
import { number } from "../lib/format";
import { link } from "../lib/router";
import { KIND_ORDER, S, kindPlural } from "../lib/strings";
import type { CatalogKind } from "../lib/types";
import { url } from "../lib/api";
import { CopyAs, Empty, ErrorBox, LinkButton, Loading } from "../ui/basic";
import { KindIcon } from "../ui/icon";
import { Page } from "../ui/layout";
import { Table, type Column } from "../ui/table";
import { Text, Time } from "../ui/text";

interface Catalog {
    kinds: CatalogKind[];
    as_of?: string | null;
}

interface Row {
    kind: string;
    cells: Map<string, CatalogKind>;
    sum: number;
}

function rowsOf(kinds: CatalogKind[]): Row[] {
    const rows = new Map<string, Row>();
    for (const k of kinds) {
        const row = rows.get(k.kind) ?? { kind: k.kind, cells: new Map(), sum: 0 };
        row.cells.set(k.connector, k);
        row.sum += k.count;
        rows.set(k.kind, row);
    }
    return [...rows.values()].sort((a, b) => KIND_ORDER.indexOf(a.kind) - KIND_ORDER.indexOf(b.kind));
}

function columnsOf(kinds: CatalogKind[]): Column<Row>[] {
    const sources = [...new Set(kinds.map((k) => k.connector))].sort();
    return [
        { key: "kind", title: "Kind", cell: (r) => <span class="kind"><KindIcon kind={r.kind} />{kindPlural(r.kind)}</span> },
        ...sources.map((source): Column<Row> => ({ key: `source-${source}`, title: source, align: "right", cell: (r) => <Cell of={r.cells.get(source)} /> })),
        { key: "sum", title: "All", align: "right", cell: (r) => <a href={link(["assets"], { kind: r.kind })}>{number(r.sum)}</a> },
    ];
}

function Cell({ of }: { of: CatalogKind | undefined }) {
    if (of === undefined) return <span class="muted">–</span>;
    return (
        <a class="catalog-cell" href={link(["catalog", of.connector, of.kind])}>
            <span class="strong">{number(of.count)}</span> <span class="muted small">{of.attributes} attributes</span>
        </a>
    );
}

export default function CatalogPage() {
    const { data, error, reload } = useGet<Catalog>("/catalog");
    return (
        <Page title={S.nav.catalog} sub={<span>What is collected from where: a cell shows its attributes, how often they are filled, and where they go.{data?.as_of != null && <> As of <Time at={data.as_of} relative />.</>}</span>}
              actions={<CopyAs path={url("/catalog")} />}>
            {error !== undefined && <ErrorBox error={error} retry={reload} />}
            {data === undefined ? error === undefined && <Loading lines={6} /> : data.kinds.length === 0 ? (
                <div class="card"><Empty icon="catalog" title="Nothing is collected yet" action={<LinkButton href="#/connectors" variant="primary" icon="connectors">Connectors</LinkButton>}>It is filled by the first sync of a connector.</Empty></div>
            ) : <Table caption="Kinds by source" columns={columnsOf(data.kinds)} rows={rowsOf(data.kinds)} rowKey={(r) => r.kind} />}
            {data !== undefined && data.kinds.length > 0 && <p class="muted small"><Text>Attributes of your own are added to a connector as custom properties, in its settings.</Text></p>}
        </Page>
    );
}
