#!/bin/bash
# up.sh [N]: bring up N (1 or 2) Samba AD DCs of one domain on loopback, in $ADLAB
# (default: a fresh directory). What exists there is started again, what does not is
# made; POPULATE=small|company|big fills a new domain. Ends with the line READY.
set -eu
[ "$(id -u)" = 0 ] || { echo "up.sh: needs root (ports 88, 389, 636 and a mount namespace)" >&2; exit 2; }
: "${ADLAB:=$(mktemp -d "${TMPDIR:-/tmp}/adlab.XXXXXX")}"
export ADLAB
here=$(dirname "$(readlink -f "$0")"); . "$here/env.sh"
N=${1:-$LABDCS}; LABDCS=$N
umask 022
mkdir -p "$ADLAB/ca" "$ADLAB/log"; save_settings
echo "ADLAB=$ADLAB"
t_all=$(now)
[ ${#ADLAB} -le 60 ] || say "warning: a long path may break Samba's unix sockets: $ADLAB"

write_client_conf() {
  cat > "$ADLAB/krb5.conf" <<K
[libdefaults]
  default_realm = $REALM
  dns_lookup_realm = false
  dns_lookup_kdc = false
  dns_canonicalize_hostname = false
  rdns = false
  udp_preference_limit = 1
[realms]
  $REALM = {
$(for i in $(seq 1 "$N"); do echo "    kdc = $(ip_of $i)"; done)
  }
[domain_realm]
  .$DOM = $REALM
  $DOM = $REALM
K
  # the DCs' own: replication asks for tickets in the lower-case realm, whose KDC is found by DNS only
  printf '[libdefaults]\n default_realm = %s\n dns_lookup_realm = false\n dns_lookup_kdc = true\n[domain_realm]\n .%s = %s\n' \
    "$REALM" "$DOM" "$REALM" > "$ADLAB/krb5-dc.conf"
  { echo "search $DOM"; for i in $(seq 1 "$N"); do echo "nameserver $(ip_of $i)"; done
    echo "options timeout:1 attempts:1"; } > "$ADLAB/resolv.conf"
}
write_conf() { # after provision or join: our own smb.conf
  local d="$ADLAB/dc$1"
  mkdir -p "$d"/{etc,private,state,cache,run/ncalrpc,run/winbindd,run/ntp,log,bind-dns}
  chmod 700 "$d"; chmod 755 "$d/run/winbindd"
  cat > "$d/etc/smb.conf" <<K
[global]
	netbios name = DC$1
	realm = $REALM
	workgroup = $NB
	server role = active directory domain controller
	server services = rpc, ldap, cldap, kdc, drepl, kcc, dns
	interfaces = $(ip_of $1)/24
	bind interfaces only = yes
	private dir = $d/private
	state directory = $d/state
	cache directory = $d/cache
	lock directory = $d/state
	pid directory = $d/run
	binddns dir = $d/bind-dns
	ncalrpc dir = $d/run/ncalrpc
	winbindd socket directory = $d/run/winbindd
	ntp signd socket directory = $d/run/ntp
	log file = $d/log/samba.log
	log level = $LOGLEVEL
	max log size = 0
	dns forwarder =
	dns update command = /usr/sbin/samba_dnsupdate --all-interfaces --use-samba-tool
	tls enabled = yes
	tls keyfile = $ADLAB/ca/dc$1.key
	tls certfile = $ADLAB/ca/dc$1.pem
	tls cafile = $ADLAB/ca/ca.pem
	ldap server require strong auth = $STRONGAUTH
	prefork children = $PREFORK
	disable spoolss = yes
	load printers = no
	rpc server dynamic port range = 49152-49300
$EXTRA_CONF
[sysvol]
	path = $d/state/sysvol
	read only = no
[netlogon]
	path = $d/state/sysvol/$DOM/scripts
	read only = no
K
}
running() {
  local p st ns; read -r p st ns 2>/dev/null < "$ADLAB/dc$1/samba.pid" && [ "$(start_time "$p")" = "$st" ]
}
start_dc() {
  local d="$ADLAB/dc$1" ip k; ip=$(ip_of "$1")
  if running "$1"; then return 0; fi
  "$here/down.sh" "$1"    # what a dead leader may have left
  if (exec 3<>"/dev/tcp/$ip/636") 2>/dev/null; then say "$ip:636 is in use by another lab: set ADLAB_NET (--net)"; return 1; fi
  mkdir -p "$d/run/ncalrpc" "$d/run/winbindd" "$d/run/ntp" "$d/log"
  # a session and a mount namespace of its own, so that down.sh can end exactly this one
  KRB5_CONFIG="$ADLAB/krb5-dc.conf" setsid unshare -m --propagation private /bin/sh -c '
    mount --bind "$0" /etc/resolv.conf || exit 1
    echo "$$ $(sed "s/.*) //" /proc/$$/stat | cut -d" " -f20) $(readlink /proc/$$/ns/mnt)" > "$1.new" && mv "$1.new" "$1"; shift; exec "$@"' \
    "$ADLAB/resolv.conf" "$d/samba.pid" \
    /usr/sbin/samba -F --no-process-group -M "$MODEL" -s "$d/etc/smb.conf" \
    </dev/null >"$d/log/stdout" 2>&1 &
  for k in $(seq 1 100); do [ -s "$d/samba.pid" ] && return 0; sleep 0.02; done
  say "dc$1 did not start: $(cat "$d/log/stdout")"; return 1
}
wait_dc() { # until LDAPS answers and the KDC and DNS ports are open
  local ip k; ip=$(ip_of "$1")
  for k in $(seq 1 300); do
    if LDAPTLS_CACERT="$ADLAB/ca/ca.pem" LDAPTLS_REQCERT=never timeout 5 ldapsearch -x -LLL -o nettimeout=2 -H "ldaps://$ip" -s base -b '' highestCommittedUSN 2>/dev/null | grep -q USN \
       && (exec 3<>"/dev/tcp/$ip/88") 2>/dev/null && (exec 3<>"/dev/tcp/$ip/53") 2>/dev/null; then return 0; fi
    running "$1" || break
    sleep 0.05
  done
  say "dc$1 did not come up; see $ADLAB/dc$1/log"; tail -5 "$ADLAB/dc$1/log/stdout" >&2; return 1
}
provision() {
  local d="$ADLAB/dc1"; rm -rf "$d"; mkdir -p "$d"
  samba-tool domain provision -q --targetdir="$d" --realm="$REALM" --domain="$NB" --domain-sid="$DOMSID" \
    --host-name=dc1 --host-ip="$(ip_of 1)" --adminpass="$ADMINPASS" --server-role=dc \
    --dns-backend=SAMBA_INTERNAL --backend-store="$BACKEND" \
    --option="interfaces=$(ip_of 1)/24" --option="bind interfaces only=yes" \
    --option="vfs objects=dfs_samba4" >"$ADLAB/log/provision" 2>&1 ||
    { tail -20 "$ADLAB/log/provision" >&2; rm -rf "$d"; return 1; }
}
join() { # dc1 must be running
  local n=$1 d="$ADLAB/dc$1"; rm -rf "$d"; mkdir -p "$d"
  write_conf "$n"
  inlab samba-tool domain join "$DOM" DC -q --server="dc1.$DOM" -U "$NB\\Administrator%$ADMINPASS" --realm="$REALM" --targetdir="$d" \
    --dns-backend=SAMBA_INTERNAL --backend-store="$BACKEND" \
    --option="netbios name=DC$n" --option="interfaces=$(ip_of $n)/24" --option="bind interfaces only=yes" \
    --option="dns forwarder=" >"$ADLAB/log/join$n" 2>&1 ||
    { tail -30 "$ADLAB/log/join$n" >&2; rm -rf "$d"; return 1; }
  write_conf "$n"
}
register_dns() { # loopback addresses are left out by join, so register them at both DCs by RPC
  local s
  for s in 1 2; do
    inlab samba_dnsupdate -s "$ADLAB/dc2/etc/smb.conf" --all-interfaces --use-samba-tool \
      --rpc-server-ip="$(ip_of $s)" --update-cache="$ADLAB/dc2/private/dns_update_cache.$s" >"$ADLAB/log/dnsupdate$s" 2>&1 || :
  done
}
converge() { # one explicit replication each way
  local a nc
  for a in "dc1 dc2" "dc2 dc1"; do set -- $a
    for nc in "$BASE" "CN=Configuration,$BASE" "DC=DomainDnsZones,$BASE" "DC=ForestDnsZones,$BASE"; do
      inlab samba-tool drs replicate "$1.$DOM" "$2.$DOM" "$nc" --sync-forced -U "$NB\\Administrator%$ADMINPASS" \
        -s "$ADLAB/dc1/etc/smb.conf" >>"$ADLAB/log/replicate" 2>&1 || { say "replication $2 -> $1 of $nc failed"; return 1; }
    done
  done
}
lock_door() { # make door.locked really locked: bad binds until the DC says 775
  local k try="ldapwhoami -x -o nettimeout=5 -H ldaps://$(ip_of 1) -D door.locked@$DOM"
  export LDAPTLS_CACERT="$ADLAB/ca/ca.pem" LDAPTLS_REQCERT=never
  for k in $(seq 1 25); do
    if [ "$k" = 1 ]; then out=$($try -w Door-Passw0rd.1 2>&1 || :); else out=$($try -w wrong 2>&1 || :); fi
    case $out in *'data 775'*) return 0;; esac
  done
  say "door.locked could not be locked: $out"; return 1
}

fill() { SEED=$SEED READERPASS=$READERPASS $PY "$here/populate.py" "$POPULATE" || { rm -rf "$ADLAB/dc1"; return 1; }; }

write_client_conf
"$here/certs.sh" "$ADLAB" dcs "$N"
new1=
if [ ! -d "$ADLAB/dc1/private" ]; then
  t=$(now); provision; write_conf 1; new1=1; echo "provisioned dc1: $(since $t)"
  if [ "$POPULATE" ]; then t=$(now); fill; echo "populated ($POPULATE): $(since $t)"; fi
  echo "$ADLAB_NET" > "$ADLAB/net"
fi
was=$(cat "$ADLAB/net")
if [ "$was" != "$ADLAB_NET" ]; then # a snapshot of another net
  t=$(now)
  for d in "$ADLAB"/dc?; do
    write_conf "${d##*dc}"; $PY "$here/renet.py" "$d" "$was" "$ADLAB_NET"; rm -f "$d"/private/dns_update_cache*
  done
  echo "$ADLAB_NET" > "$ADLAB/net"; echo "moved from $was to $ADLAB_NET: $(since $t)"
fi
write_conf 1
t=$(now); start_dc 1; wait_dc 1; echo "dc1 ($(ip_of 1)) answers: $(since $t)"
# the replication SPN (E3514235-...) of dc1, which provision leaves to the dnsupdate service; before any join
[ -z "$new1" ] || inlab samba_spnupdate -s "$ADLAB/dc1/etc/smb.conf" >"$ADLAB/log/spnupdate" 2>&1
[ -z "$POPULATE" ] || lock_door
if [ "$N" -ge 2 ]; then
  new=; if [ ! -d "$ADLAB/dc2/private" ]; then t=$(now); join 2; new=1; echo "joined dc2: $(since $t)"; fi
  write_conf 2
  t=$(now); start_dc 2; wait_dc 2; echo "dc2 ($(ip_of 2)) answers: $(since $t)"
  if [ "$new" ]; then
    [ -z "$POPULATE" ] || $PY "$here/populate.py" --joined DC2
    t=$(now); register_dns; converge; echo "registered in DNS, replicated both ways: $(since $t)"
  fi
fi
echo "READY $(since $t_all)"
