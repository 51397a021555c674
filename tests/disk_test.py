#!/usr/bin/python3
"""disk_test.py - a disk that is full, read-only or broken, at any call: a clear stop, nothing corrupt, and it goes on when there is room.

tests/fault/faildisk.c makes the N-th writing call fail; a small tmpfs and RLIMIT_FSIZE do it for real.
"""
# budget: 120 600
import concurrent.futures
import errno
import os
import random
import re
import resource
import shutil
import sqlite3
import subprocess

from harness import ROLLCALL, ROOT, SOAK, Replay, Result, at_end, case, main, measured, rollcall, scratch, visible, write_config

SHIM = os.environ.get("FAILDISK_SHIM", os.path.join(ROOT, "build", "tests", "fault", "libfaildisk.so"))
USERS = 1500 if SOAK else 600
SIZE = ["--users", USERS, "--groups", 30, "--others", 30]
FULL = r"full|No space|disk I/O|quota|too large"
PLACE = r"rollcall\.db|temporary file in /"
FIX = r'  fix: .{10}|"hint":".{10}'


class World:
    def __init__(self):
        self.before, self.after = Replay(*SIZE), Replay(*SIZE, "--changed", 40)
        self.seed = scratch()
        config = self.before.config(self.seed)
        rollcall("sync", "fake", config=config)
        self.state_before = visible(config)
        done = self.copy()[0]
        rollcall("sync", "fake", config=self.after.config(done))
        self.state_after = visible(self.after.config(done))

    def copy(self, to=None):
        d = to or scratch()
        shutil.copytree(self.seed, d, dirs_exist_ok=True)
        return d, self.after.config(d)


_world = []


def world():
    if not _world:
        _world.append(World())
    return _world[0]


def sound(r, directory, where):
    assert r.code >= 0, "%s: %r" % (where, r)
    for bad in ("ended by signal", "Sanitizer", "Assertion", "BUG\",\"code\":0"):
        assert bad not in r.err, "%s: %r" % (where, r)
    db = sqlite3.connect(os.path.join(directory, "rollcall.db"))
    try:
        assert db.execute("pragma integrity_check").fetchone() == ("ok",), where
    finally:
        db.close()


def heals(directory, config, where):
    """What is visible is whole; with room again the next run ends as a clean one, each change told once."""
    w = world()
    seen = visible(config)
    assert seen in (w.state_before, w.state_after), "half visible: " + where
    rollcall("sync", "fake", config=config)
    assert visible(config) == w.state_after, "another end state: " + where
    return seen


def each(rows, f):
    def one(row):
        try:
            f(*row)
        except Exception as e:
            return "%s: %s" % (row, e)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        bad = [b for b in pool.map(one, rows) if b]
    assert not bad, "%d of %d failed:\n%s" % (len(bad), len(rows), "\n".join(bad[:12]))


# --- the N-th call ----------------------------------------------------------------------------------------------

# what fails, how, exit codes that fit, and what must be said
# (SQLite does not always keep the errno; on a file system that is full or read-only indeed, rollcall looks, see below)
WAYS = [("ENOSPC", {}, (1, 6), FULL), ("EDQUOT", {}, (1, 6), FULL), ("EIO", {}, (1, 4, 6), r"I/O error|Input/output|disk|unable to open"), ("EROFS", {}, (1, 4, 6), r"[Rr]ead-?only|writ|disk"),
        ("EIO", {"FAILDISK_CALL": "fsync"}, (1, 6), r"I/O error|Input/output|disk"), ("EIO", {"FAILDISK_ONCE": "1"}, (1, 4, 6), r"I/O error|Input/output|disk|unable to open"),
        ("ENOSPC", {"FAILDISK_ONCE": "1"}, (1, 6), FULL)]


def count(**more):
    d, config = world().copy()
    log = os.path.join(d, "calls")
    rollcall("sync", "fake", config=config, env=dict({"LD_PRELOAD": SHIM, "FAILDISK": "0", "FAILDISK_LOG": log}, **more))
    return int(open(log).read()) if os.path.exists(log) else 0


@case("sync: the N-th write fails, %s" % ("every one" if SOAK else "a seeded choice"))
def _():
    rows, dice = [], random.Random(3)
    for name, more, codes, words in WAYS:
        total = count(**{k: v for k, v in more.items() if k == "FAILDISK_CALL"})
        assert total >= 2, (more, total)
        every = list(range(1, total + 1))
        rows += [(name, more, codes, words, n, total) for n in (every if SOAK else sorted(dice.sample(every, min(total, 9))))]

    def fails(name, more, codes, words, n, total):
        where = "%s %s at call %d of %d" % (name, more, n, total)
        d, config = world().copy()
        r = measured("sync", "fake", config=config, limit=30, env=dict({"LD_PRELOAD": SHIM, "FAILDISK": str(n), "FAILDISK_ERRNO": str(getattr(errno, name))}, **more))
        sound(r, d, where)
        assert r.code in (0,) + codes, "%s: %r" % (where, r)
        assert r.code == 0 or re.search(words, r.err) and re.search(PLACE, r.err) and re.search(FIX, r.err), "%s: %r" % (where, r)
        seen = heals(d, config, where)
        assert r.code or seen == world().state_after, "said to be complete: " + where
        shutil.rmtree(d)
    each(rows, fails)


@case("a store that cannot be opened or made: the file and the fix are named")
def _():
    for name in ("ENOSPC", "EROFS", "EACCES", "EIO", "EMFILE"):
        d = scratch()
        config = world().after.config(d)
        r = measured("sync", "fake", config=config, env={"LD_PRELOAD": SHIM, "FAILDISK": "1", "FAILDISK_FILES": "rollcall.db", "FAILDISK_CALL": "open",
                                                         "FAILDISK_ERRNO": str(getattr(errno, name))})
        assert r.code in (1, 2, 4, 6) and "rollcall.db" in r.err and "fix: " in r.err, (name, r)


# --- for real -----------------------------------------------------------------------------------------------------

class Small:
    """A file system with little room, or None where it cannot be mounted."""

    def __init__(self, size):
        self.dir = scratch()
        p = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%d,mode=700" % size, "rollcall-test", self.dir], stderr=subprocess.DEVNULL)
        self.works = p.returncode == 0
        if self.works:
            at_end(self.away)

    def away(self):
        subprocess.run(["umount", "-l", self.dir], stderr=subprocess.DEVNULL)

    def again(self, options):
        subprocess.run(["mount", "-o", "remount," + options, self.dir], check=True)

    def fill(self, leave):
        """Takes all room but `leave` bytes."""
        st = os.statvfs(self.dir)
        with open(os.path.join(self.dir, "ballast"), "wb") as f:
            f.write(b"\0" * max(0, st.f_bavail * st.f_bsize - leave))

    def free(self):
        os.unlink(os.path.join(self.dir, "ballast"))


@case("a file system that gets full: a stop with the file and the fix, and the run after it is complete")
def _():
    w = world()
    fs = Small(64 << 20)
    if not fs.works:
        return
    codes = []
    for leave in (0, 65536, 300000, 32 << 20):
        for name in os.listdir(fs.dir):
            os.unlink(os.path.join(fs.dir, name))
        _d, config = w.copy(fs.dir)
        fs.fill(leave)
        r = measured("sync", "fake", config=config, limit=30)
        fs.free()
        sound(r, fs.dir, "%d bytes left" % leave)
        assert r.code in (0, 6), r
        assert r.code == 0 or re.search(FULL, r.err) and "rollcall.db" in r.err and "free space" in r.err, r
        heals(fs.dir, config, "%d bytes left" % leave)
        codes.append(r.code)
    assert codes[0] == 6 and codes[-1] == 0, codes


@case("a file system that is read-only: nothing is written, what is visible can still be read")
def _():
    w = world()
    fs = Small(64 << 20)
    if not fs.works:
        return
    _d, config = w.copy(fs.dir)
    fs.again("ro")
    r = measured("sync", "fake", config=config, limit=30)
    assert r.code == 4 and "rollcall.db" in r.err and "fix: " in r.err, r
    listed = measured("entity", "list", "-o", "jsonl", config=config)
    assert listed.code == 0 and len(listed.out.splitlines()) > USERS or "rollcall.db" in listed.err and re.search(FIX, listed.err), listed
    fs.again("rw")
    heals(fs.dir, config, "read-only")


@case("RLIMIT_FSIZE: the store may not grow")
def _():
    w = world()
    for kib in (0, 64, 1024, 1 << 20):
        d, config = w.copy()

        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (kib << 10, kib << 10))
        p = subprocess.run([ROLLCALL, "sync", "fake", "--config", config], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, preexec_fn=limit)
        r = Result(p)
        sound(r, d, "%d KiB" % kib)
        assert r.code == 6 if kib < 1024 else r.code in (0, 6) if kib == 1024 else r.code == 0, r
        assert r.code == 0 or re.search(PLACE, r.err) and re.search(FIX, r.err), r
        heals(d, config, "%d KiB" % kib)


# --- other files ---------------------------------------------------------------------------------------------------

@case("temporary files on a full disk: read says which directory, and writes no half answer as a whole one")
def _():
    fs = Small(1 << 20)
    d, config = world().copy()
    if not fs.works:
        return
    for leave in (0, 4096, 65536):
        fs.fill(leave)
        r = measured("read", "fake", "--dialect", "ocsf", config=config, env={"TMPDIR": fs.dir}, limit=30)
        assert r.code != 0 and re.search(FULL, r.err) and "fix: " in r.err, r
        assert re.search(r"TMPDIR|temporary", r.err), r
        fs.free()
    r = measured("read", "fake", config=config, env={"TMPDIR": os.path.join(d, "nowhere")})
    assert r.code == 0 or "nowhere" in r.err and "fix: " in r.err, r


@case("export --to a full disk: the file is named, no half file under its own name, and it works when there is room")
def _():
    fs = Small(256 << 10)
    d, config = world().copy()
    if not fs.works:
        return
    to = os.path.join(fs.dir, "out")
    for dialect in ("csv", "ocsf"):
        r = measured("export", "--connector", "fake", "--dialect", dialect, "--to", to, config=config, limit=30)
        assert r.code == 6 and re.search(FULL, r.err) and fs.dir in r.err and "fix: " in r.err, r
        assert not [n for n in (os.listdir(to) if os.path.isdir(to) else []) if n.startswith("users.")], os.listdir(to)
        fs.again("size=32m")
        r = measured("export", "--connector", "fake", "--dialect", dialect, "--to", to, config=config, limit=30)
        assert r.code == 0 and sum(os.path.getsize(os.path.join(to, n)) for n in os.listdir(to)) > 256 << 10, r
        shutil.rmtree(to)
        fs.again("size=256k")


@case("eight at once make one store: nobody finds a half of it")
def many_make_it():
    d = scratch()
    config = write_config(d, "c", {"type": "active_directory", "domain": "a.example", "host": "127.0.0.1", "port": 9, "username": "a@b", "password": "env:NO_PASSWORD_AT_ALL"})
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for _ in range(25):
            for name in os.listdir(d):
                if name.startswith("rollcall.db"):
                    os.unlink(os.path.join(d, name))
            for r in pool.map(lambda _: rollcall("sync", "c", config=config, code=None), range(8)):
                assert "a run is under way" in r.err or "NO_PASSWORD_AT_ALL" in r.err, r


main()
