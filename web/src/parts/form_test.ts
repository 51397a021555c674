import assert from "node:assert/strict";
import { test } from "node:test";
import type { Connector } from "../lib/types";
import type { DraftAction } from "./draft";
import type { Form } from "./form";
import type { Spec } from "./spec";

const page = globalThis as Record<string, unknown>;
page["window"] = { addEventListener: () => undefined };
page["addEventListener"] = () => undefined;
const { bodyOf, errorsIn, hasStoredSecret, couldKeepSecret } = await import("./form");
const { change, draftOf, newDraft } = await import("./draft");

const spec: Spec = {
    title: "entra_id",
    properties: {
        tenant_id: { type: "string", "x-group": "Connection" },
        ca_certificate: { type: "string", "x-group": "Connection", "x-path": true },
        client_secret: { type: "string", "x-secret": true, "x-group": "Sign-in" },
        client_certificate: { type: "string", "x-group": "Sign-in", "x-path": true },
        hosts: { type: "array", items: { type: "string" }, "x-group": "Scope" },
    },
    required: ["tenant_id"],
};

function stored(settings: Record<string, unknown>, secrets: Connector["secrets"]): Connector {
    return { name: "cloud", type: "entra_id", settings: { tenant_id: "t", ...settings }, secrets, enabled: true, version: 1, must_enter: [] } as unknown as Connector;
}
function formOf(c: Connector | null, ...actions: DraftAction[]): Form {
    let draft = c === null ? newDraft("new-1") : draftOf(c);
    for (const action of actions) draft = change(draft, action) ?? draft;
    return { spec, draft, tell: () => undefined, judge: () => undefined };
}
const sealed = stored({}, { client_secret: { set: true, reference: null } });
const referred = stored({ client_secret: "vault:a/b#c" }, { client_secret: { set: true, reference: "vault:a/b#c" } });
const all = Object.keys(spec.properties);

test("a stored secret serves until it is dropped or its binding changes", () => {
    assert.ok(hasStoredSecret(formOf(sealed), "client_secret"));
    assert.ok(!hasStoredSecret(formOf(sealed, { do: "set", key: "tenant_id", value: "u" }), "client_secret"));
    const dropped = formOf(sealed, { do: "drop", key: "client_secret" });
    assert.ok(!hasStoredSecret(dropped, "client_secret"));
    assert.ok(couldKeepSecret(dropped, "client_secret"));
});
test("a reference is no stored secret", () => {
    assert.ok(!hasStoredSecret(formOf(referred, { do: "set", key: "client_secret", value: undefined }), "client_secret"));
});
test("from a client secret to a pasted certificate: one goes, the other comes", () => {
    const form = formOf(sealed, { do: "drop", key: "client_secret" }, { do: "secret", key: "client_certificate_pem", value: "PEM" });
    assert.deepEqual(bodyOf(form).secrets, { client_certificate_pem: "PEM", client_secret: "" });
});

// what was chosen, what is given then, is it missing
const chosen: [string, string, DraftAction | null, boolean][] = [
    ["client_secret", "vault", null, true],
    ["client_secret", "vault", { do: "set", key: "client_secret", value: "vault:a/b#c" }, false],
    ["client_secret", "entered", null, false],
    ["ca_certificate", "fetch", null, true],
    ["ca_certificate", "paste", { do: "secret", key: "ca_certificate_pem", value: "" }, true],
    ["ca_certificate", "paste", { do: "secret", key: "ca_certificate_pem", value: "PEM" }, false],
    ["ca_certificate", "path", null, true],
    ["ca_certificate", "system", null, false],
];
for (const [key, mode, then, isMissing] of chosen) {
    test(`${key} from ${mode}, ${JSON.stringify(then)}`, () => {
        const form = formOf(sealed, { do: "mode", key, mode }, ...(then === null ? [] : [then]));
        assert.deepEqual(errorsIn(form, all), isMissing ? [key] : []);
    });
}

test("what is sent is trimmed, and a new one named as it may be", () => {
    const form = formOf(
        null,
        { do: "name", name: " my tenant ", byUser: true },
        { do: "set", key: "tenant_id", value: " t " },
        { do: "set", key: "ca_certificate", value: "  " },
        { do: "set", key: "hosts", value: [" a ", " "] },
    );
    assert.deepEqual(bodyOf(form), { name: "my_tenant", type: "", settings: { tenant_id: "t", hosts: ["a"] }, secrets: {} });
});
