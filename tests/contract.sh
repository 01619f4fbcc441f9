#!/usr/bin/env bash
# Holds a running server to its own OpenAPI document: a validator reads the documents, a property-based client asks everything.
#
#   tests/contract.sh BINARY [DUMP]
#
# BINARY is a built kai, DUMP what it serves (config/demo-cluster.json). The tools come from PyPI at the versions of
# tests/contract-requirements.txt, into a cache outside the checkout; promtool is Debian's (the package prometheus). Ends only
# what it started.
set -euo pipefail

# Without it names, rules and alerts would be held to nothing.
if ! command -v promtool >/dev/null; then
  echo "tests/contract.sh: promtool is not there; install it: \`sudo make packages\`, or by hand (Debian: the package prometheus)" >&2
  exit 1
fi

root=$(cd "$(dirname "$0")/.." && pwd)
binary=${1:?usage: tests/contract.sh BINARY [DUMP]}
dump=${2:-$root/config/demo-cluster.json}
requirements=$root/tests/contract-requirements.txt
# The same requests each time: a failure here is a failure everywhere.
seed=20261124

key=$(cat "$requirements" <(python3 --version) | sha256sum | cut -c1-16)
tools=${XDG_CACHE_HOME:-$HOME/.cache}/kai-tools/contract-$key
if [ ! -e "$tools/complete" ]; then
  rm -rf "$tools"
  python3 -m venv "$tools"
  "$tools/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements"
  touch "$tools/complete"
fi

. "$root/tests/serving.sh"

for document in openapi/openapi.json openapi/openapi.yaml; do
  "$tools/bin/openapi-spec-validator" "$root/$document"
done

serve "$binary" "$dump"

# What scrapers read, and the rules over it. promtool knows the older text alone, in which a counter's description has
# its whole name and an info is a gauge.
curl -fsS "$url/metrics" >"$work/metrics.txt"
"$tools/bin/python" - "$work/metrics.txt" <<'PYTHON'
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
text = open(sys.argv[1], encoding="utf-8").read()
families = list(text_string_to_metric_families(text))
assert len(families) > 30, f"{len(families)} families"
PYTHON
awk '
  /^# HELP / { name = $3; help = $0; next }
  /^# TYPE / {
    whole = name ($4 == "counter" ? "_total" : $4 == "info" ? "_info" : "")
    sub("# HELP " name, "# HELP " whole, help)
    print help; print "# TYPE " whole " " ($4 == "info" ? "gauge" : $4); next
  }
  !/^#/ { print }
' "$work/metrics.txt" | promtool check metrics
promtool check rules "$root/charts/kai/files/alerts.yaml"
promtool test rules "$root/tests/alerts.yaml"

for version in 1.6 1.7; do
  curl -fsS "$url/v1/images?format=cyclonedx&version=$version" >"$work/bom.json"
  "$tools/bin/python" "$root/tests/bill_of_materials.py" "$version" "$work/bom.json"
done

cd "$work"
if ! "$tools/bin/schemathesis" --config-file "$root/tests/schemathesis.toml" run "$url/openapi.json" --checks all --phases examples,coverage,fuzzing,stateful \
  --max-examples 100 --seed "$seed" --generation-database none --request-timeout 10 --no-color; then
  echo "tests/contract.sh: the server contradicts its document; what it logged:" >&2
  tail -n 20 "$work/kai.log" >&2
  exit 1
fi
kill -0 "$server" || { echo "tests/contract.sh: the server ended while it was asked" >&2; exit 1; }
