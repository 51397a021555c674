#!/bin/bash
# certs.sh DIR [dcs N]: the certificates of the lab in DIR, all in DIR/ca.
#   certs.sh DIR dcs N     the lab CA (ca.pem) and dc1..dcN (.pem .key), if missing; up.sh calls this
#   certs.sh DIR           besides, faults/NAME.pem .key for TLS tests, all made for dc1:
#     expired notyet wrongname selfsigned otherca noeku cnonly   must be refused
#     good wildcard inter                                        must be accepted (inter.pem = leaf + intermediate)
#     otherca-ca.pem is the CA that issued otherca
#   certs.sh DIR use NAME  put faults/NAME (or the normal one: dc1) into service on dc1 and restart it
set -eu
ADLAB=$1; export ADLAB
here=$(dirname "$(readlink -f "$0")"); . "$here/env.sh"; need_lab
umask 022; mkdir -p "$ADLAB/ca"; cd "$ADLAB/ca"

mk_ca() { # mk_ca NAME CN
  [ -s "$1.pem" ] && return 0
  (umask 077; openssl genrsa -out "$1.key" 2048 2>/dev/null)
  openssl req -x509 -new -key "$1.key" -days 3650 -out "$1.pem" -subj "/O=Lab/CN=$2" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
}
leaf_ext() { # leaf_ext EKU [SANS]
  printf 'basicConstraints=CA:FALSE\nkeyUsage=digitalSignature,keyEncipherment\nextendedKeyUsage=%s\n' "$1"
  printf 'authorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n'
  [ -z "${2:-}" ] || printf 'subjectAltName=%s\n' "$2"
}
mk_cert() { # mk_cert FILE CN CA EXTENSIONS [openssl ca date options]
  local f=$1 cn=$2 ca=$3 ext=$4 w; shift 4
  [ -s "$f.pem" ] && return 0
  w=$(mktemp -d "$ADLAB/ca/new.XXXXXX"); : > "$w/index"
  (umask 077; openssl req -newkey rsa:2048 -nodes -keyout "$f.key" -out "$w/csr" -subj "/CN=$cn" 2>/dev/null)
  printf '[ca]\ndefault_ca=d\n[d]\ndatabase=%s/index\nnew_certs_dir=%s\ndefault_md=sha256\npolicy=p\nrand_serial=yes\n[p]\ncommonName=supplied\n[e]\n%s\n' \
    "$w" "$w" "$ext" > "$w/cnf"
  [ $# -gt 0 ] || set -- -days 825
  openssl ca -batch -notext -config "$w/cnf" -extensions e -cert "$ca.pem" -keyfile "$ca.key" -in "$w/csr" -out "$f.pem" "$@" 2>"$w/err" ||
    { cat "$w/err" >&2; exit 1; }
  rm -rf "$w"
}
sans() { echo "DNS:dc$1.$DOM,DNS:$DOM,DNS:ldap.$DOM,IP:$(ip_of $1)"; }

case ${2:-} in
use)
  [ -s dc1.pem.normal ] || cp -p dc1.pem dc1.pem.normal; [ -s dc1.key.normal ] || cp -p dc1.key dc1.key.normal
  case $3 in dc1) from=dc1; s=.normal;; *) from=faults/$3; s=;; esac
  cp -p "$from.key$s" dc1.key; cp -p "$from.pem$s" dc1.pem
  "$here/down.sh" 1; exec "$here/up.sh" "$LABDCS";;
dcs) n=$3;;
*) n=1;;
esac
mk_ca ca "Lab Root CA"
for i in $(seq 1 "$n"); do mk_cert "dc$i" "dc$i.$DOM" ca "$(leaf_ext serverAuth,clientAuth "$(sans $i)")"; done
[ "${2:-}" != dcs ] || exit 0

mkdir -p faults; D=dc1.$DOM; S=$(sans 1); E=serverAuth,clientAuth
mk_ca faults/otherca-ca "Another Root CA"
mk_cert faults/good "$D" ca "$(leaf_ext $E "$S")"
mk_cert faults/expired "$D" ca "$(leaf_ext $E "$S")" -startdate 20200101000000Z -enddate 20210101000000Z
mk_cert faults/notyet "$D" ca "$(leaf_ext $E "$S")" -startdate 20900101000000Z -enddate 20910101000000Z
mk_cert faults/wrongname other.example.test ca "$(leaf_ext $E DNS:other.example.test)"
mk_cert faults/otherca "$D" faults/otherca-ca "$(leaf_ext $E "$S")"
mk_cert faults/noeku "$D" ca "$(leaf_ext clientAuth "$S")"
mk_cert faults/cnonly "$D" ca "$(leaf_ext $E)"
mk_cert faults/wildcard "*.$DOM" ca "$(leaf_ext $E "DNS:*.$DOM")"
mk_cert faults/inter-ca "Lab Intermediate CA" ca "$(printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n')"
if [ ! -s faults/inter.pem ]; then
  mk_cert faults/inter "$D" faults/inter-ca "$(leaf_ext $E "$S")"; cat faults/inter-ca.pem >> faults/inter.pem
fi
if [ ! -s faults/selfsigned.pem ]; then
  (umask 077; openssl genrsa -out faults/selfsigned.key 2048 2>/dev/null)
  openssl req -x509 -new -key faults/selfsigned.key -days 825 -out faults/selfsigned.pem -subj "/CN=$D" \
    -addext "subjectAltName=$S" -addext extendedKeyUsage=$E -addext keyUsage=digitalSignature,keyEncipherment
fi
