"""vaultlab - the stand-in for HashiCorp Vault (tests/lab/vault) as a process of a test's own.

    v = VaultLab()                   # https with the harness's CA; VaultLab(tls=False): http
    v.turn(sealed=True); v.reset(); v.requests()
"""
import json
import os

from harness import ROOT, scratch, shared_ca, write
from nodelab import NodeLab


class VaultLab(NodeLab):
    def __init__(self, tls=True):
        directory = scratch()
        self.ca, cert, key = shared_ca()
        self.log = write(os.path.join(directory, "log"), "")
        super().__init__(directory, os.path.join(ROOT, "tests", "lab", "vault", "main.js"), "--log", self.log, *(["--cert", cert, "--key", key] if tls else []))
        self.url = self.told["url"].replace("127.0.0.1", "localhost")

    def reset(self):
        self.turn(reset=True)
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
