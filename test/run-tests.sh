#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the given test files with node:test, keeps a line per test for `make requirements`, and closes with one line that adds everything up.
set -uo pipefail
cd "$(dirname "$0")/.."

out=test/.out
results=$out/${KMSPOOL_RESULTS_FILE:-results.jsonl}
mkdir -p "$out"
rm -f "$results"

export KMSPOOL_RESULTS="$PWD/$results"
node_modules/.bin/node --test --test-concurrency=${KMSPOOL_TEST_CONCURRENCY:-2} --test-timeout=900000 \
  --test-reporter=./test/tools/summary-reporter.ts --test-reporter-destination=stdout \
  --test-reporter=./test/tools/results-reporter.ts --test-reporter-destination="$out/reporter.log" \
  "$@"
status=$?

node_modules/.bin/node test/tools/requirements.ts "$results" >/dev/null || status=1
exit "$status"
