#!/usr/bin/env bash
# What a push costs those who read: latency of `GET /inventory` from a service that reads a cluster of 10,000 pods every two
# seconds, with and without pushing each of its snapshots.
#
#   benches/push.sh KAI RECEIVER LOAD [PAIRS] [SECONDS]
#
# KAI, RECEIVER and LOAD are built (release; `--example receiver --example load`). PAIRS (5) of SECONDS (10) each, one service at
# a time, in turn; the figures are medians, the ratio is the median of the pairs' ratios. The cluster is an API server of our own
# (`make control-plane` first), gone at the end. Needs wrk, curl and jq. PODS is the number of pods.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
usage="usage: benches/push.sh KAI RECEIVER LOAD [PAIRS] [SECONDS]"
kai=$(realpath "${1:?$usage}")
receiver=$(realpath "${2:?$usage}")
load=$(realpath "${3:?$usage}")
pairs=${4:-5}
seconds=${5:-10}
. "$here/processes.sh"
needs wrk curl jq
plane=$here/../tests/control-plane
finish_last() { "$plane/down.sh" "$dir/plane" 2>/dev/null; }
KUBECTL=$("$plane/build.sh" --where)/kubectl
export KUBECTL
"$plane/up.sh" "$dir/plane" >/dev/null
"$load" "$dir/plane/kubeconfig" "${PODS:-10000}" 200 2>"$dir/load.log" || { cat "$dir/load.log" >&2; exit 1; }
tail -n 1 "$dir/load.log"

"$receiver" 127.0.0.1:18228 >"$dir/received" 2>&1 &
started+=($!)
address=127.0.0.1:18080

measure() { # measure NAME VARIABLES…: a line "p50 p99 requests" in microseconds to NAME's file
    local name=$1
    shift
    env -i HOME="$dir" "$@" "$kai" serve -q -p 2 --kubeconfig "$dir/plane/kubeconfig" --listen "$address" 2>"$dir/$name.log" &
    local pid=$!
    started+=("$pid")
    for _ in $(seq 100); do
        curl -fso /dev/null "http://$address/readyz" && break
        sleep 0.1
    done
    # The first push comes within one interval.
    sleep 4
    wrk -t1 -c16 -d"${seconds}s" --latency "http://$address/inventory" >"$dir/wrk"
    if [ "$name" = pushing ]; then
        curl -fs "http://$address/readyz?verbose" | jq -e '.push[0].outcome == "accepted"' >/dev/null || {
            echo "benches/push.sh: nothing was pushed" >&2
            exit 1
        }
    fi
    stop "$pid"
    awk '
        function us(text) { return text ~ /us$/ ? text + 0 : text ~ /ms$/ ? text * 1000 : text * 1000000 }
        $1 == "50%" { p50 = us($2) } $1 == "99%" { p99 = us($2) } $1 == "Requests/sec:" { rate = $2 }
        END { print p50, p99, rate }' "$dir/wrk" >>"$dir/$name.runs"
}

for _ in $(seq "$pairs"); do
    measure quiet KAI_LOG_LEVEL=error
    measure pushing KAI_ANCHORE_URL=http://127.0.0.1:18228 KAI_ANCHORE_USER=bench KAI_ANCHORE_PASSWORD=bench \
        KAI_KUBECONFIG_CLUSTER=bench
done

median() { sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
printf '%-10s %8s %8s %10s\n' what "p50 us" "p99 us" "req/s"
for name in quiet pushing; do
    printf '%-10s %8s %8s %10s\n' "$name" "$(cut -d' ' -f1 "$dir/$name.runs" | median)" \
        "$(cut -d' ' -f2 "$dir/$name.runs" | median)" "$(cut -d' ' -f3 "$dir/$name.runs" | median)"
done
for column in 1 2; do
    paste -d' ' "$dir/pushing.runs" "$dir/quiet.runs" | awk -v c=$column '{ print $c / $(c + 3) }' | median |
        sed "s/^/pushing \/ quiet, $([ $column = 1 ] && echo p50 || echo p99): /"
done
tail -n 1 "$dir/received"
