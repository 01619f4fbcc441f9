#!/usr/bin/env bash
# Requests per second of `GET /inventory`, warm, against nginx serving the same bytes as a static file on this machine.
#
#   benches/http.sh BINARY [PAIRS] [SECONDS]
#
# BINARY is a built kai. PAIRS (7) alternating runs of SECONDS (5) each, for identity and for gzip; the figure is the median of
# the pairs' ratios. Needs nginx, wrk, curl and python3. Everything is on loopback; ends only what it started.
set -euo pipefail

binary=${1:?usage: benches/http.sh BINARY [PAIRS] [SECONDS]}
pairs=${2:-7}
seconds=${3:-5}
bar=0.8
for tool in nginx wrk curl python3; do
  command -v "$tool" >/dev/null || { echo "benches/http.sh: $tool is not installed" >&2; exit 2; }
done

work=$(mktemp -d)
# Workers of an nginx that root starts run as another user.
chmod 755 "$work"
started=()
finish() {
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${started[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap finish EXIT

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

wait_for() {
  for _ in $(seq 100); do
    curl -fso /dev/null "$1" && return
    sleep 0.1
  done
  echo "benches/http.sh: nothing answers at $1" >&2
  tail -n 5 "$work"/*.log >&2
  exit 1
}

# 1110 pods with an image and a digest of their own in 40 namespaces: a report of about 166 kB, 39 kB compressed.
python3 - "$work/cluster.json" <<'PYTHON'
import hashlib, json, sys

items = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"ns-{n}"}} for n in range(40)]
for n in range(1110):
    image = f"registry-{n % 3}.example.com/team-{n % 41}/service-{n}:v{n % 7}.{n % 13}.{n % 29}"
    # Some digests repeat, as in a cluster where services share images: the compressed size follows from that.
    digest = "sha256:" + hashlib.sha256(str(n % 1040).encode()).hexdigest()
    items.append({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": f"pod-{n}", "namespace": f"ns-{n % 40}"},
        "spec": {"nodeName": f"node-{n % 9}", "containers": [{"name": "main", "image": image}]},
        "status": {"phase": "Running", "containerStatuses": [{
            "name": "main", "image": image, "imageID": f"registry.example.com/x@{digest}", "state": {"running": {}},
        }]},
    })
json.dump({"apiVersion": "v1", "kind": "List", "items": items}, open(sys.argv[1], "w"))
PYTHON

kai_port=$(free_port)
"$binary" serve --input "$work/cluster.json" --listen "127.0.0.1:$kai_port" >"$work/kai.log" 2>&1 &
started+=($!)
kai="http://127.0.0.1:$kai_port/inventory"
wait_for "$kai"

mkdir -p "$work/root" "$work/logs"
curl -fs "$kai" -o "$work/root/inventory"
curl -fs -H 'Accept-Encoding: gzip' "$kai" -o "$work/root/inventory.gz"
gzip -dc "$work/root/inventory.gz" | cmp - "$work/root/inventory"

nginx_port=$(free_port)
cat >"$work/nginx.conf" <<NGINX
worker_processes 2;
daemon off;
pid $work/nginx.pid;
error_log $work/nginx.log;
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  gzip_static on;
  gzip_vary on;
  default_type application/json;
  keepalive_requests 1000000000;
  client_body_temp_path $work/logs;
  proxy_temp_path $work/logs;
  fastcgi_temp_path $work/logs;
  uwsgi_temp_path $work/logs;
  scgi_temp_path $work/logs;
  server { listen 127.0.0.1:$nginx_port; root $work/root; }
}
NGINX
nginx -p "$work" -c "$work/nginx.conf" >"$work/nginx.log" 2>&1 &
started+=($!)
nginx="http://127.0.0.1:$nginx_port/inventory"
wait_for "$nginx"

# rate URL CODING
rate() {
  wrk -t2 -c32 -d"${seconds}s" -H "Accept-Encoding: $2" "$1" >"$work/wrk.out"
  if grep -qE 'Non-2xx|Socket errors' "$work/wrk.out"; then
    cat "$work/wrk.out" >&2
    exit 1
  fi
  awk '/^Requests\/sec/ { print $2 }' "$work/wrk.out"
}

failed=0
for coding in identity gzip; do
  file=inventory; [ "$coding" = gzip ] && file=inventory.gz
  echo "$coding: $(stat -c %s "$work/root/$file") bytes, wrk -t2 -c32 -d${seconds}s"
  rate "$kai" "$coding" >/dev/null
  rate "$nginx" "$coding" >/dev/null
  : >"$work/ratios"
  for pair in $(seq "$pairs"); do
    # Who goes first alternates too.
    if (( pair % 2 )); then a=$(rate "$kai" "$coding"); b=$(rate "$nginx" "$coding")
    else b=$(rate "$nginx" "$coding"); a=$(rate "$kai" "$coding"); fi
    ratio=$(awk -v a="$a" -v b="$b" 'BEGIN { printf "%.3f", a / b }')
    echo "  pair $pair: kai $a/s, nginx $b/s, ratio $ratio"
    echo "$ratio" >>"$work/ratios"
  done
  median=$(sort -n "$work/ratios" | awk '{ v[NR] = $1 } END { printf "%.3f", NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }')
  if awk -v m="$median" -v bar="$bar" 'BEGIN { exit !(m < bar) }'; then failed=1; verdict="BELOW the bar of"; else verdict="bar"; fi
  echo "  median ratio $median ($verdict $bar)"
done
exit $failed
