#!/usr/bin/env bash
# Builds the image of this checkout with the engine that is there: docker, podman or buildah.
#
#   tests/image/build.sh [ARGUMENT…]     further arguments go to the engine, as --build-arg KUBECONFIG=./kubeconfig
#
# IMAGE is the name without a tag (localhost/kai); it is tagged vVERSION and latest. VERSION is Cargo.toml's. ENGINE names
# the engine. Builds for this machine's architecture; --platform is the engine's.
set -euo pipefail
cd "$(dirname "$0")/../.."

say() { echo "tests/image/build.sh: $*" >&2; }

image=${IMAGE:-localhost/kai}
version=${VERSION:-$(tests/release/version.sh)}
version=${version#v}
engine=${ENGINE:-}
if [ -z "$engine" ]; then
  # A docker client without its daemon is on many machines.
  if docker info >/dev/null 2>&1; then
    engine=docker
  else
    engine=$(for name in podman buildah; do command -v "$name" >/dev/null && echo "$name" && break; done || true)
  fi
fi
case $engine in
  # OCI's own format has no place for a health check.
  buildah | podman) command=("$engine" build --format docker) ;;
  docker) command=(docker build) ;;
  '') say "no docker with a running daemon, no podman and no buildah: install one (apt-get install buildah)"; exit 1 ;;
  *) say "ENGINE=$engine is not known; write docker, podman or buildah"; exit 1 ;;
esac

revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
state=$([ -z "$(git status --porcelain --untracked-files=no 2>/dev/null)" ] && echo clean || echo dirty)
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
# BSD's date reads seconds by another flag.
created=$(date -u -d "@$epoch" +%Y-%m-%dT%H:%M:%SZ 2>/dev/null || date -u -r "$epoch" +%Y-%m-%dT%H:%M:%SZ)
say "building $image:v$version with $engine"
"${command[@]}" \
  --tag "$image:v$version" --tag "$image:latest" \
  --build-arg "VERSION=$version" --build-arg "REVISION=$revision" --build-arg "TREE_STATE=$state" \
  --build-arg "SOURCE_DATE_EPOCH=$epoch" --build-arg "CREATED=$created" --build-arg "SOURCE=${SOURCE:-}" \
  "$@" .
