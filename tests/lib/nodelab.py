"""nodelab - a stand-in of tests/lab that node runs, as a process of a test's own: its first line says in JSON where it is (.told); it ends with its standard input."""
import contextlib
import json
import os
import select
import subprocess
import urllib.request

from harness import at_end, end

NODE = os.environ.get("ROLLCALL_NODE", "node")


class NodeLab:
    def __init__(self, directory, *command, cwd=None):
        """`directory`: where its standard error goes."""
        self.dir = directory
        with open(os.path.join(directory, "stderr"), "w") as errors:
            self.process = subprocess.Popen([NODE, *command], cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True)
        at_end(self.stop)
        ready, _, _ = select.select([self.process.stdout], [], [], 30)
        line = self.process.stdout.readline() if ready else ""
        assert line, "%s does not start: %s" % (command[0], self.errors())
        self.told = json.loads(line)

    def stop(self):
        end(self.process)
        for stream in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                stream.close()

    def errors(self):
        """What it wrote to its standard error: empty unless it broke."""
        with open(os.path.join(self.dir, "stderr")) as f:
            return f.read()

    def turn(self, **state):
        """At its control address: what it answers."""
        return json.loads(urllib.request.urlopen(urllib.request.Request(self.told["control"], json.dumps(state).encode()), timeout=10).read())
