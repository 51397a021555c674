#!/usr/bin/python3
"""graphs_test.py - export as a graph: BloodHound's files and OpenGraph, of a real directory; permissions as told and as really held."""
# budget: 80
import collections
import hashlib
import json
import os
import re
import zipfile

import ldb
from domain import Domain
from harness import Lab, case, main, rollcall, scratch
from samba.dcerpc import security
from samba.ndr import ndr_pack, ndr_unpack

MEMBER, MEMBERSHIP = "bf9679c0-0de6-11d0-a285-00aa003049e2", "bc0ac240-79a9-11d0-9020-00c04fc2d4cf"
RESET, DESCRIPTION = "00299570-246d-11d0-a768-00aa006e0529", "bf967950-0de6-11d0-a285-00aa003049e2"
SPN = "f3a64788-5306-11d1-a9c5-0000f80367c1"
TYPES = ("domains", "ous", "containers", "gpos", "computers", "users", "groups")
KINDS = {"domains": "domain", "ous": "ou", "containers": "container", "gpos": "group_policy", "computers": "computer",
         "users": "user,service_account", "groups": "group"}

lab = Lab()
domain = Domain(lab)
work = scratch()
with domain.prepare():
    PROBE = domain.ou("Graph Probe")
    alice, bob = (domain.user("g." + n, PROBE) for n in ("alice", "bob"))
    blocked = domain.group("G Blocked", PROBE, alice)
    victim, sql = domain.user("g.victim", PROBE), domain.user("g.sql", PROBE)
    host = domain.computer("GHOST", PROBE, dNSHostName="ghost." + lab.domain)
    domain.set(host, msDS_AllowedToActOnBehalfOfOtherIdentity=ndr_pack(
        security.descriptor.from_sddl("O:BAD:(A;;GA;;;%s)" % domain.sid(bob), domain.sid_of_domain)))
    umlaut = domain.ou("B\u00fcro", PROBE)
    G = {n: domain.group("G " + n, PROBE) for n in ("plain", "denied", "through", "before", "set", "other", "everyone", "self")}

sid = {n: domain.sid(dn) for n, dn in (("alice", alice), ("bob", bob), ("blocked", blocked), ("host", host))}
domain.set(sql, servicePrincipalName=["MSSQLSvc/ghost.%s:1444" % lab.domain, "http/ghost"])
domain.add(G["plain"], member=bob)
A = sid["alice"]
STAGED = {  # ACEs in front; what alice's edges are: as told, really
    G["plain"]: ("(OA;;WP;%s;;%s)" % (MEMBER, A), {"AddMember"}, {"AddMember"}),
    G["denied"]: ("(OD;;WP;%s;;%s)(OA;;WP;%s;;%s)" % (MEMBER, A, MEMBER, A), {"AddMember"}, set()),
    G["through"]: ("(OD;;WP;%s;;%s)(OA;;WP;%s;;%s)" % (MEMBER, sid["blocked"], MEMBER, A), {"AddMember"}, set()),
    G["before"]: ("(OA;;WP;%s;;%s)(OD;;WP;%s;;%s)" % (MEMBER, A, MEMBER, A), {"AddMember"}, {"AddMember"}),
    G["set"]: ("(OA;;WP;%s;;%s)" % (MEMBERSHIP, A), set(), {"AddMember"}),
    G["other"]: ("(OD;;WP;%s;;%s)(A;;WPWO;;;%s)" % (DESCRIPTION, A, A), {"GenericWrite", "WriteOwner"}, {"AddMember", "WriteOwner"}),
    G["self"]: ("(OA;;SW;%s;;%s)" % (MEMBER, A), {"AddSelf"}, {"AddSelf"}),
    victim: ("(OD;;CR;%s;;%s)(A;;GA;;;%s)" % (RESET, A, A), {"GenericAll"}, {"WriteDacl", "WriteOwner", "GenericWrite"}),
    sql: ("(OA;;WP;%s;;%s)(OA;;CR;%s;;%s)" % (SPN, A, RESET, A), {"WriteSPN", "ForceChangePassword"}, {"WriteSPN", "ForceChangePassword"}),
    umlaut: ("(D;;WD;;;%s)(A;;WDWO;;;%s)" % (A, A), {"WriteDacl", "WriteOwner"}, {"WriteOwner"}),
}
for dn, (ace, _, _) in STAGED.items():
    domain.ace(dn, ace)
domain.ace(G["everyone"], "(OD;;WP;%s;;WD)" % MEMBER)
config = lab.config(work, extract_acls=True)
rollcall("sync", "corp", config=config, code=None)


def export(dialect, to, *args, code=5):
    """5: the reader of this lab may not read the permissions of one object."""
    return rollcall("export", "--connector", "corp", "--dialect", dialect, "--to", to, *args, config=config, code=code)


def archive(name, dialect, *args):
    path = os.path.join(work, name)
    export(dialect, path, *args)
    with zipfile.ZipFile(path) as z:
        assert z.testzip() is None
        return {i.filename: json.loads(z.read(i)) for i in z.infolist()}


def by_type(files, prefix="rollcall_"):
    return {t: files["%s%s.json" % (prefix, t)] for t in TYPES}


told = by_type(archive("told.zip", "bloodhound"))
held = by_type(archive("held.zip", "bloodhound", "--effective"), "rollcall_effective_")


def nodes(files):
    return {n["ObjectIdentifier"]: (t, n) for t in TYPES for n in files[t]["data"]}


def edges(files):
    return {i: collections.Counter((a["PrincipalSID"], a["RightName"]) for a in n["Aces"]) for i, (t, n) in nodes(files).items()}


def id_of(dn):
    """As the collectors: SID, else upper-case GUID."""
    raw = domain.get(dn, "objectSid")
    return domain.sid(dn) if raw else domain.guid(dn).upper()


@case("archive: one file a type, counts of the store, meta as version 6 wants it")
def _():
    for files, mark in ((told, "rollcall "), (held, " (effective)")):
        for t in TYPES:
            assert set(files[t]) == {"data", "meta"}, t
            meta = files[t]["meta"]
            assert (meta["type"], meta["version"], meta["count"]) == (t, 6, len(files[t]["data"])), meta
            assert isinstance(meta["methods"], int) and mark in meta["collectorversion"], meta
    for t in TYPES:
        kept = len(rollcall("entity", "list", "--connector", "corp", "--kind", KINDS[t], "--limit", "100000", "-o", "jsonl", config=config).lines())
        stored = [n for n in told[t]["data"] if "distinguishedname" in n["Properties"]]
        assert len(stored) == kept > 0, (t, len(stored), kept)
        assert len({n["ObjectIdentifier"] for n in told[t]["data"]}) == len(told[t]["data"]), t


SHAPES = {
    "": {"ObjectIdentifier": str, "Properties": dict, "Aces": list, "IsDeleted": bool, "IsACLProtected": bool, "ContainedBy": (dict, type(None))},
    "users": {"PrimaryGroupSID": str, "AllowedToDelegate": list, "HasSIDHistory": list, "SPNTargets": list, "UnconstrainedDelegation": bool, "DomainSID": str},
    "groups": {"Members": list},
    "computers": {"PrimaryGroupSID": str, "AllowedToDelegate": list, "AllowedToAct": list, "HasSIDHistory": list, "DumpSMSAPassword": list, "Sessions": dict,
                  "PrivilegedSessions": dict, "RegistrySessions": dict, "LocalGroups": list, "UserRights": list, "DCRegistryData": dict,
                  "Status": type(None), "IsDC": bool, "UnconstrainedDelegation": bool, "DomainSID": str},
    "ous": {"Links": list, "ChildObjects": list, "GPOChanges": dict, "InheritanceHashes": list},
    "containers": {"ChildObjects": list, "InheritanceHashes": list},
    "gpos": {},
    "domains": {"Links": list, "ChildObjects": list, "GPOChanges": dict, "InheritanceHashes": list, "Trusts": list, "ForestRootIdentifier": (str, type(None))},
}


@case("every field that the collectors write is there and of its type; nothing else is")
def _():
    for t in TYPES:
        shape = dict(SHAPES[""], **SHAPES[t])
        for n in told[t]["data"]:
            assert set(n) == set(shape), (t, set(n) ^ set(shape))
            for key, kind in shape.items():
                assert isinstance(n[key], kind), (t, key, n[key])
            for key, value in n["Properties"].items():
                assert key == key.lower() and isinstance(value, (str, int, bool, list)), (key, value)
            for key in ("name", "domain", "domainsid"):
                assert isinstance(n["Properties"][key], str), n
            for a in n["Aces"]:
                assert set(a) == {"PrincipalSID", "PrincipalType", "RightName", "IsInherited", "InheritanceHash"}, a
                assert bool(a["InheritanceHash"]) == a["IsInherited"], a
            refs = [n["ContainedBy"]] if n["ContainedBy"] else []
            for key in ("Members", "ChildObjects", "AllowedToAct", "AllowedToDelegate", "HasSIDHistory"):
                refs += n.get(key, [])
            assert all(set(r) == {"ObjectIdentifier", "ObjectType"} for r in refs), refs


@case("both ends of every edge are nodes")
def _():
    all_nodes = nodes(told)
    label = {"domains": "Domain", "ous": "OU", "containers": "Container", "gpos": "GPO", "computers": "Computer", "users": "User", "groups": "Group"}

    def there(i, kind):
        assert kind == "Base" or (i in all_nodes and label[all_nodes[i][0]] == kind), (i, kind, i in all_nodes)

    for t, n in all_nodes.values():
        for a in n["Aces"]:
            there(a["PrincipalSID"], a["PrincipalType"])
        for key in ("Members", "ChildObjects", "AllowedToAct", "AllowedToDelegate", "HasSIDHistory"):
            for r in n.get(key, []):
                there(r["ObjectIdentifier"], r["ObjectType"])
        for link in n.get("Links", []):
            there(link["GUID"], "GPO")
        if n["ContainedBy"]:
            there(n["ContainedBy"]["ObjectIdentifier"], n["ContainedBy"]["ObjectType"])
            parent = all_nodes[n["ContainedBy"]["ObjectIdentifier"]][1]
            assert n["ObjectIdentifier"] in {c["ObjectIdentifier"] for c in parent["ChildObjects"]}, n["ObjectIdentifier"]
        if "PrimaryGroupSID" in n:
            there(n["PrimaryGroupSID"], "Group")


@case("ids and names are those of the collectors")
def _():
    all_nodes, upper = nodes(told), lab.domain.upper()
    for dn, name in ((alice, "G.ALICE@" + upper), (PROBE, "GRAPH PROBE@" + upper), (umlaut, "B\u00dcRO@" + upper), (G["plain"], "G PLAIN@" + upper),
                     (host, "GHOST." + upper), (domain.base, upper)):
        p = all_nodes[id_of(dn)][1]["Properties"]
        assert p["name"] == name and p["domain"] == upper and p["distinguishedname"] == dn.upper(), p
        assert p["domainsid"] == str(domain.sid_of_domain), p
    assert upper + "-S-1-5-32-544" in all_nodes and upper + "-S-1-5-11" in all_nodes, sorted(all_nodes)
    assert all_nodes[upper + "-S-1-5-11"][1]["Properties"]["name"] == "AUTHENTICATED USERS@" + upper
    probe = all_nodes[id_of(PROBE)][1]
    assert probe["ContainedBy"] == {"ObjectIdentifier": str(domain.sid_of_domain), "ObjectType": "Domain"}, probe["ContainedBy"]
    assert {c["ObjectIdentifier"] for c in probe["ChildObjects"]} >= {sid["alice"], sid["host"], id_of(umlaut), id_of(G["plain"])}
    assert all_nodes[id_of(G["plain"])][1]["Members"] == [{"ObjectIdentifier": sid["bob"], "ObjectType": "User"}]
    assert all_nodes[id_of(sql)][1]["SPNTargets"] == [{"ComputerSID": sid["host"], "Port": 1444, "Service": "SQLAdmin"}]
    assert all_nodes[sid["host"]][1]["AllowedToAct"] == [{"ObjectIdentifier": sid["bob"], "ObjectType": "User"}]
    assert all_nodes[id_of(domain.base)][1]["Links"], "the default policy is linked to the domain"


# --- the same edges, made a second time from what the controller says -----------------------------------------

FLAGS = ((1, "CreateChild"), (2, "DeleteChild"), (4, "ListChildren"), (8, "Self"), (16, "ReadProperty"), (32, "WriteProperty"), (64, "DeleteTree"),
         (128, "ListObject"), (256, "ExtendedRight"), (0x10000, "Delete"), (0x20000, "ReadControl"), (0x20004, "GenericExecute"),
         (0x20028, "GenericWrite"), (0x20094, "GenericRead"), (0x40000, "WriteDacl"), (0x80000, "WriteOwner"), (0xf01ff, "GenericAll"),
         (0x100000, "Synchronize"), (0x1000000, "AccessSystemSecurity"))
IGNORED = {"S-1-3-0", "S-1-3-1", "S-1-5-10", "S-1-5-18", "S-1-5-19", "S-1-5-20", "S-1-0-0"}
GUIDS = {"domains": {"1131f6aa-9c07-11d1-f79f-00c04fc2dcd2": "GetChanges", "1131f6ad-9c07-11d1-f79f-00c04fc2dcd2": "GetChangesAll",
                     "89e95b76-444d-4c62-991a-0facbeda640c": "GetChangesInFilteredSet"}, "users": {RESET: "ForceChangePassword"}}
WRITES = {"users": {SPN: "WriteSPN", "5b47d60f-6090-40b2-9f37-2a4de88f3063": "AddKeyCredentialLink"}, "groups": {MEMBER: "AddMember"},
          "computers": {"5b47d60f-6090-40b2-9f37-2a4de88f3063": "AddKeyCredentialLink", "3f78c3e5-f79a-46bd-a0b8-9d18116ddc79": "AddAllowedToAct",
                        "4c164200-20c0-11d0-a768-00aa006e0529": "WriteAccountRestrictions"},
          "ous": {"f30e3bbe-9ff0-11d1-b603-0000f80367c1": "WriteGPLink"}, "domains": {"f30e3bbe-9ff0-11d1-b603-0000f80367c1": "WriteGPLink"}}


def net_hash(ace, object_type, inherited_type):
    left, names = ace.access_mask, []
    for value, name in reversed(FLAGS):
        if left & value == value:
            left -= value
            names.insert(0, name)
    text = str(ace.trustee) + (", ".join(names) if not left else str(ace.access_mask)) + object_type + inherited_type
    return hashlib.sha1(text.encode()).hexdigest().upper()


def parts_of(ace):
    zero = "0" * 8 + "-0000-0000-0000-" + "0" * 12
    if ace.type not in (security.SEC_ACE_TYPE_ACCESS_ALLOWED_OBJECT, security.SEC_ACE_TYPE_ACCESS_DENIED_OBJECT):
        return zero, zero
    o = ace.object
    return (str(o.type) if o.flags & 1 else zero), (str(o.inherited_type) if o.flags & 2 else zero)


def rights_of(t, ace, kind):
    untyped, mask = kind.startswith("00000000-0000"), ace.access_mask
    if mask & 0xf01ff == 0xf01ff:
        return ["GenericAll"] if untyped else []
    out = [name for bit, name in ((0x40000, "WriteDacl"), (0x80000, "WriteOwner")) if mask & bit]
    if mask & 8 and not mask & 32 and t == "groups" and kind == MEMBER:
        out.append("AddSelf")
    if mask & 0x100:
        out += ["AllExtendedRights"] if untyped and t in ("users", "domains") else [GUIDS[t][kind]] if kind in GUIDS.get(t, {}) else []
    if mask & 32:
        out += ["GenericWrite"] if untyped and t != "containers" else [WRITES[t][kind]] if kind in WRITES.get(t, {}) else []
    return out


def read_descriptors():
    """What the controller says of every node: id -> DN, descriptor."""
    out = {}
    with domain.prepare():  # in its own database, where no limit of answers is in the way
        found = domain.db.search(domain.base, attrs=["nTSecurityDescriptor", "objectSid", "objectGUID"], controls=["sd_flags:1:7"])
    for entry in found:
        key = "objectSid" if entry.get("objectSid") else "objectGUID"
        if not entry.get(key) or not entry.get("nTSecurityDescriptor"):
            continue
        i = domain.db.schema_format_value(key, entry[key][0]).decode().upper()
        i = lab.domain.upper() + "-" + i if i.startswith("S-1-5-32-") else i
        if i in nodes_told:
            out[i] = (str(entry.dn), ndr_unpack(security.descriptor, entry["nTSecurityDescriptor"][0]))
    return out


nodes_told = nodes(told)
descriptors = read_descriptors()


def expected(t, sd):
    prefix = lab.domain.upper() + "-"

    def name(s):
        return s if s.startswith("S-1-5-21-") else prefix + s

    out = [(name(str(sd.owner_sid)), "Owns", False, "")] if str(sd.owner_sid) not in IGNORED else []
    for ace in sd.dacl.aces:
        if ace.type not in (0, 5) or ace.flags & 8 or str(ace.trustee) in IGNORED:
            continue
        kind, inherited_kind = parts_of(ace)
        inherited = bool(ace.flags & 16)
        code = net_hash(ace, kind, inherited_kind) if inherited else ""
        out += [(name(str(ace.trustee)), r, inherited, code) for r in rights_of(t, ace, kind)]
    return out


@case("the edges of every object are those that a collector makes of what the controller says; hashes, too")
def _():
    n, unread = 0, []
    for i, (dn, sd) in descriptors.items():
        t, node = nodes_told[i]
        if "isaclprotected" not in node["Properties"]:
            unread.append(dn)
            continue
        want = sorted(expected(t, sd))
        got = sorted((a["PrincipalSID"], a["RightName"], a["IsInherited"], a["InheritanceHash"]) for a in node["Aces"]
                     if a["RightName"] != "ReadGMSAPassword")
        assert got == want, (dn, [x for x in got if x not in want], [x for x in want if x not in got])
        n += 1
    assert n > 100 and len(unread) == 1, (n, unread)
    readers = {node["Properties"]["samaccountname"] for t, node in nodes_told.values() for a in node["Aces"] if a["RightName"] == "ReadGMSAPassword"}
    assert readers and all(name.startswith("gmsa") for name in readers), readers


@case("what is inherited is found by its hash among what an ancestor hands down")
def _():
    all_nodes, seen = nodes(told), 0
    for t, n in all_nodes.values():
        hashes, at = set(), n
        while at["ContainedBy"]:
            at = all_nodes[at["ContainedBy"]["ObjectIdentifier"]][1]
            hashes |= set(at["InheritanceHashes"])
        if not n["ContainedBy"] or at["ObjectIdentifier"] != str(domain.sid_of_domain):
            continue
        for a in n["Aces"]:
            seen += a["IsInherited"]
            assert not a["IsInherited"] or a["InheritanceHash"] in hashes, (n["Properties"]["name"], a)
    assert seen > 100, seen


@case("--effective differs exactly where a deny or a property set says so")
def _():
    a, b = edges(told), edges(held)
    assert set(a) == set(b)
    staged = {id_of(dn): row for dn, row in STAGED.items()}
    everyone = id_of(G["everyone"])
    for i, (_, as_told, really) in staged.items():
        assert {r for (p, r) in a[i] if p == A} == as_told, (i, a[i])
        assert {r for (p, r) in b[i] if p == A} == really, (i, b[i], really)
    speaking = {i for i, (_, sd) in descriptors.items() if any(
        ace.type in (1, 6) or str(ace.trustee) == "S-1-3-4" or parts_of(ace)[0] == MEMBERSHIP for ace in sd.dacl.aces if not ace.flags & 8)}
    differing = {i for i in a if a[i] != b[i]}
    assert differing <= speaking, [descriptors[i][0] for i in differing - speaking]
    for i in staged:  # only alice is spoken of, so nobody else has more or less
        assert {k: v for k, v in a[i].items() if k[0] != A} == {k: v for k, v in b[i].items() if k[0] != A}, i
    parts = {"GenericAll": {"WriteDacl", "WriteOwner", "GenericWrite", "AllExtendedRights", "AddMember", "AddSelf", "ForceChangePassword", "WriteSPN",
                            "AddKeyCredentialLink"}, "AllExtendedRights": {"ForceChangePassword"}, "GenericWrite": {"AddMember", "AddSelf", "WriteSPN"}}
    for i in differing:  # what is new is a part of what is gone, or comes by a property set, or by all validated writes
        for who, right in b[i] - a[i]:
            gone = {r for p, r in a[i] - b[i] if p == who}
            assert any(right in parts.get(r, ()) for r in gone) or right in ("AddMember", "AddSelf"), (descriptors[i][0], who, right, gone)
    of_lab = {ldb.Dn(domain.db, descriptors[i][0]).get_rdn_value() for i in differing - set(staged) - {everyone}}
    assert {"u.cantchange", "Owner Rights"} <= of_lab and len(of_lab) < 20, of_lab
    cannot = b[domain.sid("CN=u.cantchange,OU=Special," + domain.base)]
    assert (str(domain.sid_of_domain) + "-512", "ForceChangePassword") in cannot and "GenericAll" not in {r for _, r in cannot}, cannot
    owned = b[id_of("CN=Owner Rights,OU=Special," + domain.base)]
    assert "Owns" not in {r for _, r in owned}, owned
    assert ("GenericAll" in {r for _, r in a[everyone]}) and not {"GenericAll", "GenericWrite", "AddMember"} & {r for _, r in b[everyone]}, b[everyone]
    assert "WriteDacl" in {r for _, r in b[everyone]}, "what is left of full control is told"


@case("a directory in place of an archive, the same bytes every time")
def _():
    for name in ("one.zip", "two.zip"):
        export("bloodhound", os.path.join(work, name))
    with open(os.path.join(work, "one.zip"), "rb") as x, open(os.path.join(work, "two.zip"), "rb") as y:
        assert x.read() == y.read()
    export("bloodhound", os.path.join(work, "set"))
    with open(os.path.join(work, "set", "manifest.json")) as f:
        names = {row["name"] for row in json.load(f)["files"]}
    with zipfile.ZipFile(os.path.join(work, "one.zip")) as z:
        assert set(z.namelist()) == names, names
        for name in names:
            with open(os.path.join(work, "set", name), "rb") as f:
                assert f.read() == z.read(name), name
    left = [n for n in os.listdir(work) if n.endswith(".tmp")]
    assert not left, left


@case("OpenGraph: ids, kinds and properties that its schema allows; the same edges; both ends exist")
def _():
    for effective in (False, True):
        graph = archive("open.zip", "opengraph", *(["--effective"] if effective else []))["opengraph.json"]
        assert graph["metadata"] == {"source_kind": "Rollcall"}, graph["metadata"]
        ids = {n["id"] for n in graph["graph"]["nodes"]}
        assert len(ids) == len(graph["graph"]["nodes"]) and set(nodes(told)) <= ids, set(nodes(told)) - ids
        for n in graph["graph"]["nodes"]:
            assert set(n) == {"id", "kinds", "properties"} and 1 <= len(n["kinds"]) <= 3, n
            for key, value in n["properties"].items():
                assert key == key.lower() and key != "objectid", key
                assert isinstance(value, (str, int, bool)) or (isinstance(value, list) and all(isinstance(v, str) for v in value)), (key, value)
        rights = collections.Counter()
        for e in graph["graph"]["edges"]:
            assert re.fullmatch("[A-Za-z0-9_]+", e["kind"]) and set(e) == {"start", "end", "kind", "properties"}, e
            for end in (e["start"], e["end"]):
                assert end["match_by"] == "id" and end["value"] in ids, e
            if e["properties"].get("isacl"):
                kind = e["kind"][len("Rollcall_"):] if effective else e["kind"]
                assert e["kind"].startswith("Rollcall_") == effective, e
                rights[(e["end"]["value"], e["start"]["value"], kind)] += 1
        want = collections.Counter({(i, p, r): k for i, x in edges(held if effective else told).items() for (p, r), k in x.items()})
        assert rights == want, (rights - want, want - rights)
        contains = {(e["start"]["value"], e["end"]["value"]) for e in graph["graph"]["edges"] if e["kind"] == "Contains"}
        assert (id_of(PROBE), sid["alice"]) in contains
        primary = {(e["start"]["value"], e["end"]["value"]) for e in graph["graph"]["edges"] if e["kind"] == "MemberOf" and e["properties"]["isprimarygroup"]}
        assert (sid["alice"], str(domain.sid_of_domain) + "-513") in primary


@case("refused: options of other dialects, another connector, a place that cannot be written")
def _():
    assert "--effective" in export("csv", os.path.join(work, "x"), "--effective", code=2).err
    assert "--kind" in export("bloodhound", os.path.join(work, "x.zip"), "--kind", "user", code=2).err
    assert not os.path.exists(os.path.join(work, "x.zip"))
    r = rollcall("export", "--connector", "none", "--dialect", "opengraph", "--to", os.path.join(work, "y.zip"), config=config, code=None)
    assert r.code and "none" in r.err, r
    r = export("bloodhound", os.path.join(work, "no", "such", "place.zip"), code=None)
    assert r.code and "place.zip" in r.err, r


if __name__ == "__main__":
    main()
