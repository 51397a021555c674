// jobs.ts - a job as its events tell it: state, phases, steps of a test, log, gaps. Pure but for useJob and waitForJob, which listen.
import { useEffect, useReducer } from "preact/hooks";
import { ApiError, get, jobEvents, type JobLog } from "../lib/api";
import type { Gap, Job, Progress, Step } from "../lib/types";

export interface JobView {
    job: Job | null;
    phases: string[]; // as they were begun; the last one is under way
    kinds: Record<string, number>; // received so far
    steps: Step[];
    log: JobLog[];
    forgotten: number; // log lines left out at the beginning
    gaps: Gap[];
    isUp: boolean; // the stream of events
    error: ApiError | null; // the job itself could not be asked for
}

const LOG_MAX = 2000;
const EMPTY: JobView = { job: null, phases: [], kinds: {}, steps: [], log: [], forgotten: 0, gaps: [], isUp: true, error: null };

type Action =
    | { on: "reset" }
    | { on: "job"; job: Job }
    | { on: "end"; job: Job }
    | { on: "progress"; progress: Progress }
    | { on: "step"; step: Step }
    | { on: "log"; line: JobLog }
    | { on: "gap"; gap: Gap }
    | { on: "connection"; isUp: boolean }
    | { on: "error"; error: ApiError };

export function isOver(job: Job | null): boolean {
    return job !== null && job.state !== "queued" && job.state !== "running";
}

// received is of `kind`, total and expected are of all kinds (cmd/progress.c); the phase stays until another is told.
function withProgress(view: JobView, p: Progress | null | undefined): JobView {
    if (!p) return view;
    const phases = p.phase && !view.phases.includes(p.phase) ? [...view.phases, p.phase] : view.phases;
    const kinds = p.kind && p.received !== undefined ? { ...view.kinds, [p.kind]: p.received } : view.kinds;
    return { ...view, phases, kinds };
}

function withJob(view: JobView, job: Job): JobView {
    return withProgress({ ...view, job, error: null }, job.progress);
}

function withLog(view: JobView, line: JobLog): JobView {
    const log = [...view.log, line];
    const extra = Math.max(0, log.length - LOG_MAX);
    return { ...view, log: extra > 0 ? log.slice(extra) : log, forgotten: view.forgotten + extra };
}

function reduceJob(view: JobView, action: Action): JobView {
    switch (action.on) {
        case "reset":
            return EMPTY;
        case "job":
            // What is over stays over: an older answer may come late.
            return isOver(view.job) && !isOver(action.job) && view.job?.id === action.job.id ? view : withJob(view, action.job);
        case "end":
            return withJob(view, action.job);
        case "progress": {
            const progress = { ...view.job?.progress, ...action.progress };
            return withProgress({ ...view, job: view.job && { ...view.job, progress } }, progress);
        }
        case "step":
            return { ...view, steps: [...view.steps.filter((s) => s.name !== action.step.name), action.step] };
        case "log":
            return withLog(view, action.line);
        case "gap":
            return { ...view, gaps: [...view.gaps, action.gap] };
        case "connection":
            return { ...view, isUp: action.isUp };
        case "error":
            return { ...view, error: action.error };
    }
}

// Listens to a job while the page shows it; null: there is none yet. When the stream is lost the job is asked for on its own, so that its state is right
// even behind a proxy that holds streams back.
export function useJob(id: number | null): JobView {
    const [view, tell] = useReducer(reduceJob, EMPTY);
    useEffect(() => {
        tell({ on: "reset" });
        if (id === null) return;
        let stop = (): void => undefined;
        const ask = () =>
            void get<Job>(`/jobs/${id}`)
                .then((job) => tell({ on: isOver(job) ? "end" : "job", job }))
                .catch((error: unknown) => {
                    if (!(error instanceof ApiError) || error.status === 0) return;
                    if (error.status === 404) stop(); // it is gone: there is nothing to listen to
                    tell({ on: "error", error });
                });
        ask();
        stop = jobEvents(id, {
            state: (job) => tell({ on: "job", job }),
            progress: (progress) => tell({ on: "progress", progress }),
            step: (step) => tell({ on: "step", step }),
            log: (line) => tell({ on: "log", line }),
            gap: (gap) => tell({ on: "gap", gap: gap as Gap }),
            end: (job) => tell({ on: "end", job }),
            connection: (isUp) => {
                tell({ on: "connection", isUp });
                if (!isUp) ask();
            },
        });
        return () => stop();
    }, [id]);
    return view;
}

const ASK_AGAIN_MS = 2000;

// Waits for a short job (browse, discover): its result, or what it failed of as an ApiError. Events do not carry results, the job does.
export function waitForJob<T>(id: number, signal: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
        let timer: ReturnType<typeof setTimeout> | undefined;
        const finish = () => {
            clearTimeout(timer);
            stop();
        };
        const settle = (job: Job) => {
            if (!isOver(job)) return;
            finish();
            if (job.state === "done" && !job.error && job.result !== undefined) resolve(job.result as T);
            else reject(new ApiError(200, job.error ?? { class: "CANCEL", message: `the job was ${job.state}` }));
        };
        const fail = (e: unknown) => {
            if (signal.aborted) return;
            clearTimeout(timer);
            // Without an answer it is asked again: after the end of the job its events tell nothing more.
            if (e instanceof ApiError && e.status === 0) {
                timer = setTimeout(ask, ASK_AGAIN_MS);
                return;
            }
            finish();
            reject(e);
        };
        const ask = () => void get<Job>(`/jobs/${id}`, {}, signal).then(settle, fail);
        const stop = jobEvents(id, { end: ask, connection: (isUp) => !isUp && ask() });
        signal.addEventListener("abort", () => {
            finish();
            reject(new DOMException("left", "AbortError"));
        });
    });
}
