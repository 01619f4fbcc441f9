#!/usr/bin/env bash
# Builds the control plane's programs from their pinned Go modules into a cache outside the checkout.
#
#   build.sh [PROGRAM…]   builds what is not there yet (all programs if none is named)
#   build.sh --where      prints the folder that the programs of these pins lie in, and builds nothing
#
# Programs: kube-apiserver etcd kubectl kube-controller-manager kube-scheduler kwok helm. The first two and kubectl are
# enough for an API server without controllers. The folder is $CONTROL_PLANE_BIN, else
# ${KAI_TOOLS:-${XDG_CACHE_HOME:-~/.cache}/kai-tools}/control-plane/KEY with a KEY made from the pins, so checkouts with
# other versions do not disturb each other; a program whose own pins are the same in another such folder is linked from
# there. Cold, everything takes about 12 minutes on two cores (NICE=10 leaves room for others); warm, under a second.
# Cold needs Go 1.26 and a Go module proxy; warm needs neither.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=${KAI_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/kai-tools}/control-plane

hash_of() { # not every system has sha256sum
    if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -d' ' -f1
}

pins=$(cd "$here" && cat */go.mod */go.sum | hash_of)
cache=${CONTROL_PLANE_BIN:-$root/${pins:0:16}}
if [ "${1:-}" = --where ]; then
    echo "$cache"
    exit
fi
[ $# -gt 0 ] || set -- kube-apiserver etcd kubectl kube-controller-manager kube-scheduler kwok helm
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)

need_go() {
    command -v go >/dev/null && return
    cat >&2 <<MESSAGE
build.sh: Go is not on the PATH, and it is needed once to build $1 for the tests on a real control plane.
  Install Go 1.26 or later (https://go.dev/dl), or set CONTROL_PLANE_BIN to a folder that holds the programs, or run the
  tests on a cluster that you have: E2E_KUBECONFIG=FILE make e2e. Nothing else of this project needs Go.
MESSAGE
    exit 1
}

version_of() { # version_of DIR MODULE: the version that DIR/go.mod requires of MODULE
    awk -v m="$2" '$1 == "require" && $2 == m { print $3; exit } $1 == m && $2 ~ /^v/ { print $2; exit }' "$here/$1/go.mod"
}

build() { # build PROGRAM DIR PACKAGE LDFLAGS
    local name=$1 dir=$2 package=$3 ldflags="-s -w $4" key stamp
    key=$({ echo "$package $ldflags"; cat "$here/$dir/go.mod" "$here/$dir/go.sum"; } | hash_of)
    if [ -x "$cache/$name" ] && [ "$(cat "$cache/.$name.stamp" 2>/dev/null)" = "$key" ]; then
        echo "$name: up to date"
        return
    fi
    for stamp in "$root"/*/".$name.stamp"; do
        if [ -x "${stamp%/*}/$name" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$key" ]; then
            ln -f "${stamp%/*}/$name" "$cache/.$name.new" 2>/dev/null || cp "${stamp%/*}/$name" "$cache/.$name.new"
            mv "$cache/.$name.new" "$cache/$name"
            echo "$key" >"$cache/.$name.stamp"
            echo "$name: built before, linked"
            return
        fi
    done
    need_go "$name"
    local begun=$SECONDS
    echo "$name: building with $(go version | cut -d' ' -f3)…"
    (cd "$here/$dir" && CGO_ENABLED=0 GOFLAGS=-mod=readonly nice -n "${NICE:-0}" \
        go build -trimpath -ldflags "$ldflags" -o "$cache/.$name.$$" "$package")
    mv "$cache/.$name.$$" "$cache/$name"
    echo "$key" >"$cache/.$name.stamp"
    echo "$name: built in $((SECONDS - begun)) s"
}

kwok_stages() { # kwok's rules for nodes and pods lie in its module: without them it refuses to start
    local module file key
    key=$(cat "$cache/.kwok.stamp")
    [ "$(cat "$cache/.kwok-stages.stamp" 2>/dev/null)" != "$key" ] || return 0
    need_go "kwok's rules"
    module=$(cd "$here/kwok" && go list -m -f '{{.Dir}}' sigs.k8s.io/kwok)
    for file in "$module"/kustomize/stage/{node/fast,node/heartbeat,pod/fast}/*.yaml; do
        case $file in *kustomization.yaml) continue ;; esac
        echo "---"
        cat "$file"
    done >"$cache/kwok-stages.$$"
    mv "$cache/kwok-stages.$$" "$cache/kwok-stages.yaml"
    echo "$key" >"$cache/.kwok-stages.stamp"
}

kube=$(version_of kubernetes k8s.io/kubernetes)
# Without these the server reports v0.0.0-master, and clients that look at the version are misled.
minor=${kube#v1.}
stamp=""
for variable in "gitVersion=$kube" "gitMajor=1" "gitMinor=${minor%%.*}" "gitTreeState=clean" "buildDate=1970-01-01T00:00:00Z"; do
    stamp="$stamp -X k8s.io/component-base/version.$variable -X k8s.io/client-go/pkg/version.$variable"
done

for program in "$@"; do
    case $program in
    kube-apiserver | kube-controller-manager | kube-scheduler | kubectl)
        build "$program" kubernetes "k8s.io/kubernetes/cmd/$program" "$stamp" ;;
    etcd) build etcd etcd go.etcd.io/etcd/server/v3 "" ;;
    kwok)
        build kwok kwok sigs.k8s.io/kwok/cmd/kwok "-X sigs.k8s.io/kwok/pkg/consts.Version=$(version_of kwok sigs.k8s.io/kwok)"
        kwok_stages ;;
    helm) build helm helm helm.sh/helm/v4/cmd/helm "-X helm.sh/helm/v4/internal/version.version=$(version_of helm helm.sh/helm/v4)" ;;
    *) echo "build.sh: unknown program '$program'" >&2; exit 2 ;;
    esac
done
