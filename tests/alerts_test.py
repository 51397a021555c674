#!/usr/bin/python3
"""alerts_test.py - rules on a real Active Directory (Samba): who was added to what, directly, through nesting, by access; each told once, also over crashes.
"""
# budget: 240 240
import contextlib
import hashlib
import hmac
import http.server
import json
import os
import sqlite3
import threading
import time

from domain import Domain
from harness import Lab, at_end, case, main, moment, rollcall, scratch, wait_for
from server import ApiError, Server

lab = Lab()
domain = Domain(lab)
work = scratch()
DA = "CN=Domain Admins,CN=Users," + domain.base
OU = domain.ou("Alerts")
NAMES = ["al.direct", "al.nested", "al.one", "al.two", "al.three", "al.crash", "al.file", "al.reset"]
U = {n: domain.user(n, OU) for n in NAMES}
INNER = domain.group("al-inner", OU)
MIDDLE = domain.group("al-middle", OU, INNER)
OUTER = domain.group("al-outer", OU, MIDDLE)
config = lab.config(work)
files = scratch()
server = Server(directory=work, config=config)


def rule_problem(of):
    return server.analyst.get("/alerts/rules/" + of["id"]).get("problem")


class Receiver:
    """Takes POSTs; answers with the next of `answers`, then 200."""

    def __init__(self):
        self.got, self.answers = [], []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = outer.answers.pop(0) if outer.answers else 200
                outer.got.append((status, dict(self.headers), body))
                self.send_response(status)
                if status in (301, 302, 307):
                    self.send_header("Location", "http://127.0.0.1:%d/elsewhere" % outer.port)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = "http://127.0.0.1:%d/hook/s3cret-path" % self.port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        at_end(self.server.shutdown)

    def taken(self):
        return [json.loads(b) for s, _, b in self.got if s == 200]


receiver = Receiver()


def sync():
    for _ in range(100):
        try:
            return server.sync("corp")
        except ApiError as e:
            if e.status != 409:
                raise
            time.sleep(0.3)
    raise AssertionError("always busy")


def rule(name, condition, to=None, who="operator", throttle="0", **more):
    body = dict({"name": name, "severity": "high", "condition": condition, "throttle": throttle, "destination": to or {"type": "none"}}, **more)
    return getattr(server, who).post("/alerts/rules", body)


def alerts(of=None, **query):
    return [a for a in server.viewer.get("/alerts", limit=1000, **query)["items"] if not of or a["rule"] == of["id"]]


def wait_alerts(of, n, seconds=20):
    try:
        wait_for(lambda: len(alerts(of)) >= n, seconds)
    except AssertionError:
        raise AssertionError("%s: %s\n%s" % (of, rule_problem(of), server.errors()))
    got = alerts(of)
    assert len(got) == n, got
    return got


def looked(of):
    """The rule has been looked at since: a sync ended and its thread came round."""
    time.sleep(0.5)


def begun(of):
    """A rule over a set knows the set, from its first look on."""
    def has_looked():
        with contextlib.closing(sqlite3.connect("file:%s.server?mode=ro" % server.store, uri=True, timeout=20)) as db:
            return db.execute("SELECT 1 FROM alert_cursor WHERE rule_id = ?", (of["id"],)).fetchone()
    wait_for(has_looked)


def webhook(**more):
    return dict({"type": "webhook", "url": receiver.url, "secret": "of the receiver"}, **more)


server.admin.put("/settings/alerts", {"webhook_allow": ["127.0.0.0/8"], "file_directory": files})
sync()


@case("a member added to Domain Admins: who and what, by webhook, signed, after two failures")
def direct():
    r = rule("Domain Admins", {"type": "group_member", "connector": "corp", "group": "Domain Admins", "change": "added"}, webhook())
    assert r["destination"]["secret"] == {"set": True} and "of the receiver" not in json.dumps(r)
    receiver.answers[:] = [500, 503]
    domain.add(DA, member=U["al.direct"])
    sync()
    alert = wait_alerts(r, 1)[0]
    assert alert["title"] == "al.direct was added to Domain Admins" and alert["severity"] == "high" and alert["state"] == "open", alert
    assert [(c["change"], c["name"], c["member"]) for c in alert["changes"]] == [("member_added", "Domain Admins", "al.direct")], alert["changes"]
    wait_for(lambda: receiver.taken(), 30)
    assert [s for s, _, _ in receiver.got] == [500, 503, 200]
    assert len({b for _, _, b in receiver.got}) == 1, "every attempt sends the same"
    _, headers, body = receiver.got[-1]
    want = hmac.new(b"of the receiver", headers["X-Rollcall-Timestamp"].encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["X-Rollcall-Signature"] == "sha256=" + want and headers["X-Rollcall-Delivery"] == str(alert["id"]), headers
    told = json.loads(body)
    assert told["title"] == alert["title"] and told["changes"] == alert["changes"] and told["id"] == alert["id"]
    wait_for(lambda: len(alerts(r)[0]["deliveries"]) == 3)
    deliveries = alerts(r)[0]["deliveries"]
    assert [d["ok"] for d in deliveries] == [False, False, True] and {d["to"] for d in deliveries} == {"127.0.0.1"} and "s3cret-path" not in json.dumps(deliveries)
    assert server.viewer.get("/home").get("alerts", {"open": 1})["open"] >= 1
    domain.remove(DA, member=U["al.direct"])
    sync()
    looked(r)
    assert len(alerts(r)) == 1, "removed was not asked for"


@case("nested: who comes into the group through another, and leaves it, with the change that did it")
def nested():
    r = rule("Outer", {"type": "group_member", "connector": "corp", "group": "al-outer", "nested": True})
    d = rule("Outer direct", {"type": "group_member", "connector": "corp", "group": "al-outer", "nested": False})
    begun(r)
    domain.add(INNER, member=U["al.nested"])
    sync()
    alert = wait_alerts(r, 1)[0]
    assert alert["title"] == "al.nested became a member of al-outer", alert
    assert [(c["name"], c["member"]) for c in alert["changes"]] == [("al-inner", "al.nested")], alert["changes"]
    domain.remove(MIDDLE, member=INNER)
    sync()
    last = wait_alerts(r, 2)[0]
    assert "and 1 more" in last["title"] and "al.nested is no longer a member of al-outer" in last["detail"] and "al-inner is no longer" in last["detail"], last
    assert [(c["change"], c["name"], c["member"]) for c in last["changes"]] == [("member_removed", "al-middle", "al-inner")], last["changes"]
    assert alerts(d) == []
    domain.add(MIDDLE, member=INNER)


@case("access: who gains and who loses a right")
def access():
    r = rule("Reset", {"type": "access", "connector": "corp", "right": "CONTROL_ACCESS:User-Force-Change-Password", "target": U["al.reset"]})
    sync()
    begun(r)
    time.sleep(1)
    assert rule_problem(r) is None and alerts(r) == [], (rule_problem(r), alerts(r))
    domain.add(DA, member=U["al.direct"])
    sync()
    alert = wait_alerts(r, 1)[0]
    assert "al.direct has gained CONTROL_ACCESS:User-Force-Change-Password on" in alert["title"], alert
    domain.remove(DA, member=U["al.direct"])
    sync()
    assert "al.direct has lost CONTROL_ACCESS:User-Force-Change-Password" in wait_alerts(r, 2)[0]["title"]


@case("a run is one alert; the throttle holds the messages back, not the alerts; what came meanwhile is told together")
def throttle():
    receiver.got.clear()
    r = rule("Created", {"type": "change", "kinds": ["group"], "changes": ["member_added"], "q": "AL-INNER"}, webhook(), throttle="15s")
    domain.add(INNER, member=[U["al.one"], U["al.two"]])
    sync()
    first = wait_alerts(r, 1)[0]
    assert first["title"].endswith(", and 1 more") and len(first["changes"]) == 2, first
    wait_for(lambda: len(receiver.taken()) == 1)
    began = time.monotonic()
    for name in ("al.three", "al.crash"):
        domain.add(INNER, member=U[name])
        sync()
    assert len(wait_alerts(r, 3)) == 3
    assert len(receiver.taken()) == 1 or time.monotonic() - began > 14, "held back"
    wait_for(lambda: len(receiver.taken()) == 2, 40)
    told = receiver.taken()[1]
    ids = sorted(a["id"] for a in alerts(r))
    assert told["id"] == ids[2] and told["also"] == [ids[1]], (told, ids)
    time.sleep(1)
    assert len(receiver.taken()) == 2
    server.operator.delete("/alerts/rules/" + r["id"])
    assert "told together with alert %d" % ids[2] in json.dumps([a for a in alerts(r) if a["id"] == ids[1]][0]["deliveries"])


@case("crashes: what happened while the server was down, and what it was told of when it was killed, is told once")
def crashes():
    receiver.got.clear()
    r = rule("Once", {"type": "group_member", "connector": "corp", "group": "al-middle", "change": "added"}, webhook())
    receiver.answers[:] = [500] * 2
    domain.add(MIDDLE, member=U["al.crash"])
    sync()
    wait_alerts(r, 1)
    server.kill()
    server.start()
    wait_for(lambda: len(receiver.taken()) == 1, 40)
    assert len(alerts(r)) == 1
    server.stop()
    domain.add(MIDDLE, member=U["al.one"])
    rollcall("sync", "corp", config=config, code=None)
    server.start()
    wait_alerts(r, 2)
    wait_for(lambda: all(a["deliveries"] and a["deliveries"][-1]["ok"] for a in alerts(r)))  # killed before, it would come again, with the same id
    for _ in range(3):
        server.kill()
        server.start()
    time.sleep(1)
    assert len(alerts(r)) == 2 and len(receiver.taken()) == 2, receiver.taken()


@case("a file: one line an alert, in the directory of the settings only, no link followed")
def to_file():
    path = os.path.join(files, "alerts.jsonl")
    r = rule("File", {"type": "group_member", "connector": "corp", "group": "al-inner"}, {"type": "file", "path": path})
    domain.add(INNER, member=U["al.file"])
    sync()
    wait_alerts(r, 1)
    wait_for(lambda: os.path.exists(path) and open(path).read().endswith("\n"))
    lines = [json.loads(line) for line in open(path)]
    assert len(lines) == 1 and lines[0]["title"] == "al.file was added to al-inner", lines
    assert os.stat(path).st_mode & 0o777 == 0o600
    os.unlink(path)
    os.symlink("/etc/passwd", path)
    domain.remove(INNER, member=U["al.file"])
    sync()
    wait_alerts(r, 2)
    wait_for(lambda: alerts(r)[0]["deliveries"])
    assert "links are not followed" in json.dumps(alerts(r)[0]["deliveries"]), alerts(r)[0]
    for bad in ("/etc/cron.d/x", "../x", files + "/../x", "a/b", "", ".hidden"):
        try:
            rule("Bad", {"type": "change"}, {"type": "file", "path": bad})
            raise AssertionError("taken: " + bad)
        except ApiError as e:
            assert e.status == 400 and "path" in e.error["message"], e


@case("where a webhook may not go: private and metadata addresses, names that lead there, redirects, http; nothing of it is asked")
def forged():
    server.admin.put("/settings/alerts", {"webhook_allow": [], "file_directory": ""})
    before = len(receiver.got)
    urls = {"loopback": receiver.url, "name": "https://localhost:%d/" % receiver.port, "metadata": "https://169.254.169.254/latest", "mapped": "https://[::ffff:127.0.0.1]:%d/" % receiver.port,
            "private": "https://10.0.0.1/", "link": "https://[fe80::1]/"}
    made = {n: rule(n, {"type": "group_member", "connector": "corp", "group": "al-inner"}, webhook(url=u)) for n, u in urls.items()}
    domain.add(INNER, member=U["al.file"])
    sync()
    for name, r in made.items():
        wait_alerts(r, 1)
        wait_for(lambda: alerts(r)[0]["deliveries"], 30)
        said = alerts(r)[0]["deliveries"][0]
        assert not said["ok"] and ("not a public address" in said["message"]), (name, said)
    assert len(receiver.got) == before
    for bad in ("http://example.com/x", "ftp://example.com", "https://user:pw@example.com/", "file:///etc/passwd", "x"):
        try:
            rule("Bad", {"type": "change"}, webhook(url=bad))
            raise AssertionError("taken: " + bad)
        except ApiError as e:
            assert e.status == 400 and "url" in e.error["message"], e
    server.admin.put("/settings/alerts", {"webhook_allow": ["127.0.0.1"], "file_directory": files})
    receiver.answers[:] = [302, 404]
    for r in made.values():
        server.operator.delete("/alerts/rules/" + r["id"])
    receiver.got.clear()
    a, b = [rule(n, {"type": "group_member", "connector": "corp", "group": "al-inner"}, webhook()) for n in ("moved", "gone")]
    domain.remove(INNER, member=U["al.file"])
    sync()
    wait_for(lambda: len(receiver.got) == 2)
    time.sleep(3)
    assert [s for s, _, _ in receiver.got] == [302, 404], "refused for good: not tried again, no redirect followed"
    for r in (a, b):
        server.operator.delete("/alerts/rules/" + r["id"])


@case("silence: no data for so long is told once, and again after the next silence")
def silence():
    r = rule("Silent", {"type": "silence", "connector": "corp", "hours": 0.0005})
    time.sleep(2)
    server.restart()  # its timer looks at the start, then every minute
    alert = wait_alerts(r, 1)[0]
    assert alert["title"] == "no data from corp for 0.0005 hours", alert
    server.restart()
    time.sleep(1)
    wait_alerts(r, 1)
    sync()
    time.sleep(2)
    server.restart()
    wait_alerts(r, 2)
    server.operator.delete("/alerts/rules/" + r["id"])


def sentences(fired):
    """Oldest first; within one, in alphabetical order."""
    return [s for f in sorted(fired, key=lambda f: moment(f["time"])) for s in sorted(f["detail"].split("; "))]


@case("a trial tells what a rule would have fired, and sends and writes nothing; of nesting and rights it tells what rules told that were there")
def trial():
    before, got = len(alerts()), len(receiver.got)
    told = server.analyst.post("/alerts/trial", {"rule": {"name": "t", "condition": {"type": "group_member", "connector": "corp", "group": "Domain Admins"}}, "days": 30})
    assert told["n"] == 4 and told["fired"][-1]["title"] == "al.direct was added to Domain Admins" and told["fired"][0]["change"]["member"] == "al.direct", told
    told = server.analyst.post("/alerts/trial", {"rule": {"name": "t", "condition": {"type": "change", "changes": ["created"], "kinds": ["user"]}}, "days": 1})
    assert told["n"] >= 1, told
    rules = {r["name"]: r for r in server.analyst.get("/alerts/rules")["items"]}
    for name in ("Outer", "Reset"):  # both have watched since: the past says what they said then
        kept = rules[name]
        told = server.analyst.post("/alerts/trial", {"rule": {"name": "t", "condition": kept["condition"]}, "days": 30})
        then, since = sentences(alerts(kept)), alerts(kept)[-1]["time"]
        assert then and sentences(f for f in told["fired"] if moment(f["time"]) >= moment(since)) == then, (told, then)
        assert "deleted since" in told["note"], told
    assert sentences(told["fired"])[:1] == ["al.direct has gained %s on %s" % (kept["condition"]["right"], U["al.reset"])], told  # from before the rule was there
    wrong = {"type": "access", "connector": "corp", "right": "x", "target": "y"}
    assert server.analyst.raw("POST", "/api/v1/alerts/trial", {"rule": {"name": "t", "condition": wrong}, "days": 1})[0] == 404
    assert len(alerts()) == before and len(receiver.got) == got


@case("rights and rules: who may do what, wrong rules named, changed elsewhere, switched off, deleted, acknowledged, in the audit log")
def rights():
    condition = {"type": "change", "connector": "corp"}
    mine = rule("Mine", condition, who="analyst")
    for to in (webhook(), {"type": "file", "path": "x.jsonl"}):
        try:
            rule("To", condition, to, who="analyst")
            raise AssertionError("taken")
        except ApiError as e:
            assert e.status == 403 and "operator's to set" in e.error["message"], e
    ours = rule("Ours", condition, webhook())
    changed = server.analyst.put("/alerts/rules/" + ours["id"], dict(ours, name="Renamed"))
    assert changed["name"] == "Renamed" and changed["destination"]["secret"]["set"], changed
    hidden = "http://127.0.0.1:%d/..." % receiver.port
    assert {r["destination"]["url"] for r in (changed, server.analyst.get("/alerts/rules/" + ours["id"]))} == {hidden}, changed
    assert "s3cret-path" not in json.dumps(server.analyst.get("/alerts/rules"))
    changed = server.analyst.put("/alerts/rules/" + ours["id"], dict(changed, name="Renamed twice"))
    assert server.operator.get("/alerts/rules/" + ours["id"])["destination"]["url"] == receiver.url
    assert server.analyst.raw("PUT", "/api/v1/alerts/rules/" + ours["id"], dict(changed, destination=webhook(url="https://evil.example/")))[0] == 403
    assert server.analyst.raw("PUT", "/api/v1/alerts/rules/" + ours["id"], dict(ours, name="Late"))[0] == 409
    server.operator.put("/alerts/rules/" + ours["id"], server.analyst.get("/alerts/rules/" + ours["id"]))  # hidden, given back by somebody who could set it
    told = server.operator.get("/alerts/rules/" + ours["id"])["destination"]
    assert told["url"] == receiver.url and told["secret"]["set"], told
    for url, shown in (("https://h.example?code=S3CRET", "https://h.example/..."), ("https://h.example:8443?k=a/S3CRET", "https://h.example:8443/..."), ("https://h.example/", "https://h.example/")):
        odd = rule("Odd", condition, {"type": "webhook", "url": url})
        assert server.analyst.get("/alerts/rules/" + odd["id"])["destination"]["url"] == shown, odd
        server.operator.delete("/alerts/rules/" + odd["id"])
    changed["version"] = server.operator.get("/alerts/rules/" + ours["id"])["version"]
    moved = server.operator.put("/alerts/rules/" + ours["id"], dict(changed, destination={"type": "webhook", "url": "https://other.example/"}))
    assert not moved["destination"]["secret"]["set"], "another address does not get the secret"
    assert server.viewer.raw("GET", "/api/v1/alerts/rules")[0] == 403 and server.viewer.raw("POST", "/api/v1/alerts/rules", ours)[0] == 403
    for wrong, words in (({"condition": {"type": "chnge"}}, "condition: type: one of change, group_member, access, silence"), ({"condition": {"type": "change", "conector": "x"}}, "conector"),
                         ({"condition": {"type": "change", "kinds": ["usr"]}}, "'usr' is none"), ({"condition": {"type": "group_member", "connector": "corp"}}, "group: text is expected"),
                         ({"condition": {"type": "silence", "connector": "corp", "hours": -1}}, "hours"), ({"throttle": "soon"}, "throttle"), ({"severity": "big"}, "severity"),
                         ({"name": ""}, "name")):
        status, _, body = server.analyst.raw("POST", "/api/v1/alerts/rules", dict({"name": "x", "condition": condition}, **wrong))
        assert status == 400 and words in json.loads(body)["error"]["message"], (wrong, body)
    nobody = rule("Nobody", {"type": "group_member", "connector": "corp", "group": "no-such-group"}, who="analyst")
    wait_for(lambda: "no-such-group" in (rule_problem(nobody) or ""))
    off = server.analyst.put("/alerts/rules/" + mine["id"], dict(mine, enabled=False))
    domain.set(U["al.one"], description="changed")
    sync()
    looked(mine)
    assert alerts(mine) == []
    server.analyst.put("/alerts/rules/" + mine["id"], dict(off, enabled=True))
    looked(mine)
    assert alerts(mine) == [], "what happened while it was off is not told"
    domain.set(U["al.one"], description="changed again")
    sync()
    alert = wait_alerts(mine, 1)[0]
    assert "description of user al.one changed" in alert["detail"], alert
    assert server.viewer.raw("POST", "/api/v1/alerts/%d/acknowledge" % alert["id"])[0] == 403
    seen = server.analyst.post("/alerts/%d/acknowledge" % alert["id"])
    assert seen["state"] == "acknowledged" and seen["acknowledged"]["by"] == "analyst", seen
    assert alert["id"] not in [a["id"] for a in alerts(state="open")] and alert["id"] in [a["id"] for a in alerts(state="acknowledged")]
    page = server.viewer.get("/alerts", limit=2)
    assert len(page["items"]) == 2 and page["items"][1]["id"] > server.viewer.get("/alerts", limit=2, after=page["next"])["items"][0]["id"]
    for r in (mine, ours, nobody):
        server.analyst.delete("/alerts/rules/" + r["id"])
    assert server.analyst.raw("GET", "/api/v1/alerts/rules/" + mine["id"])[0] == 404 and alerts(mine), "what it fired stays"
    log = server.admin.get("/audit", limit=500)["items"]
    for action in ("alert_rule.create", "alert_rule.update", "alert_rule.delete", "alert.acknowledge", "settings.alerts"):
        assert any(x["action"] == action for x in log), action
    assert "of the receiver" not in json.dumps(log)


main()
