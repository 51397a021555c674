"""session - one LDAP connection: requests decoded, answered as Active Directory answers, and spoilt as asked."""

import datetime
import itertools
import random
import struct
import time

import anomalies as odd
import ber
import directory as ad
import filters
from behaviour import SCOPES, Behaviour, in_range
from wire import Gone, Transport

PAGED, SD_FLAGS = odd.PAGED_OID, "1.2.840.113556.1.4.801"
SHOW_DELETED, SHOW_RECYCLED = "1.2.840.113556.1.4.417", "1.2.840.113556.1.4.2064"
DOMAIN_SCOPE, DIRSYNC, SEARCH_OPTIONS = "1.2.840.113556.1.4.1339", "1.2.840.113556.1.4.841", "1.2.840.113556.1.4.1340"
KNOWN_CONTROLS = {PAGED: "paged", SD_FLAGS: "sd-flags", SHOW_DELETED: "show-deleted", SHOW_RECYCLED: "show-recycled",
                  DOMAIN_SCOPE: "domain-scope", DIRSYNC: "dirsync", SEARCH_OPTIONS: "search-options"}
STARTTLS, WHOAMI, NOTICE = "1.3.6.1.4.1.1466.20037", "1.3.6.1.4.1.4203.1.11.3", "1.3.6.1.4.1.1466.20036"
SECRET_ATTRS = {"unicodepwd", "userpassword", "dbcspwd"}
FLUSH_AT = 1 << 16
MAX_REQUEST = 16 << 20


class Search:
    """One SearchRequest, decoded."""

    def __init__(self, r, ordinal):
        self.base = r.bytes().decode("utf-8", "replace")
        self.scope, self.deref = r.int(0x0A), r.int(0x0A)
        self.size_limit, self.time_limit, self.types_only = r.int(), r.int(), r.bool()
        self.filter = filters.decode(r)
        attrs = r.sub(0x30)
        self.attrs = []
        while attrs.more():
            self.attrs.append(attrs.bytes().decode("utf-8", "replace"))
        if self.scope not in (0, 1, 2):
            raise ber.Bad("scope %d" % self.scope)
        self.text = filters.text(self.filter)
        self.ordinal = ordinal
        self.low = [a.lower() for a in self.attrs]
        self.all = not self.attrs or "*" in self.attrs

    def wanted(self, name):
        name = name.lower()
        return self.all or any(a.partition(";")[0] == name for a in self.low)


class Listing:
    """A search whose pages are being read: what is left of it, and the cookie that continues it."""

    def __init__(self, queue):
        self.queue, self.page, self.cookie, self.late = queue, 0, b"", []
        self.first_page = None
        self.flooded = 0


class Moved:
    """An entry with some values replaced, or under another DN."""

    def __init__(self, entry, dn=None, **attrs):
        self.dn, self.sd, self.norm, self.deleted, self.admin_only = dn or entry.dn, entry.sd, entry.norm, False, False
        self.attrs, self.low, self.text = dict(entry.attrs), dict(entry.low), entry.text
        if dn:
            attrs["distinguishedName"] = dn.encode()
        for name, value in attrs.items():
            self.attrs[self.low.setdefault(name.lower(), name)] = [value]

    def get(self, name):
        name = self.low.get(name.lower())
        return self.attrs[name] if name else []


# --- one connection ---------------------------------------------------------------------------------------------

class Session:
    def __init__(self, server, sock, number):
        self.server, self.number, self.era = server, number, server.era
        self.behaviours = server.behaviours
        self.dir = server.directory
        self.net = Transport(self, sock)
        self.account, self.bound, self.done_bind = None, False, False
        self.listings, self.cookies, self.ordinal = {}, itertools.count(1), 0
        self.out, self.buf, self.flood = bytearray(), b"", 0
        self.mid, self.entry_no, self.search, self.page = 0, 0, None, None
        self.shape = itertools.count()
        small = self.on("small-segments")
        self.segment_size = small.int() if small else 0
        self.forging = [b for b in self.behaviours if b.name in ("ber", "nest", "mutate")]
        self.content = [b for b in self.behaviours if b.name in odd.CONTENT]
        self.streams = [b for b in self.behaviours if b.name in ("huge-header", "big-value", "many-values")]

    # -- behaviours

    def fire(self, name, search=None, page=None, **where):
        """The behaviour of this name that applies here, counted as used; None when there is none."""
        for b in self.behaviours:
            if b.name == name and b.applies(self, search, page, where):
                b.hits += 1
                return b
        return None

    def on(self, name, search=None, page=None):
        """As fire, for what holds all the time: not counted."""
        return next((b for b in self.behaviours if b.name == name and b.applies(self, search, page, {})), None)

    def cut_limit(self, level):
        for b in self.behaviours:
            raw = b.name == "cut-raw" or b.opts.get("raw") == "1"
            if b.name in ("cut", "cut-raw", "cut-sweep") and raw == (level == "raw") and b.applies(self, None, None, {}):
                n = b.int() + (self.number - 1) * b.int("step") if b.name == "cut-sweep" else b.int()
                return n, b.opts["how"]
        return None

    def pace(self, raw):
        b = self.on("dribble")
        if b and (b.opts["raw"] == "1") == raw and (b.opts["from"] == "accept" or self.done_bind):
            return float(b.arg), b.int("size")
        return None

    def point(self, where, search=None, page=None):
        """silent, close or reset, if one is set for this place."""
        for name, act in (("silent", self.net.stall), ("close", self.net.fin), ("reset", self.net.rst)):
            b = self.fire(name, search, page, arg=where)
            if b and where == "page" and "page" not in b.opts and page != 1:
                b.hits -= 1
                continue
            if b:
                self.flush()
                act()

    def log(self, **fields):
        self.server.log(self.era, conn=self.number, **fields)

    # -- the life of a connection

    def run(self):
        reason = "client closed"
        try:
            self.open()
            while True:
                data = self.read_message()
                if data is None:
                    break
                if not self.handle(data):
                    reason = "unbind"
                    break
                self.flush()
            self.net.close_notify()
        except Gone as e:
            reason = str(e)
        except ber.Bad as e:
            reason = "bad request: %s" % e
            self.log(op="bad-request", error=str(e))
        finally:
            self.log(op="disconnect", reason=reason, sent=self.net.app_sent, raw_sent=self.net.raw_sent)
            try:
                self.net.sock.close()
            except OSError:
                pass

    def open(self):
        self.log(op="connect")
        self.point("accept")
        if self.fire("http"):
            self.net.raw_send(odd.HTTP)
            self.net.fin()
        b = self.fire("garbage", at="accept")
        if b:
            self.net.raw_send(odd.GARBAGE[b.arg])
            self.net.stall()
        if self.server.implicit_tls:
            self.net.start_tls(self.server.context(self))
        self.point("tls")
        b = self.fire("spurious")
        if b:
            self.net.send(self.sample(b.arg))

    def read_message(self):
        """The next whole request, None at the end of the stream."""
        while True:
            size = ber.frame_size(self.buf)
            if size is not None:
                data, self.buf = self.buf[:size], self.buf[size:]
                return data
            if len(self.buf) > MAX_REQUEST:
                raise ber.Bad("request too large")
            more = self.net.recv()
            if not more:
                return None
            self.buf += more

    def handle(self, data):
        """Answers one request; False after an unbind."""
        r = ber.Reader(data).sub(0x30)
        self.mid = r.int()
        tag, op = r.element()
        controls = ber.read_controls(r.sub(0xA0)) if r.more() else []
        if tag == 0x60:
            self.bind(op, controls)
        elif tag == 0x42:
            self.log(op="unbind", id=self.mid)
            return False
        elif tag == 0x63:
            self.do_search(Search(op, self.ordinal + 1), controls)
        elif tag == 0x77:
            self.extended(op)
        elif tag == 0x50:
            self.log(op="abandon", id=self.mid, target=int.from_bytes(op.rest(), "big"))
        elif tag in (0x66, 0x68, 0x4A, 0x6C, 0x6E):
            self.write(tag, op)
        else:
            raise ber.Bad("operation 0x%02x" % tag)
        return True

    # -- answering

    def emit(self, kind, op, controls=(), mid=None):
        """Queues one message, damaged if a forging behaviour is set for this kind of message."""
        mid = self.mid if mid is None else mid
        data = ber.message(mid, op, controls)
        for b in self.forging:
            if b.opts["at"] != kind or (kind == "entry" and b.opts.get("entry", "1") not in (str(self.entry_no), "*")):
                continue
            if b.applies(self, self.search if kind in ("entry", "done") else None, self.page, {}):
                b.hits += 1
                data = self.forged(b, data, kind, mid, op)
        self.out += data
        if len(self.out) >= FLUSH_AT:
            self.flush()

    def forged(self, b, data, kind, mid, op):
        if b.name == "ber":
            shape = "entry" if kind in ("entry", "dse") else "ref" if kind == "ref" else "result"
            return ber.forge(data, shape, b.arg, b.opts["level"])
        if b.name == "mutate":
            return mutate(data, b.int())
        deep = ber.nested(b.int())
        where = b.opts["where"]
        if where == "control":
            return ber.message(mid, op, [deep])
        if where == "op":
            return ber.message(mid, deep)
        if where == "value":
            return ber.message(mid, ber.entry(b"CN=deep," + ad.DOMAIN_DN.encode(), [("description", [deep])]))
        return deep

    def flush(self):
        if self.out:
            data, self.out = bytes(self.out), bytearray()
            self.net.send(data)

    def sample(self, kind):
        """A plausible message out of nowhere."""
        mid = 1
        if kind == "notice":
            return self.notice_bytes(52)
        op = {"bind": ber.result(0x61, 0), "done": ber.result(0x65, 0),
              "entry": ber.entry("CN=Injected," + ad.DOMAIN_DN, [("sAMAccountName", [b"injected"]), ("cn", [b"Injected"])]),
              "byte": None}[kind]
        return b"\x30" if op is None else ber.message(mid, op)

    def notice_bytes(self, code, oid=NOTICE):
        text = b"00000000: LdapErr: DSID-0C0C0016, comment: The server is shutting down., data 0, v4563\0"
        return ber.message(0, ber.result(0x78, code, b"", text, None, ber.octets(oid, 0x8A)))

    def wait(self, on):
        b = self.fire("delay", on=on)
        if b:
            self.flush()
            time.sleep(b.int() / 1000)

    # -- bind

    def bind(self, op, controls):
        version, name = op.int(), op.bytes().decode("utf-8", "replace")
        tag, auth = op.element()
        record = dict(op="bind", id=self.mid, dn=name, version=version, tls=self.net.tls is not None)
        if tag == 0x80:
            password = auth.rest()
            record.update(method="simple", empty_password=not password)
        else:
            password = None
            record.update(method="sasl", mechanism=auth.bytes().decode("ascii", "replace"))
        self.log(**record)
        self.point("bind")
        self.wait("bind")
        code, text = self.check_bind(name, password)
        if code == 0:
            self.account = self.dir.find_account(name) if password else None
            self.bound = self.account is not None
        else:
            self.account, self.bound = None, False
        self.answer_bind(code, text)
        self.flush()
        self.done_bind = True
        b = self.fire("garbage", at="bound")
        if b:
            self.net.send(odd.GARBAGE[b.arg])
            self.net.stall()
        self.point("bound")

    def check_bind(self, name, password):
        """(code, diagnostic message) as AD gives them; AD's message ends in a NUL."""
        refused = "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data %s, v4563\0"
        b = self.fire("bind-error")
        if b:
            return 49, refused % b.arg
        b = self.fire("bind-result")
        if b:
            return odd.code_of(b.arg), "0000%04X: LdapErr: DSID-0C090000, comment: refused on demand, data 0, v4563\0" % odd.code_of(b.arg)
        if self.fire("channel-binding"):
            return 49, "80090346: LdapErr: DSID-0C090569, comment: AcceptSecurityContext error, data 80090346, v4563\0"
        b = self.on("stronger-auth")
        if b and (b.opts["over"] == "any" or not self.net.tls):
            b.hits += 1
            return 8, ("00002028: LdapErr: DSID-0C090259, comment: The server requires binds to turn on integrity checking "
                       "if SSL\\TLS are not already active on the connection, data 0, v4563\0")
        if password is None:
            return 7, "00002027: LdapErr: DSID-0C090000, comment: Invalid Authentication method, data 0, v4563\0"
        if not password:
            return 0, ""
        account = self.dir.find_account(name)
        if account is None or password != self.server.password:
            return 49, refused % "52e"
        uac = int(account.text("userAccountControl"))
        expires = int(account.text("accountExpires", "0"))
        for sub, wrong in (("775", account.get("lockoutTime")), ("533", uac & 2), ("701", 0 < expires < ad.filetime(ad.EPOCH)),
                           ("773", account.text("pwdLastSet") == "0")):
            if wrong:
                return 49, refused % sub
        return 0, ""

    def answer_bind(self, code, text):
        b = self.fire("referral", on="bind")
        if b:
            self.emit("bind", ber.result(0x61, b.int("code"), b"", b"", self.uris(b)))
            return
        mid = self.mid
        b = self.fire("stray", at="bind")
        if b:
            self.emit("bind", ber.result(0x61, 0), mid=self.odd_id(b.arg))
        b = self.fire("wrong-id", at="bind")
        if b:
            mid = self.odd_id(b.arg)
        tag = 0x61
        b = self.fire("wrong-type", at="bind")
        if b:
            tag = odd.WRONG_TYPES[b.arg]
        if self.fire("bind-in-progress"):
            self.emit("bind", ber.result(tag, 14, b"", b"", None, ber.octets(b"challenge", 0x87)), mid=mid)
            return
        self.emit("bind", ber.result(tag, code, b"", text.encode()), mid=mid)
        if self.fire("bind-twice"):
            self.emit("bind", ber.result(tag, code, b"", text.encode()), mid=mid)

    def odd_id(self, name):
        value = odd.IDS[name]
        return self.mid - 1 if value is None else value

    # -- extended operations

    def extended(self, op):
        oid = op.bytes(0x80).decode("ascii", "replace")
        self.log(op="extended", id=self.mid, oid=oid)
        if oid == WHOAMI:
            who = "u:%s\\%s" % (ad.NETBIOS, self.account.text("sAMAccountName")) if self.account else ""
            self.emit("ext", ber.result(0x78, 0, b"", b"", None, ber.octets(who, 0x8B)))
        elif oid == STARTTLS:
            self.starttls()
        else:
            self.emit("ext", ber.result(0x78, 2, b"", b"0000203D: LdapErr: DSID-0C090000, comment: Unknown extended request OID, data 0, v4563\0"))

    def starttls(self):
        b = self.fire("referral", on="starttls")
        if b:
            self.emit("ext", ber.result(0x78, b.int("code"), b"", b"", self.uris(b), ber.octets(STARTTLS, 0x8A)))
            return
        b = self.fire("starttls-refused")
        code = odd.code_of(b.arg) if b else 0 if self.server.can_tls and not self.net.tls else 1 if self.net.tls else 52
        self.emit("ext", ber.result(0x78, code, b"", b"" if code == 0 else b"00000000: LdapErr: DSID-0C090E17, comment: Error initializing SSL/TLS, data 0, v4563\0",
                                    None, ber.octets(STARTTLS, 0x8A)))
        if code:
            return
        b = self.fire("starttls-inject")
        if b:
            self.out += self.sample(b.arg)
        self.flush()
        if self.fire("starttls-silent"):
            self.net.stall()
        if self.fire("starttls-plain"):
            self.net.send(self.sample("bind"))
            self.net.stall()
        if self.buf:
            self.log(op="plaintext-after-starttls", bytes=len(self.buf))
            self.buf = b""
        self.net.start_tls(self.server.context(self))
        self.point("tls")

    # -- search

    def do_search(self, search, controls):
        ctl = {oid: (critical, value) for oid, critical, value in controls}
        paged = self.read_paged(ctl.get(PAGED))
        self.log_search(search, controls, paged)
        if search.base == "" and search.scope == 0:
            self.root_dse(search)
            return
        if not (paged and paged[1]) and search.scope:
            self.ordinal += 1
        search.ordinal = self.ordinal
        self.search, self.page, self.entry_no = search, None, 0
        if self.on("no-paging") and PAGED in ctl:
            if ctl[PAGED][0]:
                self.finish(12, "00000057: LdapErr: DSID-0C090000, comment: Error processing control, data 0, v4563")
                return
            paged = None
        unknown = [oid for oid, critical, _ in controls if critical and oid not in KNOWN_CONTROLS]
        if unknown:
            self.finish(12, "00000057: LdapErr: DSID-0C090000, comment: Error processing control, data 0, v4563")
        elif not self.bound:
            self.finish(1, "000004DC: LdapErr: DSID-0C090A5C, comment: In order to perform this operation a successful "
                           "bind must be completed on the connection., data 0, v4563")
        else:
            self.wait("search")
            self.point("search", search)
            if not self.refused(search):
                self.answer_search(search, ctl, paged)
        self.search = self.page = None

    def log_search(self, search, controls, paged):
        shown = []
        for oid, critical, value in controls:
            one = {"oid": oid, "critical": critical, "name": KNOWN_CONTROLS.get(oid)}
            if oid == PAGED and paged:
                one.update(size=paged[0], cookie=paged[1].hex())
            elif value is not None:
                one["value"] = value.hex()
            shown.append(one)
        self.log(op="search", id=self.mid, base=search.base, scope=SCOPES[search.scope], filter=search.text,
                 attrs=search.attrs, size_limit=search.size_limit, time_limit=search.time_limit, controls=shown)

    @staticmethod
    def read_paged(control):
        if not control:
            return None
        r = ber.Reader(control[1] or b"").sub(0x30)
        return r.int(), r.bytes()

    def refused(self, search):
        """A refusal of the whole search; True when one was sent."""
        b = self.fire("no-such-base", search)
        if b:
            self.finish(32, "0000208D: NameErr: DSID-0310028D, problem 2001 (NO_OBJECT), data 0, best match of:\n\t'%s'\n" % b.arg, b.arg)
            return True
        if self.fire("insufficient", search):
            self.finish(50, "00002098: SecErr: DSID-03150F94, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0\n")
            return True
        b = self.fire("bad-code", search)
        if b:
            self.finish(b.int(), "a result code from nowhere")
            return True
        b = self.fire("bad-text", search)
        if b:
            text = odd.NASTY_TEXT.get(b.arg) or odd.BAD_UTF8[b.arg]
            self.emit("done", ber.result(0x65, odd.code_of(b.opts["code"]), b"", text))
            return True
        return False

    def uris(self, b):
        shape = b.arg
        if shape == "each":
            shape = list(odd.REFERRALS)[(b.hits - 1) % len(odd.REFERRALS)]
        return odd.referral_uris(shape, b.opts["target"], "127.0.0.1:%d" % self.server.port)

    def finish(self, code, text="", matched="", controls=(), entries=0, referral=None, mid=None):
        """SearchResultDone, with the deviations that belong to it."""
        tag = 0x65
        b = self.fire("wrong-type", self.search, self.page, at="search")
        if b:
            tag = odd.WRONG_TYPES[b.arg]
        text = (text + "\0").encode() if text else b""
        op = ber.result(tag, code, matched, text, referral)
        self.log(op="answer", id=self.mid, code=code, entries=entries, page=self.page)
        if self.fire("missing-done", self.search, self.page):
            return
        self.emit("done", op, controls, mid)
        if self.fire("two-dones", self.search, self.page):
            self.emit("done", op, controls, mid)
        if self.fire("late-entries", self.search, self.page):
            self.emit("late", ber.entry("CN=Late," + ad.DOMAIN_DN, [("sAMAccountName", [b"late"]), ("objectGUID", [ad.guid("late")])]))

    # -- what is in scope

    def visible(self, search, ctl):
        """All entries that match, or None after a refusal was sent."""
        base = self.resolve(search.base)
        if base is None:
            return None
        found = self.dir.candidates(base, search.scope)
        deleted = SHOW_DELETED in ctl or SHOW_RECYCLED in ctl or DIRSYNC in ctl
        hidden = {b.arg.casefold() for b in self.behaviours if b.name == "hide" and b.applies(self, None, None, {})}
        admin = self.on("admin")
        match = filters.compile(search.filter, self.dir, self.denied())
        return [e for e in found if (deleted or not e.deleted) and (admin or not e.admin_only)
                and (not hidden or e.text("sAMAccountName").casefold() not in hidden) and match(e)]

    def denied(self):
        b = self.on("deny-attrs")
        return {a.lower() for a in b.arg.split(":")} if b else set()

    def resolve(self, base):
        """The DN that a base means: <GUID=>, <SID=> or a DN; refuses what is elsewhere or absent."""
        low = base.lower()
        if low.startswith(("<guid=", "<sid=")) and low.endswith(">"):
            for e in self.dir.entries:
                if low[1:5] == "guid":
                    raw = e.get("objectGUID")[0]
                    if low[6:-1] in (raw.hex(), str_guid(raw)):
                        return e.dn
                elif e.get("objectSid") and low[5:-1] in (e.get("objectSid")[0].hex(), str_sid(e.get("objectSid")[0])):
                    return e.dn
            self.finish(32, "0000208D: NameErr: DSID-03100241, problem 2001 (NO_OBJECT), data 0, best match of:\n\t''\n")
            return None
        norm = ad.norm_dn(base)
        if norm in self.dir.by_norm:
            return base
        if base and "=" not in base:
            self.finish(34, "0000208F: NameErr: DSID-03100225, problem 2006 (BAD_NAME), data 8349, best match of:\n\t'%s'\n" % base)
        elif norm.endswith(ad.norm_dn(ad.DOMAIN_DN)):
            near = self.dir.closest(base)
            self.finish(32, "0000208D: NameErr: DSID-03100241, problem 2001 (NO_OBJECT), data 0, best match of:\n\t'%s'\n" % near, near)
        else:
            host = ".".join(p.partition("=")[2] for p in ad.split_dn(base) if p.upper().strip().startswith("DC=")) or "other.example"
            self.finish(10, "0000202B: RefErr: DSID-0310084A, data 0, 1 access points\n\tref 1: '%s'\n" % host,
                        referral=["ldap://%s/%s" % (host, base)])
        return None

    # -- pages

    def answer_search(self, search, ctl, paged):
        for b in [self.fire("stray", search, at="search")]:
            if b:
                self.emit("stray", ber.result(0x65, 0), mid=self.odd_id(b.arg))
        if DIRSYNC in ctl:
            self.dirsync(search, ctl)
            return
        limit = self.on("max-page-size") or (Behaviour("max-page-size") if self.on("ad-limits") else None)
        limit = limit.int() if limit else 0
        if paged and paged[1]:
            listing = self.listings.pop(paged[1], None)
            if listing is None or self.changed_dc(listing.page + 1):
                self.refuse_cookie("unwillingToPerform")
                return
            listing.page += 1
            b = self.fire("cookie-refused", search, listing.page)
            if b:
                self.refuse_cookie(b.arg)
                return
        else:
            found = self.visible(search, ctl)
            if found is None:
                return
            listing = Listing(found)
            listing.page = 1
            self.rewrite_start(search, listing)
        self.page = listing.page
        self.point("page", search, self.page)
        b = self.fire("smaller-pages", search, self.page) if paged and paged[0] > self.smaller(search) else None
        if b:
            self.finish(odd.code_of(b.opts["code"]), "00002024: SvcErr: DSID-02050D2A, problem 5008 (ADMIN_LIMIT_EXCEEDED), data -1026\n")
            return
        self.rewrite_page(search, listing)
        size = paged[0] if paged else len(listing.queue)
        if paged:
            for cap in (limit, (self.on("page-cap", search) or Behaviour("page-cap", "0")).int()):
                size = min(size, cap) if cap else size
        truncated = 0
        if not paged:
            for most in (limit, search.size_limit):
                if most and size > most:
                    size, truncated = most, 4
        self.send_page(search, ctl, paged, listing, size, truncated)

    def smaller(self, search):
        b = self.on("smaller-pages", search)
        return b.int() if b else 1 << 62

    def changed_dc(self, page):
        b = self.on("other-dc")
        if b and page >= b.int():
            self.server.dc_now = "dc2"
            return True
        return False

    def refuse_cookie(self, code):
        self.finish(odd.code_of(code), "00002040: SvcErr: DSID-03140530, problem 5010 (UNAVAIL_EXTENSION), data 0\n")

    def rewrite_start(self, search, listing):
        """History that begins with the first page."""
        for b in self.behaviours:
            if b.name == "appear" and b.applies(self, search, None, {}) and listing.page < b.int("page"):
                entry = self.dir.by_sam.get(b.arg.casefold())
                if entry in listing.queue:
                    listing.queue.remove(entry)
                    listing.late.append((b.int("page"), entry))

    def rewrite_page(self, search, listing):
        """What happened to the directory since the page before."""
        for item in [x for x in listing.late if x[0] <= listing.page]:
            listing.late.remove(item)
            listing.queue.append(item[1])
        for b in self.behaviours:
            if b.name not in ("vanish", "move", "modify", "duplicate") or not b.applies(self, search, None, {}):
                continue
            entry, at = self.dir.by_sam.get(b.arg.casefold()), b.int("page")
            if entry is None or (b.name == "duplicate" and at == 0 and listing.page > 1):
                continue
            if b.name == "vanish" and listing.page >= at:
                listing.queue = [e for e in listing.queue if e is not entry]
            elif b.name == "modify" and listing.page >= at:
                listing.queue = [Moved(e, **{b.opts["attr"]: b.opts["value"].encode()}) if e is entry else e for e in listing.queue]
            elif b.name == "move" and listing.page == at:
                listing.queue.insert(0, Moved(entry, dn="%s,OU=Servers,%s" % (ad.split_dn(entry.dn)[0], ad.DOMAIN_DN)))
            elif b.name == "duplicate" and listing.page == max(1, at):
                at = listing.queue.index(entry) + 1 if entry in listing.queue else 0
                listing.queue.insert(at, entry)

    def send_page(self, search, ctl, paged, listing, size, code):
        self.before_page(search)
        page, flood = self.page, self.flooding(search, listing)
        batch = [] if flood == "empty" else listing.queue[:size] if flood is None else self.flood_batch(flood, listing, size)
        stop = self.fire("result", search, page)
        if stop and "entries" in stop.opts:
            batch = batch[:stop.int("entries")]
        mid = self.mid
        wrong = self.fire("wrong-id", search, page, at="search")
        if wrong:
            mid = self.odd_id(wrong.arg)
        self.entry_no = 0
        for e in batch:
            self.entry_point(search, page)
            self.entry_no += 1
            self.send_entry(e, search, ctl, mid)
        self.entry_point(search, page)
        self.endless(search, page)
        if flood is None:
            listing.queue = listing.queue[size:]
        if stop:
            self.finish(odd.code_of(stop.arg), "00000000: SvcErr: DSID-00000000, problem %s, data 0\n" % stop.arg, entries=len(batch), mid=mid)
            return
        loops = flood is not None or self.on("cookie-loop", search) or self.on("endless-empty", search)
        more = bool(paged) and (bool(listing.queue) or bool(loops) or bool(listing.late)) and paged[0] > 0
        if not more:
            self.continuations(search, ctl)
        self.finish(code if not more else 0, "", "", self.paged_answer(search, paged, listing, more), len(batch), mid=mid)

    def entry_point(self, search, page):
        """silent, close or reset after `entries=` entries (default 1) of `page=` (default 1)."""
        for b in self.behaviours:
            if b.name in ("silent", "close", "reset") and b.arg == "entry" and b.int("entries", 1) == self.entry_no \
                    and in_range(b.opts.get("page", 1), page) and b.applies(self, search, page, {}):
                b.hits += 1
                self.flush()
                {"silent": self.net.stall, "close": self.net.fin, "reset": self.net.rst}[b.name]()

    def before_page(self, search):
        page = self.page
        b = self.fire("tls-garbage", search, page)
        if b:
            self.flush()
            self.net.raw_send(b"\x17\x03\x03\x00\x40" + 64 * b"\xAA")
            self.net.stall()
        b = self.fire("notice", search, page)
        if b:
            self.out += self.notice_bytes(odd.code_of(b.arg))
            self.flush()
            if b.opts["stay"] == "0":
                self.net.end("notify")
            self.net.stall()
        b = self.fire("unsolicited", search, page)
        if b:
            self.out += self.notice_bytes(0, b.arg)
        if self.fire("server-request", search, page):
            self.out += ber.message(77, tlv_search()) + ber.message(78, ber.tlv(0x60, ber.integer(3), ber.octets(""), ber.octets("", 0x80)))
            self.out += ber.message(79, b"\x42\x00")
        if self.fire("intermediate", search, page):
            self.emit("intermediate", ber.tlv(0x79, ber.octets("1.2.3.4.6", 0x80), ber.octets(b"progress", 0x81)))
        b = self.fire("continuation", search, page)
        if b:
            for _ in range(b.int("count")):
                self.emit("ref", ber.tlv(0x73, *[ber.octets(u) for u in self.uris(b) or []]))
        b = self.fire("referral", search, page, on="search")
        if b:
            self.finish(b.int("code"), "0000202B: RefErr: DSID-0310084A, data 0, 1 access points\n", referral=self.uris(b))
            raise Answered()

    def flooding(self, search, listing):
        """Which flood feeds this page: None for the honest queue."""
        if self.fire("endless-pages", search, self.page):
            return "new"
        if self.fire("endless-same", search, self.page):
            return "same"
        for name in ("cookie-loop", "endless-empty"):
            b = self.on(name, search)
            if b and self.page > b.int("page"):
                b.hits += 1
                return "empty"
        b = self.on("empty-pages", search)
        if b and listing.flooded < b.int() and self.page >= b.int("page"):
            listing.flooded += 1
            return "empty"
        return None

    def flood_batch(self, kind, listing, size):
        if kind == "same":
            listing.first_page = listing.first_page or listing.queue[:size]
            return listing.first_page
        return [self.flood_entry() for _ in range(size)]

    def flood_entry(self):
        self.flood += 1
        n, model = self.flood, self.dir.by_sam.get("user00001") or self.dir.by_sam["administrator"]
        sam = "flood%08d" % n
        return Moved(model, dn="CN=Flood %d,OU=People,%s" % (n, ad.DOMAIN_DN), objectGUID=ad.guid(sam),
                     objectSid=ad.domain_sid(1000000 + n), sAMAccountName=sam.encode(), cn=b"Flood %d" % n, name=b"Flood %d" % n,
                     userPrincipalName=sam.encode() + b"@fake.example")

    def endless(self, search, page):
        if self.fire("endless-entries", search, page):
            while True:
                self.send_entry(self.flood_entry(), search, {}, self.mid)
        if self.fire("endless-refs", search, page):
            for n in itertools.count():
                self.emit("ref", ber.tlv(0x73, ber.octets("ldap://host%d.other.example/DC=other,DC=example" % n)))

    def continuations(self, search, ctl):
        """AD's own references to the naming contexts below the domain."""
        if search.scope != 2 or ad.norm_dn(search.base) != ad.norm_dn(ad.DOMAIN_DN) or DOMAIN_SCOPE in ctl or self.on("no-continuations"):
            return
        for host, dn in (("ForestDnsZones.fake.example", "DC=ForestDnsZones," + ad.DOMAIN_DN),
                         ("DomainDnsZones.fake.example", "DC=DomainDnsZones," + ad.DOMAIN_DN), ("fake.example", ad.CONFIG_DN)):
            self.emit("ref", ber.tlv(0x73, ber.octets("ldap://%s/%s" % (host, dn))))

    def paged_answer(self, search, paged, listing, more):
        if not paged:
            return []
        cookie = b""
        if more:
            fixed = self.on("cookie-repeat", search) or (self.on("cookie-loop", search) and self.page >= self.on("cookie-loop", search).int("page"))
            n = 0 if fixed else next(self.cookies)
            cookie = b"FK\0\0" + struct.pack("<III", self.server.instance, self.number, n) + 8 * b"\0"
            self.listings[cookie] = listing
        b = self.fire("bad-paged", search, self.page)
        if b:
            return odd.BAD_PAGED[b.arg](0, cookie)
        return [ber.control(PAGED, ber.seq(ber.integer(0), ber.octets(cookie)))]

    # -- entries

    def send_entry(self, entry, search, ctl, mid):
        for b in self.streams:
            if entry.text("sAMAccountName") == b.opts.get("who", "user00002") and b.applies(self, search, self.page, {}):
                b.hits += 1
                self.stream(b, entry, mid)
                return
        dn, attrs = entry.dn.encode(), self.select(entry, search, ctl)
        if self.content:
            obj = odd.Obj(dn, [[n, v] for n, v in attrs], search.wanted)
            sam = entry.text("sAMAccountName").casefold()
            for b in self.content:
                if b.opts.get("who", "user00002").casefold() in (sam, "*") and b.applies(self, search if "scope" in b.opts else None, None, {}):
                    b.hits += 1
                    odd.CONTENT[b.name][0](obj, b.arg, dict(b.opts, directory=self.dir))
            dn, attrs = obj.dn, obj.attrs
        self.emit("entry", ber.entry(dn, attrs), mid=mid)

    def select(self, entry, search, ctl):
        """[(name, values)] of what was asked, as AD returns it."""
        denied, out, seen = self.denied(), [], set()
        flags = self.sd_flags(ctl)
        names = list(entry.attrs) if search.all else []
        if search.all and flags:
            names.append("nTSecurityDescriptor")
        names += [a for a in search.attrs if a not in ("*", "+", "1.1")]
        for asked in names:
            base, _, option = asked.partition(";")
            low = base.lower()
            if low in denied or low in seen:
                continue
            seen.add(low)
            if low == "ntsecuritydescriptor":
                if flags and not self.on("no-descriptors"):
                    out.append(("nTSecurityDescriptor", [self.server.sd(entry.sd, flags)]))
                continue
            name, values = entry.low.get(low), entry.get(base)
            if not values and low in CONSTRUCTED:
                name, values = CONSTRUCTED[low], self.dir.constructed(entry, base) if low != "tokengroups" or search.scope == 0 else []
            if values:
                self.add_values(out, name, option, values)
        return [(n, []) for n, _ in out] if search.types_only else out

    def add_values(self, out, name, option, values):
        """One attribute, as a range where the request or the limits ask for it."""
        b = self.on("forced-ranges") or (Behaviour("forced-ranges") if self.on("ad-limits") else None)
        step = b.int() if b else 0
        low, high, ranged = 0, None, False
        if option.lower().startswith("range="):
            first, _, last = option[6:].partition("-")
            if first.isdigit() and (last == "*" or last.isdigit()):
                low, high, ranged = int(first), None if last == "*" else int(last), True
        twisted = self.on("bad-range")
        if twisted and twisted.opts["attr"].lower() == name.lower() and (ranged or len(values) > twisted.int("step")):
            twisted.hits += 1
            text, part = odd.BAD_RANGES[twisted.arg](values, low, twisted.int("step"))
            out.append(("%s;%s" % (name, text), part))
            return
        if not ranged and (not step or len(values) <= step):
            out.append((name, values))
            return
        if low >= len(values):
            b = self.on("range-past-end")
            if b:
                raise RangeError(odd.code_of(b.arg))
            return
        end = len(values) if high is None else min(len(values), high + 1)
        if step:
            end = min(end, low + step)
        if not ranged and b.opts["empty"] == "1":
            out.append((name, []))
        out.append(("%s;range=%d-%s" % (name, low, "*" if end == len(values) else end - 1), values[low:end]))

    @staticmethod
    def sd_flags(ctl):
        """SD_FLAGS without the SACL bit: asking for the SACL without the privilege gives nothing at all."""
        if SD_FLAGS not in ctl:
            return 0
        flags = ber.Reader(ctl[SD_FLAGS][1] or b"\x30\x00").sub(0x30).int()
        return 0 if flags & 8 else flags & 7

    def stream(self, b, entry, mid):
        """One entry too large to build in memory."""
        attr, n = b.opts["attr"], b.int()
        self.flush()
        if b.name == "many-values":
            line = b"CN=Flood %08d,OU=Groups,DC=fake,DC=example"
            size = len(line % 0)
            unit = b"\x04" + ber.length(size) + line
            self.net.send(ber.entry_prefix(mid, entry.dn, attr, n * (size + 2), False))
            for start in range(0, n, 20000):
                count = min(20000, n - start)
                self.net.send((unit * count) % tuple(range(start, start + count)))
            return
        self.net.send(ber.entry_prefix(mid, entry.dn, attr, n, True))
        if b.name == "huge-header":
            self.net.send(64 * b"H")
            self.net.end(b.opts["how"])
        chunk = (1 << 20) * b"V"
        for start in range(0, n, len(chunk)):
            self.net.send(chunk[:n - start])

    # -- DirSync, MS-ADTS 3.1.1.3.4.1.3

    def dirsync(self, search, ctl):
        r = ber.Reader(ctl[DIRSYNC][1] or b"").sub(0x30)
        flags, size, cookie = r.int(), r.int(), r.bytes()
        if not flags & 1 and not self.on("dirsync-open"):
            self.finish(50, "00002105: SecErr: DSID-031522C9, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0\n")
            return
        usn, mark = 0, ad.guid("invocation:" + self.dir.dc)
        if cookie:
            if len(cookie) != 28 or cookie[:4] != b"MSDS" or cookie[12:] != mark:
                self.finish(53, "00000057: LdapErr: DSID-0C090000, comment: Error processing control, data 0, v4563")
                return
            usn = struct.unpack_from("<Q", cookie, 4)[0]
        found = self.visible(search, ctl)
        if found is None:
            return
        found = sorted((int(e.text("uSNChanged")), i, e) for i, e in enumerate(found) if int(e.text("uSNChanged")) > usn)
        self.page, most = 1, max(1, size // 1000) if size > 0 else 1000
        for top, _, e in found[:most]:
            usn = top
            self.entry_no += 1
            self.send_entry(e, search, ctl, self.mid)
        if len(found) <= most:
            usn = self.dir.usn
        value = ber.seq(ber.integer(1 if len(found) > most else 0), ber.integer(0), ber.octets(b"MSDS" + struct.pack("<Q", usn) + mark))
        self.finish(0, controls=[ber.control(DIRSYNC, value)], entries=min(len(found), most))

    # -- the root DSE, MS-ADTS 3.1.1.3.2

    def root_dse(self, search):
        b = self.on("clock-skew")
        now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=b.int() if b else 0)
        b = self.on("dc")
        dc = b.arg if b else self.server.dc_now or self.dir.dc
        host, usn = "%s.%s" % (dc, ad.DNS_NAME), self.dir.usn + (0 if dc == self.dir.dc else 777000)
        ready = b"FALSE" if self.on("no-gc-ready") else b"TRUE"
        server_dn = self.dir._settings_dn(dc).partition(",")[2]
        attrs = {
            "currentTime": [ad.gtime(now)], "subschemaSubentry": ["CN=Aggregate," + ad.SCHEMA_DN],
            "dsServiceName": [self.dir._settings_dn(dc)],
            "namingContexts": [ad.DOMAIN_DN, ad.CONFIG_DN, ad.SCHEMA_DN, "DC=DomainDnsZones," + ad.DOMAIN_DN, "DC=ForestDnsZones," + ad.DOMAIN_DN],
            "defaultNamingContext": [ad.DOMAIN_DN], "schemaNamingContext": [ad.SCHEMA_DN], "configurationNamingContext": [ad.CONFIG_DN],
            "rootDomainNamingContext": [ad.DOMAIN_DN],
            "supportedControl": sorted(oid for oid in KNOWN_CONTROLS if oid != PAGED or not self.on("no-paging")) + ["1.2.840.113556.1.4.473", "1.2.840.113556.1.4.529"],
            "supportedLDAPVersion": ["3", "2"],
            "supportedLDAPPolicies": ["MaxPageSize", "MaxValRange", "MaxQueryDuration", "MaxResultSetSize", "MaxTempTableSize"],
            "supportedCapabilities": ["1.2.840.113556.1.4.800", "1.2.840.113556.1.4.1670", "1.2.840.113556.1.4.1791", "1.2.840.113556.1.4.1935", "1.2.840.113556.1.4.2080", "1.2.840.113556.1.4.2237"],
            "supportedExtension": [STARTTLS, WHOAMI, "1.3.6.1.4.1.1466.101.119.1"],
            "supportedSASLMechanisms": ["GSSAPI", "GSS-SPNEGO", "EXTERNAL", "DIGEST-MD5"], "highestCommittedUSN": [str(usn)],
            "dnsHostName": [host], "ldapServiceName": ["%s:%s$@%s" % (ad.DNS_NAME, dc, ad.DNS_NAME.upper())], "serverName": [server_dn],
            "isSynchronized": [ready], "isGlobalCatalogReady": [ready], "domainFunctionality": ["7"], "forestFunctionality": ["7"],
            "domainControllerFunctionality": ["7"],
        }
        b = self.on("hide-root-attrs")
        gone = {a.lower() for a in b.arg.split(":")} if b else set()
        every = search.all or "+" in search.attrs
        chosen = [(n, [v if isinstance(v, bytes) else v.encode() for v in vs]) for n, vs in attrs.items()
                  if n.lower() not in gone and (every or n.lower() in search.low)]
        self.wait("any")
        self.emit("dse", ber.entry(b"", [(n, [] if search.types_only else v) for n, v in chosen]))
        self.log(op="answer", id=self.mid, code=0, entries=1, page=None)
        self.emit("dse-done", ber.result(0x65, 0))

    # -- writing

    def write(self, tag, op):
        """Modify, add, delete, rename, compare: refused unless `writable`; values of passwords are never logged."""
        if tag == 0x4A:
            dn, record = op.rest().decode("utf-8", "replace"), {"op": "delete"}
        else:
            dn = op.bytes().decode("utf-8", "replace")
            record = {"op": {0x66: "modify", 0x68: "add", 0x6C: "moddn", 0x6E: "compare"}[tag]}
        changes = self.read_changes(tag, op)
        record.update(id=self.mid, dn=dn, changes=[{"type": k, "attr": a, "values": None if a.lower() in SECRET_ATTRS else
                                                    [v.decode("utf-8", "backslashreplace") for v in vs]} for k, a, vs in changes])
        self.log(**record)
        answer = {0x66: 0x67, 0x68: 0x69, 0x4A: 0x6B, 0x6C: 0x6D, 0x6E: 0x6F}[tag]
        code = 50
        if self.bound and self.on("writable"):
            code = self.server.apply(tag, dn, changes)
        text = b"" if code == 0 else b"00002098: SecErr: DSID-031514B3, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0\n\0" if code == 50 else b"0000208D: NameErr\n\0"
        self.emit("write", ber.result(answer, code, b"", text))

    @staticmethod
    def read_changes(tag, op):
        changes = []
        if tag in (0x66, 0x68):
            items = op.sub(0x30)
            while items.more():
                item, kind = items.sub(0x30), "add"
                if tag == 0x66:
                    kind = {0: "add", 1: "delete", 2: "replace"}.get(item.int(0x0A), "other")
                    item = item.sub(0x30)
                attr, values, found = item.bytes().decode("utf-8", "replace"), item.sub(0x31), []
                while values.more():
                    found.append(values.bytes())
                changes.append((kind, attr, found))
        return changes


class Answered(Exception):
    """A behaviour answered in place of the normal course."""


class RangeError(Exception):
    pass


def guarded(method):
    def run(self, search, controls):
        try:
            method(self, search, controls)
        except Answered:
            self.search = self.page = None
        except RangeError as e:
            self.finish(e.args[0], "00000057: LdapErr: DSID-0C090000, comment: Error in attribute conversion operation, data 0, v4563")
            self.search = self.page = None
    return run


Session.do_search = guarded(Session.do_search)

CONSTRUCTED = {n.lower(): n for n in ad.CONSTRUCTED}


def tlv_search():
    return ber.tlv(0x63, ber.octets(""), ber.enum(0), ber.enum(0), ber.integer(0), ber.integer(0), ber.boolean(False),
                   ber.octets("objectClass", 0x87), ber.seq())


def str_guid(raw):
    return "%08x-%04x-%04x-%s-%s" % (struct.unpack("<IHH", raw[:8]) + (raw[8:10].hex(), raw[10:].hex()))


def str_sid(raw):
    return "s-1-%d" % int.from_bytes(raw[2:8], "big") + "".join("-%d" % s for s in struct.unpack("<%dI" % raw[1], raw[8:]))


def mutate(data, seed):
    """One to four seeded injuries. The same seed gives the same injuries."""
    rng, out = random.Random(seed), bytearray(data)
    edges = (0x00, 0x01, 0x7F, 0x80, 0x81, 0x84, 0x88, 0xFE, 0xFF, 0x30, 0x04, 0x02, 0x0A, 0xA0, 0xA3)
    for _ in range(rng.randint(1, 4)):
        at, kind = rng.randrange(len(out) or 1), rng.randrange(7)
        span = min(len(out) - at, rng.choice((1, 1, 2, 3, 4, 8, 40)))
        if kind == 0 and out:
            out[at] ^= 1 << rng.randrange(8)
        elif kind == 1 and out:
            out[at] = rng.choice(edges)
        elif kind == 2:
            del out[at:at + span]
        elif kind == 3:
            out[at:at] = bytes(rng.choice(edges) for _ in range(span))
        elif kind == 4:
            out[at:at] = out[at:at + span]
        elif kind == 5:
            out[at:at + span] = bytes(rng.randrange(256) for _ in range(span))
        else:
            del out[max(1, at):]
    return bytes(out)
