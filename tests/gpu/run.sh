#!/usr/bin/env bash
# On a machine with a GPU: holds Hydra's device to its contract on it, each test
# in a process of its own. Needs the CUDA toolkit, and LIBTORCH_ROOT as the
# README says. Ends with one line "N passed, N failed".
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=worker/device/cuda/module
bazel build //$folder:gpu_device_test //$folder:libhydra_cuda.so
export CUDA_VISIBLE_DEVICES=${CUDA_VISIBLE_DEVICES:-0}
test=bazel-bin/$folder/gpu_device_test
log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=0
failed=0
suite=""
while read -r name; do
  case $name in
    *.) suite=$name; continue ;;
  esac
  if "$test" --gtest_filter="$suite${name%% *}" >"$log" 2>&1 && ! grep -q SKIPPED "$log"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    cat "$log"
  fi
done < <("$test" --gtest_list_tests 2>/dev/null | grep -v '^Running main')
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
