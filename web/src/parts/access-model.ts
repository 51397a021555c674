// access-model.ts - answers of the access engine as graphs: the rows of who-can and what-can, the chain of why. Pure.
import type { Query } from "../lib/api";
import { link } from "../lib/router";
import { word } from "../lib/shell";
import type { AccessGap, Party, WhatCanRow, WhoCanRow } from "../lib/types";
import { MAX_NODES, type Graph, type GraphEdge, type GraphNode } from "./access-graph";
import { plainRight } from "./rights";

export interface Why {
    principal: Party;
    target: Party;
    right: string;
    rule: string;
    answer: "yes" | "no" | "unknown";
    reason: "no_ace" | "ace" | "null_dacl" | "implicit_owner";
    under_deny_wins: string;
    conditional: boolean;
    ace?: { number: number; of: number; inherited: boolean; inherited_from?: Party; type: "allow" | "deny"; right: string };
    chain: Party[];
    groups_in_token: number;
    also_via: number;
    gaps: AccessGap[];
    text: string;
}

export function partyId(p: Party): string {
    return p.uid ?? p.sid ?? p.dn ?? p.name;
}

// A page that shows it, where there is one: well-known groups have none.
export function partyHref(p: Party, connector: string): string | undefined {
    return p.uid && connector ? link(["assets", connector, p.uid]) : undefined;
}

export function rightText(right: string): string {
    return plainRight(right) ?? right;
}

// The same question for a terminal: access who-can RIGHT TARGET, with the options that are set.
export function commandOf(words: string[], options: Query): string {
    const given = Object.entries(options).filter(([, value]) => value);
    const told = given.map(([name, value]) => (value === true ? name : name.startsWith("--") ? `${name}=${word(String(value))}` : `${name} ${word(String(value))}`));
    return ["rollcall", "access", ...words.map(word), ...told].join(" ");
}

const FAN = 10; // drawn of those who hold it through the same group; the rest is one node

class Builder {
    private readonly nodes = new Map<string, GraphNode>();
    private readonly edges = new Map<string, GraphEdge>();
    hidden = 0;
    constructor(private readonly connector: string) {}

    get size(): number {
        return this.nodes.size;
    }
    has(p: Party): boolean {
        return this.nodes.has(partyId(p));
    }
    // prefix: the object may be its own principal; it is drawn twice then.
    add(p: Party, kind: string, role?: "from" | "to", prefix = ""): string {
        const id = prefix + partyId(p);
        if (!this.nodes.has(id)) this.nodes.set(id, { id, label: p.name, kind: p.kind ?? kind, href: partyHref(p, this.connector), role });
        return id;
    }
    fold(n: number, to: string, what: string): void {
        if (n === 0) return;
        const id = `more ${to}`;
        this.nodes.set(id, { id, label: `+${n} more`, kind: "more" });
        this.join({ from: id, to, label: "", sentence: `${n} more ${what}`, tone: "member" });
        this.hidden += n;
    }
    join(edge: GraphEdge): void {
        this.edges.set(`${edge.from} ${edge.to} ${edge.label}`, edge);
    }
    done(): Graph {
        return { nodes: [...this.nodes.values()], edges: [...this.edges.values()], hidden: this.hidden };
    }
}

function aceText(ace: { number: number; of: number; inherited: boolean; inherited_from?: Party }): string {
    const from = ace.inherited_from ? `, inherited from ${ace.inherited_from.dn ?? ace.inherited_from.name}` : ace.inherited ? ", inherited" : "";
    return `entry ${ace.number} of ${ace.of}${from}`;
}

export function whyGraph(why: Why, connector: string): Graph {
    const b = new Builder(connector);
    const chain = why.chain.length > 0 ? why.chain : [why.principal];
    chain.forEach((p, i) => b.add(p, i === 0 ? "principal" : "group", i === 0 ? "from" : undefined));
    for (let i = 0; i + 1 < chain.length; i++) {
        const [from, to] = [chain[i]!, chain[i + 1]!];
        b.join({ from: partyId(from), to: partyId(to), label: "member of", sentence: `${from.name} is a member of ${to.name}`, tone: "member" });
    }
    const target = b.add(why.target, "object", "to", "target ");
    const last = chain[chain.length - 1]!;
    const tone = why.answer === "yes" ? "allow" : "deny";
    const by = why.ace ? `${why.ace.type} ${rightText(why.ace.right)}: ${aceText(why.ace)}` : why.reason.replace(/_/g, " ");
    const verb = why.answer === "yes" ? "is allowed" : why.answer === "no" ? "is not allowed" : "may be allowed";
    b.join({
        from: partyId(last),
        to: target,
        tone,
        label: why.ace ? `${why.ace.type} ${why.ace.number}/${why.ace.of}` : by,
        sentence: `${last.name} ${verb} ${rightText(why.right)} on ${why.target.name} (${by})`,
    });
    return b.done();
}

// Each principal, the group that was granted it, and the object; principals beyond the room are told by number at their group.
export function whoCanGraph(rows: WhoCanRow[], target: Party, total: number, connector: string): Graph {
    const b = new Builder(connector);
    const to = b.add(target, "object", "to", "target ");
    const folded = new Map<string, number>();
    const drawn = new Map<string, number>();
    for (const row of rows) {
        const trustee = row.via?.trustee;
        const isDirect = !trustee || partyId(trustee) === partyId(row.principal);
        const fan = isDirect ? to : partyId(trustee);
        if ((b.size >= MAX_NODES - 4 || (drawn.get(fan) ?? 0) >= FAN) && !b.has(row.principal)) {
            const at = b.has(trustee ?? target) ? fan : to;
            folded.set(at, (folded.get(at) ?? 0) + 1);
            continue;
        }
        drawn.set(fan, (drawn.get(fan) ?? 0) + 1);
        const from = b.add(row.principal, "principal", "from");
        const granted = isDirect ? from : b.add(trustee, "group");
        const hops = row.via?.hops ?? 0;
        if (!isDirect)
            b.join({
                from,
                to: granted,
                label: hops > 1 ? `${hops} hops` : "",
                sentence: `${row.principal.name} is in ${trustee.name}${hops > 1 ? `, ${hops} memberships away` : ""}`,
                tone: "member",
            });
        const by = row.via?.ace ? aceText(row.via.ace) : (row.via?.reason ?? "").replace(/_/g, " ");
        b.join({
            from: granted,
            to,
            label: row.via?.ace ? `entry ${row.via.ace.number}/${row.via.ace.of}` : by,
            sentence: `${(trustee ?? row.principal).name} is granted it by ${by}`,
            tone: "allow",
        });
    }
    const untold = Math.max(0, total - rows.length);
    if (untold > 0) folded.set(to, (folded.get(to) ?? 0) + untold);
    for (const [at, n] of folded) b.fold(n, at, n === 1 ? "principal" : "principals");
    return b.done();
}

export function whatCanGraph(rows: WhatCanRow[], principal: Party, total: number, connector: string): Graph {
    const b = new Builder(connector);
    const from = b.add(principal, "principal", "from");
    const room = Math.min(MAX_NODES - 2, 2 * FAN);
    for (const row of rows.slice(0, room)) {
        const to = b.add(row.target, "object", "to", "target ");
        const label = row.rights.length === 1 ? rightText(row.rights[0]!) : `${row.rights.length} rights`;
        b.join({ from, to, label, sentence: `${principal.name} can ${row.rights.map(rightText).join(", ")} on ${row.target.name}`, tone: "allow" });
    }
    b.hidden += Math.max(0, total - Math.min(rows.length, room));
    return b.done();
}
