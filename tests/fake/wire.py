"""wire - bytes to and from one client, with the faults that live below LDAP.

TLS runs through memory buffers, so that every byte on the socket can be counted, delayed and withheld.
"""

import socket
import ssl
import struct
import time


class Gone(Exception):
    """The connection is over, by our will or the client's."""


class Transport:
    """The socket with TLS on top through memory buffers, so that every byte on the wire can be counted and withheld."""

    def __init__(self, session, sock):
        self.session, self.sock = session, sock
        self.tls = self.tls_in = self.tls_out = None
        self.app_sent = self.raw_sent = 0
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    # -- ends of a connection

    def drain(self, seconds=None):
        """Reads and drops what the client still sends until it closes."""
        try:
            self.sock.settimeout(seconds)
            while self.sock.recv(65536):
                pass
        except OSError:
            pass

    def stall(self):
        self.session.log(op="stall")
        self.drain()
        raise Gone("stalled until the client left")

    def fin(self):
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        self.drain(5)
        raise Gone("closed here")

    def rst(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()
        raise Gone("reset here")

    def end(self, how):
        self.session.log(op="end", how=how)
        if how == "stall":
            self.stall()
        if how in ("rst", "reset"):
            self.rst()
        if how == "notify":
            self.close_notify()
        self.fin()

    def close_notify(self):
        if self.tls:
            try:
                self.tls.unwrap()
            except ssl.SSLError:
                pass
            data = self.tls_out.read()
            try:
                self.sock.sendall(data)
            except OSError:
                pass

    # -- output

    def raw_send(self, data, free=False):
        """Bytes for the socket. `free`: beyond the reach of cut-raw and dribble."""
        cut = None if free else self.session.cut_limit("raw")
        if cut and self.raw_sent + len(data) >= cut[0]:
            self._push(data[:cut[0] - self.raw_sent])
            self.raw_sent = cut[0]
            self.end(cut[1])
        pace = None if free else self.session.pace(True)
        if pace:
            self._dribble(data, pace, self._push)
        else:
            self._push(data)
        self.raw_sent += len(data)

    def _push(self, data):
        piece = self.session.segment_size
        try:
            if piece:
                for i in range(0, len(data), piece):
                    self.sock.sendall(data[i:i + piece])
            else:
                self.sock.sendall(data)
        except OSError as e:
            raise Gone("client is gone: %s" % e)

    @staticmethod
    def _dribble(data, pace, push):
        rate, size = pace
        for i in range(0, len(data), size):
            push(data[i:i + size])
            time.sleep(size / rate)

    def send(self, data):
        """LDAP bytes."""
        cut = self.session.cut_limit("app")
        if cut and self.app_sent + len(data) >= cut[0]:
            keep = cut[0] - self.app_sent
            if keep > 0:
                self._send(data[:keep])
            self.end(cut[1])
        pace = self.session.pace(False)
        if pace:
            self._dribble(data, pace, self._send)
        else:
            self._send(data)

    def _send(self, data):
        self.app_sent += len(data)
        if not self.tls:
            self.raw_send(data)
            return
        view = memoryview(data)
        for i in range(0, len(view), 1 << 18):
            self.tls.write(view[i:i + (1 << 18)])
            self.raw_send(self.tls_out.read())

    # -- input

    def raw_recv(self):
        try:
            return self.sock.recv(65536)
        except OSError:
            return b""

    def recv(self):
        """LDAP bytes, b"" at the end."""
        if not self.tls:
            return self.raw_recv()
        while True:
            try:
                return self.tls.read(65536)
            except ssl.SSLWantReadError:
                pending = self.tls_out.read()
                if pending:
                    self.raw_send(pending)
                data = self.raw_recv()
                if not data:
                    return b""
                self.tls_in.write(data)
            except ssl.SSLError:
                return b""

    def start_tls(self, context):
        tls_in, tls_out = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(tls_in, tls_out, server_side=True)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                pending = tls_out.read()
                if pending:
                    self.raw_send(pending)
                data = self.raw_recv()
                if not data:
                    raise Gone("client left during the handshake")
                tls_in.write(data)
            except ssl.SSLError as e:
                pending = tls_out.read()
                if pending:
                    self.raw_send(pending, free=True)
                raise Gone("TLS: %s" % (e.reason or e))
        self.tls, self.tls_in, self.tls_out = tls, tls_in, tls_out
        pending = tls_out.read()
        if pending:
            self.raw_send(pending)
        self.session.log(op="tls", version=tls.version(), sni=getattr(context, "last_sni", None))
