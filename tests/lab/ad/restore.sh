#!/bin/bash
# restore.sh [FILE]: stop, put back the state of snap.sh (default $ADLAB/snap.tar),
# start as many DCs as the lab has. Also moves the state to this lab's net.
here=$(dirname "$(readlink -f "$0")"); . "$here/env.sh"; need_lab
set -e
f=${1:-$ADLAB/snap.tar}; [ -s "$f" ] || { say "no snapshot $f"; exit 1; }
"$here/down.sh"; t=$(now); rm -rf "$ADLAB"/dc?
tar -C "$ADLAB" -xf "$f"; say "restored: $(since $t)"
exec "$here/up.sh" "$LABDCS"
