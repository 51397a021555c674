#!/bin/bash
# down.sh [1|2 ...]: end the DCs that up.sh started (all without arguments).
# SIG=KILL for a crash.
. "$(dirname "$(readlink -f "$0")")/env.sh"; need_lab
[ $# -gt 0 ] || set -- 1 2

# Only what up.sh started: the session it made (its leader known by pid and start
# time), or what an already dead leader left: same session id AND same private
# mount namespace. samba rewrites its command line, so names prove nothing.
members() { # pids of DC $1, kept as "leader start-time mount-namespace"
  local p st ns k
  read -r p st ns < "$ADLAB/dc$1/samba.pid" || return 0
  [ "$(start_time "$p")" != "$st" ] || echo "$p"
  for k in $(pgrep -s "$p"); do
    [ "$(readlink "/proc/$k/ns/mnt")" = "$ns" ] && [ "$k" != "$p" ] && echo "$k"
  done
}
stop_one() {
  local sig=${SIG:-TERM} k pids
  [ -s "$ADLAB/dc$1/samba.pid" ] || return 0
  pids=$(members "$1"); [ -z "$pids" ] || kill -"$sig" $pids 2>/dev/null
  for k in $(seq 1 60); do
    pids=$(members "$1"); [ -n "$pids" ] || break
    [ "$k" -lt 40 ] || kill -KILL $pids 2>/dev/null
    sleep 0.05
  done
  [ -z "$pids" ] || { say "dc$1: still running: $pids"; return 1; }
  rm -f "$ADLAB/dc$1/samba.pid"
}
rc=0; for i; do stop_one "$i" || rc=1; done; exit $rc
