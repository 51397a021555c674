#!/usr/bin/python3
"""graph_refused_test.py - parts of a tenant that are refused, come short, or are not there for a moment: a refusal is never told as a change.

Every case begins with a store that knows the tenant whole; then something is refused, and the store must know as much as before.
"""
# budget: 120 120
import json
import os
import subprocess

import harness
from harness import SOAK, case, main, rollcall, scratch, write
from tenant import SECRET, Tenant

DRIVE = os.path.join(os.path.dirname(harness.ROLLCALL), "src", "source", "source-drive")
SMALL = dict(users=40, groups=16, memberships=160, devices=5, servicePrincipals=4, administrativeUnits=3, contacts=2)
READERS = ["User.Read.All", "GroupMember.Read.All", "Member.Read.Hidden", "RoleManagement.Read.Directory", "AuditLog.Read.All", "Device.Read.All",
           "UserAuthenticationMethod.Read.All", "Application.Read.All", "AdministrativeUnit.Read.All", "Organization.Read.All", "Domain.Read.All",
           "OrgContact.Read.All"]
DENIED = {"kind": "status", "status": 403, "code": "Authorization_RequestDenied", "message": "Insufficient privileges to complete the operation."}
GONE = {"kind": "status", "status": 404, "code": "Request_ResourceNotFound", "message": "Resource does not exist."}
PREMIUM = {"kind": "status", "status": 403, "code": "AadPremiumLicenseRequired", "message": "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license."}
PLAIN = {"kind": "status", "status": 400, "code": "Request_UnsupportedQuery", "message": "$count is not currently supported."}


def known(config):
    """Everything that is visible, but for what belongs to runs."""
    out = {}
    for e in rollcall("entity", "list", "-o", "jsonl", config=config).lines():
        for k in ("first_seen", "last_changed"):
            e.pop(k, None)
        e["member_of"] = sorted((g["uid"], g["via"], g["name"]) for g in e["member_of"])
        out[e["kind"], e["uid"]] = json.dumps(e, sort_keys=True)
    return out


def differing(a, b):
    return sorted((k, a.get(k), b.get(k)) for k in set(a) | set(b) if a.get(k) != b.get(k))[:3]


def sync(config, *args):
    r = rollcall("sync", "cloud", "-o", "json", *args, config=config, code=None)
    assert r.code in (0, 5), r
    return r.code, r.json()


def gaps(run, severity, text):
    return [g for g in run["gaps"] if g["severity"] == severity and text in g["what"]]


DOUBLED = {"kind": "replace", "find": r'("value":\[)(\{.*?\}),\{.*?\}(?=,\{|\])', "with": "$1$2,$2"}  # the second one is the first again
LISTS = [
    # owners, members and units: who belongs to whom stays known
    (dict(DENIED, match="/groups/{id}/owners"), "loss", "are refused"),
    (dict(DENIED, match="/groups/{id}/members", skip=3, count=2), "loss", "2 lists of members or owners are refused"),
    (dict(DENIED, match="/directory/administrativeUnits/{id}/members"), "loss", "are refused"),
    ({"kind": "drop_rows", "match": "/groups/{id}/owners"}, "loss", "shorter than the service counts"),
    # a list that is not found belongs to a group that is there: it is not deleted for that
    (dict(GONE, match="/groups/{id}/members", skip=2, count=1), "loss", "are refused"),
    (dict(GONE, match="/directory/administrativeUnits/{id}/members", count=1), "loss", "are refused"),
    # somebody who is listed twice does not stand in for somebody who is not listed
    (dict(DOUBLED, match="/groups/{id}/members"), "loss", "shorter than the service counts"),
    (dict(DOUBLED, match="/devices"), "loss", "of 5 devices came"),
]
PARTS = [
    # without definitions nobody is renamed; eligible roles of a licensed tenant are not gone because they are not shown
    (dict(DENIED, match="/roleManagement/directory/roleDefinitions"), "loss", "roles cannot be read"),
    (dict(DENIED, match="/roleManagement/directory/roleAssignments"), "loss", "roles cannot be read"),
    (dict(PREMIUM, match="/roleManagement/directory/roleEligibilityScheduleInstances"), "loss", "eligible"),
    # what the tenant says of itself
    (dict(DENIED, match="/organization"), "info", "name, licences and domains"),
    (dict(DENIED, match="/domains"), "info", "federated"),
    # people: who is not shown is still a member
    (dict(DENIED, match="/users"), "loss", "the users cannot be read"),
    ({"kind": "no_id", "match": "/users"}, "loss", "have no valid id"),
    # a kind that this cloud has not
    (dict(GONE, match="/contacts"), "loss", "the contacts cannot be read"),
]
REPORTS = [
    (dict(kind="status", status=503, match="/reports/authenticationMethods/userRegistrationDetails"), "info", "MFA registration report"),
    (dict(kind="status", status=503, match="^/v1.0/users\\?.*signInActivity"), "info", "sign-in data"),
]


def refused(rows, **settings):
    """A store that knows everything, then full runs with one fault each: the gap is told, and nothing is known less than before."""
    with Tenant(**SMALL) as t:
        config = t.config(scratch(), **settings)
        assert sync(config)[0] == 0
        before = known(config)
        for fault, severity, text in rows:
            t.set(faults=[fault])
            code, run = sync(config, "--full")
            assert code == (5 if severity == "loss" else 0) and gaps(run, severity, text), (fault, code, run["gaps"])
            assert known(config) == before, (fault, differing(before, known(config)))
        t.set(faults=[])
        assert sync(config, "--full")[0] == 0
        assert known(config) == before, differing(before, known(config))


@case("%d ways to refuse or shorten a list of members, owners or devices: nobody is gone for that" % len(LISTS))
def lists():
    refused(LISTS, mfa="off", sign_in_activity="off")


@case("%d parts of a tenant that are refused: what is known of them stays" % len(PARTS))
def parts():
    refused(PARTS)
    with Tenant(licence="P1", **SMALL) as t:  # where there is no P2 there are no eligible roles: complete
        code, run = sync(t.config(scratch()))
        assert code == 0 and gaps(run, "info", "eligible"), run


if SOAK:  # the back-off of eight tries takes a minute

    @case("reports that do not work: what they told before stays, the rest is read")
    def reports():
        refused(REPORTS, mfa="report")


@case("the methods of one administrator that may not be read do not end the asking for the others'")
def methods():
    with Tenant(**SMALL) as t:
        config = t.config(scratch(), mfa="methods")
        t.set(faults=[dict(DENIED, match="/users/{id}/authentication/methods", skip=3, count=2)])
        code, run = sync(config)
        told = [e for e in rollcall("entity", "list", "--kind", "user", "-o", "jsonl", config=config).lines() if "mfaSource" in e["attributes"]]
        assert code == 0 and len(told) == SMALL["users"] - 2 and gaps(run, "info", "MFA state of 2 users"), (len(told), run)
        # nobody may be asked at all: the next run is not a full one for that
        t.set(faults=[dict(DENIED, match="/users/{id}/authentication/methods")])
        t.reset_counters()
        assert sync(config, "--full")[0] == 0
        assert sum("authentication/methods" in e["url"] for e in t.log()) <= 60, "it stops asking"
        last = t.log()[-1]["n"]
        _, run = sync(config)
        assert run["mode"] == "incremental" and not [e for e in t.log(last) if e["url"].startswith("/v1.0/users?")], run


@case("no advanced queries, as in B2C tenants: everything is listed without counts, and the run says what that costs")
def plain():
    with Tenant(**SMALL) as t:
        config = t.config(scratch())
        t.set(faults=[dict(PLAIN, match="^.*count=true")])
        code, run = sync(config)
        assert code == 5 and gaps(run, "loss", "service principals among them are not shown") and gaps(run, "info", "does not count"), run["gaps"]
        assert run["counts"]["user"]["read"] == SMALL["users"] and run["counts"]["group"]["read"] == SMALL["groups"], run["counts"]


@case("a permission that is missing for long: runs stay incremental, what is lost is listed each time, and made good when it is granted")
def lasting():
    def told_by_log(last):
        return [e["url"].split("?")[0].replace("/v1.0", "") for e in t.log(last)]

    with Tenant(**SMALL) as t:
        t.app(roles=[r for r in READERS if r not in ("OrgContact.Read.All", "Device.Read.All", "Member.Read.Hidden")])
        config = t.config(scratch(), reports_every="365d")
        code, run = sync(config)
        assert code == 5 and run["mode"] == "full", run
        t.apply("update", id=t.id("user", 3), properties={"department": "Elsewhere"})
        last = t.log()[-1]["n"]
        code, run = sync(config)
        asked = told_by_log(last)
        assert code == 5 and run["mode"] == "incremental" and run["counts"]["user"]["changed"] == 1, run
        assert "/users/delta" in asked and "/devices" in asked and "/groups" in asked and "/servicePrincipals" not in asked, asked
        assert gaps(run, "loss", "groups hide their members") and gaps(run, "loss", "the devices cannot be read"), run["gaps"]
        t.app(roles=READERS)
        code, run = sync(config)
        assert code == 0 and run["mode"] == "incremental" and run["counts"]["device"]["created"] == SMALL["devices"], (code, run)
        assert run["counts"]["contact"]["created"] == SMALL["contacts"], run
        state = known(config)
        sync(config, "--full")
        assert known(config) == state, differing(state, known(config))
        _, run = sync(config)
        assert run["mode"] == "incremental" and not run["gaps"], run


@case("restored: somebody with more groups than a page, and a group: their memberships come back with them")
def restored():
    with Tenant(users=12, groups=30, memberships=40, devices=2, servicePrincipals=3, administrativeUnits=2, contacts=1) as t:
        config = t.config(scratch(), page_size=5, reports_every="365d")
        user, group = t.id("user", 3), t.id("group", 12)
        for n in range(10, 24):
            t.apply("member_add", group=t.id("group", n), member=user)
        t.apply("member_add", group=t.id("group", 14), member=group)
        sync(config)
        before = {k: json.loads(e)["member_of"] for k, e in known(config).items()}
        for id in (user, group):
            t.apply("delete", id=id)
        _, run = sync(config)
        assert run["mode"] == "incremental" and ("user", user) not in known(config) and ("group", group) not in known(config), run
        for id in (user, group):
            t.apply("restore", id=id)
        _, run = sync(config)
        after = {k: json.loads(e)["member_of"] for k, e in known(config).items()}
        assert run["mode"] == "incremental" and after == before, (run, differing(before, after))


@case("whoever a delta names and does not come is asked for once more")
def late():
    with Tenant(**SMALL) as t:
        config = t.config(scratch(), reports_every="365d")
        sync(config)
        user = t.id("user", 5)
        t.apply("update", id=user, properties={"department": "Elsewhere"})
        t.set(faults=[{"kind": "wrong_types", "match": "^/v1.0/users\\?.*id in", "property": "value", "value": [], "count": 1}])
        _, run = sync(config)
        assert run["mode"] == "incremental" and run["counts"]["user"]["deleted"] == 0 and run["counts"]["user"]["changed"] == 1, run


@case("a job that breaks off frees what was under way")
def broken():
    with Tenant(**SMALL) as t:
        settings = {k: v for k, v in t.settings(page_size=5, run_timeout="20s", answer_timeout="2s").items() if k != "client_secret"}
        file = write(os.path.join(scratch(), "settings.json"), json.dumps(dict(settings, answer_timeout=2000, page_size=5)))
        for match in ("/groups/{id}/members", "/users", "/users/{id}/authentication/methods", "/users/delta", "/roleManagement/directory/roleAssignments"):
            t.set(latency_ms=20, faults=[{"kind": "status", "status": 400, "match": match, "skip": 1, "code": "Request_BadRequest", "message": "No."}])
            r = subprocess.run([DRIVE, file, "read"], env=dict(os.environ, DRIVE_PASSWORD=SECRET, DRIVE_DEADLINE_MS="20000"), capture_output=True, timeout=60)
            assert b"LeakSanitizer" not in r.stderr and b"runtime error" not in r.stderr, (match, r.stderr.decode()[-3000:])
            assert r.returncode in (0, 1), (match, r.returncode, r.stderr[-300:])


if __name__ == "__main__":
    main()
