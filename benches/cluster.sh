#!/usr/bin/env bash
# What one reading of a cluster costs, kai and the floors side by side, on the cluster of a kubeconfig as it stands.
#
#   benches/cluster.sh KAI KUBECONFIG [RUNS]
#
# KAI is a built binary (release). Each round runs every contender once, in turn; figures are medians of RUNS (5) rounds, the
# ratio is the median of the rounds' ratios. The floors are curl on one connection, which decodes nothing:
#   json pages       pages of 500 as JSON, not compressed (not with curl's own user agent: the server then indents)
#   protobuf pages   pages of 500 as protobuf with gzip; kai's wall time is held against this one
#   protobuf whole   one protobuf list with gzip at resourceVersion=0, from the server's cache
# Pages are asked for by continue tokens that were read before, so no floor waits for an answer to be parsed. Lists and MB
# are the server's own count (its /metrics, so nobody else should list meanwhile; `-` where that may not be read).
# BASELINE names the binary of another kai, an earlier release say, which then runs in each round too: what a machine does in
# a second is not the same on every day.
# It only reads. Needs curl, jq, kubectl and GNU time; KUBECTL names another kubectl. Bars: wall at most 1.1 times the protobuf
# pages, CPU at most 0.25 s, 24 MiB; BARS=1 makes a miss an error.
set -euo pipefail

usage="usage: benches/cluster.sh KAI KUBECONFIG [RUNS]"
kai=$(realpath "${1:?$usage}")
kubeconfig=$(realpath "${2:?$usage}")
runs=${3:-5}
kubectl=${KUBECTL:-kubectl}
time=$(type -P time || true)
for tool in curl jq "$kubectl" "${time:-time}"; do
    command -v "$tool" >/dev/null || { echo "benches/cluster.sh: $tool is not installed" >&2; exit 2; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 700 "$work"

k() { "$kubectl" --kubeconfig "$kubeconfig" "$@"; }
k config view --raw --flatten --minify -o json >"$work/view.json"
server=$(jq -r '.clusters[0].cluster.server' "$work/view.json")
field() { jq -r "$1 // empty" "$work/view.json"; }

# Secrets go to curl in a file, never as arguments.
{
    echo "silent"
    echo "show-error"
    echo "fail"
    echo 'user-agent = "floor/1"'
    if [ -n "$(field '.clusters[0].cluster."certificate-authority-data"')" ]; then
        field '.clusters[0].cluster."certificate-authority-data"' | base64 -d >"$work/ca.crt"
        echo "cacert = \"$work/ca.crt\""
    fi
    if [ -n "$(field '.users[0].user.token')" ]; then
        echo "header = \"Authorization: Bearer $(field '.users[0].user.token')\""
    elif [ -n "$(field '.users[0].user."client-certificate-data"')" ]; then
        field '.users[0].user."client-certificate-data"' | base64 -d >"$work/client.crt"
        field '.users[0].user."client-key-data"' | base64 -d >"$work/client.key"
        echo "cert = \"$work/client.crt\""
        echo "key = \"$work/client.key\""
    else
        echo "benches/cluster.sh: the user of $kubeconfig has neither a token nor a client certificate, and curl can log in with nothing else" >&2
        exit 2
    fi
} >"$work/login"

# A token is good for five minutes, so the pages are looked up anew before each round.
pages() { # pages RESOURCE: the paths of its pages
    local path="/api/v1/$1?limit=500" token=""
    while :; do
        echo "$path${token:+&continue=$token}"
        token=$(curl -K "$work/login" -H 'Accept: application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1' \
            "$server$path${token:+&continue=$token}" | jq -r '.metadata.continue // empty')
        [ -n "$token" ] || return 0
    done
}

plan() { # plan FILE HEADER…: a curl configuration that gets the paths on standard input, one after the other
    local file=$1 path
    shift
    cp "$work/login" "$file"
    printf 'header = "%s"\n' "$@" >>"$file"
    while read -r path; do
        printf 'url = "%s%s"\noutput = "/dev/null"\n' "$server" "$path" >>"$file"
    done
}

served() { # LIST requests for pods and namespaces, and the bytes of their answers, since the server began
    k get --raw /metrics 2>/dev/null | awk '
        /resource="(pods|namespaces)"/ && /verb="LIST"/ && /^apiserver_request_total/ { lists += $NF }
        /resource="(pods|namespaces)"/ && /verb="LIST"/ && /^apiserver_response_sizes_sum/ { bytes += $NF }
        END { if (NR) printf "%.0f %.0f", lists, bytes; else printf "- -" }' || echo "- -"
}

measure() { # measure NAME COMMAND…: a line "wall cpu rss lists bytes" to NAME's file
    local name=$1 before after
    shift
    read -r -a before <<<"$(served)"
    "$time" -q -o "$work/time" -f '%e %U %S %M' "$@" >"$work/out" 2>"$work/err" || {
        echo "benches/cluster.sh: $name failed:" >&2
        head -c 2000 "$work/err" >&2
        exit 1
    }
    read -r -a after <<<"$(served)"
    awk -v b="${before[*]}" -v a="${after[*]}" '{
        split(b, before, " "); split(a, after, " ")
        known = after[1] != "-" && before[1] != "-"
        printf "%s %.2f %.1f %s %s\n", $1, $2 + $3, $4 / 1024,
            known ? after[1] - before[1] : "-", known ? (after[2] - before[2]) / 1e6 : "-"
    }' "$work/time" >>"$work/$name.runs"
}

echo "$(k get --raw '/api/v1/pods?limit=1' | jq '1 + (.metadata.remainingItemCount // 0)') pods," \
    "$(k get --raw '/api/v1/namespaces?limit=1' | jq '1 + (.metadata.remainingItemCount // 0)') namespaces," \
    "Kubernetes $(k get --raw /version | jq -r .gitVersion), kai $("$kai" version -o json | jq -r '.version // .Version // "?"')"
contenders=(json-pages protobuf-pages protobuf-whole kai ${BASELINE:+baseline})
for round in $(seq 0 "$runs"); do
    pages pods >"$work/pages"
    plan "$work/json-pages.curl" "Accept: application/json" <"$work/pages"
    plan "$work/protobuf-pages.curl" "Accept: application/vnd.kubernetes.protobuf" "Accept-Encoding: gzip" <"$work/pages"
    echo "/api/v1/pods?resourceVersion=0" |
        plan "$work/protobuf-whole.curl" "Accept: application/vnd.kubernetes.protobuf" "Accept-Encoding: gzip"
    for contender in "${contenders[@]}"; do
        case $contender in
        kai)
            measure kai env -i HOME="$work" "$kai" -q --kubeconfig "$kubeconfig"
            jq -e '.results | length > 0' "$work/out" >/dev/null || { echo "benches/cluster.sh: $kai printed no report" >&2; exit 1; }
            ;;
        baseline) measure baseline env -i HOME="$work" "$BASELINE" -q --kubeconfig "$kubeconfig" ;;
        *) measure "$contender" curl -K "$work/$contender.curl" ;;
        esac
    done
    # The first round only warms up.
    [ "$round" -gt 0 ] || rm "$work"/*.runs
done

median() { sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
column() { # column NAME NUMBER
    if grep -q -- - <(cut -d' ' -f"$2" "$work/$1.runs"); then echo "-"; else cut -d' ' -f"$2" "$work/$1.runs" | median; fi
}
printf '%-16s %8s %12s %13s %7s %8s\n' what "wall s" "client CPU s" "peak RSS MiB" lists MB
for contender in "${contenders[@]}"; do
    printf '%-16s %8s %12s %13s %7s %8s\n' "${contender/-/ }" "$(column "$contender" 1)" "$(column "$contender" 2)" \
        "$(column "$contender" 3)" "$(column "$contender" 4)" "$(column "$contender" 5)"
done
ratio=$(paste -d' ' "$work/kai.runs" "$work/protobuf-pages.runs" | awk '{ print $1 / $6 }' | median)
echo "kai / protobuf pages: wall $ratio (median of $runs rounds; bar 1.1)"
if [ -n "${BASELINE:-}" ]; then
    cpu=$(paste -d' ' "$work/kai.runs" "$work/baseline.runs" | awk '{ print $2 / $7 }' | median)
    echo "kai / baseline ($("$BASELINE" version -o json | jq -r '.version // .Version // "?"')): client CPU $cpu (median of $runs rounds)"
fi
if [ -n "${BARS:-}" ]; then
    awk -v ratio="$ratio" -v cpu="$(column kai 2)" -v rss="$(column kai 3)" 'BEGIN {
        if (ratio > 1.1) { print "missed: wall"; missed = 1 }
        if (cpu > 0.25) { print "missed: client CPU"; missed = 1 }
        if (rss > 24) { print "missed: peak RSS"; missed = 1 }
        exit missed
    }'
fi
