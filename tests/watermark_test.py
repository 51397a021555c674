#!/usr/bin/python3
"""watermark_test.py - where an incremental run cannot go on, a full one is made and says why; nothing is lost and nothing told twice.

On a real domain controller: other controllers, restored ones, cookies that do not fit, other settings, old full runs, kills.
"""
# budget: 300 400
import base64
import collections
import json
import os
import random
import shutil
import sqlite3
import subprocess
import time

from domain import Domain
from harness import ROLLCALL, ROOT, SOAK, Lab, case, kill_tree, main, rollcall
from twin import Store, difference, state_difference

os.environ["EXTRA_CONF"] = ""
lab = Lab(dcs=2)
domain = Domain(lab)
serial = 0
with domain.prepare():
    domain.here = domain.ou("Watermarks")
    users = [domain.user("w.user%02d" % i, domain.here) for i in range(60)]
    victims = [domain.user("w.victim%02d" % i, domain.here) for i in range(60)]
    team = domain.group("w.team", domain.here)
    domain.ou("Crowd", domain.here)
    for i in range(150):
        domain.user("w.crowd%03d" % i, "OU=Crowd," + domain.here)


def change():
    """Makes one change of an attribute, one of a membership, one birth and one death; returns what a run has to tell of it."""
    global serial
    serial += 1
    n = serial
    domain.set(users[0], title="Title %d" % n)
    domain.add(team, member=users[n])
    domain.user("w.new%d" % n, domain.here)
    domain.delete(victims[n])
    return {("user", "w.user00", "modified", "title", ""), ("group", "w.team", "member_added", "member", "w.user%02d" % n),
            ("user", "w.new%d" % n, "created", "", ""), ("group", "Domain Users", "member_added", "primaryGroupID", "w.new%d" % n),
            ("user", "w.victim%02d" % n, "deleted", "", ""), ("group", "Domain Users", "member_removed", "primaryGroupID", "w.victim%02d" % n)}


def told(changes):
    return collections.Counter((c["kind"], c["name"], c["change"], c.get("attribute", ""), c.get("member", "")) for c in changes)


def reasons(run):
    return [g["what"] for g in run["gaps"] if g["what"].startswith("full run: ")]


def must(s, mode, wanted, reason=None):
    """One sync of the store: how it has to be done, what it has to tell, and why it is a full one."""
    run = s.sync()
    assert run["mode"] == mode, (run["mode"], reasons(run))
    got, wanted = told(s.changes), collections.Counter(wanted)
    assert got == wanted, "more: %s\nless: %s" % (sorted((got - wanted).elements()), sorted((wanted - got).elements()))
    why = reasons(run)
    assert bool(why) == (reason is not None) and (reason or "") in " ".join(why), (reason, run["gaps"])
    assert all(g["severity"] == "info" for g in run["gaps"] if g["what"] in why), run["gaps"]
    assert not drift(run), run["gaps"]


def drift(run):
    return [g for g in run["gaps"] if g["what"].startswith("drift:")]


def settle(s, last, wanted, where):
    """One more run, and since the run `last` each change was told once."""
    s.sync()
    changes = rollcall("change", "list", "--since", str(last), "-o", "jsonl", config=s.config).lines()
    got = told(changes)
    assert got == collections.Counter(wanted), "%s: %s" % (where, difference(collections.Counter(map(str, got.elements())), collections.Counter(map(str, wanted))))


def same_as_fresh(s):
    fresh = Store(lab, "fresh", "full", admin=s.admin, extra=s.extra, **s.settings)
    fresh.sync()
    a, b = s.state(), fresh.state()
    assert a == b, state_difference(a, b)


def note(s, edit=None):
    """The watermark in the store, as JSON; edit(it) writes what it returns."""
    db = sqlite3.connect(os.path.join(s.dir, "rollcall.db"))
    value = json.loads(db.execute("select value from note where name = 'watermark'").fetchone()[0])
    if edit:
        new = edit(value)
        db.execute("update note set value = ? where name = 'watermark'", (new if isinstance(new, bytes) else json.dumps(new).encode(),))
        db.commit()
    db.close()
    return value


def new_store(name, mode="auto", **keys):
    s = Store(lab, name, mode, **keys)
    s.sync()
    assert s.run["mode"] == "full" and not reasons(s.run), s.run
    must(s, "incremental", [])
    return s


@case("a first run is a full one without reason, the second is incremental")
def _():
    s = new_store("first")
    must(s, "incremental", change())
    must(s, "incremental", [])


@case("--full and incremental: off: a full run that does not give a reason, the next goes on from there")
def _():
    s = new_store("whole")
    wanted = change()
    s.sync("--full")
    assert s.run["mode"] == "full" and told(s.changes) == collections.Counter(wanted) and not reasons(s.run), (s.run, s.changes)
    must(s, "incremental", change())
    off = Store(lab, "off", "off")
    off.sync()
    wanted = change()
    for w in (wanted, []):
        off.sync()
        assert off.run["mode"] == "full" and told(off.changes) == collections.Counter(w), off.run
    must(s, "incremental", wanted)


def mark(f):
    """An edit of what the source gave."""
    def edit(n):
        f(n["mark"])
        return n
    return edit


def cookie_of(change_bytes):
    def edit(m):
        raw = bytearray(base64.b64decode(m["cookie"]))
        m["cookie"] = base64.b64encode(change_bytes(raw)).decode()
    return mark(edit)


def put(**values):
    return mark(lambda m: m.update(values))


DAMAGED = [  # what is done to the note, what the report says; None: an incremental run may go on, by other means
    ("no JSON", lambda n: b"\xff\x00{", ""),
    ("an empty object", lambda n: {}, ""),
    ("a list", lambda n: [1], ""),
    ("no mark", lambda n: dict(n, mark=None), ""),
    ("a negative number", put(usn=-1), "damaged"),
    ("a number from the future", put(usn=1 << 40), "went back"),
    ("the number as text", put(usn="12"), "damaged"),
    ("no controller", put(server_object=""), "damaged"),
    ("another controller", put(server_object="CN=NTDS Settings,CN=DC9", server="dc9.corp.example.test"), "another controller serves"),
    ("another invocationId", put(invocation_id="11111111-2222-3333-4444-555555555555"), "restored"),
    ("a cookie that is no base64", put(cookie="*?*"), "damaged"),
    ("a cookie of rubbish", put(cookie=base64.b64encode(b"rubbish" * 9).decode()), None),
    ("a cookie cut short", cookie_of(lambda raw: bytes(raw[:-8])), None),
    ("a cookie of another database", cookie_of(lambda raw: bytes(b ^ (0x5A if i >= len(raw) - 40 else 0) for i, b in enumerate(raw))), None),
    ("no cookie", mark(lambda m: m.pop("cookie", None)), None),
]


@case("a watermark that is damaged or of somebody else: %d ways" % len(DAMAGED))
def _():
    bad = []
    seed = new_store("seed", "dirsync").dir
    wanted = change()
    for name, edit, reason in DAMAGED:
        s = Store(lab, name, "dirsync")
        shutil.copy(os.path.join(seed, "rollcall.db"), s.dir)
        note(s, edit)
        try:
            if reason is not None:
                must(s, "full", wanted, reason)
            else:
                s.sync()
                assert told(s.changes) == collections.Counter(wanted), s.changes
                assert s.run["mode"] == "incremental" or reasons(s.run), s.run
            if SOAK:
                must(s, "incremental", [])
        except AssertionError as e:
            bad.append("%s: %s" % (name, str(e)[:800]))
    assert not bad, "\n".join(bad)


SETTINGS = [  # other settings, whether they make another question of it
    ({"extract_disabled_users": False}, True),
    ({"extract_acls": False}, True),
    ({"group_scope": "base_dn", "base_dn": "OU=Watermarks," + lab.base}, True),
    ({"base_dn": "OU=Watermarks," + lab.base}, True),
    ({"username": lab.admin, "password": "file:" + lab.admin_pw_file}, True),
    ({"frequency": "2h"}, False),
    ({"failover_hosts": [lab.ip2]}, False),
]


@case("other settings: a full run if they decide what is read, else none")
def _():
    bad = []
    seed = new_store("seed")
    for keys, matters in SETTINGS:
        s, want = Store(lab, "settings", "auto"), Store(lab, "oracle", "full")
        for copy in (s, want):
            shutil.copy(os.path.join(seed.dir, "rollcall.db"), copy.dir)
            copy.write(**{k: v for k, v in keys.items() if not isinstance(v, list)})
            copy.extra = "".join("    %s: %s\n" % (k, json.dumps(v)) for k, v in keys.items() if isinstance(v, list))
            copy.write()
        want.sync("--accept-deletions")
        s.sync("--accept-deletions")
        if s.told() != want.told():
            bad.append("%s: %s" % (keys, difference(s.told(), want.told())))
        if (s.run["mode"] == "full") != matters or bool(reasons(s.run)) != matters:
            bad.append("%s: mode %s, %s" % (keys, s.run["mode"], s.run["gaps"]))
        s.sync()
        if s.changes or s.run["mode"] != "incremental":
            bad.append("%s: the run after that: %s %s" % (keys, s.run["mode"], s.changes[:3]))
    assert not bad, "\n".join(bad)


@case("a custom property more, and one less: a full run tells of its values")
def _():
    s = new_store("property")
    domain.set(users[5], roomNumber="17")
    must(s, "incremental", [])
    s.extra = "    custom_properties:\n      - {name: roomNumber, kind: user, type: string_list}\n"
    s.write()
    must(s, "full", [("user", "w.user05", "modified", "roomNumber", "")], "")
    domain.set(users[5], roomNumber="18")
    must(s, "incremental", [("user", "w.user05", "modified", "roomNumber", "")])
    s.extra = ""
    s.write()
    must(s, "full", [("user", "w.user05", "modified", "roomNumber", "")], "")


@case("full_sync_every has passed: a full run that verifies, and says so")
def _():
    s = new_store("due", full_sync_every="1h")
    note(s, lambda n: dict(n, full_ms=n["full_ms"] - 3599 * 1000 + 60000))
    must(s, "incremental", change())
    note(s, lambda n: dict(n, full_ms=n["full_ms"] - 120000))
    last, wanted = s.run["id"], change()
    settle(s, last, wanted, "due")
    assert s.run["mode"] == "full" and reasons(s.run) and not drift(s.run), s.run
    must(s, "incremental", [])


@case("what an incremental run did not see is drift, and the verifying run tells it")
def _():
    s = new_store("drift")
    domain.set(users[7], title="Unseen")
    newer = note(new_store("newer"))["mark"]  # of after the change, which this store does not have
    note(s, lambda n: dict(n, mark=newer))
    must(s, "incremental", [])
    note(s, lambda n: dict(n, full_ms=1))
    last, unseen = s.run["id"], ("user", "w.user07", "modified", "title", "")
    settle(s, last, change() | {unseen}, "drift")
    found = drift(s.run)
    assert s.run["mode"] == "full" and told(s.changes) == collections.Counter([unseen]), (s.run, s.changes)
    assert len(found) == 1 and " 1 " in found[0]["what"] and "w.user07" in json.dumps(found[0]), found
    note(s, lambda n: dict(n, full_ms=1))
    s.sync()
    assert s.run["mode"] == "full" and not s.changes and not drift(s.run), s.run
    must(s, "incremental", [])


# --- kills -------------------------------------------------------------------------------------------------------

def copy_of(seed, name):
    s = Store(lab, name, seed.mode, **seed.settings)
    shutil.copy(os.path.join(seed.dir, "rollcall.db"), s.dir)
    return s


@case("kill -9 of an incremental run, at its writes and at random moments: the next one has the changes once")
def _():
    dice = random.Random(20261121)
    for mode in ("dirsync", "usn"):
        seed = new_store("seed", mode)
        last, wanted = seed.run["id"], change()
        shim, log = os.path.join(ROOT, "build", "tests", "fault", "libkillat.so"), os.path.join(seed.dir, "writes")
        s = copy_of(seed, "clean")
        began = time.monotonic()
        rollcall("sync", "corp", config=s.config, env={"LD_PRELOAD": shim, "KILLAT_LOG": log}, code=None)
        took = time.monotonic() - began
        clean = s.state()
        points = list(range(1, int(open(log).read()) + 1))
        for n in points if SOAK else dice.sample(points, min(4, len(points))):
            s = copy_of(seed, "killed")
            p = subprocess.run([ROLLCALL, "sync", "corp", "--config", s.config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               env=dict(os.environ, LD_PRELOAD=shim, KILLAT=str(n)))
            assert p.returncode == -9, (n, p.returncode)
            settle(s, last, wanted, "%s, write %d of %d" % (mode, n, len(points)))
        for n in range(40 if SOAK else 3):
            s = copy_of(seed, "killed")
            p = subprocess.Popen([ROLLCALL, "sync", "corp", "--config", s.config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                 start_new_session=True)
            at = dice.uniform(0, took)
            time.sleep(at)
            kill_tree(p)
            settle(s, last, wanted, "%s, after %.3f s" % (mode, at))
        seen = s.state()
        assert seen == clean, state_difference(seen, clean)


@case("too many gone at once: held back, not forgotten, told once when accepted")
def _():
    s = new_store("guard")
    domain.delete("OU=Crowd," + domain.here, tree=True)
    for _ in range(2):
        r = rollcall("sync", "corp", "-o", "json", config=s.config, code=5).json()
        assert r["status"] == "needs_attention" and not r["counts"]["user"]["deleted"], r
    s.sync("--accept-deletions")
    assert s.run["counts"]["user"]["deleted"] == 150, s.run
    same_as_fresh(s)
    must(s, "incremental", [])
    must(s, "incremental", change())


# --- controllers ---------------------------------------------------------------------------------------------------

def replicate():
    """Waits until the second controller has what the first one has."""
    global other
    other = other or Domain(lab, dc=2)
    domain.set(domain.here, description="round %d" % serial, street=str(time.time()))
    mark = domain.get(domain.here, "street")
    deadline = time.monotonic() + 30
    while other.get(domain.here, "street") != mark:
        assert time.monotonic() < deadline, "no replication"
        time.sleep(0.1)
    return [("ou", "Watermarks", "modified", "description", "")]


other = None


@case("another controller serves: a full run there, said; nothing lost, nothing twice; and back")
def _():
    s = new_store("two", certificate_name=lab.domain)
    wanted = [*change(), *replicate()]
    s.write(host=lab.ip2)
    must(s, "full", wanted, "another controller serves")
    must(s, "incremental", [])
    wanted = [*change(), *replicate()]
    must(s, "incremental", wanted)
    s.write(host=lab.ip)
    wanted = change()
    s.sync()
    assert told(s.changes) == collections.Counter(wanted), s.changes
    assert s.run["mode"] == "incremental" or "another controller serves" in reasons(s.run)[0], s.run
    must(s, "incremental", [])
    same_as_fresh(s)


@case("a controller set back to an earlier state: a full run, said, and what is no longer so is told")
def _():
    lab.call("snapshot", lab.dir)
    domain.connect()
    stores = [new_store("set back, " + m, m) for m in ("dirsync", "usn")]
    wanted = change()
    for s in stores:
        must(s, "incremental", wanted)
    lab.call("restore", lab.dir)
    domain.connect()
    for s in stores:
        s.sync()
        assert s.run["mode"] == "full" and "went back" in reasons(s.run)[0], s.run
        got = {x[2] for x in told(s.changes)}
        assert got == {"modified", "member_removed", "deleted", "restored", "member_added"} and len(s.changes) == len(wanted), s.changes
        must(s, "incremental", [])
        same_as_fresh(s)


@case("a controller restored as it should be: another invocationId, a full run, said")
def _():
    s = new_store("restored")
    lab.call("down", lab.dir, "1")
    with domain.prepare():
        domain.set(str(domain.db.get_dsServiceName()), invocationId=os.urandom(16))
    lab.call("up", lab.dir)
    domain.connect()
    must(s, "full", change(), "invocationId")
    must(s, "incremental", [])


main()
