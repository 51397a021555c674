// connector-status.tsx - the state of a connector in words, icon and colour, and what is known of its runs.
import { number, percent } from "../lib/format";
import { kindName, kindPlural } from "../lib/strings";
import type { Connector, ConnectorStatus, Progress } from "../lib/types";
import { span } from "../lib/time";
import { Status, type Tone } from "../ui/basic";

export const STATUS: Record<ConnectorStatus, { tone: Tone; text: string }> = {
    healthy: { tone: "good", text: "Healthy" },
    running: { tone: "busy", text: "Running" },
    retrying: { tone: "warn", text: "Retrying" },
    needs_attention: { tone: "warn", text: "Needs attention" },
    paused: { tone: "warn", text: "Paused" },
    failed: { tone: "bad", text: "Failed" },
    never: { tone: "info", text: "Never run" },
    off: { tone: "off", text: "Off" },
};

// Of all kinds together: what came, and what is expected (known from the run before).
export function doneOf(p: Progress | null | undefined): { n: number | undefined; of: number | undefined } {
    return { n: p?.total ?? p?.received, of: p?.expected || undefined };
}

// "43%" once the total is known; numbers before that.
function howFar(p: Progress | null | undefined): string {
    const { n, of } = doneOf(p);
    if (n === undefined) return "";
    return of ? ` ${percent(Math.min(n, of), of)}` : ` ${number(n)}`;
}

export function ConnectorState({ connector: c }: { connector: Connector }) {
    const { tone, text } = STATUS[c.status] ?? { tone: "info" as const, text: c.status };
    return <Status tone={tone}>{text + (c.status === "running" ? howFar(c.progress) : "")}</Status>;
}

export function isTrouble(c: Connector): boolean {
    return ["failed", "needs_attention", "retrying", "paused"].includes(c.status) && !!c.reason;
}

export function assetTotal(c: Connector): number {
    return Object.values(c.assets ?? {}).reduce((a, b) => a + b, 0);
}

// "1,204 users, 88 groups": the largest kinds first.
export function assetWords(c: Connector, most = 3): string {
    const kinds = Object.entries(c.assets ?? {})
        .filter(([, n]) => n > 0)
        .sort((a, b) => b[1] - a[1]);
    const words = kinds.slice(0, most).map(([kind, n]) => `${number(n)} ${(n === 1 ? kindName(kind) : kindPlural(kind)).toLowerCase()}`);
    return words.join(", ") + (kinds.length > most ? ` and ${kinds.length - most} more kinds` : "");
}

export function Delta({ connector: c }: { connector: Connector }) {
    const d = c.delta;
    if (!d || (d.created === 0 && d.deleted === 0 && d.changed === 0)) return <span class="muted">no change in the last run</span>;
    return (
        <span class="delta">
            {d.created > 0 && <span class="delta-plus">+{number(d.created)} new</span>}
            {d.deleted > 0 && <span class="delta-minus">−{number(d.deleted)} gone</span>}
            {d.changed > 0 && <span>{number(d.changed)} changed</span>}
        </span>
    );
}

export function scheduleWords(c: Connector): string {
    if (c.schedule.cron) return `cron ${c.schedule.cron} (UTC)`;
    return c.schedule.every ? `every ${c.schedule.every}` : "on demand";
}

export function timeLeft(p: Progress | null | undefined): string {
    return p?.left_s !== undefined && p.left_s > 0 ? `about ${span(p.left_s)} left` : "";
}
