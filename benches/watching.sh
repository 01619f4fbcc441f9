#!/usr/bin/env bash
# How soon a change of a real API server shows in kai, and what that costs; beside kube-state-metrics, if it can be built.
#
#   benches/watching.sh KAI LOAD LIVE [SECONDS [CHANGES A SECOND]]
#
# KAI, LOAD and LIVE are built binaries (release, `cargo build --release --example load --example live`). The cluster is an API
# server of our own (`make control-plane` first) with 10,000 made pods in 200 namespaces, filled in about a minute on a quiet
# machine of two cores, and gone at the end. PODS is the number of pods. kube-state-metrics is built once from its pinned Go
# module, in about four minutes, into KAI_TOOLS; without Go it is left out, with a word. BARS=1 makes a miss an error.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
usage="usage: benches/watching.sh KAI LOAD LIVE [SECONDS (60) [CHANGES A SECOND (150)]]"
kai=${1:?$usage}
load=${2:?$usage}
live=${3:?$usage}
plane=$here/../tests/control-plane
dir=$(mktemp -d)
trap '"$plane/down.sh" "$dir/plane" --purge 2>/dev/null || true; rm -rf "$dir"' EXIT

kube_state_metrics() { # prints where it is
    local pins=$here/kube-state-metrics cache
    cache=${KAI_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/kai-tools}/kube-state-metrics-$(cat "$pins"/go.* | sha256sum | cut -c1-16)
    if [ ! -x "$cache" ]; then
        command -v go >/dev/null || { echo "benches/watching.sh: without Go, kube-state-metrics is left out" >&2; return; }
        mkdir -p "${cache%/*}"
        (cd "$pins" && CGO_ENABLED=0 GOFLAGS=-mod=readonly go build -trimpath -o "$cache.$$" k8s.io/kube-state-metrics/v2)
        mv "$cache.$$" "$cache"
    fi
    echo "$cache"
}

beside=$(kube_state_metrics)
"$plane/up.sh" "$dir/plane" >/dev/null
"$load" "$dir/plane/kubeconfig" "${PODS:-10000}" 200 2>"$dir/load.log" || { cat "$dir/load.log" >&2; exit 1; }
tail -n 1 "$dir/load.log"
"$live" "$kai" "$dir/plane/kubeconfig" "${4:-60}" "${5:-150}" ${beside:+"$beside"}
