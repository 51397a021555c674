"""vaultlab - the stand-in for HashiCorp Vault (tests/lab/vault) as a process of a test's own.

    v = VaultLab()                   # https with the harness's CA; VaultLab(tls=False): http
    v.set(sealed=True); v.reset(); v.requests()
"""
import json
import os
import select
import subprocess
import urllib.request

from harness import ROOT, at_end, scratch, shared_ca, write

NODE = os.environ.get("ROLLCALL_NODE", "node")


class VaultLab:
    def __init__(self, tls=True):
        self.dir = scratch()
        self.ca, cert, key = shared_ca()
        self.log = write(os.path.join(self.dir, "log"), "")
        command = [NODE, os.path.join(ROOT, "tests", "lab", "vault", "main.js"), "--log", self.log]
        if tls:
            command += ["--cert", cert, "--key", key]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        at_end(self.stop)
        ready, _, _ = select.select([self.process.stdout], [], [], 30)
        told = json.loads(self.process.stdout.readline() if ready else "{}")
        self.url, self.control = told["url"].replace("127.0.0.1", "localhost"), told["control"]

    def stop(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.terminate()
            self.process.wait(10)
        self.process.stdout.close()

    def set(self, **state):
        urllib.request.urlopen(urllib.request.Request(self.control, json.dumps(state).encode()), timeout=10).read()

    def reset(self):
        self.set(reset=True)
        write(self.log, "")

    def requests(self):
        with open(self.log) as f:
            return [json.loads(line) for line in f]

    def environment(self, token="hvs.good", **more):
        own = {"VAULT_ADDR": self.url, "VAULT_CACERT": self.ca, "VAULT_TOKEN": token, "HOME": self.dir, "VAULT_NAMESPACE": ""}
        return dict(own, **more)

    def block(self, **keys):
        """Lines of the block `vault` for a settings file."""
        own = dict({"address": self.url, "ca_certificate": self.ca}, **keys)
        return "vault:\n" + "".join("  %s: %s\n" % (k, json.dumps(v)) for k, v in own.items() if v is not None)
