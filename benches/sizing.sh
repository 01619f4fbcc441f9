#!/usr/bin/env bash
# How much memory kai takes: the highest resident set of `kai serve` on clusters of growing size, read again and again while every
# answer is asked for, plain and compressed; with and without reports to a receiver.
#
#   benches/sizing.sh [KAI [RECEIVER]]      default: the release builds of this checkout
#
# KAI and RECEIVER are built (release; `--example receiver`). The cluster is benches/canned_api.py, since a real API server of
# 100,000 pods takes more memory than most machines have: two containers a pod on average, fifty pods a namespace, thirty a node. The pods
# come as JSON in one page; protobuf in pages of 500 takes less (docs/PERFORMANCE.md). SIZES are the numbers of pods. Needs curl, jq, python3, Linux.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
target=${CARGO_TARGET_DIR:-$here/target}
kai=$(realpath "${1:-$target/release/kai}")
receiver=$(realpath "${2:-$target/release/examples/receiver}")
. "$here/benches/processes.sh"
needs curl jq python3
say() { echo "benches/sizing.sh: $*" >&2; }

api=127.0.0.1:18090 receiving=127.0.0.1:18228 address=127.0.0.1:18080
jq -n --arg server "http://$api" '{apiVersion: "v1", kind: "Config", "current-context": "bench",
    clusters: [{name: "bench", cluster: {$server}}], users: [{name: "bench", user: {}}],
    contexts: [{name: "bench", context: {cluster: "bench", user: "bench"}}]}' >"$dir/kubeconfig"
"$receiver" "$receiving" >"$dir/received" 2>&1 &
started+=($!)

until_true() { # until_true WHAT COMMAND…: waits for five minutes at most
    local what=$1 deadline=$((SECONDS + 300))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || { say "$what did not come; $(tail -n 3 "$dir/log")"; exit 1; }
        sleep 0.1
    done
}
verbose() { curl -fs "http://$address/readyz?verbose"; }
listens() { curl -fso /dev/null "http://$api/version"; }
is_read() { verbose | jq -e ".snapshot.generation >= $1" >/dev/null; }
is_pushed() { verbose | jq -e ".push[0].outcome == \"accepted\" and .push[0].generation >= $1" >/dev/null; }

ask() { # every answer, plain and compressed
    local path encoding
    for path in /inventory "/inventory?format=csv" /namespaces /metrics /openapi.json "/namespaces/$namespace/images"; do
        for encoding in identity gzip; do
            curl -fso /dev/null -H "Accept-Encoding: $encoding" "http://$address$path" || { say "$path: no answer"; exit 1; }
        done
    done
}

peak() { # peak VARIABLE…: into mib, with these settings
    local pid generation namespace
    env -i HOME="$dir" KAI_LOG_LEVEL=warn KAI_KUBECONFIG_CLUSTER=bench "$@" \
        "$kai" serve -p 1 --kubeconfig "$dir/kubeconfig" --listen "$address" 2>"$dir/log" &
    pid=$!
    started+=("$pid")
    until_true "an inventory" is_read 1
    namespace=$(curl -fs "http://$address/namespaces" | jq -r '.namespaces[0].name')
    for generation in 2 3 4; do
        ask
        [ $# = 0 ] || until_true "report of generation $((generation - 1))" is_pushed $((generation - 1))
        until_true "generation $generation" is_read "$generation"
    done
    ask
    mib=$(awk '/VmHWM/ { printf "%.0f", $2 / 1024 }' "/proc/$pid/status")
    stop "$pid"
}

printf '%10s %14s %14s\n' pods "peak MiB" "and pushing"
for pods in ${SIZES:-1000 10000 50000 100000}; do
    (cd "$here" && cargo bench --quiet --bench generate -- "$pods" "$((pods / 50))" page) |
        sed 's/"continue":"[^"]*","remainingItemCount":[0-9]*/"continue":""/' >"$dir/pods.json"
    python3 "$here/benches/canned_api.py" "${api#*:}" "$dir" >/dev/null &
    server=$!
    started+=("$server")
    until_true "the API server" listens
    peak
    quiet=$mib
    peak KAI_ANCHORE_URL="http://$receiving" KAI_ANCHORE_USER=bench KAI_ANCHORE_PASSWORD=bench
    printf '%10s %14s %14s\n' "$pods" "$quiet" "$mib"
    stop "$server"
done
