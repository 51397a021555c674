"""gate - a TCP proxy before a server, which knows at which of the client's requests it is: "at request k" is the same moment in
each run, and that is when a controller is killed.
"""
import contextlib
import socket
import threading


class Gate:
    """A TCP proxy on 127.0.0.1. route(connection number) is the address it leads to; at(number of the client's TLS records
    of application data so far) is called before the record is passed on."""

    def __init__(self, route, at=None):
        self.route, self.at, self.records, self.connections = route, at, 0, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            try:
                server = socket.create_connection((self.route(self.connections), 636), 5)
                server.settimeout(None)
            except OSError:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                client.close()
                continue
            for a, b, f in ((client, server, self.upward), (server, client, self.downward)):
                a.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=f, args=(a, b), daemon=True).start()

    def downward(self, source, sink):
        self.pump(source, sink, lambda: source.recv(65536))

    def upward(self, source, sink):
        stream = source.makefile("rb")

        def record():
            head = stream.read(5)
            body = stream.read(int.from_bytes(head[3:5], "big")) if len(head) == 5 else b""
            if head[:1] == b"\x17":
                self.records += 1
                if self.at:
                    self.at(self.records)
            return head + body
        self.pump(source, sink, record)

    @staticmethod
    def pump(source, sink, read):
        with contextlib.suppress(OSError):
            while True:
                data = read()
                if not data:
                    break
                sink.sendall(data)
        for s in (source, sink):
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.listener.close()


class At:
    """action() once, at request k; wait() for it: the last request's end may come after rollcall's."""

    def __init__(self, k, action):
        self.k, self.action, self.begun, self.done = k, action, False, threading.Event()

    def __call__(self, n):
        if n == self.k and not self.begun:
            self.begun = True
            try:
                self.action()
            finally:
                self.done.set()

    def wait(self):
        assert self.done.wait(10), "request %d never came" % self.k
