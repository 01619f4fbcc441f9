#!/usr/bin/env bash
# Starts a real Kubernetes API server on loopback: etcd and kube-apiserver, with RBAC, from build.sh's programs.
#
#   up.sh DIR
#
# DIR is created and holds everything: data, certificates, logs and what the caller needs:
#   DIR/kubeconfig             user admin, token admin-token, in system:masters: may do anything
#   DIR/kubeconfig.restricted  user system:serviceaccount:inventory:kai, token restricted-token: may do nothing until
#                              a Role or ClusterRole is bound to it, as a new ServiceAccount may not
#   DIR/server DIR/ca.crt      the URL, and the certificate to trust
#   DIR/clients.{crt,key}      the authority whose client certificates the server accepts (CN: user, O: group)
#   DIR/pids                   one "PID PROGRAM" a line, for down.sh
#   DIR/PROGRAM.again          starts PROGRAM once more with the same ports and data, after a test has ended it
#   DIR/etcd.url               etcd without TLS, to compact it in a test
# The programs are those of `build.sh --where`. Ports are free ones on 127.0.0.1, so several can run side by side. Returns
# when the server is ready (about 4 s); on failure shows the logs, leaves nothing running and exits 1. By default there
# are no nodes and no controllers: pods stay as they were created. With NODES=3 in the environment
# kube-controller-manager, kube-scheduler and kwok run too, with three pretended nodes, so that Deployments, Jobs and
# DaemonSets get running pods (and pods whose node does not exist are removed). API_SERVER_FLAGS and ETCD_FLAGS add flags.
# `--unsafe-no-fsync` makes etcd quick and unfit for anything but tests.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ $# -eq 1 ] || { echo "usage: up.sh DIR" >&2; exit 2; }
bin=$("$here/build.sh" --where)
nodes=${NODES:-0}
wanted="etcd kube-apiserver"
[ "$nodes" -eq 0 ] || wanted="$wanted kube-controller-manager kube-scheduler kwok"
for program in $wanted; do
    [ -x "$bin/$program" ] || { echo "up.sh: no $program in $bin: run make control-plane first" >&2; exit 1; }
done
for tool in openssl curl; do
    command -v "$tool" >/dev/null || { echo "up.sh: $tool is needed" >&2; exit 1; }
done
mkdir -p "$1"
dir=$(cd "$1" && pwd)
if [ -e "$dir/pids" ]; then
    echo "up.sh: $dir/pids exists: run $here/down.sh $dir first" >&2
    exit 1
fi
mkdir -p "$dir/certs"

free_port() { # a port on 127.0.0.1 that nothing listens on, below the range that clients are given
    local port
    for _ in $(seq 50); do
        port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && [[ " $taken " != *" $port "* ]]; then
            taken="$taken $port"
            chosen=$port
            return
        fi
    done
    echo "up.sh: found no free port" >&2
    exit 1
}

# In its own session a program does not get the Ctrl-C at the caller's terminal. Not every system has setsid.
session=$(command -v setsid || echo nohup)
start() { # start PROGRAM ARGUMENT…: by way of a script that a test can run again after it has ended the program
    local name=$1
    shift
    {
        echo '#!/usr/bin/env bash'
        printf '%q ' "$session" "$bin/$name" "$@"
        printf '>>%q 2>&1 </dev/null &\n' "$dir/$name.log"
        printf 'echo "$! %s" >>%q\n' "$name" "$dir/pids"
    } >"$dir/$name.again"
    chmod +x "$dir/$name.again"
    "$dir/$name.again"
}

alive() { kill -0 "$(awk -v n="$1" '$2 == n { pid = $1 } END { print pid }' "$dir/pids")" 2>/dev/null; }

await() { # await PROGRAM SECONDS COMMAND…: until COMMAND succeeds; fails as soon as PROGRAM has ended
    local name=$1 deadline=$((SECONDS + $2))
    shift 2
    until "$@" >/dev/null 2>&1; do
        if ! alive "$name" || [ $SECONDS -ge $deadline ]; then
            echo "up.sh: $name did not become ready; the end of $dir/$name.log:" >&2
            tail -n 15 "$dir/$name.log" >&2
            return 1
        fi
        sleep 0.1
    done
}

taken=""
free_port; etcd_port=$chosen
free_port; peer_port=$chosen
free_port; api_port=$chosen
trap '"$here/down.sh" "$dir" >/dev/null 2>&1; exit 1' ERR INT TERM

start etcd --name=one --data-dir="$dir/etcd" --unsafe-no-fsync --log-level=warn \
    --listen-client-urls="http://127.0.0.1:$etcd_port" --advertise-client-urls="http://127.0.0.1:$etcd_port" \
    --listen-peer-urls="http://127.0.0.1:$peer_port" --initial-advertise-peer-urls="http://127.0.0.1:$peer_port" \
    --initial-cluster="one=http://127.0.0.1:$peer_port" ${ETCD_FLAGS:-}
echo "http://127.0.0.1:$etcd_port" >"$dir/etcd.url"

[ -e "$dir/certs/service-account.key" ] || openssl genrsa -out "$dir/certs/service-account.key" 2048 2>/dev/null
cat >"$dir/certs/tokens.csv" <<TOKENS
admin-token,admin,admin-uid,"system:masters"
restricted-token,system:serviceaccount:inventory:kai,kai-uid,"system:serviceaccounts,system:serviceaccounts:inventory"
TOKENS
await etcd 30 curl -sf "http://127.0.0.1:$etcd_port/health"

[ -e "$dir/clients.crt" ] || openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=clients \
    -keyout "$dir/clients.key" -out "$dir/clients.crt" 2>/dev/null

# ServiceAccount admission is off because without controllers no namespace gets its default ServiceAccount, and every
# pod would be refused.
start kube-apiserver --etcd-servers="http://127.0.0.1:$etcd_port" --bind-address=127.0.0.1 --secure-port="$api_port" \
    --advertise-address=127.0.0.1 --endpoint-reconciler-type=none --cert-dir="$dir/certs" \
    --service-cluster-ip-range=10.96.0.0/16 --authorization-mode=RBAC --token-auth-file="$dir/certs/tokens.csv" \
    --client-ca-file="$dir/clients.crt" \
    --service-account-issuer=https://kubernetes.default.svc.cluster.local \
    --service-account-key-file="$dir/certs/service-account.key" \
    --service-account-signing-key-file="$dir/certs/service-account.key" \
    --disable-admission-plugins=ServiceAccount --allow-privileged=true ${API_SERVER_FLAGS:-}
# The server makes its own certificate and authority on its first start, both in this file.
await kube-apiserver 60 test -s "$dir/certs/apiserver.crt"
cp "$dir/certs/apiserver.crt" "$dir/ca.crt"
server=https://127.0.0.1:$api_port
echo "$server" >"$dir/server"
await kube-apiserver 60 curl -sf --cacert "$dir/ca.crt" -H "Authorization: Bearer admin-token" "$server/readyz"

kubeconfig() { # kubeconfig FILE USER TOKEN
    (umask 077 && cat >"$1" <<CONFIG
apiVersion: v1
kind: Config
current-context: loopback
clusters:
- name: loopback
  cluster:
    server: $server
    certificate-authority-data: $(base64 <"$dir/ca.crt" | tr -d '\n')
users:
- name: $2
  user: {token: $3}
contexts:
- name: loopback
  context: {cluster: loopback, user: $2}
CONFIG
    )
}
kubeconfig "$dir/kubeconfig" admin admin-token
kubeconfig "$dir/kubeconfig.restricted" restricted restricted-token

if [ "$nodes" -gt 0 ]; then
    free_port; kwok_port=$chosen
    start kube-controller-manager --kubeconfig="$dir/kubeconfig" --leader-elect=false --secure-port=0 \
        --root-ca-file="$dir/ca.crt" --service-account-private-key-file="$dir/certs/service-account.key"
    start kube-scheduler --kubeconfig="$dir/kubeconfig" --leader-elect=false --secure-port=0
    start kwok --kubeconfig="$dir/kubeconfig" --config="$bin/kwok-stages.yaml" --manage-all-nodes=true \
        --cidr=10.0.0.1/16 --node-ip=127.0.0.1 --server-address="127.0.0.1:$kwok_port"
    for i in $(seq "$nodes"); do
        name=$(printf 'node-%03d' "$i")
        curl -sf --cacert "$dir/ca.crt" -H "Authorization: Bearer admin-token" -H "Content-Type: application/json" \
            -o "$dir/created" "$server/api/v1/nodes" -d '{"apiVersion":"v1","kind":"Node","metadata":{"name":"'"$name"'",
            "labels":{"kubernetes.io/hostname":"'"$name"'","kubernetes.io/os":"linux","kubernetes.io/arch":"amd64"}},
            "status":{"allocatable":{"cpu":"64","memory":"256Gi","pods":"1000"},"capacity":{"cpu":"64","memory":"256Gi","pods":"1000"}}}' ||
            curl -sf --cacert "$dir/ca.crt" -H "Authorization: Bearer admin-token" -o "$dir/created" "$server/api/v1/nodes/$name"
    done
    rm -f "$dir/created"
fi
trap - ERR INT TERM
echo "$server is ready: KUBECONFIG=$dir/kubeconfig"
