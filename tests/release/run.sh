#!/usr/bin/env bash
# Holds the scripts that let a tag be released and that publish it to their rules, in checkouts of its own. Needs git, bash and
# nothing running.
#
#   tests/release/run.sh
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@example.com
export GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@example.com
claims=0

fail() { echo "FAILED: $*" >&2; [ ! -s "$work/out" ] || cat "$work/out" >&2; exit 1; }
claim() { claims=$((claims + 1)); echo "ok: $*"; }

# A checkout that may be released as v1.2.3.
checkout() {
  rm -rf "$work/kai"
  mkdir -p "$work/kai/openapi" "$work/kai/charts/kai" "$work/kai/fips"
  cd "$work/kai"
  git init --quiet --initial-branch main
  printf '[package]\nname = "kai"\nversion = "1.2.3"\n\n[dependencies]\nbase64 = "0.22"\n' >Cargo.toml
  printf '[[package]]\nname = "base64"\nversion = "0.22.0"\n\n[[package]]\nname = "kai"\nversion = "1.2.3"\n' >Cargo.lock
  printf '[package]\nname = "kai-fips"\nversion = "1.2.3"\n' >fips/Cargo.toml
  printf '[[package]]\nname = "kai"\nversion = "1.2.3"\n\n[[package]]\nname = "kai-fips"\nversion = "1.2.3"\n' >fips/Cargo.lock
  printf 'openapi: 3.1.0\ninfo:\n  title: kai\n  version: 1.2.3\npaths: {}\n' >openapi/openapi.yaml
  printf 'apiVersion: v2\nname: kai\nversion: 1.2.3\nappVersion: "1.2.3"\n' >charts/kai/Chart.yaml
  printf '# Changelog\n\n## [Unreleased]\n- later\n\n## [1.2.3] - 2026-01-01\n\n### Added\n- this\n\n## [1.2.2]\n- before\n' >CHANGELOG.md
  commit
}
commit() { git add -A && git commit --quiet --allow-empty -m change; }
check() { CHECKOUT="$work/kai" "$here/check-version.sh" "$1" main >"$work/out" 2>&1; }
refused() { # refused TAG WORDS
  if check "$1"; then fail "$1 is released although: $2"; fi
  grep -qF -- "$2" "$work/out" || fail "the refusal of $1 does not say: $2"
  claim "$1 is refused: $2"
}

checkout
git tag v1.2.3
check v1.2.3 || fail "v1.2.3 is refused"
claim "a tag on main that equals every version is released"

for tag in 1.2.3 v1.2 v01.2.3 v1.2.3-01 v1.2.3+build 'v1.2.3 '; do refused "$tag" "is no version; write it as v1.2.3"; done
refused v1.2.4 "tag v1.2.4 is not in this checkout"
git tag v1.2.3-rc.1
refused v1.2.3-rc.1 'version in Cargo.toml says "1.2.3", the tag says "1.2.3-rc.1"'

while IFS='|' read -r file expression words; do
  checkout
  sed -i.bak "$expression" "$file" && rm "$file.bak"
  commit
  git tag v1.2.3
  refused v1.2.3 "$words"
done <<'TABLE'
Cargo.toml|s/^version = .*/version = "1.2.2"/|version in Cargo.toml says "1.2.2"
Cargo.lock|s/^version = "1.2.3"/version = "1.2.2"/|version of kai in Cargo.lock says "1.2.2"
fips/Cargo.toml|s/1.2.3/1.2.2/|version in fips/Cargo.toml says "1.2.2"
fips/Cargo.lock|/"kai"/{n;s/1.2.3/1.2.2/;}|version of kai in fips/Cargo.lock says "1.2.2"
fips/Cargo.lock|/"kai-fips"/{n;s/1.2.3/1.2.2/;}|version of kai-fips in fips/Cargo.lock says "1.2.2"
openapi/openapi.yaml|s/1.2.3/1.2.2/|info.version in openapi/openapi.yaml says "1.2.2"
charts/kai/Chart.yaml|s/^version: .*/version: 1.2.2/|version in charts/kai/Chart.yaml says "1.2.2"
charts/kai/Chart.yaml|s/^appVersion: .*/appVersion: 1.2.2/|appVersion in charts/kai/Chart.yaml says "1.2.2"
CHANGELOG.md|s/1.2.3/1.2.4/|CHANGELOG.md has no section [1.2.3]
TABLE

checkout
git rm --quiet -r charts
commit
git tag v1.2.3
refused v1.2.3 "charts/kai/Chart.yaml is not there"

checkout
git checkout --quiet -b aside
commit
git tag v1.2.3
refused v1.2.3 "tag v1.2.3 is on no commit of main"
check v9.9 && fail "v9.9 is released"
[ "$(grep -c ^error: "$work/out")" -ge 6 ] || fail "not everything that is wrong is said at once"
claim "everything that is wrong is said at once"

checkout
CHECKOUT="$work/kai" "$here/notes.sh" v1.2.3 >"$work/out"
[ "$(cat "$work/out")" = $'### Added\n- this' ] || fail "the notes are others"
claim "the notes of a release are its section of the changelog"
if CHECKOUT="$work/kai" "$here/notes.sh" 1.9.9 >"$work/out" 2>&1; then fail "there are notes of a version that is not there"; fi
claim "a version without a section has no notes"

publish() { CHECKOUT="$work/kai" DRY_RUN=1 GITHUB_REPOSITORY=Owner/kai TAG=$1 ARCHITECTURE=arm64 "$here/publish.sh" "$2" >"$work/out"; }
publish v1.2.3 image
[ "$(grep -o -- '--tag [^ ]*' "$work/out" | paste -sd ' ' -)" = \
  "--tag ghcr.io/owner/kai:v1.2.3 --tag ghcr.io/owner/kai:v1.2 --tag ghcr.io/owner/kai:v1 --tag ghcr.io/owner/kai:latest" ] || fail "the image has other tags"
claim "a release moves vX.Y.Z, vX.Y, vX and latest"
publish v1.2.3-rc.1 image
[ "$(grep -o -- '--tag [^ ]*' "$work/out")" = "--tag ghcr.io/owner/kai:v1.2.3-rc.1" ] || fail "a pre-release moves other tags"
claim "a pre-release moves no tag but its own"
publish v1.2.3 push
grep -qx "docker push ghcr.io/owner/kai:v1.2.3-arm64" "$work/out" || fail "the architecture has no tag of its own"
claim "each architecture is pushed under a tag of its own"

# A helm that keeps the chart that it was to pack.
cat >"$work/helm" <<'HELM'
#!/usr/bin/env bash
mkdir -p "$4" && tar -czf "$4/kai-1.2.3.tgz" -C "$(dirname "$2")" kai
HELM
chmod +x "$work/helm"
printf 'annotations:\n  image: kai\n' >>"$work/kai/charts/kai/Chart.yaml"
pack() { CHECKOUT="$work/kai" HELM="$work/helm" "$here/chart.sh" "$work/kai/snapshot/dist" "$@" >"$work/out" 2>&1; }
pack
if publish v1.2.3 chart 2>"$work/err"; then fail "a chart without an image is published"; fi
grep -qF "does not install ghcr.io/owner/kai" "$work/err" || fail "another reason: $(cat "$work/err")"
claim "a chart that was packed without its image is not published"
for image in ghcr.io/owner/kai:v1 Owner/kai kai 'a/b|c'; do
  if pack "$image"; then fail "the image $image is taken"; fi
done
claim "a chart is packed with the name of an image and nothing else"
sed -i.bak '/^  image: /d' "$work/kai/charts/kai/Chart.yaml"
if pack ghcr.io/owner/kai; then fail "a chart without the annotation is packed"; fi
mv "$work/kai/charts/kai/Chart.yaml.bak" "$work/kai/charts/kai/Chart.yaml"
claim "a chart that cannot be given an image is not packed"
pack "$(GITHUB_REPOSITORY=Owner/kai "$here/image.sh")"
grep -qxF "  image: kai" "$work/kai/charts/kai/Chart.yaml" || fail "the checkout is changed"
publish v1.2.3 chart
grep -qx "helm push snapshot/dist/kai-1.2.3.tgz oci://ghcr.io/owner/charts" "$work/out" || fail "the chart is not pushed"
grep -q "helm repo index .* --url https://Owner.github.io/kai" "$work/out" || fail "the index is not written"
claim "the chart goes to the registry and to the index"
rm -rf "$work/kai/snapshot"
mkdir -p "$work/kai/snapshot/dist"
touch "$work"/kai/snapshot/dist/{a.tar.gz,SHA256SUMS,notes.md}
publish v1.2.3-rc.1 files
grep -q -- "--prerelease snapshot/dist/SHA256SUMS snapshot/dist/a.tar.gz$" "$work/out" || fail "the release has other files"
claim "the files of a release are attached, the notes are its text, and a pre-release is marked as one"
echo "$claims passed, 0 failed"
