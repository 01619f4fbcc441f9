#!/usr/bin/env bash
# benches/cluster.sh on three clusters of 10,000 made pods: in 200 namespaces, all in one, and in 1,000.
#
#   benches/shapes.sh KAI LOAD [RUNS]
#
# KAI and LOAD are built binaries (release, `cargo build --release --example load`). Each cluster is an API server of our own
# (`make control-plane` first), filled in about a minute on a quiet machine of two cores, and gone at the end. PODS is the number of pods.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
usage="usage: benches/shapes.sh KAI LOAD [RUNS]"
kai=${1:?$usage}
load=${2:?$usage}
runs=${3:-5}
plane=$here/../tests/control-plane
dir=$(mktemp -d)
trap '"$plane/down.sh" "$dir/plane" 2>/dev/null || true; rm -rf "$dir"' EXIT
KUBECTL=$("$plane/build.sh" --where)/kubectl
export KUBECTL
missed=0
for namespaces in 200 1 1000; do
    "$plane/up.sh" "$dir/plane" >/dev/null
    "$load" "$dir/plane/kubeconfig" "${PODS:-10000}" "$namespaces" 2>"$dir/load.log" || { cat "$dir/load.log" >&2; exit 1; }
    tail -n 1 "$dir/load.log"
    "$here/cluster.sh" "$kai" "$dir/plane/kubeconfig" "$runs" || missed=1
    "$plane/down.sh" "$dir/plane" --purge
    echo
done
exit $missed
