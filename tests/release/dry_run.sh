#!/usr/bin/env bash
# Makes every file of a release that this platform can build, into snapshot/dist, and holds them to what a release promises
# (tests/release/check-dist.sh); publishes nothing.
#
#   tests/release/dry_run.sh           all of them
#   tests/release/dry_run.sh archive   the archive of this platform alone, as each machine of the release workflow makes it
#   tests/release/dry_run.sh common    what is the same for every platform: SBOMs, chart, notes
#   tests/release/dry_run.sh sums      krew's manifest and the checksums of what lies in snapshot/dist, held to the promises too
#
# FIPS=1 makes `archive` the one with the FIPS module. All of them have that one on Linux, where cmake and Go are. The chart
# is packed by HELM, by the helm on the PATH, or by the one of the tests, which is built then; it installs the image of
# GITHUB_REPOSITORY (OWNER/NAME), where that is set, and krew's manifest is written only then.
set -euo pipefail
cd "$(dirname "$0")/../.."

say() { echo "tests/release/dry_run.sh: $*" >&2; }
cargo=${CARGO:-cargo}
tools=${KAI_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/kai-tools}
version=$(tests/release/version.sh)
dist=$PWD/snapshot/dist
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}

archive() {
  local system architecture name stage fips=()
  case $(uname -s) in
    Linux) system=linux ;;
    Darwin) system=darwin ;;
    *) say "no archive is made for $(uname -s)"; exit 1 ;;
  esac
  case $(uname -m) in
    x86_64) architecture=amd64 ;;
    aarch64 | arm64) architecture=arm64 ;;
    *) say "no archive is made for $(uname -m)"; exit 1 ;;
  esac
  if [ -n "${FIPS:-}" ]; then fips=(--fips); fi
  tests/release/binary.sh "${system/darwin/mac}" ${fips[@]+"${fips[@]}"}
  name=kai${FIPS:+-fips}_${version}_${system}_$architecture
  stage=$(mktemp -d)
  mkdir -p "$stage/$name"/{completions,licenses,man/man1}
  cp snapshot/kai LICENSE README.md CHANGELOG.md "$stage/$name/"
  snapshot/kai completion bash >"$stage/$name/completions/kai.bash"
  snapshot/kai completion zsh >"$stage/$name/completions/_kai"
  snapshot/kai completion fish >"$stage/$name/completions/kai.fish"
  module_licence >"$stage/$name/licenses/AWS-LC"
  "$cargo" run --quiet --locked --example man -- "$stage/$name/man/man1"
  # The same files give the same archive. BSD's tar has other flags for that.
  if tar --version | grep -q GNU; then
    tar -C "$stage" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner -cf - "$name"
  else
    tar -C "$stage" --uid 0 --gid 0 -cf - "$name"
  fi | gzip -n -9 >"$dist/$name.tar.gz"
  rm -rf "$stage"
}

# The licence of the library that TLS is linked from, which asks to go with every binary.
module_licence() {
  local manifest=Cargo.toml package=aws-lc-sys folder
  if [ -n "${FIPS:-}" ]; then manifest=fips/Cargo.toml package=aws-lc-fips-sys; fi
  folder=$("$cargo" metadata --locked --format-version 1 --filter-platform "$(rustc -vV | sed -n 's/^host: //p')" --manifest-path "$manifest" |
    tr ',' '\n' | sed -n "s,^\"manifest_path\":\"\(.*/$package-[^/]*\)/Cargo.toml\".*,\1,p" | head -n 1)
  cat "${folder:?cargo metadata knows no $package}/aws-lc/LICENSE"
}

# Why the archive with the FIPS module cannot be made here; nothing when it can.
without_fips() {
  if [ "$(uname -s)" != Linux ]; then echo "releases have it for Linux, this is $(uname -s)"; return; fi
  local tool
  for tool in cmake go; do
    command -v "$tool" >/dev/null || { echo "its module is built with $tool, which is not on the PATH"; return; }
  done
}

sbom() { # sbom NAME MANIFEST
  local tool_version=0.5.9
  local tool=$tools/cargo-cyclonedx-$tool_version
  if [ ! -x "$tool/bin/cargo-cyclonedx" ]; then
    say "building cargo-cyclonedx $tool_version once, into $tools"
    "$cargo" install cargo-cyclonedx --version "$tool_version" --locked --root "$tool"
  fi
  # The tool writes beside the manifest and nowhere else.
  local written=${2%Cargo.toml}kai.sbom.json
  PATH="$tool/bin:$PATH" "$cargo" cyclonedx --manifest-path "$2" --quiet --format json --spec-version 1.5 --target all \
    --override-filename kai.sbom
  # References name the folder of this checkout; they only have to be the same on both ends. So does the address of a package
  # of it that is outside of the manifest's own folder.
  sed -e "s,path+file://$PWD/fips#,,g" -e "s,path+file://$PWD#,,g" -e "s,file://$PWD,file://..,g" "$written" >"$dist/$1_$version.cdx.json"
  rm "$written"
}

chart() {
  if [ ! -e charts/kai/Chart.yaml ]; then
    say "charts/kai is not there: no chart is packed"
    return
  fi
  local image=""
  if [ -n "${GITHUB_REPOSITORY:-}" ]; then
    image=$(tests/release/image.sh)
  else
    say "GITHUB_REPOSITORY is not set: the chart is packed without the name of an image"
  fi
  KAI_TOOLS="$tools" tests/release/chart.sh "$dist" "$image"
}

common() {
  sbom kai Cargo.toml
  sbom kai-fips fips/Cargo.toml
  chart
  tests/release/notes.sh "$version" >"$dist/notes.md"
}

sums() {
  local sum=(sha256sum)
  command -v sha256sum >/dev/null || sum=(shasum -a 256)
  rm -f "$dist/kai.yaml"
  if [ -n "${GITHUB_REPOSITORY:-}" ]; then
    tests/release/krew.sh "$dist" "$version"
  else
    say "GITHUB_REPOSITORY is not set: krew's manifest is LEFT OUT"
  fi
  (cd "$dist" && find . -maxdepth 1 -type f ! -name SHA256SUMS ! -name notes.md | sed 's,^\./,,' | sort | xargs "${sum[@]}" >SHA256SUMS)
  tests/release/check-dist.sh "$dist" "$version"
}

mkdir -p "$dist"
case ${1:-all} in
  archive | common | sums) "$1" ;;
  all)
    rm -rf "$dist"
    mkdir -p "$dist"
    reason=$(without_fips)
    # Before the other, so that snapshot/kai is the ordinary binary in the end.
    if [ -z "$reason" ]; then FIPS=1 archive; fi
    FIPS='' archive
    common
    sums
    ls -l "$dist"
    if [ -n "$reason" ]; then say "the archive with the FIPS module is LEFT OUT: $reason"; fi
    ;;
  *) say "there is no part $1; write archive, common or sums"; exit 2 ;;
esac
