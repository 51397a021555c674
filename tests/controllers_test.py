#!/usr/bin/python3
"""controllers_test.py - many controllers: order, discovery, failover, hanging, load balancers, last logons; on two real DCs.

Between rollcall and each DC stands a gate that counts the client's TLS records: "at request k" is then the same moment in each
run, and a controller is killed (-9) exactly there.
"""
# budget: 280 1500
import contextlib
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

from gate import At, Gate
from harness import SOAK, Fake, Lab, case, main, rollcall, scratch, wait_for, write

TAKEOVER_MS = 5000
# not replicated, or of the signing in itself: they differ between controllers
PER_CONTROLLER = {"lastLogon", "lastLogonTimestamp", "logonCount", "badPwdCount", "badPasswordTime", "uSNCreated", "uSNChanged", "whenChanged", "lockoutTime"}
lab = Lab(dcs=2)
ip = {1: lab.ip, 2: lab.ip2}
name = {1: lab.host, 2: lab.host2}


# --- the stage ---------------------------------------------------------------------------------------------------

def pids(n):
    """Of a DC's processes: the session that up.sh made."""
    with open(os.path.join(lab.dir, "dc%d" % n, "samba.pid")) as f:
        leader = f.read().split()[0]
    found = subprocess.run(["pgrep", "-s", leader], stdout=subprocess.PIPE, text=True).stdout.split()
    return [int(p) for p in found]


at_work = threading.RLock()  # a crash is a gate's thread's; what it ends must not come up before that is done


def crash(*controllers):
    with at_work:
        for n in controllers:
            subprocess.run([lab.script, "crash", lab.dir, str(n)], check=True, timeout=30)


def revive():
    with at_work:
        p = subprocess.run([lab.script, "up", lab.dir], timeout=60, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert p.returncode == 0, p.stdout


def ldap(n, *args):
    """ldapsearch as Administrator at one DC: {attribute: value} of the first entry."""
    out = subprocess.run(["ldapsearch", "-x", "-LLL", "-o", "ldif-wrap=no", "-H", "ldaps://" + ip[n], "-D", lab.admin, "-y", lab.admin_pw_file,
                          "-b", lab.base, *args], stdout=subprocess.PIPE, text=True, env=dict(os.environ, LDAPTLS_REQCERT="never")).stdout
    return dict(line.split(": ", 1) for line in out.splitlines() if ": " in line and not line.startswith("#"))


def settings(directory, **keys):
    return lab.config(directory, **dict({"host": "127.0.0.1", "certificate_name": lab.domain, "page_size": 20, "connect_timeout": "4s"}, **keys))


def gated(at=None, **keys):
    """Gates before both DCs, a directory and its settings."""
    gates = Gate(lambda _n: ip[1], at), Gate(lambda _n: ip[2])
    directory = scratch()
    return gates, directory, settings(directory, port=gates[0].port, failover_hosts=["127.0.0.1:%d" % gates[1].port], **keys)


# --- the oracle ---------------------------------------------------------------------------------------------------

def state(config):
    entities = []
    for e in rollcall("entity", "list", "--deleted", "-o", "jsonl", config=config).lines():
        for key in ("first_seen", "last_changed", "deleted"):
            e.pop(key, None)
        e["attributes"] = {k: v for k, v in e["attributes"].items() if k not in PER_CONTROLLER}
        e["derived"] = {k: v for k, v in e["derived"].items() if "logon" not in k}
        e["member_of"] = sorted((g["uid"], g["via"]) for g in e["member_of"])
        entities.append(json.dumps(e, sort_keys=True))
    return sorted(entities)


def changes(config):
    out = []
    for c in rollcall("change", "list", "-o", "jsonl", config=config).lines():
        c.pop("run"), c.pop("time")
        if c.get("attribute") not in PER_CONTROLLER:
            out.append(json.dumps(c, sort_keys=True))
    return sorted(out)


def sync(config, code=5, env=None):
    """A full run: this lab's reader does not see every member, so a whole run is partial (5)."""
    r = rollcall("sync", "corp", "--full", "-o", "json", config=config, code=code, env=env)
    return r.json() if r.out.strip() else r


class World:
    """A store before a day of changes, and what an undisturbed run makes of it."""

    def __init__(self):
        gates, self.directory, config = gated()
        sync(config)
        base = lab.base
        lab.modify("dn: CN=Day One,CN=Users,%s\nchangetype: add\nobjectClass: user\nsAMAccountName: day.one\n\n"
                   "dn: CN=Domain Admins,CN=Users,%s\nchangetype: modify\nadd: member\nmember: CN=Day One,CN=Users,%s\n\n"
                   "dn: CN=krbtgt,CN=Users,%s\nchangetype: modify\nreplace: displayName\ndisplayName: Changed\n" % (base, base, base, base))
        wait_for(lambda: ldap(2, "(sAMAccountName=krbtgt)", "displayName").get("displayName") == "Changed" and
                 "Day One" in ldap(2, "(sAMAccountName=day.one)", "cn").get("cn", "") and
                 ldap(2, "(&(cn=Domain Admins)(member=CN=Day One,CN=Users,%s))" % base, "cn"), 30)
        gates[0].records = 0
        _gates, clean, clean_config = self.copy()
        self.run = sync(clean_config)
        # of the listings: `read` asks for nothing else, and says goodbye with two records; sync reads the schema behind them, where
        # a lost controller costs a gap and no takeover
        reading, _d, read_config = gated()
        rollcall("read", "corp", config=read_config, code=None)
        self.requests = reading[0].records - 2
        self.state, self.changes = state(clean_config), changes(clean_config)
        assert len(self.changes) >= 3 and not any("deleted" in c for c in self.changes), self.changes

    def copy(self, at=None, **keys):
        gates, directory, config = gated(at, **keys)
        for f in os.listdir(self.directory):
            if f.startswith("rollcall.db"):
                shutil.copy(os.path.join(self.directory, f), directory)
        return gates, directory, config


_world = None


def world():
    global _world
    _world = _world or World()
    return _world


def takeovers(run):
    return [int(m.group(1)) for g in run["gaps"] for m in [re.search(r"took over within (\d+) ms", g["what"])] if m]


def same_as_undisturbed(config, run, where):
    w = world()
    assert changes(config) == w.changes, "%s: other changes: %s" % (where, set(changes(config)) ^ set(w.changes))
    assert state(config) == w.state, "%s: another end state: %s" % (where, list(set(state(config)) ^ set(w.state))[:4])
    for kind, n in w.run["counts"].items():
        assert run["counts"][kind]["read"] == n["read"], (where, kind, run["counts"][kind], n)


# --- failover -------------------------------------------------------------------------------------------------------

@case("kill -9 of the serving controller at %s request: the same state, the same changes" % ("every" if SOAK else "a seeded choice of"))
def _():
    w = world()
    points = list(range(1, w.requests + 1))
    if not SOAK:
        points = sorted(random.Random(9).sample(points[8:], 4)) + [w.requests]
    took = []
    for k in points:
        kill = At(k, lambda: crash(1))
        gates, directory, config = w.copy(kill)
        try:
            run = sync(config)
            kill.wait()
        finally:
            revive()
        same_as_undisturbed(config, run, "killed at request %d of %d" % (k, w.requests))
        took += takeovers(run)
        passed_over = [g for g in run["gaps"] if "could not be used" in g["what"]]
        assert len(takeovers(run)) == 1 or passed_over or k >= w.requests - 1, (k, w.requests, run["gaps"])
        assert not takeovers(run) or run["server"] == "%s, %s" % (name[1], name[2]), run["server"]
        shutil.rmtree(directory)
    assert took and max(took) < TAKEOVER_MS, took
    print("# %d takeovers, at most %d ms" % (len(took), max(took)))


@case("a connection that breaks while the controller lives: the same one is tried first")
def _():
    w = world()

    def cut():
        raise OSError("cut")
    gates, directory, config = w.copy(At(w.requests // 2, cut))
    run = sync(config)
    same_as_undisturbed(config, run, "cut")
    assert run["server"] == name[1] and gates[1].connections == 0, (run["server"], run["gaps"])
    assert any("made anew" in g["what"] for g in run["gaps"]), run["gaps"]


@case("a controller that hangs is left after its deadline")
def _():
    w = world()
    stopped = pids(1)

    def stop():
        for p in stopped:
            with contextlib.suppress(ProcessLookupError):  # it was of samba's short-lived ones
                os.kill(p, signal.SIGSTOP)
    gates, directory, config = w.copy(At(w.requests // 3, stop), answer_timeout="2s")
    began = time.monotonic()
    try:
        run = sync(config)
    finally:
        for p in stopped:
            with contextlib.suppress(ProcessLookupError):
                os.kill(p, signal.SIGCONT)
    same_as_undisturbed(config, run, "hanging")
    assert len(takeovers(run)) == 1 and takeovers(run)[0] < TAKEOVER_MS and time.monotonic() - began < 15, run["gaps"]
    assert any("2 s" in g["what"] and name[1] in g["what"] for g in run["gaps"]), run["gaps"]
    assert gates[0].connections == 1, "the hanging one was not tried again"


@case("all controllers gone: incomplete, nothing tombstoned, exit 6, all of them named")
def _():
    w = world()
    _g, _d, first = w.copy()
    before = state(first), changes(first)

    def both():
        crash(2, 1)  # the one that serves last: nobody shall take over in between
    gates, directory, config = w.copy(At(w.requests // 2, both))
    try:
        r = rollcall("sync", "corp", "--full", config=config, code=6)
    finally:
        revive()
    for port in (gates[0].port, gates[1].port):
        assert "no controller of %s is left" % lab.domain in r.err, r
    assert r.err.count("127.0.0.1:") >= 2, r
    assert rollcall("run", "list", "-o", "json", config=config).json()[0]["status"] == "failed"
    assert (state(config), changes(config)) == before


@case("the order is host, failover_hosts, what DNS names; each that fails is named with its reason")
def _():
    closed = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    ports = [s.getsockname()[1] for s in closed]
    for s in closed:
        s.close()
    c = settings(scratch(), port=ports[0], failover_hosts=["127.0.0.1:%d" % ports[1], "nowhere.%s:636" % lab.domain], dns_servers=[ip[2]])
    r = rollcall("sync", "corp", config=c, code=6)
    at = [r.err.find("port %d" % p) for p in ports] + [r.err.find("no such name")]
    assert -1 < at[0] < at[1] < at[2], r
    c = settings(scratch(), port=ports[0], failover_hosts=["127.0.0.1:%d" % ports[1], "%s:636" % ip[2]])
    run = sync(c)
    named = [g["what"] for g in run["gaps"] if "could not be used" in g["what"]]
    assert len(named) == 2 and "refused" in named[0] and str(ports[1]) in named[1] and run["server"] == name[2], run


# --- discovery --------------------------------------------------------------------------------------------------------

@case("discovery by SRV records of the domain's own DNS; the dead one's DNS too is passed over")
def _():
    c = lab.config(scratch(), host=name[1], certificate_name=None, dc_discovery=True, dns_servers=[ip[1], ip[2]])
    assert sync(c)["server"] == name[1]
    crash(1)
    try:
        began = time.monotonic()
        run = sync(c)
        took = time.monotonic() - began
    finally:
        revive()
    assert run["server"] == name[2] and took < 15, (run["server"], took)
    assert any(name[1] in g["what"] and "could not be used" in g["what"] for g in run["gaps"]), run["gaps"]


@case("check tells of every controller, and signs in at one only")
def _():
    before = [int(ldap(n, "(sAMAccountName=svc-rollcall)", "logonCount").get("logonCount", 0)) for n in (1, 2)]
    c = lab.config(scratch(), host=name[1], certificate_name=None, dc_discovery=True, dns_servers=[ip[1], ip[2]], failover_hosts=["127.0.0.1:9"])
    r = rollcall("check", "corp", "-o", "json", config=c, code=None).json()
    step = next(s for s in r["steps"] if s["name"] == "controllers")
    found = {x["host"]: x for x in step["detail"]["controllers"]}
    assert step["verdict"] == "warn" and "refused" in step["evidence"] and step["fix"].startswith("127.0.0.1"), step
    assert set(found) == {name[1], name[2], "127.0.0.1"} and found[name[2]]["ok"] and not found["127.0.0.1"]["ok"], found
    assert [found[h]["from"] for h in (name[1], "127.0.0.1", name[2])] == ["host", "failover_hosts", "dc_discovery"], found
    after = [int(ldap(n, "(sAMAccountName=svc-rollcall)", "logonCount").get("logonCount", 0)) for n in (1, 2)]
    assert after[1] == before[1], "dc2 was signed in at"


@case("names of DNS outside the domain are never dialled")
def _():
    hits = []
    dns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    dns.bind(("127.0.0.1", 0))

    def answer():
        while True:
            q, peer = dns.recvfrom(512)
            end = q.index(b"\0", 12) + 5
            hits.append(bytes(q[12:end]))
            target = b"".join(bytes([len(x)]) + x for x in (b"dc9", b"evil", b"example")) + b"\0"
            is_srv = q[end - 4:end - 2] == b"\0\x21"
            record = b"\xc0\x0c\0\x21\0\1\0\0\0\x3c" + (6 + len(target)).to_bytes(2, "big") + b"\0\0\0\x64\1\x85" + target
            dns.sendto(q[:2] + b"\x81\x80\0\1" + (b"\0\1" if is_srv else b"\0\0") + b"\0\0\0\0" + q[12:end] + (record if is_srv else b""), peer)
    threading.Thread(target=answer, daemon=True).start()
    c = settings(scratch(), host=ip[1], dc_discovery=True, last_logon="all_controllers", dns_servers=["127.0.0.1:%d" % dns.getsockname()[1]])
    run = sync(c)
    assert any("dc9.evil.example" in g["what"] and "not used" in g["what"] for g in run["gaps"]), run["gaps"]
    assert hits and not any(b"evil" in h for h in hits), hits


# --- what must not be tried twice, or at all -----------------------------------------------------------------------------

@case("a refused credential is tried once in all, at one controller")
def _():
    def bad(n):
        return int(ldap(n, "(sAMAccountName=svc-rollcall)", "badPwdCount").get("badPwdCount", 0))
    before = [bad(n) for n in (1, 2)]
    gates, directory, config = gated()
    with open(os.path.join(directory, "pw"), "w") as f:
        f.write("Wrong-Passw0rd.9")
    os.chmod(f.name, 0o600)
    config = settings(directory, port=gates[0].port, failover_hosts=["127.0.0.1:%d" % gates[1].port], password="file:" + f.name)
    r = rollcall("sync", "corp", config=config, code=4)
    assert "wrong user name or password" in r.err, r
    after = [bad(n) for n in (1, 2)]
    assert sum(after) - sum(before) == 1 and gates[1].connections == 0, (before, after)


@case("a second controller with a certificate for another name is named, and not used")
def _():
    gates, directory, _c = gated()
    config = settings(directory, host=name[1], certificate_name=None, dns_servers=[ip[2]], failover_hosts=["127.0.0.1:%d" % gates[1].port])
    crash(1)
    try:
        r = rollcall("sync", "corp", config=config, code=6)
    finally:
        revive()
    assert "no controller" in r.err and re.search(r"127\.0\.0\.1: TLS: the certificate is for .*, not for 127\.0\.0\.1", r.err), r
    # two handshakes, ours and the one that explains: each ends with its Finished or an alert, nothing follows
    assert gates[1].records <= 2 * gates[1].connections, (gates[1].records, gates[1].connections)


# --- in the middle of everything, scripted -------------------------------------------------------------------------------

@case("lost after %s bytes, between two ranges of a group too: nothing is missing, nothing comes twice" % ("any number of" if SOAK else "a seeded choice of"))
def _():
    size = ("--users", 130, "--groups", 8, "--behaviour", "forced-ranges=20")
    first, second = Fake(*size), Fake(*size)

    def run():
        c = first.config(scratch(), page_size=25, failover_hosts=["127.0.0.1:%d" % second.port])
        return rollcall("sync", "fake", "-o", "json", config=c, code=None).json(), c
    whole, c = run()
    want, counts = state(c), {k: v["read"] for k, v in whole["counts"].items()}
    assert sum(any("range=" in a for a in q["attrs"]) for q in first.requests() if q["op"] == "search") > 20, "no ranges"
    dice = random.Random(4)
    points = range(4000, whole["bytes"], 997) if SOAK else sorted(dice.sample(range(4000, whole["bytes"] * 9 // 10), 8))
    for n in points:
        first.behave("forced-ranges=20", "cut=%d,how=%s,conn=1" % (n, dice.choice(["fin", "rst", "notify"])))
        got, c = run()
        assert state(c) == want, "cut after %d bytes: %s" % (n, [x for x in set(state(c)) ^ set(want)][:2])
        assert {k: v["read"] for k, v in got["counts"].items()} == counts, (n, got["counts"])
        assert got["status"] == whole["status"], (n, got["gaps"])
        assert any("made anew" in g["what"] for g in got["gaps"]) or n > whole["bytes"] * 8 // 10, (n, got["gaps"])


@case("a second controller of another domain, of another name or of the same: named, and not used")
def _():
    first = Fake("--users", 60)
    sid = "010400000000000515000000" + "0100000002000000" + "03000000"
    scenario = write(os.path.join(scratch(), "twin.json"), json.dumps({"entries": {"DC=fake,DC=example": {"objectSid": [{"hex": sid}]}}}))
    twin = Fake("--users", 60, "--scenario", scenario)
    first.behave("close=page,page=2,match=objectCategory=person", "bind-result=unavailable,conn=2-")
    c = first.config(scratch(), page_size=20, failover_hosts=["127.0.0.1:%d" % twin.port])
    r = rollcall("sync", "fake", config=c, code=6)
    assert "another domain of the name fake.example: its SID differs" in r.err and "unavailable" in r.err, r
    listings = [q for q in twin.requests() if q["op"] == "search" and q["scope"] == "sub"]
    assert not listings, listings
    # the lab's own domain, reached under a name of the other
    c = settings(scratch(), host=ip[1], domain="other.example", failover_hosts=[ip[2]])
    r = rollcall("sync", "corp", config=c, code=2)
    assert "not of other.example" in r.err and "set domain" in r.err, r


# --- load balancers --------------------------------------------------------------------------------------------------------

@case("a balancer that leads each connection elsewhere: one connection is enough; a second one is told of")
def _():
    w = world()
    gate = Gate(lambda n: ip[2 - n % 2])
    directory = scratch()
    shutil.copy(os.path.join(w.directory, "rollcall.db"), directory)
    config = settings(directory, port=gate.port)
    run = sync(config)
    assert gate.connections == 1 and not any("balancer" in g["what"] for g in run["gaps"]), run["gaps"]
    steps = {s["name"]: s for s in rollcall("check", "corp", "-o", "json", config=config, code=None).json()["steps"]}
    assert steps["controllers"]["verdict"] == "warn" and "session persistence" in steps["controllers"]["fix"], steps["controllers"]
    gate.close()

    def cut():
        raise OSError("cut")
    gates, directory, config = w.copy(At(w.requests // 2, cut))
    gates[0].route = lambda n: ip[1 if n == 1 else 2]
    run = sync(config)
    same_as_undisturbed(config, run, "balanced")
    told = [g for g in run["gaps"] if "session persistence" in g["what"]]
    assert told and "sticky" in told[0]["fix"] and "DC1" in told[0]["what"] and "DC2" in told[0]["what"], run["gaps"]


@case("a balancer that moves a connection between two pages: named with the fix; once is survived")
def _():
    fake = Fake("--users", 60)
    config = fake.config(scratch(), page_size=20)
    whole = rollcall("sync", "fake", "-o", "json", config=config, code=None).json()
    for behaviour in ("other-dc=2", "cookie-refused=unwillingToPerform", "cookie-refused=unavailableCriticalExtension", "cookie-refused=protocolError"):
        fake.behave(behaviour)
        r = rollcall("sync", "fake", config=fake.config(scratch(), page_size=20), code=1)
        assert "cookie was refused" in r.err and "session persistence" in r.err, (behaviour, r)
        binds = [q for q in fake.requests() if q["op"] == "bind"]
        assert len(binds) == 2, "the same name once more, no further: %s" % binds
        fake.behave(behaviour + ",conn=1")
        run = rollcall("sync", "fake", "-o", "json", config=fake.config(scratch(), page_size=20), code=None).json()
        assert run["counts"] == whole["counts"] and run["status"] == whole["status"], (behaviour, run)
        assert any("session persistence" in g.get("fix", "") for g in run["gaps"]), run["gaps"]


@case("busy and unavailable: the other controller is asked; without one it is a gap or an error as before")
def _():
    first, second = Fake("--users", 30), Fake("--users", 30)
    for behaviour in ("result=unavailable", "result=busy")[:2 if SOAK else 1]:  # busy is asked again for 21 s first
        first.behave(behaviour + ",page=1,match=objectCategory=person")
        c = first.config(scratch(), failover_hosts=["127.0.0.1:%d" % second.port])
        run = rollcall("sync", "fake", "-o", "json", config=c, code=None, timeout=60).json()
        assert run["status"] == "complete" or not any("could be listed" in g["what"] for g in run["gaps"]), run
        assert takeovers(run) or any("took over" in g["what"] for g in run["gaps"]), run["gaps"]


# --- last logons --------------------------------------------------------------------------------------------------------------

@case("last_logon: all_controllers finds a logon that only the other controller knows")
def _():
    store = settings(scratch(), host=ip[1])
    sync(store)
    user = rollcall("entity", "get", "u.plain", "-o", "json", config=store).json()
    # a ticket counts as a logon, at the KDC that gave it
    realm = lab.domain.upper()
    conf = write(os.path.join(scratch(), "krb5.conf"), "[libdefaults]\ndefault_realm = %s\ndns_lookup_kdc = false\n[realms]\n%s = {\nkdc = %s\n}\n" %
                 (realm, realm, ip[2]))
    subprocess.run(["kinit", "-c", "MEMORY:", "u.plain@" + realm], input="User-Passw0rd.1\n", text=True, check=True, stdout=subprocess.DEVNULL,
                   env=dict(os.environ, KRB5_CONFIG=conf))
    here, there = (int(ldap(n, "(sAMAccountName=%s)" % user["name"], "lastLogon").get("lastLogon", 0)) for n in (1, 2))
    assert there > here, (here, there)

    def last_logon(**keys):
        c = settings(scratch(), **keys)
        run = sync(c)
        one = rollcall("entity", "get", user["uid"], "-o", "json", config=c).json()
        return one["attributes"].get("lastLogon"), run
    alone, _r = last_logon(host=ip[1])
    both, run = last_logon(host=ip[1], failover_hosts=[ip[2]], last_logon="all_controllers")
    direct, _r = last_logon(host=ip[2])
    assert both == direct and both != alone, (alone, both, direct)
    assert not any("lastLogon" in g["what"] for g in run["gaps"]), run["gaps"]
    partly, run = last_logon(host=ip[1], failover_hosts=["127.0.0.1:9"], last_logon="all_controllers")
    assert partly == alone and any("lastLogon was not asked of 127.0.0.1" in g["what"] and g["severity"] == "info" for g in run["gaps"]), run["gaps"]


main()
