#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What runs inside the cluster's namespaces (run.sh): loads the images, runs the tests, and on failure shows what the cluster was like.
set -uo pipefail
cd "$(dirname "$0")/../.."
# shellcheck disable=SC2086 # one path a line
for image in $KMSPOOL_E2E_IMAGES; do
  ctr --address "$KMSPOOL_E2E_STATE/run/containerd.sock" --namespace k8s.io images import --local "$image" >/dev/null 2>&1 || { echo "could not load $image" >&2; exit 1; }
done
# Further names of the same images: what an upgrade brings, and what the documents call them.
version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)
names() { ctr --address "$KMSPOOL_E2E_STATE/run/containerd.sock" --namespace k8s.io images ls --quiet; }
# What containerd puts before a name that says no registry.
unnamed=$(names | sed -n 's|/library/redis:8.2-alpine$||p')
rename() { ctr --address "$KMSPOOL_E2E_STATE/run/containerd.sock" --namespace k8s.io images tag "$1" "$2" >/dev/null 2>&1 || echo "no image $1" >&2; }
for image in operator kms-node kmsctl; do
  rename "localhost/kmspool/$image:$version" "localhost/kmspool/$image:next"
  rename "localhost/kmspool/$image:$version" "$unnamed/kmspool/$image:$version"
done
test/run-tests.sh "$@"
status=$?
if [ "$status" != 0 ]; then
  kubectl get pods --all-namespaces --output wide >&2
  kubectl get kmshostpools --all-namespaces --output yaml >&2
fi
exit "$status"
