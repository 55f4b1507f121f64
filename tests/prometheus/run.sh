#!/usr/bin/env bash
# Lets a real Prometheus look at a hydrad: tests/prometheus/run.sh [BIN]
#
# Installs the package prometheus if it is missing. BIN: the folder of Hydra's
# programs (bin/, which deploy/build.sh makes). A part of no other test run.
set -euo pipefail
cd "$(dirname "$0")/../.."
bin=$(realpath "${1:-bin}")
for program in hydra hydrad hydra-worker; do
  if [ ! -x "$bin/$program" ]; then
    echo "$bin/$program is missing: deploy/build.sh makes it" >&2
    exit 2
  fi
done
. deploy/packages.sh
install_missing prometheus
python3 tests/prometheus/prometheus_test.py "$bin"
