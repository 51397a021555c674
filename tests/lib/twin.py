"""twin - stores of one directory that are held against each other: what their last runs told, and what they show.
"""
import collections
import json
import os

from harness import rollcall, scratch

# what moves by itself or is not replicated, so that no change stamp tells of it
VOLATILE = ("lastLogon", "logonCount", "badPwdCount", "badPasswordTime", "last_logon", "last_logon_source")


class Store:
    """A store of its own and the settings it is synced by."""

    lagging = ("", ())  # names that begin so may lag behind in these

    def __init__(self, lab, name, mode, oracle=None, admin=False, extra="", **settings):
        self.lab, self.name, self.mode, self.oracle, self.admin = lab, name, mode, oracle, admin
        self.extra, self.settings, self.dir = extra, settings, scratch()
        self.write()

    def write(self, **settings):
        """The settings file, with other settings as well."""
        self.settings.update(settings)
        keys = dict(self.settings)
        if self.admin:
            keys.update(username=self.lab.admin, password="file:" + self.lab.admin_pw_file)
        if self.mode != "full":
            keys["incremental"] = self.mode
        self.config = self.lab.config(self.dir, extra=self.extra, **keys)

    def sync(self, *args):
        full = ["--full"] if self.mode == "full" else []
        r = rollcall("sync", "corp", "-o", "json", *full, *args, config=self.config, code=None)
        assert r.code in (0, 5), (self.name, r)
        self.run = r.json()
        self.changes = rollcall("change", "list", "--run", str(self.run["id"]), "-o", "jsonl", config=self.config).lines()
        return self.run

    def told(self):
        """The changes of the last run without what belongs to the run and not to the change."""
        return collections.Counter(json.dumps({k: v for k, v in c.items() if k not in ("run", "time", "evidence")}, sort_keys=True, ensure_ascii=False)
                                   for c in self.changes)

    def state(self):
        return state(self.config, *self.lagging)


def state(config, lagging="", lags=()):
    """Everything that is visible, an entity a line, by uid; and the memberships as the export has them."""
    seen = {}
    for e in rollcall("entity", "list", "-o", "jsonl", config=config).lines():
        for k in ("first_seen", "last_changed"):
            e.pop(k, None)
        for k in (*VOLATILE, *(lags if e.get("name", "").startswith(lagging) else ())):
            e["attributes"].pop(k, None), e["derived"].pop(k, None)
        e["member_of"] = sorted((g["uid"], g["via"], g["name"]) for g in e["member_of"])
        seen[e["uid"]] = json.dumps(e, sort_keys=True, ensure_ascii=False)
    out = os.path.join(scratch(), "csv")
    rollcall("export", "--connector", "corp", "--dialect", "csv", "--to", out, config=config)
    with open(os.path.join(out, "memberships.csv")) as f:
        seen["memberships"] = "".join(sorted(f))
    return seen


def difference(a, b, limit=6):
    """What a has and b has not, and the other way, short."""
    lines = ["%s %s" % (sign, text[:400]) for sign, x, y in (("only:", a, b), ("missing:", b, a)) for text in sorted((x - y).elements())]
    return "\n   ".join(lines[:limit] + (["... %d in all" % len(lines)] if len(lines) > limit else []))


def state_difference(a, b, limit=6):
    lines = []
    for uid in sorted(set(a) | set(b)):
        x, y = a.get(uid), b.get(uid)
        if x == y:
            continue
        if uid == "memberships":
            x, y = set(x.splitlines()), set(y.splitlines())
            lines += ["membership only here: " + m for m in sorted(x - y)[:2]] + ["membership missing: " + m for m in sorted(y - x)[:2]]
        elif x is None or y is None:
            lines.append(("missing: " + y[:200]) if x is None else "should not be there: " + x[:200])
        else:
            x, y = json.loads(x), json.loads(y)
            part = {k: (x.get(k), y.get(k)) for k in sorted(set(x) | set(y)) if x.get(k) != y.get(k)}
            for k in ("attributes", "derived"):
                if k in part:
                    part[k] = {n: (part[k][0].get(n), part[k][1].get(n)) for n in set(part[k][0]) | set(part[k][1])
                               if part[k][0].get(n) != part[k][1].get(n)}
            lines.append("%s differs (here, full): %s" % (x["dn"], json.dumps(part, ensure_ascii=False)[:300]))
    return "\n   ".join(lines[:limit] + (["... %d in all" % len(lines)] if len(lines) > limit else []))
