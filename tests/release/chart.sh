#!/usr/bin/env bash
# Packs the chart, and gives it the image that it installs when values name none.
#
#   tests/release/chart.sh FOLDER [IMAGE]     into FOLDER; IMAGE is a name without a tag, as ghcr.io/owner/kai
#
# Without IMAGE the package says `kai`, as the checkout does, which no public registry has. HELM is the helm to use, by default
# the one on the PATH, else the one of the tests, which is built then.
set -euo pipefail
cd "${CHECKOUT:-$(dirname "$0")/../..}"

folder=${1:?usage: tests/release/chart.sh FOLDER [IMAGE]}
image=${2:-}
helm=${HELM:-$(command -v helm || true)}
if [ -z "$helm" ]; then
  tests/control-plane/build.sh helm >&2
  helm=$(tests/control-plane/build.sh --where)/helm
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -R charts/kai "$work/kai"
if [ -n "$image" ]; then
  if [[ ! $image =~ ^[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)+$ ]]; then
    echo "tests/release/chart.sh: \"$image\" is no name of an image; write it as ghcr.io/owner/kai, without a tag" >&2
    exit 2
  fi
  sed "s|^  image: .*|  image: $image|" charts/kai/Chart.yaml >"$work/kai/Chart.yaml"
  if ! grep -qxF "  image: $image" "$work/kai/Chart.yaml"; then
    echo "tests/release/chart.sh: charts/kai/Chart.yaml has no line \`  image: …\` among its annotations" >&2
    exit 1
  fi
fi
"$helm" package "$work/kai" --destination "$folder"
