#!/usr/bin/python3
"""house_test.py - the drawing in docs/house.md against the code: includes, file and function sizes, banned functions."""
import os
import re

from harness import ROOT, case, main

SRC = os.path.join(ROOT, "src")
BANNED = ("strcpy", "strcat", "sprintf", "vsprintf", "strtok", "gets", "atoi", "atol", "alloca", "strncpy")


def table():
    rows = {}
    with open(os.path.join(ROOT, "docs", "house.md")) as f:
        for line in f:
            m = re.match(r"\| `(\w+)` \| ([^|]+) \|", line)
            if m:
                rows[m.group(1)] = set(re.findall(r"\w+", m.group(2))) | {m.group(1)}
    return rows


def sources():
    for folder, _, names in os.walk(SRC):
        for name in names:
            if name.endswith((".c", ".h")):
                yield os.path.join(folder, name)


def room_of(path):
    return os.path.relpath(path, SRC).split(os.sep)[0]


@case("the include table names every room")
def _():
    rows = table()
    assert len(rows) >= 11, rows
    for room in os.listdir(SRC):
        if os.path.isdir(os.path.join(SRC, room)):
            assert room in rows, room


@case("every include is allowed by the table")
def _():
    rows, bad = table(), []
    for path in sources():
        with open(path) as f:
            for n, line in enumerate(f, 1):
                m = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
                if not m:
                    continue
                assert "/" in m.group(1), "%s:%d: include %s without its room" % (path, n, m.group(1))
                if m.group(1).split("/")[0] not in rows[room_of(path)]:
                    bad.append("%s:%d includes %s" % (os.path.relpath(path, ROOT), n, m.group(1)))
    assert not bad, "\n".join(bad)


@case("no banned function")
def _():
    bad = []
    for path in sources():
        with open(path) as f:
            for n, line in enumerate(f, 1):
                if re.search(r"(?<![\w.>])(%s)\s*\(" % "|".join(BANNED), line) and not line.lstrip().startswith(("*", "/*", "//")):
                    bad.append("%s:%d: %s" % (os.path.relpath(path, ROOT), n, line.strip()))
    assert not bad, "\n".join(bad)


def code():
    """Everything that is compiled or run: also benches, fuzz targets, tests and scripts."""
    yield from sources()
    for top in ("bench", "fuzz", "tests", "scripts"):
        for folder, folders, names in os.walk(os.path.join(ROOT, top)):
            folders[:] = [f for f in folders if f not in ("corpus", "__pycache__")]
            for name in names:
                if name.endswith((".c", ".h", ".py", ".sh")):
                    yield os.path.join(folder, name)


@case("no file over 800 lines, no function over 100")
def _():
    bad = []
    for path in code():
        with open(path) as f:
            lines = f.read().split("\n")
        if len(lines) > 800:
            bad.append("%s: %d lines" % (os.path.relpath(path, ROOT), len(lines)))
        start = None
        for n, line in enumerate(lines, 1):
            if line == "{" and path.endswith(".c"):
                start = n
            elif line == "}" and start:
                if n - start > 101:
                    bad.append("%s:%d: function of %d lines" % (os.path.relpath(path, ROOT), start, n - start - 1))
                start = None
    assert not bad, "\n".join(bad)


@case("public headers say what they are in their first line")
def _():
    bad = []
    for path in sources():
        if path.endswith(".h"):
            with open(path) as f:
                first = f.readline()
            if not re.match(r"/\* %s - " % re.escape(os.path.basename(path)), first):
                bad.append(os.path.relpath(path, ROOT) + ": " + first.strip())
    assert not bad, "\n".join(bad)


main()
