#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Real peers that no Debian package brings, built from pinned Go modules (test/tools/go/MODULE) through the Go module proxy, into a folder of the
# user's cache that is named by a hash of everything that goes into the build. A second checkout finds them there.
#
#   test/build-go-tools.sh            builds what is missing; without Go says so and exits 0: the tests that need them are skipped
#   test/build-go-tools.sh --path     prints the folders of what is built, as a PATH; builds nothing
#
# Cold, on 2 cores: etcd half a minute, Kubernetes 6 minutes, external-dns 4 minutes, helm 2 minutes, containerd 1 minute, CoreDNS 2 minutes.
set -euo pipefail
cd "$(dirname "$0")/tools/go"
cache=${KMSPOOL_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/kmspool}/tools

kubernetes=$(sed -n 's/^\tk8s.io\/kubernetes \(v[0-9.]*\).*/\1/p' kubernetes/go.mod)
IFS=. read -r major minor _ <<<"${kubernetes#v}"
version="k8s.io/component-base/version"
declare -A flags=(
  [kubernetes]="-X $version.gitVersion=$kubernetes -X $version.gitMajor=$major -X $version.gitMinor=$minor -X k8s.io/client-go/pkg/version.gitVersion=$kubernetes"
)
# What would need C libraries that no test uses.
declare -A tags=([containerd]=no_btrfs,no_devmapper,no_zfs)
modules=(etcd kubernetes external-dns helm containerd coredns)

programs() { awk '/^tool \(/ {list = 1; next} list && /^\)/ {list = 0} list {print $1} /^tool [^(]/ {print $2}' "$1/go.mod"; }
folder() { echo "$cache/$1-$({ cat "$1/go.mod" "$1/go.sum"; echo "${flags[$1]:-}${tags[$1]:-}"; go env GOVERSION GOOS GOARCH; } | sha256sum | cut -c1-16)"; }
# A program is named by the last part of its path; of a path that ends in a major version or in "server", by the module's folder here.
name_of() { local last=${1##*/}; [[ $last =~ ^(v[0-9]+|server)$ ]] && echo "$2" || echo "$last"; }

build() { # MODULE
  local module=$1 target building program
  target=$(folder "$module")
  [ ! -d "$target" ] || return 0
  echo "building $module, once; kept in $target" >&2
  building=$(mktemp -d "$cache/building-$module-XXXXXX")
  for program in $(programs "$module"); do
    (cd "$module" && CGO_ENABLED=0 go build -trimpath -tags "${tags[$module]:-}" -ldflags "-s -w ${flags[$module]:-}" -o "$building/$(name_of "$program" "$module")" "$program") ||
      { rm -rf "$building"; echo "could not build $module; tests that need it will be skipped" >&2; return 0; }
  done
  chmod 755 "$building"
  mv -T "$building" "$target" 2>/dev/null || rm -rf "$building" # another checkout was faster
}

command -v go >/dev/null || { [ "${1:-}" = --path ] || echo "no Go here: the tests that need a Kubernetes API server, external-dns or helm will be skipped" >&2; exit 0; }
case ${1:-} in
  '') mkdir -p "$cache"; exec 9>"$cache/.lock"; flock 9; for module in "${modules[@]}"; do build "$module"; done ;;
  --path) for module in "${modules[@]}"; do target=$(folder "$module"); [ ! -d "$target" ] || printf '%s:' "$target"; done; echo ;;
  *) sed -n 's/^# \{0,1\}//p' "$0" | sed 1d >&2; exit 2 ;;
esac
