// table.tsx - a table of rows of the server: sorted and paged by the server, walked with j/k, opened with Enter.
//   <Table caption="Assets" columns={columns} rows={data.items} rowKey={(r) => r.uid} href={(r) => link(["assets", r.connector, r.uid])}
//          sort={sort} onSort={(s) => setQuery({ sort: s, after: null })} loading={loading} />
//   <Pager next={data.next} count={data.items.length} />          // after= of the URL
// The first column's cell is the row's link (href) or button (onOpen). Without either the row itself can be focused.
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { useKeys } from "../lib/keys";
import { link, setQuery, useRoute } from "../lib/router";
import { number } from "../lib/format";
import { S } from "../lib/strings";
import { Button, Loading } from "./basic";
import { Icon } from "./icon";
import { Text } from "./text";

export interface Column<R> {
    key: string;
    title: string;
    cell: (row: R) => ComponentChildren;
    sort?: string; // what the server calls it; it then can be sorted by
    descendingFirst?: boolean;
    align?: "right" | "center";
    class?: string; // "wide" "narrow" "mono" "nowrap" "wrap"
}

interface TableProps<R> {
    caption: string;
    columns: Column<R>[];
    rows: R[];
    rowKey: (row: R) => string;
    href?: (row: R) => string | null;
    onOpen?: (row: R) => void;
    sort?: string; // "name", "-name"
    onSort?: (to: string) => void;
    loading?: boolean;
    actions?: (row: R) => ComponentChildren; // buttons at the row's end
    rowClass?: (row: R) => string;
    keys?: boolean; // j/k; default yes. One table a page only
    showCaption?: boolean;
}

function nextSort(now: string | undefined, column: { sort?: string; descendingFirst?: boolean }): string {
    const up = column.sort ?? "";
    const [first, second] = column.descendingFirst ? [`-${up}`, up] : [up, `-${up}`];
    return now === first ? second : first;
}

function SortHead<R>({ column, sort, onSort }: { column: Column<R>; sort?: string; onSort?: (to: string) => void }) {
    if (column.sort === undefined || onSort === undefined) return <Text>{column.title}</Text>;
    const isUp = sort === column.sort;
    const isDown = sort === `-${column.sort}`;
    return (
        <button type="button" class="sort" onClick={() => onSort(nextSort(sort, column))}>
            {column.title}
            <Icon name={isDown ? "down" : "up"} class={isUp || isDown ? "" : "faint"} />
        </button>
    );
}

// Moves the focus to the next or last row's link.
function step(body: HTMLElement | null, by: number): void {
    if (body === null) return;
    const rows = [...body.querySelectorAll<HTMLElement>("[data-row]")];
    const at = rows.findIndex((r) => r === document.activeElement || r.closest("tr")?.contains(document.activeElement));
    const to = at < 0 ? (by > 0 ? Math.min(by, rows.length) - 1 : Math.max(0, rows.length + by)) : Math.max(0, Math.min(rows.length - 1, at + by));
    rows[to]?.focus();
    rows[to]?.scrollIntoView({ block: "nearest" });
}

export function Table<R>(p: TableProps<R>) {
    const body = useRef<HTMLTableSectionElement>(null);
    const isKeyed = p.keys !== false;
    const awaited = useRef<{ by: number; from: Element | null }>({ by: 0, from: null }); // steps asked for while rows are on their way: those shown are about to go
    const walk = (by: number) => {
        if (!p.loading) step(body.current, by);
        else if (document.activeElement === awaited.current.from) awaited.current.by += by;
        else awaited.current = { by, from: document.activeElement };
    };
    useLayoutEffect(() => {
        if (p.loading) return;
        const { by, from } = awaited.current;
        if (by !== 0 && (document.activeElement === from || document.activeElement === document.body)) step(body.current, by); // not if somebody has gone elsewhere
        awaited.current = { by: 0, from: null };
    }, [p.loading]);
    useKeys({
        j: isKeyed && ["Next row", () => walk(1)],
        k: isKeyed && ["Previous row", () => walk(-1)],
        Enter: isKeyed && ["Open the row"], // the focused row is a link
    });
    const first = (row: R, content: ComponentChildren) => {
        const href = p.href?.(row);
        if (href != null) return <a href={href} data-row="">{content}</a>;
        if (p.onOpen !== undefined) return <button type="button" class="row-button" data-row="" onClick={() => p.onOpen?.(row)}>{content}</button>;
        return content;
    };
    const isPlain = p.href === undefined && p.onOpen === undefined;
    return (
        <div class={`table-frame ${p.loading ? "is-loading" : ""}`} tabIndex={0} role="region" aria-label={p.caption} aria-busy={p.loading}>
            <table>
                <caption class={p.showCaption ? "" : "sr-only"}>{p.caption}</caption>
                <thead>
                    <tr>
                        {p.columns.map((c) => (
                            <th key={c.key} scope="col" class={`${c.align ?? ""} ${c.class ?? ""}`}
                                aria-sort={p.sort === c.sort && c.sort !== undefined ? "ascending" : p.sort === `-${c.sort}` ? "descending" : undefined}>
                                <SortHead column={c} sort={p.sort} onSort={p.onSort} />
                            </th>
                        ))}
                        {p.actions !== undefined && <th scope="col" class="right"><span class="sr-only">Actions</span></th>}
                    </tr>
                </thead>
                <tbody ref={body}>
                    {p.rows.map((row) => (
                        <tr key={p.rowKey(row)} class={p.rowClass?.(row)} tabIndex={isPlain ? -1 : undefined} data-row={isPlain ? "" : undefined}>
                            {p.columns.map((c, i) => {
                                const content = i === 0 ? first(row, c.cell(row)) : c.cell(row);
                                const classes = `${c.align ?? ""} ${c.class ?? ""}`;
                                return i === 0 ? <th key={c.key} scope="row" class={classes}>{content}</th> : <td key={c.key} class={classes}>{content}</td>;
                            })}
                            {p.actions !== undefined && <td class="right nowrap">{p.actions(row)}</td>}
                        </tr>
                    ))}
                </tbody>
            </table>
            {p.loading && p.rows.length === 0 && <Loading lines={8} />}
        </div>
    );
}

// Which cursors led here, by the address without `after`: what makes "Previous" possible although the server only knows "after".
const trails = new Map<string, string[]>();

export function Pager({ next, count, total, exact = true, what = "rows", loading = false }: {
    next: string | null | undefined; count: number; total?: number; exact?: boolean; what?: string; loading?: boolean; // loading: next is of another list yet
}) {
    const route = useRoute();
    const after = route.query.get("after") ?? "";
    const query = new URLSearchParams(route.query);
    for (const name of ["after", "row", "why_right"]) query.delete(name); // a row that is looked at is no other list
    const base = link(route.path, query);
    const trail = trails.get(base) ?? [];
    const at = after === "" ? 0 : trail.indexOf(after) + 1; // 0 with an after: opened by a link, so what was before is not known
    const isKnown = after === "" || at > 0;
    const forward = () => {
        trails.set(base, [...trail.slice(0, at), next ?? ""]);
        if (trails.size > 50) trails.delete(trails.keys().next().value ?? "");
        setQuery({ after: next, row: null, why_right: null });
    };
    const back = () => setQuery({ after: at > 1 ? trail[at - 2] : null, row: null, why_right: null });
    if (after === "" && (next === null || next === undefined)) return <PagerCount count={count} total={total} exact={exact} what={what} />;
    return (
        <nav class="pager" aria-label="Pages">
            <PagerCount count={count} total={total} exact={exact} what={what} page={isKnown ? at + 1 : undefined} />
            <span class="row">
                {after !== "" && !isKnown && <Button small icon="left" onClick={() => setQuery({ after: null })}>{S.first}</Button>}
                {isKnown && <Button small icon="left" disabled={after === ""} onClick={back}>{S.previous}</Button>}
                <Button small icon="right" disabled={loading || next === null || next === undefined} onClick={forward}>{S.next}</Button>
            </span>
        </nav>
    );
}

function PagerCount({ count, total, exact, what, page }: { count: number; total?: number; exact: boolean; what: string; page?: number }) {
    return (
        <p class="pager-count muted" role="status">
            {page !== undefined && page > 1 && <>Page {page} · </>}
            {total === undefined ? `${number(count)} on this page` : total === count ? `${number(count)} ${what}` : `${number(count)} of ${exact ? "" : "more than "}${number(total)} ${what}`}
        </p>
    );
}
