#!/usr/bin/python3
"""storm_test.py - syncs of a real Active Directory through a proxy that spoils the conversation (tests/fault/proxy.py), at every stage.

The directory changes before each sync; Town knows what must have been told of it. After every run, however it ended:
the store opens and is sound, it shows its last complete snapshot or the new one (never a mixture), each true change is told exactly once
over the whole sequence, nobody is tombstoned who is alive, and the run ended in time, with a sentence that names the place.
"""
# budget: 300 2400
import collections
import concurrent.futures
import json
import os
import random
import re
import socket
import sqlite3
import struct
import sys
import threading
import time

from harness import ROOT, SOAK, Lab, case, main, measured, rollcall, scratch, shared_ca

sys.path.insert(0, os.path.join(ROOT, "tests", "fault"))
import proxy as storm  # noqa: E402

SEEDS = 2 if SOAK else 1
DEADLINE = 14.0  # s; connect_timeout and answer_timeout are 1 s
FAILED = (1, 5, 6)
# Where it broke, and how.
SENTENCE = r"(127\.0\.0\.1|dc1\.)[^\n]*|the time for the whole job"
STATISTICS = ("lastLogon", "lastLogonTimestamp", "logonCount", "badPwdCount", "badPasswordTime", "uSNChanged", "whenChanged")


# --- a directory whose history is known -------------------------------------------------------------------------

class Town:
    """OU=Storm of a lab: people who come, go, move, and join groups. told() is what a sync has to say about it."""

    def __init__(self, seed, people=24):
        self.lab, self.dice, self.next = Lab(), random.Random(seed), 0
        self.base = "OU=Storm," + self.lab.base
        self.people, self.groups = {}, {"sg%d" % i: frozenset() for i in range(3)}
        ldif = ["dn: %s%s\nchangetype: add\nobjectClass: organizationalUnit\n" % (ou, self.base) for ou in ("", "OU=Away,")]
        ldif += ["dn: CN=%s,%s\nchangetype: add\nobjectClass: group\nsAMAccountName: %s\n" % (g, self.base, g) for g in self.groups]
        for _ in range(people):
            ldif.append(self.born())
        self.lab.modify("\n".join(ldif))

    def dn(self, name):
        p = self.people[name]
        return "CN=%s,%s%s" % (p["cn"], p["ou"], self.base)

    def born(self):
        name = "st%d" % self.next
        self.next += 1
        self.people[name] = {"cn": name, "ou": "", "title": ""}
        return "dn: %s\nchangetype: add\nobjectClass: user\nsAMAccountName: %s\n" % (self.dn(name), name)

    def someone(self):
        return self.dice.choice(sorted(self.people))

    def titled(self):
        name = self.someone()
        self.people[name]["title"] = title = "Title %d" % self.dice.randrange(1 << 30)
        return "dn: %s\nchangetype: modify\nreplace: title\ntitle: %s\n" % (self.dn(name), title)

    def died(self):
        if len(self.people) < 10:
            return self.born()
        name = self.someone()
        dn = self.dn(name)
        del self.people[name]
        self.groups = {g: m - {name} for g, m in self.groups.items()}
        return "dn: %s\nchangetype: delete\n" % dn

    def moved(self):
        name = self.someone()
        dn, p = self.dn(name), self.people[name]
        p["ou"] = "" if p["ou"] else "OU=Away,"
        return "dn: %s\nchangetype: modrdn\nnewrdn: CN=%s\ndeleteoldrdn: 1\nnewsuperior: %s%s\n" % (dn, p["cn"], p["ou"], self.base)

    def renamed(self):
        name = self.someone()
        dn = self.dn(name)
        self.people[name]["cn"] = cn = "Person %d" % self.dice.randrange(1 << 30)
        return "dn: %s\nchangetype: modrdn\nnewrdn: CN=%s\ndeleteoldrdn: 1\n" % (dn, cn)

    def joined(self):
        name, g = self.someone(), self.dice.choice(sorted(self.groups))
        word = "delete" if name in self.groups[g] else "add"
        self.groups[g] = self.groups[g] ^ {name}
        return "dn: CN=%s,%s\nchangetype: modify\n%s: member\nmember: %s\n" % (g, self.base, word, self.dn(name))

    def live(self, n=2):
        """A little time passes."""
        acts = (self.titled, self.born, self.died, self.moved, self.renamed, self.joined, self.joined)
        self.lab.modify("\n".join(self.dice.choice(acts)() for _ in range(n)))

    def picture(self):
        return {n: dict(p, dn=self.dn(n)) for n, p in self.people.items()}, dict(self.groups)

    @staticmethod
    def told(before, after):
        """The changes between two pictures, each once."""
        (was, had), (now, has) = before, after
        out = [("created", n) for n in now.keys() - was.keys()] + [("deleted", n) for n in was.keys() - now.keys()]
        out += [("member_added", "Domain Users", n) for n in now.keys() - was.keys()]
        out += [("member_removed", "Domain Users", n) for n in was.keys() - now.keys()]
        for n in was.keys() & now.keys():
            a, b = was[n], now[n]
            out += [("modified", n, b["title"])] if a["title"] != b["title"] else []
            out += [("moved", n, b["dn"])] if a["ou"] != b["ou"] else []
            out += [("renamed", n, b["dn"])] if a["cn"] != b["cn"] else []
        for g in has:
            out += [("member_added", g, n) for n in has[g] - had[g]] + [("member_removed", g, n) for n in had[g] - has[g]]
        return sorted(out)


def as_told(change):
    kind = change["change"]
    if kind in ("member_added", "member_removed"):
        return (kind, change["name"], change["member"])
    return (kind, change["name"]) + ((change["new"],) if kind not in ("created", "deleted") else ())


# --- a store in the storm ----------------------------------------------------------------------------------------

class Boat:
    """One connector of one town, its store, and the proxy in between."""

    def __init__(self, seed, host=None):
        self.town, self.dir = Town(seed), scratch()
        ca, cert, key = shared_ca()
        self.knowing = storm.Proxy((self.town.lab.ip, 636), None, (cert, key))
        self.blind = storm.Proxy((self.town.lab.ip, 636))
        self.ca, self.passed_by, self.struck = ca, 0, 0
        self.calm()
        self.snapshot, self.synced = None, None
        self.settle()

    # -- settings

    def settings(self, **keys):
        lab = self.town.lab
        return lab.config(self.dir, **dict({"username": lab.admin, "password": "file:" + lab.admin_pw_file, "page_size": 60, "connect_timeout": "1s",
                                            "answer_timeout": "5s", "run_timeout": "20s"}, **keys))

    def calm(self):
        self.config = self.settings()

    def through(self, proxy, plan, **keys):
        proxy.reset(plan)
        own = {"ca_certificate": self.ca, "certificate_name": "fake-dc.fake.example"} if proxy is self.knowing else {}
        self.config = self.settings(**dict({"host": "127.0.0.1", "port": proxy.port}, **own, **keys))

    # -- what is seen

    def seen(self):
        """The visible snapshot, without what every sign-in moves."""
        out, self.alive = [], set()
        for line in rollcall("entity", "list", "--deleted", "-o", "jsonl", config=self.config).lines():
            for name in ("first_seen", "last_changed", "deleted"):
                line.pop(name, None) if name != "deleted" else line.update(deleted=bool(line.get("deleted")))
            for name in STATISTICS:
                line["attributes"].pop(name, None)
            line["member_of"].sort(key=lambda g: (g["uid"], g["via"]))
            if line["kind"] == "user" and "OU=Storm," in line["dn"] and not line.get("deleted"):
                self.alive.add(line["name"])
            out.append(json.dumps(line, sort_keys=True))
        return sorted(out)

    def sound(self):
        db = sqlite3.connect("file:%s/rollcall.db?mode=ro" % self.dir, uri=True)
        try:
            assert db.execute("pragma integrity_check").fetchone() == ("ok",)
        finally:
            db.close()

    def changes(self, run):
        return [c for c in rollcall("change", "list", "--since", str(run - 1), "-o", "jsonl", config=self.config).lines()]

    # -- what must hold

    def succeeded(self, r):
        run = r.json()
        told = sorted(as_told(c) for c in self.changes(run["id"]))
        want = Town.told(self.synced, self.town.picture()) if self.synced else told
        assert told == want, "told %s\nnot %s" % ([t for t in told if t not in want], [w for w in want if w not in told])
        self.synced, self.snapshot = self.town.picture(), self.seen()
        assert self.alive == set(self.town.people), self.alive ^ set(self.town.people)

    def unharmed(self, r, must_name=True):
        assert self.seen() == self.snapshot, "the snapshot has changed"
        assert not must_name or re.search(SENTENCE, r.err), r

    def run(self, full=False, deadline=DEADLINE, env=None):
        r = measured("sync", "corp", "-o", "json", *(["--full"] if full else []), config=self.config, limit=60, env=env)
        assert r.seconds < deadline, "took %.1f s: %r" % (r.seconds, r)
        for bad in ("ended by signal", "ended (status", "Sanitizer", "BUG", "Assertion"):
            assert bad not in r.err, r
        return r

    def settle(self):
        """Undisturbed: complete, and everything told that was not told yet."""
        self.calm()
        r = self.run()
        assert r.code == 0, r
        self.succeeded(r)
        self.sound()

    def record(self, full):
        """The stages of an undisturbed sync, in order."""
        self.town.live()
        self.through(self.knowing, None)
        r = self.run(full)
        assert r.code == 0, r
        self.succeeded(r)
        return list(self.knowing.stages)

    def size(self, full):
        """The bytes of one, as {direction: n}."""
        self.town.live()
        self.through(self.blind, None)
        r = self.run(full)
        assert r.code == 0, r
        self.succeeded(r)
        return dict(self.blind.passed)

    def weather(self, fault, full=False, codes=FAILED, proxy=None):
        """One sync in this storm."""
        self.town.live()
        self.through(proxy or self.knowing, fault, answer_timeout="1s")
        r = self.run(full)
        self.struck += bool(fault.fired)
        self.passed_by += not fault.fired  # there were fewer pages this time
        assert r.code in ((0,) + codes if fault.fired else (0,)), r
        self.sound()
        if r.code == 0:
            self.succeeded(r)
        else:
            self.unharmed(r)
        return r


class Fleet:
    """Two boats, each in the domain of its own, so that cases run two at a time."""

    def __init__(self):
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            self.boats = list(pool.map(Boat, (11, 12)))

    def sail(self, rows, f, calm_every=6):
        """f(boat, row) for each row, and now and then an undisturbed sync; fails with every row that failed."""
        def one(boat, mine):
            bad = []
            for i, row in enumerate(mine):
                try:
                    f(boat, row)
                except Exception as e:
                    bad.append("%s: %s" % (row, e))
                    print("# at %d of %d: %s" % (i, len(mine), bad[-1].replace("\n", "\n# ")), flush=True)
                if i % calm_every == calm_every - 1 or i == len(mine) - 1:
                    try:
                        boat.settle()
                    except Exception as e:
                        bad.append("after %s: %s" % (row, e))
                        boat.synced, boat.snapshot = boat.town.picture(), boat.seen()
            return bad
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            bad = sum(pool.map(one, self.boats, [rows[0::2], rows[1::2]]), [])
        assert not bad, "%d of %d failed:\n%s" % (len(bad), len(rows), "\n".join(bad[:12]))
        for boat in self.boats:
            assert boat.passed_by * 2 <= boat.struck or not boat.struck, "%d of %d storms passed by" % (boat.passed_by, boat.struck + boat.passed_by)
            boat.passed_by = boat.struck = 0

    def stages(self):
        """{full: stages}: everything is read, or what changed. Both boats meet the same."""
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            both = list(pool.map(lambda b: [b.record(full) for full in (True, False, False)], self.boats))
        assert len(both[0][0]) > 20 and both[0][0] == both[1][0], both
        changed = [s for s in both[0][2] if all(s in b[i] for b in both for i in (1, 2))]
        assert len(changed) > 5, both
        return {True: both[0][0], False: changed}


_fleet = []


def fleet():
    if not _fleet:
        _fleet.append(Fleet())
    return _fleet[0]


# --- every stage, every fault ----------------------------------------------------------------------------------------

def pages(stages):
    """First, middle and last page of each listing."""
    lists = collections.OrderedDict()
    for s in stages:
        if s.startswith("list.") and "#" not in s:
            lists.setdefault(s.split(".")[1], []).append(s)
    return [p for every in lists.values() for p in sorted({every[0], every[len(every) // 2], every[-1]})]


def rows(both, faults, again=True):
    """Fault x stage x full or not x seed."""
    out = []
    for full, stages in both.items():
        wanted = ["accept", "tls", "rootdse", "bind", "base.1", "base.2"] + pages(stages) + ["end", "accept#2", "tls#2", "bind#2", "end#2"]
        out += [(f, s, seed, full) for seed in range(SEEDS) for s in wanted for f in faults if s in stages
                and not (f in storm.ABOVE_TLS and not s.startswith("list.")) and (again or "#" not in s)]
    random.Random(5).shuffle(out)
    return out


def short(table, n):
    """n rows in which every fault and every stage comes about equally often."""
    if SOAK:
        return table
    faults, stages, modes, out = collections.Counter(), collections.Counter(), collections.Counter(), []
    for _ in range(min(n, len(table))):
        row = min((r for r in table if r not in out), key=lambda r: (faults[r[0]] + stages[r[1]] + modes[r[3]] // 8, r[0] in storm.SILENT))
        faults[row[0]] += 1
        stages[row[1]] += 1
        modes[row[3]] += 1
        out.append(row)
    return out


@case("%d faults that lose nothing, at every stage: the run is complete" % len(storm.HARMLESS))
def _():
    def complete(boat, row):
        r = boat.weather(storm.Fault(row[0], row[1], seed=row[2]), row[3])
        assert r.code == 0, r
    fleet().sail(short(rows(fleet().stages(), storm.HARMLESS), 12), complete)


@case("%d faults that strike once, at every stage: complete by another try, or failed by name" % len(storm.HARMFUL))
def _():
    fleet().sail(short(rows(fleet().stages(), storm.HARMFUL), 42), lambda boat, row: boat.weather(storm.Fault(row[0], row[1], seed=row[2]), row[3]))


@case("faults that strike on every connection: complete only where each connection got further than the one before")
def _():
    sure = [f for f in storm.HARMFUL if f not in ("swap-records", "duplicate-record", "drop-record", "truncate-record", "swap-done", "duplicate-done")]

    def fails(boat, row):
        fault = storm.Fault(row[0], row[1], seed=row[2], times=None)
        r = boat.weather(fault, row[3])
        gets_further = row[1] == "end" or row[1].startswith("list.")  # a new connection begins with the kind under way
        assert r.code or gets_further or not fault.fired, r
    fleet().sail(short(rows(fleet().stages(), sure, again=False), 16), fails)


@case("the controller's own TLS stream is cut, reset or spoiled at any byte")
def _():
    sizes = {full: [boat.size(full) for boat in fleet().boats][0] for full in (True, False)}
    assert sizes[True]["down"] > 100000 and sizes[True]["up"] > 3000 and sizes[False]["down"] > 2000, sizes
    dice, table = random.Random(8), []
    for full, size in sizes.items():
        for d in ("down", "down", "up"):
            for _ in range(50 if SOAK else 3):
                table.append((dice.choice(("cut", "reset", "half-close", "flip-bit", "garbage", "cut", "reset")), d, dice.randrange(int(size[d] * (0.98 if full else 0.6))), full))

    def spoiled(boat, row):
        boat.weather(storm.Fault(row[0], row[2], direction=row[1], seed=row[2]), row[3], proxy=boat.blind)
    fleet().sail(table, spoiled)


@case("nobody listens; and somebody who takes connections and never speaks")
def _():
    def deaf(boat, row):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            if row == "silent":
                s.listen(1)
            boat.town.live()
            boat.config = boat.settings(host="127.0.0.1", port=s.getsockname()[1])
            r = boat.run()
            assert r.code == 6, r
            boat.unharmed(r)
    fleet().sail(["refused", "silent"], deaf)


# --- names -------------------------------------------------------------------------------------------------------------

class Resolver:
    """A DNS server on loopback that answers each question as its mode says."""

    def __init__(self, address):
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.address, self.mode, self.asked, self.dice = address, "right", 0, random.Random(1)
        self.where = "127.0.0.1:%d" % self.udp.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            question, who = self.udp.recvfrom(4096)
            self.asked += 1
            for answer in self.answers(question):
                self.udp.sendto(answer, who)

    def record(self, kind, data, ttl=60):
        return b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, ttl, len(data)) + data

    def answers(self, q):
        end = q.index(b"\0", 12) + 5
        kind = struct.unpack(">H", q[end - 4:end - 2])[0]
        a = [self.record(1, socket.inet_aton(self.address))] if kind == 1 else []

        def reply(records, flags=0x8180, id=q[:2], question=q[12:end]):
            return id + struct.pack(">HHHHH", flags, 1, len(records), 0, 0) + question + b"".join(records)
        mode = self.mode
        if mode == "silent" or (mode == "lost-first" and self.asked <= 2):
            return []
        if mode in ("servfail", "nxdomain", "refused"):
            return [reply([], 0x8180 | {"servfail": 2, "nxdomain": 3, "refused": 5}[mode])]
        if mode == "late":
            time.sleep(0.1)
        if mode == "garbage":
            return [q[:2] + self.dice.randbytes(40)]
        if mode == "empty":
            return [reply([])]
        if mode == "truncated":
            return [reply(a, 0x8380)]
        if mode == "cname-loop":
            return [reply([self.record(5, b"\xc0\x0c")])]
        if mode == "pointer-loop":
            return [q[:2] + struct.pack(">HHHHH", 0x8180, 1, 1, 0, 0) + b"\xc0\x0c" + q[end - 4:end] + b"".join(a)]
        if mode == "wrong-id":
            return [reply([self.record(1, socket.inet_aton("127.9.9.9"))], id=b"\0\0")]
        if mode == "wrong-id-then-right":
            return [reply([self.record(1, socket.inet_aton("127.9.9.9"))], id=bytes([q[0] ^ 0xFF, q[1]])), reply(a)]
        if mode == "wrong-question":
            return [reply(a, question=b"\x05other\x07example\0" + q[end - 4:end])]
        if mode == "dead-then-right":
            return [reply([self.record(1, socket.inet_aton("127.9.9.9"))] + a)] if a else [reply([])]
        if mode == "short-address":
            return [reply([self.record(1, b"\x7f\0\0")])]
        if mode == "flood":
            return [reply([self.record(1, socket.inet_aton("127.9.9.%d" % (i % 250 + 1))) for i in range(250)])]
        return [reply(a)]


NAMES = {"right": 0, "late": 0, "lost-first": (0, 6), "wrong-id-then-right": 0, "dead-then-right": 0, "silent": 6, "servfail": (3, 6), "nxdomain": (3, 6),
         "refused": (3, 6), "garbage": (3, 6), "empty": (3, 6), "truncated": (0, 3, 6), "cname-loop": (3, 6), "pointer-loop": (3, 6), "wrong-id": 6, "wrong-question": (3, 6),
         "short-address": (3, 6), "flood": 6}


@case("%d answers of a name server: found, or failed by name" % len(NAMES))
def _():
    def asked(boat, mode):
        resolver = Resolver(boat.town.lab.ip)
        resolver.mode = mode
        boat.town.live()
        boat.config = boat.settings(host=boat.town.lab.host, dns_servers=[resolver.where])
        r = boat.run()
        want = NAMES[mode] if isinstance(NAMES[mode], tuple) else (NAMES[mode],)
        assert r.code in want and resolver.asked, r
        if r.code == 0:
            boat.succeeded(r)
        else:
            boat.unharmed(r, must_name=False)
            assert boat.town.lab.host in r.err, r
    fleet().sail(list(NAMES), asked)


if __name__ == "__main__":
    main()
