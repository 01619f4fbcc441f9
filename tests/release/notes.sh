#!/usr/bin/env bash
# Prints the section of a version in CHANGELOG.md: the notes of its release.
#
#   tests/release/notes.sh VERSION
set -euo pipefail
cd "${CHECKOUT:-$(dirname "$0")/../..}"

version=${1:?usage: tests/release/notes.sh VERSION}
notes=$(awk -v head="## [${version#v}]" 'index($0, "## [") == 1 { on = index($0, head) == 1; next } on' CHANGELOG.md | sed '/./,$!d')
if [ -z "$notes" ]; then
  echo "error: CHANGELOG.md has no section [${version#v}], or nothing in it; write what changed" >&2
  exit 1
fi
echo "$notes"
