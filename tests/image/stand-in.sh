#!/usr/bin/env bash
# Makes a stand-in for the Dockerfile's base image from the tools of this machine, for where no registry of images is
# reached: the Dockerfile itself is then what is built. Prints the arguments that `buildah build` needs with it.
#
#   tests/image/stand-in.sh
#
# The stand-in holds no program, only the places of them: /usr and the compiler are mounted while the image is built. It
# needs Debian 12 or a system like it, gcc, the compiler of rust-toolchain.toml, and buildah.
set -euo pipefail
cd "$(dirname "$0")/../.."

name=$(sed -n 's/^ARG RUST_IMAGE=//p' Dockerfile)
container=$(buildah from scratch)
trap 'buildah rm "$container" >/dev/null' EXIT
root=$(buildah mount "$container")
mkdir -p "$root"/{etc/ssl/certs,tmp,usr,rust,var/tmp,proc,sys,dev}
chmod 1777 "$root/tmp" "$root/var/tmp"
for link in bin sbin lib lib64; do
  if [ -L "/$link" ]; then ln -s "$(readlink "/$link")" "$root/$link"; fi
done
cp -a /etc/alternatives "$root/etc/"
cp /etc/ld.so.cache /etc/passwd /etc/group "$root/etc/"
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
buildah umount "$container" >/dev/null
buildah config --env PATH=/rust/bin:/usr/bin:/bin "$container"
buildah commit --quiet "$container" "$name" >/dev/null
echo "--volume /usr:/usr:ro --volume $(rustc --print sysroot):/rust:ro"
