"""incremental.py - what a run of 100 changes, and of none, costs against a full run: a real domain controller with 20,000 users."""
import json
import os

import harness
from domain import DISABLED, Domain

CHANGES = 100


def change(domain, users, group, turn):
    """A hundred changes of a normal day: 50 attributes, 15 memberships, 10 disabled, 10 renamed, 8 born, 7 gone."""
    mine = users[turn * CHANGES:(turn + 1) * CHANGES]
    for u in mine[:50]:
        domain.set(u, title="Turn %d" % turn)
    for u in mine[50:65]:
        domain.add(group, member=u)
    for u in mine[65:75]:
        domain.set(u, userAccountControl=DISABLED)
    for u in mine[75:85]:
        domain.move(u, u.replace("CN=", "CN=renamed ", 1))
    for i in range(8):
        domain.user("born.%d.%d" % (turn, i), mine[0].split(",", 1)[1])
    for u in mine[93:]:
        domain.delete(u)


def bench(measure, binary, work, rounds):
    print("incremental against full, real domain controller, 20,000 users, %d changes, best of %d rounds" % (CHANGES, rounds))
    lab = harness.Lab(mode="big")
    domain = Domain(lab)
    users = [str(u.dn) for u in domain.db.search(lab.base, expression="(&(sAMAccountType=805306368)(employeeID=*)(!(userAccountControl=514)))",
                                                 attrs=["cn"]) if "\\" not in str(u.dn)]
    with domain.prepare():
        group = domain.group("b.team", "CN=Users," + lab.base)

    def run(config, name, *args):
        out = os.path.join(work, "out")
        use = measure([binary, "sync", "corp", "-o", "json", *args, "--config", config], out)
        with open(out) as f:
            use.run = json.load(f)
        use.requests, use.bytes = use.run["requests"], use.run["bytes"]
        assert use.run["mode"] == name, use.run
        return use
    turn, results = 0, {}
    for method in ("dirsync", "usn"):
        directory = os.path.join(work, method)
        os.mkdir(directory)
        config = lab.config(directory, incremental=method)
        run(config, "full")
        run(config, "incremental")
        for _ in range(rounds):
            change(domain, users, group, turn)
            results.setdefault("%d changes, %s" % (CHANGES, method), []).append(run(config, "incremental"))
            results.setdefault("none, %s" % method, []).append(run(config, "incremental"))
            turn += 1
    for _ in range(rounds):
        results.setdefault("full", []).append(run(config, "full", "--full"))
    keys = ("requests", "bytes", "wall", "cpu")
    best = {name: {k: min(getattr(u, k) for u in uses) for k in keys} for name, uses in results.items()}
    print("  %-24s %10s %14s %10s %10s" % ("", "requests", "bytes", "wall s", "cpu s"))
    for name, b in best.items():
        print("  %-24s %10d %14d %10.3f %10.3f" % (name, *(b[k] for k in keys)))
    for name, b in best.items():
        if name != "full":
            print("  %-24s %9.3fx %13.4fx %9.3fx %9.3fx   of a full run" % (name, *(b[k] / best["full"][k] for k in keys)))
    lab.stop()
