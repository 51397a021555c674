// asset_access.tsx - what it can do, and who can do what to it; each row leads to the explanation in the access explorer.
import { segment, useGet } from "../lib/api";
import { assetLink } from "../lib/assets_query";
import { number } from "../lib/format";
import { setQuery, useRoute } from "../lib/router";
import { can } from "../lib/session";
import { S, kindName } from "../lib/strings";
import type { AccessGap, AccessList, Entity, GroupRow, List, Party, WhatCanRow, WhoCanRow } from "../lib/types";
import { plain } from "../lib/visible";
import { Badge, Empty, ErrorBox, Kind, LinkButton, Notice } from "../ui/basic";
import { Segmented } from "../ui/field";
import { Table, type Column } from "../ui/table";
import { Text, Time } from "../ui/text";
import { partyId } from "../parts/access-model";
import { PLAIN_GROUPS, plainRight } from "../parts/rights";
import { GROUPS, hrefOf, keyOf } from "./asset_groups";
import { explorerLink } from "./asset_overview";

const PRINCIPALS = ["user", "computer", "service_account", "group", "foreign_principal", "service_principal"];

// The question that is asked first of an object of this kind.
function usualRight(kind: string): string {
    if (kind === "group") return "WRITE_PROPERTY:member";
    if (kind === "user" || kind === "service_account" || kind === "computer") return "CONTROL_ACCESS:User-Force-Change-Password";
    return "WRITE_DAC";
}

// The right that is asked about: of the address, else the usual one.
function useRight(kind: string): string {
    return useRoute().query.get("right") ?? usualRight(kind);
}

// An end of a question, for the explorer: where it is known from, too. name: of a row, which may have no page that tells it.
function endOf(end: "principal" | "target", id: string, connector: string, name = ""): Record<string, string> {
    return { [end]: id, [`${end}_in`]: connector, [`${end}_name`]: name };
}

export function AccessTab({ entity: e }: { entity: Entity }) {
    const route = useRoute();
    const right = useRight(e.kind);
    const isPrincipal = PRINCIPALS.includes(e.kind);
    const side = route.query.get("side") ?? (isPrincipal ? "can-do" : "who-can");
    if (e.dn === undefined) return <Roles entity={e} />; // of Entra ID
    if (!can("analyst")) return <Empty icon="lock" title={S.notAllowed}>Answers about access need the role analyst.</Empty>;
    const explorer = side === "can-do" ? explorerLink("what-can", endOf("principal", e.uid, e.connector)) : explorerLink("who-can", { ...endOf("target", e.uid, e.connector), right });
    return (
        <>
            <div class="row">
                {isPrincipal && <Segmented label="Question" value={side} onChange={(to) => setQuery({ side: to })} options={[{ value: "can-do", label: "What it can do" }, { value: "who-can", label: "Who can do something to it" }]} />}
                <LinkButton href={explorer} icon="access">Open in the access explorer</LinkButton>
            </div>
            {side === "can-do" ? <CanDo entity={e} /> : <WhoCan entity={e} />}
        </>
    );
}

// In Entra ID what somebody can do follows from roles, held directly or through groups; the access engine answers for Active Directory's permissions.
function Roles({ entity: e }: { entity: Entity }) {
    const { data, error, loading, reload } = useGet<List<GroupRow>>(`/assets/${segment(e.connector)}/${segment(e.uid)}/groups`, { nested: "true" });
    if (error !== undefined) return <ErrorBox error={error} retry={reload} />;
    const roles = (data?.items ?? []).filter((g) => g.kind === "role");
    const identities = (e.identities ?? 0) > 0 && <> What its Active Directory account can do is shown there: <a href={assetLink(e.connector, e.uid, { tab: "linked" })}>linked identities</a>.</>;
    if (data !== undefined && roles.length === 0) return <Empty icon="role" title="It holds no role">In Entra ID what an object can do follows from its roles; none is assigned to it or to its groups.{identities}</Empty>;
    return (
        <>
            <p class="muted">In Entra ID what an object can do follows from its roles.{identities}</p>
            <Table caption="Roles" columns={GROUPS} rows={roles} rowKey={keyOf} href={(g) => hrefOf(e.connector, g)} loading={loading} />
        </>
    );
}

function name(p: Party) {
    return <Text>{p.name}</Text>;
}

function Foot({ list }: { list: AccessList<unknown> }) {
    return (
        <p class="muted small">
            {typeof list.total === "number" ? <>{number(list.items.length)} of {number(list.total)} shown. </> : list.next !== null && <>{number(list.items.length)} shown; there are more. </>}
            {list.hidden !== undefined && list.hidden > 0 && <>{number(list.hidden)} hidden. </>}
            {list.as_of !== undefined && <>As of <Time at={list.as_of} />.</>}
        </p>
    );
}

function AccessGaps({ gaps }: { gaps: AccessGap[] | undefined }) {
    if (gaps === undefined || gaps.length === 0) return null;
    return (
        <Notice tone="warn" title="The answer may lack something">
            <ul>{gaps.map((g) => <li><Text>{g.what}</Text>{g.where !== undefined && <> (<Text>{g.where}</Text>)</>}{g.fix !== undefined && <>. <strong>What to do:</strong> <Text>{g.fix}</Text></>}</li>)}</ul>
        </Notice>
    );
}

// The rights to change something first: everybody may read most things.
function byWeight(rights: string[]): string[] {
    const weight = (r: string) => (/^(READ_|LIST_)/.test(r) ? 2 : /^(WRITE_DAC|WRITE_OWNER|WRITE_PROPERTY|CONTROL_ACCESS)/.test(r) ? 0 : 1);
    return [...rights].sort((a, b) => weight(a) - weight(b));
}

function CanDo({ entity: e }: { entity: Entity }) {
    const { data, error, loading, reload } = useGet<AccessList<WhatCanRow>>("/access/what-can", { principal: e.uid, connector: e.connector, limit: 100 });
    if (error !== undefined) return <ErrorBox error={error} retry={reload} />;
    const columns: Column<WhatCanRow>[] = [
        { key: "target", title: "On", cell: (r) => name(r.target) },
        { key: "kind", title: "Kind", class: "nowrap", cell: (r) => <Kind kind={r.target.kind ?? ""} /> },
        { key: "rights", title: "It may", cell: (r) => <span class="tags">{byWeight(r.rights).slice(0, 6).map((x) => <Badge title={plain(x)}><Text>{plainRight(x) ?? x}</Text></Badge>)}{r.rights.length > 6 && <span class="muted">+{r.rights.length - 6}</span>}</span> },
        { key: "why", title: "Why", class: "nowrap", cell: (r) => <a href={explorerLink("why", { ...endOf("principal", e.uid, e.connector), ...endOf("target", partyId(r.target), e.connector, r.target.name), right: byWeight(r.rights)[0] ?? "" })} aria-label={`Why it may do this to ${plain(r.target.name)}`}>Why?</a> },
    ];
    return (
        <>
            <AccessGaps gaps={data?.gaps} />
            {data !== undefined && data.items.length === 0 ? <Empty icon="access" title="Nothing beyond what everybody may">It holds no right that an account in no group would not have.</Empty> : (
                <Table caption="What it can do" columns={columns} rows={data?.items ?? []} rowKey={(r) => partyId(r.target)} href={(r) => (r.target.uid === undefined ? null : assetLink(e.connector, r.target.uid))} loading={loading} />
            )}
            {data !== undefined && <Foot list={data} />}
        </>
    );
}

function via(r: WhoCanRow) {
    const v = r.via;
    if (v === undefined) return <span class="muted">–</span>;
    const hops = v.hops !== undefined && v.hops > 0 ? `, ${v.hops} ${v.hops === 1 ? "step" : "steps"} away` : "";
    return <span>{v.trustee !== undefined ? <Text>{v.trustee.name}</Text> : <Text>{v.reason.replaceAll("_", " ")}</Text>}<span class="muted">{hops}{v.ace !== undefined && `, entry ${v.ace.number} of ${v.ace.of}${v.ace.inherited ? ", inherited" : ""}`}</span></span>;
}

function WhoCan({ entity: e }: { entity: Entity }) {
    const right = useRight(e.kind);
    const isListed = PLAIN_GROUPS.some((g) => g.choices.some((c) => c.right === right));
    return (
        <>
            <div class="row">
                <label for="access-right">Who can</label>
                <span class="right-select">
                    <select id="access-right" value={right} onChange={(ev) => setQuery({ right: ev.currentTarget.value })}>
                        {!isListed && <option value={right} selected>{plain(right)}</option>}
                        {PLAIN_GROUPS.map((g) => <optgroup label={g.title}>{g.choices.map((c) => <option value={c.right} selected={c.right === right}>{c.label}</option>)}</optgroup>)}
                    </select>
                </span>
                <span>{kindName(e.kind).toLowerCase()} <Text class="strong">{e.name}</Text>?</span>
            </div>
            <WhoCanAnswer key={right} entity={e} right={right} />
        </>
    );
}

function WhoCanAnswer({ entity: e, right }: { entity: Entity; right: string }) {
    const { data, error, loading, reload } = useGet<AccessList<WhoCanRow>>("/access/who-can", { target: e.uid, right, connector: e.connector, limit: 100 });
    const columns: Column<WhoCanRow>[] = [
        { key: "principal", title: "Who", cell: (r) => name(r.principal) },
        { key: "kind", title: "Kind", class: "nowrap", cell: (r) => <Kind kind={r.principal.kind ?? ""} /> },
        { key: "via", title: "Through", cell: (r) => <>{via(r)}{r.conditional === true && <> <Badge tone="warn">Only under a condition</Badge></>}</> },
        { key: "why", title: "Why", class: "nowrap", cell: (r) => <a href={explorerLink("why", { ...endOf("principal", partyId(r.principal), e.connector, r.principal.name), ...endOf("target", e.uid, e.connector), right })} aria-label={`Why ${plain(r.principal.name)} may`}>Why?</a> },
    ];
    return (
        <>
            {error !== undefined && <ErrorBox error={error} retry={reload} />}
            <AccessGaps gaps={data?.gaps} />
            {error === undefined && (data !== undefined && data.items.length === 0 ? <Empty icon="shield" title="Nobody">No account holds this right here.</Empty> : (
                <Table caption="Who can" columns={columns} rows={data?.items ?? []} rowKey={(r) => partyId(r.principal)} href={(r) => (r.principal.uid === undefined ? null : assetLink(e.connector, r.principal.uid))} loading={loading} />
            ))}
            {data !== undefined && <Foot list={data} />}
        </>
    );
}
