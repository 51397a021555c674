#!/usr/bin/python3
"""catalog_test.py - assets, changes and the catalog over HTTP, each answer against what the commands say of the same store; and pages while runs come in between."""
# budget: 120 120
import collections
import csv
import io
import json
import os
import random
import subprocess
import threading
import time

import jsonschema

from harness import ROLLCALL, ROOT, case, main, moment, rollcall, scratch, write
from server import ApiError, Server

BENCH = os.path.join(os.path.dirname(ROLLCALL), "bench", "bench-catalog")
ASSETS = 3000

directory = scratch()
STORE = os.path.join(directory, "rollcall.db")


def bench(what, *args):
    subprocess.run([BENCH, what, STORE, *map(str, args)], check=True, stdout=subprocess.PIPE)


def contract(name):
    with open(os.path.join(ROOT, "docs", "contract", name + ".json")) as f:
        return jsonschema.Draft202012Validator(json.load(f))


bench("make", ASSETS)
bench("refresh")
config = write(os.path.join(directory, "rollcall.yaml"), "store: sqlite:rollcall.db\n")
server = Server(directory=directory)
viewer, analyst = server.viewer, server.analyst


def entities():
    """By (connector, uid), as the command has them."""
    return {(e["connector"], e["uid"]): e for e in rollcall("entity", "list", "-o", "jsonl", config=config).lines()}


truth = entities()
NOBODY = "00000000-0000-0000-0000-000000000000"  # a group that is named and was not read: Domain Users


def groups_of(key):
    return {g["uid"] for g in truth[key]["member_of"]} - {NOBODY}


members = collections.defaultdict(set)
for key, entity in truth.items():
    for group in entity["member_of"]:
        members[(key[0], group["uid"])].add(key[1])


def path(asset, rest=""):
    return "/assets/%s/%s%s" % (asset["connector"], asset["uid"], rest)


def refused(f, status, word=""):
    try:
        f()
    except ApiError as e:
        assert e.status == status and word in json.dumps(e.error), (e, word)
    else:
        raise AssertionError("not refused")


def key_of(row):
    return row["connector"], row["uid"]


# --- lists -------------------------------------------------------------------------------------------------------------------

@case("all pages together are every entity, once, in order, with the command's facts")
def _():
    rows = list(viewer.all("/assets", limit=333))
    assert len(rows) == len(truth) and {key_of(r) for r in rows} == set(truth)
    assert [r["name"].lower() for r in rows] == sorted(r["name"].lower() for r in rows)
    for r in rows:
        e = truth[key_of(r)]
        assert (r["name"], r["kind"], r["dn"], r["enabled"]) == (e["name"], e["kind"], e.get("dn"), e.get("enabled")), (r, e)
        assert r["display_name"] == e.get("display_name") and r["mail"] == e["attributes"].get("mail") and r["last_changed"] == e["last_changed"]
        assert r["last_sign_in"] == e["derived"].get("last_logon") and r["admin"] == any(e["derived"].get(k) for k in ("privileged", "full_admin", "domain_admin")), (r, e)
        assert ("domain_admin" in r["tags"]) == bool(e["derived"].get("domain_admin")) and r["deleted"] is None
        mfa = e["attributes"].get("isMfaRegistered")
        assert r["mfa"] == ("unknown" if mfa is None else "yes" if mfa else "no")


@case("each filter, each order, against the same question asked of the whole list")
def _():
    rows, dice = list(viewer.all("/assets")), random.Random(6)
    tests = {"kind": lambda r: r["kind"], "source": lambda r: r["connector"], "enabled": lambda r: {True: "yes", False: "no", None: "unknown"}[r["enabled"]],
             "admin": lambda r: "yes" if r["admin"] else "no", "mfa": lambda r: r["mfa"]}
    values = {name: sorted({f(r) for r in rows}) for name, f in tests.items()}
    for _ in range(60):
        query = {name: ",".join(dice.sample(v, 1 if name in ("enabled", "admin") else dice.randint(1, len(v)))) for name, v in values.items() if dice.random() < .4}
        word = dice.choice([None, None, "martin", "zo\u00e9", "corp.example", "MARTIN", "zz", "in\u00e8s girard", "pc-0000"])
        wanted = [r for r in rows if all(tests[n](r) in v.split(",") for n, v in query.items())]
        if word == "zz":
            wanted = [r for r in wanted if r["name"].lower().startswith("zz")]
        elif word:
            plain = lambda s: s.lower().replace("\u00e9", "e").replace("\u00e8", "e")  # noqa: E731
            text = lambda r: " ".join(plain(r[k] or "") for k in ("name", "account", "display_name", "mail"))  # noqa: E731
            wanted = [r for r in wanted if all(w in text(r) for w in plain(word).split())]
        sort = dice.choice(["name", "-name", "account", "-last_sign_in", "last_sign_in", "-last_changed", "kind", "-source"])
        got = list(viewer.all("/assets", limit=dice.choice([7, 50, 1000]), sort=sort, q=word, **query))
        assert len(got) == len({key_of(r) for r in got}) and {key_of(r) for r in got} == {key_of(r) for r in wanted}, (query, word, sort, len(got), len(wanted))
        column = {"source": "connector"}.get(sort.lstrip("-"), sort.lstrip("-"))
        keys = [(r[column] or "").lower() for r in got]
        assert keys == sorted(keys, reverse=sort[0] == "-"), (sort, keys[:10])
        facets = viewer.get("/assets/facets", q=word, **query)
        assert facets["total"] == len(wanted) and facets["exact"] is True, (facets["total"], len(wanted))
        for name in tests:
            if name not in query:
                assert facets[name] == collections.Counter(tests[name](r) for r in wanted), (name, facets[name])


@case("a wrong filter, order, limit or place is refused and named")
def _():
    for query, word in (({"sort": "nonsense"}, "sort"), ({"kind": "usr"}, "usr"), ({"mfa": "maybe"}, "maybe"), ({"enabled": "true"}, "enabled"), ({"limit": "0"}, "limit"),
                        ({"limit": "1001"}, "limit"), ({"tag": "none-such"}, "tag"), ({"after": "x"}, "after"), ({"colour": "red"}, "colour"), ({"sign_in": "1d"}, "sign_in")):
        refused(lambda: viewer.get("/assets", **query), 400, word)  # noqa: B023
    assert viewer.get("/assets", q="\" OR 1=1 --", limit=5)["items"] == [] and viewer.get("/assets", source="nobody")["items"] == []


@case("the file of a list is that list: CSV without formulas, JSON")
def _():
    rows = list(viewer.all("/assets", kind="group"))
    status, headers, body = analyst.raw("GET", "/api/v1/assets/export?kind=group&format=csv")
    assert status == 200 and headers["Content-Type"].startswith("text/csv") and "attachment" in headers["Content-Disposition"]
    table = list(csv.DictReader(io.StringIO(body.decode("utf-8"), newline="")))
    assert [t["uid"] for t in table] == [r["uid"] for r in rows]
    for t, r in zip(table, rows):
        guarded = r["name"][0] in "=+-@\t\r"
        assert t["name"] == ("'" if guarded else "") + r["name"], (t["name"], r["name"])
    assert sum(r["name"][0] in "=@-" for r in rows) == 3
    status, headers, body = analyst.raw("GET", "/api/v1/assets/export?format=json")
    assert json.loads(body) == list(viewer.all("/assets"))
    assert json.loads(analyst.raw("GET", "/api/v1/assets/export?format=json&q=nobodyhasthis")[2]) == []
    refused(lambda: viewer.get("/assets/export"), 403)
    refused(lambda: analyst.get("/assets/export", format="xml"), 400, "format")


# --- one asset -----------------------------------------------------------------------------------------------------------------

def some(n, **query):
    rows = list(viewer.all("/assets", **query))
    return random.Random(1).sample(rows, min(n, len(rows)))


@case("one asset is the entity of the contract, and what the list knows of it")
def _():
    schema = contract("entity")
    for asset in some(60):
        e = viewer.get(path(asset))
        assert e["labels"] == [] and e["mfa"] == asset["mfa"] and e["tags"] == asset["tags"]
        plain = {k: v for k, v in e.items() if k in truth[key_of(asset)]}
        assert plain == truth[key_of(asset)]
        extra = {"labels", "identities", "admin", "mfa", "last_sign_in", "tags", "account", "mail"}
        schema.validate({k: v for k, v in e.items() if k not in extra})
        assert set(e) - set(plain) <= extra, set(e) - set(plain)
    for wrong in ("/assets/corp/xyz", "/assets/corp/00000000-0000-0000-0000-000000000000", "/assets/nobody/%s" % asset["uid"]):
        refused(lambda: viewer.get(wrong), 404)  # noqa: B023


@case("groups with their level are a breadth-first walk over member_of")
def _():
    for asset in some(25, kind="user", source="corp"):
        level, front, expected = 1, groups_of(key_of(asset)), {}
        while front:
            expected.update((uid, level) for uid in front)
            front, level = set().union(*(groups_of(("corp", uid)) for uid in front)) - set(expected), level + 1
        got = viewer.get(path(asset, "/groups"), nested="true")
        assert {i["uid"]: i["level"] for i in got["items"] if "uid" in i} == expected and got["more"] is False
        direct = viewer.get(path(asset, "/groups"))["items"]
        assert {i["uid"] for i in direct if "uid" in i} == {u for u, n in expected.items() if n == 1} and all(i["through"] is None for i in direct)
        names = {i["name"] for i in direct}
        assert all(i["through"] in names for i in got["items"] if i["level"] > 1)


@case("members, page by page, are those whose groups say so")
def _():
    for asset in some(15, kind="group", source="corp"):
        got = list(viewer.all(path(asset, "/members"), limit=7))
        assert {i["uid"] for i in got if "uid" in i} == members[key_of(asset)], asset["name"]
    refused(lambda: viewer.get(path(asset, "/members"), after="x"), 400, "after")


@case("attributes as read, with types and paths; the OCSF event is the export's")
def _():
    out = scratch()
    rollcall("export", "--connector", "corp", "--dialect", "ocsf", "--to", out, config=config)
    events = {}
    for name in os.listdir(out):
        if name.endswith(".jsonl"):
            with open(os.path.join(out, name)) as f:
                for line in f:
                    event = json.loads(line)
                    uid = (event.get("user") or event.get("device") or {}).get("uid_alt")
                    if uid:
                        events[uid] = event
    for asset in some(25, kind="user", source="corp"):
        raw = {i["attribute"]: i for i in viewer.get(path(asset, "/raw"))["items"]}
        attributes = truth[key_of(asset)]["attributes"]
        assert set(raw) - {"objectGUID", "objectSid", "distinguishedName"} == set(attributes)
        for name, value in attributes.items():
            assert raw[name]["values"] == (value if isinstance(value, list) else [value])
        event = viewer.get(path(asset, "/ocsf"))
        assert raw["displayName"]["type"] == "string" and "user.display_name" in raw["displayName"]["ocsf"]
        for name in ("displayName", "department", "title", "givenName", "sn"):  # each path leads to the value
            for place in raw[name]["ocsf"]:
                at = event
                for step in place.replace("[", ".").replace("]", "").split("."):
                    at = (at[int(step)] if step.isdigit() else at.get(step)) if at is not None else None
                assert at is not None, (name, place)
        ours, theirs = dict(event), dict(events[asset["uid"]])
        ours.pop("metadata"), theirs.pop("metadata")
        assert ours == theirs
        assert viewer.get(path(asset, "/ocsf"), version="1.1.0")["metadata"]["version"] == "1.1.0"
    refused(lambda: viewer.get(path(asset, "/ocsf"), version="9"), 400)


@case("identities are those of `identity list`, from both sides")
def _():
    rows = rollcall("identity", "list", "-o", "jsonl", config=config).lines()
    assert len(rows) > 100
    for row in random.Random(2).sample(rows, 20):
        for here, there in ((row["entra"], row["active_directory"]), (row["active_directory"], row["entra"])):
            asset = {"connector": here["connector"], "uid": here["uid"]}
            (got,) = viewer.get(path(asset, "/identities"))["items"]
            assert (got["connector"], got["uid"], got["rule"], got["confidence"], got["conflict"]) == (there["connector"], there["uid"], row["rule"], row["confidence"], None)
            assert got["confirmed_by"] == row.get("confirmed_by", []) and viewer.get(path(asset))["identities"] == 1
    assert viewer.get(path(some(1, kind="group")[0], "/identities"))["items"] == []


@case("labels are an analyst's to set, are kept and audited")
def _():
    (asset,) = some(1)
    refused(lambda: viewer.put(path(asset, "/labels"), {"labels": ["x"]}), 403)
    assert analyst.put(path(asset, "/labels"), {"labels": ["vip", "\u00e9t\u00e9"]})["labels"] == ["vip", "\u00e9t\u00e9"]
    assert viewer.get(path(asset))["labels"] == ["vip", "\u00e9t\u00e9"]
    assert any(a["action"] == "asset.labels" and a["after"] == ["vip", "\u00e9t\u00e9"] for a in server.admin.get("/audit")["items"])
    assert analyst.put(path(asset, "/labels"), {"labels": []})["labels"] == [] and viewer.get(path(asset))["labels"] == []
    for bad in ({"labels": "vip"}, {"labels": ["x" * 65]}, {"labels": ["x"] * 21}, {"labels": [""]}, {}, {"labels": [], "more": 1}):
        refused(lambda: analyst.put(path(asset, "/labels"), bad), 400)  # noqa: B023
    refused(lambda: analyst.put("/assets/corp/00000000-0000-0000-0000-000000000000/labels", {"labels": ["x"]}), 404)


@case("a view is its owner's alone")
def _():
    made = analyst.post("/views", {"name": "no MFA", "page": "assets", "query": "mfa=no&enabled=yes"})
    assert [v["name"] for v in analyst.get("/views")["items"]] == ["no MFA"] and server.operator.get("/views")["items"] == []
    refused(lambda: server.operator.delete("/views/" + made["id"]), 404)
    refused(lambda: viewer.get("/views"), 403)
    analyst.delete("/views/" + made["id"])
    assert analyst.get("/views")["items"] == []


# --- the catalog, runs, home ------------------------------------------------------------------------------------------------------

@case("fill rates are counts over the entities; samples hold no value")
def _():
    filled, n = collections.Counter(), collections.Counter()
    values = set()
    for (connector, _), e in truth.items():
        n[connector, e["kind"]] += 1
        filled.update((connector, e["kind"], a) for a in e["attributes"])
        values.update(v for v in e["attributes"].values() if isinstance(v, str) and len(v) > 3)
    kinds = viewer.get("/catalog")
    assert {(k["connector"], k["kind"]): k["count"] for k in kinds["kinds"]} == n and kinds["as_of"]
    for k in kinds["kinds"]:
        rows = viewer.get("/catalog/%s/%s" % (k["connector"], k["kind"]))["items"]
        assert len(rows) == k["attributes"]
        for r in rows:
            assert r["filled"] == filled[k["connector"], k["kind"], r["attribute"]] and r["of"] == k["count"] and r["sample"] not in values, r
    mail = {r["attribute"]: r for r in viewer.get("/catalog/corp/user")["items"]}["mail"]
    assert (mail["type"], mail["normalized"], mail["custom"]) == ("string", "mail", False) and "user.email_addr" in mail["ocsf"] and "@" in mail["sample"]
    refused(lambda: viewer.get("/catalog/corp/nonsense"), 404)
    refused(lambda: viewer.get("/catalog/nobody/user"), 404)


@case("runs are the command's; home counts what is there")
def _():
    runs = viewer.get("/runs")["items"]
    assert [r["id"] for r in runs] == [r["id"] for r in rollcall("run", "list", "-o", "json", config=config).json()]
    assert list(viewer.all("/runs", limit=1)) == runs
    one = viewer.get("/runs/%d" % runs[0]["id"])
    contract("run").validate(one)
    refused(lambda: viewer.get("/runs/999"), 404)
    home = viewer.get("/home")
    assert home["counts"] == collections.Counter(e["kind"] for e in truth.values())
    assert set(home) == {"connectors", "counts", "history", "today", "findings", "expiring", "alerts"} and home["alerts"] == {"open": 0}


# --- changes: from here on the store moves ------------------------------------------------------------------------------------------

@case("changes, newest first, are the command's; each filter against all of them")
def _():
    bench("again", 400)
    bench("refresh")
    all_of_them = rollcall("change", "list", "-o", "jsonl", config=config).lines()[::-1]
    got = list(viewer.all("/changes", limit=300))
    plain = [{k: v for k, v in c.items() if k != "bulk"} for c in got]
    assert plain == all_of_them and got[-1]["bulk"] > 100
    contract("change").validate(plain[0])
    moved = [c for c in plain if c["change"] == "modified"]
    assert moved and all(c["attribute"] == "displayName" for c in moved)
    one = moved[0]
    for query, test in (({"change": "modified"}, lambda c: c["change"] == "modified"), ({"connector": "cloud"}, lambda c: c["connector"] == "cloud"),
                        ({"kind": "group,computer"}, lambda c: c["kind"] in ("group", "computer")), ({"attribute": "displayName"}, lambda c: c.get("attribute") == "displayName"),
                        ({"q": one["name"].upper()}, lambda c: one["name"].lower() in c["name"].lower()), ({"run": 3}, lambda c: c["run"] == 3),
                        ({"since": one["time"]}, lambda c: moment(c["time"]) >= moment(one["time"])), ({"until": one["time"]}, lambda c: moment(c["time"]) < moment(one["time"])),
                        ({"change": "modified,deleted", "kind": "user", "q": "martin"}, lambda c: c["change"] == "modified" and "martin" in c["name"].lower())):
        got = [{k: v for k, v in c.items() if k != "bulk"} for c in viewer.all("/changes", limit=97, **query)]
        assert got == [c for c in plain if test(c)], (query, len(got))
    history = viewer.get("/assets/corp/%s/history" % one["uid"])["items"]
    assert [c["change"] for c in history] == ["modified", "created"] and history[0]["new"].endswith("(moved)")
    for query in ({"change": "nonsense"}, {"since": "yesterday"}, {"after": "x"}, {"kind": "x"}):
        refused(lambda: viewer.get("/changes", **query), 400)  # noqa: B023


@case("the list is of the new run; signed in is signed in, though that is no change")
def _():
    now = {key_of(r): r for r in viewer.all("/assets")}
    after = entities()
    assert set(now) == set(after)
    assert all(r["last_sign_in"] == after[k]["derived"].get("last_logon") and r["display_name"] == after[k].get("display_name") for k, r in now.items())


@case("sorted by kind or source, a search that looks at more rows than a page may: nobody is lost, nobody comes twice")
def _():
    d = scratch()
    store = os.path.join(d, "rollcall.db")
    for what, *n in (["make", "60000"], ["refresh"]):
        subprocess.run([BENCH, what, store, *n], check=True, stdout=subprocess.PIPE)
    many = Server(directory=d, config=write(os.path.join(d, "rollcall.yaml"), "store: sqlite:rollcall.db\n"))
    names = {key_of(r) for r in many.viewer.all("/assets", limit=1000, q="corp.example")}
    assert len(names) > 30000, len(names)
    for sort, of in (("kind", "kind"), ("-kind", "kind"), ("source", "connector"), ("-source", "connector")):
        rows = list(many.viewer.all("/assets", limit=1000, q="corp.example", sort=sort))
        assert len(rows) == len(names) and {key_of(r) for r in rows} == names, (sort, len(rows), len({key_of(r) for r in rows}), len(names))
        groups = [r[of] for r in rows]
        assert groups == sorted(groups, reverse=sort[0] == "-"), sort
    many.stop()


@case("pages while runs and refreshes come in between: nobody is lost, nobody comes twice")
def _():
    stop, failures = threading.Event(), []

    def move():
        for n in range(50, 2000, 150):
            if stop.is_set():
                return
            bench("again", n)
            bench("refresh")

    mover = threading.Thread(target=move)
    mover.start()
    try:
        rounds = 0
        while (mover.is_alive() or rounds < 2) and rounds < 40:
            for sort in ("name", "-name", "kind", "account"):
                keys = [key_of(r) for r in viewer.all("/assets", limit=40, sort=sort)]
                if len(keys) != len(set(keys)) or set(keys) != set(truth):
                    failures.append((sort, len(keys), len(set(keys)), len(truth)))
            rounds += 1
            time.sleep(.01)
    finally:
        stop.set()
        mover.join()
    assert not failures and rounds > 1, (failures, rounds)


if __name__ == "__main__":
    main()
