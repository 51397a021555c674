#!/usr/bin/python3
"""graph_read_test.py - a tenant read without a store: the same as the store tells; and csv4, as a test extraction and by a sink.

Entra ID has no back links: `read` knows who is in which group, role and administrative unit from these alone, which come first.
"""
# budget: 120 120
import collections
import csv
import json
import os

from harness import case, main, rollcall, scratch, write
from tenant import Tenant

SIZE = dict(users=700, groups=70, memberships=3000, devices=30, servicePrincipals=20, administrativeUnits=6, contacts=5)
# when and by which run it was told
OF_RUN = {"metadata", "time", "time_dt", "start_time", "first_seen", "last_changed", "first_seen_time"}


def told(value):
    """Without what is of the run, lists in one order."""
    if isinstance(value, dict):
        return {k: told(v) for k, v in value.items() if k not in OF_RUN}
    if isinstance(value, list):
        return sorted((told(v) for v in value), key=lambda v: json.dumps(v, sort_keys=True))
    return value


def lines(text):
    return collections.Counter(json.dumps(told(json.loads(line)), sort_keys=True) for line in text.splitlines())


def exported(directory):
    found = collections.Counter()
    for name in os.listdir(directory):
        if name.endswith(".jsonl"):
            with open(os.path.join(directory, name)) as f:
                found += lines(f.read())
    return found


def table(path, **how):
    with open(path, encoding="utf-8-sig", newline="") as f:
        return list(csv.DictReader(f, **how))


@case("read tells of every entity what the store tells, in every dialect: groups, roles, privileges, managers, owners")
def same():
    with Tenant(**SIZE) as t:
        work = scratch()
        config = t.config(work)
        rollcall("sync", "cloud", config=config)
        for dialect in ("veza", "ocsf", "sekoia"):
            out = os.path.join(work, dialect)
            rollcall("export", "--connector", "cloud", "--dialect", dialect, "--to", out, config=config)
            stored, read = exported(out), lines(rollcall("read", "cloud", "--dialect", dialect, config=config).out)
            assert stored == read, "%s: %d differ\n read   %s\n stored %s" % (dialect, sum((stored - read).values()), list(read - stored)[:1], list(stored - read)[:1])
            assert sum(read.values()) >= SIZE["users"], dialect


@case("read --kind: a kind alone is what it is among all")
def kinds():
    with Tenant(**dict(SIZE, users=150, groups=30, memberships=600)) as t:
        config = t.config(scratch())
        everybody = lines(rollcall("read", "cloud", "--dialect", "veza", config=config).out)
        together = collections.Counter()
        for kind in ("user", "group", "role", "administrative_unit", "service_principal", "device", "contact", "tenant"):
            together += lines(rollcall("read", "cloud", "--dialect", "veza", "--kind", kind, config=config).out)
        assert together == everybody, (list(together - everybody)[:1], list(everybody - together)[:1])


@case("the setting kinds: members of kinds that are not read are told as info, and nothing is lost")
def limited():
    with Tenant(**SIZE) as t:
        config = t.config(scratch(), kinds="user,group")
        r = rollcall("read", "cloud", "--dialect", "veza", config=config)
        assert "gap (loss)" not in r.err, r.err
        run = rollcall("sync", "cloud", "-o", "json", config=config).json()
        assert run["status"] == "complete" and set(k for k, c in run["counts"].items() if c["read"]) == {"user", "group"}, run


@case("settings that decide what is read cost a full run, others do not; the secret may change")
def scope():
    with Tenant(users=40, groups=6, memberships=100) as t:
        work = scratch()
        rollcall("sync", "cloud", config=t.config(work))
        other = write(os.path.join(work, "secret"), t.secret)
        for keys, mode in (({}, "incremental"), ({"parallel": 2, "page_size": 10, "answer_timeout": "30s", "client_secret": "file:" + other}, "incremental"),
                           ({"mfa": "off"}, "full"), ({"kinds": "user,group"}, "full"), ({"incremental": "off"}, "full")):
            run = rollcall("sync", "cloud", "-o", "json", config=t.config(work, **keys)).json()
            assert run["mode"] == mode and run["status"] == "complete", (keys, run)


@case("a refused secret pauses the connector; another one lifts it, and so does check")
def pause():
    with Tenant(users=20, groups=2, memberships=20) as t:
        work = scratch()
        wrong = write(os.path.join(work, "secret"), "wrong")
        config = t.config(work, client_secret="file:" + wrong)
        asked = lambda: len(t.log(service="login"))  # noqa: E731
        assert "AADSTS7000215" in rollcall("sync", "cloud", config=config, code=4).err
        n = asked()
        r = rollcall("sync", "cloud", config=config, code=4)
        assert "the connector is paused, so that a refused credential is not tried for ever" in r.err and asked() == n, r.err
        rollcall("check", "cloud", config=config, code=4)
        assert asked() > n and "paused" in rollcall("connector", "list", "-o", "json", config=config).json()[0]
        write(wrong, t.secret)
        rollcall("sync", "cloud", config=config)
        assert "paused" not in rollcall("connector", "list", "-o", "json", config=config).json()[0]
        assert "connectors.cloud.client_secret: " in rollcall("sync", "cloud", config=t.config(work, client_secret="file:" + work + "/nowhere"), code=3).err


@case("csv4: the four files are the tenant, straight from it and by a sink; neither store nor sinks are touched by the first")
def csv4():
    with Tenant(**SIZE) as t:
        work = scratch()
        columns = write(os.path.join(work, "csv4.yaml"), "users: [{property: userPrincipalName, title: Login}, id]\ndelimiter: tab\nencoding: utf-8-bom\n")
        sink = "sinks:\n  drop: {type: directory, path: drop, dialect: csv4, csv4_columns: csv4.yaml, csv4_domain: other.example}\n"
        config = t.config(work, top=sink)
        rollcall("export", "--connector", "cloud", "--test", "--dialect", "csv4", "--to", os.path.join(work, "out"), config=config)
        assert not os.path.exists(os.path.join(work, "rollcall.db")) and not os.path.exists(os.path.join(work, "drop"))
        truth = t.oracle()
        files = {name: table(os.path.join(work, "out", "contoso.example_%s.csv" % name)) for name in ("users", "groups", "groups_members", "groups_owners")}
        assert {r["id"]: r["userPrincipalName"] for r in files["users"]} == {i: u["userPrincipalName"] for i, u in truth["users"].items()}
        assert {r["id"] for r in files["groups"]} == set(truth["groups"])
        for name, id_name, key in (("groups_members", "memberId", "members"), ("groups_owners", "ownerId", "owners")):
            mine = collections.Counter((r["groupId"], r[id_name]) for r in files[name])
            assert mine == collections.Counter((g, m) for g, v in truth["groups"].items() for m in v[key]), name
        names = {i: o["displayName"] for kind in ("users", "groups", "devices", "servicePrincipals", "contacts") for i, o in truth[kind].items()}
        for r in files["groups_members"]:
            assert r["memberDisplayName"].lstrip("'") == names[r["memberId"]].lstrip("'"), r
        rollcall("sync", "cloud", config=config)
        drop = os.path.join(work, "drop")
        assert sorted(os.listdir(drop)) == ["manifest.json"] + sorted("other.example_%s.csv" % n for n in files), os.listdir(drop)
        with open(os.path.join(drop, "other.example_users.csv"), "rb") as f:
            assert f.read().startswith(b"\xef\xbb\xbfLogin\tid\r\n")
        users = table(os.path.join(drop, "other.example_users.csv"), delimiter="\t")
        assert {u["id"]: u["Login"] for u in users} == {i: u["userPrincipalName"] for i, u in truth["users"].items()}


main()
