// api.ts - calls below /api/v1 (docs/api.md). The only place of the page that talks to the server.
//   const page = await get<List<Asset>>("/assets", { kind: "user" }, signal);
//   await put(`/connectors/${segment(name)}`, body);
//   const { data, error, loading, reload } = useGet<Home>("/home");       // in a component: asked again when path or query change
//   const stop = jobEvents(id, { progress: (p) => ..., end: (job) => ... });
// What fails throws ApiError; an abort throws the DOMException of fetch. 401 means that the session is over: whoever asked to be told is (onSignedOut).

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { FieldProblem, Job, Problem, Progress, Step } from "./types";

export const BASE = "/api/v1";

export class ApiError extends Error {
    readonly status: number; // HTTP; 0: the server did not answer
    readonly class: string; // as in err.h: INPUT AUTH DENIED NOTFOUND CONFLICT LIMIT NET ...
    readonly step?: string;
    readonly hint?: string;
    readonly fields: FieldProblem[];

    constructor(status: number, problem: Problem) {
        super(problem.message);
        this.name = "ApiError";
        this.status = status;
        this.class = problem.class;
        this.step = problem.step;
        this.hint = problem.hint;
        this.fields = problem.fields ?? [];
    }
}

export type Query = Record<string, string | number | boolean | null | undefined>;

let csrf = "";
let signedOut: (() => void) | null = null;

export function setCsrf(token: string): void {
    csrf = token;
}

export function onSignedOut(call: () => void): void {
    signedOut = call;
}

// One segment of a path: names may hold anything.
export function segment(text: string): string {
    // "." and ".." would be taken away by the URL parser even when encoded.
    return text === "." || text === ".." ? encodeURIComponent(text).replaceAll(".", "%252E") : encodeURIComponent(text);
}

// "/api/v1/assets?kind=user": members that are null, undefined or "" are left out.
export function url(path: string, query?: Query | URLSearchParams): string {
    const p = new URLSearchParams();
    const given = query instanceof URLSearchParams ? query.entries() : Object.entries(query ?? {});
    for (const [key, value] of given) if (value !== null && value !== undefined && value !== "") p.append(key, String(value));
    const text = p.toString();
    return BASE + path + (text === "" ? "" : "?" + text);
}

async function problemOf(response: Response): Promise<ApiError> {
    try {
        const body = (await response.json()) as { error?: Problem };
        if (body.error !== undefined) return new ApiError(response.status, body.error);
    } catch {
        // not ours: a proxy's page, or cut short
    }
    return new ApiError(response.status, { class: "PROTO", message: `the server answered ${response.status} ${response.statusText}`.trim() });
}

export async function call<T>(method: string, address: string, body?: unknown, signal?: AbortSignal): Promise<T> {
    const headers: Record<string, string> = { Accept: "application/json" };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (method !== "GET") headers["X-Rollcall-CSRF"] = csrf;
    let response: Response;
    try {
        response = await fetch(address, {
            method, headers, signal, credentials: "same-origin", cache: "no-cache", redirect: "error",
            body: body === undefined ? undefined : JSON.stringify(body),
        });
    } catch (e) {
        if (signal?.aborted) throw e;
        throw new ApiError(0, { class: "NET", message: "the server does not answer", hint: "Is rollcall serve still running? This page asks again when you press Retry." });
    }
    if (response.status === 401 && !address.startsWith(BASE + "/login")) signedOut?.();
    if (!response.ok) throw await problemOf(response);
    try {
        const text = await response.text();
        return (text === "" ? undefined : JSON.parse(text)) as T; // 202 and 204 have no body
    } catch (e) {
        if (signal?.aborted) throw e;
        throw new ApiError(response.status, { class: "PROTO", message: "the server's answer was cut short" });
    }
}

export function get<T>(path: string, query?: Query | URLSearchParams, signal?: AbortSignal): Promise<T> {
    return call<T>("GET", url(path, query), undefined, signal);
}

export function post<T = void>(path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
    return call<T>("POST", url(path), body, signal);
}

export function put<T = void>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
    return call<T>("PUT", url(path), body, signal);
}

export function patch<T = void>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
    return call<T>("PATCH", url(path), body, signal);
}

export function del<T = void>(path: string, query?: Query): Promise<T> {
    return call<T>("DELETE", url(path, query));
}

// Anything thrown, as what people are told.
export function asProblem(e: unknown): Problem {
    if (e instanceof ApiError) return { class: e.class, message: e.message, step: e.step, hint: e.hint, fields: e.fields };
    return { class: "BUG", message: e instanceof Error ? e.message : String(e), hint: "This is a defect of the page: please report it." };
}

export interface Loaded<T> {
    data: T | undefined; // while a new answer is awaited, still the one before
    error: ApiError | undefined;
    loading: boolean;
    reload: () => void;
}

// GET as a hook. path null: nothing is asked. every_ms: asked again that often while the page is in sight.
export function useGet<T>(path: string | null, query?: Query | URLSearchParams, every_ms = 0): Loaded<T> {
    const address = path === null ? null : url(path, query);
    const [state, setState] = useState<{ address: string | null; data?: T; error?: ApiError; loading: boolean }>({ address: null, loading: address !== null });
    const [turn, setTurn] = useState(0);
    const reload = useCallback(() => setTurn((n) => n + 1), []);
    const last = useRef<string | null>(null);
    const isAsking = useRef(false);

    useEffect(() => {
        if (address === null) {
            setState({ address, loading: false });
            return;
        }
        const abort = new AbortController();
        const isOther = last.current?.split("?")[0] !== address.split("?")[0];
        const isAgain = last.current === address; // its error stays until there is an answer
        last.current = address;
        isAsking.current = true;
        setState((s) => ({ address, data: isOther ? undefined : s.data, error: isAgain ? s.error : undefined, loading: true }));
        call<T>("GET", address, undefined, abort.signal)
            .then((data) => setState({ address, data, loading: false }))
            .catch((e: unknown) => {
                if (abort.signal.aborted) return;
                const error = e instanceof ApiError ? e : new ApiError(0, asProblem(e));
                // What was there answers the same question, or it goes.
                setState((s) => ({ address, data: isAgain ? s.data : undefined, error, loading: false }));
            })
            .finally(() => {
                if (!abort.signal.aborted) isAsking.current = false;
            });
        return () => abort.abort();
    }, [address, turn]);

    useEffect(() => {
        if (every_ms === 0 || address === null) return;
        const ask = () => {
            if (document.visibilityState === "visible" && !isAsking.current) reload(); // a slow answer is waited for, not begun anew
        };
        const timer = setInterval(ask, every_ms);
        document.addEventListener("visibilitychange", ask);
        return () => {
            clearInterval(timer);
            document.removeEventListener("visibilitychange", ask);
        };
    }, [address, every_ms]);

    // An answer to another question than the one of this render is not shown as loaded.
    return { data: state.data, error: state.error, loading: state.loading || state.address !== address, reload };
}

// --- server-sent events of a job ---------------------------------------------------------------------

export interface JobLog {
    time: string;
    level: string;
    text: string;
}

export interface JobHandlers {
    state?: (job: Job) => void;
    progress?: (p: Progress) => void;
    step?: (s: Step) => void;
    log?: (l: JobLog) => void;
    gap?: (g: unknown) => void;
    end?: (job: Job) => void;
    connection?: (isUp: boolean) => void;
}

const EVENTS = ["state", "progress", "step", "log", "gap", "end"] as const;

// Follows a job until its end, over lost connections and restarts of the server; events that were seen do not come again (after=ID of the last). Returns what stops it.
export function jobEvents(job: number, handlers: JobHandlers): () => void {
    let source: EventSource | null = null;
    let last = "";
    let timer: ReturnType<typeof setTimeout> | undefined;
    let pause_ms = 500;
    let isOver = false;

    const open = () => {
        let wasUp = false;
        source = new EventSource(url(`/jobs/${job}/events`, { after: last }));
        source.onopen = () => {
            wasUp = true;
            pause_ms = 500;
            handlers.connection?.(true);
        };
        source.onerror = () => {
            if (isOver) return;
            // The browser's own retry is not used: it gives up for good at the first answer that is not 200, such as that of a server about to restart.
            source?.close();
            if (!wasUp) handlers.connection?.(false); // the server ends a stream now and then: the next one is opened, and only its failure is told
            timer = setTimeout(open, pause_ms);
            pause_ms = Math.min(pause_ms * 2, 10_000);
        };
        for (const name of EVENTS)
            source.addEventListener(name, (event) => {
                const message = event as MessageEvent<string>;
                if (message.lastEventId !== "") last = message.lastEventId;
                if (name === "end") stop();
                const handler = handlers[name] as ((body: unknown) => void) | undefined;
                handler?.(JSON.parse(message.data));
            });
    };
    const stop = () => {
        isOver = true;
        clearTimeout(timer);
        source?.close();
    };
    open();
    return stop;
}
