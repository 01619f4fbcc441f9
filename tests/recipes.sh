#!/usr/bin/env bash
# Runs every command of docs/RECIPES.md on the sample cluster: each must succeed and print something.
#
#   tests/recipes.sh BINARY
#
# BINARY is a built kai. Scanners are stood in for by scripts that print a report of the form that kai reads. Needs curl and jq.
# Ends only what it started.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
kai=$(realpath "${1:?usage: tests/recipes.sh BINARY}")
demo=$root/config/demo-cluster.json
for tool in curl jq; do
  command -v "$tool" >/dev/null || { echo "tests/recipes.sh: $tool is not there; install it" >&2; exit 1; }
done

. "$root/tests/serving.sh"
serve "$kai" "$demo"
address=${url#http://}

# What stands for a cluster, and for the scanners.
mkdir "$work/bin" "$work/files"
cat >"$work/bin/kai" <<SCRIPT
#!/bin/sh
case "\$*" in "diff "* | *" --server "*) exec "$kai" "\$@" ;; esac
exec "$kai" "\$@" --input "$demo"
SCRIPT
digest=$(jq -r '[.items[].status.containerStatuses[]? | select(.image | contains("redis")) | .imageID][0] | split("@")[1]' "$demo")
cat >"$work/bin/trivy" <<SCRIPT
#!/bin/sh
echo '{"ArtifactName": "redis:8.2-alpine", "ArtifactType": "container_image", "Metadata": {"RepoDigests": ["redis@$digest"]}}'
SCRIPT
cat >"$work/bin/grype" <<SCRIPT
#!/bin/sh
echo '{"matches": [], "source": {"type": "image", "target": {"userInput": "redis:8.2-alpine", "repoDigests": ["redis@$digest"]}}}'
SCRIPT
chmod +x "$work"/bin/*
for name in monday staging; do cp "$demo" "$work/files/$name.json"; done
for name in friday production; do sed 's/nginx:1.29-alpine/nginx:1.30-alpine/' "$demo" >"$work/files/$name.json"; done

cd "$work/files"
count=0
while IFS= read -r command; do
  count=$((count + 1))
  status=0
  PATH=$work/bin:$PATH bash -o pipefail -c "${command//localhost:8080/$address}" >"$work/out" 2>"$work/err" || status=$?
  # Two sides that differ are an answer too.
  case $command in "kai diff "*) [ "$status" = 1 ] && status=0 ;; esac
  written=$(sed -n 's/.* \(>\|-o\) \([a-z.]*\.\(yaml\|json\|txt\)\)$/\2/p' <<<"$command")
  if [ "$status" != 0 ] || ! [ -s "${written:-$work/out}" ]; then
    printf 'tests/recipes.sh: status %s, and this was printed:\n$ %s\n' "$status" "$command" >&2
    cat "$work/out" "$work/err" >&2
    exit 1
  fi
done < <(sed -n 's/^\$ //p' "$root/docs/RECIPES.md")
[ "$count" -gt 20 ] || { echo "tests/recipes.sh: only $count commands were found" >&2; exit 1; }
echo "recipes: $count commands succeeded"
