# A store of images of its own, for the scripts here that use buildah without an engine: source it and call `own_store`.
#
#   own_store DIRECTORY      what is stored goes there, and nothing of the machine's own store is read or changed
#   forget_store             removes its containers, so that the folder can be removed
#
# What cargo downloads and builds in an image stays in KAI_TOOLS for the next time: buildah keeps its build cache in TMPDIR.

own_store() {
  local cache=${KAI_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/kai-tools}/image
  mkdir -p "$cache"
  printf '[storage]\ndriver = "vfs"\ngraphroot = "%s/graph"\nrunroot = "%s/run"\n' "$1" "$1" >"$1/storage.conf"
  export CONTAINERS_STORAGE_CONF="$1/storage.conf" STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot TMPDIR="$cache"
}

forget_store() {
  if [ -n "${CONTAINERS_STORAGE_CONF:-}" ]; then buildah rm --all >/dev/null 2>&1 || true; fi
}
