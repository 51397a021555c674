// diff.tsx - before and after of one attribute: of lists what went and what came, of texts both.
import type { Change, Value } from "../lib/types";
import { CHANGES, S } from "../lib/strings";
import { Badge, type Tone } from "./basic";
import { Text, ValueText } from "./text";

function changeTone(change: string): Tone {
    if (change === "created" || change === "member_added" || change === "restored") return "good";
    if (change === "deleted" || change === "member_removed") return "bad";
    return "info";
}

export function ChangeBadge({ change }: { change: string }) {
    return <Badge tone={changeTone(change)}><Text>{CHANGES[change] ?? change}</Text></Badge>;
}

function difference(from: Value, without: Value): Value {
    if (!Array.isArray(from) || !Array.isArray(without)) return from;
    const gone = new Set(without.map((v) => JSON.stringify(v)));
    return from.filter((v) => !gone.has(JSON.stringify(v)));
}

export function Diff({ old, new: now }: { old?: Value; new?: Value }) {
    const isList = Array.isArray(old) && Array.isArray(now);
    const before = old !== undefined && now !== undefined ? difference(old, now) : old;
    const after = old !== undefined && now !== undefined ? difference(now, old) : now;
    const has = (v: Value | undefined) => v !== undefined && !(Array.isArray(v) && v.length === 0);
    return (
        <div class="diff">
            {has(before) && <div class="diff-old"><span class="diff-sign" aria-hidden="true">−</span><span class="sr-only">{isList ? "Removed: " : "Before: "}</span><del><ValueText value={before} /></del></div>}
            {has(after) && <div class="diff-new"><span class="diff-sign" aria-hidden="true">+</span><span class="sr-only">{isList ? "Added: " : "After: "}</span><ins><ValueText value={after} /></ins></div>}
            {!has(before) && !has(after) && <span class="muted">{isList ? "Same values in another order" : S.none}</span>}
        </div>
    );
}

// What one change says beyond its badge: attribute and values, member, or how the deletion is known. brief: in one line, without values.
export function ChangeDetail({ change: c, brief = false }: { change: Change; brief?: boolean }) {
    if (c.change === "member_added" || c.change === "member_removed")
        return <span><Text class="strong">{c.member ?? String(c.new ?? c.old ?? "")}</Text>{c.member !== undefined && !brief && <> <Text class="muted small wrap">{String(c.new ?? c.old ?? "")}</Text></>}</span>;
    if (c.change === "deleted") return <span class="muted">{c.evidence === "vanished" ? "Absent from a complete listing" : "Seen among deleted objects"}</span>;
    if (c.attribute === undefined) return null;
    if (brief) return <code><Text>{c.attribute}</Text></code>;
    return <div><code><Text>{c.attribute}</Text></code><Diff old={c.old} new={c.new} /></div>;
}
