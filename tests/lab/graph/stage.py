#!/usr/bin/python3
"""stage.py FILE - a simulated tenant for demo.sh: writes its connector's settings into FILE and says "ready"; each line "advance N" on
standard input is N steps of its history, answered by "done"; ends with its input."""
import sys

from harness import close_all
from tenant import Tenant

tenant = Tenant(users=5000, groups=400, memberships=30000, devices=300, servicePrincipals=120, administrativeUnits=8, contacts=40)
with open(sys.argv[1], "w") as f:
    f.write("  cloud:\n" + "".join("    %s: %s\n" % (k, v) for k, v in tenant.settings().items()))
print("ready", flush=True)
for line in sys.stdin:
    tenant.advance(int(line.split()[1]))
    print("done", flush=True)
close_all()
