#!/usr/bin/env bash
# Runs the tests under a sanitizer: tests/sanitizers/run.sh CONFIG [TARGET...]
#
# CONFIG is asan (with ubsan), tsan or clang. Each has an output base of its own in
# ~/.cache/hydra: else every change of it compiles everything again. The targets
# are all tests; for tsan those without gRPC and LibTorch, which are not
# instrumented, so that their threads' every move looks like a race.
set -euo pipefail
cd "$(dirname "$0")/../.."
config=${1:?asan, tsan or clang}
targets=("${@:2}")
if ((${#targets[@]} == 0)); then
  # Not //..., which would follow the links that an ordinary build leaves here.
  targets=(//{client,common,proto,scheduler,tests,worker}/...)
  if [ "$config" = tsan ]; then
    targets=(//common/... //scheduler/{core,journal,policy,sim}/... //worker/data/... //tests/fuzz/...
      //worker/device:device_arena_test //worker/device/cuda:host_pins_test //worker/device/cuda/testing:fake_cuda_test)
  fi
fi
exec bazel --output_base="$HOME/.cache/hydra/$config-build" test --config="$config" --symlink_prefix=/ \
  --build_tests_only --keep_going -- "${targets[@]}"
