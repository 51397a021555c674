// fold.ts - changes that stand together and are alike, as one line.
import type { Change } from "./types";

interface Group {
    key: string;
    changes: Change[];
}

// Neighbours with the same key, in their order.
export function grouped(changes: Change[], keyOf: (c: Change) => string): Group[] {
    const groups: Group[] = [];
    for (const c of changes) {
        const key = keyOf(c);
        const last = groups[groups.length - 1];
        if (last !== undefined && last.key === key) last.changes.push(c);
        else groups.push({ key, changes: [c] });
    }
    return groups;
}

const bulkKey = (c: Change) => `${c.connector} ${c.run} ${c.kind} ${c.change} ${c.attribute ?? ""}`;

// Who came into which group is never left out.
const isOfMember = (c: Change) => c.change.startsWith("member_");

// Neighbours that changed alike in one run, as one: the first, and how many stood here.
export function folded(changes: Change[]): { first: Change; n: number }[] {
    return grouped(changes, (c) => (isOfMember(c) ? `${bulkKey(c)} ${c.uid} ${c.member ?? ""}` : bulkKey(c))).flatMap((g) => (g.changes[0] === undefined ? [] : [{ first: g.changes[0], n: g.changes.length }]));
}

const FEW = 10;
export const WHOLE = ["created", "deleted", "restored"]; // an object is one of these once a run: what the server counts is how many

// Many that stand together as one line. `bulk` counts the objects of a kind that changed in the run, in whatever way: few of them may have changed like this one.
export function withoutBulk(changes: Change[]): { first: Change; n: number }[] {
    const isFoldable = (c: Change) => c.bulk !== undefined && c.bulk > 1 && !isOfMember(c);
    return grouped(changes, (c) => (isFoldable(c) ? bulkKey(c) : "")).flatMap((g) => {
        const first = g.changes[0];
        if (g.key === "" || first === undefined || g.changes.length < FEW) return g.changes.map((c) => ({ first: c, n: 1 }));
        return [{ first, n: WHOLE.includes(first.change) ? (first.bulk ?? g.changes.length) : g.changes.length }];
    });
}
