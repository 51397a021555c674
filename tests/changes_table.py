"""changes_table - every kind of change that a directory can go through, as rows for changes_test.py.

A row is a generator over a Domain `d`: what comes before its first yield makes its objects, before the baseline; each further part
makes changes at the domain controller and yields what a sync must tell of the row's own objects: a list of
(kind, name, change, attribute[, member]), [] for nothing, or ORACLE where only the comparison with a full run counts.
Rows touch objects of their own only. They stand in groups, because a change of structure makes a sync read more than it else would,
which must not hide what it misses alone.
"""
from domain import DISABLED, LOCAL, NORMAL, SECURITY, UNIVERSAL

ORACLE = None
FIELD = {"plain": [], "tree": [], "policy": []}  # rows in groups
MANY = 100


def row(name, group="plain"):
    def register(f):
        FIELD[group].append((name, f))
        return f
    return register


def modified(name, *attributes, kind="user"):
    return [(kind, name, "modified", a) for a in attributes]


def born(name, kind="user", primary="Domain Users"):
    return [(kind, name, "created", ""), ("group", primary, "member_added", "primaryGroupID", name)]


def died(name, kind="user", primary="Domain Users"):
    return [(kind, name, "deleted", ""), ("group", primary, "member_removed", "primaryGroupID", name)]


def back(name, kind="user", primary="Domain Users"):
    return [(kind, name, "restored", ""), ("group", primary, "member_added", "primaryGroupID", name)]


REANIMATED = ("displayName", "adminCount", "userPrincipalName")  # what this server does to one that is undeleted


def added(group, *members):
    return [("group", group, "member_added", "member", m) for m in members]


def removed(group, *members):
    return [("group", group, "member_removed", "member", m) for m in members]


# --- attributes ----------------------------------------------------------------------------------------------

@row("attribute set, replaced, cleared")
def _(d):
    u = d.user("c.attr", d.here)
    yield
    d.set(u, title="Clerk")
    yield modified("c.attr", "title")
    d.set(u, title="Überprüferin, 係長")
    yield modified("c.attr", "title")
    d.set(u, title=None)
    yield modified("c.attr", "title")


@row("several attributes at once")
def _(d):
    u = d.user("c.several", d.here, department="Sales", mail="a@example.test")
    yield
    d.set(u, department="Legal", mail=None, telephoneNumber="+49 1")
    yield modified("c.several", "department", "mail", "telephoneNumber")


@row("value of many added and removed")
def _(d):
    u = d.user("c.many", d.here, proxyAddresses=["SMTP:c@example.test"])
    yield
    d.add(u, proxyAddresses="smtp:c2@example.test")
    yield modified("c.many", "proxyAddresses")
    d.remove(u, proxyAddresses="SMTP:c@example.test")
    yield modified("c.many", "proxyAddresses")


@row("binary attribute")
def _(d):
    u = d.user("c.binary", d.here)
    yield
    d.set(u, mS_DS_ConsistencyGuid=bytes(range(16)))
    yield modified("c.binary", "mS-DS-ConsistencyGuid")


@row("attribute that is not collected, the same value again, there and back")
def _(d):
    u = d.user("c.nothing", d.here, title="Clerk")
    yield
    d.set(u, homePhone="1")
    d.set(u, title="Clerk")
    d.set(u, department="Sales")
    d.set(u, department=None)
    yield []


@row("custom property")
def _(d):
    u = d.user("c.custom", d.here)
    yield
    d.set(u, roomNumber=["1", "2"])
    yield modified("c.custom", "roomNumber")
    d.set(u, roomNumber=None)
    yield modified("c.custom", "roomNumber")


@row("account name and principal name")
def _(d):
    u, v = d.user("c.sam", d.here), d.user("c.upn", d.here)
    d.names += ["c.sam2"]
    yield
    d.set(u, sAMAccountName="c.sam2")
    d.set(v, userPrincipalName="other@example.test")
    yield modified("c.sam2", "sAMAccountName") + modified("c.upn", "userPrincipalName")


@row("two users exchange their account names")
def _(d):
    a, b = (d.user("c.swap." + x, d.here, userPrincipalName=x + "@example.test") for x in "ab")
    yield
    d.set(a, sAMAccountName="c.swap.x")
    d.set(b, sAMAccountName="c.swap.a")
    d.set(a, sAMAccountName="c.swap.b")
    yield modified("c.swap.a", "sAMAccountName") + modified("c.swap.b", "sAMAccountName")


@row("service principal name")
def _(d):
    u = d.user("c.spn", d.here)
    yield
    d.add(u, servicePrincipalName="HTTP/c.spn.example.test")
    yield modified("c.spn", "servicePrincipalName")


@row("account expires")
def _(d):
    u = d.user("c.expires", d.here)
    yield
    d.set(u, accountExpires=134774928000000000)
    yield modified("c.expires", "accountExpires")
    d.set(u, accountExpires=0x7FFFFFFFFFFFFFFF)
    yield modified("c.expires", "accountExpires")


# --- names and places --------------------------------------------------------------------------------------------

@row("rename, also of case only")
def _(d):
    u, v = d.user("c.rename", d.here), d.user("c.case", d.here)
    yield
    d.move(u, "CN=Renamed\\, Ännchen #1,%s" % d.here)
    d.move(v, "CN=C.Case,%s" % d.here)
    yield [("user", "c.rename", "renamed", "distinguishedName"), ("user", "c.case", "renamed", "distinguishedName")]


@row("move out of and back into the Base DN")
def _(d):
    u = d.user("c.move", d.here)
    yield
    u = d.move(u, "CN=c.move," + d.there)
    yield [("user", "c.move", "moved", "distinguishedName")]
    d.move(u, "CN=c.move," + d.here)
    yield [("user", "c.move", "moved", "distinguishedName")]


@row("move and rename at once")
def _(d):
    u = d.user("c.both", d.here)
    yield
    d.move(u, "CN=c.both2," + d.there)
    yield ORACLE


@row("manager: set, renamed, deleted")
def _(d):
    m, u = d.user("c.boss", d.here), d.user("c.staff", d.here)
    yield
    d.set(u, manager=m)
    yield modified("c.staff", "manager")
    m = d.move(m, "CN=c.boss2," + d.here)
    yield ORACLE
    d.delete(m)
    yield ORACLE


# --- the states of an account ---------------------------------------------------------------------------------------

@row("disable, enable")
def _(d):
    u = d.user("c.disable", d.here)
    yield
    d.set(u, userAccountControl=DISABLED)
    yield modified("c.disable", "userAccountControl")
    d.set(u, userAccountControl=NORMAL | 0x20)
    yield modified("c.disable", "userAccountControl")


@row("lock, unlock")
def _(d):
    u = d.user("c.lock", d.here)
    d.pso("c.strict", 11, u, threshold=3)
    yield
    d.password(u)
    yield modified("c.lock", "pwdLastSet")
    d.lock("c.lock", 3)
    yield modified("c.lock", "lockoutTime")
    d.set(u, lockoutTime=0)
    yield modified("c.lock", "lockoutTime")


@row("password set, must change, need not")
def _(d):
    u = d.user("c.password", d.here)
    yield
    d.password(u)
    yield modified("c.password", "pwdLastSet")
    d.set(u, pwdLastSet=0)
    yield modified("c.password", "pwdLastSet")
    d.set(u, pwdLastSet=-1)
    yield modified("c.password", "pwdLastSet")


# --- memberships ----------------------------------------------------------------------------------------------------

@row("member added, removed")
def _(d):
    g, u = d.group("c.team", d.there), d.user("c.member", d.here)
    yield
    d.add(g, member=u)
    yield added("c.team", "c.member")
    d.remove(g, member=u)
    yield removed("c.team", "c.member")


@row("member removed and added between two runs")
def _(d):
    u = d.user("c.again", d.here)
    g = d.group("c.again.team", d.there, u)
    yield
    d.remove(g, member=u)
    d.add(g, member=u)
    yield []


@row("members replaced")
def _(d):
    a, b, c = (d.user("c.repl." + x, d.here) for x in "abc")
    g = d.group("c.repl.team", d.there, a, b)
    yield
    d.set(g, member=[b, c])
    yield added("c.repl.team", "c.repl.c") + removed("c.repl.team", "c.repl.a")
    d.set(g, member=None)
    yield removed("c.repl.team", "c.repl.b", "c.repl.c")


@row("nested group added and removed, and what it makes of its members")
def _(d):
    inner = d.group("c.inner", d.there, d.user("c.innermost", d.here))
    outer = d.group("c.outer", d.there, inner)
    admins = "CN=Domain Admins,CN=Users," + d.base
    yield
    d.add(admins, member=outer)
    yield added("Domain Admins", "c.outer")
    d.remove(outer, member=inner)
    yield removed("c.outer", "c.inner")
    d.remove(admins, member=outer)
    yield removed("Domain Admins", "c.outer")


@row("primary group")
def _(d):
    u = d.user("c.primary", d.here)
    g = d.group("c.primary.team", d.there, u)
    yield
    d.set(u, primaryGroupID=d.rid(g))  # the server takes it from member there, and puts it into member of the old one
    there = [("group", "c.primary.team", "member_%s", "member", "c.primary"), ("group", "c.primary.team", "member_%s", "primaryGroupID", "c.primary"),
             ("group", "Domain Users", "member_%s", "primaryGroupID", "c.primary"), ("group", "Domain Users", "member_%s", "member", "c.primary")]
    words = ("removed", "added", "removed", "added")
    yield modified("c.primary", "primaryGroupID") + [(k, n, c % w, *rest) for (k, n, c, *rest), w in zip(there, words)]
    d.set(u, primaryGroupID=513)
    words = ("added", "removed", "added", "removed")
    yield modified("c.primary", "primaryGroupID") + [(k, n, c % w, *rest) for (k, n, c, *rest), w in zip(there, words)]


@row("foreign principal added")
def _(d):
    g = d.group("c.local", d.there, kind=LOCAL | SECURITY)
    d.names.append("S-1-5-21-4040404040-222222222-333333333-1200")
    yield
    d.add(g, member="<SID=S-1-5-21-4040404040-222222222-333333333-1200>")
    yield ORACLE


@row("computer and contact as members")
def _(d):
    g = d.group("c.mixed", d.there, kind=UNIVERSAL | SECURITY)
    c, x = d.computer("C-MIXED", d.here), d.create("CN=c.mixed.contact," + d.here, "contact")
    yield
    d.add(g, member=[c, x])
    yield added("c.mixed", "C-MIXED$", "c.mixed.contact")
    d.delete(x)
    yield [("contact", "c.mixed.contact", "deleted", "")] + removed("c.mixed", "c.mixed.contact")


# --- groups ---------------------------------------------------------------------------------------------------------

@row("group created, renamed, deleted")
def _(d):
    u = d.user("c.life", d.here)
    d.names += ["c.life.team"]
    yield
    g = d.group("c.life.team", d.there, u)
    yield [("group", "c.life.team", "created", "")] + added("c.life.team", "c.life")
    g = d.move(g, "CN=c.life.team2," + d.there)
    yield [("group", "c.life.team", "renamed", "distinguishedName")]
    d.delete(g)
    yield [("group", "c.life.team", "deleted", "")]


@row("group with members moved")
def _(d):
    g = d.group("c.gmove", d.there, d.user("c.gmove.user", d.here))
    d.group("c.gmove.outer", d.there, g)
    yield
    d.move(g, "CN=c.gmove," + d.here)
    yield [("group", "c.gmove", "moved", "distinguishedName")]


@row("type and scope of a group")
def _(d):
    g = d.group("c.type", d.there, d.user("c.type.user", d.here))
    yield
    d.set(g, groupType=UNIVERSAL | SECURITY)
    yield ORACLE
    d.set(g, groupType=UNIVERSAL)
    yield ORACLE


@row("managedBy, description, mail of a group")
def _(d):
    g, u = d.group("c.owned", d.there), d.user("c.owner", d.here)
    yield
    d.set(g, managedBy=u, description="Ours", mail="owned@example.test")
    yield modified("c.owned", "managedBy", "description", "mail", kind="group")


@row("security descriptor of a group, its owner")
def _(d):
    g, u = d.group("c.acl", d.there), d.user("c.trustee", d.here)
    yield
    sid = d.sid(u)
    old = d.ace(g, "(A;;WP;;;%s)" % sid)
    yield modified("c.acl", "nTSecurityDescriptor", kind="group")
    d.set_sddl(g, old)
    yield modified("c.acl", "nTSecurityDescriptor", kind="group")
    d.set_sddl(g, "O:" + sid + old[old.index("G:"):])
    yield modified("c.acl", "nTSecurityDescriptor", kind="group")


@row("members of a group hidden from the reader and shown")
def _(d):
    g = d.group("c.sealed", d.there, d.user("c.sealed.user", d.here))
    yield
    old = d.ace(g, "(OD;;RP;bf9679c0-0de6-11d0-a285-00aa003049e2;;%s)" % d.reader)
    yield ORACLE
    d.set_sddl(g, old)
    yield ORACLE


# --- born, gone, back ---------------------------------------------------------------------------------------------------

@row("user created, deleted, undeleted")
def _(d):
    d.names.append("c.birth")
    yield
    u = d.user("c.birth", d.here)
    guid = d.guid(u)
    yield born("c.birth")
    d.delete(u)
    yield died("c.birth")
    d.undelete(guid, u)
    yield back("c.birth") + modified("c.birth", *REANIMATED)


@row("user with groups deleted, undeleted without them")
def _(d):
    u = d.user("c.gone", d.here)
    d.group("c.gone.team", d.there, u)
    yield
    guid = d.guid(u)
    d.delete(u)
    yield died("c.gone") + removed("c.gone.team", "c.gone")
    d.undelete(guid, u)
    yield back("c.gone") + modified("c.gone", *REANIMATED)


@row("created and deleted between two runs")
def _(d):
    d.names += ["c.mayfly", "c.mayfly.team"]
    yield
    u = d.user("c.mayfly", d.here)
    g = d.group("c.mayfly.team", d.there, u)
    d.delete(u)
    d.delete(g)
    yield []


@row("deleted and undeleted between two runs")
def _(d):
    u = d.user("c.phoenix", d.here)
    yield
    guid = d.guid(u)
    d.delete(u)
    d.undelete(guid, u)
    yield modified("c.phoenix", *REANIMATED)


@row("deleted, and another of the same name")
def _(d):
    u = d.user("c.twin", d.here)
    g = d.group("c.twin.team", d.there, u)
    yield
    d.delete(u)
    u = d.user("c.twin", d.here)
    d.add(g, member=u)
    yield died("c.twin") + removed("c.twin.team", "c.twin") + born("c.twin") + added("c.twin.team", "c.twin")


@row("renamed, then deleted; changed, then deleted")
def _(d):
    u, v = d.user("c.end.a", d.here), d.user("c.end.b", d.here)
    yield
    d.delete(d.move(u, "CN=c.end.x," + d.there))
    d.set(v, title="Short")
    d.delete(v)
    yield died("c.end.a") + died("c.end.b")


@row("hidden from the reader and shown")
def _(d):
    u = d.user("c.hide", d.here)
    d.group("c.hide.team", d.there, u)
    yield
    old = d.ace(u, "(D;;GA;;;%s)" % d.reader)
    yield died("c.hide") + removed("c.hide.team", "c.hide")
    d.set_sddl(u, old)
    yield back("c.hide") + added("c.hide.team", "c.hide") + modified("c.hide", "nTSecurityDescriptor")


@row("hidden from the reader, changed, shown")
def _(d):
    u = d.user("c.veil", d.here)
    yield
    old = d.ace(u, "(D;;GA;;;%s)" % d.reader)
    d.set(u, title="Behind the veil")
    yield ORACLE
    d.set(u, department="Sales")
    d.set_sddl(u, old)
    yield ORACLE


# --- the other kinds --------------------------------------------------------------------------------------------------

@row("computer created, changed, deleted")
def _(d):
    d.names.append("C-LIFE$")
    yield
    c = d.computer("C-LIFE", d.here)
    yield born("C-LIFE$", "computer", "Domain Computers")
    d.set(c, operatingSystem="Debian GNU/Linux", dNSHostName="c-life." + d.dns)
    yield modified("C-LIFE$", "operatingSystem", "dNSHostName", kind="computer")
    d.delete(c)
    yield died("C-LIFE$", "computer", "Domain Computers")


@row("managed service account")
def _(d):
    g = d.create("CN=c-gmsa,CN=Managed Service Accounts," + d.base, "msDS-GroupManagedServiceAccount", sAMAccountName="c-gmsa$",
                 userAccountControl=0x1000, msDS_ManagedPasswordInterval=30)
    c = d.computer("C-HOST", d.here)
    yield
    d.set(g, description="changed", dNSHostName="gmsa." + d.dns)
    yield modified("c-gmsa$", "description", "dNSHostName", kind="service_account")
    d.set(c, msDS_HostServiceAccount=g)  # seen at its other end only
    yield modified("c-gmsa$", "msDS-HostServiceAccountBL", kind="service_account")


@row("contact created, changed, deleted")
def _(d):
    d.names.append("c.contact")
    yield
    c = d.create("CN=c.contact," + d.here, "contact", mail="x@example.test")
    yield [("contact", "c.contact", "created", "")]
    d.set(c, mail="y@example.test")
    yield modified("c.contact", "mail", kind="contact")
    d.delete(c)
    yield [("contact", "c.contact", "deleted", "")]


@row("a hundred changes at once")
def _(d):
    users = [d.user("c.lot%02d" % i, d.here) for i in range(MANY)]
    yield
    for i, u in enumerate(users):
        d.set(u, title="Number %d" % i)
    yield [("user", "c.lot%02d" % i, "modified", "title") for i in range(MANY)]


# On nobody's account is written that his policy changed: no event is missing, but the computed date follows with the next full run.
LAGGING, LAGS = "c.pso.", ("msDS-UserPasswordExpiryTimeComputed", "password_expires", "password_never_expires")


@row("fine-grained policy linked, changed, a member more for its group")
def _(d):
    u, v = d.user("c.pso.a", d.here), d.user("c.pso.b", d.here)
    g = d.group("c.pso.team", d.there)
    p = d.pso("c.pso", 12)
    for account in u, v:  # only a password expires
        d.password(account)
    yield
    d.add(p, msDS_PSOAppliesTo=[u, g])
    yield ORACLE
    d.add(g, member=v)
    yield added("c.pso.team", "c.pso.b")
    d.set(p, msDS_MaximumPasswordAge=-10 * 86400 * 10 ** 7)
    yield ORACLE


@row("custom property whose attribute comes into being later")
def _(d):
    u = d.user("c.badge", d.here)
    yield
    d.new_attribute("rollcallBadge", "1.3.6.1.4.1.99999.1.1", "user")
    d.set(u, rollcallBadge="B-1")
    yield modified("c.badge", "rollcallBadge")


# --- structure: what changes below without a word ---------------------------------------------------------------------------

def tree(d, name):
    """An OU with an OU, a user and a group with a member outside in it."""
    top = d.ou(name, d.there)
    low = d.ou(name + ".low", top)
    u = d.user(name + ".user", low, manager=d.user(name + ".boss", top))
    d.group(name + ".team", top, u, d.user(name + ".away", d.here))
    d.group(name + ".outside", d.there, u)
    return top, low, u


@row("organizational unit created, changed, deleted", "tree")
def _(d):
    d.names.append("c.ou")
    yield
    o = d.ou("c.ou", d.here)
    yield [("ou", "c.ou", "created", "")]
    d.set(o, description="new", gPOptions=1)
    yield modified("c.ou", "description", "gPOptions", kind="ou")
    d.delete(o)
    yield [("ou", "c.ou", "deleted", "")]


@row("organizational unit renamed, moved into the Base DN, out of it: all below has another name", "tree")
def _(d):
    top, _low, _u = tree(d, "c.ren")
    yield
    top = d.move(top, "OU=c.ren2," + d.there)
    yield ORACLE
    top = d.move(top, "OU=c.ren2," + d.here)
    yield ORACLE
    d.move(top, "OU=c.ren3," + d.there)
    yield ORACLE


@row("organizational unit renamed and things below deleted and changed", "tree")
def _(d):
    top, low, u = tree(d, "c.mess")
    yield
    new = d.move(top, "OU=c.mess2," + d.there)
    d.delete(u.replace(top, new))
    d.set("CN=c.mess.boss," + new, title="Boss")
    d.move(low.replace(top, new), "OU=c.mess.low," + d.here)
    yield ORACLE


@row("organizational unit deleted with everything in it, one user back in a new one", "tree")
def _(d):
    top, _low, u = tree(d, "c.del")
    yield
    guid = d.guid(u)
    d.delete(top, tree=True)
    yield ORACLE
    d.undelete(guid, "CN=c.del.user," + d.ou("c.del", d.there))
    yield ORACLE


@row("security descriptor of an organizational unit, inherited", "tree")
def _(d):
    top, _low, _u = tree(d, "c.inh")
    yield
    old = d.ace(top, "(A;CI;WP;;;AU)")
    yield ORACLE
    d.set_sddl(top, old)
    yield ORACLE


@row("organizational unit hidden from the reader with what is in it, and shown", "tree")
def _(d):
    top, _low, u = tree(d, "c.vault")
    yield
    old = d.ace(top, "(D;CI;GA;;;%s)" % d.reader)
    yield ORACLE
    d.set(u, title="while hidden")
    yield ORACLE
    d.set_sddl(top, old)
    yield ORACLE


@row("group policy linked, renamed", "tree")
def _(d):
    o = d.ou("c.gpo", d.there)
    p = d.create("CN={C0C0C0C0-2222-3333-4444-555555555555},CN=Policies,CN=System," + d.base, "groupPolicyContainer", displayName="c.policy",
                 flags=0, versionNumber=1, gPCFunctionalityVersion=2, gPCFileSysPath="\\\\x\\sysvol\\c")
    yield
    d.set(o, gPLink="[LDAP://%s;0]" % p)
    d.set(p, displayName="c.policy 2", versionNumber=2)
    yield ORACLE


@row("container renamed", "tree")
def _(d):
    c = d.create("CN=c.box," + d.there, "container")
    d.user("c.box.user", c)
    yield
    d.move(c, "CN=c.box2," + d.there)
    yield ORACLE


# --- policy: one change that many answers depend on ---------------------------------------------------------------------------

@row("password policy of the domain", "policy")
def _(d):
    d.names.append("corp")
    d.password(d.user("c.maxage", d.here))
    yield
    d.set(d.base, maxPwdAge=-30 * 86400 * 10 ** 7)
    yield ORACLE
    d.set(d.base, maxPwdAge=-90 * 86400 * 10 ** 7, lockoutThreshold=12)
    yield ORACLE


@row("security descriptor of the domain, inherited by everything", "policy")
def _(d):
    yield
    old = d.ace(d.base, "(A;CI;WP;;;AU)")
    yield ORACLE
    d.set_sddl(d.base, old)
    yield ORACLE


