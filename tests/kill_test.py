#!/usr/bin/python3
"""kill_test.py - kill -9 of a sync at any moment: the last visible snapshot stays, and the next run ends as a clean one would.

The oracle is an undisturbed store: entities, memberships and changes must be the same, each change exactly once.
"""
# budget: 300 900
import json
import os
import random
import shutil
import sqlite3
import subprocess
import time

from harness import ROLLCALL, ROOT, SOAK, Replay, case, kill_tree, main, rollcall, scratch, tree_of, wait_for

POINTS = 600 if SOAK else 200
SIZE = ["--users", 3000, "--groups", 40, "--others", 40]
SLOW = ["--users", 20000, "--groups", 60, "--delay-ms", 100]


def state(config):
    """What is visible: entities with attributes and groups, and changes without run numbers and times."""
    entities = []
    for e in rollcall("entity", "list", "--deleted", "-o", "jsonl", config=config).lines():
        e.pop("first_seen"), e.pop("last_changed", None), e.pop("deleted", None)
        e["member_of"] = sorted((g["uid"], g["via"]) for g in e["member_of"])
        entities.append(repr(sorted(e.items(), key=lambda kv: kv[0])))
    changes = []
    for c in rollcall("change", "list", "-o", "jsonl", config=config).lines():
        c.pop("run"), c.pop("time")
        changes.append(repr(sorted(c.items(), key=lambda kv: kv[0])))
    return sorted(entities), sorted(changes)


def runs(config):
    return [r["status"] for r in rollcall("run", "list", "-o", "json", "--limit", "0", config=config).json()]


def start(config):
    return subprocess.Popen([ROLLCALL, "sync", "fake", "--config", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                            start_new_session=True)


class World:
    """Two directories, before and after a day of changes, and the store states that belong to them."""

    def __init__(self):
        self.before = Replay(*SIZE)
        self.after = Replay(*SIZE, "--changed", 40)
        self.clean = scratch()
        self.first = self.before.config(self.clean)
        rollcall("sync", "fake", config=self.first)
        self.seed = scratch()
        shutil.copytree(self.clean, self.seed, dirs_exist_ok=True)
        self.state_before = state(self.first)
        t = time.monotonic()
        self.config = self.after.config(self.clean)
        rollcall("sync", "fake", config=self.config)
        self.took = time.monotonic() - t
        self.state_after = state(self.config)
        assert self.state_before != self.state_after

    def copy(self):
        d = scratch()
        shutil.copytree(self.seed, d, dirs_exist_ok=True)
        return d, self.after.config(d)


world = None


def get_world():
    global world
    world = world or World()
    return world


def settle(config, where):
    """After a kill: the snapshot is one of the two, the store is sound, and the next run ends as the clean one did."""
    w = get_world()
    seen = state(config)
    assert seen in (w.state_before, w.state_after), "a half visible run, killed %s" % where
    db = sqlite3.connect("file:%s?mode=ro" % os.path.join(os.path.dirname(config), "rollcall.db"), uri=True)
    assert db.execute("pragma integrity_check").fetchone() == ("ok",), where
    db.close()
    rollcall("sync", "fake", config=config)
    assert state(config) == w.state_after, "another end state, killed %s" % where


@case("kill -9 at %d random moments of a sync" % POINTS)
def _():
    w = get_world()
    dice = random.Random(20261121)
    d, config = w.copy()
    counts = set()
    span, i, tries = w.took, 0, 0
    while i < POINTS:
        p = start(config)
        time.sleep(dice.uniform(0, span))
        running = p.poll() is None
        kill_tree(p)
        tries += 1
        assert tries < 20 * POINTS, "only %d of %d were still running when killed" % (i, tries)
        # one that ended before its kill is no point; the waits follow the machine's speed
        span = span * 1.02 if running else span * 0.9
        if not running:
            continue
        i += 1
        counts.add(json.dumps(rollcall("connector", "list", "-o", "json", config=config).json()[0]["counts"], sort_keys=True))
        # the whole truth every twentieth time; each time that the snapshot is one of the two
        if i % 20 == 0:
            settle(config, "at point %d" % i)
            shutil.rmtree(d)
            d, config = w.copy()
    assert len(counts) == 1, counts  # nobody was born or died that day


@case("kill -9 at the writes of a first and a second sync: %s" % ("every one" if SOAK else "a seeded choice"))
def _():
    w = get_world()
    shim = os.path.join(ROOT, "build", "tests", "fault", "libkillat.so")
    for first in (True, False):
        def store():
            if not first:
                return w.copy()
            d = scratch()
            return d, w.after.config(d)
        d, config = store()
        log = os.path.join(d, "writes")
        rollcall("sync", "fake", config=config, env={"LD_PRELOAD": shim, "KILLAT_LOG": log})
        total = int(open(log).read())
        want = state(config)
        points = list(range(1, total + 1))
        if not SOAK:
            points = sorted(random.Random(7).sample(points, min(len(points), 20)))
        for n in points:
            d, config = store()
            p = subprocess.run([ROLLCALL, "sync", "fake", "--config", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               env=dict(os.environ, LD_PRELOAD=shim, KILLAT=str(n)))
            assert p.returncode == -9, "write %d of %d: exit %d" % (n, total, p.returncode)
            if first:
                rollcall("sync", "fake", config=config)
                assert state(config) == want, "write %d of %d" % (n, total)
            else:
                settle(config, "at write %d of %d" % (n, total))
            shutil.rmtree(d)


@case("kill -9 of the worker alone: the run is failed and says so")
def _():
    w = get_world()
    slow = Replay(*SLOW)
    d, _config = w.copy()
    config = slow.config(d)
    p = subprocess.Popen([ROLLCALL, "sync", "fake", "--config", config], stderr=subprocess.PIPE, text=True)
    worker = None
    for _i in range(200):
        out = subprocess.run(["pgrep", "-P", str(p.pid)], stdout=subprocess.PIPE, text=True).stdout.split()
        if out:
            worker = int(out[0])
            break
        time.sleep(0.01)
    time.sleep(0.3)
    os.kill(worker, 9)
    _out, err = p.communicate(timeout=20)
    assert p.returncode == 1 and "signal 9" in err, (p.returncode, err)
    assert runs(config)[0] == "failed"
    assert state(config)[0] == w.state_before[0]


@case("SIGINT ends with 130 and leaves the snapshot")
def _():
    slow = Replay(*SLOW)
    w = get_world()
    d, _config = w.copy()
    config = slow.config(d)
    p = subprocess.Popen([ROLLCALL, "sync", "fake", "--config", config], stderr=subprocess.PIPE, text=True)
    wait_for(lambda: len(tree_of(p.pid)) > 1)  # it has a worker: it listens to signals
    time.sleep(0.3)
    p.send_signal(2)
    _out, err = p.communicate(timeout=20)
    assert p.returncode == 130, (p.returncode, err)
    assert state(config)[0] == w.state_before[0]


@case("two syncs of one connector at once: the second is told who is at work")
def _():
    slow = Replay(*SLOW)
    d = scratch()
    config = slow.config(d)
    p = subprocess.Popen([ROLLCALL, "sync", "fake", "--config", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: len(tree_of(p.pid)) > 1)
    r = rollcall("sync", "fake", config=config, code=1)
    assert str(p.pid) in r.err, r
    p.wait(60)


main()
