"""case_wire - the fake controller's transport, floods and protocol."""

import socket
import ssl
import time

import anomalies as odd
import ber
import directory as ad
import pages
import rig
import session
from rig import (ANY, Answer, Client, Closed, Message, PASSWORD, Skip, USERS, bound, case, check, eq, equal, honest, ldapsearch, sams)


# --- transport --------------------------------------------------------------------------------------------------

@case("silent", "close", "reset")
def points():
    ends = {"silent": "open", "close": "fin", "reset": "reset"}
    for name, end in ends.items():
        for point in odd.POINTS:
            rig.PLAIN.set("%s=%s" % (name, point) + (",page=2,entries=3" if point in ("page", "entry") else ""))
            answered = 0
            try:
                with Client(rig.PLAIN, timeout=0.3) as c:
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
    rig.PLAIN.set()
    whole = honest_stream()
    with bound() as c:
        first = 14  # the bind answer of this server
    total = first + len(whole)
    for n in (1, 13, 14, 15, 100, total // 2, total - 1):
        for how, end in (("fin", "fin"), ("rst", "reset")):
            rig.PLAIN.set("cut=%d,how=%s" % (n, how))
            data, got = cut_exchange(rig.PLAIN)
            check(got in (end, "broken") and (how == "rst" or len(data) == (n if n < first else n - first)), n, how, got, len(data))
            equal(rig.PLAIN.last("disconnect")["sent"], n)
    rig.PLAIN.set("cut-sweep=20,step=7")
    sizes = [len(cut_exchange(rig.PLAIN)[0]) for _ in range(5)]
    equal(sizes, [6, 13, 20, 27, 34])
    rig.PLAIN.set("cut=%d,how=stall" % (first + 40))
    with bound(timeout=0.3) as c:
        c.request()
        data, got = c.rest(0.3)
        equal((len(data), got), (40, "open"))
    rig.PLAIN.set("cut=50,conn=2")
    equal([cut_exchange(rig.PLAIN)[1] for _ in range(3)], ["whole", "fin", "whole"])
    if rig.CA:
        rig.TLS.set("cut=%d,how=fin" % (first + 30))
        equal((lambda r: (len(r[0]), r[1]))(cut_exchange(rig.TLS)), (30, "truncated"))
        rig.TLS.set("cut=%d,how=notify" % (first + 30))
        equal((lambda r: (len(r[0]), r[1]))(cut_exchange(rig.TLS)), (30, "fin"))
        for n in (1, 5, 100, 600):
            rig.TLS.set("cut-raw=%d" % n)
            equal(cut_exchange(rig.TLS)[1], "handshake", n)
        rig.TLS.set()
        cut_exchange(rig.TLS)
        raw = rig.TLS.last("disconnect")["raw_sent"]
        rig.TLS.set("cut-raw=%d" % (raw - 60))
        check(cut_exchange(rig.TLS)[1] in ("truncated", "broken", "fin"))


@case("dribble", "small-segments", "delay")
def slow():
    rig.PLAIN.set("small-segments=3")
    with bound() as c:
        equal(c.search().sams(), honest())
    rig.PLAIN.set("dribble=100")
    start = time.time()
    with bound() as c:
        check(0.12 < time.time() - start < 1.5, "14 bytes at 100 a second took", time.time() - start)
    rig.PLAIN.set("dribble=100,from=bound")
    with bound(timeout=1) as c:
        c.request()
        data, start = b"", time.time()
        while time.time() - start < 0.3:
            data += c.sock.recv(4096)
        check(10 <= len(data) <= 60, len(data))
    rig.PLAIN.set("delay=150,on=search")
    with bound() as c:
        start = time.time()
        c.search()
        check(0.14 < time.time() - start < 1)
    if rig.CA:
        rig.TLS.set("dribble=20000,size=50")
        with bound(rig.TLS) as c:
            equal(c.search().sams(), honest())


@case("garbage", "http", "spurious")
def not_ldap():
    for name, data in odd.GARBAGE.items():
        rig.PLAIN.set("garbage=" + name)
        with Client(rig.PLAIN) as c:
            equal(c.rest(0.1), (data, "open"))
        rig.PLAIN.set("garbage=%s,at=bound" % name)
        with bound() as c:
            equal(c.rest(0.1), (data, "open"))
    rig.PLAIN.set("http")
    with Client(rig.PLAIN) as c:
        data, end = c.rest(1)
        equal((data[:12], end), (b"HTTP/1.1 400", "fin"))
    for kind, tag in (("bind", 0x61), ("entry", 0x64), ("done", 0x65), ("notice", 0x78)):
        rig.PLAIN.set("spurious=" + kind)
        with Client(rig.PLAIN) as c:
            equal(c.read().tag, tag)
            equal(c.bind().code, 0)
    if rig.CA:
        rig.TLS.set("http")
        try:
            Client(rig.TLS)
            check(False, "handshake with HTTP")
        except ssl.SSLError:
            pass


@case("starttls-refused", "starttls-inject", "starttls-silent", "starttls-plain")
def starttls():
    if not rig.CA:
        raise Skip("no openssl")

    def ask(c):
        c.send(ber.tlv(0x77, ber.octets(pages.STARTTLS, 0x80)))
        return c.read()
    rig.START.set()
    rc, out, err = ldapsearch(rig.START, "-ZZ", "-b", ad.DOMAIN_DN, "(sAMAccountName=user00001)", "mail", url="ldap://127.0.0.1:%d" % rig.START.port)
    equal((rc, "mail: user00001@" in out), (0, True), err)
    equal([r["op"] for r in rig.START.log()][:4], ["connect", "extended", "tls", "bind"])
    for name in odd.STARTTLS_REFUSALS:
        rig.START.set("starttls-refused=" + name)
        with Client(rig.START, False) as c:
            equal(ask(c).code, odd.CODES[name])
            equal(c.bind().code, 0, "still plain")
    rig.START.set("referral=plain,on=starttls")
    with Client(rig.START, False) as c:
        m = ask(c)
        equal((m.code, m.referral), (10, [b"ldap://other.example:389/DC=other,DC=example"]))
    for kind in ("bind", "entry", "done", "notice", "byte"):
        rig.START.set("starttls-inject=" + kind)
        with Client(rig.START, False) as c:
            equal(ask(c).code, 0)
            check(c.buf, "injected bytes come in the same segment")
            c.buf = b""
            c.start_tls()
            equal(c.bind().code, 0)
    rig.START.set("starttls-silent")
    with Client(rig.START, False, timeout=0.2) as c:
        equal(ask(c).code, 0)
        try:
            c.start_tls()
            check(False, "handshake answered")
        except (socket.timeout, TimeoutError):
            pass
    rig.START.set("starttls-plain")
    with Client(rig.START, False) as c:
        equal(ask(c).code, 0)
        equal(c.read().tag, 0x61)


@case("tls-garbage", "cert")
def tls():
    if not rig.CA:
        raise Skip("no openssl")
    rig.TLS.set()
    rc, out, err = ldapsearch(rig.TLS, "-b", ad.DOMAIN_DN, "-E", "pr=9/noprompt", "(sAMAccountName=user*)", "sAMAccountName", url="ldaps://127.0.0.1:%d" % rig.TLS.port)
    equal((rc, out.count("sAMAccountName: user")), (0, USERS), err)
    check(rig.TLS.log("tls")[0]["version"] in ("TLSv1.2", "TLSv1.3"))
    # libldap checks "localhost" against the machine's own name, which the certificate does not have
    rc, _, _ = ldapsearch(rig.TLS, "-b", ad.DOMAIN_DN, url="ldaps://localhost:%d" % rig.TLS.port)
    check(rc != 0, "wrong name accepted")
    rig.TLS.set("tls-garbage,page=2")
    with bound(rig.TLS) as c:
        try:
            c.pages(10)
            check(False, "garbage accepted")
        except ssl.SSLError:
            pass
    rig.TLS.set("cert=%s:%s,conn=2" % (rig.CERT2, rig.KEY2))
    with bound(rig.TLS) as c, bound(rig.TLS) as d:
        check(c.sock.getpeercert(True) != d.sock.getpeercert(True))
    equal(rig.TLS.log("tls")[0]["sni"], "localhost")


# --- floods -----------------------------------------------------------------------------------------------------

@case("endless-pages", "endless-same", "cookie-loop", "cookie-repeat", "endless-empty")
def endless_paging():
    rig.PLAIN.set("endless-pages")
    with bound() as c:
        pages = c.pages(10, most=30)
        guids = {e.get("objectGUID")[0] for p in pages for e in p.entries}
        equal((len(pages), len(guids)), (30, 300))
    rig.PLAIN.set("endless-same")
    with bound() as c:
        pages = c.pages(10, most=30)
        equal((len(pages), len(set(sams(pages))), len({p.cookie for p in pages})), (30, 10, 30))
    for name, cookies in (("cookie-loop", 1), ("endless-empty", 30)):
        rig.PLAIN.set(name)
        with bound() as c:
            pages = c.pages(10, most=30)
            equal([len(p.entries) for p in pages], [10] + 29 * [0], name)
            equal(len({p.cookie for p in pages}), cookies, name)
    rig.PLAIN.set("cookie-repeat")
    with bound() as c:
        pages = c.pages(10)
        equal((sams(pages), len({p.cookie for p in pages})), (honest(), 2))


@case("endless-entries", "endless-refs")
def endless_page():
    for name, tag in (("endless-entries", 0x64), ("endless-refs", 0x73)):
        rig.PLAIN.set(name)
        with bound() as c:
            c.request()
            found = [c.read() for _ in range(2000)]
            equal({m.tag for m in found[100:]}, {tag})
            equal(len({m.raw for m in found[100:]}), 1900)


@case("huge-header", "big-value", "many-values", "missing-done")
def giants():
    rig.PLAIN.set("huge-header=%d" % (1 << 31))
    with bound() as c:
        c.request(flt=eq("sAMAccountName", "user00002"))
        data, end = c.rest(0.2)
        check(end == "open" and b"\x04\x84\x80\x00\x00\x00" + 64 * b"H" in data, data[:80], end)
    rig.PLAIN.set("big-value=%d" % (64 << 20))
    with bound(timeout=20) as c:
        c.request(flt=eq("sAMAccountName", "user00002"))
        total, last = 0, b""
        while b"\x65" not in last[-60:] or total < (64 << 20):
            last = c.sock.recv(1 << 20)
            total += len(last)
        check(total > 64 << 20)
    rig.PLAIN.set("big-value=100000")
    with bound() as c:
        equal(c.search().entry("user00001") is not None, True)
        equal(len(c.search(flt=eq("sAMAccountName", "user00002")).entries[0].get("description")[0]), 100000)
    rig.PLAIN.set("many-values=50001")
    with bound() as c:
        values = c.search(flt=eq("sAMAccountName", "user00002")).entries[0].get("memberOf")
        equal((len(values), len(set(values))), (50001, 50001))
    rig.PLAIN.set("missing-done,page=2")
    with bound(timeout=0.3) as c:
        c.request(size=10, cookie=c.search(size=10).cookie)
        equal([c.read().tag for _ in range(10)], 10 * [0x64])
        equal(c.rest(0.2), (b"", "open"))


# --- protocol ---------------------------------------------------------------------------------------------------

def raw_answer(at):
    """The bytes of one message of kind `at`, and how long the honest one is not known here."""
    with Client(rig.PLAIN, timeout=0.02) as c:
        if at == "bind":
            c.send(ber.tlv(0x60, ber.integer(3), ber.octets("svc-collector@fake.example"), ber.octets(PASSWORD, 0x80)))
        else:
            c.bind()
            if at == "dse":
                c.request("", 0, ANY, ["dnsHostName"])
            elif at == "ext":
                c.send(ber.tlv(0x77, ber.octets(pages.WHOAMI, 0x80)))
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
        rig.PLAIN.set()
        before = raw_answer(at)
        for form in ("too-long", "too-short", "indefinite", "nonminimal", "len9", "claim-2g", "claim-2e64", "missing"):
            for level in ("message", "op") if at != "entry" else ber.LEVELS[levels]:
                rig.PLAIN.set("ber=%s,level=%s,at=%s" % (form, level, at))
                check(raw_answer(at) != before, form, level, at)
                total += 1
    for where in ("message", "value", "control", "op"):
        rig.PLAIN.set("nest=10000,where=" + where)
        check(len(raw_answer("entry")) > 30000, where)
    deep = ber.nested(10000)
    size, r = 0, ber.Reader(deep)
    while r.peek() == 0x30:
        r, size = r.sub(0x30), size + 1
    equal(size, 10000, "depth")
    seen = set()
    for seed in range(1, 40):
        rig.PLAIN.set("mutate=%d" % seed)
        seen.add(raw_answer("entry"))
    check(len(seen) > 30, "seeds differ:", len(seen))
    equal(session.mutate(honest_entry, 7), session.mutate(honest_entry, 7))


@case("notice", "unsolicited", "server-request", "intermediate", "two-dones", "late-entries", "bind-twice", "bind-in-progress")
def extra_messages():
    rig.PLAIN.set("notice,page=2")
    with bound() as c:
        c.request(size=10, cookie=c.search(size=10).cookie)
        m = c.read()
        equal((m.id, m.tag, m.code, m.oid), (0, 0x78, 52, pages.NOTICE))
        equal(c.rest(1), (b"", "fin"))
    rig.PLAIN.set("notice=strongerAuthRequired,stay=1")
    with bound() as c:
        c.request()
        equal(c.read().code, 8)
        equal(c.rest(0.1)[1], "open")
    rig.PLAIN.set("unsolicited=1.2.3.4.5")
    with bound() as c:
        a = c.search()
        equal((a.messages[0].id, a.messages[0].oid, a.sams()), (0, "1.2.3.4.5", honest()))
    rig.PLAIN.set("server-request")
    with bound() as c:
        equal([m.tag for m in c.search().messages[:3]], [0x63, 0x60, 0x42])
    rig.PLAIN.set("intermediate")
    with bound() as c:
        equal(c.search().messages[0].tag, 0x79)
    rig.PLAIN.set("two-dones")
    with bound() as c:
        c.search()
        equal(c.read().tag, 0x65)
    rig.PLAIN.set("late-entries")
    with bound() as c:
        c.search()
        equal(c.read().dn, b"CN=Late," + ad.DOMAIN_DN.encode())
    rig.PLAIN.set("bind-twice")
    with bound() as c:
        equal(c.read().tag, 0x61)
    rig.PLAIN.set("bind-in-progress")
    with Client(rig.PLAIN) as c:
        equal(c.bind().code, 14)


@case("stray", "wrong-id", "wrong-type", "bad-paged")
def wrong_answers():
    for name, value in odd.IDS.items():
        rig.PLAIN.set("stray=" + name)
        with bound() as c:
            c.request()
            equal(c.read().id, c.mid - 1 if value is None else value, name)
        rig.PLAIN.set("stray=%s,at=bind" % name)
        with Client(rig.PLAIN) as c:
            equal(c.bind().id, 0 if value is None else value, name)
        rig.PLAIN.set("wrong-id=" + name)
        with bound() as c:
            equal(c.search().done.id, c.mid - 1 if value is None else value, name)
        rig.PLAIN.set("wrong-id=%s,at=bind" % name)
        with Client(rig.PLAIN) as c:
            equal(c.bind().id, 0 if value is None else value, name)
    for name, tag in odd.WRONG_TYPES.items():
        rig.PLAIN.set("wrong-type=%s,at=bind" % name)
        with Client(rig.PLAIN) as c:
            c.send(ber.tlv(0x60, ber.integer(3), ber.octets(""), ber.octets("", 0x80)))
            raw = c.read_raw()
            equal(raw[5], tag, name)
        rig.PLAIN.set("wrong-type=" + name)
        with bound() as c:
            c.request(flt=eq("sAMAccountName", "nobody"), controls=[ber.control(pages.DOMAIN_SCOPE)])
            equal(c.read_raw()[5], tag, name)
    seen = set()
    for name in odd.BAD_PAGED:
        rig.PLAIN.set("bad-paged=" + name)
        with bound() as c:
            c.request(size=5, flt=eq("objectClass", "group"), controls=[ber.control(pages.DOMAIN_SCOPE)])
            for _ in range(5):
                c.read_raw()
            seen.add(c.read_raw())
    equal(len(seen), len(odd.BAD_PAGED))
