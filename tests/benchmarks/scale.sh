#!/usr/bin/env bash
# Trains a few steps of a GPT-2 of any size on one CPU device of any size, and
# prints what it took. Needs bin/ (deploy/build.sh).
#
#   scale.sh WIDTH LAYERS HEADS DEVICE_MEMORY POOL_SIZE [BATCH CONTEXT DROPOUT STEPS THREADS]
set -euo pipefail
width=$1 layers=$2 heads=$3 device=$4 pool=$5
batch=${6:-1} context=${7:-128} dropout=${8:-0} steps=${9:-2} threads=${10:-2}
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'kill "$daemon" 2>/dev/null; wait "$daemon" 2>/dev/null; rm -rf "$work"' EXIT

mkdir "$work/model"
sed "s/\"n_embd\": [0-9]*/\"n_embd\": $width/; s/\"n_layer\": [0-9]*/\"n_layer\": $layers/
     s/\"n_head\": [0-9]*/\"n_head\": $heads/; s/\"n_positions\": [0-9]*/\"n_positions\": 1024/" \
  "$root/examples/gpt2_wikitext2/gpt2/config.json" > "$work/model/config.json"
cat > "$work/job.yaml" <<YAML
name: scale
model: {path: model, init: random, tokenizer_path: $root/examples/gpt2_wikitext2/gpt2}
data:
  train_files: [$root/examples/gpt2_wikitext2/data/wiki.valid.tokens]
train:
  max_steps: $steps
  per_device_train_batch_size: $batch
  context_length: $context
  learning_rate: 1e-4
  dropout: $dropout
output: {save_model: false}
YAML

"$root/bin/hydrad" --set "state_dir=$work/state" --set "pool.size_bytes=$pool" --set "pool.path=/dev/shm/hydra-scale-$$" \
  --set lookahead=0 --set "unix_socket=$work/hydrad.sock" \
  --config <(printf 'devices: [{name: "cpu:0", memory_limit_bytes: %s, threads: %s}]\n' "$device" "$threads") \
  2> "$work/hydrad.log" &
daemon=$!
hydra() { "$root/bin/hydra" --server "unix:$work/hydrad.sock" "$@"; }
until hydra info >/dev/null 2>&1; do kill -0 "$daemon" || { cat "$work/hydrad.log"; exit 1; }; sleep 0.5; done
hydra submit "$work/job.yaml" --watch 2>/dev/null | tail -2 || true
hydra describe j1 -o json | /usr/bin/python3 -c '
import datetime, json, sys
job = json.load(sys.stdin)["job"]
status, demand = job["status"], job.get("pool_demand", {})
print("state:", status["state"], status["reason"])
print("cuts:", job.get("partition", {}).get("cut_points"), "pool demand:", demand)
at = [datetime.datetime.fromisoformat(s["time"].rstrip("Z")[:26]) for s in job["steps"]]
print("losses:", [s["train_loss"] for s in job["steps"]])
print("seconds between turns:", [round((b - a).total_seconds(), 2) for a, b in zip(at, at[1:])])
print("totals:", job["totals"])'
hydra workers -o json | /usr/bin/python3 -c '
import json, sys
for w in json.load(sys.stdin)["workers"]: print({k: w[k] for k in ("memory_limit_bytes", "peak_bytes", "outside_bytes", "busy", "compute_cpu")})'
