# shellcheck shell=bash
# For the scripts of this folder that ask a running kai: a folder for their files, a kai that serves, and an end to both.
#
#   . tests/serving.sh
#   serve BINARY DUMP
#
# work is the folder. Once serve has returned, url is the address, server the process and $work/kai.log its log.

work=$(mktemp -d)
server=
finish() {
  if [ -n "$server" ]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  rm -rf "$work"
}
trap finish EXIT

serve() { # serve BINARY DUMP
  # It is read before kai has begun.
  : >"$work/kai.log"
  "$1" serve --input "$2" --listen 127.0.0.1:0 >"$work/kai.log" 2>&1 &
  server=$!
  for _ in $(seq 100); do
    url=$(sed -n 's|.*listening on \(http://[^ ]*\).*|\1|p' "$work/kai.log")
    if [ -n "$url" ] && curl -fso /dev/null "$url/readyz"; then return; fi
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
  done
  echo "$0: kai does not serve; what it logged:" >&2
  cat "$work/kai.log" >&2
  exit 1
}
