#!/usr/bin/env bash
# Installs the chart on a kind cluster, with the image of this checkout on its nodes, and reads the inventory: `make chart-kind`.
#
#   kind.sh
#
# CLUSTER is kind's name of the cluster (kai), KUBECONFIG names it to the others. Needs docker, kind, kubectl, helm and curl. The
# release is called kai, in a namespace of its own with restricted Pod Security (kai-chart); both are removed again. PORT is
# a free port of this machine (18080), TRIES how often the inventory is asked for what it must have (20).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

: "${KUBECONFIG:?KUBECONFIG must name the cluster}"
namespace=kai-chart
port=${PORT:-18080}
image=localhost/kai
version=$(tests/release/version.sh)
work=$(mktemp -d)
forward=""

# What went wrong is said by the step; why, by the objects, which are gone afterwards.
end() {
    local status=$?
    if [ -n "$forward" ]; then kill "$forward" 2>/dev/null || true; fi
    if [ "$status" != 0 ]; then
        kubectl -n "$namespace" get pods,events || true
        kubectl -n "$namespace" logs deployment/kai || true
    fi
    helm uninstall kai --namespace "$namespace" --ignore-not-found || true
    kubectl delete namespace "$namespace" --ignore-not-found || true
    rm -rf "$work"
    exit "$status"
}
trap end EXIT

ENGINE=docker IMAGE=$image tests/image/build.sh
kind load docker-image "$image:v$version" --name "${CLUSTER:-kai}"
HELM=helm tests/release/chart.sh "$work" "$image"

kubectl create namespace "$namespace"
kubectl label namespace "$namespace" pod-security.kubernetes.io/enforce=restricted
# Pulled it would be another image, if there were one of that name.
helm install kai "$work/kai-$version.tgz" --namespace "$namespace" --wait --timeout 3m \
    --set image.pullPolicy=Never --set kai.pollingIntervalSeconds=5
helm test kai --namespace "$namespace" --timeout 2m

kubectl -n "$namespace" port-forward service/kai "$port:80" >"$work/forward" &
forward=$!
# The cluster's own, and kai itself, which is not running yet when it reads the cluster for the first time.
for ((try = 0; try < ${TRIES:-20}; try++)); do
    curl --silent --show-error --fail --retry 10 --retry-delay 1 --retry-connrefused "http://127.0.0.1:$port/inventory" >"$work/inventory"
    missing=""
    for text in kube-apiserver "$image:v$version"; do
        grep -qF "$text" "$work/inventory" || missing=$text
    done
    if [ -z "$missing" ]; then
        echo "kind.sh: installed, tested and read"
        exit
    fi
    sleep 2
done
echo "kind.sh: the inventory does not have $missing: $(head -c 2000 "$work/inventory")" >&2
exit 1
