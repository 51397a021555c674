#!/usr/bin/python3
# budget: 180
"""graph_lab_test.py - the simulated tenant (tests/lab/graph) does what Microsoft's services do, as far as anybody wrote it down.
That independent clients take it for the real thing is shown by graph_witness_test.py."""
import base64
import concurrent.futures
import email.utils
import json
import os
import re
import subprocess
import time

from harness import main
from tenant import IDENTITY, case, client, plain, tenant

def refused(t, path, status, code, **options):
    got, headers, body = t.call(path, **options)
    assert (got, body["error"]["code"]) == (status, code), (path, got, body)
    assert set(body["error"]["innerError"]) == {"date", "request-id", "client-request-id"}, body
    return headers, body["error"]["message"]


def claims(token):
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


# --- tokens --------------------------------------------------------------------------------------------------------------------

@case("a secret gives a token, in the form or in the header; the token says what the application may")
def _():
    t = plain()
    status, answer = t.ask_token()
    assert status == 200 and answer["token_type"] == "Bearer" and answer["expires_in"] == 3599, answer
    c = claims(answer["access_token"])
    assert c["aud"] == t.graph and "User.Read.All" in c["roles"] and c["tid"] == t.tenant_id and c["exp"] - c["iat"] == 3599, c
    basic = base64.b64encode(("%s:%s" % (t.client_id, "s3cret%2Bwith%2Fspecials%26and%2541%3D~.")).encode()).decode()
    status, _, body = t.request("POST", t.login + "/contoso.example/oauth2/v2.0/token", "grant_type=client_credentials&scope=" + t.graph + "/.default",
                                Authorization="Basic " + basic)
    assert status == 200, body
    status, _, body = t.request("GET", t.login + "/" + t.tenant_id + "/v2.0/.well-known/openid-configuration")
    configuration = json.loads(body)
    assert configuration["token_endpoint"].startswith(t.login) and "private_key_jwt" in configuration["token_endpoint_auth_methods_supported"]
    assert json.loads(t.request("GET", configuration["jwks_uri"])[2])["keys"][0]["kty"] == "RSA"
    assert b"tenant_discovery_endpoint" in t.request("GET", t.login + "/common/discovery/instance?api-version=1.1&authorization_endpoint=x")[2]


@case("every error of the token endpoint has its code, its status and its shape")
def _():
    t = plain()
    table = [(dict(client_secret="wrong"), 401, "invalid_client", 7000215), (dict(client_secret="old-secret"), 401, "invalid_client", 7000222),
             (dict(client_id="00000000-0000-0000-0000-000000000001"), 400, "unauthorized_client", 700016), (dict(tenant="contoso-typo"), 400, "invalid_tenant", 90002),
             (dict(scope="https://foo.microsoft.com/x"), 400, "invalid_scope", 70011), (dict(scope="https://vault.example/.default"), 400, "invalid_resource", 500011),
             (dict(scope=t.graph + "/.default https://vault.example/.default"), 400, "invalid_scope", 70011), (dict(client_secret=None), 401, "invalid_client", 7000216),
             (dict(grant_type="password"), 400, "unsupported_grant_type", 70003), (dict(client_id=None), 400, "invalid_request", 900144)]
    for form, status, error, code in table:
        got, body = t.ask_token(**form)
        assert (got, body["error"], body["error_codes"]) == (status, error, [code]), (form, got, body)
        assert body["error_description"].startswith("AADSTS%d: " % code) and "\r\nTrace ID: " in body["error_description"], body
        assert {"timestamp", "trace_id", "correlation_id", "error_uri"} <= set(body), body
    with tenant(users=3, groups=1, memberships=1, knobs={"faults": [{"kind": "aadsts", "where": "login", "code": 90033, "count": 2, "retry_after": 1}]}) as u:
        assert [u.ask_token()[0] for _ in range(3)] == [503, 503, 200]
        u.app(roles=[])
        assert "roles" not in claims(u.token())
        u.app(roles=["User.Read.All"], token_seconds=2)
        assert u.call("/users")[0] == 200
        token, _ = u._token
        time.sleep(2.1)
        status, headers, body = u.request("GET", u.graph + "/v1.0/users", Authorization="Bearer " + token)
        assert status == 401 and b"Lifetime validation failed" in body and "www-authenticate" in headers
        for bad in (None, "Bearer x.y.z", "Bearer " + token[:-8] + "AAAAAAAA"):
            assert u.request("GET", u.graph + "/v1.0/users", **({"Authorization": bad} if bad else {}))[0] == 401, bad


@case("assertions: signed by the certificate, for this endpoint, now, once")
def _():
    t = tenant(users=3, groups=1, memberships=1)
    pem = t.certificate()
    other = t.certificate("other", register=False)
    form = {"client_secret": None, "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}

    def ask(file=pem, thumb="x5t#S256", alg="PS256", **over):
        now = int(time.time())
        c = dict({"aud": "%s/%s/oauth2/v2.0/token" % (t.login, t.tenant_id), "iss": t.client_id, "sub": t.client_id,
                  "jti": os.urandom(8).hex(), "nbf": now, "iat": now, "exp": now + 300}, **over)
        status, body = t.ask_token(client_assertion=signed(file, thumb, alg, c), **form)
        return status if status == 200 else body["error_codes"][0]
    assert [ask(thumb=x, alg=a) for x in ("x5t#S256", "x5t") for a in ("PS256", "RS256")] == [200] * 4
    assert ask(file=other) == 700027 and ask(aud="https://elsewhere/") == 700023 and ask(sub="x") == 700021 and ask(exp=int(time.time()) - 900) == 700024
    assert ask(jti="same") == 200 and ask(jti="same") == 700027
    with open(t.federated()) as f:
        good = f.read()
    assert t.ask_token(client_assertion=good, **form)[0] == 200
    with open(t.federated(subject="system:serviceaccount:other:x", register=False)) as f:
        assert t.ask_token(client_assertion=f.read(), **form)[1]["error_codes"] == [70021]


def signed(file, thumb, alg, claim):
    """A JWT made by openssl."""
    der = subprocess.run(["openssl", "x509", "-in", file, "-outform", "DER"], check=True, stdout=subprocess.PIPE).stdout
    digest = subprocess.run(["openssl", "dgst", "-sha256" if thumb.endswith("256") else "-sha1", "-binary"], input=der, check=True, stdout=subprocess.PIPE).stdout
    def b64(b):
        return base64.urlsafe_b64encode(b).rstrip(b"=")
    text = b64(json.dumps({"alg": alg, "typ": "JWT", thumb: b64(digest).decode()}).encode()) + b"." + b64(json.dumps(claim).encode())
    pss = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"] if alg == "PS256" else []
    signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", file, *pss, "-binary"], input=text, check=True, stdout=subprocess.PIPE).stdout
    return (text + b"." + b64(signature)).decode()


@case("the metadata service: header, no proxy, numbers as text")
def _():
    t = plain()
    url = t.imds + "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=" + t.graph
    assert t.request("GET", url)[0] == 400 and t.request("GET", url, Metadata="true", X_Forwarded_For="1.2.3.4")[0] == 400
    status, _, body = t.request("GET", url + "&client_id=" + IDENTITY["client_id"], Metadata="true")
    answer = json.loads(body)
    assert status == 200 and answer["expires_in"] == "3599" and answer["refresh_token"] == "" and answer["expires_on"].isdigit(), answer
    assert t.request("GET", t.graph + "/v1.0/users", Authorization="Bearer " + answer["access_token"])[0] == 200
    assert t.request("GET", url + "&client_id=nobody", Metadata="true")[0] == 400


# --- who may what --------------------------------------------------------------------------------------------------------------

PERMISSIONS = {
    "/users": "User.Read.All", "/users/delta": "User.Read.All", "/users/{user}": "User.Read.All", "/users/{user}/manager": "User.Read.All",
    "/users/$count": "User.Read.All", "/groups": "GroupMember.Read.All", "/groups/delta": "GroupMember.Read.All",
    "/groups/{group}/members": "GroupMember.Read.All",
    "/groups/{group}/owners": "GroupMember.Read.All", "/groups/{group}/transitiveMembers": "GroupMember.Read.All",
    "/users/{user}/memberOf": "GroupMember.Read.All",
    "/devices": "Device.Read.All", "/servicePrincipals": "Application.Read.All", "/directory/administrativeUnits": "AdministrativeUnit.Read.All",
    "/administrativeUnits/delta": "AdministrativeUnit.Read.All", "/contacts": "OrgContact.Read.All",
    "/organization": "Organization.Read.All", "/domains": "Domain.Read.All",
    "/subscribedSkus": "Organization.Read.All", "/directoryRoles": "RoleManagement.Read.Directory",
    "/roleManagement/directory/roleAssignments": "RoleManagement.Read.Directory",
    "/roleManagement/directory/roleDefinitions": "RoleManagement.Read.Directory",
    "/roleManagement/directory/roleEligibilityScheduleInstances": "RoleManagement.Read.Directory",
    "/reports/authenticationMethods/userRegistrationDetails": "AuditLog.Read.All",
    "/users/{user}/authentication/methods": "UserAuthenticationMethod.Read.All",
    "/directory/deletedItems/microsoft.graph.user": "User.Read.All",
}


@case("each route asks for its role")
def _():
    t = tenant(users=30, groups=5, memberships=50)
    names = {"user": t.id("user", 1), "group": t.id("group", 1)}
    t.apply("manager", id=names["user"], manager=t.id("user", 2))
    t.app(roles=[])
    for path in PERMISSIONS:
        status, _, body = t.call(path.format(**names), eventual=True)
        assert status == 403 and body["error"]["code"].startswith("Auth"), (path, status, body)
    for role in sorted(set(PERMISSIONS.values())):
        t.app(roles=[role])
        for path, needed in PERMISSIONS.items():
            status = t.call(path.format(**names), eventual=True)[0]
            may = needed == role or path.endswith("memberOf") and role == "User.Read.All"
            assert (status == 200) == may, (path, role, status)
    t.app(roles=["User.Read.All"])
    refused(t, "/users?$select=id,signInActivity", 403, "Authentication_MSGraphPermissionMissing")
    refused(t, "/users?$select=id,employeeLeaveDateTime", 403, "Authorization_RequestDenied")


@case("licences: the report and sign-in activity fail as a whole page, also now and then; eligibility needs P2")
def _():
    t = tenant(users=30, groups=3, memberships=10, licence="P1")
    refused(t, "/roleManagement/directory/roleEligibilityScheduleInstances", 400, "AadPremiumLicenseRequired")
    t.get("/users?$select=id,signInActivity")
    t.set(licence="none")
    for path in ("/users?$select=id,signInActivity", "/reports/authenticationMethods/userRegistrationDetails"):
        refused(t, path, 403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant")
    t.set(licence=None, signin_failures=0.7)
    answers = [t.call("/users?$select=id,signInActivity&$top=1")[0] for _ in range(40)]
    assert 15 < answers.count(403) < 39, answers
    plans = [p["servicePlanId"] for p in t.get("/organization")["value"][0]["assignedPlans"]]
    assert "41781fb2-bc02-4b7c-bd55-b576c07bb09d" in plans


@case("hidden membership, service principals, unreadable members, expansions of twenty")
def _():
    objects = {"users": [{"userPrincipalName": "u%d@contoso.example" % i, "displayName": "U%d" % i} for i in range(30)],
               "groups": [{"id": "aaaaaaaa-0000-4000-8000-000000000001", "displayName": "Hidden", "visibility": "HiddenMembership", "groupTypes": ["Unified"],
                           "members": ["U0", "U1"], "owners": ["U2"]},
                          {"id": "aaaaaaaa-0000-4000-8000-000000000002", "displayName": "Mixed", "owners": ["App", "U1"],
                           "members": ["U%d" % i for i in range(25)] + ["App", "Laptop"]}],
               "servicePrincipals": [{"displayName": "App", "appId": "1"}], "devices": [{"displayName": "Laptop"}]}
    t = tenant(users=0, groups=0, memberships=0, objects=objects, roles=["GroupMember.Read.All", "User.Read.All"])
    hidden, mixed = "/groups/aaaaaaaa-0000-4000-8000-000000000001", "/groups/aaaaaaaa-0000-4000-8000-000000000002"
    assert t.get(hidden + "/members")["value"] == [] and len(t.get(hidden + "/owners")["value"]) == 1
    user = t.get("/users?$filter=displayName eq 'U0'")["value"][0]["id"]
    assert [g["displayName"] for g in t.get("/users/%s/memberOf" % user)["value"]] == ["Mixed"]
    t.app(roles=["GroupMember.Read.All", "User.Read.All", "Member.Read.Hidden"])
    assert len(t.get(hidden + "/members")["value"]) == 2
    assert len(t.get(mixed + "/members")["value"]) == 26
    value = t.get(mixed + "/members?$count=true", eventual=True)
    assert value["@odata.count"] == len(value["value"]) == 27
    unread = [m for m in value["value"] if m["@odata.type"] in ("#microsoft.graph.device", "#microsoft.graph.servicePrincipal")]
    assert len(unread) == 2 and all(m["id"] and m["displayName"] is None for m in unread), unread
    assert t.call(mixed + "/members/$count", eventual=True)[2] == "27" and t.call(mixed + "/members/$count")[0] == 400
    assert {o["@odata.type"] for o in t.get(mixed + "/owners")["value"]} == {"#microsoft.graph.user", "#microsoft.graph.servicePrincipal"}
    expanded = next(g for g in t.get("/groups?$expand=members")["value"] if g["displayName"] == "Mixed")
    assert len(expanded["members"]) == 20 and "members@odata.nextLink" not in expanded


# --- paging and queries ---------------------------------------------------------------------------------------------------------

@case("pages: limits, counts, tokens that expire, short and empty ones")
def _():
    t = plain()
    refused(t, "/users?$top=1000", 400, "Request_BadRequest")
    refused(t, "/users?$count=true", 400, "Request_BadRequest")
    refused(t, "/users?$orderby=createdDateTime desc", 400, "Request_UnsupportedQuery")
    refused(t, "/users?$select=id,foo", 400, "BadRequest")
    refused(t, "/users?$select=id,skills", 501, "NotImplemented")
    refused(t, "/users?$skip=10", 400, "Request_BadRequest")
    refused(t, "/users/00000000-0000-4000-8000-000000000000", 404, "Request_ResourceNotFound")
    assert len(t.get("/users")["value"]) == 100 and set(t.get("/users?$top=1")["value"][0]) == set(
        "businessPhones displayName givenName jobTitle mail mobilePhone officeLocation preferredLanguage surname userPrincipalName id".split())
    rows, pages, last = t.all("/users?$select=id&$top=150&$count=true&$orderby=createdDateTime desc", eventual=True)
    assert (len(rows), len({r["id"] for r in rows}), pages, last["@odata.count"]) == (400, 400, 3, 400)
    link = t.get("/users?$count=true&$top=5", eventual=True)["@odata.nextLink"]
    assert t.call(link)[0] == 400 and t.call(link, eventual=True)[0] == 200  # the header again
    ids = [r["id"] for r in rows]
    assert {r["id"] for r in t.get("/users?$select=id&$filter=id in ('%s')" % "','".join(ids[:15]))["value"]} == set(ids[:15])
    refused(t, "/users?$filter=id in ('%s')" % "','".join(ids[:16]), 400, "Request_UnsupportedQuery")
    guests = t.all("/users?$filter=userType eq 'Guest'&$select=id,userType")[0]
    assert guests and all(g["userType"] == "Guest" for g in guests)
    upn = t.object(ids[3], "userPrincipalName")["userPrincipalName"]
    assert t.get("/users/" + upn)["id"] == ids[3]
    u = tenant(users=500, groups=1, memberships=1, knobs={"short_pages": 0.3, "empty_pages": 0.4})
    rows, pages, _ = u.all("/users?$top=20&$select=id")
    assert len({r["id"] for r in rows}) == len(rows) == 500 and pages > 35, (len(rows), pages)
    u.set(short_pages=0, empty_pages=0, page_token_ms=60000)
    link = u.get("/users?$top=100")["@odata.nextLink"]
    assert u.call(link)[0] == 200
    u.set(page_token_ms=50)
    time.sleep(0.1)
    refused(u, link, 400, "Directory_ExpiredPageToken")
    u.set(page_token_ms=0)
    assert len(u.get("/users?$top=999&$select=id,signInActivity")["value"]) == 500
    u.set(signin_cap="120-silent")
    assert len(u.get("/users?$top=999&$select=id,signInActivity")["value"]) == 120
    u.set(signin_cap="120-error")
    refused(u, "/users?$top=999&$select=id,signInActivity", 400, "UnknownError")


@case("the list of groups' members and owners, of roles, units, MFA and sign-ins is the oracle's")
def _():
    t = plain()
    o = t.oracle()
    assert sum(len(g["members"]) for g in o["groups"].values()) == 4000
    def edges(g):
        path = "/groups/%s/%s?$select=id&$count=true&$top=999"
        return {r: sorted(m["id"] for m in t.all(path % (g, r), eventual=True)[0]) for r in ("members", "owners")}
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for g, found in zip(o["groups"], pool.map(edges, o["groups"])):
            assert found == {r: o["groups"][g][r] for r in found}, g
    held = {}
    for g, v in o["groups"].items():
        for m in v["members"]:
            held.setdefault(m, set()).add(g)
    for n in range(0, 400, 37):
        u = t.id("user", n)
        got = {m["id"] for m in t.all("/users/%s/memberOf?$select=id" % u)[0] if m["@odata.type"] == "#microsoft.graph.group"}
        assert got == held.get(u, set()), u
    roles = t.all("/roleManagement/directory/roleAssignments?$top=7")[0]
    assert sorted((a["principalId"], a["roleDefinitionId"], a["directoryScopeId"]) for a in roles) == sorted(
        (a["principalId"], a["roleDefinitionId"], a["directoryScopeId"]) for a in o["roleAssignments"])
    scopes = {a["directoryScopeId"] == "/" for a in roles}
    assert scopes == {True, False} and len(t.all("/roleManagement/directory/roleDefinitions")[0]) >= 60
    report = {d["id"]: d["isMfaRegistered"] for d in t.all("/reports/authenticationMethods/userRegistrationDetails?$top=999")[0]}
    assert {k: v for k, v in o["mfa"].items() if v is not None} == report and None in o["mfa"].values()
    for unit in o["administrativeUnits"]:
        found = t.all("/directory/administrativeUnits/%s/members?$select=id" % unit)[0]
        assert sorted(m["id"] for m in found) == o["administrativeUnits"][unit]["members"]
    methods = {m["@odata.type"] for n in range(200) for m in t.get("/users/%s/authentication/methods" % t.id("user", n))["value"]}
    assert len(methods) == 11, methods
    signins = [u.get("signInActivity") for u in t.all("/users?$select=id,signInActivity&$top=500")[0]]
    never = {"absent" if s is None else str(s["lastSignInDateTime"])[:4] for s in signins}
    assert {"absent", "None", "0001", "2026"} <= never, never
    assert any(s and s.get("lastSuccessfulSignInDateTime") == "" for s in signins)


@case("stated objects are answered exactly; ids and everything else follow from the seed")
def _():
    objects = {"users": [{"id": "11111111-2222-4333-8444-555555555555", "displayName": 'Comma, "Quote"\n=1+1 🦊',
                          "userPrincipalName": "ada@contoso.example",
                          "mail": "ada@contoso.example", "accountEnabled": True, "manager": "bob@contoso.example", "methods": ["password", "fido2"]},
                         {"userPrincipalName": "bob@contoso.example", "displayName": "Bob", "accountEnabled": False}],
               "groups": [{"displayName": "G", "members": ["ada@contoso.example", "user:1"], "owners": ["Bob"]}],
               "roleAssignments": [{"principal": "Bob", "role": "Global Reader"}]}
    t = tenant(users=5, groups=0, memberships=0, role_assignments=0, objects=objects)
    status, _, refusal = t.call("/users/ada@contoso.example?$select=signInActivity")
    assert status == 400 and "valid Guid" in refusal["error"]["message"], refusal
    ada = t.get("/users/11111111-2222-4333-8444-555555555555?$select=id,displayName,mail,department,proxyAddresses,signInActivity"
                "&$expand=manager($select=id)")
    assert ada["displayName"] == 'Comma, "Quote"\n=1+1 🦊' and ada["department"] is None, ada
    assert ada["proxyAddresses"] == [] and "signInActivity" not in ada, ada
    o = t.oracle()
    group = next(iter(o["groups"].values()))
    assert group["members"] == sorted([ada["id"], t.id("user", 1)]) and group["owners"] == [ada["manager"]["id"]], o
    assert o["mfa"][ada["id"]] is True and o["mfa"][ada["manager"]["id"]] is None
    assert [(a["principalId"], a["roleDefinitionId"]) for a in o["roleAssignments"]] == [(ada["manager"]["id"], "f2ef992c-3afb-46b9-b7cf-a126ee74c451")]
    same, other = tenant(users=50, groups=5, memberships=30), tenant(users=50, groups=5, memberships=30, seed=2)
    assert same.oracle() == tenant(users=50, groups=5, memberships=30).oracle() != other.oracle()
    assert same.advance(50) == tenant(users=50, groups=5, memberships=30).advance(50)


# --- delta ------------------------------------------------------------------------------------------------------------------------

def follow(t, link, state, links=()):
    """One round of delta merged into state {id: {property: value, link: set of ids}}; returns the deltaLink and the number of pages."""
    pages = 0
    while True:
        value = t.get(link)
        pages += 1
        for item in value["value"]:
            if "@removed" in item:
                assert item["@removed"]["reason"] in ("changed", "deleted")
                state.pop(item["id"], None)
                continue
            entry = state.setdefault(item["id"], {name: set() for name in links})
            for name, v in item.items():
                if name.endswith("@delta"):
                    for m in v:
                        (entry[name[:-6]].discard if "@removed" in m else entry[name[:-6]].add)(m["id"])
                else:
                    entry[name] = v
        if "@odata.nextLink" not in value:
            return value["@odata.deltaLink"], pages
        link = value["@odata.nextLink"]


@case("delta: merged rounds are the oracle's state, with repeats, replays, disorder, split groups and empty pages")
def _():
    t = tenant(users=300, groups=40, memberships=3000,
               knobs=dict(delta_page=37, delta_members=100, delta_repeat=0.2, delta_reorder=True, delta_replay=5, empty_pages=0.1))
    fields = ("displayName", "accountEnabled", "jobTitle", "department")
    users, groups, roles, devices = {}, {}, {}, {}
    at = {}
    def turn():
        pages = 0
        for path, state, links in (("/users/delta?$select=id," + ",".join(fields), users, ()),
                                   ("/groups/delta?$select=id,displayName,members,owners", groups, ("members", "owners")),
                                   ("/directoryRoles/delta?$select=id,members", roles, ("members",)), ("/devices/delta?$select=id,accountEnabled", devices, ())):
            at[path], n = follow(t, at.get(path, path), state, links)
            pages += n
        return pages
    assert turn() > 40
    reasons = set()
    for _ in range(6):
        reasons |= {c["change"] for c in t.advance(120)}
        assert turn() < 20
        o = t.oracle()
        assert {u: {f: v[f] for f in fields} for u, v in users.items()} == {u: {f: v[f] for f in fields} for u, v in o["users"].items()}
        assert {d: v["accountEnabled"] for d, v in devices.items()} == {d: v["accountEnabled"] for d, v in o["devices"].items()}
        assert set(groups) == set(o["groups"])
        live = set().union(*(o[kind] for kind in ("users", "groups", "devices", "servicePrincipals", "contacts")))
        for g, v in groups.items():
            assert v["displayName"] == o["groups"][g]["displayName"]
            for name in ("members", "owners"):  # deleted users keep their memberships, which nobody reports
                assert sorted(v[name] & live) == o["groups"][g][name], (g, name)
        held = {m for v in roles.values() for m in v["members"]} & live
        assert held == {a["principalId"] for a in o["roleAssignments"] if a["directoryScopeId"] == "/"}
    assert {"restore", "purge", "delete", "owner_remove", "unassign"} <= reasons, reasons


@case("delta: both reasons, latest, minimal, ids, tokens that are too old")
def _():
    t = tenant(users=20, groups=4, memberships=30)
    link = t.get("/users/delta?$deltatoken=latest&$select=id,displayName")["@odata.deltaLink"]
    assert t.get(link)["value"] == []
    soft, hard, changed = (t.id("user", n) for n in (1, 2, 3))
    t.apply("delete", id=soft), t.apply("purge", id=hard), t.apply("update", id=changed, properties={"displayName": "New"})
    t.apply("mfa", id=t.id("user", 4), methods=["password"]), t.apply("sign_in", id=t.id("user", 5))
    rows = {r["id"]: r for r in t.get(link)["value"]}
    removed = {soft: "changed", hard: "deleted"}
    assert rows == dict({k: {"id": k, "@removed": {"reason": r}} for k, r in removed.items()}, **{changed: {"id": changed, "displayName": "New"}})
    t.apply("update", id=changed, properties={"jobTitle": "Other"})
    wide = link.replace(link[link.index("$"):], "$deltatoken=latest&$select=id,displayName,jobTitle")
    wide = t.get(wide)["@odata.deltaLink"]
    t.apply("update", id=changed, properties={"jobTitle": "Third"})
    assert t.get(wide)["value"] == [{"id": changed, "displayName": "New", "jobTitle": "Third"}]
    assert t.get(wide, Prefer="return=minimal")["value"] == [{"id": changed, "jobTitle": "Third"}]
    assert [u["id"] for u in t.get("/directory/deletedItems/microsoft.graph.user?$select=id")["value"]] == [soft]
    assert len(t.get("/users/delta?$filter=id eq '%s' or id eq '%s'" % (changed, t.id("user", 6)))["value"]) == 2
    refused(t, "/users/delta?$select=id,signInActivity", 400, "BadRequest")
    t.set(delta_lag_ms=100000)
    t.apply("restore", id=soft)
    assert soft not in {r["id"] for r in t.get(link)["value"]}
    t.set(delta_lag_ms=0)
    assert soft in {r["id"] for r in t.get(link)["value"] if "@removed" not in r}
    t.expire("delta")
    status, headers, _ = t.call(link)
    assert status == 410 and len(t.get(headers["location"])["value"]) == 19
    for mode, code in (("400-resync", "resyncRequired"), ("400-syncstate", "syncStateNotFound")):
        t.set(delta_expired=mode)
        refused(t, link, 400, code)


# --- limits and faults ---------------------------------------------------------------------------------------------------------------

@case("units are counted as published; a throttled client is told when to come back, in four ways; parts of a batch one by one")
def _():
    t = tenant(users=60, groups=10, memberships=100)
    g = t.id("group", 0)
    for path, units in (("/users", 2), ("/users?$select=id", 1), ("/users?$top=10", 1), ("/users?$expand=manager", 3), ("/groups/%s/members" % g, 3),
                        ("/groups/%s/members?$select=id&$top=999" % g, 2), ("/groups/%s/transitiveMembers" % g, 5), ("/groups", 1), ("/groups?$select=id", 1)):
        assert t.call(path)[1]["x-ms-resource-unit"] == str(units), path
    t.set(throttle=True, directory_units=20, directory_window_ms=10000)
    t.reset_counters()
    answers = [t.call("/users") for _ in range(30)]
    late = [a for a in answers if a[0] == 429]
    assert late and late[0][1]["retry-after"] == "1" and late[0][2]["error"]["code"] == "TooManyRequests", answers[-1]
    assert any(float(a[1].get("x-ms-throttle-limit-percentage", 0)) > 0.8 for a in answers)
    assert t.counters()["throttled"] == len(late)
    for form, wanted in (("fraction", r"\d\.\d{3}"), ("date", r"\w{3}, .* GMT")):
        t.set(retry_after=form)
        value = next(a for a in (t.call("/users") for _ in range(40)) if a[0] == 429)[1]["retry-after"]
        assert re.fullmatch(wanted, value), value
        assert form != "date" or -1 <= email.utils.parsedate_to_datetime(value).timestamp() - time.time() < 4
    t.set(retry_after="absent")
    assert "retry-after" not in next(a for a in (t.call("/users") for _ in range(40)) if a[0] == 429)[1]
    t.set(reports_requests=2, reports_window_ms=60000, directory_units=8000)
    report = [t.call("/reports/authenticationMethods/userRegistrationDetails") for _ in range(3)]
    assert [r[0] for r in report] == [200, 200, 429] and report[2][2]["error"]["code"] == "UnknownError"
    t.set(directory_units=6, directory_window_ms=600000, retry_after="integer")
    time.sleep(0.1)
    t.reset_counters()
    requests = [{"id": str(i), "method": "GET", "url": "/users?$select=id&$top=1"} for i in range(20)]
    status, _, body = t.call("/$batch", "POST", {"requests": requests})
    inner = sorted(r["status"] for r in body["responses"])
    assert status == 200 and len(inner) == 20 and inner[0] == 200 and inner[-1] == 429, inner
    assert all(int(r["headers"]["Retry-After"]) > 0 for r in body["responses"] if r["status"] == 429) and t.counters()["batch_parts"] == 20
    t.set(throttle=False)
    assert t.call("/$batch", "POST", {"requests": requests + [{"id": "x", "method": "GET", "url": "/users"}]})[0] == 400
    depends = [{"id": "a", "method": "GET", "url": "/users/nobody"}, {"id": "b", "method": "GET", "url": "/groups", "dependsOn": ["a"]}]
    assert {r["id"]: r["status"] for r in t.call("/$batch", "POST", {"requests": depends})[2]["responses"]} == {"a": 404, "b": 424}


def outcome(t, path="/users?$top=50", **headers):
    try:
        status, got, raw = t.request("GET", t.graph + "/v1.0" + path, Authorization="Bearer " + t.token(), **headers)
    except Exception as e:
        return type(e).__name__, {}, b""
    return status, got, raw


@case("faults: each on demand, as often as asked")
def _():
    t = tenant(users=60, groups=10, memberships=100)
    t.token()
    broken = ("RemoteDisconnected", "ConnectionResetError", "IncompleteRead", "SSLEOFError")
    for kind in ("reset_before", "reset_body", "truncate"):
        t.fault(kind, count=1)
        assert outcome(t)[0] in broken and outcome(t)[0] == 200, kind
    t.fault("status", status=503, retry_after=0.25, match="/users", count=2, skip=1)
    assert [outcome(t)[0] for _ in range(4)] == [200, 503, 503, 200] and outcome(t, "/groups")[0] == 200
    t.fault("401", text="b", count=1)
    assert b"Lifetime validation failed" in outcome(t)[2]
    t.fault("redirect", location=t.foreign_url + "/v1.0/users")
    assert outcome(t)[:1] == (302,) and t.foreign() == []
    t.request("GET", t.foreign_url + "/v1.0/users", Authorization="Bearer leaked")
    assert {"connection": True} in t.foreign() and {"method": "GET", "url": "/v1.0/users", "authorization": True} in t.foreign()

    def body(kind, **rule):
        t.fault(kind, **rule)
        return outcome(t)[2]
    for kind in ("malformed", "cut", "html", "empty"):
        try:
            json.loads(body(kind))
            raise AssertionError(kind)
        except ValueError:
            pass
    assert json.loads(body("wrong_types", property="displayName"))["value"][0]["displayName"] == 42
    assert json.loads(body("wrong_types"))["value"] == "not a list"
    assert body("duplicate_keys").count(b'"displayName":') == 100
    try:
        body("invalid_utf8").decode()
        raise AssertionError("valid")
    except UnicodeDecodeError:
        pass
    link = json.loads(body("next_link", text="http://evil.example/?$skiptoken=1"))
    assert link["@odata.nextLink"] == "http://evil.example/?$skiptoken=1"
    assert json.loads(body("loop"))["@odata.nextLink"] == t.graph + "/v1.0/users?$top=50"
    seen = {json.loads(body("endless", empty=True))["@odata.nextLink"] for _ in range(3)}
    assert len(seen) == 3
    assert "@odata.nextLink" not in json.loads(body("no_next")) and len(json.loads(body("drop_rows", rows=3))["value"]) == 47
    assert json.loads(body("wrong_count", value=999))["@odata.count"] == 999
    t.fault("gzip_bomb", bytes=64 << 20)
    status, headers, raw = outcome(t, Accept_Encoding="gzip")
    assert headers["content-encoding"] == "gzip" and len(raw) < 1 << 20
    t.fault("slow", ms=300)
    began = time.monotonic()
    assert outcome(t)[0] == 200 and time.monotonic() - began > 0.29
    t.set(faults=[{"kind": "status", "status": 429, "match": "/users", "retry_after": 7, "in_batch": True, "count": 1}])
    assert t.call("/$batch", "POST", {"requests": [{"id": "1", "method": "GET", "url": "/users"}]})[2]["responses"][0]["status"] == 429
    t.set(faults=[], pieces=5, header_case="upper", gzip=False, escape_unicode=True)
    raw = outcome(t)[2]
    assert raw.isascii() and json.loads(raw)["value"]
    assert t.errors() == "", t.errors()


@case("HTTP/2 and HTTP/1.1, latency without queueing, compression, a log without secrets")
def _():
    t = tenant(users=1000, groups=10, memberships=100, knobs={"latency_ms": 200})
    port = t.graph.rsplit(":", 1)[1]
    for offered, chosen in (("h2,http/1.1", "h2"), ("http/1.1", "http/1.1")):
        out = subprocess.run(["openssl", "s_client", "-connect", "127.0.0.1:" + port, "-servername", "localhost", "-CAfile", t.ca, "-alpn", offered,
                              "-verify_return_error"], input="", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=20).stdout
        assert "ALPN protocol: " + chosen in out, out
    t.token()
    t.set(latency_ms=1000)
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert set(pool.map(lambda _: t.call("/users?$top=5")[0], range(32))) == {200}
    assert time.monotonic() - began < 32 * 1.0 and 8 <= t.counters()["max_in_flight"] <= 16, t.counters()
    t.set(latency_ms=0)
    status, headers, raw = t.request("GET", t.graph + "/v1.0/users?$top=999", Authorization="Bearer " + t.token(), Accept_Encoding="gzip")
    assert headers["content-encoding"] == "gzip" and headers["transfer-encoding"] == "chunked"
    text = json.dumps(t.log(service=None))
    assert t.token() not in text and t.secret not in text and "ConsistencyLevel" not in text
    t.call("/users", eventual=True, **{"x-ms-throttle-priority": "low"})
    last = t.log()[-1]
    assert last["headers"]["consistencylevel"] == "eventual" and last["headers"]["x-ms-throttle-priority"] == "low", last
    assert last["authorization"] is True and last["template"] == "/users"


@case("the same over HTTP/2: broken connections, streams and bodies")
def _():
    t = tenant(users=1000, groups=10, memberships=100, knobs={"gzip": False})
    kinds = ["reset_before", "reset_body", "truncate", "stall", "stall_before"]
    t.set(faults=[{"kind": k, "match": r"^/v1.0/users\?\$top=%d$" % (990 + i)} for i, k in enumerate(kinds)])
    out = client(t, "http2.mjs", t.token(), "/users?$top=999", *("/users?$top=%d" % (990 + i) for i in range(len(kinds))))
    assert out[0]["status"] == 200 and "error" not in out[0], out
    whole = out[0]["bytes"]
    for kind, answer in zip(kinds, out[1:]):
        assert "error" in answer and answer["bytes"] < whole * 0.9, (kind, answer)
        assert ("status" in answer) == (kind in ("reset_body", "truncate", "stall")), (kind, answer)
    assert [answer["error"] for answer in out[4:]] == ["timeout"] * 2, out
    entries = t.log()
    assert {e["protocol"] for e in entries} == {"h2"} and t.errors() == ""


@case("a list that changes while it is read loses nobody who stays")
def _():
    t = tenant(users=300, groups=1, memberships=200)
    g = t.id("group", 0)
    before = t.oracle("groups")["groups"][g]["members"]
    value = t.get("/groups/%s/members?$select=id&$top=50" % g)
    seen = [m["id"] for m in value["value"]]
    for gone in seen[:20]:
        t.apply("member_remove", group=g, member=gone)
    t.apply("delete", id=seen[30])
    rest = [m["id"] for m in t.all(value["@odata.nextLink"])[0]]
    assert sorted(seen + rest) == before
    assert t.get("/groups/%s/members?$count=true&$top=1" % g, eventual=True)["@odata.count"] == len(t.oracle("groups")["groups"][g]["members"]) == 179
    assert t.totals()["users"] == 299


def cpu(t):
    with open("/proc/%d/stat" % t.process.pid) as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@case("a million users: up at once, small, a page in milliseconds")
def _():
    began = time.monotonic()
    t = tenant(users=1000000, groups=50000, memberships=2000000)
    up = time.monotonic() - began
    link = "/users?$top=999&$select=id,displayName,mail,userPrincipalName,accountEnabled,department,createdDateTime,onPremisesSecurityIdentifier"
    before, pages = cpu(t), 0
    while pages < 60:
        value = t.get(link)
        link, pages = value["@odata.nextLink"], pages + 1
    each = (cpu(t) - before) / pages * 1000
    assert t.call("/users/$count", eventual=True)[2] == "1000000"
    found = t.get("/users/" + t.id("user", 987654))
    assert found["id"] == t.id("user", 987654)
    with open("/proc/%d/status" % t.process.pid) as f:
        rss = int(re.search(r"VmHWM:\s+(\d+)", f.read()).group(1)) / 1024
    print("# up in %.1f s, %.1f ms of CPU a page, %d MiB" % (up, each, rss))
    assert up < 40 and each < 40 and rss < 300, (up, each, rss)


main()
