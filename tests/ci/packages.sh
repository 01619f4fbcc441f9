#!/usr/bin/env bash
# Sees that programs of the system's packages are there, so that no check is left out for want of one.
#
#   tests/ci/packages.sh PROGRAM…
#
# What is there is taken as it is. What is missing is installed as root with apt-get; anybody else is told what to install,
# and it fails. No service that a package brings is started.
set -euo pipefail

say() { echo "tests/ci/packages.sh: $*" >&2; }
# Debian keeps the server of PostgreSQL beside the PATH, in a folder for each version.
is_there() {
  if command -v "$1" >/dev/null; then return; fi
  [ "$1" = postgres ] && compgen -G "${POSTGRES_FOLDERS:-/usr/lib/postgresql/*/bin}/postgres" >/dev/null
}

programs=() packages=()
for program in "$@"; do
  if is_there "$program"; then continue; fi
  programs+=("$program")
  case $program in
    promtool) packages+=(prometheus) ;;
    postgres) packages+=(postgresql) ;;
    *) packages+=("$program") ;;
  esac
done
if [ ${#programs[@]} = 0 ]; then exit 0; fi
if ! command -v apt-get >/dev/null; then
  say "${programs[*]} not on the PATH, and there is no apt-get here: install what Debian has in ${packages[*]}"
  exit 1
fi
command=(apt-get install --yes --no-install-recommends "${packages[@]}")
if [ "$(id -u)" != 0 ]; then
  say "${programs[*]} not on the PATH: sudo ${command[*]}"
  exit 1
fi

say "installing ${packages[*]}"
# Debian starts the service of a package at once, unless this file says no; one that is there has its own reason.
policy=${POLICY_RC_D:-/usr/sbin/policy-rc.d}
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 0755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
# The lists of a fresh machine are empty or old.
if ! "${command[@]}" >/dev/null 2>&1; then
  apt-get update >/dev/null || say "the lists of packages could not be brought up to date"
  "${command[@]}" >/dev/null || { say "they could not be installed; try it by hand: ${command[*]}"; exit 1; }
fi
for program in "${programs[@]}"; do
  is_there "$program" || { say "$program is not on the PATH although its package is installed"; exit 1; }
done
