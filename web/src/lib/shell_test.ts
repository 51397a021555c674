import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { apiCommand, word } from "./shell";

const texts = ["alice", "a b", "it's", "$(reboot)", "`id`", "a\\b", "-rf", "a;b|c&d>e", "!history", "~", "*", "", "\u202eabc", "tab\there", "new\nline", "\u001b]0;x\u0007", "é 李 😀",
    "'\\''", "a\u200bb'c\\d", "#x", "x=1"];
for (const text of texts) {
    test(`a shell reads back ${JSON.stringify(text)}`, () => {
        const command = word(text);
        assert.equal(execFileSync("/bin/bash", ["-c", `printf '%s.' ${command}`], { encoding: "buffer" }).toString("utf8"), text + ".");
        assert.ok(!/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/.test(command), "nothing acts on the terminal when pasted");
    });
}

test("a path with a query is one word", () => assert.equal(apiCommand("GET", "/api/v1/assets?kind=user&q=a"), "rollcall api GET '/api/v1/assets?kind=user&q=a'"));
