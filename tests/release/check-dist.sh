#!/usr/bin/env bash
# Holds the files of a release to what it promises: each archive is whole and says what it is, the SBOMs name what is linked
# in, the chart and the notes are there, and every file has its checksum. Says all that is wrong at once.
#
#   tests/release/check-dist.sh DIRECTORY VERSION
#
# The binary of an archive is run when it is for this machine; those for others are looked at only.
set -euo pipefail
dist=$(cd "${1:?usage: tests/release/check-dist.sh DIRECTORY VERSION}" && pwd)
version=${2:?usage: tests/release/check-dist.sh DIRECTORY VERSION}
cd "${CHECKOUT:-$(dirname "$0")/../..}"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
problems=0
wrong() { echo "error: $*" >&2; problems=$((problems + 1)); }

system=$(uname -s | tr '[:upper:]' '[:lower:]')
case $(uname -m) in
  x86_64) here=${system}_amd64 ;;
  *) here=${system}_arm64 ;;
esac

archive() { # archive FILE
  local name folder file said module
  name=$(basename "$1" .tar.gz)
  folder=$work/$name
  tar -xzf "$1" -C "$work" || { wrong "$name.tar.gz cannot be unpacked"; return; }
  for file in kai LICENSE README.md CHANGELOG.md licenses/AWS-LC completions/{kai.bash,_kai,kai.fish} man/man1/kai{,-images,-containers,-where,-diff}.1; do
    [ -s "$folder/$file" ] || wrong "$name.tar.gz has no $file"
  done
  grep -qsE '^ *OpenSSL License|Apache License' "$folder/licenses/AWS-LC" || wrong "$name.tar.gz: licenses/AWS-LC is no licence"
  if [[ $name != *_"$here" ]]; then return; fi
  said=$("$folder/kai" version) || { wrong "$name.tar.gz: its binary does not run here"; return; }
  grep -qx "Version: *$version" <<<"$said" || wrong "$name.tar.gz: its binary is of another version than $version"
  module=$(sed -n 's/^CryptoModule: *//p' <<<"$said")
  case $name in
    kai-fips_*) [[ $module == *", validated: FIPS "* ]] || wrong "$name.tar.gz: its binary says \"$module\" of its module, not that it is validated" ;;
    *) [ -z "$module" ] || wrong "$name.tar.gz: its binary has a FIPS module" ;;
  esac
}

bill() { # bill NAME LOCK PACKAGE: the SBOM lists kai and the library of its TLS, at the version that is locked
  local file=$dist/$1_$version.cdx.json locked
  [ -s "$file" ] || { wrong "$1_$version.cdx.json is not there"; return; }
  locked=$(sed -n "/^name = \"$3\"\$/{n;s/^version = \"\(.*\)\"\$/\1/p;}" "$2")
  python3 - "$file" "$1" "$version" "$3" "$locked" <<'PYTHON' || wrong "$1_$version.cdx.json is not what it should be"
import json, sys
file, name, version, package, locked = sys.argv[1:]
text = open(file, encoding="utf-8").read()
assert "file:///" not in text, "it names a folder of the machine that made it"
bill = json.loads(text)
subject = bill["metadata"]["component"]
assert (subject["name"], subject["version"]) == (name, version), f"it is of {subject['name']} {subject['version']}"
listed = {(part["name"], part["version"]) for part in bill["components"]}
assert (package, locked) in listed, f"{package} {locked} is not listed"
PYTHON
}

archives=0
for file in "$dist"/kai*_"${version}"_*.tar.gz; do
  if [ -e "$file" ]; then archives=$((archives + 1)); archive "$file"; fi
done
[ "$archives" -gt 0 ] || wrong "there is no archive of $version"
bill kai Cargo.lock aws-lc-sys
bill kai-fips fips/Cargo.lock aws-lc-fips-sys
for file in "kai-$version.tgz" notes.md SHA256SUMS; do
  [ -s "$dist/$file" ] || wrong "$file is not there"
done
sum=(sha256sum)
command -v sha256sum >/dev/null || sum=(shasum -a 256)
(cd "$dist" && "${sum[@]}" --check SHA256SUMS >/dev/null) || wrong "the checksums are of other files"
# Only a release has it: it names where the archives are published.
if [ -e "$dist/kai.yaml" ]; then
  [ "$(grep -c ' uri: ' "$dist/kai.yaml")" = "$(find "$dist" -name "kai_${version}_*.tar.gz" | wc -l)" ] || wrong "kai.yaml has not every archive"
  while read -r name checksum; do
    grep -qx "$checksum  $name" "$dist/SHA256SUMS" || wrong "kai.yaml has another checksum of $name"
  done < <(sed -n -e 's,^ *uri: .*/,,p' -e 's/^ *sha256: //p' "$dist/kai.yaml" | paste -d ' ' - -)
fi
for file in "$dist"/*; do
  name=$(basename "$file")
  case $name in SHA256SUMS | notes.md) continue ;; esac
  grep -q "  $name\$" "$dist/SHA256SUMS" || wrong "$name has no checksum"
done
[ "$problems" = 0 ] || exit 1
echo "$archives archives of $version, SBOMs, chart, notes and checksums are whole"
