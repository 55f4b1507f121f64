#!/usr/bin/env bash
# On a machine with a GPU: what Hydra has to show on it, in at most 8 minutes,
# from an unpacked bundle (deploy/bundle.sh) or from a checkout, which is built
# first. Ends with one line "N passed, N failed, N skipped"; without a GPU
# "0 passed, 0 failed, skipped: no GPU", and exit code 0. The rows, each with
# its numbers, are described in checks.py; the contract of devices is the first.
#
#   tests/gpu/run.sh [--device cuda:0] [--only ROW,...] [--bin DIR]
#
# --bin DIR       where hydra, hydrad and hydra-worker are; nothing is built
# --device cpu:0  tries all rows but the contract without a GPU
#
# LIBTORCH_ROOT is as the README says ("GPUs"). The row that compares with plain
# PyTorch, and the rates of copies, need that PyTorch's Python; else they are
# left out.
#
# What was seen of it: all rows but the contract, with --device cpu:0. No row
# has been run on a GPU yet.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
bin="" only_these=()
words=("$@")
for ((i = 0; i < ${#words[@]}; ++i)); do
  case ${words[i]} in
    --bin) bin=${words[++i]} ;;
    --bin=*) bin=${words[i]#--bin=} ;;
    *) only_these+=("${words[i]}") ;;
  esac
done
contract=$root/bin/gpu_device_test
if [ -z "$bin" ]; then
  bin=$root/bin
  if [ -e "$root/WORKSPACE" ]; then
    # Nothing is worth building for a machine without a GPU.
    case " $* " in
      *cpu:*) ;;
      *) if ! python3 "$here/checks.py" --has-gpu; then exit 0; fi ;;
    esac
    "$root/deploy/build.sh"
    . "$root/deploy/find_cuda.sh"
    if [ -n "$cuda_home" ]; then
      folder=worker/device/cuda/module
      (cd "$root" && bazel build "//$folder:gpu_device_test" "//$folder:libhydra_cuda.so")
      contract=$root/bazel-bin/$folder/gpu_device_test
    fi
  fi
fi
exec python3 "$here/checks.py" --bin "$bin" --contract "$contract" ${only_these[@]+"${only_these[@]}"}
