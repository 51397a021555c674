"""server - a `rollcall serve` of a test's own: a free loopback port, its own store, one user of each role, calls as its page makes them.

    server = Server()                                  # started, with the users admin, operator, analyst, viewer
    server.admin.get("/api/v1/users")["items"]         # JSON of a 2xx; ApiError otherwise (.status .error)
    status, headers, body = server.admin.raw("POST", "/api/v1/tokens", {"name": "ci", "role": "viewer"})
    job = server.wait_job(server.operator.post("/api/v1/connectors/corp/sync")["job"])
    server.restart(); server.kill(); server.stop()
Ended at the end of the test in any case, by its pid. Options of serve: Server(options=("--tls",)).
"""
import gzip
import http.client
import json
import os
import re
import signal
import ssl
import subprocess
import threading
import time
import urllib.parse

import harness

PASSWORD = "correct horse battery staple %s"
ROLES = ("admin", "operator", "analyst", "viewer")


class ApiError(AssertionError):
    def __init__(self, what, status, body):
        super().__init__("%s: %d %s" % (what, status, body))
        self.status, self.error = status, (body or {}).get("error", {}) if isinstance(body, dict) else {}


class Client:
    """One browser (a session) or one API token; keeps its connection to the server, one a thread."""

    def __init__(self, server, token=None):
        self.server, self.token, self.cookie, self.session, self.local = server, token, None, None, threading.local()

    # --- one request -------------------------------------------------------------------------------------

    def _headers(self, method, more):
        h = {"Host": self.server.host, "Accept": "application/json"}
        if self.token:
            h["Authorization"] = "Bearer " + self.token
        if self.cookie:
            h["Cookie"] = "__Host-rollcall=" + self.cookie
        if method not in ("GET", "HEAD") and not self.token:
            h.update({"Origin": self.server.origin, "Sec-Fetch-Site": "same-origin"})
            if self.session:
                h["X-Rollcall-CSRF"] = self.session["csrf"]
        h.update(more or {})
        return {k: v for k, v in h.items() if v is not None}

    def connect(self, timeout=60):
        if not self.server.is_tls:
            return http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=timeout)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return http.client.HTTPSConnection("127.0.0.1", self.server.port, timeout=timeout, context=context)

    def raw(self, method, path, body=None, headers=None, timeout=180):
        """(status, headers, bytes); body: None, bytes, or anything as JSON. headers override; None leaves one out."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        h = self._headers(method, dict({"Content-Type": "application/json"} if data is not None else {}, **(headers or {})))
        for attempt in (1, 2):
            connection = getattr(self.local, "connection", None)
            fresh = connection is None or connection.port != self.server.port
            if fresh:
                connection = self.local.connection = self.connect(timeout)
            try:
                connection.request(method, path, data, h)
                answer = connection.getresponse()
                content = answer.read()
                break
            except (http.client.HTTPException, OSError):  # a kept connection that the server has closed meanwhile
                connection.close()
                self.local.connection = None
                if fresh or attempt == 2:
                    raise
        if answer.headers.get("Connection", "").lower() == "close":
            connection.close()
            self.local.connection = None
        if answer.headers.get("Content-Encoding") == "gzip":
            content = gzip.decompress(content)
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            found = re.match(r"__Host-rollcall=([^;]*)", cookie)
            if found:
                self.cookie = found.group(1) or None
        return answer.status, answer.headers, content

    def api(self, method, path, body=None, status=None, **query):
        """JSON of the answer (None if empty). status: what is wanted; without it any 2xx. Paths may leave out /api/v1."""
        if not path.startswith("/api/") and path not in ("/healthz", "/readyz", "/metrics"):
            path = "/api/v1" + path
        if query:
            path += "?" + urllib.parse.urlencode({k: v for k, v in query.items() if v is not None})
        got, headers, content = self.raw(method, path, body)
        try:
            value = json.loads(content) if content else None
        except ValueError:
            value = content.decode("utf-8", "replace")
        if got != status if status else not 200 <= got < 300:
            raise ApiError("%s %s" % (method, path), got, value)
        return value

    def get(self, path, status=None, **query):
        return self.api("GET", path, status=status, **query)

    def post(self, path, body=None, status=None):
        return self.api("POST", path, body, status)

    def put(self, path, body=None, status=None):
        return self.api("PUT", path, body, status)

    def patch(self, path, body=None, status=None):
        return self.api("PATCH", path, body, status)

    def delete(self, path, status=None, **query):
        return self.api("DELETE", path, status=status, **query)

    def all(self, path, limit=1000, **query):
        """Every item of a list, over all its pages."""
        after = None
        while True:
            page = self.get(path, limit=limit, after=after, **query)
            yield from page["items"]
            after = page.get("next")
            if not after:
                return

    # --- sessions -------------------------------------------------------------------------------------------

    def login(self, name, password=None):
        self.session = None
        self.session = self.post("/login", {"name": name, "password": password or PASSWORD % name})
        return self

    def logout(self):
        self.post("/logout")
        self.session = None

    def events(self, job, after=0, timeout=60):
        """Yields (event, data, id) of a job's live view until it ends."""
        connection = self.connect(timeout)
        connection.request("GET", "/api/v1/jobs/%s/events" % job, headers=self._headers("GET", {"Accept": "text/event-stream", "Last-Event-ID": str(after)}))
        answer = connection.getresponse()
        if answer.status != 200:
            raise ApiError("events of job %s" % job, answer.status, json.loads(answer.read() or b"null"))
        fields = {}
        for line in answer:
            line = line.decode().rstrip("\n")
            if not line and "event" in fields:
                yield fields["event"], json.loads(fields.get("data", "null")), int(fields.get("id", 0))
                if fields["event"] == "end":
                    break
            if not line:
                fields = {}
            elif not line.startswith(":"):
                key, _, value = line.partition(": ")
                fields[key] = value
        connection.close()


class Server:
    def __init__(self, directory=None, config=None, options=(), env=None, users=ROLES, binary=None, start=True):
        self.directory = directory or harness.scratch()
        self.config, self.options, self.env, self.binary = config, tuple(options), dict(env or {}), binary or harness.ROLLCALL
        self.store = os.path.join(self.directory, "rollcall.db")
        self.process, self.clients, self.setup_url, self.port = None, {}, None, 0
        harness.at_end(self.stop)
        if start:
            self.start()
            if users:
                self.setup(users)

    # --- the process ------------------------------------------------------------------------------------------

    def start(self, timeout=60):
        """Starts it; the same port as before after a restart, so that an open page finds it again."""
        command = [self.binary, "serve", "--listen", "127.0.0.1:%d" % self.port, *self.options]
        command += ["--config", self.config] if self.config else ["--store", "sqlite:" + self.store]
        self.log = os.path.join(self.directory, "serve.log")
        self.out = os.path.join(self.directory, "serve.out")
        with open(self.log, "ab") as err, open(self.out, "wb") as out:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=dict(os.environ, **self.env))
        deadline = time.monotonic() + timeout
        while True:
            with open(self.out) as f:
                said = f.read()
            found = re.search(r"^listening: (\S+)$", said, re.M)
            if found and (self.port or '"event":"serve.start"' in self.errors()):
                break
            assert self.process.poll() is None and time.monotonic() < deadline, "serve did not start: %s\n%s" % (" ".join(command), self.errors())
            time.sleep(0.02)
        self.url = found.group(1)  # as browsers reach it; we go to the port itself
        self.port = int(re.findall(r'"event":"serve.start".*"port":(\d+)', self.errors())[-1]) if not self.port else self.port
        self.is_tls = "--tls" in self.options or "--tls-certificate" in self.options
        self.host = "127.0.0.1:%d" % self.port
        self.origin = "%s://%s" % ("https" if self.is_tls else "http", self.host)
        setup = re.search(r"^setup: (\S+)$", said, re.M)
        self.setup_url = setup.group(1) if setup else None
        return self

    @property
    def pid(self):
        return self.process.pid

    def errors(self):
        with open(self.log, errors="replace") as f:
            return f.read()[-6000:]

    def stop(self, timeout=30):
        """SIGTERM; exit code 0 and no word from a sanitizer are wanted."""
        if not self.process or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("serve did not end within %d s:\n%s" % (timeout, self.errors()))
        said = self.errors()
        for bad in ("AddressSanitizer", "runtime error:", "LeakSanitizer"):
            assert bad not in said, said
        assert code == 0, "serve ended with %d:\n%s" % (code, said)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def restart(self):
        if self.process.poll() is None:
            self.stop()
        self.start()

    def rss_mib(self):
        with open("/proc/%d/status" % self.pid) as f:
            return int(next(line for line in f if line.startswith("VmRSS")).split()[1]) / 1024

    # --- users --------------------------------------------------------------------------------------------------

    def setup(self, users=ROLES):
        """The first admin by the setup URL, then one user of each role, each logged in."""
        token = re.search(r"token=([^&]+)", self.setup_url).group(1)
        admin = self.clients["admin"] = Client(self)
        admin.session = admin.post("/setup", {"token": token, "name": "admin", "password": PASSWORD % "admin"})
        for role in users:
            if role != "admin":
                admin.post("/users", {"name": role, "role": role, "password": PASSWORD % role})
                self.clients[role] = self.login(role)

    def login(self, name, password=None):
        return Client(self).login(name, password)

    def anonymous(self):
        return Client(self)

    def token(self, role="operator", name=None, owner="admin", expires_days=1):
        made = self.clients[owner].post("/tokens", {"name": name or "test-" + role, "role": role, "expires_days": expires_days})
        return Client(self, token=made["token"])

    def __getattr__(self, name):
        clients = self.__dict__.get("clients", {})
        if name in clients:
            return clients[name]
        raise AttributeError(name)

    # --- jobs ------------------------------------------------------------------------------------------------------

    def wait_job(self, job, timeout=120, state="done"):
        """The job when it is over; state: what it must have become (None: anything)."""
        deadline = time.monotonic() + timeout
        while True:
            told = self.clients["admin"].get("/jobs/%s" % job)
            if told["state"] not in ("queued", "running"):
                break
            assert time.monotonic() < deadline, "job %s still %s\n%s" % (job, told, self.errors())
            time.sleep(0.05)
        assert state is None or told["state"] == state, "%s\n%s" % (json.dumps(told, indent=1), self.errors()[-2000:])
        return told

    def sync(self, connector, **options):
        return self.wait_job(self.clients["admin"].post("/connectors/%s/sync" % connector, options)["job"])
