#!/usr/bin/python3
"""pause_test.py - a refused credential pauses its connector. The real domain controller counts (badPwdCount): a schedule that goes on
for days with a wrong password costs the account two bad sign-ins, and no form of the password is left in the store.
"""
# budget: 120 120
import base64
import concurrent.futures
import contextlib
import glob
import json
import os
import sqlite3

import jsonschema

from domain import Domain
from harness import ROOT, Lab, case, main, rollcall, scratch, write

HOUR = 3600 * 1000
WRONG = "Wr0ng-but-secret.Ünicode"
lab = Lab()
domain = Domain(lab)
with open(lab.reader_pw_file) as f:
    RIGHT = f.read().strip()


def account(attribute):
    found = domain.db.search(base=domain.base, expression="(userPrincipalName=%s)" % lab.reader, attrs=[attribute])
    return int(str(found[0].get(attribute, idx=0) or 0))


@contextlib.contextmanager
def bad_binds(wanted):
    """How many the controller counts meanwhile."""
    before = account("badPwdCount")
    yield
    counted = account("badPwdCount") - before
    assert counted == wanted, "%d bad sign-ins counted, %d wanted" % (counted, wanted)


class Connector:
    """Settings and store of their own; the password is in a file."""

    def __init__(self, password=WRONG, **keys):
        self.dir = scratch()
        self.file = os.path.join(self.dir, "pw")
        self.password(password)
        self.settings(**keys)
        self.env = None

    def password(self, text):
        write(self.file, text)

    def settings(self, **keys):
        self.config = lab.config(self.dir, **dict({"password": "file:" + self.file, "base_dn": "CN=Builtin," + domain.base}, **keys))

    def sync(self, *args, code=4):
        return rollcall("sync", "corp", *args, config=self.config, env=self.env, code=code)

    def paused(self, *args):
        r = self.sync(*args)
        assert "connector is paused" in r.err, r
        return r

    def refused(self, *args):
        r = self.sync(*args)
        assert "paused" not in r.err and "52e" in r.err, r
        return r

    def check(self, code):
        r = rollcall("check", "corp", "-o", "json", config=self.config, env=self.env, code=code)
        return {s["name"]: s for s in r.json()["steps"]}

    def listed(self):
        rows = rollcall("connector", "list", "-o", "json", config=self.config).json()
        with open(os.path.join(ROOT, "docs", "contract", "connector_list.json")) as f:
            jsonschema.validate(rows, json.load(f))
        return rows[0]

    def note(self, **changes):
        with contextlib.closing(sqlite3.connect(os.path.join(self.dir, "rollcall.db"))) as db, db:
            found = db.execute("SELECT value FROM note WHERE name = 'pause'").fetchone()
            note = json.loads(found[0]) if found else None
            if changes:
                note.update(changes)
                db.execute("UPDATE note SET value = ? WHERE name = 'pause'", (json.dumps(note).encode(),))
        return note

    def later(self, ms):
        """As if the refusal had been longer ago."""
        self.note(refused_ms=self.note()["refused_ms"] - ms)


def unlock():
    domain.db.modify_ldif("dn: %s\nchangetype: modify\nreplace: lockoutTime\nlockoutTime: 0\n" % reader_dn())


def reader_dn():
    return str(domain.db.search(base=domain.base, expression="(userPrincipalName=%s)" % lab.reader, attrs=["cn"])[0].dn)


def forms(secret):
    for raw in (secret.encode(), secret.encode("utf-16-le")):
        yield raw
        yield raw[::-1]
        yield raw.hex().encode()
        for skip in range(3):  # base64 at each alignment, without the ends that depend on the neighbours
            yield base64.b64encode(b"x" * skip + raw)[4 if skip else 0:-4]


@case("a schedule with a wrong password costs two bad sign-ins, for ever")
def _():
    c = Connector()
    with bad_binds(1):
        c.refused()
        for _ in range(4):
            r = c.paused()
            assert "one more attempt is made after 20" in r.err and "--try-now" in r.err, r
    with bad_binds(0):
        c.later(HOUR - 60000)
        c.paused()
    with bad_binds(1):
        c.later(120000)
        c.refused()
        for _ in range(3):
            assert "no further attempt" in c.paused().err
            c.later(24 * HOUR)
    assert WRONG not in json.dumps(c.note(), ensure_ascii=False)
    runs = rollcall("run", "list", "-o", "json", config=c.config).json()
    assert runs[0]["status"] == "failed" and runs[0]["error"]["class"] == "AUTH" and "paused" in runs[0]["error"]["message"], runs[0]
    c.password(RIGHT)
    c.sync(code=0)
    assert c.note() is None
    c.sync(code=0)


@case("many at once are one bad sign-in")
def _():
    c = Connector()
    with bad_binds(1), concurrent.futures.ThreadPoolExecutor(6) as pool:
        codes = sorted(r.code for r in pool.map(lambda _: c.sync(code=None), range(6)))
        assert set(codes) <= {1, 4} and 4 in codes, codes  # 1: a run is under way
        c.paused()


@case("another password, other settings, --try-now: at once")
def _():
    c = Connector()
    with bad_binds(1):
        c.refused()
        c.paused()
    with bad_binds(1):
        c.password(WRONG + "2")
        c.refused()
        c.paused()
    with bad_binds(1):
        c.settings(page_size=500)
        c.refused()
        c.paused()
    with bad_binds(1):
        c.refused("--try-now")
        assert "no further attempt" in c.paused().err  # the second with this password and these settings
    with bad_binds(0):
        c.password(WRONG)  # it was refused before, but it is not the last one: nobody keeps a list of wrong passwords
        c.settings(host="127.0.0.1", port=1)
        c.sync(code=6)  # not asked, so nothing is learnt
        assert c.note()["wrong"] == 2
    unlock()


@case("check tries, tells of the pause, and ends it when it signs in")
def _():
    other = "Later-the-right-0ne"  # the controller goes on to take a former password for a while, so not WRONG
    c = Connector(other)
    assert "paused" not in c.listed() and "pause" not in c.check(4)
    c.refused()
    row = c.listed()
    assert "52e" in row["paused"]["reason"] and row["paused"]["refused"] < row["paused"]["next_attempt"], row
    with bad_binds(1):
        step = c.check(4)["pause"]
        assert step["verdict"] == "warn" and "one more attempt is made after" in step["evidence"] and "--try-now" in step["fix"], step
        c.paused()
    unlock()
    try:
        domain.db.setpassword("(userPrincipalName=%s)" % lab.reader, other)
        c.paused()  # nobody has told us
        step = c.check(0)["pause"]
        assert step["verdict"] == "ok" and "signed in" in step["evidence"], step
        assert c.note() is None and "pause" not in c.check(0) and "paused" not in c.listed()
        c.sync(code=0)
    finally:
        domain.db.setpassword("(userPrincipalName=%s)" % lab.reader, RIGHT)


@case("a refusal that is no wrong password is tried once a period, for ever")
def _():
    c = Connector(RIGHT)
    try:
        domain.db.modify_ldif("dn: %s\nchangetype: modify\nreplace: userAccountControl\nuserAccountControl: 514\n" % reader_dn())
        for _ in range(3):
            r = c.sync()
            assert "disabled" in r.err and "paused" not in r.err, r
            assert "one more attempt is made after" in c.paused().err
            c.later(HOUR)
    finally:
        domain.db.modify_ldif("dn: %s\nchangetype: modify\nreplace: userAccountControl\nuserAccountControl: 512\n" % reader_dn())
    c.sync(code=0)


@case("Kerberos: the KDC counts too")
def _():
    c = Connector(WRONG + "3")
    c.settings(auth="kerberos", host=lab.host, dns_servers=[lab.ip])
    with bad_binds(1):
        r = c.sync()
        assert "wrong password" in r.err, r
        c.paused()
    c.password(RIGHT)
    c.sync(code=0)
    unlock()


@case("the store has the password in no form, whichever way it comes")
def _():
    credentials = scratch()
    for reference in ("file:", "env:PAUSE_TEST_PW", "cred:pw"):
        c = Connector(password=WRONG)
        write(os.path.join(credentials, "pw"), WRONG)
        c.env = {"PAUSE_TEST_PW": WRONG, "CREDENTIALS_DIRECTORY": credentials}
        c.settings(password=reference + c.file if reference == "file:" else reference)
        c.refused()
        c.paused()
        assert c.note()["secret"].startswith("$argon2id$")
        for path in glob.glob(os.path.join(c.dir, "rollcall.db*")):
            with open(path, "rb") as f:
                content = f.read()
            for form in forms(WRONG):
                assert form not in content, (reference, path, form)
        c.env = {"PAUSE_TEST_PW": RIGHT, "CREDENTIALS_DIRECTORY": credentials}
        write(os.path.join(credentials, "pw"), RIGHT)
        c.password(RIGHT)
        c.sync(code=0)
    unlock()


@case("a note that cannot be read, or is of a time to come, costs one attempt")
def _():
    c = Connector()
    c.refused()
    for damage in ({"refused_ms": 2 ** 60}, {"refused_ms": "soon"}, {"secret": "$argon2id$x"}):
        c.note(**dict({"wrong": 1}, **damage))
        with bad_binds(1):
            c.refused()
            c.paused()
        unlock()


if __name__ == "__main__":
    main()
