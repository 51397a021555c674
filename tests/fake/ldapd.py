#!/usr/bin/python3
"""ldapd - a scriptable LDAP server that plays an Active Directory domain controller, honest or hostile.

For tests only; it listens on loopback, one thread per connection, and knows one small domain (directory.py).
What it does beyond an honest controller is named by behaviours (anomalies.py, table in README.md):

    ldapd.py --users 50 --groups 10 --port-file port --log log --behaviour forced-ranges=20 --behaviour result=busy,page=2,times=1
    ldapd.py --scenario file.json --tls server.crt server.key --port-file port
    ldapd.py --list            all behaviours with their variants, as JSON
"""

import argparse
import datetime
import json
import os
import signal
import socket
import ssl
import sys
import threading
import time

sys.dont_write_bytecode = True  # leave no __pycache__ in the source tree
import anomalies as odd  # noqa: E402
import ber
import directory as ad
from behaviour import Behaviour
from session import SECRET_ATTRS, Session


class Server:
    def __init__(self, options):
        self.options, self.lock = options, threading.Lock()
        self.password = options.password.encode()
        self.behaviours = [Behaviour.parse(b) for b in options.behaviour]
        self.instance = int.from_bytes(ad.guid("instance:" + options.dc)[:4], "little")
        self.dc_now, self.sd_cache, self.number, self.era = None, {}, 0, 0
        self.contexts = {}
        self.directory = self.build({})
        self.can_tls = options.tls is not None
        self.implicit_tls = self.can_tls and not options.starttls
        self.log_file = open(options.log, "a", buffering=1, encoding="utf-8") if options.log else None
        if self.can_tls:
            self.load(*options.tls)
        self.sock = socket.socket(socket.AF_INET6 if ":" in options.host else socket.AF_INET)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind((options.host, options.port))
        self.sock.listen(256)
        self.port = self.sock.getsockname()[1]

    def build(self, changes):
        o = self.options
        made = ad.Directory(**{k: int(changes.get(k, getattr(o, k))) for k in ("users", "groups", "computers", "changed", "deleted")}, dc=o.dc)
        for who, attrs in o.entries.items():  # sAMAccountName, or DN
            entry = made.by_norm[ad.norm_dn(who)] if "=" in who else made.by_sam[who.casefold()]
            for name, values in attrs.items():
                entry.set(name, [bytes.fromhex(v["hex"]) if isinstance(v, dict) else v for v in values])
        for sam in o.remove:
            entry = made.by_sam.pop(sam.casefold())
            made.entries.remove(entry)
            del made.by_norm[entry.norm]
        return made

    def load(self, cert, key):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        versions = {"1.0": ssl.TLSVersion.TLSv1, "1.1": ssl.TLSVersion.TLSv1_1, "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
        if self.options.tls_min in ("1.0", "1.1"):
            context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version, context.maximum_version = versions[self.options.tls_min], versions[self.options.tls_max]
        context.load_cert_chain(cert, key)
        context.last_sni = None

        def note_sni(_, name, ctx):
            ctx.last_sni = name
        context.sni_callback = note_sni
        self.contexts[cert] = context
        return context

    def context(self, session):
        b = session.on("cert")
        if b:
            cert, _, key = b.arg.partition(":")
            return self.contexts.get(cert) or self.load(cert, key)
        return self.contexts[self.options.tls[0]]

    def log(self, era, **fields):
        """One line; a connection that began before the last change of behaviours has no say any more."""
        if self.log_file:
            with self.lock:
                if era != self.era:
                    return
                self.log_file.write(json.dumps(dict({"t": round(time.time(), 4)}, **fields), ensure_ascii=False) + "\n")

    def sd(self, number, flags):
        key = (number, flags)
        if key not in self.sd_cache:
            self.sd_cache[key] = ad.build_sd(number, flags)
        return self.sd_cache[key]

    def apply(self, tag, dn, changes):
        """Carries a change out; a result code."""
        with self.lock:
            d = self.directory
            entry = d.by_norm.get(ad.norm_dn(dn))
            if tag == 0x68:
                if entry:
                    return 68
                d._put(dn, "user", {a: vs for _, a, vs in changes if a.lower() not in SECRET_ATTRS and a.lower() != "objectclass"}, rid=80000 + len(d.entries))
                return 0
            if entry is None:
                return 32
            if tag == 0x4A:
                d.entries.remove(entry)
                del d.by_norm[entry.norm]
                d.by_sam.pop(entry.text("sAMAccountName").casefold(), None)
                return 0
            if tag != 0x66:
                return 53
            d.usn += 1
            for kind, attr, values in changes:
                if attr.lower() in SECRET_ATTRS:
                    entry.set("pwdLastSet", ad.filetime(datetime.datetime.now(datetime.timezone.utc)))
                    continue
                have = entry.get(attr)
                if kind == "add":
                    if any(v in have for v in values):
                        return 20
                    entry.set(attr, have + values)
                elif kind == "delete":
                    if any(v not in have for v in values) or not have:
                        return 16
                    entry.set(attr, [v for v in have if values and v not in values])
                elif values or have:
                    entry.set(attr, values)
            entry.set("uSNChanged", d.usn)
            if any(attr.lower() == "member" for _, attr, _ in changes):
                for e in d.entries:
                    if e.get("memberOf"):
                        e.set("memberOf", [])
                    if e.get("directReports"):
                        e.set("directReports", [])
                d._back_links()
            return 0

    # -- control socket: a test changes behaviours without starting a new server

    def open_control(self, path):
        if os.path.exists(path):
            os.unlink(path)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(8)
        threading.Thread(target=self.run_control, args=(listener,), daemon=True).start()

    def run_control(self, listener):
        while True:
            peer, _ = listener.accept()
            threading.Thread(target=self.serve_control, args=(peer,), daemon=True).start()

    def serve_control(self, peer):
        with peer, peer.makefile("rw") as f:
            for line in f:
                try:
                    f.write(json.dumps(self.command(json.loads(line))) + "\n")
                except Exception as e:  # the test made a mistake: tell it, go on
                    f.write(json.dumps({"ok": False, "error": "%s: %s" % (type(e).__name__, e)}) + "\n")
                f.flush()

    def command(self, order):
        """{"behaviours": [...]} replaces all of them; {"directory": {"changed": 3}} rebuilds; the first also restarts the
        numbering of connections, and older connections are no longer logged."""
        if "behaviours" in order:
            chosen = [Behaviour.parse(b) for b in order["behaviours"]]
            with self.lock:
                self.behaviours, self.dc_now, self.number, self.era = chosen, None, 0, self.era + 1
        if "directory" in order:
            self.directory = self.build(order["directory"])
        return {"ok": True, "connections": self.number, "entries": len(self.directory.entries), "usn": self.directory.usn,
                "hits": [[b.name, b.hits] for b in self.behaviours]}

    def run(self):
        while True:
            sock, _ = self.sock.accept()
            with self.lock:
                self.number += 1
                number = self.number
            threading.Thread(target=self.serve, args=(sock, number), daemon=True).start()

    def serve(self, sock, number):
        Session(self, sock, number).run()


# --- command line -----------------------------------------------------------------------------------------------

def parse_args(argv):
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--scenario", help="JSON file with any of these options as keys, behaviours, entries, remove")
    p.add_argument("--behaviour", action="append", default=[], metavar="NAME[=ARG][,KEY=VALUE..]")
    p.add_argument("--cut", help="N[,how=fin|rst|stall|notify]: same as --behaviour cut=N")
    p.add_argument("--host", default="127.0.0.1")
    p.add_argument("--port", type=int, default=0)
    p.add_argument("--port-file", help="the port is written here when connections are accepted")
    p.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"), help="TLS from the first byte; with --starttls only on request")
    p.add_argument("--starttls", action="store_true")
    p.add_argument("--tls-min", default="1.2")
    p.add_argument("--tls-max", default="1.3")
    p.add_argument("--log", help="JSON lines, one for each request and connection event; appended")
    p.add_argument("--control", metavar="PATH", help="Unix socket that takes new behaviours as JSON lines")
    p.add_argument("--users", type=int, default=20)
    p.add_argument("--groups", type=int, default=8)
    p.add_argument("--computers", type=int, default=3)
    p.add_argument("--changed", type=int, default=0, help="so many users have another department and a newer USN")
    p.add_argument("--deleted", type=int, default=2, help="so many tombstones")
    p.add_argument("--dc", default="dc1", help="name of this controller")
    p.add_argument("--password", default="Collector-1", help="password of every account")
    p.add_argument("--list", action="store_true", help="print all behaviours as JSON")
    p.set_defaults(entries={}, remove=[])
    o = p.parse_args(argv)
    if o.scenario:
        with open(o.scenario, encoding="utf-8") as f:
            scenario = json.load(f)
        o.behaviour = scenario.pop("behaviours", []) + o.behaviour
        given = {a.lstrip("-").partition("=")[0].replace("-", "_") for a in argv if a.startswith("--")}
        for key, value in scenario.items():
            key = key.replace("-", "_")
            if not hasattr(o, key):
                p.error("%s: unknown key %r" % (o.scenario, key))
            if key not in given:
                setattr(o, key, value)
    if o.cut:
        o.behaviour.append("cut=" + o.cut)
    return o


def listing():
    return {name: {"group": s.group, "argument": s.argument, "doc": s.doc, "variants": list(s.variants), "defaults": s.defaults}
            for name, s in odd.BEHAVIOURS.items()}


def main(argv):
    o = parse_args(argv)
    if o.list:
        json.dump({"behaviours": listing(), "qualifiers": odd.QUALIFIERS, "ber_levels": {k: list(v) for k, v in ber.LEVELS.items()}}, sys.stdout, indent=1)
        print()
        return 0
    try:
        server = Server(o)
    except (ValueError, OSError, KeyError) as e:
        print("ldapd: %s" % e, file=sys.stderr)
        return 2
    # the signals are waited for, not handled: a handler could be noticed only after the next connection
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    threading.Thread(target=server.run, daemon=True).start()
    if o.control:
        server.open_control(o.control)
    if o.port_file:
        with open(o.port_file + ".new", "w") as f:
            f.write("%d\n" % server.port)
        os.rename(o.port_file + ".new", o.port_file)
    print(server.port, flush=True)
    signal.sigwait(ends)
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
