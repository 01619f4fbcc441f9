#!/usr/bin/env bash
# Builds the binary of a platform into snapshot/kai, where KAI's make targets left it.
#
#   tests/release/binary.sh linux|mac [--fips]
#
# The binary is for this machine's architecture. On Linux it is static: it runs on any distribution, and in an image with
# nothing else. With --fips the TLS module is the one of fips/Cargo.toml; that needs cmake and Go besides the C compiler, and
# `kai version` has to call the module validated where a certificate covers it, which is on Linux.
set -euo pipefail
cd "$(dirname "$0")/../.."

fail() { echo "tests/release/binary.sh: $*" >&2; exit 1; }

platform=${1:?usage: tests/release/binary.sh linux|mac [--fips]}
case $platform in
  linux) system=Linux ;;
  mac) system=Darwin ;;
  *) fail "there is no platform $platform; write linux or mac" ;;
esac
if [ "$(uname -s)" != "$system" ]; then
  fail "the $platform binary is built on $system; this is $(uname -s). Nothing was written; the releases have binaries of both"
fi
arguments=(--locked --release --bin kai)
if [ "${2:-}" = --fips ]; then
  for tool in cmake go; do
    command -v "$tool" >/dev/null || fail "the FIPS module is built with $tool, which is not on the PATH: install it"
  done
  arguments+=(--manifest-path fips/Cargo.toml --target-dir "${CARGO_TARGET_DIR:-target}/fips")
  built=${CARGO_TARGET_DIR:-target}/fips
else
  built=${CARGO_TARGET_DIR:-target}
fi
target=$(rustc -vV | sed -n 's/^host: //p')
if [ "$platform" = linux ]; then
  # Under --target the flag stays off build scripts and macros, which cannot be static.
  export RUSTFLAGS="${RUSTFLAGS:-} -C target-feature=+crt-static"
fi
"${CARGO:-cargo}" build "${arguments[@]}" --target "$target"
kai=$built/$target/release/kai
module=$("$kai" version | sed -n 's/^CryptoModule: *//p')
if [ "${2:-}" = --fips ]; then
  # It refuses to start without FIPS mode.
  "$kai" --input config/demo-cluster.json >/dev/null
  [ -n "$module" ] || fail "\`kai version\` names no FIPS module. Nothing was written"
  if [ "$platform" = linux ] && [[ $module != *", validated: FIPS "* ]]; then
    fail "\`kai version\` does not call its module validated: $module; look at fips/Cargo.lock and src/remote/fips.rs. Nothing was written"
  fi
elif [ -n "$module" ]; then
  fail "the ordinary binary names a FIPS module: $module. Nothing was written"
fi
mkdir -p snapshot
install -m 0755 "$kai" snapshot/kai
snapshot/kai version
