"""access.py - the sets of the access engine on a generated directory, against one plain-bitset pass over the same sets.

BENCH_ACCESS="users groups memberships objects descriptors" changes the size (default 1000000 200000 10000000 100000 2000).
"""
import os
import subprocess


def verdict(text, value, goal, form, is_ok):
    print("  %-52s %s   (goal: %s)%s" % (text, form % value, goal, "" if is_ok else "   MISSED"), flush=True)


def bench(root, work):
    size = os.environ.get("BENCH_ACCESS", "1000000 200000 10000000 100000 2000").split()
    print("access sets: %s users, %s groups with cycles, %s memberships (a primary group each, Builtin), %s objects, %s descriptors" % tuple(size))
    p = subprocess.run([os.path.join(root, "build", "bench", "bench-access"), *size], stdout=subprocess.PIPE, text=True, check=True,
                       env=dict(os.environ, BENCH_ACCESS_FILE=os.path.join(work, "access")))
    n = {k: float(v) for k, v in (line.split() for line in p.stdout.splitlines())}
    print("  %.0f distinct (descriptor, class) with %.0f trustees; %.0f (descriptor, right): 13 object-level rights each, and %.0f typed ones that\n"
          "  occur in their ACEs; behind them %.0f distinct sets of %.2e accounts together, in %.0f MiB; %.0f of them are no single trustee's\n"
          "  All times are CPU seconds of calls in one process with one thread; each set's count is compared with the plain pass."
          % (n["descriptors"], n["trustees"], n["rights"], n["typed"], n["sets"], n["members"], n["sets_mib"], n["plain_sets"]))
    print("  %-52s %9.2f s" % ("plain bits: these cleared, put together, counted", n["plain_s"]))
    r = n["build_s"] / n["plain_s"]
    verdict("build: closure, expressions, all sets, kept", (n["build_s"], r), "at most 4x", "%9.2f s %6.2fx", r <= 4)
    verdict("peak memory, with the directory itself (%.0f MiB)" % n["world_mib"], n["peak_mib"], "under 2048", "%9.0f MiB", n["peak_mib"] < 2048)
    for name, text in (("who", "who-can, count"), ("who_strict", "who-can, count, deny-wins"), ("what", "what-can, every object, counted")):
        verdict(text + ", median", n[name + "_median_us"], "under 1000; p99 %.1f" % n[name + "_p99_us"], "%9.1f us", n[name + "_median_us"] < 1000)
    r = n["rebuild_s"] / n["update_s"]
    verdict("100 membership changes (2 nested groups): %.0f sets" % n["update_changed_sets"], (n["update_s"] * 1e3, r),
            "at least 20x quicker than a build of %.2f s, and equal to it" % n["rebuild_s"], "%9.1f ms %5.1fx", r >= 20)
    print("  %-52s %9.2f s, %.2f s" % ("written beside the store; mapped again", n["write_s"], n["open_s"]))
