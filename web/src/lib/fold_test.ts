import assert from "node:assert/strict";
import { test } from "node:test";
import { folded, withoutBulk } from "./fold";
import type { Change } from "./types";

const change = (n: number, more: Partial<Change>): Change => ({ run: 2, time: "2026-01-04T10:00:00Z", connector: "corp", kind: "user", uid: `u${n}`, name: `n${n}`, change: "modified", bulk: 120, ...more });
const many = (n: number, more: Partial<Change>) => Array.from({ length: n }, (_, i) => change(i, more));
const shape = (lines: { n: number }[]) => lines.map((l) => l.n);

test("one of 120 that changed otherwise is told", () => assert.deepEqual(shape(withoutBulk([change(1, { attribute: "title" })])), [1]));
test("many that changed alike are one line, which counts them", () => assert.deepEqual(shape(withoutBulk(many(30, { attribute: "title" }))), [30]));
test("created ones are as many as the run says", () => assert.deepEqual(shape(withoutBulk(many(30, { change: "created" }))), [120]));
test("who came into a group is never folded", () => {
    const came = many(30, { change: "member_added", kind: "group", member: "eve" });
    assert.deepEqual(shape(withoutBulk(came)), came.map(() => 1));
    assert.equal(folded(came).length, 30);
});
test("another attribute is another line", () => assert.deepEqual(shape(withoutBulk([...many(12, { attribute: "a" }), ...many(11, { attribute: "b" })])), [12, 11]));
test("no bulk, no folding", () => assert.equal(withoutBulk(many(30, { bulk: undefined })).length, 30));
