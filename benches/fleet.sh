#!/usr/bin/env bash
# Measures one history for a fleet in a PostgreSQL of its own, which is ended and removed at the end.
#
#   benches/fleet.sh PROGRAM [questions CLUSTERS ROWS | writes CLUSTERS SECONDS]…
#
# PROGRAM is the example `fleet`. Without more it asks 1,000 clusters of 2,000 images each, and then lets 1,000 write for ten minutes.
# As root the server runs as the user postgres.
set -euo pipefail
program=$(realpath "$1")
shift
if [ $# = 0 ]; then set -- questions 1000 2000 writes 1000 600; fi

programs=
for folder in /usr/lib/postgresql/*/bin; do if [ -x "$folder/postgres" ]; then programs=$folder/; fi; done
command -v "${programs}postgres" >/dev/null || { echo "benches/fleet.sh: PostgreSQL is not installed: make packages" >&2; exit 1; }
as=()
if [ "$(id -u)" = 0 ]; then as=(runuser -u postgres --); fi

work=$(mktemp -d)
stop() {
  if [ -e "$work/data/postmaster.pid" ]; then "${as[@]}" "${programs}pg_ctl" -D "$work/data" -m immediate stop >/dev/null; fi
  rm -rf "$work"
}
trap stop EXIT
if [ "$(id -u)" = 0 ]; then chown postgres "$work"; fi
port=54$((RANDOM % 900 + 100))
while [ $# -gt 0 ]; do
  "${as[@]}" "${programs}initdb" --no-sync --auth=trust --encoding=UTF8 --locale=C -U kai -D "$work/data" >/dev/null
  # With the defaults of Debian, but for the number of connections; commits reach the disk.
  "${as[@]}" "${programs}pg_ctl" -D "$work/data" -l "$work/log" -w start \
    -o "-k $work -p $port -h '' -c max_connections=1100" >/dev/null
  "$program" "$1" "$work" "$port" "$2" "$3"
  "${as[@]}" "${programs}pg_ctl" -D "$work/data" -m fast stop >/dev/null
  rm -rf "$work/data"
  shift 3
done
