#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A whole Kubernetes node with real Pods on one Linux machine, in network, mount and process namespaces of its own: no route leads out of
# it, and one kill ends all of it. README.md says what is in it and what it takes.
#
#   cluster.sh run STATE CMD…        boots it, runs CMD inside with KUBECONFIG set, ends it whatever happens; its exit code is CMD's
#   cluster.sh up STATE              boots it and leaves it running; prints the path of the administrator's kubeconfig
#   cluster.sh exec STATE CMD…       runs CMD inside (with KUBECONFIG set): kubectl, helm, dig …
#   cluster.sh stop STATE COMPONENT  kills one of etcd, kube-apiserver, kube-controller-manager, kube-scheduler, containerd, kubelet, kube-proxy
#   cluster.sh start STATE COMPONENT lets it run again
#   cluster.sh load STATE FILE…      makes images (docker archives) known to it
#   cluster.sh down STATE            ends it; leaves nothing but STATE
#
# STATE is a folder that is wiped at boot. Its path must be short: sockets lie in it (at most 60 characters).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
BOOT_SECONDS=${BOOT_SECONDS:-120}

die() { echo "cluster.sh: $*" >&2; exit 1; }
usage() { sed -n '3,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2; }

# Tells a process from a later one of the same number.
started() { awk '{print $22}' "/proc/$1/stat" 2>/dev/null; }
alive() { local pid since; [ -e "$1/unshare.pid" ] && read -r pid since <"$1/unshare.pid" && [ -n "$since" ] && [ "$(started "$pid")" = "$since" ]; }
init_pid() { local pid children; read -r pid _ <"$1/unshare.pid"; children=$(cat "/proc/$pid/task/$pid/children"); echo "${children%% *}"; }

missing() {
  local program
  for program in runc nft conntrack ip nsenter unshare openssl; do command -v "$program" >/dev/null || echo "$program"; done
  for program in etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl containerd coredns; do
    command -v "$program" >/dev/null || echo "$program"
  done
  [ -x /usr/lib/cni/bridge ] || echo containernetworking-plugins
  [ "$(id -u)" = 0 ] || echo "root's rights"
}

up() { # STATE [PREFIX…]: PREFIX goes before the process that holds it all
  local state=$1 absent deadline; shift
  absent=$(missing)
  [ -z "$absent" ] || die "missing: ${absent//$'\n'/, }; run make tools as root"
  [ ${#state} -le 60 ] || die "$state is too long a path for sockets; take one of at most 60 characters"
  ! alive "$state" || die "a cluster runs in $state; end it with: $0 down $state"
  rm -rf "$state"; mkdir -p "$state"
  setsid "$@" unshare --net --mount --pid --fork --kill-child --mount-proc "$here/node.sh" "$state" >"$state/node.log" 2>&1 &
  echo "$! $(started $!)" >"$state/unshare.pid"
  deadline=$((SECONDS + BOOT_SECONDS))
  until [ -e "$state/ready" ]; do
    alive "$state" || { cat "$state/node.log" >&2; die "it ended while it booted"; }
    [ $SECONDS -lt $deadline ] || { tail -n 5 "$state/node.log" "$state"/logs/*.log | cut -c1-300 >&2; down "$state"; die "it was not ready after $BOOT_SECONDS s"; }
    sleep 0.1
  done
}

enter() { # STATE CMD…
  local state=$1; shift
  alive "$state" || die "no cluster runs in $state; start one with: $0 up $state"
  # Not `ip netns exec`: that mounts /sys anew, without the cgroups.
  nsenter --target "$(init_pid "$state")" --net --mount --pid -- env --chdir="$PWD" "PATH=$PATH" KUBECONFIG="$state/admin.kubeconfig" "$@"
}

down() { # STATE; idempotent
  local state=$1 init
  if alive "$state"; then
    init=$(init_pid "$state" 2>/dev/null) && [ -n "$init" ] && kill -KILL "$init" 2>/dev/null || true
    for _ in $(seq 200); do alive "$state" || break; sleep 0.05; done
  fi
  # Control groups alone outlive the namespaces; ours have a name of their own.
  [ ! -e "$state/cgroup" ] || for _ in 1 2 3 4 5 6 7 8 9 10; do
    find /sys/fs/cgroup -depth -type d -path "*/$(cat "$state/cgroup")*" -exec rmdir {} + 2>/dev/null || true
    [ -n "$(find /sys/fs/cgroup -maxdepth 3 -type d -name "$(cat "$state/cgroup")" 2>/dev/null)" ] || break
    sleep 0.1
  done
}

run() { # STATE CMD…
  local state=$1; shift
  trap 'down "$state"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  # It dies with this script, even by kill -9.
  up "$state" setpriv --pdeathsig KILL
  # In the background, for a shell that waits for a child in the foreground heeds no signal until that has ended.
  enter "$state" "$@" &
  wait $! && code=0 || code=$?
  exit "$code"
}

switch() { # stop|start STATE COMPONENT
  local state=$2 component=$3
  [ -e "$state/components/$component" ] || die "there is no component $component; there are: $(cd "$state/components" && ls | grep -v '\.' | tr '\n' ' ')"
  if [ "$1" = start ]; then rm -f "$state/components/$component.stopped"; return; fi
  touch "$state/components/$component.stopped"
  # Its number is that of the inner process namespace.
  enter "$state" kill -KILL "$(cat "$state/components/$component")" 2>/dev/null || true
}

load() { # STATE FILE…
  local state=$1 file said; shift
  for file in "$@"; do
    said=$(enter "$state" ctr --address "$state/run/containerd.sock" --namespace k8s.io images import --local "$file" 2>&1) || die "$file: $said"
  done
}

[ $# -ge 2 ] || usage
tools=$("$here/../build-go-tools.sh" --path)
PATH=$tools$PATH:/usr/sbin:/sbin
verb=$1 state=$(realpath -m "$2"); shift 2
case $verb in
  run) [ $# -gt 0 ] || usage; run "$state" "$@" ;;
  up) up "$state"; echo "$state/admin.kubeconfig" ;;
  exec) [ $# -gt 0 ] || usage; enter "$state" "$@" ;;
  stop | start) [ $# -eq 1 ] || usage; switch "$verb" "$state" "$1" ;;
  load) load "$state" "$@" ;;
  down) down "$state" ;;
  *) usage ;;
esac
