#!/usr/bin/python3
"""graph_weather_test.py - a tenant that breaks off, throttles or refuses: what passes is repaired and leaves the state that an undisturbed run
leaves; what stays is a named error or a named gap. And what it all costs in memory, and that no secret is left anywhere.

Tables and tenants as in graph_storm_test.py.
"""
# budget: 240 2400
import os
import re
import subprocess

import harness
from fleet import *  # noqa: F403
from harness import case, main


# --- 3. what passes ------------------------------------------------------------------------------------------------------

def bucket_of(url):
    if "/authentication/methods" in url:
        return "methods"
    return "reports" if "/reports/" in url or "signInActivity" in url else "directory"


def rests(boat, least_ms):
    """After each 429 nothing of its bucket came before the time was over; what was under way already is let off."""
    log = [e for e in boat.log() if e["service"] == "graph"]
    refused = [e for e in log if e["status"] == 429]
    assert refused
    for r in refused:
        early = [e for e in log if bucket_of(e["url"]) == bucket_of(r["url"]) and r["at"] + max(80, least_ms / 2) < e["at"] < r["at"] + least_ms - 5]
        assert not early, "%d ms after a 429 that asked for %d: %s" % (early[0]["at"] - r["at"], least_ms, early[0]["url"][:100])


WAITS = [({"retry_after": 1}, 1000), ({"retry_after": 2}, 2000), ({"retry_after": 0.7}, 700), ({"retry_after": 1.234}, 1234), ({"retry_after": 0.9, "retry_after_form": "date"}, 900), ({}, 375),
         ({"retry_after": "soon"}, 375), ({"retry_after": 0}, 0), ({"retry_after": "-3"}, 375)]


@case("429 in %d forms of Retry-After, in every bucket: obeyed, and the same end state" % len(WAITS))
def _():
    places = ["/users", "/groups/{id}/members", "/organization", "/roleManagement/directory/roleAssignments", "/reports/authenticationMethods/userRegistrationDetails",
              "/users/{id}/authentication/methods", "/users/delta"]
    table = [(w, ms, p, True, n) for w, ms in WAITS for p in places for n in (1, 3)] + [(w, ms, "/users/delta", False, 1) for w, ms in WAITS]

    def waited(boat, row):
        wait, ms, place, full, n = row
        r = boat.storm(dict(wait, kind="status", status=429, match=place, count=n), full)
        rests(boat, ms)
        boat.whole(r, full)
    fleet().sail(some(table, 10, 12), waited)


@case("real accounting of units: throttled all the while, nothing lost")
def _():
    def throttled(boat, form):
        boat.tenant.set(throttle=True, directory_units=30, directory_window_ms=600, reports_requests=3, reports_window_ms=500, methods_requests=2, methods_window_ms=300, retry_after=form)
        try:
            r = boat.run(True)
            assert "asked for pauses" in r.err and len([e for e in boat.log() if e["status"] == 429]) > 2, r
            boat.whole(r)
        finally:
            boat.tenant.set(throttle=False)
    fleet().sail(["fraction", "absent", "mixed"] if SOAK else ["mixed", "fraction"], throttled)


@case("a Retry-After beyond the run's time, or endless 429s: told at once by name")
def _():
    def endless(boat, wait):
        r = boat.storm(dict(wait, kind="status", status=429, match="/users"), run_timeout="3s", binary=harness.ROLLCALL)
        at_once = wait.get("retry_after") not in (None, 1)  # else its last try may be under way when the time is over
        said = "too many requests" in r.err or not at_once and re.search(r"time for the whole run .* [1-9]\d* throttled", r.err)
        assert r.code in (1, 6) and said and r.seconds < 8, r
        boat.unharmed(r)
    fleet().sail([{"retry_after": 999999}, {"retry_after": "Fri, 01 Jan 2077 00:00:00 GMT"}, {}, {"retry_after": 1}], endless)


TRANSIENT = [{"kind": "status", "status": s} for s in (500, 502, 503, 504, 408, 509)] + [{"kind": "status", "status": s, "retry_after": w} for s in (503, 504) for w in (1, 0.4)] + [
    {"kind": k} for k in ("reset_before", "reset_body", "truncate", "stall", "stall_before")] + [{"kind": "401", "text": t} for t in "ab"] + [
    {"kind": "status", "status": 503, "body": "<html>upstream</html>"}, {"kind": "status", "status": 400, "code": "Directory_ExpiredPageToken"},
    {"kind": "status", "status": 403, "code": "Authentication_RequestFromNonPremiumTenantOrB2CTenant"},
    {"kind": "status", "status": 500, "body": {"error": {"code": "Directory_ConcurrencyViolation", "message": "x"}}}]


@case("%d faults that pass, anywhere: the same end state as an undisturbed run" % len(TRANSIENT))
def _():
    table = [(dict(t, match=p, count=n, skip=s), full) for full, places in ((True, FULL), (False, DELTA)) for t in TRANSIENT for p in places for n, s in ((1, 0), (2, 0), (1, 1))
             if n == 1 or t["kind"] != "401"]  # twice in a row is final

    def passes(boat, row):
        fault, full = row
        boat.whole(boat.storm(fault, full, answer_timeout="1s"), full)
    fleet().sail(some(table, 16, 13), passes)

    def weather(boat, seed):
        faults = [{"kind": k, "probability": 0.03} for k in ("reset_before", "reset_body", "malformed", "cut")] + \
            [{"kind": "status", "status": s, "probability": 0.03} for s in (500, 503)] + [{"kind": "status", "status": 429, "retry_after": 0.2, "probability": 0.03}]
        boat.whole(boat.storm(faults, full=seed % 2 == 0), seed % 2 == 0)
    fleet().sail(range(40 if SOAK else 3), weather)


@case("tokens that live for seconds, or are refused in mid-run: renewed once for all, no more often")
def _():
    def life(boat, seconds):
        boat.tenant.app(token_seconds=seconds)
        boat.tenant.set(latency_ms=150)
        try:
            r = boat.run(True, parallel=2)
            tokens = [e for e in boat.log() if e["service"] == "login"]
            assert len(tokens) > 1 and not [e for e in boat.log() if e["status"] == 401], (len(tokens), r)
            boat.whole(r)
        finally:
            boat.tenant.app(token_seconds=3599)
            boat.tenant.set(latency_ms=0)
    fleet().sail([4, 6] if SOAK else [4], life)

    def refused(boat, text):
        r = boat.storm({"kind": "401", "text": text, "match": "/groups/{id}/members", "count": 4})
        tokens = [e for e in boat.log() if e["service"] == "login"]
        assert len(tokens) <= 3, "%d tokens for 4 refusals at once" % len(tokens)
        boat.whole(r)
    fleet().sail(["a", "b"], refused)


@case("a page token that dies starts that collection anew, and that one alone")
def _():
    def died(boat, place):
        boat.tenant.set(faults=[])
        r = boat.storm({"kind": "status", "status": 400, "code": "Directory_ExpiredPageToken", "message": "The specified page token value has expired and can no longer be included in your request.",
                        "match": "^/v1\\.0%s\\?.*skiptoken" % place, "skip": 1, "count": 1})
        graph = [e for e in boat.log() if e["service"] == "graph"]
        firsts = {}
        for e in graph:
            if "skiptoken" not in e["url"]:
                firsts[e["url"]] = firsts.get(e["url"], 0) + 1
        again = sorted(u for u, n in firsts.items() if n > 1)
        assert len(again) == 1 and again[0].startswith("/v1.0" + place), again
        boat.whole(r)
    fleet().sail(["/users", "/reports/authenticationMethods/userRegistrationDetails"], died)

    def always(boat, place):
        r = boat.storm({"kind": "status", "status": 400, "code": "Directory_ExpiredPageToken", "match": place})
        assert r.code in (1, 6) and "page token" in r.err, r
        boat.unharmed(r)
    fleet().sail(["/groups", "/users"], always)


@case("a login service that is away for a moment: asked again")
def _():
    table = [{"kind": "status", "status": 503, "retry_after": 1}, {"kind": "status", "status": 429, "retry_after": 0.5}, {"kind": "status", "status": 502, "body": "<html>"},
             {"kind": "reset_before"}, {"kind": "reset_body"}] + [{"kind": "aadsts", "code": c, "retry_after": 1} for c in (90006, 90012, 90024, 90033, 90055)]

    def away(boat, fault):
        r = boat.storm(dict(fault, where="login", count=2))
        assert len([e for e in boat.log() if e["service"] == "login"]) == 3, r
        boat.whole(r)
    fleet().sail(some(table, 7, 14), away)


# --- 4. what stays -----------------------------------------------------------------------------------------------------------

def other_ca():
    return harness.shared_ca()[0]


REFUSALS = [
    ("a wrong secret", {"secret": "not-the-secret"}, 4, "7000215|client secret"),
    ("an expired secret", {"secret": "old-secret"}, 4, "7000222|expired"),
    ("a secret's ID", {"secret": "11111111-2222-4333-8444-555555555555"}, 4, "ID"),
    ("an unknown tenant", {"tenant_id": "99999999-2222-4333-8444-555555555555"}, 4, "90002|tenant"),
    ("an unknown client", {"client_id": "99999999-2222-4333-8444-555555555555"}, 4, "700016|application"),
    ("a certificate that is not trusted", {"ca": True}, 6, "certificate|trust"),
    ("login is down", {"login_url": "https://localhost:1"}, 6, "no connection"),
    ("login is no TLS server", {"login_url": "imds"}, 6, "TLS|SSL"),
    ("another Graph", {"graph_url": "https://localhost:1"}, 4, "500011"),
]


@case("%d refusals before the first question: exit code, sentence, store as it was" % len(REFUSALS))
def _():
    def refused(boat, row):
        _name, change, code, words = row
        keys = {k: v for k, v in change.items() if k not in ("secret", "ca")}
        if "secret" in change:
            keys["client_secret"] = "file:" + write(os.path.join(scratch(), "secret"), change["secret"])
        if "ca" in change:
            keys["ca_certificate"] = other_ca()
        if keys.get("login_url") == "imds":
            keys["login_url"] = "https://localhost:" + boat.tenant.imds.rsplit(":", 1)[1]
        r = boat.run(True, run_timeout="3s", **keys)
        assert r.code == code and re.search(words, r.err), r
        assert "  fix: " in r.err, r
        boat.unharmed(r)
    fleet().sail(REFUSALS, refused)


@case("Graph resets, stalls or refuses everything, or goes away in mid-run: exit 6, by name, store as it was")
def _():
    def down(boat, fault):
        r = boat.storm(dict(fault), run_timeout="3s", answer_timeout="1s")
        assert r.code == 6 and re.search("closed|broke|reset|no answer|not available|internal error", r.err) and "  fix: " in r.err, r
        boat.unharmed(r)
    fleet().sail([{"kind": "reset_before"}, {"kind": "stall_before"}, {"kind": "status", "status": 503}, {"kind": "status", "status": 500, "body": "<html>"}], down)
    boat = Boat(77)
    boat.tenant.set(latency_ms=400)
    boat.at = boat.config(boat.port, run_timeout="4s")
    p = subprocess.Popen([harness.ROLLCALL, "sync", "cloud", "--full", "--config", boat.at], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    harness.wait_for(lambda: [e for e in boat.log_now() if "/groups" in e["url"]])
    boat.tenant.process.kill()
    r = harness.Result(subprocess.CompletedProcess([], 0, *p.communicate(timeout=30)))
    r.code = p.returncode
    assert r.code == 6 and "no connection" in r.err, r
    boat.unharmed(r)


PERMISSIONS = [  # without it: exit code, what is told
    ("User.Read.All", 5, "the users cannot be read"), ("GroupMember.Read.All", 5, "the groups cannot be read"), ("Member.Read.Hidden", (0, 5), ""),
    ("RoleManagement.Read.Directory", 5, "the roles cannot be read"), ("AuditLog.Read.All", 0, "the MFA registration report cannot be read"),
    ("UserAuthenticationMethod.Read.All", 0, "UserAuthenticationMethod.Read.All"), ("Device.Read.All", 5, "the devices cannot be read"), ("Application.Read.All", 5, "the service principals cannot be read"),
    ("AdministrativeUnit.Read.All", 5, "the administrative units cannot be read"), ("Organization.Read.All", 0, "Organization.Read.All"), ("Domain.Read.All", 0, "Domain.Read.All"),
    ("OrgContact.Read.All", 5, "the contacts cannot be read"),
]


@case("each missing permission is its own gap; without any role nothing is deleted")
def _():
    every = [p for p, _c, _w in PERMISSIONS]

    def without(boat, row):
        role, code, words = row
        boat.tenant.app(roles=[p for p in every if p != role] if role else [])
        try:
            r = boat.run(True)
            assert r.code in (code if isinstance(code, tuple) else (code,)) and words in r.err, r
            sound(r)
            gone = {k for k, (is_gone, _) in entities(boat.at).items() if is_gone}
            truly = {k for k, (is_gone, _) in boat.want[True][0].items() if is_gone}
            assert gone <= truly, (sorted(gone - truly), r)
            if code == 5 and role:
                assert role in r.err, r
        finally:
            boat.tenant.app(roles=every)
    fleet().sail(PERMISSIONS + [(None, (4, 5), "")], without)


BODIES = [  # graph.md: the service's errors, each with its own sentence
    (400, "Request_BadRequest", "Bad request.", 1, "does not accept the request"),
    (400, "Request_UnsupportedQuery", "Unsupported Query.", 5, "does not support this query"),
    (401, "InvalidAuthenticationToken", "Access token validation failure. Invalid audience.", 4, "for another service than this Graph"),
    (401, "InvalidAuthenticationToken", "Access token is empty.", 4, "no token arrived"),
    (401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.", 4, "lifetime is over"),
    (401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid.", 4, "expired, or is not valid yet"),
    (401, "Authorization_IdentityNotFound", "The identity of the calling application could not be established.", 4, "no service principal"),
    (403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.", 5, "lacks a permission"),
    (403, "Authentication_MSGraphPermissionMissing", "x", 5, "permission of the reports service"),
    (403, "AadPremiumLicenseRequired", "x", 5, "P2 or Governance"),
    (404, "Request_ResourceNotFound", "Resource 'x' does not exist or one of its queried reference-property objects are not present.", 5, "does not exist any more"),
    (410, "", "Gone", 1, "delta link has expired"),
    (414, "", "", 1, "address too long"),
    (500, "InternalServerError", "Internal server error.", 6, "internal error"),
    (501, "NotImplemented", "x", 5, "not implemented"),
    (502, "BadGateway", "", 6, "gateway of the service got no"),
    (503, "ServiceUnavailable", "Service unavailable.", 6, "not available for the moment"),
    (504, "GatewayTimeout", "Gateway timeout.", 6, "waited in vain"),
    (429, "TooManyRequests", "Too many requests from Identifier:x under category:aadgraph.app.tenant_large. Please try again later.", (1, 6), "quota for this application"),
    (429, "UnknownError", "This request is throttled.", (1, 6), "five requests in ten seconds"),
]


@case("%d error bodies, each with its own sentence" % len(BODIES))
def _():
    def told(boat, row):
        status, code, message, exit_code, words = row
        fault = {"kind": "status", "status": status, "body": {"error": {"code": code, "message": message, "innerError": {}}}, "match": "/devices"}
        if status == 429:
            fault["retry_after"] = 3600  # longer than the run: told at once
        r = boat.storm(fault, run_timeout="5s" if status in (500, 502, 503, 504) else "20s")  # ends between the fourth try and the fifth
        assert r.code in (exit_code if isinstance(exit_code, tuple) else (exit_code,)) and words in r.err, r
        if r.code == 5:
            boat.partial(r)
        else:
            boat.unharmed(r)
    fleet().sail(some(BODIES, 13, 16), told)


# --- 6. memory ---------------------------------------------------------------------------------------------------------------------

@case("three times the users%s: the same memory, both processes together, in full and by delta" % (", and ten times" if SOAK else ""))
def _():
    peaks = {}
    for n in (100000, 300000, 1000000) if SOAK else (10000, 30000):
        with Tenant(users=n, groups=30, memberships=n // 4, devices=10) as t:
            less = {} if SOAK else {"kinds": "user,group", "sign_in_activity": "off"}
            config = t.config(scratch(), mfa="report" if SOAK else "off", **less)
            for full in (True, False):
                r = measured("sync", "cloud", config=config, limit=1800)
                assert r.code == 0, r
                peaks[n, full] = r.rss_mib
                assert n > 500000 or entities_of(config) == len(t.oracle("users")["users"])
                t.advance(200)
    if is_sanitized():
        return
    assert max(peaks.values()) < 192, peaks
    for small, large in ((100000, 300000), (100000, 1000000)) if SOAK else ((10000, 30000),):
        assert peaks[large, True] < peaks[small, True] * (1.25 if SOAK else 1.5), peaks  # 32 parts of the join fill their first chunk at some 30,000 users


# --- 7. secrets ------------------------------------------------------------------------------------------------------------------

@case("the secret, the access token and the assertion are in no argument, environment, output, file or memory image")
def _():
    cases = list(harness._cases)
    import canary_test as canary  # its nets; its cases are its own
    harness._cases[:] = cases

    class Net(canary.Canary):
        """Our secret in every notation, and whatever looks like the inner part of a JWT that is long enough to be one."""

        def __init__(self, *secrets):
            super().__init__(*secrets)
            self.jwt = re.compile(rb"eyJ[A-Za-z0-9_-]{20,}\.eyJ[A-Za-z0-9_-]{40,}\.[A-Za-z0-9_-]{100,}")

        def look(self, where, data):
            super().look(where, data)
            m = self.jwt.search(data)
            if m and "core of" not in where:
                self.hits.append("%s: a token at %d" % (where, m.start()))
    secret = canary.new_secret()
    with Tenant(app={"secrets": [secret]}, knobs=dict(PAGES, latency_ms=20), **SMALL) as tenant:
        pem = tenant.certificate()
        federated = tenant.federated()
        own = write(os.path.join(scratch(), "secret"), secret)
        doors = {"secret": {"client_secret": "file:" + own}, "env": {"client_secret": "env:CANARY"}, "certificate": {"client_secret": None, "client_certificate": pem},
                 "federated": {"client_secret": None, "federated_token_file": federated}, "wrong": {"client_secret": "file:" + write(os.path.join(scratch(), "s"), secret + "x")}}
        for name, keys in doors.items():
            d, net = scratch(), Net(secret)
            config = tenant.config(d, **dict(SHORT, **keys))
            env = {"CANARY": secret} if name == "env" else {}
            for verb in (("sync", "cloud"), ("check", "cloud"), ("sync", "cloud")) if SOAK or name in ("secret", "wrong") else (("sync", "cloud"),):
                canary.run(net, *verb, config=config, env=env, known_environment=bool(env))
            net.look_below(d)
            assert net.seen_bytes > 10000 and not net.hits, (name, net.hits[:5])
        for moment in ("stall_before", "stall"):
            net = Net(secret)
            d = scratch()
            config = tenant.config(d, **dict(SHORT, client_secret="file:" + own, answer_timeout="20s"))
            tenant.fault(moment, match="/groups")
            p, worker = canary.started(config, None, "sync", "cloud")
            harness.wait_for(lambda: any(e.get("fault") for e in tenant.log()))
            for who, pid in (("rollcall", p.pid), ("the worker", worker)):
                image = canary.dump(pid)
                net.look_file("core of " + who, image)
                with open(image, "rb") as f:
                    tokens = net.jwt.findall(f.read())
                assert not tokens or who == "the worker", "a token in the parent's memory"
            p.kill()
            p.wait()
            tenant.fault(None)
            assert net.seen_bytes > 1 << 20 and not net.hits, net.hits[:5]


if __name__ == "__main__":
    main()
