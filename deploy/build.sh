#!/usr/bin/env bash
# Builds hydra, hydrad and hydra-worker into bin/ of this checkout.
set -euo pipefail
cd "$(dirname "$0")/.."
bazel build //client:hydra //scheduler:hydrad //worker:hydra-worker
mkdir -p bin
install -m 755 bazel-bin/client/hydra bazel-bin/scheduler/hydrad bazel-bin/worker/hydra-worker bin/
echo "built: $PWD/bin/{hydra,hydrad,hydra-worker}"
