import assert from "node:assert/strict";
import { test } from "node:test";
import type { Connector, Session } from "../lib/types";
import type { Draft, Saved } from "./draft";

const page = globalThis as Record<string, unknown>;
page["window"] = { addEventListener: () => undefined };
page["document"] = { documentElement: { classList: { toggle: () => undefined } } };
page["fetch"] = () => Promise.reject(new Error("no server"));
const { change, draftOf, editDraftId, forgetDraft, forgetOthers, isOf, keepTest, keptDraft, keptTest, newDraft, reduce, restored } = await import("./draft");
const { setSession } = await import("../lib/session");

const stored = {
    name: "corp", type: "active_directory", enabled: true, version: 3, created: "2026-01-01T00:00:00Z", must_enter: [],
    settings: { type: "active_directory", domain: "corp.example", port: 636, password: "entered:" }, secrets: { password: { set: true } },
} as unknown as Connector;
const saved: Saved = { type: "active_directory", name: "corp", named: true, settings: { port: 636, domain: "other.example" }, version: 3 };

function logIn(name: string): void {
    setSession({ name, role: "operator", csrf: "", preferences: {} } as unknown as Session);
}

test("a stored connector's draft has no sealed value", () => assert.deepEqual(draftOf(stored).values, { domain: "corp.example", port: 636 }));

test("what was begun before comes back", () => {
    const d = restored(draftOf(stored), saved);
    assert.equal(d.values.domain, "other.example");
    assert.equal(d.isRestored, true);
});
test("not of another version or type", () => {
    assert.equal(restored(draftOf(stored), { ...saved, version: 2 }).values.domain, "corp.example");
    assert.equal(restored(draftOf(stored), { ...saved, type: "entra_id" }).values.domain, "corp.example");
});
test("the same values, in any order, were not begun", () => {
    assert.equal(restored(draftOf(stored), { ...saved, settings: { port: 636, domain: "corp.example" } }).isRestored, false);
    assert.equal(restored(newDraft("new-1"), { type: "entra_id", name: "", named: false, settings: {}, version: 0 }).isRestored, false);
});

test("a draft is of one version of one connector", () => {
    const d = draftOf(stored);
    assert.ok(isOf(d, stored));
    assert.ok(!isOf(d, { ...stored, version: 4 }));
    assert.ok(!isOf(d, { ...stored, created: "2026-02-02T00:00:00Z" }), "deleted and made anew");
});

test("what is discarded stays so, whatever a left field says afterwards", async () => {
    const id = editDraftId("corp");
    const d = reduce(null, { do: "load", draft: draftOf(stored) });
    reduce(d, { do: "set", key: "domain", value: "typed.example" });
    assert.equal(keptDraft(id)?.values.domain, "typed.example");
    keepTest(id, "k", 7);
    await forgetDraft(id);
    reduce(d, { do: "touch", key: "domain" });
    reduce(d, { do: "judged", problems: [] });
    assert.equal(keptDraft(id), null);
    assert.equal(keptTest(id, "k"), null);
});

test("the next user of the tab finds nothing; the same one everything", () => {
    logIn("alice");
    forgetOthers();
    const d = reduce(null, { do: "load", draft: newDraft("new-1") });
    reduce(d, { do: "secret", key: "password", value: "typed" });
    keepTest("new-1", "k", 7);
    setSession(null);
    forgetOthers();
    logIn("alice");
    forgetOthers();
    assert.equal(keptDraft("new-1")?.entered.password, "typed");
    logIn("bob");
    forgetOthers();
    assert.equal(keptDraft("new-1"), null);
    assert.equal(keptTest("new-1", "k"), null);
});

test("a stored secret is dropped until one is entered or it is kept", () => {
    const dropped = change(change(draftOf(stored), { do: "secret", key: "password", value: "x" }), { do: "drop", key: "password" }) as Draft;
    assert.deepEqual([dropped.entered, dropped.dropped], [{}, { password: true }]);
    assert.deepEqual(change(dropped, { do: "keep", key: "password" })?.dropped, {});
    assert.deepEqual(change(dropped, { do: "secret", key: "password", value: "y" })?.dropped, {});
});
