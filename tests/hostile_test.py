#!/usr/bin/python3
"""hostile_test.py - a controller that breaks off, floods, lies or attacks: every run ends in time, in little memory, with a named
cause, and what was half read never becomes the truth.

The tables name behaviours of tests/fake (README.md there); a row is (behaviours, exit codes, what standard error must say[, settings]).
"""
# budget: 480 3000
import contextlib
import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import threading

import harness
from harness import PYTHON, ROOT, SOAK, Fake, Lanes, case, is_sanitized, main, measured, rollcall, scratch, shared_ca, wait_for

SANITIZED = os.path.join(ROOT, "build-asan", "rollcall")
if "ROLLCALL" in os.environ or not os.path.exists(SANITIZED):
    SANITIZED = harness.ROLLCALL  # parsers of foreign bytes are tried under AddressSanitizer where it is built
RSS_MIB = 256
OFTEN = {"connect_timeout": "1s", "answer_timeout": "1s", "run_timeout": "6s", "page_size": 5}
with subprocess.Popen([PYTHON, os.path.join(ROOT, "tests", "fake", "ldapd.py"), "--list"], stdout=subprocess.PIPE) as listing:
    LISTED = json.load(listing.stdout)
BEHAVIOURS = LISTED["behaviours"]

lanes = Lanes("--users", 20)
starttls = Lanes("--users", 20, "--starttls")


def variants(name, *without, more=""):
    return [name + "=" + v + more for v in BEHAVIOURS[name]["variants"] if v not in without]


# --- one run, and what holds for every run ------------------------------------------------------------------

def sound(r, seconds=4.0):
    """Whatever the peer did: no crash, no noise on the terminal, bounded time and memory, whole lines of JSON."""
    assert r.code in (0, 1, 2, 3, 4, 5, 6), r
    for bad in ("ended by signal", "ended (status", "Assertion", "Sanitizer", "runtime error:", "Traceback", "not UTF-8"):
        assert bad not in r.err, r
    r.err.encode()  # a lone surrogate is a byte that is no UTF-8
    strange = re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]", r.err)
    assert not strange, "control or bidirectional character on the terminal: %r" % r.err
    said = re.sub(r"==\d+==Unable to get registers from thread \d+\.\n", "", r.err)  # LeakSanitizer on its way out
    for line in said.splitlines():  # a name with a line end in it must not forge a line of ours
        assert re.match(r"rollcall: |  fix: |  gap \(|    fix: |fake: |  and \d+ gaps more|{\"class\":", line), r
    for line in r.out.splitlines():
        json.loads(line)
    if r.is_measured:
        assert r.seconds < seconds, "took %.1f s: %r" % (r.seconds, r)
        assert r.rss_mib < RSS_MIB, "took %d MiB: %r" % (r.rss_mib, r)


def read(fake, directory, behaviours, *args, seconds=4.0, binary=harness.ROLLCALL, env=None, **settings):
    fake.behave(*([behaviours] if isinstance(behaviours, str) else behaviours))
    config = fake.config(directory, **dict(OFTEN, **settings))
    r = measured("read", "fake", *args, config=config, binary=binary, env=env)
    r.is_measured = not is_sanitized(binary)
    sound(r, seconds + (0 if r.is_measured else 6))
    log = fake.requests()
    binds = sum(q["op"] == "bind" for q in log)  # a lost connection is made anew; a refused credential is not tried again
    assert binds <= (1 if r.code == 4 else 3), "%d binds" % binds
    assert sum(q["op"] == "connect" for q in log) <= 4, "more than the connection, another try and the certificate doctor's"
    return r


def entities(r):
    return len(r.out.splitlines())


def expect(fake, directory, row):
    behaviours, codes, words, *settings = row
    r = read(fake, directory, behaviours, **(settings[0] if settings else {}))
    assert r.code in (codes if isinstance(codes, tuple) else (codes,)), r
    assert re.search(words, r.err), "%r is not in %r" % (words, r)
    assert r.code or entities(r) >= FULL, "only %d of %d entities, and no word" % (entities(r), FULL)


FULL = entities(read(*lanes.free.queue[0], "no-continuations"))

# --- what is unusual, but allowed -----------------------------------------------------------------------------

LEGAL = [
    "ad-limits", "forced-ranges=3", "forced-ranges=3,empty=0", "max-page-size=3", "page-cap=3", "empty-pages=3", "no-continuations",
    "bad-range=upper", "bad-range=one-at-a-time", "bad-range=two-options", "range-past-end", "cookie-repeat", "delay=20", "small-segments=1", "small-segments=7",
    "intermediate", "unsolicited",
    "attr-case=upper", "attr-case=lower", "attr-case=upper,who=*", "extra-attrs", "extra-attrs,who=*", "no-sid", "no-descriptors",
    "clock-skew=86400", "dc=dc2", "no-gc-ready", "hide-root-attrs=dnsHostName", "hide-root-attrs=currentTime", "result=busy,page=1,times=2",
    "bad-paged=negative-size", "bad-paged=huge-size", "bad-paged=critical", "bad-paged=extra-control",
    "dc=evil\x1b[31m\u202e", "many-attrs=20000", "deny-attrs=userAccountControl", "modify=user00005,match=objectClass=user",
]


@case("%d legal oddities: everything is read, nothing is missing" % len(LEGAL))
def _():
    def whole(fake, directory, behaviour):
        r = read(fake, directory, behaviour)
        assert r.code == 0 and entities(r) == FULL and "(loss)" not in r.err, (entities(r), r)
        assert "surprise" not in r.out and "must not be kept" not in r.out and "laps-must" not in r.out
    lanes.run(LEGAL, whole)


def members_of_all_staff(r):
    """Groups are written with their number of members, users with their groups."""
    users = [e for e in map(json.loads, r.out.splitlines()) if e["class_uid"] == 5003]
    return sum(any(g["name"] == "All Staff" for g in u["user"].get("groups", [])) for u in users), len(users)


@case("a domain controller's own limits: 4,000 members in ranges of 1,500, small pages, refused pages")
def _():
    rows = [("forced-ranges=1500", 1000), ("ad-limits", 1000), ("smaller-pages=300", 1000), ("smaller-pages=300,code=sizeLimitExceeded", 1000),
            ("max-page-size=100", 1000), ("no-continuations", 37)]
    big = Lanes("--users", 4000)

    def whole(fake, directory, row):
        r = read(fake, directory, row[0], seconds=30, page_size=row[1], answer_timeout="20s", run_timeout="60s")
        assert r.code == 0 and members_of_all_staff(r)[0] == 4000, (members_of_all_staff(r), r)
        ranges = [q for q in fake.requests() if q["op"] == "search" and any(";range=" in a for a in q["attrs"])]
        assert bool(ranges) == ("ranges" in row[0] or row[0] == "ad-limits"), len(ranges)
    big.run(rows, whole)


# --- silence, breaks, garbage -----------------------------------------------------------------------------------

TIMED = r"did not finish|no answer|in time|the time for the whole job is over"
MALFORMED = r"not made, or is over|not well-formed|no LDAP message|without a sound length|impossible ID|does not fit|cannot be read|malformed"
GONE = r"closed the connection|connection broke|Connection reset|broke off|reset by peer"

TRANSPORT = [("silent=%s%s" % (p, q), 6, TIMED) for p in ("accept", "tls", "bind", "bound") for q in ("",)] + \
    [("silent=%s" % p, 6, TIMED) for p in ("search", "page,page=2", "entry,page=2")] + \
    [("%s=%s" % (how, p), 6, GONE) for how in ("close", "reset") for p in ("accept", "tls", "bind", "bound", "search", "page,page=2", "entry,page=2")] + \
    [("garbage=" + v, 6, "TLS|in time") for v in BEHAVIOURS["garbage"]["variants"]] + \
    [("garbage=%s,at=bound" % v, (1, 6), MALFORMED + "|closed|did not finish") for v in BEHAVIOURS["garbage"]["variants"]] + [
        ("http", 6, "HTTP"),
        ("tls-garbage,scope=sub", (1, 6), MALFORMED + "|broke|TLS"),
        ("dribble=1", 6, TIMED),
        ("dribble=200,from=bound,raw=0,size=10", 6, TIMED),
        ("dribble=2000,from=bound,size=1", 6, TIMED),
        ("missing-done,scope=sub", 6, TIMED),
        ("notice=unavailable,scope=sub", 6, "announced that it disconnects"),
        ("notice=busy,stay=1,scope=sub", 6, "announced that it disconnects|did not finish"),
        ("spurious=notice", 6, "announced that it disconnects"),
        ("delay=1500,on=search", 6, TIMED),
    ]


@case("%d silences, breaks and garbage: the place and the cause are named" % len(TRANSPORT))
def _():
    lanes.run([(b, c, w, {"run_timeout": "4s", "seconds": 7}) for b, c, w in TRANSPORT], expect)


STARTTLS = [("starttls-refused=" + v, 6, "StartTLS") for v in BEHAVIOURS["starttls-refused"]["variants"]] + \
    [("starttls-inject=" + v, 6, "between the StartTLS answer and the TLS handshake") for v in BEHAVIOURS["starttls-inject"]["variants"]] + [
        ("starttls-silent", 6, TIMED),
        ("starttls-plain", 6, "without TLS|between the StartTLS answer and the TLS handshake"),
        ("silent=accept", 6, TIMED), ("close=accept", 6, GONE), ("reset=accept", 6, GONE), ("http", (1, 6), "StartTLS"),
        ("garbage=empty-sequence", (1, 6), "StartTLS"), ("garbage=random", (1, 6), "StartTLS"),
        ("referral=plain,on=starttls", 6, "StartTLS"),
        ("spurious=bind", (1, 6), "StartTLS"),
    ]


@case("%d ways to spoil StartTLS: no bind without TLS" % len(STARTTLS))
def _():
    def refused(fake, directory, row):
        expect(fake, directory, row + ({"security": "starttls"},))
        assert not [q for q in fake.requests() if q["op"] == "bind" and not q["tls"]]
    starttls.run(STARTTLS, refused)


@case("a silent peer costs no processor time")
def _():
    def idle(fake, directory, behaviour):
        r = read(fake, directory, behaviour, seconds=5, answer_timeout="3s", connect_timeout="3s", run_timeout="20s")
        assert r.code == 6 and r.seconds > 2.9, r
        assert r.cpu < 0.3 or not r.is_measured, "%.2f s of processor time in %.1f s" % (r.cpu, r.seconds)
    lanes.run(["silent=accept", "silent=tls", "silent=bound", "silent=entry,page=2"], idle)


# --- floods and giants --------------------------------------------------------------------------------------------

FLOODS = [
    ("endless-pages", 6, "the time for the whole job is over", {"run_timeout": "3s", "seconds": 5}),
    ("endless-pages", 6, "the time for the whole job is over", {"run_timeout": "3s", "seconds": 5, "page_size": 1000}),
    ("endless-same", 1, "repeats pages"),
    ("cookie-loop", 1, "without an entry"),
    ("endless-empty", 1, "without an entry"),
    ("endless-entries,scope=sub", 6, "more than 5000 messages for a page of 1000", {"page_size": 1000}),
    ("endless-entries,scope=any", 6, "messages for a page|the time for the whole job is over", {"run_timeout": "3s", "seconds": 5}),
    ("endless-refs,scope=sub", 6, "messages for a page"),
    ("huge-header=%d" % (1 << 31), 6, r"a message of \d+ bytes; more than 64 MiB are not accepted"),
    ("huge-header=%d,how=fin" % (1 << 31), 6, r"a message of \d+ bytes; more than 64 MiB are not accepted"),
    ("huge-header=60000000", 6, TIMED),
    ("big-value=%d" % (80 << 20), 6, r"a message of \d+ bytes; more than 64 MiB are not accepted"),
    ("big-value=%d" % (60 << 20), 5, "no valid objectGUID|too large", {"seconds": 8, "run_timeout": "12s"}),
    ("many-values=5000000", 6, r"a message of \d+ bytes; more than 64 MiB are not accepted"),
    ("many-values=1300000", 5, "no valid objectGUID|too large", {"seconds": 8, "answer_timeout": "5s"}),
    ("many-values=1300000,attr=member,who=group0001", 5, "no valid objectGUID|too large", {"seconds": 8, "answer_timeout": "5s"}),
    ("bad-paged=big-cookie", 1, "cookie of 1000024 bytes"),
    ("nest=10000", 1, MALFORMED),
    ("nest=200000,where=value,scope=sub", (1, 5), MALFORMED + "|no valid objectGUID"),
    ("nest=100000,where=control,at=done,scope=sub", 1, MALFORMED + "|control"),
    ("nest=100000,where=op", 1, MALFORMED + "|message of type"),
]


@case("%d floods and giants: under %d MiB, in time" % (len(FLOODS), RSS_MIB))
def _():
    lanes.run(FLOODS, expect)


# --- protocol ---------------------------------------------------------------------------------------------------------

SUB = ",scope=sub"
PROTOCOL = [("wrong-id=%s%s" % (v, SUB), (1, 6), MALFORMED + "|did not finish") for v in BEHAVIOURS["wrong-id"]["variants"]] + \
    [(v, (0, 1), "fake: read|" + MALFORMED) for v in variants("stray") + variants("stray", more=",at=bind") +
     ["two-dones", "late-entries", "bind-twice", "server-request,scope=sub"]] + \
    [("wrong-type=%s%s" % (v, SUB), (1, 6), "message of type|did not finish") for v in BEHAVIOURS["wrong-type"]["variants"] if v != "done"] + \
    [("wrong-type=%s,at=bind" % v, (1, 6), MALFORMED + "|message of type|did not finish") for v in BEHAVIOURS["wrong-type"]["variants"] if v != "bind"] + \
    [("bad-paged=" + v, 1, "nobody knows whether this is all") for v in
     ("no-control", "no-value", "empty-value", "garbage", "no-cookie", "swapped", "twice", "twice-differs", "trailing", "wrong-oid")] + \
    [("bad-text=%s%s" % (v, SUB), 1, "list OUs.*(LDAP 80|cannot be read)") for v in BEHAVIOURS["bad-text"]["variants"]] + [
        ("no-paging", 1, "does not support a control"),
        ("bind-in-progress", 1, "LDAP 14"),
        ("mutate=469,at=entry,scope=sub", 1, r"DC=fake\?DC=example: its attributes are not well-formed"),  # the DN is no UTF-8
        ("bad-code=4096", 1, "LDAP 4096"),
        ("bad-code=-1", 1, MALFORMED + "|LDAP -1"),
        ("spurious=bind", 1, "message of type 0x61"),
        ("spurious=entry", 1, "root DSE"),
        ("spurious=done", 1, "root DSE"),
        ("hide-root-attrs=defaultNamingContext", 1, "no Active Directory domain controller"),
        ("other-dc=2", 1, "cookie was refused.*"),
        ("cookie-refused=unwillingToPerform", 1, "list OUs: page 2, after 5 entries: the paging cookie was refused"),
        ("cookie-refused=protocolError", 1, "the paging cookie was refused"),
        ("no-such-base", 5, r"gap \(loss\) user: not all users could be listed: no such object"),
        ("insufficient", 5, r"gap \(loss\) user: not all users could be listed: the account may not do this"),
        ("result=timeLimitExceeded,match=objectClass=user", 5, r"not all users could be listed: the server's time limit"),
        ("result=sizeLimitExceeded,match=objectClass=user", 5, r"not all users could be listed: the server's size limit"),
        ("result=adminLimitExceeded,match=objectClass=user,page=2", 5, r"not all users could be listed: .*administrative limit"),
        ("result=other,match=objectClass=user,entries=2", 1, "list users: .*LDAP 80"),
        ("result=unavailable,match=objectClass=user,page=2,entries=0", 6, "list users: .*unavailable"),
        ("hide=user00002", 5, r"gap \(loss\) group: \d+ member references? do(es)? not resolve"),
        ("vanish=user00005,match=objectClass=user", 5, r"gap \(loss\) group: \d+ member references? do(es)? not resolve"),
    ] + [("bind-error=%s" % d, 4, "bind as .*AD %s|data 534" % d) for d in BEHAVIOURS["bind-error"]["variants"]] + [
        ("bind-result=busy", 6, "bind as .*busy"), ("channel-binding", 4, "channel binding"), ("stronger-auth", 4, "stronger"),
    ]


@case("%d breaches of the protocol and refusals" % len(PROTOCOL))
def _():
    lanes.run(PROTOCOL, expect)


RANGES = variants("bad-range", "upper", "one-at-a-time", "two-options", "star-early")  # the last cannot be told from the truth


@case("%d broken ranges of members: a loss of groups, never a silent cut" % len(RANGES))
def _():
    lanes.run([(v, 5, r"gap \(loss\) group: \d+ (entries have many-valued attributes that could not be read to their end|values of member)")
               for v in RANGES], expect)


def forged():
    """Every element of every message encoded wrongly in every way; a sample of it in the short form."""
    rows = ["ber=%s,at=%s,level=%s" % (form, at, level) for at in ("dse", "bind", "entry", "done")
            for level in LISTED["ber_levels"]["entry" if at in ("dse", "entry") else "result"] for form in BEHAVIOURS["ber"]["variants"]]
    rows += ["mutate=%d,at=%s%s" % (seed, at, SUB if at in ("entry", "done") else "")
             for at in ("dse", "bind", "entry", "done") for seed in range(500 if SOAK else 12)]
    return rows if SOAK else random.Random(4711).sample(rows, 160)


@case("wrong BER: no crash, and nothing is dropped in silence")
def _():
    def survives(fake, directory, behaviour):
        r = read(fake, directory, behaviour, binary=SANITIZED)
        # an element that is left out or stands twice is an answer like any other
        honest = "missing" in behaviour or "doubled" in behaviour or "empty" in behaviour or "mutate" in behaviour or "tag-null" in behaviour
        assert r.code or honest or entities(r) >= FULL, "only %d entities, and no word: %r" % (entities(r), r)
        assert r.code == 0 or re.search(r"rollcall: read fake: .{8}|gap \(loss\)", r.err), r
    lanes.run(forged(), survives)


# --- content: one bad value costs one value ---------------------------------------------------------------------------

def malformed(attribute):
    return r"gap \(info\) user: 1 values of %s are malformed and were left out" % attribute


NO_GUID = r"gap \(loss\) user: 1 entries have no valid objectGUID"
BAD_DN = r"gap \(loss\) user: 1 entries have a DN that is no text"
NO_SD = r"gap \(info\) user: 1 security descriptors were not readable"
FINE_SDS = ("sacl-flag-no-sacl", "ace-count-small", "null-dacl", "no-dacl", "empty-dacl", "no-owner", "shared-owner-group",
            "unknown-ace-type", "callback-ace", "resource-ace", "acl-slack", "ace-slack", "1800-aces", "trailing", "sid-15", "acl-revision-2-object")
FINE_TIMES = ("leap-second", "year-9999", "date-only", "offset", "fraction-long", "fraction-comma")
FINE_FILETIMES = ("max-minus-1", "year-60056", "one", "far")
FINE_NUMBERS = ("2e31", "2e32", "negative", "leading-zeros")
TEXTLESS_DNS = ("empty", "nul", "bad-utf8")

CONTENT = [(v, 5, NO_GUID) for v in variants("bad-guid") + ["no-guid", "no-attrs"]] + \
    [("bad-guid=short,who=*", 5, r"gap \(loss\) user: \d\d entries have no valid objectGUID")] + \
    [(v, 0, malformed("objectSid")) for v in variants("bad-sid", "count-0") + ["two-sids"]] + \
    [(v, 0, NO_SD) for v in variants("bad-sd", *FINE_SDS)] + [("bad-sd=" + v, 0, "") for v in FINE_SDS] + \
    [(v, 0, malformed("displayName")) for v in variants("bad-utf8")] + \
    [(v, 0, "") for v in variants("nasty-text") + variants("nasty-text", more=",attr=sAMAccountName")] + \
    [("nul=sAMAccountName", 0, malformed("sAMAccountName")), ("nul=displayName", 0, malformed("displayName"))] + \
    [(v, 0, malformed("userAccountControl")) for v in variants("bad-number", *FINE_NUMBERS)] + [("bad-number=" + v, 0, "") for v in FINE_NUMBERS] + \
    [(v, 0, malformed("whenCreated")) for v in variants("bad-time", *FINE_TIMES)] + [("bad-time=" + v, 0, "") for v in FINE_TIMES] + \
    [(v, 0, malformed("pwdLastSet")) for v in variants("bad-filetime", *FINE_FILETIMES)] + [("bad-filetime=" + v, 0, "") for v in FINE_FILETIMES] + \
    [("bad-dn=" + v, 5, BAD_DN) for v in TEXTLESS_DNS] + \
    [(v, 5, r"gap \(loss\) group: 4 member references do not resolve") for v in variants("bad-dn", *TEXTLESS_DNS)] + \
    [(["bad-sid=text", v], 5, "objectSid") for v in variants("bad-dn", *TEXTLESS_DNS)] + \
    [("bad-dn-value=" + v, 0, malformed("manager")) for v in TEXTLESS_DNS] + [(v, 0, "") for v in variants("bad-dn-value", *TEXTLESS_DNS)] + \
    [(v, 0, "") for v in variants("bad-type", "range")] + [("bad-type=range", 5, "could not be read to their end")] + \
    [("no-values=displayName", 0, ""), ("empty-value=displayName", 0, ""), ("missing-attr=sAMAccountName", 0, ""), ("missing-attr=objectClass", 0, ""),
     ("duplicate-attr=sAMAccountName", 0, malformed("sAMAccountName")), ("second-value=sAMAccountName", 0, malformed("sAMAccountName")),
     ("duplicate-values=memberOf", 0, "")] + \
    [(v, 0, "") for v in variants("bad-class")] + \
    [("bad-member=" + v, 5, r"gap \(loss\) group: 1 (member reference does not resolve|values of member are malformed)") for v in ("dangling", "empty", "nul", "ff")] + \
    [("bad-member=foreign", 0, r"gap \(info\) group: 1 member lies outside"), ("bad-member=text", (0, 5), "group: 1 "), ("bad-member=self", 0, "")]


@case("%d bad values: one value or one entity is lost, and said to be" % len(CONTENT))
def _():
    def one(fake, directory, row):
        behaviours, code, words, binary = row
        r = read(fake, directory, behaviours, binary=binary)
        assert r.code in (code if isinstance(code, tuple) else (code,)) and re.search(words, r.err), r
        lost = 1 if words in (NO_GUID, BAD_DN) else 0
        assert "who=*" in behaviours or entities(r) == FULL - lost, "%d of %d entities: %r" % (entities(r), FULL, r)
    lanes.run([row + (harness.ROLLCALL,) for row in CONTENT], one)
    if SANITIZED != harness.ROLLCALL:
        lanes.run([row + (SANITIZED,) for row in CONTENT[::1 if SOAK else 9]], one)


@case("check and discover outlive the same, and name a step")
def _():
    every = [row[0] for row in TRANSPORT + FLOODS + PROTOCOL + CONTENT if "silent" not in row[0] and "endless" not in row[0]]

    def outlives(fake, directory, behaviours):
        for verb in ("check", "discover"):
            fake.behave(*([behaviours] if isinstance(behaviours, str) else behaviours))
            r = measured(verb, "fake", "-o", "jsonl", config=fake.config(directory, **OFTEN), binary=SANITIZED)
            r.is_measured = not is_sanitized(SANITIZED)
            sound(r, 9 if r.is_measured else 20)
            failed = [step for step in map(json.loads, r.out.splitlines()) if step["verdict"] == "fail"]
            assert not r.code or all(step["evidence"] and step["class"] != "BUG" for step in failed) and (failed or r.err), r
    lanes.run(every[::1 if SOAK else 17], outlives)


# --- referrals ------------------------------------------------------------------------------------------------------------

class Rogue:
    """A port that somebody would like us to connect to, and a resolver that somebody would like us to ask: both only count."""

    def __init__(self):
        self.tcp, self.udp = socket.socket(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.tcp.bind(("127.0.0.1", 0))
        self.tcp.listen(64)
        self.udp.bind(("127.0.0.1", 0))
        self.touched = []
        self.six = socket.socket(socket.AF_INET6)
        with contextlib.suppress(OSError):  # where there is IPv6
            self.six.bind(("::1", self.tcp.getsockname()[1]))
            self.six.listen(64)
            threading.Thread(target=self.count, args=(self.six.accept,), daemon=True).start()
        threading.Thread(target=self.count, args=(self.tcp.accept,), daemon=True).start()
        threading.Thread(target=self.count, args=(lambda: self.udp.recv(512),), daemon=True).start()

    def count(self, wait):
        while True:
            self.touched.append(wait())

    target = property(lambda self: "127.0.0.1:%d" % self.tcp.getsockname()[1])
    resolver = property(lambda self: "127.0.0.1:%d" % self.udp.getsockname()[1])


@case("referrals and continuations of every shape: nobody is connected to, no name is asked for")
def _():
    rogue = Rogue()
    shapes = [v for v in BEHAVIOURS["referral"]["variants"] if v != "each"]
    assert len(shapes) >= 50, shapes
    failed, whole = (1, 2, 4, 5, 6), (0,)
    places = [("continuation=%s,scope=sub", whole, 1), ("referral=%s,scope=sub", failed, 1), ("referral=%s,on=bind", failed, 2), ("referral=%s,page=2", failed, 4),
              ("continuation=%s,page=2", whole, 4), ("referral=%s,on=dse", failed, 4), ("continuation=%s,on=dse", (0, 1, 6), 4),
              ("referral=%s,on=notice", (0, 1, 6), 4), ("referral=%s,on=ext", (0, 1, 4, 6), 8), ("referral=%s,code=0", (0, 1, 5), 8), ("continuation=%s,count=50", whole, 8)]
    rows = [((place + ",target=%s") % (v, rogue.target), (1,) if v == "nul" and codes == whole else codes)
            for i, (place, codes, step) in enumerate(places) for v in (shapes if SOAK else shapes[i % step::step])] + \
        [("referral=plain,scope=base,base=DC=example,target=%s" % rogue.target, (1, 2, 4, 6))]

    def stays(fake, directory, row):
        r = read(fake, directory, row[0], env={"ROLLCALL_RESOLVERS": rogue.resolver})
        assert r.code in row[1], r
        assert r.code or entities(r) == FULL and ("continuation references" in r.err or not row[0].startswith("continuation")), r
        assert sum(q["op"] == "connect" for q in fake.requests()) == 1, "connected once more"
    lanes.run(rows, stays)
    assert not rogue.touched, rogue.touched
    socket.create_connection(rogue.tcp.getsockname()).close()
    wait_for(lambda: rogue.touched)  # it would have counted


# --- cuts: at every byte -----------------------------------------------------------------------------------------------------

# three pages of two OUs each
THREE_PAGES = {"page_size": 2, "base_dn": "OU=People,DC=fake,DC=example", "group_scope": "base_dn"}


def borders(stream):
    """Where each LDAPMessage of a server's output ends (X.690 8.1.3, definite lengths)."""
    at, ends = 0, [0]
    while at < len(stream):
        n, head = stream[at + 1], 2
        if n >= 0x80:
            head += n & 0x7F
            n = int.from_bytes(stream[at + 2:at + head], "big")
        at += head + n
        ends.append(at)
    assert at == len(stream)
    return ends


def record(args, **settings):
    """The bytes that an undisturbed exchange gets from the server: the fake, within this process."""
    sys.path.insert(0, os.path.join(ROOT, "tests", "fake"))
    import ldapd
    import wire
    ca, cert, key = shared_ca()
    sent = []

    class Recorder(wire.Transport):
        def _send(self, data):
            sent.append(bytes(data))
            super()._send(data)
    import session
    session.Transport = Recorder
    server = ldapd.Server(ldapd.parse_args(["--users", "20", "--tls", cert, key]))
    threading.Thread(target=server.run, daemon=True).start()
    fake = Fake.__new__(Fake)
    fake.port, fake.ca = server.port, ca
    r = rollcall(*args, config=fake.config(scratch(), **dict(OFTEN, **settings)))
    assert len(r.out.splitlines()) == 6, r
    return b"".join(sent)


def cut_points(stream, n, seed):
    """Every message border and the byte before and behind it, and a seeded sample of n others; or all."""
    last = len(stream) - 1
    if SOAK:
        return list(range(last + 1))
    near = {b + d for b in borders(stream) for d in (-1, 0, 1)}
    rest = random.Random(seed).sample(range(last + 1), n)
    return sorted(x for x in near | set(rest) if 0 <= x <= last)


def is_cut(fake, directory, row, **settings):
    r = read(fake, directory, row, "--kind", "ou", **dict(THREE_PAGES, **settings))
    assert r.code in (1, 6), "a cut stream counts as an answer: %r" % r
    assert re.search(GONE + "|TLS: |" + TIMED, r.err) and "127.0.0.1" in r.err, r
    assert entities(r) < 6, r


def hows(points, table):
    return ["%s=%d,how=%s" % (table[0], p, table[1][i % len(table[1])]) for i, p in enumerate(points)]


@case("the connection is cut at any byte of three pages: never an answer")
def _():
    stream = record(("read", "fake", "--kind", "ou"), **THREE_PAGES)
    messages = len(borders(stream)) - 1
    assert messages >= 6 + 3 + 6, "%d messages" % messages
    points = cut_points(stream, 90, 1)
    lanes.run(hows(points, ("cut", ("fin", "notify", "rst"))), is_cut)
    lanes.run(hows(points[:: 20 if SOAK else 25], ("cut", ("stall",))), is_cut)


@case("TLS is cut at any byte of its records: never an answer")
def _():
    fake, directory = lanes.free.queue[0]
    r = read(fake, directory, "no-continuations", "--kind", "ou", **THREE_PAGES)
    assert r.code == 0 and entities(r) == 6, r
    wait_for(lambda: fake.requests()[-1]["op"] == "disconnect")
    total = fake.requests()[-1]["raw_sent"] - 64  # behind the last record nothing is missing any more
    points = range(total) if SOAK else sorted(random.Random(2).sample(range(total), 60) + list(range(0, 2200, 100)))
    lanes.run(hows(points, ("cut-raw", ("fin", "rst"))), is_cut)


@case("StartTLS is cut at any byte of its answer: no bind")
def _():
    def no_bind(fake, directory, row):
        is_cut(fake, directory, row, security="starttls")
        assert not [q for q in fake.requests() if q["op"] == "bind" and not q["tls"]]
    starttls.run(hows(range(0, 40), ("cut", ("fin", "rst"))), no_bind)


# --- the store -----------------------------------------------------------------------------------------------------------------

class Store:
    """A store after a good sync, copied for each case."""

    def __init__(self):
        self.dir = scratch()
        with Fake("--users", 20) as fake:
            run = rollcall("sync", "fake", "-o", "json", config=fake.config(self.dir)).json()
        assert run["status"] == "complete", run
        self.entities = self.listed(os.path.join(self.dir, "rollcall.yaml"))

    @staticmethod
    def listed(config, *args):
        return rollcall("entity", "list", "-o", "jsonl", *args, config=config).out

    def copy(self):
        d = scratch()
        shutil.copytree(self.dir, d, dirs_exist_ok=True)
        return d


_store = []


def store():
    if not _store:
        _store.append(Store())
    return _store[0]


def sync(fake, behaviours, **settings):
    """A second sync under these behaviours; (result, its run as `run list` has it, config)."""
    directory = store().copy()
    fake.behave(*([behaviours] if isinstance(behaviours, str) else behaviours))
    config = fake.config(directory, **dict(OFTEN, **settings))
    r = measured("sync", "fake", "-o", "json", config=config)
    r.is_measured = not is_sanitized()
    newest = rollcall("run", "list", "-o", "json", config=config).json()[0]["id"]
    run = rollcall("run", "get", str(newest), "-o", "json", config=config).json()
    return r, run, config, directory


FAILING = [(b, c) for b, c, *_rest in TRANSPORT if "scope" not in b and "dribble" not in b and "delay" not in b][::2] + [
    ("endless-same", 1), ("cookie-loop", 1), ("endless-entries,scope=sub", 6), ("huge-header=%d" % (1 << 31), 6), ("bad-dn=empty,who=*", 1), ("bad-paged=no-control", 1),
    ("bad-paged=no-value", 1), ("bad-paged=twice-differs", 1), ("cookie-refused=unwillingToPerform", 1), ("other-dc=2", 1),
    ("wrong-type=compare,scope=sub", 1), ("ber=too-short,scope=sub", (1, 6)), ("nest=10000,scope=sub", 1),
    ("result=other,match=objectClass=user,entries=2", 1), ("result=unavailable,match=objectCategory=computer", 6), ("bind-error=775", 4),
    ("close=entry,match=objectClass=user,page=2,entries=3", 6), ("reset=page,match=objectCategory=group,page=3", 6),
    ("silent=entry,match=objectCategory=computer,page=1", 6), ("missing-done,match=objectClass=contact", 6),
]


@case("%d syncs that fail: the run is failed, the snapshot stays as it was, nothing is tombstoned" % len(FAILING))
def _():
    def stays(fake, _directory, row):
        r, run, config, directory = sync(fake, row[0])
        assert r.code in (row[1] if isinstance(row[1], tuple) else (row[1],)), r
        assert r.seconds < 5 or not r.is_measured, r
        assert run["status"] == "failed", run
        assert store().listed(config) == store().entities, "the snapshot has changed"
        assert not rollcall("change", "list", "--since", "1", "-o", "json", config=config).json()
        shutil.rmtree(directory)
    lanes.run(FAILING, stays)


PARTIAL = ["bad-guid=short", "bad-guid=short,who=*", "no-guid", "no-attrs", "bad-dn=nul", "bad-dn=empty", "insufficient", "no-such-base",
           "result=timeLimitExceeded,match=objectClass=user,entries=2", "result=adminLimitExceeded,match=objectCategory=computer,page=1,entries=0",
           "result=sizeLimitExceeded,match=objectCategory=group,page=2,entries=1", "bad-range=loop", "bad-range=skip", "bad-range=text",
           "bad-range=no-high", "bad-range=fewer-than-said", "bad-member=nul", "big-value=%d" % (20 << 20)]


@case("%d syncs with losses: the run is partial, nobody is tombstoned, no membership is taken away" % len(PARTIAL))
def _():
    def stays(fake, _directory, behaviour):
        r, run, config, directory = sync(fake, behaviour)
        assert r.code == 5 and run["status"] == "partial", (r, run)
        assert any(g["severity"] == "loss" for g in run["gaps"]), run
        assert run["gaps"] == json.loads(r.out)["gaps"], run
        kept = {json.loads(line)["uid"] for line in store().listed(config).splitlines()}
        assert {json.loads(line)["uid"] for line in store().entities.splitlines()} <= kept
        changes = rollcall("change", "list", "--since", "1", "-o", "json", config=config).json()
        assert not [c for c in changes if c["change"] in ("deleted", "member_removed")], changes
        shutil.rmtree(directory)
    lanes.run(PARTIAL, stays)


@case("entries that come twice or move while they are read are one entity each")
def _():
    def once(fake, _directory, behaviour):
        r, run, config, directory = sync(fake, behaviour + ",match=objectClass=user")
        assert r.code == 0 and run["status"] == "complete", (r, run)
        uids = [json.loads(line)["uid"] for line in store().listed(config).splitlines()]
        assert len(uids) == len(set(uids)) == len(store().entities.splitlines())
        changes = rollcall("change", "list", "--since", "1", "-o", "json", config=config).json()
        want = ["modified"] if behaviour == "modify=user00005" else []  # of a move the first sight counts; the next run sees the other
        assert [c["change"] for c in changes] == want, changes
        shutil.rmtree(directory)
    lanes.run(["duplicate=user00001", "duplicate=user00001,page=2", "move=user00001", "appear=user00001", "modify=user00005"], once)


@case("an entry that is gone in a complete listing is tombstoned as vanished, and only it")
def _():
    fake, _directory = lanes.free.queue[0]
    for behaviour in ("vanish=user00005,match=objectClass=user", "hide=user00005"):
        r, run, config, directory = sync(fake, behaviour)
        assert r.code == 5, r  # it is still said to be a member of groups
        gone = [c for c in rollcall("change", "list", "--since", "1", "-o", "json", config=config).json() if c["change"] == "deleted"]
        assert [(c["name"], c["evidence"]) for c in gone] == [("user00005", "vanished")], gone
        shutil.rmtree(directory)


@case("a sync is cut at a sample of bytes: it goes on by another connection or is failed; the snapshot is the same")
def _():
    def stays(fake, _directory, row):
        r, run, config, directory = sync(fake, row, page_size=3)
        assert (r.code, run["status"]) in ((0, "complete"), (1, "failed"), (6, "failed")), (r, run)
        assert store().listed(config) == store().entities
        shutil.rmtree(directory)
    fake, _directory = lanes.free.queue[0]
    r, run, _config, _d = sync(fake, "no-continuations", page_size=3)
    assert r.code == 0 and run["status"] == "complete", r
    wait_for(lambda: fake.requests()[-1]["op"] == "disconnect")
    total = fake.requests()[-1]["sent"]
    points = sorted(random.Random(3).sample(range(total), 400 if SOAK else 24)) + [total - 1]
    lanes.run(hows(points, ("cut", ("fin", "rst", "notify"))), stays)


main()
