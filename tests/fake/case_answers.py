"""case_answers - the fake controller's answers: as a controller gives them, and spoilt."""

import re
import struct
import time

import anomalies as odd
import ber
import directory as ad
import pages
import rig
from rig import (ANY, Client, GROUPS, PASSWORD, PEOPLE, SD7, USERS, bound, case, check, eq, equal, honest, ldapsearch, present, sams)


# --- the honest controller --------------------------------------------------------------------------------------

@case()
def honest_ldapsearch_pages():
    rig.PLAIN.set()
    rc, out, err = ldapsearch(rig.PLAIN, "-b", ad.DOMAIN_DN, "-E", "pr=7/noprompt", "(&(objectCategory=person)(objectClass=user))", "sAMAccountName")
    equal(rc, 0, err)
    equal(re.findall(r"sAMAccountName: (.*)", out), honest())
    equal(out.count("ref: ldap://") + out.count("refldap://"), 3, "continuation references")
    sizes = [c["size"] for r in rig.PLAIN.log("search") for c in r["controls"]]
    equal(sizes, 5 * [7], "pages logged")


@case()
def honest_root_dse():
    rig.PLAIN.set()
    rc, out, err = ldapsearch(rig.PLAIN, "-b", "", "-s", "base", bind=False)
    equal(rc, 0, err)
    for name in ("defaultNamingContext: DC=fake,DC=example", "dnsHostName: dc1.fake.example", "isGlobalCatalogReady: TRUE",
                 "domainFunctionality: 7", "highestCommittedUSN: ", "currentTime: ", "ldapServiceName: ", "dsServiceName: ",
                 "supportedControl: 1.2.840.113556.1.4.319"):
        check(name in out, name, "missing")


@case()
def honest_bind_forms():
    rig.PLAIN.set()
    for name in ("svc-collector@fake.example", "FAKE\\svc-collector", "CN=svc-collector,CN=Users,DC=fake,DC=example"):
        with Client(rig.PLAIN) as c:
            equal(c.bind(name).code, 0, name)
            c.send(ber.tlv(0x77, ber.octets(pages.WHOAMI, 0x80)))
            equal(c.read().value, b"u:FAKE\\svc-collector", "whoami")


@case()
def honest_bind_refusals():
    rig.PLAIN.set()
    d = ad.Directory(USERS, GROUPS)
    found = {}
    for i in range(1, USERS + 1):
        with Client(rig.PLAIN) as c:
            m = c.bind("FAKE\\user%05d" % i)
            found.setdefault(m.code and re.search(rb"data (\w+)", m.text).group(1).decode(), i)
    equal(sorted(str(k) for k in found), ["0", "533", "701", "773", "775"], "account states")
    with Client(rig.PLAIN) as c:
        m = c.bind("FAKE\\nobody")
        equal((m.code, b"data 52e" in m.text, m.text[-1:]), (49, True, b"\0"), "unknown user")
        m = c.bind(password="wrong")
        equal((m.code, b"data 52e" in m.text), (49, True))
        equal(c.bind(password="").code, 0, "unauthenticated bind")
        equal(c.search().done.code, 1, "search as anonymous")
    check(d.usn > ad.FIRST_USN)


@case()
def honest_password_not_logged():
    rig.PLAIN.set()
    with Client(rig.PLAIN) as c:
        c.bind(password="S3cret-canary")
        c.bind()
    text = open(rig.PLAIN.log_file).read()
    check("S3cret-canary" not in text and PASSWORD not in text, "password in the log")
    equal(len(rig.PLAIN.log("bind")), 2)


@case()
def honest_filters():
    rig.PLAIN.set()
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
        rc, out, err = ldapsearch(rig.PLAIN, "-b", ad.DOMAIN_DN, flt, "1.1")
        equal((rc, out.count("dn:")), (0, want), flt + err)


@case()
def honest_scopes_and_bases():
    rig.PLAIN.set()
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
    rig.PLAIN.set()
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
    rig.PLAIN.set()
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
    rig.PLAIN.set()
    with bound() as c:
        up, down = set(), set()
        for e in c.search(flt=ANY, attrs=("member", "memberOf")).entries:
            down.update((v, e.dn) for v in e.get("member") or ())
            up.update((e.dn, v) for v in e.get("memberOf") or ())
    check(len(up) > 100 and up == down, "memberOf and member disagree")


@case()
def honest_cookie_is_bound():
    rig.PLAIN.set()
    with bound() as c, bound() as other:
        cookie = c.search(size=5).cookie
        equal(other.search(size=5, cookie=cookie).done.code, 53, "cookie on another connection")
        equal(len(c.search(size=5, cookie=cookie).entries), 5)
        equal(c.search(size=5, cookie=cookie).done.code, 53, "cookie used twice")


@case()
def honest_controls():
    rig.PLAIN.set()
    with bound() as c:
        equal(c.search(controls=[ber.control("1.2.3", None, True)]).done.code, 12, "critical and unknown")
        equal(c.search(controls=[ber.control("1.2.3")]).done.code, 0)
        gone = eq("isDeleted", "TRUE")
        equal(len(c.search(flt=gone).entries), 0)
        a = c.search(flt=gone, controls=[ber.control(pages.SHOW_DELETED, None, True)])
        equal(len(a.entries), 2)
        check(b"\\0ADEL:" in a.entries[0].dn)
        equal(len(c.search(flt=gone, controls=[ber.control(pages.DOMAIN_SCOPE, None, True)]).refs), 0)


@case("dirsync-open")
def dirsync():
    rig.PLAIN.set()

    def ask(c, flags, cookie, size=1 << 20):
        a = c.search(flt=ANY, controls=[ber.control(pages.DIRSYNC, ber.seq(ber.integer(flags), ber.integer(size), ber.octets(cookie)), True)])
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
        rig.PLAIN.order(directory={"changed": 4})
        with bound() as c:
            equal(sorted(ask(c, 1, cookie)[0].sams()), ["user%05d" % i for i in range(1, 5)])
    finally:
        rig.PLAIN.order(directory={})
    rig.PLAIN.set("dirsync-open")
    with bound() as c:
        equal(ask(c, 0, b"")[0].done.code, 0)


@case()
def honest_changed_users():
    def state():
        with bound() as c:
            return {e.get("objectGUID")[0]: (e.get("department"), e.get("uSNChanged")) for e in c.search(attrs=("objectGUID", "department", "uSNChanged")).entries}
    rig.PLAIN.set()
    first = state()
    equal(first, state(), "two runs")
    try:
        rig.PLAIN.order(directory={"changed": 3})
        second = state()
    finally:
        rig.PLAIN.order(directory={})
    equal(sum(first[g] != second[g] for g in first), 3)


@case()
def qualifiers():
    rig.PLAIN.set("result=busy,conn=2,times=1,match=objectClass=user")
    codes = []
    for _ in range(3):
        with bound() as c:
            codes += [c.search(flt=eq("objectClass", "group")).done.code, c.search().done.code, c.search().done.code]
    equal(codes, [0, 0, 0, 0, 51, 0, 0, 0, 0])
    rig.PLAIN.set("result=busy,search=2-3")
    with bound() as c:
        equal([c.search().done.code for _ in range(4)], [0, 51, 51, 0])
    rig.PLAIN.set("result=busy,base=CN=Users,DC=fake,DC=example")  # a comma ends the value: the base is CN=Users
    rig.PLAIN.order(behaviours=[{"name": "result", "arg": "busy", "base": "CN=Users,DC=fake,DC=example"}])
    with bound() as c:
        equal([c.search().done.code, c.search("CN=Users," + ad.DOMAIN_DN).done.code], [0, 51])


# --- limits -----------------------------------------------------------------------------------------------------

STAFF = "CN=All Staff,OU=Groups," + ad.DOMAIN_DN


@case("forced-ranges", "range-past-end")
def forced_ranges():
    rig.PLAIN.set("forced-ranges=12")
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
    rig.PLAIN.set("forced-ranges=12,empty=0", "range-past-end")
    with bound() as c:
        equal(c.search(STAFF, 0, ANY, ["member"]).entries[0].names(), ["member;range=0-11"])
        equal(c.search(STAFF, 0, ANY, ["member;range=900-*"]).done.code, 1)


@case("bad-range")
def bad_range():
    seen = set()
    for variant in odd.BAD_RANGES:
        rig.PLAIN.set("bad-range=" + variant)
        with bound() as c:
            e = c.search(STAFF, 0, ANY, ["member"]).entries[0]
            f = c.search(STAFF, 0, ANY, ["member;range=5-*"]).entries[0]
            seen.add((e.names()[0], len(e.attrs[0][1]), f.names()[0], len(f.attrs[0][1])))
    equal(len(seen), len(odd.BAD_RANGES), "each variant differs")


@case("max-page-size", "ad-limits")
def max_page_size():
    rig.PLAIN.set("max-page-size=6")
    with bound() as c:
        a = c.search()
        equal((a.done.code, len(a.entries)), (4, 6))
        pages = c.pages(1000)
        equal([len(p.entries) for p in pages], [6, 6, 6, 6, 6, 4])
        equal(sams(pages), honest())
    rig.PLAIN.set("ad-limits")
    with bound() as c:
        equal(c.search().done.code, 0)


@case("page-cap", "empty-pages", "smaller-pages", "no-paging")
def paging_variants():
    rig.PLAIN.set("page-cap=7")
    with bound() as c:
        equal(sams(c.pages(1000)), honest())
    rig.PLAIN.set("empty-pages=3")
    with bound() as c:
        equal([len(p.entries) for p in c.pages(20)], [0, 0, 0, 20, 14])
    rig.PLAIN.set("empty-pages=2,page=2")
    with bound() as c:
        equal([len(p.entries) for p in c.pages(20)], [20, 0, 0, 14])
    for code, want in (("adminLimitExceeded", 11), ("busy", 51)):
        rig.PLAIN.set("smaller-pages=10,code=" + code)
        with bound() as c:
            equal([c.search(size=11).done.code, c.search(size=10).done.code], [want, 0])
    rig.PLAIN.set("no-paging")
    with bound() as c:
        equal(c.search(size=5).done.code, 12)
        a = c.search(controls=[ber.control(odd.PAGED_OID, ber.seq(ber.integer(5), ber.octets(b"")))])
        equal((a.done.code, len(a.entries), a.cookie), (0, len(honest()), None))


@case("no-continuations", "admin", "no-descriptors", "deny-attrs", "hide", "hide-root-attrs")
def visibility():
    rig.PLAIN.set()
    pso = eq("objectClass", "msDS-PasswordSettings")
    with bound() as c:
        equal((len(c.search().refs), len(c.search(flt=pso).entries)), (3, 0))
    rig.PLAIN.set("no-continuations", "admin", "no-descriptors", "deny-attrs=userAccountControl:mail", "hide=user00004", "hide-root-attrs=dnsHostName:currentTime")
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
    rig.PLAIN.set()
    with bound() as c:
        equal(modify(c, dn, 0, "member", person), 50)
    rig.PLAIN.set("writable")
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
        check("canary-pw" not in open(rig.PLAIN.log_file).read())
    finally:
        rig.PLAIN.order(directory={})


# --- refusals ---------------------------------------------------------------------------------------------------

@case("bind-error", "bind-result", "channel-binding", "stronger-auth")
def bind_refusals():
    for data in list(odd.BIND_ERRORS) + ["80090302"]:
        rig.PLAIN.set("bind-error=" + data)
        with Client(rig.PLAIN) as c:
            m = c.bind()
            equal((m.code, b"AcceptSecurityContext error, data %s, v" % data.encode() in m.text), (49, True), data)
            equal(c.search().done.code, 1, "not bound")
    for name, code in (("busy", 51), ("unavailable", 52), ("invalidCredentials", 49), ("other", 80), ("12345", 12345)):
        rig.PLAIN.set("bind-result=" + name)
        with Client(rig.PLAIN) as c:
            equal(c.bind().code, code)
    rig.PLAIN.set("channel-binding")
    with Client(rig.PLAIN) as c:
        check(b"data 80090346" in c.bind().text)
    rig.PLAIN.set("stronger-auth")
    with Client(rig.PLAIN) as c:
        equal(c.bind().code, 8)
    rig.PLAIN.set("stronger-auth,over=plain")
    with Client(rig.PLAIN) as c:
        equal(c.bind().code, 8)
    if rig.CA:
        rig.TLS.set("stronger-auth,over=plain")
        bound(rig.TLS).sock.close()
    rig.PLAIN.set("bind-error=775")
    rc, _, err = ldapsearch(rig.PLAIN, "-b", ad.DOMAIN_DN)
    check(rc == 49 and "data 775" in err, rc, err)


@case("no-such-base", "insufficient", "bad-code", "bad-text", "result")
def search_refusals():
    rig.PLAIN.set("no-such-base=DC=example")
    with bound() as c:
        a = c.search()
        equal((a.done.code, a.done.matched), (32, b"DC=example"))
    rig.PLAIN.set("insufficient")
    with bound() as c:
        equal(c.search().done.code, 50)
    rig.PLAIN.set("bad-code=4096")
    with bound() as c:
        equal(c.search().done.code, 4096)
    for variant in list(odd.NASTY_TEXT) + list(odd.BAD_UTF8):
        rig.PLAIN.set("bad-text=" + variant)
        with bound() as c:
            equal(c.search().done.text, odd.NASTY_TEXT.get(variant) or odd.BAD_UTF8[variant])
    for name in ("busy", "unavailable", "timeLimitExceeded", "operationsError", "unwillingToPerform", "other", "sizeLimitExceeded"):
        for page in (1, 2, 3):
            rig.PLAIN.set("result=%s,page=%d" % (name, page))
            with bound() as c:
                pages = c.pages(10)
                equal((len(pages), pages[-1].done.code, len(pages[-1].entries), pages[-1].cookie), (page, odd.CODES[name], 10, None))
    rig.PLAIN.set("result=busy,page=2,entries=4")
    with bound() as c:
        equal([len(p.entries) for p in c.pages(10)], [10, 4])


@case("echo")
def repeats_the_password():
    for where in ("text", "matched", "referral", "logon"):
        rig.PLAIN.set("echo=" + where)
        with Client(rig.PLAIN) as c:
            m = c.bind()
            said = {"matched": m.matched, "referral": b"".join(m.referral or [])}.get(where, m.text)
            equal((m.code, b"Collector-1" in said), (49, True), where)
        rig.PLAIN.set("echo=%s,on=search,code=53" % where)
        with bound() as c:
            m = c.search().done
            said = {"matched": m.matched, "referral": b"".join(m.referral or [])}.get(where, m.text)
            equal((m.code, b"Collector-1" in said), (53, True), where)


@case("referral", "continuation")
def referral_shapes():
    target = "127.0.0.1:%d" % rig.PLAIN.port
    check(len(odd.REFERRALS) >= 10)
    for shape in odd.REFERRALS:
        want = odd.referral_uris(shape, target, target)
        rig.PLAIN.order(behaviours=[{"name": "referral", "arg": shape, "target": target}])
        with bound() as c:
            a = c.search()
            equal((a.done.code, a.done.referral), (10, want), shape)
        rig.PLAIN.order(behaviours=[{"name": "referral", "arg": shape, "target": target, "on": "bind"}])
        with Client(rig.PLAIN) as c:
            m = c.bind()
            equal((m.code, m.referral), (10, want), shape)
        rig.PLAIN.order(behaviours=["no-continuations", {"name": "continuation", "arg": shape, "target": target}])
        with bound() as c:
            equal(c.search().refs[0].uris, want or [], shape)
    rig.PLAIN.set("referral=each")
    with bound() as c:
        equal(len({tuple(c.search().done.referral or ["-"]) for _ in odd.REFERRALS}) > 25, True)
    rig.PLAIN.set("referral=plain,page=2")
    with bound() as c:
        equal([p.done.code for p in c.pages(10)], [0, 10])
    rig.PLAIN.set("referral=plain,code=0")
    with bound() as c:
        equal((c.search().done.code), 0)
    rig.PLAIN.set("continuation=plain,target=127.0.0.1:9,count=3")
    rc, out, _ = ldapsearch(rig.PLAIN, "-b", ad.DOMAIN_DN, "(sAMAccountName=user00001)", "1.1")
    equal((rc, out.count("127.0.0.1:9")), (0, 3))


# --- identity and history ---------------------------------------------------------------------------------------

def root(c, name):
    return c.search("", 0, ANY, [name]).entries[0].attrs[0][1][0].decode()


@case("clock-skew", "dc", "other-dc", "cookie-refused", "no-gc-ready")
def identity():
    rig.PLAIN.set("clock-skew=-7200")
    with bound() as c:
        now = time.strptime(root(c, "currentTime"), "%Y%m%d%H%M%S.0Z")
        off = __import__("calendar").timegm(now) - time.time()
        check(-7210 < off < -7190, off)
    rig.PLAIN.set("dc=dc2,conn=2")
    with bound() as c, bound() as d:
        equal((root(c, "dnsHostName"), root(d, "dnsHostName")), ("dc1.fake.example", "dc2.fake.example"))
        check(root(c, "highestCommittedUSN") != root(d, "highestCommittedUSN") and root(c, "dsServiceName") != root(d, "dsServiceName"))
    rig.PLAIN.set("other-dc=3")
    with bound() as c:
        equal([p.done.code for p in c.pages(10)], [0, 0, 53])
        equal(root(c, "dnsHostName"), "dc2.fake.example")
    rig.PLAIN.set("cookie-refused,times=1")
    with bound() as c:
        equal([p.done.code for p in c.pages(10)], [0, 53])
        equal([p.done.code for p in c.pages(10)], [0, 0, 0, 0])
    rig.PLAIN.set("no-gc-ready")
    with bound() as c:
        equal(root(c, "isGlobalCatalogReady"), "FALSE")


@case("vanish", "appear", "move", "modify", "duplicate")
def history():
    every = honest()
    late = every[25]
    rig.PLAIN.set("vanish=%s,page=2" % late)
    with bound() as c:
        equal(sams(c.pages(10)), [s for s in every if s != late])
    rig.PLAIN.set("vanish=%s,page=2" % every[3])
    with bound() as c:
        equal(sams(c.pages(10)), every, "already delivered")
    rig.PLAIN.set("appear=%s,page=2" % every[3])
    with bound() as c:
        pages = c.pages(10)
        check(every[3] not in pages[0].sams() and sorted(sams(pages)) == sorted(every))
    rig.PLAIN.set("move=%s,page=2" % every[5])
    with bound() as c:
        pages = c.pages(10)
        one, two = pages[0].entry(every[5]), pages[1].entry(every[5])
        check(one.dn != two.dn and b"OU=Servers" in two.dn and one.get("objectGUID") == two.get("objectGUID"))
    rig.PLAIN.set("modify=%s,page=3,attr=department,value=Moved" % late)
    with bound() as c:
        pages = c.pages(10, attrs=("sAMAccountName", "department"))
        equal([e.get("department") for p in pages for e in p.entries if e.get("sAMAccountName") == [late.encode()]], [[b"Moved"]])
    for page, want in ((0, [11, 0]), (2, [10, 1])):
        rig.PLAIN.set("duplicate=%s,page=%d" % (every[5], page))
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
            rig.PLAIN.set("%s=%s" % (name, variant))
            want = list(value) if isinstance(value, tuple) else [value]
            equal(one_user().get(attr), want, variant)
        rig.PLAIN.set("%s,who=user00004" % name)
        check(one_user().get(attr) != one_user("user00004").get(attr))
    case(name, name="content_" + name)(run)


for _name, (_attr, _table) in TABLES.items():
    table_case(_name, _attr, _table)


@case("no-guid", "same-guid", "no-sid", "two-sids", "nul", "no-values", "empty-value", "duplicate-attr", "duplicate-values", "second-value",
      "missing-attr", "no-attrs", "attr-case", "extra-attrs", "many-attrs", "bad-class", "bad-dn", "bad-type", "bad-member")
def content_shapes():
    def with_(text):
        rig.PLAIN.set(text)
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
        rig.PLAIN.set("bad-type=" + variant)
        check(any(n.encode("latin-1") == value for n in one_user().names()), variant)
    counts = set()
    for variant in odd.BEHAVIOURS["bad-member"].variants:
        rig.PLAIN.set("bad-member=" + variant)
        counts.add(tuple(one_user("-", eq("sAMAccountName", "group0001")).get("member")))
    equal(len(counts), 7)
