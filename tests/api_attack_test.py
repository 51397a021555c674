#!/usr/bin/python3
"""api_attack_test.py - the server under attack: malformed requests by the thousand under sanitizers, slow and silent peers, huge headers and bodies.

Memory stays bounded, others are served meanwhile, and the server is the same afterwards.
"""
# budget: 400 600
import concurrent.futures
import os
import random
import socket
import ssl
import time

from harness import ROOT, ROLLCALL, SOAK, case, is_sanitized, main
from server import Server

_asan = os.path.join(ROOT, "build-asan", "rollcall")
SANITIZED = os.environ.get("ROLLCALL_ASAN", ROLLCALL if is_sanitized() else _asan)
SEED = int(os.environ.get("ROLLCALL_SEED", "20261121"))
N_MALFORMED = 50000 if SOAK else 10000


def dial(server, timeout=20, source=None):
    return socket.create_connection(("127.0.0.1", server.port), timeout=timeout, source_address=source)


def speak(server, request, timeout=10, shut=True):
    """Everything that comes back until the server closes; b"" when it closed without a word."""
    answer = b""
    with dial(server, timeout) as s:
        try:
            s.sendall(request)
            if shut:
                s.shutdown(socket.SHUT_WR)
            while part := s.recv(65536):
                answer += part
                if len(answer) > 4 << 20:
                    break
        except OSError as e:  # closed before it had read all: told so by RST
            if isinstance(e, TimeoutError):
                raise
        return answer


def get(server, path="/api/v1/start", timeout=20):
    return speak(server, b"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % path.encode(), timeout, shut=False)


# --- malformed requests ---------------------------------------------------------------------------------------------------

PATHS = [b"/", b"/api/v1/login", b"/api/v1/session", b"/api/v1/users/x", b"/api/v1/assets?limit=1&q=x", b"/api/v1/jobs/1/events", b"/metrics", b"/api/openapi.json",
         b"/api/v1/connectors/judge", b"/index.html", b"/api/v1/csp-report", b"/api/v1/assets/a/b/members", b"*", b"//", b"http://localhost/api/v1/start", b""]
METHODS = [b"GET", b"POST", b"PUT", b"PATCH", b"DELETE", b"HEAD", b"OPTIONS", b"TRACE", b"CONNECT", b"get", b"G\x00T", b"", b"A" * 300]
VERSIONS = [b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/0.9", b"HTTP/1.", b"", b"HTTP/9999999999.1", b"ICY", b"HTTP/1.1 x"]
VALUES = [b"", b"0", b"-1", b"99999999999999999999", b"0x10", b"1e9", b"\x00", b"\xff\xfe", b"a" * 2000, b"%00", b"gzip;q=0", b"*", b"\"", b"chunked", b"identity, chunked",
          b"localhost", b"[::1", b"bytes=0-,0-", b"W/\"" + b"x" * 200 + b"\"", b"Bearer ", b"Bearer " + b"A" * 5000, b"Basic !!", b"__Host-rollcall=" + b"A" * 4000,
          b"__Host-rollcall=x; " * 200, b"application/json", b"application/json; charset=\xff", b"100-continue", b"close, keep-alive", b"application/x-www-form-urlencoded"]
HEADERS = [b"Host", b"Content-Length", b"Transfer-Encoding", b"Content-Type", b"Cookie", b"Authorization", b"Origin", b"Sec-Fetch-Site", b"X-Rollcall-CSRF", b"Expect",
           b"If-None-Match", b"Accept-Encoding", b"Connection", b"Range", b"Last-Event-ID", b"Upgrade", b"", b" ", b"A:B", b"\x00", b"X" * 1000]
BODIES = [b"", b"{}", b'{"name":"x","password":"y"}', b"[" * 5000, b'{"a":' * 500, b"\x00" * 100, b"\xff" * 1000, b'{"name":"\\ud800"}', b'{"a":1e999999}', b"5\r\nhello\r\n0\r\n\r\n",
          b"ffffffffffffffff\r\nx", b"-1\r\n", b"0\r\nTrailer: x\r\n\r\n", b"1;ext=" + b"a" * 3000 + b"\r\nx\r\n0\r\n\r\n", b"x" * 70000]
ENDS = [b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b"\n\r", b"\r\n ", b"\x00\r\n"]


def malformed(r):
    """One request of a handful of shapes: nearly right ones reach furthest."""
    path = r.choice(PATHS)
    if r.random() < 0.5:
        path += bytes(r.choice(b"/%?&=.;#\\ \x00\xff\t+a1") for _ in range(r.randrange(30)))
    line = b" ".join((r.choice(METHODS) if r.random() < 0.4 else r.choice(METHODS[:5]), path, r.choice(VERSIONS) if r.random() < 0.3 else b"HTTP/1.1"))
    end = r.choice(ENDS) if r.random() < 0.3 else b"\r\n"
    headers = [] if r.random() < 0.1 else [b"Host: localhost"]
    body = r.choice(BODIES)
    if r.random() < 0.6:
        headers.append(b"Content-Length: %d" % (len(body) if r.random() < 0.7 else r.randrange(100000)))
    if r.random() < 0.4:
        headers += [b"Content-Type: application/json", b"Origin: http://localhost"]
    for _ in range(r.randrange(5)):
        headers.append(r.choice(HEADERS) + (b": " if r.random() < 0.9 else b"") + r.choice(VALUES))
    r.shuffle(headers)
    request = bytearray(line + end + end.join(headers) + end + end + body)
    for _ in range(r.randrange(4) if r.random() < 0.5 else 0):
        at = r.randrange(len(request))
        how = r.random()
        if how < 0.4:
            request[at] = r.randrange(256)
        elif how < 0.7:
            del request[at:at + r.randrange(1, 20)]
        else:
            request[at:at] = bytes(r.randrange(256) for _ in range(r.randrange(1, 10)))
        if not request:
            break
    return bytes(request) * (1 if r.random() < 0.9 else r.randrange(2, 5))


def attack(server, seed, n, secrets):
    r, codes = random.Random(seed), {}
    for _ in range(n):
        request = malformed(r)
        try:
            answer = speak(server, request, timeout=1)
        except TimeoutError:  # half a request: the server waits its 20 s for the other half
            codes[b"wait"] = codes.get(b"wait", 0) + 1
            continue
        code = answer[9:12] if answer.startswith(b"HTTP/1.") else b"none" if not answer else b"odd"
        codes[code] = codes.get(code, 0) + 1
        assert code[:1] != b"5" or code in (b"501", b"503", b"505"), (request, answer[:500])
        assert code != b"odd", (request, answer[:200])
        for secret in secrets:
            assert secret not in answer, (request, answer[:500])
    return codes


@case("%d malformed requests under sanitizers: no fault, no 500, nobody let in" % N_MALFORMED)
def _():
    server = Server(binary=SANITIZED, users=("admin",))
    try:
        assert is_sanitized(SANITIZED), SANITIZED
        before, codes = server.rss_mib(), {}
        secrets = [server.admin.cookie.encode(), server.admin.session["csrf"].encode(), b"$argon2"]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for part in pool.map(lambda i: attack(server, SEED + i, N_MALFORMED // 8, secrets), range(8)):
                for code, n in part.items():
                    codes[code] = codes.get(code, 0) + n
        assert codes.get(b"200", 0) > 0 and codes.get(b"400", 0) > 100 and codes.get(b"401", 0) > 10, codes
        assert codes.get(b"wait", 0) < N_MALFORMED / 20, codes
        assert server.admin.get("/session")["name"] == "admin" and server.admin.get("/audit/verify")["ok"]
        print("# seed %d: %s; %.0f -> %.0f MiB" % (SEED, {k.decode(): v for k, v in sorted(codes.items())}, before, server.rss_mib()))
    finally:
        server.stop()


@case("mutilated query strings, paths and bodies of somebody who is logged in, under sanitizers")
def _():
    server = Server(binary=SANITIZED, users=("admin",))
    admin, r = server.token("admin"), random.Random(SEED)
    openapi = server.admin.get("/api/openapi.json")
    routes = [(m.upper(), p, op) for p, ops in openapi["paths"].items() for m, op in ops.items() if p not in ("/api/v1/key/rotate", "/api/v1/setup")]
    strange = ["", "0", "-1", "9" * 30, "1e9", "%27%20OR%201=1--", "%00", "..%2f..%2fetc%2fpasswd", "%f0%9f%92%a9", "a" * 600, "%2e%2e", "null", "true", "%3Cscript%3E", "r1", "*",
               "%25s%25n", "%e2%80%ae", "CN=x,DC=y", "%5C", "%7B%7B7*7%7D%7D", "-9223372036854775808", "9223372036854775807"]
    for i in range(4000 if SOAK else 1200):
        method, path, op = r.choice(routes)
        for p in op["parameters"]:
            if p["in"] == "path":
                path = path.replace("{%s}" % p["name"], r.choice(strange))
        query = "&".join("%s=%s" % (p["name"], r.choice(strange)) for p in op["parameters"] if p["in"] == "query" and r.random() < 0.5)
        body = None
        if "requestBody" in op:
            schema = op["requestBody"]["content"]["application/json"]["schema"]
            body = {k: r.choice(["", "x" * 100, 0, -1, 1 << 62, True, None, [], {}, ["x"], {"a": {"b": [1]}}, "\u202e", "../../x", "'; DROP TABLE user;--"])
                    for k in schema.get("properties", {}) if r.random() < 0.7}
        if "/events" in path:
            continue
        status, _, content = admin.raw(method, path + ("?" + query if query else ""), body)
        assert status < 500 or status in (502, 503, 504), (method, path, query, body, status, content[:500])
        assert b"root:x:" not in content
    assert server.admin.get("/audit/verify")["ok"]
    server.stop()


# --- what costs memory ------------------------------------------------------------------------------------------------------

@case("headers and bodies without end: refused early, memory bounded")
def _():
    server = Server(users=("admin",))
    try:
        before = server.rss_mib()
        answer = speak(server, b"POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1073741824\r\n\r\n", shut=False)
        assert answer.startswith(b"HTTP/1.1 413"), answer[:100]
        answer = speak(server, b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 1000000)
        assert answer[:12] in (b"HTTP/1.1 431", b"HTTP/1.1 413", b""), answer[:100]
        answer = speak(server, b"GET /" + b"a" * 1000000 + b" HTTP/1.1\r\n\r\n")
        assert answer[:12] in (b"HTTP/1.1 414", b"HTTP/1.1 431", b""), answer[:100]
        many = b"".join(b"X-%d: y\r\n" % i for i in range(20000))
        assert speak(server, b"GET / HTTP/1.1\r\nHost: localhost\r\n" + many + b"\r\n")[:12] in (b"HTTP/1.1 431", b"HTTP/1.1 413", b"")
        chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        with dial(server) as s:  # chunked tells no length beforehand
            s.sendall(b"POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
            sent = 0
            try:
                while sent < 256 << 20:
                    sent += s.send(chunk)
            except (ConnectionError, BrokenPipeError):
                pass
            assert sent < 16 << 20, sent
        with dial(server) as s:  # a whole gigabyte after an early answer
            s.sendall(b"POST /api/v1/users HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1073741824\r\n\r\n")
            sent = 0
            try:
                while sent < 64 << 20:
                    sent += s.send(b"x" * 65536)
            except (ConnectionError, BrokenPipeError):
                pass
            assert sent < 64 << 20, sent
        assert get(server).startswith(b"HTTP/1.1 200")
        print("# %.0f -> %.0f MiB" % (before, server.rss_mib()))
        assert server.rss_mib() < before + 32
    finally:
        server.stop()


def crowd(server, n, first):
    """n connections from many addresses, each having said `first`."""
    connections = []
    for i in range(n):
        s = socket.socket()
        s.bind(("127.0.%d.%d" % (2 + i // 250, 1 + i % 250), 0))
        s.connect(("127.0.0.1", server.port))
        s.setblocking(False)
        try:
            s.send(first)
        except OSError:
            pass
        connections.append(s)
    return connections


def drip(connections):
    alive = 0
    for s in connections:
        try:
            s.send(b"a")
            alive += 1
        except OSError:
            pass
    return alive


def served(server, n=30):
    """Seconds that n requests of others took, worst first."""
    took = []
    for _ in range(n):
        began = time.monotonic()
        answer = get(server)
        assert answer.startswith(b"HTTP/1.1 200"), answer[:200]
        took.append(time.monotonic() - began)
    return sorted(took, reverse=True)


@case("2,000 slow peers, dripping bytes: others are served, memory bounded, the slow ones end")
def _():
    server = Server(users=("admin",))
    try:
        before = server.rss_mib()
        for what, first in (("headers", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: "),
                            ("body", b"POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 8000\r\n\r\n{"),
                            ("silence", b"")):
            slow = crowd(server, 2000, first)
            alive = drip(slow)
            worst = served(server)[0]
            peak = server.rss_mib()
            print("# %s: %d alive at once, worst of others %.3f s, %.0f -> %.0f MiB" % (what, alive, worst, before, peak))
            assert worst < 5 and peak < before + 64, (what, worst, peak)
            assert server.admin.get("/session")["name"] == "admin"
            if what == "headers":  # each has 20 s for all of its headers, however steadily it drips
                deadline = time.monotonic() + 30
                while drip(slow) and time.monotonic() < deadline:
                    time.sleep(1)
                assert drip(slow) == 0, "%d slow ones still alive" % drip(slow)
            for s in slow:
                s.close()
        assert served(server)[0] < 1
    finally:
        server.stop()


@case("peers that take no answer: 1,500 of them keep nobody from the page")
def _():
    server = Server(users=("admin",))
    try:
        before = server.rss_mib()
        lazy = crowd(server, 1500, b"GET /api/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 40)
        worst, peak = served(server)[0], server.rss_mib()
        print("# worst of others %.3f s, %.0f -> %.0f MiB" % (worst, before, peak))
        assert worst < 10 and peak < before + 128
        for s in lazy:
            s.close()
    finally:
        server.stop()


@case("TLS peers that never finish their handshake keep nobody out")
def _():
    server = Server(options=("--tls",), users=("admin",))
    try:
        before = server.rss_mib()
        slow = crowd(server, 1200, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        began = time.monotonic()
        for _ in range(10):
            with context.wrap_socket(dial(server), server_hostname="localhost") as s:
                s.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                assert s.recv(100).startswith(b"HTTP/1.1 200")
        took, peak = time.monotonic() - began, server.rss_mib()
        print("# ten others in %.2f s, %.0f -> %.0f MiB" % (took, before, peak))
        assert took < 10 and peak < before + 128
        for s in slow:
            s.close()
    finally:
        server.stop()


@case("a flood of log-ins keeps nobody who is logged in waiting, and memory bounded")
def _():
    server = Server(users=("admin",))
    try:
        before, body = server.rss_mib(), b'{"name":"n%d","password":"wrong wrong wrong"}'
        flood = []
        for i in range(400):
            b = body % i
            flood += crowd(server, 1, b"POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(b) + b)
        peak, worst = 0, 0
        for _ in range(40):
            began = time.monotonic()
            assert server.admin.get("/session")["name"] == "admin"
            worst, peak = max(worst, time.monotonic() - began), max(peak, server.rss_mib())
            time.sleep(0.02)
        print("# worst of others %.3f s, %.0f -> %.0f MiB" % (worst, before, peak))
        assert worst < 5 and peak < before + 192, (worst, peak)
        for s in flood:
            s.close()
    finally:
        server.stop()


@case("idle: a started server is small, and small again after work; two requests in one packet are two answers")
def _():
    server = Server()
    try:
        fresh = server.rss_mib()
        for _ in range(300):
            server.viewer.get("/assets")
            server.viewer.get("/home")
        idle = crowd(server, 300, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(1)
        answer = speak(server, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /api/v1/start HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", shut=False)
        assert answer.count(b"HTTP/1.1 200") == 2, answer
        print("# %.1f MiB fresh, %.1f MiB with 300 idle connections" % (fresh, server.rss_mib()))
        assert fresh < 64 and server.rss_mib() < 64
        for s in idle:
            s.close()
    finally:
        server.stop()


main()
