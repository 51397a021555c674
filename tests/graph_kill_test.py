#!/usr/bin/python3
"""graph_kill_test.py - kill -9 of a sync of a tenant at any moment, against a history that goes on: the last visible snapshot stays, and one more
sync ends where a store that was never disturbed stands: entities, memberships and changes, each change exactly once.
"""
# budget: 180 900
import contextlib
import json
import os
import random
import shutil
import sqlite3
import subprocess
import time

import harness
from harness import ROLLCALL, SOAK, case, kill_tree, main, rollcall, scratch, tree_of
from tenant import Tenant

POINTS = 100 if SOAK else 12
SIZE = dict(users=150, groups=16, memberships=900, devices=10, servicePrincipals=6, administrativeUnits=3, contacts=3, role_assignments=15)
SETTINGS = {"page_size": 40, "mfa": "report"}
SHIM = os.path.join(os.path.dirname(ROLLCALL), "tests", "fault", "libkillat.so")


def state(config):
    """What is visible, without run numbers and times."""
    entities, changes = [], []
    for e in rollcall("entity", "list", "--deleted", "-o", "jsonl", config=config).lines():
        for name in ("first_seen", "last_changed", "deleted"):
            e.pop(name, None)
        e["member_of"] = sorted((g["uid"], g["via"]) for g in e["member_of"])
        entities.append(json.dumps(e, sort_keys=True))
    for c in rollcall("change", "list", "-o", "jsonl", config=config).lines():
        c.pop("run"), c.pop("time")
        changes.append(json.dumps(c, sort_keys=True))
    return sorted(entities), sorted(changes)


def differ(a, b):
    return [(sorted(set(x) - set(y))[:2], sorted(set(y) - set(x))[:2]) for x, y in zip(a, b)]


def last_visible(config):
    """The run that is seen. One that is killed may have become it just before, and the one that is killed after it may not."""
    return next((r["id"] for r in rollcall("run", "list", "-o", "json", config=config).json() if r["status"] == "complete"), 0)


def intact(config):
    db = sqlite3.connect("file:%s?mode=ro" % os.path.join(os.path.dirname(config), "rollcall.db"), uri=True)
    with contextlib.closing(db):
        assert db.execute("pragma integrity_check").fetchone() == ("ok",)


class World:
    """A tenant with a history, a store that nobody disturbs and one that is killed again and again."""

    def __init__(self, seed):
        self.tenant = Tenant(seed=seed, knobs={"latency_ms": 8, "latency_jitter_ms": 6, "delta_page": 20, "delta_members": 15, "delta_repeat": 0.2}, **SIZE)
        self.calm, self.torn = (self.tenant.config(scratch(), **SETTINGS) for _ in range(2))
        self.took = {}

    def sync(self, config, full):
        t = time.monotonic()
        r = rollcall("sync", "cloud", *(["--full"] if full else []), config=config)
        self.took[full] = time.monotonic() - t
        return r

    def killed(self, full, who, after):
        """A sync of the torn store, killed after that part of its time. Was it still at work?"""
        p = subprocess.Popen([ROLLCALL, "sync", "cloud", *(["--full"] if full else []), "--config", self.torn], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                             start_new_session=True)
        time.sleep(after * self.took[full])
        if who == "worker":
            workers = tree_of(p.pid)[1:]
            if workers and p.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(workers[0], 9)
            err = p.communicate(timeout=30)[1]
            if p.returncode:
                assert p.returncode == 1 and "signal 9" in err, (p.returncode, err)
            return p.returncode != 0
        running = p.poll() is None
        kill_tree(p)
        p.stderr.close()
        return running

    def same(self, where):
        a, b = state(self.calm), state(self.torn)
        assert a == b, "%s: %s" % (where, str(differ(a, b))[:3000])
        intact(self.torn)


@case("kill -9 of worker or parent at %d random moments of full and delta runs: one more sync, and nothing differs" % POINTS)
def _():
    w = World(5)
    dice = random.Random(20261121)
    for full in (True, True, False):  # the first run of both, and the time that each kind takes
        for config in (w.calm, w.torn):
            w.sync(config, full)
    hits = 0
    for i in range(POINTS * 3):
        if hits >= POINTS:
            break
        full, who = i % 3 == 0, ("worker", "parent")[i % 2]
        w.tenant.advance(dice.randrange(1, 25))
        before, visible = state(w.torn), last_visible(w.torn)
        torn = [w.killed(full, who, dice.uniform(0.02, 0.98)) for _n in range(dice.choice((1, 1, 2)))]
        hits += sum(torn)
        if last_visible(w.torn) == visible:
            assert state(w.torn) == before, "half a run is visible, point %d (%s)" % (i, who)
            w.tenant.advance(dice.randrange(0, 10))
        for config in (w.torn, w.calm):
            w.sync(config, full)
        w.same("point %d (%s, %s)" % (i, "full" if full else "delta", who))
    assert hits >= POINTS, "only %d runs were still at work when killed" % hits


@case("kill -9 in the first run of all: the next one begins anew")
def _():
    w = World(6)
    w.sync(w.calm, True)
    dice = random.Random(6)
    for i in range(30 if SOAK else 4):
        shutil.rmtree(os.path.dirname(w.torn))
        os.mkdir(os.path.dirname(w.torn))
        w.torn = w.tenant.config(os.path.dirname(w.torn), **SETTINGS)
        for _n in range(2):
            w.killed(True, ("worker", "parent")[i % 2], dice.uniform(0.05, 0.95))
        w.sync(w.torn, False)
        w.same("first run, %d" % i)


@case("kill -9 at the writes of a full and a delta run: %s" % ("every third one" if SOAK else "a seeded choice"))
def _():
    w = World(7)
    w.tenant.set(latency_ms=0, latency_jitter_ms=0)
    for config in (w.calm, w.torn):
        w.sync(config, True)
    port = os.path.dirname(w.torn)
    w.tenant.advance(60)
    for full in (False, True):
        calm = scratch()
        shutil.copytree(port, calm, dirs_exist_ok=True)
        w.calm = w.tenant.config(calm, **SETTINGS)
        log = os.path.join(calm, "writes")
        args = ["sync", "cloud"] + (["--full"] if full else [])
        rollcall(*args, config=w.calm, env={"LD_PRELOAD": SHIM, "KILLAT_LOG": log})
        with open(log) as f:
            total = int(f.read())
        points = list(range(1, total + 1))
        for n in points[::3] if SOAK else sorted(random.Random(8).sample(points, min(total, 6))):
            d = scratch()
            shutil.copytree(port, d, dirs_exist_ok=True)
            w.torn = w.tenant.config(d, **SETTINGS)
            p = subprocess.run([ROLLCALL, *args, "--config", w.torn], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ, LD_PRELOAD=SHIM, KILLAT=str(n)))
            assert p.returncode == -9, "write %d of %d: exit %d" % (n, total, p.returncode)
            w.sync(w.torn, full)
            w.same("write %d of %d" % (n, total))
            shutil.rmtree(d)


@case("SIGINT and SIGTERM in mid-run: 130, and the snapshot stays")
def _():
    w = World(8)
    w.sync(w.torn, True)
    before = state(w.torn)
    w.tenant.advance(20)
    w.tenant.set(latency_ms=300)
    for number in (2, 15):
        seen = w.tenant.log()[-1]["n"]
        p = subprocess.Popen([ROLLCALL, "sync", "cloud", "--config", w.torn], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        harness.wait_for(lambda: [e for e in w.tenant.log(since=seen) if "delta" in e["url"]])
        p.send_signal(number)
        p.wait(20)
        assert p.returncode == 130, p.returncode
        assert state(w.torn) == before
    w.tenant.set(latency_ms=0)
    w.sync(w.torn, False)
    assert state(w.torn) != before


if __name__ == "__main__":
    main()
