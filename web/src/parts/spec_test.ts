import assert from "node:assert/strict";
import { test } from "node:test";
import { changedBinding, secretsOf, type Spec } from "./spec";

const spec: Spec = {
    title: "active_directory",
    properties: {
        host: { type: "string", "x-group": "Connection" },
        security: { type: "string", enum: ["ldaps", "starttls", "ldap"], default: "ldaps", "x-group": "Connection" },
        port: { type: "integer", "x-group": "Connection" },
        failover_hosts: { type: "array", "x-group": "Availability" },
        password: { type: "string", "x-secret": true, "x-group": "Sign-in" },
        frequency: { type: "string", "x-group": "Schedule" },
    },
};
const stored = { host: "dc1", security: "ldaps", port: 636, frequency: "1h" };

test("the port that the server filled in is the one that follows from the security", () => {
    assert.deepEqual(changedBinding(spec, stored, { host: "dc1" }), []);
    assert.deepEqual(changedBinding(spec, { ...stored, security: "starttls", port: 389 }, { host: "dc1", security: "starttls" }), []);
    assert.deepEqual(changedBinding(spec, stored, { host: "dc1", port: 3269 }), ["port"]);
    assert.deepEqual(changedBinding(spec, stored, { host: "dc1", security: "starttls" }), ["security", "port"]);
});
test("what is empty is as what is not there; what is not bound may change", () => {
    assert.deepEqual(changedBinding(spec, stored, { host: "dc1", failover_hosts: [], frequency: "2h" }), []);
    assert.deepEqual(changedBinding(spec, stored, { host: "dc1", failover_hosts: ["dc2"] }), ["failover_hosts"]);
});
test("a dropped secret is sent as removed, but not beside a reference", () => {
    assert.deepEqual(secretsOf(spec, {}, {}, { password: true }), { password: "" });
    assert.deepEqual(secretsOf(spec, { password: "vault:a/b#c" }, {}, { password: true }), {});
    assert.deepEqual(secretsOf(spec, {}, { password: "" }), {});
});
