#!/usr/bin/python3
"""ad_test.py - the main job on a real Active Directory (Samba), against what the lab knows to be true."""
# budget: 300 300
import json
import os
import subprocess

from harness import ROOT, Lab, case, main, rollcall, scratch

lab = Lab()
truth = lab.truth()
work = scratch()
config = lab.config(work)
KINDS = {"users": "user", "groups": "group", "computers": "computer", "service_accounts": "service_account", "contacts": "contact",
         "fsps": "foreign_principal", "ous": "ou"}
PARTIAL = 5  # the lab hides members of visible groups from the reader: memberships are missing, and said to be


def entities(*args):
    return rollcall("entity", "list", "-o", "jsonl", *args, config=config).lines()


def sync(code=PARTIAL):
    return rollcall("sync", "corp", "-o", "json", config=config, code=code).json()


def by_name(kind="user"):
    return {e["name"]: e for e in entities("--kind", kind)}


@case("check: everything is right, the bind is tried once")
def _():
    steps = {s["name"]: s for s in rollcall("check", "corp", "-o", "json", config=config).json()["steps"]}
    assert steps["bind"]["verdict"] == "ok" and steps["tls"]["verdict"] == "ok", steps
    assert not [s for s in steps.values() if s["verdict"] == "fail"], steps


@case("first sync: every kind that the reader can see, and the hidden members as a loss")
def _():
    run = sync()
    assert run["status"] == "partial", run
    for name, kind in KINDS.items():
        want = truth["reader_counts"][name]
        assert run["counts"][kind]["read"] == want, (kind, run["counts"][kind], want)
        assert run["counts"][kind]["created"] == want, (kind, run["counts"][kind], want)
    assert any(g["severity"] == "loss" and "do not resolve" in g["what"] for g in run["gaps"]), run["gaps"]
    assert any(g["severity"] == "info" and "eference" in g["what"] for g in run["gaps"]), run["gaps"]
    assert run["counts"]["domain"]["read"] == 1 and run["server"].lower() == lab.host, run


@case("entities in the store are those the reader can see, hidden ones are not")
def _():
    dns = {e["dn"] for e in entities()}
    for name, kind in KINDS.items():
        assert len(entities("--kind", kind)) == truth["reader_counts"][name], kind
    assert not dns & set(truth["hidden_dns"]), dns & set(truth["hidden_dns"])


@case("domain and full administrators: by SID, through nesting, cycles, the primary group and a group the reader cannot see")
def _():
    users = by_name()
    for fact, names in (("domain_admin", truth["domain_admins"]), ("full_admin", truth["full_admins"])):
        got, want = {n for n, u in users.items() if u["derived"][fact]}, set(names) - set(truth["hidden_users"])
        assert got == want, (fact, got ^ want)
    for name in truth["not_admins"]:
        assert name not in users or not users[name]["derived"]["privileged"], name


@case("enabled, locked, never expiring passwords as the directory has them")
def _():
    users = by_name()
    hidden = set(truth["hidden_users"])
    for what, got, names in (("disabled", {n for n, u in users.items() if u.get("enabled") is False}, truth["disabled"]),
                             ("locked", {n for n, u in users.items() if u["derived"].get("is_locked")}, truth["locked"]),
                             ("password never expires", {n for n, u in users.items() if "DONT_EXPIRE_PASSWORD" in
                                                         u["derived"].get("user_account_control", [])}, truth["password_never_expires"])):
        assert got == set(names) - hidden, (what, got ^ set(names))


@case("a user without a readable userAccountControl is neither enabled nor disabled")
def _():
    user = by_name()["u.nouac"]
    assert "enabled" not in user and "is_active" not in user["derived"], user


@case("groups of a user: direct ones, the primary group, each with its way")
def _():
    admin = by_name()["Administrator"]
    via = {g["name"]: g["via"] for g in admin["member_of"]}
    assert via["Domain Users"] == "primary_group" and via["Domain Admins"] == "member", via


@case("members of the large group, all of them")
def _():
    want = truth["everyone_big"]["members"]
    inside = sum(1 for u in entities("--kind", "user") if any(g["name"] == "Everyone Big" for g in u["member_of"]))
    assert inside == want, (inside, want)


@case("an unchanged directory: the second sync finds nothing and writes almost nothing")
def _():
    before = os.path.getsize(os.path.join(work, "rollcall.db"))
    run = sync()
    for kind, n in run["counts"].items():
        assert not n["created"] and not n["changed"] and not n["deleted"], (kind, n)
    assert rollcall("change", "list", "--since", "1", "-o", "json", config=config).json() == []
    assert os.path.getsize(os.path.join(work, "rollcall.db")) - before < 256 * 1024


@case("disable, rename, move, delete, membership: exactly those changes, once")
def _():
    users = [u for u in entities("--kind", "user") if u.get("enabled") and u["name"].replace(".", "").isascii() and "\\" not in u["dn"]
             and not u["derived"]["privileged"] and u["name"].count(".") == 1 and ",OU=" in u["dn"] and not u["name"].startswith(("u.", "a.", "door."))]
    a, b, c, d, x = users[:5]
    base = lab.base
    lab.modify("""dn: %s
changetype: modify
replace: userAccountControl
userAccountControl: 514

dn: %s
changetype: modrdn
newrdn: CN=Renamed Person
deleteoldrdn: 1

dn: %s
changetype: modrdn
newrdn: %s
deleteoldrdn: 1
newsuperior: CN=Users,%s

dn: %s
changetype: delete

dn: CN=Domain Admins,CN=Users,%s
changetype: modify
add: member
member: %s
""" % (a["dn"], b["dn"], c["dn"], c["dn"].split(",")[0], base, d["dn"], base, x["dn"]))
    last = rollcall("run", "list", "-o", "json", config=config).json()[0]["id"]
    run = sync()
    changes = rollcall("change", "list", "--since", str(last), "-o", "json", config=config).json()
    got = {(ch["change"], ch["name"], ch.get("attribute", "")) for ch in changes}
    assert ("modified", a["name"], "userAccountControl") in got, got
    assert [ch["change"] for ch in changes if ch["uid"] == b["uid"]] == ["renamed"], "a rename is told once: %s" % got
    assert any(ch["change"] == "moved" and ch["uid"] == c["uid"] for ch in changes), got
    gone = [ch for ch in changes if ch["change"] == "deleted"]
    assert [ch["uid"] for ch in gone] == [d["uid"]] and gone[0]["evidence"] == "vanished", gone
    assert ("member_added", "Domain Admins", "member") in got, got
    uids = {a["uid"], b["uid"], c["uid"], d["uid"]}
    # whoever had one of them as manager now names another DN, or none
    assert not [ch for ch in changes if ch["kind"] == "user" and ch["uid"] not in uids | {x["uid"]} and ch.get("attribute") != "manager"], changes
    assert run["counts"]["user"] ["deleted"] == 1 and run["counts"]["user"]["created"] == 0, run["counts"]
    assert by_name()[x["name"]]["derived"]["domain_admin"], "the new member is a domain admin now"
    sync()
    newest = rollcall("run", "list", "-o", "json", config=config).json()[0]["id"]
    assert rollcall("change", "list", "--run", str(newest), "-o", "json", config=config).json() == []


@case("read: OCSF events of all three versions pass the validator")
def _():
    for version in ("1.8.0", "1.6.0", "1.1.0"):
        path = os.path.join(work, "events-" + version)
        with open(path, "w") as f:
            f.write(rollcall("read", "corp", "--ocsf-version", version, config=config, code=PARTIAL).out)
        check = [os.path.join(ROOT, "build", "src", "map", "ocsf-check"), version, path]
        env = dict(os.environ, ROLLCALL_GOLDEN=os.path.join(ROOT, "tests", "golden"))
        p = subprocess.run(check, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env)
        assert p.returncode == 0, p.stdout[-3000:]
        if "ROLLCALL_OCSF_VALIDATOR" in os.environ:  # a full one besides
            p = subprocess.run(["bash", os.path.join(ROOT, "tests", "ocsf_validate.sh"), path], stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
            assert p.returncode == 0, p.stdout[-3000:]


@case("read and export tell the same of every user")
def _():
    out = os.path.join(work, "ocsf")
    rollcall("export", "--connector", "corp", "--dialect", "ocsf", "--to", out, config=config)
    exported = {}
    for name in os.listdir(out):
        if name.endswith(".jsonl"):
            for line in open(os.path.join(out, name)):
                e = json.loads(line)
                if e["class_uid"] == 5003:
                    exported[e["user"]["uid"]] = e["user"]
    read = {}
    for e in rollcall("read", "corp", "--kind", "user,service_account", config=config, code=None).lines():
        if e["class_uid"] == 5003:
            read[e["user"]["uid"]] = e["user"]
    assert set(read) == set(exported) and len(read) >= truth["reader_counts"]["users"] - 1
    for uid, user in read.items():
        a, b = dict(user), dict(exported[uid])
        # a group that the reader cannot see has a name in memberOf, and no SID
        a["groups"] = sorted(g["uid"] for g in a.get("groups", []) if "uid" in g)
        b["groups"] = sorted(g["uid"] for g in b.get("groups", []))
        for volatile in ("ldap_person",):
            a.get(volatile, {}).pop("last_login_time", None), b.get(volatile, {}).pop("last_login_time", None)
            a.get(volatile, {}).pop("modified_time", None), b.get(volatile, {}).pop("modified_time", None)
        assert a == b, (a, b)


@case("base_dn limits users, not groups; disabled users can be left out")
def _():
    ou = next(e["dn"] for e in entities("--kind", "ou") if e["dn"].startswith("OU=Special,DC="))
    other = scratch()
    c = lab.config(other, base_dn=ou, extract_disabled_users=False)
    run = rollcall("sync", "corp", "-o", "json", config=c, code=None).json()
    assert run["counts"]["group"]["read"] == truth["reader_counts"]["groups"], run["counts"]
    assert 0 < run["counts"]["user"]["read"] < truth["reader_counts"]["users"], run["counts"]
    users = rollcall("entity", "list", "--kind", "user", "-o", "jsonl", config=c).lines()
    assert all(u.get("enabled") is not False and u["dn"].endswith(ou) for u in users)


@case("StartTLS reads the same as LDAPS")
def _():
    c = lab.config(scratch(), security="starttls", port=389)
    out = rollcall("read", "corp", "--kind", "user", "--dialect", "veza", config=c, code=None)
    assert len(out.out.splitlines()) == len(entities("--kind", "user")), out.err


@case("custom properties of any kind come with their type")
def _():
    c = lab.config(scratch(), extra="    custom_properties:\n      - {name: serialNumber, kind: computer, type: string_list}\n"
                   "      - {name: codePage, kind: user, type: integer}\n")
    rollcall("sync", "corp", config=c, code=None)
    user = rollcall("entity", "get", "Administrator", "-o", "json", config=c).json()
    assert user["attributes"]["codePage"] == 0, user["attributes"]


@case("hostile names come out whole and harmless")
def _():
    users = entities("--kind", "user")
    shown = " ".join(u.get("display_name", "") for u in users)
    assert "<script>" in shown and "=cmd|" in shown
    table = rollcall("entity", "list", "--kind", "user", config=config).out
    assert "\x1b" not in table and "\u202e" not in table
    text = rollcall("read", "corp", "--kind", "user", "--dialect", "csv", config=config, code=None).out
    assert "'=cmd|" in text and ",=cmd|" not in text


main()
