"""session - one LDAP connection: requests decoded, answered as Active Directory answers, and spoilt as asked."""

import itertools
import random
import struct
import time

import anomalies as odd
import ber
import directory as ad
import filters
from behaviour import SCOPES, Behaviour
from pages import (DIRSYNC, KNOWN_CONTROLS, NOTICE, PAGED, SHOW_DELETED, SHOW_RECYCLED, STARTTLS, WHOAMI, Answered, Listing, Pages,
                   RangeError, Search)
from wire import Gone, Transport

SECRET_ATTRS = {"unicodepwd", "userpassword", "dbcspwd"}
FLUSH_AT = 1 << 16
MAX_REQUEST = 16 << 20


# --- one connection ---------------------------------------------------------------------------------------------

class Session(Pages):
    def __init__(self, server, sock, number):
        self.server, self.number, self.era = server, number, server.era
        self.behaviours = server.behaviours
        self.dir = server.directory
        self.net = Transport(self, sock)
        self.account, self.bound, self.done_bind, self.heard = None, False, False, None
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
            self.heard = password = auth.rest()
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
        b = self.fire("echo", on="bind")
        if b:
            self.emit("bind", self.echo(0x61, b))
            return
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

    def echo(self, tag, b):
        """A refusal that repeats what the client wants to keep secret."""
        said = self.heard if isinstance(self.heard, bytes) else str(self.heard or "").encode()
        text = {"text": b"refused: " + said, "logon": b"80090308: LdapErr: DSID-0C09044E, comment: " + said + b", data 52e, v4563"}.get(b.arg, b"")
        return ber.result(tag, b.int("code"), b"CN=" + said + b"," + ad.DOMAIN_DN.encode() if b.arg == "matched" else b"", text + b"\0" if text else b"",
                          [b"ldap://" + said + b".example/"] if b.arg == "referral" else None)

    def odd_id(self, name):
        value = odd.IDS[name]
        return self.mid - 1 if value is None else value

    # -- extended operations

    def extended(self, op):
        oid = op.bytes(0x80).decode("ascii", "replace")
        self.log(op="extended", id=self.mid, oid=oid)
        if oid == WHOAMI:
            who = "u:%s\\%s" % (ad.NETBIOS, self.account.text("sAMAccountName")) if self.account else ""
            b = self.fire("referral", on="ext")
            self.emit("ext", ber.result(0x78, b.int("code"), b"", b"", self.uris(b)) if b else ber.result(0x78, 0, b"", b"", None, ber.octets(who, 0x8B)))
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
