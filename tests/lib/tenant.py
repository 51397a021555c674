"""tenant - a simulated Microsoft Entra tenant of a test's own (tests/lab/graph): started on loopback, turned by its knobs, asked for the truth.

    with Tenant(users=500, groups=40, memberships=3000, knobs={"latency_ms": 50}) as t:
        rollcall("sync", "cloud", config=t.config(scratch()))
        t.advance(20)            # a seeded piece of history
        t.oracle("users")        # {"users": {id: {...}}, "changes": n}
        t.set(faults=[{"kind": "status", "status": 503, "match": "/users", "count": 2, "retry_after": 0.1}])

The settings, knobs and faults are listed in tests/lab/graph/README.md.
"""
import http.client
import json
import os
import ssl
import subprocess
import time
import urllib.parse

import harness
from harness import ROOT, scratch, write, write_config
from nodelab import NODE, NodeLab

MAIN = os.path.join(ROOT, "tests", "lab", "graph", "main.js")
CLIENTS = os.path.join(ROOT, "tests", "lab", "graph", "clients")
TENANT_ID = "5a3e0c1d-7b64-4f0e-9d1b-2c6f8a9b0c1d"
CLIENT_ID = "c1ae0f4e-6d0b-4c1e-8a58-0d6a3f3b7e21"
SECRET = "s3cret+with/specials&and%41=~."  # is another one when it is not URL-encoded
IDENTITY = {"client_id": "d2bf1a5f-7e1c-4d2f-9b69-1e7b4a4c8f32", "object_id": "e3c02b60-8f2d-4e30-ac7a-2f8c5b5d9a43"}


class Tenant(NodeLab):
    """Settings of the tenant as keywords; `knobs` are those that can also be turned later; `roles` are the application's
    (None: all that are read, [] none at all); `app` has further keys of the application."""

    def __init__(self, knobs=None, roles=None, app=None, **settings):
        directory, self.client_id, self.secret = scratch(), CLIENT_ID, SECRET
        own = dict({"client_id": CLIENT_ID, "secrets": [SECRET, {"value": "old-secret", "expired": True}]}, **(app or {}))
        if roles is not None:
            own["roles"] = roles
        settings.setdefault("managed_identity", dict(IDENTITY, roles=roles) if roles is not None else IDENTITY)
        config = dict(settings, apps=[own] + settings.get("apps", []), knobs=knobs or {})
        file = write(os.path.join(directory, "config.json"), json.dumps(config))
        super().__init__(directory, MAIN, "--config", file, "--dir", directory, "--until-eof")
        told = self.told
        self.login, self.graph, self.imds, self.foreign_url = told["login"], told["graph"], told["imds"], told["foreign"]
        self.ca, self.tenant_id = told["ca"], told["tenant_id"]
        self.control = urllib.parse.urlsplit(told["control"]).port
        self.secret_file = write(os.path.join(self.dir, "secret"), SECRET)
        self._token = None

    def start(self):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    # --- control --------------------------------------------------------------------------------------------

    def _control(self, method, path, body=None):
        c = http.client.HTTPConnection("127.0.0.1", self.control, timeout=120)
        try:
            c.request(method, path, json.dumps(body) if body is not None else None)
            r = c.getresponse()
            value = json.loads(r.read())
        except OSError:
            raise AssertionError("the simulated tenant has ended (%s): %s" % (self.process.poll(), self.errors()))
        finally:
            c.close()
        assert r.status == 200, "%s %s: %s" % (method, path, value)
        return value

    def set(self, **knobs):
        return self._control("POST", "/set", knobs)

    def fault(self, kind, **rule):
        """One fault instead of all others; fault(None) ends them."""
        return self.set(faults=[dict(rule, kind=kind)] if kind else [])

    def app(self, **keys):
        """Changes the application: roles, secrets, certificates (PEM texts), federated, token_seconds. For tokens issued from now on."""
        self._token = None
        return self._control("POST", "/app", dict({"client_id": self.client_id}, **keys))

    def apply(self, change, **order):
        """One change: apply("disable", id=...), apply("member_add", group=..., member=...); names in history.js."""
        return self._control("POST", "/apply", dict(order, change=change))

    def advance(self, steps):
        return self._control("POST", "/advance", {"steps": steps})

    def oracle(self, *kinds):
        return self._control("GET", "/oracle" + ("?kinds=" + ",".join(kinds) if kinds else ""))

    def totals(self):
        """How many objects there are: {"users": n, ...}, without walking through them."""
        return self._control("GET", "/totals")

    def counters(self):
        return self._control("GET", "/counters")

    def reset_counters(self):
        self._control("POST", "/reset", {})

    def log(self, since=0, service="graph"):
        """Requests after number `since` ("n" of the last one seen); service None: of all."""
        return [e for e in self._control("GET", "/log?since=%d" % since) if service in (None, e["service"])]

    def foreign(self):
        """What reached the server that nobody has any reason to talk to."""
        return self._control("GET", "/foreign")

    def expire(self, *what):
        """pages, delta, tokens: everything given until now is refused from now on."""
        self._control("POST", "/expire", {w: True for w in what})

    def id(self, kind, n):
        """The id of generated object n: id("user", 5)."""
        return self._control("GET", "/id?kind=%s&n=%d" % (kind, n))["id"]

    def object(self, id, *properties):
        return self._control("GET", "/object?id=%s&properties=%s" % (id, ",".join(properties)))

    # --- what rollcall is given -------------------------------------------------------------------------------

    def settings(self, **extra):
        """The connector's settings as a dict; None leaves a key out."""
        keys = {"type": "entra_id", "tenant_id": self.tenant_id, "client_id": self.client_id, "client_secret": "file:" + self.secret_file,
                "login_url": self.login, "graph_url": self.graph, "ca_certificate": self.ca}
        return {k: v for k, v in dict(keys, **extra).items() if v is not None}

    def config(self, directory, connector="cloud", extra="", top="", **keys):
        """Writes a settings file with this tenant as its connector."""
        return write_config(directory, connector, self.settings(**keys), extra, top)

    def certificate(self, name="app", days=30, register=True):
        """A new key pair of the application, as one PEM file with key and certificate."""
        base = os.path.join(self.dir, name)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", str(days), "-keyout", base + ".key", "-out", base + ".crt",
                        "-subj", "/CN=rollcall"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(base + ".key") as key, open(base + ".crt") as crt:
            key, crt = key.read(), crt.read()
        if register:
            self.app(certificates=[crt])
        return write(base + ".pem", key + crt)

    def federated(self, subject="system:serviceaccount:default:rollcall", issuer="https://kubernetes.example/", audience="api://AzureADTokenExchange",
                  seconds=600, register=True):
        """A token file as Kubernetes would mount it."""
        if register:
            self.app(federated=[{"issuer": issuer, "subject": subject, "audience": audience}])
        token = self._control("POST", "/federated", {"issuer": issuer, "subject": subject, "audience": audience, "seconds": seconds})["assertion"]
        return write(os.path.join(self.dir, "federated-token"), token)

    # --- a small client, for tests of the simulator itself -------------------------------------------------------

    def request(self, method, url, body=None, **headers):
        """(status, headers in lower case, body bytes)."""
        u = urllib.parse.urlsplit(url)
        if u.scheme == "https":
            c = http.client.HTTPSConnection(u.hostname, u.port, timeout=60, context=ssl.create_default_context(cafile=self.ca))
        else:
            c = http.client.HTTPConnection(u.hostname, u.port, timeout=60)
        try:
            path = urllib.parse.quote(u.path, safe="/$%#@'()=,:") + ("?" + urllib.parse.quote(u.query, safe="$&=,()'%+/:;@") if u.query else "")
            c.request(method, path, body,
                      {k.replace("_", "-"): v for k, v in headers.items()})
            r = c.getresponse()
            return r.status, {k.lower(): v for k, v in r.getheaders()}, r.read()
        finally:
            c.close()

    def ask_token(self, tenant=None, **form):
        """The token endpoint's answer: (status, JSON)."""
        whole = dict({"client_id": self.client_id, "client_secret": self.secret, "grant_type": "client_credentials", "scope": self.graph + "/.default"}, **form)
        status, _, body = self.request("POST", "%s/%s/oauth2/v2.0/token" % (self.login, tenant or self.tenant_id),
                                       urllib.parse.urlencode({k: v for k, v in whole.items() if v is not None}), Content_Type="application/x-www-form-urlencoded")
        return status, json.loads(body)

    def token(self):
        if not self._token or self._token[1] < time.time():
            status, answer = self.ask_token()
            assert status == 200, answer
            self._token = answer["access_token"], time.time() + answer["expires_in"] - 1
        return self._token[0]

    def call(self, path, method="GET", body=None, eventual=False, **headers):
        """(status, headers, JSON or text) of a Graph path such as "/users?$top=5", or of a link."""
        url = path if path.startswith("http") else self.graph + "/v1.0" + path
        if eventual:
            headers["ConsistencyLevel"] = "eventual"
        status, got, raw = self.request(method, url, json.dumps(body) if body is not None else None, Authorization="Bearer " + self.token(), **headers)
        text = raw.decode()
        return status, got, json.loads(text) if text[:1] in "{[" and "json" in got.get("content-type", "") else text

    def get(self, path, **options):
        status, _, value = self.call(path, **options)
        assert status == 200, (path, status, value)
        return value

    def all(self, path, **options):
        """Every row of a collection, and how many pages there were."""
        rows, pages, value = [], 0, None
        while path:
            value = self.get(path, **options)
            rows += value["value"]
            pages += 1
            path = value.get("@odata.nextLink")
        return rows, pages, value


# --- cases with tenants -----------------------------------------------------------------------------------------

_plain, _running = None, []


def tenant(**settings):
    """A tenant for one case."""
    _running.append(Tenant(**settings))
    return _running[-1]


def plain():
    """A tenant that no case changes."""
    global _plain
    if not _plain:
        _plain = Tenant(users=400, groups=60, memberships=4000, devices=20)
    return _plain


def case(name):
    """As harness.case, and ends the tenants that the case began with tenant()."""
    def register(f):
        @harness.case(name)
        def run():
            try:
                f()
            finally:
                while _running:
                    _running.pop().stop()
    return register


def client(t, script, *args, **env):
    """What one of the independent clients (tests/lab/graph/clients) says of this tenant."""
    assert os.path.isdir(os.path.join(CLIENTS, "node_modules")), "the clients are not installed: scripts/setup.sh test"
    full = dict(os.environ, NODE_EXTRA_CA_CERTS=t.ca, NODE_NO_WARNINGS="1", LOGIN=t.login, GRAPH=t.graph, TENANT=t.tenant_id, CLIENT=t.client_id,
                SECRET=t.secret, **env)
    p = subprocess.run([NODE, os.path.join(CLIENTS, script), *args], env=full, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    assert p.returncode == 0 and p.stdout, (script, p.stderr[-3000:])
    return json.loads(p.stdout)
