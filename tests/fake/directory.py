"""directory - the small, deterministic Active Directory domain that the fake controller serves.

One domain, DC=fake,DC=example. The same arguments give the same objects, GUIDs, SIDs and USNs on every run, so that a
test can compute what it should see. Nothing here knows about LDAP messages.
"""

import datetime
import hashlib
import struct
import uuid

DOMAIN_DN = "DC=fake,DC=example"
CONFIG_DN = "CN=Configuration," + DOMAIN_DN
SCHEMA_DN = "CN=Schema," + CONFIG_DN
DNS_NAME = "fake.example"
NETBIOS = "FAKE"
DOMAIN_SUBS = (21, 1004336348, 1177238915, 682003330)
COLLECTOR = "svc-collector"
EPOCH = datetime.datetime(2024, 5, 1, 8, 0, 0, tzinfo=datetime.timezone.utc)
NEVER = 0x7FFFFFFFFFFFFFFF
FIRST_USN = 12000

FIRST = ("Alice", "Bruno", "Chloé", "Dimitri", "Élodie", "Fatima", "Günter", "Hana", "Ivan", "Jürgen", "Kōji", "Lena",
         "Marta", "Nils", "Olga", "Pavel", "Łukasz", "Rania", "Søren", "Théo", "王", "Ωmega", "Ysé", "علي")
LAST = ("Martin", "Dupont", "O'Neil", "Müller", "García", "Rossi", "Ivanov", "Nguyễn", "Smith", "Østergård", "Kovács",
        "Silva", "Haddad", "Yılmaz", "Tanaka", "李", "van der Berg", "Çelik", "Jones")
SITES = (("Paris", "FR", 250, "Île-de-France"), ("Lyon", "FR", 250, "Rhône"), ("Köln", "DE", 276, "NRW"),
         ("Madrid", "ES", 724, "Madrid"), ("Boston", "US", 840, "MA"))
DEPARTMENTS = ("Finance", "Human Resources", "IT Operations", "Research", "Sales")

INTEGERS = {n.lower() for n in (
    "userAccountControl", "groupType", "primaryGroupID", "uSNChanged", "uSNCreated", "sAMAccountType", "logonCount",
    "badPwdCount", "adminCount", "instanceType", "accountExpires", "pwdLastSet", "lastLogon", "lastLogonTimestamp",
    "badPasswordTime", "lockoutTime", "countryCode", "codePage", "systemFlags", "msDS-PasswordSettingsPrecedence",
    "highestCommittedUSN", "msDS-User-Account-Control-Computed", "searchFlags")}
BINARY = {n.lower() for n in ("objectGUID", "objectSid", "sIDHistory", "schemaIDGUID", "attributeSecurityGUID",
                              "nTSecurityDescriptor", "invocationId", "tokenGroups")}
DNS = {n.lower() for n in ("distinguishedName", "member", "memberOf", "manager", "directReports", "managedBy",
                           "objectCategory", "lastKnownParent", "msDS-PSOAppliesTo", "nCName")}
CONSTRUCTED = ("canonicalName", "msDS-PrincipalName", "tokenGroups", "msDS-User-Account-Control-Computed",
               "msDS-UserPasswordExpiryTimeComputed")
CATEGORY_OF = {"user": "Person", "person": "Person", "organizationalperson": "Person", "inetorgperson": "Person",
               "contact": "Person", "computer": "Computer", "group": "Group", "organizationalunit": "Organizational-Unit",
               "container": "Container", "domaindns": "Domain-DNS", "foreignsecurityprincipal": "Foreign-Security-Principal",
               "attributeschema": "Attribute-Schema", "classschema": "Class-Schema", "crossref": "Cross-Ref",
               "controlaccessright": "Control-Access-Right", "msds-groupmanagedserviceaccount":
               "ms-DS-Group-Managed-Service-Account", "msds-passwordsettings": "ms-DS-Password-Settings"}
CLASSES = {
    "user": ("top", "person", "organizationalPerson", "user"),
    "computer": ("top", "person", "organizationalPerson", "user", "computer"),
    "msDS-GroupManagedServiceAccount": ("top", "person", "organizationalPerson", "user", "computer",
                                        "msDS-GroupManagedServiceAccount"),
    "contact": ("top", "person", "organizationalPerson", "contact"),
    "domainDNS": ("top", "domain", "domainDNS"),
}


# --- values -----------------------------------------------------------------------------------------------------

def sid(*subs, authority=5):
    return struct.pack("BB", 1, len(subs)) + authority.to_bytes(6, "big") + b"".join(struct.pack("<I", s) for s in subs)


def domain_sid(rid):
    return sid(*DOMAIN_SUBS, rid)


def guid(key):
    return hashlib.sha256(b"guid:" + key.encode()).digest()[:16]


def gtime(when):
    return when.strftime("%Y%m%d%H%M%S.0Z")


def filetime(when):
    return int((when - datetime.datetime(1601, 1, 1, tzinfo=datetime.timezone.utc)).total_seconds()) * 10000000


def escape_rdn(text):
    """RFC 4514 2.4."""
    out = "".join("\\" + c if c in ',+"\\<>;=' else c for c in text)
    if out[:1] in ("#", " "):
        out = "\\" + out
    return out[:-1] + "\\ " if out.endswith(" ") else out


def split_dn(dn):
    """RDNs of a DN, cut at commas that no backslash protects."""
    parts, start, i = [], 0, 0
    while i < len(dn):
        if dn[i] == "\\":
            i += 2
            continue
        if dn[i] == ",":
            parts.append(dn[start:i])
            start = i + 1
        i += 1
    parts.append(dn[start:])
    return parts if dn else []


def norm_dn(dn):
    return ",".join(p.strip().casefold() for p in split_dn(dn))


def parent_dn(dn):
    return ",".join(split_dn(dn)[1:])


# --- security descriptors, MS-DTYP 2.4.6 ------------------------------------------------------------------------

SYSTEM, SELF, EVERYONE, AUTHENTICATED = sid(18), sid(10), sid(0, authority=1), sid(11)
ADMINS, ACCOUNT_OPS = sid(32, 544), sid(32, 548)
DOMAIN_ADMINS, ENTERPRISE_ADMINS = domain_sid(512), domain_sid(519)
FULL, READ = 0x000F01FF, 0x00020094
RESET_PASSWORD = uuid.UUID("00299570-246d-11d0-a768-00aa006e0529").bytes_le
PERSONAL_INFO = uuid.UUID("77b5b886-944a-11d1-aebd-0000f80367c1").bytes_le
MEMBER_ATTR = uuid.UUID("bf9679c0-0de6-11d0-a285-00aa003049e2").bytes_le
CLASS_USER = uuid.UUID("bf967aba-0de6-11d0-a285-00aa003049e2").bytes_le
CLASS_GROUP = uuid.UUID("bf967a9c-0de6-11d0-a285-00aa003049e2").bytes_le


def ace(kind, mask, who, object_type=None, inherited_type=None, flags=0):
    body = struct.pack("<I", mask)
    if kind in (5, 6, 11, 12):
        body += struct.pack("<I", (1 if object_type else 0) | (2 if inherited_type else 0))
        body += (object_type or b"") + (inherited_type or b"")
    body += who
    return struct.pack("<BBH", kind, flags, 4 + len(body)) + body


def acl(aces, revision=4):
    body = b"".join(aces)
    return struct.pack("<BBHHH", revision, 0, 8 + len(body), len(aces), 0) + body


def descriptor(owner=None, group=None, dacl=None, sacl=None, control=0x8C04):
    """Self-relative: the header, then SACL, DACL, owner and group, as a domain controller lays them out."""
    where, body = {}, b""
    for name, part in (("sacl", sacl), ("dacl", dacl), ("owner", owner), ("group", group)):
        where[name] = 20 + len(body) if part else 0
        body += part or b""
    control = (control | 0x8000) & ~0x14 | (0x04 if dacl else 0) | (0x10 if sacl else 0)
    return struct.pack("<BBHIIII", 1, 0, control, where["owner"], where["group"], where["sacl"], where["dacl"]) + body


def template_aces(number):
    base = [ace(0, FULL, DOMAIN_ADMINS), ace(0, FULL, SYSTEM), ace(0, READ, AUTHENTICATED),
            ace(5, 0x30, SELF, PERSONAL_INFO), ace(0, FULL, ENTERPRISE_ADMINS, flags=0x12)]
    extra = (
        [ace(0, FULL, ACCOUNT_OPS)],
        [ace(6, 0x100, EVERYONE, RESET_PASSWORD), ace(0, FULL, ACCOUNT_OPS)],
        [ace(5, 0x100, domain_sid(1500), RESET_PASSWORD, CLASS_USER, flags=0x1A)],
        [ace(5, 0x20, domain_sid(1501), MEMBER_ATTR, CLASS_GROUP, flags=0x12), ace(1, 0x10000, EVERYONE)],
        [ace(0, 0x00040000, domain_sid(1502)), ace(0, 0x00080000, domain_sid(1503), flags=0x0A)],
    )[number % 5]
    return ([x for x in extra if x[0] in (1, 6)] + base + [x for x in extra if x[0] not in (1, 6)])


def build_sd(number, flags=7):
    """Only the parts that SD_FLAGS names; the SACL never, as for an account without that privilege."""
    owner = domain_sid(1504) if number % 5 == 4 else DOMAIN_ADMINS
    return descriptor(owner if flags & 1 else None, DOMAIN_ADMINS if flags & 2 else None,
                      acl(template_aces(number)) if flags & 4 else None)


# --- entries ----------------------------------------------------------------------------------------------------

class Entry:
    """dn, attrs {canonical name: [bytes]}, sd template, and two flags of visibility."""

    __slots__ = ("dn", "norm", "attrs", "low", "sd", "deleted", "admin_only")

    def __init__(self, dn, attrs, sd=0, deleted=False, admin_only=False):
        self.dn, self.norm, self.sd, self.deleted, self.admin_only = dn, norm_dn(dn), sd, deleted, admin_only
        self.attrs = {}
        self.low = {}
        for name, values in attrs.items():
            self.set(name, values)

    def set(self, name, values):
        if not isinstance(values, (list, tuple)):
            values = [values]
        values = [v if isinstance(v, bytes) else str(v).encode() for v in values]
        name = self.low.setdefault(name.lower(), name)
        if values:
            self.attrs[name] = values
        else:
            self.attrs.pop(name, None)
            del self.low[name.lower()]

    def get(self, name):
        name = self.low.get(name.lower())
        return self.attrs[name] if name else []

    def text(self, name, default=""):
        values = self.get(name)
        return values[0].decode("utf-8", "replace") if values else default

    def add(self, name, value):
        self.set(name, list(self.get(name)) + [value if isinstance(value, bytes) else str(value).encode()])


class Directory:
    def __init__(self, users=20, groups=8, computers=3, changed=0, deleted=2, dc="dc1"):
        self.dc, self.entries, self.by_norm, self.by_sam, self.usn = dc, [], {}, {}, FIRST_USN
        self.n_users, self.n_groups = users, groups
        self._frame()
        self._builtin()
        self._users(users)
        self._groups(users, groups)
        self._others(computers)
        self._deleted(deleted)
        self._configuration()
        self._back_links()
        self._change(users, changed)

    # -- construction

    def _put(self, dn, class_name, attrs, sd=0, rid=None, sid_bytes=None, key=None, **flags):
        self.usn += 1
        rdn = split_dn(dn)[0].partition("=")[2]
        name = rdn.replace("\\0A", "\n").replace("\\", "")
        full = {"objectClass": CLASSES.get(class_name, ("top", class_name)), "distinguishedName": dn, "name": name,
                "objectGUID": guid(key or dn), "instanceType": 4,
                "whenCreated": gtime(EPOCH - datetime.timedelta(days=400)), "whenChanged": gtime(EPOCH),
                "uSNCreated": self.usn, "uSNChanged": self.usn,
                "objectCategory": "CN=%s,%s" % (CATEGORY_OF.get(class_name.lower(), class_name), SCHEMA_DN)}
        if dn.upper().startswith("CN="):
            full["cn"] = name
        if dn.upper().startswith("OU="):
            full["ou"] = name
        if rid is not None:
            full["objectSid"] = domain_sid(rid)
        if sid_bytes is not None:
            full["objectSid"] = sid_bytes
        full.update(attrs)
        entry = Entry(dn, {k: v for k, v in full.items() if v is not None and v != []}, sd, **flags)
        self.entries.append(entry)
        self.by_norm[entry.norm] = entry
        if entry.low.get("samaccountname"):
            self.by_sam[entry.text("sAMAccountName").casefold()] = entry
        return entry

    def _frame(self):
        self._put(DOMAIN_DN, "domainDNS", {
            "dc": "fake", "objectSid": sid(*DOMAIN_SUBS), "maxPwdAge": -36288000000000, "minPwdAge": -864000000000,
            "minPwdLength": 12, "pwdHistoryLength": 24, "pwdProperties": 1, "lockoutThreshold": 5,
            "lockoutDuration": -18000000000, "lockOutObservationWindow": -18000000000, "forceLogoff": -NEVER - 1,
            "ms-DS-MachineAccountQuota": 10, "msDS-Behavior-Version": 7, "nTMixedDomain": 0, "systemFlags": -1946157056,
            "fSMORoleOwner": self._settings_dn("dc1"), "isCriticalSystemObject": "TRUE",
            "gPLink": "[LDAP://CN={31B2F340-016D-11D2-945F-00C04FB984F9},CN=Policies,CN=System,%s;0]" % DOMAIN_DN,
        }, sd=3)
        for name in ("Users", "Computers", "System", "ForeignSecurityPrincipals", "Deleted Objects",
                     "Managed Service Accounts"):
            self._put("CN=%s,%s" % (name, DOMAIN_DN), "container", {"showInAdvancedViewOnly": "TRUE"})
        self._put("CN=Builtin," + DOMAIN_DN, "builtinDomain", {})
        self._put("CN=Password Settings Container,CN=System," + DOMAIN_DN, "msDS-PasswordSettingsContainer", {})
        self._put("CN=AdminSDHolder,CN=System," + DOMAIN_DN, "container", {}, sd=1)
        for name in ("Domain Controllers", "People", "Groups", "Servers"):
            self._put("OU=%s,%s" % (name, DOMAIN_DN), "organizationalUnit", {"description": name}, sd=2)
        for i, site in enumerate(SITES):
            self._put("OU=%s,OU=People,%s" % (site[0], DOMAIN_DN), "organizationalUnit", {"l": site[0]}, sd=i)

    def _group(self, dn, sam, rid, kind, members=(), sid_bytes=None, **attrs):
        sam_type = {0x80000002: 268435456, 0x80000008: 268435456, 0x80000004: 536870912, 0x80000005: 536870912}
        return self._put(dn, "group", dict({
            "sAMAccountName": sam, "groupType": kind - (1 << 32) if kind & 0x80000000 else kind,
            "sAMAccountType": sam_type.get(kind, 268435457), "member": list(members)}, **attrs),
            sd=1, rid=rid, sid_bytes=sid_bytes)

    def _user(self, dn, sam, rid, uac=512, sd=0, class_name="user", **attrs):
        base = {"sAMAccountName": sam, "userAccountControl": uac, "primaryGroupID": 513, "sAMAccountType": 805306368,
                "codePage": 0, "countryCode": 0, "badPwdCount": 0, "badPasswordTime": 0, "logonCount": 0, "lastLogon": 0,
                "pwdLastSet": filetime(EPOCH - datetime.timedelta(days=30)), "accountExpires": NEVER}
        base.update(attrs)
        return self._put(dn, class_name, base, sd=sd, rid=rid)

    def _builtin(self):
        users, builtin = "CN=%s,CN=Users," + DOMAIN_DN, "CN=%s,CN=Builtin," + DOMAIN_DN
        self._user(users % "Administrator", "Administrator", 500, 66048, sd=1, adminCount=1)
        self._user(users % "Guest", "Guest", 501, 66082, primaryGroupID=514)
        self._user(users % "krbtgt", "krbtgt", 502, 514, sd=1, adminCount=1)
        self._user(users % COLLECTOR, COLLECTOR, 1103, 66048, userPrincipalName="%s@%s" % (COLLECTOR, DNS_NAME))
        admin, first = users % "Administrator", self._user_dn(1) if self.n_users else None
        for name, rid, members in (("Domain Admins", 512, [admin] + ([first] if first else [])), ("Domain Users", 513, []),
                                   ("Domain Guests", 514, []), ("Domain Computers", 515, []),
                                   ("Domain Controllers", 516, []), ("Schema Admins", 518, [admin]),
                                   ("Enterprise Admins", 519, [admin])):
            self._group(users % name, name, rid, 0x80000008 if rid in (518, 519) else 0x80000002, members,
                        adminCount=1 if rid in (512, 518, 519) else None, isCriticalSystemObject="TRUE")
        for name, rid, members in (
                ("Administrators", 544, [admin, users % "Domain Admins", users % "Enterprise Admins"]),
                ("Users", 545, [users % "Domain Users", "CN=S-1-5-11,CN=ForeignSecurityPrincipals," + DOMAIN_DN]),
                ("Guests", 546, [users % "Guest", users % "Domain Guests"]), ("Account Operators", 548, []),
                ("Backup Operators", 551, [])):
            self._group(builtin % name, name, None, 0x80000005, members, sid_bytes=sid(32, rid))

    def user_name(self, i):
        """(given, surname, common name) of user i."""
        given, last = FIRST[i % len(FIRST)], LAST[(i * 7) % len(LAST)]
        form = ("%s %s %05d", "%s, %s %05d", "%s %s #%05d")[(i % 10 == 7) + 2 * (i % 10 == 9)]
        pair = (last, given) if i % 10 == 7 else (given, last)
        return given, last, form % (pair + (i,))

    def _user_dn(self, i):
        return "CN=%s,OU=%s,OU=People,%s" % (escape_rdn(self.user_name(i)[2]), SITES[i % 5][0], DOMAIN_DN)

    def _users(self, count):
        for i in range(1, count + 1):
            given, last, cn = self.user_name(i)
            site, sam = SITES[i % 5], "user%05d" % i
            day = EPOCH - datetime.timedelta(days=i % 90, seconds=i)
            uac = 514 if i % 10 == 3 else 66048 if i % 10 == 5 else 4194816 if i % 29 == 8 else 512
            self._user(self._user_dn(i), sam, 2000 + i, uac, sd=i % 5, **{
                "givenName": given, "sn": last, "displayName": "%s %s" % (given, last),
                "userPrincipalName": "%s@%s" % (sam, DNS_NAME), "mail": "%s@mail.%s" % (sam, DNS_NAME),
                "proxyAddresses": ["SMTP:%s@mail.%s" % (sam, DNS_NAME), "smtp:%d@%s" % (i, DNS_NAME)],
                "department": DEPARTMENTS[i % 5], "title": "Analyst %d" % (i % 7), "company": "Fake Example",
                "physicalDeliveryOfficeName": "Room %d" % (i % 300), "telephoneNumber": "+33 1 00 %05d" % i,
                "l": site[0], "c": site[1], "countryCode": site[2], "st": site[3], "postalCode": "%05d" % (75000 + i % 999),
                "streetAddress": "%d rue de l'Exemple" % i, "description": "Synthetic person %d" % i,
                "employeeID": "E%06d" % i, "manager": self._user_dn(max(1, i // 4)) if i > 1 else None,
                "primaryGroupID": 513 if i % 12 else 514, "pwdLastSet": 0 if i % 23 == 11 else filetime(day),
                "lastLogon": filetime(day) if i % 4 else 0,
                "lastLogonTimestamp": filetime(day - datetime.timedelta(days=3)) if i % 6 else None,
                "logonCount": i * 3 % 500, "badPwdCount": i % 3, "badPasswordTime": filetime(day) if i % 3 else 0,
                "lockoutTime": filetime(EPOCH) if i % 17 == 16 else None,
                "accountExpires": filetime(day) if i % 19 == 18 else (NEVER if i % 2 else 0),
                "sIDHistory": [sid(21, 111, 222, 333, 9000 + i)] if i % 31 == 4 else None})

    def _groups(self, users, groups):
        dn = "CN=%s,OU=Groups," + DOMAIN_DN
        kinds = (0x80000002, 0x80000004, 0x80000008, 0x00000002)
        members = {g: [] for g in range(1, groups + 1)}
        for i in range(1, users + 1):
            for g in sorted({(i - 1) % groups, i * 7 % groups, (i * 13 + 5) % groups} if groups else ()):
                members[g + 1].append(self._user_dn(i))
        for g in range(2, groups + 1):
            members[g // 2].append(dn % ("group%04d" % g))
        if groups:
            members[1].append("CN=S-1-5-21-9-9-9-1105,CN=ForeignSecurityPrincipals," + DOMAIN_DN)
        for g in range(1, groups + 1):
            name = "group%04d" % g
            self._group(dn % name, name, 100000 + g, kinds[g % 4], members[g], description="Synthetic group %d" % g,
                        managedBy=self._user_dn(1 + g % users) if users else None)
        ring = ["Ring A", "Ring B", "Ring C"]
        for i, name in enumerate(ring):
            self._group(dn % name, name, 100000 - 10 + i, 0x80000008, [dn % ring[(i + 1) % 3]])
        self._group(dn % "All Staff", "All Staff", 99980, 0x80000008, [self._user_dn(i) for i in range(1, users + 1)])
        self._group(dn % "Empty", "Empty", 99981, 0x80000002)

    def _others(self, computers):
        for name in (self.dc.upper(),):
            self._user("CN=%s,OU=Domain Controllers,%s" % (name, DOMAIN_DN), name + "$", 1000, 532480, class_name="computer",
                       sAMAccountType=805306369, primaryGroupID=516, dNSHostName="%s.%s" % (self.dc, DNS_NAME),
                       operatingSystem="Windows Server 2022 Standard")
        for i in range(1, computers + 1):
            self._user("CN=SRV%03d,OU=Servers,%s" % (i, DOMAIN_DN), "SRV%03d$" % i, 50000 + i, 4096, class_name="computer",
                       sAMAccountType=805306369, primaryGroupID=515, dNSHostName="srv%03d.%s" % (i, DNS_NAME),
                       servicePrincipalName=["HOST/srv%03d" % i, "HOST/srv%03d.%s" % (i, DNS_NAME)])
        self._user("CN=gmsa1,CN=Managed Service Accounts," + DOMAIN_DN, "gmsa1$", 60001, 4096, primaryGroupID=515,
                   class_name="msDS-GroupManagedServiceAccount", sAMAccountType=805306369)
        for text, value in (("S-1-5-11", AUTHENTICATED), ("S-1-5-21-9-9-9-1105", sid(21, 9, 9, 9, 1105))):
            self._put("CN=%s,CN=ForeignSecurityPrincipals,%s" % (text, DOMAIN_DN), "foreignSecurityPrincipal", {},
                      sid_bytes=value)
        self._put("CN=Outside Contact,OU=People," + DOMAIN_DN, "contact", {"mail": "contact@elsewhere.example"})
        self._put("CN=Strict,CN=Password Settings Container,CN=System," + DOMAIN_DN, "msDS-PasswordSettings", {
            "msDS-PasswordSettingsPrecedence": 10, "msDS-MaximumPasswordAge": -25920000000000,
            "msDS-PSOAppliesTo": ["CN=Domain Admins,CN=Users," + DOMAIN_DN]}, admin_only=True)

    def _deleted(self, count):
        for i in range(1, count + 1):
            key = "deleted%d" % i
            text = str(uuid.UUID(bytes_le=guid(key)))
            self._put("CN=Gone %d\\0ADEL:%s,CN=Deleted Objects,%s" % (i, text, DOMAIN_DN), "user", {
                "isDeleted": "TRUE", "isRecycled": "TRUE", "lastKnownParent": "OU=Paris,OU=People," + DOMAIN_DN,
                "sAMAccountName": "gone%05d" % i, "userAccountControl": 512, "objectCategory": None,
            }, rid=70000 + i, key=key, deleted=True)

    def _settings_dn(self, dc):
        return "CN=NTDS Settings,CN=%s,CN=Servers,CN=Default-First-Site-Name,CN=Sites,%s" % (dc.upper(), CONFIG_DN)

    def _configuration(self):
        for dn in (CONFIG_DN, SCHEMA_DN, "CN=Partitions," + CONFIG_DN, "CN=Extended-Rights," + CONFIG_DN,
                   "CN=Sites," + CONFIG_DN):
            self._put(dn, "configuration" if dn == CONFIG_DN else "dMD" if dn == SCHEMA_DN else "container", {})
        self._put("CN=%s,CN=Partitions,%s" % (NETBIOS, CONFIG_DN), "crossRef", {
            "nCName": DOMAIN_DN, "dnsRoot": DNS_NAME, "nETBIOSName": NETBIOS, "systemFlags": 3})
        self._put(self._settings_dn(self.dc), "nTDSDSA", {"invocationId": guid("invocation:" + self.dc), "options": 1},
                  key="dsa:" + self.dc)
        for name, text, applies in (
                ("Reset Password", "00299570-246d-11d0-a768-00aa006e0529", CLASS_USER),
                ("Change Password", "ab721a53-1e2f-11d0-9819-00aa0040529b", CLASS_USER),
                ("DS-Replication-Get-Changes", "1131f6aa-9c07-11d1-f79f-00c04fc2dcd2", None),
                ("DS-Replication-Get-Changes-All", "1131f6ad-9c07-11d1-f79f-00c04fc2dcd2", None),
                ("Personal-Information", "77b5b886-944a-11d1-aebd-0000f80367c1", CLASS_USER),
                ("Membership", "bc0ac240-79a9-11d0-9020-00c04fc2d4cf", CLASS_GROUP)):
            self._put("CN=%s,CN=Extended-Rights,%s" % (name, CONFIG_DN), "controlAccessRight", {
                "displayName": name, "rightsGuid": text,
                "validAccesses": 48 if name in ("Personal-Information", "Membership") else 256,
                "appliesTo": [str(uuid.UUID(bytes_le=applies))] if applies else None})
        for name, text in (("user", "bf967aba-0de6-11d0-a285-00aa003049e2"), ("group", "bf967a9c-0de6-11d0-a285-00aa003049e2"),
                           ("computer", "bf967a86-0de6-11d0-a285-00aa003049e2"),
                           ("organizationalUnit", "bf967aa5-0de6-11d0-a285-00aa003049e2"),
                           ("domainDNS", "19195a5b-6da0-11d0-afd3-00c04fd930c9"),
                           ("contact", "5cb41ed0-0e4c-11d0-a286-00aa003049e2")):
            self._put("CN=%s,%s" % (name.capitalize(), SCHEMA_DN), "classSchema", {
                "lDAPDisplayName": name, "schemaIDGUID": uuid.UUID(text).bytes_le,
                "subClassOf": "user" if name == "computer" else "top", "systemFlags": 16})
        for name, text, group in (
                ("member", "bf9679c0-0de6-11d0-a285-00aa003049e2", "bc0ac240-79a9-11d0-9020-00c04fc2d4cf"),
                ("telephoneNumber", "bf967a49-0de6-11d0-a285-00aa003049e2", "77b5b886-944a-11d1-aebd-0000f80367c1"),
                ("userAccountControl", "bf967a68-0de6-11d0-a285-00aa003049e2", "4c164200-20c0-11d0-a768-00aa006e0529"),
                ("servicePrincipalName", "f3a64788-5306-11d1-a9c5-0000f80367c1", None),
                ("nTSecurityDescriptor", "bf9679e3-0de6-11d0-a285-00aa003049e2", None)):
            self._put("CN=%s,%s" % (name, SCHEMA_DN), "attributeSchema", {
                "lDAPDisplayName": name, "schemaIDGUID": uuid.UUID(text).bytes_le, "searchFlags": 1, "systemFlags": 16,
                "attributeSecurityGUID": uuid.UUID(group).bytes_le if group else None})

    def _back_links(self):
        back = {}
        for group in self.entries:
            for value in group.get("member"):
                back.setdefault(norm_dn(value.decode()), []).append(group.dn)
        reports = {}
        for person in self.entries:
            for value in person.get("manager"):
                reports.setdefault(norm_dn(value.decode()), []).append(person.dn)
        for entry in self.entries:
            if entry.norm in back:
                entry.set("memberOf", back[entry.norm])
            if entry.norm in reports:
                entry.set("directReports", reports[entry.norm])

    def _change(self, users, count):
        """A second state of the same domain: `count` users with another department."""
        for i in range(1, min(users, count) + 1):
            entry = self.by_sam["user%05d" % i]
            self.usn += 1
            entry.set("department", DEPARTMENTS[(i + 1) % 5])
            entry.set("uSNChanged", self.usn)
            entry.set("whenChanged", gtime(EPOCH + datetime.timedelta(days=1, seconds=i)))

    # -- reading

    def find_account(self, name):
        """The account that a bind names as DN, UPN, DOMAIN\\user or plain sAMAccountName; None when unknown."""
        entry = self.by_norm.get(norm_dn(name)) if "=" in name else None
        if entry is None:
            sam = name
            if "\\" in name:
                domain, _, sam = name.partition("\\")
                if domain.casefold() not in (NETBIOS.casefold(), DNS_NAME):
                    return None
            elif "@" in name:
                sam, _, realm = name.rpartition("@")
                if realm.casefold() != DNS_NAME:
                    return None
            entry = self.by_sam.get(sam.casefold())
        return entry if entry and not entry.deleted and entry.get("userAccountControl") else None

    def constructed(self, entry, name):
        """Values of an attribute that the DC computes when it is asked by name."""
        low = name.lower()
        if low == "canonicalname":
            path = [p.partition("=")[2].replace("\\", "") for p in split_dn(entry.dn) if not p.upper().startswith("DC=")]
            return [("/".join([DNS_NAME] + list(reversed(path)))).encode()]
        if low == "msds-principalname" and entry.get("sAMAccountName"):
            return [(NETBIOS + "\\" + entry.text("sAMAccountName")).encode()]
        if low == "tokengroups":
            return self.token_groups(entry)
        if not entry.get("userAccountControl"):
            return []
        uac, last = int(entry.text("userAccountControl")), int(entry.text("pwdLastSet", "0"))
        expires = NEVER if uac & 0x10000 else 0 if last == 0 else last + 36288000000000
        if low == "msds-userpasswordexpirytimecomputed":
            return [str(expires).encode()]
        if low == "msds-user-account-control-computed":
            bits = (16 if entry.get("lockoutTime") else 0) | (0x800000 if expires < filetime(EPOCH) else 0)
            return [str(bits).encode()]
        return []

    def groups_of(self, entry):
        """Normal DNs of every group that contains entry, directly or not."""
        seen, todo = set(), [entry]
        while todo:
            for value in todo.pop().get("memberOf"):
                key = norm_dn(value.decode())
                if key not in seen and key in self.by_norm:
                    seen.add(key)
                    todo.append(self.by_norm[key])
        return seen

    def token_groups(self, entry):
        found = [self.by_norm[k].get("objectSid") for k in sorted(self.groups_of(entry))]
        return [v[0] for v in found if v]

    def candidates(self, base, scope):
        """Entries in scope (0 base, 1 one level, 2 subtree); a naming context below the domain is not the domain's."""
        base = norm_dn(base)
        if scope == 0:
            return [self.by_norm[base]] if base in self.by_norm else []
        contexts = [norm_dn(d) for d in (SCHEMA_DN, CONFIG_DN, DOMAIN_DN)]

        def context(norm):
            return next((c for c in contexts if norm == c or norm.endswith("," + c)), None)

        home = context(base)
        if scope == 1:
            return [e for e in self.entries if context(e.norm) == home and norm_dn(parent_dn(e.dn)) == base]
        return [e for e in self.entries if (e.norm == base or e.norm.endswith("," + base)) and context(e.norm) == home]

    def closest(self, base):
        """The nearest existing ancestor of a DN, as noSuchObject reports it."""
        dn = base
        while dn:
            if norm_dn(dn) in self.by_norm:
                return self.by_norm[norm_dn(dn)].dn
            dn = parent_dn(dn)
        return ""
