"""rig - what the cases of test_ldapd.py stand on: servers, a client that hides nothing, checks."""

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True
import anomalies as odd  # noqa: E402
import ber  # noqa: E402
import directory as ad  # noqa: E402

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
