#!/usr/bin/python3
"""api_test.py - every route of the API against everybody who must not use it, from the server's own openapi.json; logging in and out; what every answer carries."""
# budget: 300 300
import concurrent.futures
import csv
import gzip
import io
import json
import os
import re
import socket
import sqlite3
import ssl
import subprocess
import time
import warnings

import jsonschema

from harness import ROLLCALL, Fake, case, main, scratch, wait_for
from prometheus import families
from server import PASSWORD, ROLES, Client, Server

server = Server()
openapi = server.anonymous().get("/api/openapi.json")
RANK = {"open": 0, "viewer": 1, "analyst": 2, "operator": 3, "admin": 4}
ROUTES = [(method.upper(), path, op) for path, ops in sorted(openapi["paths"].items()) for method, op in sorted(ops.items())]
GUARDED = [r for r in ROUTES if r[2]["x-right"] != "open"]
ENDS_SESSION = {"/api/v1/logout", "/api/v1/session/password"}
CSP_REPORT = "/api/v1/csp-report"


def sample(schema):
    """The smallest value that fits."""
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if "enum" in schema:
        return schema["enum"][0]
    if kind == "object":
        return {k: sample(schema.get("properties", {}).get(k, {})) for k in schema.get("required", ())}
    return {"string": "x" * max(1, schema.get("minLength", 1)), "integer": schema.get("minimum", 1), "number": 1, "boolean": True, "array": [], "null": None}[kind]


def schema_of(op):
    return op.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")


def fill(path):
    """An id that nobody has, for each place of the path."""
    return re.sub(r"\{(\w+)\}", lambda m: "999999999" if m.group(1) == "id" else "nobody-has-this", path)


def body_of(op):
    schema = schema_of(op)
    return sample(schema) if schema is not None else None


def ask(client, method, path, op, **kw):
    body = kw.pop("body", body_of(op))
    headers = kw.pop("headers", None)
    if path == CSP_REPORT and body is not None:
        headers = dict(headers or {}, **{"Content-Type": "application/csp-report"})
    return client.raw(method, fill(path), body, headers)


def each(routes, check):
    """check(method, path, op) for all, a few at a time; tells all that failed."""
    wrong = []

    def one(route):
        try:
            check(*route)
        except AssertionError as e:
            wrong.append("%s %s: %s" % (route[0], route[1], e))
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(one, routes))
    assert not wrong, "%d of %d:\n%s" % (len(wrong), len(routes), "\n".join(sorted(wrong)))


def is_refused(answer, status, error_class):
    got, _, content = answer
    assert got == status, "%d instead of %d: %s" % (got, status, content[:300])
    assert json.loads(content)["error"]["class"] == error_class, content


def state_sql(sql, *values):
    with sqlite3.connect(server.store + ".server", timeout=20) as db:
        db.execute(sql, values)
        db.commit()
    db.close()


# --- every route ----------------------------------------------------------------------------------------------------

@case("the table of routes is a sound OpenAPI document")
def _():
    assert openapi["openapi"].startswith("3.1") and len(ROUTES) > 20, len(ROUTES)
    ids = [op["operationId"] for _, _, op in ROUTES]
    assert len(set(ids)) == len(ids), sorted(i for i in ids if ids.count(i) > 1)
    for method, path, op in ROUTES:
        assert method in ("GET", "POST", "PUT", "PATCH", "DELETE"), method
        assert re.fullmatch(r"(/[a-z0-9.-]+|/\{[a-z]+\})+", path), path
        assert {p["name"] for p in op["parameters"] if p["in"] == "path"} == set(re.findall(r"\{(\w+)\}", path)), path
        assert op["summary"] and op["x-right"] in RANK and bool(op["security"]) == (op["x-right"] != "open"), op
        assert method != "GET" or "requestBody" not in op, path
        if schema_of(op) is not None:
            jsonschema.Draft202012Validator.check_schema(schema_of(op))
            jsonschema.validate(body_of(op), schema_of(op))
    opened = {path for _, path, op in ROUTES if op["x-right"] == "open"}
    assert opened == {"/healthz", "/readyz", "/metrics", "/api/openapi.json", CSP_REPORT, "/api/v1/start", "/api/v1/setup", "/api/v1/login", "/api/v1/help",
                      "/api/v1/help/{page}", "/api/v1/oidc/start", "/api/v1/oidc/callback"}, opened
    for _, path, op in ROUTES:  # what the server keeps beside or writes is never a viewer's
        if re.match(r"/api/v1/(users|audit|settings|key)\b", path):
            assert op["x-right"] == "admin", path


@case("every route without a session, with a wrong one, with an ended one, with an expired one")
def _():
    ended = server.login("viewer")
    cookie = ended.cookie
    ended.logout()
    idle = server.login("viewer")
    state_sql("UPDATE session SET seen_ms = seen_ms - 1801000 WHERE created_ms = (SELECT max(created_ms) FROM session)")
    old = server.login("viewer")
    state_sql("UPDATE session SET created_ms = created_ms - 43201000 WHERE created_ms = (SELECT max(created_ms) FROM session)")
    nobody, wrong, dead = server.anonymous(), server.anonymous(), server.anonymous()
    wrong.cookie, wrong.session = "A" * 43, {"csrf": "A" * 43}
    dead.cookie, dead.session = cookie, idle.session
    bad_token, no_token = Client(server, token="rc_" + "A" * 43), Client(server, token="")

    def check(method, path, op):
        for who in (nobody, wrong, dead, idle, old, bad_token, no_token):
            is_refused(ask(who, method, path, op), 401, "AUTH")
    each(GUARDED, check)
    assert server.viewer.get("/session")["name"] == "viewer"


@case("every route with each lesser role, as a session and as an API token; with its own role it is let in")
def _():
    tokens = {role: server.token(role, name="matrix-" + role) for role in ROLES}

    def check(method, path, op):
        for role in ROLES:
            for who in (server.clients[role], tokens[role]):
                if RANK[role] < RANK[op["x-right"]]:
                    is_refused(ask(who, method, path, op), 403, "DENIED")
                    assert b"needs the role" in ask(who, method, path, op)[2]
        # without its parameters most routes then find something wrong; but not with who asks
        who = tokens[op["x-right"]]
        if path not in ENDS_SESSION and not (method == "POST" and path == "/api/v1/tokens"):
            status, _, content = ask(who, method, path + ("?limit=1" if "limit" in str(op["parameters"]) else ""), op)
            assert status != 401 and b"needs the role" not in content and (status < 500 or status in (502, 503, 504)), "%d %s" % (status, content[:300])
    each([r for r in GUARDED if r[1] != "/api/v1/key/rotate"], check)


@case("every route that changes something, sent by another site's page")
def _():
    admin = server.admin
    foreign = [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
               {"Origin": server.origin + "0"}, {"Origin": server.origin.replace("http", "ftp")}]
    unmarked = [{"X-Rollcall-CSRF": None}, {"X-Rollcall-CSRF": ""}, {"X-Rollcall-CSRF": "A" * 43}, {"Origin": None, "Sec-Fetch-Site": None},
                {"X-Rollcall-CSRF": server.viewer.session["csrf"]}]

    def check(method, path, op):
        if method == "GET":
            answer = admin.raw(method, fill(path), headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"})
            return is_refused(answer, 403, "DENIED")
        if path == CSP_REPORT:
            return None
        for headers in foreign + (unmarked if op["x-right"] != "open" else []):
            is_refused(ask(admin, method, path, op, headers=headers), 403, "DENIED")
        if schema_of(op) is not None:  # what a form can send
            for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json5", ""):
                is_refused(ask(admin, method, path, op, body=b'{"a":1}', headers={"Content-Type": kind}), 415, "INPUT")
        return None
    each(ROUTES, check)
    assert admin.get("/session")["name"] == "admin"


@case("every route refuses parameters and members that it does not know, a body that is none, and methods it does not take")
def _():
    admin = server.token("admin", name="strict")

    def check(method, path, op):
        is_refused(ask(admin, method, path + "?frobnicate=1", op), 400, "INPUT")
        is_refused(ask(admin, method, path + "?%ff=1", op), 400, "INPUT")
        for p in op["parameters"]:
            if p["in"] == "query":
                is_refused(ask(admin, method, path + "?%s=1&%s=2" % (p["name"], p["name"]), op), 400, "INPUT")
        schema = schema_of(op)
        if schema is None:
            is_refused(admin.raw(method, fill(path), b'{"a":1}'), 400, "INPUT")
        elif path != CSP_REPORT:
            for broken in (b"{", b"[]", b"null", b'"x"', b'{"a":1,"a":2}', b"\xff{}", b'{"a":' + b"[" * 20 + b"]" * 20 + b"}", b"{}{}"):
                is_refused(admin.raw(method, fill(path), broken), 400, "INPUT")
            if schema.get("additionalProperties") is False:
                is_refused(admin.raw(method, fill(path), dict(body_of(op), frobnicate=1)), 400, "INPUT")
            for key in schema.get("required", ()):
                body = body_of(op)
                del body[key]
                is_refused(admin.raw(method, fill(path), body), 400, "INPUT")
        status, headers, _ = admin.raw("BREW", fill(path))
        assert status == 405 and method in headers["Allow"], (status, headers.items())
    each(ROUTES, check)


@case("what every answer carries, and what it never does")
def _():
    def check(method, path, op):
        for client in (server.anonymous(), server.viewer):
            if method != "GET" and client.session:
                continue
            status, headers, content = ask(client, method, path, op)
            csp = headers["Content-Security-Policy"]
            for part in ("default-src 'self'", "script-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'",
                         "require-trusted-types-for 'script'"):
                assert part in csp, csp
            assert "unsafe" not in csp and "*" not in csp, csp
            assert headers["X-Content-Type-Options"] == "nosniff" and headers["Referrer-Policy"] == "no-referrer"
            assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
            assert headers["Cache-Control"] == "no-store" and headers["X-Request-Id"] and "Access-Control-Allow-Origin" not in headers
            assert b"$argon2" not in content and PASSWORD[:12].encode() not in content
            if content and status >= 400:
                assert set(json.loads(content)) == {"error"}, content
    each([r for r in ROUTES if "/events" not in r[1]], check)
    for path in ("/nothing", "/api", "/api/v1/", "/api/v1/users/", "/API/v1/users", "/api/v1/users//", "/api/v1/%75sers/x/y"):
        status, headers, content = server.admin.raw("GET", path)
        assert status == 404 and "Content-Security-Policy" in headers and json.loads(content)["error"]["class"] == "NOTFOUND", path


# --- the first start ---------------------------------------------------------------------------------------------------

@case("setup: one token, once, for 15 minutes, and no default password")
def _():
    fresh = Server(users=())
    token = re.search(r"token=([^&]+)", fresh.setup_url).group(1)
    nobody = fresh.anonymous()
    good = {"token": token, "name": "root", "password": "a long enough password"}
    assert nobody.get("/start")["setup_needed"] is True
    for name, password in (("admin", "admin"), ("admin", ""), ("root", "password")):
        nobody.post("/login", {"name": name, "password": password}, status=401)
    for wrong in ("", "A" * 43, token[:-1], token + "x", token.lower()):
        assert nobody.raw("POST", "/api/v1/setup", dict(good, token=wrong))[0] in (400, 401, 429), wrong
    for password in ("short", "root", " " * 5, "elevenchars"):
        assert nobody.raw("POST", "/api/v1/setup", dict(good, password=password))[0] == 400, password
    fresh.restart()  # another start, another token
    again = re.search(r"token=([^&]+)", fresh.setup_url).group(1)
    assert again != token
    assert nobody.raw("POST", "/api/v1/setup", good)[0] == 401
    with sqlite3.connect(fresh.store + ".server", timeout=20) as db:
        assert again not in "".join(db.iterdump())
    good["token"] = again
    made = nobody.post("/setup", good)
    assert made["role"] == "admin" and made["name"] == "root"
    is_refused(fresh.anonymous().raw("POST", "/api/v1/setup", dict(good, name="second")), 404, "NOTFOUND")
    assert fresh.anonymous().get("/start")["setup_needed"] is False
    assert again not in fresh.errors() and "password" not in fresh.errors()
    fresh.restart()
    assert fresh.setup_url is None
    fresh.stop()


# --- sessions ------------------------------------------------------------------------------------------------------------

@case("the cookie: __Host-, Secure, HttpOnly, SameSite=Strict; new at each log-in; void after log-out")
def _():
    fixed = server.anonymous()
    fixed.cookie = "A" * 43
    status, headers, content = fixed.raw("POST", "/api/v1/login", {"name": "viewer", "password": PASSWORD % "viewer"})
    cookie = headers["Set-Cookie"]
    value = re.match(r"__Host-rollcall=([\w-]{43}); ", cookie).group(1)
    assert status == 200 and value != "A" * 43
    assert {p.strip() for p in cookie.split(";")[1:]} == {"Path=/", "Secure", "HttpOnly", "SameSite=Strict"}, cookie
    assert value.encode() not in content
    first = server.login("viewer")
    old = Client(server)
    old.cookie, old.session = first.cookie, dict(first.session)
    first.session = first.post("/login", {"name": "viewer", "password": PASSWORD % "viewer"})  # from the same browser
    assert first.cookie != old.cookie and first.session["csrf"] != old.session["csrf"]
    old.get("/session", status=401)
    replay = Client(server)
    replay.cookie, replay.session = first.cookie, dict(first.session)
    assert replay.get("/session")["name"] == "viewer"
    first.logout()
    assert first.cookie is None
    replay.get("/session", status=401)
    replay.post("/logout", status=401)
    with sqlite3.connect(server.store + ".server", timeout=20) as db:
        assert value not in "".join(db.iterdump()), "the state file could log somebody in"


@case("two cookies of our name are none; a session does not work as a token, nor the other way around")
def _():
    v = server.viewer
    for value in ("__Host-rollcall=%s; __Host-rollcall=%s" % (v.cookie, "B" * 43), "__Host-rollcall=%s; __Host-rollcall=%s" % (v.cookie, v.cookie),
                  "__host-rollcall=" + v.cookie, "rollcall=" + v.cookie, '__Host-rollcall="%s"' % v.cookie, "x__Host-rollcall=" + v.cookie):
        assert v.raw("GET", "/api/v1/session", headers={"Cookie": value})[0] == 401, value
    token = server.token("viewer", name="mix").token
    assert Client(server, token=v.cookie).raw("GET", "/api/v1/session")[0] == 401
    assert server.anonymous().raw("GET", "/api/v1/session", headers={"Cookie": "__Host-rollcall=" + token})[0] == 401
    assert server.anonymous().raw("GET", "/api/v1/session", headers={"Authorization": "Basic " + token})[0] == 401
    assert v.raw("GET", "/api/v1/session", headers={"Authorization": "Bearer nonsense"})[0] == 401, "a wrong token is not made good by a cookie"


@case("a wrong password tells nothing about who exists, neither in words nor in time")
def _():
    fresh = Server(users=("admin",))
    admin, took, said = fresh.admin, {"known": [], "unknown": [], "disabled": []}, set()
    for i in range(6):
        for kind in took:
            if kind != "unknown":
                admin.post("/users", {"name": "%s%d" % (kind, i), "role": "viewer", "password": "a long enough password"})
    for i in range(4):
        admin.patch("/users/disabled%d" % i, {"enabled": False})
    addresses = iter(range(1, 200))
    for i in range(4):
        for kind in took:
            # from an address of its own each: what is limited is looked at elsewhere
            connection = socket.create_connection(("127.0.0.1", fresh.port), source_address=("127.0.1.%d" % next(addresses), 0))
            body = json.dumps({"name": "%s%d" % (kind, i), "password": "a wrong password here"}).encode()
            began = time.monotonic()
            connection.sendall(b"POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            answer = b""
            while part := connection.recv(65536):
                answer += part
            took[kind].append(time.monotonic() - began)
            connection.close()
            said.add((answer[9:12], answer.split(b"\r\n\r\n", 1)[1]))
    assert len(said) == 1 and said.pop()[0] == b"401", said
    fast, slow = sorted(min(t) for t in took.values())[::2]  # a busy machine only adds
    assert slow < fast * 1.5 + 0.05, {k: ["%.3f" % t for t in v] for k, v in took.items()}
    fresh.stop()


@case("guessing: 429 with Retry-After for a name and for an address, also of nobody; sessions go on")
def _():
    fresh = Server(users=("admin", "viewer"))
    nobody = fresh.anonymous()
    for name in ("viewer", "nobody"):
        codes = []
        for _ in range(12):
            status, headers, content = nobody.raw("POST", "/api/v1/login", {"name": name, "password": "wrong wrong wrong"})
            codes.append(status)
            if status == 429:
                assert int(headers["Retry-After"]) >= 1 and json.loads(content)["error"]["class"] == "LIMIT"
                break
        assert codes[-1] == 429 and set(codes[:-1]) <= {401}, codes
    assert nobody.raw("POST", "/api/v1/login", {"name": "viewer", "password": PASSWORD % "viewer"})[0] == 429, "the right one is not tried either"
    assert fresh.viewer.get("/session")["name"] == "viewer"
    fresh.restart()
    assert nobody.raw("POST", "/api/v1/login", {"name": "viewer", "password": "wrong wrong wrong"})[0] == 429, "a restart forgets it"
    entries = list(fresh.admin.all("/audit"))
    refused = [e for e in entries if e["action"] == "login.refused"]
    assert refused and "wrong" not in json.dumps(entries), entries[:3]
    fresh.stop()


@case("users: made, changed, disabled, deleted; their sessions end; the last admin stays; all of it is in the audit log")
def _():
    admin = server.admin
    admin.post("/users", {"name": "anna", "role": "viewer", "password": "a long enough password"}, status=201)
    admin.post("/users", {"name": "anna", "role": "viewer"}, status=409)
    for bad in ({"name": "", "role": "viewer"}, {"name": "b", "role": "root"}, {"name": "b", "role": "viewer", "password": "short"}, {"name": "a\nb", "role": "viewer"},
                {"name": "x" * 200, "role": "viewer"}):
        admin.post("/users", bad, status=400)
    anna = server.login("anna", "a long enough password")
    token = Client(server, token=anna.post("/tokens", {"name": "hers", "role": "viewer", "expires_days": 1})["token"])
    anna.post("/tokens", {"name": "more", "role": "operator"}, status=403)
    assert token.get("/session")["is_token"] is True
    admin.patch("/users/anna", {"role": "analyst"})
    anna.get("/session", status=401)
    anna.login("anna", "a long enough password")
    assert anna.session["role"] == "analyst" and token.get("/session")["role"] == "viewer"
    admin.patch("/users/anna", {"role": "operator", "password": "short"}, status=400)
    assert [e["after"]["role"] for e in admin.all("/audit") if e["action"] == "user.update" and e["object"] == "anna"][0] == "operator", "the half that was done is in the log"
    admin.patch("/users/anna", {"enabled": False})
    anna.get("/session", status=401)
    token.get("/session", status=401)
    anna.post("/login", {"name": "anna", "password": "a long enough password"}, status=401)
    admin.patch("/users/anna", {"enabled": True})
    anna.login("anna", "a long enough password")
    other = server.login("anna", "a long enough password")
    anna.put("/session/password", {"old": "nonsense nonsense", "new": "another long password"}, status=400)
    anna.session = anna.put("/session/password", {"old": "a long enough password", "new": "another long password"})
    other.get("/session", status=401)
    assert anna.get("/session")["name"] == "anna"
    admin.delete("/users/anna", status=204)
    anna.get("/session", status=401)
    token.get("/session", status=401)
    admin.delete("/users/anna", status=404)
    for path, body in (("/users/admin", {"role": "viewer"}), ("/users/admin", {"enabled": False})):
        admin.patch(path, body, status=409)
    admin.delete("/users/admin", status=409)
    log = [(e["action"], e["object"]) for e in admin.all("/audit") if e["who"] in ("admin", "anna")]
    for wanted in ("user.create", "user.update", "user.delete", "user.password", "token.create", "login"):
        assert any(a == wanted for a, _ in log), (wanted, log[:20])
    told = json.dumps(list(admin.all("/audit")))
    assert "long enough password" not in told and "rc_" not in told and "argon2" not in told
    assert admin.get("/audit/verify")["ok"] is True


@case("tokens: shown once, void when deleted or expired, never more than their owner; others' are an admin's to see")
def _():
    made = server.operator.post("/tokens", {"name": "ops", "role": "operator", "expires_days": 1}, status=201)
    mine = server.operator.get("/tokens")["items"]
    assert [t["id"] for t in mine if t["name"] == "ops"] == [made["id"]] and made["token"] not in json.dumps(mine)
    ops = Client(server, token=made["token"])
    assert ops.get("/session")["role"] == "operator"
    ops.post("/tokens", {"name": "child", "role": "viewer"}, status=403)
    ops.post("/logout", status=400)
    server.viewer.get("/tokens", all="true", status=403)
    server.viewer.delete("/tokens/%d" % made["id"], status=404)
    assert any(t["owner"] == "operator" for t in server.admin.get("/tokens", all="true")["items"])
    server.admin.patch("/users/operator", {"role": "viewer"})
    assert ops.get("/session")["role"] == "viewer"
    ops.post("/connectors/nobody/sync", {}, status=403)
    server.admin.patch("/users/operator", {"role": "operator"})
    server.clients["operator"] = server.login("operator")
    state_sql("UPDATE token SET expires_ms = 1000 WHERE token_id = ?", made["id"])
    ops.get("/session", status=401)
    server.operator.delete("/tokens/%d" % made["id"], status=204)
    for bad in ({"name": "x", "role": "viewer", "expires_days": 0}, {"name": "x", "role": "viewer", "expires_days": 99999}, {"name": "", "role": "viewer"}):
        server.viewer.post("/tokens", bad, status=400)


@case("preferences are kept, and one's own")
def _():
    wanted = {"theme": "dark", "keys": False, "columns": ["name", "mail"]}
    assert server.viewer.put("/session/preferences", wanted) == wanted
    assert server.viewer.get("/session")["preferences"] == wanted and server.analyst.get("/session")["preferences"] == {}
    server.viewer.put("/session/preferences", {"theme": "pink"}, status=400)


# --- the transport ------------------------------------------------------------------------------------------------------

@case("the page: its files with their types, unchangeable ones kept for ever, nothing else of the disk")
def _():
    nobody = server.anonymous()
    status, headers, index = nobody.raw("GET", "/")
    assert status == 200 and headers["Content-Type"] == "text/html; charset=utf-8" and headers["Cache-Control"] == "no-cache"
    assert b"<script>" not in index and b"onclick" not in index and b"style=" not in index
    for path in re.findall(rb'(?:src|href)="(/[^"]+)"', index):
        status, headers, content = nobody.raw("GET", path.decode())
        assert status == 200 and content, path
        if re.search(rb"-[A-Z0-9]{8}\.", path):
            assert "immutable" in headers["Cache-Control"], path
        status, zipped, small = nobody.raw("GET", path.decode(), headers={"Accept-Encoding": "gzip"})
        assert small == content and zipped["Vary"] == "Accept-Encoding"
        assert nobody.raw("GET", path.decode(), headers={"If-None-Match": headers["ETag"]})[0] == 304
    for path in ("/../etc/passwd", "/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd", "//etc/passwd", "/etc/passwd", "/./index.html", "/index.html/", "/index.html%00.js",
                 "/..\\..\\etc\\passwd", "/app/../../../../etc/passwd", "/%c0%ae%c0%ae/etc/passwd", "/index.html?x=../../etc/passwd", "/page.c", "/index.html.gz"):
        status, _, content = nobody.raw("GET", path)
        assert status in (200, 400, 404) and (status != 200 or content == index) and b"root:" not in content, (path, status)
    assert nobody.raw("POST", "/", b"{}")[0] == 405


@case("ETag and 304, gzip, HEAD")
def _():
    status, headers, content = server.viewer.raw("GET", "/api/openapi.json")
    assert server.viewer.raw("GET", "/api/openapi.json", headers={"If-None-Match": headers["ETag"]})[:1] == (304,)
    assert server.viewer.raw("GET", "/api/openapi.json", headers={"If-None-Match": '"x"'})[0] == 200
    connection = server.viewer.connect()
    connection.request("GET", "/api/openapi.json", headers={"Host": server.host, "Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    small = answer.read()
    assert answer.headers["Content-Encoding"] == "gzip" and gzip.decompress(small) == content and len(small) < len(content) / 4
    status, head, nothing = server.viewer.raw("HEAD", "/api/openapi.json")
    assert status == 200 and not nothing and head["ETag"] == headers["ETag"]
    connection.request("GET", "/api/v1/session", headers={"Host": server.host, "Cookie": "__Host-rollcall=" + server.viewer.cookie, "Accept-Encoding": "gzip"})
    assert connection.getresponse().headers["Content-Encoding"] is None


@case("only our own name: any other Host is refused (DNS rebinding)")
def _():
    for host in ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example:%d" % server.port, "169.254.169.254", "[::2]", "0.0.0.0", "localhost@evil.example",
                 "2130706433", "0x7f.1", ""):
        for path in ("/", "/api/v1/start", "/metrics", "/api/openapi.json"):
            assert server.anonymous().raw("GET", path, headers={"Host": host})[0] in (400, 421), host
    for host in ("localhost", "127.0.0.1", "LOCALHOST:%d" % server.port, "[::1]"):
        assert server.anonymous().raw("GET", "/api/v1/start", headers={"Host": host})[0] == 200, host


def listening(pid):
    """[(address in hex, port)] of the process's listening sockets."""
    inodes = set()
    for fd in os.listdir("/proc/%d/fd" % pid):
        try:
            found = re.match(r"socket:\[(\d+)\]", os.readlink("/proc/%d/fd/%s" % (pid, fd)))
        except OSError:
            continue
        if found:
            inodes.add(found.group(1))
    for table in ("tcp", "tcp6", "udp", "udp6"):
        with open("/proc/net/" + table) as f:
            for line in list(f)[1:]:
                part = line.split()
                if part[9] in inodes and (part[3] == "0A" or table.startswith("udp")):
                    address, port = part[1].split(":")
                    yield table, address, int(port, 16)


@case("nothing listens beyond loopback, and clear text cannot be told to")
def _():
    assert list(listening(server.pid)) == [("tcp", "0100007F", server.port)], list(listening(server.pid))
    other = scratch()
    p = subprocess.run([ROLLCALL, "serve", "--listen", "0.0.0.0:0", "--public-url", "http://x.example", "--store", "sqlite:" + other + "/a.db", "--tls-key", "/nonexistent"],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30)
    assert p.returncode == 2, p


def handshake(port, **limits):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    for key, value in limits.items():
        setattr(context, key, value)
    with socket.create_connection(("127.0.0.1", port), timeout=20) as raw, context.wrap_socket(raw, server_hostname="localhost") as s:
        return s.version(), s.cipher()[0], s.getpeercert(True)


@case("TLS: 1.2 and 1.3 only, a certificate of its own kept 0600, the same after a restart, for localhost")
def _():
    tls = Server(options=("--tls",), users=("admin",))
    assert tls.url.startswith("https://") and tls.admin.get("/session")["name"] == "admin"
    with open(tls.out) as f:
        fingerprint = re.search(r"^certificate: (sha256:\w{64})$", f.read(), re.M).group(1)
    assert handshake(tls.port)[0] == "TLSv1.3"
    version, cipher, der = handshake(tls.port, maximum_version=ssl.TLSVersion.TLSv1_2)
    assert version == "TLSv1.2" and "ECDHE" in cipher and ("GCM" in cipher or "CHACHA" in cipher), cipher
    for old in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            try:
                spoken = handshake(tls.port, minimum_version=old, maximum_version=old)
            except OSError:  # ssl.SSLError is one
                spoken = None
        assert spoken is None, spoken
    pem = tls.store + ".tls.pem"
    assert os.stat(pem).st_mode & 0o777 == 0o600
    context = ssl.create_default_context(cadata=ssl.DER_cert_to_PEM_cert(der))
    with socket.create_connection(("127.0.0.1", tls.port), timeout=20) as raw, context.wrap_socket(raw, server_hostname="localhost") as s:
        assert s.getpeercert()
    tls.restart()
    with open(tls.out) as f:
        assert fingerprint in f.read()
    connection = socket.create_connection(("127.0.0.1", tls.port), timeout=20)  # clear text at the TLS port
    connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert b"HTTP/1.1 200" not in connection.recv(1000)
    assert tls.admin.get("/session")["name"] == "admin"
    tls.stop()


# --- operations ------------------------------------------------------------------------------------------------------------

G, H = "# HELP x X.\n# TYPE x gauge\n", '# HELP x X.\n# TYPE x histogram\nx_bucket{le="0.1"} %d\nx_bucket{le="+Inf"} %d\nx_sum %d\nx_count %d\n'
BAD_METRICS = ("", "x 1\n", G + "x 1", G + "x 1\r\n", G + "x 1\n\n", G + "y 1\n", G + "x 1\nx 2\n", G + "x one\n", G + "x 1 1700000000\n", G + G + "x 1\n", G + "x 1\n" + G + "x{a=\"1\"} 1\n",
               G + 'x{a="1",a="2"} 1\n', G + 'x{a="\\t"} 1\n', G + 'x{a="""} 1\n', G + 'x{a=1} 1\n', G + 'x{1a="1"} 1\n', G + 'x{a="1",} 1\n', G + "x{} 1\n", G + 'x{le="1"} 1\n',
               "# TYPE x gauge\n# HELP x X.\nx 1\n", "# HELP x \n# TYPE x gauge\nx 1\n", "# HELP x X.\n# TYPE x number\nx 1\n", "# HELP X X.\n# TYPE X gauge\nX 1\n",
               "# HELP x X.\n# TYPE x counter\nx 1\n", "# HELP x_total X.\n# TYPE x_total gauge\nx_total 1\n", "# HELP x_total X.\n# TYPE x_total counter\nx_total -1\n",
               "# HELP x_count X.\n# TYPE x_count gauge\nx_count 1\n", H % (1, 2, 2, 3), H % (2, 1, 1, 1), (H % (1, 2, 2, 2)).replace("+Inf", "0.1"), (H % (1, 2, 2, 2)).replace("+Inf", "2"),
               (H % (1, 2, 2, 2)).replace("x_sum 2\n", ""))


@case("metrics: what reads them here refuses what is not in the format")
def _():
    assert families(H % (1, 2, 9, 2))["x"].samples[0] == ("x_bucket", {"le": "0.1"}, 1)
    assert families(G + 'x{a="\\\\\\"\\n"} -1e-05\n')["x"].samples == [("x", {"a": '\\"\n'}, -1e-05)]
    for text in BAD_METRICS:
        try:
            families(text)
        except AssertionError:
            continue
        raise AssertionError("taken: %r" % text)


@case("healthz, readyz; metrics in Prometheus' text format, for loopback or a token")
def _():
    nobody = server.anonymous()
    assert nobody.get("/healthz") == "ok\n" and nobody.get("/readyz") == "ready\n"
    metrics = families(nobody.get("/metrics"))
    assert {"rollcall_build_info", "rollcall_http_requests_total", "rollcall_http_request_duration_seconds", "process_resident_memory_bytes", "rollcall_jobs"} <= set(metrics), set(metrics)
    assert metrics["rollcall_http_request_duration_seconds"].type == "histogram"
    proxied = Server(options=("--public-url", "https://rollcall.example"), users=("admin",))
    token = proxied.token("viewer")
    for who, wanted in ((proxied.anonymous(), 401), (token, 200)):
        assert who.raw("GET", "/metrics", headers={"Host": "rollcall.example"})[0] == wanted
    assert proxied.admin.raw("POST", "/api/v1/tokens", {"name": "p", "role": "viewer"}, headers={"Host": "rollcall.example", "Origin": "https://rollcall.example"})[0] == 201
    assert proxied.admin.raw("POST", "/api/v1/tokens", {"name": "p", "role": "viewer"}, headers={"Host": "rollcall.example", "Origin": "http://rollcall.example"})[0] == 403
    proxied.stop()


@case("help: the manual pages as HTML without script or style; about; reports of the policy are only counted")
def _():
    nobody = server.anonymous()
    pages = nobody.get("/help")["items"]
    assert {"rollcall.1", "rollcall.yaml.5"} <= {p["name"] for p in pages}
    for p in pages:
        html = nobody.get("/help/" + p["name"])["html"]
        assert len(html) > 2000 and not re.search(r"<(script|style|iframe|img|link|form)|\son\w+=|style=|javascript:", html, re.I), p
    nobody.get("/help/nothing", status=404)
    before = re.search(r"^rollcall_csp_reports_total (\d+)", nobody.get("/metrics"), re.M).group(1)
    for body in (b'{"csp-report":{"blocked-uri":"inline"}}', b"\xff\xfe", b"{" * 1000):
        assert nobody.raw("POST", CSP_REPORT, body, headers={"Content-Type": "application/csp-report", "Origin": "null"})[0] == 204
    assert nobody.raw("POST", CSP_REPORT, b"x" * 20000)[0] == 413
    assert int(re.search(r"^rollcall_csp_reports_total (\d+)", nobody.get("/metrics"), re.M).group(1)) == int(before) + 3
    about = server.viewer.get("/about")
    assert about["version"] and about["libraries"]["SQLite"] and about["uptime_s"] >= 0


@case("a job's live view: from its beginning, from where one was, and again after a restart of the server; an export of all assets")
def _():
    fake = Fake("--users", 40, "--groups", 5)
    directory = scratch()
    own = Server(directory=directory, config=fake.config(directory))
    newest = lambda: own.admin.get("/jobs", connector="fake", kind="sync", limit=1)["items"]
    wait_for(newest)  # the schedule's own
    own.wait_job(newest()[0]["id"])
    job = own.operator.post("/connectors/fake/sync", {}, status=202)["job"]
    told = list(own.viewer.events(job))
    assert told[-1][0] == "end" and {"state", "progress"} <= {e for e, _, _ in told}, [e for e, _, _ in told]
    metrics = families(own.anonymous().get("/metrics"))
    assert [labels["connector"] for _, labels, _ in metrics["rollcall_connector_status"].samples] == ["fake"] and len(metrics["rollcall_assets"].samples) >= 2, metrics
    told = [t for t in told if t[0] != "progress"]  # how far it is now: told, not kept
    ids = [i for _, _, i in told]
    assert ids == sorted(set(ids)), [t[::2] for t in told]
    assert told[-1][1]["state"] == "done", told[-1]
    half = ids[len(ids) // 2]
    assert [t for t in own.viewer.events(job, after=half) if t[0] != "progress"] == [t for t in told if t[2] > half]
    own.restart()
    viewer = own.login("viewer")
    assert [t for t in viewer.events(job) if t[0] != "progress"] == told
    own.viewer.get("/jobs/999999/events", status=404)
    streams = [viewer.connect() for _ in range(16)]  # of a finished job they end at once; none is left open
    for s in streams:
        s.request("GET", "/api/v1/jobs/%s/events" % job, headers=viewer._headers("GET", {}))
    assert {s.getresponse().status for s in streams} <= {200, 503}
    n = len(list(viewer.all("/assets")))
    assert n >= 45, n
    status, headers, content = own.login("analyst").raw("GET", "/api/v1/assets/export?format=csv")
    assert status == 200 and "attachment" in headers["Content-Disposition"] and len(list(csv.reader(io.StringIO(content.decode())))) == n + 1
    own.stop()


@case("audit: pages, newest first, and its hashes find every change of the file")
def _():
    own = Server(users=("admin",))
    for i in range(12):
        own.admin.post("/tokens", {"name": "t%d" % i, "role": "viewer"})
    entries = list(own.admin.all("/audit"))
    paged, after = [], None
    while True:
        page = own.admin.get("/audit", limit=5, after=after)
        paged += page["items"]
        after = page["next"]
        if not after:
            break
    assert [e["id"] for e in paged][-len(entries):] == [e["id"] for e in entries] and paged == sorted(paged, key=lambda e: -e["id"])
    verdict = own.admin.get("/audit/verify")
    assert verdict["ok"] and verdict["entries"] == len(entries) and len(verdict["head"]) == 64
    own.stop()
    with sqlite3.connect(own.store + ".server") as db:
        for (trigger,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'").fetchall():
            db.execute("DROP TRIGGER " + trigger)
        assert db.execute("UPDATE audit SET entry = replace(entry, 'token', 'tokem') WHERE audit_id = 5").rowcount == 1
        db.commit()
    db.close()
    own.start()
    verdict = own.admin.get("/audit/verify")
    assert verdict["ok"] is False and verdict["message"], verdict
    own.stop()


main()
