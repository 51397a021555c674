#!/usr/bin/python3
"""package_test.py - the Debian package: built, looked at, unpacked and run; the unit's hardening. `make deb` compiles; here the tested rollcall is packed."""
# budget: 120 120
import os
import re
import shutil
import subprocess

from harness import ROLLCALL, ROOT, case, main, scratch

out = scratch()
root = scratch()
UNIT = os.path.join(ROOT, "packaging", "rollcall.service")


def run(*command, code=0, **env):
    p = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=dict(os.environ, **env), timeout=300)
    assert code is None or p.returncode == code, "%s: %d\n%s" % (" ".join(command), p.returncode, p.stdout[-4000:])
    return p.stdout


def package():
    return next(os.path.join(out, n) for n in sorted(os.listdir(out)) if re.match(r"rollcall_.*\.deb$", n))


def control(name):
    return run("sh", "-c", "dpkg-deb --ctrl-tarfile '%s' | tar -xO ./%s" % (package(), name))


@case("it builds, and lintian has nothing to say")
def build():
    run(os.path.join(ROOT, "packaging", "deb.sh"), out, ROLLCALL_DEB_BINARY=ROLLCALL)
    run("dpkg-deb", "-x", package(), root)
    if shutil.which("lintian"):
        shutil.copy(package(), "/var/tmp/rollcall-lintian-%d.deb" % os.getpid())
        copied = "/var/tmp/rollcall-lintian-%d.deb" % os.getpid()
        try:
            as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.getuid() == 0 else []
            said = run(*as_nobody, "lintian", "--tag-display-limit", "0", "--fail-on", "error,warning", copied, code=None, HOME="/nonexistent")
        finally:
            os.unlink(copied)
        assert not re.search(r"^[EW]: ", said, re.M), said


@case("what is in it: the program, its pages, its unit, an example of settings; nothing else")
def content():
    files = {os.path.join(d, n)[len(root):] for d, _, names in os.walk(root) for n in names}
    assert files == {"/usr/bin/rollcall", "/etc/rollcall/rollcall.yaml", "/lib/systemd/system/rollcall.service", "/usr/share/man/man1/rollcall.1.gz",
                     "/usr/share/man/man5/rollcall.yaml.5.gz", "/usr/share/doc/rollcall/README.md.gz", "/usr/share/doc/rollcall/changelog.gz",
                     "/usr/share/doc/rollcall/copyright", "/usr/share/lintian/overrides/rollcall"}, files
    assert control("conffiles").split() == ["/etc/rollcall/rollcall.yaml"]
    assert os.stat(root + "/etc/rollcall/rollcall.yaml").st_mode & 0o7777 == 0o640 and os.stat(root + "/etc/rollcall").st_mode & 0o7777 == 0o750
    version = run(root + "/usr/bin/rollcall", "version").split()[1]
    assert version == re.search(r"^Version: (\S+)$", control("control"), re.M).group(1), "debian/changelog and meson.build disagree"
    assert version == re.search(r"version: '([^']+)'", open(os.path.join(ROOT, "meson.build")).read()).group(1)
    check = run(root + "/usr/bin/rollcall", "config", "check", "--config", root + "/etc/rollcall/rollcall.yaml")
    assert "rollcall.yaml" in check, check


@case("its scripts: nothing is started or enabled, state goes with purge only")
def scripts():
    for name in ("postinst", "prerm", "postrm"):
        text = control(name)
        path = os.path.join(scratch(), name)
        with open(path, "w") as f:
            f.write(text)
        run("sh", "-n", path)
        assert not re.search(r"invoke (start|restart)\b|systemctl (start|restart|enable)\b", text), text
    removal = control("postrm")
    assert "/var/lib/rollcall" in removal and removal.index('"$1" = purge') < removal.index("rm -rf /var/lib/rollcall")
    assert "rm -rf" not in control("prerm") + control("postinst")


@case("the unit: as closed as a server that reads directories can be")
def unit():
    if not shutil.which("systemd-analyze"):
        return print("# no systemd-analyze here")
    said = run("systemd-analyze", "security", "--offline=true", UNIT)
    level = float(re.search(r"Overall exposure level for rollcall.service: ([0-9.]+)", said).group(1))
    assert level <= 1.5, said
    verified = run("systemd-analyze", "verify", UNIT, code=None)
    problems = [line for line in verified.splitlines() if "not executable" not in line and "man " not in line]
    assert not problems, verified
    with open(UNIT) as f:
        command = re.search(r"^ExecStart=(\S+) serve (.*)$", f.read(), re.M)
    for option in re.findall(r"--([a-z-]+)", command.group(2)):
        assert "--" + option in run(ROLLCALL, "serve", "--help"), option


main()
