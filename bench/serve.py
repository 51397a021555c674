"""serve.py - what the server's questions cost at a million assets. Each line of the table compares two ways to the same rows of the same files:

over HTTP     the API's answer, whole, on one kept connection with a token: of a server that does nothing else ("alone"), then while another run is written
              and the catalog refreshed ("during a run")
yardstick     SQL as somebody writes it who knows the tables, in Python, through sqlite3 connections that stay open, and json.dumps of the rows: no HTTP, no
              rights, no mapping, and no names of other entities looked up

and says p50 and p99 of both, and how many times the yardstick the server takes. `detail` asks for users of the domain that a few names find, drawn with a fixed
seed. Without a yardstick: who-can, an export, the first view in a browser, the server's memory.
BENCH_ASSETS; BENCH_N: how often what is fast is asked; BENCH_DIR: where the store is kept for the next time. Both ways are in `questions`.
"""
import json
import os
import random
import re
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
import harness  # noqa: E402
from server import Server  # noqa: E402

COLUMNS = "docid, cell, name, account, display_name, mail, dn, hex(guid), last_sign_in, last_changed, deleted_ms"


class Wire:
    """One kept connection, as little client as can be."""

    def __init__(self, server, token):
        self.port = server.port
        self.connect()
        self.head = "Host: %s\r\nAccept: application/json\r\nAuthorization: Bearer %s\r\n\r\n" % (server.host, token)

    def connect(self):
        self.socket = socket.create_connection(("127.0.0.1", self.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def receive(self):
        piece = self.socket.recv(1 << 18)
        if not piece:
            raise EOFError("the server has closed the connection")
        return piece

    def get(self, path):
        self.socket.sendall(("GET /api/v1%s HTTP/1.1\r\n%s" % (path, self.head)).encode())
        got = b""
        while b"\r\n\r\n" not in got:
            got += self.receive()
        head, _, body = got.partition(b"\r\n\r\n")
        length = int(re.search(rb"content-length: (\d+)", head, re.I).group(1))
        while len(body) < length:
            body += self.receive()
        assert head.startswith(b"HTTP/1.1 200"), head + body
        return body


def timed(f, n):
    """p50 and p99 in ms; of what is slow, fewer."""
    start = time.perf_counter()
    f(0)
    took = []
    for i in range(n if time.perf_counter() - start < .02 else max(20, n // 50)):
        start = time.perf_counter()
        f(i)
        took.append((time.perf_counter() - start) * 1e3)
    took.sort()
    return took[len(took) // 2], took[len(took) * 99 // 100]


# --- the yardstick: the same rows through a held connection ---------------------------------------------------------------

def varint(b, at):
    value = shift = 0
    while True:
        value |= (b[at] & 127) << shift
        at, shift, more = at + 1, shift + 7, b[at] & 128
        if not more:
            return value, at


class Yardstick:
    def __init__(self, store):
        self.catalog = sqlite3.connect("file:%s.catalog?mode=ro" % store, uri=True, isolation_level=None)
        self.store = sqlite3.connect("file:%s?mode=ro" % store, uri=True, isolation_level=None)
        for db in (self.catalog, self.store):
            db.execute("PRAGMA cache_size = -16384")

    def page(self, where, order, *values):
        """A page as somebody writes it who knows the tables."""
        sql = "SELECT %s FROM asset WHERE %s ORDER BY %s LIMIT 51" % (COLUMNS, where, order)
        return json.dumps(self.catalog.execute(sql, values).fetchall())

    def cells(self, condition):
        return ",".join(str(r[0]) for r in self.catalog.execute("SELECT cell FROM cell WHERE " + condition))

    def search(self, words):
        grams = " AND ".join('"%s"' % words[i:i + 3] for i in range(len(words) - 2))
        sql = "SELECT %s FROM words JOIN asset ON asset.docid = words.rowid WHERE words MATCH ? ORDER BY words.rowid LIMIT 51" % COLUMNS
        return json.dumps(self.catalog.execute(sql, (grams,)).fetchall())

    def body(self, entity):
        version = self.store.execute("SELECT * FROM version WHERE tenant_id = 1 AND entity_id = ? ORDER BY run_id DESC LIMIT 1", (entity,)).fetchone()
        return version, self.store.execute("SELECT dn, name, sid, state FROM body WHERE tenant_id = 1 AND entity_id = ? AND run_id = ?", (entity, version[7])).fetchone()

    def detail(self, connector, guid):
        """Every row that the answer is made of: the entity, its descriptor, its groups, its place and manager are looked up by name, which is left out here."""
        (entity,) = self.store.execute("SELECT entity_id FROM entity WHERE tenant_id = 1 AND connector_id = ? AND guid = ?", (connector, guid)).fetchone()
        rows = [self.body(entity)]
        links = self.store.execute("SELECT list FROM links WHERE tenant_id = 1 AND side = 3 AND entity_id = ? ORDER BY run_id DESC LIMIT 1", (entity,)).fetchone()
        at = last = 0
        while links and at < len(links[0]):
            step, at = varint(links[0], at)
            last += step
            rows.append(self.body(entity >> 32 << 32 | last >> 2))
        return json.dumps(rows, default=lambda b: b.hex())


# --- measuring -------------------------------------------------------------------------------------------------------------------

def questions(wire, yardstick, n):
    dice = random.Random(6)
    items = []
    for q in ("martin", "dupont", "zoe", "pc-0", "wei", "simon", "garcia", "noah"):
        items += json.loads(wire.get("/assets?limit=200&q=" + q))["items"]
    items = [i for i in items if i["connector"] == "corp" and i["kind"] == "user"]
    connectors = dict(yardstick.store.execute("SELECT name, connector_id FROM connector"))
    # objectGUID as it is on the wire: the first three fields little-endian
    guid = lambda uid: (lambda b: b[3::-1] + b[5:3:-1] + b[7:5:-1] + b[8:])(bytes.fromhex(uid.replace("-", "")))  # noqa: E731
    asset = [dice.choice(items) for _ in range(n)]
    number = [dice.randrange(100000) for _ in range(n)]
    disabled = yardstick.cells("kind = 5 AND enabled = 1 AND deleted = 0")
    without = yardstick.cells("mfa = 1 AND deleted = 0")
    return [
        ("list, filter", lambda i: wire.get("/assets?kind=user&enabled=no&limit=50"), lambda i: yardstick.page("cell IN (%s)" % disabled, "docid")),
        ("list, filter, by sign-in", lambda i: wire.get("/assets?mfa=no&sort=-last_sign_in&limit=50"),
         lambda i: yardstick.page("cell IN (%s)" % without, "last_sign_in DESC, docid DESC")),
        ("search", lambda i: wire.get("/assets?limit=50&q=martin%d" % number[i]), lambda i: yardstick.search("martin%d" % number[i])),
        ("facets", lambda i: wire.get("/assets/facets?kind=user"), lambda i: json.dumps(yardstick.catalog.execute("SELECT kind, sum(n) FROM cell GROUP BY kind").fetchall())),
        ("detail", lambda i: wire.get("/assets/%s/%s" % (asset[i]["connector"], asset[i]["uid"])), lambda i: yardstick.detail(connectors[asset[i]["connector"]], guid(asset[i]["uid"]))),
    ]


def who_can(wire, n):
    group = json.loads(wire.get("/assets?kind=group&q=Domain%20Admins"))["items"][0]
    path = "/access/who-can?connector=%s&target=%s&right=WRITE_DAC&limit=50" % (group["connector"], group["uid"])
    start = time.perf_counter()
    wire.get(path)
    first = time.perf_counter() - start
    p50, p99 = timed(lambda i: wire.get(path), n)
    print("who-can                      first %.2f s, then p50 %.2f ms, p99 %.2f ms" % (first, p50, p99))


def export(server, token):
    for form in "csv", "json":
        start, n = time.perf_counter(), 0
        asked = urllib.request.Request("%s/api/v1/assets/export?format=%s" % (server.origin, form), headers={"Authorization": "Bearer " + token})
        with urllib.request.urlopen(asked) as answer:
            while piece := answer.read(1 << 20):
                n += len(piece)
        took = time.perf_counter() - start
        print("export, all as %-4s          %.1f s, %.0f MB, %.0f MB/s" % (form, took, n / 1e6, n / 1e6 / took))


def table(what, asked, n):
    for name, ours, theirs in asked:
        ours(0), theirs(0)
        b50, b99 = timed(theirs, n)
        a50, a99 = timed(ours, n)
        print("%-28s p50 %7.2f ms (%5.2f ms, %4.1fx)   p99 %7.2f ms (%5.2f ms, %4.1fx)   %s" % (name, a50, b50, a50 / b50, a99, b99, a99 / b99, what), flush=True)


class Running:
    """Another run of the domain, and the catalog's refresh, as a sync does them, until it is told to stop."""

    def __init__(self, tool, store):
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run, args=(tool, store))

    def run(self, tool, store):
        n = 1000
        while not self.stop.is_set():
            n += 1000
            for step in (["again", store, str(n)], ["refresh", store]):
                p = subprocess.Popen([tool] + step, stdout=subprocess.DEVNULL)
                while p.poll() is None:
                    time.sleep(.05)

    def __enter__(self):
        self.thread.start()
        time.sleep(1)

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()


def first_view(server):
    """In a browser with an empty cache; the first of them also starts the browser's own machinery."""
    name, value = "__Host-rollcall", server.admin.cookie
    told = subprocess.run(["node", os.path.join(ROOT, "bench", "first_view.mjs"), server.url, name, value], check=True, stdout=subprocess.PIPE, text=True).stdout
    for what, took in json.loads(told).items():
        print("first view, %-6s            median %d ms, worst %d ms of %d, from the address to a page that can be used" % (what, sorted(took)[len(took) // 2], max(took), len(took)))


def bench(rollcall, scratch):
    assets, n = int(os.environ.get("BENCH_ASSETS", "1000000")), int(os.environ.get("BENCH_N", "1000"))
    tool = os.path.join(os.path.dirname(rollcall), "bench", "bench-catalog")
    store = os.path.join(scratch, "rollcall.db")
    if not os.path.exists(store):
        print(subprocess.run([tool, "make", store, str(assets)], check=True, stdout=subprocess.PIPE, text=True).stdout.strip())
    print(subprocess.run([tool, "refresh", store], check=True, stdout=subprocess.PIPE, text=True).stdout.strip(), "(catalog of %d assets, first time)" % assets)
    server = Server(directory=scratch, users=("admin", "analyst"))
    token = server.admin.post("/tokens", {"name": "bench", "role": "analyst", "expires_days": 1})["token"]
    time.sleep(2)
    print("idle memory of serve         %.1f MiB" % server.rss_mib())
    wire, yardstick = Wire(server, token), Yardstick(store)
    asked = questions(wire, yardstick, n)
    print("question                     over HTTP (yardstick: the same rows through a held sqlite3 connection, as JSON; HTTP / yardstick)")
    table("alone", asked, n)
    who_can(wire, min(n, 200))
    export(server, token)
    first_view(server)
    wire.connect()  # an idle connection was closed meanwhile
    with Running(tool, store):
        table("during a run", asked, n)
    print("memory of serve afterwards   %.1f MiB" % server.rss_mib())
    time.sleep(35)
    wire.connect()
    wire.get("/assets?limit=1")
    print("... and idle for 35 s        %.1f MiB" % server.rss_mib())
    server.stop()


if __name__ == "__main__":
    try:
        bench(harness.ROLLCALL, os.environ.get("BENCH_DIR") or harness.scratch())
    finally:
        harness.close_all()
