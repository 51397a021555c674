#!/usr/bin/python3
"""check_test.py - `rollcall check` against injected faults: the right step fails, with the right exit code, and its words name the
cause and the fix. The password travels once, and is seen nowhere.

A row of a table is (what is wrong, how it is set up, step, exit code, what the evidence says, what the fix says).
"""
# budget: 240 240
import contextlib
import datetime
import json
import os
import re
import socket
import subprocess
import threading
import time

import harness
from harness import ROOT, Fake, Lab, case, main, rollcall, scratch, tree_of, wait_for, write

DOOR = "Door-Passw0rd.1"
lab = Lab()
fake = Fake("--users", 20)
starttls = Fake("--users", 20, "--starttls")
work = scratch()
faults = os.path.join(lab.dir, "ca", "faults")
subprocess.run([os.path.join(ROOT, "tests", "lab", "ad", "certs.sh"), lab.dir], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Step(dict):
    verdict = property(lambda self: self["verdict"])
    said = property(lambda self: self["evidence"] + "\nfix: " + self.get("fix", ""))


def check(config, env=None, name="fake"):
    """(exit code, steps by name); the form for people must agree with it."""
    r = rollcall("check", name, "-o", "json", config=config, env=env, code=None, timeout=30)
    assert r.out, r
    report = r.json()
    steps = {s["name"]: Step(s) for s in report["steps"]}
    assert report["ok"] == (not any(s.verdict == "fail" for s in steps.values())) == (r.code == 0), report
    return r.code, steps


def verify(got, step, code, evidence, fix, verdict=None):
    exit_code, steps = got
    s = steps[step]
    assert s.verdict == (verdict or ("fail" if code else "warn")), json.dumps(s, indent=1)
    assert exit_code == code, "exit %d: %s" % (exit_code, json.dumps(s, indent=1))
    assert re.search(evidence, s["evidence"]), s
    assert re.search(fix, s.get("fix", "")), s
    if s.verdict == "fail":
        failed = [n for n, x in steps.items() if x.verdict == "fail"]
        assert failed == [step], "more than the one step fails: %s" % failed


def table(rows, one):
    """Runs one(row) for each row; fails with every row that failed."""
    bad = []
    for row in rows:
        try:
            one(row)
        except Exception as e:
            bad.append("%s: %s: %s" % (row[0], type(e).__name__, e))
    assert not bad, "%d of %d failed:\n%s" % (len(bad), len(rows), "\n".join(bad))


def binds(server):
    return [q for q in server.requests() if q["op"] == "bind"]


# --- settings: told before anything is started --------------------------------------------------------------

def settings(text):
    return write(os.path.join(scratch(), "rollcall.yaml"), text)


GOOD = """connectors:
  corp:
    type: active_directory
    domain: corp.example
    host: dc1.corp.example
    username: svc@corp.example
    password: env:PW
"""
SETTINGS = [
    ("no settings file", None, (2, 3), r"there is no file /nonexistent/rollcall.yaml", "--config"),
    ("unknown key", GOOD + "    pasword: x\n", 2, r"yaml:8:5: unknown key 'pasword'; did you mean 'password'", ""),
    ("key of no meaning", GOOD + "    colour: red\n", 2, r"yaml:8:5: unknown key 'colour'", "connector spec active_directory"),
    ("other program's key", GOOD.replace("host:", "server:"), 2, r"yaml:5:5: unknown key 'server'; did you mean 'host'", ""),
    ("plain password", GOOD.replace("env:PW", "Hunter-2-plain"), 2, r"yaml:7:15: password: a secret is never written", "file:PATH"),
    ("host missing", GOOD.replace("    host: dc1.corp.example\n", ""), 2, r"host is missing", "host"),
    ("port of 70000", GOOD + "    port: 70000\n", 2, r"yaml:8:11: port", ""),
    ("plain LDAP", GOOD + "    security: ldap\n", 2, r"yaml:8:15: security: .*clear text", "starttls or ldaps|ldaps"),
    ("a password for a ticket cache", GOOD + "    auth: kerberos_cache\n", 2, r"yaml:7:15: password: not used with auth: kerberos_cache", ""),
    ("NTLM", GOOD + "    auth: ntlm\n", 2, r"yaml:8:11: auth: 'ntlm' is none of simple, kerberos, kerberos_cache, keytab", ""),
    ("a tab", GOOD + "\tport: 636\n", 2, r"yaml:8:\d+: ", ""),
    ("a key twice", GOOD + "    host: dc2.corp.example\n", 2, r"yaml:8:5: .*host", ""),
    ("unknown connector type", GOOD.replace("active_directory", "active_dirctory"), 2, r"did you mean 'active_directory'", ""),
    ("base DN of another domain", GOOD + "    base_dn: OU=Users,DC=other,DC=example\n", 2, r"yaml:8:14: base_dn: .*DC=corp,DC=example", "did you mean"),
    ("a DN that is none", GOOD + "    base_dn: Users\n", 2, r"yaml:8:14: base_dn", ""),
]


@case("%d faults of the settings: place and remedy" % len(SETTINGS))
def _():
    def one(row):
        _what, text, codes, message, hint = row
        r = rollcall("check", "corp", config=settings(text) if text else "/nonexistent/rollcall.yaml", code=None)
        assert r.code in (codes if isinstance(codes, tuple) else (codes,)), r
        assert re.search(message, r.err) and re.search(hint, r.err) and not r.out, r
        assert "Hunter-2" not in r.err + r.out, "the password is repeated"
    table(SETTINGS, one)


@case("a connector that is not there: exit 3, and the near name")
def _():
    r = rollcall("check", "crop", config=settings(GOOD), code=3)
    assert "did you mean 'corp'" in r.err, r


# --- the secret -----------------------------------------------------------------------------------------------

def secret(content=b"Collector-1", mode=0o600):
    path = os.path.join(scratch(), "secret")
    with open(path, "wb") as f:
        f.write(content)
    os.chmod(path, mode)
    return "file:" + path


SECRETS = [
    ("file missing", lambda: "file:/nonexistent/pw", "password.*/nonexistent/pw: No such file", "password|file"),
    ("readable by others", lambda: secret(mode=0o644), "0?644|read by others|readable by", "chmod|password"),
    ("empty file", lambda: secret(b""), "empty", "password"),
    ("a line end only", lambda: secret(b"\n"), "empty", "password"),
    ("byte order mark", lambda: secret(b"\xef\xbb\xbfCollector-1"), "byte order mark", "password|BOM"),
    ("a directory", lambda: "file:" + scratch(), "not a regular file", "password"),
    ("variable not set", lambda: "env:ROLLCALL_NO_SUCH", "ROLLCALL_NO_SUCH is not set", "password|export"),
    ("no credentials directory", lambda: "cred:corp", "CREDENTIALS_DIRECTORY is not set", "password|systemd"),
    ("no terminal", lambda: "prompt:", "terminal", "password|terminal"),
]


@case("%d faults of the secret: the rest is still checked, nothing is sent to bind" % len(SECRETS))
def _():
    def one(row):
        _what, reference, evidence, fix = row
        fake.behave()
        got = check(fake.config(work, password=reference()))
        verify(got, "secret", 2, evidence, fix)
        steps = got[1]
        assert all(steps[n].verdict == "ok" for n in ("settings", "dns", "tcp", "tls", "root_dse", "clock")), steps
        assert all(steps[n].verdict == "skip" for n in ("bind", "base_dn", "sample", "permissions", "account")), steps
        assert not binds(fake)
    table(SECRETS, one)


# --- name, port, and who is behind it ----------------------------------------------------------------------------

class Resolver:
    """A DNS server that answers every question with one code (RFC 1035 4.1.1), or not at all."""

    def __init__(self, code):
        self.socket, self.code = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), code
        self.socket.bind(("127.0.0.1", 0))
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            question, peer = self.socket.recvfrom(512)
            if self.code is not None:
                self.socket.sendto(question[:2] + bytes((0x81, 0x80 | self.code)) + question[4:6] + 6 * b"\0" + question[12:], peer)

    env = property(lambda self: {"ROLLCALL_RESOLVERS": "127.0.0.1:%d" % self.socket.getsockname()[1]})


DNS = [("no such name", 3, (3,), "no-such-dc.corp.example: no such name .asked 127.0.0.1", "spelling"),
       ("the resolver fails", 2, (6,), "no-such-dc.corp.example: the DNS server failed", "resolv.conf"),
       ("the resolver refuses", 5, (6,), "no-such-dc.corp.example: the DNS server failed", "resolv.conf"),
       ("the resolver is silent", None, (6,), "no-such-dc.corp.example: no DNS server answered", "port 53"),
       ("a name without an address", 0, (3,), "no-such-dc.corp.example: the name has no address", "")]


@case("%d faults of the name" % len(DNS))
def _():
    def one(row):
        _what, rcode, codes, evidence, fix = row
        config = fake.config(work, host="no-such-dc.corp.example", connect_timeout="1s")
        t = time.monotonic()
        got = check(config, env=Resolver(rcode).env)
        assert time.monotonic() - t < 8
        assert got[0] in codes, got
        verify(got, "dns", got[0], evidence, fix)
        assert got[1]["tcp"].verdict == got[1]["tls"].verdict == got[1]["bind"].verdict == "skip"
    table(DNS, one)


@contextlib.contextmanager
def unused_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        yield s.getsockname()[1]  # bound, but nobody listens


@contextlib.contextmanager
def full_port():
    """A listener whose queue is full: the kernel drops further SYNs, as a firewall would."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen(0)
        waiting = []
        for _ in range(4):
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            waiting[-1].connect_ex(s.getsockname())
        time.sleep(0.1)
        yield s.getsockname()[1]
        for w in waiting:
            w.close()


@case("TCP: refused, and silent within its time")
def _():
    for port, evidence, fix in ((unused_port, "127.0.0.1: refused", "nothing listens"), (full_port, "no answer", "firewall")):
        with port() as number:
            t = time.monotonic()
            got = check(fake.config(work, port=number, connect_timeout="1s"))
            assert time.monotonic() - t < 8
            verify(got, "tcp", 6, evidence, fix)
            assert got[1]["tls"].verdict == "skip"


PEERS = [
    ("a web server", "http", "HTTP", "web server or proxy"),
    ("a mail server", "garbage=text", "does not speak TLS", "636"),
    ("SSH", "garbage=ssh", "does not speak TLS", "636"),
    ("SMB", "garbage=smb", "does not speak TLS", "636"),
    ("noise", "garbage=random", "does not speak TLS", "636"),
    ("a refusal of TLS", "garbage=tls-alert", "broke the handshake off", "Schannel"),
    ("silence", "silent=accept", "does not answer", "LDAP service behind port"),
    ("half a handshake", "garbage=half-record", "middle of the handshake|does not answer", "LDAP service behind port"),
    ("end at once", "close=accept", "closed the connection at the first word", "certificate"),
    ("a byte a second", "dribble=1", "middle of the handshake", ""),
]


@case("%d peers that are no LDAPS service" % len(PEERS))
def _():
    def one(row):
        _what, behaviour, evidence, fix = row
        fake.behave(behaviour)
        t = time.monotonic()
        verify(check(fake.config(work, connect_timeout="1s")), "tls", 6, evidence, fix)
        assert time.monotonic() - t < 8 and not binds(fake)
    table(PEERS, one)


STARTTLS = [
    ("refused", "starttls-refused=unavailable", "StartTLS", "certificate|636|ldaps"),
    ("not known", "starttls-refused=protocolError", "StartTLS", "certificate|636|ldaps"),
    ("silent", "starttls-silent", "does not answer|handshake|in time", ""),
    ("plain text goes on", "starttls-plain", "without TLS|StartTLS", ""),
    ("plain text is injected", "starttls-inject=bind", "StartTLS|before|without TLS|not.*TLS", ""),
]


@case("%d faults of StartTLS: nothing is sent to bind" % len(STARTTLS))
def _():
    def one(row):
        _what, behaviour, evidence, fix = row
        starttls.behave(behaviour)
        verify(check(starttls.config(work, security="starttls", connect_timeout="1s")), "tls", 6, evidence, fix)
        assert not binds(starttls)
    table(STARTTLS, one)
    starttls.behave()
    code, steps = check(starttls.config(work, security="starttls"))
    assert code == 0 and steps["bind"].verdict == "ok", steps


# --- certificates ---------------------------------------------------------------------------------------------------

def days_left(days):
    """A certificate of the lab's CA that is good for so many days."""
    name = os.path.join(work, "days%d" % days)
    ext = write(name + ".ext", "subjectAltName=DNS:%s\nextendedKeyUsage=serverAuth\n" % lab.host)
    for args in (["req", "-newkey", "rsa:2048", "-nodes", "-keyout", name + ".key", "-out", name + ".csr", "-subj", "/CN=" + lab.host],
                 ["x509", "-req", "-in", name + ".csr", "-CA", lab.ca, "-CAkey", lab.ca[:-4] + ".key", "-CAcreateserial", "-days", str(days),
                  "-extfile", ext, "-out", name + ".pem"]):
        subprocess.run(["openssl", *args], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return "%s.pem:%s.key" % (name, name)


def leaf_only():
    """The certificate that an intermediate CA issued, without the intermediate's."""
    with open(os.path.join(faults, "inter.pem")) as f:
        return write(os.path.join(work, "leaf.pem"), f.read().partition("-----END CERTIFICATE-----\n")[0] + "-----END CERTIFICATE-----\n")


def in_service(name):
    return "cert=%s:%s" % (os.path.join(faults, name + ".pem"), os.path.join(faults, name + ".key"))


CERTIFICATES = [
    ("expired", lambda: in_service("expired"), "expired on 2021-01-01", "renew"),
    ("not yet valid", lambda: in_service("notyet"), "not valid before 2090-01-01", "clock"),
    ("wrong name", lambda: in_service("wrongname"), r"is for other\.example\.test, not for dc1\.corp\.example\.test", "certificate_name"),
    ("self-signed", lambda: in_service("selfsigned"), "self-signed and not in .*ca.pem", "compare its SHA-256"),
    ("another CA", lambda: in_service("otherca"), "Another Root CA.*not in .*ca.pem", "ca_certificate"),
    ("not for servers", lambda: in_service("noeku"), "not meant for servers: .*without serverAuth", "Server Authentication"),
    ("common name only", lambda: in_service("cnonly"), r"no subject alternative name, only .*dc1\.corp\.example\.test", "issued again"),
    ("no intermediate", lambda: "cert=%s:%s" % (leaf_only(), os.path.join(faults, "inter.key")), "Lab Intermediate CA", "intermediate"),
]


@case("%d faults of the certificate, each by its name" % len(CERTIFICATES))
def _():
    def one(row):
        _what, behaviour, evidence, fix = row
        fake.behave(behaviour())
        verify(check(fake.config(work, certificate_name=lab.host, ca_certificate=lab.ca)), "tls", 6, evidence, fix)
        assert not binds(fake), "the password went to a server that was not verified"
    table(CERTIFICATES, one)


@case("certificates that are right: wildcard, with its intermediate, pinned; and one that expires soon, warned of")
def _():
    for name in ("good", "wildcard", "inter"):
        fake.behave(in_service(name))
        code, steps = check(fake.config(work, certificate_name=lab.host, ca_certificate=lab.ca))
        assert code == 0 and steps["tls"].verdict == "ok", steps["tls"]
    fake.behave(in_service("selfsigned"))
    code, steps = check(fake.config(work, certificate_name=lab.host, ca_certificate=os.path.join(faults, "selfsigned.pem")))
    assert code == 0 and steps["tls"].verdict == "ok", steps["tls"]
    fake.behave("cert=" + days_left(10))
    verify(check(fake.config(work, certificate_name=lab.host, ca_certificate=lab.ca)), "tls", 0, "valid until", r"expires in \d+ days")
    fake.behave("cert=" + days_left(40))
    assert check(fake.config(work, certificate_name=lab.host, ca_certificate=lab.ca))[1]["tls"].verdict == "ok"


@case("a certificate that attacks the terminal: shown, refused, harmless")
def _():
    name = os.path.join(work, "evil")
    config = write(name + ".cnf", "[req]\ndistinguished_name=d\nprompt=no\nutf8=yes\nstring_mask=utf8only\n[d]\nCN=\"dc\x1b[2J\x07\u202ecba\x9b31m\"\n")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-config", config, "-utf8", "-keyout", name + ".key", "-out", name + ".pem",
                    "-addext", "subjectAltName=DNS:evil\x1b[31m.example"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    fake.behave("cert=%s.pem:%s.key" % (name, name))
    shown = rollcall("certificate", "127.0.0.1:%d" % fake.port, code=None)
    checked = rollcall("check", "fake", config=fake.config(work), code=6)
    for r in (shown, checked):
        assert "self-signed" in r.out and not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]", r.out + r.err), repr(r)


@case("a CA file that is missing, or holds none")
def _():
    fake.behave()
    for path, evidence in (("/nonexistent/ca.pem", "/nonexistent/ca.pem"), (write(os.path.join(work, "noca.pem"), "hello\n"), "noca.pem")):
        code, steps = check(fake.config(work, ca_certificate=path))
        assert code in (2, 3, 6) and steps["tls"].verdict == "fail" and evidence in steps["tls"]["evidence"], (code, steps["tls"])


# --- the directory ----------------------------------------------------------------------------------------------------

ROOT_DSE = [
    ("silent after TLS", ["silent=tls"], {}, 6, "did not finish|no answer", "overloaded|drops"),
    ("closed after TLS", ["close=tls"], {}, 6, "closed the connection", ""),
    ("not Active Directory", ["hide-root-attrs=defaultNamingContext"], {}, 1, "no Active Directory domain controller", "domain controller"),
    ("no root DSE for the anonymous", ["spurious=done"], {}, 1, "no Active Directory domain controller", "domain controller"),
    ("another domain", [], {"domain": "corp.example"}, 2, "is a controller of the domain fake.example, not of corp.example", "domain: fake.example"),
]


@case("%d faults of the root DSE: the password is not sent" % len(ROOT_DSE))
def _():
    def one(row):
        _what, behaviours, keys, code, evidence, fix = row
        fake.behave(*behaviours)
        got = check(fake.config(work, answer_timeout="1s", **keys))
        verify(got, "root_dse", code, evidence, fix)
        assert got[1]["bind"].verdict == "skip" and not binds(fake)
    table(ROOT_DSE, one)


@case("clocks: two minutes off is warned of, ten fail; an unknown time is said")
def _():
    for skew, verdict, words in ((0, "ok", "0 s"), (-120, "warn", "1[12]. s behind us"), (600, "fail", "(599|60.) s ahead of us"), (-86400, "fail", "behind us")):
        fake.behave("clock-skew=%d" % skew)
        code, steps = check(fake.config(work))
        assert steps["clock"].verdict == verdict and re.search(words, steps["clock"]["evidence"]), steps["clock"]
        assert verdict == "ok" or "NTP" in steps["clock"]["fix"]
        assert (code == 0) == (verdict != "fail") and steps["bind"].verdict == "ok", "a wrong clock does not hinder a simple bind"
    fake.behave("hide-root-attrs=currentTime")
    assert "does not tell its time" in check(fake.config(work))[1]["clock"]["evidence"]


BINDS = [
    ("525", ["bind-error=525"], 4, "no such user .*AD 525", "username"),
    ("52e", ["bind-error=52e"], 4, "wrong user name or password .*AD 52e", "does not try again"),
    ("530", ["bind-error=530"], 4, "at this time .*AD 530", "logon hours"),
    ("531", ["bind-error=531"], 4, "workstation .*AD 531", "userWorkstations"),
    ("532", ["bind-error=532"], 4, "password has expired .*AD 532", "new password"),
    ("533", ["bind-error=533"], 4, "disabled .*AD 533", "enable"),
    ("568", ["bind-error=568"], 4, "too many groups .*AD 568", "group"),
    ("701", ["bind-error=701"], 4, "account has expired .*AD 701", "accountExpires"),
    ("773", ["bind-error=773"], 4, "must be changed .*AD 773", "must change"),
    ("775", ["bind-error=775"], 4, "account locked .*AD 775", "unlock"),
    ("unknown sub-code", ["bind-error=534"], 4, "534", ""),
    ("strongerAuthRequired", ["stronger-auth"], 4, "stronger .*LDAP 8", "policy"),
    ("channel binding", ["channel-binding"], 4, "channel binding", "Kerberos|allow"),
    ("busy", ["bind-result=busy"], 6, "busy", "later"),
    ("no simple bind", ["bind-result=authMethodNotSupported"], 4, "does not support", ""),
    ("a referral", ["referral=plain,on=bind"], (2, 4, 1), "another server", ""),
    ("silent", ["silent=bind"], 6, "did not finish|no answer", ""),
    ("closed", ["close=bind"], 6, "closed the connection", ""),
    ("in progress", ["bind-in-progress"], 1, "LDAP 14", ""),
    ("another message", ["wrong-type=compare,at=bind"], 1, "message of type", ""),
]


@case("%d refused binds: the sub-code in words, tried exactly once" % len(BINDS))
def _():
    def one(row):
        _what, behaviours, codes, evidence, fix = row
        fake.behave(*behaviours)
        got = check(fake.config(work, answer_timeout="1s"))
        assert got[0] in (codes if isinstance(codes, tuple) else (codes,)), got
        verify(got, "bind", got[0], "svc-collector@fake.example: .*" + evidence, fix)
        assert len(binds(fake)) == 1, binds(fake)
        assert all(got[1][n].verdict == "skip" for n in ("base_dn", "sample", "permissions", "account"))
    table(BINDS, one)


DATA = [
    ("base DN missing", [], {"base_dn": "OU=Nobody,OU=People,DC=fake,DC=example"}, "base_dn", 3, "no such object", "nearest object that exists is OU=People,DC=fake,DC=example"),
    ("base DN without users", [], {"base_dn": "OU=Servers,DC=fake,DC=example"}, "base_dn", 0, "0 users visible", "List Contents"),
    ("no userAccountControl", ["deny-attrs=userAccountControl"], {}, "sample", 0, "user: userAccountControl came from none", "Read All Properties on users"),
    ("users refused", ["insufficient,match=objectClass=user"], {}, "base_dn", 4, "may not do this", "read access"),
    ("computers refused", ["insufficient,match=objectCategory=computer"], {}, "sample", 0, "computers: .*may not do this", "read access"),
    ("groups refused", ["insufficient,match=objectCategory=group"], {}, "permissions", 4, "may not do this", "read access"),
    ("descriptors not readable", ["no-descriptors"], {}, "permissions", 0, r"descriptors of 0 of \d+ groups and OUs readable", "READ_CONTROL|Read Permissions"),
    ("closed in the sample", ["close=page,page=1,match=objectCategory=computer"], {}, "sample", 6, "computers: .*closed the connection", ""),
    ("silent in the sample", ["silent=entry,match=objectCategory=computer"], {}, "sample", 6, "computers: .*did not finish", ""),
    ("not synchronized", ["no-gc-ready"], {}, "root_dse", 0, "not synchronized", "replicating"),
]


@case("%d faults of what the account sees" % len(DATA))
def _():
    def one(row):
        _what, behaviours, keys, step, code, evidence, fix = row
        fake.behave(*behaviours)
        got = check(fake.config(work, answer_timeout="1s", **keys))
        exit_code, steps = got
        s = steps[step]
        assert exit_code == code and s.verdict == ("fail" if code else "warn"), (exit_code, s)
        assert re.search(evidence, s["evidence"]) and re.search(fix, s.get("fix", "")), s
        assert len(binds(fake)) == 1
    table(DATA, one)


def filetime(days):
    t = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    return str(int((t - datetime.datetime(1601, 1, 1, tzinfo=datetime.timezone.utc)).total_seconds()) * 10000000)


# the domain's passwords live 42 days
ACCOUNTS = [
    ("password expires in 5 days", {"pwdLastSet": [filetime(-37)], "userAccountControl": ["512"]}, "warn", "its password expires", "before it expires"),
    ("password expires in 40 days", {"pwdLastSet": [filetime(-2)], "userAccountControl": ["512"]}, "ok", "its password expires", ""),
    ("password never expires", {"userAccountControl": ["66048"]}, "ok", "does not expire", ""),
    ("no pre-authentication", {"userAccountControl": ["4260352"]}, "warn", "pre-authentication", "pre-?authentication"),
    ("trusted for delegation", {"userAccountControl": ["590336"]}, "warn", "delegation", "delegation"),
]


@case("%d states of the account itself" % len(ACCOUNTS))
def _():
    def one(row):
        _what, attributes, verdict, evidence, fix = row
        scenario = write(os.path.join(work, "scenario.json"), json.dumps({"entries": {"svc-collector": attributes}}))
        with Fake("--users", 3, "--scenario", scenario) as server:
            code, steps = check(server.config(work))
        s = steps["account"]
        assert code == 0 and s.verdict == verdict, s
        assert re.search(evidence, s["evidence"]) and re.search(fix, s.get("fix", "")), s
    table(ACCOUNTS, one)


# --- a real domain controller -------------------------------------------------------------------------------------------

@case("the lab: all is right for its reader")
def _():
    code, steps = check(lab.config(work, "corp"), name="corp")
    assert code == 0 and {s.verdict for s in steps.values()} <= {"ok", "warn"}, steps
    assert lab.host in steps["root_dse"]["evidence"].lower() and "privileged" in steps["account"]["evidence"], steps


@case("the lab: an administrator is warned of")
def _():
    got = check(lab.config(work, "corp", username=lab.admin, password="file:" + lab.admin_pw_file), name="corp")
    verify(got, "account", 0, "member of (Domain Admins|Administrators|.*S-1-5)", "take the account out of the privileged groups")


DOORS = [("ok", "wrong user name or password .*AD 52e"), ("hours", "at this time .*AD 530"), ("workstation", "workstation .*AD 531"),
         ("pwexpired", "password has expired .*AD 532"), ("disabled", "disabled .*AD 533"), ("expired", "account has expired .*AD 701"),
         ("mustchange", "must be changed .*AD 773"), ("locked", "account locked .*AD 775"), ("nobody", "AD (52e|525)")]


@case("the lab: %d doors that stay shut, each for its own reason" % len(DOORS))
def _():
    def one(row):
        name, evidence = row
        pw = write(os.path.join(work, "door.pw"), "Wrong-Passw0rd.1" if name == "ok" else DOOR)
        got = check(lab.config(work, "corp", username="door.%s@%s" % (name, lab.domain), password="file:" + pw), name="corp")
        verify(got, "bind", 4, evidence, ".")
    table(DOORS, one)
    for user in ("door.ok@" + lab.domain, "CORP\\door.ok"):
        pw = write(os.path.join(work, "door.pw"), DOOR)
        user = user.replace("CORP", lab.netbios)
        assert check(lab.config(work, "corp", username=user, password="file:" + pw), name="corp")[1]["bind"].verdict == "ok", user


@case("the lab: its own faulty certificates")
def _():
    try:
        for name, evidence in (("expired", "expired on 2021-01-01"), ("wrongname", "is for other.example.test, not for")):
            subprocess.run([lab.script, "cert", lab.dir, name], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
            verify(check(lab.config(work, "corp"), name="corp"), "tls", 6, evidence, ".")
    finally:
        subprocess.run([lab.script, "cert", lab.dir, "dc1"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
    assert check(lab.config(work, "corp"), name="corp")[0] == 0


# --- the password ----------------------------------------------------------------------------------------------------------

SECRET_WORD = "Zq7-kept-quiet-Xw2"


def shown_by(process):
    """Command lines and environments of a process and its children, as any program of the same user can read them."""
    for pid in tree_of(process):
        for name in ("cmdline", "environ"):
            with contextlib.suppress(OSError):
                with open("/proc/%d/%s" % (pid, name), "rb") as f:
                    yield pid, name, f.read()


@case("the password is in no output, log, command line or file, at any level")
def _():
    pw = write(os.path.join(work, "quiet.pw"), SECRET_WORD)
    with Fake("--users", 3, "--password", SECRET_WORD) as server:
        for behaviour in ([], ["bind-error=52e"], ["silent=bind"], ["mutate=3,at=bind"]):
            for verb in ("check", "read", "sync", "discover"):
                server.behave(*behaviour)
                r = rollcall(verb, "fake", "--log", "debug", "--progress", "json", config=server.config(work, password="file:" + pw, answer_timeout="1s"),
                             code=None)
                assert SECRET_WORD not in r.out + r.err, (verb, behaviour)
        with open(server.log_path) as f:
            assert SECRET_WORD not in f.read()
    for name in os.listdir(work):
        with open(os.path.join(work, name), "rb") as f:
            assert name == "quiet.pw" or SECRET_WORD.encode() not in f.read(), name


@case("while a bind is under way: nothing on command lines, and only the parent's environment has what the user put there")
def _():
    fake.behave("silent=bind")
    config = fake.config(work, password="env:ROLLCALL_TEST_PW", answer_timeout="3s")
    p = subprocess.Popen([harness.ROLLCALL, "check", "fake", "--config", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                         env=dict(os.environ, ROLLCALL_TEST_PW=SECRET_WORD, OTHER_PROGRAMS_TOKEN="Other-" + SECRET_WORD))
    try:
        wait_for(lambda: binds(fake))
        seen = list(shown_by(p.pid))
        workers = {pid for pid, name, text in seen if name == "cmdline" and b"collect" in text}
        assert workers and p.pid not in workers, seen
        assert not [s for s in seen if s[1] == "cmdline" and SECRET_WORD.encode() in s[2]]
        leaked = [s for s in seen if s[0] in workers and s[1] == "environ" and SECRET_WORD.encode() in s[2]]
        assert not leaked, "the worker, which parses foreign bytes, has the user's environment with its secrets"
    finally:
        p.kill()
        p.wait()


@case("an ordinary user, without any privilege, can check and read")
def _():
    d = scratch()
    config = fake.config(d)
    fake.behave()
    for path in (d, fake.dir, os.path.dirname(fake.ca), fake.ca):
        os.chmod(path, 0o755)
    for name in os.listdir(d):
        os.chown(os.path.join(d, name), 65534, 65534)
    for verb in ("check", "read"):
        p = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs", harness.ROLLCALL, verb, "fake", "--config", config],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
        assert p.returncode == 0, (p.stdout[-2000:], p.stderr)


@case("the form for people: one line a step, fixes below, nothing else on standard error")
def _():
    fake.behave("bind-error=775")
    r = rollcall("check", "fake", config=fake.config(work), code=4)
    lines = r.out.splitlines()
    assert [line.split()[1] for line in lines if re.match("(ok|WARN|FAIL|skip) ", line)] == [
        "settings", "secret", "dns", "tcp", "tls", "root_dse", "clock", "controllers", "bind", "base_dn", "sample", "permissions", "account"], r
    assert "FAIL bind" in r.out and "    fix: unlock the account" in r.out and lines[-1] == "fake: NOT ready (1 failed, 0 warnings)" and not r.err, r
    assert "\x1b" not in r.out


main()
