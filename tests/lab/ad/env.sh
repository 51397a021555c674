# shellcheck shell=bash disable=SC2034
# env.sh: the settings of a lab, sourced by the other scripts. Everything can be
# set in the environment before the lab is made; after that the values kept in
# $ADLAB/settings are the ones that count.
lab_vars="ADLAB_NET REALM NB DOMSID ADMINPASS READERPASS MODEL BACKEND POPULATE SEED LABDCS STRONGAUTH PREFORK LOGLEVEL EXTRA_CONF"
if [ -n "${ADLAB:-}" ] && [ -s "$ADLAB/settings" ]; then . "$ADLAB/settings"; fi
: "${ADLAB_NET:=127.0.10}"              # dcN listens on $ADLAB_NET.N
: "${REALM:=CORP.EXAMPLE.TEST}"
: "${NB:=CORP}"                         # NetBIOS name of the domain
: "${DOMSID:=S-1-5-21-2718281828-3141592653-1618033988}"
: "${ADMINPASS:=Lab-Passw0rd.1}"        # Administrator
: "${READERPASS:=Reader-Passw0rd.1}"    # svc-rollcall
: "${MODEL:=prefork}"                   # samba -M
: "${BACKEND:=tdb}"                     # tdb | mdb
: "${POPULATE:=}"                       # empty | small | company | big
: "${SEED:=1}"                          # of the content
: "${LABDCS:=1}"
: "${STRONGAUTH:=allow_sasl_over_tls}"  # ldap server require strong auth; yes refuses SASL over TLS
: "${PREFORK:=2}" "${LOGLEVEL:=1}" "${EXTRA_CONF:=}"   # processes a service, log level, more smb.conf lines
DOM=$(printf %s "$REALM" | tr A-Z a-z)
BASE="DC=${DOM//./,DC=}"
PY=/usr/bin/python3                     # Debian's own: it has the samba module

need_lab() { # for the scripts that need a lab to exist
  [ -n "${ADLAB:-}" ] && [ -s "$ADLAB/settings" ] || { echo "set ADLAB to the directory of a lab" >&2; exit 2; }
}
save_settings() {
  local v; (umask 077; for v in $lab_vars; do printf '%s=%q\n' "$v" "${!v}"; done > "$ADLAB/settings.new")
  mv "$ADLAB/settings.new" "$ADLAB/settings"
}
say() { echo "$*" >&2; }
ip_of() { echo "$ADLAB_NET.$1"; }
now() { date +%s.%N; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN{printf "%.2f s", b-a}'; }
start_time() { # of a living process; nothing for a zombie
  sed -n 's/.*) //; /^[^ZX]/p' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20
}
# run a command with /etc/resolv.conf pointing at the lab's DNS, in a private
# mount namespace: nothing under /etc is changed for anyone else
inlab() {
  KRB5_CONFIG="${KRB5_CONFIG:-$ADLAB/krb5.conf}" unshare -m --propagation private /bin/sh -c \
    'mount --bind "$0" /etc/resolv.conf && exec "$@"' "$ADLAB/resolv.conf" "$@"
}
