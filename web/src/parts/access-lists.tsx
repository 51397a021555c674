// access-lists.tsx - the answers that are lists: everybody who can, everything that somebody can. The table first, the drawing beside it.
import { useState } from "preact/hooks";
import { get, url, useGet, type Query } from "../lib/api";
import { number } from "../lib/format";
import { useKeys } from "../lib/keys";
import { link, setQuery, useRoute } from "../lib/router";
import { can } from "../lib/session";
import { kindName } from "../lib/strings";
import type { AccessList, Party, WhatCanRow, WhoCanRow } from "../lib/types";
import { plain } from "../lib/visible";
import { Badge, Button, Copy, CopyAs, Empty, ErrorBox, LinkButton, Loading, Status } from "../ui/basic";
import { KindIcon } from "../ui/icon";
import { Pager, Table, type Column } from "../ui/table";
import { Text, Time } from "../ui/text";
import { toast } from "../ui/toast";
import { AccessGraph, type Graph } from "./access-graph";
import { commandOf, partyHref, partyId, rightText, whatCanGraph, whoCanGraph } from "./access-model";
import { csvOf, saveFile } from "./download";
import { AccessGaps, WhyAnswer, type Question } from "./why-answer";

const PAGE = 100;
const EXPORT_MOST = 100_000;

async function everything<R>(path: string, query: Query): Promise<R[]> {
    const rows: R[] = [];
    let after: string | null | undefined;
    do {
        const page: AccessList<R> = await get(path, { ...query, limit: 1000, after });
        rows.push(...page.items);
        after = page.next;
    } while (after && rows.length < EXPORT_MOST);
    if (after) toast(`The export ends at ${number(EXPORT_MOST)} rows; the command line has no such end`, "warn");
    return rows;
}

interface Exported {
    name: string;
    header: string[];
    row: (row: never) => unknown[];
}

function Export({ path, query, shape }: { path: string; query: Query; shape: Exported }) {
    const run = async (format: "csv" | "json") => {
        const rows = await everything<never>(path, query);
        if (format === "json") saveFile(`${shape.name}.json`, "application/json", JSON.stringify(rows, null, 2));
        else saveFile(`${shape.name}.csv`, "text/csv", csvOf(shape.header, rows.map(shape.row)));
    };
    useKeys({ e: ["Export as CSV", () => void run("csv").catch((e: unknown) => toast(e))] });
    return (
        <>
            <Button icon="download" onClick={() => run("csv")}>
                CSV
            </Button>
            <Button icon="download" onClick={() => run("json")}>
                JSON
            </Button>
        </>
    );
}

function Name({ party }: { party: Party }) {
    return (
        <span class="party" title={party.dn && plain(party.dn)}>
            <KindIcon kind={party.kind ?? ""} />
            <span class="sr-only">{kindName(party.kind ?? "")} </span>
            <Text>{party.name}</Text> {party.enabled === false && <Badge tone="off">Disabled</Badge>}
        </span>
    );
}

function Foot({ data }: { data: AccessList<unknown> }) {
    return (
        <>
            {(data.hidden ?? 0) > 0 && (
                <p class="muted">
                    <strong>{number(data.hidden ?? 0)} hidden</strong>: left out by the filters, or not shown unless asked for (see Filters).
                </p>
            )}
            <AccessGaps gaps={data.gaps} />
            {data.as_of && (
                <p class="muted">
                    As of <Time at={data.as_of} />
                </p>
            )}
        </>
    );
}

interface ListProps<R> {
    data: AccessList<R>;
    loading: boolean;
    columns: Column<R>[];
    rowKey: (row: R) => string;
    caption: string;
    graph: Graph;
    graphTitle: string;
    why: Question | null;
    connector: string;
    tools: preact.ComponentChildren;
    none: string;
    onOpen: (row: R) => void;
}

// Selecting a row explains it beside the table; without one the drawing shows the page of rows as a whole.
function Answer<R>(p: ListProps<R>) {
    const n = p.data.items.length;
    // Beyond what is counted the server tells no total.
    const rows = typeof p.data.total === "number" ? `${number(p.data.total)} ${p.data.total === 1 ? "row" : "rows"}` : p.data.next ? `More than ${number(n)} rows` : `${number(n)} rows`;
    return (
        <>
            <div class="row spread">
                <p role="status">
                    <Status tone={n > 0 ? "info" : "off"}>{rows}</Status>
                </p>
                <div class="row">{p.tools}</div>
            </div>
            {p.data.items.length === 0 ? (
                <Empty title={p.none} icon="access" />
            ) : (
                <div class="access-answer">
                    <div class="stack-v">
                        <Table caption={p.caption} columns={p.columns} rows={p.data.items} rowKey={p.rowKey} onOpen={p.onOpen} loading={p.loading} />
                        <Pager next={p.data.next} count={p.data.items.length} total={p.data.total ?? undefined} />
                    </div>
                    <aside class="access-aside" aria-label="Explanation">
                        {p.why ? (
                            <WhyAnswer question={p.why} connector={p.connector} onClose={() => setQuery({ row: null }, { replace: true })} />
                        ) : (
                            <AccessGraph graph={p.graph} title={p.graphTitle} />
                        )}
                    </aside>
                </div>
            )}
            <Foot data={p.data} />
        </>
    );
}

export interface Asked {
    principal: string;
    target: string;
    right: string;
    rule: string;
    filter: string;
    kind: string;
    connector: string; // where the chosen end is known from; "": it was typed
    both: string; // where both ends are known from; "": not from one connector
    name: string; // of the chosen end
    flag: boolean; // who-can: groups, too; what-can: everything, also what everybody has
}

const WHO: Exported = {
    name: "who-can",
    header: ["principal", "kind", "enabled", "uid", "sid", "dn", "granted_to", "ace", "hops", "conditional"],
    row: (r: WhoCanRow) => [
        r.principal.name,
        r.principal.kind,
        r.principal.enabled,
        r.principal.uid,
        r.principal.sid,
        r.principal.dn,
        r.via?.trustee?.name,
        r.via?.ace?.number,
        r.via?.hops,
        r.conditional === true,
    ],
};
const WHAT: Exported = {
    name: "what-can",
    header: ["target", "kind", "uid", "dn", "rights", "everybody_has_it"],
    row: (r: WhatCanRow) => [r.target.name, r.target.kind, r.target.uid, r.target.dn, r.rights, r.baseline],
};

function viaText(row: WhoCanRow): string {
    if (!row.via) return "";
    if (row.via.reason !== "ace") return row.via.reason.replaceAll("_", " ");
    const ace = row.via.ace;
    return ace ? `entry ${ace.number} of ${ace.of}${ace.inherited ? ", inherited" : ""}` : "";
}

export function WhoCan({ asked }: { asked: Asked }) {
    const route = useRoute();
    const query: Query = {
        target: asked.target,
        right: asked.right,
        rule: asked.rule,
        filter: asked.filter,
        kind: asked.kind,
        groups: asked.flag || null,
        connector: asked.connector || null,
    };
    const { data, error, loading, reload } = useGet<AccessList<WhoCanRow>>("/access/who-can", {
        ...query,
        limit: PAGE,
        after: route.query.get("after"),
    });
    if (error) return <ErrorBox error={error} retry={reload} />;
    if (data === undefined) return <Loading />;
    const row = route.query.get("row");
    const columns: Column<WhoCanRow>[] = [
        { key: "name", title: "Who", cell: (r) => <Name party={r.principal} /> },
        { key: "trustee", title: "Granted to", cell: (r) => <Text>{r.via?.trustee?.name}</Text> },
        { key: "via", title: "By", cell: (r) => <>{viaText(r)} {r.conditional === true && <Badge tone="warn">Only under a condition</Badge>}</> },
        { key: "open", title: "Open", cell: (r) => <OpenAsset party={r.principal} connector={asked.connector} /> },
    ];
    const command = commandOf(["who-can", asked.right, asked.target], {
        "-c": asked.connector,
        "--rule": asked.rule,
        "--principal-filter": asked.filter,
        "--kind": asked.kind,
        "--groups": asked.flag,
        "-o": "json",
    });
    const tools = (
        <>
            <Export path="/access/who-can" query={query} shape={WHO} />
            <CopyAs path={url("/access/who-can", query)} command={command} />
            {can("analyst") && (
                <LinkButton
                    icon="alerts"
                    href={link(["alerts", "rules", "new"], {
                        type: "access",
                        right: asked.right,
                        target: asked.target,
                        connector: asked.connector,
                        name: `${rightText(asked.right)} on ${asked.name}`,
                    })}
                >
                    Alert on change
                </LinkButton>
            )}
        </>
    );
    const title = plain(`Who can ${rightText(asked.right)} on ${asked.name}`);
    const target: Party = { uid: asked.connector ? asked.target : undefined, name: asked.name };
    return (
        <Answer
            data={data}
            loading={loading}
            columns={columns}
            caption={title}
            rowKey={(r) => partyId(r.principal)}
            graph={whoCanGraph(data.items, target, data.total ?? data.items.length, asked.connector)}
            graphTitle={title}
            why={row ? { principal: row, target: asked.target, right: asked.right, rule: asked.rule, connector: asked.connector } : null}
            connector={asked.connector}
            tools={tools}
            none="Nobody can"
            onOpen={(r) => setQuery({ row: partyId(r.principal) }, { replace: true })}
        />
    );
}

function OpenAsset({ party, connector }: { party: Party; connector: string }) {
    const href = partyHref(party, connector);
    if (href === undefined) return null;
    return <LinkButton small variant="quiet" icon="right" href={href} label={`Open ${plain(party.name)}`} />;
}

export function WhatCan({ asked }: { asked: Asked }) {
    const route = useRoute();
    const query: Query = {
        principal: asked.principal,
        right: asked.right,
        rule: asked.rule,
        filter: asked.filter,
        kind: asked.kind,
        all: asked.flag || null,
        connector: asked.connector || null,
    };
    const { data, error, loading, reload } = useGet<AccessList<WhatCanRow>>("/access/what-can", {
        ...query,
        limit: PAGE,
        after: route.query.get("after"),
    });
    const [more, setMore] = useState<string | null>(null);
    if (error) return <ErrorBox error={error} retry={reload} />;
    if (data === undefined) return <Loading />;
    const row = data.items.find((r) => partyId(r.target) === route.query.get("row"));
    const right = route.query.get("why_right") ?? row?.rights[0] ?? "";
    const columns: Column<WhatCanRow>[] = [
        { key: "name", title: "On what", cell: (r) => <Name party={r.target} /> },
        {
            key: "rights",
            title: "Rights",
            cell: (r) => <RightTags row={r} isAll={more === partyId(r.target)} onMore={() => setMore(partyId(r.target))} />,
        },
        {
            key: "baseline",
            title: "Note",
            cell: (r) => (r.baseline ? <Badge title="An account in no group has exactly this">Everybody has it</Badge> : null),
        },
        { key: "open", title: "Open", cell: (r) => <OpenAsset party={r.target} connector={asked.connector} /> },
    ];
    const command = commandOf(["what-can", asked.principal], {
        "-c": asked.connector,
        "--right": asked.right,
        "--rule": asked.rule,
        "--target-filter": asked.filter,
        "--kind": asked.kind,
        "--all": asked.flag,
        "-o": "json",
    });
    const tools = (
        <>
            <Export path="/access/what-can" query={query} shape={WHAT} />
            <CopyAs path={url("/access/what-can", query)} command={command} />
        </>
    );
    const title = plain(`What ${asked.name} can do`);
    const principal: Party = { uid: asked.connector ? asked.principal : undefined, name: asked.name };
    return (
        <Answer
            data={data}
            loading={loading}
            columns={columns}
            caption={title}
            rowKey={(r) => partyId(r.target)}
            graph={whatCanGraph(data.items, principal, data.total ?? data.items.length, asked.connector)}
            graphTitle={title}
            why={row && right ? { principal: asked.principal, target: partyId(row.target), right, rule: asked.rule, connector: asked.connector } : null}
            connector={asked.connector}
            tools={tools}
            none="Nothing beyond what everybody can"
            onOpen={(r) => setQuery({ row: partyId(r.target), why_right: null }, { replace: true })}
        />
    );
}

const FEW = 4;

function RightTags({ row, isAll, onMore }: { row: WhatCanRow; isAll: boolean; onMore: () => void }) {
    const shown = isAll ? row.rights : row.rights.slice(0, FEW);
    return (
        <span class="tags">
            {shown.map((r) => (
                <button
                    type="button"
                    key={r}
                    class="badge right-tag"
                    title={plain(r)}
                    onClick={() => setQuery({ row: partyId(row.target), why_right: r }, { replace: true })}
                    aria-label={`Why ${plain(rightText(r))}`}
                >
                    <Text>{rightText(r)}</Text>
                </button>
            ))}
            {row.rights.length > shown.length && (
                <Button small variant="quiet" onClick={onMore}>
                    {row.rights.length - shown.length} more
                </Button>
            )}
            {isAll && <Copy text={row.rights.join("\n")} label="Copy the rights" />}
        </span>
    );
}
