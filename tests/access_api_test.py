#!/usr/bin/python3
"""access_api_test.py - questions of access over HTTP are the CLI's, page by page; the process that answers them is bounded, renewed and never smuggled into."""
# budget: 120 120
import contextlib
import json
import os
import signal
import threading
import time

from domain import Domain
from harness import Lab, case, main, moment, rollcall, scratch, wait_for
from server import ApiError, Server

lab = Lab()
domain = Domain(lab)
work = scratch()
config = lab.config(work, extract_acls=True, username=lab.admin, password="file:" + lab.admin_pw_file)
server = Server(work)
ask = server.analyst
ADMINS = "CN=Domain Admins,CN=Users," + lab.base


with open(lab.admin_pw_file) as f:
    server.operator.post("/connectors", {"name": "corp", "type": "active_directory", "enabled": False, "secrets": {"password": f.read().strip()}, "settings": {
        "domain": lab.domain, "host": lab.ip, "certificate_name": lab.host, "username": lab.admin, "ca_certificate": lab.ca, "extract_acls": True}})


def cli(*words):
    return rollcall(*words, "-o", "json", config=config, code=None).json()


def whole(path, limit, **query):
    """All pages; what they say beside the rows must be the same on each."""
    rows, beside, after = [], None, None
    while True:
        page = ask.get(path, limit=limit, after=after, **query)
        now = {k: page[k] for k in ("total", "hidden", "gaps", "as_of")}
        assert beside in (None, now), (beside, now)
        beside = now
        assert len(page["items"]) <= limit
        rows += page["items"]
        after = page["next"]
        if not after:
            assert beside["total"] == len(rows), (beside, len(rows))
            return rows, beside


def refused(status, path, who=None, **query):
    try:
        got = (who or ask).get(path, **query)
    except ApiError as e:
        assert e.status == status, e
        return e.error
    raise AssertionError("%s %s was answered: %r" % (path, query, got))


def asker_pid():
    """The child that keeps the world; None: there is none."""
    with open("/proc/%d/task/%d/children" % (server.pid, server.pid)) as f:
        pids = f.read().split()
    for task in os.listdir("/proc/%d/task" % server.pid):
        with contextlib.suppress(OSError), open("/proc/%d/task/%s/children" % (server.pid, task)) as f:
            pids += f.read().split()
    for pid in pids:
        with contextlib.suppress(OSError), open("/proc/%s/cmdline" % pid, "rb") as f:
            if b"\0answer\0" in f.read():
                return int(pid)
    return None


@case("before the first sync: nobody is found, and that is said")
def _():
    e = refused(404, "/access/who-can", right="WRITE_DAC", target="Guest")
    assert e["class"] == "NOTFOUND" and e["hint"], e
    assert ask.get("/access/find", q="guest")["items"] == []
    assert ask.get("/reports/findings")["items"] == []


@case("who-can is the CLI's, with every page size; hidden and as_of are told")
def _():
    server.sync("corp")
    for right in ("WRITE_PROPERTY:member", "WRITE_DAC", "CONTROL_ACCESS:User-Force-Change-Password", "READ_PROPERTY"):
        told = cli("access", "who-can", right, ADMINS)
        for limit in (1000, 7, 1) if len(told) < 100 else (1000, 97):
            rows, beside = whole("/access/who-can", limit, right=right, target=ADMINS)
            assert rows == told, (right, limit)
        both = cli("access", "who-can", right, ADMINS, "--groups")
        assert beside["hidden"] == len(both) - len(told), (beside, len(both), len(told))
        assert beside["as_of"] and beside["gaps"] == []
    filtered, beside = whole("/access/who-can", 5, right="WRITE_DAC", target=ADMINS, filter="enabled=true", kind="user")
    assert filtered == cli("access", "who-can", "WRITE_DAC", ADMINS, "--principal-filter", "enabled=true", "--kind", "user")
    assert whole("/access/who-can", 100, right="WRITE_DAC", target=ADMINS, groups="true")[0] == cli("access", "who-can", "WRITE_DAC", ADMINS, "--groups")
    assert whole("/access/who-can", 100, right="WRITE_DAC", target=ADMINS, rule="deny-wins", connector="corp")[0] == \
        cli("access", "who-can", "WRITE_DAC", ADMINS, "--rule", "deny-wins", "--connector", "corp")


@case("what-can, members, token are the CLI's")
def _():
    for principal in ("Administrator", "krbtgt"):
        told = cli("access", "what-can", principal)
        rows, beside = whole("/access/what-can", 250, principal=principal)
        assert rows == told
        assert beside["hidden"] == len(cli("access", "what-can", principal, "--all")) - len(told), beside
        assert whole("/access/what-can", 1000, principal=principal, all="true")[0] == cli("access", "what-can", principal, "--all")
        assert whole("/access/what-can", 99, principal=principal, kind="group", right="WRITE_DAC")[0] == \
            cli("access", "what-can", principal, "--kind", "group", "--right", "WRITE_DAC")
        assert whole("/access/token", 4, principal=principal)[0] == cli("access", "token", principal)
    assert whole("/access/members", 3, group=ADMINS)[0] == cli("access", "members", ADMINS)
    assert whole("/access/members", 50, group=ADMINS, direct="true")[0] == cli("access", "members", ADMINS, "--direct")


@case("why: the facts and the text; check: one object")
def _():
    for right in ("WRITE_DAC", "WRITE_PROPERTY:member", "CREATE_CHILD:user"):
        words = ("--principal", "Administrator", "--target", ADMINS, "--right", right)
        got = ask.get("/access/why", principal="Administrator", target=ADMINS, right=right)
        text = got.pop("text")
        assert got == cli("access", "why", *words)
        assert text == rollcall("access", "why", *words, config=config).out
    assert ask.get("/access/check", principal="Administrator", target="Guest") == cli("access", "check", "--principal", "Administrator", "--target", "Guest")[0]


@case("names: rights are parsed back, candidates come from the catalog")
def _():
    rights = server.viewer.get("/access/rights")
    assert "WRITE_DAC" in rights["object"] and "WRITE_PROPERTY:member" in rights["typed"] and "CONTROL_ACCESS:User-Force-Change-Password" in rights["typed"]
    assert len(set(rights["typed"])) == len(rights["typed"])
    for right in rights["typed"][::9]:
        ask.get("/access/who-can", right=right, target=ADMINS, limit=1)
    found = server.viewer.get("/access/find", q="domain adm")["items"]
    assert any(f["name"] == "Domain Admins" and f["connector"] == "corp" and f["uid"] for f in found), found
    assert len(server.viewer.get("/access/find", q="a")["items"]) <= 20
    assert all(f["kind"] == "user" for f in server.viewer.get("/access/find", q="admin", kind="user")["items"])
    refused(400, "/access/find", kind="usr", q="x")


@case("errors are the command's own; what is missing or unknown is named")
def _():
    for query in ({}, {"right": "WRITE_DAC"}, {"target": "Guest"}, {"right": "", "target": "Guest"}):
        assert refused(400, "/access/who-can", **query)["class"] == "INPUT"
    assert refused(404, "/access/who-can", right="WRITE_DAC", target="nobody-of-that-name")["hint"]
    assert "WRITE_DAC" in json.dumps(refused(400, "/access/who-can", right="WRITE_DACK", target="Guest"))
    for bad in ("r", "rx", "r-1", "12", "r1x", "r99999999999999999999"):
        refused(400, "/access/who-can", right="WRITE_DAC", target="Guest", after=bad)
    refused(400, "/access/who-can", right="WRITE_DAC", target="Guest", limit="0")
    refused(400, "/access/who-can", right="WRITE_DAC", target="Guest", filter="nonsense ~~ x")
    refused(400, "/access/who-can", right="WRITE_DAC", target="Guest", rule="lenient")
    refused(400, "/access/who-can", right="WRITE_DAC", target="Guest", colour="red")
    assert ask.get("/access/who-can", right="WRITE_DAC", target="Guest", after="r5000")["items"] == []
    refused(503, "/access/who-can", right="WRITE_DAC", target="Guest", after="r100000")


@case("values that look like options stay values")
def _():
    secret = os.path.join(work, "pairs.jsonl")
    with open(secret, "w") as f:
        f.write('{"principal": "Administrator", "target": "Guest"}\n')
    for value in ("--pairs=" + secret, "--config=/etc/passwd", "--help", "-h", "--", "-", "--html=/tmp/x", "-o", "--limit=1", "--set=x=y", "$(id)", "a\nb", "';--", "\u202e"):
        for path, query in (("who-can", {"right": "WRITE_DAC", "target": value}), ("who-can", {"right": value, "target": "Guest"}),
                            ("what-can", {"principal": value}), ("members", {"group": value}), ("token", {"principal": value}),
                            ("check", {"principal": value, "target": "Guest"}), ("why", {"principal": "Guest", "target": value, "right": "WRITE_DAC"}),
                            ("who-can", {"right": "WRITE_DAC", "target": "Guest", "connector": value}), ("who-can", {"right": "WRITE_DAC", "target": "Guest", "filter": value}),
                            ("what-can", {"principal": "Guest", "kind": value}), ("token", {"principal": "Guest", "at": value})):
            try:
                got = ask.get("/access/" + path, **query)
            except ApiError as e:
                assert e.status in (400, 404), (path, query, e)
            else:  # "--limit=1" may be a filter: of an attribute that nobody has
                assert "filter" in query and got["items"] == [] and got["total"] == 0, (path, query, got)


@case("roles: a viewer asks nothing, finds and sees names")
def _():
    for path, query in (("/access/who-can", {"right": "WRITE_DAC", "target": "Guest"}), ("/access/why", {}), ("/reports", {})):
        assert refused(403, path, who=server.viewer, **query)["class"] == "DENIED"
        assert refused(401, path, who=server.anonymous(), **query)["class"] == "AUTH"
    assert "items" in server.viewer.get("/reports/findings")


@case("another run: the world is made anew, and kept pages with it")
def _():
    before = whole("/access/who-can", 1000, right="WRITE_DAC", target=ADMINS)[0]
    name = "new.owner"
    dn = domain.user(name, "CN=Users," + lab.base)
    domain.add(ADMINS, member=dn)
    assert whole("/access/who-can", 1000, right="WRITE_DAC", target=ADMINS)[0] == before, "not synced yet"
    server.sync("corp")
    after = whole("/access/who-can", 1000, right="WRITE_DAC", target=ADMINS)[0]
    assert {r["principal"]["name"] for r in after} - {r["principal"]["name"] for r in before} == {name}
    domain.delete(dn)
    server.sync("corp")
    assert whole("/access/who-can", 1000, right="WRITE_DAC", target=ADMINS)[0] == before


@case("the child is killed, stopped, or many ask at once: the next answer is whole")
def _():
    want = whole("/access/who-can", 1000, right="WRITE_DAC", target=ADMINS)[0]
    first = asker_pid()
    os.kill(first, signal.SIGKILL)
    assert whole("/access/who-can", 1000, right="WRITE_DAC", target=ADMINS)[0] == want
    assert asker_pid() not in (None, first)
    results, clients = [], [server.login("analyst") for _ in range(8)]

    def many(client):
        for limit in (3, 5):
            results.append(client.get("/access/who-can", right="WRITE_DAC", target=ADMINS, limit=limit)["items"] == want[:limit])

    threads = [threading.Thread(target=many, args=(c,)) for c in clients]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert results == [True] * 16, results
    os.kill(asker_pid(), signal.SIGTERM)
    wait_for(lambda: asker_pid() is None)  # no zombie either
    assert whole("/access/who-can", 1000, right="WRITE_DAC", target=ADMINS)[0] == want


@case("reports: the rules, a run as a job, and what it found")
def _():
    server.sync("corp")
    assert ask.get("/reports")["items"] == cli("report", "list")
    server.wait_job(ask.post("/reports/run", {})["job"])
    found = ask.get("/reports/findings")
    assert found["as_of"]
    told = {r["rule"]: r for r in cli("report", "run", "--counts")}
    assert {f["rule"] for f in found["items"]} == set(told)
    rows = {}
    for r in cli("report", "run", "--limit", "100"):
        rows.setdefault(r["rule"], []).append({k: v for k, v in r.items() if k not in ("rule", "severity")})
    for f in found["items"]:
        assert f["n"] == told[f["rule"]].get("count", 0) and f["severity"] == told[f["rule"]]["severity"], f
        assert f["items"] == rows.get(f["rule"], [])[:len(f["items"])] and (f["items"] or not f["n"]), (f, rows.get(f["rule"], [])[:3])
    one = next(f["rule"] for f in found["items"] if f["n"])
    server.wait_job(ask.post("/reports/run", {"rules": [one]})["job"])
    assert ask.get("/reports/findings") == found, "a run of some rules is not the last of all"
    refused_job = server.wait_job(ask.post("/reports/run", {"rules": ["NO_99"]})["job"], state="failed")
    assert refused_job["error"]["class"] in ("INPUT", "NOTFOUND"), refused_job


@case("as of an earlier run: the answer says of when it is, and what could not be undone")
def _():
    ou = domain.ou("Past")
    gone, stays = domain.user("past.gone", ou), domain.user("past.stays", ou)
    group = domain.group("past-group", ou, gone, stays)
    server.sync("corp")
    then = ask.get("/runs", connector="corp", limit=1)["items"][0]
    domain.delete(gone)
    domain.remove(group, member=stays)
    server.sync("corp")
    page = ask.get("/access/members", group=group, run=then["id"])
    assert [r["member"]["name"] for r in page["items"]] == ["past.stays"] and page["as_of"] == then["ended"], page
    assert "could not be undone" in page["gaps"][0]["what"], page["gaps"]
    page = ask.get("/access/members", group=group)
    assert page["items"] == [] and moment(page["as_of"]) > moment(then["ended"]) and not any("undone" in g["what"] for g in page["gaps"]), (page, then)
    assert "no connector" in refused(400, "/access/members", group="S-1-5-11", run=then["id"])["message"]


main()
