#!/usr/bin/python3
"""source_fake - the Active Directory source against tests/fake/ldapd.py: limits, faults, hostile answers, TLS.

    python3 tests/source_fake.py SOURCE-DRIVE [-v] [PATTERN]

The same domain must come out whatever legal ways the controller takes to serve it; whatever is not legal must end in a named
error or a gap, within its time limit, and never as a complete listing that is not one. ALL=1 cuts the connection at every byte
instead of at some. Exit status 77 (skipped) without openssl.
"""

import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
LDAPD = os.path.join(HERE, "fake", "ldapd.py")
SOURCE = os.path.join(os.path.dirname(HERE), "src")
PASSWORD = "Collector-1"
CASES = []


class Failed(Exception):
    pass


def check(condition, *what):
    if not condition:
        raise Failed(" ".join(str(w) for w in what))


def case(f):
    CASES.append(f)
    return f


# --- frames (src/model/frame.h, record.h) -----------------------------------------------------------------------

def table(header, pattern):
    with open(os.path.join(SOURCE, header)) as f:
        return re.findall(pattern, f.read())


ATTRS = {int(n): (name, kind) for n, name, kind in table("model/attr.h", r'X\(\w+, (\d+), "([^"]+)", (\w+), \d, \w+')}
KINDS = {int(n): name for name, n in table("model/kind.h", r'X\((\w+), (\d+), "')}
TYPES = "STRING INT BOOL TIME SPAN SID GUID DN BINARY".split()


class Cursor:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        check(self.at + n <= len(self.data), "frame too short")
        self.at += n
        return self.data[self.at - n:self.at]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def lstr(self):
        return self.take(self.varint())

    def more(self):
        return self.at < len(self.data)


def value(c, kind):
    if kind in ("INT", "TIME", "SPAN"):
        v = c.varint()
        return (v >> 1) ^ -(v & 1)
    if kind == "BOOL":
        return bool(c.take(1)[0])
    raw = c.lstr()
    return raw.decode() if kind in ("STRING", "DN") else raw.hex()


def body(data):
    c, out, last = Cursor(data), {}, 0
    while c.more():
        number, p = c.varint(), Cursor(c.lstr())
        check(number > last or number == 500, "attribute numbers must ascend")
        last = number
        name, kind = ATTRS[number] if number != 500 else (p.lstr().decode(), TYPES[p.take(1)[0]])
        out[name] = [value(p, kind) for _ in range(p.varint())]
        check(not p.more(), "bytes behind the values of", name)
    return out


def dn_list(n, data):
    c = Cursor(data)
    out = [c.lstr().decode() for _ in range(n)]
    check(not c.more(), "bytes behind a DN list")
    return out


class Stream:
    """What one run said. records: (kind, guid) -> dict; gaps: (kind, severity, what, where, fix)."""

    def __init__(self, data):
        self.begin = self.end = self.abort = None
        self.records, self.done, self.gaps, self.steps, self.sds = {}, {}, [], [], {}
        at = 0
        group = None
        while at < len(data):
            n, kind = struct.unpack_from("<IB", data, at)
            payload = data[at + 5:at + 4 + n]
            at += 4 + n
            check(at <= len(data) and not self.end and not self.abort, "the stream goes on after its end, or is cut")
            check(group is None or kind == 19, "members must follow their record")
            group = self.take(kind, payload, group)
        check(self.end or self.abort, "the stream has no end")
        check(group is None, "members are missing")

    def take(self, kind, payload, group):
        if kind == 16:
            self.begin = json.loads(payload)
        elif kind == 17:
            self.sds[struct.unpack_from("<I", payload)[0]] = payload[4:]
        elif kind == 18:
            return self.record(Cursor(payload))
        elif kind == 19:
            check(payload[:16].hex() == group["guid"], "members of another group")
            group["member"] += dn_list(struct.unpack_from("<I", payload, 17)[0], payload[21:])
            return group if payload[16] else None
        elif kind == 20:
            self.done[KINDS[payload[0]]] = bool(payload[1]), struct.unpack_from("<Q", payload, 2)[0]
        elif kind == 21:
            c = Cursor(payload)
            head = c.take(2)
            self.gaps.append((KINDS.get(head[0]), ("info", "loss")[head[1]], *(c.lstr().decode() for _ in range(3))))
        elif kind == 23:
            self.steps.append(json.loads(payload))
        elif kind == 24:
            self.end = json.loads(payload)
        elif kind == 25:
            self.abort = json.loads(payload)
        return None

    def record(self, c):
        head = c.take(2)
        r = {"kind": KINDS[head[0]], "no_sd": bool(head[1] & 2), "guid": c.take(16).hex(), "sid": c.lstr().hex(), "dn": c.lstr().decode(),
             "sd": c.varint(), "state": body(c.lstr()), "stats": body(c.lstr())}
        check(r["sd"] == 0 or r["sd"] in self.sds, "a descriptor that was not announced")
        for key in ("member", "member_of"):
            n = c.varint()
            r[key] = dn_list(n, c.lstr())
        check(not c.more(), "bytes behind a record")
        self.records[r["kind"], r["guid"]] = r
        return r if head[1] & 1 else None

    def content(self):
        """Everything but the numbers of descriptors, which depend on the order, and what is asked only of entries read again."""
        computed = "msDS-User-Account-Control-Computed"
        return {key: (r["dn"], r["sid"], r["state"], {k: v for k, v in r["stats"].items() if k != computed}, sorted(r["member"]), sorted(r["member_of"]), self.sds.get(r["sd"]))
                for key, r in self.records.items()}

    def losses(self):
        return [g for g in self.gaps if g[1] == "loss"]

    def is_complete(self):
        return bool(self.end) and all(ok for ok, _ in self.done.values()) and not self.losses()


# --- the controller and the source ------------------------------------------------------------------------------

class Bench:
    def __init__(self, drive, work):
        self.drive, self.work = drive, work
        self.n = 0
        self.certificates()
        self.servers = {}

    def openssl(self, *args):
        subprocess.run(["openssl", *args], check=True, capture_output=True, cwd=self.work)

    def certificates(self):
        names = "subjectAltName=DNS:dc1.fake.example,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n"
        with open(self.path("leaf.ext"), "w") as f:
            f.write(names + "extendedKeyUsage=serverAuth\n")
        with open(self.path("client.ext"), "w") as f:
            f.write(names + "extendedKeyUsage=clientAuth\n")
        with open(self.path("bare.ext"), "w") as f:
            f.write("basicConstraints=CA:FALSE\n")
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "90", "-subj", "/CN=Test CA")
        for name, signer, ext in (("dc", "ca", "leaf"), ("other", "ca", "leaf"), ("client", "ca", "client"), ("cnonly", "ca", "bare"),
                                  ("grandchild", "dc", "leaf")):
            self.openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", name + ".key", "-out", name + ".csr", "-subj", "/CN=dc1.fake.example")
            self.openssl("x509", "-req", "-in", name + ".csr", "-CA", signer + ".pem", "-CAkey", signer + ".key", "-CAcreateserial", "-days", "60",
                         "-extfile", ext + ".ext", "-out", name + ".pem")
        self.openssl("x509", "-in", "dc.pem", "-outform", "der", "-out", "dc.cer")
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "self.key", "-out", "self.pem", "-days", "60", "-subj", "/CN=self",
                     "-addext", "subjectAltName=DNS:dc1.fake.example,IP:127.0.0.1")

    def path(self, name):
        return os.path.join(self.work, name)

    def server(self, *args):
        if args not in self.servers:
            self.servers[args] = Server(self, *args)
        return self.servers[args]

    def stop(self):
        for s in self.servers.values():
            s.process.terminate()
            s.process.wait()


class Server:
    def __init__(self, bench, *args):
        bench.n += 1
        base = bench.path("ldapd%d" % bench.n)
        self.bench, self.log = bench, base + ".log"
        self.process = subprocess.Popen([sys.executable, LDAPD, "--port-file", base + ".port", "--control", base + ".ctl", "--log", self.log,
                                         "--users", "60", "--groups", "12", "--tls", bench.path("dc.pem"), bench.path("dc.key"), *args],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.time() + 10
        while not (os.path.exists(base + ".port") and os.path.exists(base + ".ctl")):
            check(time.time() < end and self.process.poll() is None, "the fake controller did not start")
            time.sleep(0.01)
        with open(base + ".port") as f:
            self.port = int(f.read())
        self.control = socket.socket(socket.AF_UNIX)
        self.control.connect(base + ".ctl")
        self.lines = self.control.makefile("rw")
        self.settings = {"domain": "fake.example", "host": "127.0.0.1", "port": self.port, "security": "ldaps", "auth": "simple",
                         "username": "svc-collector@fake.example", "ca_certificate": bench.path("ca.pem"), "page_size": 20,
                         "answer_timeout": "1s", "connect_timeout": "2s"}

    def behave(self, *behaviours):
        self.lines.write(json.dumps({"behaviours": list(behaviours)}) + "\n")
        self.lines.flush()
        answer = json.loads(self.lines.readline())
        check(answer.get("ok"), behaviours, answer)

    def run(self, *behaviours, verb="read", kinds="group,user", password=PASSWORD, deadline_ms=15000, **settings):
        self.behave(*behaviours)
        path = self.bench.path("settings.json")
        with open(path, "w") as f:
            json.dump({**self.settings, **settings}, f)
        began = time.time()
        done = subprocess.run([self.bench.drive, path, verb, kinds], capture_output=True, timeout=60,
                              env={**os.environ, "DRIVE_PASSWORD": password, "DRIVE_DEADLINE_MS": str(deadline_ms)})
        check(done.returncode >= 0 and b"Sanitizer" not in done.stderr, "the source died:", done.returncode, done.stderr[-2000:])
        check(PASSWORD.encode() not in done.stdout + done.stderr, "the password was told")
        stream = Stream(done.stdout)
        stream.took = time.time() - began
        stream.stderr = done.stderr
        return stream

    def logged(self, op):
        with open(self.log) as f:
            return [line for line in map(json.loads, f) if line["op"] == op]


    def binds_since_last_time(self):
        before, self.binds = getattr(self, "binds", 0), len(self.logged("bind"))
        return self.binds - before


def expect_error(s, cls, *says):
    check(s.abort and not s.end, "expected %s, but the run ended" % cls)
    check(s.abort["class"] == cls, "expected %s, got" % cls, s.abort)
    for part in says:
        check(part in s.abort["message"], "'%s' is not in '%s'" % (part, s.abort["message"]))


# --- what is legal changes nothing ------------------------------------------------------------------------------

LEGAL = ("ad-limits", "forced-ranges=1", "forced-ranges=5", "forced-ranges=5,empty=0", "max-page-size=10", "smaller-pages=10", "page-cap=3",
         "no-continuations", "empty-pages=5", "empty-pages=900,page=2", "cookie-repeat", "small-segments=1", "intermediate", "unsolicited", "attr-case=upper",
         "attr-case=lower", "extra-attrs", "bad-range=upper+forced-ranges=5", "bad-range=two-options+forced-ranges=5", "bad-range=one-at-a-time", "bad-paged=huge-size", "many-attrs=1000",
         "ber=nonminimal,level=message,at=entry", "result=busy,times=1,match=group")


@case
def legal_ways_change_nothing(b):
    server = b.server()
    base = server.run(kinds="domain,ou,container,group,foreign_principal,user,service_account,computer,contact,trust,group_policy")
    check(base.is_complete() and len(base.records) > 100, "the plain domain is not complete", base.gaps)
    check(base.end["server"] == "dc1.fake.example" and base.end["requests"] > 10 and base.end["bytes"] > 10000, base.end)
    wanted = {k: v for k, v in base.content().items() if k[0] in ("group", "user")}
    for behaviour in LEGAL:
        s = server.run(*behaviour.split("+"))
        check(s.is_complete(), behaviour, s.abort, s.gaps)
        got = s.content()
        check(got == wanted, behaviour, "changed the content:", next(((wanted.get(k), got.get(k)) for k in {**wanted, **got} if wanted.get(k) != got.get(k)), ""))


@case
def records_hold_what_the_directory_holds(b):
    sys.path.insert(0, os.path.join(HERE, "fake"))
    s = b.server().run(kinds="domain,group,user,computer,service_account")
    people = [r for r in s.records.values() if r["kind"] == "user"]
    check(s.begin["domain"] == "fake.example" and s.begin["netbios"] == "FAKE" and s.begin["has_policy"] and s.begin["base"] == "DC=fake,DC=example", s.begin)
    check(len(bytes.fromhex(s.begin["domain_sid"])) == 24, s.begin)
    check(all(r["sid"].startswith(s.begin["domain_sid"][4:16]) or r["sid"][4:] for r in people), "SIDs")
    one = next(r for r in people if r["state"]["sAMAccountName"] == ["user00007"])
    check(one["state"]["objectClass"] == ["organizationalPerson", "person", "top", "user"], one)
    check(one["state"]["userPrincipalName"] == ["user00007@fake.example"] and one["stats"]["uSNChanged"][0] > 12000, one)
    check(one["state"]["whenCreated"][0] > 10**12 and one["sd"] and not one["no_sd"], one)
    groups = {r["dn"]: set(r["member"]) for r in s.records.values() if r["kind"] == "group"}
    for r in people:
        for dn in r["member_of"]:
            check(r["dn"] in groups[dn], r["dn"], "is not among the members of", dn)
    check(all(r["kind"] == "service_account" for r in s.records.values() if "msDS-GroupManagedServiceAccount" in r["state"]["objectClass"]), "gMSA")
    domain = next(r for r in s.records.values() if r["kind"] == "domain")
    check(domain["state"]["maxPwdAge"][0] > 0 and domain["state"]["forestFunctionality"] == [7], domain)


@case
def settings_choose_what_is_read(b):
    server = b.server()
    everyone = server.run(kinds="user")
    enabled = server.run(kinds="user", extract_disabled_users=False)
    off = [r for r in everyone.records.values() if r["state"]["userAccountControl"][0] & 2]
    check(off and len(enabled.records) == len(everyone.records) - len(off), "extract_disabled_users")
    without = server.run(kinds="user", extract_acls=False)
    check(not without.sds and not any(r["no_sd"] for r in without.records.values()), "extract_acls")
    below = server.run(kinds="user,group", base_dn="OU=People,DC=fake,DC=example")
    check(all(r["dn"].endswith("OU=People,DC=fake,DC=example") for r in below.records.values() if r["kind"] == "user"), "base_dn")
    check(any(not r["dn"].endswith("OU=People,DC=fake,DC=example") for r in below.records.values() if r["kind"] == "group"), "group_scope")
    custom = server.run(kinds="user", custom_properties=[{"name": "codePage", "kind": "user", "type": "integer"}])
    check(any("codePage" in r["state"] for r in custom.records.values()), "custom_properties")
    expect_error(server.run(kinds="user", base_dn="OU=No,DC=fake,DC=example"), "NOTFOUND", "OU=No")
    expect_error(server.run(kinds="user", base_dn="OU=No,DC=elsewhere"), "INPUT", "not in the domain")
    expect_error(server.run(kinds="user", domain="corp.example"), "INPUT", "fake.example", "corp.example")
    check(not server.logged("bind")[-1:] or server.run("bind-error=52e", domain="corp.example").abort["class"] == "INPUT", "a password for another domain")


# --- what ends a run --------------------------------------------------------------------------------------------

GROUPS = "match=group"
ENDS = (
    ("bind-error=52e", "AUTH", "AD 52e"), ("bind-error=775", "AUTH", "account locked"), ("stronger-auth", "DENIED", "LDAP 8"),
    ("bind-result=busy", "LIMIT", "bind as svc-collector@fake.example"), ("no-paging", "PROTO", "control"),
    ("cookie-refused", "COOKIE", "page 2"), ("other-dc=2", "COOKIE", "cookie"), ("endless-same", "PROTO", "repeats pages"),
    ("cookie-loop", "PROTO", "without an entry"), ("endless-empty", "PROTO", "without an entry"), ("endless-entries," + GROUPS, "LIMIT", "messages"),
    ("endless-refs," + GROUPS, "LIMIT", "messages"), ("missing-done," + GROUPS, "TIMEOUT", "after 20 entries of page 1"),
    ("huge-header,who=group0002", "LIMIT", "64 MiB"), ("big-value,who=group0002", "LIMIT", "64 MiB"),
    ("notice," + GROUPS, "NET", "announced"), ("server-request=1," + GROUPS, None), ("stray=unknown," + GROUPS, "PROTO", "not made"),
    ("wrong-id=previous," + GROUPS, "PROTO", "not made"), ("late-entries," + GROUPS, "PROTO", "not made"), ("two-dones," + GROUPS, "PROTO", "not made"),
    ("wrong-type=compare," + GROUPS, "PROTO", "0x6f"), ("bind-twice", "PROTO", "not made"), ("bind-in-progress", "PROTO", "LDAP 14"),
    ("bad-paged=no-control", "PROTO", "paging control"), ("bad-paged=no-value", "PROTO", "paging control"), ("bad-paged=empty-value", "PROTO", "paging control"),
    ("bad-paged=twice-differs", "PROTO", "paging control"), ("bad-paged=big-cookie", "PROTO", "cookie"), ("bad-code=4096", "PROTO", "4096"),
    ("referral=plain," + GROUPS, "INPUT", "referral to ldap://other.example:389"), ("referral=bad-utf8," + GROUPS, "INPUT", "ldap://??/"),
    ("silent=accept", "TIMEOUT", "handshake"), ("silent=bind", "TIMEOUT", "bind"), ("silent=page," + GROUPS, "TIMEOUT", "page 1"),
    ("silent=entry,entries=3," + GROUPS, "TIMEOUT", "after 3 entries of page 1"), ("close=page,page=2," + GROUPS, "NET", "page 2"),
    ("reset=page," + GROUPS, "NET", "list groups"), ("dribble=20", "TIMEOUT", "handshake"), ("dribble=50,from=bound", "TIMEOUT"), ("http", "TLS", "HTTP"),
    ("garbage=random", "TLS"), ("tls-garbage=1," + GROUPS, "PROTO"), ("ber=indefinite,level=message,at=entry", "PROTO", "length"),
    ("nest=10000,where=message", "PROTO"), ("hide-root-attrs=defaultNamingContext", "PROTO", "no Active Directory"),
)


@case
def faults_end_in_a_named_error(b):
    server = b.server()
    for behaviour, cls, *says in ENDS:
        try:
            s = server.run(behaviour)
            if cls:
                expect_error(s, cls, *says)
            check(s.took < 12, "took %.1f s" % s.took)
        except Failed as e:
            raise Failed(behaviour, "-", e)


@case
def a_refused_bind_is_tried_once(b):
    server = b.server()
    for data in ("52e", "533", "775"):
        server.run("bind-error=" + data)
        before = len(server.logged("bind"))
        server.run("bind-error=" + data)
        check(len(server.logged("bind")) == before + 1, "binds", data)
    expect_error(server.run(password="wrong"), "AUTH", "wrong user name or password (LDAP 49, AD 52e)")


@case
def what_is_denied_is_a_gap(b):
    server = b.server()
    for behaviour, words in (("insufficient,match=group", "may not do this"), ("no-such-base,match=group", "no such object"),
                             ("result=timeLimitExceeded,match=group", "time limit")):
        s = server.run(behaviour)
        check(s.end and s.done["group"][0] is False and s.done["user"][0] is True, behaviour, s.abort, s.done)
        check(any(g[0] == "group" and words in g[2] for g in s.losses()), behaviour, s.gaps)


@case
def a_cut_at_any_byte_is_never_complete(b):
    server = b.server()
    whole = server.run()
    total = server.run().end["bytes"]
    step = 1 if os.environ.get("ALL") else 1499
    for n in range(1, total + step, step):
        for how in (("fin",) if step > 1 else ("fin", "rst", "notify")):
            s = server.run("cut-raw=%d,how=%s" % (n, how))
            check(s.abort or s.content() == whole.content(), "cut after", n, "gives a complete run")
            check(not s.abort or s.abort["class"] in ("NET", "TLS", "PROTO"), n, s.abort)


@case
def references_are_never_followed(b):
    server = b.server()
    with socket.socket() as rogue:
        rogue.bind(("127.0.0.1", 0))
        rogue.listen(16)
        rogue.settimeout(0.2)
        target = "127.0.0.1:%d" % rogue.getsockname()[1]
        for how in ("referral", "continuation"):
            for shape in ("plain", "ldaps", "full", "bindname", "starttls-ext", "two", "no-dn", "userinfo", "upper"):
                server.run("%s=%s,target=%s" % (how, shape, target))
        s = server.run("continuation=plain,target=" + target)
        check(s.is_complete() and any("continuation" in g[2] and g[1] == "info" for g in s.gaps), s.gaps)
        try:
            rogue.accept()
            raise Failed("a reference was followed")
        except socket.timeout:
            pass


# --- what is wrong with one entry -------------------------------------------------------------------------------

WRONG = (
    ("bad-guid=short", "loss", "objectGUID"), ("bad-guid=two", "loss", "objectGUID"), ("bad-guid=zero", "loss", "objectGUID"), ("no-guid", "loss", "objectGUID"),
    ("no-attrs", "loss", "objectGUID"), ("bad-dn=empty", "loss", "DN"), ("bad-dn=bad-utf8", "loss", "DN"), ("bad-dn=nul", "loss", "DN"),
    ("bad-sid=truncated", "info", "objectSid"), ("two-sids", "info", "objectSid"), ("bad-utf8=ff", "info", "displayName"),
    ("bad-utf8=surrogate", "info", "displayName"), ("nul=sAMAccountName", "info", "sAMAccountName"), ("bad-number=text", "info", "userAccountControl"),
    ("bad-number=2e64", "info", "userAccountControl"), ("bad-time=feb-30", "info", "whenCreated"), ("bad-filetime=text", "info", "pwdLastSet"),
    ("bad-dn-value=bad-utf8", "info", "manager"), ("second-value=sAMAccountName", "info", "sAMAccountName"), ("duplicate-attr=mail", "info", "mail"),
    ("bad-sd=truncated", "info", "descriptors"), ("bad-sd=garbage", "info", "descriptors"), ("no-descriptors", "info", "descriptors"),
    ("bad-member=ff", "loss", "member"), ("bad-member=nul", "loss", "member"),
) + tuple(("bad-range=%s+forced-ranges=5" % v, "loss", "to their end") for v in
          "loop skip overlap backwards text no-high no-dash empty huge negative never-star fewer-than-said no-progress".split()) + tuple(
    ("bad-range=%s,attr=memberOf,step=1+forced-ranges=5" % v, "loss", "to their end") for v in "loop skip text empty huge no-progress".split())


@case
def a_wrong_entry_is_one_gap(b):
    server = b.server()
    whole = server.run()
    for behaviour, severity, words in WRONG:
        s = server.run(*behaviour.split("+"))
        check(s.end, behaviour, s.abort)
        found = [g for g in s.gaps if g[1] == severity and words in g[2]]
        check(found, behaviour, "told nothing of", words, s.gaps)
        check(len(whole.records) - 1 <= len(s.records) <= len(whole.records), behaviour, len(s.records))
        if "bad-dn" not in behaviour:
            check(found[0][3].startswith("CN="), behaviour, "names no example", found)


@case
def classes_are_trusted(b):
    s = b.server().run("bad-class=computer", kinds="user,computer")
    check(s.is_complete() and any(r["kind"] == "computer" and r["state"]["sAMAccountName"] == ["user00002"] for r in s.records.values()), "not a computer")


# --- TLS --------------------------------------------------------------------------------------------------------

TLS = (
    ("dc", {}, None), ("dc", {"ca_certificate": "dc.pem"}, None), ("dc", {"ca_certificate": "dc.cer"}, None), ("self", {"ca_certificate": "self.pem"}, None),
    ("dc", {"certificate_name": "dc1.fake.example"}, None), ("dc", {"certificate_name": "dc9.fake.example"}, "dc9.fake.example"),
    ("dc", {"ca_certificate": "dc.pem", "certificate_name": "dc9.fake.example"}, "dc9.fake.example"), ("other", {"ca_certificate": "dc.pem"}, "pinned"),
    ("grandchild", {"ca_certificate": "dc.pem"}, ""), ("self", {}, "self-signed"), ("dc", {"ca_certificate": "self.pem"}, ""), ("dc", {"ca_certificate": None}, "issue"),
    ("client", {}, "server authentication"), ("cnonly", {}, "subject alternative name"),
)


@case
def certificates_are_judged(b):
    server = b.server()
    for name, settings, says in TLS:
        settings = {k: b.path(v) if v and k == "ca_certificate" else v for k, v in settings.items()}
        server.binds_since_last_time()
        s = server.run("cert=%s:%s" % (b.path(name + ".pem"), b.path(name + ".key")), kinds="group", **settings)
        if says is None:
            check(s.end, name, settings, s.abort)
        else:
            check(not server.binds_since_last_time(), name, settings, "a password travelled")
            check(s.abort and s.abort["class"] == "TLS" and says in s.abort["message"], name, settings, s.abort)
    expect_error(server.run(ca_certificate="/nonexistent"), "INPUT", "/nonexistent")


@case
def starttls_is_strict(b):
    server = b.server("--starttls")
    check(server.run(security="starttls").is_complete(), "StartTLS does not work")
    for behaviour in ("starttls-refused=unavailable", "starttls-inject=bind", "starttls-inject=entry", "starttls-inject=byte", "starttls-plain"):
        before = len(server.logged("bind"))
        expect_error(server.run(behaviour, security="starttls"), "TLS")
        check(len(server.logged("bind")) == before, behaviour, "a password travelled")
    expect_error(server.run("starttls-silent", security="starttls"), "TIMEOUT")


# --- check and discover -----------------------------------------------------------------------------------------

def verdicts(s):
    return {step["name"]: step["verdict"] for step in s.steps}


STEPS = "settings secret dns tcp tls root_dse clock controllers bind base_dn sample permissions account".split()


@case
def check_tells_each_step(b):
    server = b.server()
    s = server.run(verb="check", kinds="user,group")
    check([step["name"] for step in s.steps] == STEPS and s.end, s.steps)
    check(set(verdicts(s).values()) == {"ok"}, verdicts(s))
    for behaviour, step, verdict, words in (
            ("bind-error=775", "bind", "fail", "account locked"), ("clock-skew=90", "clock", "warn", "ahead"), ("clock-skew=-4000", "clock", "fail", "behind"),
            ("no-descriptors", "permissions", "warn", "0 of"), ("deny-attrs=userAccountControl", "sample", "warn", "userAccountControl"),
            ("no-gc-ready", "root_dse", "warn", "synchronized"), ("silent=accept", "tls", "fail", "")):
        s = server.run(behaviour, verb="check", kinds="user,group")
        found = next(x for x in s.steps if x["name"] == step)
        check(found["verdict"] == verdict and words in found["evidence"], behaviour, found)
        check(found.get("fix") or not words, behaviour, "has no fix", found)
        check(s.end and len(s.steps) == len(STEPS), behaviour, "ended early")
        if step == "bind":
            check(verdicts(s)["account"] == "skip" and len(server.logged("bind")) >= 1, s.steps)
    s = server.run(verb="check", domain="corp.example")
    check(verdicts(s)["root_dse"] == "fail" and verdicts(s)["bind"] == "skip", s.steps)
    s = server.run(verb="check", port=1)
    check(verdicts(s)["tcp"] == "fail" and verdicts(s)["tls"] == "skip", s.steps)
    s = server.run(verb="check", security="ldap")
    check(verdicts(s)["settings"] == "fail" and verdicts(s)["dns"] == "skip", s.steps)


@case
def discover_counts(b):
    server = b.server()
    s = server.run(verb="discover", kinds="user,group,computer")
    listed = server.run(kinds="user,group,computer")
    for step in s.steps:
        check(step["detail"]["count"] == listed.done[step["name"]][1], step["name"], step["detail"]["count"])
        names = {a["name"]: a for a in step["detail"]["attributes"]}
        check(names["objectGUID"]["collected"] and names["objectGUID"]["filled"], step["name"])
    check(len(s.steps) == 3 and s.end, s.steps)


def main():
    args = [a for a in sys.argv[1:] if a != "-v"]
    if not args or not shutil.which("openssl"):
        print("skipped: needs the path of source-drive, and openssl")
        return 77
    work = tempfile.mkdtemp(prefix="source-test-")
    bench = Bench(os.path.abspath(args[0]), work)
    failed = 0
    try:
        for f in CASES:
            if len(args) > 1 and not re.search(args[1], f.__name__):
                continue
            began = time.time()
            try:
                f(bench)
                print("ok   %-45s %.1f s" % (f.__name__, time.time() - began), flush=True)
            except Exception as e:  # each case is reported, then the next one runs
                failed += 1
                print("FAIL %s: %s" % (f.__name__, e if isinstance(e, Failed) else traceback.format_exc()), flush=True)
    finally:
        bench.stop()
        shutil.rmtree(work, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
