#!/usr/bin/env bash
# Holds the chart to what it says, without a cluster, and packages it: `make chart`.
#
#   run.sh KAI
#
# KAI is a built kai. HELM is the helm to use, by default the one that tests/control-plane/build.sh builds (helm 3 renders
# the same, but shows no notes without a cluster). The chart is packed first, and the package is what all this is done with; it
# ends as snapshot/chart/kai-VERSION.tgz. For each file of values/ the chart is linted and rendered; the manifests
# are compared with snapshots/ (UPDATE=1 writes them anew), what is secret in the values (it contains MARKED, or it is in
# the chart's Secret) is only in Secrets, and KAI takes the configuration in the environment that the pod would have (variables that Secrets of the
# user's bring stand in a line `# brings: NAME…`), without a warning. Each file of refused/ is refused with the words of its
# lines `# says: …`.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
here=$root/tests/chart
source=$root/charts/kai
kai=$(realpath "${1:?usage: run.sh KAI}")
helm=${HELM:-$("$root/tests/control-plane/build.sh" --where)/helm}
version=$(sed -n 's/^version: //p' "$source/Chart.yaml")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Neither the user's repositories nor the user's cluster.
export HELM_CACHE_HOME=$work/cache HELM_CONFIG_HOME=$work/config HELM_DATA_HOME=$work/data KUBECONFIG=$work/none
HELM=$helm "$root/tests/release/chart.sh" "$work/package" >/dev/null
chart=$work/package/kai-$version.tgz

failures=0
failed() {
    failures=$((failures + 1))
    echo "FAILED $1" >&2
    sed 's/^/    /' >&2
}

of_kind() { # of_kind KIND FILE: the documents of that kind; with ! before it the others
    awk -v kind="${1#!}" -v other="${1%%[A-Z]*}" '
        function flush() { if (document != "" && (found != (other == "!"))) printf "%s", document; document = ""; found = 0 }
        /^---$/ { flush(); next }
        $0 == "kind: " kind { found = 1 }
        { document = document $0 "\n" }
        END { flush() }' "$2"
}

environment() { # environment MANIFESTS VALUES: what the container is given, one NAME=VALUE a NUL
    local name value
    while read -r name value; do
        printf '%s=%s\0' "$name" "$(base64 -d <<<"$value")"
    done < <(of_kind Secret "$1" | sed -n 's/^  \([A-Z_0-9]*\): \([A-Za-z0-9+/=]*\)$/\1 \2/p')
    # What the user's own Secrets would bring, and the variables of extraEnv.
    while read -r name; do
        printf '%s=given\0' "$name"
    done < <(sed -n 's/^# brings: //p' "$2" | tr ' ' '\n')
}

check_values() { # check_values FILE
    local name manifests config snapshot
    name=$(basename "$1" .yaml)
    manifests=$work/$name.yaml config=$work/$name.config.yaml snapshot=$here/snapshots/$name.yaml
    "$helm" lint --strict "$chart" -f "$1" >"$work/lint" 2>&1 || failed "$name: helm lint" <"$work/lint"
    if ! "$helm" template kai "$chart" --namespace anchore -f "$1" >"$manifests" 2>"$work/error"; then
        failed "$name: it is not rendered" <"$work/error"
        return
    fi

    # A new version changes no snapshot, and versions of helm differ in empty lines.
    sed -e "s/kai-${version//./\\.}\$/kai-VERSION/; s/\(version: \|:v\)${version//./\\.}\>/\1VERSION/" -e '/^ *$/d' "$manifests" >"$work/snapshot"
    if [ -n "${UPDATE:-}" ]; then
        cp "$work/snapshot" "$snapshot"
    else
        diff -u "$snapshot" "$work/snapshot" >"$work/diff" 2>&1 || failed "$name: other manifests; UPDATE=1 takes them" <"$work/diff"
    fi

    of_kind '!Secret' "$manifests" >"$work/open"
    if grep -n MARKED "$work/open" >"$work/found"; then
        failed "$name: a secret outside of a Secret" <"$work/found"
    fi
    # Line by line, as a ConfigMap would show it; a word of a few letters may stand anywhere.
    environment "$manifests" /dev/null | tr '\0' '\n' | sed 's/^KAI_[A-Z_]*=//; s/^ROUTE_[A-Z0-9_]*=//; s/^ *//' | grep -E '.{8}' >"$work/secrets" || true
    if grep -nFf "$work/secrets" "$work/open" >"$work/found"; then
        failed "$name: what the Secret holds stands outside of it" <"$work/found"
    fi
    of_kind ConfigMap "$manifests" | awk '/^  config.yaml: [|]$/ { inside = 1; next } !/^    / { inside = 0 } inside { print substr($0, 5) }' >"$config"
    local -a variables arguments
    mapfile -d '' variables < <(environment "$manifests" "$1")
    mapfile -t arguments < <(awk '/^ *args:$/ { inside = 1; next } !/^ *- / { inside = 0 } inside { sub(/^ *- /, ""); print }' "$manifests")
    if ! (cd "$work" && env -i HOME="$work/home" "${variables[@]}" "$kai" config -c "$config" "${arguments[@]}" >"$work/effective" 2>"$work/error") ||
        [ -s "$work/error" ] || ! grep -q "# $config" "$work/effective"; then
        failed "$name: kai does not take the configuration" <"$work/error"
    fi
}

secret_holds() { # secret_holds NAME VARIABLE TEXT
    environment "$work/$1.yaml" /dev/null | tr '\0' '\n' >"$work/environment"
    grep -qE "^$2=$3" "$work/environment" || failed "$1: the Secret's $2 is not $3" <"$work/environment"
}

refers_to_no_secret() { # refers_to_no_secret NAME
    if grep -nE 'secretKeyRef|secretRef|secretName|kind: Secret' "$work/$1.yaml" >"$work/found"; then
        failed "$1: it refers to a Secret" <"$work/found"
    fi
}

installs() { # installs IMAGE [ARGUMENT…]: the image of the pod of kai and of that of the test
    local image=$1 found
    shift
    found=$("$helm" template kai "$chart" "$@" 2>"$work/error" | sed -n 's/^ *image: "\(.*\)"$/\1/p' | sort -u)
    [ "$found" = "$image" ] || failed "$*: the image is $found, not $image" <"$work/error"
}

objects_of() { # objects_of ARGUMENT…: KIND NAME of each object that the chart makes, a cluster's own and the namespace's
    "$helm" template "$@" 2>"$work/error" | awk '
        /^---$/ { kind = ""; name = "" }
        /^kind: / { kind = $2 }
        /^metadata:/ { inside = 1; next }
        /^[a-z]/ { inside = 0 }
        inside && /^  name: / && name == "" { name = $2; print kind, name }' | sort
}

notes_say() { # notes_say NAME TEXT…
    local name=$1
    shift
    "$helm" install kai "$chart" --dry-run=client --namespace anchore -f "$here/values/$name.yaml" 2>"$work/error" |
        sed -n '/^NOTES:/,$p' >"$work/notes" || failed "$name: no notes" <"$work/error"
    local text
    for text in "$@"; do
        grep -qF -- "$text" "$work/notes" || failed "$name: the notes do not say: $text" <"$work/notes"
    done
}

notes_do_not_say() { # notes_do_not_say NAME TEXT
    notes_say "$1"
    if grep -F -- "$2" "$work/notes" >"$work/found"; then failed "$1: the notes say: $2" <"$work/found"; fi
}

check_refused() { # check_refused FILE
    local name text
    name=refused/$(basename "$1" .yaml)
    if "$helm" template kai "$chart" --namespace anchore -f "$1" >"$work/rendered" 2>"$work/error"; then
        failed "$name: it is rendered" <"$work/rendered"
        return
    fi
    sed -n 's/^# says: //p' "$1" >"$work/texts"
    [ -s "$work/texts" ] || failed "$name: has no line \`# says: …\`" <"$work/error"
    while read -r text; do
        grep -qF -- "$text" "$work/error" || failed "$name: another reason, not: $text" <"$work/error"
    done <"$work/texts"
}

for values in "$here"/values/*.yaml; do
    check_values "$values"
done
# Every value emptied, each of which the schema has to take.
"$here/nulls.py" "$source" >"$work/every-null.yaml" 2>"$work/error" || failed "null" <"$work/error"
"$helm" template kai "$chart" --namespace anchore -f "$work/every-null.yaml" >"$work/rendered" 2>"$work/error" || failed "every value null" <"$work/error"
for snapshot in "$here"/snapshots/*.yaml; do
    [ -e "$here/values/$(basename "$snapshot")" ] || failed "$(basename "$snapshot"): a snapshot of no values" <<<"remove it"
done
for values in "$here"/refused/*.yaml; do
    check_refused "$values"
done

secret_holds kai-users KAI_ANCHORE_PASSWORD 'MARKED "0: #secret$'
secret_holds existing-secret 'ROUTE_TEAM_A_[0-9A-F]{8}_PASSWORD' 'MARKED-route$'
secret_holds secrets KAI_KUBECONFIG_USER_TOKEN 'MARKED-token$'
secret_holds secrets KAI_ANCHORE_HTTP_CLIENT_KEY '-----BEGIN PRIVATE KEY-----$'
secret_holds secrets KAI_ANCHORE_HTTP_PROXY 'http://user:MARKED-proxy@proxy.example.com:3128$'
secret_holds certificates KAI_KUBECONFIG_USER_PRIVATE_KEY 'MARKEDoK'
secret_holds certificates KAI_ANCHORE_HTTP_CLIENT_CERTIFICATE '-----BEGIN CERTIFICATE-----$'
secret_holds certificates KAI_ANCHORE_PASSWORD 'MARKED-[$]password$'
secret_holds k8s-inventory-alone KAI_ANCHORE_PASSWORD 'MARKED-k8s-inventory-password$'
secret_holds k8s-inventory-alone KAI_KUBECONFIG_USER_TOKEN 'MARKED-k8s-inventory-token$'
secret_holds k8s-inventory-alone 'ROUTE_TEAM_A_[0-9A-F]{8}_PASSWORD' 'MARKED-k8s-inventory-route$'
refers_to_no_secret inject
refers_to_no_secret k8s-inventory-injected

installs "kai:v$version"
installs "registry.example.com/kai:v$version" --set image.repository=registry.example.com/kai
installs anchore/kai:v1.2.3 --set image.repository=anchore/kai,image.tag=v1.2.3
installs "kai:v$version" --set image.repository=docker.io/anchore/kai,image.tag=latest
HELM=$helm "$root/tests/release/chart.sh" "$work/release" ghcr.io/owner/kai >/dev/null
chart=$work/release/kai-$version.tgz
installs "ghcr.io/owner/kai:v$version"
installs "ghcr.io/owner/kai:v$version" -f "$here/values/kai-sample.yaml"
installs "ghcr.io/owner/kai:v$version" --set image=null
installs "mirror.example.com/owner/kai:v$version" --set global.imageRegistry=mirror.example.com/
installs registry.example.com/kai:v1.0.0 -f "$here/values/kai-users.yaml"
notes_do_not_say default WARNING
chart=$work/package/kai-$version.tgz

notes_say default 'curl -s http://localhost:8080/inventory' 'Every pod of this cluster can read the inventory until networkPolicy.enabled is true' \
    'Nothing is sent to Anchore' 'the image is kai:v'
notes_say default 'kai runs as the ServiceAccount kai.' 'serviceAccount.name to anchore-kai'
notes_do_not_say kai-sample 'kai runs as the ServiceAccount'
notes_say workload 'kai.metrics.imageInfoLimit is not set'
notes_say kai-sample "anchore/kai. This is KAI's image: it has no server" "The chart installs kai:v$version instead"
notes_do_not_say kai-users 'the image is'
notes_say kai-users 'Reports go to https://anchore.example.com, account admin, as cluster prod-eu-1' \
    'exec deploy/kai -- kai push --dry-run' 'kai.anchore.http.insecure is true'
notes_say tls 'Only the peers in networkPolicy.from can read the inventory' 'curl -sk https://localhost:8080/inventory'
notes_say tls '{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ITS-NAMESPACE}}}'
notes_do_not_say options ITS-NAMESPACE
notes_say adhoc 'create job kai-now --from=cronjob/kai'

# Two releases share a namespace, with everything on that makes an object.
for values in default access workload; do
    objects_of kai "$chart" --namespace anchore -f "$here/values/$values.yaml" >"$work/one"
    objects_of second "$chart" --namespace anchore -f "$here/values/$values.yaml" >"$work/two"
    [ "$(wc -l <"$work/one")" -ge 6 ] || failed "$values: objects are not found" <"$work/one"
    comm -12 "$work/one" "$work/two" >"$work/found"
    [ ! -s "$work/found" ] || failed "$values: two releases in one namespace have the same objects" <"$work/found"
done

# What the documents tell people to make does not exist already when they install the chart, and helm refuses to adopt it.
objects_of kai "$chart" --namespace anchore | awk '{ print tolower($1), $2 }' >"$work/one"
sed -n 's/^\$ kubectl create \(clusterrole[a-z]*\) \([a-z-]*\) .*/\1 \2/p' "$root"/README.md "$root"/docs/*.md | sort -u >"$work/two"
grep -q '^clusterrole ' "$work/two" || failed "no command makes a ClusterRole" <"$work/two"
comm -12 "$work/one" "$work/two" >"$work/found"
[ ! -s "$work/found" ] || failed "a command of the documents makes what the chart makes" <"$work/found"

# The manifest of docs/INSTALL.md, as its commands make it.
install=$root/docs/INSTALL.md
awk '/^```yaml$/ { getline; inside = $0 == "# values.yaml" && !done } /^```$/ { if (inside) done = 1; inside = 0 } inside' "$install" >"$work/values.yaml"
command=$(awk '/^\$ helm template / { inside = 1 } inside { print; if (!/\\$/) exit }' "$install" | sed 's/^\$ helm template/"$helm" template/; s/ > kai.yaml.*//; s|-f values.yaml|-f "$work/values.yaml"|')
if ! (cd "$root" && eval "$command") >"$work/manifest" 2>"$work/error"; then
    failed "INSTALL: its manifest is not rendered" <"$work/error"
fi
grep -q 'name: KAI_ANCHORE_PASSWORD\|secretRef' "$work/manifest" || failed "INSTALL: its values are not used" <"$work/manifest"
if grep -n 'helm.sh/hook' "$work/manifest" >"$work/found"; then
    failed "INSTALL: kubectl would start the test's pod" <"$work/found"
fi

"$here/readme.py" "$source" --check 2>"$work/error" || failed "README" <"$work/error"
"$here/keys.py" "$source/values.yaml" "$root/config/kai.yaml" 2>"$work/error" || failed "keys" <"$work/error"

if [ "$failures" -gt 0 ]; then
    echo "chart: $failures failed" >&2
    exit 1
fi
mkdir -p "$root/snapshot/chart"
# The very file that was tested.
cp "$chart" "$root/snapshot/chart/"
echo "chart: all good; snapshot/chart/kai-$version.tgz"
