#!/usr/bin/env bash
# Prints the name of the image that releases of GITHUB_REPOSITORY (OWNER/NAME) are pushed under, without a tag.
set -euo pipefail
repository=${GITHUB_REPOSITORY:?set GITHUB_REPOSITORY to OWNER/NAME}
# Registries take names in small letters alone.
echo "ghcr.io/$(tr '[:upper:]' '[:lower:]' <<<"$repository")"
