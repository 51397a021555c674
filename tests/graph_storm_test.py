#!/usr/bin/python3
"""graph_storm_test.py - a tenant that breaks off, throttles, lies or attacks: what passes is repaired and leaves the state that an undisturbed run
leaves; what stays is a named error or a named gap; nothing half read becomes the truth, nobody is deleted, and the token goes to one place only.

Every case starts from the same store, synchronized before a piece of history, against the tenant after it (tests/lab/graph, tests/lib/tenant.py).
A row of the tables is a fault of the simulator (faults.js, edits.js) with what must come of it.
"""
# budget: 52 3600
import concurrent.futures
import contextlib
import json
import os
import queue
import random
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading

import harness
from harness import ROOT, SOAK, case, is_sanitized, main, measured, rollcall, scratch, write
from tenant import SECRET, Tenant

DRIVE = os.path.join(os.path.dirname(harness.ROLLCALL), "src", "source", "source-drive")
SANITIZED = os.path.join(ROOT, "build-asan", "rollcall")
if "ROLLCALL" in os.environ or not os.path.exists(SANITIZED):
    SANITIZED = harness.ROLLCALL
SMALL = dict(users=40, groups=6, memberships=120, devices=5, servicePrincipals=4, administrativeUnits=2, contacts=2, role_assignments=10)
PAGES = {"report_page_cap": 10, "delta_page": 5}
SHORT = {"page_size": 10, "connect_timeout": "2s", "answer_timeout": "2s", "run_timeout": "20s"}
RSS_MIB = 256
# Where a fault can be put: every collection of a full run, and the delta queries of the next one.
FULL = ["/organization", "/domains", "/users", "/groups", "/groups/{id}/members", "/groups/{id}/owners", "/directory/administrativeUnits",
        "/directory/administrativeUnits/{id}/members", "/servicePrincipals", "/devices", "/contacts", "/roleManagement/directory/roleDefinitions",
        "/roleManagement/directory/roleAssignments", "/roleManagement/directory/roleEligibilityScheduleInstances",
        "/reports/authenticationMethods/userRegistrationDetails", "/users/{id}/authentication/methods", "/users/delta", "/groups/delta"]
DELTA = ["/users/delta", "/groups/delta", "/directory/administrativeUnits/delta", "/users", "/groups", "/groups/{id}/members"]


# --- a tenant, and the store to start from -----------------------------------------------------------------------

def entities_of(config):
    return next(k["counts"]["user"] for k in rollcall("connector", "list", "-o", "json", config=config).json())


def entities(config):
    """uid -> (is deleted, everything else that is visible)."""
    out = {}
    for e in rollcall("entity", "list", "--deleted", "-o", "jsonl", config=config).lines():
        gone = bool(e.pop("deleted", None))
        for name in ("first_seen", "last_changed"):
            e.pop(name, None)
        e["member_of"] = sorted((g["uid"], g["via"]) for g in e["member_of"])
        out[e["kind"], e["uid"]] = gone, json.dumps(e, sort_keys=True)
    return out


def state(config):
    changes = []
    for c in rollcall("change", "list", "-o", "jsonl", config=config).lines():
        c.pop("run"), c.pop("time")
        changes.append(json.dumps(c, sort_keys=True))
    return entities(config), sorted(changes)


def difference(a, b):
    """What to look at first, of two states."""
    (ea, ca), (eb, cb) = a, b
    out = []
    for k in [k for k in sorted(set(ea) | set(eb)) if ea.get(k) != eb.get(k)][:4]:
        one, other = ({"deleted": x[k][0], **json.loads(x[k][1])} if k in x else {} for x in (ea, eb))
        one.update(one.pop("attributes", {})), other.update(other.pop("attributes", {}))
        out.append((k, {n: (one.get(n), other.get(n)) for n in set(one) | set(other) if one.get(n) != other.get(n)}))
    return {"entities": out, "changes": (sorted(set(ca) - set(cb))[:3], sorted(set(cb) - set(ca))[:3])}


class Boat:
    """A tenant of its own with a store from before its last piece of history; each storm sails with a copy of that store."""

    def __init__(self, seed):
        self.tenant = Tenant(seed=seed, knobs=dict(PAGES), **SMALL)
        self.port = scratch()
        self.harbour = self.config(self.port)
        rollcall("sync", "cloud", config=self.harbour)
        self.tenant.advance(40)
        self.before = state(self.harbour)
        self.want = {}
        for full in (True, False):
            r = self.run(full)
            assert r.code == 0, r
            self.want[full] = state(self.at)
            shutil.rmtree(os.path.dirname(self.at))
        assert self.want[True] != self.before != self.want[False]

    def config(self, directory, **keys):
        return self.tenant.config(directory, **dict(SHORT, **keys))

    mark = 0

    def run(self, full=True, verb="sync", env=None, binary=None, **keys):
        """A run with a copy of the store, which is at self.at then."""
        d = scratch()
        shutil.copytree(self.port, d, dirs_exist_ok=True)
        self.at = self.config(d, **keys)
        args = (verb, "cloud") + (("--full",) if full and verb == "sync" else ())
        self.mark = self.last()
        if binary:
            return measured(*args, config=self.at, binary=binary, env=env)
        return rollcall(*args, config=self.at, code=None, env=env)

    def last(self):
        return max([e["n"] for e in self.tenant.log(service=None)] or [0])

    def log(self):
        return self.tenant.log(since=self.mark, service=None)

    def log_now(self):
        return self.tenant.log(since=self.mark)

    def storm(self, faults, full=True, **keys):
        self.tenant.set(faults=faults if isinstance(faults, list) else [faults])
        try:
            return self.run(full, **keys)
        finally:
            self.tenant.set(faults=[])

    def drop(self):
        shutil.rmtree(os.path.dirname(self.at), ignore_errors=True)

    # what must hold

    def unharmed(self, r):
        """A failed run: named, and the store is as it was before."""
        assert r.code in (1, 4, 6), r
        sound(r)
        now = state(self.at)
        assert now == self.before, (r, difference(self.before, now))
        status = rollcall("run", "list", "-o", "json", config=self.at).json()[0]["status"]
        assert status == "failed", status
        self.drop()

    def whole(self, r, full=True):
        assert r.code == 0, r
        sound(r)
        now = state(self.at)
        assert now == self.want[full], (r, difference(self.want[full], now))
        self.drop()

    def partial(self, r, full=True):
        """A run with losses: told, and nobody is deleted who was not."""
        assert r.code == 5 and "gap (loss)" in r.err, r
        sound(r)
        gone = {k for k, (is_gone, _) in entities(self.at).items() if is_gone}
        truly = {k for k, (is_gone, _) in self.want[full][0].items() if is_gone}
        assert gone <= truly, "deleted without proof: %s\n%r" % (sorted(gone - truly), r)
        self.drop()


def sound(r):
    """Whatever the service did: no crash, no noise on the terminal, a sentence in every line, nothing secret."""
    for bad in ("ended by signal", "ended (status", "Assertion", "Sanitizer", "runtime error:", "Traceback", "not UTF-8", SECRET, "eyJ"):
        assert bad not in r.err and bad not in r.out, r
    strange = re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\udc80-\udcff]", r.err)
    assert not strange, "control or bidirectional character on the terminal: %r" % r.err
    for line in r.err.splitlines():
        assert re.match(r"rollcall: |  fix: |  gap \(|    fix: |  and \d+ gaps more", line), r
    assert r.code == 0 or "rollcall: sync" in r.err or "gap (loss)" in r.err, r


class Fleet:
    """Boats that sail a table side by side: most of a storm is waiting."""

    def __init__(self, n):
        with concurrent.futures.ThreadPoolExecutor(n) as pool:
            self.boats = list(pool.map(Boat, range(1, n + 1)))

    def sail(self, table, f):
        free = queue.Queue()
        for b in self.boats:
            free.put(b)

        def one(row):
            boat = free.get()
            try:
                f(boat, row)
            except Exception as e:
                return "%s: %s: %s" % (str(row)[:300], type(e).__name__, str(e)[:2500])
            finally:
                free.put(boat)
            return None
        with concurrent.futures.ThreadPoolExecutor(len(self.boats)) as pool:
            bad = [r for r in pool.map(one, table) if r]
        for b in self.boats:
            assert not b.tenant.errors() and b.tenant.process.poll() is None, (b.tenant.process.poll(), b.tenant.errors()[-3000:], bad)
            assert not b.tenant.foreign(), b.tenant.foreign()
        assert not bad, "%d of %d failed:\n%s" % (len(bad), len(table), "\n".join(bad[:12]))


_fleet = []


def fleet():
    if not _fleet:
        _fleet.append(Fleet(7))
    return _fleet[0]


def some(table, n, seed=1, soak=1500):
    """A seeded choice; in soak nearly all of it."""
    n = soak if SOAK else n
    return table if len(table) <= n else random.Random(seed).sample(table, n)


# --- 1. where the token goes ---------------------------------------------------------------------------------------

def unescape(shape):
    """\\t \\n \\r \\\\ \\xNN: bytes, then text."""
    raw = re.sub(rb"\\(x[0-9a-f]{2}|[tnr\\])", lambda m: bytes([int(m[1][1:], 16)]) if m[1][:1] == b"x" else {b"t": b"\t", b"n": b"\n", b"r": b"\r", b"\\": b"\\"}[m[1]],
                 shape.encode("latin-1"))
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def shapes():
    """[(verdict, shape)] of the table that src/net/url_test.c reads, too."""
    out = []
    with open(os.path.join(ROOT, "src", "net", "url_shapes.txt"), encoding="latin-1") as f:
        for line in f:
            if not line.startswith("#"):
                verdict, _, shape = line.rstrip("\n").partition("\t")
                out.append((verdict, shape))
    return out


def link(shape, tenant):
    origin, foreign = tenant.graph, tenant.foreign_url
    host, port = origin[8:].split(":")
    for name, value in (("{origin}", origin), ("{host}", host), ("{HOST}", host.upper()), ("{port}", port), ("{other}", foreign.rsplit(":", 1)[1])):
        shape = shape.replace(name, value)
    return unescape(re.sub(r"\{([^*{}]+)\*(\d+)\}", lambda m: m[1] * int(m[2]), shape))


class Lookout:
    """A proxy that every request to another host than ours would go through; it lets none pass."""

    def __init__(self):
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(50)
        self.seen = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            c, _ = self.socket.accept()
            with c:
                c.settimeout(2)
                with contextlib.suppress(OSError):
                    self.seen.append(c.recv(200).split(b"\r\n")[0])

    def environment(self):
        url = "http://127.0.0.1:%d" % self.socket.getsockname()[1]
        return {"http_proxy": url, "https_proxy": url, "HTTPS_PROXY": url, "ALL_PROXY": url, "no_proxy": "localhost", "NO_PROXY": "localhost"}


def drive(boat, env, deadline_ms=20000, **keys):
    """The source alone: (exit code, its frames as text). A worker has no proxy in its environment; this one has."""
    d = scratch()
    settings = dict(boat.tenant.settings(page_size=10, connect_timeout=2000, answer_timeout=2000, run_timeout=20000), **keys)
    file = write(os.path.join(d, "settings.json"), json.dumps(settings))
    p = subprocess.run([DRIVE, file, "read"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                       env=dict(os.environ, DRIVE_PASSWORD=SECRET, DRIVE_DEADLINE_MS=str(deadline_ms), **env))
    shutil.rmtree(d)
    return p.returncode, p.stdout.decode("utf-8", "replace")


def went_nowhere(boat, since):
    """All that the service saw are questions of ours: below /v1.0, of known forms."""
    for e in boat.tenant.log(since=since):
        assert re.match(r"/v1\.0/(users|groups|devices|contacts|servicePrincipals|organization|domains|directory|roleManagement|reports)\b[^?]*(\?|$)", e["url"]), e["url"]
        assert not re.search(r"/\.\.|/\./|%2e|%2f|%5c|//|;", e["url"].split("?")[0], re.I), e["url"]


REFUSED = [(v, s) for v, s in shapes() if v != "go"]
FOLLOWED = [s for v, s in shapes() if v == "go"]
LISTS = {"/users": "user", "/groups": "group", "/groups/{id}/members": "group", "/devices": "device", "/roleManagement/directory/roleAssignments": "role",
         "/reports/authenticationMethods/userRegistrationDetails": "user", "/directory/administrativeUnits": "administrative_unit"}  # and the kind that alone needs it


@case("%d links that lead elsewhere%s, as nextLink of seven collections: nothing is sent, and the run says so" % (len(REFUSED), "" if SOAK else ", 102 of them"))
def _():
    lookout = Lookout()
    table = [(s, p) for i, (_v, s) in enumerate(some(REFUSED, 102)) for p in (LISTS if SOAK else [list(LISTS)[i % len(LISTS)]])]
    assert len(REFUSED) >= 250 and len(FOLLOWED) >= 25

    def refused(boat, row):
        shape, place = row
        since = boat.last()
        boat.tenant.set(faults=[{"kind": "next_link", "match": place, "text": link(shape, boat.tenant)}])
        code, frames = drive(boat, lookout.environment(), kinds=LISTS[place], mfa="auto" if "report" in place else "off", sign_in_activity="off")
        boat.tenant.set(faults=[])
        assert code == 1, (code, frames[-500:])
        said = re.search("a link that (leaves|is not followed)|not what Graph says|an answer of more than", frames)
        assert said, frames[-700:]
        went_nowhere(boat, since)
    fleet().sail(table, refused)
    assert not lookout.seen, lookout.seen


@case("links to the same place are followed; one to another host would have been seen")
def _():
    lookout = Lookout()

    def followed(boat, shape):
        text = link(shape, boat.tenant)
        since = boat.last()
        boat.tenant.set(faults=[{"kind": "next_link", "match": "/groups", "text": text}])
        drive(boat, lookout.environment(), kinds="group")
        boat.tenant.set(faults=[])
        path = re.sub("^[^/]*//[^/?]*", "", text)
        assert path in [e["url"] for e in boat.tenant.log(since=since)], (text, [e["url"][:80] for e in boat.tenant.log(since=since)][-5:])
    fleet().sail([s for s in FOLLOWED if "60000" not in s], followed)
    assert not lookout.seen, lookout.seen
    drive(fleet().boats[0], lookout.environment(), 1500, login_url="https://login.elsewhere.test")
    assert any(b"login.elsewhere.test" in s for s in lookout.seen), "the lookout is blind"


@case("the same through rollcall sync: named error, store as it was; a Location of 410 is not followed; redirects neither")
def _():
    table = [("next_link", s, p) for _v, s in some(REFUSED, 6, 2) for p in some(list(LISTS) + ["/users/delta"], 1, len(s))] + \
        [("delta_link", s, p) for p in ("/users/delta", "/groups/delta") for _v, s in some(REFUSED, 8, len(p))] + \
        [("gone", s, "/users/delta") for _v, s in some(REFUSED, 8, 4)] + [("gone", "{origin}/v1.0/users/delta?$deltatoken=", "/users/delta")] + \
        [(status, s, p) for status, p in ((301, "/users"), (302, "/groups"), (303, "/organization"), (307, "/groups/{id}/members"), (308, "/users/delta"), (300, "/domains"))
         for s in some(["https://localhost:{other}/v1.0/users", "{origin}/v1.0/users", "https://evil.test/"], 1, status)]

    def refused(boat, row):
        kind, shape, place = row
        text = link(shape, boat.tenant)
        if kind == "gone":
            text = re.sub("[^\x20-\x7e]", "", text)[:8000]
            r = boat.storm({"kind": "status", "status": 410, "match": place, "location": text, "count": 1}, full=False)
            log = boat.log()
            assert r.code == 0 and "delta token is not good any more" in r.err, r
            if "delta?" not in text:
                assert not [e for e in log if text.endswith(e["url"])], text
            now = entities(boat.at)
            assert now == boat.want[True][0], difference((boat.want[True][0], []), (now, []))  # all users, and the reports with them
            boat.drop()
            return
        if isinstance(kind, int):
            r = boat.storm({"kind": "redirect", "status": kind, "match": place, "location": text}, full="delta" not in place)
            assert "redirect, which is not followed" in r.err, r
        else:
            r = boat.storm({"kind": kind, "match": place, "text": text}, full=kind == "next_link")
            assert re.search("a link that (leaves|is not followed)|not what Graph says|an answer of more than", r.err), r
        assert r.code == 1, r
        boat.unharmed(r)
    fleet().sail(table, refused)


@case("a stored delta link that leads elsewhere, and a login service that redirects: nothing is sent there")
def _():
    def stored(boat, shape):
        d = scratch()
        shutil.copytree(boat.port, d, dirs_exist_ok=True)
        config = boat.config(d)
        db = sqlite3.connect(os.path.join(d, "rollcall.db"))
        note = json.loads(db.execute("select value from note where name='watermark'").fetchone()[0])
        note["mark"]["links"]["user"] = link(shape, boat.tenant)
        db.execute("update note set value=? where name='watermark'", (json.dumps(note).encode(),))
        db.commit()
        db.close()
        since = boat.last()
        r = rollcall("sync", "cloud", config=config, code=1)
        assert re.search("users: the address is not of|a link that", r.err), r
        sound(r)
        went_nowhere(boat, since)
        assert state(config) == boat.before
    fleet().sail([s for v, s in some(REFUSED, 10, 5) if "\\x00" not in s], stored)

    def login(boat, row):
        status, where = row
        r = boat.storm({"kind": "redirect", "where": "login", "status": status, "location": link(where, boat.tenant)})
        assert r.code == 1 and "not as the login service does" in r.err, r
        boat.unharmed(r)
    fleet().sail([(s, w) for s in (302, 307) for w in ("https://localhost:{other}/token", "https://evil.test/")], login)


# --- 2. bad bodies ---------------------------------------------------------------------------------------------------

SPOILED = [{"kind": k} for k in ("malformed", "cut", "empty", "html", "duplicate_keys", "invalid_utf8", "deep", "no_value")] + [
    {"kind": "text", "text": t} for t in ("null", "[]", "42", '"text"', "{}", '{"value":{}}', '{"value":[1e400]}', '{"value":[123456789012345678901234567890]}', "{\"value\":[]}garbage",
                                          '{"value":[],"value":[]}', '{"error":{"code":"Request_BadRequest","message":"in an answer of success \u202e\u0007"}}',
                                          "\ufeff{\"value\":[]}", "{'value':[]}", '{"value":["\\ud800"]}', '{"value":["\\u0000"]}')]


@case("%d spoiled bodies, in every collection: named, nothing changes" % len(SPOILED))
def _():
    table = [(s, p, True) for s in SPOILED for p in FULL] + [(s, p, False) for s in SPOILED for p in DELTA]

    def spoiled(boat, row):
        fault, place, full = row
        r = boat.storm(dict(fault, match=place), full, run_timeout="4s", answer_timeout="1s")
        if r.code == 0:  # nothing of that collection was there to be spoiled, or it is a delta of no need
            assert fault["kind"] in ("duplicate_keys", "invalid_utf8") or not [e for e in boat.log() if e.get("fault")], r
            boat.whole(r, full)
            return
        assert re.search("not what Graph says|cut off|does not end|closed|broke", r.err), r
        boat.unharmed(r)
    fleet().sail(some(table, 14, 6), spoiled)


@case("bodies that are spoiled once or twice are asked for again: the same end state")
def _():
    table = [(dict(s, count=n), p, full) for full, places in ((True, FULL), (False, DELTA)) for s in SPOILED for p in places for n in (1, 2)]

    def repaired(boat, row):
        fault, place, full = row
        boat.whole(boat.storm(dict(fault, match=place), full), full)
    fleet().sail(some(table, 16, 7), repaired)


HUGE = "9" * 400
TYPES = [("id", v) for v in (42, None, [], {}, "", "no guid", True, "../../x", "00000000-0000-0000-0000-00000000000g")] + \
    [(p, v) for p in ("displayName", "userPrincipalName", "mail", "accountEnabled", "createdDateTime", "proxyAddresses", "manager", "identities", "assignedLicenses", "onPremisesSecurityIdentifier",
                      "groupTypes", "visibility", "securityEnabled", "appId", "signInActivity", "methodsRegistered", "isMfaRegistered", "templateId", "directoryScopeId", "@odata.type", "@removed")
     for v in (42, -1.5, [], {}, ["a", 1, None], {"id": []}, True, "x" * 5000, 9007199254740993, "\u202e\u0007\n=cmd|' /C calc'!A0")]


@case("%d values of wrong types: left out and told, never believed, never a crash" % len(TYPES))
def _():
    places = ["/users", "/groups", "/groups/{id}/members", "/servicePrincipals", "/devices", "/contacts", "/directory/administrativeUnits", "/roleManagement/directory/roleDefinitions",
              "/roleManagement/directory/roleAssignments", "/reports/authenticationMethods/userRegistrationDetails", "/users/{id}/authentication/methods", "/organization", "/domains", "/users/delta",
              "/groups/delta"]
    table = [(p, v, place, full) for p, v in TYPES for place in places for full in (True, False)]

    def odd(boat, row):
        p, v, place, full = row
        r = boat.storm({"kind": "wrong_types", "match": place, "property": p, "value": v}, full)
        sound(r)
        hit = [e for e in boat.log() if e.get("fault")]
        if p == "id" and hit and full and place in ("/users", "/groups", "/devices", "/contacts", "/servicePrincipals", "/groups/{id}/members"):
            boat.partial(r, full)
            return
        assert r.code in (0, 1, 5), r
        if r.code == 1:
            boat.unharmed(r)
            return
        gone = {k for k, (is_gone, _) in entities(boat.at).items() if is_gone}
        truly = {k for k, (is_gone, _) in boat.want[full][0].items() if is_gone}
        allowed = {k for k in gone - truly if k[0] == "role"} if "roleDefinitions" in place or "roleAssignments" in place else set()
        assert gone - allowed <= truly, (sorted(gone - truly), r)
        boat.drop()
    fleet().sail(some(table, 28, 8), odd)

    def links(boat, row):
        name, v, place, full = row
        r = boat.storm({"kind": "replace", "match": place, "find": '^\\{', "with": '{"%s":%s,' % (name, v)}, full)
        sound(r)
        if r.code == 0:
            boat.whole(r, full)
        else:
            assert re.search("nextLink|link that|not what Graph says", r.err), r
            boat.unharmed(r)
    fleet().sail(some([("@odata." + n, v, p, p.endswith("delta") is False) for n in ("nextLink", "deltaLink", "count") for v in ("42", "[]", "{}", "true", "null", HUGE) for p in
                       ("/groups", "/devices", "/users/delta")], 12, 9), links)


SHORT_LISTS = [
    ({"kind": "drop_rows"}, "/users", "users came"), ({"kind": "drop_rows"}, "/groups", "groups came"), ({"kind": "drop_rows", "rows": 2}, "/devices", "devices came"),
    ({"kind": "drop_rows"}, "/servicePrincipals", "service principals came"), ({"kind": "drop_rows"}, "/contacts", "contacts came"),
    ({"kind": "drop_rows"}, "/directory/administrativeUnits", "administrative units came"),
    ({"kind": "drop_rows"}, "/groups/{id}/members", "shorter than the service counts"), ({"kind": "drop_rows"}, "/groups/{id}/owners", "shorter than the service counts"),
    ({"kind": "no_next"}, "/users", "users came"), ({"kind": "no_next"}, "/groups/{id}/members", "shorter than the service counts"),
    ({"kind": "no_id"}, "/users", "no valid id"), ({"kind": "no_id"}, "/groups", "no valid id"), ({"kind": "no_id"}, "/groups/{id}/members", "no valid id"),
    ({"kind": "no_id"}, "/roleManagement/directory/roleDefinitions", "no valid id|without|could not be read|cannot be read"),
    ({"kind": "no_id"}, "/roleManagement/directory/roleAssignments", None),
    ({"kind": "wrong_count"}, "/groups", "groups came"), ({"kind": "wrong_count"}, "/groups/{id}/members", "shorter than the service counts"),
    ({"kind": "wrong_count", "value": 1 << 62}, "/devices", "devices came"), ({"kind": "wrong_count", "value": 0}, "/devices", None), ({"kind": "wrong_count", "value": -5}, "/groups", None),
    ({"kind": "wrong_count", "value": "many"}, "/groups", None), ({"kind": "wrong_count", "value": 1}, "/groups/{id}/members", None),
]


@case("%d lists that are shorter than counted, or wrongly counted: a named loss, nobody deleted" % len(SHORT_LISTS))
def _():
    def short(boat, row):
        fault, place, words = row
        r = boat.storm(dict(fault, match=place))
        if words:
            assert re.search(words, r.err), r
            boat.partial(r)
        elif r.code == 5:
            boat.partial(r)
        else:
            boat.whole(r)
    fleet().sail(SHORT_LISTS, short)

    def once(boat, row):
        fault, place, _words = row
        boat.whole(boat.storm(dict(fault, match=place, count=1)))
    fleet().sail([r for r in SHORT_LISTS if r[2] and "members" in r[1] and r[0]["kind"] != "no_id"], once)


CHAINS = [({"kind": "loop"}, "leads back to a page"), ({"kind": "endless"}, "does not end"), ({"kind": "endless", "empty": True}, "does not end")]


@case("page chains that loop or never end: an error in time, in every collection")
def _():
    table = [(f, w, p, True) for f, w in CHAINS for p in ("/users", "/groups/{id}/members", "/roleManagement/directory/roleAssignments", "/groups",
                                                             "/reports/authenticationMethods/userRegistrationDetails")] + [CHAINS[0] + ("/users/delta", full) for full in (True, False)]

    def chained(boat, row):
        fault, words, place, full = row
        r = boat.storm(dict(fault, match=place), full)
        assert r.code == 1 and words in r.err, r
        boat.unharmed(r)
    fleet().sail(some(table, 6, 10), chained)


@case("repeated pages, empty pages, short pages: everything once")
def _():
    def odd(boat, knobs):
        before = boat.tenant._control("GET", "/knobs")
        boat.tenant.set(**knobs)
        try:
            for full in (True, False):
                boat.whole(boat.run(full), full)
        finally:
            boat.tenant.set(**before)
    fleet().sail([{"empty_pages": 0.5}, {"short_pages": 0.7}, {"empty_pages": 0.3, "short_pages": 0.5}, {"delta_repeat": 0.5, "delta_reorder": True}, {"delta_replay": 30},
                  {"delta_page": 1, "delta_members": 1}], odd)

    def twice(boat, place):  # the same rows come again on further pages
        boat.whole(boat.storm({"kind": "endless", "match": place, "count": 3}))
    fleet().sail(["/users", "/groups", "/devices", "/groups/{id}/members", "/roleManagement/directory/roleAssignments"], twice)


GIANTS = [({"kind": k, "match": p}, w) for k in ("gzip_bomb", "huge") for p, w in (("/users", "an answer of more than"), ("/groups/{id}/members", "an answer of more than"), ("/users/delta", "changes of users cannot be followed.*an answer of more than"))] + [
    ({"kind": "huge", "bytes": 14 << 20, "match": "/users"}, None), ({"kind": "gzip_bomb", "bytes": 14 << 20, "match": "/groups/{id}/members"}, None),
    ({"kind": "deep", "depth": 3000000, "match": "/groups"}, "MiB of memory|not what Graph says"),
    ({"kind": "text", "text": '{"value":[' + "{}," * 1000000 + "{}]}", "match": "/users"}, "MiB of memory"),
    ({"kind": "text", "text": '{"value":[' + "[]," * 1000000 + "[]]}", "match": "/groups/{id}/members"}, "MiB of memory"),
    ({"kind": "text", "text": '{"value":[{"id":"00000000-0000-4000-8000-000000000001","displayName":"' + "x" * 3000000 + '"}]}', "match": "/users"}, None),
    ({"kind": "text", "text": '{"value":[{"id":"00000000-0000-4000-8000-000000000001","proxyAddresses":[' + '"a",' * 500000 + '"a"]}]}', "match": "/users"}, None),
    ({"kind": "text", "text": '{"value":[' + '{"id":"x"},' * 100000 + '{"id":"x"}]}', "match": "/groups/{id}/members"}, "no valid id"),
]


@case("%d giants and bombs: in time, under %d MiB, both processes together" % (len(GIANTS), RSS_MIB))
def _():
    def giant(boat, row):
        fault, words = row
        r = boat.storm(fault, binary=harness.ROLLCALL, run_timeout="12s", answer_timeout="6s")
        assert not words or re.search(words, r.err), r
        if r.code in (1, 6):
            boat.unharmed(r)
        elif "delta" in fault["match"]:
            boat.whole(r)
        else:
            boat.partial(r)
        assert is_sanitized() or r.rss_mib < RSS_MIB, "%d MiB" % r.rss_mib
    fleet().sail(some(GIANTS, 7, 15), giant)


@case("hostile bytes under AddressSanitizer: a seeded choice of all of the above")
def _():
    table = [(dict(s, match=p), True) for s in SPOILED for p in FULL] + [({"kind": "wrong_types", "property": p, "value": v, "match": m}, f) for p, v in TYPES for m in FULL for f in (True, False)] + \
        [(dict(f, match=p), True) for f, p, _w in SHORT_LISTS]

    def sanitized(boat, row):
        fault, full = row
        boat.tenant.set(faults=[dict(fault)])
        r = boat.run(full, binary=SANITIZED, run_timeout="5s")
        boat.tenant.set(faults=[])
        sound(r)
        boat.drop()
    if SANITIZED != harness.ROLLCALL or is_sanitized():
        fleet().sail(some(table, 8, 11), sanitized)


# --- 3. what passes ------------------------------------------------------------------------------------------------------

def bucket_of(url):
    if "/authentication/methods" in url:
        return "methods"
    return "reports" if "/reports/" in url or "signInActivity" in url else "directory"


def rests(boat, least_ms):
    """After each 429 nothing of its bucket came before the time was over; what was under way already is let off."""
    log = [e for e in boat.log() if e["service"] == "graph"]
    refused = [e for e in log if e["status"] == 429]
    assert refused
    for r in refused:
        early = [e for e in log if bucket_of(e["url"]) == bucket_of(r["url"]) and r["at"] + 80 < e["at"] < r["at"] + least_ms - 5]
        assert not early, "%d ms after a 429 that asked for %d: %s" % (early[0]["at"] - r["at"], least_ms, early[0]["url"][:100])


WAITS = [({"retry_after": 1}, 1000), ({"retry_after": 2}, 2000), ({"retry_after": 0.7}, 700), ({"retry_after": 1.234}, 1234), ({"retry_after": 0.9, "retry_after_form": "date"}, 900), ({}, 375),
         ({"retry_after": "soon"}, 375), ({"retry_after": 0}, 0), ({"retry_after": "-3"}, 375)]


@case("429 in %d forms of Retry-After, in every bucket: obeyed, and the same end state" % len(WAITS))
def _():
    places = ["/users", "/groups/{id}/members", "/organization", "/roleManagement/directory/roleAssignments", "/reports/authenticationMethods/userRegistrationDetails",
              "/users/{id}/authentication/methods", "/users/delta"]
    table = [(w, ms, p, True, n) for w, ms in WAITS for p in places for n in (1, 3)] + [(w, ms, "/users/delta", False, 1) for w, ms in WAITS]

    def waited(boat, row):
        wait, ms, place, full, n = row
        r = boat.storm(dict(wait, kind="status", status=429, match=place, count=n), full)
        rests(boat, ms)
        boat.whole(r, full)
    fleet().sail(some(table, 10, 12), waited)


@case("real accounting of units: throttled all the while, nothing lost")
def _():
    def throttled(boat, form):
        boat.tenant.set(throttle=True, directory_units=30, directory_window_ms=600, reports_requests=3, reports_window_ms=500, methods_requests=2, methods_window_ms=300, retry_after=form)
        try:
            r = boat.run(True)
            assert "asked for pauses" in r.err and len([e for e in boat.log() if e["status"] == 429]) > 2, r
            boat.whole(r)
        finally:
            boat.tenant.set(throttle=False)
    fleet().sail(["fraction", "absent", "mixed"] if SOAK else ["mixed", "fraction"], throttled)


@case("a Retry-After beyond the run's time, or endless 429s: told at once by name")
def _():
    def endless(boat, wait):
        r = boat.storm(dict(wait, kind="status", status=429, match="/users"), run_timeout="3s", binary=harness.ROLLCALL)
        assert r.code in (1, 6) and "too many requests" in r.err and r.seconds < 5, r
        boat.unharmed(r)
    fleet().sail([{"retry_after": 999999}, {"retry_after": "Fri, 01 Jan 2077 00:00:00 GMT"}, {}, {"retry_after": 1}], endless)


TRANSIENT = [{"kind": "status", "status": s} for s in (500, 502, 503, 504, 408, 509)] + [{"kind": "status", "status": s, "retry_after": w} for s in (503, 504) for w in (1, 0.4)] + [
    {"kind": k} for k in ("reset_before", "reset_body", "truncate", "stall", "stall_before")] + [{"kind": "401", "text": t} for t in "ab"] + [
    {"kind": "status", "status": 503, "body": "<html>upstream</html>"}, {"kind": "status", "status": 400, "code": "Directory_ExpiredPageToken"},
    {"kind": "status", "status": 403, "code": "Authentication_RequestFromNonPremiumTenantOrB2CTenant"},
    {"kind": "status", "status": 500, "body": {"error": {"code": "Directory_ConcurrencyViolation", "message": "x"}}}]


@case("%d faults that pass, anywhere: the same end state as an undisturbed run" % len(TRANSIENT))
def _():
    table = [(dict(t, match=p, count=n, skip=s), full) for full, places in ((True, FULL), (False, DELTA)) for t in TRANSIENT for p in places for n, s in ((1, 0), (2, 0), (1, 1))
             if n == 1 or t["kind"] != "401"]  # twice in a row is final

    def passes(boat, row):
        fault, full = row
        boat.whole(boat.storm(fault, full, answer_timeout="1s"), full)
    fleet().sail(some(table, 16, 13), passes)

    def weather(boat, seed):
        faults = [{"kind": k, "probability": 0.03} for k in ("reset_before", "reset_body", "malformed", "cut")] + \
            [{"kind": "status", "status": s, "probability": 0.03} for s in (500, 503)] + [{"kind": "status", "status": 429, "retry_after": 0.2, "probability": 0.03}]
        boat.whole(boat.storm(faults, full=seed % 2 == 0), seed % 2 == 0)
    fleet().sail(range(40 if SOAK else 3), weather)


@case("tokens that live for seconds, or are refused in mid-run: renewed once for all, no more often")
def _():
    def life(boat, seconds):
        boat.tenant.app(token_seconds=seconds)
        boat.tenant.set(latency_ms=150)
        try:
            r = boat.run(True, parallel=2)
            tokens = [e for e in boat.log() if e["service"] == "login"]
            assert len(tokens) > 1 and not [e for e in boat.log() if e["status"] == 401], (len(tokens), r)
            boat.whole(r)
        finally:
            boat.tenant.app(token_seconds=3599)
            boat.tenant.set(latency_ms=0)
    fleet().sail([4, 6] if SOAK else [4], life)

    def refused(boat, text):
        r = boat.storm({"kind": "401", "text": text, "match": "/groups/{id}/members", "count": 4})
        tokens = [e for e in boat.log() if e["service"] == "login"]
        assert len(tokens) <= 3, "%d tokens for 4 refusals at once" % len(tokens)
        boat.whole(r)
    fleet().sail(["a", "b"], refused)


@case("a page token that dies starts that collection anew, and that one alone")
def _():
    def died(boat, place):
        boat.tenant.set(faults=[])
        r = boat.storm({"kind": "status", "status": 400, "code": "Directory_ExpiredPageToken", "message": "The specified page token value has expired and can no longer be included in your request.",
                        "match": "^/v1\\.0%s\\?.*skiptoken" % place, "skip": 1, "count": 1})
        graph = [e for e in boat.log() if e["service"] == "graph"]
        firsts = {}
        for e in graph:
            if "skiptoken" not in e["url"]:
                firsts[e["url"]] = firsts.get(e["url"], 0) + 1
        again = sorted(u for u, n in firsts.items() if n > 1)
        assert len(again) == 1 and again[0].startswith("/v1.0" + place), again
        boat.whole(r)
    fleet().sail(["/users", "/reports/authenticationMethods/userRegistrationDetails"], died)

    def always(boat, place):
        r = boat.storm({"kind": "status", "status": 400, "code": "Directory_ExpiredPageToken", "match": place})
        assert r.code in (1, 6) and "page token" in r.err, r
        boat.unharmed(r)
    fleet().sail(["/groups", "/users"], always)


@case("a login service that is away for a moment: asked again")
def _():
    table = [{"kind": "status", "status": 503, "retry_after": 1}, {"kind": "status", "status": 429, "retry_after": 0.5}, {"kind": "status", "status": 502, "body": "<html>"},
             {"kind": "reset_before"}, {"kind": "reset_body"}] + [{"kind": "aadsts", "code": c, "retry_after": 1} for c in (90006, 90012, 90024, 90033, 90055)]

    def away(boat, fault):
        r = boat.storm(dict(fault, where="login", count=2))
        assert len([e for e in boat.log() if e["service"] == "login"]) == 3, r
        boat.whole(r)
    fleet().sail(some(table, 7, 14), away)


# --- 4. what stays -----------------------------------------------------------------------------------------------------------

def other_ca():
    return harness.shared_ca()[0]


REFUSALS = [
    ("a wrong secret", {"secret": "not-the-secret"}, 4, "7000215|client secret"),
    ("an expired secret", {"secret": "old-secret"}, 4, "7000222|expired"),
    ("a secret's ID", {"secret": "11111111-2222-4333-8444-555555555555"}, 4, "ID"),
    ("an unknown tenant", {"tenant_id": "99999999-2222-4333-8444-555555555555"}, 4, "90002|tenant"),
    ("an unknown client", {"client_id": "99999999-2222-4333-8444-555555555555"}, 4, "700016|application"),
    ("a certificate that is not trusted", {"ca": True}, 6, "certificate|trust"),
    ("login is down", {"login_url": "https://localhost:1"}, 6, "no connection"),
    ("login is no TLS server", {"login_url": "imds"}, 6, "TLS|SSL"),
    ("another Graph", {"graph_url": "https://localhost:1"}, 4, "500011"),
]


@case("%d refusals before the first question: exit code, sentence, store as it was" % len(REFUSALS))
def _():
    def refused(boat, row):
        _name, change, code, words = row
        keys = {k: v for k, v in change.items() if k not in ("secret", "ca")}
        if "secret" in change:
            keys["client_secret"] = "file:" + write(os.path.join(scratch(), "secret"), change["secret"])
        if "ca" in change:
            keys["ca_certificate"] = other_ca()
        if keys.get("login_url") == "imds":
            keys["login_url"] = "https://localhost:" + boat.tenant.imds.rsplit(":", 1)[1]
        r = boat.run(True, run_timeout="3s", **keys)
        assert r.code == code and re.search(words, r.err), r
        assert "  fix: " in r.err, r
        boat.unharmed(r)
    fleet().sail(REFUSALS, refused)


@case("Graph resets, stalls or refuses everything, or goes away in mid-run: exit 6, by name, store as it was")
def _():
    def down(boat, fault):
        r = boat.storm(dict(fault), run_timeout="3s", answer_timeout="1s")
        assert r.code == 6 and re.search("closed|broke|reset|no answer|not available|internal error", r.err) and "  fix: " in r.err, r
        boat.unharmed(r)
    fleet().sail([{"kind": "reset_before"}, {"kind": "stall_before"}, {"kind": "status", "status": 503}, {"kind": "status", "status": 500, "body": "<html>"}], down)
    boat = Boat(77)
    boat.tenant.set(latency_ms=400)
    boat.at = boat.config(boat.port, run_timeout="4s")
    p = subprocess.Popen([harness.ROLLCALL, "sync", "cloud", "--full", "--config", boat.at], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    harness.wait_for(lambda: [e for e in boat.log_now() if "/groups" in e["url"]])
    boat.tenant.process.kill()
    r = harness.Result(subprocess.CompletedProcess([], 0, *p.communicate(timeout=30)))
    r.code = p.returncode
    assert r.code == 6 and "no connection" in r.err, r
    boat.unharmed(r)


PERMISSIONS = [  # without it: exit code, what is told
    ("User.Read.All", 5, "the users cannot be read"), ("GroupMember.Read.All", 5, "the groups cannot be read"), ("Member.Read.Hidden", (0, 5), ""),
    ("RoleManagement.Read.Directory", 5, "the roles cannot be read"), ("AuditLog.Read.All", 0, "the MFA registration report cannot be read"),
    ("UserAuthenticationMethod.Read.All", 0, "UserAuthenticationMethod.Read.All"), ("Device.Read.All", 5, "the devices cannot be read"), ("Application.Read.All", 5, "the service principals cannot be read"),
    ("AdministrativeUnit.Read.All", 5, "the administrative units cannot be read"), ("Organization.Read.All", 0, "Organization.Read.All"), ("Domain.Read.All", 0, "Domain.Read.All"),
    ("OrgContact.Read.All", 5, "the contacts cannot be read"),
]


@case("each missing permission is its own gap; without any role nothing is deleted")
def _():
    every = [p for p, _c, _w in PERMISSIONS]

    def without(boat, row):
        role, code, words = row
        boat.tenant.app(roles=[p for p in every if p != role] if role else [])
        try:
            r = boat.run(True)
            assert r.code in (code if isinstance(code, tuple) else (code,)) and words in r.err, r
            sound(r)
            gone = {k for k, (is_gone, _) in entities(boat.at).items() if is_gone}
            truly = {k for k, (is_gone, _) in boat.want[True][0].items() if is_gone}
            assert gone <= truly, (sorted(gone - truly), r)
            if code == 5 and role:
                assert role in r.err, r
        finally:
            boat.tenant.app(roles=every)
    fleet().sail(PERMISSIONS + [(None, (4, 5), "")], without)


BODIES = [  # graph.md: the service's errors, each with its own sentence
    (400, "Request_BadRequest", "Bad request.", 1, "does not accept the request"),
    (400, "Request_UnsupportedQuery", "Unsupported Query.", 5, "does not support this query"),
    (401, "InvalidAuthenticationToken", "Access token validation failure. Invalid audience.", 4, "for another service than this Graph"),
    (401, "InvalidAuthenticationToken", "Access token is empty.", 4, "no token arrived"),
    (401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.", 4, "lifetime is over"),
    (401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid.", 4, "expired, or is not valid yet"),
    (401, "Authorization_IdentityNotFound", "The identity of the calling application could not be established.", 4, "no service principal"),
    (403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.", 5, "lacks a permission"),
    (403, "Authentication_MSGraphPermissionMissing", "x", 5, "permission of the reports service"),
    (403, "AadPremiumLicenseRequired", "x", 5, "P2 or Governance"),
    (404, "Request_ResourceNotFound", "Resource 'x' does not exist or one of its queried reference-property objects are not present.", 5, "does not exist any more"),
    (410, "", "Gone", 1, "delta link has expired"),
    (414, "", "", 1, "address too long"),
    (500, "InternalServerError", "Internal server error.", 6, "internal error"),
    (501, "NotImplemented", "x", 5, "not implemented"),
    (502, "BadGateway", "", 6, "gateway of the service got no"),
    (503, "ServiceUnavailable", "Service unavailable.", 6, "not available for the moment"),
    (504, "GatewayTimeout", "Gateway timeout.", 6, "waited in vain"),
    (429, "TooManyRequests", "Too many requests from Identifier:x under category:aadgraph.app.tenant_large. Please try again later.", (1, 6), "quota for this application"),
    (429, "UnknownError", "This request is throttled.", (1, 6), "five requests in ten seconds"),
]


@case("%d error bodies, each with its own sentence" % len(BODIES))
def _():
    def told(boat, row):
        status, code, message, exit_code, words = row
        r = boat.storm({"kind": "status", "status": status, "body": {"error": {"code": code, "message": message, "innerError": {}}}, "match": "/devices"},
                       run_timeout="2s" if status == 429 or status in (500, 502, 503, 504) else "20s")
        assert r.code in (exit_code if isinstance(exit_code, tuple) else (exit_code,)) and words in r.err, r
        if r.code == 5:
            boat.partial(r)
        else:
            boat.unharmed(r)
    fleet().sail(some(BODIES, 13, 16), told)


# --- 6. memory ---------------------------------------------------------------------------------------------------------------------

@case("three times the users%s: the same memory, both processes together, in full and by delta" % (", and ten times" if SOAK else ""))
def _():
    peaks = {}
    for n in (100000, 300000, 1000000) if SOAK else (10000, 30000):
        with Tenant(users=n, groups=30, memberships=n // 4, devices=10) as t:
            less = {} if SOAK else {"kinds": "user,group", "sign_in_activity": "off"}
            config = t.config(scratch(), mfa="report" if SOAK else "off", **less)
            for full in (True, False):
                r = measured("sync", "cloud", config=config, limit=1800)
                assert r.code == 0, r
                peaks[n, full] = r.rss_mib
                assert n > 500000 or entities_of(config) == len(t.oracle("users")["users"])
                t.advance(200)
    if is_sanitized():
        return
    assert max(peaks.values()) < 192, peaks
    for small, large in ((100000, 300000), (100000, 1000000)) if SOAK else ((10000, 30000),):
        assert peaks[large, True] < peaks[small, True] * (1.25 if SOAK else 1.5), peaks  # 32 parts of the join fill their first chunk at some 30,000 users


# --- 7. secrets ------------------------------------------------------------------------------------------------------------------

@case("the secret, the access token and the assertion are in no argument, environment, output, file or memory image")
def _():
    cases = list(harness._cases)
    import canary_test as canary  # its nets; its cases are its own
    harness._cases[:] = cases

    class Net(canary.Canary):
        """Our secret in every notation, and whatever looks like the inner part of a JWT that is long enough to be one."""

        def __init__(self, *secrets):
            super().__init__(*secrets)
            self.jwt = re.compile(rb"eyJ[A-Za-z0-9_-]{20,}\.eyJ[A-Za-z0-9_-]{40,}\.[A-Za-z0-9_-]{100,}")

        def look(self, where, data):
            super().look(where, data)
            m = self.jwt.search(data)
            if m and "core of" not in where:
                self.hits.append("%s: a token at %d" % (where, m.start()))
    secret = canary.new_secret()
    with Tenant(app={"secrets": [secret]}, knobs=dict(PAGES, latency_ms=20), **SMALL) as tenant:
        pem = tenant.certificate()
        federated = tenant.federated()
        own = write(os.path.join(scratch(), "secret"), secret)
        doors = {"secret": {"client_secret": "file:" + own}, "env": {"client_secret": "env:CANARY"}, "certificate": {"client_secret": None, "client_certificate": pem},
                 "federated": {"client_secret": None, "federated_token_file": federated}, "wrong": {"client_secret": "file:" + write(os.path.join(scratch(), "s"), secret + "x")}}
        for name, keys in doors.items():
            d, net = scratch(), Net(secret)
            config = tenant.config(d, **dict(SHORT, **keys))
            env = {"CANARY": secret} if name == "env" else {}
            for verb in (("sync", "cloud"), ("check", "cloud"), ("sync", "cloud")) if SOAK or name in ("secret", "wrong") else (("sync", "cloud"),):
                canary.run(net, *verb, config=config, env=env, known_environment=bool(env))
            net.look_below(d)
            assert net.seen_bytes > 10000 and not net.hits, (name, net.hits[:5])
        for moment in ("stall_before", "stall"):
            net = Net(secret)
            d = scratch()
            config = tenant.config(d, **dict(SHORT, client_secret="file:" + own, answer_timeout="20s"))
            tenant.fault(moment, match="/groups")
            p, worker = canary.started(config, None, "sync", "cloud")
            harness.wait_for(lambda: any(e.get("fault") for e in tenant.log()))
            for who, pid in (("rollcall", p.pid), ("the worker", worker)):
                image = canary.dump(pid)
                net.look_file("core of " + who, image)
                with open(image, "rb") as f:
                    tokens = net.jwt.findall(f.read())
                assert not tokens or who == "the worker", "a token in the parent's memory"
            p.kill()
            p.wait()
            tenant.fault(None)
            assert net.seen_bytes > 1 << 20 and not net.hits, net.hits[:5]


if __name__ == "__main__":
    main()
