#!/usr/bin/python3
"""graph_storm_test.py - a tenant that lies or attacks: what stays is a named error or a named gap; nothing half read becomes the truth, nobody is
deleted, and the token goes to one place only.

Every case starts from the same store, synchronized before a piece of history, against the tenant after it (tests/lib/fleet.py,
tests/lab/graph). A row of the tables is a fault of the simulator (faults.js, edits.js) with what must come of it.
"""
# budget: 240 2400
import contextlib
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import threading

import harness
from fleet import *  # noqa: F403
from harness import case, main


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


if __name__ == "__main__":
    main()
