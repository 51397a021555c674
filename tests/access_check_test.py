#!/usr/bin/python3
"""access_check_test.py - access/check.c on random cases, against a second evaluator that shares no line with it, and against Samba's own.

build/tests/access/access-compare does the work (tests/access): seeded, so that a failure can be repeated. What differs is told by it.
"""
# budget: 120 900
import json
import os
import subprocess

from harness import ROLLCALL, SOAK, case, main

COMPARE = os.path.join(os.path.dirname(ROLLCALL), "tests", "access", "access-compare")


def compare(how, cases, seed):
    p = subprocess.run([COMPARE, how, str(cases), str(seed)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=800)
    assert p.returncode == 0, p.stderr + p.stdout
    n = json.loads(p.stdout)
    assert n["unexplained"] == 0, n
    print("# %s, seed %s: %s" % (how, seed, {k: v for k, v in n.items() if v}))
    return n


@case("1,500,000 random cases agree with the slow evaluator")
def _():
    wanted = 15_000_000 if SOAK else 1_500_000
    for seed in (1, 2, 3):
        n = compare("slow", wanted // 3, seed)
        assert n["cases"] >= wanted // 3, n
        # the cases are worth something: every kind of answer comes up often
        for kind in ("allowed", "no_ace", "by_ace", "null_dacl", "implicit_owner", "conditional"):
            assert n[kind] > n["cases"] // 200, (kind, n)
        assert n["by_ace"] > n["cases"] // 5, n


@case("so do 40,000 over the schema that every directory has")
def _():
    n = compare("builtin", 400_000 if SOAK else 40_000, 6)
    assert n["by_ace"] > n["cases"] // 10, n


@case("50,000 mutated descriptors are read alike, or refused at the same place")
def _():
    wanted = 1_000_000 if SOAK else 50_000
    n = compare("mutate", wanted, 4)
    assert n["descriptors"] >= wanted and wanted // 10 < n["refused"] < wanted * 9 // 10, n
    assert n["cases"] > wanted // 2, n


@case("Samba's access check says the same on 300,000 cases; what it does otherwise has a name")
def _():
    wanted = 3_000_000 if SOAK else 300_000
    n = compare("samba", wanted, 5)
    assert n["cases"] >= wanted and n["refused"] == 0, n
    # these and no others (tests/access/slow.h tells each); all of them were seen, so each is looked for
    for quirk in ("owner_rights", "no_dacl", "any_control", "any_node", "raw_mask", "plain_owner", "no_block"):
        assert n[quirk] > 0, (quirk, n)
    assert n["several"] < n["different"] // 50, n  # where only two of them together explain it


main()
