#!/usr/bin/env bash
# Succeeds when a tag may be released: vX.Y.Z in the form of Semantic Versioning, on a commit of main, and the same version in
# Cargo.toml, Cargo.lock, those of fips/, the OpenAPI document, the chart and CHANGELOG.md. Says all that is wrong at once.
#
#   tests/release/check-version.sh TAG [MAIN]
#
# MAIN is the branch that the tagged commit has to be in (origin/main).
set -euo pipefail
cd "${CHECKOUT:-$(dirname "$0")/../..}"

tag=${1:?usage: tests/release/check-version.sh TAG [MAIN]}
main=${2:-origin/main}
problems=0
wrong() { echo "error: $*" >&2; problems=$((problems + 1)); }
# The text behind a key at the beginning of a line, without quotes.
value() { sed -n "s/^$2[[:space:]]*[:=][[:space:]]*\"\{0,1\}\([^\"]*\)\"\{0,1\}[[:space:]]*\$/\1/p" "$1" | head -n 1; }
locked() { sed -n "/^name = \"$2\"\$/{n;s/^version = \"\(.*\)\"\$/\1/p;}" "$1"; }

number='(0|[1-9][0-9]*)'
part='(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)'
if ! [[ $tag =~ ^v$number\.$number\.$number(-$part(\.$part)*)?$ ]]; then
  wrong "tag $tag is no version; write it as v1.2.3 or v1.2.3-rc.1"
fi
version=${tag#v}
equal() { # equal WHERE FOUND
  [ "$2" = "$version" ] || wrong "$1 says \"$2\", the tag says \"$version\"; make them equal and tag again"
}
equal "version in Cargo.toml" "$(value Cargo.toml version)"
equal "version of kai in Cargo.lock" "$(locked Cargo.lock kai)"
# Its lock names kai too: with another version nothing of that package is built.
equal "version in fips/Cargo.toml" "$(value fips/Cargo.toml version)"
for package in kai kai-fips; do
  equal "version of $package in fips/Cargo.lock" "$(locked fips/Cargo.lock "$package")"
done
equal "info.version in openapi/openapi.yaml" "$(sed -n '/^info:/,/^[a-z]/s/^  version: //p' openapi/openapi.yaml)"
chart=charts/kai/Chart.yaml
if [ -e "$chart" ]; then
  equal "version in $chart" "$(value "$chart" version)"
  equal "appVersion in $chart" "$(value "$chart" appVersion)"
else
  wrong "$chart is not there; a release ships the chart"
fi
grep -qF "## [$version]" CHANGELOG.md || wrong "CHANGELOG.md has no section [$version]; name the unreleased one so"
if ! git rev-parse --quiet --verify "$tag^{commit}" >/dev/null; then
  wrong "tag $tag is not in this checkout; fetch it"
elif ! git merge-base --is-ancestor "$tag" "$main"; then
  wrong "tag $tag is on no commit of $main; release from there"
fi
[ "$problems" = 0 ] || exit 1
echo "$tag may be released"
