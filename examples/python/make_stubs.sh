#!/usr/bin/env bash
# Makes Python modules from Hydra's public .proto files:
#   make_stubs.sh DIR
# Put DIR on PYTHONPATH to import hydra.v1.hydra_pb2_grpc.
#
# Needs Debian's protobuf-compiler, protobuf-compiler-grpc, python3-protobuf and
# python3-grpcio.
set -euo pipefail
if [ $# -ne 1 ]; then
  echo "usage: make_stubs.sh DIR" >&2
  exit 2
fi
root=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$1"
protoc -I"$root/proto" -I/usr/include \
  --python_out="$1" \
  --grpc_out="$1" --plugin=protoc-gen-grpc=/usr/bin/grpc_python_plugin \
  "$root"/proto/hydra/v1/*.proto
# The details of errors. Without them where googleapis-common-protos is there.
protoc -I"$root/third_party/googleapis" -I/usr/include --python_out="$1" \
  "$root"/third_party/googleapis/google/rpc/*.proto
