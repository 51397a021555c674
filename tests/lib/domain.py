"""domain - a hand at the lab's domain controller: makes objects and changes them, by LDAP as Administrator.

While prepare() lasts, objects are written straight into the database of DC 1, in one transaction: hundreds a second.
"""
import contextlib
import subprocess

import ldb
from samba.auth import system_session
from samba.credentials import Credentials
from samba.dcerpc import security
from samba.ndr import ndr_pack, ndr_unpack
from samba.param import LoadParm
from samba.samdb import SamDB

NORMAL, DISABLED, WORKSTATION = 0x200, 0x202, 0x1000
GLOBAL, LOCAL, UNIVERSAL, SECURITY = 2, 4, 8, -0x80000000
SD_PARTS = ["sd_flags:1:7"]  # owner, group, DACL
PASSWORD = "Changed-Passw0rd.1"


class Domain:
    def __init__(self, lab, dc=1):
        self.lab, self.base, self.dns = lab, lab.base, lab.domain
        self.ip = lab.ip if dc == 1 else lab.ip2
        self.names = []  # of what was made; whoever wants to know whose it is empties it
        self.connect()

    def connect(self):
        lp = LoadParm()
        lp.set("tls verify peer", "no_check")
        who = Credentials()
        who.set_bind_dn(self.lab.admin)
        with open(self.lab.admin_pw_file) as f:
            who.set_password(f.read())
        self.db = SamDB("ldaps://" + self.ip, credentials=who, lp=lp)
        self.sid_of_domain = security.dom_sid(self.db.get_domain_sid())

    @contextlib.contextmanager
    def prepare(self):
        lp, remote = LoadParm(), self.db
        lp.load(self.lab.dir + "/dc1/etc/smb.conf")
        self.db = SamDB(url=self.lab.dir + "/dc1/private/sam.ldb", lp=lp, session_info=system_session(), options=["batch_mode:1"])
        self.db.transaction_start()
        yield
        self.db.transaction_commit()
        self.db = remote

    # --- making ------------------------------------------------------------------------------------------
    def create(self, dn, kind, **attributes):
        message = {"dn": dn, "objectClass": kind}
        message.update({k.replace("_", "-"): v if isinstance(v, (list, bytes)) else str(v) for k, v in attributes.items()})
        self.names.append(attributes.get("sAMAccountName") or str(ldb.Dn(self.db, dn).get_rdn_value()))
        self.db.add(message)
        return dn

    def ou(self, name, where=None):
        return self.create("OU=%s,%s" % (name, where or self.base), "organizationalUnit")

    def user(self, sam, where, **attributes):
        more = dict({"sAMAccountName": sam, "userPrincipalName": "%s@%s" % (sam, self.dns), "displayName": sam, "userAccountControl": NORMAL | 0x20},
                    **attributes)
        return self.create("CN=%s,%s" % (sam, where), "user", **more)

    def group(self, name, where, *members, kind=GLOBAL | SECURITY, **attributes):
        if members:
            attributes["member"] = list(members)
        return self.create("CN=%s,%s" % (name, where), "group", sAMAccountName=name, groupType=kind, **attributes)

    def computer(self, name, where, **attributes):
        return self.create("CN=%s,%s" % (name, where), "computer", sAMAccountName=name + "$", userAccountControl=WORKSTATION, **attributes)

    def pso(self, name, precedence, *to, threshold=0):
        """A fine-grained password policy: 20 days, and so many bad passwords lock for a day."""
        day = -86400 * 10 ** 7
        return self.create("CN=%s,CN=Password Settings Container,CN=System,%s" % (name, self.base), "msDS-PasswordSettings", **{
            "msDS_PasswordSettingsPrecedence": precedence, "msDS_PasswordReversibleEncryptionEnabled": "FALSE", "msDS_PasswordHistoryLength": 0,
            "msDS_PasswordComplexityEnabled": "FALSE", "msDS_MinimumPasswordLength": 4, "msDS_MinimumPasswordAge": 0,
            "msDS_MaximumPasswordAge": 20 * day, "msDS_LockoutThreshold": threshold, "msDS_LockoutObservationWindow": day,
            "msDS_LockoutDuration": day}, **({"msDS_PSOAppliesTo": list(to)} if to else {}))

    def new_attribute(self, name, oid, kind):
        """Extends the schema: a string, one value, for objects of this kind."""
        schema = str(self.db.get_schema_basedn())
        self.create("CN=%s,%s" % (name, schema), "attributeSchema", lDAPDisplayName=name, attributeID=oid, attributeSyntax="2.5.5.12", oMSyntax=64,
                    isSingleValued="TRUE")
        self.db.modify_ldif("dn:\nchangetype: modify\nreplace: schemaUpdateNow\nschemaUpdateNow: 1\n")
        self.add("CN=%s,%s" % (kind, schema), mayContain=oid)
        self.db.modify_ldif("dn:\nchangetype: modify\nreplace: schemaUpdateNow\nschemaUpdateNow: 1\n")

    # --- changing ----------------------------------------------------------------------------------------
    def _modify(self, dn, flag, attributes, controls=()):
        message = ldb.Message(ldb.Dn(self.db, dn))
        for name, value in attributes.items():
            values = [] if value is None else value if isinstance(value, list) else [value]
            name = name.replace("_", "-")
            values = [v if isinstance(v, bytes) else str(v) for v in values]
            message[name] = ldb.MessageElement(values, flag if values else ldb.FLAG_MOD_DELETE, name)
        self.db.modify(message, list(controls))

    def set(self, dn, **attributes):
        """None clears."""
        self._modify(dn, ldb.FLAG_MOD_REPLACE, attributes)

    def add(self, dn, **attributes):
        self._modify(dn, ldb.FLAG_MOD_ADD, attributes)

    def remove(self, dn, **attributes):
        self._modify(dn, ldb.FLAG_MOD_DELETE, attributes)

    def password(self, dn, password=PASSWORD):
        self.set(dn, unicodePwd=('"%s"' % password).encode("utf-16-le"))

    def move(self, dn, new):
        """Renames, moves, or both. Returns the new DN."""
        self.db.rename(dn, new)
        return new

    def delete(self, dn, tree=False):
        self.db.delete(dn, ["tree_delete:1"] if tree else [])

    def undelete(self, guid, dn):
        deleted = self.db.search(self.base, expression="(objectGUID=%s)" % guid, attrs=["name"], controls=["show_deleted:1"])[0].dn
        self._modify(str(deleted), ldb.FLAG_MOD_REPLACE, {"isDeleted": None, "distinguishedName": dn}, ["show_deleted:1"])

    def lock(self, sam, times):
        """Bad binds until the account is locked."""
        for _ in range(times):
            subprocess.run(["ldapwhoami", "-x", "-H", "ldaps://" + self.ip, "-D", "%s@%s" % (sam, self.dns), "-w", "wrong"],
                           env={"LDAPTLS_REQCERT": "never", "PATH": "/usr/bin"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    # --- reading -----------------------------------------------------------------------------------------
    def get(self, dn, attribute):
        """The first value; None if there is none."""
        values = self.db.search(dn, scope=ldb.SCOPE_BASE, attrs=[attribute])[0].get(attribute)
        return values[0] if values else None

    def guid(self, dn):
        return self.db.schema_format_value("objectGUID", self.get(dn, "objectGUID")).decode()

    def sid(self, dn):
        return self.db.schema_format_value("objectSid", self.get(dn, "objectSid")).decode()

    def rid(self, dn):
        return int(self.sid(dn).split("-")[-1])

    # --- security descriptors ------------------------------------------------------------------------------
    def sddl(self, dn):
        raw = self.db.search(dn, scope=ldb.SCOPE_BASE, attrs=["nTSecurityDescriptor"], controls=SD_PARTS)[0]["nTSecurityDescriptor"][0]
        return ndr_unpack(security.descriptor, raw).as_sddl(self.sid_of_domain)

    def set_sddl(self, dn, sddl):
        raw = ndr_pack(security.descriptor.from_sddl(sddl, self.sid_of_domain))
        self._modify(dn, ldb.FLAG_MOD_REPLACE, {"nTSecurityDescriptor": raw}, SD_PARTS)

    def ace(self, dn, ace):
        """Puts an ACE in front of the others. Returns what was there, for set_sddl."""
        old = self.sddl(dn)
        first = old.index("(")
        self.set_sddl(dn, old[:first] + ace + old[first:])
        return old
