#!/usr/bin/env bash
# Holds the chart to a real API server, in the namespace NAMESPACE, which must exist.
#
#   cluster.sh restricted NAMESPACE   what each file of values/ renders is taken by a dry run on the server, with the
#                                     restricted Pod Security Standard on the namespace, and without a warning
#   cluster.sh install NAMESPACE      installs it there as the release NAMESPACE and waits until its pod is ready
#   cluster.sh upgrade NAMESPACE      upgrades what KAI's chart left there (predecessor/), in place
#
# KUBECONFIG names the cluster, as its administrator. HELM and KUBECTL are the programs to use, by default those of
# tests/control-plane/build.sh. Whatever was installed is removed again. The image is not pulled where nodes are pretended.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
here=$root/tests/chart
step=${1:?usage: cluster.sh restricted|install|upgrade NAMESPACE}
namespace=${2:?usage: cluster.sh restricted|install|upgrade NAMESPACE}
: "${KUBECONFIG:?KUBECONFIG must name the cluster}"
bin=$("$root/tests/control-plane/build.sh" --where)
helm=${HELM:-$bin/helm}
kubectl=${KUBECTL:-$bin/kubectl}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HELM_CACHE_HOME=$work/cache HELM_CONFIG_HOME=$work/config HELM_DATA_HOME=$work/data
# As somebody has it who installs it: packed.
HELM=$helm "$root/tests/release/chart.sh" "$work/package" >/dev/null
chart=$(echo "$work"/package/kai-*.tgz)

fail() {
    echo "cluster.sh $step: $1" >&2
    exit 1
}

in_namespace() { "$kubectl" --cache-dir="$work/cache" --namespace "$namespace" "$@"; }

enforce_restricted() {
    local mode
    # `enforce` is for pods alone; `warn` is what a Deployment gets.
    for mode in enforce warn; do
        in_namespace label namespace "$namespace" --overwrite "pod-security.kubernetes.io/$mode=restricted" >/dev/null
    done
}

dry_run() { # dry_run VALUES [ARGUMENT…]: what the server says is in $work/said
    local values=$1
    shift
    # The kinds of the Prometheus operator and of the Gateway API are not there, and other namespaces neither. The restricted
    # standard refuses the node's network.
    "$helm" template "$namespace" "$chart" --namespace "$namespace" -f "$values" "$@" \
        --set serviceMonitor.enabled=false --set podMonitor.enabled=false --set prometheusRule.enabled=false \
        --set httpRoute.enabled=false --set hostNetwork=false |
        sed "s/^  namespace: team-[ab]\$/  namespace: $namespace/" >"$work/manifests.yaml"
    in_namespace apply --server-side --dry-run=server -f "$work/manifests.yaml" >"$work/said" 2>&1
}

value_of() { # value_of DEPLOYMENT JSONPATH
    in_namespace get deployment "$1" -o "jsonpath=$2"
}

removed() {
    "$helm" uninstall "$namespace" --namespace "$namespace" --wait --timeout 2m >/dev/null
    local left
    left=$("$kubectl" --cache-dir="$work/cache" get clusterroles,clusterrolebindings -o name | grep "/$namespace" || true)
    [ -z "$left" ] || fail "uninstalling leaves $left"
}

case $step in
restricted)
    enforce_restricted
    for values in "$here"/values/*.yaml; do
        dry_run "$values" || fail "$(basename "$values") is refused: $(cat "$work/said")"
        if grep -i warning "$work/said"; then
            fail "$(basename "$values") is taken with a warning"
        fi
    done
    # Else the checks above could not fail.
    dry_run "$here/values/default.yaml" --set securityContext.allowPrivilegeEscalation=true || true
    grep -q 'violate PodSecurity "restricted' "$work/said" || fail "the standard is not checked: $(cat "$work/said")"
    ;;
install)
    enforce_restricted
    "$helm" install "$namespace" "$chart" --namespace "$namespace" --set fullnameOverride="$namespace" --wait --timeout 3m >"$work/notes"
    ready=$(value_of "$namespace" '{.status.readyReplicas}')
    [ "$ready" = 1 ] || fail "$ready pods are ready, not 1"
    pods=$(in_namespace get pods -l "app.kubernetes.io/name=kai,app.kubernetes.io/instance=$namespace" -o 'jsonpath={.items[*].status.phase}')
    [ "$pods" = Running ] || fail "the pod is $pods"
    endpoints=$(in_namespace get endpointslices -l "kubernetes.io/service-name=$namespace" -o 'jsonpath={.items[*].endpoints[*].conditions.ready}/{.items[*].ports[*].port}')
    [ "$endpoints" = true/8080 ] || fail "the Service leads to $endpoints, not to one ready pod on port 8080"
    "$helm" upgrade "$namespace" "$chart" --namespace "$namespace" --set fullnameOverride="$namespace" --set kai.mode=adhoc --wait --timeout 3m >"$work/notes"
    kinds=$(in_namespace get deployments,cronjobs -o name)
    [ "$kinds" = "cronjob.batch/$namespace" ] || fail "mode adhoc leaves $kinds"
    removed
    ;;
upgrade)
    "$helm" install "$namespace" "$here/predecessor" --namespace "$namespace" --wait --timeout 3m >/dev/null
    before=$(value_of "$namespace" '{.metadata.uid}')
    "$helm" upgrade "$namespace" "$chart" --namespace "$namespace" --set fullnameOverride="$namespace" \
        -f "$here/values/kai-users.yaml" --wait --timeout 3m >"$work/notes"
    [ "$(value_of "$namespace" '{.metadata.uid}')" = "$before" ] || fail "the Deployment was made anew"
    container='{.spec.template.spec.containers[0]'
    ports=$(value_of "$namespace" "$container.ports[*].containerPort}")
    [ "$ports" = 8080 ] || fail "the container has the ports $ports"
    probes=$(value_of "$namespace" "$container.livenessProbe.exec}$container.readinessProbe.exec}$container.readinessProbe.httpGet.path}")
    [ "$probes" = /readyz ] || fail "the probes of before are left: $probes"
    mounts=$(value_of "$namespace" "$container.volumeMounts[*].mountPath}")
    [ "$mounts" = /etc/xdg/kai ] || fail "the mounts are $mounts"
    password=$(in_namespace get secret "$namespace" -o 'jsonpath={.data.KAI_ANCHORE_PASSWORD}' | base64 -d)
    [ "$password" = 'MARKED "0: #secret' ] || fail "the Secret has not the new password"
    # By KAI's own values, in which nobody changed anything: its image could not become ready.
    "$helm" upgrade "$namespace" "$chart" --namespace "$namespace" --reset-values --set fullnameOverride="$namespace" \
        -f "$here/values/kai-sample.yaml" --wait --timeout 3m >"$work/notes"
    image=$(value_of "$namespace" "$container.image}")
    [[ $image == kai:v* ]] || fail "the image is $image"
    removed
    ;;
*) fail "unknown step" ;;
esac
echo "cluster.sh $step: good"
