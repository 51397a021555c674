#!/bin/sh
# build.sh [OUT] - packages if they are not those of the lock file, types, then the bundle into OUT (default: dist/ beside this).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/dist}
case $out in /*) ;; *) out=$PWD/$out ;; esac
cd "$here"
# npm's own record of what it installed is newer than the lock file exactly when nothing is left to do.
if [ ! node_modules/.package-lock.json -nt package-lock.json ]; then
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
    touch node_modules/.package-lock.json
fi
node node_modules/typescript/bin/tsc --noEmit
exec node build.mjs --out "$out"
