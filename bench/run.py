#!/usr/bin/python3
"""run.py [cpu] [wall] [memory] [writer] [failover [N]] [incremental] [seal] [graph] [graph-memory] [access] [server] - the measurements of rollcall, each a ratio against something run beside it.

cpu     user+system time of all processes, against ldapsearch, on a pre-encoded LDAPS server: 200,000 users of 4.7 KB
wall    elapsed time against ldapsearch on a real domain controller with 20,000 users (tests/lab), its password policies deleted
memory  peak resident memory at 1,000,000 users and 80,000 groups against 200,000 users and 80,000 groups
writer  the event writer against jansson
failover  takeover times over 50 kills of the serving controller ("failover 10": 10 of them)
incremental  a run of 100 changes, and of none, against a full run, on a real domain controller with 20,000 users
seal    CPU sealed by Kerberos on 389 and over LDAPS against plain LDAP, on a real domain controller with 5,100 users
graph   a simulated Entra ID tenant of 20,000 users at 50 ms an answer, against three questions for every user
graph-memory  peak resident memory of a first sync of a simulated tenant, 1,000,000 users against 100,000
access  who can do what for 1,000,000 accounts: all sets against a plain-bitset pass over the same sets; questions; an update against a build
server  1,000,000 assets: pages, details, searches over HTTP, alone and during a run, against the same rows through one held sqlite3 connection; first view in a browser; idle memory
BENCH_USERS, BENCH_ROUNDS, BENCH_DIR change the size, the rounds (best of) and where files go.
"""
import os
import random
import re
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
from harness import ROLLCALL, Lab, Replay, at_end, close_all  # noqa: E402
import harness  # noqa: E402
from gate import At, Gate  # noqa: E402

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
            row = re.match(r'\s*X\(\w+, (\d+), "([^"]+)"', line)
            if row and int(row[1]) < 200:  # from there on Entra ID's
                names.append(row[2])
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


def without_policies(lab):
    """As long as one fine-grained password policy exists, Samba takes 1 ms a user to compute msDS-UserPasswordExpiryTimeComputed (it walks
    the user's groups for the policy in force): three quarters of a listing, whoever asks, and all that would be measured."""
    lab.modify("".join("dn: CN=%s,CN=Password Settings Container,CN=System,%s\nchangetype: delete\n\n" % (name, lab.base)
                       for name in sorted(set(lab.truth()["pso_users"].values()))))


def bench_wall():
    print("wall, real domain controller, 20,000 users, the same attributes for all, best of %d rounds" % ROUNDS)
    print("  (fine-grained password policies deleted: with them this controller takes 1 ms a user, whoever asks)")
    work = scratch()
    lab = Lab(mode="big")
    without_policies(lab)
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
    n = sum(lab.truth()["reader_counts"].values())
    print("  (%d entities; a second: ldapsearch %d, read %d, sync %d)" % ((n,) + tuple(n / best(x, "wall").wall for x in (base, read, first))))
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


def bench_failover(kills):
    """From the moment rollcall notices that its controller is dead to the moment the next one serves, over real kills."""
    print("takeover: kill -9 of the serving controller at a random request, %d times" % kills)
    lab, took = Lab(dcs=2), []
    dice = random.Random(1)
    total = 0
    while len(took) < kills:
        work = scratch()
        kill = At(dice.randint(6, total or 20), lambda: subprocess.run([lab.script, "crash", lab.dir, "1"], check=True))
        first, second = Gate(lambda _n: lab.ip, kill if total else None), Gate(lambda _n: lab.ip2)
        config = lab.config(work, host="127.0.0.1", port=first.port, certificate_name=lab.domain, page_size=20,
                            failover_hosts=["127.0.0.1:%d" % second.port])
        p = subprocess.run([ROLLCALL, "sync", "corp", "-o", "json", "--config", config], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert p.returncode in (0, 5), p.stderr
        found = re.findall(rb"took over within (\d+) ms", p.stdout)
        took += [int(ms) for ms in found]
        if total:
            kill.wait()
            subprocess.run([lab.script, "up", lab.dir], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        total = total or first.records - 2  # the last two are the goodbye
        first.close(), second.close()
        shutil.rmtree(work)
    took.sort()
    for what, at in (("min", 0), ("median", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1)):
        print("  %-34s %9d ms" % (what, took[min(len(took) - 1, int(at * len(took)))]))
    print("    under 5,000 ms: %s" % ("yes" if took[-1] < 5000 else "NO"))
    lab.stop()


def bench_incremental():
    import incremental
    incremental.bench(measure, ROLLCALL, scratch(), ROUNDS)


def bench_seal():
    import seal
    seal.bench(measure, ROLLCALL, scratch(), ROUNDS, attributes, without_policies)


def bench_graph():
    import graph
    graph.bench(measure, ROLLCALL, scratch(), ROUNDS)


def bench_graph_memory():
    import graph
    graph.bench_memory(measure, ROLLCALL, scratch(), int(os.environ.get("BENCH_USERS", "1000000")))


def bench_access():
    import access
    access.bench(ROOT, scratch())


def bench_server():
    import serve
    serve.bench(ROLLCALL, scratch())


parts = {"cpu": bench_cpu, "wall": bench_wall, "memory": bench_memory, "writer": bench_writer, "failover": lambda: bench_failover(KILLS),
         "incremental": bench_incremental, "seal": bench_seal, "graph": bench_graph, "graph-memory": bench_graph_memory, "access": bench_access, "server": bench_server}
try:
    numbers = [a for a in sys.argv[1:] if a.isdigit()]
    KILLS = int(numbers[0]) if numbers else 50
    for name in [a for a in sys.argv[1:] if not a.isdigit()] or list(parts):
        parts[name]()
finally:
    close_all()
