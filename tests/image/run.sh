#!/usr/bin/env bash
# Holds the image that `make image` made to what a cluster and an operator count on.
#
#   tests/image/run.sh [--stand-in]
#
# The image is the archive snapshot/image/kai.tar. When there is none, or it was not made of this commit as it is, or in
# another way, it is made first by tests/image/build.sh, with --stand-in if that is given. Needs root (or `buildah unshare`),
# buildah, openssl and file, which root gets by itself; no container engine runs. Its own store of images is removed at the
# end. Everything that it asks is on loopback, and it ends only what it started.
set -euo pipefail
cd "$(dirname "$0")/../.."

say() { echo "tests/image/run.sh: $*" >&2; }
fail() { say "FAILED: $*"; exit 1; }
ok() { echo "ok: $*"; }

[ "$(id -u)" = 0 ] || fail "needs root to mount a read-only root: sudo, or buildah unshare $0"
tests/ci/packages.sh buildah openssl file

work=$(mktemp -d)
pids=()
finish() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  umount "$work/root" 2>/dev/null || true
  forget_store
  rm -rf "$work" "$kubeconfig"
}
kubeconfig=kubeconfig.image-test.$$
. tests/image/store.sh
trap finish EXIT

archive=snapshot/image/kai.tar
version=$(tests/release/version.sh)
# As it is now: somebody may commit while the image is built.
revision=$(git rev-parse HEAD)
changes=$(git status --porcelain --untracked-files=no)
if [ -z "$changes" ] && [ "$(cat "$archive.of" 2>/dev/null)" = "$revision clean${1:+ $1}" ]; then
  ok "$archive is of this commit"
else
  tests/image/build.sh "$@"
  ok "the Dockerfile builds"
fi
own_store "$work"
image=$(buildah pull --quiet "docker-archive:$archive")
container=$(buildah from "$image")
root=$(buildah mount "$container")

# --- what is inside ---------------------------------------------------------------------------------------------------
(cd "$root" && find . -type f | sort) >"$work/files"
diff "$work/files" - <<'FILES' || fail "other files are in the image"
./etc/nsswitch.conf
./etc/ssl/certs/ca-certificates.crt
./licenses/LICENSE
./usr/bin/kai
FILES
ok "the image holds the binary, the authorities and the licence: no shell, no package"
size=$(du -sb "$root" | cut -f1)
[ "$size" -le $((30 * 1024 * 1024)) ] || fail "the image is $size bytes"
ok "the image is $((size / 1024)) KiB, of 30 MiB at most"
file -L "$root/usr/bin/kai" | grep -Eq 'static-pie linked|statically linked' || fail "the binary wants a loader"
ok "the binary is static"
[ -z "$(find "$root" -not -perm -004)" ] || fail "not everything is readable by any uid"
[ -z "$(find "$root" -type d -not -perm -005)" ] || fail "not every folder can be entered by any uid"
ok "every file is readable by any uid"
[ "$(grep -c 'BEGIN CERTIFICATE' "$root/etc/ssl/certs/ca-certificates.crt")" -gt 50 ] || fail "the authorities are missing"
ok "the system's authorities are there"

buildah inspect --type image "$image" >"$work/inspect.json"
config() { python3 -c 'import json, sys; print(json.dumps(eval(sys.argv[2], {"c": json.load(open(sys.argv[1]))["Docker"]["config"]})))' "$work/inspect.json" "$1"; }
same() { [ "$(config "$1")" = "$2" ] || fail "the image's $1 is $(config "$1"), not $2"; }
same 'c["User"]' '"65532:65532"'
same 'c["Entrypoint"]' '["kai"]'
same 'sorted(c["Env"])' '["HOME=/", "KAI_SERVER_LISTEN_DEFAULT=[::]:8080", "PATH=/usr/bin"]'
same 'c["Healthcheck"]["Test"]' '["CMD", "/usr/bin/kai", "probe", "http://127.0.0.1:8080/livez"]'
same 'c["Labels"]["org.opencontainers.image.version"]' "\"$version\""
same 'c["Labels"]["org.opencontainers.image.revision"]' "\"$revision\""
ok "user, entrypoint, environment, health check and labels are set"

# --- as an engine runs it ---------------------------------------------------------------------------------------------
in_image() { buildah run "$container" -- "$@"; }
in_image kai version | grep -qx "Version:       $version" || fail "kai version does not say $version"
in_image kai version | grep -qx "GitCommit:     $revision" || fail "kai version does not know the commit"
ok "kai is found on the PATH and knows its version and commit"
if in_image sh -c true 2>/dev/null; then fail "there is a shell"; fi
ok "sh does not start"

# --- as OpenShift runs it: any uid, gid 0, a root that nobody can write, process 1 -------------------------------------
# Every runtime brings these; the folder of the demo stands for a volume.
mkdir -p "$root/demo" "$root/proc" "$root/dev"
touch "$root"/etc/{hosts,resolv.conf} "$root"/dev/{null,random,urandom}
cp config/demo-cluster.json "$root/demo/"
printf '127.0.0.1 localhost\n' >"$work/hosts"
printf 'nameserver 127.0.0.99\noptions timeout:1 attempts:2\n' >"$work/resolv.conf"
# Runs kai in namespaces of its own for mounts and processes; the network stays this machine's. AUTHORITIES replaces the bundle.
as_pod() {
  AUTHORITIES=${AUTHORITIES:-} LISTEN=${LISTEN:-none} exec unshare --mount --pid --fork --kill-child bash -c '
    set -euo pipefail
    root=$1 work=$2 chroot=$(command -v chroot); shift 2
    mount --bind "$root" "$root"
    mount -t proc proc "$root/proc"
    for device in null random urandom; do mount --bind "/dev/$device" "$root/dev/$device"; done
    for file in hosts resolv.conf; do mount --bind "$work/$file" "$root/etc/$file"; done
    if [ -n "$AUTHORITIES" ]; then mount --bind "$AUTHORITIES" "$root/etc/ssl/certs/ca-certificates.crt"; fi
    mount -o remount,bind,ro "$root"
    if touch "$root/written" 2>/dev/null; then echo "the root can be written" >&2; exit 99; fi
    exec env -i PATH=/usr/bin HOME=/ KAI_SERVER_LISTEN_DEFAULT="$LISTEN" \
      "$chroot" --userspec=1000660000:0 --groups=0 "$root" "$@"
  ' bash "$root" "$work" "$@"
}
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
port=$(free_port)
(LISTEN="[::]:$port" as_pod kai serve --input /demo/demo-cluster.json --cluster-name demo >"$work/serve.log" 2>&1) &
unshared=$!
pids+=("$unshared")
for _ in $(seq 100); do
  curl -fso /dev/null "http://127.0.0.1:$port/readyz" && break
  kill -0 "$unshared" 2>/dev/null || { cat "$work/serve.log" >&2; fail "the service ended"; }
  sleep 0.1
done
curl -fs "http://127.0.0.1:$port/inventory" | grep -q '"cluster_name":"demo"' || fail "no inventory is served"
ok "with a read-only root as uid 1000660000 of group 0 the demo is served on KAI_SERVER_LISTEN_DEFAULT"
kai=$(pgrep --parent "$unshared")
grep -q "^NSpid:.*[[:space:]]1$" "/proc/$kai/status" || fail "kai is not process 1"
grep -q "^Uid:[[:space:]]*1000660000" "/proc/$kai/status" || fail "kai runs as another user"
(as_pod kai probe "http://127.0.0.1:$port/livez") || fail "the health check fails"
if (as_pod kai probe "http://127.0.0.1:$(free_port)/livez") 2>/dev/null; then fail "the health check passes with nothing behind"; fi
ok "the health check asks it, and fails where nothing answers"
kill -TERM "$kai"
status=0
wait "$unshared" || status=$?
[ "$status" = 0 ] || { cat "$work/serve.log" >&2; fail "the service ended with $status at SIGTERM"; }
ok "SIGTERM stops process 1 with status 0"

# --- names and TLS ----------------------------------------------------------------------------------------------------
{
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout "$work/authority-key.pem" -out "$work/authority.pem"
  openssl req -newkey rsa:2048 -nodes -subj /CN=receiver -keyout "$work/key.pem" -out "$work/request.pem"
  openssl x509 -req -in "$work/request.pem" -CA "$work/authority.pem" -CAkey "$work/authority-key.pem" -CAcreateserial -days 2 \
    -extfile <(echo subjectAltName=DNS:receiver.kai.test) -out "$work/certificate.pem"
} 2>"$work/openssl.log" || { cat "$work/openssl.log" >&2; fail "no certificate could be made"; }
chmod 0644 "$work/authority.pem"
tls_port=$(free_port)
python3 tests/image/servers.py "$work/certificate.pem" "$work/key.pem" "$tls_port" >"$work/servers.log" 2>&1 &
pids+=($!)
for _ in $(seq 50); do grep -qx ready "$work/servers.log" && break; sleep 0.1; done
grep -qx ready "$work/servers.log" || { cat "$work/servers.log" >&2; fail "the test's own servers did not start"; }
url=https://receiver.kai.test:$tls_port/
(AUTHORITIES=$work/authority.pem as_pod kai probe "$url") || fail "a name of DNS does not lead to a TLS server"
grep -q "asked for receiver.kai.test" "$work/servers.log" || fail "the name server was not asked"
ok "a host name is resolved by DNS, and its TLS server answers an authority that is mounted over the bundle"
if (as_pod kai probe "$url") 2>"$work/refused"; then fail "an authority that nobody trusts is accepted"; fi
grep -qi 'certificate' "$work/refused" || { cat "$work/refused" >&2; fail "the refusal has another reason"; }
ok "with the image's own bundle the same server is refused"
if (as_pod kai probe "https://unknown.kai.test:$tls_port/") 2>"$work/unknown"; then fail "an unknown name resolves"; fi
ok "an unknown name is an error: $(tail -1 "$work/unknown")"

# --- a kubeconfig baked in --------------------------------------------------------------------------------------------
cat >"$kubeconfig" <<YAML
apiVersion: v1
kind: Config
current-context: baked
clusters: [{name: baked, cluster: {server: "http://127.0.0.1:$(free_port)"}}]
contexts: [{name: baked, context: {cluster: baked, user: nobody}}]
users: [{name: nobody, user: {}}]
YAML
chmod 0600 "$kubeconfig"
# In the engine's own store, or in one that goes.
(
  unset CONTAINERS_STORAGE_CONF STORAGE_DRIVER BUILDAH_ISOLATION TMPDIR
  export IMAGE=localhost/kai-baked SOURCE=https://example.com/kai ARCHIVE=$work/baked.tar ARCHIVE_ALONE=1
  tests/image/build.sh "$@" --build-arg "KUBECONFIG=./$kubeconfig"
) >"$work/baked.log" 2>&1 || { tail -20 "$work/baked.log" >&2; fail "no image with a kubeconfig"; }
image=$(buildah pull --quiet "docker-archive:$work/baked.tar")
baked=$(buildah from "$image")
[ "$(stat -c %a "$(buildah mount "$baked")/.kube/config")" = 444 ] || fail "the kubeconfig is not readable by any uid"
if buildah run "$baked" -- kai 2>"$work/baked.err"; then fail "a cluster answered"; fi
grep -q "127.0.0.1" "$work/baked.err" || { cat "$work/baked.err" >&2; fail "the kubeconfig baked in is not read"; }
ok "a kubeconfig baked in by --build-arg KUBECONFIG is the one that kai reads"
buildah inspect --type image "$image" >"$work/inspect.json"
same 'c["Labels"]["org.opencontainers.image.source"]' '"https://example.com/kai"'
ok "SOURCE is the image's label"
say "passed"
