#!/bin/bash
# snap.sh [FILE]: stop the DCs and tar their state (default $ADLAB/snap.tar).
here=$(dirname "$(readlink -f "$0")"); . "$here/env.sh"; need_lab
set -e
f=${1:-$ADLAB/snap.tar}; "$here/down.sh"; t=$(now); umask 077
cd "$ADLAB"
printf '%s\n' "$ADLAB_NET" > net    # the addresses in the DNS zone are of this net
list=$(ls -d dc? truth.json 2>/dev/null || :)
tar --warning=no-file-ignored --sparse --exclude='dc?/log/*' --exclude='dc?/run/*' --exclude='msg.sock/*' --exclude='msg.lock/*' -cf "$f.$$" net $list
mv "$f.$$" "$f"
say "snapshot: $(since $t), $(stat -c %s "$f") bytes"
