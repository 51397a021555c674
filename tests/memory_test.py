#!/usr/bin/python3
"""memory_test.py - the N-th memory allocation fails, in rollcall or in its worker: it says so and ends, and the store is as it was.

tests/fault/failalloc.c makes it fail. The oracle is an undisturbed store of the same two directories, as in kill_test.py.
"""
# budget: 120 1500
import concurrent.futures
import os
import random
import re
import shutil
import sqlite3
import subprocess

import harness
from harness import ROOT, SOAK, Replay, case, main, measured, rollcall, scratch, visible

SHIM = os.environ.get("FAILALLOC_SHIM", os.path.join(ROOT, "build", "tests", "fault", "libfailalloc.so"))
SIZE = ["--users", 150, "--groups", 20, "--others", 20]
CODES = (1, 2, 3, 4, 5, 6)  # a library may say of its want of memory what it likes; that it failed is what counts


class World:
    def __init__(self):
        self.before, self.after = Replay(*SIZE), Replay(*SIZE, "--changed", 10)
        self.seed, self.done = scratch(), scratch()
        config = self.before.config(self.seed)
        rollcall("sync", "fake", config=config)
        self.state_before = visible(config)
        shutil.copytree(self.seed, self.done, dirs_exist_ok=True)
        rollcall("sync", "fake", config=self.after.config(self.done))
        self.state_after = visible(self.after.config(self.done))
        assert self.state_before != self.state_after

    def copy(self):
        d = scratch()
        shutil.copytree(self.seed, d, dirs_exist_ok=True)
        return d, self.after.config(d)


_world = []


def world():
    if not _world:
        _world.append(World())
    return _world[0]


def failing(n, who, ons=False, log=None):
    env = {"LD_PRELOAD": SHIM, "FAILALLOC": str(n), "FAILALLOC_WHO": who}
    return dict(env, **({"FAILALLOC_ON": "1"} if ons else {}), **({"FAILALLOC_LOG": log} if log else {}))


def total(verb, who):
    """Allocations of an undisturbed run."""
    d, config = world().copy()
    log = os.path.join(d, "count")
    rollcall(*verb, config=config, env=failing(0, who, log=log))
    return int(open(log).read())


def points(n, most):
    """All of them under soak; else a seeded choice, denser at the start, where everything is opened."""
    if SOAK:
        return list(range(1, n + 1))
    dice = random.Random(n)
    return sorted(set(dice.sample(range(1, n // 8), most // 2) + dice.sample(range(n // 8, n + 1), most // 2)))


def sound(r, where, store=None):
    """No crash: but a worker may crash in a library that follows the null pointer it got (libtasn1, libsasl2): that is why it is a process
    of its own, and its parent says so and goes on."""
    ours = re.search(r"failalloc: crash in (\S*(rollcall|exe)|\?)$", r.err, re.M)
    assert not ours, "%s: %r" % (where, r)
    for bad in ("Sanitizer", "runtime error", "free():", "malloc():"):
        assert bad not in r.err, "%s: %r" % (where, r)
    assert "ended by signal" not in r.err or "failalloc: crash in" in r.err, "%s: %r" % (where, r)
    assert r.code >= 0 and r.code in (0,) + CODES, "%s: %r" % (where, r)
    assert r.code == 0 or re.search(r'rollcall: .{10}|"message":".{10}', r.err), "%s: no word: %r" % (where, r)
    if store and os.path.exists(store):
        db = sqlite3.connect("file:%s?mode=ro" % store, uri=True)
        try:
            assert db.execute("pragma integrity_check").fetchone() == ("ok",), where
        finally:
            db.close()


def each(rows, f):
    """f of each row, two at a time; fails with all that failed."""
    def one(row):
        try:
            f(*row)
        except Exception as e:
            return "%s: %s" % (row, e)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        bad = [b for b in pool.map(one, rows) if b]
    assert not bad, "%d of %d failed:\n%s" % (len(bad), len(rows), "\n".join(bad[:12]))


def syncs(who, most):
    w = world()
    count = total(("sync", "fake"), who)
    assert count > 1000, "only %d allocations" % count
    chosen = points(count, most)
    rows = [(n, i % 3 == 2) for i, n in enumerate(chosen)] if not SOAK else [(n, False) for n in chosen] + [(n, True) for n in chosen[::5]]

    def fails(n, ons):
        where = "allocation %d%s of %d of the %s" % (n, " and on" if ons else "", count, who)
        d, config = w.copy()
        r = measured("sync", "fake", "-o", "json", config=config, env=failing(n, who, ons), limit=30)
        sound(r, where, os.path.join(d, "rollcall.db"))
        seen = visible(config)
        assert seen in (w.state_before, w.state_after), "half visible: " + where
        assert r.code != 0 or seen == w.state_after, "said to be complete: %s: %r" % (where, r)
        if n % 10 == 0 or r.code == 0:
            rollcall("sync", "fake", config=config)
            assert visible(config) == w.state_after, "another end state: " + where
        shutil.rmtree(d)
    each(rows, fails)


@case("sync: a failing allocation leaves a whole snapshot and a sentence")
def _():
    syncs("parent", 100)


@case("sync: a failing allocation of the worker fails the run, and says so")
def _():
    syncs("worker", 100)


@case("check, read, export and lists: a sentence, no crash")
def _():
    rows = []
    for verb, who, most in ((("check", "fake"), "worker", 16), (("read", "fake"), "parent", 24), (("entity", "list", "-o", "jsonl"), "parent", 16), (("change", "list"), "parent", 10),
                            (("config", "check"), "parent", 16), (("export", "--connector", "fake", "--dialect", "csv", "--to", "OUT"), "parent", 24)):
        count = total([v.replace("OUT", os.path.join(scratch(), "out")) for v in verb], who)
        rows += [(verb, who, n, n % 3 == 0) for n in points(count, most)]

    def fails(verb, who, n, ons):
        d, config = world().copy()
        out = os.path.join(d, "out")
        r = measured(*[v.replace("OUT", out) for v in verb], config=config, env=failing(n, who, ons), limit=30)
        if verb[0] == "check":  # its sentence is a step
            assert r.code == 0 or re.search("FAIL|rollcall: ", r.out + r.err), (n, r)
            r.err = r.err or "rollcall: it is one of the steps"
        sound(r, "%s: allocation %d of the %s" % (" ".join(verb), n, who), os.path.join(d, "rollcall.db"))
        if verb[0] == "read" and r.code == 0:
            assert len(r.out.splitlines()) > 200, "cut short, and no word: %r" % r
        if verb[0] == "export" and r.code == 0:
            assert len(os.listdir(out)) > 8, os.listdir(out)
        shutil.rmtree(d)
    each(rows, fails)


@case("ulimit -v: an end with a sentence in too little memory, the whole truth in enough")
def _():
    def limited(kib):
        d, config = world().copy()
        r = harness.Result(subprocess.run(["bash", "-c", "ulimit -v %d; exec \"$@\"" % kib, "-", harness.ROLLCALL, "sync", "fake", "--config", config],
                                                        capture_output=True, text=True, timeout=60))
        sound(r, "%d KiB" % kib, os.path.join(d, "rollcall.db"))
        assert visible(config) == (world().state_after if r.code == 0 else world().state_before)
        return r.code
    codes = [limited(kib) for kib in range(60000, 300000, 12000) if not harness.is_sanitized()]
    assert not codes or codes[-1] == 0, codes


main()
