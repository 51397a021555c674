#!/usr/bin/python3
"""populate.py MODE: fill the stopped first DC of the lab in $ADLAB with a company.

MODE is small (about 220 users), company (5,000) or big (20,000). Same MODE, SEED and
domain SID: same objects, SIDs, GUIDs and values, but for times, which are kept as ages.
Runs as up.sh wants it, with $ADLAB, $SEED, $READERPASS set. One transaction.
Writes $ADLAB/truth.json, what a test may hold against a program under test, and prints
its counts. "populate.py --joined DC2" adds a joined DC to that file.

Passwords (nobody else has one):
  svc-rollcall       $READERPASS (Reader-Passw0rd.1): the least-privilege reader
  u.* and a.*        User-Passw0rd.1   special cases and administrators below
  door.ok            Door-Passw0rd.1   may log on; a wrong password gives data 52e
  door.disabled      Door-Passw0rd.1   data 533
  door.expired       Door-Passw0rd.1   data 701 (account expired)
  door.mustchange    Door-Passw0rd.1   data 773
  door.pwexpired     Door-Passw0rd.1   data 532 (password too old)
  door.workstation   Door-Passw0rd.1   data 531 (may log on at NOSUCHPC only)
  door.hours         Door-Passw0rd.1   data 530 (no permitted logon hours)
  door.locked        Door-Passw0rd.1   data 775 (up.sh locks it by bad binds at each start)
A normal account is locked for a day by 10 bad passwords within 30 minutes.
"""
import hashlib, json, os, random, re, sys, time, unicodedata

LAB = os.environ["ADLAB"]
if sys.argv[1:2] == ["--joined"]:
    with open(LAB + "/truth.json") as f:
        truth = json.load(f)
    truth["dcs"].append(sys.argv[2])
    for c in truth["counts"], truth["reader_counts"]:
        c["computers"] += 1
    with open(LAB + "/truth.json", "w") as f:
        json.dump(truth, f, indent=1, ensure_ascii=False)
    sys.exit()

import ldb
from samba.auth import system_session
from samba.dcerpc import security
from samba.ndr import ndr_pack
from samba.param import LoadParm
from samba.samdb import SamDB

SIZES = {  # users, groups, cities, computers, contacts, Everyone Big, users with another primary group
    "small": (200, 30, 2, 12, 5, 150, 4),
    "company": (5000, 800, 12, 200, 60, 4000, 40),
    "big": (20000, 2000, 12, 1000, 200, 16000, 100),
}
MODE = sys.argv[1]
N_USERS, N_GROUPS, N_CITIES, N_COMPUTERS, N_CONTACTS, N_BIG, N_PRIMARY = SIZES[MODE]
SEED = os.environ.get("SEED", "1")
READERPASS = os.environ.get("READERPASS", "Reader-Passw0rd.1")
USERPASS, DOORPASS = "User-Passw0rd.1", "Door-Passw0rd.1"
rng = random.Random(SEED)
NOW = time.time()
DAY = 86400

# userAccountControl
DISABLED, NOTREQD, NORMAL, WORKSTATION, NOEXPIRE = 0x2, 0x20, 0x200, 0x1000, 0x10000
SMARTCARD, DELEGATE, NODELEGATE, DES, NOPREAUTH, TOAUTH = 0x40000, 0x80000, 0x100000, 0x200000, 0x400000, 0x1000000
# groupType
GLOBAL, LOCAL, UNIVERSAL, SECURITY = 2, 4, 8, -0x80000000

FOREIGN = "S-1-5-21-1111111111-222222222-333333333"  # a domain that is not here
# schemaIDGUIDs, property sets, rights
G_USER, G_GROUP = "bf967aba-0de6-11d0-a285-00aa003049e2", "bf967a9c-0de6-11d0-a285-00aa003049e2"
G_COMPUTER = "bf967a86-0de6-11d0-a285-00aa003049e2"
G_MEMBER, G_DESCRIPTION = "bf9679c0-0de6-11d0-a285-00aa003049e2", "bf967950-0de6-11d0-a285-00aa003049e2"
G_PWDLASTSET, G_LOCKOUTTIME = "bf967a0a-0de6-11d0-a285-00aa003049e2", "28630ebf-41d5-11d1-a9c1-0000f80367c1"
G_GPLINK = "f30e3bbe-9ff0-11d1-b603-0000f80367c1"
S_MEMBERSHIP, S_RESTRICTIONS = "bc0ac240-79a9-11d0-9020-00c04fc2d4cf", "4c164200-20c0-11d0-a768-00aa006e0529"
S_GENERAL = "59ba2f42-79a2-11d0-9020-00c04fc2d3cf"
R_RESETPW, R_CHANGEPW = "00299570-246d-11d0-a768-00aa006e0529", "ab721a53-1e2f-11d0-9819-00aa0040529b"


class Directory:
    def __init__(self):
        lp = LoadParm()
        lp.load(LAB + "/dc1/etc/smb.conf")
        self.db = SamDB(url=LAB + "/dc1/private/sam.ldb", lp=lp, session_info=system_session(), options=["batch_mode:1"])
        self.base = str(self.db.domain_dn())
        self.domsid = self.db.get_domain_sid()
        self.dom = self.base[3:].replace(",DC=", ".").lower()
        self.default_sd = {}
        for cls in "user", "group", "organizationalUnit":
            r = self.db.search(self.db.get_schema_basedn(), ldb.SCOPE_ONELEVEL, "(lDAPDisplayName=%s)" % cls,
                               ["defaultSecurityDescriptor"])
            self.default_sd[cls] = re.match(r"D:[A-Z]*((?:\([^)]*\))*)", str(r[0]["defaultSecurityDescriptor"])).group(1)

    def add(self, dn, cls, password=None, **attrs):
        """Add an object; the attributes that are None are left out. Returns its DN."""
        m = ldb.Message(ldb.Dn(self.db, dn))
        attrs["objectClass"] = cls
        attrs["objectGUID"] = hashlib.md5((SEED + dn).encode()).digest()
        late = attrs.pop("pwdLastSet", None) if password else None
        if password:
            attrs["unicodePwd"] = ('"%s"' % password).encode("utf-16-le")
        for k, v in attrs.items():
            if v is None or v == []:
                continue
            v = v if isinstance(v, list) else [v]
            k = k.replace("_", "-")
            m[k] = ldb.MessageElement([x if isinstance(x, bytes) else str(x) for x in v], ldb.FLAG_MOD_ADD, k)
        # relax: our own objectGUID. RAW: pwdLastSet as given, no hashing
        self.db.add(m, ["relax:0"] + ([] if password else [RAW]) + (["provision:0"] if cls == "foreignSecurityPrincipal" else []))
        if late is not None:
            self.mod(dn, {"pwdLastSet": late}, controls=[RAW])
        return dn

    def mod(self, dn, attrs, flag=ldb.FLAG_MOD_REPLACE, controls=[]):
        m = ldb.Message(ldb.Dn(self.db, dn))
        for k, v in attrs.items():
            m[k] = ldb.MessageElement(v if isinstance(v, list) else [str(v)], flag, k)
        self.db.modify(m, controls)

    def join(self, group, *members):
        self.mod(group, {"member": list(members)}, ldb.FLAG_MOD_ADD)

    def sid(self, dn):
        r = self.db.search(dn, ldb.SCOPE_BASE, attrs=["objectSid"])
        return str(security.dom_sid(self.db.schema_format_value("objectSid", r[0]["objectSid"][0]).decode()))

    def sd(self, cls, deny="", allow="", owner="DA", raw=None):
        """A security descriptor: the default of the class with more ACEs around, or exactly raw."""
        sddl = "O:%sG:DAD:%s" % (owner, raw if raw is not None else deny + allow + self.default_sd[cls])
        return ndr_pack(security.descriptor.from_sddl(sddl, security.dom_sid(self.domsid)))


RAW = "local_oid:1.3.6.1.4.1.7165.4.3.12:0"  # DSDB_CONTROL_BYPASS_PASSWORD_HASH
d = Directory()
BASE, DOM = d.base, d.dom


def nt(t):
    return int((t + 11644473600) * 10 ** 7)


def ago(days):
    return nt(NOW - days * DAY)


def rdn(s):
    """s as the value of a DN component."""
    s = re.sub(r'([\\,+"<>;=])', r"\\\1", s)
    s = s.replace("\n", "\\0A").replace("\t", "\\09")
    if s[0] in "# ":
        s = "\\" + s
    return s[:-1] + "\\20" if s[-1] == " " else s


def ou(name, parent, **attrs):
    return d.add("OU=%s,%s" % (rdn(name), parent), "organizationalUnit", **attrs)


def group(name, where, kind=GLOBAL | SECURITY, members=(), **attrs):
    return d.add("CN=%s,%s" % (rdn(name), where), "group", groupType=kind,
                 sAMAccountName=re.sub(r'["/\\[\]:;|=,+*?<>]', "_", attrs.pop("sam", name)), member=list(members), **attrs)


def user(sam, where, cn=None, uac=NORMAL, password=USERPASS, cls="user", **attrs):
    """A special user, by name."""
    a = dict(sAMAccountName=sam, userAccountControl=uac, userPrincipalName="%s@%s" % (sam, DOM), pwdLastSet=ago(5),
             displayName=cn or sam)
    a.update(attrs)
    return d.add("CN=%s,%s" % (rdn(cn or sam), where), cls, password, **a)


# ---------------------------------------------------------------- words
CITIES = [  # city, state, c, co, country code, postal code, phone, names of the OUs below
    ("München", "Bayern", "DE", "Germany", 276, "80331", "+49 89", "Benutzer", "Gruppen", "Rechner"),
    ("東京", "東京都", "JP", "Japan", 392, "100-0001", "+81 3", "ユーザー", "グループ", "コンピューター"),
    ("القاهرة", "القاهرة", "EG", "Egypt", 818, "11511", "+20 2", "المستخدمون", "المجموعات", "الحواسيب"),
    ("Αθήνα", "Αττική", "GR", "Greece", 300, "105 57", "+30 21", "Χρήστες", "Ομάδες", "Υπολογιστές"),
    ("Zürich", "ZH", "CH", "Switzerland", 756, "8001", "+41 44", "Benutzer", "Gruppen", "Rechner"),
    ("Paris", "Île-de-France", "FR", "France", 250, "75001", "+33 1", "Utilisateurs", "Groupes", "Ordinateurs"),
    ("Kraków", "Małopolskie", "PL", "Poland", 616, "30-001", "+48 12", "Użytkownicy", "Grupy", "Komputery"),
    ("São Paulo", "SP", "BR", "Brazil", 76, "01000-000", "+55 11", "Usuários", "Grupos", "Computadores"),
    ("New York", "NY", "US", "United States", 840, "10001", "+1 212", "Users", "Groups", "Computers"),
    ("Łódź", "Łódzkie", "PL", "Poland", 616, "90-001", "+48 42", "Użytkownicy", "Grupy", "Komputery"),
    ("Reykjavík", "Höfuðborgarsvæðið", "IS", "Iceland", 352, "101", "+354", "Notendur", "Hópar", "Tölvur"),
    ("Berlin", "Berlin", "DE", "Germany", 276, "00123", "+49 30", "Benutzer", "Gruppen", "Rechner"),
]
DEPTS = ["Finance", "Sales", "Engineering", "Human Resources", "Legal", "R&D, Labs", "Einkauf", "IT", "Support", "Qualité"]
TITLES = ["Analyst", "Engineer", "Senior Engineer", "Clerk", "Manager", "Head of Unit", "Sachbearbeiter/in", "Consultant", "Intern", "係長"]
GIVEN = """Anna Peter José Zoë Jürgen Łukasz Françoise Søren Ægir Müge Björn Chloé Dörte Éric Fatma Gülşen Håkon Inês
 Ján Karel Léa Márta Noémie Ömer Þóra René Siân Tomáš Úna Václav Wei Yusuf Željko Maria John Emma Paul Sofia Ivan Nora
 Liam Olga Hugo Ida Max Lena Tim Eva Leo Mia Amélie Bruno Clara David Elif Felix Greta Hassan Irina Jonas Kim""".split()
SURNAMES = """Müller Schmidt O'Brien D'Angelo Núñez Nowak Kowalski Dvořák Sørensen Jónsdóttir Öztürk Çelik Nguyễn Lefèvre
 Dubois García Silva Ibáñez Groß Weiß Żak Łuczak Smith Jones Brown Taylor Wilson Evans Thomas Roberts Walker Wright Green
 Hall Wood Clarke Lewis Young Becker Wagner Hoffmann Koch Richter Klein Wolf Neumann Schwarz Zimmermann Krüger Hartmann
 Lange Werner Krause Meier Lehmann Maier Köhler Herrmann Walter König Mayer Huber Kaiser Fuchs Lang Scholz Möller Jung
 Hahn Keller Vogel Friedrich Roth Beck Lorenz Baumann Franke Albrecht Schuster Simon Ludwig Böhm Winter Kraus Martin Nolde
 True Test-Doppel de_la_Cruz van_der_Berg""".replace("_", " ").split()
SURNAMES = [s for s in SURNAMES if s not in ("de", "la", "van", "der")] + ["de la Cruz", "van der Berg"]
NATIVE = [("太郎", "山田", "taro.yamada"), ("花子", "鈴木", "hanako.suzuki"), ("محمد", "علي", "mohamed.ali"), ("فاطمة", "حسن", "fatima.hassan"),
          ("Ελένη", "Παπαδοπούλου", "eleni.papadopoulou"), ("Νίκος", "Γεωργίου", "nikos.georgiou"), ("Ольга", "Иванова", "olga.ivanova"),
          ("伟", "王", "wei.wang"), ("민준", "김", "minjun.kim"), ("דוד", "כהן", "david.cohen")]
ASCII = str.maketrans({"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "Ae", "þ": "th", "Þ": "Th", "ß": "ss", "ı": "i", "ð": "d"})


def plain(s):
    s = unicodedata.normalize("NFKD", s.translate(ASCII)).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9.-]", "", s.lower())


# ---------------------------------------------------------------- who delegates to whom: ACE templates
# (where it fits, deny ACEs, allow ACEs); {T} is the trustee. Kept in the order given, deny first.
TEMPLATES = [
    ("go", "", "(A;;GA;;;{T})"),
    ("go", "", "(A;;GR;;;{T})"),
    ("go", "", "(A;;GW;;;{T})"),
    ("go", "(D;;WP;;;{T})", ""),
    ("go", "", "(A;;WD;;;{T})"),
    ("go", "", "(A;;WO;;;{T})"),
    ("go", "", "(A;;SDDT;;;{T})"),
    ("g", "", "(OA;;WP;%s;;{T})" % G_MEMBER),
    ("g", "(OD;;WP;%s;;{T})" % G_MEMBER, "(A;;WP;;;{T})"),
    ("g", "", "(OA;;RPWP;%s;;{T})" % S_MEMBERSHIP),
    ("g", "", "(OA;;SW;%s;;{T})" % G_MEMBER),
    ("go", "", "(OA;;WP;%s;;{T})" % G_DESCRIPTION),
    ("go", "", "(OA;;RPWP;%s;;{T})" % S_GENERAL),
    ("go", "", "(A;;CR;;;{T})"),
    ("go", "", "(A;;SW;;;{T})"),
    ("o", "", "(OA;CIIO;CR;%s;%s;{T})" % (R_RESETPW, G_USER)),
    ("o", "", "(OA;CIIO;RPWP;%s;%s;{T})(OA;CIIO;RPWP;%s;%s;{T})" % (G_PWDLASTSET, G_USER, G_LOCKOUTTIME, G_USER)),
    ("o", "", "(OA;CI;CCDC;%s;;{T})(OA;CIIO;GA;;%s;{T})" % (G_USER, G_USER)),
    ("o", "", "(OA;;CCDC;%s;;{T})" % G_GROUP),
    ("o", "(OD;;CC;%s;;{T})" % G_COMPUTER, "(A;;CC;;;{T})"),
    ("o", "", "(OA;CI;RPWP;%s;;{T})" % G_GPLINK),
    ("o", "", "(A;CI;RPLCLORC;;;{T})"),
    ("o", "", "(A;CINP;WP;;;{T})"),
    ("o", "", "(A;CIIO;GA;;;CO)"),
    ("o", "(D;CI;DTSD;;;WD)", ""),
    ("o", "(OD;CIIO;WP;%s;%s;{T})" % (G_MEMBER, G_GROUP), ""),
    ("go", "", "(A;;WP;;;PS)"),
    ("go", "", "(A;;RC;;;OW)"),
    ("go", "", "(A;;WP;;;{T})(D;;WP;;;{T})"),  # not canonical: allow before deny
    ("go", "(D;;GW;;;{T})", "(A;;GA;;;AU)"),
    ("go", "(OD;;WP;%s;;{T})" % S_GENERAL, "(OA;;WP;%s;;{T})" % G_DESCRIPTION),
]


def templated(cls, n, trustees, owners):
    """The n-th SD of a class: one to three templates, or None (the default)."""
    if n % 3 == 2:
        return None
    fit = [t for t in TEMPLATES if cls[0] in t[0]]
    deny = allow = ""
    for k in range(1 + (n % 5 == 0) + (n % 7 == 0)):
        _, dn, al = fit[(n - n // 3 + k * 5) % len(fit)]
        t = trustees[(n + k) % len(trustees)]
        deny, allow = deny + dn.replace("{T}", t), allow + al.replace("{T}", t)
    return d.sd(cls, deny, allow, owner=owners[n // 17 % len(owners)] if n % 17 == 3 else "DA")


# ---------------------------------------------------------------- everything, in one transaction
t0 = time.time()
d.db.transaction_start()

d.mod(BASE, {"lockoutThreshold": 10, "lockoutDuration": -DAY * 10 ** 7, "lockOutObservationWindow": -1800 * 10 ** 7,
             "maxPwdAge": -90 * DAY * 10 ** 7, "msDS-LogonTimeSyncInterval": 1})
d.mod("CN=Partitions,CN=Configuration," + BASE, {"uPNSuffixes": "example.test"})

# --- the OUs that are in every mode
ADMINS = ou("Admins", BASE, description="Administrators and what they own")
TIER0 = ou("Tier 0", ADMINS, gPOptions=1)
DELEG = ou("Delegation", BASE)
SERVICE = ou("Service Accounts", BASE)
DOORS = ou("Doors", BASE, description="Accounts that cannot log on, each for another reason")
SPECIAL = ou("Special", BASE)
EXTERNALS = ou("Externals & Partners", BASE)

READER = user("svc-rollcall", SERVICE, uac=NORMAL | NOEXPIRE, password=READERPASS, description="Inventory reader, plain user")
READER_SID = d.sid(READER)

# --- who gets delegated rights
people = [user("u.delegate%d" % i, DELEG, "Delegate %d" % i) for i in range(1, 6)]
deleg = [group("Helpdesk", DELEG, members=people[:2]), group("OU Operators", DELEG, UNIVERSAL | SECURITY, members=[people[2]]),
         group("Group Managers", DELEG, LOCAL | SECURITY), group("HR Sync", DELEG)]
deleg.append(group("Helpdesk Leads", DELEG, members=[people[3]]))
d.join(deleg[0], deleg[4])
trustees = [d.sid(x) for x in deleg + people] + ["AU", "WD", FOREIGN + "-1105", d.domsid + "-99999"]
owners = [d.sid(people[4]), d.sid(deleg[1])]

# --- more OUs: odd names, a hidden subtree, an empty DACL, sites
VAULT_RAW = "PAI(A;CI;GA;;;SY)(A;CI;GA;;;DA)(A;CI;GA;;;BA)"
VAULT = ou("Treasury Vault", BASE, nTSecurityDescriptor=d.sd("", raw=VAULT_RAW))
KASSE = ou("Kasse", VAULT, nTSecurityDescriptor=d.sd("", raw=VAULT_RAW))
COUNTER = ou("Schalter", VAULT)  # hidden by its parent, but what is in it is not
NODACL = ou("Empty DACL", SPECIAL, nTSecurityDescriptor=d.sd("", raw="PAI"))
odd_ous = [ou(n, SPECIAL) for n in ("R&D, Labs", '#1 "Quoted"', "Back\\slash", "a+b=c; <x>", "O'Neill / Söhne 🏢", " lead and trail ")]
ous = [ADMINS, DELEG, SPECIAL, EXTERNALS]
sites = []
n = 0
for city in CITIES[:N_CITIES]:
    top = ou(city[0], BASE, l=city[0], st=city[1], c=city[2], co=city[3], postalCode=city[5],
             nTSecurityDescriptor=templated("organizationalUnit", n, trustees, owners))
    sub = []
    for k, name in enumerate(city[7:10]):
        n += 1
        sub.append(ou(name, top, nTSecurityDescriptor=templated("organizationalUnit", n, trustees, owners)))
    n += 1
    sites.append((city, top, sub))
    ous += [top] + sub
    if MODE != "small":
        ous += [ou(dept, sub[0], description=dept, nTSecurityDescriptor=templated("organizationalUnit", n + k, trustees, owners))
                for k, dept in enumerate(DEPTS[:2 if MODE == "company" else 6])]
deep = SPECIAL
for i in range(1, 4 if MODE == "small" else 11):
    deep = ou("Ebene %02d" % i, deep)

# --- group policies
for i, name in enumerate(["Workstation Baseline", "Password & Lockout <v2>", "Proxy-Einstellungen für Zürich"]):
    guid = "{%08d-2222-3333-4444-555555555555}" % (11111111 * (i + 1))
    gpo = d.add("CN=%s,CN=Policies,CN=System,%s" % (guid, BASE), "groupPolicyContainer", displayName=name, flags=(0, 0, 3)[i],
                gPCFileSysPath="\\\\%s\\sysvol\\%s\\Policies\\%s" % (DOM, DOM, guid), versionNumber=65537 * (i + 1), gPCFunctionalityVersion=2)
    for dn in ([sites[0][1], TIER0], [sites[1][1], sites[0][2][2]], [TIER0])[i]:
        old = d.db.search(dn, ldb.SCOPE_BASE, attrs=["gPLink"])[0].get("gPLink")
        d.mod(dn, {"gPLink": (str(old) if old else "") + "[LDAP://%s;%d]" % (gpo, (0, 2, 1)[i])})
d.mod(sites[-1][1], {"gPOptions": 1})

# ---------------------------------------------------------------- users
sams, names = set(), set()


def unique(pool, s, fmt, limit=200):
    for k in range(1, 100000):
        x = s[:limit] if k == 1 else s[:limit - len(fmt % k)] + fmt % k
        if x.lower() not in pool:
            pool.add(x.lower())
            return x


staff = []
for i in range(N_USERS):
    city, top, sub = sites[min(int(rng.expovariate(0.35)), N_CITIES - 1)]
    dept = rng.choice(DEPTS)
    if rng.random() < 0.06:
        given, sn, latin = rng.choice(NATIVE)
    else:
        given, sn = rng.choice(GIVEN), rng.choice(SURNAMES)
        latin = plain(given) + "." + plain(sn)
    sam = unique(sams, latin, "%d", 20)
    cn = unique(names, "%s, %s" % (sn, given) if rng.random() < 0.1 else "%s %s" % (given, sn), " (%d)", 64)
    uac, some = NORMAL, rng.random
    for bit, p in ((DISABLED, .06), (NOEXPIRE, .05), (NOTREQD, .01), (NOPREAUTH, .005), (SMARTCARD, .01), (NODELEGATE, .005),
                   (DELEGATE, .002), (DES, .001), (0x80, .001)):
        if some() < p:
            uac |= bit
    r = some()
    expires = None if r < .3 else 0 if r < .5 else 0x7FFFFFFFFFFFFFFF if r < .91 else ago(-rng.randint(365, 1500)) if r < .96 else ago(rng.randint(1, 900))
    r = some()
    # ages stay clear of maxPwdAge (90 days), so that a cached snapshot stays true for weeks
    pwd = 0 if r < .01 else ago(rng.uniform(0, 55)) if r < .8 else ago(rng.uniform(125, 1500))
    logon = {}
    if some() > .08:
        last = rng.choice((rng.uniform(0, 10), rng.uniform(0, 10), rng.uniform(0, 60), rng.uniform(90, 1200)))
        logon = dict(lastLogon=ago(last), lastLogonTimestamp=ago(max(0, last + rng.uniform(-5, 13))), logonCount=rng.randint(1, 5000))
    if some() < .03:
        logon.update(badPwdCount=rng.randint(1, 4), badPasswordTime=ago(rng.uniform(2, 100)))
    mail = "%s@example.test" % sam
    r = some()
    where = sub[0]
    if MODE != "small" and some() < .3:
        where = "OU=%s,%s" % (rdn(DEPTS[i % 2]), sub[0])
    elif some() < .02:
        where = deep if some() < .5 else "CN=Users," + BASE
    staff.append(d.add(
        "CN=%s,%s" % (rdn(cn), where), "user", sAMAccountName=sam, userAccountControl=uac, pwdLastSet=pwd, accountExpires=expires,
        userPrincipalName="%s@%s" % (sam, DOM) if r < .9 else mail if r < .97 else None,
        givenName=given if some() < .98 else None, sn=sn if some() < .98 else None, displayName=cn if some() < .97 else None,
        mail=mail if some() < .9 else None,
        proxyAddresses=["SMTP:" + mail, "smtp:%s.alt@example.test" % sam] + (["sip:" + mail] if some() < .2 else []) if some() < .3 else None,
        employeeID="%06d" % (i + 1) if some() < .95 else None, employeeNumber=str(rng.randint(1, 99999)) if some() < .3 else None,
        employeeType=rng.choice(("Employee", "Contractor", "Intern")) if some() < .6 else None,
        department=dept if some() < .95 else None, title=rng.choice(TITLES) if some() < .9 else None,
        company="Example AG" if some() < .95 else "Beispiel & Söhne, \"Ltd.\"", physicalDeliveryOfficeName="%s %d.%03d" % (city[0], rng.randint(0, 9), rng.randint(1, 400)),
        telephoneNumber="%s %d" % (city[6], rng.randint(100000, 999999)) if some() < .8 else None,
        mobile="+49 17%d" % rng.randint(10000000, 99999999) if some() < .4 else None,
        l=city[0], st=city[1], postalCode=city[5], c=city[2], co=city[3], countryCode=city[4],
        streetAddress="Hauptstraße %d\r\n%s" % (rng.randint(1, 200), city[0]) if some() < .8 else None,
        description=rng.choice(("Temporary", "Nur Teilzeit", "see ticket #%d" % rng.randint(1, 9999), "été 2019")) if some() < .2 else None,
        info="Line 1\r\nLine 2; \"quoted\", comma" if some() < .02 else None,
        thumbnailPhoto=b"\xff\xd8\xff\xe0" + bytes(range(256)) * 16 if some() < .002 else None,
        manager=staff[(i - 1) // 8] if i and some() < .95 else None, **logon))

# --- users with names and values that break programs
ODD = [  # sAMAccountName, cn, display name
    ("u.comma", "Müller, Jürgen", "Müller, Jürgen"), ("u.quote", 'Anna "Nanni" O\'Hara', 'Anna "Nanni" O\'Hara'),
    ("u.hash", "#hash", "#hash"), ("u.back", "Back\\slash\\", "C:\\temp\\new"), ("u.plus", "a+b=c;d<e>f", "a+b=c;d<e>f"),
    ("u.star", "*(star)*", "*)(objectClass=*"), ("u.space", " lead and trail ", "  two  spaces  "), ("u.newline", "new\nline", "new\nline"),
    ("u.tab", "tab\there", "tab\there"), ("u.conflict", "Doppelt\nCNF:0a1b2c3d-1111-2222-3333-444455556666", "Doppelt"),
    ("u.cjk", "山田 太郎", "山田 太郎"), ("u.arabic", "محمد علي", "محمد علي"), ("u.rtl", "rtl \u202egnp.exe", "rtl \u202egnp.exe"),
    ("u.emoji", "Zoë 😀👩‍👩‍👧", "Zoë 😀👩‍👩‍👧"), ("u.nfd", "e\u0301te\u0301 (decomposed)", "e\u0301te\u0301"), ("u.zerowidth", "zero\u200bwidth", "zero\u200bwidth"),
    ("u.long", "L" * 64, "ü" * 256), ("u.script", "Script Kid", "<script>alert(1)</script>"), ("u.cmd", "Cmd Formula", "=cmd|' /C calc'!A0"),
    ("u.plus1", "Plus One", "+1"), ("u.at", "At X", "@x"), ("u.minus", "Minus Two", "-2"), ("u.null", "null and void", "null and void"), ("u.true", "TRUE", "true"),
    ("u.json", 'a":{"b":[', '"},{"x":"'), ("u.percent", "%s%n%x", "%s%n%x"), ("u.blank", "Blank Name", " "), ("u.o'brien é", "O'Brien É", "O'Brien É"),
    ("u.slash", "CN=x/y", "CN=x/y"), ("u.dollar$", "Dollar", "$(id) `id` ${HOME}"),
]
for sam, cn, disp in ODD:
    user(sam, SPECIAL, cn, displayName=disp, description=disp, userPrincipalName=None if "'" in sam else "%s@%s" % (sam, DOM))
for i, dn in enumerate(odd_ous):
    user("u.oddou%d" % i, dn)

# --- users with special states
user("u.plain", SPECIAL, description="nothing special")
user("u.bare", SPECIAL, displayName=None, userPrincipalName=None)
user("u.inetorg", SPECIAL, cls="inetOrgPerson", mail="u.inetorg@example.test")
user("u.never", SPECIAL, uac=NORMAL | NOEXPIRE, accountExpires=0)
user("u.nopasswd", SPECIAL, uac=NORMAL | NOTREQD, password=None)
user("u.nopreauth", SPECIAL, uac=NORMAL | NOPREAUTH)
user("u.disabled", SPECIAL, uac=NORMAL | DISABLED)
user("u.history", SPECIAL, sIDHistory=[ndr_pack(security.dom_sid(FOREIGN + "-1177"))])
user("u.cantchange", SPECIAL, nTSecurityDescriptor=d.sd("user", deny="(OD;;CR;%s;;WD)(OD;;CR;%s;;PS)" % (R_CHANGEPW, R_CHANGEPW)))
user("u.far", SPECIAL, accountExpires=nt(253402300799))  # the end of the year 9999
user("u.zip", SPECIAL, postalCode="00123", employeeID="0000042", telephoneNumber="+49 (0)30 / 123-45", st="=1+1")
chain = [user("u.mgr%02d" % i, SPECIAL) for i in range(12)]
for a, b in zip(chain, chain[1:]):
    d.mod(a, {"manager": b})
d.mod(chain[-1], {"manager": chain[-2]})  # a circle of two at the end
selfman = user("u.selfmgr", SPECIAL)
d.mod(selfman, {"manager": selfman})
user("u.lock.stale", SPECIAL, lockoutTime=ago(3), badPwdCount=10)  # the lock is over: lockoutDuration is a day
lockpso = user("u.lock.pso", SPECIAL, lockoutTime=ago(3), badPwdCount=3)  # still locked: its PSO locks for ever

# --- users who cannot log on
user("door.ok", DOORS, password=DOORPASS)
user("door.disabled", DOORS, uac=NORMAL | DISABLED, password=DOORPASS)
user("door.expired", DOORS, password=DOORPASS, accountExpires=ago(30))
user("door.mustchange", DOORS, password=DOORPASS, pwdLastSet=0)
user("door.pwexpired", DOORS, password=DOORPASS, pwdLastSet=ago(400))
user("door.workstation", DOORS, password=DOORPASS, userWorkstations="NOSUCHPC")
user("door.hours", DOORS, password=DOORPASS, logonHours=b"\0" * 21)
user("door.locked", DOORS, password=DOORPASS)

# --- service accounts that are ordinary users
host = "srv-0001." + DOM
user("svc-sql", SERVICE, uac=NORMAL | NOEXPIRE, password=None, servicePrincipalName=["MSSQLSvc/sql." + DOM, "MSSQLSvc/sql.%s:1433" % DOM])
user("svc-web", SERVICE, uac=NORMAL | NOEXPIRE | TOAUTH, password=None, msDS_AllowedToDelegateTo=["MSSQLSvc/sql." + DOM])
user("svc-backup", SERVICE, uac=NORMAL | DELEGATE, password=None, servicePrincipalName=["backup/backup." + DOM])
user("svc-old", SERVICE, uac=NORMAL | DES | DISABLED, password=None)

# --- what the reader may not see, or not wholly
hidden = [VAULT, KASSE, COUNTER, NODACL]
hidden += [user("u.vault%d" % i, KASSE if i % 2 else VAULT) for i in range(1, 6)]
hidden.append(user("u.hidden", SPECIAL, nTSecurityDescriptor=d.sd("user", deny="(D;;GA;;;%s)" % READER_SID)))
vault_group = group("Vault Keys", VAULT)
vault_users = hidden[4:9]
hidden += [vault_group, group("Vault Staff", VAULT, members=vault_users[:3])]
user("u.counter", COUNTER)
partial = {
    user("u.nouac", SPECIAL, nTSecurityDescriptor=d.sd("user", deny="(OD;;RP;%s;;%s)" % (S_RESTRICTIONS, READER_SID))):
        ["userAccountControl", "accountExpires", "pwdLastSet"],
    group("Sealed Members", SPECIAL, members=people, nTSecurityDescriptor=d.sd("group", deny="(OD;;RP;%s;;%s)" % (G_MEMBER, READER_SID))): ["member"],
    group("Sealed ACL", SPECIAL, members=people, nTSecurityDescriptor=d.sd("group", deny="(D;;RC;;;%s)" % READER_SID)): ["nTSecurityDescriptor"],
}
d.mod(staff[7], {"manager": vault_users[0]})

# ---------------------------------------------------------------- groups
groups = []  # (dn, kind) that may become members of others
big = group("Everyone Big", SPECIAL, UNIVERSAL | SECURITY, members=staff[:N_BIG], description="%d members" % N_BIG)
hidden.append(group("Empty DACL", SPECIAL, members=staff[:3], nTSecurityDescriptor=d.sd("", raw="PAI")))
group("Owned by a plain user", SPECIAL, members=staff[:2], nTSecurityDescriptor=d.sd("group", owner=owners[0]))
group("Owner Rights", SPECIAL, nTSecurityDescriptor=d.sd("group", allow="(A;;RC;;;OW)", owner=owners[0]))
group("Empty", SPECIAL)
group("Leer (Verteiler)", SPECIAL, UNIVERSAL)
group("<b>Bold</b>, \"quoted\" #1", SPECIAL, members=staff[:2], description="=1+1")
group("مجموعة 東京 Ωμέγα", SPECIAL, LOCAL | SECURITY, members=staff[:2])
CHAIN = 20
link = user("u.chain", SPECIAL, "Deep Chain User")
for i in range(1, CHAIN + 1):
    link = group("Chain %02d" % i, SPECIAL, UNIVERSAL | SECURITY, members=[link])
ring = [group("Ring %d" % i, SPECIAL, members=[staff[i]]) for i in range(10)]
for a, b in zip(ring, ring[1:] + ring[:1]):
    d.join(a, b)
pair = [group("Pair A", SPECIAL, UNIVERSAL | SECURITY), group("Pair B", SPECIAL, UNIVERSAL | SECURITY)]
d.join(pair[0], pair[1])
d.join(pair[1], pair[0])
own = group("Contains Itself", SPECIAL, UNIVERSAL | SECURITY, members=staff[3:5])
d.join(own, own)

# foreign principals, well-known ones among them
fsps = {}


def fsp(sid):
    if sid not in fsps:
        fsps[sid] = d.add("CN=%s,CN=ForeignSecurityPrincipals,%s" % (sid, BASE), "foreignSecurityPrincipal", objectSid=ndr_pack(security.dom_sid(sid)))
    return fsps[sid]


local = [group("DL Partner %d" % i, EXTERNALS, LOCAL | SECURITY) for i in range(3)]
for i, g in enumerate(local):
    d.join(g, *[fsp("%s-%d" % (FOREIGN, rid)) for rid in (1105 + i, 1110, 1177)[:2 + (i == 2)]])
d.join(local[0], fsp(FOREIGN + "-512"))
d.join(local[1], "CN=S-1-5-11,CN=ForeignSecurityPrincipals," + BASE, fsp("S-1-1-0"))

n = 0
for city, top, sub in sites:
    for dept in DEPTS:
        if MODE == "small" and dept not in DEPTS[:4]:
            continue
        mine = staff[len(groups) % N_USERS::max(97, N_USERS // 40)]
        gg = group("GG %s %s" % (city[0], dept), sub[1], members=mine, nTSecurityDescriptor=templated("group", n, trustees, owners),
                   description="%s, %s" % (dept, city[0]), managedBy=mine[0] if n % 3 == 0 else None)
        dl = group("DL %s %s" % (city[0], dept), sub[1], LOCAL | SECURITY, members=[gg], nTSecurityDescriptor=templated("group", n + 1, trustees, owners))
        groups += [(gg, GLOBAL | SECURITY), (dl, LOCAL | SECURITY)]
        n += 2
KINDS = [GLOBAL | SECURITY] * 5 + [UNIVERSAL | SECURITY] * 3 + [LOCAL | SECURITY] * 3 + [UNIVERSAL] * 3 + [GLOBAL, LOCAL]
FITS = {GLOBAL: (GLOBAL,), UNIVERSAL: (GLOBAL, UNIVERSAL), LOCAL: (GLOBAL, UNIVERSAL, LOCAL)}
while len(groups) < N_GROUPS:
    kind = rng.choice(KINDS)
    members = [] if rng.random() < .08 else rng.sample(staff, rng.choice((1, 2, 3, 5, 8, 20, 60)))
    for _ in range(rng.choice((0, 0, 0, 1, 2))):
        g, k = rng.choice(groups)
        if k & 14 in FITS[kind & 14] and g not in members:
            members.append(g)
    name = "%s %04d %s" % ("PRJ" if kind & SECURITY else "Liste", len(groups), rng.choice(DEPTS))
    where = rng.choice(sites)[2][1] if rng.random() < .95 else "CN=Users," + BASE
    g = group(name, where, kind, members=members, nTSecurityDescriptor=templated("group", n, trustees, owners),
              mail="list%04d@example.test" % len(groups) if not kind & SECURITY else None,
              managedBy=rng.choice(staff) if rng.random() < .3 else None, info="since 20%02d" % rng.randint(0, 26) if rng.random() < .1 else None)
    groups.append((g, kind))
    n += 1
primary = group("Contractors", SPECIAL, members=staff[20:20 + N_PRIMARY])
for u in staff[20:20 + N_PRIMARY]:
    d.mod(u, {"primaryGroupID": int(d.sid(primary).split("-")[-1])})

# --- administrators, by every road
DA, BA = "CN=Domain Admins,CN=Users," + BASE, "CN=Administrators,CN=Builtin," + BASE
EA = "CN=Organisations-Admins,CN=Users," + BASE  # the German name of Enterprise Admins: only the SID tells
d.db.rename("CN=Enterprise Admins,CN=Users," + BASE, EA)
d.mod(EA, {"sAMAccountName": "Organisations-Admins"})


def admin(sam, cn, **kw):
    return user(sam, TIER0, cn, adminCount=1, **kw)


d.join(DA, admin("a.direct", "Admin Direct"), admin("a.disabled", "Admin Disabled", uac=NORMAL | DISABLED))
t0ops = group("T0 Operators", TIER0, members=[admin("a.nested", "Admin Nested")])
d.join(DA, group("T0 Admins", TIER0, members=[t0ops]))
a = admin("a.primary", "Admin by primary group")  # in no member attribute at all
d.join(DA, a)
d.mod(a, {"primaryGroupID": 512})
a = admin("a.primnest", "Admin by nested primary group")
t0prim = group("T0 Primary", TIER0, members=[a])
d.mod(a, {"primaryGroupID": int(d.sid(t0prim).split("-")[-1])})
d.join(DA, t0prim)
d.join(EA, admin("a.orga", "Admin Organisation"))
d.join(BA, admin("a.builtin", "Admin Builtin"), fsp(FOREIGN + "-500"),
       group("DL Server Admins", TIER0, LOCAL | SECURITY, members=[admin("a.lokal", "Admin Lokal")]))
cyc = [group("Cyc A", TIER0, members=[admin("a.cycle", "Admin in a circle")]), group("Cyc B", TIER0)]
d.join(cyc[0], cyc[1])
d.join(cyc[1], cyc[0])
d.join(DA, cyc[1])
# a distribution group is in no token: not an administrator
d.join(DA, group("DL Admin News", TIER0, UNIVERSAL, members=[admin("a.dlist", "Not Admin: distribution list")]))
# names alone mean nothing: not an administrator
decoy = admin("a.decoy", "Not Admin: names only")
for name in "Domänen-Admins", "Domain Admins (old)", "Administratoren", "Administrators ":
    group(name, TIER0, sam=name.strip() + (" 2" if name[-1] == " " else ""), members=[decoy])
# hidden from the reader: the user, or the group that makes one
d.join(DA, vault_users[1], vault_group)
d.join(vault_group, admin("a.viahidden", "Admin via a hidden group"))

# --- password policies
PSC = "CN=Password Settings Container,CN=System," + BASE
pso_rules = [("PSO Executives", 10, 14, 30, 5, 3600, [group("PSO Executives Members", SPECIAL, members=staff[10:15] + [user("u.psoexpired", SPECIAL, pwdLastSet=ago(70))])]),
             ("PSO One User", 5, 20, None, 3, 7200, [user("u.pso", SPECIAL, pwdLastSet=ago(400))]),  # old, but never expires
             ("PSO Lock For Ever", 20, 7, 365, 3, None, [lockpso])]
d.join(pso_rules[0][6][0], group("PSO Nested", SPECIAL, members=[user("u.psonested", SPECIAL)]))
for u in staff[10:15]:
    d.mod(u, {"pwdLastSet": ago(3)}, controls=[RAW])
NEVER = -0x8000000000000000
for name, prec, length, age, threshold, duration, to in pso_rules:
    d.add("CN=%s,%s" % (name, PSC), "msDS-PasswordSettings", **{
        "msDS_PasswordSettingsPrecedence": prec, "msDS_PasswordReversibleEncryptionEnabled": "FALSE", "msDS_PasswordHistoryLength": 24,
        "msDS_PasswordComplexityEnabled": "TRUE", "msDS_MinimumPasswordLength": length, "msDS_MinimumPasswordAge": 0,
        "msDS_MaximumPasswordAge": -age * DAY * 10 ** 7 if age else NEVER, "msDS_LockoutThreshold": threshold,
        "msDS_LockoutObservationWindow": -1800 * 10 ** 7, "msDS_LockoutDuration": -duration * 10 ** 7 if duration else NEVER,
        "msDS_PSOAppliesTo": to})
pso_users = {"u.pso": "PSO One User", "u.lock.pso": "PSO Lock For Ever", "u.psonested": "PSO Executives", "u.psoexpired": "PSO Executives"}

# ---------------------------------------------------------------- computers, service accounts, contacts
OSES = [("Windows 11 Enterprise", "10.0 (22631)"), ("Windows 10 Enterprise", "10.0 (19045)"), ("Windows 7 Professional", "6.1 (7601)")]
SERVERS = [("Windows Server 2022 Standard", "10.0 (20348)"), ("Windows Server 2012 R2 Standard", "6.3 (9600)"), ("Debian GNU/Linux", "12")]


def computer(name, where, uac=WORKSTATION, os=OSES[0], **attrs):
    return d.add("CN=%s,%s" % (name, where), "computer", sAMAccountName=name + "$", userAccountControl=uac, dNSHostName="%s.%s" % (name.lower(), DOM),
                 operatingSystem=os[0], operatingSystemVersion=os[1], servicePrincipalName=["HOST/" + name, "HOST/%s.%s" % (name.lower(), DOM)], **attrs)


servers = []
for i in range(N_COMPUTERS):
    city, top, sub = sites[i % N_CITIES]
    seen = dict(lastLogonTimestamp=ago(rng.uniform(0, 14) if rng.random() < .9 else rng.uniform(100, 900)), pwdLastSet=ago(rng.uniform(0, 30))) if rng.random() < .95 else {}
    uac = WORKSTATION | (DISABLED if rng.random() < .05 else 0)
    if i % 4 == 0:
        k = i // 4
        uac |= (DELEGATE if k == 1 else TOAUTH if k == 2 else 0)
        servers.append(computer("SRV-%04d" % (k + 1), sub[2], uac, rng.choice(SERVERS), description="Server, \"%s\"" % city[0], managedBy=deleg[1],
                                msDS_AllowedToDelegateTo=["cifs/srv-0001." + DOM] if k == 2 else None,
                                msDS_AllowedToActOnBehalfOfOtherIdentity=d.sd("", raw="(A;;GA;;;%s)" % trustees[5]) if k == 0 else None, **seen))
    else:
        computer("WS-%04d" % i, sub[2] if i % 10 else "CN=Computers," + BASE, uac, rng.choice(OSES), managedBy=rng.choice(staff) if i % 9 == 1 else None, **seen)
d.join(t0ops, servers[0])

MSA = "CN=Managed Service Accounts," + BASE
few = 2 if MODE == "small" else 6
for i in range(few):
    g = d.add("CN=gmsa-app%d,%s" % (i + 1, MSA), "msDS-GroupManagedServiceAccount", sAMAccountName="gmsa-app%d$" % (i + 1), userAccountControl=WORKSTATION,
              dNSHostName="gmsa-app%d.%s" % (i + 1, DOM), msDS_ManagedPasswordInterval=30, servicePrincipalName=["http/app%d.%s" % (i + 1, DOM)],
              msDS_GroupMSAMembership=d.sd("", raw="(A;;GA;;;%s)" % d.sid(servers[0])), description="gMSA, #%d" % (i + 1))
    if i == 0:
        d.join(t0ops, g)
    s = d.add("CN=smsa-job%d,%s" % (i + 1, MSA if i else SERVICE), "msDS-ManagedServiceAccount", sAMAccountName="smsa-job%d$" % (i + 1),
              userAccountControl=WORKSTATION | (DISABLED if i == 1 else 0))
    d.mod(servers[i % len(servers)], {"msDS-HostServiceAccount": s}, ldb.FLAG_MOD_ADD)
contacts = []
for i in range(N_CONTACTS):
    name = "%s %s (ext. %d)" % (rng.choice(GIVEN), rng.choice(SURNAMES), i)
    mail = "contact%d@partner.example" % i
    contacts.append(d.add("CN=%s,%s" % (rdn(name), EXTERNALS), "contact", displayName=name, mail=mail, proxyAddresses=["SMTP:" + mail], company="Partner, Inc."))
group("Partners (Verteiler)", EXTERNALS, UNIVERSAL, members=contacts + local[:1], mail="partners@example.test")
for i, dn in enumerate(ous):
    d.mod(dn, {"managedBy": staff[i] if i % 3 else deleg[0]})

d.db.transaction_commit()
t1 = time.time()

# ---------------------------------------------------------------- the truth
rows = []
for r in d.db.search(BASE, ldb.SCOPE_SUBTREE, "(|(objectClass=person)(objectClass=group)(objectClass=organizationalUnit)(objectClass=foreignSecurityPrincipal))",
                     ["objectClass", "sAMAccountName", "userAccountControl", "member", "groupType", "objectSid", "primaryGroupID", "accountExpires",
                      "pwdLastSet", "lastLogon", "lastLogonTimestamp"]):
    cls = {str(c) for c in r["objectClass"]}
    kind = ("service_accounts" if cls & {"msDS-GroupManagedServiceAccount", "msDS-ManagedServiceAccount"} else "computers" if "computer" in cls
            else "users" if "user" in cls else "contacts" if "contact" in cls else "groups" if "group" in cls
            else "ous" if "organizationalUnit" in cls else "fsps" if "foreignSecurityPrincipal" in cls else None)
    if kind:
        rows.append((str(r.dn), kind, r))
by_dn = {dn.lower(): (kind, r) for dn, kind, r in rows}
hid = {str(ldb.Dn(d.db, x)).lower() for x in hidden}


def num(r, a):
    return int(str(r[a])) if a in r else None


def name_of(r):
    return str(r["sAMAccountName"])


def users(test):
    return sorted(name_of(r) for _, kind, r in rows if kind == "users" and test(r))


def inside(*tops):
    """Everybody in these groups, nested security groups and primary groups included: {kind: names}."""
    todo, seen, found = list(tops), set(), {}
    while todo:
        dn = todo.pop().lower()
        if dn in seen or dn not in by_dn:
            continue
        seen.add(dn)
        kind, r = by_dn[dn]
        if kind == "groups":
            if num(r, "groupType") & 0x80000000:
                todo += [str(m) for m in r.get("member", [])]
                rid = d.db.schema_format_value("objectSid", r["objectSid"][0]).decode()
                if rid.startswith(d.domsid):
                    todo += [x for x, _, o in rows if num(o, "primaryGroupID") == int(rid.split("-")[-1])]
        else:
            found.setdefault(kind, []).append(name_of(r) if kind != "fsps" else dn.split(",")[0][3:].upper())
    return {k: sorted(v) for k, v in found.items()}


pso_users.update({name_of(by_dn[x.lower()][1]): "PSO Executives" for x in staff[10:15]})
max_age = {"PSO Executives": 30, "PSO One User": None, "PSO Lock For Ever": 365, None: 90}


def too_old(r):
    days = max_age[pso_users.get(name_of(r))]
    if num(r, "userAccountControl") & (NOEXPIRE | SMARTCARD) or days is None:
        return False
    return (num(r, "pwdLastSet") or 0) < ago(days)


def uac(bit):
    return users(lambda r: num(r, "userAccountControl") & bit)


kinds = ("users", "groups", "computers", "service_accounts", "contacts", "fsps", "ous")
da, full = inside(DA), inside(DA, BA)
now_nt = nt(NOW)
truth = {
    "mode": MODE, "seed": SEED, "domain": DOM, "base": BASE, "domain_sid": d.domsid, "populated": int(NOW), "dcs": ["DC1"],
    "counts": {k: sum(x[1] == k for x in rows) for k in kinds},
    "reader_counts": {k: sum(x[1] == k and x[0].lower() not in hid for x in rows) for k in kinds},
    "hidden_dns": [str(ldb.Dn(d.db, x)) for x in hidden],
    "hidden_users": sorted(name_of(by_dn[x][1]) for x in hid if by_dn[x][0] == "users"),
    "bare_dns": [str(ldb.Dn(d.db, x)) for x in hidden if "Empty DACL" in x or x == VAULT or "u.hidden" in x],
    "reader_partial": {str(ldb.Dn(d.db, k)): v for k, v in partial.items()},
    "domain_admins": da["users"], "full_admins": full["users"],
    "full_admin_others": {k: v for k, v in full.items() if k != "users"},
    "not_admins": ["a.decoy", "a.dlist"],
    "disabled": uac(DISABLED), "password_never_expires": uac(NOEXPIRE), "password_not_required": uac(NOTREQD), "no_preauth": uac(NOPREAUTH),
    "smartcard": uac(SMARTCARD), "delegation": uac(DELEGATE | TOAUTH),
    "expired": users(lambda r: 0 < (num(r, "accountExpires") or 0) < now_nt),
    "locked": ["door.locked", "u.lock.pso"],
    "password_expired": users(too_old),  # must_change included
    "must_change": users(lambda r: num(r, "pwdLastSet") == 0),
    "never_logged_on": users(lambda r: not num(r, "lastLogon") and not num(r, "lastLogonTimestamp")),
    "pso_users": pso_users,
    "everyone_big": {"dn": big, "members": N_BIG}, "chain": {"top": link, "depth": CHAIN, "user": "u.chain"},
    "cycles": [["Ring %d" % i for i in range(10)], ["Pair A", "Pair B"], ["Contains Itself"], ["Cyc A", "Cyc B"]],
}
with open(LAB + "/truth.json", "w") as f:
    json.dump(truth, f, indent=1, ensure_ascii=False)
print(json.dumps({"counts": truth["counts"], "seconds": {"write": round(t1 - t0, 1), "truth": round(time.time() - t1, 1)}}))
