#!/usr/bin/python3
"""server_state_test.py - the server's own file and the commands beside serve: users, audit log, master key, backup and restore, a server that is running
meanwhile, files that were changed by somebody else, commands that are killed in the middle; and a child process that is handed settings and secrets.
"""
# budget: 180 180
import base64
import glob
import json
import os
import random
import shutil
import signal
import sqlite3
import stat
import subprocess
import time

import jsonschema

from harness import ROOT, ROLLCALL, Fake, case, is_sanitized, main, rollcall, scratch, write
from server import Server

GOOD = "correct horse battery"
CORP = {"domain": "corp.example", "host": "dc1.corp.example", "username": "svc@corp.example"}
SECRET = "hunter2-Ünicode"


class Place:
    """A store and a state file of their own, with one admin."""

    def __init__(self):
        self.dir = scratch()
        self.store = os.path.join(self.dir, "x.db")
        self.pw = write(os.path.join(self.dir, "pw"), GOOD)
        with Started(self):
            pass

    def run(self, *args, code=0, **kw):
        return rollcall("server", *args, "--store", "sqlite:" + self.store, code=code, **kw)

    def json(self, *args, **kw):
        return self.run(*args, "-o", "json", **kw).json()

    def file(self, tail):
        return self.store + "." + tail


class Started:
    """serve on that place, until the block ends."""

    def __init__(self, place):
        self.place = place

    def __enter__(self):
        self.process = subprocess.Popen([ROLLCALL, "serve", "--store", "sqlite:" + self.place.store, "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        for line in self.process.stdout:
            if line.startswith("listening:"):
                return self
        raise AssertionError("serve did not start")

    def __exit__(self, *_):
        self.process.terminate()
        assert self.process.wait(20) == 0


def valid(name, value):
    with open(os.path.join(ROOT, "docs", "contract", name + ".json")) as f:
        jsonschema.Draft202012Validator(json.load(f)).validate(value)
    return value


def sql(path, text, *values):
    db = sqlite3.connect(path, timeout=20)
    with db:
        rows = db.execute(text, values).fetchall()
    db.close()
    return rows


@case("users by command: password never in the arguments, the last admin stays, everything is in the log")
def _():
    p = Place()
    valid("server_user", p.json("user", "add", "alice", "--role", "admin", "--password-file", p.pw))
    valid("server_user", p.json("user", "add", "bob", "--password-file", p.pw))
    for row in p.json("user", "list"):
        valid("server_user", row)
    assert [(u["name"], u["role"]) for u in p.json("user", "list")] == [("alice", "admin"), ("bob", "viewer")]
    p.run("user", "add", "ALICE", "--password-file", p.pw, code=1)
    p.run("user", "add", "carol", "--password-file", write(os.path.join(p.dir, "short"), "short"), code=2)
    p.run("user", "add", "carol", "--password-file", write(os.path.join(p.dir, "open"), GOOD, 0o644), code=4)
    p.run("user", "add", "carol", "--role", "root", "--password-file", p.pw, code=2)
    assert "--password-file" in p.run("user", "add", "carol", code=2).err  # no terminal here
    for name in ("token:x", "local:root", "a/b", "x\u202ey", " a", ""):
        p.run("user", "add", name, "--password-file", p.pw, code=2)
    p.run("user", "delete", "alice", code=1)
    valid("server_user", p.json("user", "password", "bob", "--password-file", p.pw))
    assert valid("server_user_delete", p.json("user", "delete", "bob")) == {"deleted": "bob"}
    p.run("user", "delete", "bob", code=3)
    p.run("user", "add", code=2)
    p.run("user", "list", "bob", code=2)
    assert "list" in p.run("user", "lsit", code=2).err
    log = p.json("audit")
    for entry in log:
        valid("server_audit", entry)
    assert [(e["action"], e["object"]) for e in reversed(log)] == [("user.create", "alice"), ("user.create", "bob"), ("user.password", "bob"), ("user.delete", "bob")], log
    assert all(e["who"].startswith("local:") and GOOD not in json.dumps(e) for e in log)
    proof = valid("server_audit_verify", p.json("audit", "verify"))
    assert proof["entries"] == 4 and proof["head"] == log[0]["hash"]
    assert len(p.json("audit", "--limit", "2")) == 2
    p.run("setup-url", code=1)


@case("set-up address: a new one is void of the old; only while there is nobody")
def _():
    p = Place()
    one, two = valid("server_setup_url", p.json("setup-url", "--public-url", "https://r.example"))["setup"], p.json("setup-url")["setup"]
    assert one.startswith("https://r.example/#/setup?token=") and one[-43:] != two[-43:]
    assert one[-43:].encode() not in open(p.file("server"), "rb").read()
    nowhere = os.path.join(scratch(), "n.db")
    rollcall("server", "setup-url", "--store", "sqlite:" + nowhere, code=3)
    assert not os.listdir(os.path.dirname(nowhere))


def tampered(p, change):
    """check's verdict on a copy of the state that `change` was done to."""
    d = scratch()
    store = os.path.join(d, "x.db")
    for tail in ("", ".server", ".key"):
        source, to = p.store + tail, store + tail
        if tail == ".key":
            shutil.copy(source, to)
        else:
            a, b = sqlite3.connect(source), sqlite3.connect(to)
            a.backup(b)
            a.close()
            b.close()
        os.chmod(to, 0o600)
    change(store)
    return rollcall("server", "check", "--store", "sqlite:" + store, "-o", "json", code=None)


@case("check: everything fine; each way of being wrong is found and named")
def _():
    server = Server()
    server.operator.post("/connectors", {"name": "corp", "type": "active_directory", "settings": CORP, "secrets": {"password": SECRET}, "enabled": False})
    server.stop()
    p = Place.__new__(Place)
    p.dir, p.store = os.path.dirname(server.store), server.store
    report = valid("server_check", p.json("check"))
    assert report["ok"] and any("1, all of them open" in line for s in report["steps"] for line in s["evidence"]), report

    def entry(store):
        sql(store + ".server", "DROP TRIGGER audit_is_not_changed")
        sql(store + ".server", "UPDATE audit SET entry = replace(entry, '\"result\":\"ok\"', '\"result\":\"OK\"') WHERE audit_id = 1")

    def host(store):
        sql(store + ".server", "UPDATE secret SET bound = replace(bound, 'dc1.corp', 'evil.corp')")

    def damage(store):
        size = os.path.getsize(store)
        with open(store, "r+b") as f:
            for page in range(2, size // 4096, 2):
                f.seek(page * 4096)
                f.write(b"\xff" * 4096)

    def no_key(store):
        os.unlink(store + ".key")
        rollcall("server", "key", "show", "--store", "sqlite:" + store, code=3)

    for change, says in ((entry, "entry 1 does not fit"), (host, "bound to other settings"), (damage, "malformed"), (no_key, "No such file"),
                         (lambda store: os.chmod(store + ".key", 0o640), "others may read"), (lambda store: os.chmod(store + ".server", 0o604), "others may read")):
        r = tampered(p, change)
        assert r.code == 1 and says in r.out, (says, r)
        assert SECRET not in r.out + r.err
    assert tampered(p, lambda store: None).code == 0
    for path in glob.glob(p.store + "*"):
        if os.path.isfile(path):
            content = open(path, "rb").read()
            assert SECRET.encode() not in content and base64.b64encode(SECRET.encode()) not in content, path
            assert stat.S_IMODE(os.stat(path).st_mode) & 0o077 == 0, path


@case("the master key: rotated, refused beside a server, locked by a passphrase; a backup without it opens nothing")
def _():
    server = Server()
    server.operator.post("/connectors", {"name": "corp", "type": "active_directory", "settings": CORP, "secrets": {"password": SECRET}, "enabled": False})
    store = "sqlite:" + server.store
    assert rollcall("server", "key", "rotate", "--store", store, code=1).err.count("a server is running") == 1
    backup = os.path.join(scratch(), "b")
    made = valid("server_backup", rollcall("server", "backup", backup, "--store", store, "-o", "json").json())  # while it runs
    assert [f["name"] for f in made["files"]] == ["server.db", "store.db"] and stat.S_IMODE(os.stat(backup).st_mode) == 0o700
    assert json.load(open(os.path.join(backup, "manifest.json"))) == made
    rollcall("server", "backup", backup, "--store", store, code=1)
    rollcall("server", "restore", backup, "--store", store, code=1)  # beside a server
    server.stop()
    before = valid("server_key", rollcall("server", "key", "show", "--store", store, "-o", "json").json())
    after = valid("server_key", rollcall("server", "key", "rotate", "--store", store, "-o", "json").json())
    assert (before["sealed"], after["sealed"], after["number"]) == (1, 1, before["number"] + 1)
    assert rollcall("server", "check", "--store", store, "-o", "json").json()["ok"]
    stolen = os.path.join(scratch(), "x.db")  # somebody else's machine
    rollcall("server", "restore", backup, "--store", "sqlite:" + stolen)
    rollcall("server", "key", "show", "--store", "sqlite:" + stolen, code=3)
    d = scratch()
    phrase, wrong = write(os.path.join(d, "p"), "a long passphrase"), write(os.path.join(d, "w"), "another one")
    place = os.path.join(d, "y.db")
    with subprocess.Popen([ROLLCALL, "serve", "--store", "sqlite:" + place, "--listen", "127.0.0.1:0", "--passphrase", "file:" + phrase], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True) as s:
        assert any(line.startswith("listening:") for line in iter(s.stdout.readline, ""))
        s.terminate()
    assert open(place + ".key").read().startswith("rollcall-keys-locked 1\n")
    rollcall("server", "key", "show", "--store", "sqlite:" + place, code=4)
    rollcall("server", "key", "show", "--store", "sqlite:" + place, "--passphrase", "file:" + wrong, code=4)
    rollcall("server", "key", "rotate", "--store", "sqlite:" + place, "--passphrase", "file:" + phrase)
    assert rollcall("server", "check", "--store", "sqlite:" + place, "--passphrase", "file:" + phrase, "-o", "json").json()["ok"]


def contents(store):
    """What a restore must bring back."""
    return [sql(store + ".server", "SELECT * FROM %s ORDER BY 1, 2, 3" % table) for table in ("user", "token", "connector", "secret", "document")]


@case("backup and restore: the same again, what was there kept aside, nobody logged in, changed backups refused")
def _():
    server = Server()
    server.operator.post("/connectors", {"name": "corp", "type": "active_directory", "settings": CORP, "secrets": {"password": SECRET}, "enabled": False})
    store = "sqlite:" + server.store
    backup = os.path.join(scratch(), "b")
    rollcall("server", "backup", backup, "--with-key", "--store", store)
    was = contents(server.store)
    server.admin.post("/users", {"name": "mallory", "role": "admin", "password": GOOD})
    session = server.admin.cookie
    server.stop()
    rollcall("server", "key", "rotate", "--store", store)
    done = valid("server_restore", rollcall("server", "restore", backup, "--store", store, "-o", "json").json())
    assert contents(server.store) == was and len(done["restored"]) == len(done["aside"]) == 3, done
    assert all(os.path.exists(path) for path in done["aside"]) and session
    assert sql(server.store + ".server", "SELECT count(*) FROM session") == [(0,)]
    assert rollcall("server", "check", "--store", store, "-o", "json").json()["ok"]
    assert rollcall("server", "audit", "--store", store, "--limit", "1", "-o", "json").json()[0]["action"] == "server.restore"
    server.start()
    assert server.login("operator").get("/connectors/corp")["secrets"]["password"]["set"]
    server.stop()
    for name in ("store.db", "server.db", "master.key", "manifest.json"):
        bad = os.path.join(scratch(), "b")
        shutil.copytree(backup, bad)
        with open(os.path.join(bad, name), "r+b") as f:
            f.seek(-20, 2)
            f.write(b"x")
        before = contents(server.store)
        rollcall("server", "restore", bad, "--store", store, code=2)
        assert contents(server.store) == before
    rollcall("server", "restore", scratch(), "--store", store, code=2)


@case("restore killed at any moment: the same command again finishes it")
def _():
    p = Place()
    p.run("user", "add", "alice", "--role", "admin", "--password-file", p.pw)
    backup = os.path.join(scratch(), "b")
    p.run("backup", backup, "--with-key")
    want = [sql(p.file("server"), "SELECT name, role FROM user")]
    rng, kills = random.Random(6), 0
    for round in range(8 if is_sanitized() else 30):
        process = subprocess.Popen([ROLLCALL, "server", "restore", backup, "--store", "sqlite:" + p.store], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(0.0, 0.06))
        process.send_signal(signal.SIGKILL)
        kills += process.wait() == -signal.SIGKILL
        if os.path.exists(p.file("server")) and os.path.exists(p.store) and os.path.exists(p.file("key")):
            assert p.json("check")["ok"]  # half of it is never half a file
        if round % 3 == 0:
            p.run("restore", backup)
            assert [sql(p.file("server"), "SELECT name, role FROM user")] == want and p.json("check")["ok"]
        for path in glob.glob(p.store + "*.before-*"):
            os.unlink(path)
    assert kills > 3, kills


@case("backups while everything is written: each opens and is whole")
def _():
    server = Server()
    for i in range(6):
        for k in range(5):
            server.admin.post("/tokens", {"name": "t%d-%d" % (i, k), "role": "viewer", "expires_days": 1})
        backup = os.path.join(scratch(), "b")
        rollcall("server", "backup", backup, "--store", "sqlite:" + server.store)
        copy = os.path.join(scratch(), "x.db")
        rollcall("server", "restore", backup, "--store", "sqlite:" + copy)
        assert sql(copy + ".server", "SELECT count(*) FROM token") == [(5 * (i + 1),)]
        rollcall("server", "audit", "verify", "--store", "sqlite:" + copy, "--master-key", server.store + ".key")
    server.stop()


def handed(settings, *contents):
    """An environment and descriptors as server/connectors/connectors.h hands them: settings on 20, contents from 21 on; made in the child."""
    def memory(data):
        fd = os.memfd_create("handed", os.MFD_CLOEXEC)
        os.write(fd, data)
        return fd
    made = [memory(json.dumps(settings).encode())] + [memory(c) for c in contents]
    aside = [os.dup2(fd, 100 + i, inheritable=False) for i, fd in enumerate(made)]
    for fd in made:
        os.close(fd)

    def place():
        for i, fd in enumerate(aside):
            os.dup2(fd, 20 + i)
    return aside, place


@case("a child that is handed settings and secrets: signs in, reads, and its worker has the certificate but no secret")
def _():
    fake = Fake("--users", 30, "--groups", 4)
    d = scratch()
    keys = {"type": "active_directory", "domain": "fake.example", "host": "127.0.0.1", "port": fake.port, "certificate_name": "fake-dc.fake.example",
            "username": "svc-collector@fake.example", "incremental": "off"}
    ca = open(fake.ca, "rb").read()
    keys.update(password="fd:21", ca_certificate="/proc/self/fd/22")
    made, place = handed({"store": "sqlite:" + os.path.join(d, "h.db"), "connectors": {"fake": keys}}, b"Collector-1", ca)
    env = dict(os.environ, ROLLCALL_CONFIG="/proc/self/fd/20", ROLLCALL_CONNECTORS_FAKE_HOST="192.0.2.1", ROLLCALL_CONNECTORS_NOBODY_HOST="x")
    for _ in range(2):
        p = subprocess.run([ROLLCALL, "sync", "fake", "-o", "json"], env=env, preexec_fn=place, close_fds=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert p.returncode in (0, 5), p.stderr
    # the worker, while it reads: what it holds open
    p = subprocess.Popen([ROLLCALL, "read", "fake"], env=env, preexec_fn=place, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    held, end = set(), time.monotonic() + 20
    while p.poll() is None and time.monotonic() < end:
        for child in subprocess.run(["pgrep", "-P", str(p.pid)], stdout=subprocess.PIPE, text=True).stdout.split():
            try:
                if b"collect" in open("/proc/%s/cmdline" % child, "rb").read():
                    held |= {fd for fd in os.listdir("/proc/%s/fd" % child) if 20 <= int(fd) < 60}
            except OSError:
                pass
        if held:
            break
    p.wait(60)
    assert held <= {"22"}, held
    for fd in made:
        os.close(fd)
    # in a file that somebody wrote, fd: is no reference
    keys.update(ca_certificate=fake.ca)
    own = write(os.path.join(d, "own.yaml"), json.dumps({"connectors": {"fake": keys}}))
    assert "never written into the settings" in rollcall("check", "fake", "--config", own, code=2).err


main()
