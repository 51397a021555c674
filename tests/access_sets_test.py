#!/usr/bin/python3
"""access_sets_test.py - the sets of who can do what, of a real directory: they agree with the check, and the file beside the store keeps up."""
# budget: 120 180
import os
import subprocess

from domain import Domain
from harness import ROLLCALL, SOAK, Lab, case, main, rollcall, scratch

MEMBER, RESET = "bf9679c0-0de6-11d0-a285-00aa003049e2", "00299570-246d-11d0-a768-00aa006e0529"
lab = Lab()
domain = Domain(lab)
work = scratch()
with domain.prepare():
    OU = domain.ou("Sets")
    who = [domain.user("s.user%d" % i, OU) for i in range(8)]
    inner = domain.group("S Inner", OU, *who[:4])
    outer = domain.group("S Outer", OU, inner, who[4])
    target = domain.group("S Target", OU)
domain.ace(target, "(OD;;WP;%s;;%s)(OA;;WP;%s;;%s)(A;;WD;;;PS)" % (MEMBER, domain.sid(who[0]), MEMBER, domain.sid(outer)))
domain.ace(OU, "(OA;CI;CR;%s;;%s)(D;CI;WP;;;%s)" % (RESET, domain.sid(inner), domain.sid(who[1])))
config = lab.config(work, extract_acls=True, username=lab.admin, password="file:" + lab.admin_pw_file)
store = os.path.join(work, "rollcall.db")
index = store + ".access"


def sync():
    rollcall("sync", "corp", config=config, code=None)


def writers():
    rows = rollcall("access", "who-can", "WRITE_PROPERTY:member", target, "-o", "json", config=config).json()
    return {r["principal"]["name"] for r in rows if r["principal"]["name"].startswith("s.")}


@case("every set agrees with the check, built and mapped")
def _():
    sync()
    p = subprocess.run([os.path.join(os.path.dirname(ROLLCALL), "tests", "access", "access-sets-compare"), "sqlite:" + store, "3000000" if SOAK else "300000"],
                       stdout=subprocess.PIPE, text=True)
    print("\n".join("# " + line for line in p.stdout.splitlines()))
    assert p.returncode == 0 and "not ok" not in p.stdout, p.stdout


@case("who never asks has no index; the first question makes it")
def _():
    assert not os.path.exists(index)
    assert writers() == {"s.user%d" % i for i in (1, 2, 3, 4)} - set(), writers()
    assert os.stat(index).st_mode & 0o777 == 0o600


@case("a run brings it up to date; a damaged one is made anew; a run never fails by it")
def _():
    before = os.stat(index).st_ino
    domain.set(inner, member=[who[5], who[2]])
    sync()
    assert os.stat(index).st_ino != before
    assert writers() == {"s.user2", "s.user4", "s.user5"}, writers()
    with open(index, "r+b") as f:
        f.seek(os.path.getsize(index) // 2)
        f.write(b"\xff" * 4096)
    assert writers() == {"s.user2", "s.user4", "s.user5"}, writers()
    os.unlink(index)
    os.mkdir(index)
    domain.set(inner, member=[who[6]])
    sync()
    assert writers() == {"s.user4", "s.user6"}, writers()


main()
