#!/usr/bin/python3
"""changes_test.py - an incremental run emits exactly the changes that happened, once, and ends in the state of a full run.

On a real domain controller. The oracle is a store that is synced whole after each step: proved elsewhere, and it asks the directory
nothing about what changed. The rows of changes_table.py are carried out step by step, here all of a group at once, under soak one by one.
"""
# budget: 240 1500
import collections
import concurrent.futures
import os
import threading

from changes_table import FIELD, LAGGING, LAGS, ORACLE
from domain import SECURITY, UNIVERSAL, Domain
from harness import SOAK, Lab, case, main
from twin import Store, difference, state_difference

CUSTOM = "    custom_properties:\n      - {name: roomNumber, kind: user, type: string_list}\n      - {name: rollcallBadge, kind: user, type: string}\n"
IDLE_REQUESTS = 10


# --- the table, step by step -------------------------------------------------------------------------------------

Store.lagging = (LAGGING, LAGS)


def store(*args, **keys):
    return Store(lab, *args, extra=CUSTOM, **keys)


class Row:
    def __init__(self, name, f):
        self.name, self.f, self.names, self.want = name, f, set(), ORACLE

    def prepare(self):
        domain.names.clear()
        self.steps = self.f(domain)
        next(self.steps)
        self.names = set(domain.names)

    def advance(self):
        """False when the row has no more steps."""
        domain.names.clear()
        try:
            self.want = next(self.steps)
        except StopIteration:
            return False
        self.names |= set(domain.names)
        return True

    def check(self, store):
        """The changes of its objects against what the row itself says."""
        if self.want is ORACLE:
            return
        want = collections.Counter(tuple(w) for w in self.want)
        got = collections.Counter((c["kind"], c["name"], c["change"], c.get("attribute", "")) + ((c["member"],) if "member" in c else ())
                                  for c in store.changes if c["name"] in self.names or c.get("member") in self.names)
        if want != got:
            yield "%s: %s: wanted %s, got %s" % (store.name, self.name, sorted((want - got).elements()), sorted((got - want).elements()))


def everywhere(f, stores):
    """f of each store, a few at a time; the first exception comes out."""
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        return list(pool.map(f, stores))


class World:
    def __init__(self):
        # the reader sees no deleted object on this server; Administrator does
        self.full = [store("reader, full", "full"), store("administrator, full", "full", admin=True),
                     store("base, full", "full", base_dn=domain.here, extract_disabled_users=False)]
        reader, admin, base = self.full
        self.stores = [store("reader, dirsync", "dirsync", reader), store("administrator, usn", "usn", admin, admin=True),
                       store("base, usn", "usn", base, **base.settings)]
        if SOAK:
            self.stores += [store("reader, usn", "usn", reader), store("administrator, dirsync", "dirsync", admin, admin=True),
                            store("base, auto", "auto", base, **base.settings)]
        self.bad = []

    def baseline(self):
        everywhere(Store.sync, self.full + self.stores)
        for s in self.full + self.stores:
            assert s.run["mode"] == "full", (s.name, s.run)

    def advance(self, row):
        try:
            return row.advance()
        except Exception as e:  # the others go on
            self.bad.append("%s: the change itself failed: %s" % (row.name, e))
            return False

    def step(self, rows, title):
        """One step of each row at the domain controller, one sync of each store, and everything that must hold then. False: no more steps."""
        rows = [r for r in rows if self.advance(r)]
        if rows:
            everywhere(Store.sync, self.full + self.stores)
            self.compare(title)
            for s in (self.full[0], self.stores[0]):
                self.bad += ["%s: %s" % (title, line) for r in rows for line in r.check(s)]
        return bool(rows)

    def compare(self, title, changes=True):
        states = dict(zip([s.name for s in self.full], everywhere(Store.state, self.full)))
        for s in self.stores:
            whole = [g["what"] for g in s.run["gaps"] if g["what"].startswith("full run: ")]
            if whole != (["full run: the domain object itself changed"] if s.run["mode"] == "full" else []):
                self.bad.append("%s: %s: mode %s: %s" % (title, s.name, s.run["mode"], whole))
            if changes and s.told() != s.oracle.told():
                self.bad.append("%s: %s: changes differ from a full run's\n   %s" % (title, s.name, difference(s.told(), s.oracle.told())))
            gone = {c["evidence"] for c in s.changes if c["change"] == "deleted"}
            if not gone <= {"vanished"} and not s.admin:
                self.bad.append("%s: %s: evidence %s, which it cannot have" % (title, s.name, gone))
        for s, seen in zip(self.stores, everywhere(Store.state, self.stores)):
            if seen != states[s.oracle.name]:
                self.bad.append("%s: %s: state differs from a full run's\n   %s" % (title, s.name, state_difference(seen, states[s.oracle.name])))

    def idle(self, title):
        everywhere(Store.sync, self.stores)
        for s in self.stores:
            counts = [n for n in s.run["counts"].values() if n["created"] or n["changed"] or n["deleted"]]
            if s.changes or counts:
                self.bad.append("%s: %s: an idle run tells again: %s %s" % (title, s.name, s.changes[:3], counts))
            if s.run["mode"] != "incremental" or s.run["requests"] > IDLE_REQUESTS:
                self.bad.append("%s: %s: an idle run costs %d requests (%s)" % (title, s.name, s.run["requests"], s.run["mode"]))

    def done(self):
        bad, self.bad = self.bad, []
        assert not bad, "%d failures:\n%s" % (len(bad), "\n".join(bad[:40]))


os.environ["EXTRA_CONF"] = "\tdsdb:schema update allowed = true"
lab = Lab()
domain = Domain(lab)
TOP = "OU=Changes," + lab.base
domain.here, domain.there = "OU=Here," + TOP, "OU=There," + TOP
domain.reader = domain.sid("CN=svc-rollcall,OU=Service Accounts," + lab.base)
field = {group: [Row(*r) for r in rows] for group, rows in FIELD.items()}
world = None


def play(group):
    rows = field[group]
    start()
    for some in [[r] for r in rows] if SOAK else [rows]:  # alone, so that no row's reading helps another
        n, title = 1, "%s, step %%d" % (some[0].name if SOAK else group)
        while world.step(some, title % n):
            n += 1
        world.idle(title % n)
    world.done()


def start():
    """Everybody's objects, and each store's first run."""
    global world
    if world:
        return world
    with domain.prepare():
        for name in ("Changes", "Here", "There"):
            domain.ou(name, lab.base if name == "Changes" else TOP)
        for rows in field.values():
            for r in rows:
                r.prepare()
    world = World()
    world.baseline()
    return world


@case("the baseline of each store is a full run, the next tells nothing")
def _():
    start().idle("baseline")
    world.done()


@case("objects, names, memberships, states: %d rows" % len(FIELD["plain"]))
def _():
    play("plain")


@case("organizational units and containers with what is below them: %d rows" % len(FIELD["tree"]))
def _():
    play("tree")


@case("the domain object: its password policy, its descriptor: %d rows" % len(FIELD["policy"]))
def _():
    play("policy")


@case("changes while runs are under way: none is lost, none is told twice")
def _():
    start()
    group = domain.group("c.race.team", domain.there)
    stop, turn = threading.Event(), [0]

    def change():
        while not stop.is_set():
            n = turn[0] = turn[0] + 1
            u = domain.user("c.race%d" % n, domain.here)
            domain.add(group, member=u)
            domain.set(u, title="Racer %d" % n)
            if n % 3 == 1:
                domain.move(u, "CN=c.race%d," % n + domain.there)
            if n % 3 == 2:
                domain.delete(u)
    racer = threading.Thread(target=change)
    stores = world.stores if SOAK else world.stores[:2]
    told = {s.name: [] for s in stores}
    racer.start()
    try:
        for i in range(8 if SOAK else 2):
            for s in stores:
                s.sync(*(["--full"] if i == 1 else []))
                told[s.name] += s.changes
    finally:
        stop.set()
        racer.join()
    everywhere(Store.sync, world.full + world.stores)
    world.compare("race", changes=False)
    for s in stores:
        told[s.name] += s.changes
        members = [(c["change"], c["member"]) for c in told[s.name] if c["name"] == "c.race.team" and "member" in c]
        twice = [x for x, n in collections.Counter(members).items() if n > 1]
        titles = collections.Counter(c["uid"] for c in told[s.name] if c.get("attribute") == "title")
        born = collections.Counter(c["uid"] for c in told[s.name] if c["change"] == "created" and c["kind"] == "user")
        if twice or [u for u, n in (titles + born).items() if n > 2]:
            world.bad.append("%s: told twice: %s %s %s" % (s.name, twice[:5], titles.most_common(3), born.most_common(3)))
        if sum(born.values()) + s.admin < turn[0] // 3:
            world.bad.append("%s: %d of at least %d creations" % (s.name, sum(born.values()), turn[0] // 3))
    world.idle("race")
    world.done()


@case("in the end: a fresh store is the same, and a full run finds no drift")
def _():
    for s in start().stores:
        fresh = store(s.name + ", fresh", "full", admin=s.admin, **s.settings)
        fresh.sync()
        seen, want = s.state(), fresh.state()
        if seen != want:
            world.bad.append("%s: not as a fresh store:\n   %s" % (s.name, state_difference(seen, want)))
        run = s.sync("--full")
        if run["mode"] != "full" or s.changes:
            world.bad.append("%s: a full run after all: %s %s" % (s.name, run["mode"], s.changes[:5]))
        world.bad += ["%s: %s" % (s.name, g) for g in run["gaps"] if g["what"].startswith("drift:")]
    world.done()


def big_group(d):
    """One of 4,000 members, who are contacts: quick to read, and there are no users of so many."""
    who = [d.create("CN=c.big%04d,%s" % (i, d.there), "contact") for i in range(4001)]
    g = d.group("c.big", d.there, *who[:-1], kind=UNIVERSAL | SECURITY)
    yield
    d.remove(g, member=who[17])
    yield [("group", "c.big", "member_removed", "member", "c.big0017")]
    d.add(g, member=[who[17], who[4000]])
    d.delete(who[0])
    yield [("contact", "c.big0000", "deleted", ""), ("group", "c.big", "member_removed", "member", "c.big0000"),
           *[("group", "c.big", "member_added", "member", n) for n in ("c.big0017", "c.big4000")]]


@case("members of a group of 4,000")
def _():
    del start().full[1:]
    world.stores = [s for s in world.stores if s.oracle is world.full[0]]
    r = Row("big group", big_group)
    with domain.prepare():
        r.prepare()
    everywhere(Store.sync, world.full + world.stores)
    world.compare("big group, created")
    n = 1
    while world.step([r], "big group, step %d" % n):
        n += 1
    world.done()


main()
