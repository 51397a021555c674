import assert from "node:assert/strict";
import { test } from "node:test";

(globalThis as Record<string, unknown>)["window"] = { addEventListener: () => undefined };
const { parseRoute, link } = await import("./router");

const ways: [string[], Record<string, string>][] = [
    [[], {}], [["assets"], { kind: "user,group", q: "a b&c=d?#" }], [["assets", "corp", "a/b?c#d%"], { tab: "raw" }], [["assets", "corp", "\u202e李"], {}],
];
for (const [path, query] of ways) {
    test(`there and back: ${JSON.stringify([path, query])}`, () => {
        const route = parseRoute(link(path, query));
        assert.deepEqual(route.path, path);
        assert.deepEqual(Object.fromEntries(route.query), query);
    });
}
test("what is empty is left out", () => assert.equal(link(["x"], { a: "", b: null, c: undefined, d: 0, e: false }), "#/x?d=0&e=false"));
test("a broken escape is taken as it is", () => assert.deepEqual(parseRoute("#/a/%E0%A4%A").path, ["a", "%E0%A4%A"]));
