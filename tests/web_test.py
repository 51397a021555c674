#!/usr/bin/python3
"""The page in a real browser: a real server, a real domain, a simulated tenant, Debian's Chromium (tests/web/*.mjs).

The cases are written in JavaScript and run in one order, as somebody would who starts with an empty server: each says "ok" or "not ok". What they cannot do
themselves (work in the directory, restart the server) they ask for by a line of JSON, answered by another. Screenshots of every page are written to
$ROLLCALL_SCREENSHOTS, else build/screenshots.
"""
# budget: 600 600
import json
import os
import signal
import subprocess
import sys
import urllib.request

from domain import Domain
from harness import ROLLCALL, ROOT, Fake, Lab, at_end, close_all, scratch, shared_ca
from tenant import Tenant

WRITABLE = ["displayName", "givenName", "sn", "description", "title", "department", "company", "info", "physicalDeliveryOfficeName", "streetAddress", "l", "st",
            "comment", "wWWHomePage", "personalTitle"]
HOSTILE = ["<img src=x onerror=window.__hacked=N>", "<script>window.__hacked=N</script>", "\"><svg onload=window.__hacked=N>", "' onmouseover=window.__hacked=N x='",
           "javascript:window.__hacked=N", "{{window.__hacked=N}}", "${window.__hacked=N}", "</title><script>window.__hacked=N</script>", "<iframe srcdoc='<script>top.__hacked=N</script>'>",
           "</script><script>window.__hacked=N", "]]><script>window.__hacked=N</script>", "<math><mtext><img src=x onerror=window.__hacked=N>", "<a href=javascript:window.__hacked=N>x</a>",
           "&lt;script&gt;window.__hacked=N&lt;/script&gt;", "%3Cscript%3Ewindow.__hacked=N%3C/script%3E", "<style>@import'//127.0.0.1:1/N'</style>", "<link rel=stylesheet href=//127.0.0.1:1/N>",
           "<meta http-equiv=refresh content='0;url=//127.0.0.1:1/N'>", "<base href=//127.0.0.1:1/N/>", "admin\u202enimda N", "zero\u200bwidth\u2060 N", "\u2066isolate\u2069 N",
           "=cmd|'/c calc'!A1 N", "<template><script>window.__hacked=N</script></template>", "-->\u2028window.__hacked=N", "\ufeffmark N", "<form action=//127.0.0.1:1/N><button>go"]
NODE = os.environ.get("ROLLCALL_NODE", "node")


class Served:
    """`rollcall serve` with nothing but a place for its store."""

    def __init__(self):
        self.dir, self.port, self.process = scratch(), 0, None
        os.chmod(self.dir, 0o700)
        at_end(self.stop)
        self.start()

    def start(self):
        self.log = open(os.path.join(self.dir, "server.log"), "a")
        self.process = subprocess.Popen([ROLLCALL, "serve", "--store", "sqlite:" + os.path.join(self.dir, "rollcall.db"), "--listen",
                                         "127.0.0.1:%d" % self.port], stdout=subprocess.PIPE, stderr=self.log, stdin=subprocess.DEVNULL, text=True,
                                        env=dict(os.environ, ROLLCALL_CONFIG="", TZ="UTC"))
        self.setup = None
        for line in self.process.stdout:
            word, _, rest = line.strip().partition(": ")
            if word == "setup":
                self.setup = rest
            if word == "listening":
                self.url = rest
                break
        else:
            raise AssertionError("the server does not start: " + open(self.log.name).read())
        self.port = int(self.url.rstrip("/").rsplit(":", 1)[1])

    def stop(self, how=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(30)

    def reports(self):
        """How many violations of the page's Content-Security-Policy browsers have reported."""
        with urllib.request.urlopen(self.url.rstrip("/") + "/metrics") as answer:
            return sum(int(float(line.split()[-1])) for line in answer.read().decode().splitlines() if line.startswith("rollcall_csp_reports_total"))


class Stage:
    """What the cases can ask for."""

    def __init__(self):
        self.lab, self.tenant, self.served = Lab(), Tenant(users=300, groups=30, memberships=1500), Served()

    def facts(self):
        lab, tenant = self.lab, self.tenant
        with open(lab.reader_pw_file) as f:
            password = f.read().rstrip("\n")
        with open(lab.ca) as f:
            ca = f.read()
        with open(shared_ca()[0]) as f:
            other_ca = f.read()
        return {"url": self.served.url, "setup": self.served.setup, "lab": dict(lab.vars, READER_PW=password, CA_PEM=ca, OTHER_CA=other_ca, BASE=lab.base),
                "tenant": {"settings": tenant.settings(), "secret": tenant.secret}, "axe": os.path.join(ROOT, "tests/web/node_modules/axe-core/axe.min.js"),
                "screenshots": os.environ.get("ROLLCALL_SCREENSHOTS", os.path.join(ROOT, "build", "screenshots"))}

    def restart(self, how="SIGTERM"):
        self.served.stop(getattr(signal, how))
        self.served.start()
        return {"url": self.served.url}

    def modify(self, ldif):
        self.lab.modify(ldif)

    def advance(self, n):
        self.tenant.advance(n)

    def knobs(self, **knobs):
        self.tenant.set(**knobs)

    def reports(self):
        return self.served.reports()

    def hostile(self):
        """Users below OU=Hostile with a string of HOSTILE in each attribute that one may write; how many strings."""
        domain, n = Domain(self.lab), 0
        with domain.prepare():
            ou = domain.ou("Hostile")
            for i in range(1000 // len(WRITABLE) + 1):
                values = {}
                for attribute in WRITABLE:
                    values[attribute] = ("hostile %s" % HOSTILE[n % len(HOSTILE)].replace("N", str(n)))[:64]  # AD's limit of the shortest
                    n += 1
                domain.user("hostile%04d" % i, ou, **values)
        return n

    def fake(self, *behaviours):
        """A scripted LDAP server with this behaviour; where it listens."""
        fake = Fake(*behaviours)
        return {"port": fake.port}


def run(stage, only):
    node = subprocess.Popen([NODE, os.path.join(ROOT, "tests", "web", "main.mjs"), *only], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    at_end(node.kill)
    node.stdin.write(json.dumps(stage.facts()) + "\n")
    node.stdin.flush()
    for line in node.stdout:
        if not line.startswith("{"):
            print(line, end="", flush=True)
            continue
        order = json.loads(line)
        try:
            answer = {"ok": True, "result": getattr(stage, order["do"])(*order.get("args", []), **order.get("named", {}))}
        except Exception as e:
            answer = {"ok": False, "error": str(e)}
        node.stdin.write(json.dumps(answer) + "\n")
        node.stdin.flush()
    return node.wait()


if __name__ == "__main__":
    try:
        code = run(Stage(), sys.argv[1:])
    finally:
        close_all()
    sys.exit(code)
