"""harness - what every integration test uses: cases with TAP output, a private directory, rollcall runs, real and fake peers.

A test file defines functions with @case("name") and ends with main(). Every server a case needs is started here on
loopback and ended by its pid. The rollcall that is tested is $ROLLCALL, else build/rollcall.
"""
import atexit
import concurrent.futures
import contextlib
import datetime
import json
import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROLLCALL = os.environ.get("ROLLCALL", os.path.join(ROOT, "build", "rollcall"))
PYTHON = "/usr/bin/python3"  # Debian's own: it has python3-samba and python3-jsonschema
SOAK = os.environ.get("ROLLCALL_SOAK") == "1"
os.environ.setdefault("LSAN_OPTIONS", "suppressions=%s:print_suppressions=0" % os.path.join(ROOT, "tests", "lib", "lsan.supp"))
_cases = []


def case(name):
    def register(f):
        _cases.append((name, f))
        return f
    return register


def main():
    """Runs the cases (those whose name contains argv[1], if given), prints TAP, exits 1 if one failed."""
    only = sys.argv[1] if len(sys.argv) > 1 else ""
    chosen = [(n, f) for n, f in _cases if only in n]
    failed = 0
    for i, (name, f) in enumerate(chosen, 1):
        t = time.monotonic()
        try:
            f()
            print("ok %d - %s # %.1fs" % (i, name, time.monotonic() - t), flush=True)
        except Exception:
            failed += 1
            print("not ok %d - %s" % (i, name), flush=True)
            print("".join("# %s\n" % line for line in traceback.format_exc().splitlines()), flush=True, end="")
    print("1..%d" % len(chosen), flush=True)
    close_all()
    sys.exit(1 if failed or not chosen else 0)


# --- processes -------------------------------------------------------------------------------------------

class Result:
    def __init__(self, p):
        self.code, self.out, self.err = p.returncode, p.stdout, p.stderr

    def json(self):
        return json.loads(self.out)

    def lines(self):
        return [json.loads(line) for line in self.out.splitlines()]

    def __repr__(self):
        return "exit %d\nstdout: %s\nstderr: %s" % (self.code, self.out if len(self.out) < 1200 else "..." + self.out[-1000:], self.err[-3000:])


def rollcall(*args, config=None, env=None, timeout=120, code=0, stdin=None):
    """Runs rollcall; `code` is the exit code wanted (None: any). Output is text."""
    command = [ROLLCALL, *args] + (["--config", config] if config else [])
    full = dict(os.environ, **(env or {}))
    p = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=full, timeout=timeout,
                       stdin=stdin or subprocess.DEVNULL, errors="surrogateescape")
    r = Result(p)
    assert code is None or r.code == code, "wanted exit %s: %s\n%r" % (code, " ".join(command), r)
    for bad in ("AddressSanitizer", "runtime error:", "LeakSanitizer"):
        assert bad not in r.err, r
    return r


def tree_of(pid):
    """The process and its descendants."""
    found, todo = [], [pid]
    while todo:
        found.append(todo.pop())
        with contextlib.suppress(OSError):
            with open("/proc/%d/task/%d/children" % (found[-1], found[-1])) as f:
                todo += map(int, f.read().split())
    return found


def _peak_kib(pid):
    with contextlib.suppress(OSError, StopIteration, ValueError):
        with open("/proc/%d/status" % pid) as f:
            return int(next(line for line in f if line.startswith("VmHWM")).split()[1])
    return 0


def is_sanitized(binary=ROLLCALL):
    with open(binary, "rb") as f:
        return b"__asan_init" in f.read()


def measured(*args, config, limit=60, binary=ROLLCALL, env=None):
    """As rollcall(), any exit code, with .seconds, .cpu (of the whole tree) and .rss_mib (sum of each process's peak)."""
    command = [binary, *args, "--config", config]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.monotonic()
        p = subprocess.Popen(command, stdout=out, stderr=err, stdin=subprocess.DEVNULL, start_new_session=True,
                             env=dict(os.environ, **(env or {})))
        peaks, pid = {}, 0
        while not pid:
            for one in tree_of(p.pid):
                peaks[one] = _peak_kib(one) or peaks.get(one, 0)  # not max: before exec it is our own
            pid, status, usage = os.wait4(p.pid, os.WNOHANG)
            if time.monotonic() - began > limit:
                os.killpg(p.pid, signal.SIGKILL)
                os.wait4(p.pid, 0)
                p.returncode = -9
                raise AssertionError("still running after %d s: %s" % (limit, " ".join(command)))
            time.sleep(0.005)
        p.returncode = os.waitstatus_to_exitcode(status)
        for stream, name in ((out, "stdout"), (err, "stderr")):
            stream.seek(0)
            setattr(p, name, stream.read().decode("utf-8", "surrogateescape"))
    r = Result(p)
    r.seconds, r.cpu = time.monotonic() - began, usage.ru_utime + usage.ru_stime
    r.rss_mib = sum(peaks.values()) / 1024
    return r


_cleanups = []


def at_end(f):
    _cleanups.append(f)


def close_all():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # what was begun to be ended is ended
    while _cleanups:
        with contextlib.suppress(Exception):
            _cleanups.pop()()
    signal.signal(signal.SIGTERM, _asked_to_end)


def _asked_to_end(number, frame):
    """A test that is out of its budget leaves no domain behind."""
    sys.exit(128 + number)


if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGTERM, _asked_to_end)
    atexit.register(close_all)


def scratch():
    d = tempfile.mkdtemp(prefix="rollcall-test-")
    at_end(lambda: shutil.rmtree(d, ignore_errors=True))
    return d


def write(path, text, mode=0o600):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as f:
        f.write(text)
    return path


def moment(text):
    """A time of ours. Milliseconds are left out where they are zero: as texts times do not compare."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def end(process):
    """Asked to, or killed."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


# --- a real Active Directory --------------------------------------------------------------------------------

class Lab:
    """A Samba AD domain of this test's own, on a free 127.x.y network, so that labs can run side by side."""

    def __init__(self, mode="small", dcs=1):
        self.script = os.path.join(ROOT, "tests", "lab", "ad", "lab.sh")
        out = subprocess.run([self.script, "start", "--dcs", str(dcs), "--mode", mode], stdout=subprocess.PIPE,
                             text=True, check=True, timeout=300).stdout
        self.vars = dict(line.split("=", 1) for line in out.splitlines() if line.startswith("LAB_") and "=" in line)
        self.vars = {k: v.strip("'\"") for k, v in self.vars.items()}
        self.dir = self.vars["LAB_DIR"]
        at_end(self.stop)

    def __getattr__(self, name):
        try:
            return self.__dict__["vars"]["LAB_" + name.upper()]
        except KeyError:
            raise AttributeError(name)

    def truth(self):
        with open(os.path.join(self.dir, "truth.json")) as f:
            return json.load(f)

    def modify(self, ldif):
        p = subprocess.run([self.script, "modify", self.dir], input=ldif, text=True, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, timeout=60)
        assert p.returncode == 0, p.stdout

    def call(self, *args):
        """lab.sh ARGS."""
        p = subprocess.run([self.script, *args], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
        assert p.returncode == 0, p.stdout

    def stop(self):
        subprocess.run([self.script, "stop", self.dir], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)

    def config(self, directory, connector="corp", extra="", top="", **keys):
        """Writes a settings file for this lab's reader account; keys override, None leaves a key out."""
        k = {"type": "active_directory", "domain": self.domain, "host": self.ip, "certificate_name": self.host,
             "username": self.reader, "password": "file:" + self.reader_pw_file, "ca_certificate": self.ca}
        return write_config(directory, connector, dict(k, **keys), extra, top)


def write_config(directory, connector, keys, extra="", top=""):
    lines = ["store: sqlite:" + os.path.join(directory, "rollcall.db"), "connectors:", "  %s:" % connector]
    for key, value in keys.items():
        if value is not None:
            lines.append("    %s: %s" % (key, value if isinstance(value, (int, bool)) else json.dumps(value)))
    lines = [line.replace(": True", ": true").replace(": False", ": false") for line in lines]
    text = "\n".join(lines) + "\n" + extra + ("\n" + top + "\n" if top else "")
    return write(os.path.join(directory, "rollcall.yaml"), text)


# --- a scripted LDAP server -----------------------------------------------------------------------------------

def make_ca(directory):
    """A private CA and a server certificate for localhost and fake-dc.fake.example: (ca.pem, cert.pem, key.pem)."""
    def ssl(*args):
        subprocess.run(["openssl", *args], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=directory)
    ssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "90", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test CA",
        "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
    ssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "req.pem", "-subj", "/CN=localhost")
    write(os.path.join(directory, "ext"), "subjectAltName=DNS:localhost,DNS:fake-dc.fake.example,IP:127.0.0.1\n"
          "extendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n")
    ssl("x509", "-req", "-in", "req.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "90", "-extfile", "ext",
        "-out", "cert.pem")
    return tuple(os.path.join(directory, n) for n in ("ca.pem", "cert.pem", "key.pem"))


_ca = None


def shared_ca():
    global _ca
    if not _ca:
        _ca = make_ca(scratch())
    return _ca


class Fake:
    """tests/fake/ldapd.py with some behaviours; TLS unless tls=False."""

    def __init__(self, *args, tls=True, log=None):
        self.dir = scratch()
        self.ca, cert, key = shared_ca()
        port_file = os.path.join(self.dir, "port")
        command = [PYTHON, os.path.join(ROOT, "tests", "fake", "ldapd.py"), "--port", "0", "--port-file", port_file, *map(str, args)]
        if tls:
            command += ["--tls", cert, key]
        self.log_path, self.log_from = os.path.join(self.dir, "log"), 0
        self.control_path = os.path.join(self.dir, "control")
        command += ["--log", self.log_path, "--control", self.control_path]
        self.stderr = open(os.path.join(self.dir, "stderr"), "w")
        self.process = subprocess.Popen(command, stdout=self.stderr, stderr=self.stderr)
        at_end(self.stop)
        deadline = time.monotonic() + 20
        while not (os.path.exists(port_file) and open(port_file).read().strip()):
            assert self.process.poll() is None and time.monotonic() < deadline, open(self.stderr.name).read()
            time.sleep(0.02)
        self.port = int(open(port_file).read().split()[0])

    def requests(self):
        """The log, since the last behave()."""
        with open(self.log_path) as f:
            f.seek(self.log_from)
            return [json.loads(line) for line in f]

    def behave(self, *behaviours, **directory):
        """Other behaviours instead of the present ones (and a directory of other size): for the next connections."""
        order = {"behaviours": list(behaviours)}
        if directory:
            order["directory"] = directory
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.control_path)
            s.sendall(json.dumps(order).encode() + b"\n")
            answer = json.loads(s.makefile().readline())
        assert answer["ok"], (behaviours, answer)
        self.log_from = os.path.getsize(self.log_path)

    def stop(self):
        end(self.process)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def config(self, directory, connector="fake", extra="", top="", **keys):
        pw = write(os.path.join(directory, "pw"), "Collector-1")
        k = {"type": "active_directory", "domain": "fake.example", "host": "127.0.0.1", "port": self.port,
             "certificate_name": "fake-dc.fake.example", "username": "svc-collector@fake.example", "password": "file:" + pw, "ca_certificate": self.ca, "incremental": "off"}
        return write_config(directory, connector, dict(k, **keys), extra, top)


class Replay(Fake):
    """bench/server/replay: the same kind of directory, pre-encoded and fast; its content never changes but by --changed."""

    def __init__(self, *args):
        self.dir = scratch()
        self.ca, cert, key = shared_ca()
        port_file = os.path.join(self.dir, "port")
        command = [os.path.join(ROOT, "build", "bench", "server", "bench-replay"), "--port-file", port_file, "--cert", cert, "--key", key,
                   *map(str, args)]
        self.stderr = open(os.path.join(self.dir, "stderr"), "w")
        self.process = subprocess.Popen(command, stdout=self.stderr, stderr=self.stderr)
        at_end(self.stop)
        wait_for(lambda: os.path.exists(port_file) and open(port_file).read().strip())
        self.port = int(open(port_file).read().split()[0])

    def config(self, directory, connector="fake", **keys):
        return super().config(directory, connector, **dict({"domain": "bench.example"}, **keys))


def wait_for(what, seconds=20):
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "did not happen within %d s" % seconds
        time.sleep(0.02)


def visible(config):
    """What is visible: entities with attributes and groups; changes without run numbers and times."""
    entities = []
    for e in rollcall("entity", "list", "--deleted", "-o", "jsonl", config=config).lines():
        for name in ("first_seen", "last_changed", "deleted"):
            e.pop(name, None)
        e["member_of"] = sorted((g["uid"], g["via"]) for g in e["member_of"])
        entities.append(repr(sorted(e.items())))
    changes = []
    for c in rollcall("change", "list", "-o", "jsonl", config=config).lines():
        c.pop("run"), c.pop("time")
        changes.append(repr(sorted(c.items())))
    return sorted(entities), sorted(changes)


class Lanes:
    """A few fakes with a directory each, so that a table of cases runs two at a time: lanes.run(table, f) calls f(fake, directory, row)
    for each row and fails with every row that failed."""

    def __init__(self, *args, n=2):
        self.free = queue.Queue()
        for _ in range(n):
            self.free.put((Fake(*args), scratch()))
        self.n = n

    def run(self, table, f):
        def one(row):
            fake, directory = self.free.get()
            try:
                f(fake, directory, row)
                return None
            except Exception as e:
                return "%s: %s" % (row, e)
            finally:
                self.free.put((fake, directory))
        with concurrent.futures.ThreadPoolExecutor(self.n) as pool:
            bad = [r for r in pool.map(one, table) if r]
        assert not bad, "%d of %d failed:\n%s" % (len(bad), len(table), "\n".join(bad[:25]))


def kill_tree(process):
    """kill -9 of a process started with start_new_session=True, its worker included."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
