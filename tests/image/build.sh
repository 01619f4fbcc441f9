#!/usr/bin/env bash
# Builds the image of this checkout with the engine that is there: docker, podman or buildah.
#
#   tests/image/build.sh [--stand-in] [ARGUMENT…]     further arguments go to the engine, as --build-arg KUBECONFIG=./kubeconfig
#
# IMAGE is the name without a tag (localhost/kai); it is tagged vVERSION and latest. VERSION is Cargo.toml's. ENGINE names
# the engine. Builds for this machine's architecture; --platform is the engine's. The image lies in the engine's store, and
# as an archive in ARCHIVE (snapshot/image/kai.tar): `make image-test` holds that one to its claims, and `docker load` takes
# it where no registry is. ARCHIVE.of says what it was made of. ARCHIVE_ALONE=1 leaves nothing in the engine's store.
#
# --stand-in builds where no registry of images is reached: as root, with buildah, on a base made from this machine's tools
# (tests/image/stand-in.sh). The archive is then all that is left, so that no other build takes the stand-in for the base.
set -euo pipefail
cd "$(dirname "$0")/../.."

say() { echo "tests/image/build.sh: $*" >&2; }

of=$*
stand_in=()
if [ "${1:-}" = --stand-in ]; then
  shift
  command -v buildah >/dev/null || { say "--stand-in is for buildah, which is not there: apt-get install buildah"; exit 1; }
  [ "$(id -u)" = 0 ] || { say "--stand-in needs root, to mount this machine's tools into the build"; exit 1; }
  . tests/image/store.sh
  store=$(mktemp -d)
  trap 'forget_store; rm -rf "$store"' EXIT
  own_store "$store"
  ENGINE=buildah ARCHIVE_ALONE=
  mounts=$(tests/image/stand-in.sh)
  read -ra stand_in <<<"$mounts"
fi
image=${IMAGE:-localhost/kai}
archive=${ARCHIVE:-snapshot/image/kai.tar}
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

# Without a program that runs containers buildah changes its root and no more.
if [ "$engine" = buildah ] && ! command -v crun >/dev/null && ! command -v runc >/dev/null; then
  export BUILDAH_ISOLATION=${BUILDAH_ISOLATION:-chroot}
fi

revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
state=$([ -z "$(git status --porcelain --untracked-files=no 2>/dev/null)" ] && echo clean || echo dirty)
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
# BSD's date reads seconds by another flag.
created=$(date -u -d "@$epoch" +%Y-%m-%dT%H:%M:%SZ 2>/dev/null || date -u -r "$epoch" +%Y-%m-%dT%H:%M:%SZ)
say "building $image:v$version with $engine"
# What a build that fails leaves must not be taken for its image.
mkdir -p "$(dirname "$archive")"
rm -f "$archive" "$archive.of"
"${command[@]}" \
  --tag "$image:v$version" --tag "$image:latest" \
  --build-arg "VERSION=$version" --build-arg "REVISION=$revision" --build-arg "TREE_STATE=$state" \
  --build-arg "SOURCE_DATE_EPOCH=$epoch" --build-arg "CREATED=$created" --build-arg "SOURCE=${SOURCE:-}" \
  ${stand_in[@]+"${stand_in[@]}"} "$@" .
case $engine in
  buildah) buildah push --quiet "$image:v$version" "docker-archive:$archive:$image:v$version" ;;
  podman) podman save --quiet --format docker-archive --output "$archive" "$image:v$version" ;;
  docker) docker save --output "$archive" "$image:v$version" ;;
esac
if [ -n "${ARCHIVE_ALONE:-}" ]; then "$engine" rmi "$image:v$version" "$image:latest" >/dev/null; fi
echo "$revision $state${of:+ $of}" >"$archive.of"
say "$archive: $(du -k "$archive" | cut -f1) KiB"
