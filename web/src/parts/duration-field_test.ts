import assert from "node:assert/strict";
import { test } from "node:test";

(globalThis as Record<string, unknown>)["window"] = { addEventListener: () => undefined };
const { durationOf, unitOf } = await import("./duration-field");

test("minutes, taken away and typed anew, stay minutes", () => {
    let unit = unitOf("5m", "h");
    const empty = durationOf("", unit);
    assert.equal(empty, undefined);
    unit = unitOf(empty ?? "", unit);
    assert.equal(durationOf("15", unit), "15m");
});
test("only digits", () => assert.equal(durationOf("1a5", "h"), "15h"));
