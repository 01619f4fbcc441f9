#!/usr/bin/env bash
# Questions about images, asked of 100,000 pods, beside jq over `kubectl get pods -o json` of a tenth of them.
#
#   benches/rows.sh [path of kai [PODS]]      default: the release build of this checkout, 100000
#
# Each question is another one, so that none is answered from the cache. Says what it measured and fails when a bound of
# docs/PERFORMANCE.md is missed. Needs curl and jq.
set -euo pipefail

cd "$(dirname "$0")/.."
. benches/processes.sh
kai=${1:-${CARGO_TARGET_DIR:-target}/release/kai}
pods=${2:-100000}
needs curl jq awk
[ -x "$kai" ] || { echo "no $kai: build it with 'cargo build --release', or give its path" >&2; exit 2; }
failed=0

bound() { # description, value, limit
    local verdict=ok
    if [ "$(awk "BEGIN {print ($2 <= $3)}")" != 1 ]; then verdict=MISSED failed=1; fi
    printf '%-58s %10s   (<= %s) %s\n' "$1" "$2" "$3" "$verdict"
}

cargo bench --quiet --bench generate -- "$pods" 200 >"$dir/pods.json"
cargo bench --quiet --bench generate -- "$((pods / 10))" 200 >"$dir/tenth.json"

"$kai" serve --input "$dir/pods.json" --listen 127.0.0.1:0 2>"$dir/log" &
started+=($!)
server=$!
until address=$(grep -o 'http://127.0.0.1:[0-9]*' "$dir/log" | head -n 1) && [ -n "$address" ]; do sleep 0.1; done
until curl -sf "$address/readyz" >/dev/null; do sleep 0.2; done
resident() { awk '/^VmRSS/ {printf "%.1f", $2 / 1024}' "/proc/$server/status"; }
echo "$pods pods in 200 namespaces: $(resident) MiB before the first question"

# Milliseconds until the first byte of each address on standard input: the median.
median() {
    while read -r query; do
        curl -s -o "$dir/answer" -w '%{http_code} %{time_starttransfer}\n' "$address$query"
    done | awk '$1 != 200 {exit 1} {print $2 * 1000}' | sort -n | awk '{all[NR] = $1} END {printf "%.2f", all[int((NR + 1) / 2)]}'
}

# What a request costs that asks nothing: the rest is the server's time.
floor=$(for _ in $(seq 40); do echo /livez; done | median)
echo "ms for a request that asks nothing: $floor; it is taken off what follows"
above() { awk "BEGIN {printf \"%.2f\", $(median) - $floor}"; }

curl -s "$address/v1/images?limit=1000&sort=pods" | jq -r '.images[].digest | values' | sort -u | shuf --random-source=<(yes) -n 40 >"$dir/digests"
echo "$(wc -l <"$dir/digests") digests are asked for, once each"
bound "ms for /v1/images?digest=" "$(sed 's|^|/v1/images?digest=|' "$dir/digests" | above)" 1
echo "  /v1/images/{digest}: $(sed 's|^|/v1/images/|' "$dir/digests" | above) ms"
curl -s -o "$dir/answer" -w '  /v1/containers, the first page, which counts all rows: %{time_starttransfer} s\n' "$address/v1/containers"
cursors=/v1/containers?limit=99
for _ in $(seq 30); do
    page=$(tail -n 1 <<<"$cursors")
    next=$(curl -s "$address$page" | jq -r '.next // empty')
    cursors+=$'\n'"/v1/containers?limit=99&cursor=$next"
done
# Another limit is another question of the same pages.
bound "ms for a page of /v1/containers, of 100 rows" "$(sed 's/limit=99/limit=100/' <<<"$cursors" | above)" 5
echo "  /v1/images, every image by pods: $(for n in 1 2 3 4 5; do echo "/v1/images?sort=-pods&limit=$n"; done | above) ms"
echo "  /v1/registries: $(for n in 1 2 3 4 5; do echo "/v1/registries?limit=$n"; done | above) ms"
echo "  $(resident) MiB after all of it"

digest=$(head -n 1 "$dir/digests")
begun=$(date +%s.%N)
# shellcheck disable=SC2016  # the program of jq
jq -r --arg digest "$digest" '.items[] | select(any(.status.containerStatuses[]?; .imageID | endswith($digest))) | .metadata.name' \
    "$dir/tenth.json" | wc -l >"$dir/found"
echo "jq, the pods of one digest among $((pods / 10)): $(awk "BEGIN {printf \"%.2f\", $(date +%s.%N) - $begun}") s, $(cat "$dir/found") pods"
exit $failed
