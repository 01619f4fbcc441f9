#!/usr/bin/env bash
# Pushes the sample cluster to a receiver on this machine, and shows what would be sent, what was said, and what arrived.
# demo.sh KAI RECEIVER ADDRESS
set -euo pipefail

kai=$(realpath "$1") receiver=$(realpath "$2") address=$3
sample=config/demo-cluster.json
cd "$(dirname "$0")/../../.."

folder=$(mktemp -d)
pid=
trap 'if [ -n "$pid" ]; then kill "$pid" 2>/dev/null || true; fi; rm -rf "$folder"' EXIT

cat >"$folder/kai.yaml" <<YAML
kubeconfig: {cluster: demo}
anchore: {url: "http://$address", user: demo, password: demo}
account-routes:
  payments-team: {namespaces: [payments, ^shop]}
YAML

"$receiver" "$address" >"$folder/arrived" &
pid=$!
for _ in $(seq 100); do
  if grep -q '^receiving on' "$folder/arrived" || ! kill -0 "$pid" 2>/dev/null; then break; fi
  sleep 0.1
done
if ! grep -q '^receiving on' "$folder/arrived"; then
  echo "the receiver does not listen on $address: free that address, or take another one with make demo-push RECEIVER=…" >&2
  exit 1
fi

# The settings of this machine are not those of the demonstration.
run() {
  printf '\n$ kai %s\n' "$*"
  env -i "$kai" --config "$folder/kai.yaml" "$@"
}

echo "Settings:"
sed 's/^/  /' "$folder/kai.yaml"
run push --dry-run -o table --input "$sample"
run push --input "$sample"

kill -INT "$pid"
wait "$pid"
pid=
printf '\nArrived at the receiver:\n'
grep '^POST' "$folder/arrived"
