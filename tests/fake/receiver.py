#!/usr/bin/env python3
"""receiver - an HTTP(S) receiver of events for tests, which does whatever a receiver in the field may do.

    receiver.py [--host 127.0.0.1] [--port 0] [--steps STEPS] [--record FILE] [--requests FILE]
                [--tls-cert PEM [--tls-key PEM]] [--token TOKEN] [--chaos RATE [--seed N]] [--quiet]

Prints "listening PORT" on standard output when it may be connected to, and runs until it is killed.
Python 3 standard library only; loopback only unless --host says otherwise.

What it answers
    A step is taken for each request; the last one is repeated for ever. --steps names them for every path; a query
    "?steps=..." in the request's URL names them for exactly that URL, with a counter of its own (so one process serves
    many tests: add "&case=NAME" to tell them apart). A list is separated by commas, a step's options by ":":

    ok[:STATUS]                 takes the events, answers STATUS (200)
    STATUS                      refuses, three digits: 503, 429, 401, 302, ...
      :retry-after=VALUE        adds the field; VALUE is sent as it is (2, 0.3, soon; "_" stands for a space)
      :retry-date=SECONDS       adds it as a date so many seconds ahead; with :form=imf (default), rfc850 or asctime
      :location=PATH            adds Location; "@/path" is the full URL of a path of this receiver
      :body=TEXT                this text as the body ("_" stands for a space)
      :echo                     the request's Authorization field as the body
      :control                  a body with control characters and escape sequences
    slow:SECONDS                takes the events, answers 200 after so long
    hang                        reads the request, never answers
    drip:SECONDS                takes the events, sends the answer's header one byte at a time over so long
    drop                        takes the events, closes without an answer: they will come twice
    cut                         takes the events, closes in the middle of a 200's body
    cut:STATUS                  refuses with STATUS, closes in the middle of the body
    die                         reads half of the body and resets the connection; takes nothing
    refuse                      resets the connection before reading the request's body; takes nothing
    garbage                     answers something that is not HTTP
    header:BYTES                takes the events, answers 200 with a header of that size
    big:BYTES                   takes the events, answers 200 with a body of that size
    exit                        the whole process ends in the middle of the request, as a crash would

    --chaos RATE (0 to 1) does one of 500, 503, 429 (with and without Retry-After), drop, cut, die and refuse by chance to that
    share of the requests that would be taken; --seed makes it the same every time.
    --token T refuses with 401 what does not come with "Authorization: Bearer T".

What it records
    --record FILE: one line of JSON for each event that was *taken*, flushed and synced before the answer is sent:
        {"request": 3, "id": "..."}
    Events are the members of "items" ({"version": 1, "items": [...]}), of an array, or the lines of JSON Lines. The id is
    metadata.uid, else "uid", else "id", else the SHA-256 of the event as sorted compact JSON.
    --requests FILE: one line of JSON for each request, also a refused one, written before the answer:
        {"request": 3, "url": "/x", "method": "POST", "step": "503", "taken": false, "length": 17, "sha256": "...",
         "headers": {"content-type": "application/json", ...}}

    receiver.py unique FILE     prints the number of lines, of different ids, and of ids that came more than once
"""

import argparse
import collections
import email.utils
import hashlib
import http.server
import json
import os
import random
import socket
import ssl
import struct
import sys
import threading
import time
import urllib.parse

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
CHAOS = ("500", "503", "429:retry-after=0.01", "429", "drop", "cut", "die", "refuse")
CONTROL_BODY = b"bad\x1b[31m request\x00\r\nfake: line\x07 \xe2\x80\xaegnorw\xff"


# --- steps --------------------------------------------------------------------------------------------------------

def parse_step(text):
    """"429:retry-after=2:echo" -> ("429", {"retry-after": "2", "echo": ""}); a bare first option is its argument."""
    name, *rest = text.split(":")
    options = {}
    for i, part in enumerate(rest):
        key, equals, value = part.partition("=")
        if not equals and i == 0 and key not in ("echo", "control"):
            options["argument"] = key
        else:
            options[key] = value
    return name, options


def http_date(at, form):
    t = time.gmtime(at)
    clock = "%02d:%02d:%02d" % (t.tm_hour, t.tm_min, t.tm_sec)
    if form == "rfc850":
        return "%s, %02d-%s-%02d %s GMT" % (DAYS[t.tm_wday], t.tm_mday, MONTHS[t.tm_mon - 1], t.tm_year % 100, clock)
    if form == "asctime":
        return "%s %s %2d %s %d" % (DAYS[t.tm_wday][:3], MONTHS[t.tm_mon - 1], t.tm_mday, clock, t.tm_year)
    return email.utils.formatdate(at, usegmt=True)


class Script:
    """Which step is next, for each URL that brings its own list and for all others together."""

    def __init__(self, steps, chaos, seed):
        self.default = steps.split(",")
        self.chaos = chaos
        self.random = random.Random(seed)
        self.counts = collections.Counter()
        self.lock = threading.Lock()

    def next(self, url):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)
        own = query.get("steps")
        steps = own[0].split(",") if own else self.default
        with self.lock:
            key = url if own else ""
            step = steps[min(self.counts[key], len(steps) - 1)]
            self.counts[key] += 1
            if step == "ok" and self.random.random() < self.chaos:
                step = self.random.choice(CHAOS)
        return step


# --- records ------------------------------------------------------------------------------------------------------

def events_of(body):
    try:
        whole = json.loads(body)
    except ValueError:
        return [json.loads(line) for line in body.splitlines() if line.strip()]
    if isinstance(whole, dict) and isinstance(whole.get("items"), list):
        return whole["items"]
    return whole if isinstance(whole, list) else [whole]


def id_of(event):
    if isinstance(event, dict):
        metadata = event.get("metadata")
        for value in (metadata.get("uid") if isinstance(metadata, dict) else None, event.get("uid"), event.get("id")):
            if value is not None:
                return str(value)
    return hashlib.sha256(json.dumps(event, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class Log:
    """Lines that survive the death of this process."""

    def __init__(self, path):
        self.file = open(path, "a", encoding="utf-8") if path else None
        self.lock = threading.Lock()

    def write(self, lines):
        if not self.file:
            return
        with self.lock:
            for line in lines:
                self.file.write(json.dumps(line) + "\n")
            self.file.flush()
            os.fsync(self.file.fileno())


# --- answering ----------------------------------------------------------------------------------------------------

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "receiver"
    disable_nagle_algorithm = True

    def do_POST(self):
        number = self.server.next_number()
        step = self.server.script.next(self.path)
        if self.server.token and self.headers.get("Authorization") != "Bearer " + self.server.token:
            step = "401"
        self.number, self.step = number, step
        name, self.options = parse_step(step)
        if name.isdigit():
            self.refuse_with(int(name))
        else:
            getattr(self, "step_" + name, self.step_unknown)()

    do_GET = do_PUT = do_DELETE = do_HEAD = do_POST

    def do_CONNECT(self):
        self.number, self.step = self.server.next_number(), "connect"
        self.log_request_line(b"", False)
        self.answer(403, b"no tunnel")

    # what a step begins with

    def log_request_line(self, body, taken):
        self.server.requests.write([{
            "request": self.number, "url": self.path, "method": self.command, "step": self.step, "taken": taken,
            "length": len(body), "sha256": hashlib.sha256(body).hexdigest(),
            "headers": {k.lower(): v for k, v in self.headers.items()}}])

    def read_body(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.log_request_line(body, False)
        return body

    def take(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.log_request_line(body, True)
        try:
            events = events_of(body) if body else []
        except ValueError:
            events = []
        self.server.record.write([{"request": self.number, "id": id_of(e)} for e in events])

    # what it ends with

    def answer(self, status, body, headers=()):
        self.send_response(status)
        for key, value in headers:
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def close_now(self, reset=False):
        if reset:  # SO_LINGER with 0: RST instead of FIN
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.wfile.flush()
        sock = self.connection.detach() if reset else None
        if sock is not None:
            os.close(sock)
        else:
            try:
                self.connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def argument(self, otherwise):
        return self.options.get("argument", otherwise)

    # the steps

    def refuse_with(self, status):
        self.read_body()
        headers, options = [], self.options
        if "retry-after" in options:
            headers.append(("Retry-After", options["retry-after"].replace("_", " ")))
        if "retry-date" in options:
            at = time.time() + float(options["retry-date"])
            headers.append(("Retry-After", http_date(at, options.get("form", "imf"))))
        if "location" in options:
            target = options["location"]
            if target.startswith("@"):
                target = "http://%s%s" % (self.headers.get("Host"), target[1:])
            headers.append(("Location", target))
        body = b'{"error": "step %s"}' % str(status).encode()
        if "body" in options:
            body = options["body"].replace("_", " ").encode()
        if "echo" in options:
            body = b"you sent " + self.headers.get("Authorization", "nothing").encode()
        if "control" in options:
            body = CONTROL_BODY
        self.answer(status, body, headers)

    def step_ok(self):
        self.take()
        self.answer(int(self.argument("200")), b'{"status": "taken"}')

    def step_slow(self):
        self.take()
        time.sleep(float(self.argument("1")))
        self.answer(200, b"{}")

    def step_hang(self):
        self.read_body()
        self.server.stopped.wait()

    def step_drip(self):
        self.take()
        text = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Padding: " + b"p" * 50 + b"\r\n\r\n"
        for i in range(len(text)):
            self.wfile.write(text[i:i + 1])
            self.wfile.flush()
            time.sleep(float(self.argument("1")) / len(text))

    def step_drop(self):
        self.take()
        self.close_now()

    def step_cut(self):
        status = int(self.argument("200"))
        if status < 300:
            self.take()
        else:
            self.read_body()
        self.wfile.write(b"HTTP/1.1 %d Cut\r\nContent-Length: 1000\r\n\r\n{\"status\"" % status)
        self.close_now()

    def step_die(self):
        self.rfile.read(int(self.headers.get("Content-Length", "0")) // 2)
        self.log_request_line(b"", False)
        self.close_now(reset=True)

    def step_refuse(self):
        self.log_request_line(b"", False)
        self.close_now(reset=True)

    def step_garbage(self):
        self.read_body()
        self.wfile.write(b"220 mail.example ESMTP\r\n\x00\xff\r\n")
        self.close_now()

    def step_header(self):
        self.take()
        size = int(self.argument("100000"))
        lines = [("X-%05d" % i, "h" * 1000) for i in range(size // 1010 + 1)]
        self.answer(200, b"{}", lines)

    def step_big(self):
        self.take()
        self.send_response(200)
        size = int(self.argument("1000000"))
        self.send_header("Content-Length", str(size))
        self.end_headers()
        while size > 0:
            self.wfile.write(b"b" * min(size, 65536))
            size -= 65536

    def step_exit(self):
        self.read_body()
        os._exit(1)

    def step_unknown(self):
        self.read_body()
        self.answer(500, ("receiver: unknown step " + self.step).encode())

    # quiet

    def handle(self):
        try:
            super().handle()
        except (OSError, ValueError):
            self.close_connection = True  # the sender went away, or we have detached the socket

    def finish(self):
        try:
            super().finish()
        except (OSError, ValueError):
            pass

    def log_message(self, *args):
        if not self.server.quiet:
            super().log_message(*args)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, options):
        self.script = Script(options.steps, options.chaos, options.seed)
        self.record, self.requests = Log(options.record), Log(options.requests)
        self.token, self.quiet = options.token, options.quiet
        self.stopped = threading.Event()
        self.number, self.number_lock = 0, threading.Lock()
        if ":" in options.host:
            self.address_family = socket.AF_INET6
        super().__init__((options.host, options.port), Handler)
        self.tls = None
        if options.tls_cert:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(options.tls_cert, options.tls_key)

    def next_number(self):
        with self.number_lock:
            self.number += 1
            return self.number

    def finish_request(self, request, address):
        if self.tls:  # in the connection's own thread: a silent peer stops nobody else
            request.settimeout(10)
            try:
                request = self.tls.wrap_socket(request, server_side=True)
            except (OSError, ssl.SSLError):
                return
            request.settimeout(None)
        super().finish_request(request, address)

    def shutdown_request(self, request):
        try:
            super().shutdown_request(request)
        except OSError:
            pass

    def handle_error(self, request, address):
        if not self.quiet:
            super().handle_error(request, address)


def unique(path):
    counts = collections.Counter()
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            counts[json.loads(line)["id"]] += 1
    print(sum(counts.values()), len(counts), sum(1 for n in counts.values() if n > 1))


def parse_arguments(argv):
    p = argparse.ArgumentParser(description="An HTTP(S) receiver of events for tests; see the head of this file.")
    p.add_argument("--host", default="127.0.0.1")
    p.add_argument("--port", type=int, default=0)
    p.add_argument("--steps", default="ok")
    p.add_argument("--record")
    p.add_argument("--requests")
    p.add_argument("--tls-cert")
    p.add_argument("--tls-key")
    p.add_argument("--token")
    p.add_argument("--chaos", type=float, default=0)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--quiet", action="store_true")
    return p.parse_args(argv)


def main(argv):
    if argv[:1] == ["unique"]:
        return unique(argv[1])
    server = Server(parse_arguments(argv))
    print("listening", server.server_address[1], flush=True)
    try:
        server.serve_forever(poll_interval=0.1)
    except KeyboardInterrupt:
        pass
    server.stopped.set()


if __name__ == "__main__":
    main(sys.argv[1:])
