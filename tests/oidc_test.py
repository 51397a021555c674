#!/usr/bin/python3
"""oidc_test.py - logging in through an OpenID provider: a third party's (npm oidc-provider) with its own forms, and one of ours that lies.
"""
# budget: 120 120
import html
import http.client
import json
import os
import re
import ssl
import time
import urllib.parse

from harness import ROOT, case, main, scratch, shared_ca, write
from nodelab import NodeLab
from server import Server

LAB = os.path.join(ROOT, "tests", "lab", "oidc")
SECRET = "S3cret+of/the&client=%"
CA, CERT, KEY = shared_ca()
server = Server()


class Lab(NodeLab):
    """One of tests/lab/oidc's providers as a process."""

    def __init__(self, script, **config):
        directory = scratch()
        file = write(os.path.join(directory, "config.json"), json.dumps(dict({"cert": CERT, "key": KEY}, **config)))
        super().__init__(directory, script, file, cwd=LAB)
        self.issuer, self.foreign = self.told["issuer"], self.told.get("foreign")


class Browser:
    """Cookies by host and port, no redirects by itself; says what a browser says on a navigation."""

    def __init__(self):
        self.cookies, self.context = {}, ssl.create_default_context(cafile=CA)

    def ask(self, method, url, form=None, site="none"):
        u = urllib.parse.urlsplit(url)
        connection = (http.client.HTTPSConnection(u.hostname, u.port, timeout=30, context=self.context) if u.scheme == "https"
                      else http.client.HTTPConnection(u.hostname, u.port, timeout=30))
        jar = self.cookies.setdefault(u.netloc, {})
        headers = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": site}
        if jar:
            headers["Cookie"] = "; ".join("%s=%s" % c for c in jar.items())
        body = urllib.parse.urlencode(form) if form is not None else None
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, (u.path or "/") + ("?" + u.query if u.query else ""), body, headers)
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = cookie.split(";")[0].partition("=")
            gone = re.search(r"max-age=0|expires=Thu, 01 Jan 1970", cookie, re.I)
            jar.pop(name, None) if gone else jar.__setitem__(name, value)
        connection.close()
        return answer.status, {k.lower(): v for k, v in answer.headers.items()}, text

    def start(self):
        """To the provider: its URL."""
        status, headers, text = self.ask("GET", server.url + "/api/v1/oidc/start")
        assert status in (302, 303), (status, text)
        return headers["location"]

    def callback(self, url):
        """(status, words): 303 and where to, or what the page says."""
        assert url.startswith(server.url + "/api/v1/oidc/callback?"), url
        status, headers, text = self.ask("GET", url, site="cross-site")
        words = headers.get("location") or html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", text)))
        return status, words

    def session(self):
        status, _, text = self.ask("GET", server.url + "/api/v1/session", site="same-origin")
        return status, json.loads(text)


provider = Lab("provider.mjs", redirect_uris=[server.url + "/api/v1/oidc/callback"], post_logout_redirect_uris=[server.url + "/"], users={
    "alice": {"roles": ["rollcall-operators", "other"], "groups": ["staff"]}, "bob": {"roles": ["rollcall-admins", "rollcall-operators"]}, "carol": {"roles": ["other"]},
    "dora": {"realm_access": {"roles": ["rollcall-admins"]}}, "admin": {"preferred_username": "admin", "roles": ["rollcall-operators"]}})
hostile = Lab("hostile.mjs")
ROLES = {"rollcall-operators": "operator", "rollcall-admins": "admin", "boss": "operator"}


def settings(lab=provider, **more):
    own = {"enabled": True, "issuer": lab.issuer, "client_id": "rollcall", "client_secret": SECRET, "label": "Corp log-in", "roles": ROLES, "ca_certificate": open(CA).read()}
    return dict(own, **more)


def set_up(lab=provider, **more):
    return server.admin.put("/settings/oidc", settings(lab, **more))


def follow(browser, url, login):
    """The provider's own forms: a name and any password, then its consent; returns the callback's URL."""
    for _ in range(12):
        if url.startswith(server.url):
            return url
        status, headers, text = browser.ask("GET", url)
        if "location" in headers:
            url = urllib.parse.urljoin(url, headers["location"])
            continue
        action = html.unescape(re.search(r'<form[^>]*action="([^"]+)"', text).group(1))
        prompt = re.search(r'name="prompt" value="(\w+)"', text).group(1)
        form = {"prompt": prompt, "login": login, "password": "x"} if prompt == "login" else {"prompt": prompt}
        status, headers, text = browser.ask("POST", urllib.parse.urljoin(url, action), form)
        assert "location" in headers, (status, text[:500])
        url = urllib.parse.urljoin(url, headers["location"])
    raise AssertionError("the provider does not come to an end: " + url)


def log_in(login, browser=None):
    browser = browser or Browser()
    status, words = browser.callback(follow(browser, browser.start(), login))
    return browser, status, words


@case("a log-in with the provider's own forms: session, role, name, audit; RS256, PS256, ES256, Basic, a public client")
def real():
    server.anonymous().get("/start")
    assert server.anonymous().get("/start")["oidc"] is None
    told = set_up()
    assert told["client_secret"]["set"] and told["client_secret"]["updated"] and SECRET not in json.dumps(told), told
    assert told["redirect_uri"] == server.url + "/api/v1/oidc/callback"
    assert server.anonymous().get("/start")["oidc"] == {"label": "Corp log-in"}
    for client, more in (("rollcall", {}), ("rollcall-ps", {}), ("rollcall-es", {}), ("rollcall-basic", {}), ("rollcall-public", {"client_secret": ""})):
        set_up(client_id=client, **more)
        browser, status, words = log_in("alice")
        assert (status, words) == (303, "/"), (client, status, words)
        status, session = browser.session()
        assert status == 200 and session["role"] == "operator" and session["name"] == "alice@corp.example", session
        assert "__Host-rollcall-oidc" not in browser.cookies[server.host], "the log-in's cookie is gone"
    assert [u for u in server.admin.get("/users")["items"] if u["name"] == "alice@corp.example"][0]["has_password"] is False
    entries = server.admin.get("/audit", limit=200)["items"]
    assert any(x["action"] == "login" and x["who"] == "alice@corp.example" and x["result"] == "ok" for x in entries), entries[:3]
    assert SECRET not in json.dumps(entries), "no secret in the audit log"
    assert server.admin.get("/audit/verify")["ok"]


@case("roles: the highest of the claim's values, none, a default, a path into objects; a local user of the same name is another")
def roles():
    set_up()
    assert log_in("bob")[0].session()[1]["role"] == "admin"
    _, status, words = log_in("carol")
    assert status == 403 and "none of the values of the claim 'roles' has a role here" in words and "administrator gives you a role" in words, words
    set_up(default_role="viewer")
    assert log_in("carol")[0].session()[1]["role"] == "viewer"
    set_up(role_claim="realm_access.roles")
    assert log_in("dora")[0].session()[1]["role"] == "admin"
    set_up()
    browser, _, _ = log_in("admin")
    assert browser.session()[1]["role"] == "operator" and browser.session()[1]["name"] != "admin", browser.session()
    assert server.login("admin").get("/session")["role"] == "admin", "the local administrator stays"


@case("a role that the provider no longer gives: sessions end at the next log-in, until it gives one again")
def taken():
    set_up()
    before = log_in("bob")[0]
    name = before.session()[1]["name"]
    set_up(roles={"of-somebody-else": "admin"})
    assert before.session()[0] == 200, "a session lives as long as it does"
    status = log_in("bob")[1]
    assert status == 403, status
    assert before.session()[0] == 401
    assert [u["role"] for u in server.admin.get("/users")["items"] if u["name"] == name] == ["none"]
    set_up()
    assert log_in("bob")[0].session()[1]["role"] == "admin"


@case("the provider changes its keys: the next log-in asks for them again")
def rotation():
    set_up()
    assert log_in("alice")[1] == 303
    time.sleep(5.1)  # a key set is not asked for more than once in five seconds
    provider.turn()
    assert log_in("alice")[1:] == (303, "/")


@case("a state is good once, for ten minutes, and for the browser that began")
def state():
    set_up()
    browser = Browser()
    url = follow(browser, browser.start(), "alice")
    thief = Browser()
    status, words = thief.callback(url)
    assert status == 401 and "started in another browser" in words, words
    status, words = browser.callback(url)
    assert status == 401 and "unknown, was used already" in words, words
    browser = Browser()
    url = follow(browser, browser.start(), "alice")
    cookie = dict(browser.cookies[server.host])
    assert browser.callback(url) == (303, "/")
    browser.cookies[server.host].update(cookie)
    status, words = browser.callback(url)
    assert status == 401 and "used already" in words, words
    for query in ("", "code=x", "state=x", "code=x&state=y", "state=" + "A" * 400, "error=access_denied"):
        browser = Browser()
        browser.start()
        status, words = browser.callback(server.url + "/api/v1/oidc/callback?" + query)
        assert status == 401 and "unknown, was used" in words, (query, status, words)
    anonymous = server.anonymous()
    status, headers, body = anonymous.raw("GET", "/api/v1/oidc/callback?state=x", headers={"Accept": "application/json"})
    assert status == 401 and json.loads(body)["error"]["class"] == "AUTH", body


@case("a provider that lies is refused, each lie in its own words, and nobody is logged in")
def lies():
    def attempt(lie, **more):
        hostile.turn(lie=lie, **more)
        set_up(hostile)  # forgets what the provider said before
        browser = Browser()
        status, headers, text = browser.ask("GET", server.url + "/api/v1/oidc/start")
        if status != 303:
            return browser, status, html.unescape(re.sub(r"<[^>]*>", " ", text))
        status, headers, _ = browser.ask("GET", headers["location"])
        return (browser, *browser.callback(headers["location"]))
    for lie in ("none", "skew allowed", "two audiences, ours", "iss parameter right"):
        browser, status, words = attempt(lie)
        assert (status, words) == (303, "/"), (lie, status, words)
        assert browser.session()[1]["role"] == "operator"
    for lie, words in (
            ("wrong nonce", "belongs to another log-in"), ("no nonce", "belongs to another log-in"), ("wrong audience", "is for another client than rollcall"),
            ("more audiences", "another party"), ("wrong azp", "another party"), ("expired", "expired at 20"), ("no exp", "does not say when"),
            ("not yet", "not valid yet"), ("future", "issued in the future"), ("other issuer", "issued by 'https://accounts.example'"), ("no subject", "names no subject"),
            ("alg none", "signed by 'none', which is not accepted"), ("alg None", "signed by 'None'"), ("HS256 with the public key", "signed by 'HS256', which is not accepted"),
            ("stranger signs", "signature is wrong"), ("unknown kid", "key that is not among the provider's"), ("key in the header", "does not say which|signature is wrong"),
            ("jku in the header", "key that is not among"), ("weak key", "damaged, or not of 2048 to 8192 bits"), ("crit", "extension that must be understood"),
            ("changed payload", "signature is wrong"), ("changed signature", "signature is wrong"), ("ES key for RS", "key that is not among"),
            ("encrypted", "encrypted, or no JWT"), ("garbage", "is no JSON object"), ("huge", "longer than"), ("no id token", "holds no ID token"),
            ("redirected token", "no token|sends elsewhere"), ("discovery of another", "calls itself 'https://accounts.example'"),
            ("foreign jwks", "jwks_uri is at localhost"), ("foreign token endpoint", "token_endpoint is at localhost"), ("redirected discovery", "sends elsewhere"),
            ("only HS", "signs with none of RS256"), ("no S256", "does not know PKCE"), ("no keys", "has none that can sign"),
            ("iss parameter wrong", "another provider's"), ("iss parameter missing", "another provider's"), ("refuses", "cancelled, or the provider does not let you")):
        browser, status, said = attempt(lie)
        assert status != 303 and re.search(words, said), (lie, status, said)
        assert browser.session()[0] == 401, lie
        assert "\u202e" not in said and "<script>alert" not in said.replace("not you? <script>alert(1)</script>", ""), said
    assert hostile.turn()["visits"] == [], "nobody went to the foreign origin"
    entries = server.admin.get("/audit", limit=200)["items"]
    assert sum(x["action"] == "login.refused" for x in entries) > 30 and "access-secret" not in json.dumps(entries)


@case("settings: the secret is not told, goes with another issuer or client, is tested without being kept; wrong ones are named")
def settings_route():
    set_up()
    told = server.admin.get("/settings/oidc")
    assert told["client_secret"]["set"] and SECRET not in json.dumps(told)
    told.pop("redirect_uri")
    assert server.admin.put("/settings/oidc", dict(told, label="Other"))["client_secret"]["set"], "an absent secret stays"
    moved = server.admin.put("/settings/oidc", dict(settings(), client_secret=None, client_id="rollcall-es"))
    assert not moved["client_secret"]["set"], "another client does not get it"
    set_up()
    steps = {s["name"]: s for s in server.admin.post("/settings/oidc/test", settings())["steps"]}
    assert [s["verdict"] for s in steps.values()] == ["ok"] * 4, steps
    assert server.url in steps["client"]["evidence"]
    steps = {s["name"]: s for s in server.admin.post("/settings/oidc/test", settings(client_secret="wrong"))["steps"]}
    assert steps["client"]["verdict"] == "fail" and "client secret again" in steps["client"]["fix"], steps
    steps = {s["name"]: s for s in server.admin.post("/settings/oidc/test", settings(roles={}, ca_certificate=""))["steps"]}
    assert steps["discovery"]["verdict"] == "fail" and re.search("certificate|trust", steps["discovery"]["evidence"]), steps
    for change, words in (({"issuer": "http://idp.example"}, "http would not be protected"), ({"issuer": provider.issuer + "/.well-known/openid-configuration"}, "discovery document"),
                          ({"client_id": ""}, "client_id: is missing"), ({"roles": {"a": "king"}}, "'a': its role is none of"), ({"default_role": "root"}, "default_role"),
                          ({"ca_certificate": "x"}, "neither a certificate")):
        try:
            set_up(**change)
            raise AssertionError("taken: %s" % change)
        except AssertionError as e:
            assert getattr(e, "status", 0) == 400 and words in e.error["message"], (change, str(e))
    for role in ("viewer", "analyst", "operator"):
        assert getattr(server, role).raw("GET", "/api/v1/settings/oidc")[0] == 403
        assert getattr(server, role).raw("PUT", "/api/v1/settings/oidc", settings())[0] == 403
    before = server.admin.get("/settings/oidc")["version"]
    status, _, _ = server.admin.raw("PUT", "/api/v1/settings/oidc", settings(version=before - 1))
    assert status == 409


@case("log-out goes to the provider too; a stopped provider says so and the local log-in stays; whoever begins hundreds loses his own")
def ends():
    set_up()
    browser, _, _ = log_in("alice")
    url = urllib.parse.urlsplit(browser.session()[1]["logout_url"])
    query = urllib.parse.parse_qs(url.query)
    assert provider.issuer == "%s://%s" % url[:2] and query["client_id"] == ["rollcall"] and query["post_logout_redirect_uri"] == [server.url + "/"], url
    assert browser.ask("GET", url.geturl())[0] == 200, "the provider knows the address"
    first, late = Browser(), Browser()
    urls = [first.start()] + [Browser().start() for _ in range(255)]
    urls.append(late.start())
    status, words = first.callback(follow(first, urls[0], "alice"))
    assert status == 401 and "unknown, was used already" in words, (status, words)
    assert late.callback(follow(late, urls[-1], "alice")) == (303, "/")
    server.restart()
    provider.stop()
    status, _, text = Browser().ask("GET", server.url + "/api/v1/oidc/start")
    assert status in (502, 504) and "log-in through the provider: discovery" in text and "Back to the log-in page" in text, (status, text)
    assert server.login("admin").get("/session")["role"] == "admin"


main()
