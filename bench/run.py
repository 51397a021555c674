#!/usr/bin/python3
"""run.py [cpu] [wall] [memory] [writer] - the measurements of rollcall, each a ratio against something run beside it.

cpu     user+system time of all processes, against ldapsearch, on a pre-encoded LDAPS server: 200,000 users of 4.7 KB
wall    elapsed time against ldapsearch on a real domain controller with 20,000 users (tests/lab)
memory  peak resident memory at 1,000,000 users and 80,000 groups against 200,000 users and 80,000 groups
writer  the event writer against jansson
BENCH_USERS, BENCH_ROUNDS, BENCH_DIR change the size, the rounds (best of) and where files go.
"""
import os
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
from harness import ROLLCALL, Lab, Replay, at_end, close_all  # noqa: E402
import harness  # noqa: E402

USERS = int(os.environ.get("BENCH_USERS", "200000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
SD_FLAGS = "!1.2.840.113556.1.4.801=::MAMCAQc="


def scratch():
    """Big files: $BENCH_DIR, else memory where there is enough, else the usual place."""
    base = os.environ.get("BENCH_DIR") or ("/dev/shm" if shutil.disk_usage("/dev/shm").free > 12 << 30 else None)
    d = subprocess.run(["mktemp", "-d"] + (["-p", base] if base else []), stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    at_end(lambda: shutil.rmtree(d, ignore_errors=True))
    return d


def attributes():
    """The names rollcall asks for, read from its own table."""
    names = []
    with open(os.path.join(ROOT, "src", "model", "attr.h")) as f:
        for line in f:
            if line.lstrip().startswith("X(") and '"' in line:
                names.append(line.split('"')[1])
    # asked of locked accounts only; of the root DSE; rollcall's own
    not_asked = {"msDS-User-Account-Control-Computed", "forestFunctionality", "privilegesThroughHiddenGroups"}
    return [n for n in names if n not in not_asked] + ["objectGUID", "objectSid", "member", "memberOf", "nTSecurityDescriptor"]


class Use:
    def __init__(self, seconds, cpu, rss):
        self.wall, self.cpu, self.rss = seconds, cpu, rss


def resident(pid):
    """VmHWM in KiB of a process and its children, and who they are."""
    total = 0
    for p in [pid] + [int(c) for c in subprocess.run(["pgrep", "-P", str(pid)], stdout=subprocess.PIPE, text=True).stdout.split()]:
        try:
            with open("/proc/%d/status" % p) as f:
                total += next((int(line.split()[1]) for line in f if line.startswith("VmHWM")), 0)
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total


def measure(command, out, env=None, sample=False, codes=(0, 5)):
    with open(out, "wb") as f:
        t = time.monotonic()
        p = subprocess.Popen(command, stdout=f, stderr=subprocess.DEVNULL, env=dict(os.environ, **(env or {})))
        peak = 0
        while sample and p.poll() is None:
            peak = max(peak, resident(p.pid))
            time.sleep(0.1)
            done, status, usage = os.wait4(p.pid, os.WNOHANG)
            if done:
                p.returncode = os.waitstatus_to_exitcode(status)
                break
        else:
            if not sample:
                _pid, status, usage = os.wait4(p.pid, 0)
                p.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - t
    assert p.returncode in codes, (command, p.returncode)
    return Use(wall, usage.ru_utime + usage.ru_stime, peak)


def ldapsearch(uri, ca, base, filter_, out, bind=()):
    return measure(["ldapsearch", "-x", "-LLL", "-o", "ldif-wrap=no", "-H", uri, "-E", "pr=1000/noprompt", "-E", SD_FLAGS, *bind, "-b", base,
                    filter_, *attributes()], out, env={"LDAPTLS_CACERT": ca})


def line(name, value, unit, base, goal):
    ratio = value / base
    print("  %-34s %9.2f %-4s %6.2fx   (goal: at most %.2fx)%s" % (name, value, unit, ratio, goal, "" if ratio <= goal else "   MISSED"), flush=True)


def best(runs, key):
    return min(runs, key=lambda u: getattr(u, key))


def bench_cpu():
    print("client CPU, %d users and 2,000 groups over ldaps, output to a file, best of %d rounds" % (USERS, ROUNDS))
    work = scratch()
    server = Replay("--users", USERS, "--groups", 2000, "--others", 0)
    config = server.config(work)
    base, read, first, second = [], [], [], []
    for _ in range(ROUNDS):
        base.append(ldapsearch("ldaps://127.0.0.1:%d" % server.port, server.ca, "DC=bench,DC=example", "(objectClass=*)", work + "/ldif"))
        read.append(measure([ROLLCALL, "read", "fake", "--config", config], work + "/events"))
        for name in os.listdir(work):
            if name.startswith("rollcall.db"):
                os.unlink(os.path.join(work, name))
        first.append(measure([ROLLCALL, "sync", "fake", "--config", config], work + "/first"))
        second.append(measure([ROLLCALL, "sync", "fake", "--config", config], work + "/second"))
    b = best(base, "cpu").cpu
    line("ldapsearch", b, "s", b, 1)
    line("rollcall read, ocsf", best(read, "cpu").cpu, "s", b, 1.0)
    line("rollcall sync, first", best(first, "cpu").cpu, "s", b, 2.0)
    line("rollcall sync, unchanged", best(second, "cpu").cpu, "s", b, 1.2)
    print("  (microseconds a user: ldapsearch %.1f, read %.1f, sync %.1f, unchanged %.1f)" %
          tuple(best(x, "cpu").cpu / USERS * 1e6 for x in (base, read, first, second)))
    server.stop()


def bench_wall():
    print("wall, real domain controller, 20,000 users, best of %d rounds" % ROUNDS)
    work = scratch()
    lab = Lab(mode="big")
    config = lab.config(work)
    with open(lab.reader_pw_file) as f:
        password = f.read().strip()
    harness.write(work + "/pw", password)
    base, read, first = [], [], []
    for _ in range(ROUNDS):
        base.append(ldapsearch("ldaps://" + lab.ip, lab.ca, lab.base, "(objectClass=*)", work + "/ldif", ["-D", lab.reader, "-y", work + "/pw"]))
        read.append(measure([ROLLCALL, "read", "corp", "--config", config], work + "/events"))
        for name in os.listdir(work):
            if name.startswith("rollcall.db"):
                os.unlink(os.path.join(work, name))
        first.append(measure([ROLLCALL, "sync", "corp", "--config", config], work + "/first"))
    b = best(base, "wall").wall
    line("ldapsearch", b, "s", b, 1)
    line("rollcall read, ocsf", best(read, "wall").wall, "s", b, 1.1)
    line("rollcall sync, first", best(first, "wall").wall, "s", b, 1.5)
    lab.stop()


def bench_memory():
    print("peak resident memory, both processes, with 80,000 groups")
    peaks = {}
    for n in (USERS, 5 * USERS):
        work = scratch()
        server = Replay("--users", n, "--groups", 80000, "--others", 0)
        config = server.config(work)
        peaks["read", n] = measure([ROLLCALL, "read", "fake", "--config", config], "/dev/null", sample=True, env={"TMPDIR": work}).rss / 1024
        peaks["sync", n] = measure([ROLLCALL, "sync", "fake", "--config", config], "/dev/null", sample=True, env={"TMPDIR": work}).rss / 1024
        server.stop()
        shutil.rmtree(work)
    for what in ("read", "sync"):
        small, large = peaks[what, USERS], peaks[what, 5 * USERS]
        line("%s, %d users" % (what, USERS), small, "MiB", small, 1)
        line("%s, %d users" % (what, 5 * USERS), large, "MiB", small, 1.25)
        print("    under 256 MiB: %s" % ("yes" if large < 256 else "NO"))


def bench_writer():
    subprocess.run([os.path.join(ROOT, "build", "bench", "bench-writer")], check=True)


parts = {"cpu": bench_cpu, "wall": bench_wall, "memory": bench_memory, "writer": bench_writer}
try:
    for name in sys.argv[1:] or list(parts):
        parts[name]()
finally:
    close_all()
