#!/usr/bin/env bash
# Fuzzes: tests/fuzz/run.sh [SECONDS [TARGET...]]
#
# Builds with clang and libFuzzer (packages clang and libclang-rt-14-dev), runs
# each target, or all of them, for SECONDS (120), and ends with a table. Exits
# with 1 if anything was found; README.md tells what to do then.
#
# JOBS      how many targets run at the same time (2)
# FUZZ_DIR  what is kept from run to run: inputs that reach new code, findings
#           and logs (~/.cache/hydra/fuzz)
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-120}
targets=("${@:2}")
if ((${#targets[@]} == 0)); then mapfile -t targets < <(ls tests/fuzz/corpus); fi
work=${FUZZ_DIR:-$HOME/.cache/hydra/fuzz}

# An output base of its own: a change of --config compiles everything again.
bazel() {
  command bazel --output_base="$HOME/.cache/hydra/fuzz-build" "$1" --config=fuzz --symlink_prefix=/ "${@:2}"
}
labels=("${targets[@]/#///tests/fuzz:}")
bazel build "${labels[@]/%/_fuzzer}"
bin=$(bazel info bazel-bin 2>/dev/null)/tests/fuzz

TMPDIR=$(mktemp -d -p /dev/shm)
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
# Memory that waits to be freed counts against the limit.
export ASAN_OPTIONS=quarantine_size_mb=16:detect_stack_use_after_return=1

fuzz() {
  mkdir -p "$work/$1/corpus" "$work/$1/findings"
  "$bin/$1_fuzzer" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=512 -malloc_limit_mb=256 \
    -print_final_stats=1 -artifact_prefix="$work/$1/findings/" \
    "$work/$1/corpus" "tests/fuzz/corpus/$1" >"$work/$1.log" 2>&1
}

mkdir -p "$work"
running=0
for target in "${targets[@]}"; do
  if ((running == ${JOBS:-2})); then
    wait -n || true
    running=$((running - 1))
  fi
  fuzz "$target" &
  running=$((running + 1))
done
wait

stat() { sed -n "s/^stat::$1: *//p" "$work/$2.log"; }
row() { printf '%-16s %12s %8s %8s  %s\n' "$@"; }
status=0
row target executions exec/s inputs finding
for target in "${targets[@]}"; do
  finding=none
  if ! grep -q '^Done ' "$work/$target.log"; then
    finding=$(sed -n 's/.*Test unit written to //p' "$work/$target.log")
    finding="${finding:-none was written}, see $work/$target.log"
    status=1
  fi
  row "$target" "$(stat number_of_executed_units "$target")" "$(stat average_exec_per_sec "$target")" \
    "$(find "$work/$target/corpus" -type f | wc -l)" "$finding"
done
exit "$status"
