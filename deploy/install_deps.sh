#!/usr/bin/env bash
# Installs what Hydra needs to build and run, and says what it does: the
# distribution's packages, and LibTorch (pinned by version and hash in
# requirements.txt). Safe to run again: it only adds what is missing.
#
# LIBTORCH_ROOT  where LibTorch is or shall be (default: ~/.cache/hydra/libtorch-2.11.0)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
libtorch=${LIBTORCH_ROOT:-$HOME/.cache/hydra/libtorch-2.11.0}

packages=(
  g++ python3 python3-pip unzip
  bazel-bootstrap bazel-skylib bazel-rules-proto bazel-rules-java bazel-platforms
  protobuf-compiler protobuf-compiler-grpc libprotobuf-dev libgrpc++-dev
  libabsl-dev libgoogle-glog-dev libgtest-dev libgmock-dev libbenchmark-dev
  libsqlite3-dev libcli11-dev libyaml-cpp-dev nlohmann-json3-dev libicu-dev libssl-dev libxxhash-dev
  python3-grpcio python3-protobuf
)

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if ((${#missing[@]})); then
  echo "installing packages: ${missing[*]}"
  sudo=""
  if [ "$(id -u)" != 0 ]; then sudo=sudo; fi
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
else
  echo "packages: all ${#packages[@]} are installed"
fi

# .complete is written last, so an unpacking that was cut short is done again.
if [ -e "$libtorch/.complete" ]; then
  echo "LibTorch: $libtorch"
else
  echo "installing LibTorch into $libtorch"
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  /usr/bin/python3 -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
    --only-binary=:all: --python-version 3.11 --dest "$scratch" --requirement "$here/requirements.txt"
  unzip -q "$scratch"/torch-*.whl 'torch/include/*' 'torch/lib/libtorch_cpu.so' 'torch/lib/libc10.so' 'torch/lib/libgomp*' \
    -d "$scratch"
  for wheel in "$scratch"/nvidia_cuda_*.whl; do
    unzip -q -j -o "$wheel" '*/lib/lib*.so.*' -d "$scratch/torch/lib"
  done
  mkdir -p "$(dirname "$libtorch")"
  rm -rf "$libtorch"
  mv "$scratch/torch" "$libtorch"
  touch "$libtorch/.complete"
fi
