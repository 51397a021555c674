#!/usr/bin/python3
"""test_ldapd - checks that each behaviour of the fake controller does on the wire what its table says.

    python3 tests/fake/test_ldapd.py [-v] [PATTERN]

Needs openssl (certificates) and ldapsearch; a case that lacks one of them is counted as skipped.
"""

import json
import os
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True
import anomalies as odd  # noqa: E402
import ber  # noqa: E402
import directory as ad  # noqa: E402
import session  # noqa: E402

LDAPD = os.path.join(HERE, "ldapd.py")
USERS, GROUPS = 30, 10
PASSWORD = "Collector-1"
CASES = []
COVERED = set()


class Failed(Exception):
    pass


class Skip(Exception):
    pass


def check(condition, *what):
    if not condition:
        raise Failed(" ".join(str(w) for w in what) or "check failed")


def equal(got, want, what=""):
    check(got == want, "%s got %r, wanted %r" % (what, got, want))


def case(*behaviours, name=None):
    """Registers a case; the behaviours named are those it covers."""
    def register(f):
        CASES.append((name or f.__name__, f))
        COVERED.update(behaviours)
        return f
    return register


# --- servers ----------------------------------------------------------------------------------------------------

class Server:
    def __init__(self, work, tag, *args):
        self.tag, self.base = tag, os.path.join(work, tag)
        self.port_file, self.log_file, self.control_path = self.base + ".port", self.base + ".log", self.base + ".ctl"
        self.process = subprocess.Popen([sys.executable, LDAPD, "--port-file", self.port_file, "--log", self.log_file, "--control",
                                         self.control_path, "--users", str(USERS), "--groups", str(GROUPS), *args], stdout=subprocess.DEVNULL)
        end = time.time() + 10
        while not os.path.exists(self.port_file):
            check(time.time() < end and self.process.poll() is None, "server did not start")
            time.sleep(0.01)
        self.port = int(open(self.port_file).read())
        self.ctl = socket.socket(socket.AF_UNIX)
        self.ctl.connect(self.control_path)
        self.ctl_file = self.ctl.makefile("rw")

    def order(self, **what):
        self.ctl_file.write(json.dumps(what) + "\n")
        self.ctl_file.flush()
        answer = json.loads(self.ctl_file.readline())
        check(answer["ok"], answer)
        return answer

    def set(self, *behaviours):
        self.order(behaviours=list(behaviours))
        open(self.log_file, "w").close()

    def last(self, op):
        """The newest record of this kind; waits for the first."""
        end = time.time() + 5
        while not self.log(op):
            check(time.time() < end, "no record of", op)
            time.sleep(0.005)
        return self.log(op)[-1]

    def log(self, op=None):
        records = [json.loads(line) for line in open(self.log_file, encoding="utf-8")]
        return [r for r in records if op is None or r["op"] == op]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(5)


PLAIN = TLS = START = None
WORK = CA = CERT = KEY = CERT2 = KEY2 = None


def make_certificates():
    global CA, CERT, KEY, CERT2, KEY2
    if not shutil.which("openssl"):
        return

    def run(*args):
        subprocess.run(["openssl", *args], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=WORK)

    run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key", "-out", "ca.crt",
        "-days", "30", "-subj", "/CN=fake CA")
    for name in ("one", "two"):
        with open(os.path.join(WORK, "ext"), "w") as f:
            f.write("subjectAltName=DNS:localhost,DNS:dc1.fake.example,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")
        run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", name + ".key", "-out", name + ".csr",
            "-subj", "/CN=dc1.fake.example")
        run("x509", "-req", "-in", name + ".csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30", "-extfile", "ext",
            "-out", name + ".crt")
    CA, CERT, KEY, CERT2, KEY2 = (os.path.join(WORK, f) for f in ("ca.crt", "one.crt", "one.key", "two.crt", "two.key"))


# --- a small client that hides nothing --------------------------------------------------------------------------

def eq(attr, value):
    return ber.tlv(0xA3, ber.octets(attr), ber.octets(value))


def present(attr):
    return ber.octets(attr, 0x87)


def both(*kids):
    return ber.tlv(0xA0, *kids)


ANY = present("objectClass")
PEOPLE = both(eq("objectCategory", "person"), eq("objectClass", "user"))
SD7 = ber.control("1.2.840.113556.1.4.801", ber.seq(ber.integer(7)), True)


class Message:
    def __init__(self, raw):
        self.raw = raw
        r = ber.Reader(raw).sub(0x30)
        self.id = r.int()
        self.tag, op = r.element()
        self.controls = []
        if self.tag == 0x64:
            self.dn = op.bytes()
            self.attrs, attrs = [], op.sub(0x30)
            while attrs.more():
                one = attrs.sub(0x30)
                name, values, found = one.bytes(), one.sub(0x31), []
                while values.more():
                    found.append(values.bytes())
                self.attrs.append((name.decode("latin-1"), found))
        elif self.tag == 0x73:
            self.uris = []
            while op.more():
                self.uris.append(op.bytes())
        elif self.tag & 0x60 == 0x60 and self.tag not in (0x63, 0x79, 0x60):
            self.code, self.matched, self.text = op.int(0x0A), op.bytes(), op.bytes()
            self.referral = self.oid = None
            while op.more():
                tag, inner = op.element()
                if tag == 0xA3:
                    self.referral = []
                    while inner.more():
                        self.referral.append(inner.bytes())
                elif tag == 0x8A:
                    self.oid = inner.rest().decode()
                elif tag == 0x8B:
                    self.value = inner.rest()
        if r.more():
            self.controls = ber.read_controls(r.sub(0xA0))

    def get(self, name):
        return next((v for n, v in self.attrs if n.lower() == name.lower()), None)

    def names(self):
        return [n for n, _ in self.attrs]


class Answer:
    def __init__(self, messages):
        self.messages = messages
        self.entries = [m for m in messages if m.tag == 0x64]
        self.refs = [m for m in messages if m.tag == 0x73]
        self.done = next((m for m in messages if m.tag == 0x65), None)
        self.cookie = None
        for oid, _, value in self.done.controls if self.done else ():
            if oid == odd.PAGED_OID:
                r = ber.Reader(value).sub(0x30)
                r.int()
                self.cookie = r.bytes()

    def sams(self):
        return [(e.get("sAMAccountName") or [b"?"])[0].decode("latin-1") for e in self.entries]

    def entry(self, sam):
        return next((e for e in self.entries if (e.get("sAMAccountName") or [b""])[0] == sam.encode()), None)


class Closed(Exception):
    pass


class Client:
    def __init__(self, server, tls=None, timeout=3):
        self.sock = socket.create_connection(("127.0.0.1", server.port), timeout)
        self.buf, self.mid, self.server = b"", 0, server
        if tls if tls is not None else server is TLS:
            self.start_tls()

    def start_tls(self):
        context = ssl.create_default_context(cafile=CA)
        context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
        self.sock = context.wrap_socket(self.sock, server_hostname="localhost", suppress_ragged_eofs=False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, op, controls=(), mid=None):
        self.mid += 1
        self.sock.sendall(ber.message(self.mid if mid is None else mid, op, controls))

    def read_raw(self):
        """The bytes of the next message."""
        while True:
            size = ber.frame_size(self.buf)
            if size is not None:
                raw, self.buf = self.buf[:size], self.buf[size:]
                return raw
            try:
                data = self.sock.recv(65536)
            except ConnectionResetError:
                raise Closed("reset")
            if not data:
                raise Closed("fin")
            self.buf += data

    def read(self):
        return Message(self.read_raw())

    def rest(self, timeout=3):
        """All further bytes, and how the stream ended: fin, reset or open."""
        out, self.buf = self.buf, b""
        self.sock.settimeout(timeout)
        while True:
            try:
                data = self.sock.recv(65536)
            except socket.timeout:
                return out, "open"
            except (ConnectionResetError, ssl.SSLError):
                return out, "reset"
            if not data:
                return out, "fin"
            out += data

    def bind(self, name="svc-collector@fake.example", password=PASSWORD):
        self.send(ber.tlv(0x60, ber.integer(3), ber.octets(name), ber.octets(password, 0x80)))
        return self.read()

    def request(self, base=ad.DOMAIN_DN, scope=2, flt=PEOPLE, attrs=("sAMAccountName", "objectGUID"), controls=(), size=None, cookie=b"", limit=0):
        controls = list(controls)
        if size is not None:
            controls.append(ber.control(odd.PAGED_OID, ber.seq(ber.integer(size), ber.octets(cookie)), True))
        self.send(ber.tlv(0x63, ber.octets(base), ber.enum(scope), ber.enum(0), ber.integer(limit), ber.integer(0), ber.boolean(False), flt,
                          ber.seq(*[ber.octets(a) for a in attrs])), controls)

    def search(self, *args, **kw):
        self.request(*args, **kw)
        messages = []
        while True:
            m = self.read()
            messages.append(m)
            if m.tag == 0x65:
                return Answer(messages)

    def pages(self, size=10, most=50, **kw):
        out, cookie = [], b""
        while len(out) < most:
            out.append(self.search(size=size, cookie=cookie, **kw))
            cookie = out[-1].cookie
            if not cookie or out[-1].done.code:
                break
        return out


def bound(server=None, **kw):
    client = Client(server or PLAIN, **kw)
    equal(client.bind().code, 0, "bind")
    return client


ALL_SAMS = None


def honest():
    """sAMAccountNames of all people, from a server without behaviours."""
    global ALL_SAMS
    if ALL_SAMS is None:
        d = ad.Directory(USERS, GROUPS)
        ALL_SAMS = [e.text("sAMAccountName") for e in d.entries
                    if b"user" in e.get("objectClass") and b"computer" not in e.get("objectClass") and not e.deleted]
    return list(ALL_SAMS)


def sams(pages):
    return [s for page in pages for s in page.sams()]


def ldapsearch(server, *args, url=None, timeout=10, bind=True, env=None):
    if not shutil.which("ldapsearch"):
        raise Skip("no ldapsearch")
    url = url or "ldap://127.0.0.1:%d" % server.port
    who = ["-D", "FAKE\\svc-collector", "-w", PASSWORD] if bind else []
    full = dict(os.environ, LDAPNOINIT="1", **({} if env is None else env))
    full.pop("LDAPNOINIT")
    full.update(LDAPTLS_CACERT=CA or "", LDAPTLS_REQCERT="hard", LDAPRC="/nonexistent")
    p = subprocess.run(["ldapsearch", "-x", "-LLL", "-o", "ldif-wrap=no", "-H", url, *who, *args], stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, timeout=timeout, env=full)
    return p.returncode, p.stdout.decode("utf-8", "replace"), p.stderr.decode("utf-8", "replace")


# --- the honest controller --------------------------------------------------------------------------------------

@case()
def honest_ldapsearch_pages():
    PLAIN.set()
    rc, out, err = ldapsearch(PLAIN, "-b", ad.DOMAIN_DN, "-E", "pr=7/noprompt", "(&(objectCategory=person)(objectClass=user))", "sAMAccountName")
    equal(rc, 0, err)
    equal(re.findall(r"sAMAccountName: (.*)", out), honest())
    equal(out.count("ref: ldap://") + out.count("refldap://"), 3, "continuation references")
    sizes = [c["size"] for r in PLAIN.log("search") for c in r["controls"]]
    equal(sizes, 5 * [7], "pages logged")


@case()
def honest_root_dse():
    PLAIN.set()
    rc, out, err = ldapsearch(PLAIN, "-b", "", "-s", "base", bind=False)
    equal(rc, 0, err)
    for name in ("defaultNamingContext: DC=fake,DC=example", "dnsHostName: dc1.fake.example", "isGlobalCatalogReady: TRUE",
                 "domainFunctionality: 7", "highestCommittedUSN: ", "currentTime: ", "ldapServiceName: ", "dsServiceName: ",
                 "supportedControl: 1.2.840.113556.1.4.319"):
        check(name in out, name, "missing")


@case()
def honest_bind_forms():
    PLAIN.set()
    for name in ("svc-collector@fake.example", "FAKE\\svc-collector", "CN=svc-collector,CN=Users,DC=fake,DC=example"):
        with Client(PLAIN) as c:
            equal(c.bind(name).code, 0, name)
            c.send(ber.tlv(0x77, ber.octets(session.WHOAMI, 0x80)))
            equal(c.read().value, b"u:FAKE\\svc-collector", "whoami")


@case()
def honest_bind_refusals():
    PLAIN.set()
    d = ad.Directory(USERS, GROUPS)
    found = {}
    for i in range(1, USERS + 1):
        with Client(PLAIN) as c:
            m = c.bind("FAKE\\user%05d" % i)
            found.setdefault(m.code and re.search(rb"data (\w+)", m.text).group(1).decode(), i)
    equal(sorted(str(k) for k in found), ["0", "533", "701", "773", "775"], "account states")
    with Client(PLAIN) as c:
        m = c.bind("FAKE\\nobody")
        equal((m.code, b"data 52e" in m.text, m.text[-1:]), (49, True, b"\0"), "unknown user")
        m = c.bind(password="wrong")
        equal((m.code, b"data 52e" in m.text), (49, True))
        equal(c.bind(password="").code, 0, "unauthenticated bind")
        equal(c.search().done.code, 1, "search as anonymous")
    check(d.usn > ad.FIRST_USN)


@case()
def honest_password_not_logged():
    PLAIN.set()
    with Client(PLAIN) as c:
        c.bind(password="S3cret-canary")
        c.bind()
    text = open(PLAIN.log_file).read()
    check("S3cret-canary" not in text and PASSWORD not in text, "password in the log")
    equal(len(PLAIN.log("bind")), 2)


@case()
def honest_filters():
    PLAIN.set()
    for flt, want in (
            ("(sAMAccountName=USER00003)", 1), ("(sAMAccountName=user0000*)", 9), ("(sAMAccountName=*r0000*)", 9), ("(cn=*zzz*)", 0),
            ("(&(objectClass=user)(userAccountControl:1.2.840.113556.1.4.803:=2)(sAMAccountName=user*))", 3),
            ("(&(sAMAccountName=user*)(!(userAccountControl:1.2.840.113556.1.4.803:=2)))", 28),
            ("(&(sAMAccountName=user*)(|(sAMAccountName=user00001)(sAMAccountName=user00002)))", 2),
            ("(&(sAMAccountName=user*)(uSNChanged>=12046))", 20), ("(&(sAMAccountName=user*)(uSNChanged<=12046))", 12),
            ("(objectClass=group)", GROUPS + 17), ("(objectCategory=group)", GROUPS + 17), ("(objectClass=computer)", 5),
            ("(memberOf=CN=Ring A,OU=Groups,DC=fake,DC=example)", 1),
            ("(memberOf:1.2.840.113556.1.4.1941:=CN=Ring A,OU=Groups,DC=fake,DC=example)", 3),
            ("(objectSid=\\01\\05\\00\\00\\00\\00\\00\\05\\15\\00\\00\\00\\dc\\f4\\dc;\\83=+F\\82\\8b\\a6\\28\\d3\\07\\00\\00)", 1),
            ("(displayName=Günter*)", 2), ("(isDeleted=TRUE)", 0), ("(!(objectClass=*))", 0)):
        rc, out, err = ldapsearch(PLAIN, "-b", ad.DOMAIN_DN, flt, "1.1")
        equal((rc, out.count("dn:")), (0, want), flt + err)


@case()
def honest_scopes_and_bases():
    PLAIN.set()
    with bound() as c:
        equal(len(c.search("OU=People," + ad.DOMAIN_DN, 1, ANY).entries), 6, "one level")
        equal(c.search("OU=Paris,OU=People," + ad.DOMAIN_DN, 0, ANY, ["ou"]).entries[0].attrs, [("ou", [b"Paris"])])
        guid = c.search(flt=eq("sAMAccountName", "user00009")).entries[0].get("objectGUID")[0]
        equal(c.search("<GUID=%s>" % guid.hex(), 0, ANY).sams(), ["user00009"])
        a = c.search("OU=Nowhere,OU=People," + ad.DOMAIN_DN)
        equal((a.done.code, a.done.matched), (32, b"OU=People," + ad.DOMAIN_DN.encode()))
        equal(c.search("nonsense").done.code, 34)
        a = c.search("DC=far,DC=example")
        equal((a.done.code, a.done.referral), (10, [b"ldap://far.example/DC=far,DC=example"]))
        equal(len(c.search("CN=Partitions," + ad.CONFIG_DN, 2, eq("nETBIOSName", "FAKE")).entries), 1)
        equal(c.search(limit=3).done.code, 4, "size limit of the request")


@case()
def honest_descriptors():
    PLAIN.set()
    with bound() as c:
        attrs = ("sAMAccountName", "nTSecurityDescriptor")
        equal(c.search(attrs=attrs).entries[3].names(), ["sAMAccountName"], "without the control")
        for e in c.search(attrs=attrs, controls=[SD7]).entries:
            sd = e.get("nTSecurityDescriptor")[0]
            revision, _, control, owner, group, sacl, dacl = struct.unpack_from("<BBHIIII", sd)
            check(revision == 1 and control & 0x8004 == 0x8004 and sacl == 0 and owner and group and dacl)
            size, count = struct.unpack_from("<HH", sd, dacl + 2)
            at = dacl + 8
            for _ in range(count):
                at += struct.unpack_from("<H", sd, at + 2)[0]
            equal(at, dacl + size, "DACL walks to its end")
        sd = c.search(attrs=attrs, controls=[ber.control("1.2.840.113556.1.4.801", ber.seq(ber.integer(1)))]).entries[3].get("nTSecurityDescriptor")[0]
        equal(struct.unpack_from("<III", sd, 8), (0, 0, 0), "owner only")
        equal(c.search(attrs=attrs, controls=[ber.control("1.2.840.113556.1.4.801", ber.seq(ber.integer(15)))]).entries[3].names(), ["sAMAccountName"])


@case()
def honest_ranges():
    PLAIN.set()
    staff = "CN=All Staff,OU=Groups," + ad.DOMAIN_DN
    with bound() as c:
        equal(len(c.search(staff, 0, ANY, ["member"]).entries[0].get("member")), USERS)
        e = c.search(staff, 0, ANY, ["member;range=0-9"]).entries[0]
        equal((e.names(), len(e.attrs[0][1])), (["member;range=0-9"], 10))
        e = c.search(staff, 0, ANY, ["member;range=10-*"]).entries[0]
        equal((e.names(), len(e.attrs[0][1])), (["member;range=10-*"], USERS - 10))
        equal(c.search(staff, 0, ANY, ["member;range=5000-*"]).entries[0].attrs, [])


@case()
def honest_links_agree():
    PLAIN.set()
    with bound() as c:
        up, down = set(), set()
        for e in c.search(flt=ANY, attrs=("member", "memberOf")).entries:
            down.update((v, e.dn) for v in e.get("member") or ())
            up.update((e.dn, v) for v in e.get("memberOf") or ())
    check(len(up) > 100 and up == down, "memberOf and member disagree")


@case()
def honest_cookie_is_bound():
    PLAIN.set()
    with bound() as c, bound() as other:
        cookie = c.search(size=5).cookie
        equal(other.search(size=5, cookie=cookie).done.code, 53, "cookie on another connection")
        equal(len(c.search(size=5, cookie=cookie).entries), 5)
        equal(c.search(size=5, cookie=cookie).done.code, 53, "cookie used twice")


@case()
def honest_controls():
    PLAIN.set()
    with bound() as c:
        equal(c.search(controls=[ber.control("1.2.3", None, True)]).done.code, 12, "critical and unknown")
        equal(c.search(controls=[ber.control("1.2.3")]).done.code, 0)
        gone = eq("isDeleted", "TRUE")
        equal(len(c.search(flt=gone).entries), 0)
        a = c.search(flt=gone, controls=[ber.control(session.SHOW_DELETED, None, True)])
        equal(len(a.entries), 2)
        check(b"\\0ADEL:" in a.entries[0].dn)
        equal(len(c.search(flt=gone, controls=[ber.control(session.DOMAIN_SCOPE, None, True)]).refs), 0)


@case("dirsync-open")
def dirsync():
    PLAIN.set()

    def ask(c, flags, cookie, size=1 << 20):
        a = c.search(flt=ANY, controls=[ber.control(session.DIRSYNC, ber.seq(ber.integer(flags), ber.integer(size), ber.octets(cookie)), True)])
        if a.done.code:
            return a, None, None
        r = ber.Reader(a.done.controls[0][2]).sub(0x30)
        return a, r.int(), (r.int(), r.bytes())[1]
    with bound() as c:
        equal(ask(c, 0, b"")[0].done.code, 50)
        total, cookie, more = 0, b"", 1
        while more:
            a, more, cookie = ask(c, 1, cookie, 100000)
            total += len(a.entries)
        check(total > USERS + GROUPS, total)
        equal(len(ask(c, 1, cookie)[0].entries), 0, "nothing new")
        equal(ask(c, 1, b"junk")[0].done.code, 53)
    try:
        PLAIN.order(directory={"changed": 4})
        with bound() as c:
            equal(sorted(ask(c, 1, cookie)[0].sams()), ["user%05d" % i for i in range(1, 5)])
    finally:
        PLAIN.order(directory={})
    PLAIN.set("dirsync-open")
    with bound() as c:
        equal(ask(c, 0, b"")[0].done.code, 0)


@case()
def honest_changed_users():
    def state():
        with bound() as c:
            return {e.get("objectGUID")[0]: (e.get("department"), e.get("uSNChanged")) for e in c.search(attrs=("objectGUID", "department", "uSNChanged")).entries}
    PLAIN.set()
    first = state()
    equal(first, state(), "two runs")
    try:
        PLAIN.order(directory={"changed": 3})
        second = state()
    finally:
        PLAIN.order(directory={})
    equal(sum(first[g] != second[g] for g in first), 3)


@case()
def qualifiers():
    PLAIN.set("result=busy,conn=2,times=1,match=objectClass=user")
    codes = []
    for _ in range(3):
        with bound() as c:
            codes += [c.search(flt=eq("objectClass", "group")).done.code, c.search().done.code, c.search().done.code]
    equal(codes, [0, 0, 0, 0, 51, 0, 0, 0, 0])
    PLAIN.set("result=busy,search=2-3")
    with bound() as c:
        equal([c.search().done.code for _ in range(4)], [0, 51, 51, 0])
    PLAIN.set("result=busy,base=CN=Users,DC=fake,DC=example")  # a comma ends the value: the base is CN=Users
    PLAIN.order(behaviours=[{"name": "result", "arg": "busy", "base": "CN=Users,DC=fake,DC=example"}])
    with bound() as c:
        equal([c.search().done.code, c.search("CN=Users," + ad.DOMAIN_DN).done.code], [0, 51])


# --- limits -----------------------------------------------------------------------------------------------------

STAFF = "CN=All Staff,OU=Groups," + ad.DOMAIN_DN


@case("forced-ranges", "range-past-end")
def forced_ranges():
    PLAIN.set("forced-ranges=12")
    with bound() as c:
        e = c.search(STAFF, 0, ANY, ["member"]).entries[0]
        equal([(n, len(v)) for n, v in e.attrs], [("member", 0), ("member;range=0-11", 12)])
        found, low = list(e.attrs[1][1]), 12
        while True:
            name, values = c.search(STAFF, 0, ANY, ["member;range=%d-*" % low]).entries[0].attrs[0]
            found += values
            if name.endswith("*"):
                break
            low += len(values)
        equal(len(set(found)), USERS)
        equal(c.search(STAFF, 0, ANY, ["member;range=900-*"]).done.code, 0)
    PLAIN.set("forced-ranges=12,empty=0", "range-past-end")
    with bound() as c:
        equal(c.search(STAFF, 0, ANY, ["member"]).entries[0].names(), ["member;range=0-11"])
        equal(c.search(STAFF, 0, ANY, ["member;range=900-*"]).done.code, 1)


@case("bad-range")
def bad_range():
    seen = set()
    for variant in odd.BAD_RANGES:
        PLAIN.set("bad-range=" + variant)
        with bound() as c:
            e = c.search(STAFF, 0, ANY, ["member"]).entries[0]
            f = c.search(STAFF, 0, ANY, ["member;range=5-*"]).entries[0]
            seen.add((e.names()[0], len(e.attrs[0][1]), f.names()[0], len(f.attrs[0][1])))
    equal(len(seen), len(odd.BAD_RANGES), "each variant differs")


@case("max-page-size", "ad-limits")
def max_page_size():
    PLAIN.set("max-page-size=6")
    with bound() as c:
        a = c.search()
        equal((a.done.code, len(a.entries)), (4, 6))
        pages = c.pages(1000)
        equal([len(p.entries) for p in pages], [6, 6, 6, 6, 6, 4])
        equal(sams(pages), honest())
    PLAIN.set("ad-limits")
    with bound() as c:
        equal(c.search().done.code, 0)


@case("page-cap", "empty-pages", "smaller-pages", "no-paging")
def paging_variants():
    PLAIN.set("page-cap=7")
    with bound() as c:
        equal(sams(c.pages(1000)), honest())
    PLAIN.set("empty-pages=3")
    with bound() as c:
        equal([len(p.entries) for p in c.pages(20)], [0, 0, 0, 20, 14])
    PLAIN.set("empty-pages=2,page=2")
    with bound() as c:
        equal([len(p.entries) for p in c.pages(20)], [20, 0, 0, 14])
    for code, want in (("adminLimitExceeded", 11), ("busy", 51)):
        PLAIN.set("smaller-pages=10,code=" + code)
        with bound() as c:
            equal([c.search(size=11).done.code, c.search(size=10).done.code], [want, 0])
    PLAIN.set("no-paging")
    with bound() as c:
        equal(c.search(size=5).done.code, 12)
        a = c.search(controls=[ber.control(odd.PAGED_OID, ber.seq(ber.integer(5), ber.octets(b"")))])
        equal((a.done.code, len(a.entries), a.cookie), (0, len(honest()), None))


@case("no-continuations", "admin", "no-descriptors", "deny-attrs", "hide", "hide-root-attrs")
def visibility():
    PLAIN.set()
    pso = eq("objectClass", "msDS-PasswordSettings")
    with bound() as c:
        equal((len(c.search().refs), len(c.search(flt=pso).entries)), (3, 0))
    PLAIN.set("no-continuations", "admin", "no-descriptors", "deny-attrs=userAccountControl:mail", "hide=user00004", "hide-root-attrs=dnsHostName:currentTime")
    with bound() as c:
        a = c.search(attrs=("sAMAccountName", "nTSecurityDescriptor", "userAccountControl", "mail"), controls=[SD7])
        equal(len(a.refs), 0)
        equal({n for e in a.entries for n in e.names()}, {"sAMAccountName"})
        equal(sorted(set(honest()) - set(a.sams())), ["user00004"])
        equal(len(c.search(flt=present("mail")).entries), 0, "denied attributes match nothing")
        equal(len(c.search(flt=pso).entries), 1)
        names = c.search("", 0, ANY, ()).entries[0].names()
        check("dnsHostName" not in names and "currentTime" not in names and "serverName" in names)


@case("writable")
def writable():
    def modify(c, dn, op, attr, *values):
        c.send(ber.tlv(0x66, ber.octets(dn), ber.seq(ber.seq(ber.enum(op), ber.attribute(attr, values)))))
        return c.read().code
    dn = "CN=Empty,OU=Groups," + ad.DOMAIN_DN
    person = ad.Directory(USERS, GROUPS).by_sam["user00002"].dn
    PLAIN.set()
    with bound() as c:
        equal(modify(c, dn, 0, "member", person), 50)
    PLAIN.set("writable")
    try:
        with bound() as c:
            equal(modify(c, dn, 0, "member", person), 0)
            equal(modify(c, dn, 0, "member", person), 20)
            check(dn.encode() in c.search(flt=eq("sAMAccountName", "user00002"), attrs=["memberOf"]).entries[0].get("memberOf"))
            equal(modify(c, dn, 1, "member", person), 0)
            equal(modify(c, dn, 1, "member", person), 16)
            equal(modify(c, person, 2, "userAccountControl", "514"), 0)
            equal(modify(c, person, 2, "unicodePwd", "\"canary-pw\""), 0)
            equal(c.search(flt=eq("sAMAccountName", "user00002"), attrs=["userAccountControl"]).entries[0].attrs, [("userAccountControl", [b"514"])])
            equal(modify(c, "CN=Nobody," + ad.DOMAIN_DN, 2, "title", "x"), 32)
        check("canary-pw" not in open(PLAIN.log_file).read())
    finally:
        PLAIN.order(directory={})


# --- refusals ---------------------------------------------------------------------------------------------------

@case("bind-error", "bind-result", "channel-binding", "stronger-auth")
def bind_refusals():
    for data in list(odd.BIND_ERRORS) + ["80090302"]:
        PLAIN.set("bind-error=" + data)
        with Client(PLAIN) as c:
            m = c.bind()
            equal((m.code, b"AcceptSecurityContext error, data %s, v" % data.encode() in m.text), (49, True), data)
            equal(c.search().done.code, 1, "not bound")
    for name, code in (("busy", 51), ("unavailable", 52), ("invalidCredentials", 49), ("other", 80), ("12345", 12345)):
        PLAIN.set("bind-result=" + name)
        with Client(PLAIN) as c:
            equal(c.bind().code, code)
    PLAIN.set("channel-binding")
    with Client(PLAIN) as c:
        check(b"data 80090346" in c.bind().text)
    PLAIN.set("stronger-auth")
    with Client(PLAIN) as c:
        equal(c.bind().code, 8)
    PLAIN.set("stronger-auth,over=plain")
    with Client(PLAIN) as c:
        equal(c.bind().code, 8)
    if CA:
        TLS.set("stronger-auth,over=plain")
        bound(TLS).sock.close()
    PLAIN.set("bind-error=775")
    rc, _, err = ldapsearch(PLAIN, "-b", ad.DOMAIN_DN)
    check(rc == 49 and "data 775" in err, rc, err)


@case("no-such-base", "insufficient", "bad-code", "bad-text", "result")
def search_refusals():
    PLAIN.set("no-such-base=DC=example")
    with bound() as c:
        a = c.search()
        equal((a.done.code, a.done.matched), (32, b"DC=example"))
    PLAIN.set("insufficient")
    with bound() as c:
        equal(c.search().done.code, 50)
    PLAIN.set("bad-code=4096")
    with bound() as c:
        equal(c.search().done.code, 4096)
    for variant in list(odd.NASTY_TEXT) + list(odd.BAD_UTF8):
        PLAIN.set("bad-text=" + variant)
        with bound() as c:
            equal(c.search().done.text, odd.NASTY_TEXT.get(variant) or odd.BAD_UTF8[variant])
    for name in ("busy", "unavailable", "timeLimitExceeded", "operationsError", "unwillingToPerform", "other", "sizeLimitExceeded"):
        for page in (1, 2, 3):
            PLAIN.set("result=%s,page=%d" % (name, page))
            with bound() as c:
                pages = c.pages(10)
                equal((len(pages), pages[-1].done.code, len(pages[-1].entries), pages[-1].cookie), (page, odd.CODES[name], 10, None))
    PLAIN.set("result=busy,page=2,entries=4")
    with bound() as c:
        equal([len(p.entries) for p in c.pages(10)], [10, 4])


@case("referral", "continuation")
def referral_shapes():
    target = "127.0.0.1:%d" % PLAIN.port
    check(len(odd.REFERRALS) >= 10)
    for shape in odd.REFERRALS:
        want = odd.referral_uris(shape, target, target)
        PLAIN.order(behaviours=[{"name": "referral", "arg": shape, "target": target}])
        with bound() as c:
            a = c.search()
            equal((a.done.code, a.done.referral), (10, want), shape)
        PLAIN.order(behaviours=[{"name": "referral", "arg": shape, "target": target, "on": "bind"}])
        with Client(PLAIN) as c:
            m = c.bind()
            equal((m.code, m.referral), (10, want), shape)
        PLAIN.order(behaviours=["no-continuations", {"name": "continuation", "arg": shape, "target": target}])
        with bound() as c:
            equal(c.search().refs[0].uris, want or [], shape)
    PLAIN.set("referral=each")
    with bound() as c:
        equal(len({tuple(c.search().done.referral or ["-"]) for _ in odd.REFERRALS}) > 25, True)
    PLAIN.set("referral=plain,page=2")
    with bound() as c:
        equal([p.done.code for p in c.pages(10)], [0, 10])
    PLAIN.set("referral=plain,code=0")
    with bound() as c:
        equal((c.search().done.code), 0)
    PLAIN.set("continuation=plain,target=127.0.0.1:9,count=3")
    rc, out, _ = ldapsearch(PLAIN, "-b", ad.DOMAIN_DN, "(sAMAccountName=user00001)", "1.1")
    equal((rc, out.count("127.0.0.1:9")), (0, 3))


# --- identity and history ---------------------------------------------------------------------------------------

def root(c, name):
    return c.search("", 0, ANY, [name]).entries[0].attrs[0][1][0].decode()


@case("clock-skew", "dc", "other-dc", "cookie-refused", "no-gc-ready")
def identity():
    PLAIN.set("clock-skew=-7200")
    with bound() as c:
        now = time.strptime(root(c, "currentTime"), "%Y%m%d%H%M%S.0Z")
        off = __import__("calendar").timegm(now) - time.time()
        check(-7210 < off < -7190, off)
    PLAIN.set("dc=dc2,conn=2")
    with bound() as c, bound() as d:
        equal((root(c, "dnsHostName"), root(d, "dnsHostName")), ("dc1.fake.example", "dc2.fake.example"))
        check(root(c, "highestCommittedUSN") != root(d, "highestCommittedUSN") and root(c, "dsServiceName") != root(d, "dsServiceName"))
    PLAIN.set("other-dc=3")
    with bound() as c:
        equal([p.done.code for p in c.pages(10)], [0, 0, 53])
        equal(root(c, "dnsHostName"), "dc2.fake.example")
    PLAIN.set("cookie-refused,times=1")
    with bound() as c:
        equal([p.done.code for p in c.pages(10)], [0, 53])
        equal([p.done.code for p in c.pages(10)], [0, 0, 0, 0])
    PLAIN.set("no-gc-ready")
    with bound() as c:
        equal(root(c, "isGlobalCatalogReady"), "FALSE")


@case("vanish", "appear", "move", "modify", "duplicate")
def history():
    every = honest()
    late = every[25]
    PLAIN.set("vanish=%s,page=2" % late)
    with bound() as c:
        equal(sams(c.pages(10)), [s for s in every if s != late])
    PLAIN.set("vanish=%s,page=2" % every[3])
    with bound() as c:
        equal(sams(c.pages(10)), every, "already delivered")
    PLAIN.set("appear=%s,page=2" % every[3])
    with bound() as c:
        pages = c.pages(10)
        check(every[3] not in pages[0].sams() and sorted(sams(pages)) == sorted(every))
    PLAIN.set("move=%s,page=2" % every[5])
    with bound() as c:
        pages = c.pages(10)
        one, two = pages[0].entry(every[5]), pages[1].entry(every[5])
        check(one.dn != two.dn and b"OU=Servers" in two.dn and one.get("objectGUID") == two.get("objectGUID"))
    PLAIN.set("modify=%s,page=3,attr=department,value=Moved" % late)
    with bound() as c:
        pages = c.pages(10, attrs=("sAMAccountName", "department"))
        equal([e.get("department") for p in pages for e in p.entries if e.get("sAMAccountName") == [late.encode()]], [[b"Moved"]])
    for page, want in ((0, [11, 0]), (2, [10, 1])):
        PLAIN.set("duplicate=%s,page=%d" % (every[5], page))
        with bound() as c:
            pages = c.pages(10)
            equal(sams(pages).count(every[5]), 2)
            check((every[5] in pages[1].sams()) == (page == 2))


# --- content ----------------------------------------------------------------------------------------------------

WANTED = ("objectGUID", "objectSid", "nTSecurityDescriptor", "displayName", "sAMAccountName", "userAccountControl", "whenCreated",
          "pwdLastSet", "manager", "department", "memberOf", "objectClass", "distinguishedName", "member", "description")


def one_user(who="user00002", flt=None):
    with bound() as c:
        entries = c.search(attrs=WANTED, controls=[SD7], flt=flt or PEOPLE).entries
    i = honest().index(who) if who in honest() else 0
    return entries[i]


TABLES = {"bad-guid": ("objectGUID", odd.BAD_GUIDS), "bad-sid": ("objectSid", odd.BAD_SIDS), "bad-sd": ("nTSecurityDescriptor", odd.BAD_SDS),
          "bad-utf8": ("displayName", odd.BAD_UTF8), "nasty-text": ("displayName", odd.NASTY_TEXT), "bad-number": ("userAccountControl", odd.BAD_NUMBERS),
          "bad-time": ("whenCreated", odd.BAD_TIMES), "bad-filetime": ("pwdLastSet", odd.BAD_FILETIMES), "bad-dn-value": ("manager", odd.BAD_DNS)}


def table_case(name, attr, table):
    def run():
        for variant, value in table.items():
            PLAIN.set("%s=%s" % (name, variant))
            want = list(value) if isinstance(value, tuple) else [value]
            equal(one_user().get(attr), want, variant)
        PLAIN.set("%s,who=user00004" % name)
        check(one_user().get(attr) != one_user("user00004").get(attr))
    case(name, name="content_" + name)(run)


for _name, (_attr, _table) in TABLES.items():
    table_case(_name, _attr, _table)


@case("no-guid", "same-guid", "no-sid", "two-sids", "nul", "no-values", "empty-value", "duplicate-attr", "duplicate-values", "second-value",
      "missing-attr", "no-attrs", "attr-case", "extra-attrs", "many-attrs", "bad-class", "bad-dn", "bad-type", "bad-member")
def content_shapes():
    def with_(text):
        PLAIN.set(text)
        return one_user()
    check(with_("no-guid").get("objectGUID") is None)
    equal(with_("same-guid").get("objectGUID"), one_user("user00001").get("objectGUID"))
    check(with_("no-sid").get("objectSid") is None)
    equal(len(with_("two-sids").get("objectSid")), 2)
    equal(with_("nul").get("sAMAccountName"), [b"admin\0istrator"])
    equal(with_("nul=displayName").get("displayName"), [b"admin\0istrator"])
    equal(with_("no-values").get("displayName"), [])
    equal(with_("empty-value").get("displayName"), [b""])
    equal(with_("duplicate-attr").names().count("sAMAccountName"), 2)
    values = with_("duplicate-values").get("memberOf")
    equal(len(values), 2 * len(set(values)))
    equal(len(with_("second-value").get("sAMAccountName")), 2)
    check(with_("missing-attr=manager").get("manager") is None)
    equal(with_("no-attrs").attrs, [])
    check("samaccountname" in with_("attr-case=lower").names() and "SAMACCOUNTNAME" in with_("attr-case=upper").names())
    check({"unicodePwd", "ms-Mcs-AdmPwd"} <= set(with_("extra-attrs").names()))
    check(len(with_("many-attrs=3000").attrs) > 3000)
    for variant, want in (("none", []), ("unknown", [b"top", b"alien"]), ("group", [b"top", b"group"])):
        equal(with_("bad-class=" + variant).get("objectClass"), want)
    for variant, value in odd.BAD_DNS.items():
        equal(with_("bad-dn=%s,both=1" % variant).dn, value)
        equal(one_user().get("distinguishedName"), [value])
    for variant, value in odd.BAD_TYPES.items():
        PLAIN.set("bad-type=" + variant)
        check(any(n.encode("latin-1") == value for n in one_user().names()), variant)
    counts = set()
    for variant in odd.BEHAVIOURS["bad-member"].variants:
        PLAIN.set("bad-member=" + variant)
        counts.add(tuple(one_user("-", eq("sAMAccountName", "group0001")).get("member")))
    equal(len(counts), 7)


# --- transport --------------------------------------------------------------------------------------------------

@case("silent", "close", "reset")
def points():
    ends = {"silent": "open", "close": "fin", "reset": "reset"}
    for name, end in ends.items():
        for point in odd.POINTS:
            PLAIN.set("%s=%s" % (name, point) + (",page=2,entries=3" if point in ("page", "entry") else ""))
            answered = 0
            try:
                with Client(PLAIN, timeout=0.3) as c:
                    if point not in ("accept", "tls"):
                        c.send(ber.tlv(0x60, ber.integer(3), ber.octets("svc-collector@fake.example"), ber.octets(PASSWORD, 0x80)))
                    if point not in ("accept", "tls", "bind"):
                        c.read()
                        answered = 1
                    if point == "bound":
                        time.sleep(0.02)
                    if point in ("bound", "search"):
                        c.request()
                    if point in ("page", "entry"):
                        c.request(size=10, cookie=c.search(size=10).cookie)
                        for _ in range(3 if point == "entry" else 0):
                            equal(c.read().tag, 0x64)
                    data, got = c.rest(0.25)
            except Closed as e:
                data, got = b"", str(e)
            except (ConnectionResetError, BrokenPipeError):
                data, got = b"", "reset"
            equal((data, got), (b"", end), "%s=%s" % (name, point))
            check(answered or point in ("accept", "tls", "bind"))


def honest_stream(server=None):
    """All LDAP bytes of one exchange: bind and three pages."""
    client, out = bound(server), b""
    with client:
        cookie = b""
        for _ in range(3):
            client.request(size=12, cookie=cookie)
            messages = []
            while True:
                raw = client.read_raw()
                out += raw
                messages.append(Message(raw))
                if messages[-1].tag == 0x65:
                    break
            cookie = Answer(messages).cookie
    return out


def cut_exchange(server, tls=None):
    """Runs the exchange of honest_stream until the server ends it: (bytes after the bind answer, end)."""
    try:
        client = Client(server, tls)
    except (ssl.SSLError, ConnectionResetError, OSError):
        return None, "handshake"
    out = b""
    with client:
        try:
            client.bind()
            cookie = b""
            for _ in range(3):
                client.request(size=12, cookie=cookie)
                messages = []
                while True:
                    raw = client.read_raw()
                    out += raw
                    messages.append(Message(raw))
                    if messages[-1].tag == 0x65:
                        break
                cookie = Answer(messages).cookie
            return out, "whole"
        except Closed as e:
            return out + client.buf, str(e)
        except OSError as e:
            return out + client.buf, "truncated" if "EOF" in str(e) else "broken"


@case("cut", "cut-raw", "cut-sweep")
def cuts():
    PLAIN.set()
    whole = honest_stream()
    with bound() as c:
        first = 14  # the bind answer of this server
    total = first + len(whole)
    for n in (1, 13, 14, 15, 100, total // 2, total - 1):
        for how, end in (("fin", "fin"), ("rst", "reset")):
            PLAIN.set("cut=%d,how=%s" % (n, how))
            data, got = cut_exchange(PLAIN)
            check(got in (end, "broken") and (how == "rst" or len(data) == (n if n < first else n - first)), n, how, got, len(data))
            equal(PLAIN.last("disconnect")["sent"], n)
    PLAIN.set("cut-sweep=20,step=7")
    sizes = [len(cut_exchange(PLAIN)[0]) for _ in range(5)]
    equal(sizes, [6, 13, 20, 27, 34])
    PLAIN.set("cut=%d,how=stall" % (first + 40))
    with bound(timeout=0.3) as c:
        c.request()
        data, got = c.rest(0.3)
        equal((len(data), got), (40, "open"))
    PLAIN.set("cut=50,conn=2")
    equal([cut_exchange(PLAIN)[1] for _ in range(3)], ["whole", "fin", "whole"])
    if CA:
        TLS.set("cut=%d,how=fin" % (first + 30))
        equal((lambda r: (len(r[0]), r[1]))(cut_exchange(TLS)), (30, "truncated"))
        TLS.set("cut=%d,how=notify" % (first + 30))
        equal((lambda r: (len(r[0]), r[1]))(cut_exchange(TLS)), (30, "fin"))
        for n in (1, 5, 100, 600):
            TLS.set("cut-raw=%d" % n)
            equal(cut_exchange(TLS)[1], "handshake", n)
        TLS.set()
        cut_exchange(TLS)
        raw = TLS.last("disconnect")["raw_sent"]
        TLS.set("cut-raw=%d" % (raw - 60))
        check(cut_exchange(TLS)[1] in ("truncated", "broken", "fin"))


@case("dribble", "small-segments", "delay")
def slow():
    PLAIN.set("small-segments=3")
    with bound() as c:
        equal(c.search().sams(), honest())
    PLAIN.set("dribble=100")
    start = time.time()
    with bound() as c:
        check(0.12 < time.time() - start < 1.5, "14 bytes at 100 a second took", time.time() - start)
    PLAIN.set("dribble=100,from=bound")
    with bound(timeout=1) as c:
        c.request()
        data, start = b"", time.time()
        while time.time() - start < 0.3:
            data += c.sock.recv(4096)
        check(10 <= len(data) <= 60, len(data))
    PLAIN.set("delay=150,on=search")
    with bound() as c:
        start = time.time()
        c.search()
        check(0.14 < time.time() - start < 1)
    if CA:
        TLS.set("dribble=20000,size=50")
        with bound(TLS) as c:
            equal(c.search().sams(), honest())


@case("garbage", "http", "spurious")
def not_ldap():
    for name, data in odd.GARBAGE.items():
        PLAIN.set("garbage=" + name)
        with Client(PLAIN) as c:
            equal(c.rest(0.1), (data, "open"))
        PLAIN.set("garbage=%s,at=bound" % name)
        with bound() as c:
            equal(c.rest(0.1), (data, "open"))
    PLAIN.set("http")
    with Client(PLAIN) as c:
        data, end = c.rest(1)
        equal((data[:12], end), (b"HTTP/1.1 400", "fin"))
    for kind, tag in (("bind", 0x61), ("entry", 0x64), ("done", 0x65), ("notice", 0x78)):
        PLAIN.set("spurious=" + kind)
        with Client(PLAIN) as c:
            equal(c.read().tag, tag)
            equal(c.bind().code, 0)
    if CA:
        TLS.set("http")
        try:
            Client(TLS)
            check(False, "handshake with HTTP")
        except ssl.SSLError:
            pass


@case("starttls-refused", "starttls-inject", "starttls-silent", "starttls-plain")
def starttls():
    if not CA:
        raise Skip("no openssl")

    def ask(c):
        c.send(ber.tlv(0x77, ber.octets(session.STARTTLS, 0x80)))
        return c.read()
    START.set()
    rc, out, err = ldapsearch(START, "-ZZ", "-b", ad.DOMAIN_DN, "(sAMAccountName=user00001)", "mail", url="ldap://127.0.0.1:%d" % START.port)
    equal((rc, "mail: user00001@" in out), (0, True), err)
    equal([r["op"] for r in START.log()][:4], ["connect", "extended", "tls", "bind"])
    for name in odd.STARTTLS_REFUSALS:
        START.set("starttls-refused=" + name)
        with Client(START, False) as c:
            equal(ask(c).code, odd.CODES[name])
            equal(c.bind().code, 0, "still plain")
    START.set("referral=plain,on=starttls")
    with Client(START, False) as c:
        m = ask(c)
        equal((m.code, m.referral), (10, [b"ldap://other.example:389/DC=other,DC=example"]))
    for kind in ("bind", "entry", "done", "notice", "byte"):
        START.set("starttls-inject=" + kind)
        with Client(START, False) as c:
            equal(ask(c).code, 0)
            check(c.buf, "injected bytes come in the same segment")
            c.buf = b""
            c.start_tls()
            equal(c.bind().code, 0)
    START.set("starttls-silent")
    with Client(START, False, timeout=0.2) as c:
        equal(ask(c).code, 0)
        try:
            c.start_tls()
            check(False, "handshake answered")
        except (socket.timeout, TimeoutError):
            pass
    START.set("starttls-plain")
    with Client(START, False) as c:
        equal(ask(c).code, 0)
        equal(c.read().tag, 0x61)


@case("tls-garbage", "cert")
def tls():
    if not CA:
        raise Skip("no openssl")
    TLS.set()
    rc, out, err = ldapsearch(TLS, "-b", ad.DOMAIN_DN, "-E", "pr=9/noprompt", "(sAMAccountName=user*)", "sAMAccountName", url="ldaps://127.0.0.1:%d" % TLS.port)
    equal((rc, out.count("sAMAccountName: user")), (0, USERS), err)
    check(TLS.log("tls")[0]["version"] in ("TLSv1.2", "TLSv1.3"))
    # libldap checks "localhost" against the machine's own name, which the certificate does not have
    rc, _, _ = ldapsearch(TLS, "-b", ad.DOMAIN_DN, url="ldaps://localhost:%d" % TLS.port)
    check(rc != 0, "wrong name accepted")
    TLS.set("tls-garbage,page=2")
    with bound(TLS) as c:
        try:
            c.pages(10)
            check(False, "garbage accepted")
        except ssl.SSLError:
            pass
    TLS.set("cert=%s:%s,conn=2" % (CERT2, KEY2))
    with bound(TLS) as c, bound(TLS) as d:
        check(c.sock.getpeercert(True) != d.sock.getpeercert(True))
    equal(TLS.log("tls")[0]["sni"], "localhost")


# --- floods -----------------------------------------------------------------------------------------------------

@case("endless-pages", "endless-same", "cookie-loop", "cookie-repeat", "endless-empty")
def endless_paging():
    PLAIN.set("endless-pages")
    with bound() as c:
        pages = c.pages(10, most=30)
        guids = {e.get("objectGUID")[0] for p in pages for e in p.entries}
        equal((len(pages), len(guids)), (30, 300))
    PLAIN.set("endless-same")
    with bound() as c:
        pages = c.pages(10, most=30)
        equal((len(pages), len(set(sams(pages))), len({p.cookie for p in pages})), (30, 10, 30))
    for name, cookies in (("cookie-loop", 1), ("endless-empty", 30)):
        PLAIN.set(name)
        with bound() as c:
            pages = c.pages(10, most=30)
            equal([len(p.entries) for p in pages], [10] + 29 * [0], name)
            equal(len({p.cookie for p in pages}), cookies, name)
    PLAIN.set("cookie-repeat")
    with bound() as c:
        pages = c.pages(10)
        equal((sams(pages), len({p.cookie for p in pages})), (honest(), 2))


@case("endless-entries", "endless-refs")
def endless_page():
    for name, tag in (("endless-entries", 0x64), ("endless-refs", 0x73)):
        PLAIN.set(name)
        with bound() as c:
            c.request()
            found = [c.read() for _ in range(2000)]
            equal({m.tag for m in found[100:]}, {tag})
            equal(len({m.raw for m in found[100:]}), 1900)


@case("huge-header", "big-value", "many-values", "missing-done")
def giants():
    PLAIN.set("huge-header=%d" % (1 << 31))
    with bound() as c:
        c.request(flt=eq("sAMAccountName", "user00002"))
        data, end = c.rest(0.2)
        check(end == "open" and b"\x04\x84\x80\x00\x00\x00" + 64 * b"H" in data, data[:80], end)
    PLAIN.set("big-value=%d" % (64 << 20))
    with bound(timeout=20) as c:
        c.request(flt=eq("sAMAccountName", "user00002"))
        total, last = 0, b""
        while b"\x65" not in last[-60:] or total < (64 << 20):
            last = c.sock.recv(1 << 20)
            total += len(last)
        check(total > 64 << 20)
    PLAIN.set("big-value=100000")
    with bound() as c:
        equal(c.search().entry("user00001") is not None, True)
        equal(len(c.search(flt=eq("sAMAccountName", "user00002")).entries[0].get("description")[0]), 100000)
    PLAIN.set("many-values=50001")
    with bound() as c:
        values = c.search(flt=eq("sAMAccountName", "user00002")).entries[0].get("memberOf")
        equal((len(values), len(set(values))), (50001, 50001))
    PLAIN.set("missing-done,page=2")
    with bound(timeout=0.3) as c:
        c.request(size=10, cookie=c.search(size=10).cookie)
        equal([c.read().tag for _ in range(10)], 10 * [0x64])
        equal(c.rest(0.2), (b"", "open"))


# --- protocol ---------------------------------------------------------------------------------------------------

def raw_answer(at):
    """The bytes of one message of kind `at`, and how long the honest one is not known here."""
    with Client(PLAIN, timeout=0.02) as c:
        if at == "bind":
            c.send(ber.tlv(0x60, ber.integer(3), ber.octets("svc-collector@fake.example"), ber.octets(PASSWORD, 0x80)))
        else:
            c.bind()
            if at == "dse":
                c.request("", 0, ANY, ["dnsHostName"])
            elif at == "ext":
                c.send(ber.tlv(0x77, ber.octets(session.WHOAMI, 0x80)))
            else:
                c.request(size=1, flt=eq("sAMAccountName", "user00002"))
        return c.rest(0.02)[0]


@case("ber", "nest", "mutate")
def forgeries():
    """Every form at every level, checked on the forger itself; on the wire for a few."""
    honest_entry = ber.message(2, ber.entry("CN=a,DC=b", [("cn", [b"one", b"two"]), ("sn", [b"x"])]))
    honest_result = ber.message(2, ber.result(0x65, 0, b"DC=b", b"text"), [ber.control("1.2.3", b"value")])
    for kind, message in (("entry", honest_entry), ("result", honest_result)):
        for form in ber.FORMS:
            for level in ber.LEVELS[kind]:
                out = ber.forge(message, kind, form, level)
                check(out != message, form, level)
    total = 0
    for at, levels in (("entry", "entry"), ("done", "result"), ("bind", "result"), ("dse", "entry"), ("ext", "result")):
        PLAIN.set()
        before = raw_answer(at)
        for form in ("too-long", "too-short", "indefinite", "nonminimal", "len9", "claim-2g", "claim-2e64", "missing"):
            for level in ("message", "op") if at != "entry" else ber.LEVELS[levels]:
                PLAIN.set("ber=%s,level=%s,at=%s" % (form, level, at))
                check(raw_answer(at) != before, form, level, at)
                total += 1
    for where in ("message", "value", "control", "op"):
        PLAIN.set("nest=10000,where=" + where)
        check(len(raw_answer("entry")) > 30000, where)
    deep = ber.nested(10000)
    size, r = 0, ber.Reader(deep)
    while r.peek() == 0x30:
        r, size = r.sub(0x30), size + 1
    equal(size, 10000, "depth")
    seen = set()
    for seed in range(1, 40):
        PLAIN.set("mutate=%d" % seed)
        seen.add(raw_answer("entry"))
    check(len(seen) > 30, "seeds differ:", len(seen))
    equal(session.mutate(honest_entry, 7), session.mutate(honest_entry, 7))


@case("notice", "unsolicited", "server-request", "intermediate", "two-dones", "late-entries", "bind-twice", "bind-in-progress")
def extra_messages():
    PLAIN.set("notice,page=2")
    with bound() as c:
        c.request(size=10, cookie=c.search(size=10).cookie)
        m = c.read()
        equal((m.id, m.tag, m.code, m.oid), (0, 0x78, 52, session.NOTICE))
        equal(c.rest(1), (b"", "fin"))
    PLAIN.set("notice=strongerAuthRequired,stay=1")
    with bound() as c:
        c.request()
        equal(c.read().code, 8)
        equal(c.rest(0.1)[1], "open")
    PLAIN.set("unsolicited=1.2.3.4.5")
    with bound() as c:
        a = c.search()
        equal((a.messages[0].id, a.messages[0].oid, a.sams()), (0, "1.2.3.4.5", honest()))
    PLAIN.set("server-request")
    with bound() as c:
        equal([m.tag for m in c.search().messages[:3]], [0x63, 0x60, 0x42])
    PLAIN.set("intermediate")
    with bound() as c:
        equal(c.search().messages[0].tag, 0x79)
    PLAIN.set("two-dones")
    with bound() as c:
        c.search()
        equal(c.read().tag, 0x65)
    PLAIN.set("late-entries")
    with bound() as c:
        c.search()
        equal(c.read().dn, b"CN=Late," + ad.DOMAIN_DN.encode())
    PLAIN.set("bind-twice")
    with bound() as c:
        equal(c.read().tag, 0x61)
    PLAIN.set("bind-in-progress")
    with Client(PLAIN) as c:
        equal(c.bind().code, 14)


@case("stray", "wrong-id", "wrong-type", "bad-paged")
def wrong_answers():
    for name, value in odd.IDS.items():
        PLAIN.set("stray=" + name)
        with bound() as c:
            c.request()
            equal(c.read().id, c.mid - 1 if value is None else value, name)
        PLAIN.set("stray=%s,at=bind" % name)
        with Client(PLAIN) as c:
            equal(c.bind().id, 0 if value is None else value, name)
        PLAIN.set("wrong-id=" + name)
        with bound() as c:
            equal(c.search().done.id, c.mid - 1 if value is None else value, name)
        PLAIN.set("wrong-id=%s,at=bind" % name)
        with Client(PLAIN) as c:
            equal(c.bind().id, 0 if value is None else value, name)
    for name, tag in odd.WRONG_TYPES.items():
        PLAIN.set("wrong-type=%s,at=bind" % name)
        with Client(PLAIN) as c:
            c.send(ber.tlv(0x60, ber.integer(3), ber.octets(""), ber.octets("", 0x80)))
            raw = c.read_raw()
            equal(raw[5], tag, name)
        PLAIN.set("wrong-type=" + name)
        with bound() as c:
            c.request(flt=eq("sAMAccountName", "nobody"), controls=[ber.control(session.DOMAIN_SCOPE)])
            equal(c.read_raw()[5], tag, name)
    seen = set()
    for name in odd.BAD_PAGED:
        PLAIN.set("bad-paged=" + name)
        with bound() as c:
            c.request(size=5, flt=eq("objectClass", "group"), controls=[ber.control(session.DOMAIN_SCOPE)])
            for _ in range(5):
                c.read_raw()
            seen.add(c.read_raw())
    equal(len(seen), len(odd.BAD_PAGED))


# --- the program itself -----------------------------------------------------------------------------------------

@case()
def scenario_file():
    path = os.path.join(WORK, "scenario.json")
    with open(path, "w") as f:
        json.dump({"users": 5, "groups": 2, "behaviours": ["result=busy,times=1", {"name": "bad-number", "arg": "hex", "who": "user00003"}],
                   "entries": {"user00001": {"title": ["Boss"], "photo": [{"hex": "ff00"}]}}, "remove": ["user00004"]}, f)
    port = os.path.join(WORK, "scenario.port")
    p = subprocess.Popen([sys.executable, LDAPD, "--scenario", path, "--port-file", port, "--users", "6"], stdout=subprocess.PIPE)
    try:
        printed = int(p.stdout.readline())
        equal(int(open(port).read()), printed, "port file and standard output")
        server = type("S", (), {"port": printed})()
        with bound(server) as c:
            equal(c.search().done.code, 51)
            a = c.search(flt=eq("objectClass", "user"), attrs=("sAMAccountName", "title", "photo", "userAccountControl"))
            names = [s for s in a.sams() if s.startswith("user")]
            equal(names, ["user00001", "user00002", "user00003", "user00005", "user00006"], "the command line wins over the file")
            equal((a.entry("user00001").get("title"), a.entry("user00001").get("photo")), ([b"Boss"], [b"\xff\x00"]))
            equal(a.entry("user00003").get("userAccountControl"), [b"0x200"])
    finally:
        p.send_signal(signal.SIGTERM)
        equal(p.wait(5), 0, "exit status after SIGTERM")
        p.stdout.close()


@case()
def bad_arguments():
    for args in (["--behaviour", "nonsense"], ["--behaviour", "bad-sid=nonsense"], ["--scenario", "/nonexistent"]):
        p = subprocess.run([sys.executable, LDAPD, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=10)
        check(p.returncode != 0 and not p.stdout, args)


@case()
def two_controllers():
    """Two processes are two controllers: a cookie of one is nothing to the other."""
    other = Server(WORK, "dc2", "--dc", "dc2")
    try:
        PLAIN.set()
        with bound() as c, bound(other) as d:
            equal(d.search(size=5, cookie=c.search(size=5).cookie).done.code, 53)
            equal(root(d, "dnsHostName"), "dc2.fake.example")
            equal(c.search().entry("user00003").get("objectGUID"), d.search().entry("user00003").get("objectGUID"))
    finally:
        equal(other.stop(), 0)


@case()
def every_behaviour_is_covered_and_documented():
    equal(sorted(set(odd.BEHAVIOURS) - COVERED), [], "without a case")
    equal(sorted(COVERED - set(odd.BEHAVIOURS)), [], "unknown")
    text = open(os.path.join(HERE, "README.md"), encoding="utf-8").read()
    equal([n for n in odd.BEHAVIOURS if "`%s" % n not in text], [], "not in README.md")


def main():
    global PLAIN, TLS, START, WORK
    args = [a for a in sys.argv[1:] if a != "-v"]
    verbose = "-v" in sys.argv
    passed = failed = skipped = 0
    WORK = tempfile.mkdtemp(prefix="fake-ldapd-")
    try:
        make_certificates()
        PLAIN = Server(WORK, "plain")
        if CA:
            TLS = Server(WORK, "tls", "--tls", CERT, KEY)
            START = Server(WORK, "start", "--tls", CERT, KEY, "--starttls")
        for name, run in CASES:
            if args and not any(a in name for a in args):
                continue
            start = time.time()
            try:
                run()
                passed += 1
                result = "ok"
            except Skip as e:
                skipped += 1
                result = "skipped: %s" % e
            except Exception as e:
                failed += 1
                result = "FAILED: %s: %s" % (type(e).__name__, e)
                if verbose:
                    traceback.print_exc()
            if verbose or result != "ok":
                print("%-45s %5.2f s  %s" % (name, time.time() - start, result), flush=True)
    finally:
        for server in (PLAIN, TLS, START):
            if server:
                server.stop()
        shutil.rmtree(WORK, ignore_errors=True)
    print("%d passed, %d failed%s" % (passed, failed, ", %d skipped" % skipped if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
