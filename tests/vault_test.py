#!/usr/bin/python3
"""vault_test.py - secrets from HashiCorp Vault: read by check and sync, every refusal in its own words, the value and the token in none of them.

The server is tests/lab/vault, a stand-in that speaks the published API.
"""
# budget: 120 120
import json
import os
import re
import subprocess

import jsonschema

from harness import ROLLCALL, ROOT, Fake, case, main, rollcall, scratch, write
from server import Server
from vaultlab import VaultLab

SECRETS = ("hvs.good", "hvs.poor", "hvs.eu", "Lab-Reader-1", "from-v1", "deep-1", "of-eu", "sid-1", "Collector-1", "hid-1")
with open(os.path.join(ROOT, "docs", "contract", "vault_test.json")) as contract:
    CONTRACT = json.load(contract)
vault = VaultLab()


def steps(*args, code=0, config=None, env=None):
    """{name: step} of `vault test`; no secret is in what it prints."""
    r = rollcall("vault", "test", *args, "-o", "json", config=config, env=vault.environment() if env is None else env, code=None)
    for secret in SECRETS:
        assert secret not in r.out + r.err, (secret, r)
    assert r.code == code, r
    if not r.out:
        return {"error": json.loads(r.err)}
    report = r.json()
    jsonschema.validate(report, CONTRACT)
    assert report["ok"] == (code == 0), report
    return {s["name"]: s for s in report["steps"]}


def failing(*args, step, code, evidence, fix="", **more):
    got = steps(*args, code=code, **more)[step]
    assert got["verdict"] == "fail", got
    assert re.search(evidence, got["evidence"]), got
    assert re.search(fix, got.get("fix", "")), got


@case("every step of a read is told, and the value is not")
def all_well():
    vault.reset()
    got = steps("vault:secret/rollcall/corp#password")
    assert [(n, s["verdict"]) for n, s in got.items()] == [(n, "ok") for n in ("address", "tls", "health", "login", "mount", "policy", "read")], got
    assert "version 2" in got["mount"]["evidence"] and "rollcall" in got["login"]["evidence"] and "3600 s" in got["login"]["evidence"], got
    assert all(r["asked"] == "true" for r in vault.requests())
    assert [r["token"] for r in vault.requests() if "health" in r["url"]] == [None], "health is nobody's business"
    text = rollcall("vault", "test", "secret/rollcall/corp#password", env=vault.environment()).out
    assert text.splitlines()[-1].endswith(": ready"), text


@case("mounts with slashes, version 1, odd names, the newest version, a namespace")
def kinds_of_places():
    vault.reset()
    assert "version 1" in steps("old/rollcall/corp#password")["mount"]["evidence"]
    assert "team/kv/ is" in steps("team/kv/deep#password")["mount"]["evidence"]
    steps("secret/rollcall/odd name/ä#pass word")
    steps("secret/rollcall/twice#password")
    got = steps("secret/rollcall/corp#password", env=vault.environment("hvs.eu", VAULT_NAMESPACE="iam/eu"))
    assert "namespace iam/eu" in got["address"]["evidence"], got
    assert {r["namespace"] for r in vault.requests() if r["token"] == "hvs.eu"} == {"iam/eu"}


@case("without a settings file and with one; a token in ~/.vault-token; http on this machine")
def where_from():
    vault.reset()
    d = scratch()
    write(os.path.join(d, ".vault-token"), "hvs.good\n")
    steps("secret/rollcall/corp#password", env=vault.environment("", HOME=d))
    write(os.path.join(d, ".vault-token"), "hvs.good\n", 0o644)
    os.chmod(os.path.join(d, ".vault-token"), 0o644)
    assert "others may read" in steps("secret/rollcall/corp#password", env=vault.environment("", HOME=d), code=4)["error"]["message"]
    got = steps(env=vault.environment("", HOME=scratch()), code=3)["error"]
    assert "no token" in got["message"] and "vault login" in got["hint"], got
    got = steps(env={"VAULT_ADDR": "", "HOME": d}, code=3)["error"]
    assert "VAULT_ADDR is not set" in got["message"], got
    config = write(os.path.join(d, "c.yaml"), vault.block(token="env:MY_TOKEN"))
    steps("secret/rollcall/corp#password", config=config, env={"MY_TOKEN": "hvs.good", "VAULT_ADDR": "https://elsewhere.example"})
    with_http = VaultLab(tls=False)
    got = steps("secret/rollcall/corp#password", env=with_http.environment())
    assert got["tls"]["verdict"] == "skip", got
    got = steps(env=dict(with_http.environment(), VAULT_ADDR="http://vault.example:8200"), code=3)
    assert got["address"]["verdict"] == "fail", got
    with_http.stop()


@case("AppRole: log-in, wrong secret id, wrong role, wrong mount, no secret id needed")
def approle():
    vault.reset()
    d = scratch()

    def config(secret_id="sid-1", **keys):
        more = {"secret_id": "file:" + write(os.path.join(d, "sid"), secret_id)} if secret_id else {}
        return write(os.path.join(d, "c.yaml"), vault.block(auth="approle", **dict({"role_id": "role-1"}, **more, **keys)))
    got = steps("secret/rollcall/corp#password", config=config())
    assert "AppRole gave a token, good for 1200 s" in got["login"]["evidence"], got
    steps("secret/rollcall/corp#password", config=config(None, role_id="role-open"))
    failing(config=config("sid-9"), step="login", code=4, evidence="refused the AppRole log-in.*invalid role or secret ID", fix="secret_id is missing, wrong")
    failing(config=config(role_id="role-9"), step="login", code=4, evidence="refused the AppRole", fix="is role_id what")
    failing(config=config(None), step="login", code=4, evidence="missing secret_id", fix="secret-id` makes a new one")
    failing(config=config(mount="other"), step="login", code=3, evidence="no AppRole is mounted at auth/other", fix="vault auth list")
    steps(config=config("sid-once"))
    failing(config=config("sid-once"), step="login", code=4, evidence="refused the AppRole")
    assert not [r for r in vault.requests() if r["url"].endswith("/login") and r["token"]], "a log-in carries no token"


@case("refusals: each in its own words, with its fix")
def refusals():
    vault.reset()
    failing("secret/rollcall/nobody#password", step="read", code=3, evidence="there is no secret rollcall/nobody in secret/", fix="vault kv list secret/")
    failing("secret/rollcall/corp#pasword", step="read", code=3, evidence="has no field pasword", fix="its fields are: password, user, pin")
    failing("secret/rollcall/corp#pin", step="read", code=2, evidence="is no text", fix="as a string")
    failing("secret/rollcall/empty#password", step="read", code=3, evidence="no field password", fix="no fields at all")
    failing("secret/rollcall/deleted#password", step="read", code=3, evidence=r"newest version \(2\) of secret/rollcall/deleted was deleted at 20",
            fix="vault kv undelete -versions=2 secret/rollcall/deleted")
    failing("secret/rollcall/destroyed#password", step="read", code=3, evidence=r"was destroyed$", fix="vault kv put secret/rollcall/destroyed")
    failing("secret/hidden/corp#password", step="read", code=4, evidence=r"policies do not let it read secret/hidden/corp \(HTTP 403\)",
            fix=r'path "secret/data/hidden/corp" { capabilities = \["read"\] }')
    assert steps("secret/hidden/corp#password", code=4)["policy"]["verdict"] == "warn"
    failing("nothere/x#password", step="read", code=3, evidence="nothing is mounted at nothere/", fix="vault secrets list")
    failing("absent/x#password", step="read", code=4, evidence="policies do not let it", fix="the same of a mount that is not there")
    failing("pki/issue/x#password", step="mount", code=2, evidence="pki/ is of type pki", fix="type kv")
    failing("secret/data/rollcall/corp#password", step="read", code=4, evidence="policies do not let")
    root = vault.environment("hvs.root")
    failing("secret/data/rollcall/corp#password", step="read", code=3, env=root, evidence="there is no secret data/rollcall/corp",
            fix="leave data/ out of the reference: vault:secret/rollcall/corp#FIELD")
    assert steps("secret/rollcall/corp#password", env=root)["login"]["verdict"] == "warn"
    failing("secret/rollcall/corp#password", step="login", code=4, env=vault.environment("hvs.wrong"), evidence="refuses the token", fix="log in again")
    failing(step="login", code=4, env=vault.environment("hvs.good", VAULT_NAMESPACE="nope"), evidence="refuses the token.*of another namespace")


@case("the server: sealed, not initialized, standby, broken, throttled, not Vault, unreachable, not trusted")
def weather():
    vault.reset()
    path = "secret/rollcall/corp#password"
    for state, step, code, evidence, fix in (
            (dict(sealed=True), "health", 6, "is sealed, so it gives no secret", "vault operator unseal"),
            (dict(initialized=False), "health", 6, "not initialized", ""),
            (dict(standby=True), "login", 6, "sends elsewhere.*active.vault.example", "address of the active node"),
            (dict(broken=50), "login", 6, "broken for the moment .HTTP 500: internal error", ""),
            (dict(throttled=50), "login", 6, "too many requests.*rate limit quota exceeded", "quota raised"),
            (dict(foreign=True), "health", 1, "not as Vault does", "no path such as /ui")):
        vault.reset()
        vault.turn(**state)
        failing(path, step=step, code=code, evidence=evidence, fix=fix)
    for state in (dict(broken=2), dict(throttled=2), dict(knows_mounts=False)):
        vault.reset()
        vault.turn(**state)
        steps(path)
    vault.reset()
    failing(step="tls", code=6, env=vault.environment(VAULT_CACERT=""), evidence="certificate|trust", fix="")
    failing(step="address", code=3, env=vault.environment(VAULT_ADDR="https://vault.invalid:8200"), evidence="vault.invalid", fix="VAULT_ADDR")
    failing(step="tls", code=6, env=vault.environment(VAULT_ADDR="https://localhost:1"), evidence="refused|reach")
    assert steps("secret/x", code=2)["error"]["hint"].startswith("for example vault:")


@case("check and sync take the password from the vault; what is wrong with it is the secret's step")
def connector():
    vault.reset()
    vault.turn(namespaces={"": {"secret/": {"type": "kv", "version": "2", "secrets": {"fake": [{"data": {"password": "Collector-1"}, "created_time": "2026-01-01T00:00:00Z", "deletion_time": "", "destroyed": False}]}}}},
              policies={"rollcall": {"secret/data/fake": ["read"], "auth/token/lookup-self": ["read"]}})
    d = scratch()
    token = write(os.path.join(d, "token"), "hvs.good\n")
    with Fake("--users", 20) as fake:
        config = fake.config(d, password="vault:secret/fake#password", top=vault.block(token="file:" + token))
        report = rollcall("check", "fake", "-o", "json", config=config).json()
        assert report["ok"], report
        rollcall("sync", "fake", config=config)
        assert not [r for r in vault.requests() if r["token"] not in ("hvs.good", None)]
        env = vault.environment()
        plain = fake.config(d, password="vault:secret/fake#password")
        rollcall("sync", "fake", config=plain, env=env)
        wrong = fake.config(d, password="vault:secret/fake#nothing", top=vault.block(token="file:" + token))
        r = rollcall("check", "fake", "-o", "json", config=wrong, code=None)
        bad = [s for s in r.json()["steps"] if s["verdict"] == "fail"]
        assert len(bad) == 1 and bad[0]["name"] == "secret" and "has no field nothing" in bad[0]["evidence"], bad
        r = rollcall("sync", "fake", config=wrong, code=3)
        assert "connectors.fake.password" in r.err and "has no field nothing" in r.err and "its fields are: password" in r.err, r
        vault.turn(sealed=True)
        r = rollcall("sync", "fake", config=config, code=6)
        assert "is sealed" in r.err, r
        assert "Collector-1" not in r.out + r.err


@case("the block of the settings: wrong keys and values are refused with line and column")
def block():
    d = scratch()
    for text, words in (("address: https://v.example\n  adress: x", "3:3: unknown key 'adress'; did you mean 'address'"),
                        ("namespace: x", "address is missing"),
                        ("address: http://v.example", "https"),
                        ("address: https://v.example?x", "address only"),
                        ("address: https://v.example\n  token: hvs.good", "never written into the settings"),
                        ("address: https://v.example\n  token: vault:secret/x#y", "cannot be in the vault"),
                        ("address: https://v.example\n  auth: approle", "role_id is missing"),
                        ("address: https://v.example\n  auth: aprole", "did you mean 'approle'")):
        config = write(os.path.join(d, "c.yaml"), "vault:\n  " + text + "\n")
        r = rollcall("config", "check", config=config, code=2)
        assert words in r.err and "hvs.good" not in r.err, (text, r)


@case("the token goes to the configured host only: a redirect is not followed")
def no_redirect():
    vault.reset()
    vault.turn(standby=True)
    p = subprocess.run([ROLLCALL, "vault", "test", "secret/rollcall/corp#password"], env=dict(os.environ, **vault.environment()), capture_output=True, text=True)
    assert p.returncode == 6 and "a token follows nobody" in p.stdout, p


@case("the server: its vault is set on the page, tested step by step, entered secrets go with another address; syncs read from it")
def of_server():
    vault.reset()
    vault.turn(namespaces={"": {"secret/": {"type": "kv", "version": "2", "secrets": {"fake": [{"data": {"password": "Collector-1"}, "created_time": "2026-01-01T00:00:00Z", "deletion_time": "", "destroyed": False}]}}}},
              policies={"rollcall": {"secret/data/fake": ["read"]}, "default": {"auth/token/lookup-self": ["read"], "sys/capabilities-self": ["update"]}})
    d = scratch()
    with Fake("--users", 20) as fake:
        server = Server(directory=d, config=fake.config(d, password="vault:secret/fake#password"), env={"VAULT_ADDR": "", "HOME": d})
        admin = server.admin
        assert admin.get("/settings/vault")["source"] == "none"
        job = server.wait_job(admin.post("/connectors/fake/sync")["job"], state=None)
        assert job["state"] == "failed" and "no vault is known" in job["error"]["message"], job
        told = admin.put("/settings/vault", {"address": vault.url, "ca_certificate": vault.ca, "auth": "approle", "role_id": "role-1", "secret_id": "sid-1"})
        assert told["source"] == "server" and told["secret_id"]["set"] and told["mount"] == "approle" and "sid-1" not in json.dumps(told), told
        got = {s["name"]: s["verdict"] for s in admin.post("/settings/vault/test", {"reference": "vault:secret/fake#password"})["steps"]}
        assert got == dict.fromkeys(("address", "tls", "health", "login", "mount", "policy", "read"), "ok"), got
        unsaved = {"address": vault.url, "ca_certificate": vault.ca, "auth": "token", "token": "hvs.wrong", "reference": "vault:secret/fake#password"}
        steps = admin.post("/settings/vault/test", unsaved)["steps"]
        assert steps[-1]["name"] == "login" and "refuses the token" in steps[-1]["evidence"] and "hvs.wrong" not in json.dumps(steps), steps
        job = server.wait_job(admin.post("/connectors/fake/sync", {"try_now": True})["job"])
        assert job["state"] == "done", job
        assert admin.put("/settings/vault", dict(told, namespace="x"))["secret_id"]["set"] is False, "another namespace does not get it"
        token = write(os.path.join(d, "token"), "hvs.good\n")
        told = admin.put("/settings/vault", {"address": vault.url, "ca_certificate": vault.ca, "token": "file:" + token})
        assert told["token"] == {"set": True, "updated": None, "reference": "file:" + token} and told["auth"] == "token", told
        server.wait_job(admin.post("/connectors/fake/sync")["job"])
        for wrong, words in (({"address": vault.url, "token": "file:" + os.path.join(d, "rollcall.db.key")}, "a file of the server itself"), ({"address": vault.url, "token": "file:/proc/self/environ"}, "not a path"),
                             ({"address": "http://vault.example"}, "https"), ({"address": vault.url, "auth": "approle"}, "role_id is missing"), ({"address": vault.url, "auth": "x"}, "auth")):
            status, _, body = admin.raw("PUT", "/api/v1/settings/vault", wrong)
            assert status == 400 and words in json.loads(body)["error"]["message"], (wrong, body)
        assert server.operator.raw("GET", "/api/v1/settings/vault")[0] == 403
        log = json.dumps(admin.get("/audit", limit=100)["items"])
        assert "settings.vault" in log and "sid-1" not in log and "hvs." not in log
        assert admin.put("/settings/vault", {"address": ""})["source"] == "none"
        for name in os.listdir(d):
            if os.path.isfile(os.path.join(d, name)) and name not in ("token", "pw"):
                content = open(os.path.join(d, name), "rb").read()
                assert b"sid-1" not in content and b"Collector-1" not in content, name


main()
