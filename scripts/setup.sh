#!/bin/bash
# setup.sh [build|test]: installs from Debian what is missing, says what it does, does nothing when all is there.
#   build: what `make` needs (default).  test: also what ./check.sh and ./demo.sh need (a real Samba AD, clang, ...).
set -euo pipefail
what=${1:-build}
packages="make gcc libc6-dev meson ninja-build pkg-config libldap-dev libsqlite3-dev libjansson-dev libyaml-dev
  libutf8proc-dev libsodium-dev libcurl4-openssl-dev libssl-dev libkrb5-dev libc-ares-dev libcmocka-dev libroaring-dev libmicrohttpd-dev zlib1g-dev mandoc python3 ca-certificates"
[ "$what" = build ] || packages="$packages clang libclang-rt-14-dev python3-jsonschema openssl ldap-utils
  samba samba-ad-dc samba-ad-provision samba-dsdb-modules python3-samba python3-gssapi ldb-tools krb5-user libsasl2-modules-gssapi-mit
  iproute2 bind9-dnsutils util-linux procps sqlite3 zstd gdb chromium fonts-dejavu-core dpkg-dev debhelper lintian"
{ command -v node && command -v npm; } >/dev/null || packages="$packages nodejs npm"

# What comes from npm, exactly as locked: the page's tools; in tests also the clients that the simulated tenant is tried on, a browser's driver, an OpenID provider.
node_modules() {
  local at dirs="web"
  [ "$what" = build ] || dirs="web tests/web tests/lab/graph/clients tests/lab/oidc"
  for at in $dirs; do
    at=$(dirname "$0")/../$at
    [ -f "$at/package-lock.json" ] || continue
    [ "$at/node_modules/.package-lock.json" -nt "$at/package-lock.json" ] && continue
    echo "setup: npm ci in ${at#*/../}" >&2
    npm --prefix "$at" ci --ignore-scripts --no-audit --no-fund >/dev/null || { echo "setup: npm ci failed; see above" >&2; exit 1; }
  done
}

missing=
for p in $packages; do
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing="$missing $p"
done
[ -n "$missing" ] || { node_modules; exit 0; }

as_root=
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { echo "setup: these packages are missing:$missing; run this as root or install sudo" >&2; exit 1; }
  as_root=sudo
fi
echo "setup: installing from Debian:$missing" >&2
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
install() { $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing >"$log" 2>&1; }
$as_root apt-get update -qq >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
install || { cat "$log" >&2; echo "setup: apt-get failed; see above" >&2; exit 1; }
rm -f "$log"
node_modules
