"""fleet - simulated tenants side by side, each with a store that is put back before every attempt: for tests that break things.
"""
import concurrent.futures
import json
import os
import queue
import random
import re
import shutil

import harness
from harness import ROOT, SOAK, is_sanitized, measured, rollcall, scratch, write  # noqa: F401 (some are the tests')
from tenant import SECRET, Tenant

DRIVE = os.path.join(os.path.dirname(harness.ROLLCALL), "src", "source", "source-drive")
SANITIZED = os.path.join(ROOT, "build-asan", "rollcall")
if "ROLLCALL" in os.environ or not os.path.exists(SANITIZED):
    SANITIZED = harness.ROLLCALL
SMALL = dict(users=40, groups=6, memberships=120, devices=5, servicePrincipals=4, administrativeUnits=2, contacts=2, role_assignments=10)
PAGES = {"report_page_cap": 10, "delta_page": 5}
SHORT = {"page_size": 10, "connect_timeout": "2s", "answer_timeout": "2s", "run_timeout": "20s"}
RSS_MIB = 256
# Where a fault can be put: every collection of a full run, and the delta queries of the next one.
FULL = ["/organization", "/domains", "/users", "/groups", "/groups/{id}/members", "/groups/{id}/owners", "/directory/administrativeUnits",
        "/directory/administrativeUnits/{id}/members", "/servicePrincipals", "/devices", "/contacts", "/roleManagement/directory/roleDefinitions",
        "/roleManagement/directory/roleAssignments", "/roleManagement/directory/roleEligibilityScheduleInstances",
        "/reports/authenticationMethods/userRegistrationDetails", "/users/{id}/authentication/methods", "/users/delta", "/groups/delta"]
DELTA = ["/users/delta", "/groups/delta", "/directory/administrativeUnits/delta", "/users", "/groups", "/groups/{id}/members"]


# --- a tenant, and the store to start from -----------------------------------------------------------------------

def entities_of(config):
    return next(k["counts"]["user"] for k in rollcall("connector", "list", "-o", "json", config=config).json())


def entities(config):
    """uid -> (is deleted, everything else that is visible)."""
    out = {}
    for e in rollcall("entity", "list", "--deleted", "-o", "jsonl", config=config).lines():
        gone = bool(e.pop("deleted", None))
        for name in ("first_seen", "last_changed"):
            e.pop(name, None)
        e["member_of"] = sorted((g["uid"], g["via"]) for g in e["member_of"])
        out[e["kind"], e["uid"]] = gone, json.dumps(e, sort_keys=True)
    return out


def state(config):
    changes = []
    for c in rollcall("change", "list", "-o", "jsonl", config=config).lines():
        c.pop("run"), c.pop("time")
        changes.append(json.dumps(c, sort_keys=True))
    return entities(config), sorted(changes)


def difference(a, b):
    """What to look at first, of two states."""
    (ea, ca), (eb, cb) = a, b
    out = []
    for k in [k for k in sorted(set(ea) | set(eb)) if ea.get(k) != eb.get(k)][:4]:
        one, other = ({"deleted": x[k][0], **json.loads(x[k][1])} if k in x else {} for x in (ea, eb))
        one.update(one.pop("attributes", {})), other.update(other.pop("attributes", {}))
        out.append((k, {n: (one.get(n), other.get(n)) for n in set(one) | set(other) if one.get(n) != other.get(n)}))
    return {"entities": out, "changes": (sorted(set(ca) - set(cb))[:3], sorted(set(cb) - set(ca))[:3])}


class Boat:
    """A tenant of its own with a store from before its last piece of history; each storm sails with a copy of that store."""

    def __init__(self, seed):
        self.tenant = Tenant(seed=seed, knobs=dict(PAGES), **SMALL)
        self.port = scratch()
        self.harbour = self.config(self.port)
        rollcall("sync", "cloud", config=self.harbour)
        self.tenant.advance(40)
        self.before = state(self.harbour)
        self.want = {}
        for full in (True, False):
            r = self.run(full)
            assert r.code == 0, r
            self.want[full] = state(self.at)
            shutil.rmtree(os.path.dirname(self.at))
        assert self.want[True] != self.before != self.want[False]

    def config(self, directory, **keys):
        return self.tenant.config(directory, **dict(SHORT, **keys))

    mark = 0

    def run(self, full=True, verb="sync", env=None, binary=None, **keys):
        """A run with a copy of the store, which is at self.at then."""
        d = scratch()
        shutil.copytree(self.port, d, dirs_exist_ok=True)
        self.at = self.config(d, **keys)
        args = (verb, "cloud") + (("--full",) if full and verb == "sync" else ())
        self.mark = self.last()
        if binary:
            return measured(*args, config=self.at, binary=binary, env=env)
        return rollcall(*args, config=self.at, code=None, env=env)

    def last(self):
        return max([e["n"] for e in self.tenant.log(service=None)] or [0])

    def log(self):
        return self.tenant.log(since=self.mark, service=None)

    def log_now(self):
        return self.tenant.log(since=self.mark)

    def storm(self, faults, full=True, **keys):
        self.tenant.set(faults=faults if isinstance(faults, list) else [faults])
        try:
            return self.run(full, **keys)
        finally:
            self.tenant.set(faults=[])

    def drop(self):
        shutil.rmtree(os.path.dirname(self.at), ignore_errors=True)

    # what must hold

    def unharmed(self, r):
        """A failed run: named, and the store is as it was before."""
        assert r.code in (1, 4, 6), r
        sound(r)
        now = state(self.at)
        assert now == self.before, (r, difference(self.before, now))
        status = rollcall("run", "list", "-o", "json", config=self.at).json()[0]["status"]
        assert status == "failed", status
        self.drop()

    def whole(self, r, full=True):
        assert r.code == 0, r
        sound(r)
        now = state(self.at)
        assert now == self.want[full], (r, difference(self.want[full], now))
        self.drop()

    def partial(self, r, full=True):
        """A run with losses: told, and nobody is deleted who was not."""
        assert r.code == 5 and "gap (loss)" in r.err, r
        sound(r)
        gone = {k for k, (is_gone, _) in entities(self.at).items() if is_gone}
        truly = {k for k, (is_gone, _) in self.want[full][0].items() if is_gone}
        assert gone <= truly, "deleted without proof: %s\n%r" % (sorted(gone - truly), r)
        self.drop()


def sound(r):
    """Whatever the service did: no crash, no noise on the terminal, a sentence in every line, nothing secret."""
    for bad in ("ended by signal", "ended (status", "Assertion", "Sanitizer", "runtime error:", "Traceback", "not UTF-8", SECRET, "eyJ"):
        assert bad not in r.err and bad not in r.out, r
    strange = re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\udc80-\udcff]", r.err)
    assert not strange, "control or bidirectional character on the terminal: %r" % r.err
    for line in r.err.splitlines():
        assert re.match(r"rollcall: |  fix: |  gap \(|    fix: |  and \d+ gaps more", line), r
    assert r.code == 0 or "rollcall: sync" in r.err or "gap (loss)" in r.err, r


class Fleet:
    """Boats that sail a table side by side: most of a storm is waiting."""

    def __init__(self, n):
        with concurrent.futures.ThreadPoolExecutor(n) as pool:
            self.boats = list(pool.map(Boat, range(1, n + 1)))

    def sail(self, table, f):
        free = queue.Queue()
        for b in self.boats:
            free.put(b)

        def one(row):
            boat = free.get()
            try:
                f(boat, row)
            except Exception as e:
                return "%s: %s: %s" % (str(row)[:300], type(e).__name__, str(e)[:2500])
            finally:
                free.put(boat)
            return None
        with concurrent.futures.ThreadPoolExecutor(len(self.boats)) as pool:
            bad = [r for r in pool.map(one, table) if r]
        for b in self.boats:
            assert not b.tenant.errors() and b.tenant.process.poll() is None, (b.tenant.process.poll(), b.tenant.errors()[-3000:], bad)
            assert not b.tenant.foreign(), b.tenant.foreign()
        assert not bad, "%d of %d failed:\n%s" % (len(bad), len(table), "\n".join(bad[:12]))


_fleet = []


def fleet():
    if not _fleet:
        _fleet.append(Fleet(7))
    return _fleet[0]


def some(table, n, seed=1, soak=1500):
    """A seeded choice; in soak nearly all of it."""
    n = soak if SOAK else n
    return table if len(table) <= n else random.Random(seed).sample(table, n)
