#!/usr/bin/env bash
# Prints the version of this checkout: the one of Cargo.toml.
set -euo pipefail
sed -n '/^\[package\]/,/^\[/s/^version = "\(.*\)"$/\1/p' "$(dirname "$0")/../../Cargo.toml"
