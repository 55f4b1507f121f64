#!/usr/bin/env bash
# Hydra from Go: makes stubs of proto/hydra/v1, builds tests/go/main.go with
# Debian's packages alone, and runs it against the programs in bin/, which
# deploy/build.sh makes.
set -euo pipefail
cd "$(dirname "$0")/../.."
for program in hydrad hydra-worker; do
  if [ ! -x "bin/$program" ]; then
    echo "bin/$program is not there: run deploy/build.sh" >&2
    exit 2
  fi
done
# protoc-gen-go-1-5, the default, makes code that this grpc does not run.
. deploy/packages.sh
install_missing golang-go golang-google-grpc-dev golang-google-genproto-dev protoc-gen-go-1-3 protobuf-compiler

scratch=$(mktemp -d)
daemon=
finish() {
  if [ -n "$daemon" ]; then
    kill "$daemon" 2>/dev/null || true
    wait "$daemon" 2>/dev/null || true
  fi
  rm -rf "$scratch"
}
trap finish EXIT

mkdir -p "$scratch/go/src/hydra-go" "$scratch/cache" "$scratch/model"
plugin=$(command -v protoc-gen-go-1-3 || command -v protoc-gen-go)
# It is older than proto3's `optional`, whose fields are the same on the wire.
mkdir -p "$scratch/proto/hydra/v1"
for proto in proto/hydra/v1/*.proto; do
  sed -E 's/^( *)optional /\1/' "$proto" >"$scratch/$proto"
done
types=github.com/golang/protobuf/ptypes
known=Mgoogle/protobuf/duration.proto=$types/duration,Mgoogle/protobuf/timestamp.proto=$types/timestamp
protoc -I"$scratch/proto" -I/usr/include --plugin=protoc-gen-go="$plugin" \
  --go_out=plugins=grpc,"$known":"$scratch/go/src" "$scratch"/proto/hydra/v1/*.proto
cp tests/go/main.go "$scratch/go/src/hydra-go/"
GO111MODULE=off GOFLAGS= GOCACHE="$scratch/cache" GOPATH="$scratch/go:/usr/share/gocode" \
  go build -o "$scratch/hydra-go" hydra-go

cp tests/parity/gpt2-tiny/config.json tests/parity/gpt2-tiny/model.safetensors "$scratch/model/"
# Token ids below 256, of two bytes each.
for i in $(seq 0 1999); do printf '\\x%02x\\x00' $((i * i % 251)); done >"$scratch/tokens.txt"
printf '%b' "$(cat "$scratch/tokens.txt")" >"$scratch/train.bin"
cat >"$scratch/job.yaml" <<'YAML'
name: from-go
model: {path: model}
data: {train_files: train.bin, format: tokens_u16}
train: {max_steps: 5, per_device_train_batch_size: 2, context_length: 16, learning_rate: 1e-3}
sweep: {grid: {train.seed: [1, 2]}}
YAML
bin/hydrad --set state_dir="$scratch/state" --set unix_socket="$scratch/hydrad.sock" \
  --set pool.path="$scratch/pool" --set pool.size_bytes=256MiB --device cpu:0=64MiB \
  >"$scratch/hydrad.log" 2>&1 &
daemon=$!
while [ ! -S "$scratch/hydrad.sock" ]; do
  if ! kill -0 "$daemon" 2>/dev/null; then
    cat "$scratch/hydrad.log" >&2
    echo "0 passed, 1 failed"
    exit 1
  fi
  sleep 0.1
done
if "$scratch/hydra-go" "unix:$scratch/hydrad.sock" "$scratch/job.yaml"; then
  echo "1 passed, 0 failed"
else
  cat "$scratch/hydrad.log" >&2
  echo "0 passed, 1 failed"
  exit 1
fi
