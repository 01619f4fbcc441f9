#!/usr/bin/env bash
# The image in `make ci`: built from the Dockerfile and tried, where this machine can do that.
#
#   tests/ci/image.sh
#
# As root on Linux it is built on a stand-in for its base, since CI may reach no registry of images, and whatever is missing
# is a failure. Anybody else is told that the image is left out, and who tries it.
set -euo pipefail

if [ "$(uname -s)" = Linux ] && [ "$(id -u)" = 0 ]; then
  exec make --no-print-directory image-test STAND_IN=1
fi
cat >&2 <<MESSAGE
make ci: the image is LEFT OUT here, since building and running it needs root on Linux. The job \`image\` of
  .github/workflows/ci.yaml does it at every push. Here: sudo make image-test (STAND_IN=1 without a registry of images).
MESSAGE
