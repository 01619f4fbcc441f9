#!/usr/bin/env bash
# Publishes what was built. The release workflow runs it; DRY_RUN=1 prints the commands instead.
#
#   tests/release/publish.sh push     the image of this machine's ARCHITECTURE, under TAG-ARCHITECTURE
#   tests/release/publish.sh image    both of them under the tags of the release; writes name and digest to GITHUB_OUTPUT
#   tests/release/publish.sh chart    the chart in snapshot/dist, to the registry and to the index on the branch gh-pages
#   tests/release/publish.sh files    the release with the files in snapshot/dist and the notes
#
# TAG is the release's (vX.Y.Z), GITHUB_REPOSITORY the owner and name of the repository.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "${CHECKOUT:-$here/../..}"

part=${1:?usage: tests/release/publish.sh push|image|chart|files}
tag=${TAG:?set TAG to the tag of the release}
repository=${GITHUB_REPOSITORY:?set GITHUB_REPOSITORY to OWNER/NAME}
image=$("$here/image.sh")
version=${tag#v}

run() { if [ -n "${DRY_RUN:-}" ]; then echo "$*"; else "$@"; fi; }

# vX.Y.Z, vX.Y, vX and latest; a pre-release moves none of the others.
tags() {
  echo "$tag"
  case $version in *-*) return ;; esac
  echo "v${version%.*}"
  echo "v${version%%.*}"
  echo latest
}

push() {
  local source=${SOURCE:-${GITHUB_SERVER_URL:-https://github.com}/$repository}
  run env ENGINE=docker "IMAGE=$image" "VERSION=$version" "SOURCE=$source" tests/image/build.sh
  run docker tag "$image:$tag" "$image:$tag-${ARCHITECTURE:?set ARCHITECTURE to amd64 or arm64}"
  run docker push "$image:$tag-$ARCHITECTURE"
}

image() {
  local arguments=() name digest
  while read -r name; do arguments+=(--tag "$image:$name"); done < <(tags)
  run docker buildx imagetools create "${arguments[@]}" "$image:$tag-amd64" "$image:$tag-arm64"
  if [ -z "${DRY_RUN:-}" ]; then
    digest=$(docker buildx imagetools inspect "$image:$tag" --format '{{.Manifest.Digest}}')
    printf 'name=%s\ndigest=%s\n' "$image" "$digest" >>"$GITHUB_OUTPUT"
  fi
}

chart() {
  local archive=snapshot/dist/kai-$version.tgz pages
  # Packed elsewhere, or without GITHUB_REPOSITORY, it would install an image that is not there.
  if ! grep -qxF "  image: $image" <<<"$(tar -xzOf "$archive" kai/Chart.yaml)"; then
    echo "error: $archive does not install $image; pack it by make release-common with GITHUB_REPOSITORY set" >&2
    exit 1
  fi
  run helm push "$archive" "oci://${image%/*}/charts"
  pages=$(mktemp -d)
  run git fetch origin gh-pages
  run git worktree add --detach "$pages" origin/gh-pages
  run cp "$archive" "$pages/"
  # Without an index in the branch helm begins one; without the branch the release stops here: make an empty one once.
  run helm repo index "$pages" --merge "$pages/index.yaml" --url "https://${repository%/*}.github.io/${repository#*/}"
  run git -C "$pages" add "kai-$version.tgz" index.yaml
  run git -C "$pages" -c user.name=release -c user.email=release@users.noreply.github.com commit --message "Add the chart $version"
  run git -C "$pages" push origin HEAD:gh-pages
}

files() {
  local kind=()
  case $version in *-*) kind=(--prerelease) ;; esac
  local list=()
  for file in snapshot/dist/*; do
    if [ "${file##*/}" != notes.md ]; then list+=("$file"); fi
  done
  run gh release create "$tag" --verify-tag --title "kai $version" --notes-file snapshot/dist/notes.md ${kind[@]+"${kind[@]}"} "${list[@]}"
}

case $part in
  push | image | chart | files) "$part" ;;
  *) echo "error: there is no part $part; write push, image, chart or files" >&2; exit 2 ;;
esac
