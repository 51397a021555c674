"""seal - what the protection of the connection costs the client: CPU of the whole process tree, the same listing for all.

A real domain controller with 5,100 users that is told to accept everything (`ldap server require strong auth = no`), so that plain LDAP can be
had at all: from ldapsearch, since rollcall never speaks it. Sealed by Kerberos (AES-256, GSSAPI) and LDAPS are measured for both programs.
"""
import os
import subprocess

from harness import Lab, write


def bench(measure, rollcall, work, rounds, attributes, without_policies):
    print("CPU of the client by protection, real domain controller, 5,100 users, the same attributes for all, best of %d rounds" % rounds)
    os.environ["STRONGAUTH"] = "no"
    lab = Lab(mode="company")
    del os.environ["STRONGAUTH"]
    without_policies(lab)
    password = open(lab.reader_pw_file).read().strip()
    cache = os.path.join(work, "cc")
    env = {"KRB5_CONFIG": lab.krb5_config, "KRB5CCNAME": cache, "LDAPTLS_CACERT": lab.ca}
    subprocess.run(["kinit", "svc-rollcall@" + lab.realm], input=password, text=True, check=True, stdout=subprocess.DEVNULL, env=dict(os.environ, **env))
    write(work + "/pw", password)
    inside = ["unshare", "-m", "--propagation", "private", "/bin/sh", "-c", 'mount --bind "$0" /etc/resolv.conf && exec "$@"', lab.dir + "/resolv.conf"]
    simple, sasl = ["-x", "-D", lab.reader, "-y", work + "/pw"], ["-Q", "-N", "-Y", "GSSAPI"]
    bind = {"plain LDAP": ("ldap", simple), "sealed by Kerberos": ("ldap", sasl + ["-O", "minssf=56"]), "LDAPS": ("ldaps", simple)}
    settings = {"sealed by Kerberos": {"security": "ldap", "auth": "kerberos", "kerberos_spn": "ldap/" + lab.host, "ca_certificate": None, "certificate_name": None},
                "LDAPS": {}, "LDAPS, Kerberos": {"auth": "kerberos"}}
    runs = {}
    for n in range(rounds):
        for name, (scheme, how) in bind.items():
            command = ["ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-H", "%s://%s" % (scheme, lab.host), "-E", "pr=1000/noprompt",
                       "-E", "!1.2.840.113556.1.4.801=::MAMCAQc=", *how, "-b", lab.base, "(objectClass=*)", *attributes()]
            runs.setdefault("ldapsearch, " + name, []).append(measure(inside + command, work + "/ldif", env=env))
        for name, keys in settings.items():
            config = lab.config(work, **keys)
            runs.setdefault("rollcall read, " + name, []).append(measure([rollcall, "read", "corp", "--config", config], work + "/events"))
    cpu = {name: min(u.cpu for u in found) for name, found in runs.items()}
    for name, value in cpu.items():
        base = cpu["ldapsearch, plain LDAP"]
        print("  %-40s %6.3f s  %5.2fx of ldapsearch over plain LDAP" % (name, value, value / base))
    for who in ("ldapsearch", "rollcall read"):
        print("    %s: sealed against LDAPS %.2fx" % (who, cpu[who + ", sealed by Kerberos"] / cpu[who + ", LDAPS"]))
    lab.stop()
