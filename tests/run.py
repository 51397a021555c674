#!/usr/bin/python3
"""run.py [--soak] [PART...] - every part of ./check.sh, within its budget; counts TAP lines of all of them.

A part is a command that prints TAP ("ok 1 - ...", "not ok 2 - ..."). A part that ends badly without a failed line, runs out
of its budget or prints no result at all counts as one failure. The last line is "N passed, N failed[, N skipped]".
"""
import concurrent.futures
import contextlib
import os
import re
import signal
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PY = "/usr/bin/python3"
SHORT = 240  # seconds of budget
MESON = "meson test -C %s --no-rebuild --verbose --print-errorlogs %s"

# part, command, seconds in check, seconds in soak; build parts print no TAP and count as one
PARTS = [
    ("build", "test -d build || meson setup build >/dev/null; ninja -C build --quiet", 400, 400, "build"),
    ("build-asan", "test -d build-asan || meson setup build-asan -Db_sanitize=address,undefined -Db_lundef=false >/dev/null;"
     " ninja -C build-asan --quiet", 600, 600, "build"),
    ("build-clang", "test -d build-clang || CC=clang meson setup build-clang >/dev/null; ninja -C build-clang --quiet", 400, 400, "build"),
    ("page", "node web/test.mjs", 120, 120, "tap"),
    ("house", PY + " tests/house_test.py", 60, 60, "tap"),
    ("unit", MESON % ("build-asan", "--suite unit"), 600, 600, "meson"),
    ("integration", MESON % ("build-asan", "--suite integration"), 400, 400, "meson"),
    ("fuzz", MESON % ("build-asan", "--suite fuzz"), 240, 240, "meson"),
]


def extra_parts():
    """tests/<name>_test.py, each a part of its own; '# budget: SECONDS [SOAK_SECONDS]' in its first lines."""
    for name in sorted(os.listdir(os.path.join(ROOT, "tests"))):
        if not name.endswith("_test.py") or name == "house_test.py":
            continue
        with open(os.path.join(ROOT, "tests", name)) as f:
            found = re.search(r"# budget: (\d+)(?: (\d+))?", f.read(2000))
        check = int(found.group(1)) if found else 120
        yield (name[:-8], PY + " tests/" + name, check, int(found.group(2) or check) if found else 600, "tap")


def run_part(command, budget, env):
    """Runs in a session of its own, so that nothing outlives its part. Returns (lines, code or None for out of time)."""
    p = subprocess.Popen(["bash", "-c", command], cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         stdin=subprocess.DEVNULL, text=True, errors="replace", start_new_session=True)
    try:
        out, _ = p.communicate(timeout=budget)
        return out.splitlines(), p.returncode
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, signal.SIGTERM)
        try:
            out, _ = p.communicate(timeout=20)  # it ends what it started in sessions of their own: domains, servers
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(p.pid, signal.SIGKILL)
            out, _ = p.communicate()
        return out.splitlines(), None


def count_meson(lines):
    """Subtests, and tests that have none, of `meson test --verbose`."""
    n = {"OK": 0, "FAIL": 0, "SKIP": 0}
    for line in lines:
        m = re.match(r"\s*▶\s+\d+/\d+ - .*?\s(OK|FAIL|SKIP)\s*$", line) or \
            re.match(r"\s*\d+/\d+ .*?\s(OK|FAIL|TIMEOUT|ERROR|SKIP)\s+[\d.]+s(?!.*subtests passed)", line)
        if m:
            n[m.group(1) if m.group(1) in n else "FAIL"] += 1
    return n["OK"], n["FAIL"], n["SKIP"]


def count(lines, how, code):
    if how == "meson":
        passed, failed, skipped = count_meson(lines)
        return passed, failed or int(code != 0 or not passed), skipped
    passed = sum(1 for line in lines if re.match(r"\s*(?:[▶]\s+\S+\s+)?ok \d+", line) and "# SKIP" not in line)
    failed = sum(1 for line in lines if re.match(r"\s*not ok \d+", line))
    skipped = sum(1 for line in lines if re.match(r"\s*ok \d+.*# SKIP", line))
    if how == "build":
        return (1, 0, 0) if code == 0 else (0, 1, 0)
    if code != 0 and not failed:
        failed = 1
    if not passed and not failed:
        failed = 1
    return passed, failed, skipped


def report(part, budget, lines, code, how, took, total):
    p, f, s = count(lines, how, code)
    total[0] += p
    total[1] += f
    total[2] += s
    print("%-14s %5d passed %3d failed%s  %6.1f s" % (part, p, f, ", %d skipped" % s if s else "", took), flush=True)
    if f:
        if code is None:
            print("  out of its budget of %d s" % budget)
        print("\n".join("  " + line for line in lines[-150:]), flush=True)
    return f


def main():
    args = sys.argv[1:]
    soak = "--soak" in args
    only = [a for a in args if not a.startswith("-")]
    env = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP", PYTHONDONTWRITEBYTECODE="1", PYTHONPATH=os.path.join(ROOT, "tests", "lib"),
               ASAN_OPTIONS="detect_leaks=1:abort_on_error=0", UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1")
    if soak:
        env["ROLLCALL_SOAK"] = "1"
    total = [0, 0, 0]  # passed, failed, skipped
    began = time.monotonic()
    parts = [(p, c, sb if soak else b, how) for p, c, b, sb, how in PARTS + list(extra_parts())]

    def run(part):
        t = time.monotonic()
        return part, run_part(part[1], part[2], env), time.monotonic() - t

    def tell(part, result, took):
        return report(part[0], part[2], result[0], result[1], part[3], took, total)

    broken = any([tell(*run(p)) for p in parts if p[3] == "build"])
    tests = [p for p in parts if p[3] != "build" and (not only or p[0] in only)]
    if not broken:
        tests.sort(key=lambda p: -p[2])  # the long ones first
        long = [p for p in tests if p[2] > SHORT]
        for at_once, some in ((2, long), (3, tests[len(long):])):  # the short ones mostly wait, and their budgets are many times what they need
            with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
                for part, result, took in pool.map(run, some):
                    tell(part, result, took)
    print("took %.0f s" % (time.monotonic() - began))
    print("%d passed, %d failed%s" % (total[0], total[1], ", %d skipped" % total[2] if total[2] else ""))
    sys.exit(1 if total[1] or not total[0] else 0)


main()
