import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../lib/api";
import { waitForJob } from "./jobs";

// The stream of events of one job, and what GET answers, one after the other; undefined: the server does not answer.
let closed = 0;
let listeners: Record<string, (event: unknown) => void> = {};
class Stream {
    addEventListener(name: string, call: (event: unknown) => void): void {
        listeners[name] = call;
    }
    close(): void {
        closed++;
    }
}
const page = globalThis as Record<string, unknown>;
page["EventSource"] = Stream;

function serve(answers: ({ status: number; body: unknown } | undefined)[]): void {
    closed = 0;
    listeners = {};
    page["fetch"] = async () => {
        const next = answers.shift();
        if (next === undefined) throw new TypeError("fetch failed");
        return new Response(JSON.stringify(next.body), { status: next.status });
    };
}
function end(): void {
    listeners["end"]?.({ lastEventId: "1", data: "{}" });
}
const done = { status: 200, body: { state: "done", result: { n: 7 } } };

test("a result that could not be fetched is asked for again", async () => {
    const later = page["setTimeout"];
    const pauses: number[] = [];
    page["setTimeout"] = (run: () => void, ms: number) => {
        pauses.push(ms);
        queueMicrotask(run);
    };
    serve([undefined, undefined, done]);
    const result = waitForJob<{ n: number }>(1, new AbortController().signal);
    end();
    assert.deepEqual(await result, { n: 7 });
    page["setTimeout"] = later;
    assert.deepEqual([pauses.length, pauses.every((ms) => ms >= 1000)], [2, true]);
});
test("a job that is gone ends the waiting, and the stream", async () => {
    serve([{ status: 404, body: { error: { class: "NOTFOUND", message: "no job 1" } } }]);
    const result = waitForJob(1, new AbortController().signal);
    const before = closed;
    end();
    const failed: unknown = await result.catch((e: unknown) => e);
    assert.ok(failed instanceof ApiError && failed.status === 404);
    assert.ok(closed > before);
});
