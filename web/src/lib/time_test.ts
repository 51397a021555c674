import assert from "node:assert/strict";
import { test } from "node:test";
import { relative, span, took, utc } from "./time";
import { bytes, percent } from "./format";

const now = Date.parse("2026-01-04T10:00:00Z");
const relatives: [string, string][] = [
    ["2026-01-04T09:59:55Z", "just now"], ["2026-01-04T09:59:00Z", "1 min ago"], ["2026-01-04T07:30:00Z", "2 h ago"], ["2026-01-03T09:00:00Z", "1 day ago"],
    ["2026-01-09T10:00:00Z", "in 5 days"], ["never", "never"],
];
for (const [at, want] of relatives) test(`relative ${at}`, () => assert.equal(relative(at, now), want));
test("utc", () => assert.equal(utc("2026-01-04T10:12:18.000Z"), "2026-01-04 10:12:18 UTC"));
test("span", () => assert.deepEqual([span(1), span(61), span(7200), span(86400), span(200000)], ["1 s", "1 min", "2 h", "1 day", "2 days"]));
test("took", () => assert.deepEqual([took(340), took(18204), took(125000), took(7_260_000)], ["340 ms", "18.2 s", "2 min 5 s", "2 h 1 min"]));
test("percent", () => assert.deepEqual([percent(0, 0), percent(1, 1000), percent(999, 1000), percent(1000, 1000), percent(1, 3)], ["0%", "<1%", ">99%", "100%", "33%"]));
test("bytes", () => assert.deepEqual([bytes(12), bytes(9_120_233)], ["12 B", "9.1 MB"]));
