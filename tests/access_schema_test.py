#!/usr/bin/python3
"""access_schema_test.py - the schema in the store is the directory's own: as ldapsearch tells it, kept up to date, cheap.

The note is read here by docs/wire.md alone.
"""
# budget: 120
import base64
import json
import os
import sqlite3
import struct
import subprocess
import uuid

from harness import Fake, Lab, case, main, rollcall, scratch

lab = Lab()
configuration = "CN=Configuration," + lab.base
work = scratch()
config = lab.config(work)
HEURISTICS = "0000000001000000000200000001"  # 10th and 20th character are marks (MS-ADTS 6.1.1.2.4.1.2)
PARTIAL = 5  # the lab hides things from the reader


def note(directory, name="schema"):
    with sqlite3.connect(os.path.join(directory, "rollcall.db")) as db:
        row = db.execute("select value from note where name = ?", (name,)).fetchone()
        return row and row[0]


class Cursor:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        assert self.at + n <= len(self.data)
        self.at += n
        return self.data[self.at - n:self.at]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def text(self):
        return self.take(self.varint()).decode()

    def guid(self):
        return str(uuid.UUID(bytes_le=self.take(16)))

    def names(self):
        return sorted(self.text() for _ in range(self.varint()))


NO_GUID = str(uuid.UUID(int=0))


def piece(what, c):
    if what == 1:
        return "", c.text()
    if what == 2:
        return c.text(), (c.guid(), c.guid(), c.varint(), c.varint(), c.take(1)[0])
    if what == 3:
        return c.text(), (c.guid(), c.text(), c.take(1)[0], c.take(1)[0], c.names(), c.names(), c.names())
    return c.text(), (c.text(), c.guid(), c.varint(), sorted(c.guid() for _ in range(c.varint())))


def decoded(blob):
    """docs/wire.md: {what: {name: rest}}."""
    found, c = {1: {}, 2: {}, 3: {}, 4: {}}, Cursor(blob)
    assert c.take(1) == b"\1"
    while c.at < len(blob):
        what, size = struct.unpack("<BI", c.take(5))
        inner = Cursor(c.take(size))
        name, rest = piece(what, inner)
        assert inner.at == size and name not in found[what], (what, name)
        found[what][name] = rest
    return found


def search(base, text, scope="one"):
    """ldapsearch as the administrator: entries as {attribute: [bytes]}."""
    out = subprocess.run(["ldapsearch", "-H", "ldaps://" + lab.ip, "-x", "-D", lab.admin, "-y", lab.admin_pw_file, "-LLL", "-o", "ldif-wrap=no",
                          "-E", "pr=500/noprompt", "-b", base, "-s", scope, text], stdout=subprocess.PIPE, check=True, timeout=60,
                         env=dict(os.environ, LDAPTLS_CACERT=lab.ca, LDAPTLS_REQCERT="allow")).stdout
    for block in out.split(b"\n\n"):
        entry = {}
        for line in block.split(b"\n"):
            name, colon, value = line.partition(b":")
            if colon and not line.startswith(b"#"):
                value = base64.b64decode(value[1:]) if value.startswith(b":") else value.strip()
                entry.setdefault(name.decode(), []).append(value)
        if "dn" in entry:
            yield entry


def one(entry, name, default=""):
    return entry.get(name, [default.encode()])[0].decode()


def number(entry, name):
    return int(one(entry, name, "0")) & 0xFFFFFFFF


def raw_guid(entry, name):
    return str(uuid.UUID(bytes_le=entry[name][0])) if name in entry else NO_GUID


def names(entry, *attributes):
    return sorted(v.decode() for a in attributes for v in entry.get(a, []))


def wanted_schema():
    attributes, classes = {}, {}
    for e in search("CN=Schema," + configuration, "(|(objectClass=classSchema)(objectClass=attributeSchema))"):
        if one(e, "isDefunct") == "TRUE":
            continue  # switched off: no object has it, and its name may be another's
        name, system_only = one(e, "lDAPDisplayName"), 2 if one(e, "systemOnly") == "TRUE" else 0
        if b"attributeSchema" in e["objectClass"]:
            attributes[name] = (raw_guid(e, "schemaIDGUID"), raw_guid(e, "attributeSecurityGUID"), number(e, "searchFlags"),
                                number(e, "systemFlags"), number(e, "linkID") & 1 | system_only)
        else:
            classes[name] = (raw_guid(e, "schemaIDGUID"), one(e, "subClassOf"), number(e, "objectClassCategory"), system_only,
                             names(e, "mustContain", "systemMustContain", "mayContain", "systemMayContain"),
                             names(e, "auxiliaryClass", "systemAuxiliaryClass"), names(e, "possSuperiors", "systemPossSuperiors"))
    return attributes, classes


def wanted_rights():
    return {one(e, "cn"): (one(e, "displayName"), one(e, "rightsGuid").lower(), number(e, "validAccesses"),
                           sorted(v.lower() for v in names(e, "appliesTo")))
            for e in search("CN=Extended-Rights," + configuration, "(objectClass=controlAccessRight)")}


def sync(*args):
    return rollcall("sync", "corp", "-o", "json", *args, config=config, code=PARTIAL).json()


def set_heuristics(value):
    lab.modify("dn: CN=Directory Service,CN=Windows NT,CN=Services,%s\nchangetype: modify\nreplace: dSHeuristics\ndSHeuristics: %s\n" % (
        configuration, value))


def about_schema(run):
    return [g for g in run["gaps"] if "schema" in g["what"] or "extended rights" in g["what"]]


def differences(got, want):
    return [(name, got.get(name), want.get(name)) for name in sorted({*got, *want}) if got.get(name) != want.get(name)][:5]


@case("a full sync keeps what ldapsearch tells: attributes, classes, rights, dSHeuristics")
def _():
    set_heuristics(HEURISTICS)
    run = sync()
    assert not about_schema(run), run["gaps"]
    got = decoded(note(work))
    attributes, classes = wanted_schema()
    assert len(attributes) > 1400 and len(classes) > 250
    assert got[2] == attributes, differences(got[2], attributes)
    assert got[3] == classes, differences(got[3], classes)
    rights = wanted_rights()
    assert len(rights) > 70 and got[4] == rights, differences(got[4], rights)
    assert got[1] == {"": HEURISTICS}, got[1]
    assert len(note(work)) < 200000, len(note(work))


@case("an unchanged directory: the schema costs nothing, neither requests nor writes")
def _():
    sync()
    before, size = note(work), os.path.getsize(os.path.join(work, "rollcall.db"))
    run = sync()
    assert run["mode"] == "incremental" and run["requests"] <= 6 and run["bytes"] < 20000, run
    assert note(work) == before and os.path.getsize(os.path.join(work, "rollcall.db")) == size


@case("another change in the domain: two small searches more, and the schema is not read")
def _():
    lab.modify("dn: CN=Guest,CN=Users,%s\nchangetype: modify\nreplace: description\ndescription: a change\n" % lab.base)
    run = sync()
    assert run["mode"] == "incremental" and run["bytes"] < 200000, run


@case("a new extended right and other dSHeuristics are there after an incremental sync")
def _():
    right = "12345678-1111-2222-3333-444455556666"
    lab.modify("dn: CN=Approve-Expenses,CN=Extended-Rights,%s\nchangetype: add\nobjectClass: controlAccessRight\ndisplayName: Approve Expenses\n"
               "rightsGuid: %s\nvalidAccesses: 256\nappliesTo: bf967aba-0de6-11d0-a285-00aa003049e2\n" % (configuration, right))
    set_heuristics("001")
    run = sync()
    got = decoded(note(work))
    assert run["mode"] == "incremental" and run["bytes"] > 400000, run
    assert got[4]["Approve-Expenses"] == ("Approve Expenses", right, 256, ["bf967aba-0de6-11d0-a285-00aa003049e2"]), got[4]
    assert got[1] == {"": "001"} and len(got[2]) > 1400
    run = sync()
    assert run["bytes"] < 20000, run
    set_heuristics(HEURISTICS)


@case("a watermark of before there was a schema: the next incremental sync reads it")
def _():
    with sqlite3.connect(os.path.join(work, "rollcall.db")) as db:
        mark = json.loads(note(work, "watermark"))
        assert mark["mark"].pop("schema") is True
        db.execute("update note set value = ? where name = 'watermark'", (json.dumps(mark).encode(),))
        db.execute("delete from note where name = 'schema'")
    run = sync()
    assert run["mode"] == "incremental" and len(decoded(note(work))[2]) > 1400, run


@case("without descriptors no schema is read")
def _():
    other = scratch()
    settings = lab.config(other, extract_acls=False)
    run = rollcall("sync", "corp", "-o", "json", config=settings, code=None).json()
    assert note(other) is None and not about_schema(run), run


@case("a directory that hides its schema, or most of it: a gap of severity info, nothing kept, nothing else lost")
def _():
    other = scratch()
    with Fake() as fake:
        settings = fake.config(other)
        run = rollcall("sync", "fake", "-o", "json", config=settings, code=None).json()
        asked = [r for r in fake.requests() if "schema" in str(r).lower()]
        gaps = about_schema(run)
        assert len(gaps) == 1 and gaps[0]["severity"] == "info" and "cannot be read" in gaps[0]["what"], run["gaps"]
        assert "read access" in gaps[0]["fix"] and note(other) is None and run["status"] == "complete" and asked, run
        fake.behave()
        rollcall("read", "fake", config=settings, code=None)
        searched = [r for r in fake.requests() if str(r.get("base", "")).lower().startswith("cn=schema")]
        assert not searched, "read needs no schema: %s" % searched


main()
