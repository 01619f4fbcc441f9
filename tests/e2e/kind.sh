#!/usr/bin/env bash
# Runs the claims that an existing cluster can prove on one with real nodes, and installs the chart there.
#
#   tests/e2e/kind.sh
#
# Needs kind, kubectl, docker and helm. The cluster is called kai-e2e; it is made for the run and removed behind it. When a claim
# fails, what is in the cluster is shown before.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
kind create cluster --name kai-e2e --kubeconfig "$work/kubeconfig" --wait 120s
# A cluster of that name that somebody has is not removed: then none is made either.
trap 'kind delete cluster --name kai-e2e --kubeconfig "$work/kubeconfig"; rm -rf "$work"' EXIT

status=0
{ E2E_KUBECONFIG=$work/kubeconfig make --no-print-directory e2e &&
  KUBECONFIG=$work/kubeconfig CLUSTER=kai-e2e make --no-print-directory chart-kind; } || status=$?
if [ "$status" != 0 ]; then
  kubectl --kubeconfig "$work/kubeconfig" get pods,namespaces,events --all-namespaces || true
fi
exit "$status"
