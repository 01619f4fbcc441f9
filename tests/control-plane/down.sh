#!/usr/bin/env bash
# Stops what up.sh started in DIR, by the process ids it wrote there, and waits until it has ended.
#
#   down.sh DIR [--purge]
#
# A process that is not up.sh's (its id was given to another since) is left alone: its command line must name DIR.
# One that has not ended 20 s after SIGTERM is killed. Logs and data stay in DIR, so that a
# later up.sh goes on with the same objects; --purge removes DIR. Stopping twice is no error.
set -euo pipefail
[ $# -ge 1 ] || { echo "usage: down.sh DIR [--purge]" >&2; exit 2; }
[ -d "$1" ] || { echo "down.sh: no such folder: $1" >&2; exit 1; }
dir=$(cd "$1" && pwd)

ours() { # ours PID NAME
    case $(ps -ww -p "$1" -o command= 2>/dev/null) in
    *"$2"*"$dir/"*) return 0 ;;
    *) return 1 ;;
    esac
}

if [ -e "$dir/pids" ]; then
    # Clients first: an API server waits for its open watches before it ends.
    for name in kwok kube-scheduler kube-controller-manager kube-apiserver etcd; do
        for pid in $(awk -v n="$name" '$2 == n { print $1 }' "$dir/pids"); do
            ours "$pid" "$name" || continue
            kill -TERM "$pid" 2>/dev/null || true
            for _ in $(seq 200); do
                ours "$pid" "$name" || break
                sleep 0.1
            done
            if ours "$pid" "$name"; then
                echo "down.sh: $name ($pid) did not end in 20 s: killed" >&2
                kill -KILL "$pid" 2>/dev/null || true
            fi
        done
    done
    rm -f "$dir/pids"
fi
if [ "${2:-}" = --purge ]; then
    rm -rf "$dir"
fi
