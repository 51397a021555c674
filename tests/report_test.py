#!/usr/bin/python3
"""report_test.py - every rule of `report run` on a real domain and a simulated tenant: staged cases for each, and sets of accounts that an
LDAP search of our own says as well; forms of output, and the page: self-contained, nothing runs in it, what is in the directory stays text.
"""
# budget: 80 80
import base64
import collections
import csv
import datetime
import hashlib
import html.parser
import io
import json
import os
import re
import subprocess

import jsonschema
import ldb
from samba.dcerpc import security
from samba.ndr import ndr_pack

from domain import DISABLED, LOCAL, NORMAL, SECURITY, Domain
from harness import ROOT, Lab, case, main, rollcall, scratch
from tenant import Tenant

RAW = "local_oid:1.3.6.1.4.1.7165.4.3.12:0"  # dsdb: pwdLastSet as given, no hashing
DONT_EXPIRE, SPN_BAD = 0x10000, "r/<img src=x onerror=alert(1)>"
GLOBAL_ADMIN = "62e90394-69f5-4237-9190-012177145e10"
MEMBER, RESET = "bf9679c0-0de6-11d0-a285-00aa003049e2", "00299570-246d-11d0-a768-00aa006e0529"
GET_CHANGES_ALL = "1131f6ad-9c07-11d1-f79f-00c04fc2dcd2"
NOW = datetime.datetime.now(datetime.timezone.utc)


def valid(name, rows):
    with open(os.path.join(ROOT, "docs", "contract", name + ".json")) as f:
        schema = jsonschema.Draft202012Validator(json.load(f))
    for row in rows:
        schema.validate(row)
    return rows


def filetime(days_ago):
    return int(((NOW - datetime.timedelta(days=days_ago)).timestamp() + 11644473600) * 10 ** 7)


def iso(days_ago):
    return (NOW - datetime.timedelta(days=days_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


# --- what is staged ----------------------------------------------------------------------------------------------------

class Staged:
    def __init__(self):
        self.lab, self.dir = Lab(), scratch()
        self.d = Domain(self.lab)
        with self.d.prepare():
            self.people()
            self.groups()
        self.acls()
        self.tenant = Tenant(users=10, groups=3, devices=0, servicePrincipals=0, memberships=5, role_assignments=0, role_eligibilities=0,
                             objects=self.cloud())
        keys = self.tenant.settings()
        extra = "  cloud:\n" + "".join("    %s: %s\n" % (k, json.dumps(v)) for k, v in keys.items())
        self.config = self.lab.config(self.dir, extra=extra, extract_acls=True, username=self.lab.admin, password="file:" + self.lab.admin_pw_file)
        for connector in ("corp", "cloud"):
            rollcall("sync", connector, config=self.config, code=None)
        self.rows = rollcall("report", "run", "-o", "jsonl", config=self.config).lines()

    def raw(self, dn, **attributes):
        self.d._modify(dn, ldb.FLAG_MOD_REPLACE, attributes, ["relax:0", RAW])

    def people(self):
        d = self.d
        self.ou = d.ou("Reports")
        user = lambda name, **a: d.user(name, self.ou, **a)
        self.dn = {name: user(name, userAccountControl=NORMAL | flags) for name, flags in (
            ("r.plain", 0), ("r.never", DONT_EXPIRE), ("svc-r", DONT_EXPIRE), ("r.bad", 0), ("r.old", 0), ("r.reversible", 0x80), ("r.des", 0x200000),
            ("r.asrep", 0x400000), ("r.empty", 0x20), ("r.unconstrained", 0x80000), ("r.used", 0), ("r.stale", 0), ("r.history", 0), ("r.late", 0))}
        self.dn["r.off"] = user("r.off", userAccountControl=DISABLED | 0x20)
        self.dn["r.nameless"] = d.create("CN=r.nameless,%s" % self.ou, "user", sAMAccountName="r.nameless", userAccountControl=NORMAL)
        self.dn["r.roast"] = user("r.roast", userAccountControl=NORMAL, servicePrincipalName=["r/roast", SPN_BAD])
        self.dn["r.outside"] = user("r.outside", userAccountControl=NORMAL, employeeType="External")
        self.raw(self.dn["r.bad"], badPwdCount=25)
        self.raw(self.dn["r.plain"], badPwdCount=20, lastLogonTimestamp=filetime(10))
        self.raw(self.dn["r.outside"], lastLogonTimestamp=filetime(10))
        self.raw(self.dn["r.old"], pwdLastSet=filetime(91))
        self.raw(self.dn["r.used"], lastLogonTimestamp=filetime(89), pwdLastSet=filetime(89))
        self.raw(self.dn["r.stale"], lastLogonTimestamp=filetime(91))
        self.raw(self.dn["r.history"], sIDHistory=ndr_pack(security.dom_sid("%s-512" % d.sid_of_domain)))

    def groups(self):
        d, dn = self.d, self.dn
        group = lambda name, *members, **a: d.group(name, self.ou, *members, **a)
        self.dn["g.nest"] = group("r.g.nest", dn["r.roast"])
        d.add("CN=Domain Admins,CN=Users," + d.base, member=[dn["g.nest"], dn["r.off"]])
        self.dn["g.none"] = group("r.g.none")
        self.dn["g.off"] = group("r.g.off", dn["r.off"])
        self.dn["g.mixed"] = group("r.g.mixed", dn["r.off"], dn["r.plain"], description="of both", managedBy=dn["r.plain"])
        self.dn["g.a"] = group("r.g.a")
        self.dn["g.b"] = group("r.g.b", dn["g.a"])
        self.dn["g.c"] = group("r.g.c", dn["g.b"])
        d.add(dn["g.a"], member=dn["g.c"])
        self.dn["g.lost"] = group("r.g.lost", dn["r.plain"], managedBy=dn["r.off"])
        self.dn["g.outside"] = group("r.g.outside", dn["r.plain"], managedBy=dn["r.outside"])
        everybody = [str(m.dn) for m in d.db.search(d.base, expression="(&(objectCategory=person)(objectClass=user))", attrs=["dn"])]
        half = len(everybody) // 2
        first = group("r.g.half", *everybody[:half])
        group("r.g.all", first, *everybody[half:])
        group("r.g.most", *everybody[: len(everybody) * 19 // 20])
        self.dn["g.admins"] = group("r.g.admins", dn["r.roast"])
        for name in ("member", "owned", "denied", "byadmins", "byempty", "byall"):
            self.dn["t." + name] = group("r.t." + name, dn["r.plain"], kind=LOCAL | SECURITY)
        self.inner = d.ou("Inner", self.ou)

    def acls(self):
        d, dn, sid = self.d, self.dn, lambda name: self.d.sid(self.dn[name])
        self.ace = lambda where, *aces: [d.ace(where, a) for a in aces]
        self.ace(dn["t.member"], "(OA;;WP;%s;;%s)" % (MEMBER, sid("g.mixed")))
        self.ace(dn["t.denied"], "(A;;WDWO;;;%s)" % sid("r.plain"), "(D;;WDWO;;;%s)" % sid("r.plain"))  # the later stands in front
        self.ace(dn["t.byadmins"], "(A;;WD;;;%s)" % sid("g.admins"))
        self.ace(dn["t.byempty"], "(A;;WD;;;%s)" % sid("g.none"))
        self.ace(dn["t.byall"], "(A;;WO;;;WD)")
        self.ace(dn["r.roast"], "(OA;;CR;%s;;%s)" % (RESET, sid("r.plain")))
        self.ace(self.inner, "(A;;CC;;;AU)")
        self.ace(d.base, "(OA;;CR;%s;;%s)" % (GET_CHANGES_ALL, sid("r.plain")))
        self.policy = str(d.db.search("CN=Policies,CN=System," + d.base, expression="(objectClass=groupPolicyContainer)", attrs=["dn"])[0].dn)
        self.ace(self.policy, "(A;;WP;;;%s)" % sid("r.plain"))
        old = d.sddl(dn["t.owned"])
        d.set_sddl(dn["t.owned"], re.sub(r"^O:.*?(?=G:)", "O:" + sid("r.plain"), old))

    @staticmethod
    def cloud():
        def user(name, days=1, **more):
            return dict({"displayName": name, "userPrincipalName": name.lower() + "@contoso.example", "accountEnabled": True, "userType": "Member",
                         "createdDateTime": iso(400), "lastPasswordChangeDateTime": iso(5),
                         "signInActivity": {"lastSignInDateTime": iso(days), "lastSuccessfulSignInDateTime": iso(days)}, "methods": ["microsoftAuthenticator"]},
                        **more)
        users = [user("Admin", methods=[]), user("Guest", userType="Guest"), user("Off", accountEnabled=False), user("Idle", days=91),
                 user("Synced", onPremisesSyncEnabled=True), user("Plain", days=89), user("Waiting", userType="Guest", externalUserState="PendingAcceptance",
                                                                                           createdDateTime=iso(31)),
                 user("Late", employeeHireDate=iso(410)), user("Forever", passwordPolicies="DisablePasswordExpiration"),
                 user("Aged", lastPasswordChangeDateTime=iso(91))]
        users[6].pop("signInActivity")
        groups = [{"displayName": "<script>alert(1)</script>", "securityEnabled": True, "mailEnabled": False},
                  {"displayName": "Role group", "securityEnabled": True, "mailEnabled": False, "isAssignableToRole": True, "owners": ["Plain"], "members": ["Plain"]}]
        apps = [{"displayName": "Robot", "appId": "0000aaaa-0000-4000-8000-00000000aaaa", "accountEnabled": True, "passwordCredentials": [
                    {"keyId": "0000aaaa-0000-4000-8000-00000000aaab", "endDateTime": iso(-20), "displayName": "soon"},
                    {"keyId": "0000aaaa-0000-4000-8000-00000000aaac", "endDateTime": iso(-40), "displayName": "later"}]},
                {"displayName": "Quiet", "appId": "0000aaaa-0000-4000-8000-00000000aaad", "accountEnabled": True}]
        roles = [{"principal": p, "role": GLOBAL_ADMIN} for p in ("Admin", "Guest", "Off", "Idle", "Synced", "Robot")]
        return {"users": users, "groups": groups, "servicePrincipals": apps, "roleAssignments": roles}

    def found(self, rule, connector="corp", prefix=""):
        return sorted({r["name"] for r in self.rows if r["rule"] == rule and r.get("connector") == connector and r["name"].startswith(prefix)})

    def detail(self, rule, name):
        return [r.get("detail", "") for r in self.rows if r["rule"] == rule and r["name"] == name]

    def search(self, expression):
        return sorted(str(m["sAMAccountName"]) for m in self.d.db.search(self.d.base, expression=expression, attrs=["sAMAccountName"]))


_staged = []


def staged():
    if not _staged:
        _staged.append(Staged())
    return _staged[0]


# --- rules ----------------------------------------------------------------------------------------------------------------

@case("each rule finds what was staged for it in the domain, and not its neighbour")
def _():
    s = staged()
    ours = {  # of names that begin with r. or svc-r
        "ACC_04": ["r.never"], "ACC_07": ["r.old"], "ACC_08": ["r.bad"], "ACC_09": ["r.empty"], "ACC_12": ["r.nameless"], "ACC_50": ["r.reversible"],
        "GROUP_01": ["r.g.none"], "GROUP_02": ["r.g.off"], "GROUP_03": ["r.g.a", "r.g.b", "r.g.c"], "GROUP_04": ["r.g.all"], "GROUP_05": ["r.g.most"],
        "GROUP_06": ["r.g.lost"], "GROUP_08": ["r.g.outside"], "PRIV_03": ["r.off"], "PRIV_06": ["r.roast"], "PRIV_07": ["r.history"],
        "ACL_01": ["r.t.byall", "r.t.member", "r.t.owned"], "ACL_02": ["r.roast"], "ACL_07": ["r.t.owned"],
        "KRB_01": ["r.roast"], "KRB_02": ["r.asrep"], "KRB_03": ["r.unconstrained"], "KRB_06": ["r.des"]}
    for rule, want in ours.items():
        assert s.found(rule, prefix="r.") == want, (rule, s.found(rule, prefix="r."), want)
    assert "svc-r" in s.found("ACC_05") and "svc-r" not in s.found("ACC_04")
    unused = s.found("ACC_01", prefix="r.")
    assert "r.stale" in unused and "r.never" in unused and "r.used" not in unused and "r.off" not in unused, unused
    assert "r.stale" not in s.found("ACC_36") and "r.never" in s.found("ACC_36")
    assert "r.g.mixed" not in s.found("GROUP_07") + s.found("GROUP_09") and {"r.g.none", "r.g.off"} <= set(s.found("GROUP_07")) & set(s.found("GROUP_09"))
    assert "Inner" in s.found("ACL_03") and "Reports" not in s.found("ACL_03")
    assert s.found("ACL_04") == [r["name"] for r in s.rows if r.get("dn") == s.policy and r["rule"] == "ACL_04"] != []
    assert s.detail("ACL_06", s.found("ACL_06")[0]) == ["r.plain: CONTROL_ACCESS:DS-Replication-Get-Changes-All"], s.detail("ACL_06", s.found("ACL_06")[0])
    assert {"r.t.byall", "Inner"} <= set(s.found("ACL_05")) and "r.t.member" not in s.found("ACL_05")


@case("details: who, through what, with which right")
def _():
    s = staged()
    assert s.detail("PRIV_01", "r.roast")[0] == "r.roast -> r.g.nest -> Domain Admins"
    assert "r.history -[sIDHistory]-> Domain Admins" in s.detail("PRIV_01", "r.history")
    assert "r.off -> Domain Admins (disabled)" in s.detail("PRIV_01", "r.off")
    assert any("-[primary group]-> Domain Admins" in d for d in s.detail("PRIV_01", "a.primary"))
    circle = s.detail("GROUP_03", "r.g.a")[0]
    assert circle.startswith("a circle of 3 groups: ") and sorted(circle[22:].split(", ")) == ["r.g.a", "r.g.b", "r.g.c"], circle
    assert s.detail("ACL_01", "r.t.member") == ["r.g.mixed (2 accounts): WRITE_PROPERTY:member"] or s.detail("ACL_01", "r.t.member") == [
        "r.g.mixed (1 account): WRITE_PROPERTY:member"], s.detail("ACL_01", "r.t.member")
    assert s.detail("ACL_01", "r.t.owned") == ["r.plain: WRITE_DAC"] and s.detail("ACL_07", "r.t.owned") == ["r.plain"]
    assert s.detail("ACL_02", "r.roast") == ["r.plain: CONTROL_ACCESS:User-Force-Change-Password"]
    assert s.detail("ACC_08", "r.bad") == ["25 attempts"] and s.detail("ACC_07", "r.old")[0].startswith("password of ")


@case("groups that others can change: access check of each account says the same, both ways")
def _():
    s = staged()
    who = ["r.plain", "r.used"] + s.search("(sAMAccountName=u.delegate*)")
    groups = {r["dn"] for r in rollcall("entity", "list", "-c", "corp", "-k", "group", "-o", "json", config=s.config).json()}
    pairs = os.path.join(s.dir, "pairs")
    with open(pairs, "w") as f:
        f.writelines(json.dumps({"principal": p, "target": t}) + "\n" for p in who for t in sorted(groups))
    answers = rollcall("access", "check", "--pairs", pairs, "-o", "jsonl", config=s.config, code=None).lines()
    strong = {"WRITE_DAC", "WRITE_OWNER", "WRITE_PROPERTY", "DELETE"}
    can = {(a["principal"], a["target"]): strong & set(a["rights"]) for a in answers if strong & set(a.get("rights", ()))}
    told = [r for r in s.rows if r["rule"] in ("ACL_01", "ACL_02") and r["kind"] == "group"]
    assert len(answers) == len(who) * len(groups) and len(can) > 5, (len(answers), len(can))
    assert {t for _, t in can} <= {r["dn"] for r in told}, {t for _, t in can} - {r["dn"] for r in told}
    for r in told:
        trustee, rights = r["detail"].split(": ", 1)
        if trustee in who:
            assert strong & set(rights.split(", ")) <= can.get((trustee, r["dn"]), set()), (r, can.get((trustee, r["dn"])))


@case("accounts as an LDAP search of our own finds them, in the whole lab")
def _():
    s = staged()
    person, live = "(objectCategory=person)(objectClass=user)", "(!(userAccountControl:1.2.840.113556.1.4.803:=2))"
    flag = lambda bit: "(userAccountControl:1.2.840.113556.1.4.803:=%d)" % bit
    trust = "(!%s)" % flag(0x800)
    assert sorted(s.found("ACC_04") + s.found("ACC_05")) == s.search("(&%s%s%s)" % (person, live, flag(DONT_EXPIRE)))
    assert s.found("ACC_07") == s.search("(&%s%s%s(pwdLastSet>=1)(pwdLastSet<=%d))" % (person, trust, live, filetime(90)))
    assert s.found("ACC_08") == s.search("(&(objectClass=user)(!(objectClass=computer))(badPwdCount>=21))")
    assert set(s.search("(&%s%s%s)" % (person, live, flag(0x20)))) <= set(s.found("ACC_09"))
    assert s.found("KRB_01") == s.search("(&%s%s(servicePrincipalName=*))" % (person, live))
    assert s.found("KRB_02") == s.search("(&%s%s%s)" % (person, live, flag(0x400000)))
    unused = "(&(!(lastLogon>=%d))(!(lastLogonTimestamp>=%d)))" % (filetime(90), filetime(90))
    want, got = set(s.search("(&%s%s%s%s)" % (person, trust, live, unused))), {
        r["name"] for r in s.rows if r["rule"] == "ACC_01" and r["connector"] == "corp" and r["kind"] == "user"}
    assert want == got, (want - got, got - want)
    token = lambda dn: s.d.db.search(dn, scope=ldb.SCOPE_BASE, attrs=["tokenGroups"])[0].get("tokenGroups", [])
    da = ndr_pack(security.dom_sid("%s-512" % s.d.sid_of_domain))
    accounts = s.d.db.search(s.d.base, expression="(objectClass=user)", attrs=["sAMAccountName"])
    admins = {str(m["sAMAccountName"]) for m in accounts if da in [bytes(g) for g in token(m.dn)]}
    told = {r["name"] for r in s.rows if r["rule"] == "PRIV_01" and re.search(r"Domain Admins( \(disabled\))?$", r["detail"])}
    assert len(admins) > 8 and admins | {"r.history"} == told, (admins - told, told - admins)
    want = {"u.cantchange"}
    assert set(s.found("ACC_10")) == want, s.found("ACC_10")


@case("what came back and who came in shows after the next sync")
def _():
    s = staged()
    assert s.found("ACC_27") == s.found("GROUP_10") == []
    s.d.set(s.dn["r.off"], userAccountControl=NORMAL | 0x20)
    s.d.add(s.dn["g.nest"], member=s.dn["r.late"])
    plain = next(e for e in rollcall("entity", "list", "-c", "cloud", "--search", "Plain", "-o", "json", config=s.config).json() if e["kind"] == "user")
    s.tenant.apply("assign", principal=plain["uid"], role=GLOBAL_ADMIN)
    for connector in ("corp", "cloud"):
        rollcall("sync", connector, config=s.config, code=None)
    rows = rollcall("report", "run", "ACC_27", "GROUP_10", "ENTRA_11", "-o", "json", config=s.config).json()
    assert [(r["rule"], r["name"], r["detail"].split(",")[0].split(" ")[0]) for r in rows] == [
        ("ACC_27", "r.off", "switched"), ("GROUP_10", "Global Administrator", "Plain"), ("GROUP_10", "r.g.nest", "r.late"),
        ("ENTRA_11", "Global Administrator", "6")], rows


@case("what the account may not see: unresolved members are told, and the gap with every answer")
def _():
    s = staged()
    config = s.lab.config(scratch(), extract_acls=True)
    rollcall("sync", "corp", config=config, code=None)
    r = rollcall("report", "run", "GROUP_12", "PRIV_01", "-o", "json", config=config)
    lost = {x["name"]: x["detail"] for x in r.json() if x["rule"] == "GROUP_12"}
    assert set(lost) == {"Domain Admins", "r.g.all", "r.g.half", "r.g.most"} and all("Treasury Vault" in v for v in lost.values()), lost
    assert lost["Domain Admins"].startswith("2 of ") and r.err.count("members do not resolve") == 1, (lost, r.err)
    page = os.path.join(s.dir, "gaps.html")
    rollcall("report", "run", "GROUP_12", "--html", page, config=config)
    assert "members do not resolve [" in r.err and "members do not resolve" in "".join(Page(open(page).read()).texts)


@case("the rules of a tenant")
def _():
    s = staged()
    cloud = lambda rule: s.found(rule, "cloud")
    want = {"ENTRA_02": ["Guest"], "ENTRA_03": ["Off"], "ENTRA_04": ["Idle"], "ENTRA_06": ["Role group"], "ENTRA_07": ["Robot"], "ENTRA_08": ["Robot"],
            "ENTRA_10": ["Synced"]}
    for rule, names in want.items():
        assert cloud(rule) == names, (rule, cloud(rule))
    assert cloud("ENTRA_01") == ["Admin"] and "Admin" in cloud("ENTRA_05") and "Plain" not in cloud("ENTRA_05"), (cloud("ENTRA_01"), cloud("ENTRA_05"))
    assert "Waiting" in cloud("ENTRA_09") and "Waiting" in cloud("ACC_36") and "Late" in cloud("ACC_41") and "Forever" in cloud("ACC_04")
    assert "Aged" in cloud("ACC_07") and not {"Plain", "Guest"} & set(cloud("ACC_07"))
    assert "Idle" in cloud("ACC_01") and "Plain" not in cloud("ACC_01") and "Off" not in cloud("ACC_01")
    assert s.detail("ENTRA_06", "Role group") == ["1 owner: Plain"]
    secrets = s.detail("ENTRA_07", "Robot")
    assert len(secrets) == 1 and re.fullmatch(r"secret 'soon' expires \d{4}-\d\d-\d\d", secrets[0]), secrets
    assert cloud("ENTRA_11") == []  # five of them
    assert "<script>alert(1)</script>" in cloud("GROUP_01") and "Role group" not in cloud("GROUP_01")


# --- the command ------------------------------------------------------------------------------------------------------------

@case("report list and run are what docs/contract says, in four forms; --limit, --counts, --connector")
def _():
    s = staged()
    run = lambda *a: rollcall("report", "run", *a, config=s.config)
    listed = valid("report_list", rollcall("report", "list", "-o", "json").json())
    ids = [r["rule"] for r in listed]
    assert len(set(ids)) == len(ids) and {"ACC_01", "ACC_12", "ACC_27", "ACC_31", "ACC_36", "ACC_41", "GROUP_01", "GROUP_05"} <= set(ids)
    man = subprocess.run(["mandoc", "-T", "utf8", os.path.join(ROOT, "docs/man/rollcall.1")], stdout=subprocess.PIPE, text=True).stdout
    man = re.sub(".\x08", "", man)
    assert all(i in man for i in ids), [i for i in ids if i not in man]
    rows = valid("report_run", run("-o", "json").json())
    assert [i for i in ids if any(r["rule"] == i for r in rows)] == list(dict.fromkeys(r["rule"] for r in rows)), "rules come in the order of the list"
    assert rows == run("-o", "jsonl").lines()
    table = list(csv.DictReader(io.StringIO(run("-o", "csv", "--fields", "rule,uid").out)))
    assert [(r["rule"], r["uid"]) for r in table] == [(r["rule"], r.get("uid", "")) for r in rows]
    assert len(run().out.splitlines()) == len(rows) + 1
    counts = valid("report_count", run("--counts", "-o", "json").json())
    by_rule = collections.Counter(r["rule"] for r in rows)
    assert {c["rule"]: c["count"] for c in counts if c.get("count")} == by_rule
    found = valid("report_finding", run("--findings", "--limit", "3", "-o", "json").json())
    assert [{k: v for k, v in f.items() if k not in ("why", "fix", "items")} for f in found] == counts
    assert all(len(f["items"]) == min(3, f.get("count", 0)) for f in found)
    one = next(f for f in found if f.get("count") == 1)
    assert one["items"] == [{k: v for k, v in r.items() if k not in ("rule", "severity")} for r in rows if r["rule"] == one["rule"]]
    listed = [f["rule"] for f in found[:3]]
    assert [r["rule"] for r in run("--rule", ",".join(listed), "--counts", "-o", "json").json()] == listed
    few = run("--limit", "2", "-o", "json").json()
    assert collections.Counter(r["rule"] for r in few) == {k: min(v, 2) for k, v in by_rule.items()}
    assert {c["rule"]: c["count"] for c in run("--limit", "2", "--counts", "-o", "json").json() if c.get("count")} == by_rule
    assert {r["connector"] for r in run("--connector", "cloud", "-o", "json").json()} == {"cloud"}
    assert all("not_applicable" in c for c in run("--connector", "cloud", "--counts", "-o", "json").json() if c["rule"].startswith(("ACL", "KRB")))
    assert run("acc_09", "-o", "json").json() == [r for r in rows if r["rule"] == "ACC_09"]


@case("what is no rule, no connector, or cannot be told is refused")
def _():
    s = staged()
    for args, code, word in ((["ACC_9"], 2, "ACC_09"), (["ACC_03"], 2, "HR"), (["--connector", "crop"], 3, "crop"), (["--limit", "x"], 2, "limit"),
                             (["--html", "/nowhere/x.html"], 5, "/nowhere")):
        r = rollcall("report", "run", *args, config=s.config, code=None)
        assert r.code and r.out == "" and word in r.err, r
        assert code == 5 or r.code == code, r


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.links, self.texts, self.sections, self.rows = collections.Counter(), [], [], {}, collections.Counter()
        self.section = None
        self.csp = ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        a = dict(attributes)
        self.tags[tag] += 1
        self.links += [v for k, v in a.items() if k in ("href", "src", "action", "srcset", "style") or k.startswith("on")]
        self.section = a["id"] if tag == "section" else self.section
        self.csp = a["content"] if a.get("http-equiv") == "Content-Security-Policy" else self.csp
        self.rows[self.section] += tag == "tr"

    def handle_endtag(self, tag):
        self.section = None if tag == "section" else self.section

    def handle_data(self, data):
        self.texts.append(data)


@case("the page: every finding is in it, sorted; no script, no link out; what the directory says stays text")
def _():
    s = staged()
    path = os.path.join(s.dir, "report.html")
    counts = rollcall("report", "run", "--html", path, "--limit", "0", "-o", "json", config=s.config).json()
    text = open(path, encoding="utf-8").read()
    assert os.stat(path).st_mode & 0o777 == 0o600 and not os.path.exists(path + ".part")
    page = Page(text)
    assert not {"script", "img", "link", "iframe", "object", "form"} & set(page.tags), page.tags
    assert all(re.fullmatch(r"#[A-Z]+_\d\d", link) for link in page.links), page.links
    style = re.search(r"<style>(.*?)</style>", text, re.S).group(1)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert page.csp == "default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; form-action 'none'" % digest and "url(" not in style and "@import" not in style
    for c in counts:
        if c.get("count"):
            assert page.rows[c["rule"]] == c["count"] + 1, (c, page.rows[c["rule"]])
        else:
            assert c["rule"] not in page.rows, c
    whole = "".join(page.texts)
    assert "<script>alert(1)</script>" in whole and SPN_BAD in whole and "needs the date of leaving" in whole
    names = [r["name"] for r in s.rows if r["rule"] == "ACC_01" and r["connector"] == "corp"]
    fold = lambda n: "".join(c.lower() if c.isascii() else c for c in n).encode()
    assert names == sorted(names, key=fold) and len(names) > 20
    few = os.path.join(s.dir, "few.html")
    rollcall("report", "run", "ACC_01", "--html", few, "--limit", "3", config=s.config)
    assert Page(open(few).read()).rows["ACC_01"] == 4 and "3 of " in open(few).read()


main()
