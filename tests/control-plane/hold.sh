#!/usr/bin/env bash
# Holds a control plane for as long as its standard input is open: up.sh, one line "ready", and at the end down.sh.
#
#   hold.sh DIR
#
# A test that is killed can clean nothing up, but its end of the pipe closes whatever ends it: that is the signal to stop.
# A Ctrl-C at the terminal reaches the test too, so here it is ignored. DIR stays, with the logs in it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ $# -eq 1 ] || { echo "usage: hold.sh DIR" >&2; exit 2; }
trap '' INT
trap 'exit 1' TERM HUP
# A port that was free when it was chosen may be taken a moment later by another run: then new ports are tried.
for attempt in 1 2 3; do
    "$here/up.sh" "$1" >"$1.up.log" 2>&1 </dev/null && break
    if [ "$attempt" = 3 ] || ! grep -qs "address already in use" "$1.up.log" "$1"/*.log; then
        cat "$1.up.log" >&2
        exit 1
    fi
    "$here/down.sh" "$1" --purge
done
trap '"$here/down.sh" "$1"' EXIT
echo ready
while read -r _; do :; done
