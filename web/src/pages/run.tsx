// run.tsx - a job as it happens: phases, rate, time left, requests, gaps, log. It tells everything again after a reload, and goes on when the server was started anew.
import { useState } from "preact/hooks";
import { get, post } from "../lib/api";
import { bytes, number } from "../lib/format";
import { go, link, useRoute } from "../lib/router";
import { can } from "../lib/session";
import { kindName, kindPlural, words } from "../lib/strings";
import { clock, span, took } from "../lib/time";
import type { Job } from "../lib/types";
import { plain } from "../lib/visible";
import { doneOf } from "../parts/connector-status";
import { isOver, useJob, type JobView } from "../parts/jobs";
import { PHASES, phaseName } from "../parts/phases";
import { Gaps } from "../parts/run-parts";
import { TestSteps } from "../parts/test-steps";
import { Button, Card, Empty, ErrorBox, LinkButton, Loading, Notice, Progress, Status, type Tone } from "../ui/basic";
import { Segmented } from "../ui/field";
import { Icon } from "../ui/icon";
import { Page } from "../ui/layout";
import { Text, Time } from "../ui/text";
import { useEffect } from "preact/hooks";

const STATES: Record<Job["state"], { tone: Tone; text: string }> = {
    queued: { tone: "info", text: "Waiting for its turn" },
    running: { tone: "busy", text: "Running" },
    done: { tone: "good", text: "Done" },
    failed: { tone: "bad", text: "Failed" },
    cancelled: { tone: "off", text: "Cancelled" },
    interrupted: { tone: "warn", text: "Interrupted: the server stopped" },
};
const KINDS: Record<string, string> = { sync: "Run", test: "Test", discover: "Discovery", browse: "Browsing", report: "Report" };
const STABLE_MS = 10_000; // of a rate, before a time left is told

function Phases({ view }: { view: JobView }) {
    const over = isOver(view.job);
    const now = over ? null : view.phases[view.phases.length - 1];
    const others = view.phases.filter((p) => !PHASES.some(([known]) => known === p)).map((p): [string, string] => [p, phaseName(p)]);
    const { n, of } = doneOf(view.job?.progress);
    // After a reload only the newest phase is told; what stands before it was there.
    const newest = PHASES.findIndex(([p]) => p === view.phases[view.phases.length - 1]);
    const isRare = (p: string) => p === "read_touched" || p === "deliver";
    const shown = PHASES.filter(([p], i) => view.phases.includes(p) || (!isRare(p) && (!over || i < newest)));
    return (
        <ol class="phases" aria-label="Phases">
            {[...shown, ...others].map(([phase, name]) => {
                const isBegun = view.phases.includes(phase) || PHASES.findIndex(([p]) => p === phase) < newest;
                const isNow = phase === now;
                const isDone = isBegun && !isNow && !(over && view.job?.state !== "done" && phase === view.phases[view.phases.length - 1]);
                return (
                    <li key={phase} class={isNow ? "now" : isDone ? "done" : ""} aria-current={isNow ? "step" : undefined}>
                        <Icon name={isNow ? "busy" : isDone ? "good" : isBegun ? "bad" : "off"} />
                        <span>{name}</span>
                        <span class="sr-only">{isNow ? ", under way" : isDone ? ", done" : isBegun ? ", ended here" : ", not begun"}</span>
                        {isNow && phase.startsWith("read") && (
                            <Progress
                                label={name}
                                value={n}
                                max={of}
                                text={n !== undefined ? (of ? `${number(n)} of about ${number(of)}` : number(n)) : ""}
                            />
                        )}
                    </li>
                );
            })}
        </ol>
    );
}

function told(n: unknown): string | undefined {
    return typeof n === "number" && n > 0 ? number(n) : undefined;
}

function Numbers({ job }: { job: Job }) {
    const p = job.progress ?? {};
    const isStable = (p.elapsed_ms ?? 0) >= STABLE_MS && p.left_s !== undefined;
    const more = p as Record<string, unknown>;
    const rows: [string, string | undefined][] = [
        ["Objects", p.total !== undefined ? number(p.total) : undefined],
        ["Rate", p.rate ? `${number(p.rate)} objects/s` : undefined],
        ["Time left", !isOver(job) && isStable ? `about ${span(p.left_s ?? 0)}` : undefined],
        ["Time", p.elapsed_ms !== undefined ? took(p.elapsed_ms) : undefined],
        ["Requests", p.requests !== undefined ? number(p.requests) : undefined],
        ["Received", p.bytes !== undefined ? bytes(p.bytes) : undefined],
        ["Repeated", told(more.repeated)],
        ["Throttled", told(more.throttled)],
        ["Waited", typeof more.rested_ms === "number" && more.rested_ms > 0 ? took(more.rested_ms) : undefined],
        ["Attempt", job.attempt > 0 ? String(job.attempt + 1) : undefined],
    ];
    const known = rows.filter(([, v]) => v !== undefined);
    if (known.length === 0) return null;
    return (
        <dl class="numbers">
            {known.map(([title, value]) => (
                <div key={title}>
                    <dt>{title}</dt>
                    <dd>{value}</dd>
                </div>
            ))}
        </dl>
    );
}

function Kinds({ view }: { view: JobView }) {
    const rows = Object.entries(view.kinds);
    if (rows.length === 0) return null;
    return (
        <ul class="kind-counts" aria-label="Received per kind">
            {rows.map(([kind, n]) => (
                <li key={kind}>
                    <strong>{number(n)}</strong> {(n === 1 ? kindName(kind) : kindPlural(kind)).toLowerCase()}
                </li>
            ))}
        </ul>
    );
}

const LEVELS = ["debug", "info", "warn", "error"];

function rank(level: string): number {
    return LEVELS.indexOf(level === "warning" ? "warn" : level);
}

function Log({ view }: { view: JobView }) {
    const [least, setLeast] = useState("info");
    const lines = view.log.filter((l) => rank(l.level) >= rank(least) || rank(l.level) < 0);
    const last = lines[lines.length - 1];
    const text = lines.map((l) => `${l.time} ${l.level.padEnd(5)} ${l.text}`).join("\n");
    return (
        <Card
            title="Log"
            id="log"
            actions={
                <Segmented
                    label="Least level"
                    value={least}
                    options={[
                        { value: "debug", label: "All" },
                        { value: "info", label: "Info" },
                        { value: "warn", label: "Warnings" },
                        { value: "error", label: "Errors" },
                    ]}
                    onChange={setLeast}
                />
            }
        >
            {view.forgotten > 0 && <p class="muted">{number(view.forgotten)} earlier lines are not shown.</p>}
            {lines.length === 0 ? (
                <p class="muted">No lines of this level.</p>
            ) : (
                <div class="log" tabIndex={0} role="region" aria-label="Log lines">
                    <ol>
                        {lines.map((l, i) => (
                            <li key={i} class={`log-${l.level}`}>
                                <time dateTime={l.time} title={l.time}>
                                    {clock(l.time)}
                                </time>{" "}
                                <span class="log-level">{l.level}</span> <Text class="wrap">{l.text}</Text>
                            </li>
                        ))}
                    </ol>
                </div>
            )}
            {text !== "" && (
                <p class="muted small">
                    {lines.length} lines
                    {last ? (
                        <>
                            , the last at <Time at={last.time} />
                        </>
                    ) : null}
                </p>
            )}
        </Card>
    );
}

function Failed({ job }: { job: Job }) {
    if (!job.error) return null;
    return (
        <Notice tone="bad" live="assertive" title={<Text>{job.error.message}</Text>}>
            {job.error.hint && (
                <p>
                    <strong>What to do:</strong> <Text>{job.error.hint}</Text>
                </p>
            )}
        </Notice>
    );
}

// The run's own page once it is over: counts and what was held back are there.
function Outcome({ job }: { job: Job }) {
    const run = job.runs?.[job.runs.length - 1];
    if (!isOver(job) || run === undefined) return null;
    return (
        <div class="row">
            <LinkButton variant="primary" href={link(["runs", String(run)])}>
                See the result
            </LinkButton>
            <LinkButton href={link(["assets"], { source: job.connector })}>Its assets</LinkButton>
        </div>
    );
}

// One sentence for screen readers, told when it changes and not at each number.
function Spoken({ view }: { view: JobView }) {
    const job = view.job;
    const phase = phaseName(view.phases[view.phases.length - 1]);
    return (
        <p class="sr-only" role="status">
            {job === null ? "" : isOver(job) ? STATES[job.state].text : phase}
        </p>
    );
}

function JobBody({ view }: { view: JobView }) {
    const job = view.job;
    if (job === null) return view.error ? <ErrorBox error={view.error} /> : <Loading />;
    const state = STATES[job.state] ?? { tone: "info" as const, text: job.state };
    return (
        <>
            <Spoken view={view} />
            <div class="row">
                <Status tone={state.tone}>{state.text}</Status>
                <span class="muted">
                    by <Text>{job.by}</Text>, <Time at={job.started ?? job.queued} relative />
                </span>
            </div>
            {!view.isUp && !isOver(job) && (
                <Notice tone="warn" live="polite" title="The server does not answer">
                    This page asks again and goes on where it was.
                </Notice>
            )}
            <Failed job={job} />
            <Outcome job={job} />
            {job.kind === "test" ? <TestSteps view={view} connector={job.connector} /> : null}
            {job.kind === "sync" && (
                <Card title="Progress" id="progress">
                    <Phases view={view} />
                    <Numbers job={job} />
                    <Kinds view={view} />
                </Card>
            )}
            {view.gaps.length > 0 && (
                <Card title={`Gaps (${view.gaps.length})`} id="gaps">
                    <Gaps gaps={view.gaps} />
                </Card>
            )}
            <Log view={view} />
        </>
    );
}

// A run that was interrupted is queued again by the scheduler under another number: where it goes on.
function useNewer(job: Job | null): Job | null {
    const [newer, setNewer] = useState<Job | null>(null);
    const isStopped = job?.state === "interrupted" && job.kind === "sync";
    useEffect(() => {
        if (!isStopped || job === null) return;
        let isLeft = false;
        const look = () =>
            void get<{ items: Job[] }>("/jobs", { connector: job.connector, kind: job.kind, limit: 1 })
                .then(({ items }) => !isLeft && items[0] && items[0].id > job.id && setNewer(items[0]))
                .catch(() => undefined);
        look();
        const timer = setInterval(look, 3000);
        return () => {
            isLeft = true;
            clearInterval(timer);
        };
    }, [isStopped, job?.id]);
    return isStopped ? newer : null;
}

export default function JobPage() {
    const { path } = useRoute();
    const id = Number(path[1]);
    const isNumber = Number.isSafeInteger(id) && id > 0;
    const view = useJob(isNumber ? id : null);
    const job = view.job;
    const newer = useNewer(job);
    const cancel = () => post(`/jobs/${id}/cancel`);
    const title = job === null ? `Job ${plain(path[1] ?? "")}` : `${KINDS[job.kind] ?? words(job.kind)} of ${job.connector || "all connectors"}`;
    return (
        <Page
            title={title}
            crumbs={[
                { href: "#/connectors", title: "Asset connectors" },
                ...(job?.connector ? [{ href: link(["connectors", job.connector]), title: job.connector }] : []),
            ]}
            sub={job && <span class="muted">Job {job.id}</span>}
            actions={
                job !== null &&
                !isOver(job) &&
                can("operator") && (
                    <Button icon="cross" onClick={cancel}>
                        Cancel
                    </Button>
                )
            }
        >
            {newer !== null && (
                <Notice
                    title="It goes on under another number"
                    actions={<Button onClick={() => go(link(["jobs", String(newer.id)]))}>Job {newer.id}</Button>}
                />
            )}
            {isNumber ? <JobBody view={view} /> : <Empty title="There is no such job">Jobs have numbers.</Empty>}
        </Page>
    );
}
