#!/usr/bin/python3
"""serve_test.py - the server's life: first start, schedule, runs in children, what a stop, a kill and a restart leave, on a real domain controller and a simulated tenant."""
# budget: 240 240
import contextlib
import os
import signal
import socket
import sqlite3
import ssl
import subprocess
import time

from harness import ROLLCALL, Lab, case, is_sanitized, main, rollcall, scratch, visible, wait_for, write
from server import Server
from tenant import Tenant

lab = Lab()
SLOW = {"latency_ms": 400}  # so that a run is still under way when it is looked at


def tenant_config(directory, t, **keys):
    return t.config(directory, **dict({"page_size": 20, "parallel": 1}, **keys))


def newest(server, connector="cloud", kind="sync"):
    items = server.admin.get("/jobs", connector=connector, kind=kind, limit=1)["items"]
    return items[0] if items else None


def wait_phase(server, job, phase, timeout=30):
    wait_for(lambda: server.admin.get("/jobs/%d" % job).get("progress", {}).get("phase") == phase, timeout)


def first_run(server, connector="cloud"):
    """The schedule begins with what was never read."""
    wait_for(lambda: newest(server, connector), 20)
    return server.wait_job(newest(server, connector)["id"])


def children(server):
    """All processes below the server, whichever of its threads started them."""
    found, todo = [], [server.pid]
    while todo:
        pid = todo.pop()
        try:
            for thread in os.listdir("/proc/%d/task" % pid):
                with open("/proc/%d/task/%s/children" % (pid, thread)) as f:
                    todo += map(int, f.read().split())
        except OSError:
            continue
        found.append(pid)
    return found[1:]


def running_syncs(server):
    found = []
    for pid in children(server):
        with contextlib.suppress(OSError), open("/proc/%d/cmdline" % pid, "rb") as f:
            if b"\0sync\0" in f.read():
                found.append(pid)
    return found


def runs(config):
    return rollcall("run", "list", "-o", "jsonl", config=config).lines()


def check_store(directory):
    db = sqlite3.connect(os.path.join(directory, "rollcall.db"))
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()


@case("first start: the setup URL is good once; the schedule reads what was never read, an operator reads it again")
def first_start():
    d = scratch()
    s = Server(d, config=lab.config(d))
    assert "#/setup?token=" in s.setup_url
    job = first_run(s, "corp")
    assert job["by"] == "schedule" and len(job["runs"]) == 1, job
    events = list(s.admin.events(job["id"]))
    phases = [e[1].get("progress", {}).get("phase") for e in events if e[0] == "state"]
    for phase in ("sign_in", "read", "make_visible", "catalog"):
        assert phase in phases, phases
    assert events[-1][0] == "end" and [e[2] for e in events] == sorted(e[2] for e in events)
    assert job["progress"]["total"] > 100 and "requests" in job["progress"], job["progress"]
    assert os.path.exists(s.store + ".catalog")
    wait_for(lambda: [j["by"] for j in s.admin.get("/jobs", kind="report")["items"] if j["state"] == "done"] == ["schedule"])  # for Home, without being asked
    assert s.admin.get("/home")["findings"]["as_of"]
    again = s.sync("corp", full=True)
    assert again["by"] == "admin" and again["result"]["mode"] == "full", again
    run = s.admin.get("/runs/%d" % again["runs"][0])
    assert run["status"] in ("complete", "partial") and run["counts"]["user"]["read"] > 100, run
    s.restart()
    assert s.setup_url is None, "a second setup"
    assert s.login("admin").get("/connectors/corp")["last"]["job"] == again["id"]
    if not is_sanitized():
        time.sleep(1)
        assert s.rss_mib() < 64, s.rss_mib()
    s.stop()


@case("SIGTERM during a run: it ends at a checkpoint, nothing half is visible, and the run is taken up again")
def sigterm():
    with Tenant(users=400, groups=20, memberships=500) as t:
        d = scratch()
        config = tenant_config(d, t)
        s = Server(d, config=config)
        first_run(s)
        before = visible(config)
        t.set(**SLOW)
        t.advance(20)
        job = s.admin.post("/connectors/cloud/sync", {"full": True})["job"]
        wait_phase(s, job, "read")
        began = time.monotonic()
        s.stop()
        assert time.monotonic() - began < 20
        check_store(d)
        assert visible(config) == before
        t.set(latency_ms=0)
        s.start()
        admin = s.clients["admin"] = s.login("admin")
        assert admin.get("/jobs/%d" % job)["state"] == "interrupted"
        assert list(admin.events(job))[-1][0] == "end"
        wait_for(lambda: newest(s)["id"] != job)
        resumed = s.wait_job(newest(s)["id"])
        assert resumed["by"] == "schedule" and resumed["options"] == {"full": True} and resumed["result"]["status"] == "complete", resumed
        assert visible(config) != before
        s.stop()


@case("a child that is killed: its run has failed and says so, the server and what is visible stay")
def kill_child():
    with Tenant(users=400, groups=20, memberships=500) as t:
        d = scratch()
        config = tenant_config(d, t, frequency="365d")
        s = Server(d, config=config)
        first_run(s)
        before = visible(config)
        t.set(**SLOW)
        job = s.admin.post("/connectors/cloud/sync", {"full": True})["job"]
        wait_phase(s, job, "read")
        os.kill(running_syncs(s)[0], signal.SIGKILL)
        told = s.wait_job(job, state="failed")
        assert told["error"]["message"].startswith("worker died of signal 9"), told
        assert not children(s), "its worker is still there"
        t.set(latency_ms=0)
        assert visible(config) == before
        assert s.sync("cloud")["result"]["status"] == "complete"
        assert runs(config)[1]["status"] == "failed", runs(config)[:3]
        check_store(d)
        s.stop()


@case("the server is killed: so are its children; the next one says interrupted and reads again")
def kill_server():
    with Tenant(users=400, groups=20, memberships=500) as t:
        d = scratch()
        config = tenant_config(d, t)
        s = Server(d, config=config)
        first_run(s)
        before = visible(config)
        t.set(**SLOW)
        job = s.admin.post("/connectors/cloud/sync", {"full": True})["job"]
        wait_phase(s, job, "read")
        left = children(s)
        assert len(left) >= 2, "a sync and its worker"
        s.kill()
        wait_for(lambda: not any(os.path.exists("/proc/%d/exe" % p) for p in left), 10)
        assert visible(config) == before
        t.set(latency_ms=0)
        s.start()
        s.clients["admin"] = s.login("admin")
        told = s.admin.get("/jobs/%d" % job)
        assert told["state"] == "interrupted" and told["error"]["class"] == "CANCEL", told
        wait_for(lambda: newest(s)["id"] != job)
        assert s.wait_job(newest(s)["id"])["result"]["status"] == "complete"
        check_store(d)
        s.stop()


@case("what was repaired on the way is told: asked again, throttled, rested")
def repairs():
    with Tenant(users=100, groups=5, memberships=50) as t:
        d = scratch()
        t.fault("status", status=429, match="/users", count=2, retry_after=0.1)
        s = Server(d, config=tenant_config(d, t))
        job = first_run(s)
        assert job["progress"]["throttled"] >= 1 and job["progress"]["rested_ms"] > 0, job
        s.stop()


@case("cancel: queued and running")
def cancel():
    with Tenant(users=400, groups=20, memberships=500, knobs=SLOW) as t:
        d = scratch()
        s = Server(d, config=tenant_config(d, t))
        wait_for(lambda: newest(s))
        job = newest(s)["id"]
        wait_phase(s, job, "read")
        began = time.monotonic()
        s.operator.post("/jobs/%d/cancel" % job)
        told = s.wait_job(job, state="cancelled")
        assert time.monotonic() - began < 15 and told["error"]["class"] == "CANCEL", told
        assert not running_syncs(s)
        refused = s.operator.raw("POST", "/api/v1/jobs/%d/cancel" % job)
        assert refused[0] == 409, refused
        s.stop()


@case("a refused credential pauses the connector, which says why; a corrected one is taken at once")
def paused():
    d = scratch()
    wrong = write(os.path.join(d, "pw"), "not the password")
    s = Server(d, config=lab.config(d, password="file:" + wrong, frequency="1h"))
    wait_for(lambda: newest(s, "corp"))
    job = s.wait_job(newest(s, "corp")["id"], state="failed")
    assert job["error"]["class"] == "AUTH" and job["error"]["hint"], job
    wait_for(lambda: s.admin.get("/connectors/corp")["status"] == "paused")
    told = s.admin.get("/connectors/corp")
    assert told["reason"], told
    again = s.wait_job(s.admin.post("/connectors/corp/sync", {})["job"], state="failed")
    assert "paused" in again["error"]["message"] or "refused at" in again["error"]["message"], again["error"]
    with open(lab.reader_pw_file) as f:
        write(wrong, f.read())
    assert s.sync("corp")["result"]["status"] in ("complete", "partial")
    wait_for(lambda: s.admin.get("/connectors/corp")["status"] in ("healthy", "needs_attention"))
    s.stop()


@case("connectors of the page: entered secrets reach the child by descriptor alone; steps come one by one; places and controllers")
def made_on_the_page():
    d = scratch()
    s = Server(d)
    with open(lab.reader_pw_file) as f:
        password = f.read().strip()
    settings = {"domain": lab.domain, "host": lab.ip, "certificate_name": lab.host, "username": lab.reader, "ca_certificate": lab.ca}
    form = {"name": "corp", "type": "active_directory", "settings": settings, "secrets": {"password": password}}
    steps = [data for event, data, _ in s.operator.events(s.operator.post("/connectors/test", form)["job"]) if event == "step"]
    names = [step["name"] for step in steps]
    assert names.index("dns") < names.index("bind") and all(step["verdict"] != "fail" for step in steps), steps
    root = s.wait_job(s.operator.post("/connectors/browse", dict(form, base=""))["job"])["result"]
    assert root["base"].lower() == "dc=" + lab.domain.lower().replace(".", ",dc=") and root["children"], root
    users = next(c for c in root["children"] if c["name"] == "Users")
    assert users["kind"] == "container" and users["users"] > 0, users
    below = s.wait_job(s.operator.post("/connectors/browse", dict(form, base=users["dn"]))["job"])["result"]
    assert below["base"] == users["dn"], below
    gone = s.wait_job(s.operator.post("/connectors/browse", dict(form, base="OU=No,DC=such"))["job"], state="failed")
    assert gone["error"]["class"] in ("NOTFOUND", "INPUT", "DENIED", "PROTO"), gone
    found = s.wait_job(s.operator.post("/connectors/discover", dict(form, settings=dict(settings, dns_servers=[lab.ip]), domain=lab.domain))["job"])["result"]
    assert found["controllers"] and found["controllers"][0]["host"].lower() == lab.host.lower(), found
    made = s.operator.post("/connectors", dict(form, enabled=True))
    assert made["secrets"]["password"]["set"], made
    wait_for(lambda: newest(s, "corp"))
    seen, deadline = "", time.monotonic() + 60
    while (not seen or newest(s, "corp")["state"] in ("queued", "running")) and time.monotonic() < deadline:
        for pid in children(s):
            for what in ("cmdline", "environ"):
                with contextlib.suppress(OSError), open("/proc/%d/%s" % (pid, what), "rb") as f:
                    seen += f.read().decode("utf-8", "replace")
        time.sleep(0.005)
    assert password not in seen and "sync" in seen
    assert s.wait_job(newest(s, "corp")["id"])["result"]["status"] in ("complete", "partial")
    for folder, _, files in os.walk(d):
        for name in files:
            with open(os.path.join(folder, name), "rb") as f:
                assert password.encode() not in f.read(), name
    s.stop()


@case("one server for a store; what cannot be served is refused with the fix")
def refused():
    d = scratch()
    s = Server(d)
    r = rollcall("serve", "--listen", "127.0.0.1:0", "--store", "sqlite:" + s.store, code=None, timeout=20)
    assert r.code == 1 and "a server is running on this store" in r.err, r
    for options, word in (((), "--store"), (("--listen", "nowhere"), "--listen"), (("--listen", "127.0.0.1:99999"), "--listen"), (("--listen", "127.0.0.1"), "--listen"),
                          (("--tls-certificate", "x.pem"), "--tls-key"), (("--public-url", "rollcall"), "--public-url"), (("--config", "/nonexistent.yaml"), "/nonexistent.yaml"),
                          (("--store", "sqlite:" + os.path.join(d, "no", "such", "x.db")), "directory"), (("--store", "postgres://x"), "PostgreSQL"),
                          (("--parallel", "0"), "--parallel")):
        more = () if "--store" in options or not options or "--config" in options else ("--store", "sqlite:" + os.path.join(d, "other.db"))
        r = rollcall("serve", *options, *more, code=None, timeout=20, env={"ROLLCALL_CONFIG": ""})
        assert r.code in (1, 2, 3, 4) and word in r.err and r.out == "", (options, r)
    s.stop()


@case("TLS with a certificate of its own beyond loopback; the key is nobody else's")
def own_certificate():
    d = scratch()
    store = os.path.join(d, "rollcall.db")
    p = subprocess.Popen([ROLLCALL, "serve", "--listen", "0.0.0.0:0", "--store", "sqlite:" + store], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        lines = [p.stdout.readline() for _ in range(3)]
        assert lines[0].startswith("setup: https://") and lines[1].startswith("certificate: sha256:") and lines[2].startswith("listening: https://"), lines
        assert os.stat(store + ".tls.pem").st_mode & 0o077 == 0
        port = int(lines[2].rsplit(":", 1)[1])
        context = ssl.create_default_context(cafile=store + ".tls.pem")
        with socket.create_connection(("127.0.0.1", port), 10) as raw, context.wrap_socket(raw, server_hostname="localhost") as tls:
            assert tls.version() in ("TLSv1.2", "TLSv1.3")
    finally:
        p.terminate()
        assert p.wait(20) == 0


@case("a service manager is told: ready, alive, stopping")
def notify():
    d = scratch()
    path = os.path.join(d, "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(path)
        told.settimeout(20)
        s = Server(d, env={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "2000000"}, users=())
        assert told.recv(4096).startswith(b"READY=1")
        assert told.recv(4096) == b"WATCHDOG=1"
        with open("/proc/%d/environ" % s.pid, "rb") as f:
            f.read()
        s.stop()
        last = told.recv(4096)
        while last == b"WATCHDOG=1":
            last = told.recv(4096)
        assert last.startswith(b"STOPPING=1"), last


@case("SIGINT ends it like SIGTERM; twice is not worse")
def sigint():
    s = Server(users=())
    s.process.send_signal(signal.SIGINT)
    s.process.send_signal(signal.SIGINT)
    assert s.process.wait(20) == 0


main()
