#!/usr/bin/python3
"""graph_test.py - Entra ID end to end against the simulated tenant (tests/lab/graph), whose oracle knows the truth.

A full read has to show exactly what the tenant is; after every piece of history an incremental store has to tell the same changes and
show the same state as a store that reads everything.
"""
# budget: 120 400
import collections
import json
import os
import subprocess

from harness import SOAK, case, main, rollcall, scratch
from tenant import Tenant
from twin import Store, difference, state_difference

# what the reports tell: an incremental run reads them only every reports_every
REPORTED = ("isMfaRegistered", "isMfaCapable", "isPasswordlessCapable", "isSsprRegistered", "methodsRegistered", "userPreferredMethodForSecondaryAuthentication",
            "mfaSource", "lastUpdatedDateTime", "lastSignInDateTime", "lastNonInteractiveSignInDateTime", "lastSuccessfulSignInDateTime",
            "last_logon", "last_logon_source", "has_mfa")


class Cloud:
    """The tenant as twin.Store wants a lab."""

    def __init__(self, tenant):
        self.tenant = tenant

    def config(self, directory, extra="", **keys):
        return self.tenant.config(directory, connector="corp", extra=extra, **keys)


def entities(config, *args):
    return {e["uid"]: e for e in rollcall("entity", "list", "-o", "jsonl", *args, config=config).lines()}


def memberships(config):
    """group -> members, as the store has them; from the members' side."""
    found = collections.defaultdict(set)
    for e in entities(config).values():
        for g in e["member_of"]:
            found[g["uid"]].add(e["uid"])
    return found


def check_kind(shown, truth, kind, names):
    mine = {uid: e for uid, e in shown.items() if e["kind"] == kind}
    assert set(mine) == set(truth), (kind, len(mine), len(truth), sorted(set(mine) ^ set(truth))[:5])
    for uid, true in truth.items():
        attributes = mine[uid]["attributes"]
        for ours, theirs in names.items():
            a, b = attributes.get(ours), true.get(theirs)
            if isinstance(a, list) and isinstance(b, str):
                b = [b]
            if isinstance(b, list):
                a, b = sorted(a or []), sorted(b)
            assert (a or None) == (b or None) or (a, b) == (False, False), (kind, uid, ours, a, b)


def check_against(oracle, config):
    shown, members = entities(config), memberships(config)
    same = lambda *names: {n: n for n in names}
    check_kind(shown, oracle["users"], "user", dict(same("displayName", "userPrincipalName", "mail", "accountEnabled", "userType", "department",
                                                         "jobTitle", "officeLocation", "onPremisesSecurityIdentifier", "manager")))
    check_kind(shown, oracle["groups"], "group", same("displayName", "description", "mail", "securityEnabled", "visibility", "isAssignableToRole",
                                                      "groupTypes", "owners"))
    check_kind(shown, oracle["devices"], "device", same("displayName", "accountEnabled", "operatingSystem"))
    check_kind(shown, oracle["servicePrincipals"], "service_principal", same("displayName", "appId", "accountEnabled", "servicePrincipalType"))
    check_kind(shown, oracle["administrativeUnits"], "administrative_unit", same("displayName", "visibility"))
    check_kind(shown, oracle["contacts"], "contact", same("displayName", "mail"))
    for kind in ("groups", "administrativeUnits"):
        for uid, true in oracle[kind].items():
            assert members.get(uid, set()) == set(true["members"]), (kind, uid, members.get(uid, set()) ^ set(true["members"]))
    roles = {uid: e["attributes"] for uid, e in shown.items() if e["kind"] == "role"}
    held = {(roles[r]["roleTemplateId"], roles[r].get("directoryScopeId", "/"), roles[r].get("assignmentType", "active"), m)
            for r, who in members.items() if r in roles for m in who}
    want = {(a["roleDefinitionId"], a["directoryScopeId"], kind, a["principalId"])
            for key, kind in (("roleAssignments", "active"), ("roleEligibilities", "eligible")) for a in oracle[key]}
    assert held == want, (sorted(held - want)[:5], sorted(want - held)[:5])
    return shown


@case("a full read shows exactly what the tenant is")
def full():
    with Tenant(users=1500, groups=120, memberships=6000, devices=60, servicePrincipals=40, administrativeUnits=6, contacts=12) as t:
        config = t.config(scratch())
        run = rollcall("sync", "cloud", "-o", "json", config=config).json()
        assert run["status"] == "complete" and run["mode"] == "full" and not [g for g in run["gaps"] if g["severity"] == "loss"], run
        oracle = t.oracle()
        shown = check_against(oracle, config)
        for uid, mfa in oracle["mfa"].items():
            attributes = shown[uid]["attributes"]
            if mfa is not None:
                assert attributes.get("isMfaRegistered") == mfa and attributes["mfaSource"] == "report", (uid, mfa, attributes)
            else:  # disabled ones are not in the report: they were asked one by one
                assert attributes.get("mfaSource") == "methods", (uid, attributes)
            signed = oracle["users"][uid]["lastSignIn"]
            if signed and not signed.startswith("0001"):
                assert attributes["lastSignInDateTime"][:19] == signed[:19], (uid, signed, attributes)
            else:
                assert "lastSignInDateTime" not in attributes, (uid, attributes)
        counters = t.counters()
        assert counters["foreign"] == 0 and counters["statuses"].keys() == {"200"}, counters
        again = rollcall("sync", "cloud", "-o", "json", config=config).json()
        assert again["mode"] == "incremental" and not any(c["changed"] or c["created"] or c["deleted"] for c in again["counts"].values()), again


def twins(t, pieces, steps, seed_settings, ignored=()):
    """Full and incremental stores of one tenant through its history."""
    cloud = Cloud(t)
    stores = [Store(cloud, "full", "full"), Store(cloud, "delta", "delta", **seed_settings)]
    for s in stores:
        s.lagging = ("", ignored)
        s.sync()
    for piece in range(pieces):
        t.advance(steps)
        for s in stores:
            s.sync()
        assert stores[1].run["mode"] == "incremental", stores[1].run
        full, delta = (collections.Counter(x for x in s.told().elements() if json.loads(x).get("attribute") not in ignored) for s in stores)
        assert full == delta, "piece %d: changes differ\n   %s" % (piece, difference(delta, full))
        a, b = stores[1].state(), stores[0].state()
        assert a == b, "piece %d: states differ\n   %s" % (piece, state_difference(a, b))
    return stores


@case("through a scripted history, incremental runs tell what full runs tell")
def history():
    with Tenant(users=600, groups=60, memberships=2400, devices=30, servicePrincipals=20, administrativeUnits=5, seed=11) as t:
        stores = twins(t, 12 if SOAK else 4, 60, {"reports_every": "365d"}, REPORTED)
        check_against(t.oracle(), stores[1].config)


@case("the same where the reports are read in every run")
def history_with_reports():
    with Tenant(users=300, groups=30, memberships=900, seed=12) as t:
        stores = twins(t, 10 if SOAK else 2, 60, {"reports_every": "0s"}, ("mfaSource", "lastUpdatedDateTime"))
        check_against(t.oracle(), stores[1].config)


@case("one request at a time reads the same, with slow methods beside")
def one_at_a_time():
    with Tenant(users=400, groups=60, memberships=1200, knobs={"latency_ms": 5}) as t:
        config = t.config(scratch(), parallel=1)
        rollcall("sync", "cloud", config=config)
        check_against(t.oracle(), config)
        assert t.counters()["max_in_flight"] == 1, t.counters()


@case("a dead delta token costs its kind a full listing, and the run says so")
def resync():
    with Tenant(users=120, groups=12, memberships=300) as t:
        config = t.config(scratch(), reports_every="365d")
        rollcall("sync", "cloud", config=config)
        t.advance(20)
        t.expire("delta")
        run = rollcall("sync", "cloud", "-o", "json", config=config).json()
        assert any("delta token" in g["what"] for g in run["gaps"]), run["gaps"]
        check_against(t.oracle(), config)
        t.advance(10)
        run = rollcall("sync", "cloud", "-o", "json", config=config).json()
        assert run["mode"] == "incremental" and not run["gaps"], run
        check_against(t.oracle(), config)


# what the manual says (rollcall.yaml(5), PERMISSIONS): the least that reads everything, and what is missing without each
PERMISSIONS = {"User.Read.All": ("loss", "users"), "GroupMember.Read.All": ("loss", "groups"), "Member.Read.Hidden": ("loss", "hide their members"),
               "RoleManagement.Read.Directory": ("loss", "roles"), "AdministrativeUnit.Read.All": ("loss", "administrative units"),
               "Application.Read.All": ("loss", "service principals"), "Device.Read.All": ("loss", "devices"),
               "OrgContact.Read.All": ("loss", "contacts"), "AuditLog.Read.All": ("info", "MFA registration report"),
               "Organization.Read.All": ("info", "name, licences and domains"), "Domain.Read.All": ("info", "federated")}
SMALL = dict(users=60, groups=16, memberships=200, devices=6, servicePrincipals=5, administrativeUnits=3, contacts=4)


@case("the least permissions read everything; without one of them the run names what is missing, and delivers the rest")
def permissions():
    with Tenant(roles=list(PERMISSIONS), **SMALL) as t:
        config = t.config(scratch())
        whole = rollcall("sync", "cloud", "-o", "json", config=config).json()
        assert whole["status"] == "complete" and not [g for g in whole["gaps"] if g["severity"] == "loss"], whole["gaps"]
        check_against(t.oracle(), config)
        before = entities(config)
        for missing, (severity, text) in PERMISSIONS.items():
            t.app(roles=[p for p in PERMISSIONS if p != missing])
            r = rollcall("sync", "cloud", "--full", "-o", "json", config=config, code=None)
            run = r.json()
            assert r.code == (5 if severity == "loss" else 0), (missing, r)
            assert any(g["severity"] == severity and text in g["what"] for g in run["gaps"]), (missing, run["gaps"])
            assert any(missing in g["fix"] or "AuditLog" in g["fix"] for g in run["gaps"]), (missing, run["gaps"])
            assert set(entities(config)) == set(before), (missing, "nobody is tombstoned for a permission")
            reported = [u for u, e in entities(config).items() if e["kind"] == "user" and "isMfaRegistered" in e["attributes"]]
            assert len(reported) == len([u for u, e in before.items() if "isMfaRegistered" in e["attributes"]]), missing
        t.app(roles=list(PERMISSIONS))
        run = rollcall("sync", "cloud", "--full", "-o", "json", config=config).json()
        assert run["status"] == "complete" and set(entities(config)) == set(before), run
        check_against(t.oracle(), config)


@case("every way to sign in reads the same: secret, certificate (PEM, PKCS#12), federated token, managed identity, a short-lived token")
def doors():
    with Tenant(**SMALL) as t:
        secret = scratch()
        with open(secret + "/passphrase", "w") as f:
            f.write("p12 phrase")
        os.chmod(secret + "/passphrase", 0o600)
        pem, p12 = t.certificate(), secret + "/app.p12"
        subprocess.run(["openssl", "pkcs12", "-export", "-in", pem, "-out", p12, "-passout", "file:" + secret + "/passphrase"], check=True)
        for path in (pem, p12):
            os.chmod(path, 0o600)
        ways = {"secret": {}, "pem": {"client_secret": None, "client_certificate": pem},
                "p12": {"client_secret": None, "client_certificate": p12, "client_certificate_password": "file:" + secret + "/passphrase"},
                "federated": {"client_secret": None, "federated_token_file": t.federated()},
                "managed identity": {"client_secret": None, "client_id": None, "managed_identity": "true", "identity_url": t.imds}}
        for way, keys in ways.items():
            config = t.config(scratch(), **keys)
            r = rollcall("sync", "cloud", "-o", "json", config=config, code=None)
            assert r.code == 0, (way, r)
            check_against(t.oracle(), config)
        t.app(token_seconds=2)
        t.set(latency_ms=60)
        t.reset_counters()
        config = t.config(scratch(), parallel=1)
        rollcall("sync", "cloud", config=config)
        check_against(t.oracle(), config)
        assert t.counters()["tokens"] > 1, t.counters()


if __name__ == "__main__":
    main()
