#!/usr/bin/python3
"""connectors_api_test.py - connectors over HTTP, from the form to the assets and away again, against a real domain controller and a simulated tenant; and a
stored password that nobody gets to whom it was not entered for."""
# budget: 240 240
import contextlib
import json
import os
import re
import socket
import sqlite3
import subprocess

from domain import Domain
from harness import Fake, Lab, case, main, rollcall, scratch, wait_for, write
from server import ApiError, Server
from tenant import SECRET, Tenant

lab = Lab()
tenant = Tenant(users=60, groups=10, memberships=200)
server = Server()
operator, viewer = server.operator, server.viewer
with open(lab.admin_pw_file) as f:
    PASSWORD = f.read().strip()
with open(lab.ca) as f:
    CA = f.read()
AD = {"domain": lab.domain, "host": lab.ip, "certificate_name": lab.host, "username": lab.admin, "ca_certificate": lab.ca}
ENTRA = {k: v for k, v in tenant.settings().items() if k not in ("client_secret", "type")}


def refused(status, call, *args, **query):
    try:
        got = call(*args, **query)
    except ApiError as e:
        assert e.status == status, e
        return e.error
    raise AssertionError("%s was answered: %r" % (args, got))


def create(name, settings=AD, secrets=None, type="active_directory", enabled=False):
    return operator.post("/connectors", {"name": name, "type": type, "settings": settings, "enabled": enabled,
                                         "secrets": {"password": PASSWORD} if secrets is None else secrets}, status=201)


def put(connector, settings, secrets=None, enabled=False, status=200, version=None):
    return operator.put("/connectors/" + connector["name"], {"version": version or connector["version"], "settings": settings, "secrets": secrets or {}, "enabled": enabled},
                        status=status)


def own(connector):
    """The settings as a form sends them back."""
    return {k: v for k, v in connector["settings"].items() if v != "entered:"}


def test_job(body, path="/connectors/test"):
    """(job, steps by name) of a test."""
    id = operator.post(path, body, status=202)["job"]
    steps = {d["name"]: d for event, d, _ in operator.events(id) if event == "step"}
    return server.wait_job(id, state=None), steps


def unsaved(settings, secrets=None, type="active_directory", name="corp_new"):
    return {"name": name, "type": type, "settings": settings, "secrets": {"password": PASSWORD} if secrets is None else secrets}


def without(settings, *keys):
    return {k: v for k, v in settings.items() if k not in keys}


def text(content):
    return open(write(os.path.join(scratch(), "stdin"), content))


def assert_no_secret(value):
    text = json.dumps(value)
    assert PASSWORD not in text and SECRET not in text, "a secret was told"


@case("what can be connected: types, and a specification for the form")
def _():
    types = viewer.get("/connector-types")["items"]
    assert {t["name"] for t in types} == {"active_directory", "entra_id"} and all(t["available"] and t["doc"] for t in types), types
    assert viewer.get("/connector-types/active_directory") == rollcall("connector", "spec", "active_directory").json()
    assert refused(404, viewer.get, "/connector-types/http")["class"] == "NOTFOUND"


@case("Active Directory: judged, tested, created, synced; then its tile says all of it")
def _():
    assert operator.post("/connectors/judge", dict(unsaved(AD), is_new=True))["problems"] == []
    job, steps = test_job(unsaved(AD))
    assert job["state"] == "done" and steps and not [s for s in steps.values() if s["verdict"] == "fail"], (job, steps)
    assert_no_secret([job, steps])
    made = create("corp")
    assert made["status"] == "off" and made["secrets"]["password"]["set"] and made["source"] == "server", made
    assert_no_secret(made)
    refused(409, create, "corp")
    server.sync("corp")
    off = viewer.get("/connectors/corp")
    assert off["status"] == "off" and off["next"] is None and off["last"]["status"] == "complete", off
    assert operator.post("/connectors/corp/enabled", {"enabled": True})["enabled"]
    wait_for(lambda: viewer.get("/connectors/corp")["next"])
    now = viewer.get("/connectors/corp")
    assert now["status"] in ("healthy", "running") and now["reason"] is None and now["last_success"] and now["next"], now
    assert now["assets"]["user"] > 50 and now["delta"]["created"] >= sum(now["assets"].values()) and now["last"]["run"] == 1 and now["last"]["job"], now
    assert now["last"]["counts"]["user"]["read"] == now["assets"]["user"], now
    assert [c["name"] for c in viewer.get("/connectors")["items"]] == ["corp"]
    put(now, own(now))


@case("Entra ID: the same, with a client secret")
def _():
    body = unsaved(ENTRA, {"client_secret": SECRET}, "entra_id", "cloud")
    assert [p for p in operator.post("/connectors/judge", dict(body, is_new=True))["problems"] if p["severity"] == "error"] == []
    job, steps = test_job(body)
    assert not [s for s in steps.values() if s["verdict"] == "fail"], steps
    create("cloud", ENTRA, {"client_secret": SECRET}, "entra_id")
    server.sync("cloud")
    cloud = viewer.get("/connectors/cloud")
    assert cloud["assets"]["user"] == 60 and cloud["last"]["status"] == "complete", cloud
    assert_no_secret(cloud)


@case("settings that are wrong: each is named by its key, with what to do")
def _():
    tokens = without(AD, "username", "ca_certificate")
    rows = [
        ("a name with spaces", {}, {}, "my corp", "name"),
        ("a name that is taken", {}, {}, "corp", "name"),
        ("no domain", {"domain": None}, {}, "x", "domain"),
        ("a domain that is none", {"domain": "corp example"}, {}, "x", "domain"),
        ("a port that is none", {"port": 70000}, {}, "x", "port"),
        ("port 389 in clear with a password", {"port": 389, "security": "ldap"}, {}, "x", "port|security"),
        ("a key that nobody knows", {"hosst": "dc1"}, {}, "x", "hosst"),
        ("security that is none", {"security": "none"}, {}, "x", "security"),
        ("no user", {"username": None}, {}, "x", "username"),
        ("no password", {}, {"password": None}, "x", "password"),
        ("a base DN of another domain", {"base_dn": "OU=x,DC=elsewhere,DC=example"}, {}, "x", "base_dn"),
        ("a base DN that is none", {"base_dn": "Users"}, {}, "x", "base_dn"),
        ("a CA file that is not there", {"ca_certificate": "/nonexistent/ca.pem"}, {}, "x", "ca_certificate"),
        ("a full sync never said when", {"full_sync_every": "now and then"}, {}, "x", "full_sync_every"),
        ("a frequency that is none", {"frequency": "sometimes"}, {}, "x", "frequency"),
        ("an address as host", {"certificate_name": None}, {}, "x", "host"),
        ("DOMAIN\\user", {"username": "CORP\\Administrator"}, {}, "x", "username"),
        ("a failover host that is none", {"failover_hosts": ["dc 2"]}, {}, "x", "failover_hosts"),
        ("a custom property without a name", {"custom_properties": [{"kind": "user"}]}, {}, "x", "custom_properties"),
        ("a keytab that is missing", {"auth": "keytab"}, {"password": None}, "x", "keytab"),
    ]
    assert tokens and len(rows) == 20
    wrong = []
    for what, changes, secrets, name, key in rows:
        settings = {k: v for k, v in dict(AD, **changes).items() if v is not None}
        entered = {k: v for k, v in dict({"password": PASSWORD}, **secrets).items() if v is not None}
        problems = operator.post("/connectors/judge", dict(unsaved(settings, entered, name=name), is_new=True))["problems"]
        named = [p for p in problems if re.fullmatch(key, p["key"].split(".")[0].split("[")[0])]
        if not named or not all(p["message"] and (p["hint"] or p["severity"] == "error") for p in named):
            wrong.append((what, problems))
        assert_no_secret(problems)
    assert not wrong, json.dumps(wrong, indent=1)
    for changes, key in (({"tenant_id": "my tenant"}, "tenant_id"), ({"client_id": "x"}, "client_id"), ({"cloud": "mars"}, "cloud")):
        problems = operator.post("/connectors/judge", dict(unsaved(dict(ENTRA, **changes), {"client_secret": SECRET}, "entra_id"), is_new=True))["problems"]
        assert [p for p in problems if p["key"] == key], problems
    problems = operator.post("/connectors/judge", dict(unsaved(ENTRA, {"client_secret": tenant.client_id}, "entra_id"), is_new=True))["problems"]
    assert [p for p in problems if p["key"] == "client_secret"], problems
    e = refused(400, operator.post, "/connectors", unsaved(dict(AD, port=70000, security="none"), name="bad"))
    assert {f["key"] for f in e["fields"]} >= {"port", "security"} and all(f["message"] for f in e["fields"]), e


@case("settings that only the directory can refuse: the test's step says which")
def _():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = free.getsockname()[1]
    other_ca = Fake().ca
    no_ca = write(os.path.join(scratch(), "no-ca.pem"), "nothing")
    rows = [
        ("wrong password", {}, "Wrong-Passw0rd.1", "AUTH|INPUT"),
        ("nobody of that name", {"username": "nobody@" + lab.domain}, PASSWORD, "AUTH"),
        ("nobody listens", {"port": closed}, PASSWORD, "NET"),
        ("another name in the certificate", {"certificate_name": "dc9." + lab.domain}, PASSWORD, "TLS"),
        ("another authority", {"ca_certificate": other_ca}, PASSWORD, "TLS"),
        ("a CA file that holds none", {"ca_certificate": no_ca}, PASSWORD, "TLS|INPUT"),
        ("a base DN that is not there", {"base_dn": "OU=Nowhere," + lab.base}, PASSWORD, "INPUT|NOTFOUND"),
        ("a host that does not exist", {"host": "dc1.invalid"}, PASSWORD, "NET|NOTFOUND|INPUT|TIMEOUT"),
    ]
    wrong = []
    for what, changes, password, classes in rows:
        job, steps = test_job(unsaved(dict(AD, **changes), {"password": password}))
        failed = [s for s in steps.values() if s["verdict"] == "fail"]
        if not failed or not failed[0].get("evidence") or not failed[0].get("fix"):
            wrong.append((what, job, steps))
        elif failed[0].get("class") and not re.fullmatch(classes, failed[0]["class"]):
            wrong.append((what, failed))
        assert_no_secret([job, steps])
    for what, changes, secret in (("wrong secret", {}, "x" * 40), ("another tenant", {"tenant_id": "00000000-0000-0000-0000-000000000001"}, SECRET)):
        job, steps = test_job(unsaved(dict(ENTRA, **changes), {"client_secret": secret}, "entra_id", "cloud2"))
        if not [s for s in steps.values() if s["verdict"] == "fail" and s.get("evidence") and s.get("fix")]:
            wrong.append((what, job, steps))
    assert not wrong, json.dumps(wrong, indent=1)


@case("pass-back: a stored password is sent to nobody but whom it was entered for")
def _():
    evil = Fake("--users", 5)
    at = {"host": "127.0.0.1", "port": evil.port, "certificate_name": "fake-dc.fake.example"}
    before = create("safe")
    tries = [dict(at), dict(at, ca_certificate=evil.ca), {"host": "127.0.0.1"}, {"port": evil.port}, {"security": "starttls"}, {"ca_certificate": evil.ca},
             {"certificate_name": "fake-dc.fake.example"}, {"username": "other@" + lab.domain}, {"domain": "fake.example"},
             {"failover_hosts": ["127.0.0.1:%d" % evil.port]}, {"dc_discovery": True, "dc_discovery_domain": "fake.example"}]
    for change in tries:
        settings = {k: v for k, v in dict(AD, **change).items()}
        for path, more in (("/connectors/test", {}), ("/connectors/browse", {"base": ""})):
            e = refused(400, operator.post, path, dict(unsaved(settings, {}, name="safe"), **more))
            assert "password" in json.dumps(e), (change, e)
        e = refused(400, put, before, settings, enabled=True)
        assert "password" in json.dumps(e), (change, e)
    # Saved without it, switched off: it must be entered again, also when what was changed is changed back.
    saved = put(before, dict(AD, **dict(at, ca_certificate=evil.ca)))
    assert "password" in saved["must_enter"] and not saved["secrets"]["password"]["set"], saved
    for path in ("/connectors/safe/sync", "/connectors/safe/test"):
        try:
            job = server.wait_job(operator.post(path, {} if path.endswith("sync") else None)["job"], state=None)
            assert job["state"] == "failed" or (job.get("result") or {}).get("ok") is False, job
        except ApiError as e:
            assert e.status in (400, 409), e
    refused(400, operator.post, "/connectors/safe/enabled", {"enabled": True})
    back = put(saved, AD)
    assert "password" in back["must_enter"] and not back["secrets"]["password"]["set"], back
    refused(400, operator.post, "/connectors/test", unsaved(AD, {}, name="safe"))
    # A copy, and a new connector with the stored one's name in another type, have none of it.
    copy = operator.post("/connectors/corp/duplicate", {"name": "corp_copy"}, status=201)
    assert not copy["enabled"] and not copy["secrets"].get("password", {}).get("set"), copy
    refused(400, operator.post, "/connectors/test", unsaved(dict(AD, **at), {}, name="corp_copy"))
    refused(400, operator.post, "/connectors/test", unsaved(dict(AD, **at), {}, name="corp"))
    refused(400, operator.post, "/connectors/test", unsaved(dict(AD, **at), {}, name="corp_elsewhere"))
    binds = [r for r in evil.requests() if r["op"] == "bind"]
    assert not binds, binds
    # Nothing changed, or only what it is not bound to: the stored one is used.
    corp = viewer.get("/connectors/corp")
    job, steps = test_job(unsaved(dict(own(corp), extract_acls=True), {}, name="corp"))
    assert steps and not [s for s in steps.values() if s["verdict"] == "fail"], steps
    # And with a password of its own the evil one is asked, so that the above was no accident of the way there.
    job, steps = test_job(unsaved(dict(AD, **dict(at, ca_certificate=evil.ca, domain="fake.example", username="svc-collector@fake.example")), {"password": "Collector-1"}))
    assert [r for r in evil.requests() if r["op"] == "bind"], (job, steps)
    for name in ("safe", "corp_copy"):
        operator.delete("/connectors/" + name, status=204)


@case("what the server reads is named by an administrator, and goes nowhere else for anybody less")
def _():
    evil = Fake("--users", 5)
    at = {"host": "127.0.0.1", "port": evil.port, "certificate_name": "fake-dc.fake.example", "ca_certificate": evil.ca}
    named = dict(AD, password="file:" + lab.admin_pw_file)
    stranger = write(os.path.join(scratch(), "elses"), "somebody else's")
    for settings, key in ((named, "password"), (dict(AD, **at, password="file:" + stranger), "password"), (dict(AD, password="vault:kv/corp#password"), "password"),
                          (dict(AD, auth="keytab", keytab=stranger), "keytab")):
        body = dict(unsaved(settings, {}, name="named"))
        for path in ("/connectors", "/connectors/test", "/connectors/browse"):
            e = refused(403, operator.post, path, dict(body, **({"base": ""} if path.endswith("browse") else {})))
            assert e["class"] == "DENIED" and key in json.dumps(e) and e["hint"], e
        said = [p for p in operator.post("/connectors/judge", dict(body, is_new=True))["problems"] if p["key"] == key and p["severity"] == "error"]
        assert said and "administrator" in said[0]["message"], said
    for place in ("file:/nonexistent", "env:NOPE"):  # nor is it told whether it is there
        said = operator.post("/connectors/judge", dict(unsaved(dict(AD, password=place), {}, name="named"), is_new=True))["problems"]
        assert [p["message"] for p in said if p["key"] == "password"] == ["only an administrator may name what the server reads: files, variables, credentials, entries of a vault"], said
    refused(403, operator.post, "/connectors/test", unsaved(dict(without(AD, "username"), auth="kerberos_cache", **at), {}, name="named"))
    e = refused(403, operator.post, "/connectors", unsaved(dict(ENTRA, federated_token_file=stranger), {}, "entra_id", "named"))
    assert [f["key"] for f in e["fields"]] == ["federated_token_file"], e
    made = server.admin.post("/connectors", {"name": "named", "type": "active_directory", "settings": named, "secrets": {}, "enabled": False}, status=201)
    job, steps = test_job(unsaved(own(made), {}, name="named"))  # as it is, an operator works with it
    assert steps and not [s for s in steps.values() if s["verdict"] == "fail"], steps
    made = put(made, dict(own(made), frequency="2h"))
    for change in (at, {"host": "127.0.0.1"}, {"username": "other@" + lab.domain}, {"failover_hosts": ["127.0.0.1:%d" % evil.port]}, {"ca_certificate": evil.ca}):
        settings = dict(own(made), **change)
        refused(403, operator.post, "/connectors/test", unsaved(settings, {}, name="named"))
        e = refused(403, put, made, settings)
        assert [f["key"] for f in e["fields"]] == ["password"], e
    copy = operator.post("/connectors/named/duplicate", {"name": "named_copy"}, status=201)
    refused(403, put, copy, dict(own(copy), **at))
    assert not evil.requests(), evil.requests()
    theirs = put(copy, dict(without(own(copy), "password"), **at), {"password": "Collector-1"})  # what he enters himself may go where he likes
    assert theirs["secrets"]["password"]["reference"] is None, theirs
    for name in ("named", "named_copy"):
        operator.delete("/connectors/" + name, status=204)


@case("two who edit: the second is told, nothing of the first is lost")
def _():
    mine = viewer.get("/connectors/corp")
    yours = put(mine, dict(own(mine), extract_acls=False))
    e = refused(409, put, mine, dict(own(mine), frequency="2h"))
    assert e["class"] == "CONFLICT" and e["message"], e
    now = viewer.get("/connectors/corp")
    assert now["settings"]["extract_acls"] is False and now["version"] == yours["version"] > mine["version"]
    assert now["secrets"]["password"]["set"], "an edit of something else keeps the password"
    refused(404, operator.put, "/connectors/nobody", {"version": 1, "settings": AD})
    refused(400, operator.put, "/connectors/corp", {"settings": AD})


@case("of the settings file: seen, run, and not to be changed here")
def _():
    directory = scratch()
    other = Server(directory, config=lab.config(directory, frequency="30d"), users=("admin", "operator"))
    one = other.operator.get("/connectors/corp")
    assert one["source"] == "file" and PASSWORD not in json.dumps(one), one
    refused(409, other.operator.delete, "/connectors/corp")
    refused(409, other.operator.put, "/connectors/corp", {"version": one["version"] or 1, "settings": AD})
    refused(409, other.operator.post, "/connectors", {"name": "corp", "type": "active_directory", "settings": AD, "secrets": {"password": PASSWORD}})
    copy = other.operator.post("/connectors/corp/duplicate", {"name": "corp2"}, status=201)
    assert copy["source"] == "server" and not copy["enabled"]
    other.stop()


@case("a sync: one at a time, watched, cancelled; a refused credential pauses and says so")
def _():
    corp = viewer.get("/connectors/corp")
    job = operator.post("/connectors/corp/sync", {"full": True})["job"]
    events = [e for e, _, _ in viewer.events(job)]
    assert events[-1] == "end" and "state" in events, events
    assert viewer.get("/jobs/%d" % job)["state"] == "done"
    listed = viewer.get("/jobs", connector="corp", kind="sync", limit=1)
    assert listed["items"][0]["id"] == job and listed["next"], listed
    assert viewer.get("/jobs", connector="corp", kind="sync", limit=50, after=listed["next"])["items"][0]["id"] < job
    refused(404, viewer.get, "/jobs/99999")
    refused(404, viewer.get, "/jobs/99999/events")
    refused(409, operator.post, "/jobs/%d/cancel" % job)
    refused(400, viewer.get, "/jobs", after="x")
    refused(400, operator.post, "/connectors/corp/sync", {"fulll": True})
    refused(404, operator.post, "/connectors/nobody/sync", {})
    bad = put(corp, own(viewer.get("/connectors/corp")), {"password": "Wrong-Passw0rd.2"}, enabled=True, version=viewer.get("/connectors/corp")["version"])
    failed = server.wait_job(operator.post("/connectors/corp/sync", {})["job"], state="failed")
    assert failed["error"]["class"] == "AUTH", failed
    tile = viewer.get("/connectors/corp")
    assert tile["status"] in ("paused", "failed") and tile["reason"] and tile["fix"] and tile["last_success"], tile
    again = server.wait_job(operator.post("/connectors/corp/sync", {})["job"], state="failed")
    assert again["error"]["class"] == "AUTH", again
    assert viewer.get("/connectors/corp")["status"] == "paused", viewer.get("/connectors/corp")
    put(bad, own(bad), {"password": PASSWORD}, enabled=False, version=viewer.get("/connectors/corp")["version"])
    server.sync("corp")
    tile = viewer.get("/connectors/corp")
    assert tile["last"]["status"] == "complete", tile


@case("browsing below a DN and discovering controllers, before and after saving")
def _():
    for body in (dict(unsaved(AD), base=""), {"name": "corp", "base": lab.base}):
        job = server.wait_job(operator.post("/connectors/browse", body, status=202)["job"])
        names = {c["name"] for c in job["result"]["children"]}
        assert names & {"Users", "Computers"}, job
    job = server.wait_job(operator.post("/connectors/discover", dict(unsaved(AD), domain=lab.domain), status=202)["job"], state=None)
    assert job["state"] in ("done", "failed") and (job.get("result") or job.get("error")), job
    refused(400, operator.post, "/connectors/browse", {"base": ""})
    refused(404, operator.post, "/connectors/browse", {"name": "nobody", "base": ""})


@case("a certificate is shown, with what is wrong, and nothing is trusted")
def _():
    seen = operator.post("/certificate", {"host": lab.ip, "port": 636})
    leaf = seen["chain"][0]
    assert lab.host in leaf["sans"] and re.fullmatch("[0-9A-Fa-f:]{64,95}", leaf["sha256"]) and leaf["not_after"] and leaf["is_ca"] is False, leaf
    ders = [subprocess.run(["openssl", "x509", "-outform", "DER"], input=c["pem"].encode(), stdout=subprocess.PIPE, check=True).stdout for c in seen["chain"]]
    assert len(set(ders)) == len(ders)
    assert seen["problems"] and seen["problems"][0]["message"] and seen["problems"][0]["hint"], seen["problems"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        e = refused(502, operator.post, "/certificate", {"host": "127.0.0.1", "port": free.getsockname()[1]})
        assert e["class"] == "NET", e
    for host in ("--save=/tmp/x", "-h", "a b", "[::1", "x" * 256, "\n", ""):
        refused(400, operator.post, "/certificate", {"host": host, "port": 636})
    refused(400, operator.post, "/certificate", {"host": "h", "port": 0})
    refused(403, viewer.post, "/certificate", {"host": lab.ip, "port": 636})


@case("drafts: kept for their owner, never with a secret")
def _():
    body = {"name": "next", "type": "active_directory", "settings": without(AD, "username"), "step": "connect"}
    assert operator.put("/drafts/new-1", body) == body
    assert operator.get("/drafts/new-1") == body
    assert [d["id"] for d in operator.get("/drafts")["items"]] == ["new-1"]
    refused(404, server.admin.get, "/drafts/new-1")
    for settings in ({"password": PASSWORD}, {"password": "x"}, {"password": 1}, {"password": {"a": 1}}):
        e = refused(400, operator.put, "/drafts/new-1", dict(body, settings=settings))
        assert "password" in e["message"], e
        assert_no_secret(e)
    refused(400, operator.put, "/drafts/new-1", dict(body, secrets={"password": "x"}))
    refused(400, operator.put, "/drafts/new-1", dict(body, settings={"client_certificate_pem": "-----BEGIN PRIVATE KEY-----\nMII"}))
    refused(400, operator.put, "/drafts/new-1", dict(body, type="nothing"))
    operator.put("/drafts/new-1", dict(body, settings={"password": "file:/etc/rollcall/pw"}))
    refused(403, viewer.put, "/drafts/v", body)
    operator.delete("/drafts/new-1", status=204)
    refused(404, operator.get, "/drafts/new-1")


@case("roles: a viewer changes nothing; every change is in the audit log, without secrets")
def _():
    for call, path, body in ((viewer.post, "/connectors", unsaved(AD)), (viewer.put, "/connectors/corp", {"version": 1, "settings": AD}),
                             (viewer.post, "/connectors/corp/sync", {}), (viewer.post, "/connectors/judge", unsaved(AD)), (server.analyst.post, "/connectors/test", unsaved(AD)),
                             (viewer.post, "/connectors/corp/enabled", {"enabled": False}), (viewer.post, "/connectors/corp/duplicate", {"name": "y"})):
        assert refused(403, call, path, body)["class"] == "DENIED"
    refused(403, viewer.delete, "/connectors/corp")
    entries = server.admin.get("/audit", limit=1000)["items"]
    actions = {e["action"] for e in entries}
    assert {"connector.create", "connector.update", "connector.enabled", "connector.duplicate", "connector.delete", "connector.sync", "connector.test"} <= actions, actions
    created = next(e for e in entries if e["action"] == "connector.create" and e["object"] == "corp")
    assert created["who"] == "operator" and created["after"]["secrets_entered"] == ["password"], created
    assert_no_secret(entries)
    assert server.admin.get("/audit/verify")["ok"]


@case("no secret is anywhere on the disk in clear, nor in the log, nor in a command line")
def _():
    assert PASSWORD not in server.errors()
    for name in os.listdir(server.directory):
        path = os.path.join(server.directory, name)
        for file in [path] if os.path.isfile(path) else [os.path.join(path, f) for f in os.listdir(path)]:
            with open(file, "rb") as f:
                content = f.read()
            assert PASSWORD.encode() not in content and SECRET.encode() not in content, file


@case("the command: rollcall api does what the page does, and fails by class")
def _():
    token = server.token("operator").token
    file = write(os.path.join(server.directory, "token"), token + "\n")
    env = {"ROLLCALL_SERVER": server.url}
    assert rollcall("api", "GET", "/connectors", "--token-file", file, env=env).json()["items"][0]["name"] == "cloud"
    assert rollcall("api", "GET", "/api/v1/connectors/corp", "--server", server.url + "/", env={"ROLLCALL_TOKEN": token}).json()["name"] == "corp"
    body = write(os.path.join(server.directory, "body.json"), json.dumps(dict(unsaved(AD), is_new=True)))
    assert rollcall("api", "POST", "/connectors/judge", "--body", body, "--token-file", file, env=env).json() == {"problems": []}
    assert rollcall("api", "POST", "/connectors/corp/enabled", "--body", "-", "--token-file", file, env=env, stdin=text('{"enabled": false}')).json()["enabled"] is False
    r = rollcall("api", "GET", "/connectors/nobody", "--token-file", file, "-o", "json", env=env, code=3)
    assert json.loads(r.err)["class"] == "NOTFOUND", r
    rollcall("api", "GET", "/connectors", env=env, code=4)
    rollcall("api", "GET", "/users", "--token-file", file, env=env, code=4)
    r = rollcall("api", "POST", "/connectors", "--body", write(os.path.join(server.directory, "bad.json"), json.dumps(unsaved(dict(AD, port=0)))), "--token-file", file, env=env, code=2)
    assert "port" in r.err, r
    for args in (["FETCH", "/connectors"], ["GET", "connectors"], ["POST", "/x", "--body", "/nonexistent"], ["GET", "/connectors", "--token-file", "/dev/null"],
                 ["GET", "/connectors", "--server", "http://192.0.2.1"], ["GET", "/connectors", "--server", "ftp://x"]):
        assert rollcall("api", *args, env=env, code=None).code in (2, 3), args
    rollcall("api", "GET", "/connectors", "--server", "http://127.0.0.1:1", "--token-file", file, code=6)
    rollcall("api", "PUT", "/drafts/cli", "--body", "-", "--token-file", file, env=env, stdin=text(json.dumps({"type": "entra_id", "settings": {}})))
    assert rollcall("api", "DELETE", "/drafts/cli", "--token-file", file, env=env).out == ""


@case("deleted: assets kept, or gone with their history; the name is free again")
def _():
    domain = Domain(lab)
    before = viewer.get("/connectors/corp")["assets"]["user"]
    assert refused(400, operator.delete, "/connectors/corp", assets="some")["message"]
    operator.delete("/connectors/corp", status=204, assets="keep")
    refused(404, viewer.get, "/connectors/corp")
    config = write(os.path.join(server.directory, "cli.yaml"), "store: sqlite:%s\n" % server.store)
    users = rollcall("entity", "list", "--kind", "user", "--connector", "corp", "-o", "json", config=config).json()
    assert len(users) == before
    assert create("corp")["assets"]["user"] == before, "made again, it finds what it knew"
    server.sync("corp")
    last_run = viewer.get("/connectors/corp")["last"]["run"]
    operator.delete("/connectors/corp", status=204, assets="remove")
    left = rollcall("entity", "list", "-o", "json", config=config).json()
    assert left and {e["connector"] for e in left} == {"cloud"}
    assert {r["connector"] for r in rollcall("run", "list", "-o", "json", config=config).json()} == {"cloud"}
    swept = viewer.get("/jobs", kind="forget")["items"][0]["id"]
    server.wait_job(swept)
    assert viewer.get("/assets", source="corp")["items"] == [] and viewer.get("/assets", source="cloud", limit=1)["items"]
    with contextlib.closing(sqlite3.connect("file:%s?mode=ro" % server.store, uri=True)) as db:
        for table, column in (("version", "entity_id >> 32"), ("body", "entity_id >> 32"), ("links", "entity_id >> 32"), ("change", "entity_id >> 32"),
                              ("entity", "connector_id"), ("lookup", "connector_id"), ("sd", "connector_id"), ("note", "connector_id"), ("run", "connector_id")):
            assert len(db.execute("SELECT DISTINCT %s FROM %s" % (column, table)).fetchall()) <= 1, table
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    made = create("corp")
    assert made["status"] == "off" and "assets" not in made and "last_success" not in made, made
    server.sync("corp")
    now = viewer.get("/connectors/corp")
    assert now["assets"]["user"] == before and now["last"]["run"] > last_run and now["last"]["counts"]["user"]["created"] == before, now
    assert domain


@case("a form with a CA of its own: pasted, kept sealed, used")
def _():
    settings = without(AD, "ca_certificate")
    job, steps = test_job(unsaved(settings, {"password": PASSWORD, "ca_certificate_pem": CA}))
    assert steps and not [s for s in steps.values() if s["verdict"] == "fail"], steps
    made = create("pasted", settings, {"password": PASSWORD, "ca_certificate_pem": CA})
    assert made["secrets"]["ca_certificate_pem"]["set"] and "BEGIN" not in json.dumps(made), made
    server.sync("pasted")
    operator.delete("/connectors/pasted", status=204, assets="remove")


@case("restart: all of it is as it was")
def _():
    before = [without(c, "status", "next", "job", "progress") for c in viewer.get("/connectors")["items"]]
    server.restart()
    assert [without(c, "status", "next", "job", "progress") for c in server.login("viewer").get("/connectors")["items"]] == before


main()
