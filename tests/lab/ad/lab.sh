#!/bin/bash
# lab.sh: the front door of the lab.
#   lab.sh start [--dcs 1|2] [--mode empty|small|company|big] [--net 127.0.X] [--dir DIR] [--no-cache]
#       starts a lab (default: 1 DC, small, the first free net, a fresh directory) and
#       prints LAB_...= lines for the shell when it is ready; progress goes to stderr
#   lab.sh env DIR             the LAB_...= lines again
#   lab.sh modify DIR < LDIF   add, change, rename, delete over LDAPS as Administrator
#   lab.sh snapshot DIR        keep the state (stops and starts the DCs); one per lab
#   lab.sh restore DIR         back to it
#   lab.sh crash DIR N         kill -9 of everything of DC N
#   lab.sh down DIR [N]        orderly end of DC N (default all), the state stays
#   lab.sh up DIR              start what is not running
#   lab.sh cert DIR NAME       DC 1 serves ca/faults/NAME (see certs.sh); NAME dc1: the right one again
#   lab.sh in DIR CMD...       run CMD with the lab's DNS, Kerberos configuration and CA
#   lab.sh stop DIR            end everything and remove DIR
# A filled domain is kept in ${ROLLCALL_LAB_CACHE:-/var/tmp/rollcall-lab-cache}/KEY.tar for two
# weeks; KEY is a hash of the scripts, the settings and Samba's version.
set -eu
here=$(dirname "$(readlink -f "$0")")
usage() { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; }
die() { echo "lab.sh: $*" >&2; exit 1; }

use() { # use DIR: load the settings of that lab
  [ -s "${1:-}/settings" ] || die "no lab in '${1:-}'"
  ADLAB=$(readlink -f "$1"); export ADLAB; . "$here/env.sh"
}
lines() { # NAME VALUE...: LAB_NAME=VALUE, quoted only where the shell needs it
  while [ $# -gt 0 ]; do
    case $2 in *[!A-Za-z0-9_./@:=,+-]*) printf 'LAB_%s=%q\n' "$1" "$2";; *) printf 'LAB_%s=%s\n' "$1" "$2";; esac
    shift 2
  done
}
print_env() {
  local i
  lines DIR "$ADLAB" HOST "dc1.$DOM" IP "$(ip_of 1)"
  for i in $(seq 2 "$LABDCS"); do lines "HOST$i" "dc$i.$DOM" "IP$i" "$(ip_of $i)"; done
  lines DCS "$LABDCS" NET "$ADLAB_NET" CA "$ADLAB/ca/ca.pem" DOMAIN "$DOM" BASE "$BASE" REALM "$REALM" NETBIOS "$NB" \
    READER "svc-rollcall@$DOM" READER_PW_FILE "$ADLAB/reader.pw" ADMIN "Administrator@$DOM" ADMIN_PW_FILE "$ADLAB/admin.pw" \
    TRUTH "$ADLAB/truth.json" KRB5_CONFIG "$ADLAB/krb5.conf"
}
owned() { # by a lab that is not stopped, though its DCs may be down for the moment (of what was forgotten, no longer than half a day)
  [ -n "$(find "$1" -mmin -720 2>/dev/null)" ] && [ -s "$(cat "$1")/settings" ]
}
free_net() { # the given net or the first free one; holds its lock (fd 8) until the DCs listen
  local n
  for n in ${1:-$(seq -f '127.0.%g' 10 99)}; do
    exec 8>"$locks/net-$n.lock"
    if flock -n 8 && ! owned "$locks/net-$n.owner" && ! (exec 3<>"/dev/tcp/$n.1/636") 2>/dev/null; then ADLAB_NET=$n; return 0; fi
  done
  die "${1:-every net} is in use"
}
cache_key() {
  { for f in env.sh up.sh snap.sh populate.py; do cat "$here/$f"; done
    printf '%s\n' "$REALM" "$NB" "$DOMSID" "$ADMINPASS" "$READERPASS" "$BACKEND" "$POPULATE" "$SEED" "$LABDCS" "$(/usr/sbin/samba --version)"
  } | sha256sum | cut -c1-32
}
start() {
  local net= dir= mode=small dcs=1 cached=1 tar t0
  while [ $# -gt 0 ]; do
    case $1 in
      --dcs) dcs=$2; shift 2;; --mode) mode=$2; shift 2;; --net) net=$2; shift 2;; --dir) dir=$2; shift 2;;
      --no-cache) cached=; shift;; *) usage >&2; exit 2;;
    esac
  done
  case $dcs in 1|2) ;; *) die "--dcs 1 or 2";; esac
  case $mode in small|company|big) ;; empty) mode=;; *) die "--mode empty, small, company or big";; esac
  [ "$(id -u)" = 0 ] || die "needs root"
  unset ADLAB; POPULATE=$mode; LABDCS=$dcs
  . "$here/env.sh"
  t0=$(now)
  local cache=${ROLLCALL_LAB_CACHE:-/var/tmp/rollcall-lab-cache} locks
  mkdir -p -m 700 "$cache" 2>/dev/null || :
  if [ -O "$cache" ] && [ -w "$cache" ] && [ ! -L "$cache" ]; then locks=$cache
  else cached=; locks=$(mktemp -d); trap 'rm -rf "$locks"' EXIT; fi
  find "$cache" -maxdepth 1 -name '*.tar*' -mtime +13 -delete 2>/dev/null || :
  free_net "$net"
  if [ "$dir" ]; then
    mkdir -p "$dir"; [ -z "$(ls -A "$dir")" ] || die "$dir is not empty"
    ADLAB=$(readlink -f "$dir")
  else ADLAB=$(mktemp -d "${TMPDIR:-/tmp}/rollcall-lab.XXXXXX"); fi
  export ADLAB; chmod 755 "$ADLAB"; save_settings
  echo "$ADLAB" > "$locks/net-$ADLAB_NET.owner"
  (umask 077; printf %s "$READERPASS" > "$ADLAB/reader.pw"; printf %s "$ADMINPASS" > "$ADLAB/admin.pw")
  trap 'say "lab.sh: start failed"; ADLAB=$ADLAB "$here/down.sh" || :; [ "${KEEP:-}" ] || rm -rf "$ADLAB"; [ "$locks" = "$cache" ] || rm -rf "$locks"' EXIT
  trap 'exit 130' INT TERM HUP

  tar=$cache/$(cache_key).tar
  if [ "$cached" ]; then exec 9>"$tar.lock"; flock 9; fi    # one builds, the others wait and use it
  if [ "$cached" ] && [ -s "$tar" ] && ! tar -C "$ADLAB" -xf "$tar"; then
    say "lab.sh: $tar is damaged, building anew"; rm -rf "$tar" "$ADLAB"/dc? "$ADLAB"/net
  fi
  if [ "$cached" ] && [ ! -s "$tar" ]; then
    "$here/up.sh" "$LABDCS" 8>&- 9>&- >&2
    "$here/snap.sh" "$tar" 8>&- 9>&-
  fi
  [ -z "$cached" ] || exec 9>&-
  "$here/up.sh" "$LABDCS" 8>&- >&2
  trap - EXIT; [ "$locks" = "$cache" ] || rm -rf "$locks"
  say "started in $(since "$t0")"
  print_env
}

cmd=${1:-}; [ $# -eq 0 ] || shift
case $cmd in
start) start "$@";;
env) use "${1:-}"; print_env;;
modify) use "${1:-}"; LDAPTLS_REQCERT=never exec ldapmodify -x -H "ldaps://$(ip_of 1)" -D "Administrator@$DOM" -y "$ADLAB/admin.pw";;
snapshot) use "${1:-}"; "$here/snap.sh"; "$here/up.sh" "$LABDCS" >&2;;
restore) use "${1:-}"; "$here/restore.sh" >&2;;
crash) use "${1:-}"; SIG=KILL exec "$here/down.sh" "${2:?which DC}";;
down) use "${1:-}"; shift; exec "$here/down.sh" "$@";;
up) use "${1:-}"; "$here/up.sh" "$LABDCS" >&2;;
cert) use "${1:-}"; [ -s "$ADLAB/ca/faults/selfsigned.pem" ] || "$here/certs.sh" "$ADLAB"; "$here/certs.sh" "$ADLAB" use "${2:?which certificate}" >&2;;
in) use "${1:-}"; shift; exec "$here/in.sh" "$@";;
stop) use "${1:-}"; "$here/down.sh"; rm -rf "$ADLAB";;
-h|--help|help) usage;;
*) usage >&2; exit 2;;
esac
