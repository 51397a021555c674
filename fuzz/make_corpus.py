#!/usr/bin/env python3
"""Writes the seed corpora of the fuzz targets: corpus/<target>/<what it is>. The same bytes in every run.

    fuzz/make_corpus.py            (from anywhere; no arguments, standard library only)

Hand-made files may stand beside the generated ones: nothing is deleted. Corpora of other targets (conf) are not
touched.
"""
import json
import os
import struct

HERE = os.path.dirname(os.path.abspath(__file__))


def write(target, name, data):
    folder = os.path.join(HERE, "corpus", target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as f:
        f.write(data.encode() if isinstance(data, str) else data)


def write_all(target, cases):
    for name, data in cases.items():
        write(target, name, data)


# --- SIDs ------------------------------------------------------------------------------------------------------

def sid(*subs, authority=5, revision=1, count=None):
    return (bytes([revision, len(subs) if count is None else count]) + authority.to_bytes(6, "big")
            + b"".join(struct.pack("<I", s) for s in subs))


EVERYONE, SELF, SYSTEM = sid(0, authority=1), sid(10), sid(18)
AUTH_USERS, ADMINS = sid(11), sid(32, 544)
DOMAIN_ADMINS = sid(21, 1004336348, 1177238915, 682003330, 512)


def sids():
    write_all("sid", {
        "empty": b"", "no_subs": sid(), "everyone": EVERYONE, "system": SYSTEM, "administrators": ADMINS,
        "domain_admins": DOMAIN_ADMINS, "fifteen_subs": sid(*range(15)), "sixteen_subs": sid(*range(16)),
        "fifteen_max": sid(*[0xffffffff] * 15, authority=0xffffffffffff),
        "hex_authority": sid(1, authority=1 << 32), "largest_decimal_authority": sid(1, authority=(1 << 32) - 1),
        "revision_0": sid(18, revision=0), "revision_2": sid(18, revision=2), "count_255": sid(18, count=255),
        "count_too_small": sid(32, 544, count=1), "cut_header": SYSTEM[:7], "cut_sub": SYSTEM[:11],
        "trailing": SYSTEM + b"\0",
        "text": "S-1-5-21-1004336348-1177238915-682003330-512", "text_lower": "s-1-5-18",
        "text_hex": "S-1-0x123456789abc-1", "text_short_hex": "S-1-0X5-18", "text_no_subs": "S-1-5",
        "text_dash_end": "S-1-5-", "text_two_dashes": "S-1-5--18", "text_overflow": "S-1-5-4294967296",
        "text_authority_overflow": "S-1-281474976710656-1", "text_sixteen": "S-1-5" + "-1" * 16,
        "text_fifteen": "S-1-5" + "-4294967295" * 15, "text_nul": b"S-1-5-1\0", "text_leading_zeros": "S-1-05-0018",
    })


# --- security descriptors --------------------------------------------------------------------------------------

MEMBER = bytes.fromhex("c07996bfe60dd011a28500aa003049e2")
USER = bytes.fromhex("ba7a96bfe60dd011a28500aa003049e2")


def ace(kind, flags, mask, who, object_type=b"", inherited=b"", data=b"", size=None):
    body = struct.pack("<I", mask)
    if kind in (5, 6, 7, 11, 12, 15):
        body += struct.pack("<I", bool(object_type) | 2 * bool(inherited)) + object_type + inherited
    body += who + data
    return struct.pack("<BBH", kind, flags, 4 + len(body) if size is None else size) + body


def acl(*aces, revision=4, size=None, count=None, slack=b""):
    body = b"".join(aces) + slack
    return struct.pack("<BBHHH", revision, 0, 8 + len(body) if size is None else size,
                       len(aces) if count is None else count, 0) + body


def descriptor(dacl=None, owner=b"", group=b"", sacl=b"", control=0x8004, offsets=None, revision=1):
    parts, where, at = b"", {}, 20
    for name, part in (("sacl", sacl), ("dacl", dacl or b""), ("owner", owner), ("group", group)):
        where[name] = at if part else 0
        parts += part
        at += len(part)
    where.update(offsets or {})
    return struct.pack("<BBHIIII", revision, 0, control, where["owner"], where["group"], where["sacl"],
                       where["dacl"]) + parts


def descriptors():
    one = ace(0, 0, 0x10, EVERYONE)
    every = [ace(k, 0, 0x30, AUTH_USERS, MEMBER if k in (5, 6, 7, 11, 12, 15) else b"",
                 data=b"artx\0\1" if k in (9, 10, 11, 12) else b"") for k in range(22)]
    group = acl(ace(1, 0, 0x100, EVERYONE), ace(0, 0x12, 0xf01ff, DOMAIN_ADMINS), ace(5, 0, 0x20, SELF, MEMBER),
                ace(6, 8, 0x30, AUTH_USERS, MEMBER, USER), ace(5, 0x1a, 0x100, ADMINS, b"", USER))
    write_all("sd", {
        "empty": b"", "header_only": descriptor(), "no_dacl": descriptor(control=0x8000, owner=SYSTEM),
        "null_dacl": descriptor(owner=SYSTEM, group=SYSTEM), "empty_dacl": descriptor(acl()),
        "one_ace": descriptor(acl(one), ADMINS, ADMINS), "group": descriptor(group, DOMAIN_ADMINS, DOMAIN_ADMINS),
        "protected": descriptor(group, control=0x9504), "with_sacl": descriptor(group, SYSTEM, SYSTEM, acl(one), 0x8014),
        "every_ace_type": descriptor(acl(*every)), "callback": descriptor(acl(ace(9, 0, 1, SELF, data=b"artx" * 50))),
        "slack_in_acl": descriptor(acl(one, slack=b"\0" * 12)), "slack_in_ace": descriptor(acl(ace(0, 0, 1, SELF, data=b"\0" * 4))),
        "all_bits": descriptor(acl(ace(0, 0xff, 0xffffffff, EVERYONE))),
        "not_self_relative": descriptor(acl(one), control=4), "revision_2": descriptor(revision=2),
        "owner_in_header": descriptor(owner=SYSTEM, offsets={"owner": 4}),
        "owner_at_19": descriptor(owner=SYSTEM, offsets={"owner": 19}),
        "owner_outside": descriptor(owner=SYSTEM, offsets={"owner": 33}),
        "owner_far_outside": descriptor(offsets={"owner": 0xffffffff}),
        "owner_in_dacl": descriptor(acl(one), offsets={"owner": 36}),
        "owner_is_group": descriptor(owner=SYSTEM, offsets={"group": 20}),
        "owner_16_subs": descriptor(owner=sid(*range(16))), "owner_cut": descriptor(owner=SYSTEM[:-1]),
        "owner_no_subs": descriptor(owner=sid()), "owner_255_subs": descriptor(owner=sid(1, count=255)),
        "dacl_outside": descriptor(acl(one), offsets={"dacl": 1000}),
        "dacl_over_owner": descriptor(acl(one), SYSTEM, offsets={"owner": 20}),
        "dacl_cut": descriptor(acl(one))[:-1], "dacl_header_cut": descriptor(acl())[:-1],
        "acl_size_0": descriptor(acl(one, size=0)), "acl_size_7": descriptor(acl(one, size=7)),
        "acl_size_short": descriptor(acl(one, size=24)), "acl_size_long": descriptor(acl(one, size=1000)),
        "acl_size_65535": descriptor(acl(one, size=65535)), "acl_revision_1": descriptor(acl(one, revision=1)),
        "acl_revision_5": descriptor(acl(one, revision=5)), "count_0": descriptor(acl(one, count=0)),
        "count_2": descriptor(acl(one, count=2)), "count_65535": descriptor(acl(one, count=65535)),
        "ace_size_0": descriptor(acl(ace(0, 0, 1, SELF, size=0))), "ace_size_4": descriptor(acl(ace(0, 0, 1, SELF, size=4))),
        "ace_size_long": descriptor(acl(ace(0, 0, 1, SELF, size=100))),
        "ace_size_short": descriptor(acl(ace(0, 0, 1, SELF, size=16))),
        "object_flags_lie": descriptor(acl(struct.pack("<BBHII", 5, 0, 24, 0x100, 3) + EVERYONE)),
        "object_flags_reserved": descriptor(acl(struct.pack("<BBHII", 5, 0, 24, 0x100, 0xfffffffc) + EVERYONE)),
        "many_aces": descriptor(acl(*[ace(5, 0, 0x20, SELF, MEMBER)] * 200)),
        "unknown_without_body": descriptor(acl(struct.pack("<BBH", 0xff, 0, 4))),
    })


def access_checks():
    """fuzz_access.c tells the seven bytes in front of the descriptor."""
    def ask(bit, flags, kind, guid, who, own, sd):
        return struct.pack("<BBBBHB", bit, flags, kind, guid, who, own) + sd
    group = acl(ace(1, 0, 0x100, EVERYONE), ace(0, 0x12, 0xf01ff, DOMAIN_ADMINS), ace(5, 0, 0x20, SELF, MEMBER),
                ace(6, 8, 0x30, AUTH_USERS, MEMBER, USER), ace(5, 0x1a, 0x100, ADMINS, b"", USER))
    mixed = acl(ace(6, 0, 0x30, AUTH_USERS, MEMBER), ace(9, 0, 0x30, EVERYONE, data=b"artx"), ace(0, 0, 0x30, EVERYONE), ace(99, 0, 1, SELF),
                ace(10, 0, 0x20, ADMINS, data=b"artx"), ace(0, 0, 0x80000000, AUTH_USERS))
    owners = acl(ace(0, 0, 0x20000, sid(4, authority=3)), ace(1, 0, 0x40000, EVERYONE), ace(0, 0, 0x10000000, sid(0, authority=3)))
    write_all("access", {
        "member": ask(9, 1, 2, 8, 0x3ff, 3, descriptor(group, SYSTEM)), "whole": ask(9, 0, 2, 0, 3, 0, descriptor(mixed, SYSTEM)),
        "deny_wins": ask(8, 2, 6, 0, 11, 0, descriptor(mixed, SYSTEM)), "no_schema": ask(9, 5, 0, 8, 3, 0, descriptor(mixed, SYSTEM)),
        "owner": ask(1, 0, 0, 0, 4, 4, descriptor(group, SYSTEM)), "owner_rights": ask(1, 0, 2, 0, 4, 0, descriptor(owners, SYSTEM)),
        "control": ask(12, 1, 6, 33, 15, 2, descriptor(group, ADMINS)), "child": ask(4, 1, 3, 23, 15, 2, descriptor(group, ADMINS)),
        "null_dacl": ask(3, 0, 0, 0, 1, 0, descriptor(owner=SYSTEM)), "no_dacl": ask(3, 0, 0, 0, 1, 0, descriptor(control=0x8000)),
        "empty_dacl": ask(0, 0, 0, 0, 4, 0, descriptor(acl(), SYSTEM)), "nothing": b"", "no_bit": ask(14, 0, 0, 0, 1, 0, descriptor(group)),
    })


# --- names, filters, times -------------------------------------------------------------------------------------

def names():
    cases = ["", "CN=Ann,DC=corp,DC=example", "CN=Lee\\, Ann,OU=x", "CN=\"a, b\",DC=x", "CN=#04024869", "OU=S+CN=J. Smith,DC=n",
             "1.3.6.1.4.1.1466.0=#04024869,O=T", "CN=Lu\\C4\\8Di\\C4\\87", "CN=x\\0ACNF:6f9619ff-8b86-d011-b42d-00c04fc964ff,DC=x",
             "CN=x\\0ADEL:1,CN=Deleted Objects,DC=x", "CN=É è ß Σς İ,DC=x", "CN=日本,DC=x", "CN=K,DC=x",
             "CN = a , DC = b", "CN=a\\ ,DC=b", "CN=\\ a", "CN=\\#a", "CN=a\\\\,DC=b", "CN=,DC=b", "CN=a=b", "CN=a,", "CN=a,,DC=b",
             "CN=a\\", "CN=a\\4", "CN=a\\zz", "CN=\"a", "CN=\"a\\\"", "CN=#", "CN=#0", "CN=a;b", "CN=a<b>", "<GUID=1>;CN=x", "=",
             "=a", "a", "CN=caf\\E9", "CN=a\\00b", "K=x", "corp.example", "a..b.", "DC=a,CN=b,DC=c", " ", "CN=a+", "CN=a+OU=b+",
             "CN=ŉ,OU=ΐ,DC=ﬃ", "CN=" + "a" * 300, ",".join("OU=%d" % i for i in range(100)), "CN=\\\"a\\\"", "CN=\"\"", "CN=\"\\41\""]
    for i, text in enumerate(cases):
        write("dn", "%02d" % i, text)
    write_all("dn", {"not_utf8": b"CN=caf\xe9,DC=x", "nul": b"CN=a\0b", "nul_quoted": b'CN="a\0b"', "nul_escaped": b"CN=a\\\0",
                     "surrogate": b"CN=\xed\xa0\x80", "kelvin_type": "\u212a=x", "crlf": "CN=a\r\nb"})


def filters():
    cases = ["", "(cn=Babs Jensen)", "(!(cn=Tim Howes))", "(&(objectClass=Person)(|(sn=Jensen)(cn=Babs J*)))", "(o=univ*of*mich*)",
             "(seeAlso=)", "(cn:caseExactMatch:=Fred)", "(cn:=Betty)", "(sn:dn:2.4.6.8.10:=B)", "(o:dn:=A)", "(:1.2.3:=W)",
             "(:DN:2.4.6.8.10:=Dino)", "(bin=\\00\\00\\00\\04)", "(objectClass=*)", "(uSNChanged>=42)", "(a<=1)", "(a~=1)",
             "(userAccountControl:1.2.840.113556.1.4.803:=2)", "()", "(", ")", "(&)", "(!)", "(&(a=b)", "(cn)", "(cn=x))", "(cn=(x)",
             "(cn=\\)", "(cn=\\2)", "(cn=\\2g)", "(a=**)", "(a>=*)", "(a:=*)", "(cn;=x)", "(cn;binary=x)", "(:=x)", "(:dn:=x)",
             "(cn::=x)", "(a:b:c:=d)", "(a:b=c)", "(!(a=b)(c=d))", "(&a=b)", "(é=x)", "(cn=é)", "*)(objectClass=*",
             "(!" * 64 + "(a=b)" + ")" * 64, "(!" * 65 + "(a=b)" + ")" * 65, "(&" * 1000, "(|" + "(a=b)" * 200 + ")"]
    for i, text in enumerate(cases):
        write("filter", "%02d" % i, text)
    write_all("filter", {"nul": b"(cn=a\0b)", "not_utf8": b"(cn=caf\xe9)", "guid": bytes(range(0x78, 0x88))})


def times():
    cases = ["", "0", "-0", "1", "-1", "9223372036854775807", "9223372036854775806", "9223372036854775808", "-9223372036854775808",
             "-9223372036854775809", "133489152000000000", "116444736000000000", "116444735999999999", "2650467743999999999",
             "2650467744000000000", "-36288000000000", "-18000000000", "-1", "+1", " 1", "1 ", "0x1", "00000000000000000000000042",
             "99999999999999999999", "20240105080000.0Z", "20240105080000Z", "20240105080000,5Z", "20240105090000.0+0100",
             "20240105023000-0530", "16010101000000.0Z", "15991231235959Z", "19691231235959.9Z", "99991231235959.999Z",
             "99991231235959-2359", "20240229000000Z", "20230229000000Z", "20161231235960Z", "20161231235961Z", "20240105080000.Z",
             "20240105080000.0", "20240105080000", "20241305080000Z", "20240105080000.0+01", "20240105080000.000000000000000001Z",
             "2026-01-04T10:12:00Z", "2026-01-04T10:12:00.123Z", "2026-01-04 10:12:00+01:00", "2026-01-04t10:12:00z", "2024-02-29T00:00:00Z",
             "2023-02-29T00:00:00Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999Z",
             "9999-12-31T23:59:60-23:59", "2026-01-04T10:12:00", "2026-01-04T10:12:00.Z", "2026-01-04T24:00:00Z", "1969-12-31T23:59:59.999Z"]
    for i, text in enumerate(cases):
        write("time", "%02d" % i, text)
    write_all("time", {"nul": b"1\0", "nul_in_date": b"2026-01-04\x0010:12:00Z", "high": b"\xb0\xb1\xb2\xb3\xb4\xb5\xb6\xb7"})


# --- the worker's stream ---------------------------------------------------------------------------------------

def varint(n):
    out = b""
    while n >= 0x80:
        out += bytes([n & 0x7f | 0x80])
        n >>= 7
    return out + bytes([n])


def svarint(n):
    return varint((n << 1 ^ n >> 63) & (1 << 64) - 1)


def lstr(b):
    b = b.encode() if isinstance(b, str) else b
    return varint(len(b)) + b


def entry(number, *values):
    payload = varint(len(values)) + b"".join(values)
    return varint(number) + lstr(payload)


def custom(name, kind, *values):
    return varint(500) + lstr(lstr(name) + bytes([kind]) + varint(len(values)) + b"".join(values))


def dn_list(*dns, n=None):
    return varint(len(dns) if n is None else n) + lstr(b"".join(lstr(d) for d in dns))


def record(kind=5, flags=0, sid_bytes=b"", dn="CN=a,DC=x", sd=0, state=b"", stats=b"", member=None, member_of=None):
    return (bytes([kind, flags]) + bytes(range(16)) + lstr(sid_bytes) + lstr(dn) + varint(sd) + lstr(state) + lstr(stats)
            + (member or dn_list()) + (member_of or dn_list()))


def frame(kind, payload=b""):
    return struct.pack("<IB", len(payload) + 1, kind) + payload


def members(*dns, more=0, n=None):
    return bytes(range(16)) + bytes([more]) + struct.pack("<I", len(dns) if n is None else n) + b"".join(lstr(d) for d in dns)


def gap(kind=5, severity=1, what="3 members do not resolve", where="CN=g,DC=x", fix="ask again"):
    return bytes([kind, severity]) + lstr(what) + lstr(where) + lstr(fix)


def streams():
    state = (entry(1, lstr("person"), lstr("top"), lstr("user")) + entry(2, lstr("Ann")) + entry(6, svarint(1704441600000))
             + entry(20, lstr("ann")) + entry(23, svarint(66048)) + entry(34, lstr(DOMAIN_ADMINS)) + entry(41, lstr(b"\0\xff" * 8))
             + custom("badgeNumber", 0, lstr("B-42")) + custom("isVip", 2, b"\1"))
    stats = entry(7, svarint(1704441600000)) + entry(8, svarint((1 << 63) - 1)) + entry(28, svarint(-1))
    full = record(state=state, stats=stats, sid_bytes=DOMAIN_ADMINS, sd=70000, member_of=dn_list("CN=g,DC=x", "CN=h,DC=x"))
    whole = (frame(16, b'{"server":"dc1"}') + frame(17, struct.pack("<I", 1) + descriptor(acl())) + frame(18, full)
             + frame(18, record(4, 1, member=dn_list("CN=a,DC=x"))) + frame(19, members("CN=b,DC=x", "CN=c,DC=x", more=1))
             + frame(20, b"\5\1" + b"\0" * 8) + frame(21, gap()) + frame(22, b"\5" + b"\0" * 24) + frame(24, b"{}"))
    cases = {
        0: {"empty": b"", "whole": whole, "cut": whole[:-3], "job": frame(1, b"{}") + frame(2, lstr("password") + b"x") + frame(3),
            "length_0": struct.pack("<I", 0), "length_max": struct.pack("<IB", 64 << 20, 18), "length_over": struct.pack("<IB", (64 << 20) + 1, 18),
            "length_huge": b"\xff" * 5, "type_0": frame(0), "type_4": frame(4), "type_26": frame(26), "abort": frame(25, b'{"class":"NET"}')},
        1: {"full": full, "empty": record(), "group": record(4, member=dn_list(*["CN=%d,DC=x" % i for i in range(50)])),
            "kind_0": record(0), "kind_17": record(17), "list_short": record(member=dn_list("a", "b", n=1)),
            "list_long": record(member=dn_list("a", "b", n=3)), "list_huge": record(member=dn_list(n=1 << 40)),
            "sd_huge": record(sd=1 << 33), "sid_69": record(sid_bytes=b"\1" * 69), "trailing": record() + b"\0",
            "bad_state": record(state=b"\2\3\1"), "no_name": record(dn=""), "odd_name": record(dn="CN=a\\")},
        2: {"two": members("CN=a,DC=x", "CN=b,DC=x"), "none": members(), "more": members("CN=a", more=1), "n_short": members("a", "b", n=1),
            "n_long": members("a", n=2), "n_huge": members(n=0xffffffff), "cut": members("abc")[:-1]},
        3: {"full": gap(), "empty": gap(0, 0, "", "", ""), "kind_17": gap(17), "severity_2": gap(5, 2), "trailing": gap() + b"\0",
            "cut": gap()[:-1]},
        4: {"state": state, "stats": stats, "unknown": entry(11, lstr("x")), "number_200": entry(200, lstr("x")), "no_values": entry(4),
            "many_claimed": varint(2) + lstr(varint(127)), "value_cut": varint(4) + lstr(b"\3\1A\x09B"), "custom_type_9": custom("a", 9, lstr("x")),
            "custom_no_name": custom("", 0), "custom_cut": varint(500) + lstr(b"\5a"), "varint_11": b"\x80" * 10 + b"\0",
            "varint_65_bits": b"\xff" * 9 + b"\2", "order": entry(20, lstr("b")) + entry(2, lstr("a"))},
    }
    for first, files in cases.items():
        for name, data in files.items():
            write("stream", "%s_%s" % (("frames", "record", "members", "gap", "body")[first], name), bytes([first]) + data)


# --- pages of Microsoft Graph ----------------------------------------------------------------------------------

ID = "87d349ed-44d7-43e1-9a83-5f2406dee5bd"


def graph_pages():
    def page(*elements, **beside):
        return json.dumps({"value": [{"id": ID, **e} for e in elements], **beside})

    method = "#microsoft.graph.%sAuthenticationMethod"
    write_all("graph", {
        "user": page({
            "displayName": "Ad\u00e8le \U0001f680", "userPrincipalName": "a@contoso.com", "accountEnabled": True, "city": None,
            "proxyAddresses": ["smtp:b@c", "SMTP:a@c", "smtp:b@c"], "createdDateTime": "2020-08-10T06:44:09.1234567Z",
            "identities": [{"signInType": "federated", "issuer": "google.com", "issuerAssignedId": None}, 5],
            "assignedLicenses": [{"skuId": ID}], "securityIdentifier": "S-1-12-1-1-2-3-4", "manager": {"id": ID.upper()},
            "authorizationInfo": {"certificateUserIds": ["X509:<PN>a"]}, "employeeOrgData": {"costCenter": "1"},
            "isMfaRegistered": True, "methodsRegistered": ["mobilePhone", "passKeyDeviceBound", "moon"], "lastUpdatedDateTime": "",
            "signInActivity": {"lastSignInDateTime": "0001-01-01T00:00:00Z", "lastSuccessfulSignInDateTime": "2021-06-17T16:41:33Z"}}),
        "parts": page({"displayName": "a"}, part={"id": ID, "city": "Lyon"}),
        "parts_differ": page({"displayName": "a"}, part={"id": ID.replace("8", "9"), "city": "Lyon"}),
        "group": page({"groupTypes": ["Unified"], "securityEnabled": False, "membershipRule": "x"}, owners=[ID, ID, 7, {"id": ID}]),
        "role": page({"displayName": "Global Administrator", "templateId": ID, "isBuiltIn": True}, scope="/administrativeUnits/7",
                     assignment="eligible"),
        "role_no_name": page({"displayName": 1}, assignment="\u00e9"),
        "device": page({"deviceId": ID, "isCompliant": 1, "approximateLastSignInDateTime": "9999-12-31T23:59:59Z"}),
        "service_principal": page({"passwordCredentials": [{"keyId": ID, "endDateTime": "2027-01-01T00:00:00Z", "displayName": "a b"},
                                                           {"keyId": ID}, {"endDateTime": 1}, "x"], "tags": []}),
        "contact": page({"addresses": [{"city": "Nice"}], "phones": [{"type": "mobile", "number": "1"}, {"type": "business", "number": 2}]}),
        "tenant": page({"verifiedDomains": [{"name": "a.b", "isDefault": True, "type": "Federated"}],
                        "assignedPlans": [{"capabilityStatus": "Enabled", "service": "exchange"}]}),
        "domains": page({}, domains=[{"id": "a.b", "isDefault": True, "isVerified": True, "authenticationType": "Federated"}, {}, 1]),
        "methods": page({}, methods=[{"@odata.type": method % "fido2"}, {"@odata.type": method % "moon"}, {}, 1], method=method % ""),
        "times": page(*({"createdDateTime": t} for t in (
            "1601-12-31T23:59:59Z", "1602-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "9999-12-31T00:00:00+23:59", "0000-00-00T00:00:00Z"))),
        "types": page(*({"displayName": v, "businessPhones": v, "accountEnabled": v, "employeeOrgData": v, "addresses": v,
                         "passwordCredentials": v, "verifiedDomains": v, "manager": v} for v in (None, True, 1, 1.5, "", [], {}, [[]], [{}]))),
        "no_ids": '{"value": [{}, {"id": 1}, {"id": "x"}, [], null]}', "not_json": "<html>", "empty": "{}",
        "duplicate": '{"id": "' + ID + '", "id": "x"}', "deep": "[" * 3000 + "]" * 3000, "surrogate": '{"id": "\\ud800"}',
        "nul": '{"id": "' + ID + '", "displayName": "\\u0000"}', "without": '{"without": "city state  x ' + "y" * 400 + '"}',
    })


# --- what people and programs ask of access -------------------------------------------------------------------------

def questions():
    pairs = ['{"principal": "alice", "target": "CN=x"}', '{"principal": "a"}', '{"principal": 1, "target": "b"}', "[]", "", "{", '{"principal": "a", "principal": "b", "target": "c"}',
             '{"principal": "\\u0000", "target": "b"}', '{"target": {"a": []}, "principal": null}']
    filters = ["enabled=false and department=Finance", "not (a=b or c~d)", "last_logon<90d", 'name="x y" or kind!=user', "((a=*))", "a=", ")", "and", "x>=2026-01-01"]
    rights = ["WRITE_PROPERTY:member", "control_access:Reset-Password", "READ_CONTROL", "CREATE_CHILD:user", "SELF:{bf9679c0-0de6-11d0-a285-00aa003049e2}", "WRITE_PROPERTY:",
              "RAED_PROPERTY", ":", "WRITE_PROPERTY:{"]
    for first, cases in enumerate((pairs, filters, rights)):
        for i, text in enumerate(cases):
            write("questions", "%s_%d" % (("pair", "filter", "right")[first], i), bytes([first]) + text.encode())


# --- what an HTTP server answers ---------------------------------------------------------------------------------

def urls():
    base = "https://graph.microsoft.com/v1.0"
    cases = ["", base, base + "/users?$skiptoken=abc", "https://h", "http://127.0.0.1:80/x", "https://[::1]:8443/a", "https://[::ffff:127.0.0.1]",
             "HTTPS://Graph.Microsoft.COM:443/v1.0/users", "https://a@h/", "https://h\\x", "https://h/%2e%2e", "https://h:0", "https://h:65536",
             "https://2130706433", "https://h./", "https://h/#x", "//h/x", "javascript:alert(1)", "https://h?q", "https://xn--grph-loa.example/",
             "https://0x7f.1/", "https://[v1.a]/", "https://h/a%", "https://h/a%zz", "https://-h/", "https://a..b/"]
    links = ["/users", "/../x", "//x", "/./x", "/%2fx", "/..;/x", "evil/x", "?q", "/", "/a%252e"]
    for i, text in enumerate(cases):
        write("url", "one_%02d" % i, text)
    for i, link in enumerate(links):
        write("url", "link_%02d" % i, base + "\n" + base + link)
    write_all("url", {"other_host": base + "\nhttps://graph.microsoft.com.evil.test/v1.0/users", "root": "https://h/\nhttps://h/x",
                      "v6": "https://[::1]:1/a\nhttps://[0:0::1]:1/a/b", "nul": b"https://h\0.evil/x", "high": b"https://h\xc3\xa9/"})


def retry_afters():
    cases = ["", "0", "1", "120", "2.128", "2.", ".5", "1.0000000001", "-1", "+1", "1e3", "99999999999999999999", "0000000000000000000001",
             " 7 ", "7 s", "Sun, 06 Nov 1994 08:49:37 GMT", "Thu, 01 Jan 2026 00:01:00 GMT", "Fri, 31 Dec 9999 23:59:60 GMT",
             "Sunday, 06-Nov-94 08:49:37 GMT", "Thursday, 01-Jan-26 00:01:00 GMT", "Sun Nov  6 08:49:37 1994", "Thu Jan  1 00:01:00 2026",
             "Thu, 29 Feb 2027 00:00:00 GMT", "Thu, 01 Jan 2026 00:01:00 UTC", "thu, 01 jan 2026 00:01:00 gmt", "Thu, 01 Jan 2026 24:00:00 GMT"]
    for i, text in enumerate(cases):
        write("retry_after", "%02d" % i, text)
    write_all("retry_after", {"nul": b"1\0", "high": b"\xb2"})


# --- the login service, and errors of Graph ----------------------------------------------------------------------

JWT = "eyJhbGciOiJub25lIn0.eyJyb2xlcyI6WyJVc2VyLlJlYWQuQWxsIl0sImV4cCI6MTc3NTAwNTIwMH0.c2ln"


def sign_ins():
    answer = '{"token_type":"Bearer","access_token":"%s"%s}'
    refusal = ('{"error":"invalid_client","error_description":"AADSTS%d: words\\r\\nTrace ID: 1\\r\\nCorrelation ID: 2","error_codes":[%d],'
               '"trace_id":"1","correlation_id":"2"}')
    write_all("oauth", {
        "number": answer % (JWT, ',"expires_in":3599'), "text": answer % (JWT, ',"expires_in":"3599","expires_on":"1506484173"'),
        "expires_on": answer % (JWT, ',"expires_on":1775005200'), "over": answer % (JWT, ',"expires_in":0'), "no_life": answer % (JWT, ""),
        "real": answer % (JWT, ',"expires_in":1e18'), "bad_token": answer % ("a b", ""), "twice": answer % (JWT, ',"access_token":"x"'),
        "mac": '{"token_type":"mac","access_token":"x"}', "html": "<html>", "empty": "", "jwt": JWT, "jwt_two_parts": "a.e30", "jwt_list": "a.W10.c",
        "jwt_padded": "a.e30=.c", "wrong_secret": "\1" + refusal % (7000215, 7000215), "expired": "\3" + refusal % (7000222, 7000222),
        "federated": "\2" + refusal % (70021, 70021), "unknown": "\2" + refusal % (4711, 4711), "other_codes": "\2" + refusal % (90033, 90055),
        "identity": '\2{"error":"invalid_request","error_description":"Identity not found"}', "echo": '\2{"error":"x","error_description":"S3cret~1"}',
        "control": '\2{"error":"\\u001b[2J","error_description":"\\u202e\\u0085\\u0000"}', "guid": "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        "high": b"\xff\xfe\xc3\xa4\xe2\x80\xae",
    })


def graph_errors():
    error = '{"error":{"code":"%s","message":"%s","innerError":{"date":"2024-02-20T10:10:57","request-id":"1","client-request-id":"2"}}}'
    codes = ["Authorization_RequestDenied", "Authentication_RequestFromNonPremiumTenantOrB2CTenant", "Directory_ExpiredPageToken", "Request_ResourceNotFound",
             "Request_UnsupportedQuery", "TooManyRequests", "UnknownError", "InvalidAuthenticationToken", "syncStateNotFound", "resyncRequired",
             "AadPremiumLicenseRequired", "NotImplemented", "", "x" * 200]
    for i, code in enumerate(codes):
        write("graph_error", "code_%02d" % i, error % (code, "words"))
    write_all("graph_error", {
        "wrapped": error % ("UnknownError", '{\\"@odata.context\\":\\"x\\",\\"value\\":\\"Cannot query data for more than 120 users at a time.\\"}'),
        "wrapped_code": error % ("UnknownError", '{\\"errorCode\\":\\"PermissionScopeNotGranted\\",\\"message\\":\\"m\\"}'),
        "nested": '{"error":{"code":"a","innerError":{"code":"resyncRequired","innerError":{"code":"b"}}}}', "bare": '{"code":"x","message":"y"}',
        "nulls": '{"error":{"code":null,"message":null,"innerError":null}}', "types": '{"error":{"code":[],"message":{},"innerError":7}}',
        "words": error % ("BadRequest", "Could not find a property named 'x'"), "html": "<html>premium license</html>", "empty": "", "list": "[]",
        "login": '{"error":"invalid_client"}', "control": error % ("a", "\\u001b[31m\\u202e"), "high": b"\xff\xfe",
    })


# --- schemas ---------------------------------------------------------------------------------------------------

def varint(n):
    return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + varint(n >> 7)


def schemas():
    def text(s):
        return varint(len(s)) + s.encode()

    def names(s):
        return varint(len(s.split())) + b"".join(map(text, s.split()))

    def piece(what, body):
        return struct.pack("<BI", what, len(body)) + body

    def attribute(name, guid=MEMBER, group=bytes(16)):
        return piece(2, text(name) + guid + group + varint(128) + varint(1 << 31) + b"\3")

    def klass(name, parent, attributes="", auxiliary="", superiors="", category=1):
        return piece(3, text(name) + USER[:15] + name.encode()[:1] + text(parent) + bytes([category, 0]) + names(attributes) + names(auxiliary)
                     + names(superiors))

    def right(name, accesses):
        return piece(4, text(name) + text("Shown " + name) + MEMBER + varint(accesses) + varint(1) + USER)

    small = (klass("B", "T", "b", "X", "T B") + klass("T", "T", "a nobody", category=2) + klass("X", "T", "x", category=3) + attribute("a")
             + attribute("b", USER, MEMBER) + attribute("x") + right("Set", 0x30) + right("Self", 8) + right("Do", 0x100) + piece(1, text("001")))
    write_all("schema", {
        "small": b"\1" + small, "none": b"\1", "version_2": b"\2" + small, "cut": b"\1" + small[:-3], "later_piece": b"\1" + piece(9, b"?") + small,
        "twice": b"\1" + small + small, "circle": b"\1" + klass("A", "B", "a", "C") + klass("B", "C") + klass("C", "A", "", "A B") + attribute("a"),
        "long_list": b"\1" + piece(3, text("A") + USER + text("") + b"\1\0" + varint(1 << 62)), "category_9": b"\1" + klass("A", "", category=9),
        "control": b"\1" + attribute("a\nb"), "empty_name": b"\1" + attribute(""), "long_name": b"\1" + attribute("a" * 256),
        "text_typed": "WRITE_PROPERTY:member", "text_display": "control_access:reset password", "text_guid": "CREATE_CHILD:{bf967aba-0de6-11d0-a285-00aa003049e2}",
        "text_untyped": "WRITE_DAC", "text_wrong": "WRITE_PROPERTY:Reset-Password", "text_near": "CREATE_CHILD:usr", "text_colon": "SELF:", "text_none": "member",
    })


# --- requests to our own server ------------------------------------------------------------------------------------

def requests():
    cookie, body = "a=b; __Host-rollcall=abcdef; c", '{"name":"x","n":1,"list":["a","b"],"deep":{"a":[1,{"b":null}]}}'
    write_all("request", {
        "good": "/api/v1/connectors/corp\n%s\n%s" % (cookie, body), "literal": "/api/v1/connectors/judge\n\n{}", "root": "/\n\n", "escaped": "/api/v1/connectors/a%2Fb%20%c3%a9\n\n",
        "dots": "/../%2e%2e/etc/passwd\n\n", "control": "/a%0d%0ab\n\n", "nul": "/a%00\n\n", "not_utf8": "/%ff%c0%ae\n\n", "cut_escape": "/%4\n\n", "long": "/" + "a/" * 20 + "\n\n",
        "cookie_twice": "/\n__Host-rollcall=a; __Host-rollcall=b\n", "cookie_empty": "/\n__Host-rollcall=\n", "cookie_long": "/\n__Host-rollcall=%s\n" % ("a" * 40),
        "body_unknown": "/\n\n" + '{"name":"x","nmae":1}', "body_twice": "/\n\n" + '{"name":"x","name":"y"}', "body_deep": "/\n\n" + '{"deep":' + "[" * 20 + "]" * 20 + "}",
        "body_strings": "/\n\n" + '{"name":"\\ud800\\"[{","\u202e%s":1}' % ("\u00e9" * 40), "body_types": "/\n\n" + '{"name":1}', "body_list": "/\n\n[]",
    })


if __name__ == "__main__":
    sids()
    descriptors()
    access_checks()
    names()
    filters()
    times()
    streams()
    urls()
    retry_afters()
    graph_pages()
    sign_ins()
    graph_errors()
    schemas()
    questions()
    requests()
