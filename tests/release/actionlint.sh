#!/usr/bin/env bash
# Checks the workflows: actionlint knows their language; that actions are pinned by commit, and that a step runs a target of
# the Makefile and nothing else, is checked here.
#
#   tests/release/actionlint.sh
#
# actionlint is built from its Go module once, into KAI_TOOLS by version.
set -euo pipefail
cd "$(dirname "$0")/../.."

version=v1.7.12
tools=${KAI_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/kai-tools}
actionlint=$tools/actionlint-$version/actionlint
if [ ! -x "$actionlint" ]; then
  if ! command -v go >/dev/null; then
    echo "tests/release/actionlint.sh: Go is not on the PATH, and it is needed once to build actionlint; install Go 1.24 or later" >&2
    exit 1
  fi
  echo "building actionlint $version once, into $tools"
  GOBIN="$(dirname "$actionlint")" go install "github.com/rhysd/actionlint/cmd/actionlint@$version"
fi
# shellcheck and pyflakes are used where they are installed; without them the same files pass everywhere.
"$actionlint" -shellcheck= -pyflakes= .github/workflows/*.yaml
if grep -nE '^[^#]*uses: ' .github/workflows/*.yaml | grep -vE '@[0-9a-f]{40} # v[0-9.]+$'; then
  echo "error: an action is not pinned; write it as owner/name@COMMIT # vVERSION" >&2
  exit 1
fi
if grep -nE '^[^#]*run:' .github/workflows/*.yaml | grep -vE 'run: (sudo (--preserve-env=PATH )?)?([A-Z_]+=[^ ]+ )?make [a-z0-9-]+$'; then
  echo "error: a step has a script of its own; make it a target of the Makefile, which runs on a laptop too" >&2
  exit 1
fi
echo "$(ls .github/workflows/*.yaml | wc -l) workflows are well-formed, every action is pinned by commit, every step is a target of the Makefile"
