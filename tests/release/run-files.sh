#!/usr/bin/env bash
# Holds the scripts that build binaries and look at the files of a release to their rules, with pretended tools. Needs bash,
# python3 and nothing running.
#
#   tests/release/run-files.sh
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
claims=0
system=$(uname -s)
machine=$(uname -m)
validated="AWS-LC 3.6.0, validated: FIPS 140-3 certificate 5314"

fail() { echo "FAILED: $*" >&2; [ ! -s "$work/out" ] || cat "$work/out" >&2; exit 1; }
claim() { claims=$((claims + 1)); echo "ok: $*"; }
program() { # program FILE COMMANDS
  printf '#!/bin/sh\n%s\n' "$2" >"$1"
  chmod +x "$1"
}
kai() { # kai FILE MODULE: a kai that says that of its module
  program "$1" "[ \"\$1\" = version ] || exit 0; echo 'Version:       1.2.3'; ${2:+echo 'CryptoModule:  $2'}"
}

# --- tests/release/binary.sh ------------------------------------------------------------------------------------------
# A copy, so that what is in snapshot/ of this checkout is neither taken for a failure nor lost.
mkdir -p "$work/copy/tests/release" "$work/bin"
cp "$here/binary.sh" "$work/copy/tests/release/"
binary() {
  rm -rf "$work/copy/snapshot"
  PATH=$work/bin:$PATH CARGO=$work/bin/cargo CARGO_TARGET_DIR=$work/target "$work/copy/tests/release/binary.sh" "$@" >"$work/out" 2>&1
}
left_nothing() {
  grep -q "Nothing was written" "$work/out" || fail "the message is another"
  [ ! -e "$work/copy/snapshot" ] || fail "a file is left behind"
}

other=mac
[ "$system" = Linux ] || other=linux
if binary "$other"; then fail "the binary of another platform is built"; fi
left_nothing
claim "the binary of another platform is refused with a message and leaves no file"

for tool in cmake go; do program "$work/bin/$tool" true; done
program "$work/bin/uname" 'echo Linux'
program "$work/bin/rustc" 'echo host: here'
program "$work/bin/cargo" "for to in $work/target $work/target/fips; do mkdir -p \$to/here/release; cp $work/built \$to/here/release/kai; done"
for module in "" "$validated"; do
  kai "$work/built" "$module"
  binary linux ${module:+--fips} || fail "no binary is built"
  [ -x "$work/copy/snapshot/kai" ] || fail "the binary is not where it should be"
done
claim "a binary without a module, and a FIPS binary with a validated one, are left in snapshot/kai"
kai "$work/built" "$validated"
if binary linux; then fail "an ordinary binary has a FIPS module"; fi
left_nothing
for module in "AWS-LC 4.2.0, not validated" ""; do
  kai "$work/built" "$module"
  if binary linux --fips; then fail "the FIPS binary for Linux says \"$module\" of its module"; fi
  left_nothing
done
claim "a binary whose module is not what its target promises is refused and leaves no file"

# --- tests/release/check-dist.sh --------------------------------------------------------------------------------------
architecture=arm64
[ "$machine" != x86_64 ] || architecture=amd64
mine=1.2.3_$(tr '[:upper:]' '[:lower:]' <<<"$system")_$architecture
dist=$work/dist

archive() { # archive NAME MODULE
  local folder=$work/stage/$1
  mkdir -p "$folder"/{licenses,completions,man/man1}
  echo "Apache License" | tee "$folder"/{LICENSE,README.md,CHANGELOG.md,licenses/AWS-LC,completions/{kai.bash,_kai,kai.fish},man/man1/kai{,-images,-containers,-where,-diff}.1} >/dev/null
  kai "$folder/kai" "$2"
}
bill() { # bill NAME PACKAGE VERSION
  printf '{"metadata":{"component":{"name":"%s","version":"1.2.3"}},"components":[{"name":"%s","version":"%s"}]}' "$@" >"$dist/$1_1.2.3.cdx.json"
}
# The files of a release for this machine and for another, in a checkout; `finish` packs and sums them.
release() {
  rm -rf "$work/stage" "$dist" "$work/checkout"
  mkdir -p "$dist" "$work/checkout/fips"
  printf '[[package]]\nname = "aws-lc-sys"\nversion = "0.47.0"\n' >"$work/checkout/Cargo.lock"
  printf '[[package]]\nname = "aws-lc-fips-sys"\nversion = "0.13.17"\n' >"$work/checkout/fips/Cargo.lock"
  archive "kai_$mine" ""
  archive "kai-fips_$mine" "$validated"
  archive kai_1.2.3_plan9_mips ""
  program "$work/stage/kai_1.2.3_plan9_mips/kai" 'exit 1'
  bill kai aws-lc-sys 0.47.0
  bill kai-fips aws-lc-fips-sys 0.13.17
  echo chart >"$dist/kai-1.2.3.tgz"
  echo notes >"$dist/notes.md"
}
sum=(sha256sum)
command -v sha256sum >/dev/null || sum=(shasum -a 256)
finish() {
  local folder
  for folder in "$work"/stage/*; do
    [ -e "$folder" ] || continue
    tar -C "$work/stage" -czf "$dist/${folder##*/}.tar.gz" "${folder##*/}"
  done
  (cd "$dist" && "${sum[@]}" $(ls | grep -v notes.md) >"$work/sums" && mv "$work/sums" SHA256SUMS)
}
check() { CHECKOUT=$work/checkout "$here/check-dist.sh" "$dist" 1.2.3 >"$work/out" 2>&1; }
refused() { # refused WORDS
  if check; then fail "it is released although: $1"; fi
  grep -qF -- "$1" "$work/out" || fail "the refusal does not say: $1"
  claim "refused: $1"
}

release
finish
check || fail "the files are refused"
grep -q "^3 archives of 1.2.3" "$work/out" || fail "not every archive is looked at"
claim "whole files are released, with the archives of other machines"

while IFS='|' read -r change words; do
  release
  (cd "$work/stage" && eval "$change")
  finish
  refused "$words"
done <<TABLE
rm kai-fips_$mine/licenses/AWS-LC|kai-fips_$mine.tar.gz has no licenses/AWS-LC
: >kai_1.2.3_plan9_mips/man/man1/kai.1|kai_1.2.3_plan9_mips.tar.gz has no man/man1/kai.1
rm kai_$mine/man/man1/kai-where.1|kai_$mine.tar.gz has no man/man1/kai-where.1
echo no >kai_$mine/licenses/AWS-LC|kai_$mine.tar.gz: licenses/AWS-LC is no licence
kai kai-fips_$mine/kai "AWS-LC 4.2.0, not validated"|its binary says "AWS-LC 4.2.0, not validated" of its module
kai kai-fips_$mine/kai ""|its binary says "" of its module
kai kai_$mine/kai "$validated"|kai_$mine.tar.gz: its binary has a FIPS module
program kai_$mine/kai "echo Version: 1.2.2"|its binary is of another version than 1.2.3
program kai_$mine/kai "exit 1"|its binary does not run here
rm -r *|there is no archive of 1.2.3
rm $dist/kai-fips_1.2.3.cdx.json|kai-fips_1.2.3.cdx.json is not there
bill kai-fips aws-lc-fips-sys 0.14.0|aws-lc-fips-sys 0.13.17 is not listed
bill kai path+file:///home 1|it names a folder
rm $dist/kai-1.2.3.tgz|kai-1.2.3.tgz is not there
: >$dist/notes.md|notes.md is not there
TABLE

release
finish
krew() { GITHUB_REPOSITORY=Owner/kai "$here/krew.sh" "$dist" 1.2.3 >"$work/out" 2>&1; }
sums() { (cd "$dist" && "${sum[@]}" $(ls | grep -v -e notes.md -e SHA256SUMS) >SHA256SUMS); }
krew || fail "krew's manifest is not written"
sums
check || fail "krew's manifest is refused"
[ "$(grep -c ' bin: kubectl-kai$' "$dist/kai.yaml")" = 2 ] || fail "krew is given other archives than the two without the FIPS module"
grep -A 8 "arch: $architecture\$" "$dist/kai.yaml" | grep -qF "uri: https://github.com/Owner/kai/releases/download/v1.2.3/kai_$mine.tar.gz" || fail "the address is another"
grep -qxF "        - from: kai_$mine/kai" "$dist/kai.yaml" || fail "the binary is another"
claim "krew's manifest has each ordinary archive with its address and its sum"
sed -i.bak 's/sha256: ./sha256: z/' "$dist/kai.yaml" && rm "$dist/kai.yaml.bak"
sums
refused "kai.yaml has another checksum of kai_"
rm "$dist"/kai_*.tar.gz
if krew; then fail "krew is given a release without archives"; fi
claim "without an archive there is no manifest for krew"

release
finish
echo other >"$dist/kai-1.2.3.tgz"
refused "the checksums are of other files"
echo new >"$dist/new.json"
refused "new.json has no checksum"
[ "$(grep -c ^error: "$work/out")" = 2 ] || fail "not everything that is wrong is said at once"
claim "everything that is wrong is said at once"
echo "$claims passed, 0 failed"
