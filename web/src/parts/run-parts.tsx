// run-parts.tsx - what both a run under way and a finished one show: counts per kind, gaps, the sentence at the end.
import { number } from "../lib/format";
import { kindPlural } from "../lib/strings";
import type { Counts, Gap, Run } from "../lib/types";
import { took } from "../lib/time";
import { Badge, Empty, Status, type Tone } from "../ui/basic";
import { Table, type Column } from "../ui/table";
import { Text } from "../ui/text";

const RUN_STATUS: Record<Run["status"], { tone: Tone; text: string }> = {
    complete: { tone: "good", text: "Complete" },
    partial: { tone: "warn", text: "Partial" },
    failed: { tone: "bad", text: "Failed" },
    needs_attention: { tone: "warn", text: "Needs attention" },
    running: { tone: "busy", text: "Running" },
};

export function RunState({ status }: { status: Run["status"] }) {
    const { tone, text } = RUN_STATUS[status] ?? { tone: "info" as const, text: status };
    return <Status tone={tone}>{text}</Status>;
}

function sum(counts: Record<string, Counts>, of: keyof Counts): number {
    return Object.values(counts).reduce((n, c) => n + (c[of] ?? 0), 0);
}

export function durationOf(run: { started: string; ended: string }): string {
    const ms = Date.parse(run.ended) - Date.parse(run.started);
    return ms >= 0 ? took(ms) : "";
}

// "12,402 read · 31 changed · 4 new · 2 gone · 0 gaps · 18.2 s"
export function runSentence(run: Run): string {
    const c = run.counts;
    const held = sum(c, "held");
    return [
        `${number(sum(c, "read"))} read`,
        `${number(sum(c, "changed"))} changed`,
        `${number(sum(c, "created"))} new`,
        `${number(sum(c, "deleted"))} gone`,
        ...(held > 0 ? [`${number(held)} held back`] : []),
        `${number(run.gaps.length)} gap${run.gaps.length === 1 ? "" : "s"}`,
        durationOf(run),
    ]
        .filter(Boolean)
        .join(" · ");
}

export function CountsTable({ counts }: { counts: Record<string, Counts> }) {
    const rows = Object.entries(counts);
    const hasHeld = rows.some(([, c]) => (c.held ?? 0) > 0);
    const column = (key: keyof Counts, title: string): Column<[string, Counts]> => ({
        key,
        title,
        align: "right",
        cell: ([, c]) => number(c[key] ?? 0),
    });
    const columns: Column<[string, Counts]>[] = [
        { key: "kind", title: "Kind", cell: ([kind]) => kindPlural(kind) },
        column("read", "Read"),
        column("created", "New"),
        column("changed", "Changed"),
        column("deleted", "Gone"),
        ...(hasHeld ? [column("held", "Held back")] : []),
    ];
    return <Table caption="Counts per kind" columns={columns} rows={rows} rowKey={([kind]) => kind} keys={false} />;
}

export function Gaps({ gaps }: { gaps: Gap[] }) {
    if (gaps.length === 0) return <p class="muted">No gaps: nothing is missing from what was asked for.</p>;
    return (
        <ul class="lines">
            {gaps.map((g, i) => (
                <li class="gap" key={i}>
                    <p>
                        <Badge tone={g.severity === "loss" ? "warn" : "info"}>
                            {g.severity === "loss" ? "Something may be missing" : "For information"}
                        </Badge>{" "}
                        {g.kind && <span class="muted">{kindPlural(g.kind)}</span>}
                    </p>
                    <p>
                        <Text class="wrap">{g.what}</Text> {g.where && <Text class="wrap muted">{g.where}</Text>}
                    </p>
                    {g.fix && (
                        <p>
                            <strong>Fix:</strong> <Text class="wrap">{g.fix}</Text>
                        </p>
                    )}
                </li>
            ))}
        </ul>
    );
}

export function NoRuns() {
    return <Empty icon="log" title="It has not run yet" />;
}
