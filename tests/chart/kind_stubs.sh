#!/usr/bin/env bash
# Holds kind.sh to its steps where there is no kind: programs of its own stand in for docker, kind, kubectl, helm and curl.
#
#   kind_stubs.sh
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
version=$("$here/../release/version.sh")

fail() {
    echo "FAILED kind.sh: $1" >&2
    cat "$work/said" "$work/calls" >&2
    exit 1
}

# Each says how it was called; FAIL is the beginning of the call that fails.
mkdir "$work/bin"
cat >"$work/bin/stand-in" <<'STUB'
#!/usr/bin/env bash
call="$(basename "$0") $*"
echo "$call" >>"$CALLS"
if [ -n "${FAIL:-}" ] && [[ $call == "$FAIL"* ]]; then exit 1; fi
case $call in
curl*) printf '%s' "$INVENTORY" ;;
*port-forward*) exec sleep 60 ;;
esac
STUB
chmod +x "$work/bin/stand-in"
for program in docker kind kubectl helm curl; do ln -s stand-in "$work/bin/$program"; done

run() { # run NAME=VALUE…
    : >"$work/calls"
    env PATH="$work/bin:$PATH" TRIES=1 CALLS="$work/calls" KUBECONFIG="$work/none" \
        INVENTORY="registry.k8s.io/kube-apiserver:v1 localhost/kai:v$version" "$@" "$here/kind.sh" >"$work/said" 2>&1
}
called() { # called TEXT…: these calls, in this order
    local text after=0 line
    for text in "$@"; do
        line=$(grep -nF -- "$text" "$work/calls" | cut -d: -f1 | awk -v after="$after" '$1 > after && !found { print; found = 1 }')
        [ -n "$line" ] || fail "there is no \`$text\` at its place"
        after=$line
    done
}

run A=a || fail "it fails although every step succeeds"
called 'docker build' "kind load docker-image localhost/kai:v$version --name kai" 'helm package' 'enforce=restricted' \
    'helm install kai' 'helm test kai' 'http://127.0.0.1:18080/inventory' 'helm uninstall kai' 'kubectl delete namespace'
for step in 'docker build' 'kind load' 'helm package' 'helm install' 'helm test' curl; do
    if run FAIL="$step"; then fail "it succeeds although \`$step\` failed"; fi
    called "$step" 'helm uninstall kai' 'kubectl delete namespace'
done
if run INVENTORY="localhost/kai:v$version"; then fail "an inventory without the cluster's own images is taken"; fi
if run INVENTORY=registry.k8s.io/kube-apiserver:v1; then fail "an inventory without kai is taken"; fi
echo "kind.sh: its steps are held"
