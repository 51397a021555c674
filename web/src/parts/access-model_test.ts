import assert from "node:assert/strict";
import { test } from "node:test";

(globalThis as Record<string, unknown>)["window"] = { addEventListener: () => undefined };
const { commandOf, partyId } = await import("./access-model");

const asked: [string[], Record<string, string | boolean>, string][] = [
    [["who-can", "WRITE_DAC", "CN=Domain Admins,DC=x"], { "-c": "", "--rule": "", "--groups": false, "-o": "json" }, "who-can WRITE_DAC 'CN=Domain Admins,DC=x' -o json"],
    [["who-can", "WRITE_DAC", "3f25"], { "-c": "corp", "--rule": "deny-wins", "--groups": true }, "who-can WRITE_DAC 3f25 -c corp --rule=deny-wins --groups"],
    [["what-can", "O'Brien"], { "--target-filter": "name=a b" }, "what-can 'O'\\''Brien' --target-filter='name=a b'"],
    [["why"], { "--principal": "-x", "-c": "corp" }, "why --principal=-x -c corp"],
];
for (const [words, options, want] of asked) test(`as a command: ${want}`, () => assert.equal(commandOf(words, options), `rollcall access ${want}`));

test("a party is known by what is surest", () => {
    assert.equal(partyId({ uid: "u", sid: "S-1-1-0", dn: "CN=x", name: "x" }), "u");
    assert.equal(partyId({ sid: "S-1-1-0", name: "Everyone" }), "S-1-1-0");
    assert.equal(partyId({ name: "x" }), "x");
});
