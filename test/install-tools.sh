#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes sure that the Debian packages which the tests use as real peers are there. As root they are installed, with their services kept from
# starting; otherwise they are named and the tests that need them are skipped. Never fails for a missing tool.
set -euo pipefail

declare -A package_of=(
  [redis-server]=redis-server [redis-sentinel]=redis-sentinel [tshark]=tshark [taskset]=util-linux
  [openssl]=openssl [pdns_server]=pdns-server [dig]=bind9-dnsutils
  # Of the cluster of make e2e:
  [runc]=runc [ip]=iproute2 [nft]=nftables [conntrack]=conntrack [buildah]=buildah [busybox]=busybox-static
  [promtool]=prometheus [named-checkzone]=bind9-utils [dnsmasq]=dnsmasq-base [unbound-checkconf]=unbound
  [zsh]=zsh [fish]=fish [chromium]=chromium
)
PATH=$PATH:/usr/sbin # Debian keeps daemons there; not everybody's PATH has it
missing=()
for tool in "${!package_of[@]}"; do
  command -v "$tool" >/dev/null || missing+=("${package_of[$tool]}")
done
/usr/bin/python3 -c 'import impacket' 2>/dev/null || missing+=(python3-impacket)
[ -x /usr/lib/cni/bridge ] || missing+=(containernetworking-plugins)
compgen -G '/usr/lib/*/pdns/libgsqlite3backend.so' >/dev/null || missing+=(pdns-backend-sqlite3)
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "missing for some tests, which will be skipped: ${missing[*]} (Debian packages)" >&2
  exit 0
fi

policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
  trap 'rm -f "$policy"' EXIT
fi
log=$(mktemp)
echo "installing ${missing[*]}"
if ! { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
  tail -n 5 "$log" >&2
  echo "could not install ${missing[*]}; tests that need them will be skipped" >&2
fi
rm -f "$log"
