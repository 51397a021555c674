#!/usr/bin/python3
"""doors_test.py - every way of signing in, against real controllers: what must work gives the same answer as a simple bind, what
must not says why in its own words, costs one attempt, and leaves nothing behind.

The controllers check no channel binding and insist on signing only where told to (`ldap server require strong auth`), so there are two
labs, and tests/fake/saslgate.py in front of one of them. A clock that differs is a real one: a controller that lives an hour ahead.
"""
# budget: 120 200
import base64
import concurrent.futures
import json
import os
import re
import socket
import subprocess
import threading
import time

import harness
from harness import PYTHON, ROOT, Lab, at_end, case, main, rollcall, scratch, wait_for, write

DOOR = "Door-Passw0rd.1"
work = scratch()
lab = Lab()
os.environ["STRONGAUTH"] = "yes"
strict = Lab()
del os.environ["STRONGAUTH"]
for name in ("KRB5_CONFIG", "KRB5CCNAME", "LDAP_CERTIFICATE"):
    os.environ.pop(name, None)
net = lab.ip.rsplit(".", 1)[0]


def kinit(name, *args, who="svc-rollcall", password=None, where=lab):
    """A ticket cache of this name, got as users get theirs."""
    path = os.path.join(work, name)
    password = password or open(where.reader_pw_file).read()
    subprocess.run(["kinit", "-c", path, *args, "%s@%s" % (who, where.realm)], input=password, text=True, check=True, stdout=subprocess.DEVNULL,
                   env=dict(os.environ, KRB5_CONFIG=where.krb5_config))
    return path


def keytab(name, principal="svc-rollcall", where=lab):
    path = os.path.join(work, name)
    subprocess.run(["samba-tool", "domain", "exportkeytab", path, "--principal=" + principal, "-s", where.dir + "/dc1/etc/smb.conf"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.chmod(path, 0o600)
    return path


def secret(text):
    return "file:" + write(os.path.join(scratch(), "pw"), text)


CACHE, KEYTAB = kinit("cc"), keytab("kt")
AUTH = {"simple": {}, "kerberos": {"auth": "kerberos"},
        "kerberos_cache": {"auth": "kerberos_cache", "credential_cache": CACHE, "username": None, "password": None},
        "keytab": {"auth": "keytab", "keytab": KEYTAB, "username": None, "password": None}}


def config(auth="kerberos", security="ldaps", where=lab, **keys):
    k = dict(AUTH[auth], security=security)
    if security == "ldap":
        k.update(ca_certificate=None, certificate_name=None, kerberos_spn="ldap/" + where.host)
    return where.config(scratch(), **dict(k, **keys))


def attempt(config, env=None, kind="ou", **kw):
    began = time.monotonic()
    r = rollcall("read", "corp", "--dialect", "veza", "--kind", kind, config=config, env=env, code=None, timeout=60, **kw)
    r.seconds = time.monotonic() - began
    return r


def entities(r):
    """What was read, without what signing in itself changes."""
    assert r.code in (0, 5), r
    rows = [json.dumps(e, sort_keys=True) for e in r.lines() if "svc-rollcall" not in json.dumps(e)]
    return sorted(rows)


def refused(config, code, message, fix, env=None):
    r = attempt(config, env)
    assert r.code == code, r
    assert re.search(message, r.err) and (not fix or re.search("fix: .*(%s)" % fix, r.err)) and not r.out, r
    assert r.seconds < 20, r.seconds
    return r


def steps(config, env=None, code=None):
    r = rollcall("check", "corp", "-o", "json", config=config, env=env, code=code, timeout=60)
    return {s["name"]: s for s in r.json()["steps"]}


def every(rows, one):
    """one(row) for each, two at a time; fails with every row that failed."""
    def safe(row):
        try:
            one(row)
        except Exception as e:
            return "%r: %s: %s" % (row, type(e).__name__, e)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        bad = [b for b in pool.map(safe, rows) if b]
    assert not bad, "%d of %d failed:\n%s" % (len(bad), len(rows), "\n".join(bad))


# --- what must work -------------------------------------------------------------------------------------------------

DOORS = [(a, m, s) for s in ("ldaps", "starttls", "ldap") for m in ("gssapi", "spnego") for a in ("kerberos", "kerberos_cache", "keytab")]


@case("%d doors give the same entities as a simple bind" % len(DOORS))
def _():
    want = entities(attempt(config("simple")))
    assert len(want) > 20

    def one(row):
        auth, mechanism, security = row
        assert entities(attempt(config(auth, security, mechanism=mechanism))) == want
    every(DOORS, one)
    assert subprocess.run(["klist", "-c", CACHE], stdout=subprocess.PIPE, text=True).stdout.count("ldap/") == 0, "the user's cache was written to"


@case("a controller that insists on signing: sealed works, TLS without a layer is refused with the way out")
def _():
    own = kinit("strict-cc", where=strict)
    def one(row):
        auth, mechanism, security = row
        r = attempt(config(auth, security, strict, mechanism=mechanism, **({"credential_cache": own} if auth == "kerberos_cache" else {})))
        if security == "ldap" or auth == "simple":
            assert r.code in (0, 5) and r.lines(), r
        else:
            assert r.code == 4 and "stronger kind of authentication" in r.err and "use security: ldap" in r.err, r
    every([(a, m, s) for a in ("kerberos", "kerberos_cache") for m in ("gssapi", "spnego") for s in ("ldap", "ldaps", "starttls")] +
          [("simple", "gssapi", "ldaps")], one)


@case("the well-known variables stand in for settings, and a setting wins")
def _():
    env = {"KRB5CCNAME": "FILE:" + CACHE, "KRB5_CONFIG": lab.krb5_config, "LDAP_CERTIFICATE": lab.ca}
    keys = {"credential_cache": None, "ca_certificate": None}
    assert attempt(config("kerberos_cache", **keys), env).code in (0, 5)
    refused(config("kerberos_cache", **keys), 2, "credential_cache is not set, nor is .KRB5CCNAME", "kinit")
    refused(config("kerberos_cache", **keys), 2, "KRB5CCNAME: .*another process", "", dict(env, KRB5CCNAME="MEMORY:x"))
    nowhere = {"KRB5CCNAME": "/nonexistent/cc", "KRB5_CONFIG": "/nonexistent/krb5.conf", "LDAP_CERTIFICATE": "/nonexistent/ca.pem"}
    assert attempt(config("kerberos_cache", krb5_config=lab.krb5_config), nowhere).code in (0, 5)
    refused(config("kerberos_cache"), 2, "krb5.conf: No such file", "krb5_config", nowhere)
    refused(config("kerberos_cache", krb5_config=lab.krb5_config, ca_certificate=None), 2, "/nonexistent/ca.pem", "", nowhere)
    assert attempt(config("simple"), nowhere).code in (0, 5), "a simple bind has nothing to do with them"


@case("names: UPN, DOMAIN\\user, another case; the reader of another suffix is unknown")
def _():
    for name in ("CORP\\svc-rollcall", "svc-rollcall@CORP.example.test", "svc-rollcall"):
        assert attempt(config(username=name)).code in (0, 5), name
    refused(config(username="svc-rollcall@other.example"), 4, "svc-rollcall@other.example: no such user in the realm .Kerberos 6", "UPN")


# --- what must not --------------------------------------------------------------------------------------------------

def bad_passwords(account):
    out = subprocess.run(["ldapsearch", "-x", "-LLL", "-H", "ldaps://" + lab.ip, "-D", lab.admin, "-y", lab.admin_pw_file, "-b", lab.base,
                          "(sAMAccountName=%s)" % account, "badPwdCount"], stdout=subprocess.PIPE, text=True, check=True,
                         env=dict(os.environ, LDAPTLS_REQCERT="never")).stdout
    return int(re.search(r"badPwdCount: (\d+)", out).group(1))


@case("a wrong password is tried once, by every door")
def _():
    before = bad_passwords("u.delegate5")
    for n, security in enumerate(("ldaps", "ldap"), 1):
        refused(config(security=security, username="u.delegate5@" + lab.domain, password=secret("Not-The-Passw0rd")), 4,
                r"u.delegate5@CORP.EXAMPLE.TEST: wrong password \(Kerberos 24\)", "does not try again")
        assert bad_passwords("u.delegate5") == before + n


ACCOUNTS = [("disabled", "the account is disabled", "enable"), ("expired", "the account has expired", "accountExpires"),
            ("pwexpired", "the password has expired", "new password"), ("mustchange", "must be changed", "must change"),
            ("locked", "locked", "account"), ("hours", "not permitted at this time", "logon hours")]


@case("%d accounts that may not sign in" % len(ACCOUNTS))
def _():
    def one(row):
        name, message, fix = row
        refused(config(username="door.%s@%s" % (name, lab.domain), password=secret(DOOR)), 4, message + r".* \(Kerberos \d+\)", fix)
    every(ACCOUNTS, one)


def copy(path, mode=0o600, content=None):
    out = os.path.join(scratch(), "copy")
    with open(out, "wb") as f:
        f.write(open(path, "rb").read() if content is None else content)
    os.chmod(out, mode)
    return out


@case("tickets and keytabs that cannot be used")
def _():
    expired = kinit("expired", "-l", "1s")
    subprocess.run([os.path.join(ROOT, "tests", "lab", "ad", "lab.sh"), "modify", lab.dir], text=True, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   input="dn: CN=kt-user,CN=Users,%s\nchangetype: add\nobjectClass: user\nsAMAccountName: kt-user\nuserAccountControl: 512\nunicodePwd:: %s\n"
                   % (lab.base, base64.b64encode('"Before-Passw0rd.1"'.encode("utf-16-le")).decode()))
    stale = keytab("stale", "kt-user")
    subprocess.run(["samba-tool", "user", "setpassword", "kt-user", "--newpassword=After-Passw0rd.1", "-H", lab.dir + "/dc1/private/sam.ldb"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(1.2)

    def one(row):
        keys, code, message, fix = row
        refused(config("keytab" if "keytab" in keys else "kerberos_cache", **keys), code, message, fix)
    every([({"credential_cache": expired}, 4, "svc-rollcall@CORP.EXAMPLE.TEST: the ticket expired at 20", "kinit"),
           ({"credential_cache": "/nonexistent/cc"}, 2, "credential_cache /nonexistent/cc: No such file", "KRB5CCNAME"),
           ({"credential_cache": copy(CACHE, 0o644)}, 2, "others may read or change the file .mode 0644", "chmod 600"),
           ({"credential_cache": copy(CACHE, content=b"no cache")}, 2, "is no ticket cache", "klist"),
           ({"credential_cache": CACHE, "username": "other@" + lab.domain}, 2, "belongs to svc-rollcall@CORP.EXAMPLE.TEST, not to other@", "username"),
           ({"keytab": "/nonexistent/kt"}, 2, "keytab /nonexistent/kt: No such file", "setting keytab"),
           ({"keytab": copy(KEYTAB, 0o660)}, 2, "others may read or change the file .mode 0660", "chmod 600"),
           ({"keytab": copy(KEYTAB, content=b"\x05\x02")}, 2, "keytab is empty", "exportkeytab"),
           ({"keytab": copy(KEYTAB, content=b"no keytab")}, 2, "is no keytab", "exportkeytab"),
           ({"keytab": KEYTAB, "username": "other@" + lab.domain}, 2, "no key of this account", "klist"),
           ({"keytab": stale}, 4, "does not hold the account's present key", "anew")], one)


@case("services and realms that are not there")
def _():
    def one(row):
        keys, code, message, fix = row
        refused(config(**keys), code, message, fix)
    every([({"kerberos_spn": "ldap/nobody.example"}, 4, r"ldap/nobody.example@CORP.EXAMPLE.TEST: the KDC knows no such service .Kerberos 7", "kerberos_spn"),
           ({"kerberos_spn": "ldap/x@NOWHERE.EXAMPLE"}, 4, "ldap/x@NOWHERE.EXAMPLE: the KDC knows no such service", "kerberos_spn"),
           ({"kerberos_spn": "krbtgt/" + lab.realm}, 4, "does not accept the ticket for krbtgt/", "kerberos_spn"),
           ({"certificate_name": None}, 2, "host: an address, but Kerberos asks for the controller by name", "kerberos_spn"),
           ({"domain": "wrong.example", "base_dn": None}, 2, "wrong.example", "domain"),
           ({"security": "ldap", "domain": "wrong.example"}, 4, "Kerberos: svc-rollcall@corp.example.test|WRONG.EXAMPLE", "domain|username")], one)


# --- a KDC that is not right ----------------------------------------------------------------------------------------

class Kdc:
    """Listens on port 88 of an address of its own and does one thing with each question."""

    def __init__(self, last, answer):
        self.ip = "%s.%d" % (net, last)
        self.listener, self.answer = socket.create_server((self.ip, 88)), answer
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            s, _ = self.listener.accept()
            threading.Thread(target=self.one, args=(s,), daemon=True).start()

    def one(self, s):
        s.recv(65536)
        if self.answer is None:
            time.sleep(30)
        else:
            s.sendall(self.answer)
        s.close()


@case("a KDC that is closed, silent, or not a KDC")
def _():
    def one(row):
        answer, klass, message = row
        last = 101 + KDCS.index(row)
        if answer != "closed":
            Kdc(last, answer)
        began = time.monotonic()
        s = steps(config(host="%s.%d" % (net, last), certificate_name=None, kerberos_spn="ldap/" + lab.host, connect_timeout="2s"))["ticket"]
        assert s["verdict"] == "fail" and s["class"] == klass and re.search(message, s["evidence"]) and s["fix"], s
        assert time.monotonic() - began < 15
    KDCS = [("closed", "NET", "no KDC answers: .*refused"),
            (None, "TIMEOUT", "no KDC answers: .*no answer in time"),
            (b"", "NET", "no KDC answers: .*closed"),
            (b"\xff\xff\xff\xff", "NET", "what answers there is no KDC"),
            (b"\0\0\0\0", "NET", "what answers there is no KDC"),
            (b"HTTP/1.1 400 Bad Request\r\n\r\n", "NET", "what answers there is no KDC"),
            (b"\0\0\0\x10garbage garbage ", "PROTO", "the KDC's answer makes no sense")]
    every(KDCS, one)


class Relay(Kdc):
    """The way to the lab's KDC, counting what is asked: AS and TGS requests by their tags (RFC 4120 5.4.1)."""

    def __init__(self, last):
        self.asked = {}
        super().__init__(last, None)

    def whole(self, s):
        data = b""
        while len(data) < 4 or len(data) < 4 + int.from_bytes(data[:4], "big"):
            part = s.recv(65536)
            if not part:
                raise OSError("the peer has gone")
            data += part
        return data

    def one(self, s):
        question = self.whole(s)
        kind = {0x6a: "AS", 0x6c: "TGS"}[question[4]]
        self.asked[kind] = self.asked.get(kind, 0) + 1
        with socket.create_connection((lab.ip, 88)) as up:
            up.sendall(question)
            s.sendall(self.whole(up))
        s.close()


@case("a connection that is lost is made anew with the same ticket: the password is shown once in a run")
def _():
    relay, cut = Relay(77), []

    def once(before, data):
        if cut or before < 20000:
            return data
        cut.append(before)
        raise OSError("cut")
    r = attempt(Wire(once).config(krb5_config=None), kind="group,ou")
    assert cut and entities(r) == entities(attempt(config(), kind="group,ou")) and "made anew" in r.err, r
    assert relay.asked == {"AS": 2, "TGS": 1}, relay.asked  # AS: the first is told that proof is wanted
    relay.listener.close()


# --- clocks ---------------------------------------------------------------------------------------------------------

SHIFT = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <sys/time.h>
#include <time.h>
#define AHEAD 3600
int clock_gettime(clockid_t c, struct timespec *t)
{
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int rc = real(c, t);
    if (c == CLOCK_REALTIME || c == CLOCK_REALTIME_COARSE) t->tv_sec += AHEAD;
    return rc;
}
int gettimeofday(struct timeval *restrict t, void *restrict z)
{
    struct timespec s;
    int rc = clock_gettime(CLOCK_REALTIME, &s);
    t->tv_sec = s.tv_sec;
    t->tv_usec = s.tv_nsec / 1000;
    return rc;
}
time_t time(time_t *out)
{
    struct timespec s;
    clock_gettime(CLOCK_REALTIME, &s);
    if (out) *out = s.tv_sec;
    return s.tv_sec;
}
"""


def shift():
    source = write(os.path.join(work, "shift.c"), SHIFT)
    library = os.path.join(work, "shift.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    return library


def certificate(name, extensions):
    """One more of the lab's CA for its controller: the path without .pem and .key."""
    base = os.path.join(work, name)
    def ssl(*args):
        subprocess.run(["openssl", *args], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    write(base + ".ext", "extendedKeyUsage=serverAuth\n" + extensions)
    ssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", base + ".key", "-out", base + ".req", "-subj", "/CN=" + lab.host)
    ssl("x509", "-req", "-in", base + ".req", "-CA", lab.ca, "-CAkey", lab.ca[:-4] + ".key", "-set_serial", str(time.time_ns()), "-days", "30",
        "-extfile", base + ".ext", "-out", base + ".pem")
    return base


def start_gate(listen, to, *args, env=None, base=None):
    base = base or os.path.join(lab.dir, "ca", "dc1")
    p = subprocess.Popen([PYTHON, os.path.join(ROOT, "tests", "fake", "saslgate.py"), "--listen", listen, "--to", to, "--cert", base + ".pem",
                          "--key", base + ".key", *map(str, args)], stdout=subprocess.PIPE, text=True, env=dict(os.environ, **(env or {})))
    at_end(p.kill)
    assert p.stdout.readline() == "ready\n"
    return p


def judging(listen, *args, env=None):
    return start_gate(listen, lab.ip + ":636", "--keytab", keytab("dc-%s.kt" % listen.replace(":", "-"), "ldap/" + lab.host), "--bind-as", lab.reader, "--password",
                      lab.reader_pw_file, *args, env=env)


def through(port, **keys):
    """Settings for a door of ours at that port of the lab's second address."""
    return config(**dict({"host": net + ".77", "port": port, "krb5_config": lab.krb5_config}, **keys))


@case("a server whose clock is an hour ahead of the KDC's: told with the reason, once")
def _():
    judging(net + ".77:7636", env={"LD_PRELOAD": shift(), "KRB5_CONFIG": lab.krb5_config})
    refused(through(7636), 4, "clocks differ too much.*Kerberos 37|clock|ticket for .*LDAP 49", "NTP|clocks")


@case("a KDC that lives an hour ahead: its time is used for its tickets")
def _():
    os.environ["LD_PRELOAD"] = shift()
    try:
        late = Lab()
    finally:
        del os.environ["LD_PRELOAD"]
    s = steps(config(security="ldap", where=late)) # not by TLS: its certificates would be of the future
    assert s["ticket"]["verdict"] == "ok" and s["bind"]["verdict"] == "ok", s
    assert re.search(r"\((10 h 59|11 h 0) min\)", s["ticket"]["evidence"]), s["ticket"]  # 10 hours from its now
    own = kinit("late-cc", where=late)
    assert attempt(config("kerberos_cache", "ldap", late, credential_cache=own)).code in (0, 5)
    late.stop()


# --- channel binding ------------------------------------------------------------------------------------------------

@case("channel binding: the server that checks it lets us in, and refuses us behind somebody who ends TLS")
def _():
    gate = judging(net + ".77:8636", env={"KRB5_CONFIG": lab.krb5_config})
    assert entities(attempt(through(8636))) == entities(attempt(config("simple")))
    assert gate.stdout.readline() == "bound\n"
    # the attacker: a certificate of the same name by the same CA, so that TLS itself has nothing against it
    start_gate(net + ".77:9636", net + ".77:8636", "--pass", base=certificate("other", "subjectAltName=DNS:" + lab.host))
    assert attempt(through(9636, auth="simple", krb5_config=None)).code in (0, 5), "a simple bind is helpless here"
    refused(through(9636), 4, r"does not accept the ticket|channel", "channel binding")
    verdict = gate.stdout.readline()
    while verdict == "bound\n":
        verdict = gate.stdout.readline()
    assert "channel bindings" in verdict.lower(), verdict


# --- port 389 -------------------------------------------------------------------------------------------------------

class Wire:
    """A wire to the lab's port 389 that keeps what passes and may change it: change(n, data) is given the number of bytes before."""

    def __init__(self, change=None):
        self.listener = socket.create_server((net + ".77", 0))
        self.port, self.change, self.up, self.down = self.listener.getsockname()[1], change, bytearray(), bytearray()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            a, _ = self.listener.accept()
            b = socket.create_connection((lab.ip, 389))
            self.up.clear()
            self.down.clear()
            for x, y, kept, change in ((a, b, self.up, None), (b, a, self.down, self.change)):
                threading.Thread(target=self.copy, args=(x, y, kept, change), daemon=True).start()

    def copy(self, a, b, kept, change):
        try:
            while True:
                data = a.recv(65536)
                if not data:
                    break
                before = len(kept)
                kept += data
                b.sendall(change(before, data) if change else data)
        except OSError:
            pass
        for s in (a, b):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def config(self, **keys):
        return config(**dict({"security": "ldap", "host": net + ".77", "port": self.port, "krb5_config": lab.krb5_config}, **keys))


def tokens(stream):
    """Lengths of the sealed messages that a stream ends in, and where they begin."""
    for start in range(len(stream)):
        at, lengths = start, []
        while at + 4 <= len(stream):
            n = int.from_bytes(stream[at:at + 4], "big")
            if not 16 <= n < 1 << 21 or stream[at + 4:at + 6] != b"\x05\x04":  # RFC 4121 4.2.6.2
                break
            lengths.append(n)
            at += 4 + n
        if lengths and at == len(stream):
            return lengths, start
    return [], len(stream)


@case("389 sealed: after the bind not a readable byte passes, in either direction")
def _():
    for mechanism in ("gssapi", "spnego"):
        w = Wire()
        got = entities(attempt(w.config(mechanism=mechanism), kind="user"))
        wait_for(lambda: tokens(bytes(w.up))[0] and tokens(bytes(w.down))[0])
        for stream in (bytes(w.up), bytes(w.down)):
            lengths, start = tokens(stream)
            assert len(lengths) > 3 and start < 20000, (mechanism, lengths[:5], start, len(stream))
            sealed = stream[start:].lower()
            names = {str(v).lower() for e in got for k, v in json.loads(e).items() if k in ("account_name", "distinguished_name", "display_name") and len(str(v)) > 7}
            assert len(names) > 250
            for name in ["samaccountname", "objectclass", "objectguid", "1.2.840.113556", "dc=corp"] + sorted(names):
                assert name.encode() not in sealed and name.encode("utf-16-le") not in sealed, (mechanism, name)
        assert b"dc=corp" not in bytes(w.up).lower() + bytes(w.down).lower(), "something was said before the bind"


@case("389 sealed: what is changed, repeated, cut or put in between is noticed, and nothing of it is believed")
def _():
    def flip(at):
        return lambda before, data: data if not before <= at < before + len(data) else data[:at - before] + bytes([data[at - before] ^ 1]) + data[at - before + 1:]

    def inject(before, data):
        return data if before < 30000 else b"\x30\x0c\x02\x01\x02\x65\x07\x0a\x01\x00\x04\x00\x04\x00" + data

    def repeat(before, data):
        n = 4 + int.from_bytes(data[:4], "big")
        return data if len(data) < n or data[4:6] != b"\x05\x04" else data[:n] + data

    def huge(before, data):
        return data if data[4:6] != b"\x05\x04" else b"\x7f\xff\xff\xff" + data[4:]

    def one(row):
        what, change, message = row
        r = attempt(Wire(change).config(), kind="group,ou")
        assert r.code in (1, 4, 6) and re.search(message, r.err), r
        assert r.seconds < 30
    every([("a bit early", flip(4000), "sealed|changed|token|order|ticket|server sent"), ("a bit late", flip(60000), "sealed|changed|order"),
           ("plain text in between", inject, "not sealed|changed"), ("a message twice", repeat, "twice or out of order|sealed|changed"),
           ("an endless length", huge, "not sealed")], one)


# --- check, certificates, leftovers -----------------------------------------------------------------------------------

@case("check: the ticket's end against the schedule, renewable or not, and how the bind was protected")
def _():
    ten = kinit("ten", "-l", "10m")
    renewable = kinit("renewable", "-l", "10m", "-r", "2h")
    s = steps(config("kerberos_cache", credential_cache=ten, frequency="1h"))
    assert s["ticket"]["verdict"] == "warn" and "not renewable" in s["ticket"]["evidence"] and "cron" in s["ticket"]["fix"], s["ticket"]
    assert re.search(r"svc-rollcall@CORP.EXAMPLE.TEST, until 20\S+Z \((9|10) min\)", s["ticket"]["evidence"]), s["ticket"]
    assert "GSSAPI" in s["bind"]["evidence"] and "bound to the TLS channel" in s["bind"]["evidence"], s["bind"]
    s = steps(config("kerberos_cache", credential_cache=renewable, frequency="1h"))
    assert s["ticket"]["verdict"] == "warn" and "renewable until" in s["ticket"]["evidence"] and "kinit -R" in s["ticket"]["fix"], s["ticket"]
    s = steps(config("kerberos_cache", credential_cache=renewable, frequency="2m"))
    assert s["ticket"]["verdict"] == "ok", s["ticket"]
    over = kinit("over", "-l", "1s")
    s = steps(config("keytab", "ldap", mechanism="spnego"))
    assert s["ticket"]["verdict"] == "ok" and "GSS-SPNEGO" in s["bind"]["evidence"] and "signed and sealed" in s["bind"]["evidence"], s
    assert "Kerberos signs and seals" in s["tls"]["evidence"] and "no password" in s["secret"]["evidence"], s
    wait_for(lambda: subprocess.run(["klist", "-s", "-c", over], check=False).returncode == 1)
    s = steps(config("kerberos_cache", credential_cache=over))
    assert s["ticket"]["verdict"] == "fail" and s["ticket"]["class"] == "AUTH" and "expired at" in s["ticket"]["evidence"], s
    assert s["bind"]["verdict"] == "skip"
    assert "ticket" not in steps(config("simple"))


@case("a certificate without subject alternative name: only as the very certificate that is pinned")
def _():
    cnonly, good = certificate("cnonly", ""), certificate("good", "subjectAltName=DNS:" + lab.host)
    start_gate(net + ".77:6361", lab.ip + ":636", "--pass", base=cnonly)
    at = {"host": net + ".77", "port": 6361, "auth": "simple"}
    assert attempt(config(ca_certificate=cnonly + ".pem", **at)).code in (0, 5)
    refused(config(**at), 6, "no subject alternative name", "subject alternative name|this very")
    refused(config(ca_certificate=cnonly + ".pem", certificate_name="other.example", **at), 6, "not for other.example", "certificate_name")
    refused(config(ca_certificate=good + ".pem", **at), 6, "pinned|not the|unknown|issued", "")


@case("a worker that is killed leaves no file behind")
def _():
    private = scratch()
    p = subprocess.Popen([harness.ROLLCALL, "read", "corp", "--config", Wire(lambda b, d: time.sleep(20) or d).config()], stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL, env=dict(os.environ, TMPDIR=private), start_new_session=True)
    before = set(os.listdir("/tmp"))
    time.sleep(1)
    harness.kill_tree(p)
    assert not os.listdir(private), os.listdir(private)
    assert not [n for n in set(os.listdir("/tmp")) - before if "krb" in n]


main()
