#!/bin/sh
# deb.sh [DIR] - builds the Debian package of this tree into DIR (default build/deb), out of a copy: the tree itself gets no debian/.
#   ROLLCALL_DEB_BINARY=FILE takes this rollcall instead of compiling one (for the test of the packaging itself).
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
out=${1:-$root/build/deb}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out" "$work/rollcall"
out=$(cd "$out" && pwd)
cd "$root"
tar -c --exclude='./build*' --exclude=./.git --exclude='*/node_modules' --exclude='*/__pycache__' . | tar -x -C "$work/rollcall"
cd "$work/rollcall"
cp -r packaging/debian debian
if [ -n "${ROLLCALL_DEB_BINARY:-}" ]; then
    mkdir -p obj
    cp "$ROLLCALL_DEB_BINARY" obj/rollcall
    sed -i 's/^override_dh_auto_build:/&\n\ttrue\nunused_build:/' debian/rules
fi
dpkg-buildpackage -b -nc -us -uc -d >"$work/log" 2>&1 || { tail -40 "$work/log" >&2; exit 1; }
mv "$work"/*.deb "$out/"
ls "$out"/*.deb
