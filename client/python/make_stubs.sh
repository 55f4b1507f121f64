#!/usr/bin/env bash
# Makes the stubs that the Python package has: hydrad/v1 from Hydra's public
# .proto files, hydrad/rpc from Google's of errors.
#   make_stubs.sh [DIR]     writes into DIR/hydrad; without it into the package
#
# The packages are renamed: `import hydra` belongs to hydra-core, and a second
# google.rpc in one process is an error. Messages are the same on the wire.
#
# Needs Debian 12's protobuf-compiler and protobuf-compiler-grpc, whose code runs
# with Debian's protobuf and with PyPI's newest.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
mkdir -p "${1:-$here}"
out=$(cd "${1:-$here}" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/hydrad/v1" "$scratch/hydrad/rpc" "$out/hydrad/v1" "$out/hydrad/rpc"
for proto in "$root"/proto/hydra/v1/*.proto; do
  sed 's#import "hydra/v1/#import "hydrad/v1/#' "$proto" >"$scratch/hydrad/v1/${proto##*/}"
done
for proto in error_details status; do
  sed 's/^package google\.rpc;/package hydrad.rpc;/' \
    "$root/third_party/googleapis/google/rpc/$proto.proto" >"$scratch/hydrad/rpc/$proto.proto"
done
cd "$scratch"
protoc -I. -I/usr/include --python_out="$out" --pyi_out="$out" hydrad/v1/*.proto hydrad/rpc/*.proto
protoc -I. -I/usr/include --grpc_out="$out" --plugin=protoc-gen-grpc="$(command -v grpc_python_plugin)" \
  hydrad/v1/hydra.proto
