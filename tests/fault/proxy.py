#!/usr/bin/python3
"""proxy.py - a TCP proxy on loopback that spoils what passes: between rollcall and a domain controller, real or scripted.

Two ways to stand there:
  Proxy(upstream, plan)                     relays bytes as they are; a fault strikes after so many bytes of a direction (of all connections; of
                                            each, if it strikes always)
  Proxy(upstream, plan, tls=(cert, key))    ends TLS on both sides, so that it knows which request it sees: a fault strikes at a stage, and
                                            may touch TLS records (below the encryption) or whole LDAP messages (above it)

A stage is `accept`, `tls`, `bind`, `rootdse`, `base.N` (the N-th object read by name), `list.N.P` (page P of the N-th listing),
`other` or `end` (the unbind); what comes again, as on a second connection, has `#2` behind it. `stages` holds those seen since reset(), in
order: record them on an undisturbed run, then aim at them. A fault that strikes always takes every `#`.

A plan is Fault(name, at=STAGE or BYTES, times=1 or None for always, seed=N). `fired` counts how often it struck.
The same seed strikes at the same byte. Python 3 standard library only; one thread per connection and direction.

    proxy.py HOST:PORT [--fault NAME --at STAGE|BYTES] [--seed N] [--tls CERT KEY]      by hand; prints its port
"""
import argparse
import collections
import contextlib
import random
import select
import socket
import ssl
import struct
import sys
import threading
import time

# The connection goes on and everything arrives: the run must be as complete as an undisturbed one.
HARMLESS = ("latency", "slice", "throttle", "coalesce", "swap-entries", "duplicate-entry")
# Something is lost, late or false: the run fails by name, or starts over and is complete.
HARMFUL = ("cut", "reset", "half-close", "notify", "stall", "cut-request", "lost-request", "swap-records", "duplicate-record", "drop-record",
           "truncate-record", "flip-bit", "garbage", "swap-done", "drop-done", "duplicate-done")
ABOVE_TLS = ("swap-entries", "duplicate-entry", "swap-done", "drop-done", "duplicate-done")  # need to know the messages
SILENT = ("stall", "drop-done", "half-close", "lost-request", "truncate-record")  # may cost an answer timeout
BLIND = ("cut", "reset", "half-close", "stall", "flip-bit", "garbage", "slice", "latency", "throttle", "coalesce")


class Fault:
    def __init__(self, name, at=None, times=1, seed=1, direction="down"):
        assert name in HARMLESS + HARMFUL, name
        self.name, self.at, self.times, self.seed, self.direction = name, at, times, seed, direction
        self.fired = 0

    def wants(self, stage, label):
        return self.at == stage if self.times is None else self.at == label and self.fired < self.times

    def __repr__(self):
        return "%s at %s, seed %d, %s" % (self.name, self.at, self.seed, "always" if self.times is None else "%d times" % self.times)


class Over(Exception):
    """The connection is finished with, as the fault wanted."""


# --- messages -------------------------------------------------------------------------------------------------

def header(data, at=0):
    """(tag, start of content, end) of a BER element with a definite length, or None while it is not all there."""
    if len(data) < at + 2:
        return None
    tag, n, start = data[at], data[at + 1], at + 2
    if n >= 0x80:
        start += n & 0x7F
        if len(data) < start:
            return None
        n = int.from_bytes(data[at + 2:start], "big")
    return (tag, start, start + n) if len(data) >= start + n else None


def messages(buffer):
    """Takes the whole LDAP messages off the front of a bytearray."""
    out = []
    while True:
        h = header(buffer)
        if not h:
            return out
        out.append(bytes(buffer[:h[2]]))
        del buffer[:h[2]]


def operation(message):
    """(tag, content) of an LDAPMessage's protocolOp, RFC 4511 4.1.1."""
    _, at, _ = header(message)
    _, _, at = header(message, at)  # the message ID
    tag, start, end = header(message, at)
    return tag, message[start:end]


def records(raw):
    """TLS records (RFC 8446 5.1) as they lie in raw; the rest, if any, as it is."""
    out = []
    while len(raw) >= 5:
        n = 5 + int.from_bytes(raw[3:5], "big")
        out.append(raw[:n])
        raw = raw[n:]
    return out + ([raw] if raw else [])


# --- what is done to the bytes ----------------------------------------------------------------------------------

class Line:
    """One direction of a connection: bytes go out through send(), spoiled from arm() on."""

    def __init__(self, sock):
        self.sock, self.fault, self.held = sock, None, []

    def arm(self, fault, left=None):
        self.fault, self.dice = fault, random.Random(fault.seed)
        # most breaks near a border, where the code has its branches
        self.left = self.dice.choice((0, 0, 1, 4, 5, 6, 21, 22, 23, 50, self.dice.randrange(1, 3000))) if left is None else left
        self.until = time.monotonic() + 0.5
        fault.fired += 1

    def send(self, raw):
        if not raw:
            return
        spoil = self.fault and getattr(self, "_" + self.fault.name.replace("-", "_"), None)
        (spoil or self.sock.sendall)(raw)

    def _up_to(self, raw):
        """Sends what still may pass; the rest of raw, or None while the place is not reached."""
        if len(raw) <= self.left:
            self.sock.sendall(raw)
            self.left -= len(raw)
            return None
        self.sock.sendall(raw[:self.left])
        rest, self.left = raw[self.left:], 0
        return rest

    def _latency(self, raw):
        time.sleep(self.dice.uniform(0, 0.04) if time.monotonic() < self.until else 0)
        self.sock.sendall(raw)

    def _slice(self, raw):
        size = self.dice.choice((1, 1, 3, 5, 7, 1023))
        head, raw = raw[:400 * size], raw[400 * size:]
        for at in range(0, len(head), size):
            self.sock.sendall(head[at:at + size])
        self.sock.sendall(raw)

    def _throttle(self, raw):
        for at in range(0, len(raw), 2048):
            self.sock.sendall(raw[at:at + 2048])
            if time.monotonic() < self.until:
                time.sleep(0.02)

    def _coalesce(self, raw):
        """Held back and sent at once: what was many writes arrives as one, cut at other places."""
        self.held.append(raw)
        if time.monotonic() > self.until or sum(map(len, self.held)) > 60000:
            self.flush()

    def flush(self):
        held, self.held = b"".join(self.held), []
        if held:
            self.sock.sendall(held)

    def _cut(self, raw):
        if self._up_to(raw) is not None:
            raise Over

    def _reset(self, raw):
        if self._up_to(raw) is not None:
            reset(self.sock)
            raise Over

    def _half_close(self, raw):
        if self._up_to(raw) is not None:
            self.sock.shutdown(socket.SHUT_WR)
            self.fault = Fault("stall")  # what comes now has nowhere to go; the other direction stays open
            self.left = 0

    def _stall(self, raw):
        self._up_to(raw)

    def _drop(self, raw):
        pass

    def _flip_bit(self, raw):
        rest = self._up_to(raw)
        if rest is not None:
            self.sock.sendall(bytes([rest[0] ^ 1 << self.dice.randrange(8)]) + rest[1:])
            self.fault = None

    def _garbage(self, raw):
        rest = self._up_to(raw)
        if rest is not None:
            self.sock.sendall(self.dice.randbytes(self.dice.choice((1, 5, 64))) + rest)
            self.fault = None

    def _records(self, raw, change):
        self.held += records(raw)
        if len(self.held) > 1:
            self.held = change(self.held)
            self.fault = None
            self.flush()

    def _swap_records(self, raw):
        self._records(raw, lambda r: [r[1], r[0]] + r[2:])

    def _duplicate_record(self, raw):
        self._records(raw, lambda r: [r[0]] + r)

    def _drop_record(self, raw):
        self._records(raw, lambda r: r[1:])

    def _truncate_record(self, raw):
        self._records(raw, lambda r: [r[0][:max(5, len(r[0]) // 2)]] + r[1:])


def reset(sock):
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


# --- connections ------------------------------------------------------------------------------------------------

class Blind:
    """Bytes as they are; the fault strikes after at= bytes of its direction."""

    def __init__(self, proxy, client):
        self.proxy, self.client = proxy, client
        self.server = socket.create_connection(proxy.upstream, timeout=10)
        self.server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.server.settimeout(None)

    def run(self):
        up = threading.Thread(target=self.pump, args=(self.client, self.server, "up"), daemon=True)
        up.start()
        self.pump(self.server, self.client, "down")
        up.join()

    def pump(self, source, sink, direction):
        line, passed = Line(sink), 0
        try:
            while True:
                data = source.recv(65536)
                if not data:
                    break
                self.proxy.strike(line, direction, passed, len(data))
                passed += len(data)
                line.send(data)
            line.flush()
            sink.shutdown(socket.SHUT_WR)
        except (OSError, Over):
            for s in (source, sink):
                with contextlib.suppress(OSError):
                    s.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.client.close()
        self.server.close()


class Knowing:
    """TLS ends here; requests are read, so that stages have names."""

    def __init__(self, proxy, client):
        self.proxy, self.client, self.plan = proxy, client, proxy.plan
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = proxy.context.wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.down = Line(client)
        self.server, self.entry, self.objects = None, None, 0
        self.request, self.answer = bytearray(), bytearray()
        self.pages = collections.Counter()

    # -- the client's side

    def at(self, stage):
        label = self.proxy.see(stage)
        if self.plan and self.plan.wants(stage, label):
            self.down.arm(self.plan)
            if self.plan.name == "notify":
                self.notify()
            if stage in ("accept", "end"):
                self.at_the_border()

    def at_the_border(self):
        """No bytes to spoil here: the connection itself."""
        if self.plan.name in ("cut", "half-close", "notify", "cut-request"):
            raise Over
        if self.plan.name in ("reset", "flip-bit", "swap-records", "duplicate-record"):
            reset(self.client)
            raise Over
        if self.plan.name in SILENT:
            self.drain()

    def notify(self):
        """TLS says goodbye in good order in the middle of the conversation."""
        with contextlib.suppress(ssl.SSLError):
            self.tls.unwrap()
        self.client.sendall(self.outgoing.read())
        self.client.shutdown(socket.SHUT_WR)
        raise Over

    def drain(self):
        while self.client.recv(65536):
            pass
        raise Over

    def flush(self):
        self.down.send(self.outgoing.read())

    def receive(self):
        data = self.client.recv(65536)
        if not data:
            raise Over
        self.incoming.write(data)

    def handshake(self):
        while True:
            try:
                self.tls.do_handshake()
                return self.flush()
            except ssl.SSLWantReadError:
                self.flush()
                self.down.flush()
                self.receive()

    def decrypted(self):
        out = bytearray()
        with contextlib.suppress(ssl.SSLWantReadError):
            while True:
                part = self.tls.read(65536)
                if not part:
                    break
                out += part
        return out

    # -- requests and answers

    def name_of(self, message):
        tag, content = operation(message)
        if tag == 0x42:
            return "end"
        if tag == 0x60:
            return "bind"
        if tag != 0x63:
            return "other"
        _, start, end = header(content)
        base = content[start:end]
        scope = content[end + 2]
        if scope == 0:
            self.objects += bool(base)
            return "base.%d" % self.objects if base else "rootdse"
        n = self.proxy.listing(bytes(self.what(content)))
        self.pages[n] += 1
        return "list.%d.%d" % (n, self.pages[n])

    @staticmethod
    def what(content):
        """Base, scope and filter of a search: the same for each page. RFC 4511 4.5.1."""
        at, parts = 0, []
        for _ in range(7):  # base scope deref size time types filter
            _, _, end = header(content, at)
            parts.append(content[at:end])
            at = end
        return parts[0] + parts[1] + parts[6]

    def ask(self, message):
        stage = self.name_of(message)
        self.at(stage)
        fault = self.down.fault
        if fault and fault.name == "cut-request":
            self.server.sendall(message[:len(message) // 2])
            raise Over
        if fault and fault.name == "lost-request":
            self.down.fault = None
            return
        self.server.sendall(message)

    def tell(self, message):
        """One message of the server, changed as a whole where the fault is one of messages."""
        tag, _ = operation(message)
        fault = self.down.fault
        if fault and fault.name in ABOVE_TLS:
            for m in self.changed(fault, message, tag):
                self.tls.write(m)
        else:
            self.tls.write(message)
        self.flush()

    def changed(self, fault, message, tag):
        if fault.name in ("swap-entries", "swap-done"):
            if self.entry is None and tag == 0x64:
                self.entry = message
                return []
            if self.entry is None:
                return [message]
            first, self.entry = self.entry, None
            if fault.name == "swap-entries" or tag == 0x65:
                self.down.fault = None
                return [message, first] if tag == 0x64 or fault.name == "swap-done" else [first, message]
            self.entry = message
            return [first]
        hit = tag == (0x64 if fault.name == "duplicate-entry" else 0x65)
        if hit:
            self.down.fault = None
        return [message] if not hit else [] if fault.name == "drop-done" else [message, message]

    def run(self):
        self.at("accept")
        self.at("tls")
        self.handshake()
        if self.down.fault and self.down.fault.name in ABOVE_TLS:
            self.down.fault = None
        raw = socket.create_connection(self.proxy.upstream, timeout=10)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.server = self.proxy.trusting.wrap_socket(raw)
        self.server.setblocking(True)
        self.relay()

    def relay(self):
        self.take_requests()
        while True:
            wait = [self.client, self.server]
            ready = [self.server] if self.server.pending() else select.select(wait, [], [], 0.2)[0]
            if not ready:
                self.down.flush()
            if self.client in ready:
                self.receive()
                self.take_requests()
            if self.server in ready:
                data = self.server.recv(65536)
                if not data:
                    raise Over
                self.answer += data
                for m in messages(self.answer):
                    self.tell(m)

    def take_requests(self):
        self.request += self.decrypted()
        for m in messages(self.request):
            self.ask(m)

    def close(self):
        with contextlib.suppress(OSError):
            self.down.flush()
        self.client.close()
        if self.server:
            self.server.close()


# --- the proxy -----------------------------------------------------------------------------------------------------

class Proxy:
    def __init__(self, upstream, plan=None, tls=None):
        self.upstream = upstream
        self.context = self.trusting = None
        if tls:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*tls)
            self.trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            self.trusting.check_hostname, self.trusting.verify_mode = False, ssl.CERT_NONE
        self.lock = threading.Lock()
        self.open = set()
        self.reset(plan)
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.listener.listen(64)
        threading.Thread(target=self.accept, daemon=True).start()

    def reset(self, plan=None):
        """Another plan, for the connections to come; what was seen is forgotten."""
        self.plan, self.stages, self.passed, self.connections = plan, [], collections.Counter(), 0
        self.seen, self.listings = collections.Counter(), {}

    def see(self, stage):
        with self.lock:
            self.seen[stage] += 1
            self.stages.append(stage if self.seen[stage] == 1 else "%s#%d" % (stage, self.seen[stage]))
            return self.stages[-1]

    def strike(self, line, direction, passed, n):
        """Blind: the N-th byte of a direction has come, of all connections together, or with times=None of each."""
        with self.lock:
            before, fault = self.passed[direction] if self.plan and self.plan.times else passed, self.plan
            self.passed[direction] += n
            if not fault or line.fault or fault.direction != direction or (fault.times and fault.fired >= fault.times):
                return
            if before + n > fault.at:
                line.arm(fault, max(0, fault.at - before))

    def listing(self, what):
        with self.lock:
            return self.listings.setdefault(what, len(self.listings) + 1)

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        connection = None
        try:
            connection = (Knowing if self.context else Blind)(self, client)
            self.open.add(connection)
            connection.run()
        except (OSError, Over, ssl.SSLError):
            pass
        finally:
            self.open.discard(connection)
            (connection or client).close()

    def close(self):
        self.listener.close()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("upstream")
    p.add_argument("--fault")
    p.add_argument("--at", default="0")
    p.add_argument("--always", action="store_true")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--tls", nargs=2)
    a = p.parse_args()
    host, _, port = a.upstream.rpartition(":")
    plan = a.fault and Fault(a.fault, at=int(a.at) if a.at.isdigit() else a.at, times=None if a.always else 1, seed=a.seed)
    proxy = Proxy((host, int(port)), plan or None, a.tls)
    print(proxy.port, flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        while sys.stdin.read(1):
            pass
        while True:
            time.sleep(60)


if __name__ == "__main__":
    main()
