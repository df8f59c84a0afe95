#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What runs inside the cluster's namespaces (run.sh): loads the images, runs the tests, and on failure shows what the cluster was like.
set -uo pipefail
cd "$(dirname "$0")/../.."
# shellcheck disable=SC2086 # one path a line
for image in $KMSPOOL_E2E_IMAGES; do
  ctr --address "$KMSPOOL_E2E_STATE/run/containerd.sock" --namespace k8s.io images import --local "$image" >/dev/null 2>&1 || { echo "could not load $image" >&2; exit 1; }
done
# A second name of the same images: what an upgrade brings.
for image in operator kms-node; do
  ctr --address "$KMSPOOL_E2E_STATE/run/containerd.sock" --namespace k8s.io images tag "localhost/kmspool/$image:$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)" "localhost/kmspool/$image:next" >/dev/null 2>&1
done
test/run-tests.sh "$@"
status=$?
if [ "$status" != 0 ]; then
  kubectl get pods --all-namespaces --output wide >&2
  kubectl get kmshostpools --all-namespaces --output yaml >&2
fi
exit "$status"
