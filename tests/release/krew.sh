#!/usr/bin/env bash
# Writes the manifest by which krew installs kai as a plugin of kubectl, kai.yaml, beside the archives of a release: the address
# and the sum of each archive that is there. A manifest names what is published: without GITHUB_REPOSITORY there is none.
#
#   tests/release/krew.sh DIRECTORY VERSION
set -euo pipefail
dist=$(cd "${1:?usage: tests/release/krew.sh DIRECTORY VERSION}" && pwd)
version=${2:?usage: tests/release/krew.sh DIRECTORY VERSION}
repository=${GITHUB_REPOSITORY:?set GITHUB_REPOSITORY to OWNER/NAME}
home=${GITHUB_SERVER_URL:-https://github.com}/$repository
sum=(sha256sum)
command -v sha256sum >/dev/null || sum=(shasum -a 256)

platforms=""
for archive in "$dist/kai_${version}_"*_*.tar.gz; do
  [ -e "$archive" ] || continue
  name=$(basename "$archive" .tar.gz)
  platform=${name#"kai_${version}_"}
  checksum=$("${sum[@]}" <"$archive")
  platforms+="    - selector:
        matchLabels:
          os: ${platform%_*}
          arch: ${platform##*_}
      uri: $home/releases/download/v$version/$name.tar.gz
      sha256: ${checksum%% *}
      bin: kubectl-kai
      files:
        - from: $name/kai
          to: kubectl-kai
        - from: $name/LICENSE
          to: .
"
done
[ -n "$platforms" ] || { echo "error: there is no archive of $version in $dist" >&2; exit 1; }

cat >"$dist/kai.yaml" <<MANIFEST
apiVersion: krew.googlecontainertools.github.com/v1alpha2
kind: Plugin
metadata:
  name: kai
spec:
  version: v$version
  homepage: $home
  shortDescription: Which container images run in the cluster, and where
  description: |
    Lists the images that run or are requested, finds the pods and owners of an image or a digest, and
    compares clusters. It reads a cluster, a saved dump or a running kai, and writes nothing to the cluster.
  caveats: |
    It needs the rights to list pods and namespaces.
    \`kubectl kai completion --help\` says how to complete it.
  platforms:
MANIFEST
printf '%s' "$platforms" >>"$dist/kai.yaml"
