#!/usr/bin/python3
"""schema_table.py - writes src/model/schema_builtin.inc, the table of GUIDs that stands in for a schema that cannot be read.

    scripts/schema_table.py FILE.ldif... > src/model/schema_builtin.inc

The files are LDIF: Microsoft's own schema definitions as Samba ships them (MS-ADA1 to MS-ADA3 and MS-ADSC, in
/usr/share/samba/setup/ad-schema of Debian's samba-ad-dc) and the control access rights of MS-ADTS 5.1.3.2.1 as any directory has them:
    ldapsearch ... -b CN=Extended-Rights,CN=Configuration,DC=... cn displayName rightsGuid validAccesses appliesTo
An ldapsearch of CN=Schema,CN=Configuration,DC=... does as well for the first two. The table in the repository was made of
AD_DS_Attributes__Windows_Server_2016.ldf, AD_DS_Classes__Windows_Server_2016.ldf and the rights of a domain of Samba 4.17, and LATER.
It is no part of the build: run it again when there is a newer schema, and read the difference.
"""
import base64
import sys
import uuid

# Rights of Windows newer than the files.
LATER = """
dn: CN=DS-Validated-Write-Computer,CN=Extended-Rights
objectClass: controlAccessRight
displayName: Validated write to computer attributes.
rightsGuid: 9b026da6-0d3c-465c-8bee-5199d7165cba
appliesTo: bf967a86-0de6-11d0-a285-00aa003049e2
validAccesses: 8

dn: CN=ms-LAPS-Encrypted-Password-Attributes,CN=Extended-Rights
objectClass: controlAccessRight
displayName: ms-LAPS-Encrypted-Password-Attributes
rightsGuid: f3531ec6-6330-4f8e-8d39-7a671fbac605
appliesTo: bf967a86-0de6-11d0-a285-00aa003049e2
validAccesses: 48
"""

# What Windows calls them, where Samba does not.
DISPLAYED = """
Apply-Group-Policy: Apply Group Policy
Allowed-To-Authenticate: Allowed to Authenticate
Certificate-Enrollment: Enroll
DS-Check-Stale-Phantoms: Check Stale Phantoms
DS-Execute-Intentions-Script: Execute Forest Update Script
DS-Install-Replica: Add/Remove Replica In Domain
DS-Query-Self-Quota: Query Self Quota
DS-Replication-Get-Changes: Replicating Directory Changes
DS-Replication-Get-Changes-All: Replicating Directory Changes All
DS-Replication-Get-Changes-In-Filtered-Set: Replicating Directory Changes In Filtered Set
DS-Replication-Manage-Topology: Manage Replication Topology
DS-Replication-Monitor-Topology: Monitor Active Directory Replication
DS-Replication-Synchronize: Replication Synchronization
Generate-RSoP-Logging: Generate Resultant Set of Policy (Logging)
Generate-RSoP-Planning: Generate Resultant Set of Policy (Planning)
Manage-Optional-Features: Manage Optional Features for Active Directory
msmq-Open-Connector: Open Connector Queue
msmq-Peek: Peek Message
msmq-Peek-computer-Journal: Peek Computer Journal
msmq-Peek-Dead-Letter: Peek Dead Letter
msmq-Receive: Receive Message
msmq-Receive-computer-Journal: Receive Computer Journal
msmq-Receive-Dead-Letter: Receive Dead Letter
msmq-Receive-journal: Receive Journal
msmq-Send: Send Message
Open-Address-Book: Open Address List
Refresh-Group-Cache: Refresh Group Cache for Logons
Reload-SSL-Certificate: Reload SSL/TLS Certificate
SAM-Enumerate-Entire-Domain: Enumerate Entire SAM Domain
Self-Membership: Add/Remove self as member
User-Change-Password: Change Password
User-Force-Change-Password: Reset Password
Validated-DNS-Host-Name: Validated write to DNS host name
Validated-SPN: Validated write to service principal name
"""


def entries(text):
    """LDIF (RFC 2849): each entry as {lower-case attribute: [bytes]}."""
    for block in text.replace("\r\n", "\n").replace("\n ", "").split("\n\n"):
        entry = {}
        for line in block.split("\n"):
            if line.startswith("#") or ":" not in line:
                continue
            name, value = line.split(":", 1)
            value = base64.b64decode(value[1:]) if value.startswith(":") else value.strip().encode()
            entry.setdefault(name.lower(), []).append(value)
        if "dn" in entry:
            yield entry


def one(entry, name, default=""):
    return entry.get(name.lower(), [default.encode()])[0].decode()


def number(entry, name):
    return int(one(entry, name, "0")) & 0xFFFFFFFF


def guid(entry, name):
    raw = entry.get(name.lower())
    return str(uuid.UUID(bytes_le=raw[0])) if raw else ""


def names(entry, *attributes):
    found = {v.decode() for a in attributes for v in entry.get(a.lower(), [])}
    return " ".join(sorted(found, key=str.lower))


def literal(text):
    """A C string, broken between words where it is long."""
    lines, line = [], ""
    for word in text.split(" "):
        if len(line) + len(word) > 96:
            lines.append(line)
            line = ""
        line += word + " "
    lines.append(line[:-1])
    return "\n  ".join('"%s"' % s for s in lines)


def attribute(e):
    flags = (number(e, "linkID") & 1) | (2 if one(e, "systemOnly").upper() == "TRUE" else 0)
    return 'ATTRIBUTE("%s", "%s", "%s", 0x%x, 0x%x, %d)' % (one(e, "lDAPDisplayName"), guid(e, "schemaIDGUID"), guid(
        e, "attributeSecurityGUID"), number(e, "searchFlags"), number(e, "systemFlags"), flags)


def klass(e):
    parent = one(e, "subClassOf")
    lists = (names(e, "mustContain", "systemMustContain", "mayContain", "systemMayContain"),
             names(e, "auxiliaryClass", "systemAuxiliaryClass"), names(e, "possSuperiors", "systemPossSuperiors"))
    name = one(e, "lDAPDisplayName")
    return 'CLASS("%s", "%s", "%s", %d, %d,\n  %s)' % (
        name, guid(e, "schemaIDGUID"), "" if parent == name else parent, number(e, "objectClassCategory"),
        2 if one(e, "systemOnly").upper() == "TRUE" else 0, ",\n  ".join(map(literal, lists)))


def right(e):
    applies = sorted(str(uuid.UUID(v.decode())) for v in e.get("appliesto", []))
    name, displayed = one(e, "dn").split(",")[0].split("=")[1], dict(line.split(": ") for line in DISPLAYED.split("\n") if line)
    return 'RIGHT("%s", "%s", "%s", 0x%x,\n  %s)' % (
        name, displayed.get(name, one(e, "displayName")), uuid.UUID(one(e, "rightsGuid")), number(e, "validAccesses"),
        literal(" ".join(applies)))


def main():
    made = {"attributeschema": {}, "classschema": {}, "controlaccessright": {}}
    for text in [open(path, encoding="utf-8", errors="replace").read() for path in sys.argv[1:]] + [LATER]:
        for e in entries(text):
            for kind in {v.decode().lower() for v in e.get("objectclass", [])} & set(made) or guess(e):
                make = {"attributeschema": attribute, "classschema": klass, "controlaccessright": right}[kind]
                made[kind][one(e, "lDAPDisplayName", one(e, "dn")).lower()] = make(e)
    print("/* What every Active Directory has, by scripts/schema_table.py from MS-ADA1..3, MS-ADSC (Windows Server 2016) and MS-ADTS 5.1.3.2.1.\n"
          " * ATTRIBUTE(name, schemaIDGUID, attributeSecurityGUID, searchFlags, systemFlags, 1 back link | 2 system only)\n"
          " * CLASS(name, schemaIDGUID, subClassOf, category, 2 system only, attributes, auxiliary classes, possible superiors)\n"
          " * RIGHT(cn, displayName, rightsGuid, validAccesses, appliesTo) */\n/* clang-format off */")
    for kind in made:
        print("\n".join(made[kind][name] for name in sorted(made[kind])))
    print("#undef ATTRIBUTE\n#undef CLASS\n#undef RIGHT")


def guess(e):
    """An ldapsearch that did not ask for objectClass."""
    if "rightsguid" in e:
        return {"controlaccessright"}
    if "ldapdisplayname" in e:
        return {"classschema"} if "objectclasscategory" in e else {"attributeschema"}
    return set()


main()
