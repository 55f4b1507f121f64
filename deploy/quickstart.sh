#!/usr/bin/env bash
# From a fresh clone to a trained sweep: installs what is missing, builds, trains
# examples/gpt2_wikitext2/sweep.yaml on two CPU devices that are each too small
# for one of its models, and prints the leaderboard. Takes further arguments for
# `hydra run`.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
"$root/deploy/install_deps.sh"
"$root/deploy/build.sh"
exec "$root/bin/hydra" run "$root/examples/gpt2_wikitext2/sweep.yaml" \
  --device cpu:0,cpu:1 --device-memory 80MiB --threads 1 --pool-size 5GiB "$@"
