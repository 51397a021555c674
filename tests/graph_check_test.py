#!/usr/bin/python3
"""graph_check_test.py - `rollcall check` of Entra ID against a simulated tenant with one thing wrong: the right step says so, with the right
exit code, and its words name the cause and the fix. A credential is seen nowhere.

A row of a table is (what is wrong, how it is set up, step, exit code, what the evidence says, what the fix says).
"""
# budget: 120 120
import contextlib
import datetime
import json
import os
import re
import socket
import subprocess

from harness import case, main, rollcall, scratch, write
from tenant import CLIENT_ID, SECRET, Tenant

tenant = Tenant(users=60, groups=10, memberships=200)
ALL = ["User.Read.All", "GroupMember.Read.All", "Member.Read.Hidden", "RoleManagement.Read.Directory", "AuditLog.Read.All", "Device.Read.All",
       "Application.Read.All", "AdministrativeUnit.Read.All", "Organization.Read.All", "Domain.Read.All", "OrgContact.Read.All"]
STEPS = ["settings", "credential", "login", "graph", "token", "clock", "permissions", "organization", "licences", "sample", "delta", "reports", "expiry"]


def check(env=None, extra_secrets=(), of=tenant, **keys):
    """(exit code, steps by name)."""
    config = of.config(scratch(), **keys)
    r = rollcall("check", "cloud", "-o", "json", config=config, env=env, code=None, timeout=60)
    assert r.out, r
    report = r.json()
    steps = {s["name"]: s for s in report["steps"]}
    assert list(steps) == STEPS, list(steps)
    assert report["ok"] == (not any(s["verdict"] == "fail" for s in steps.values())) == (r.code == 0), report
    for hidden in (SECRET, *extra_secrets):
        assert hidden not in r.out + r.err, "a credential was shown"
    return r.code, steps


def verify(got, step, code, evidence, fix, verdict=None):
    exit_code, steps = got
    s = steps[step]
    shown = json.dumps(s, indent=1)
    assert s["verdict"] == (verdict or ("fail" if code else "warn")), shown
    assert exit_code == code, "exit %d: %s" % (exit_code, shown)
    assert re.search(evidence, s["evidence"]), shown
    assert re.search(fix, s.get("fix", "")), shown
    if s["verdict"] == "fail":
        failed = [n for n, x in steps.items() if x["verdict"] == "fail"]
        assert failed == [step], "more than the one step fails: %s" % failed
    return steps


def table(rows, one):
    bad = []
    for row in rows:
        try:
            one(*row)
        except Exception as e:  # each row is told
            bad.append("%s: %s" % (row[0], e))
    assert not bad, "\n".join(bad)


@contextlib.contextmanager
def app(**keys):
    """The application as it is not usually."""
    tenant.app(**keys)
    try:
        yield
    finally:
        tenant.app(roles=ALL, secrets=[SECRET, {"value": "old-secret", "expired": True}], certificates=[], federated=[])
        tenant.set(faults=[], licence=None)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@case("all is well")
def _():
    with app(roles=ALL):
        code, steps = check()
    assert code == 0
    assert {s["verdict"] for s in steps.values()} == {"ok"}, [s for s in steps.values() if s["verdict"] != "ok"]
    assert "users: 60" in steps["sample"]["evidence"] and "groups: 10" in steps["sample"]["evidence"], steps["sample"]
    assert "P1: yes, P2: yes" in steps["licences"]["evidence"]
    assert "default domain contoso.example" in steps["organization"]["evidence"]
    assert "App registrations" in steps["expiry"]["evidence"]
    assert steps["token"]["detail"]["application"] == CLIENT_ID


@case("the five permissions of the least set let users, groups, roles and sign-ins be read")
def _():
    with app(roles=ALL[:5]):
        code, steps = check(kinds="user,group,role")
    assert code == 0 and steps["permissions"]["verdict"] == "ok", steps["permissions"]
    assert steps["sample"]["verdict"] == "ok" and steps["reports"]["verdict"] == "ok", steps


SECRET_ID = "0f8fad5b-d9cb-469f-a165-70867728950e"
REFUSALS = [
    ("wrong secret", {"env": {"S": "wrong-Secret~1"}, "client_secret": "env:S"}, 4, r"localhost refused the sign-in: the client secret is wrong \(AADSTS7000215\)",
     "Value"),
    ("expired secret", {"env": {"S": "old-secret"}, "client_secret": "env:S"}, 4, r"the client secret has expired \(AADSTS7000222\)", "make a new client secret"),
    ("unknown application", {"client_id": SECRET_ID}, 4, r"no application with this client id \(AADSTS700016\)", "client_id and tenant_id"),
    ("unknown tenant", {"tenant_id": SECRET_ID}, 4, r"there is no such tenant \(AADSTS90002\)", "national cloud"),
    ("unknown domain", {"tenant_id": "nobody.example"}, 4, r"there is no such tenant \(AADSTS90002\)", "national cloud"),
]


@case("refused sign-ins in words")
def _():
    def one(_, keys, code, evidence, fix):
        keys = dict(keys)
        with app(roles=ALL):
            steps = verify(check(env=keys.pop("env", None), extra_secrets=["wrong-Secret~1", "old-secret"], **keys), "token", code, evidence, fix)
        assert all(steps[s]["verdict"] == "skip" for s in STEPS[5:]), "steps behind the token were tried"
    table(REFUSALS, one)


@case("a secret's ID is called out before and after it was sent")
def _():
    with app(roles=ALL):
        code, steps = check(env={"S": SECRET_ID}, client_secret="env:S", extra_secrets=[SECRET_ID])
    assert code == 4 and steps["credential"]["verdict"] == "warn", steps["credential"]
    assert "it is a GUID" in steps["credential"]["evidence"] and "Secret ID" in steps["credential"]["fix"]
    assert "which is the Secret ID" in steps["token"]["fix"], steps["token"]


@case("codes on demand: Conditional Access, a cloud that differs, one that nobody knows")
def _():
    rows = [("conditional access", 53003, "Conditional Access policy blocks it", "this machine's address"),
            ("other cloud", 500011, "does not know this Microsoft Graph", "same cloud as login_url"),
            ("unknown", 4711, r'"An error occurred." \(AADSTS4711, trace [0-9a-f-]+, correlation [0-9a-f-]+\)', "sign-in logs")]

    def one(_, code, evidence, fix):
        with app(roles=ALL):
            tenant.fault("aadsts", code=code, where="login")
            verify(check(), "token", 4, evidence, fix)
    table(rows, one)


@case("a login service that stumbles is asked again")
def _():
    with app(roles=ALL):
        tenant.fault("aadsts", code=90033, where="login", count=2)
        code, steps = check()
    assert code == 0 and steps["token"]["verdict"] == "ok", steps["token"]


@case("hosts: nobody there, another name, a certificate of a stranger")
def _():
    port = free_port()
    other = Tenant(users=5, groups=1, memberships=1)
    rows = [("login refused", {"login_url": "https://localhost:%d" % port}, "login", 6, "localhost", "nothing listens on this port"),
            ("login has no name", {"login_url": "https://login.rollcall.invalid"}, "login", 3, "login.rollcall.invalid", "."),
            ("login of a stranger", {"ca_certificate": other.ca}, "login", 6, "certificate", "."),
            ("graph refused", {"graph_url": "https://localhost:%d" % port}, "graph", 6, "localhost", ".")]

    def one(name, keys, step, code, evidence, fix):
        with app(roles=ALL):
            got, steps = check(**keys)
        s = steps[step]
        assert s["verdict"] == "fail" and got == code, (got, s)
        assert re.search(evidence, s["evidence"]) and re.search(fix, s.get("fix", "")), s
        if step == "login":
            assert steps["token"]["verdict"] == "skip", steps["token"]
    table(rows, one)
    other.stop()


@case("a missing permission greys its feature and names itself")
def _():
    features = {"User.Read.All": "users", "GroupMember.Read.All": "groups", "Member.Read.Hidden": "members of groups with hidden membership",
                "RoleManagement.Read.Directory": "roles", "AuditLog.Read.All": "sign-in activity", "Device.Read.All": "devices",
                "Application.Read.All": "service principals", "AdministrativeUnit.Read.All": "administrative units",
                "OrgContact.Read.All": "contacts", "Domain.Read.All": "federated domains", "Organization.Read.All": "the organization"}

    def one(permission, feature):
        with app(roles=[r for r in ALL if r != permission]):
            steps = verify(check(), "permissions", 0, "without %s: %s" % (feature, re.escape(permission)), re.escape(permission))
        missing = {m["permission"].split(" ")[0] for m in steps["permissions"]["detail"]["missing"]}
        assert missing == {permission}, missing
    table(features.items(), one)


@case("no permission at all: nothing can be read, exit 4")
def _():
    with app(roles=[]):
        code, steps = check()
    assert code == 4, code
    assert "0 application permissions" in steps["permissions"]["evidence"] and "admin consent" in steps["permissions"]["fix"], steps["permissions"]
    assert steps["sample"]["verdict"] == "fail" and steps["sample"]["class"] == "DENIED", steps["sample"]
    assert [n for n, s in steps.items() if s["verdict"] == "fail"] == ["sample"]


@case("permissions that may write are called out")
def _():
    with app(roles=ALL + ["Directory.ReadWrite.All", "Directory.AccessAsUser.All", "Mail.Send"]):
        verify(check(), "permissions", 0, "more than is needed: Directory.ReadWrite.All, Directory.AccessAsUser.All, Mail.Send", "take Directory.ReadWrite.All")


@case("without a licence the reports say so, and nothing fails")
def _():
    free = Tenant(users=20, groups=3, memberships=10, licence="none")
    steps = verify(check(of=free), "reports", 0, "sign-in activity: left out, since the tenant has no Entra ID P1 or P2 licence", "sign_in_activity: off")
    assert "P1: no, P2: no" in steps["licences"]["evidence"] and steps["licences"]["verdict"] == "ok", steps["licences"]
    free.stop()


@case("a licence that the service does not see now and then, and one that it never sees")
def _():
    with app(roles=ALL):
        tenant.set(signin_failures=1, report_failures=1)
        try:
            verify(check(), "reports", 0, "sign-in activity: the tenant has no Entra ID P1 or P2 licence, or is a B2C tenant .HTTP 403", "Directory.Read.All")
        finally:
            tenant.set(signin_failures=0, report_failures=0)


@case("certificates: one that is known, one that ends soon, one that is not known, one without its key")
def _():
    with app(roles=ALL):
        good = tenant.certificate("good", days=90)
        code, steps = check(client_secret=None, client_certificate=good)
        assert code == 0 and steps["credential"]["verdict"] == "ok" and "the certificate is valid until" in steps["expiry"]["evidence"], steps
        steps = verify(check(client_secret=None, client_certificate=tenant.certificate("soon", days=10)), "credential", 0, "is valid until", "within 9 days: make a new")
        assert steps["expiry"]["verdict"] == "warn"
        verify(check(client_secret=None, client_certificate=tenant.certificate("strange", register=False)), "token", 4, "AADSTS700027", "upload the certificate")
        verify(check(client_secret=None, client_certificate=os.path.join(tenant.dir, "good.crt")), "credential", 2, "holds no private key", "cat cert.pem key.pem")
        os.chmod(good, 0o644)
        verify(check(client_secret=None, client_certificate=good), "credential", 2, "others may read", "chmod 600")


@case("the end of our client secret, told from the others by its hint, where the application may be read")
def _():
    def ends(days):
        return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days, hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")

    ours, other = SECRET[:3], "zzz"
    rows = [("far", [(ours, 300), (other, 2)], "ok", "2 client secrets of the application; ours is valid until ", ""),
            ("soon", [(other, 300), (ours, 12)], "warn", "ours is valid until ", "within 12 days: make a new client secret"),
            ("renewed", [(ours, 3), (ours, 200)], "ok", "ours is valid until ", ""),
            ("not ours", [(other, 3)], "ok", "1 client secrets? of the application, of which none is known as ours", ""),
            ("none", [], "ok", "registered in another tenant", "")]

    def one(_, secrets, verdict, evidence, fix):
        body = {"value": secrets and [{"id": CLIENT_ID, "passwordCredentials": [{"hint": h, "endDateTime": ends(d), "secretText": None} for h, d in secrets]}]}
        with app(roles=ALL):
            tenant.set(faults=[{"kind": "status", "status": 200, "match": "^/v1.0/applications", "body": body}])
            verify(check(), "expiry", 0, evidence, fix, verdict)
    table(rows, one)


@case("an encrypted PKCS#12 file")
def _():
    with app(roles=ALL):
        tenant.certificate("packed", days=60)
        base = os.path.join(tenant.dir, "packed")
        subprocess.run(["openssl", "pkcs12", "-export", "-in", base + ".crt", "-inkey", base + ".key", "-out", base + ".pfx", "-passout", "pass:S3cret phrase"],
                       check=True)
        os.chmod(base + ".pfx", 0o600)
        keys = {"client_secret": None, "client_certificate": base + ".pfx", "client_certificate_password": "env:P"}
        code, steps = check(env={"P": "S3cret phrase"}, extra_secrets=["S3cret phrase"], **keys)
        assert code == 0 and "passphrase from environment variable P" in steps["credential"]["evidence"], steps["credential"]
        verify(check(env={"P": "other"}, **keys), "credential", 2, "the passphrase of the private key is wrong", "client_certificate_password")


@case("federated tokens: one that fits, one of another subject, a file that holds none")
def _():
    with app(roles=ALL):
        token = tenant.federated()
        code, steps = check(client_secret=None, federated_token_file=token)
        assert code == 0 and "read anew each time" in steps["credential"]["evidence"], steps["credential"]
        wrong = tenant.federated(subject="system:serviceaccount:default:other", register=False)
        verify(check(client_secret=None, federated_token_file=wrong), "token", 4, "AADSTS70021", "upper and lower case")
        verify(check(client_secret=None, federated_token_file=write(os.path.join(tenant.dir, "none"), "hello")), "token", 2, "holds no token", "AZURE_FEDERATED_TOKEN_FILE")
        verify(check(client_secret=None, federated_token_file=os.path.join(tenant.dir, "missing")), "token", 3, "missing", "")


@case("a machine's managed identity")
def _():
    keys = {"client_secret": None, "client_id": None, "managed_identity": True, "identity_url": tenant.imds}
    code, steps = check(**keys)
    assert code == 0 and steps["login"]["verdict"] == "skip" and steps["token"]["verdict"] == "ok", steps
    verify(check(**dict(keys, client_id=SECRET_ID)), "token", 4, "127.0.0.1 refused the sign-in", "user-assigned|managed identity")


@case("a secret that cannot be resolved")
def _():
    verify(check(client_secret="env:NOT_SET_ANYWHERE"), "credential", 2, "NOT_SET_ANYWHERE", "reference")


@case("a Graph that is broken fails the step, not the rest")
def _():
    rows = [("no delta", {"match": "/users/delta", "status": 400, "code": "Request_UnsupportedQuery", "message": "Unsupported Query."}, "delta", "warn", 0,
             "does not support this query"),
            ("bad request", {"match": "/users/delta", "status": 400}, "delta", "fail", 1, "does not accept the request: .Bad request"),
            ("groups denied", {"match": "/groups", "status": 403}, "sample", "warn", 0, "groups: not permitted without GroupMember.Read.All"),
            ("page of a proxy", {"match": "/organization", "status": 403, "body": "<html>blocked</html>"}, "organization", "fail", 1, "somebody else than Microsoft Graph"),
            ("no counting", {"match": "^/v1.0/users.*count=true", "status": 400, "code": "Request_BadRequest", "message": "$count is not currently supported."},
             "sample", "ok", 0, "users: more than 5"),
            ("once 503", {"match": "/organization", "status": 503, "count": 1, "retry_after": 0.1}, "organization", "ok", 0, "Contoso")]

    def one(_, fault, step, verdict, code, evidence):
        with app(roles=ALL):
            tenant.set(faults=[dict(fault, kind="status")])
            steps = verify(check(), step, code, evidence, "", verdict)
        assert steps["reports"]["verdict"] == "ok" and steps["expiry"]["verdict"] == "ok", steps
    table(rows, one)


main()
