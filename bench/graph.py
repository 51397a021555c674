"""graph.py - a whole simulated tenant, 50 ms an answer, against the design that asks three questions for every user.

graph         requests and wall of a first sync, with 1 and with 16 requests at once, against memberOf, transitiveMemberOf and
              authentication/methods of 1,000 users, extrapolated; a day of 500 changes; a projection under Microsoft's published limits
graph-memory  peak resident memory and CPU per user at 1,000,000 users against 100,000
"""
import http.client
import json
import os
import queue
import ssl
import threading
import time
import urllib.parse

from tenant import Tenant

USERS, GROUPS, MEMBERSHIPS, LATENCY_MS = 20000, 4000, 200000, 50
ASKED = 1000  # users whose three questions are really asked


class Described:
    """The described design, by hand: connections that are kept, nothing else to do than to ask."""

    def __init__(self, tenant, at_once):
        self.tenant, self.at_once, self.requests = tenant, at_once, 0
        self.lock = threading.Lock()
        self.headers = {"Authorization": "Bearer " + tenant.token(), "ConsistencyLevel": "eventual"}

    def connection(self):
        u = urllib.parse.urlsplit(self.tenant.graph)
        return http.client.HTTPSConnection(u.hostname, u.port, timeout=120, context=ssl.create_default_context(cafile=self.tenant.ca))

    def ask(self, c, path):
        while path:
            c.request("GET", path, headers=self.headers)
            r = c.getresponse()
            body = json.loads(r.read())
            assert r.status == 200, (r.status, path, body)
            with self.lock:
                self.requests += 1
            link = body.get("@odata.nextLink")
            u = urllib.parse.urlsplit(link) if link else None
            path = u.path + "?" + u.query if u else None
            yield body["value"]

    def users(self):
        """Pages of 100, as that design reads them; only as many as are needed."""
        c, ids = self.connection(), []
        for page in self.ask(c, "/v1.0/users?$select=id,displayName&$count=true&$orderby=createdDateTime"):
            ids += [u["id"] for u in page]
            if len(ids) >= ASKED:
                return ids[:ASKED]
        return ids

    def run(self):
        """(wall, requests) of the whole tenant, extrapolated."""
        ids, work = self.users(), queue.SimpleQueue()
        self.requests = 0
        for i in ids:
            work.put(i)

        def worker():
            c = self.connection()
            while True:
                try:
                    i = work.get_nowait()
                except queue.Empty:
                    return
                for path in ("memberOf", "transitiveMemberOf/microsoft.graph.directoryRole?$count=true", "authentication/methods"):
                    for _ in self.ask(c, "/v1.0/users/%s/%s" % (i, path)):
                        pass

        t = time.monotonic()
        threads = [threading.Thread(target=worker) for _ in range(self.at_once)]
        for x in threads:
            x.start()
        for x in threads:
            x.join()
        took, factor = time.monotonic() - t, USERS / len(ids)
        pages = USERS / 100
        return took * factor + pages * LATENCY_MS / 1000, self.requests * factor + pages


def ratio(text, ours, theirs, goal, unit):
    r = theirs / ours
    print("  %-52s %9.1f %-8s against %9.1f  %7.1fx less  (goal: at least %gx)%s"
          % (text, ours, unit, theirs, r, goal, "" if r >= goal else "   MISSED"), flush=True)


def sync(measure, binary, work, config, *args):
    out = os.path.join(work, "out")
    use = measure([binary, "sync", "cloud", "-o", "json", *args, "--config", config], out)
    with open(out) as f:
        return use, json.load(f)


def project(users, groups):
    """Wall at 100,000 users under the published limits: the larger of what latency, units and the reports' quota ask for."""
    requests = users / 999 + groups / 999 + 2 * groups + 10
    units = users / 999 * 1 + groups * (2 + 1) + 50
    reports = users / 999 + users / 500
    latency, quota, slow = requests * 0.150 / 16, units / 800, reports / 0.5
    print("  projection, not measured: 100,000 users, 20,000 groups, 150 ms an answer, 16 at once, 8,000 units and 5 reports in 10 s:\n"
          "  %.0f requests; latency %.1f min, directory quota %.1f min, reports quota %.1f min beside them -> about %.0f min"
          % (requests + reports, latency / 60, quota / 60, slow / 60, max(latency, quota, slow) / 60))


def bench(measure, binary, work, rounds):
    print("Entra ID, simulated tenant: %d users, %d groups, %d memberships, %d ms an answer" % (USERS, GROUPS, MEMBERSHIPS, LATENCY_MS))
    with Tenant(users=USERS, groups=GROUPS, memberships=MEMBERSHIPS, knobs={"latency_ms": LATENCY_MS}) as t:
        described = {n: Described(t, n).run() for n in (1, 16)}
        for n in (16, 1):
            t.reset_counters()
            config = t.config(tempdir(work, str(n)), parallel=n)
            use, run = sync(measure, binary, work, config)
            assert run["status"] == "complete" and run["counts"]["user"]["read"] >= USERS, run
            c = t.counters()
            asked = c["total"] - c["batches"] + c["batch_parts"]
            if n == 16:
                ratio("requests", asked, described[1][1], 6, "")
                ratio("wall, 16 at once against one after another", use.wall, described[1][0], 25, "s")
                print("  CPU of all processes: %.0f us a user" % (use.cpu / USERS * 1e6))
            ratio("wall, %d at once against %d at once" % (n, n), use.wall, described[n][0], 4, "s")
            if n == 16:
                t.advance(500)
                t.reset_counters()
                use, run = sync(measure, binary, work, config)
                day = t.counters()
                print("  a day's 500 changes: %d requests (%.3fx of a full run), %.1f s, mode %s"
                      % (day["total"], day["total"] / asked, use.wall, run["mode"]))
    project(100000, 20000)


def tempdir(work, name):
    d = os.path.join(work, name)
    os.makedirs(d, exist_ok=True)
    return d


def bench_memory(measure, binary, work, users):
    print("Entra ID memory: simulated tenants, both processes sampled, first sync")
    seen = []
    for n in (users // 10, users):
        with Tenant(users=n, groups=2000, memberships=200000) as t:
            config = t.config(tempdir(work, "m%d" % n), answer_timeout="300s", mfa_methods_time="1s")
            out = os.path.join(work, "out")
            use = measure([binary, "sync", "cloud", "-o", "json", "--config", config], out, sample=True)
            seen.append((n, use))
            print("  %9d users: %6.1f MiB, %6.1f us CPU a user, %.0f s" % (n, use.rss / 1024, use.cpu / n * 1e6, use.wall), flush=True)
    r = seen[1][1].rss / seen[0][1].rss
    print("  growth %.2fx (goal: at most 1.25x), peak %.0f MiB (goal: under 192)%s"
          % (r, seen[1][1].rss / 1024, "" if r <= 1.25 and seen[1][1].rss < 192 << 10 else "   MISSED"))
