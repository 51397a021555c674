"""pages - what a search is answered with: pages, entries, continuations, the root DSE, each spoilt as asked."""

import datetime
import itertools
import struct

import anomalies as odd
import ber
import directory as ad
import filters
from behaviour import Behaviour, in_range


PAGED, SD_FLAGS = odd.PAGED_OID, "1.2.840.113556.1.4.801"
SHOW_DELETED, SHOW_RECYCLED = "1.2.840.113556.1.4.417", "1.2.840.113556.1.4.2064"
DOMAIN_SCOPE, DIRSYNC, SEARCH_OPTIONS = "1.2.840.113556.1.4.1339", "1.2.840.113556.1.4.841", "1.2.840.113556.1.4.1340"
KNOWN_CONTROLS = {PAGED: "paged", SD_FLAGS: "sd-flags", SHOW_DELETED: "show-deleted", SHOW_RECYCLED: "show-recycled",
                  DOMAIN_SCOPE: "domain-scope", DIRSYNC: "dirsync", SEARCH_OPTIONS: "search-options"}
STARTTLS, WHOAMI, NOTICE = "1.3.6.1.4.1.1466.20037", "1.3.6.1.4.1.4203.1.11.3", "1.3.6.1.4.1.1466.20036"
CONSTRUCTED = {n.lower(): n for n in ad.CONSTRUCTED}


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


class Answered(Exception):
    """A behaviour answered in place of the normal course."""


class RangeError(Exception):
    pass


def tlv_search():
    return ber.tlv(0x63, ber.octets(""), ber.enum(0), ber.enum(0), ber.integer(0), ber.integer(0), ber.boolean(False),
                   ber.octets("objectClass", 0x87), ber.seq())


class Pages:
    """The half of a Session that writes answers to searches."""

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
        b = self.fire("referral", search, page, on="notice")
        if b:
            self.out += ber.message(0, ber.result(0x78, b.int("code"), b"", b"", self.uris(b), ber.octets("1.2.3.4.5", 0x8A)))
        b = self.fire("continuation", search, page, on="search")
        if b:
            for _ in range(b.int("count")):
                self.emit("ref", ber.tlv(0x73, *[ber.octets(u) for u in self.uris(b) or []]))
        b = self.fire("echo", search, page, on="search")
        if b:
            self.emit("done", self.echo(0x65, b))
            raise Answered()
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
        b = self.fire("referral", on="dse")
        if b:
            self.finish(b.int("code"), referral=self.uris(b))
            return
        b = self.fire("continuation", on="dse")
        if b:
            self.emit("ref", ber.tlv(0x73, *[ber.octets(u) for u in self.uris(b) or []]))
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
