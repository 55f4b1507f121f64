#!/usr/bin/env bash
# Builds hydra, hydrad, hydra-files and hydra-worker into bin/ of this checkout,
# and, where the CUDA toolkit is, libhydra_cuda.so, by which hydra-worker drives
# GPUs.
set -euo pipefail
cd "$(dirname "$0")/.."
. deploy/find_cuda.sh
outputs=(client/hydra common/broker/hydra-files scheduler/hydrad worker/hydra-worker)
if [ -n "$cuda_home" ]; then
  outputs+=(worker/device/cuda/module/libhydra_cuda.so)
else
  echo "CUDA: no toolkit, so hydra-worker will know CPU devices alone"
fi
targets=()
for output in "${outputs[@]}"; do targets+=("//${output%/*}:${output##*/}"); done
bazel build "${targets[@]}"
mkdir -p bin
# One of an earlier build may be left.
rm -f bin/libhydra_cuda.so
install -m 755 "${outputs[@]/#/bazel-bin/}" bin/
echo "built: ${outputs[*]/#*\//$PWD/bin/}"
