#!/usr/bin/python3
"""cli_test.py - the command line as a user meets it: help, exit codes, forms of output, settings, completion, man pages, schemas."""
# budget: 120 120
import csv
import io
import json
import os
import re
import subprocess

import jsonschema

from harness import ROOT, ROLLCALL, Fake, case, main, rollcall, scratch, write

fake = Fake("--users", 60, "--groups", 12)
work = scratch()
config = fake.config(work)
COMMANDS = ["check", "discover", "read", "sync", "deliver", "export", "run list", "run get", "entity list", "entity get", "entity history",
            "change list", "identity list", "identity orphans", "access check", "access why", "access who-can", "access what-can",
            "access members", "access token", "access export", "report list", "report run", "connector list", "connector spec", "config check", "certificate", "api", "completion", "version",
            "server backup", "server restore", "server check", "server audit", "server user", "server setup-url", "server key"]
rollcall("sync", "fake", config=config, code=None)


def schema(name):
    with open(os.path.join(ROOT, "docs", "contract", name + ".json")) as f:
        return json.load(f)


def valid(name, value):
    jsonschema.Draft202012Validator(schema(name)).validate(value)


@case("--help of everything: exit 0, names its options")
def _():
    text = rollcall("--help").out
    for command in COMMANDS:
        assert command in text, command
        own = rollcall(*command.split(), "--help").out
        assert own.startswith("usage: rollcall " + command), own
    assert rollcall(code=2).out


@case("man pages name every command and every option, every setting")
def _():
    man = subprocess.run(["mandoc", "-T", "utf8", os.path.join(ROOT, "docs/man/rollcall.1")], stdout=subprocess.PIPE, text=True).stdout
    man = re.sub(".\x08", "", man).replace("‐", "-").replace("−", "-")
    for command in COMMANDS:
        assert re.search(r"\b" + command.replace(" ", r"\s+") + r"\b", man), command
        for option in re.findall(r"--([a-z-]+)", rollcall(*command.split(), "--help").out):
            assert option in man, "%s --%s is not in rollcall.1" % (command, option)
    page = open(os.path.join(ROOT, "docs/man/rollcall.yaml.5")).read()
    for kind in ("active_directory", "entra_id", "http", "directory", "file"):
        for key in rollcall("connector", "spec", kind).json()["properties"]:
            assert re.search(r"\b%s\b" % key, page), "%s.%s is not in rollcall.yaml.5" % (kind, key)


@case("exit codes: usage 2, not found 3, unreachable 6, ok 0")
def _():
    for args in (["nonsense"], ["entity"], ["entity", "frobnicate"], ["sync"], ["sync", "a", "b"], ["read", "fake", "--dialekt", "x"],
                 ["read", "fake", "--kind", "usr"], ["run", "get", "x"], ["read", "fake", "-o", "xml"], ["completion", "tcsh"],
                 ["sync", "fake", "--set", "nonsense"], ["sync", "fake", "--set", "port=70000"]):
        r = rollcall(*args, config=config, code=2) if args[0] != "nonsense" else rollcall(*args, code=2)
        assert r.out == "" and "rollcall: " in r.err, r
    for args in (["sync", "corpp"], ["run", "get", "999"], ["entity", "get", "nobody"], ["connector", "spec", "nothing"]):
        rollcall(*args, config=config, code=3)
    rollcall("check", "fake", "--set", "port=1", config=config, code=6)
    rollcall("read", "fake", "--set", "port=1", config=config, code=6)


@case("did you mean: commands, options, kinds, connectors")
def _():
    for args, want in ((["snyc", "fake"], "sync"), (["read", "fake", "--dialct", "x"], "--dialect"), (["read", "fake", "--kind", "usr"], "user"),
                       (["sync", "fak"], "fake")):
        r = rollcall(*args, config=config if len(args) > 1 and args[0] != "snyc" else None, code=None)
        assert want in r.err, r


@case("errors as JSON on standard error when JSON is asked for")
def _():
    r = rollcall("sync", "corpp", "-o", "json", config=config, code=3)
    body = json.loads(r.err)
    assert body["class"] == "NOTFOUND" and "corpp" in body["message"] and body["hint"], body
    valid("error", body)


@case("every -o json output is what docs/contract says")
def _():
    for e in rollcall("entity", "list", "-o", "json", config=config).json():
        valid("entity", e)
    for c in rollcall("change", "list", "-o", "json", config=config).json():
        valid("change", c)
    listed = rollcall("run", "list", "-o", "json", config=config).json()
    valid("run", rollcall("run", "get", str(listed[0]["id"]), "-o", "json", config=config).json())
    for g in rollcall("run", "get", str(listed[0]["id"]), "-o", "json", config=config).json()["gaps"]:
        valid("gap", g)
    valid("connector_list", rollcall("connector", "list", "-o", "json", config=config).json())
    valid("check", rollcall("check", "fake", "-o", "json", config=config, code=None).json())
    valid("discover", rollcall("discover", "fake", "-o", "json", config=config, code=None).json())
    valid("config_check", rollcall("config", "check", "-o", "json", config=config).json())
    valid("version", rollcall("version", "-o", "json").json())
    for more in ([], ["--pem"]):
        shown = rollcall("certificate", "127.0.0.1:%d" % fake.port, "--ca", fake.ca, "-o", "json", *more).json()
        valid("certificate", shown)
        assert all(("pem" in c) == bool(more) for c in shown["chain"]), shown


@case("one list in four forms; --fields; an empty list is []")
def _():
    rows = rollcall("entity", "list", "--kind", "user", "-o", "json", config=config).json()
    lines = rollcall("entity", "list", "--kind", "user", "-o", "jsonl", config=config).lines()
    assert rows == lines and len(rows) >= 60
    table = list(csv.DictReader(io.StringIO(rollcall("entity", "list", "--kind", "user", "-o", "csv", "--fields", "name,uid", config=config).out)))
    assert [r["uid"] for r in table] == [r["uid"] for r in rows] and list(table[0]) == ["name", "uid"]
    assert len(rollcall("entity", "list", "--kind", "user", config=config).out.splitlines()) == len(rows) + 1
    assert rollcall("entity", "list", "--search", "nobody-at-all", "-o", "json", config=config).out == "[]\n"
    assert len(rollcall("entity", "list", "--limit", "3", "-o", "jsonl", config=config).lines()) == 3


@case("an entity is found by GUID, SID, DN, account name and UPN")
def _():
    user = next(u for u in rollcall("entity", "list", "--kind", "user", "-o", "json", config=config).json() if "userPrincipalName" in u["attributes"])
    for key in (user["guid"], user["sid"], user["dn"], user["attributes"]["sAMAccountName"], user["attributes"]["userPrincipalName"]):
        assert rollcall("entity", "get", key, "-o", "json", config=config).json()["uid"] == user["uid"], key
    history = rollcall("entity", "history", user["guid"], "-o", "json", config=config).json()
    assert any(c["change"] == "created" for c in history), history


@case("progress: JSON Lines on standard error when asked for, nothing on standard output")
def _():
    r = rollcall("read", "fake", "--progress", "json", "--kind", "user", "--dialect", "sekoia", config=config, code=None)
    assert any(json.loads(line)["event"] == "progress" for line in r.err.splitlines() if line.startswith("{")), r
    for line in r.out.splitlines():
        json.loads(line)


@case("connector spec is a JSON Schema; a good settings object passes, a bad one does not")
def _():
    spec = rollcall("connector", "spec", "active_directory").json()
    jsonschema.Draft202012Validator.check_schema(spec)
    good = {"type": "active_directory", "domain": "corp.example", "host": "dc1", "username": "u@corp.example", "password": "file:/x"}
    jsonschema.Draft202012Validator(spec).validate(good)
    for bad in (dict(good, port=0), dict(good, hosst="x"), dict(good, security="none")):
        assert list(jsonschema.Draft202012Validator(spec).iter_errors(bad)), bad
    assert rollcall("connector", "spec").out.count("\n") >= 6


@case("settings: the environment overrides the file, --set overrides both")
def _():
    env = {"ROLLCALL_CONNECTORS_FAKE_PORT": "1"}
    rollcall("read", "fake", config=config, env=env, code=6)
    rollcall("read", "fake", "--set", "port=%d" % fake.port, config=config, env=env, code=None)
    r = rollcall("read", "fake", config=config, env={"ROLLCALL_CONNECTORS_FAKE_PROT": "1"}, code=2)
    assert "ROLLCALL_CONNECTORS_FAKE_PROT" in r.err, r


@case("bad settings are refused with place and fix")
def _():
    d = scratch()
    base = open(config).read()
    for old, new, wants in (("host:", "hosst:", ["rollcall.yaml:", "hosst", "host"]), ("port:", "port: abc #", ["port"]),
                            ("password: ", "password: secret #", ["password", "file:"]), ("type: \"active_directory\"", "type: ldap", ["ldap"])):
        path = write(os.path.join(d, "rollcall.yaml"), base.replace(old, new, 1))
        r = rollcall("config", "check", config=path, code=2)
        assert all(w in r.err for w in wants), (new, r.err)
    r = rollcall("config", "check", config="/nonexistent/x.yaml", code=None)
    assert r.code in (2, 3) and "/nonexistent/x.yaml" in r.err, r


@case("settings of Kerberos that contradict each other are refused, not ignored")
def _():
    for keys, word in (({"auth": "kerberos_cache"}, "password"), ({"auth": "keytab"}, "keytab"), ({"security": "ldap"}, "security"),
                       ({"auth": "kerberos", "security": "ldap"}, "ca_certificate"), ({"auth": "kerberos", "kerberos_spn": "dc1"}, "kerberos_spn")):
        r = rollcall("check", "fake", config=fake.config(scratch(), **keys), code=2)
        assert word in r.err, r


@case("export --test: the four files straight from the directory, nothing is touched; --columns chooses, docs/csv4.yaml is the default")
def _():
    def files(path):
        return {n: open(os.path.join(path, n), "rb").read() for n in os.listdir(path) if n != "manifest.json"}

    def extract(to, *more, code=0):
        return rollcall("export", "--connector", "fake", "--test", "--dialect", "csv4", "--to", os.path.join(work, to), *more, config=config, code=code,
                        env={"TMPDIR": spill})

    spill = scratch()
    before = rollcall("run", "list", "-o", "json", config=config).out
    extract("plain")
    assert rollcall("run", "list", "-o", "json", config=config).out == before and os.listdir(spill) == []
    plain = files(os.path.join(work, "plain"))
    assert sorted(plain) == ["fake.example_groups.csv", "fake.example_groups_members.csv", "fake.example_groups_owners.csv", "fake.example_users.csv"]
    manifest = json.load(open(os.path.join(work, "plain", "manifest.json")))
    assert manifest["test"] is True and "run" not in manifest
    extract("shipped", "--columns", os.path.join(ROOT, "docs", "csv4.yaml"))
    assert files(os.path.join(work, "shipped")) == plain
    rollcall("export", "--connector", "fake", "--dialect", "csv4", "--to", os.path.join(work, "stored"), config=config)
    assert files(os.path.join(work, "stored")) == plain  # as the store has it
    columns = write(os.path.join(work, "csv4.yaml"), "users: [id, {property: displayName, title: Name}]\ndelimiter: ;\nencoding: utf-8-bom\nfile_domain: x.example\n")
    extract("ours", "--columns", columns)
    ours = files(os.path.join(work, "ours"))
    assert ours["x.example_users.csv"].startswith(b"\xef\xbb\xbfid;Name\r\n") and len(ours) == 4
    write(os.path.join(work, "csv4.yaml"), "users: [id]\nowner: [id]\n")
    assert columns + ":2:1: unknown key 'owner'; did you mean 'owners'?" in extract("ours", "--columns", columns, code=2).err
    write(os.path.join(work, "csv4.yaml"), "users: [idd]\n")
    assert 'no such column: "idd"' in extract("ours", "--columns", columns, code=2).err
    assert "--columns is for --dialect csv4" in rollcall("export", "--connector", "fake", "--test", "--dialect", "csv", "--to", work + "/x", "--columns", columns,
                                                         config=config, code=2).err
    extract("ours", "--set", "port=1", code=6)
    assert os.listdir(spill) == []


@case("completion scripts parse and know the commands")
def _():
    text = rollcall("completion", "bash").out
    p = subprocess.run(["bash", "-n"], input=text, text=True, stderr=subprocess.PIPE)
    assert p.returncode == 0, p.stderr
    probe = text + '\nCOMP_WORDS=(rollcall en); COMP_CWORD=1; _rollcall; echo "${COMPREPLY[@]}"\n' \
        'COMP_WORDS=(rollcall entity ""); COMP_CWORD=2; _rollcall; echo "${COMPREPLY[@]}"\n' \
        'COMP_WORDS=(rollcall sync x --acc); COMP_CWORD=3; _rollcall; echo "${COMPREPLY[@]}"\n'
    out = subprocess.run(["bash", "-c", probe], stdout=subprocess.PIPE, text=True).stdout.splitlines()
    assert out[0] == "entity" and set(out[1].split()) == {"list", "get", "history"} and "--accept-deletions" in out[2], out
    assert "entity" in rollcall("completion", "fish").out and "compdef" in rollcall("completion", "zsh").out


@case("certificate: shows the chain, saves it, exit 6 when it is not trusted")
def _():
    pem = os.path.join(work, "chain.pem")
    host = "127.0.0.1:%d" % fake.port
    r = rollcall("certificate", host, code=6)
    assert "NO" in r.out and "fix" in r.out, r
    rollcall("certificate", host, "--save", pem, code=0)
    assert "BEGIN CERTIFICATE" in open(pem).read()
    rollcall("certificate", host, "--ca", fake.ca, code=0)
    rollcall("certificate", host, "--ca", fake.ca, "--name", "other.example", code=6)


@case("settings without a store: what needs one says so, the rest works and makes none")
def _():
    d = scratch()
    text = re.sub(r"^store:.*\n", "", open(config).read(), flags=re.M)
    c = write(os.path.join(d, "rollcall.yaml"), text)
    for args in (["sync", "fake"], ["deliver", "fake"], ["run", "list"], ["entity", "list"], ["change", "list"],
                 ["export", "-c", "fake", "-d", "csv", "-t", os.path.join(d, "out")]):
        r = rollcall(*args, config=c, code=2)
        assert "needs a store, and none is set" in r.err and "store: sqlite:" in r.err, r
    report = rollcall("config", "check", "-o", "json", config=c).json()
    valid("config_check", report)
    assert report["connectors"] == ["fake"] and "store" not in report
    assert rollcall("connector", "list", "-o", "json", config=c).json()[0]["name"] == "fake"
    write(c, "store: sqlite:%s/none.db\n%s" % (d, text))
    rollcall("connector", "list", config=c)
    rollcall("check", "fake", config=c)
    assert os.listdir(d) == ["rollcall.yaml"], os.listdir(d)  # looking makes no store


@case("a closed pipe ends quietly")
def _():
    p = subprocess.run("%s read fake --config %s 2>%s/err | head -1" % (ROLLCALL, config, work), shell=True, stdout=subprocess.PIPE, text=True)
    assert p.stdout.startswith("{")
    err = open(os.path.join(work, "err")).read()
    assert "Traceback" not in err and "Sanitizer" not in err


main()
