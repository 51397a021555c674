#!/usr/bin/python3
"""identity_test.py - one person, two directories: a real domain and a simulated tenant in one store, every rule, conflict and orphan as
stated; and the commands over a larger synthetic pair: forms of output, filters, bounded memory.
"""
# budget: 120 120
import base64
import collections
import csv
import io
import json
import os
import subprocess
import uuid

import jsonschema

from harness import ROLLCALL, ROOT, SOAK, Lab, case, is_sanitized, main, measured, rollcall, scratch, write

BENCH = os.path.join(os.path.dirname(ROLLCALL), "bench", "bench-identity")
PAIR = 20000  # 1 in 100 is in one directory only, 1 in 1000 has keys that disagree
USERS = 2000


def valid(name, rows):
    with open(os.path.join(ROOT, "docs", "contract", name + ".json")) as f:
        schema = jsonschema.Draft202012Validator(json.load(f))
    for row in rows:
        schema.validate(row)
    return rows


def made(users):
    """Settings of a store with two synthetic directories of this size: connectors corp and cloud."""
    d = scratch()
    subprocess.run([BENCH, "make", os.path.join(d, "rollcall.db"), str(users)], check=True)
    return write(os.path.join(d, "rollcall.yaml"), "store: sqlite:rollcall.db\nidentity_rules:\n"
                 "  - {name: by-mail, active_directory: mail, entra_id: mail, confidence: 60, ignore_case: true}\n")


config = made(USERS)


# --- the commands --------------------------------------------------------------------------------------------------

@case("identity list and orphans are what docs/contract says, in four forms")
def _():
    rows = valid("identity", rollcall("identity", "list", "-o", "json", config=config).json())
    assert rows == rollcall("identity", "list", "-o", "jsonl", config=config).lines()
    torn = len([u for u in range(USERS // 100, USERS) if u % 1000 == 7])  # one row more for each
    assert len(rows) == USERS - USERS // 100 + torn, len(rows)
    table = list(csv.DictReader(io.StringIO(rollcall("identity", "list", "-o", "csv", "--fields", "entra.uid,active_directory.sid", config=config).out)))
    assert [r["entra.uid"] for r in table] == [r["entra"]["uid"] for r in rows]
    assert len(rollcall("identity", "list", config=config).out.splitlines()) == len(rows) + 1
    orphans = valid("identity_orphan", rollcall("identity", "orphans", "-o", "json", config=config).json())
    reasons = collections.Counter((o["directory"], o["reason"]) for o in orphans)
    assert reasons == {("entra_id", "not_in_active_directory"): USERS // 100, ("active_directory", "not_in_tenant"): USERS // 100}, reasons


@case("--connector, --kind, --rule, --conflicts, --limit")
def _():
    def count(*args, what="list"):
        return len(rollcall("identity", what, "-o", "jsonl", *args, config=config).lines())
    whole = count()
    assert count("--connector", "corp") == count("--connector", "cloud") == count("--kind", "user,group") == whole
    assert count("--kind", "group,device,computer,contact") == 0 and count("--rule", "by-mail") == 0
    conflicts = rollcall("identity", "list", "--conflicts", "-o", "jsonl", config=config).lines()
    assert conflicts and all("conflict" in r for r in conflicts) and count("--rule", "object_guid") < len(conflicts)
    assert count("--limit", "7") == 7 and count("--limit", "7", what="orphans") == 7
    assert count("--connector", "corp", what="orphans") == count("--connector", "cloud", what="orphans") == USERS // 100


@case("what is no connector, kind or rule is refused with the names there are")
def _():
    for args, code, words in ((["--connector", "crop"], 3, ["crop"]), (["--kind", "ou"], 2, ["ou", "device"]), (["--kind", "usr"], 2, ["user"]),
                              (["--rule", "sidd"], 2, ["sid"]), (["--rule", "by-mali"], 2, ["by-mail"]), (["--limit", "x"], 2, ["limit"])):
        r = rollcall("identity", "list", *args, config=config, code=code)
        assert r.out == "" and all(w in r.err for w in words), r


@case("a store with one directory, or none, has no edges and says so with an empty list")
def _():
    d = scratch()
    empty = write(os.path.join(d, "rollcall.yaml"), "store: sqlite:rollcall.db\n")
    assert rollcall("identity", "list", "-o", "json", config=empty).out == "[]\n"
    assert rollcall("identity", "orphans", "-o", "json", config=empty).out == "[]\n"


@case("memory is a few bytes for each object: two directories of %d" % (1000000 if SOAK else PAIR))
def _():
    n = 1000000 if SOAK else PAIR
    big = made(n)
    r = measured("identity", "orphans", "-o", "jsonl", config=big, limit=100)
    assert r.code == 0 and len(r.out.splitlines()) == 2 * (n // 100), r
    print("# %d + %d users: %.1f s, %.0f MiB" % (n, n, r.seconds, r.rss_mib))
    assert is_sanitized() or r.rss_mib < (192 if SOAK else 48), r.rss_mib


# --- a real domain and a simulated tenant -----------------------------------------------------------------------------

ANCHOR = bytes(range(200, 216))  # no UUID that any directory would give


class Pair:
    """A domain with people of ours in it, and a tenant that is told of them. Made once, by the first case that asks."""

    def __init__(self):
        from domain import DISABLED, Domain
        from tenant import Tenant
        self.lab, self.dir = Lab(), scratch()
        self.domain = Domain(self.lab)
        with self.domain.prepare():
            d = self.domain
            self.ou = d.ou("Identity")
            for name in ("full", "guid", "moved", "gone", "mailed", "twice", "left", "right", "cloudless"):
                d.user("i." + name, self.ou, mail="%s@mail.example" % name)
            d.user("i.anchor", self.ou, mS_DS_ConsistencyGuid=ANCHOR)
            d.user("i.disabled", self.ou, userAccountControl=DISABLED | 0x20)
            d.group("i.staff", self.ou)
            d.computer("IPC1", self.ou)
        self.tenant = Tenant(users=20, groups=4, devices=3, synced=0.5, ad_domain="elsewhere.example", memberships=20, objects=self.objects())
        self.config = self.lab.config(self.dir, extra=self.cloud(), top="identity_rules:\n"
                                      "  - {name: by-mail, active_directory: mail, entra_id: mail, confidence: 60, ignore_case: true}")
        rollcall("sync", "corp", config=self.config, code=5)  # the lab hides a group's members
        self.domain.db.delete(self.dn("i.gone"))
        rollcall("sync", "corp", config=self.config, code=5)  # the lab hides a group's members
        r = rollcall("sync", "cloud", config=self.config, code=None)
        assert r.code in (0, 5), r  # gaps of a tenant are not what is tested here
        self.list = valid("identity", rollcall("identity", "list", "-o", "json", config=self.config).json())
        self.orphans = valid("identity_orphan", rollcall("identity", "orphans", "-o", "json", config=self.config).json())

    def cloud(self):
        keys = self.tenant.settings(mfa="off", sign_in_activity="off")
        return "  cloud:\n" + "".join("    %s: %s\n" % (k, json.dumps(v)) for k, v in keys.items())

    def entry(self, sam):
        return self.domain.db.search(base=self.domain.base, expression="(sAMAccountName=%s)" % sam, attrs=["objectSid", "objectGUID", "distinguishedName", "sIDHistory"])[0]

    def sid(self, sam, attribute="objectSid"):
        entry = self.entry(sam)
        return self.domain.db.schema_format_value(attribute, entry[attribute][0]).decode()

    def guid(self, sam):
        return bytes(self.entry(sam)["objectGUID"][0])

    def dn(self, sam):
        return str(self.entry(sam).dn)

    def user(self, name, **keys):
        """An object as synchronisation would have made it, but for what keys say."""
        upn = name.lower().replace(" ", ".") + "@contoso.example"
        return dict({"displayName": name, "userPrincipalName": upn, "accountEnabled": True, "onPremisesSyncEnabled": True, "onPremisesDomainName": self.lab.domain.upper()}, **keys)

    def objects(self):
        b64 = lambda raw: base64.b64encode(raw).decode()
        full = {"onPremisesSecurityIdentifier": self.sid("i.full"), "onPremisesImmutableId": b64(self.guid("i.full")), "onPremisesSamAccountName": "I.FULL",
                "onPremisesDistinguishedName": self.dn("i.full").replace("CN=", "cn="), "onPremisesUserPrincipalName": "i.full@" + self.lab.domain}
        users = [
            self.user("Full", **full),
            self.user("Guid", onPremisesImmutableId=b64(self.guid("i.guid"))),
            self.user("Wrong case", onPremisesImmutableId=b64(self.guid("i.cloudless")).swapcase()),
            self.user("Printed", onPremisesImmutableId=b64(uuid.UUID(bytes_le=self.guid("i.cloudless")).bytes)),
            self.user("Anchor", onPremisesImmutableId=b64(ANCHOR)),
            self.user("History", onPremisesSecurityIdentifier=self.sid("u.history", "sIDHistory")),
            self.user("Moved", onPremisesSecurityIdentifier=self.sid("i.moved"), onPremisesDistinguishedName="CN=i.moved,OU=Before," + self.lab.base),
            self.user("Gone", onPremisesSecurityIdentifier=self.sid("i.gone")),
            self.user("Disabled", onPremisesSecurityIdentifier=self.sid("i.disabled")),
            self.user("Torn", onPremisesSecurityIdentifier=self.sid("i.left"), onPremisesImmutableId=b64(self.guid("i.right"))),
            self.user("Twice 1", onPremisesSecurityIdentifier=self.sid("i.twice")),
            self.user("Twice 2", onPremisesImmutableId=b64(self.guid("i.twice"))),
            self.user("Keyless"),
            self.user("Lost", onPremisesSecurityIdentifier=self.sid("i.full") + "0"),
            {"displayName": "Mailed", "userPrincipalName": "mailed@contoso.example", "mail": "MAILED@mail.example", "accountEnabled": True},
            {"displayName": "Not Full", "userPrincipalName": "notfull@contoso.example", "mail": "full@mail.example", "accountEnabled": True},
        ]
        groups = [{"displayName": "Staff", "onPremisesSyncEnabled": True, "onPremisesSecurityIdentifier": self.sid("i.staff"), "onPremisesSamAccountName": "i.staff",
                   "securityEnabled": True, "mailEnabled": False}]
        devices = [{"displayName": "IPC1", "deviceId": str(uuid.UUID(bytes_le=self.guid("IPC1$"))), "trustType": "ServerAd", "onPremisesSyncEnabled": True, "accountEnabled": True}]
        return {"users": users, "groups": groups, "devices": devices}


_pair = []


def pair():
    if not _pair:
        _pair.append(Pair())
    return _pair[0]


def found(p):
    """Entra name -> sorted (AD name, rule, confidence, conflict)."""
    out = {}
    for r in p.list:
        out.setdefault(r["entra"]["name"], []).append((r["active_directory"]["name"], r["rule"], r["confidence"], r.get("conflict")))
    return {name: sorted(rows) for name, rows in out.items()}


@case("real domain, simulated tenant: each rule finds whom it should, conflicts are told whole, nobody else is found")
def _():
    assert found(pair()) == {
        "Full": [("i.full", "sid", 100, None)],
        "Guid": [("i.guid", "object_guid", 100, None)],
        "Anchor": [("i.anchor", "consistency_guid", 100, None)],
        "History": [("u.history", "sid_history", 100, None)],
        "Moved": [("i.moved", "sid", 90, None)],
        "Disabled": [("i.disabled", "sid", 100, None)],
        "Torn": [("i.left", "sid", 90, "keys_disagree"), ("i.right", "object_guid", 90, "keys_disagree")],
        "Twice 1": [("i.twice", "sid", 100, "several_entra_id")],
        "Twice 2": [("i.twice", "object_guid", 100, "several_entra_id")],
        "Mailed": [("i.mailed", "by-mail", 60, None)],
        "Staff": [("i.staff", "sid", 100, None)],
        "IPC1": [("IPC1$", "device_id", 95, None)],
    }


@case("real domain, simulated tenant: what confirms and contradicts, who is disabled on one side only")
def _():
    rows = {r["entra"]["name"]: r for r in pair().list}
    assert set(rows["Full"]["confirmed_by"]) == {"immutable_id", "distinguished_name", "domain_name", "sam_account_name", "user_principal_name"}, rows["Full"]
    assert rows["Moved"]["contradicts"] == ["distinguished_name"] and rows["Moved"]["confirmed_by"] == ["domain_name"], rows["Moved"]
    assert [name for name, r in rows.items() if r.get("enabled_mismatch")] == ["Disabled"]
    assert rows["Disabled"]["enabled"] == {"entra": True, "active_directory": False}
    full = rows["Full"]["active_directory"]
    assert (full["sid"], full["uid"]) == (pair().sid("i.full"), str(uuid.UUID(bytes_le=pair().guid("i.full"))))
    assert rows["Full"]["entra"]["user_principal_name"] == "full@contoso.example"


@case("real domain, simulated tenant: orphans of both sides with their reasons")
def _():
    p = pair()
    cloud = {o["name"]: o["reason"] for o in p.orphans if o["directory"] == "entra_id"}
    ours = {"Gone": "deleted_in_active_directory", "Keyless": "no_key", "Lost": "not_in_active_directory", "Wrong case": "not_in_active_directory",
            "Printed": "not_in_active_directory"}
    assert {n: cloud.get(n) for n in ours} == ours, cloud
    generated = {n: r for n, r in cloud.items() if n not in ours}
    assert generated and set(generated.values()) <= {"domain_not_read", "not_in_active_directory"}, generated
    corp = {o["name"]: o["reason"] for o in p.orphans if o["directory"] == "active_directory"}
    paired = {r["active_directory"]["name"] for r in p.list}
    users = {e["name"] for e in rollcall("entity", "list", "-c", "corp", "-k", "user", "-o", "jsonl", config=p.config).lines()}
    assert set(corp) == users - paired and corp["i.cloudless"] == "not_in_tenant" and corp["krbtgt"] == "system_account", corp


main()
