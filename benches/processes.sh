# shellcheck shell=bash
# For the scripts of this folder: the programs that they need, a folder for their files, and an end to all that they started.
#
#   . benches/processes.sh
#
# dir is the folder, gone at the end. A script adds the id of each process that it starts to started, and may define
# finish_last for what ends after them.

dir=$(mktemp -d)
started=()

needs() { # needs PROGRAM…
    local tool
    for tool in "$@"; do
        command -v "$tool" >/dev/null || { echo "$0: $tool is not installed" >&2; exit 2; }
    done
}

stop() { # stop PID
    kill "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}

finish() {
    local pid
    for pid in "${started[@]}"; do stop "$pid"; done
    if declare -F finish_last >/dev/null; then finish_last || true; fi
    rm -rf "$dir"
}
trap finish EXIT
