#!/bin/sh
# kai --input against jq on the same file, and kai's peak memory from a file and from a pipe.
#
#   benches/input.sh [path of kai]      default: the release build of this checkout
#
# Says what it measured and fails when a bound of docs/PERFORMANCE.md is missed. Needs jq, and GNU time as /usr/bin/time.
set -eu

cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
kai=${1:-$target/release/kai}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

[ -x "$kai" ] || { echo "no $kai: build it with 'cargo build --release', or give its path" >&2; exit 2; }
for tool in jq /usr/bin/time; do
    command -v "$tool" >/dev/null || { echo "$tool is not installed" >&2; exit 2; }
done

# Best of three: "SECONDS KIBIBYTES" of a command whose output is thrown away.
measure() {
    best=
    for _ in 1 2 3; do
        /usr/bin/time -f '%e %M' -o "$work/time" "$@" >"$work/out" 2>"$work/err" || { cat "$work/err" >&2; exit 1; }
        run=$(tail -n 1 "$work/time")
        if [ -z "$best" ] || [ "$(echo "$run $best" | awk '{print ($1 < $3)}')" = 1 ]; then best=$run; fi
    done
    echo "$best"
}

bound() { # description, value, comparison, limit
    if [ "$(awk "BEGIN {print ($2 $3 $4)}")" = 1 ]; then verdict=ok; else verdict=MISSED; failed=1; fi
    printf '%-52s %10s   (%s %s) %s\n' "$1" "$2" "$3" "$4" "$verdict"
}

for pods in 1000 10000 100000; do
    cargo bench --quiet --bench generate -- "$pods" 50 >"$work/$pods.json"
done
ls -l "$work" | awk '/json/ {printf "%s: %.0f MB\n", $NF, $5 / 1e6}'

# shellcheck disable=SC2016  # the program of jq
program='[.items[].spec.containers//[]|.[].image]'
jq_run=$(measure jq -c "$program" "$work/10000.json")
file_run=$(measure "$kai" --input "$work/10000.json" -q)
pipe_run=$(measure sh -c 'cat "$1" | /usr/bin/time -f "%e %M" -o "$2" "$3" --input - -q' sh "$work/10000.json" "$work/inner" "$kai")
pipe_memory=$(awk '{print $2}' "$work/inner")
small_run=$(measure "$kai" --input "$work/1000.json" -q)
large_run=$(measure "$kai" --input "$work/100000.json" -q)

seconds() { echo "$1" | awk '{print $1}'; }
memory() { echo "$1" | awk '{printf "%.1f", $2 / 1024}'; }

echo "10,000 pods: jq $(seconds "$jq_run") s in $(memory "$jq_run") MiB, kai $(seconds "$file_run") s from a file, $(seconds "$pipe_run") s from a pipe"
echo "1,000 pods: kai $(seconds "$small_run") s; 100,000 pods: $(seconds "$large_run") s in $(memory "$large_run") MiB"
bound "times faster than jq" "$(echo "$jq_run $file_run" | awk '{printf "%.1f", $1 / $3}')" ">=" 10
bound "peak MiB from a file" "$(memory "$file_run")" "<=" 32
bound "peak MiB from a pipe" "$(awk "BEGIN {printf \"%.1f\", $pipe_memory / 1024}")" "<=" 32
bound "100,000 pods against ten times 10,000" "$(echo "$large_run $file_run" | awk '{printf "%.2f", $1 / ($3 * 10)}')" "<=" 1.5
exit $failed
