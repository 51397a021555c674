// asset_groups.tsx - the groups it is in, direct and nested with their level; and of a group its direct members.
import { useGet } from "../lib/api";
import { assetLink } from "../lib/assets_query";
import { number } from "../lib/format";
import { setQuery, useRoute } from "../lib/router";
import { VIA } from "../lib/strings";
import type { GroupRow, List, MemberRow } from "../lib/types";
import { Badge, Empty, ErrorBox, Kind } from "../ui/basic";
import { Checkbox } from "../ui/field";
import { Pager, Table, type Column } from "../ui/table";
import { Text } from "../ui/text";

// The way of a nested membership: names, or {name} objects, one or several.
function throughNames(through: unknown): string[] {
    if (through === null || through === undefined) return [];
    return (Array.isArray(through) ? through : [through]).map((t: unknown) => {
        if (typeof t === "object" && t !== null && "name" in t) return String((t as { name: unknown }).name);
        return String(t);
    });
}

// An end that was not read, such as a group outside of the Base DN, has nothing to lead to.
export const hrefOf = (connector: string, end: { uid?: string }): string | null => (end.uid ? assetLink(connector, end.uid) : null);
export const keyOf = (end: { uid?: string; sid?: string; name: string; via?: string }): string => `${end.uid ?? end.sid ?? end.name}-${end.via ?? ""}`;
const KindOf = ({ kind }: { kind: string | null }) => (kind === null ? <span class="muted">Not read</span> : <Kind kind={kind} />);

export const GROUPS: Column<GroupRow>[] = [
    { key: "name", title: "Name", cell: (g) => <Text>{g.name}</Text> },
    { key: "level", title: "Level", class: "nowrap", cell: (g) => (g.level <= 1 ? <Badge tone="info">Direct</Badge> : <Badge>Level {g.level}</Badge>) },
    { key: "through", title: "Through", cell: (g) => <span class="through">{throughNames(g.through).map((n) => <Text>{n}</Text>)}</span> },
    { key: "via", title: "Why", class: "nowrap", cell: (g) => <Text>{VIA[g.via] ?? g.via}</Text> },
    { key: "kind", title: "Kind", class: "nowrap", cell: (g) => <KindOf kind={g.kind} /> },
];

export function GroupsTab({ path, connector }: { path: string; connector: string }) {
    const isNested = useRoute().query.get("nested") !== "false";
    const { data, error, loading, reload } = useGet<List<GroupRow> & { more?: boolean }>(`${path}/groups`, { nested: isNested ? "true" : null });
    return (
        <>
            <Checkbox label="Nested ones, too" description="Groups that its groups are members of, with how many steps away they are." checked={isNested} onChange={(on) => setQuery({ nested: on ? null : "false" })} />
            {error !== undefined && <ErrorBox error={error} retry={reload} />}
            {data !== undefined && data.items.length === 0 ? <Empty icon="group" title="It is in no group" /> : (
                <Table caption="Groups" columns={GROUPS} rows={data?.items ?? []} rowKey={keyOf} href={(g) => hrefOf(connector, g)} loading={loading} />
            )}
            {data?.more === true && <p class="muted small">There are more than {number(data.items.length)}: the nearest are shown.</p>}
        </>
    );
}

const MEMBERS: Column<MemberRow>[] = [
    { key: "name", title: "Member", cell: (m) => <Text>{m.name}</Text> },
    { key: "kind", title: "Kind", class: "nowrap", cell: (m) => <KindOf kind={m.kind} /> },
    { key: "via", title: "Why", cell: (m) => m.via != null && <Text>{VIA[m.via] ?? m.via}</Text> },
];

export function MembersTab({ path, connector }: { path: string; connector: string }) {
    const after = useRoute().query.get("after");
    const { data, error, loading, reload } = useGet<List<MemberRow>>(`${path}/members`, { after });
    if (error !== undefined) return <ErrorBox error={error} retry={reload} />;
    if (data !== undefined && data.items.length === 0 && after === null) return <Empty icon="group" title="It has no members" />;
    return (
        <>
            <Table caption="Direct members" columns={MEMBERS} rows={data?.items ?? []} rowKey={keyOf} href={(m) => hrefOf(connector, m)} loading={loading} />
            {data !== undefined && <Pager next={data.next} count={data.items.length} total={data.total} what="members" loading={loading} />}
        </>
    );
}
