#!/usr/bin/python3
"""canary_test.py - random secrets go through every door, in good runs and bad ones; then they are looked for everywhere.

Everywhere is: process arguments and environments, standard output and error at the finest level of logging, open and left temporary files,
the database with its WAL and lock, and memory images of both processes as a core dump would have them.
"""
# budget: 180 300
import base64
import contextlib
import json
import os
import random
import re
import resource
import signal
import string
import subprocess
import sys
import tempfile
import time
import urllib.parse

import harness
from harness import ROLLCALL, ROOT, Fake, Lab, case, main, rollcall, scratch, tree_of, write

sys.path.insert(0, os.path.join(ROOT, "tests", "fault"))
import proxy as storm  # noqa: E402

# Of a secret the inner part is looked for, too: what was freed is overwritten at its front first.
INNER = slice(6, 18)


def new_secret():
    """24 characters that Active Directory takes, and that look different in every notation."""
    dice = random.SystemRandom()
    body = "".join(dice.choice(string.ascii_letters + string.digits + "/+&%=\"\\") for _ in range(18))
    return "aZ9" + dice.choice("/\"\\&") + body + dice.choice("+%") + "q"


def forms(secret):
    """Every notation in which it could lie about: {name: bytes}."""
    out = {}
    for part, text in (("", secret), ("inner ", secret[INNER])):
        raw = text.encode()
        for name, data in (("raw", raw), ("UTF-16", text.encode("utf-16-le")), ("UTF-16BE", text.encode("utf-16-be"))):
            out[part + name] = data
            out[part + "hex of " + name] = data.hex().encode()
            out[part + "HEX of " + name] = data.hex().upper().encode()
            for shift in range(3):  # its bytes may begin at any of three places of a group
                code = base64.b64encode(b"\0" * shift + data)
                first, last = (0, 2, 3)[shift], len(code) - (0 if (shift + len(data)) % 3 == 0 else 4)
                out[part + "base64+%d of %s" % (shift, name)] = code[first + (2 if shift else 0):last]
                out[part + "base64url+%d of %s" % (shift, name)] = out[part + "base64+%d of %s" % (shift, name)].translate(bytes.maketrans(b"+/", b"-_"))
        out[part + "URL"] = urllib.parse.quote(text, safe="").encode()
        out[part + "URL+"] = urllib.parse.quote_plus(text).encode()
        out[part + "JSON"] = json.dumps(text)[1:-1].encode()
        out[part + "C"] = text.replace("\\", "\\\\").replace('"', '\\"').encode()
        out[part + "LDAP"] = "".join("\\%02x" % ord(c) if c in "*()\\" else c for c in text).encode()
    return {n: f for n, f in out.items() if len(f) >= 8}


class Canary:
    """The secrets of one run, and where they have been seen."""

    def __init__(self, *secrets):
        self.looks = {n: f for s in secrets for n, f in ((n + " of %s.." % s[:3], f) for n, f in forms(s).items())}
        self.pattern = re.compile(b"|".join(sorted({re.escape(f) for f in self.looks.values()}, key=len, reverse=True)))
        self.hits, self.seen_bytes = [], 0

    def look(self, where, data):
        self.seen_bytes += len(data)
        m = self.pattern.search(data)
        if m:
            names = [n for n, f in self.looks.items() if f == m.group()]
            self.hits.append("%s: %s at %d: ...%r" % (where, names[:2], m.start(), data[max(0, m.start() - 60):m.end() + 30]))

    def look_file(self, where, path):
        with contextlib.suppress(OSError):
            with open(path, "rb") as f:
                self.look(where, f.read(64 << 20))

    def look_at(self, pid, is_known_environment=False):
        """A living process from outside."""
        who = "process %d" % pid
        self.look_file(who + " cmdline", "/proc/%d/cmdline" % pid)
        if not is_known_environment:
            self.look_file(who + " environ", "/proc/%d/environ" % pid)
        with contextlib.suppress(OSError):
            for fd in os.listdir("/proc/%d/fd" % pid):
                path = "/proc/%d/fd/%s" % (pid, fd)
                with contextlib.suppress(OSError):
                    to = os.readlink(path)
                    if "(deleted)" in to or "memfd" in to:
                        self.look_file("%s open file %s" % (who, to), path)

    def look_below(self, directory, but=()):
        for base, _dirs, names in os.walk(directory):
            for n in names:
                if os.path.join(base, n) not in but:
                    self.look_file(os.path.join(base, n), os.path.join(base, n))


def is_worker(pid):
    """Between fork and exec it still is its parent."""
    with contextlib.suppress(OSError):
        with open("/proc/%d/cmdline" % pid, "rb") as f:
            return b"\0collect\0" in f.read()
    return False


def run(canary, *args, config, env=None, stdin=None, known_environment=False, code=None):
    """rollcall with logs at the finest level, looked at from outside all the while."""
    temp = scratch()
    full = dict(os.environ, TMPDIR=temp, **(env or {}))
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        p = subprocess.Popen([ROLLCALL, *args, "--log", "debug", "--config", config], stdout=out, stderr=err, stdin=subprocess.DEVNULL, env=full)
        while p.poll() is None:
            for pid in tree_of(p.pid):
                canary.look_at(pid, known_environment and not is_worker(pid))
            time.sleep(0.008)
        texts = []
        for name, f in (("standard output", out), ("standard error", err)):
            f.seek(0)
            texts.append(f.read())
            canary.look("%s of %s" % (name, args[0]), texts[-1])
    canary.look_below(temp)
    assert code is None or p.returncode in code, (args, p.returncode, texts[1][-600:])
    return texts


# --- the lab and its doors ---------------------------------------------------------------------------------------

_lab = []


def lab():
    if not _lab:
        _lab.append(Lab())
    return _lab[0]


class Account:
    """svc-canary, with a new password."""

    def __init__(self):
        self.name, self.secret = "svc-canary-" + os.urandom(3).hex(), new_secret()
        coded = base64.b64encode(('"%s"' % self.secret).encode("utf-16-le")).decode()
        lab().modify("dn: CN=%s,CN=Users,%s\nchangetype: add\nobjectClass: user\nsAMAccountName: %s\nuserPrincipalName: %s@%s\nuserAccountControl: 512\nunicodePwd:: %s\n"
                     % (self.name, lab().base, self.name, self.name, lab().domain, coded))
        self.principal = "%s@%s" % (self.name, lab().domain)


def inside(*command, stdin=None):
    p = subprocess.run([lab().script, "in", lab().dir, *command], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30)
    assert p.returncode == 0, p.stdout


def kerberos(**keys):
    """Settings of a Kerberos door; names come from the lab's own Kerberos configuration."""
    return dict({"host": lab().host, "certificate_name": None, "krb5_config": lab().krb5_config}, **keys)


def keytab(account, directory):
    path = os.path.join(directory, "keytab")
    text = "addent -password -p %s@%s -k 2 -e aes256-cts-hmac-sha1-96\n%s\nwkt %s\n" % (account.name, lab().realm, account.secret, path)
    inside("ktutil", stdin=text)
    return path


def cache(account, directory):
    path = os.path.join(directory, "cc")
    inside("kinit", "-c", "FILE:" + path, "%s@%s" % (account.name, lab().realm), stdin=account.secret + "\n")
    return path


# door: settings for (account, directory); where the password comes from; environment of rollcall
def by_file(account, d):
    return {"password": "file:" + write(os.path.join(d, "pw"), account.secret)}


DOORS = {
    "simple, ldaps, file": lambda a, d: (by_file(a, d), {}),
    "simple, starttls, file": lambda a, d: (dict(by_file(a, d), security="starttls"), {}),
    "simple, ldaps, env": lambda a, d: ({"password": "env:CANARY"}, {"CANARY": a.secret}),
    "simple, ldaps, cred": lambda a, d: ({"password": "cred:pw"}, {"CREDENTIALS_DIRECTORY": os.path.dirname(write(os.path.join(d, "pw"), a.secret))}),
    "kerberos, ldaps": lambda a, d: (dict(kerberos(auth="kerberos"), **by_file(a, d)), {}),
    "kerberos, spnego, ldaps": lambda a, d: (dict(kerberos(auth="kerberos", mechanism="spnego"), **by_file(a, d)), {}),
    "kerberos, ldap sealed": lambda a, d: (dict(kerberos(auth="kerberos", security="ldap", ca_certificate=None), **by_file(a, d)), {}),
    "kerberos, starttls": lambda a, d: (dict(kerberos(auth="kerberos", security="starttls"), **by_file(a, d)), {}),
    "keytab, ldaps": lambda a, d: (kerberos(auth="keytab", password=None, keytab=keytab(a, d)), {}),
    "ticket cache, ldaps": lambda a, d: (kerberos(auth="kerberos_cache", password=None, username=None, credential_cache=cache(a, d)), {}),
}


def door(name):
    account, d, own = Account(), scratch(), scratch()
    keys, env = DOORS[name](account, own)
    config = lab().config(d, **dict({"username": account.principal, "connect_timeout": "5s", "answer_timeout": "5s"}, **keys))
    env = dict({"ROLLCALL_RESOLVERS": lab().ip + ":53"}, **env)
    return account, d, config, env


def clean(canary, least=100000):
    assert canary.seen_bytes > least, "only %d bytes were looked at" % canary.seen_bytes
    assert not canary.hits, "%d hits:\n%s" % (len(canary.hits), "\n".join(sorted(set(canary.hits))[:8]))


@case("the net has no hole: each notation of a secret is found where it is put")
def _():
    for _i in range(20):
        secret = new_secret()
        for name, form in forms(secret).items():
            c = Canary(secret)
            c.look("here", os.urandom(50) + form + os.urandom(50))
            assert c.hits, name
        for shift in range(3):  # a secret within a longer text, coded as a whole
            c = Canary(secret)
            c.look("here", base64.b64encode(b"u:" + b"x" * shift + secret.encode() + b"\0more"))
            assert c.hits, shift
    c = Canary(new_secret())
    c.look("here", new_secret().encode() + os.urandom(100000))
    assert not c.hits, c.hits


@case("%d doors: check, read and two syncs leave no secret behind" % len(DOORS))
def _():
    bad = []
    for name in DOORS:
        try:
            account, d, config, env = door(name)
            canary = Canary(account.secret)
            known = "CANARY" in env
            for verb in (("check", "corp"), ("read", "corp", "--kind", "ou"), ("sync", "corp"), ("sync", "corp"))[0 if harness.SOAK or "kerberos" in name else 1:]:
                run(canary, *verb, config=config, env=env, known_environment=known, code=(0, 5))
            run(canary, "run", "get", "1", "-o", "json", config=config)
            canary.look_below(d, but=(os.path.join(d, "pw"),))
            clean(canary)
        except Exception as e:
            bad.append("%s: %s" % (name, e))
    assert not bad, "\n".join(bad)


@case("failing runs: wrong passwords, refused TLS, a controller that is not there")
def _():
    bad = []
    for name in [n for n in DOORS if "env" not in n and "cred" not in n]:
        account, d, config, env = door(name)
        wrong = new_secret()
        keys = DOORS[name](account, scratch())[0]
        rows = {"no controller": dict(keys, port=1), "other CA": dict(keys, ca_certificate=harness.shared_ca()[0])}
        if "sealed" in name:
            del rows["other CA"]
        if "password" in keys and keys["password"]:
            rows["wrong password"] = dict(keys, password="file:" + write(os.path.join(scratch(), "pw"), wrong))
        for what, changed in rows.items():
            canary = Canary(account.secret, wrong)
            config = lab().config(d, **dict({"username": account.principal, "connect_timeout": "2s", "answer_timeout": "5s"}, **changed))
            for verb in ("sync", "check")[:2 if harness.SOAK or what == "wrong password" else 1]:
                out = run(canary, verb, "corp", config=config, env=env)
                assert re.search(b"rollcall: |NOT ready|\"message\"", b"".join(out)), (name, what, out)
            canary.look_below(d)
            if canary.hits:
                bad.append("%s, %s: %s" % (name, what, canary.hits[:3]))
    assert not bad, "\n".join(bad)


# --- a controller that repeats what it heard ------------------------------------------------------------------------

def fake_config(fake, secret, **keys):
    d = scratch()
    own = scratch()
    return d, fake.config(d, **dict({"password": "file:" + write(os.path.join(own, "secret"), secret), "connect_timeout": "2s", "answer_timeout": "2s"}, **keys))


@case("a controller that repeats the password in its refusals is not quoted")
def _():
    secret = new_secret().replace('"', "x").replace("\\", "y")
    echoes = ["echo=%s,on=%s,code=%s" % (where, on, code) for where in ("text", "matched", "referral", "logon") for on in ("bind", "search")
              for code in ((49, 53, 10) if on == "bind" else (1, 3, 32, 53, 10))]
    with Fake("--users", 5, "--password", secret) as fake:
        canary, words = Canary(secret), []
        d, config = fake_config(fake, secret)
        for i, behaviour in enumerate(echoes):
            fake.behave(behaviour)
            for verb in ("read", "check", "sync") if harness.SOAK else (("sync", "read", "check")[i % 3],):
                words += run(canary, verb, "fake", "--try-now" if verb == "sync" else "--log=debug", config=config)
        canary.look("run list", rollcall("run", "list", "-o", "json", config=config).out.encode())
        canary.look_below(d, but=(os.path.join(d, "pw"),))
        assert any(b"refused: " in w for w in words), "nothing was quoted at all"
        clean(canary, 10000)


# --- memory ------------------------------------------------------------------------------------------------------------

def started(config, env=None, *args):
    """rollcall and its worker, both alive: (process, worker's pid)."""
    p = subprocess.Popen([ROLLCALL, *(args or ("read", "fake")), "--config", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                         env=dict(os.environ, **(env or {})), cwd=scratch())
    harness.wait_for(lambda: len(tree_of(p.pid)) > 1)
    return p, tree_of(p.pid)[1]


def dump(pid):
    """What a core dump of the process would hold: gcore leaves out what is marked so (MADV_DONTDUMP), as the kernel does."""
    d = scratch()
    p = subprocess.run(["gcore", "-o", os.path.join(d, "core"), str(pid)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    path = os.path.join(d, "core.%d" % pid)
    assert os.path.exists(path), p.stdout
    return path


@case("core dumps of both processes, at four moments: the secret is in none of them")
def _():
    bad = []
    for moment in ("silent=bind", "silent=bound", "silent=page,page=2,scope=sub", "silent=accept"):
        secret = new_secret()
        with Fake("--users", 20, "--password", secret) as fake:
            fake.behave(moment)
            _d, config = fake_config(fake, secret, answer_timeout="20s", connect_timeout="20s", page_size=5)
            p, worker = started(config)
            time.sleep(0.6)
            canary = Canary(secret)
            for who, pid in (("rollcall", p.pid), ("worker", worker)):
                canary.look_file("core of %s at %s" % (who, moment), dump(pid))
            p.kill()
            p.wait()
            bad += canary.hits
            assert canary.seen_bytes > 1 << 20, canary.seen_bytes
    assert not bad, "%d hits:\n%s" % (len(bad), "\n".join(bad))


@case("core dumps behind every door, while the controller hangs in the middle of a listing")
def _():
    bad = []
    for name in DOORS if harness.SOAK else ("simple, starttls, file", "kerberos, ldaps", "kerberos, ldap sealed", "keytab, ldaps"):
        account, d, own = Account(), scratch(), scratch()
        keys, env = DOORS[name](account, own)
        stalls = storm.Proxy((lab().ip, 389 if keys.get("security", "ldaps") != "ldaps" else 636), storm.Fault("stall", at=30000, times=None))
        keys = dict({"username": account.principal, "connect_timeout": "20s", "answer_timeout": "20s", "page_size": 20}, **keys)
        keys.update(host="127.0.0.1", port=stalls.port, certificate_name=None if keys.get("security") == "ldap" else lab().host)
        if "auth" in keys:
            keys["kerberos_spn"] = "ldap/" + lab().host
        config = lab().config(d, **keys)
        p, _worker = started(config, dict({"ROLLCALL_RESOLVERS": lab().ip + ":53"}, **env), "sync", "corp")
        harness.wait_for(lambda: stalls.passed["down"] >= 30000 or p.poll() is not None)
        time.sleep(0.3)
        canary = Canary(account.secret)
        assert p.poll() is None and len(tree_of(p.pid)) > 1, "%s: nothing hangs: %s" % (name, rollcall("sync", "corp", config=config, code=None, env=env))
        if "env:" not in str(keys.get("password")):  # it has its environment from outside
            canary.look_file("core of rollcall: " + name, dump(p.pid))
        canary.look_file("core of the worker: " + name, dump(tree_of(p.pid)[-1]))
        p.kill()
        p.wait()
        canary.look_below(d, but=(os.path.join(d, "pw"),))
        stalls.close()
        bad += canary.hits
        assert canary.seen_bytes > 1 << 20, canary.seen_bytes
    assert not bad, "%d hits:\n%s" % (len(bad), "\n".join(bad))


@case("SIGABRT with unlimited core size: neither process leaves a core file")
def _():
    with Fake("--users", 5) as fake:
        fake.behave("silent=bound")
        _d, config = fake_config(fake, "Collector-1", answer_timeout="20s")
        here = scratch()

        def unlimited():
            resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            os.chdir(here)
        control = subprocess.Popen(["sleep", "20"], preexec_fn=unlimited)
        time.sleep(0.1)
        control.send_signal(signal.SIGABRT)
        control.wait()
        makes_cores = bool(os.listdir(here))  # not where the kernel pipes them to a program
        for name in os.listdir(here):
            os.unlink(os.path.join(here, name))
        p = subprocess.Popen([ROLLCALL, "read", "fake", "--config", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=unlimited)
        harness.wait_for(lambda: len(tree_of(p.pid)) > 1)
        time.sleep(0.5)
        for pid in reversed(tree_of(p.pid)):
            limits = open("/proc/%d/limits" % pid).read()
            assert re.search(r"Max core file size +0 +0 ", limits), limits
            os.kill(pid, signal.SIGABRT)
        p.wait(10)
        assert not makes_cores or os.listdir(here) == [], os.listdir(here)


if __name__ == "__main__":
    main()
