#!/usr/bin/python3
"""deliver_test.py - events to an HTTP receiver that fails, times out, dies in the middle: nothing lost, ids stable, state clear."""
# budget: 180 300
import json
import os
import random
import shutil
import subprocess
import time

from harness import PYTHON, ROLLCALL, ROOT, SOAK, Replay, at_end, case, kill_tree, main, rollcall, scratch, shared_ca, write

TOKEN = "A-token-that-nobody-sees-1234567"


class Receiver:
    def __init__(self, *args, tls=False):
        self.dir = scratch()
        self.record, self.requests = os.path.join(self.dir, "record"), os.path.join(self.dir, "requests")
        command = [PYTHON, os.path.join(ROOT, "tests", "fake", "receiver.py"), "--quiet", "--record", self.record, "--requests", self.requests,
                   "--token", TOKEN, *args]
        if tls:
            _ca, cert, key = shared_ca()
            command += ["--tls-cert", cert, "--tls-key", key]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        at_end(self.stop)
        self.port = int(self.process.stdout.readline().split()[1])

    def stop(self):
        self.process.kill()
        self.process.wait()

    def ids(self):
        with open(self.record) as f:
            return [json.loads(line)["id"] for line in f]

    def posts(self):
        with open(self.requests) as f:
            return [json.loads(line) for line in f]


def sink(receiver, steps="ok", dialect="ocsf", **keys):
    token = write(os.path.join(receiver.dir, "token"), TOKEN + "\n")
    k = dict({"type": "http", "url": "http://127.0.0.1:%d/in?steps=%s" % (receiver.port, steps), "token": "file:" + token, "dialect": dialect,
              "batch": 50}, **keys)
    return "sinks:\n  siem:\n" + "".join("    %s: %s\n" % (n, json.dumps(v)) for n, v in k.items())


server = Replay("--users", 600, "--groups", 20, "--others", 0)
changed = Replay("--users", 600, "--groups", 20, "--others", 0, "--changed", 25)
synced = scratch()
rollcall("sync", "fake", config=server.config(synced))
rollcall("sync", "fake", config=changed.config(synced))


def store():
    d = scratch()
    shutil.copytree(synced, d, dirs_exist_ok=True)
    return d


_undisturbed = {}


def undisturbed(dialect="ocsf"):
    """The ids that a receiver gets which always says yes."""
    if dialect not in _undisturbed:
        r = Receiver()
        rollcall("deliver", "fake", config=server.config(store(), top=sink(r, dialect=dialect)))
        _undisturbed[dialect] = sorted(r.ids())
        assert len(set(_undisturbed[dialect])) == len(_undisturbed[dialect]) > 600, "no event twice"
    return _undisturbed[dialect]


@case("all events arrive once, in batches, with the token; a second deliver sends nothing")
def _():
    r = Receiver()
    config = server.config(store(), top=sink(r))
    out = rollcall("deliver", "fake", config=config)
    assert sorted(r.ids()) == undisturbed() and TOKEN not in out.out + out.err
    posts = r.posts()
    assert len(posts) >= len(undisturbed()) / 50
    rollcall("deliver", "fake", config=config)
    assert len(r.posts()) == len(posts)


@case("Sekoia's endpoint gets its wrapper; batches of at most 100")
def _():
    r = Receiver()
    rollcall("deliver", "fake", config=server.config(store(), top=sink(r, dialect="sekoia", batch=100)))
    assert len(r.ids()) >= 600 and r.posts()[0]["headers"]["content-type"].startswith("application/json")


@case("over verified TLS with a private CA; a wrong CA is refused and nothing leaves")
def _():
    r = Receiver(tls=True)
    good = dict(url="https://127.0.0.1:%d/in" % r.port, ca_certificate=shared_ca()[0])
    rollcall("deliver", "fake", config=server.config(store(), top=sink(r, **good)))
    assert sorted(r.ids()) == undisturbed()
    before = len(r.posts())
    bad = rollcall("deliver", "fake", config=server.config(store(), top=sink(r, url=good["url"])), code=6)
    assert len(r.posts()) == before and TOKEN not in bad.err, bad


@case("429 and 5xx and cut connections: retried with back-off and Retry-After until everything is there")
def _():
    r = Receiver()
    steps = "503,429:retry-after=1,drop,ok,cut,500,ok,die,refuse,ok,429:retry-date=1,ok"
    rollcall("deliver", "fake", config=server.config(store(), top=sink(r, steps)), timeout=200)
    ids = r.ids()
    assert sorted(set(ids)) == undisturbed() and len(ids) > len(set(ids)), "doubles came with the same id"


@case("chaos: a third of all requests goes wrong, nothing is lost")
def _():
    r = Receiver("--chaos", "0.3", "--seed", "5")
    rollcall("deliver", "fake", config=server.config(store(), top=sink(r)), timeout=300)
    assert sorted(set(r.ids())) == undisturbed()


@case("another 4xx stops with a clear state; the next deliver goes on there")
def _():
    r = Receiver()
    d = store()
    bad = rollcall("deliver", "fake", config=server.config(d, top=sink(r, "ok,ok,400:body=no_such_field")), code=2)
    assert "400" in bad.err and "no such field" in bad.err and "wait" in bad.err, bad
    had = len(r.ids())
    assert 0 < had < len(undisturbed())
    rollcall("deliver", "fake", config=server.config(d, top=sink(r)))
    assert sorted(set(r.ids())) == undisturbed()


@case("a refused token is an authentication error, told without the token")
def _():
    r = Receiver()
    config = server.config(store(), top=sink(r))
    write(os.path.join(r.dir, "token"), "wrong-token-9876")
    bad = rollcall("deliver", "fake", config=config, code=4)
    assert "401" in bad.err and "wrong-token-9876" not in bad.err + bad.out, bad


@case("a redirect is not followed and the token does not travel")
def _():
    r = Receiver()
    bad = rollcall("deliver", "fake", config=server.config(store(), top=sink(r, "302:location=/elsewhere")), code=None)
    assert bad.code == 2 and "302" in bad.err and [p["url"].split("?")[0] for p in r.posts()] == ["/in"], (bad, r.posts())


@case("a receiver that dies for good: exit 6, and all of it after it is back")
def _():
    r = Receiver()
    d = store()
    rollcall("deliver", "fake", config=server.config(d, top=sink(r, "ok,ok,exit", give_up_after="2s")), code=6, timeout=100)
    r2 = Receiver()
    rollcall("deliver", "fake", config=server.config(d, top=sink(r2)))
    assert set(r.ids()) | set(r2.ids()) == set(undisturbed())


@case("kill -9 of deliver at %d random moments: at least once, stable ids, nothing passed over" % (60 if SOAK else 20))
def _():
    dice = random.Random(3)
    r = Receiver("--steps", "slow:0.02")
    d = store()
    config = server.config(d, top=sink(r, "slow:0.02"))
    for _i in range(60 if SOAK else 20):
        p = subprocess.Popen([ROLLCALL, "deliver", "fake", "--config", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             start_new_session=True)
        time.sleep(dice.uniform(0.02, 0.25))
        kill_tree(p)
    rollcall("deliver", "fake", config=config)
    assert sorted(set(r.ids())) == undisturbed()


@case("sync delivers by itself when a sink is configured; --no-deliver does not")
def _():
    r = Receiver()
    d = scratch()
    config = server.config(d, top=sink(r))
    rollcall("sync", "fake", "--no-deliver", config=config)
    assert r.ids() == []
    rollcall("sync", "fake", config=config)
    assert len(r.ids()) > 600


@case("a directory sink holds the whole snapshot as one set; a file sink gets lines appended")
def _():
    d = store()
    top = "sinks:\n  drop: {type: directory, path: out, dialect: csv}\n  log: {type: file, path: events.jsonl, dialect: ocsf}\n"
    config = server.config(d, top=top)
    rollcall("deliver", "fake", config=config)
    manifest = json.load(open(os.path.join(d, "out", "manifest.json")))
    assert {"users.csv", "groups.csv", "memberships.csv"} <= {f["name"] for f in manifest["files"]}, manifest
    lines = [json.loads(line) for line in open(os.path.join(d, "events.jsonl"))]
    assert sorted(e["metadata"]["uid"] for e in lines) == undisturbed()
    before = os.path.getmtime(os.path.join(d, "out", "manifest.json"))
    rollcall("deliver", "fake", config=config)
    assert os.path.getmtime(os.path.join(d, "out", "manifest.json")) == before


@case("changes leave as OCSF account and group events")
def _():
    config = server.config(store())
    events = rollcall("change", "list", "--dialect", "ocsf", "--since", "1", config=config).lines()
    assert {e["class_uid"] for e in events} <= {3001, 3004, 3006} and len(events) == 25, len(events)


main()
