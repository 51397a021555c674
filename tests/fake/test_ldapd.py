#!/usr/bin/python3
"""test_ldapd - checks that each behaviour of the fake controller does on the wire what its table says.

    python3 tests/fake/test_ldapd.py [-v] [PATTERN]

Needs openssl (certificates) and ldapsearch; a case that lacks one of them is counted as skipped. The cases are in case_answers.py,
case_wire.py and, of the program itself, here.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

import anomalies as odd
import case_wire  # noqa: F401 - registers its cases, as case_answers does
import rig
from case_answers import root
from rig import (CASES, COVERED, HERE, LDAPD, Server, Skip, bound, case, check, eq, equal, make_certificates)


# --- the program itself -----------------------------------------------------------------------------------------

@case()
def scenario_file():
    path = os.path.join(rig.WORK, "scenario.json")
    with open(path, "w") as f:
        json.dump({"users": 5, "groups": 2, "behaviours": ["result=busy,times=1", {"name": "bad-number", "arg": "hex", "who": "user00003"}],
                   "entries": {"user00001": {"title": ["Boss"], "photo": [{"hex": "ff00"}]}}, "remove": ["user00004"]}, f)
    port = os.path.join(rig.WORK, "scenario.port")
    p = subprocess.Popen([sys.executable, LDAPD, "--scenario", path, "--port-file", port, "--users", "6"], stdout=subprocess.PIPE)
    try:
        printed = int(p.stdout.readline())
        equal(int(open(port).read()), printed, "port file and standard output")
        server = type("S", (), {"port": printed})()
        with bound(server) as c:
            equal(c.search().done.code, 51)
            a = c.search(flt=eq("objectClass", "user"), attrs=("sAMAccountName", "title", "photo", "userAccountControl"))
            names = [s for s in a.sams() if s.startswith("user")]
            equal(names, ["user00001", "user00002", "user00003", "user00005", "user00006"], "the command line wins over the file")
            equal((a.entry("user00001").get("title"), a.entry("user00001").get("photo")), ([b"Boss"], [b"\xff\x00"]))
            equal(a.entry("user00003").get("userAccountControl"), [b"0x200"])
    finally:
        p.send_signal(signal.SIGTERM)
        equal(p.wait(5), 0, "exit status after SIGTERM")
        p.stdout.close()


@case()
def bad_arguments():
    for args in (["--behaviour", "nonsense"], ["--behaviour", "bad-sid=nonsense"], ["--scenario", "/nonexistent"]):
        p = subprocess.run([sys.executable, LDAPD, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=10)
        check(p.returncode != 0 and not p.stdout, args)


@case()
def two_controllers():
    """Two processes are two controllers: a cookie of one is nothing to the other."""
    other = Server(rig.WORK, "dc2", "--dc", "dc2")
    try:
        rig.PLAIN.set()
        with bound() as c, bound(other) as d:
            equal(d.search(size=5, cookie=c.search(size=5).cookie).done.code, 53)
            equal(root(d, "dnsHostName"), "dc2.fake.example")
            equal(c.search().entry("user00003").get("objectGUID"), d.search().entry("user00003").get("objectGUID"))
    finally:
        equal(other.stop(), 0)


@case()
def every_behaviour_is_covered_and_documented():
    equal(sorted(set(odd.BEHAVIOURS) - COVERED), [], "without a case")
    equal(sorted(COVERED - set(odd.BEHAVIOURS)), [], "unknown")
    text = open(os.path.join(HERE, "README.md"), encoding="utf-8").read()
    equal([n for n in odd.BEHAVIOURS if "`%s" % n not in text], [], "not in README.md")


def main():
    args = [a for a in sys.argv[1:] if a != "-v"]
    verbose = "-v" in sys.argv
    passed = failed = skipped = 0
    rig.WORK = tempfile.mkdtemp(prefix="fake-ldapd-")
    try:
        make_certificates()
        rig.PLAIN = Server(rig.WORK, "plain")
        if rig.CA:
            rig.TLS = Server(rig.WORK, "tls", "--tls", rig.CERT, rig.KEY)
            rig.START = Server(rig.WORK, "start", "--tls", rig.CERT, rig.KEY, "--starttls")
        for name, run in CASES:
            if args and not any(a in name for a in args):
                continue
            start = time.time()
            try:
                run()
                passed += 1
                result = "ok"
            except Skip as e:
                skipped += 1
                result = "skipped: %s" % e
            except Exception as e:
                failed += 1
                result = "FAILED: %s: %s" % (type(e).__name__, e)
                if verbose:
                    traceback.print_exc()
            if verbose or result != "ok":
                print("%-45s %5.2f s  %s" % (name, time.time() - start, result), flush=True)
    finally:
        for server in (rig.PLAIN, rig.TLS, rig.START):
            if server:
                server.stop()
        shutil.rmtree(rig.WORK, ignore_errors=True)
    print("%d passed, %d failed%s" % (passed, failed, ", %d skipped" % skipped if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
