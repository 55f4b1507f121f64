#!/usr/bin/env bash
# Installs what is missing, builds all targets, runs every test, and ends with
# one line "N passed, N failed" that counts test cases. Arguments go to bazel
# test.
set -euo pipefail
cd "$(dirname "$0")/.."
deploy/install_deps.sh
. deploy/find_cuda.sh
# Rooms by name: //... would follow the links that a build leaves here.
targets=(//{client,common,docs,examples,proto,scheduler,tests,worker}/...)
if [ -n "$cuda_home" ]; then
  # No wildcard finds what needs the toolkit.
  targets+=(//worker/device/cuda/module:{libhydra_cuda.so,runtime_table_test,gpu_device_test})
else
  echo "CUDA: no toolkit, so libhydra_cuda.so is neither built nor tested"
fi
events=$(mktemp)
trap 'rm -f "$events"' EXIT
status=0
bazel test --keep_going --build_event_json_file="$events" "$@" -- "${targets[@]}" || status=$?
# 0: all passed; 3: some failed. Anything else: there are no results to count.
if [ "$status" != 0 ] && [ "$status" != 3 ]; then
  echo "the build failed"
  echo "0 passed, 1 failed"
  exit 1
fi
python3 tests/count_cases.py "$events" "$status"
