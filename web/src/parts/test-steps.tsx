// test-steps.tsx - the steps of a connector's test as they come: verdict, time, evidence, what to do; and the report to paste into a ticket.
import { words } from "../lib/strings";
import { took } from "../lib/time";
import type { Step } from "../lib/types";
import { plain } from "../lib/visible";
import { Badge, Copy, ErrorBox, Notice, Status, type Tone } from "../ui/basic";
import { Icon } from "../ui/icon";
import { Text } from "../ui/text";
import { isOver, type JobView } from "./jobs";

const NAMES: Record<string, string> = {
    settings: "Settings",
    secret: "Secret",
    dns: "Names (DNS)",
    tcp: "Connection (TCP)",
    tls: "Encryption (TLS)",
    root_dse: "Directory server (root DSE)",
    clock: "Clock",
    ticket: "Kerberos ticket",
    bind: "Sign-in (bind)",
    base_dn: "Base DN",
    sample: "Sample read",
    permissions: "Permissions",
    controllers: "Further controllers",
    account: "Account",
    credential: "Credential",
    login: "Sign-in service",
    token: "Sign-in (token)",
    graph: "Microsoft Graph",
    pause: "Pause after a refused sign-in",
};
const VERDICTS: Record<Step["verdict"], { tone: Tone; text: string }> = {
    ok: { tone: "good", text: "OK" },
    warn: { tone: "warn", text: "Warning" },
    fail: { tone: "bad", text: "Failed" },
    skip: { tone: "off", text: "Not made" },
};

function stepName(name: string): string {
    return NAMES[name] ?? words(name);
}

export type Verdict = "running" | "ok" | "warn" | "fail";

export function verdictOf(view: JobView): Verdict {
    if (view.error !== null) return "fail"; // the job cannot be asked for: it is gone
    if (!isOver(view.job)) return "running";
    // A test that ended early may have had nothing but good steps until then.
    if (view.job?.state !== "done" || view.steps.length === 0 || view.steps.some((s) => s.verdict === "fail")) return "fail";
    return view.steps.some((s) => s.verdict === "warn") ? "warn" : "ok";
}

function reportText(connector: string, steps: Step[]): string {
    const lines = steps.map((s) => {
        const fix = s.fix ? `\n         fix: ${plain(s.fix)}` : "";
        return `${s.verdict.toUpperCase().padEnd(5)} ${s.name.padEnd(12)} ${String(s.took_ms ?? 0).padStart(6)} ms  ${plain(s.evidence ?? "")}${s.class ? ` [${s.class}]` : ""}${fix}`;
    });
    return `rollcall check ${connector}\n${new Date().toISOString()}\n\n${lines.join("\n")}\n`;
}

function StepRow({ step: s }: { step: Step }) {
    const { tone, text } = VERDICTS[s.verdict] ?? VERDICTS.skip;
    return (
        <li class={`step step-${s.verdict}`} data-step={s.name} data-verdict={s.verdict}>
            <div class="step-head">
                <Icon name={tone} />
                <strong>{stepName(s.name)}</strong>
                <span class={`status ${tone}`}>{text}</span>
                {s.class !== undefined && <Badge>{s.class}</Badge>}
                <span class="muted step-time">{s.verdict === "skip" ? "" : took(s.took_ms ?? 0)}</span>
            </div>
            {s.evidence !== undefined && (
                <p class="step-evidence">
                    <Text class="wrap">{s.evidence}</Text>
                </p>
            )}
            {s.fix !== undefined && s.fix !== "" && (
                <p class="step-fix">
                    <strong>What to do:</strong> <Text class="wrap">{s.fix}</Text>
                </p>
            )}
        </li>
    );
}

// Of a test without a failed step.
export function endedText({ job, error }: JobView): string {
    if (error !== null) return "The test cannot be read: make it again";
    if (job?.state === "done") return "The test told no steps";
    return job?.state === "failed" ? "The test failed before its end" : `The test was ${job?.state ?? "not made"} before its end`;
}

function Outcome({ view, verdict }: { view: JobView; verdict: Verdict }) {
    const n = (v: string) => view.steps.filter((s) => s.verdict === v).length;
    if (verdict === "running") {
        const last = view.steps[view.steps.length - 1];
        return <Status tone="busy">{last ? `Testing, ${stepName(last.name)} is done` : "Testing"}</Status>;
    }
    if (verdict === "ok") return <Status tone="good">All steps are fine</Status>;
    if (verdict === "warn") return <Status tone="warn">{`It works, with ${n("warn")} warning${n("warn") === 1 ? "" : "s"}`}</Status>;
    const first = view.steps.find((s) => s.verdict === "fail");
    return <Status tone="bad">{first ? `Failed at: ${stepName(first.name)}` : endedText(view)}</Status>;
}

export function TestSteps({ view, connector }: { view: JobView; connector: string }) {
    const verdict = verdictOf(view);
    return (
        <section class="test" aria-label="Test of the connector" data-verdict={verdict}>
            <div class="row spread" role="status">
                <Outcome view={view} verdict={verdict} />
                {verdict !== "running" && view.steps.length > 0 && <Copy text={reportText(connector, view.steps)}>Copy the report</Copy>}
            </div>
            {view.error && <ErrorBox error={view.error} />}
            {!view.isUp && view.error === null && !isOver(view.job) && <Notice tone="warn" live="polite" title="The server does not answer; asking again" />}
            {view.job?.error && (
                <Notice tone="bad" live="assertive" title={<Text>{view.job.error.message}</Text>}>
                    <Text>{view.job.error.hint}</Text>
                </Notice>
            )}
            <ol class="steps">
                {view.steps.map((s) => (
                    <StepRow step={s} key={s.name} />
                ))}
            </ol>
        </section>
    );
}
