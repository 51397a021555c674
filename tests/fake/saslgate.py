#!/usr/bin/python3
"""saslgate.py - a TLS door in front of a real controller that does what Windows does with LdapEnforceChannelBinding = 2.

TLS ends here. A SASL bind is answered here, by MIT's acceptor with the controller's own keytab, and only a ticket that is bound to
THIS door's TLS channel (RFC 5929 tls-server-end-point) is let in. Everything else is the real controller's: the messages are
carried to it over a connection of the door's own.

    saslgate.py --listen IP:PORT --to IP:PORT --cert PEM --key PEM --keytab FILE --bind-as DN --password FILE [--delay SECONDS]
    saslgate.py --listen IP:PORT --to IP:PORT --cert PEM --key PEM --pass      no judge: ends TLS and begins it anew (an attacker)

--delay holds each ticket back before it is judged. Prints "ready", then one line for each bind: "bound", or why not.
"""
import argparse
import hashlib
import select
import socket
import ssl
import threading
import time

import ber


def receive_message(s, kept=b""):
    """(one whole LDAP message or b"" at the end, what came after it)"""
    data = kept
    while not ber.frame_size(data):
        more = s.recv(65536)
        if not more:
            return b"", b""
        data += more
    n = ber.frame_size(data)
    return data[:n], data[n:]


def pump(client, up, from_client):
    """Until either ends; one thread, since a TLS connection is not for two."""
    while True:
        ready = [s for s in (client, up) if s.pending()] or select.select([client, up], [], [])[0]
        for s in ready:
            data = s.recv(65536)
            if not data:
                return
            if s is up:
                client.sendall(data)
            else:
                from_client(data)


def sasl_of(message):
    """(messageID, token) if it is a SASL bind by GSSAPI, else (messageID, None)."""
    r = ber.Reader(message).sub(0x30)
    mid = r.int()
    if r.peek() != 0x60:
        return mid, None
    op = r.sub(0x60)
    op.int()
    op.bytes()
    if op.peek() != 0xa3:
        return mid, None
    choice = op.sub(0xa3)
    return (mid, choice.bytes() if choice.more() else b"") if choice.bytes() == b"GSSAPI" else (mid, None)


class Judge:
    def __init__(self, a, end_point):
        import gssapi
        self.gssapi, self.delay = gssapi, a.delay
        credentials = gssapi.Credentials(usage="accept", store={"keytab": a.keytab})
        binding = gssapi.raw.ChannelBindings(application_data=end_point)
        self.context = gssapi.SecurityContext(creds=credentials, usage="accept", channel_bindings=binding)
        self.context.__DEFER_STEP_ERRORS__ = False
        self.offered = False

    def answer(self, token):
        """(result code, text, token)"""
        time.sleep(self.delay)
        if not self.context.complete:
            try:
                reply = self.context.step(token)
            except self.gssapi.raw.GSSError as e:
                return 49, str(e), getattr(e, "token", None) or b""
            if not int(self.context.actual_flags) & 2048:  # GSS_C_CHANNEL_BOUND_FLAG
                return 49, "80090346: LdapErr: DSID-0C0905F0, comment: AcceptSecurityContext error, data 80090346, v3839", b""
            return 14, "", reply or b""
        if not self.offered:
            self.offered = True
            return 14, "", self.context.wrap(b"\x01\0\0\0", False).message
        choice = self.context.unwrap(token).message
        return (0, "", b"") if choice == b"\x01\0\0\0" else (49, "layer %r" % choice, b"")


def login(a):
    s = ssl._create_unverified_context().wrap_socket(socket.create_connection(a.to))
    if a.bind_as:
        s.sendall(ber.message(1, ber.tlv(0x60, ber.integer(3), ber.octets(a.bind_as), ber.octets(open(a.password).read(), 0x80))))
        assert receive_message(s)[0]
    return s


class Door:
    def __init__(self, a, client, up, end_point):
        self.client, self.up, self.kept, self.judge = client, up, b"", Judge(a, end_point)

    def take(self, data):
        self.kept += data
        while self.kept and ber.frame_size(self.kept):
            n = ber.frame_size(self.kept)
            self.one(self.kept[:n])
            self.kept = self.kept[n:]

    def one(self, message):
        mid, token = sasl_of(message)
        if token is None:
            self.up.sendall(message)
            return
        code, text, reply = self.judge.answer(token)
        if code != 14:
            print(text.replace("\n", " ") or "bound", flush=True)
        more = [ber.octets(reply, 0x87)] if reply or code == 14 else []
        self.client.sendall(ber.message(mid, ber.tlv(0x61, ber.enum(code), ber.octets(""), ber.octets(text), *more)))


def serve(a, client, end_point):
    up = login(a)
    pump(client, up, up.sendall if a.passes else Door(a, client, up, end_point).take)
    up.close()


def address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


def main():
    p = argparse.ArgumentParser()
    for name in ("--listen", "--to"):
        p.add_argument(name, type=address, required=True)
    for name in ("--cert", "--key", "--keytab", "--bind-as", "--password"):
        p.add_argument(name)
    p.add_argument("--delay", type=float, default=0)
    p.add_argument("--pass", action="store_true", dest="passes")
    a = p.parse_args()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(a.cert, a.key)
    with open(a.cert) as f:
        first = f.read().split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n"
    end_point = b"tls-server-end-point:" + hashlib.sha256(ssl.PEM_cert_to_DER_cert(first)).digest()
    listener = socket.create_server(a.listen)
    print("ready", flush=True)

    def one(raw):
        client = None
        try:
            client = tls.wrap_socket(raw, server_side=True)
            serve(a, client, end_point)
        except OSError:
            pass  # whoever it was has gone
        finally:
            (client or raw).close()

    while True:
        raw, _ = listener.accept()
        threading.Thread(target=one, args=(raw,), daemon=True).start()


main()
