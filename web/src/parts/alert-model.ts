// alert-model.ts - rules and alerts as the API has them, and a rule as its form has it.
import type { Severity } from "../lib/types";
import { CHANGES, kindPlural } from "../lib/strings";
import { rightText } from "./access-model";

export interface Condition {
    type: "change" | "group_member" | "access" | "silence";
    connector?: string;
    kinds?: string[];
    changes?: string[];
    attribute?: string;
    q?: string;
    group?: string;
    nested?: boolean;
    change?: "added" | "removed" | "both";
    right?: string;
    target?: string;
    hours?: number;
}

export interface Destination {
    type: "none" | "webhook" | "file";
    url?: string;
    path?: string;
    secret?: { set: boolean } | string;
}

export interface Rule {
    id: string;
    name: string;
    severity: Severity;
    enabled: boolean;
    condition: Condition;
    throttle: string;
    destination: Destination;
    last_fired?: string | null;
    problem?: string | null; // why it cannot be judged
    version?: number;
}

export interface Fired {
    time: string;
    title: string;
    detail?: string;
}

export interface Alert extends Fired {
    id: number;
    rule: string;
    name: string;
    severity: Severity;
    changes?: unknown[];
    state: "open" | "acknowledged";
    deliveries?: { time: string; to: string; ok: boolean; message?: string }[];
}

export const SEVERITY_ORDER: Severity[] = ["low", "medium", "high", "critical"];

export const CONDITIONS: { type: Condition["type"]; title: string; help: string }[] = [
    { type: "group_member", title: "Membership of a group", help: "Somebody is added to or removed from a group, also through groups inside it." },
    { type: "change", title: "A change", help: "Something is created, deleted or changed that fits." },
    { type: "access", title: "Access to an object", help: "Somebody gains or loses a right on an object, however it came about." },
    { type: "silence", title: "No data", help: "A connector has not been read successfully for some hours." },
];

export function newRule(query: URLSearchParams): Rule {
    const type = CONDITIONS.find((c) => c.type === query.get("type"))?.type ?? "group_member";
    const condition: Condition = { type };
    for (const key of ["connector", "right", "target", "group", "attribute", "q"] as const) if (query.get(key)) condition[key] = query.get(key) ?? "";
    for (const key of ["kinds", "changes"] as const) if (query.get(key)) condition[key] = (query.get(key) ?? "").split(",");
    return { id: "", name: query.get("name") ?? "", severity: "high", enabled: true, condition, throttle: "1h", destination: { type: "none" } };
}

// Only the members that this type of condition has.
export function conditionOf(c: Condition): Condition {
    const connector = c.connector ? { connector: c.connector } : {};
    switch (c.type) {
        case "change":
            return {
                type: "change",
                ...connector,
                ...(c.kinds?.length ? { kinds: c.kinds } : {}),
                ...(c.changes?.length ? { changes: c.changes } : {}),
                ...(c.attribute ? { attribute: c.attribute } : {}),
                ...(c.q ? { q: c.q } : {}),
            };
        case "group_member":
            return { type: "group_member", ...connector, group: c.group ?? "", nested: c.nested ?? true, change: c.change ?? "both" };
        case "access":
            return { type: "access", ...connector, right: c.right ?? "", target: c.target ?? "" };
        case "silence":
            return { type: "silence", ...connector, hours: c.hours ?? 24 };
    }
}

export function isWhole(rule: Rule): boolean {
    const c = rule.condition;
    if (rule.name.trim() === "") return false;
    if (c.type === "group_member") return !!c.group && !!c.connector;
    if (c.type === "access") return !!c.right && !!c.target && !!c.connector;
    if (c.type === "silence") return !!c.connector && (c.hours ?? 24) > 0;
    return true;
}

const CHANGE_WORDS = { added: "is added to", removed: "is removed from", both: "joins or leaves" };

// A rule in a sentence. name: of the group or object, where it is known.
export function conditionText(c: Condition, name?: string): string {
    const where = c.connector ? ` in ${c.connector}` : "";
    switch (c.type) {
        case "change": {
            const kinds = c.kinds?.length ? c.kinds.map((k) => kindPlural(k).toLowerCase()).join(", ") : "anything";
            const changes = c.changes?.length ? c.changes.map((k) => (CHANGES[k] ?? k).toLowerCase()).join(", ") : "any change";
            return `${changes} of ${kinds}${c.attribute ? `, attribute ${c.attribute}` : ""}${c.q ? `, that holds “${c.q}”` : ""}${where}`;
        }
        case "group_member":
            return `somebody ${CHANGE_WORDS[c.change ?? "both"]} ${name ?? c.group ?? "?"}${c.nested ? ", also through other groups" : ""}${where}`;
        case "access":
            return `somebody gains or loses “${rightText(c.right ?? "?")}” on ${name ?? c.target ?? "?"}${where}`;
        case "silence":
            return `no successful run of ${c.connector ?? "?"} for ${c.hours ?? 24} hours`;
    }
}
