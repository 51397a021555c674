import assert from "node:assert/strict";
import { test } from "node:test";

const page = globalThis as Record<string, unknown>;
page["window"] = { addEventListener: () => undefined };
page["addEventListener"] = () => undefined;
page["document"] = { addEventListener: () => undefined };
const { rolesOf } = await import("./settings-oidc");
const { isBound } = await import("./settings-vault");
const { isRunOf } = await import("./wizard-create");

test("roles, a line each", () => assert.deepEqual(rolesOf("A.B = admin\n\n x=y = analyst \n"), { "A.B": "admin", "x=y": "analyst" }));
for (const bad of ["Security analyst", "= admin"]) {
    test(`a line that is none is named: ${bad}`, () => {
        let said = "";
        try {
            rolesOf(`A = admin\n${bad}`);
        } catch (e) {
            said = String(e);
        }
        assert.ok(said.includes(bad), said);
    });
}
test("the vault's secret is bound to address, namespace, mount and role", () => {
    const saved = { address: "https://v", namespace: "", mount: "", role_id: "" };
    assert.ok(isBound(saved, { ...saved }));
    for (const key of Object.keys(saved)) assert.ok(!isBound(saved, { ...saved, [key]: "other" }), key);
});
test("a run from before the connector was made is another one's", () => {
    const made = { created: "2026-01-02T10:00:00.500Z" };
    assert.ok(!isRunOf(made, { queued: "2026-01-02T10:00:00.499Z" }));
    assert.ok(isRunOf(made, { queued: "2026-01-02T10:00:00.500Z" }));
    assert.ok(isRunOf({ created: null }, { queued: "2026-01-01T00:00:00Z" }));
});
