#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs tests in a whole cluster: the one of KUBECONFIG if that is set, else one that is booted for them on this machine (test/cluster) and ended with them. Where
# neither can be had it says why, and the tests count as skipped.
#
#   test/e2e/run.sh FILE…
#
# With KUBECONFIG the images must be there already: KMSPOOL_E2E_REGISTRY names where (default localhost), see test/e2e/README.md.
set -uo pipefail
cd "$(dirname "$0")/../.."
export KMSPOOL_RESULTS_FILE=e2e.jsonl
export KMSPOOL_TEST_CONCURRENCY=1 # there is one cluster

why_not() {
  [ -z "${KUBECONFIG:-}" ] || return 0
  local program missing=()
  [ "$(id -u)" = 0 ] || { echo "a cluster of our own needs root"; return; }
  [ "$(uname -s)" = Linux ] || { echo "a cluster of our own needs Linux"; return; }
  command -v go >/dev/null || [ -n "${KMSPOOL_TEST_BIN:-}" ] || { echo "a cluster of our own needs Go, to build Kubernetes"; return; }
  PATH=$PATH:/usr/sbin:/sbin
  for program in runc nft conntrack ip nsenter openssl buildah busybox pdns_server prometheus redis-server; do
    command -v "$program" >/dev/null || missing+=("$program")
  done
  [ ${#missing[@]} -eq 0 ] || echo "missing: ${missing[*]}; run make tools as root"
}

KMSPOOL_E2E_MISSING=$(why_not)
export KMSPOOL_E2E_MISSING
if [ -n "$KMSPOOL_E2E_MISSING" ]; then
  echo "skipped: $KMSPOOL_E2E_MISSING" >&2
  exec test/run-tests.sh "$@"
elif [ -n "${KUBECONFIG:-}" ]; then
  exec test/run-tests.sh "$@"
fi

state=$(mktemp -d /tmp/kmspool-e2e-XXXXXX)
trap 'rm -rf "$state"' EXIT
images=$(test/cluster/images.sh peers && test/cluster/images.sh products) || exit 1
export KMSPOOL_E2E_STATE=$state/node
export KMSPOOL_E2E_IMAGES=$images
test/cluster/cluster.sh run "$KMSPOOL_E2E_STATE" test/e2e/inside.sh "$@"
