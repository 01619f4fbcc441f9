#!/usr/bin/env bash
# Holds the script that builds binaries to its rules, with pretended tools. Needs bash and nothing running.
#
#   tests/release/run-files.sh
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
claims=0
system=$(uname -s)
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
echo "$claims passed, 0 failed"
