// asset_raw.tsx - every attribute as the source told it, with its OCSF place; and the asset as OCSF event.
import { useGet } from "../lib/api";
import { setQuery, useRoute } from "../lib/router";
import type { List, RawAttribute, Scalar } from "../lib/types";
import { Code, Empty, ErrorBox, Loading } from "../ui/basic";
import { Select } from "../ui/field";
import { SearchBox } from "../ui/search";
import { Table, type Column } from "../ui/table";
import { Text, ValueText } from "../ui/text";

const LONG = 400; // characters of a value that are shown at once

function RawValue({ value }: { value: Scalar }) {
    if (typeof value !== "string" || value.length <= LONG) return <ValueText value={value} />;
    return (
        <details class="long">
            <summary><Text class="wrap">{value.slice(0, LONG)}</Text>… <span class="muted">{value.length} characters</span></summary>
            <Text class="wrap">{value.slice(LONG)}</Text>
        </details>
    );
}

const COLUMNS: Column<RawAttribute>[] = [
    { key: "attribute", title: "Attribute", class: "mono", cell: (r) => <Text>{r.attribute}</Text> },
    { key: "type", title: "Type", class: "nowrap", cell: (r) => <Text class="muted">{r.type}</Text> },
    { key: "values", title: "Value", class: "value", cell: (r) => r.values.length === 1 ? <RawValue value={r.values[0] ?? null} /> : <Values values={r.values} /> },
    { key: "ocsf", title: "In OCSF", class: "mono", cell: (r) => <Places of={r.ocsf} /> },
];

function Places({ of }: { of: string | string[] | null | undefined }) {
    const places = of == null ? [] : Array.isArray(of) ? of : [of];
    if (places.length === 0) return <span class="muted">–</span>;
    return <span class="values">{places.map((p) => <Text>{p}</Text>)}</span>;
}

function Values({ values }: { values: Scalar[] }) {
    const few = values.slice(0, 20);
    const rest = values.slice(20);
    return (
        <>
            <ul class="values">{few.map((v) => <li><RawValue value={v} /></li>)}</ul>
            {rest.length > 0 && <details><summary>{rest.length} more</summary><ul class="values">{rest.map((v) => <li><RawValue value={v} /></li>)}</ul></details>}
        </>
    );
}

export function RawTab({ path }: { path: string }) {
    const { data, error, loading, reload } = useGet<List<RawAttribute>>(`${path}/raw`);
    const find = (useRoute().query.get("find") ?? "").toLowerCase();
    if (error !== undefined) return <ErrorBox error={error} retry={reload} />;
    const rows = (data?.items ?? []).filter((r) => find === "" || r.attribute.toLowerCase().includes(find) || r.values.some((v) => String(v).toLowerCase().includes(find)));
    return (
        <>
            <SearchBox name="find" label="Search attributes" placeholder="Attribute or value" />
            {data !== undefined && rows.length === 0 ? <Empty icon="search" title="No attribute fits" /> : (
                <Table caption="Raw attributes" columns={COLUMNS} rows={rows} rowKey={(r) => r.attribute} loading={loading} />
            )}
        </>
    );
}

const VERSIONS = ["1.8.0", "1.6.0", "1.1.0"];

export function OcsfTab({ path }: { path: string }) {
    const version = useRoute().query.get("version") ?? VERSIONS[0] ?? "";
    const { data, error, reload } = useGet<unknown>(`${path}/ocsf`, { version });
    return (
        <>
            <div class="row">
                <label for="ocsf-version">OCSF version</label>
                <span class="narrow-select"><Select aria={{ id: "ocsf-version" }} value={version} options={VERSIONS.map((v) => ({ value: v, label: v }))} onChange={(v) => setQuery({ version: v })} /></span>
            </div>
            {error !== undefined ? <ErrorBox error={error} retry={reload} /> : data === undefined ? <Loading /> : <Code text={JSON.stringify(data, null, 2)} label="OCSF event" />}
        </>
    );
}
