#!/usr/bin/python3
"""access_test.py - who can do what, and why, asked by the command line about access control lists staged in a real directory."""
# budget: 120 120
import csv
import io
import json
import os

import jsonschema

from domain import DISABLED, Domain
from harness import ROOT, Fake, Lab, case, main, rollcall, scratch, write

MEMBER, DESCRIPTION = "bf9679c0-0de6-11d0-a285-00aa003049e2", "bf967950-0de6-11d0-a285-00aa003049e2"
IMPLICIT = {"S-1-1-0", "S-1-5-11", "S-1-5-15", "S-1-5-2"}  # tokenGroups has neither these nor the groups that they are in
USER, RESET = "bf967aba-0de6-11d0-a285-00aa003049e2", "00299570-246d-11d0-a768-00aa006e0529"

lab = Lab()
domain = Domain(lab)
work = scratch()
base = domain.base
with domain.prepare():
    PROBE = domain.ou("Probe")
    STAFF = domain.ou("Staff", PROBE)
    who = {n: domain.user("p." + n, STAFF) for n in ("alice", "bob", "carol", "erin", "frank", "prim", "nobody")}
    who["dave"] = domain.user("p.dave", STAFF, userAccountControl=DISABLED | 0x20, department="Finance")
    helpdesk = domain.group("P Helpdesk", PROBE, who["alice"], who["dave"])
    outer = domain.group("P Helpdesk Outer", PROBE, helpdesk)
    inner = domain.group("P Ring 2", PROBE, who["bob"], who["carol"])
    ring = domain.group("P Ring 1", PROBE, inner)
    writers = domain.group("P Writers", PROBE, ring)
    primary = domain.group("P Primary", PROBE, who["prim"])
    payroll = domain.group("P Payroll", PROBE)
    odd, owned, joinable, guarded = (domain.group("P " + n, PROBE) for n in ("Odd", "Owned", "Joinable", "Guarded"))
    mail = domain.group("P Mail", PROBE, who["nobody"], kind=2)
    sid = {n: domain.sid(dn) for n, dn in who.items()}
    domain.ou("Twin", PROBE)
    domain.user("p.same", "OU=Twin," + PROBE, displayName="p.twin")

domain.set(who["prim"], primaryGroupID=domain.rid(primary))
domain.ace(STAFF, "(OA;CIIO;CR;%s;%s;%s)" % (RESET, USER, domain.sid(outer)))
domain.ace(payroll, "(OD;;WP;%s;;%s)(OA;;WP;%s;;%s)(A;;WO;;;%s)(A;;WD;;;%s)" % (
    MEMBER, sid["carol"], MEMBER, domain.sid(writers), domain.sid(primary), domain.sid(mail)))
domain.ace(odd, "(A;;WP;;;%s)(D;;WP;;;%s)" % (sid["erin"], sid["erin"]))
domain.set_sddl(owned, "O:" + sid["frank"] + domain.sddl(owned)[domain.sddl(owned).index("G:"):])
domain.ace(joinable, "(OA;;SW;%s;;%s)" % (MEMBER, sid["alice"]))
domain.ace(guarded, "(OA;;WP;%s;;BU)" % DESCRIPTION)
config = lab.config(work, extract_acls=True)
rollcall("sync", "corp", config=config, code=None)


def ask(*args, code=0, **more):
    return rollcall("access", *args, config=config, code=code, **more)


def check(principal, target, **more):
    return ask("check", "--principal", principal, "--target", target, "-o", "json", **more).json()[0]


def why(principal, right, target, *args):
    return ask("why", "--principal", principal, "--right", right, "--target", target, *args)


def names(rows, key="principal"):
    return {r[key]["name"] for r in rows}


def valid(name, value):
    with open(os.path.join(ROOT, "docs", "contract", name + ".json")) as f:
        jsonschema.Draft202012Validator(json.load(f)).validate(value)


@case("check: rights, attributes, classes, extended rights and validated writes of one pair")
def _():
    row = check("p.bob", payroll)
    assert row["principal_resolved"]["sid"] == sid["bob"] and row["target_resolved"]["dn"] == payroll, row
    assert "member" in row["writable_attributes"] and "WRITE_PROPERTY" not in row["rights"], row
    assert "READ_PROPERTY" in row["rights"] and row["rule"] == "windows", row
    assert "member" not in check("p.carol", payroll)["writable_attributes"]
    assert "User-Force-Change-Password" in check("p.alice", who["bob"])["extended_rights"]
    assert "User-Force-Change-Password" not in check("p.bob", who["alice"])["extended_rights"]
    assert "Self-Membership" in check("p.alice", joinable)["validated_writes"]
    assert {"READ_CONTROL", "WRITE_DAC"} <= set(check("p.frank", owned)["rights"])
    assert "WRITE_OWNER" in check("p.prim", payroll)["rights"]
    assert "WRITE_DAC" not in check("p.nobody", payroll)["rights"], "a distribution group is in no token"
    assert "description" in check("p.nobody", guarded)["writable_attributes"], "BUILTIN\\Users through Authenticated Users"
    admin = check("Administrator", STAFF)
    assert "user" in admin["creatable_classes"] and "WRITE_DAC" in admin["rights"], admin
    valid("access_check", row)


@case("check: both rules where they differ")
def _():
    row = check("p.erin", odd)
    assert "WRITE_PROPERTY" in row["rights"] and "WRITE_PROPERTY" in row["differs_under_deny_wins"], row
    strict = ask("check", "--principal", "p.erin", "--target", odd, "--rule", "deny-wins", "-o", "json").json()[0]
    assert "WRITE_PROPERTY" not in strict["rights"] and strict["rule"] == "deny-wins", strict


@case("check --pairs: a file and standard input; who is not known has the error in his row, exit 5")
def _():
    path = write(os.path.join(work, "pairs"), "".join(json.dumps({"principal": p, "target": t}) + "\n" for p, t in (
        ("p.bob", payroll), ("p.ghost", payroll), ("p.alice", who["bob"]))))
    rows = ask("check", "--pairs", path, "-o", "jsonl", code=5).lines()
    assert [("error" in r) for r in rows] == [False, True, False], rows
    assert rows[1]["error"]["class"] == "NOTFOUND" and "p.ghost" in rows[1]["error"]["message"], rows[1]
    with open(path) as f:
        assert ask("check", "--pairs", "-", "-o", "jsonl", code=5, stdin=f).lines() == rows
    for row in rows:
        valid("access_check", row)
    bad = write(os.path.join(work, "bad"), '{"principal": "p.bob"}\n')
    assert "line 1" in ask("check", "--pairs", bad, code=2).err


@case("why YES: the ACE, the group, the chain")
def _():
    text = why("p.bob", "WRITE_PROPERTY:member", payroll).out
    assert text.startswith('YES  p.bob can WRITE_PROPERTY:member on group "P Payroll"\n'), text
    for part in ("decided by: ALLOW  WRITE_PROPERTY:member   ACE 2 of ", "explicit", "granted to: P Writers  (" + domain.sid(writers) + ")",
                 "p.bob -> member of P Ring 2 -> member of P Ring 1 -> member of P Writers   (3 hops)", "data as of: 20", "connector corp"):
        assert part in text, (part, text)
    inherited = why("p.alice", "CONTROL_ACCESS:Reset-Password", who["bob"]).out
    assert "inherited from " + STAFF in inherited and "granted to: P Helpdesk Outer" in inherited, inherited
    assert "the owner may always" in why("p.frank", "WRITE_DAC", owned).out
    assert "(1 hop)" in why("p.prim", "WRITE_OWNER", payroll).out
    assert "Authenticated Users" in why("p.nobody", "WRITE_PROPERTY:description", guarded).out


@case("why NO: the deny, or that nothing allows it; deny-wins beside it")
def _():
    text = why("p.carol", "WRITE_PROPERTY:member", payroll).out
    assert text.startswith("NO   p.carol cannot WRITE_PROPERTY:member") and "decided by: DENY   WRITE_PROPERTY:member   ACE 1 of " in text, text
    assert "denied to : p.carol" in text, text
    text = why("p.nobody", "WRITE_DAC", payroll).out
    assert "no allow ACE for it or any of its" in text, text
    assert "deny-wins : NO" in why("p.erin", "WRITE_PROPERTY", odd).out
    row = why("p.carol", "WRITE_PROPERTY:member", payroll, "-o", "json").json()
    assert row["answer"] == "no" and row["ace"]["type"] == "deny" and row["ace"]["number"] == 1, row
    valid("access_why", row)
    valid("access_why", why("p.bob", "WRITE_PROPERTY:member", payroll, "-o", "json").json())
    valid("access_why", why("p.alice", "CONTROL_ACCESS:Reset-Password", who["bob"], "-o", "json").json())


@case("who-can: through nested groups, without whom a deny names; the group and ACE that grant it")
def _():
    rows = ask("who-can", "WRITE_PROPERTY:member", payroll, "-o", "json").json()
    by = {r["principal"]["name"]: r for r in rows}
    assert "p.bob" in by and "p.carol" not in by and "Administrator" in by, sorted(by)
    assert by["p.bob"]["via"]["trustee"]["name"] == "P Writers" and by["p.bob"]["via"]["ace"]["number"] == 2, by["p.bob"]
    for row in rows:
        valid("access_who_can", row)
    for name in by:
        assert "member" in check(name, payroll)["writable_attributes"], name
    count = ask("who-can", "WRITE_PROPERTY:member", payroll, "--count", "-o", "json").json()
    assert count["count"] == len(rows), count
    valid("access_count", count)
    assert ask("who-can", "WRITE_PROPERTY:member", payroll, "--count").out == "%d\n" % len(rows)
    groups = names(ask("who-can", "WRITE_PROPERTY:member", payroll, "--groups", "-o", "json").json())
    assert {"P Writers", "P Ring 1", "P Ring 2"} <= groups and "P Helpdesk" not in groups, groups
    assert len(ask("who-can", "WRITE_PROPERTY:member", payroll, "--limit", "2", "-o", "json").json()) == 2


@case("who-can: everybody; filters of principals; kinds")
def _():
    everybody = ask("who-can", "READ_PROPERTY", payroll, "-o", "json").json()
    assert len(everybody) > 200
    rows = ask("who-can", "CONTROL_ACCESS:Reset-Password", who["bob"], "--principal-filter", "enabled=false and department=Finance", "-o", "json").json()
    assert names(rows) == {"p.dave"} and rows[0]["principal"]["enabled"] is False, rows
    some = ask("who-can", "READ_PROPERTY", payroll, "--kind", "computer", "-o", "json").json()
    assert some and {r["principal"]["kind"] for r in some} == {"computer"}
    n = int(ask("who-can", "READ_PROPERTY", payroll, "--kind", "computer", "--count").out)
    assert n == len(some)
    assert "--principal-filter" in ask("who-can", "READ_PROPERTY", payroll, "--principal-filter", "enabled=", code=2).err
    assert names(ask("who-can", "WRITE_PROPERTY", odd, "-o", "json").json()) - names(
        ask("who-can", "WRITE_PROPERTY", odd, "--rule", "deny-wins", "-o", "json").json()) == {"p.erin"}


@case("what-can: only what is beyond what everybody has; agrees with check and who-can")
def _():
    rows = ask("what-can", "p.bob", "-o", "json").json()
    by = {r["target"]["dn"]: r for r in rows}
    assert "WRITE_PROPERTY:member" in by[payroll]["rights"], by[payroll]
    assert not any(r["baseline"] for r in rows)
    everything = ask("what-can", "p.bob", "--all", "-o", "json").json()
    assert len(everything) > len(rows) + 100, (len(everything), len(rows))
    assert names(ask("what-can", "p.alice", "--right", "CONTROL_ACCESS:Reset-Password", "-o", "json").json(), "target") == {
        "p.alice", "p.bob", "p.carol", "p.dave", "p.erin", "p.frank", "p.nobody", "p.prim"}
    assert names(ask("what-can", "p.alice", "--right", "CONTROL_ACCESS:Reset-Password", "--target-filter", "department=Finance",
                     "-o", "json").json(), "target") == {"p.dave"}
    assert {r["target"]["kind"] for r in ask("what-can", "p.alice", "--kind", "group", "-o", "json").json()} == {"group"}
    for row in everything:
        valid("access_what_can", row)
    for row in rows[:20]:
        bits = {r for r in row["rights"] if ":" not in r}
        assert bits == set(check("p.bob", row["target"]["uid"])["rights"]), row
    valid("access_what_can_count", ask("what-can", "p.bob", "--count", "-o", "json").json())


@case("members: nested, primary, through well-known groups; a distribution group")
def _():
    rows = ask("members", "P Writers", "-o", "json").json()
    by = {r["member"]["name"]: r for r in rows}
    assert set(by) == {"P Ring 1", "P Ring 2", "p.bob", "p.carol"}, by
    assert by["p.bob"]["direct"] is False and [g["name"] for g in by["p.bob"]["through"]] == ["P Ring 2", "P Ring 1"], by["p.bob"]
    assert names(ask("members", "P Writers", "--direct", "-o", "json").json(), "member") == {"P Ring 1"}
    assert next(r for r in ask("members", "P Primary", "-o", "json").json() if r["member"]["name"] == "p.prim")["via"] in ("primary_group", "member")
    assert "p.nobody" in names(ask("members", "P Mail", "-o", "json").json(), "member")
    users = ask("members", "S-1-5-32-545", "-o", "json").json()
    assert len(users) > 200 and any(r["via"] == "implicit" for r in users)
    assert names(ask("members", "P Helpdesk Outer", "--principal-filter", "enabled=false", "-o", "json").json(), "member") == {"p.dave"}
    for row in rows + users[:50]:
        valid("access_member", row)


@case("token: what the controller says in tokenGroups, with the way")
def _():
    rows = ask("token", "p.bob", "-o", "json").json()
    assert [g["name"] for g in next(r for r in rows if r["name"] == "P Writers")["through"]] == ["P Ring 2", "P Ring 1"]
    said = domain.db.search(who["bob"], scope=0, attrs=["tokenGroups"])[0]["tokenGroups"]
    said = {str(domain.db.schema_format_value("tokenGroups", v), "ascii") for v in said}
    more = {r["sid"] for r in rows if IMPLICIT & {r["sid"], *(g["sid"] for g in r["through"])}} | {sid["bob"]}
    mine = {r["sid"] for r in rows}
    assert said <= mine and mine - said <= more, (said, rows)
    for row in rows:
        valid("access_token", row)


@case("export: rows with ACE and trustee; filters; CSV; OCSF")
def _():
    rows = ask("export", "--right", "WRITE_PROPERTY:member", "--target-filter", "name=\"P Payroll\"", "-o", "jsonl").lines()
    by = {r["principal"]["name"]: r for r in rows}
    assert set(by) == names(ask("who-can", "WRITE_PROPERTY:member", payroll, "-o", "json").json()), sorted(by)
    assert by["p.bob"]["via"]["trustee"]["name"] == "P Writers" and by["p.bob"]["via"]["ace"]["number"] == 2, by["p.bob"]
    for row in rows:
        valid("access_export", row)
    table = list(csv.DictReader(io.StringIO(ask("export", "--right", "CONTROL_ACCESS:Reset-Password", "--principal-filter", "name=p.alice", "--kind", "user",
                                                "-o", "csv").out)))
    assert len(table) == 8 and {r["via.ace.inherited_from.dn"] for r in table} == {STAFF}, table
    assert {r["via.trustee.name"] for r in table} == {"P Helpdesk Outer"}
    tier = ask("export", "--tier", "0", "--right", "WRITE_DAC", "-o", "jsonl").lines()
    assert tier and "P Owned" not in names(tier, "target") and "Domain Admins" in names(tier, "target")
    events = ask("export", "--right", "WRITE_DAC", "--target-filter", "name=\"P Owned\"", "--dialect", "ocsf").lines()
    assert len(events) == 1 and events[0]["class_uid"] == 2008, events
    assert "p.frank" in {a["name"] for a in events[0]["access_analysis_result"]["accessors"]}


@case("export: all rights of one target are who-can's, row for row")
def _():
    rows = ask("export", "--target-filter", "name=\"P Odd\"", "--each", "-o", "jsonl").lines()
    rights = {r["right"] for r in rows}
    assert {"WRITE_DAC", "WRITE_PROPERTY"} <= rights and "READ_PROPERTY" not in rights, rights
    for right in rights:
        want = names(ask("who-can", right, odd, "-o", "json").json())
        if ":" in right:  # of a part: of whoever has it not on the whole
            want -= names(ask("who-can", right.split(":")[0], odd, "-o", "json").json())
        assert {r["principal"]["name"] for r in rows if r["right"] == right} == want, right
    short = ask("export", "--target-filter", "name=\"P Odd\"", "-o", "jsonl").lines()
    standing = [r for r in short if "accounts" in r]
    assert standing and {r["principal"]["name"].split("\\")[-1] for r in standing} <= {"Everyone", "Authenticated Users"}, standing
    assert len(short) - len(standing) + sum(r["accounts"] for r in standing) == len(rows)


@case("diff: who gained and who lost, by which change; who could, and who was in a group, as of the run before")
def _():
    before = rollcall("run", "list", "-o", "json", config=config).json()[0]["id"]
    questions = [("who-can", "WRITE_PROPERTY:member", payroll), ("who-can", "WRITE_DAC", odd, "--groups"), ("members", ring)]
    then = [ask(*q, "-o", "json").json() for q in questions]
    domain.add(inner, member=who["erin"])
    domain.remove(inner, member=who["bob"])
    domain.ace(odd, "(A;;WD;;;%s)" % sid["alice"])
    rollcall("sync", "corp", config=config, code=None)
    after = rollcall("run", "list", "-o", "json", config=config).json()[0]["id"]
    rows = ask("diff", "--from", str(before), "--to", str(after), "-o", "json").json()
    told = {(r["change"], r["principal"]["name"], r["right"], r["target"]["name"]) for r in rows}
    assert ("gained", "p.erin", "WRITE_PROPERTY:member", "P Payroll") in told, told
    assert ("lost", "p.bob", "WRITE_PROPERTY:member", "P Payroll") in told, told
    assert ("gained", "p.alice", "WRITE_DAC", "P Odd") in told, told
    assert not any(t[1] == "p.carol" for t in told), told
    gained = next(r for r in rows if r["principal"]["name"] == "p.erin" and r["right"] == "WRITE_PROPERTY:member")
    assert gained["by"][0]["change"] == "member_added", gained
    for row in rows:
        valid("access_diff", row)
    assert ask("diff", "--from", str(after), "--to", str(after), "-o", "json").json() == []
    now = [ask(*q, "-o", "json").json() for q in questions]
    assert all(a != b for a, b in zip(then, now)), now
    assert [ask(*q, "--run", str(before), "-o", "json").json() for q in questions] == then
    assert [ask(*q, "--run", str(after), "-o", "json").json() for q in questions] == now
    assert ask("who-can", "WRITE_DAC", odd, "--run", str(before), "--count", "-o", "json").json()["count"] == len(ask("who-can", "WRITE_DAC", odd, "--run", str(before), "-o", "json").json())
    assert "--run" in ask("who-can", "WRITE_DAC", odd, "--run", "99999", code=3).err
    assert "no connector" in ask("members", "S-1-5-11", "--run", str(before), code=2).err  # of a group that no run tells of


@case("errors: nobody of that name, an unknown right, no principal, several of one name")
def _():
    assert "fix:" in ask("who-can", "WRITE_DAC", "P Nothing", code=3).err
    err = ask("who-can", "WRITE_DACC", payroll, code=2).err
    assert "WRITE_DAC" in err, err
    assert "no principal" in ask("what-can", PROBE, code=2).err
    domain.user("p.twin1", STAFF, userPrincipalName="p.both@" + domain.dns)
    domain.group("p.both@" + domain.dns, PROBE)
    rollcall("sync", "corp", config=config, code=None)
    err = ask("what-can", "p.both@" + domain.dns, code=1).err
    assert STAFF in err and PROBE in err, err


@case("a store with no Active Directory in it has nothing to ask")
def _():
    empty = scratch()
    fake = Fake("--users", 1, "--groups", 1)
    err = rollcall("access", "who-can", "WRITE_DAC", "x", config=fake.config(empty), code=3).err
    assert "no Active Directory" in err, err


main()
