"""anomalies - everything the fake controller can do wrong or unusually, as tables.

BEHAVIOURS names each behaviour with its argument, its defaults and one sentence (README.md and `ldapd.py --list` are made
from it). CONTENT changes one entry before it is encoded; the other tables are the variants of one behaviour each.
"""

import struct

import ber
import directory as ad


class Spec:
    def __init__(self, group, argument, doc, variants=(), /, **defaults):
        self.group, self.argument, self.doc = group, argument, doc
        self.variants, self.defaults = tuple(variants), defaults


# --- content: one entry -----------------------------------------------------------------------------------------

class Obj:
    """An entry on its way out: dn bytes, attrs [[name, values]] already cut down to what was asked."""

    def __init__(self, dn, attrs, wanted):
        self.dn, self.attrs, self.wanted = dn, attrs, wanted

    def find(self, name):
        for pair in self.attrs:
            if pair[0].partition(";")[0].lower() == name.lower():
                return pair
        return None

    def put(self, name, *values):
        """Replaces the values; an attribute that is not there is added only when the client asked for it."""
        pair = self.find(name)
        if pair:
            pair[1] = list(values)
        elif self.wanted(name):
            self.attrs.append([name, list(values)])

    def drop(self, name):
        self.attrs = [p for p in self.attrs if p[0].partition(";")[0].lower() != name.lower()]


GOOD_GUID = ad.guid("anomaly")
GOOD_SID = ad.domain_sid(4242)

BAD_SIDS = {
    "empty": b"", "header-only": GOOD_SID[:8], "truncated": GOOD_SID[:-2], "one-byte": b"\x01", "trailing": GOOD_SID + b"\0\0\0\0",
    "revision-0": b"\x00" + GOOD_SID[1:], "revision-2": b"\x02" + GOOD_SID[1:], "count-0": b"\x01\x00" + GOOD_SID[2:8],
    "count-16": b"\x01\x10" + GOOD_SID[2:8] + 64 * b"\1", "count-255": b"\x01\xff" + GOOD_SID[2:],
    "count-too-small": b"\x01\x02" + GOOD_SID[2:], "count-too-large": b"\x01\x06" + GOOD_SID[2:], "text": b"S-1-5-21-1-2-3-500",
    "64k": b"\x01\x05" + 65534 * b"A",
}
BAD_GUIDS = {"empty": (b"",), "short": (GOOD_GUID[:8],), "15": (GOOD_GUID[:15],), "17": (GOOD_GUID + b"\0",),
             "two": (GOOD_GUID, ad.guid("other")), "zero": (bytes(16),),
             "text": (b"2b4f2b38-6c3a-4f1e-8f6e-0a6f7a1b2c3d",), "64k": (65536 * b"G",)}
BAD_UTF8 = {"ff": b"Ann\xff", "overlong-slash": b"a\xc0\xafb", "overlong-nul": b"a\xc0\x80b", "surrogate": b"a\xed\xa0\x80b",
            "surrogate-pair": b"\xed\xa0\xbd\xed\xb8\x80", "truncated": b"abc\xe2\x82", "lone-continuation": b"\x80abc",
            "above-10ffff": b"\xf4\x90\x80\x80", "five-byte": b"\xf8\x88\x80\x80\x80", "latin1": "Élodie".encode("latin-1"),
            "utf16": "Elodie".encode("utf-16-le")}
NASTY_TEXT = {"newline": b"a\r\nX-Injected: 1", "escape": b"\x1b[31mred\x1b[0m\x07", "rtl": "abc\u202etxt.exe".encode(),
              "bom": b"\xef\xbb\xbfname", "noncharacter": "\uffff\ufdd0".encode(), "formula": b"=cmd|'/C calc'!A0",
              "html": b"<script>alert(1)</script>", "quote": b"\"';--\\", "del": b"a\x7fb", "c1": "a\u0085b".encode(),
              "zero-width": "a\u200bb".encode(), "combining": ("e" + 1000 * "\u0301").encode(), "64k": 65536 * b"x",
              "spaces": b"   ", "format": b"%s%n%x%d"}
BAD_NUMBERS = {"text": b"twelve", "empty": b"", "hex": b"0x200", "plus": b"+512", "leading-space": b" 512",
               "trailing-space": b"512 ", "float": b"512.0", "exponent": b"1e9", "comma": b"1,024", "minus-only": b"-",
               "2e31": b"2147483648", "2e32": b"4294967296", "2e63": b"9223372036854775808",
               "below-int64": b"-9223372036854775809", "2e64": b"18446744073709551616", "400-digits": 400 * b"9",
               "nul": b"512\x00", "arabic": "٥١٢".encode(), "binary": b"\x00\x02\x00\x00", "two": (b"512", b"514"),
               "negative": b"-1", "leading-zeros": b"0000512"}
BAD_TIMES = {"text": b"yesterday", "empty": b"", "feb-30": b"20240230000000.0Z", "month-13": b"20241301000000.0Z",
             "hour-24": b"20240101240000.0Z", "second-61": b"20240101000061.0Z", "leap-second": b"20161231235960.0Z",
             "year-0": b"00000101000000.0Z", "year-9999": b"99991231235959.0Z", "date-only": b"20240101", "no-zone": b"20240101000000.0",
             "offset": b"20240101000000+0130", "bad-offset": b"20240101000000+9999", "utctime": b"240101000000Z",
             "iso": b"2024-01-01T00:00:00Z", "fraction-long": b"20240101000000." + 300 * b"9" + b"Z", "fraction-comma": b"20240101000000,5Z",
             "hours-only": b"2024010100Z", "negative": b"-0240101000000.0Z", "nul": b"20240101000000.0Z\x00",
             "space": b"20240101 000000.0Z", "1600": b"16000101000000.0Z"}
BAD_FILETIMES = {"minus-one": b"-1", "2e63": b"9223372036854775808", "max-minus-1": b"9223372036854775806", "text": b"never",
                 "min": b"-9223372036854775808", "year-60056": b"1833029933770955161", "one": b"1", "far": b"2650467743999999999",
                 "empty": b"", "float": b"133588511980000000.5"}
BAD_DNS = {"empty": b"", "text": b"hello", "no-value": b"CN=", "no-type": b"=x,DC=fake,DC=example", "two-commas": b"CN=a,,DC=fake",
           "trailing-comma": b"CN=a,DC=fake,", "trailing-backslash": b"CN=a\\", "bad-hex": b"CN=a\\zz,DC=fake,DC=example",
           "half-hex": b"CN=a\\4,DC=fake,DC=example", "unescaped-plus": b"CN=a+b,DC=fake,DC=example",
           "multi-valued": b"CN=a+OU=b,DC=fake,DC=example", "hash-hex": b"CN=#0c0161,DC=fake,DC=example",
           "bad-hash": b"CN=#0cz,DC=fake,DC=example", "quoted": b'CN="a,b",DC=fake,DC=example', "open-quote": b'CN="a,DC=fake',
           "semicolons": b"CN=a;DC=fake;DC=example", "oid": b"2.5.4.3=a,DC=fake,DC=example", "spaces": b" CN = a , DC = fake ",
           "cnf": b"CN=a\\0ACNF:2b4f2b38-6c3a-4f1e-8f6e-0a6f7a1b2c3d,DC=fake,DC=example",
           "del": b"CN=a\\0ADEL:2b4f2b38-6c3a-4f1e-8f6e-0a6f7a1b2c3d,CN=Deleted Objects,DC=fake,DC=example",
           "nul": b"CN=a\x00b,DC=fake,DC=example", "escaped-nul": b"CN=a\\00b,DC=fake,DC=example", "bad-utf8": b"CN=a\xff,DC=fake,DC=example",
           "newline": b"CN=a\nb,DC=fake,DC=example", "extended": b"<GUID=2b4f2b38>;CN=a,DC=fake,DC=example",
           "64k": b"CN=" + 65536 * b"a" + b",DC=fake,DC=example", "deep": 5000 * b"OU=x," + b"DC=fake,DC=example",
           "foreign": b"CN=a,DC=other,DC=example", "root-only": b"DC=example"}
BAD_TYPES = {"empty": b"", "nul": b"dep\x00artment", "64k": 65536 * b"a", "space": b"de partment", "utf8": "é".encode(),
             "ff": b"\xff\xfe", "option": b"department;lang-fr", "binary": b"department;binary", "oid": b"2.5.4.11",
             "range": b"department;range=0-0", "semicolon": b";", "newline": b"a\r\nb", "upper": b"DEPARTMENT"}


def _sd_variants():
    owner, group = ad.DOMAIN_ADMINS, ad.DOMAIN_ADMINS
    aces = [ad.ace(0, ad.FULL, ad.DOMAIN_ADMINS), ad.ace(0, ad.READ, ad.AUTHENTICATED)]
    good = ad.descriptor(owner, group, ad.acl(aces))
    dacl_at = struct.unpack_from("<I", good, 16)[0]

    def patch(at, fmt, value, base=good):
        out = bytearray(base)
        struct.pack_into(fmt, out, at, value)
        return bytes(out)

    def with_aces(*raw, count=None, size=None):
        body = b"".join(raw)
        head = struct.pack("<BBHHH", 4, 0, 8 + len(body) if size is None else size, len(raw) if count is None else count, 0)
        return ad.descriptor(owner, group, head + body)

    one = ad.ace(0, ad.READ, ad.AUTHENTICATED)
    return {
        # broken
        "empty": b"", "one-byte": b"\x01", "header-only": good[:20], "truncated": good[:-5], "revision-0": patch(0, "<B", 0),
        "revision-2": patch(0, "<B", 2), "not-self-relative": patch(2, "<H", 0x0C04), "owner-past-end": patch(4, "<I", len(good)),
        "owner-far": patch(4, "<I", 0xFFFFFFF0), "owner-in-header": patch(4, "<I", 8), "group-past-end": patch(8, "<I", 0x7FFFFFFF),
        "owner-cut": patch(4, "<I", len(good) - 4), "dacl-past-end": patch(16, "<I", len(good) + 4), "dacl-in-header": patch(16, "<I", 4),
        "dacl-on-owner": patch(16, "<I", struct.unpack_from("<I", good, 4)[0]), "dacl-unaligned": patch(16, "<I", dacl_at + 1),
        "sacl-flag-no-sacl": patch(2, "<H", 0x8C14), "acl-size-0": patch(dacl_at + 2, "<H", 0), "acl-size-small": patch(dacl_at + 2, "<H", 12),
        "acl-size-large": patch(dacl_at + 2, "<H", 65535), "ace-count-65535": patch(dacl_at + 4, "<H", 65535),
        "ace-count-small": patch(dacl_at + 4, "<H", 1), "acl-revision-0": patch(dacl_at, "<B", 0), "ace-size-0": patch(dacl_at + 10, "<H", 0),
        "ace-size-3": patch(dacl_at + 10, "<H", 3), "ace-size-odd": patch(dacl_at + 10, "<H", 37), "ace-size-large": patch(dacl_at + 10, "<H", 60000),
        "ace-sid-count": patch(dacl_at + 17, "<B", 200), "ace-sid-revision": patch(dacl_at + 16, "<B", 9),
        "object-flags-no-guid": with_aces(struct.pack("<BBHII", 5, 0, 12, 0x100, 3)),
        "object-ace-no-sid": with_aces(struct.pack("<BBHII", 5, 0, 28, 0x100, 1) + ad.RESET_PASSWORD),
        "garbage": bytes(range(256)), "self-pointing": patch(16, "<I", 0, patch(8, "<I", 4)), "text": b"O:DAG:DAD:(A;;GA;;;WD)",
        # unusual but valid
        "null-dacl": struct.pack("<BBHIIII", 1, 0, 0x8004, 20, 20 + len(owner), 0, 0) + owner + group,
        "no-dacl": struct.pack("<BBHIIII", 1, 0, 0x8000, 20, 20 + len(owner), 0, 0) + owner + group,
        "empty-dacl": ad.descriptor(owner, group, ad.acl([])), "no-owner": ad.descriptor(None, None, ad.acl(aces)),
        "shared-owner-group": patch(8, "<I", struct.unpack_from("<I", good, 4)[0]),
        "unknown-ace-type": with_aces(struct.pack("<BBH", 0x77, 0, 12) + b"whatever", one),
        "callback-ace": with_aces(ad.ace(9, ad.READ, ad.EVERYONE + b"artx\xff\xff\xff\xff"), one),
        "resource-ace": with_aces(struct.pack("<BBH", 18, 0, 20) + 16 * b"R", one),
        "acl-slack": with_aces(one, 16 * b"\0", count=1),
        "ace-slack": with_aces(struct.pack("<BBHI", 0, 0, 8 + len(ad.EVERYONE) + 8, ad.READ) + ad.EVERYONE + 8 * b"\0", one),
        "1800-aces": ad.descriptor(owner, group, ad.acl(1800 * [ad.ace(0, ad.READ, ad.DOMAIN_ADMINS)])),
        "trailing": good + 64 * b"\0", "sid-15": with_aces(ad.ace(0, ad.READ, ad.sid(*range(15)))),
        "acl-revision-2-object": ad.descriptor(owner, group, ad.acl([ad.ace(5, 0x100, ad.EVERYONE, ad.RESET_PASSWORD)], revision=2)),
    }


BAD_SDS = _sd_variants()


def _values(table, variant):
    value = table[variant]
    return value if isinstance(value, tuple) else (value,)


def _attr_rename(obj, arg, opts):
    pair = obj.find(opts["attr"]) or (obj.attrs[0] if obj.attrs else None)
    if pair:
        pair[0] = BAD_TYPES[arg]


def _no_values(obj, arg, opts):
    obj.put(arg)


def _duplicate_attr(obj, arg, opts):
    pair = obj.find(arg)
    if pair:
        obj.attrs.append([pair[0], list(pair[1])])


def _duplicate_values(obj, arg, opts):
    pair = obj.find(arg)
    if pair:
        pair[1] = pair[1] * 2


def _second_value(obj, arg, opts):
    pair = obj.find(arg)
    if pair and pair[1]:
        pair[1] = [pair[1][0], pair[1][0] + b"2"]


def _case(obj, arg, opts):
    for pair in obj.attrs:
        pair[0] = pair[0].upper() if arg == "upper" else pair[0].lower()


def _extra(obj, arg, opts):
    obj.attrs.append(["unicodePwd", [b"\0hash\0must\0not\0be\0kept"]])
    obj.attrs.append(["ms-Mcs-AdmPwd", [b"laps-must-not-be-kept"]])
    obj.attrs.append(["notAsked", [b"surprise"]])


def _append_member(obj, arg, opts):
    values = {"dangling": b"CN=Nobody There,OU=People,DC=fake,DC=example", "foreign": b"CN=Far Away,DC=other,DC=example",
              "self": obj.dn, "text": b"not a DN", "empty": b"", "nul": b"CN=a\0b,DC=fake,DC=example", "ff": b"CN=\xff,DC=fake"}
    pair = obj.find("member")
    if pair:
        pair[1] = pair[1] + [values[arg]]
    else:
        obj.put("member", values[arg])


def _set_dn(obj, arg, opts):
    obj.dn = BAD_DNS[arg]
    if opts.get("both"):
        obj.put("distinguishedName", obj.dn)


def _many_attrs(obj, arg, opts):
    obj.attrs = obj.attrs + [["x-attribute-%d" % i, [b"v"]] for i in range(int(arg))]


CONTENT = {
    "bad-guid": (lambda o, a, p: o.put("objectGUID", *BAD_GUIDS[a]), Spec("content", "VARIANT", "objectGUID of wrong length, two of them, all zero", BAD_GUIDS, arg="short")),
    "no-guid": (lambda o, a, p: o.drop("objectGUID"), Spec("content", "", "entry without objectGUID")),
    "same-guid": (lambda o, a, p: o.put("objectGUID", p["directory"].by_sam[a].get("objectGUID")[0]), Spec("content", "SAM", "objectGUID of another entry", arg="user00001")),
    "bad-sid": (lambda o, a, p: o.put("objectSid", BAD_SIDS[a]), Spec("content", "VARIANT", "broken objectSid", BAD_SIDS, arg="truncated")),
    "no-sid": (lambda o, a, p: o.drop("objectSid"), Spec("content", "", "entry without objectSid")),
    "two-sids": (lambda o, a, p: o.put("objectSid", GOOD_SID, ad.domain_sid(4243)), Spec("content", "", "two objectSid values")),
    "bad-sd": (lambda o, a, p: o.put("nTSecurityDescriptor", BAD_SDS[a]), Spec("content", "VARIANT", "broken or unusual security descriptor", BAD_SDS, arg="truncated")),
    "bad-utf8": (lambda o, a, p: o.put(p["attr"], BAD_UTF8[a]), Spec("content", "VARIANT", "invalid UTF-8 in a text", BAD_UTF8, arg="ff", attr="displayName")),
    "nasty-text": (lambda o, a, p: o.put(p["attr"], NASTY_TEXT[a]), Spec("content", "VARIANT", "valid UTF-8 that breaks terminals, CSV, HTML or layouts", NASTY_TEXT, arg="newline", attr="displayName")),
    "nul": (lambda o, a, p: o.put(a, b"admin\x00istrator"), Spec("content", "ATTR", "NUL inside a name", arg="sAMAccountName")),
    "bad-number": (lambda o, a, p: o.put(p["attr"], *_values(BAD_NUMBERS, a)), Spec("content", "VARIANT", "a number that is none, or out of range", BAD_NUMBERS, arg="text", attr="userAccountControl")),
    "bad-time": (lambda o, a, p: o.put(p["attr"], BAD_TIMES[a]), Spec("content", "VARIANT", "a generalized time that is none, or unusual", BAD_TIMES, arg="text", attr="whenCreated")),
    "bad-filetime": (lambda o, a, p: o.put(p["attr"], BAD_FILETIMES[a]), Spec("content", "VARIANT", "a FILETIME at or over the edge", BAD_FILETIMES, arg="minus-one", attr="pwdLastSet")),
    "bad-dn": (_set_dn, Spec("content", "VARIANT", "the entry's own DN is broken or unusual (both=1: distinguishedName too)", BAD_DNS, arg="empty")),
    "bad-dn-value": (lambda o, a, p: o.put(p["attr"], BAD_DNS[a]), Spec("content", "VARIANT", "a DN-valued attribute is broken or unusual", BAD_DNS, arg="text", attr="manager")),
    "bad-type": (_attr_rename, Spec("content", "VARIANT", "the attribute's description is broken or unusual", BAD_TYPES, arg="empty", attr="department")),
    "no-values": (_no_values, Spec("content", "ATTR", "attribute with an empty set of values", arg="displayName")),
    "empty-value": (lambda o, a, p: o.put(a, b""), Spec("content", "ATTR", "attribute with one value of no bytes", arg="displayName")),
    "duplicate-attr": (_duplicate_attr, Spec("content", "ATTR", "the same attribute twice in the entry", arg="sAMAccountName")),
    "duplicate-values": (_duplicate_values, Spec("content", "ATTR", "each value twice", arg="memberOf")),
    "second-value": (_second_value, Spec("content", "ATTR", "two values of a single-valued attribute", arg="sAMAccountName")),
    "missing-attr": (lambda o, a, p: o.drop(a), Spec("content", "ATTR", "the attribute is absent from the entry", arg="sAMAccountName")),
    "no-attrs": (lambda o, a, p: setattr(o, "attrs", []), Spec("content", "", "entry with a DN and nothing else")),
    "attr-case": (_case, Spec("content", "upper|lower", "attribute names in another case than AD's", ("upper", "lower"), arg="lower")),
    "extra-attrs": (_extra, Spec("content", "", "attributes nobody asked for, secrets among them")),
    "many-attrs": (_many_attrs, Spec("content", "N", "N further attributes", arg="100000")),
    "bad-class": (lambda o, a, p: o.put("objectClass", *{"none": (), "unknown": (b"top", b"alien"), "group": (b"top", b"group"), "computer": (b"top", b"person", b"organizationalPerson", b"user", b"computer")}[a]),
                  Spec("content", "VARIANT", "objectClass is absent, unknown or another kind's", ("none", "unknown", "group", "computer"), arg="unknown")),
    "bad-member": (_append_member, Spec("content", "VARIANT", "a further member: not listed, foreign, the group itself, no DN", ("dangling", "foreign", "self", "text", "empty", "nul", "ff"), arg="dangling", who="group0001")),
}

# --- referrals --------------------------------------------------------------------------------------------------

# {t} is host:port of `target=`. None: no referral field although the code says so.
REFERRALS = {
    "plain": ["ldap://{t}/DC=other,DC=example"], "ldaps": ["ldaps://{t}/DC=other,DC=example"], "no-host": ["ldap:///DC=other,DC=example"],
    "no-dn": ["ldap://{t}"], "userinfo": ["ldap://dc1.fake.example@{t}/DC=other"], "ldapi": ["ldapi://%2ftmp%2fsocket/"],
    "cldap": ["cldap://{t}/"], "http": ["http://{t}/"], "file": ["file:///etc/passwd"], "upper": ["LDAP://{t}/DC=OTHER"],
    "ipv6": ["ldap://[::1]:389/DC=other"], "port-0": ["ldap://127.0.0.1:0/"], "port-99999": ["ldap://127.0.0.1:99999/"],
    "full": ["ldap://{t}/DC=other,DC=example?cn,sn?sub?(objectClass=*)"],
    "bindname": ["ldap://{t}/DC=other??sub??!bindname=cn=admin%2cdc=other"], "starttls-ext": ["ldap://{t}/????!1.3.6.1.4.1.1466.20037"],
    "self": ["ldap://{self}/DC=fake,DC=example"], "suffix-trick": ["ldap://dc1.fake.example.{t}/"], "space": [" ldap://{t}/ "],
    "newline": ["ldap://{t}/\r\nldap://{t}/"], "nul": ["ldap://{t}/\x00.fake.example"], "bad-utf8": [b"ldap://\xff\xfe/"], "idn": ["ldap://fäke.example/"],
    "percent": ["ldap://%66ake.example:389/%zz"], "empty-uri": [""], "empty-list": [], "no-field": None, "text": ["not a url"],
    "1000": ["ldap://{t}/CN=%d" % i for i in range(1000)], "100k": ["ldap://{t}/" + 100000 * "a"], "two": ["ldaps://{t}/", "ldap://{t}/"],
    "metadata": ["ldap://169.254.169.254/"], "octal": ["ldap://0177.0.0.1:389/"], "decimal": ["ldap://2130706433:389/"],
    "mixed-case": ["LdAp://{t}/DC=other"], "ipv6-rogue": ["ldap://[::1]:{p}/"], "ipv6-mapped": ["ldap://[::ffff:127.0.0.1]:{p}/"],
    "ipv6-zone": ["ldap://[::1%25lo]:{p}/"], "localhost": ["ldap://localhost:{p}/"], "trailing-dot": ["ldap://localhost.:{p}/"],
    "short-ip": ["ldap://127.1:{p}/"], "hex-ip": ["ldap://0x7f000001:{p}/"], "password": ["ldap://user:secret@{t}/"], "double-at": ["ldap://a@b@{t}/"],
    "fragment": ["ldap://{t}/#ldap://{t}/"], "query-only": ["ldap://{t}?"], "no-slashes": ["ldap:{t}"], "one-slash": ["ldap:/{t}"],
    "backslash": ["ldap:\\\\{t}\\"], "url-prefix": ["URL:ldap://{t}/"], "angle": ["<ldap://{t}/>"], "tab": ["\tldap://{t}/"], "host-space": ["ldap://{t} /"],
    "comma-list": ["ldap://{t},{t}/"], "space-list": ["ldap://{t}/ ldap://{t}/"], "nested": ["ldap://{t}/ldap://{t}/"], "same-dn": ["ldap://{t}/DC=fake,DC=example"],
    "own-name": ["ldap://fake-dc.fake.example:{p}/DC=fake,DC=example"], "srv": ["ldap:///DC=fake,DC=example??sub"], "critical-ext": ["ldap://{t}/????!1.2.3.4=x"],
    "bad-scope": ["ldap://{t}/DC=other??everything"], "ftp": ["ftp://{t}/"], "smb": ["smb://{t}/share", "\\\\{t}\\share"], "ldaps-ip": ["ldaps://127.0.0.1:{p}/", "ldaps://127.0.0.1/"],
    "every-scheme": ["%s://{t}/DC=other" % s for s in ("ldap", "ldaps", "cldap", "ldapi", "http", "https", "gc", "mailto", "javascript")],
}


def referral_uris(shape, target, own):
    uris = REFERRALS[shape]
    if uris is None:
        return None
    return [u if isinstance(u, bytes) else u.replace("{t}", target).replace("{p}", target.rpartition(":")[2]).replace("{self}", own).encode() for u in uris]


# --- paged results control, ranges ------------------------------------------------------------------------------

PAGED_OID = "1.2.840.113556.1.4.319"
BAD_PAGED = {
    "no-control": lambda size, cookie: [],
    "no-value": lambda size, cookie: [ber.control(PAGED_OID)],
    "empty-value": lambda size, cookie: [ber.control(PAGED_OID, b"")],
    "garbage": lambda size, cookie: [ber.control(PAGED_OID, b"\xff\xff\xff")],
    "no-cookie": lambda size, cookie: [ber.control(PAGED_OID, ber.seq(ber.integer(size)))],
    "negative-size": lambda size, cookie: [ber.control(PAGED_OID, ber.seq(ber.integer(-5), ber.octets(cookie)))],
    "huge-size": lambda size, cookie: [ber.control(PAGED_OID, ber.seq(ber.integer(1 << 40), ber.octets(cookie)))],
    "trailing": lambda size, cookie: [ber.control(PAGED_OID, ber.seq(ber.integer(size), ber.octets(cookie)) + b"xx")],
    "swapped": lambda size, cookie: [ber.control(PAGED_OID, ber.seq(ber.octets(cookie), ber.integer(size)))],
    "twice": lambda size, cookie: 2 * [ber.control(PAGED_OID, ber.seq(ber.integer(size), ber.octets(cookie)))],
    "twice-differs": lambda size, cookie: [ber.control(PAGED_OID, ber.seq(ber.integer(size), ber.octets(b""))),
                                           ber.control(PAGED_OID, ber.seq(ber.integer(size), ber.octets(cookie)))],
    "wrong-oid": lambda size, cookie: [ber.control("1.2.840.113556.1.4.320", ber.seq(ber.integer(size), ber.octets(cookie)))],
    "critical": lambda size, cookie: [ber.control(PAGED_OID, ber.seq(ber.integer(size), ber.octets(cookie)), critical=True)],
    "extra-control": lambda size, cookie: [ber.control("1.2.3.4.5", b"?", critical=True),
                                           ber.control(PAGED_OID, ber.seq(ber.integer(size), ber.octets(cookie)))],
    "big-cookie": lambda size, cookie: [ber.control(PAGED_OID, ber.seq(ber.integer(size), ber.octets(cookie + 1000000 * b"\0" if cookie else b"")))],
}

BAD_RANGES = {
    # name: f(values, low, high, step) -> (option text, values)
    "loop": lambda v, low, step: ("range=0-%d" % (step - 1), v[:step]),
    "skip": lambda v, low, step: ("range=%d-%d" % (low + 100, low + 100 + step - 1), v[low + 100:low + 100 + step]),
    "overlap": lambda v, low, step: ("range=%d-%d" % (max(0, low - 2), max(0, low - 2) + step - 1), v[max(0, low - 2):max(0, low - 2) + step]),
    "backwards": lambda v, low, step: ("range=%d-%d" % (low + step - 1, low), v[low:low + step]),
    "text": lambda v, low, step: ("range=a-b", v[low:low + step]),
    "no-high": lambda v, low, step: ("range=%d-" % low, v[low:low + step]),
    "no-dash": lambda v, low, step: ("range=%d" % low, v[low:low + step]),
    "empty": lambda v, low, step: ("range=", v[low:low + step]),
    "huge": lambda v, low, step: ("range=%d-99999999999999999999" % low, v[low:low + step]),
    "negative": lambda v, low, step: ("range=-1-%d" % (step - 1), v[low:low + step]),
    "star-early": lambda v, low, step: ("range=%d-*" % low, v[low:low + step]),
    "never-star": lambda v, low, step: ("range=%d-%d" % (low, low + step - 1), v[low:low + step]),
    "upper": lambda v, low, step: ("Range=%d-%s" % (low, low + step - 1 if low + step < len(v) else "*"), v[low:low + step]),
    "two-options": lambda v, low, step: ("binary;range=%d-%s" % (low, low + step - 1 if low + step < len(v) else "*"), v[low:low + step]),
    "fewer-than-said": lambda v, low, step: ("range=%d-%d" % (low, low + step - 1), v[low:low + step // 2]),
    "no-progress": lambda v, low, step: ("range=%d-%d" % (low, low + step - 1), []),
    "one-at-a-time": lambda v, low, step: ("range=%d-%s" % (low, low if low + 1 < len(v) else "*"), v[low:low + 1]),
}

# --- bind errors ------------------------------------------------------------------------------------------------

BIND_ERRORS = {"525": "user not found", "52e": "invalid credentials", "530": "not permitted at this time",
               "531": "not permitted from this workstation", "532": "password expired", "533": "account disabled",
               "534": "logon type not granted", "568": "too many context identifiers", "701": "account expired",
               "773": "must change password", "775": "account locked"}

CODES = {"success": 0, "operationsError": 1, "protocolError": 2, "timeLimitExceeded": 3, "sizeLimitExceeded": 4,
         "authMethodNotSupported": 7, "strongerAuthRequired": 8, "referral": 10, "adminLimitExceeded": 11,
         "unavailableCriticalExtension": 12, "confidentialityRequired": 13, "saslBindInProgress": 14, "noSuchAttribute": 16,
         "noSuchObject": 32, "invalidDNSyntax": 34, "inappropriateAuthentication": 48, "invalidCredentials": 49,
         "insufficientAccessRights": 50, "busy": 51, "unavailable": 52, "unwillingToPerform": 53, "loopDetect": 54, "other": 80}
CODE_NAMES = {v: k for k, v in CODES.items()}


def code_of(text):
    return CODES[text] if text in CODES else int(text)


POINTS = ("accept", "tls", "bind", "bound", "search", "page", "entry")
STARTTLS_REFUSALS = ("protocolError", "unavailable", "unwillingToPerform", "operationsError", "referral", "busy")
WRONG_TYPES = {"bind": 0x61, "entry": 0x64, "done": 0x65, "modify": 0x67, "add": 0x69, "delete": 0x6B, "moddn": 0x6D,
               "compare": 0x6F, "reference": 0x73, "extended": 0x78, "intermediate": 0x79, "request": 0x63, "unknown": 0x7E,
               "sequence": 0x30}
IDS = {"zero": 0, "unknown": 9999, "negative": -1, "max": 0x7FFFFFFF, "too-large": 0x80000000, "huge": 1 << 62, "previous": None}
GARBAGE = {"zeros": 64 * b"\0", "ff": 64 * b"\xff", "text": b"220 mail.fake.example ESMTP ready\r\n", "ssh": b"SSH-2.0-OpenSSH_9.2\r\n",
           "random": bytes((i * 73 + 41) & 0xFF for i in range(512)), "tls-alert": b"\x15\x03\x03\x00\x02\x02\x28",
           "half-record": b"\x16\x03\x03\x40\x00\x02", "empty-sequence": b"\x30\x00", "smb": b"\x00\x00\x00\x45\xffSMBr" + 40 * b"\0"}
HTTP = b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\nContent-Type: text/html\r\nContent-Length: 48\r\nConnection: close\r\n\r\n" \
       b"<html>plain HTTP request to an HTTPS port</html>"

BEHAVIOURS = {
    # what a real domain controller does and a laboratory one may not
    "ad-limits": Spec("limits", "", "forced-ranges=1500 and max-page-size=1000 together: a domain controller's defaults"),
    "forced-ranges": Spec("limits", "N", "more than N values of an attribute come only as `attr;range=`, with an empty plain `attr` (empty=0: without)", arg="1500", empty="1"),
    "max-page-size": Spec("limits", "N", "unpaged search over N entries: N of them and sizeLimitExceeded; pages are cut to N", arg="1000"),
    "smaller-pages": Spec("limits", "N", "a page size over N is refused with code= (adminLimitExceeded, or busy)", arg="100", code="adminLimitExceeded"),
    "range-past-end": Spec("limits", "CODE", "a range that starts past the end is an error, not an absent attribute", arg="operationsError"),
    "bad-range": Spec("limits", "VARIANT", "ranged answers of attr= with wrong bounds (step= values each)", BAD_RANGES, arg="loop", attr="member", step="5"),
    "no-paging": Spec("limits", "", "the paging control is unknown: critical gives unavailableCriticalExtension, else it is ignored"),
    "no-continuations": Spec("limits", "", "no continuation references at the domain root"),
    "page-cap": Spec("limits", "N", "pages hold at most N entries, whatever was asked (legal)", arg="7"),
    "empty-pages": Spec("limits", "N", "N pages without entries but with a cookie come before page= (legal)", arg="3", page="1"),
    "admin": Spec("limits", "", "the account sees what is for administrators only (password settings objects)"),
    "writable": Spec("limits", "", "modify, add, delete are carried out (otherwise insufficientAccessRights)"),
    # refusals
    "bind-error": Spec("refusals", "DATA", "bind answers 49 with AD's text and this sub-code", BIND_ERRORS, arg="52e"),
    "bind-result": Spec("refusals", "CODE", "bind answers this result code", arg="busy"),
    "channel-binding": Spec("refusals", "", "bind answers 49 with data 80090346: channel binding is missing or wrong"),
    "stronger-auth": Spec("refusals", "", "bind answers strongerAuthRequired (over=plain: only without TLS)", over="any"),
    "echo": Spec("refusals", "WHERE", "on=bind|search is refused with code=, and the text, the matched DN or the referral repeats the password", ["text", "matched", "referral", "logon"], arg="text", on="bind", code="49"),
    "no-such-base": Spec("refusals", "MATCHED", "search answers noSuchObject with this matchedDN", arg=ad.DOMAIN_DN),
    "insufficient": Spec("refusals", "", "search answers insufficientAccessRights"),
    "no-descriptors": Spec("refusals", "", "nTSecurityDescriptor is never returned"),
    "deny-attrs": Spec("refusals", "A:B:..", "these attributes are never returned and never match", arg="userAccountControl"),
    "hide": Spec("refusals", "SAM", "the entry is left out silently, as when reading is denied", arg="user00002"),
    "hide-root-attrs": Spec("refusals", "A:B:..", "these root DSE attributes are absent", arg="dnsHostName"),
    "result": Spec("refusals", "CODE", "page= of a search ends with this code, after entries= of its entries (default: all of them)", arg="busy", page="1"),
    "dirsync-open": Spec("refusals", "", "DirSync needs no right and no LDAP_DIRSYNC_OBJECT_SECURITY flag"),
    "referral": Spec("refusals", "SHAPE", "result code 10 with this referral (on=bind|search|starttls|dse|ext|notice, page=, target=HOST:PORT, code=); `each` takes the next shape each time", list(REFERRALS) + ["each"], arg="plain", on="search", target="other.example:389", code="10"),
    "continuation": Spec("refusals", "SHAPE", "a SearchResultReference of this shape before the page's entries, or on=dse the root DSE (target=, count=)", list(REFERRALS) + ["each"], arg="plain", on="search", target="other.example:389", count="1"),
    # another controller, other times
    "clock-skew": Spec("identity", "SECONDS", "currentTime is off by so much", arg="86400"),
    "dc": Spec("identity", "NAME", "the root DSE is that of another controller (host name, invocation, USNs)", arg="dc2"),
    "other-dc": Spec("identity", "PAGE", "before this page the controller changes: other root DSE, cookie refused with 53", arg="2"),
    "cookie-refused": Spec("identity", "CODE", "the cookie of page= is refused", arg="unwillingToPerform", page="2"),
    "no-gc-ready": Spec("identity", "", "isGlobalCatalogReady and isSynchronized are FALSE"),
    "cert": Spec("identity", "CERT:KEY", "TLS with another certificate"),
    # entries that move while they are read
    "vanish": Spec("history", "SAM", "from page= on the entry is gone (deleted between pages)", arg="user00005", page="2"),
    "appear": Spec("history", "SAM", "before page= the entry was not there; it comes at the end", arg="user00001", page="2"),
    "move": Spec("history", "SAM", "the entry is listed, and again on page= under another parent with the same objectGUID", arg="user00001", page="2"),
    "modify": Spec("history", "SAM", "from page= on attr= of the entry has value=", arg="user00005", page="2", attr="department", value="Changed"),
    "duplicate": Spec("history", "SAM", "the entry comes twice, the second time on page= (0: at once)", arg="user00001", page="0"),
    # the transport
    "silent": Spec("transport", "POINT", "nothing more from here on; the connection stays open (page=, entries= choose the place)", POINTS, arg="accept"),
    "close": Spec("transport", "POINT", "the connection is closed (FIN) here", POINTS, arg="accept"),
    "reset": Spec("transport", "POINT", "the connection is reset (RST) here", POINTS, arg="accept"),
    "cut": Spec("transport", "N", "the LDAP output of the connection ends after N bytes; how=fin|rst|stall|notify (TLS close_notify, then FIN)", arg="100", how="fin"),
    "cut-raw": Spec("transport", "N", "as cut, counting bytes on the socket, TLS records and handshake included", arg="100", how="fin"),
    "cut-sweep": Spec("transport", "START", "connection k is cut at START+(k-1)*step=; raw=1 counts as cut-raw", arg="0", step="1", how="fin", raw="0"),
    "dribble": Spec("transport", "RATE", "RATE bytes a second, size= at a time, from=accept|bound on; raw=1: below TLS", arg="1", size="1", raw="1", **{"from": "accept"}),
    "delay": Spec("transport", "MS", "each answer of on=bind|search|any waits", arg="100", on="any"),
    "small-segments": Spec("transport", "SIZE", "the output is sent in pieces of SIZE bytes, without delay", arg="1"),
    "garbage": Spec("transport", "VARIANT", "these bytes instead of a protocol (at=accept|bound)", GARBAGE, arg="random", at="accept"),
    "http": Spec("transport", "", "an HTTP answer instead of TLS or LDAP"),
    "starttls-refused": Spec("transport", "CODE", "StartTLS is answered with this code", STARTTLS_REFUSALS, arg="protocolError"),
    "starttls-inject": Spec("transport", "WHAT", "plaintext LDAP follows the StartTLS answer in the same segment", ("bind", "entry", "done", "notice", "byte"), arg="bind"),
    "starttls-silent": Spec("transport", "", "StartTLS is accepted, the handshake is never answered"),
    "starttls-plain": Spec("transport", "", "StartTLS is accepted, the server goes on in plain text"),
    "tls-garbage": Spec("transport", "", "page= begins with bytes that are no TLS record", page="1"),
    # floods
    "endless-pages": Spec("floods", "", "every page is full, has new entries and a cookie"),
    "endless-same": Spec("floods", "", "the first page comes again and again with new cookies"),
    "cookie-loop": Spec("floods", "", "after page= only empty pages, all with one cookie", page="1"),
    "cookie-repeat": Spec("floods", "", "pages are right, but every cookie is the same bytes"),
    "endless-empty": Spec("floods", "", "after page= only empty pages, each with a new cookie", page="1"),
    "endless-entries": Spec("floods", "", "one page of new entries that never ends", page="1"),
    "endless-refs": Spec("floods", "", "one page of continuation references that never ends", page="1"),
    "huge-header": Spec("floods", "BYTES", "one value claims BYTES (lengths around it agree); 64 bytes come, then how=stall|fin", arg=str(1 << 31), how="stall", attr="description"),
    "big-value": Spec("floods", "BYTES", "one value of attr= with BYTES really sent", arg=str(64 << 20), attr="description"),
    "many-values": Spec("floods", "N", "attr= of the entry gets N values, streamed", arg="5000000", attr="memberOf"),
    "missing-done": Spec("floods", "", "page= has no SearchResultDone; the server waits for the next request", page="1"),
    # protocol
    "ber": Spec("protocol", "FORM", "one element is encoded wrongly: level= (entry: message id op dn attrs attr type set value; result: message id op code matched text controls control oid ctlvalue), at=bind|dse|entry|done|ext", ber.FORMS, arg="too-long", level="message", at="entry"),
    "nest": Spec("protocol", "DEPTH", "sequences nested so deep, as where=message|value|control|op", arg="10000", where="message", at="entry"),
    "mutate": Spec("protocol", "SEED", "seeded damage to one message: flips, cuts, insertions, doubled pieces", arg="1", at="entry"),
    "notice": Spec("protocol", "CODE", "notice of disconnection (id 0, 1.3.6.1.4.1.1466.20036) before page=, then FIN (stay=1: open)", arg="unavailable", page="1", stay="0"),
    "unsolicited": Spec("protocol", "OID", "another unsolicited notification before page=", arg="1.2.3.4.5", page="1"),
    "stray": Spec("protocol", "ID", "an answer with this message id comes before the real one (at=bind|search)", IDS, arg="unknown", at="search"),
    "wrong-id": Spec("protocol", "ID", "the answer itself carries this message id", IDS, arg="unknown", at="search"),
    "spurious": Spec("protocol", "KIND", "an answer before any request", ("bind", "entry", "done", "notice"), arg="bind"),
    "wrong-type": Spec("protocol", "TYPE", "the answer has another response type (at=bind|search)", WRONG_TYPES, arg="compare", at="search"),
    "two-dones": Spec("protocol", "", "SearchResultDone twice"),
    "late-entries": Spec("protocol", "", "an entry after SearchResultDone"),
    "intermediate": Spec("protocol", "", "an IntermediateResponse between entries (legal)"),
    "bind-twice": Spec("protocol", "", "two bind responses"),
    "bind-in-progress": Spec("protocol", "", "a simple bind is answered saslBindInProgress with credentials"),
    "server-request": Spec("protocol", "", "the server sends requests of its own (search, bind, unbind) before page=", page="1"),
    "bad-paged": Spec("protocol", "VARIANT", "the paging control of the answer is broken or unusual", BAD_PAGED, arg="garbage"),
    "bad-code": Spec("protocol", "N", "SearchResultDone with a result code outside the table", arg="4096"),
    "bad-text": Spec("protocol", "VARIANT", "the diagnostic message is hostile", list(NASTY_TEXT) + list(BAD_UTF8), arg="escape", code="other"),
}
BEHAVIOURS.update({name: spec for name, (_, spec) in CONTENT.items()})

# Here `page` is where something begins; elsewhere it is the one page that is meant.
FROM_PAGE = ("vanish", "appear", "move", "modify", "duplicate", "cookie-loop", "endless-empty", "empty-pages")

# Options every behaviour takes; documented once.
QUALIFIERS = {"conn": "only on these connections: 2, 1-3, 2-", "times": "only the first N times", "page": "page of the search",
              "match": "only searches whose filter has this text", "base": "only searches whose base ends in this",
              "scope": "base, one, sub or any (default: all but base)", "search": "only the N-th search of the connection",
              "who": "sAMAccountName of the entry to change, or * for all (default user00002)"}
