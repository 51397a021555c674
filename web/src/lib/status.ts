// status.ts - the words and tones of a connector's and a run's state.
import type { Connector, ConnectorStatus } from "./types";

type Tone = "good" | "warn" | "bad" | "info" | "off" | "busy";

const CONNECTOR: Record<ConnectorStatus, [Tone, string]> = {
    healthy: ["good", "Healthy"],
    running: ["busy", "Running"],
    retrying: ["warn", "Retrying"],
    needs_attention: ["bad", "Needs attention"],
    paused: ["warn", "Paused"],
    failed: ["bad", "Failed"],
    never: ["info", "Never run"],
    off: ["off", "Off"],
};

export function connectorStatus(c: Pick<Connector, "status" | "progress">): { tone: Tone; label: string } {
    const [tone, label] = CONNECTOR[c.status] ?? ["info", c.status];
    const p = c.progress;
    const whole = p?.total ?? p?.expected;
    if (c.status !== "running" || p?.received === undefined || whole === undefined || whole === 0) return { tone, label };
    return { tone, label: `${label} ${Math.min(99, Math.floor((100 * p.received) / whole))}%` };
}

const RUN: Record<string, [Tone, string]> = {
    complete: ["good", "Complete"],
    partial: ["warn", "Partial"],
    failed: ["bad", "Failed"],
    needs_attention: ["bad", "Needs attention"],
    running: ["busy", "Running"],
    queued: ["info", "Queued"],
    done: ["good", "Done"],
    cancelled: ["off", "Cancelled"],
    interrupted: ["warn", "Interrupted"],
};

export function runStatus(status: string): { tone: Tone; label: string } {
    const [tone, label] = RUN[status] ?? ["info", status];
    return { tone, label };
}
