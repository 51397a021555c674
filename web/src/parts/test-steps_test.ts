import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../lib/api";
import type { Job, Step } from "../lib/types";
import type { JobView } from "./jobs";

(globalThis as Record<string, unknown>)["window"] = { addEventListener: () => undefined };
const { endedText, verdictOf } = await import("./test-steps");

const good: Step = { name: "dns", verdict: "ok" };
function viewOf(state: Job["state"] | null, steps: Step[], error: ApiError | null = null): JobView {
    const job: Job | null = state === null ? null : { id: 1, kind: "test", connector: "", by: "", state, attempt: 0, queued: "" };
    return { job, steps, phases: [], kinds: {}, log: [], forgotten: 0, gaps: [], isUp: true, error };
}

test("a test is fine only at its end", () => {
    assert.equal(verdictOf(viewOf("running", [good])), "running");
    assert.equal(verdictOf(viewOf(null, [])), "running");
    assert.equal(verdictOf(viewOf("done", [good])), "ok");
    assert.equal(verdictOf(viewOf("done", [good, { name: "clock", verdict: "warn" }])), "warn");
    assert.equal(verdictOf(viewOf("done", [good, { name: "tls", verdict: "fail" }])), "fail");
    assert.equal(verdictOf(viewOf("done", [])), "fail");
});
for (const state of ["failed", "interrupted", "cancelled"] as const) {
    test(`good steps of a test that was ${state} are not enough`, () => {
        assert.equal(verdictOf(viewOf(state, [good])), "fail");
        assert.ok(endedText(viewOf(state, [good])).includes(state));
    });
}
test("a test whose job is gone has failed", () => {
    const gone = viewOf(null, [], new ApiError(404, { class: "NOTFOUND", message: "no job 7" }));
    assert.equal(verdictOf(gone), "fail");
    assert.ok(endedText(gone).includes("again"));
});
