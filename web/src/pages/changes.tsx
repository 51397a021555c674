// changes.tsx - what changed anywhere, newest first: a timeline with filters, before and after, bulk changes told as one.
import { useEffect, useState } from "preact/hooks";
import { url, useGet } from "../lib/api";
import type { Query } from "../lib/api";
import { useKeys } from "../lib/keys";
import { setQuery, useRoute } from "../lib/router";
import { can } from "../lib/session";
import { word } from "../lib/shell";
import { CHANGES, KINDS, S } from "../lib/strings";
import type { Change, Connector, List } from "../lib/types";
import { Button, CopyAs, Empty, ErrorBox, LinkButton, Loading } from "../ui/basic";
import { Select } from "../ui/field";
import { Page } from "../ui/layout";
import { SearchBox } from "../ui/search";
import { Pager } from "../ui/table";
import { Timeline } from "../ui/timeline";
import { Views } from "../ui/views";

const FILTERS = ["connector", "kind", "change", "attribute", "q", "run", "since", "until"];

function command(query: URLSearchParams): string | undefined {
    if (["change", "attribute", "q", "since", "until"].some((f) => query.get(f) !== null)) return undefined;
    const options: [string, string][] = [["connector", "-c"], ["kind", "-k"], ["run", "--run"]];
    return "rollcall change list" + options.filter(([f]) => query.get(f) !== null).map(([f, o]) => ` ${o} ${word(query.get(f) ?? "")}`).join("");
}

// <input type=date> speaks local days; the API RFC 3339 UTC.
function dayStart(day: string): string | null {
    const at = new Date(`${day}T00:00:00`);
    return Number.isNaN(at.getTime()) ? null : at.toISOString().replace(".000Z", "Z");
}

function dayOf(at: string | null): string {
    const date = at === null ? null : new Date(at);
    if (date === null || Number.isNaN(date.getTime())) return "";
    return `${String(date.getFullYear()).padStart(4, "0")}-${String(date.getMonth() + 1).padStart(2, "0")}-${String(date.getDate()).padStart(2, "0")}`;
}

// `until` of the API is no longer in it; the day that is chosen is.
function dayAfter(day: string, by: 1 | -1): string {
    const at = new Date(`${day}T12:00:00`);
    if (Number.isNaN(at.getTime())) return "";
    at.setDate(at.getDate() + by);
    return dayOf(at.toISOString());
}

// A day of a filter. While its year is typed, it is one of long ago: the filter waits for the rest.
function Day({ label, day, onPick }: { label: string; day: string; onPick: (day: string) => void }) {
    const [text, setText] = useState(day);
    useEffect(() => setText(day), [day]);
    const change = (to: string) => {
        setText(to);
        if (to === "" || to >= "1970-01-01") onPick(to);
    };
    return <label class="labelled"><span>{label}</span><input type="date" value={text} onChange={(e) => change(e.currentTarget.value)} /></label>;
}

function AttributeFilter({ value, onPick }: { value: string; onPick: (name: string) => void }) {
    const [text, setText] = useState(value);
    useEffect(() => setText(value), [value]);
    const commit = () => text.trim() !== value && onPick(text.trim());
    return (
        <label class="labelled"><span>Attribute</span>
            <input value={text} maxLength={128} spellcheck={false} autocapitalize="off" onInput={(e) => setText(e.currentTarget.value)} onChange={commit} onBlur={commit} />
        </label>
    );
}

function step(by: number): void {
    const rows = [...document.querySelectorAll<HTMLElement>(".timeline [data-row]")];
    const at = rows.findIndex((r) => r === document.activeElement);
    rows[at < 0 ? 0 : Math.max(0, Math.min(rows.length - 1, at + by))]?.focus();
}

export default function ChangesPage() {
    const { query } = useRoute();
    const filters: Query = Object.fromEntries(FILTERS.map((f) => [f, query.get(f)]));
    const { data, error, loading, reload } = useGet<List<Change>>("/changes", { ...filters, after: query.get("after") });
    const isFiltered = FILTERS.some((f) => query.get(f) !== null);
    const clear = () => setQuery(Object.fromEntries([...FILTERS, "after"].map((f) => [f, null])));
    useKeys({ j: ["Next change", () => step(1)], k: ["Previous change", () => step(-1)], Enter: ["Open the asset"] });
    return (
        <Page title={S.nav.changes} actions={<>
            {can("analyst") && <Views page="changes" />}
            <CopyAs path={url("/changes", filters)} command={command(query)} />
            {can("analyst") && <LinkButton href="#/alerts/rules" icon="alerts">Alert rules</LinkButton>}
        </>}>
            <SearchBox label="Search changes" placeholder="Name of the asset" />
            <Filters query={query} isFiltered={isFiltered} onClear={clear} />
            {error !== undefined && <ErrorBox error={error} retry={reload} />}
            {data === undefined ? loading && <Loading lines={8} /> : data.items.length === 0 ? (
                <div class="card">
                    {data.next !== null ? <Empty icon="search" title="None among the newest changes">Many changes were looked at, and none of them fits: Next looks further back.</Empty>
                        : isFiltered ? <Empty icon="search" title="No change fits these filters" action={<Button onClick={clear}>{S.clearFilters}</Button>} />
                        : <Empty icon="changes" title="Nothing has changed yet" action={<LinkButton href="#/connectors" icon="connectors">Connectors</LinkButton>}>Changes appear from the second sync of a connector on: the first one only says how things are.</Empty>}
                </div>
            ) : (
                <div class={loading ? "is-faded" : ""} aria-busy={loading}>
                    <Timeline changes={data.items} withNames isFolding={query.get("run") === null} />
                </div>
            )}
            {data !== undefined && (data.items.length > 0 || data.next !== null || query.get("after") !== null) && (
                <Pager next={data.next} count={data.items.length} total={data.total} what="changes" loading={loading} />
            )}
        </Page>
    );
}

function Filters({ query, isFiltered, onClear }: { query: URLSearchParams; isFiltered: boolean; onClear: () => void }) {
    const connectors = useGet<List<Connector>>("/connectors").data?.items ?? [];
    const set = (name: string) => (to: string) => setQuery({ [name]: to, after: null });
    const any = (label: string) => ({ value: "", label });
    const names = connectors.map((c) => c.name);
    const chosen = query.get("connector");
    if (chosen !== null && !names.includes(chosen)) names.push(chosen);
    return (
        <div class="filter-row" role="group" aria-label={S.filters}>
            <Select aria={{ "aria-label": "Source" }} value={chosen ?? ""} options={[any("Any source"), ...names.map((n) => ({ value: n, label: n }))]} onChange={set("connector")} />
            <Select aria={{ "aria-label": "Kind" }} value={query.get("kind") ?? ""} options={[any("Any kind"), ...Object.entries(KINDS).map(([value, [, many]]) => ({ value, label: many }))]} onChange={set("kind")} />
            <Select aria={{ "aria-label": "What happened" }} value={query.get("change") ?? ""} options={[any("Anything"), ...Object.entries(CHANGES).map(([value, label]) => ({ value, label }))]} onChange={set("change")} />
            <AttributeFilter value={query.get("attribute") ?? ""} onPick={set("attribute")} />
            <Day label="From" day={dayOf(query.get("since"))} onPick={(day) => set("since")(dayStart(day) ?? "")} />
            <Day label="Until" day={dayAfter(dayOf(query.get("until")), -1)} onPick={(day) => set("until")(dayStart(dayAfter(day, 1)) ?? "")} />
            {query.get("run") !== null && <Button small icon="cross" onClick={() => setQuery({ run: null, after: null })}>{`Run ${query.get("run") ?? ""} only`}</Button>}
            {isFiltered && <button type="button" class="link-button" onClick={onClear}>{S.clearFilters}</button>}
        </div>
    );
}
