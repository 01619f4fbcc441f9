#!/usr/bin/env bash
# Holds the scripts of CI, and the one that builds the image, to their rules: what a check needs is there, or the run fails;
# what is left out is said.
#
#   tests/ci/run.sh
#
# Every program that these scripts start is a pretended one in a folder of the test, so nothing is installed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
claims=0

fail() { echo "FAILED: $*" >&2; [ ! -s "$work/out" ] || cat "$work/out" >&2; exit 1; }
claim() { claims=$((claims + 1)); echo "ok: $*"; }
says() { grep -qF -- "$1" "$work/out" || fail "it does not say: $1"; }

# A machine with nothing but the tools of a shell and what `program` adds.
machine() {
  rm -rf "$work/bin" "$work/log" "$work/policy"
  mkdir "$work/bin"
  local tool
  for tool in bash sh env cat chmod cp dirname mkdir mktemp rm touch; do ln -s "$(command -v "$tool")" "$work/bin/$tool"; done
  program id "echo $1"
}
program() { # program NAME COMMANDS
  printf '#!/bin/sh\n%s\n' "$2" >"$work/bin/$1"
  chmod +x "$work/bin/$1"
}
on_it() { PATH=$work/bin POLICY_RC_D=$work/policy "$@" >"$work/out" 2>&1; }
packages() { on_it "$here/packages.sh" "$@"; }
# An apt-get that installs promtool, if a service would not be started by it.
apt() {
  program apt-get "echo \"\$*\" >>$work/log
    [ \$1 != install ] || { ${1:-true} && $work/policy; [ \$? = 101 ] && echo >$work/bin/promtool && chmod +x $work/bin/promtool; }"
}

machine 1000
program promtool true
packages promtool || fail "a program that is there is asked for"
claim "a program that is there is taken as it is"

machine 1000
apt
if packages promtool file; then fail "it passes without promtool"; fi
says "promtool file not on the PATH: sudo apt-get install --yes --no-install-recommends prometheus file"
[ ! -e "$work/log" ] || fail "a user's machine is changed"
claim "a user without a program is told the command that installs it, and nothing is installed"

machine 0
if packages promtool; then fail "it passes without promtool"; fi
says "install what Debian has in prometheus"
claim "without apt-get it fails and names the package"

machine 0
apt
packages promtool || fail "it is not installed"
[ "$(cat "$work/log")" = "install --yes --no-install-recommends prometheus" ] || fail "another command was run"
[ ! -e "$work/policy" ] || fail "services of other packages are held back from now on"
claim "root gets the package, and no service is started by it"

machine 0
apt "grep -q update $work/log"
ln -s "$(command -v grep)" "$work/bin/grep"
packages promtool || fail "it is not installed"
claim "lists of packages that are empty are fetched first"

machine 0
apt false
if packages promtool; then fail "it passes without promtool"; fi
says "they could not be installed"
program apt-get true
if packages promtool; then fail "it passes without promtool"; fi
says "promtool is not on the PATH although its package is installed"
claim "a package that is not to be had, or does not bring its program, is a failure"

machine 0
program apt-get "mkdir -p $work/bin/15 && echo >$work/bin/15/postgres"
export POSTGRES_FOLDERS="$work/bin/*"
packages postgres || fail "a server beside the PATH is not found"
program apt-get "exit 1"
packages postgres || fail "a server that is there is asked for"
rm -r "$work/bin/15"
if packages postgres; then fail "it passes without PostgreSQL"; fi
says "try it by hand: apt-get install --yes --no-install-recommends postgresql"
unset POSTGRES_FOLDERS
claim "a server of PostgreSQL is found where Debian has it, and installed where there is none"

machine 1000
for setting in CI= CI=true; do
  if on_it env "$setting" "$root/tests/contract.sh" /bin/false; then fail "the contract holds without promtool"; fi
  says "promtool is not there"
done
claim "without promtool the contract fails, on a laptop too, before anything is built or started"

# --- tests/ci/image.sh ------------------------------------------------------------------------------------------------
for user in "0 Linux" "1000 Linux" "0 Darwin"; do
  read -r id system <<<"$user"
  machine "$id"
  program uname "echo $system"
  program make "echo \"make \$*\"; exit 3"
  status=0
  on_it "$here/image.sh" || status=$?
  if [ "$user" = "0 Linux" ]; then
    says "make --no-print-directory image-test STAND_IN=1"
    [ "$status" = 3 ] || fail "an image that fails is no failure"
  else
    says "the image is LEFT OUT here"
    says ".github/workflows/ci.yaml"
    [ "$status" = 0 ] || fail "it ends with $status"
  fi
done
grep -q '^  image:' "$root/.github/workflows/ci.yaml" || fail "the job that is named does not exist"
claim "root tries the image in make ci, and anybody else is told that it is left out, and who tries it"

# --- tests/image/build.sh ---------------------------------------------------------------------------------------------
build() { PATH=$work/bin:$PATH ENGINE=docker ARCHIVE=$work/kai.tar VERSION=1.2.3 "$root/tests/image/build.sh" "$@" >"$work/out" 2>&1; }
machine 1000
program docker "echo docker \$* >>$work/log; case \$1 in build) exit \${BUILT:-0} ;; save) echo \$4 >\$3 ;; esac"
build --build-arg A=b || fail "no image is built"
[ "$(cat "$work/kai.tar")" = localhost/kai:v1.2.3 ] || fail "the archive is of another image"
grep -qxE '([0-9a-f]{40}|unknown) (clean|dirty) --build-arg A=b' "$work/kai.tar.of" || fail "it is not said what the archive was made of"
if grep -q rmi "$work/log"; then fail "the engine's image is removed"; fi
ARCHIVE_ALONE=1 build
grep -qx "docker rmi localhost/kai:v1.2.3 localhost/kai:latest" "$work/log" || fail "the engine's image is left"
claim "an image is left in the engine's store and as an archive that says what it was made of, or as the archive alone"
if BUILT=1 build; then fail "a build that fails is none"; fi
[ ! -e "$work/kai.tar" ] && [ ! -e "$work/kai.tar.of" ] || fail "the archive of an earlier build is left"
claim "a build that fails leaves no archive of an earlier one"
program buildah true
if build --stand-in; then fail "it mounts the machine's tools as a user"; fi
says "needs root"
claim "a stand-in for the base is root's"

# --- tests/e2e/kind.sh ------------------------------------------------------------------------------------------------
kind() { # kind CREATED MADE INSTALLED: the status of making the cluster, of the claims, and of the chart
  machine 1000
  program kind "echo \"kind \$1\"; [ \$1 != create ] || exit $1"
  program make "echo \"\$* on \${E2E_KUBECONFIG:-\$KUBECONFIG of \$CLUSTER}\"; case \$* in *\ chart-kind) exit $3 ;; *) exit $2 ;; esac"
  program kubectl 'echo shown'
  status=0
  on_it "$root/tests/e2e/kind.sh" || status=$?
}
kind 0 0 0
[ "$status" = 0 ] || fail "it ends with $status"
says "e2e on /"
says "chart-kind on /"
says "of kai-e2e"
says "kind delete"
kind 0 0 3
[ "$status" = 3 ] || fail "a chart that is not installed ends with $status"
says shown
kind 0 4 0
[ "$status" = 4 ] || fail "claims that fail end with $status"
says shown
says "kind delete"
claim "the claims on kind and the chart decide how it ends, a failure shows the cluster, and the cluster is removed"
kind 1 0 0
[ "$status" = 1 ] || fail "it ends with $status"
if grep -q "kind delete" "$work/out"; then fail "a cluster that it did not make is removed"; fi
claim "a cluster that was there already is left alone"
echo "$claims passed, 0 failed"
