// phases.ts - the phases of a run, as the children of the server tell them, in words and in their order.
import { words } from "../lib/strings";

export const PHASES: [phase: string, name: string][] = [
    ["sign_in", "Connect and sign in"],
    ["read", "Read the directory"],
    ["read_touched", "Read what the changes touch"],
    ["make_visible", "Resolve links and store"],
    ["access", "Work out access"],
    ["catalog", "Update the search catalog"],
    ["deliver", "Deliver to sinks"],
];

export function phaseName(phase: string | undefined): string {
    return phase ? (PHASES.find(([p]) => p === phase)?.[1] ?? words(phase)) : "";
}
