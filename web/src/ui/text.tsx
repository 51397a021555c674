// text.tsx - texts of a directory, and instants.
import { pieces } from "../lib/visible";
import { localExact, local, parse, relative, utc } from "../lib/time";
import { S } from "../lib/strings";
import type { Value } from "../lib/types";

// Any text that somebody else wrote: hidden characters become marked chips, and its direction cannot leave its place (bdi).
// code: several lines with indentation.
export function Text({ children, class: extra, code }: { children: string | number | null | undefined; class?: string; code?: boolean }) {
    if (children === null || children === undefined) return null;
    const parts = pieces(String(children), code);
    return (
        <bdi class={extra}>
            {parts.map((p) => (p.name === undefined ? p.text : <span class="hidden-character" title={`Hidden character: ${p.name} (${p.text})`}>{p.text}</span>))}
        </bdi>
    );
}

// Local time, UTC in the title. relative: "3 min ago".
export function Time({ at, relative: isRelative = false, absent = S.never }: { at: string | null | undefined; relative?: boolean; absent?: string }) {
    if (at === null || at === undefined || at === "") return <span class="muted">{absent}</span>;
    if (parse(at) === null) return <Text>{at}</Text>;
    return (
        <time dateTime={at} title={isRelative ? `${localExact(at)}\n${utc(at)}` : utc(at)}>
            {isRelative ? relative(at) : local(at)}
        </time>
    );
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

// A value as the store has it: text, number, truth value, instant, never (null), or a list of them. At most `most` of a list are shown.
export function ValueText({ value, most = 20 }: { value: Value | undefined; most?: number }) {
    if (value === undefined) return <span class="muted">–</span>;
    if (Array.isArray(value)) {
        if (value.length === 0) return <span class="muted">{S.none}</span>;
        if (value.length === 1) return <ValueText value={value[0]} />;
        return (
            <ul class="values">
                {value.slice(0, most).map((v) => <li><ValueText value={v} /></li>)}
                {value.length > most && <li class="muted">and {value.length - most} more</li>}
            </ul>
        );
    }
    if (value === null) return <span class="muted">{S.never}</span>;
    if (typeof value === "boolean") return <span>{value ? S.yes : S.no}</span>;
    if (typeof value === "string" && INSTANT.test(value)) return <Time at={value} />;
    return <Text class="wrap">{value}</Text>;
}
