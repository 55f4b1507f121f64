#!/usr/bin/env bash
# Installs what Hydra needs to build and run, and says what it does: the
# distribution's packages, and LibTorch (pinned by version and hash in
# requirements.txt), with its CUDA half where the CUDA toolkit is. Safe to run
# again: it only adds what is missing.
#
# LIBTORCH_ROOT  where LibTorch is or shall be (default: ~/.cache/hydra/libtorch-2.11.0);
#                the folder "torch" of an installed PyTorch of that version is left as it is
# CUDA_HOME      where the CUDA toolkit is, if there is one (default: /usr/local/cuda)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
libtorch=${LIBTORCH_ROOT:-$HOME/.cache/hydra/libtorch-2.11.0}
version=$(sed -n 's/^torch==\([0-9.]*\).*/\1/p' "$here/requirements.txt")
. "$here/find_cuda.sh"
. "$here/packages.sh"

packages=(
  g++ python3 python3-pip unzip
  bazel-bootstrap bazel-skylib bazel-rules-proto bazel-rules-java bazel-platforms
  protobuf-compiler protobuf-compiler-grpc libprotobuf-dev libgrpc++-dev
  libabsl-dev libgoogle-glog-dev libgtest-dev libgmock-dev libbenchmark-dev
  libsqlite3-dev libcli11-dev libyaml-cpp-dev nlohmann-json3-dev libicu-dev libssl-dev libxxhash-dev zlib1g-dev
  libjpeg62-turbo-dev libmicrohttpd-dev libpng-dev
  python3-grpcio python3-protobuf python3-jinja2
)

install_missing "${packages[@]}"

if [ ! -e "$libtorch/.complete" ] && [ -e "$libtorch/version.py" ]; then
  if ! grep -q "__version__ = '$version" "$libtorch/version.py"; then
    echo "LibTorch: $libtorch is another PyTorch than $version; unset LIBTORCH_ROOT, or install that one" >&2
    exit 1
  fi
  echo "LibTorch: $libtorch, of an installed PyTorch $version"
  exit 0
fi

# What libhydra_cuda.so is linked with. What these load in turn, some 5 GB, is
# needed on a machine with a GPU alone, and comes with PyTorch (README).
cuda_half=(libc10_cuda.so libtorch_nvshmem.so libtorch_cuda.so)
lacks_all=1
if [ -e "$libtorch/.complete" ]; then lacks_all=""; fi
lacks_cuda=""
if [ -n "$cuda_home" ]; then
  for file in "${cuda_half[@]}"; do
    if [ ! -e "$libtorch/lib/$file" ]; then lacks_cuda=1; fi
  done
fi

if [ -n "$lacks_all$lacks_cuda" ]; then
  # Beside its place, so that what is unpacked needs only to be renamed.
  mkdir -p "$(dirname "$libtorch")"
  scratch=$(mktemp -d "$libtorch.XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
  /usr/bin/python3 -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
    --only-binary=:all: --python-version 3.11 --dest "$scratch" --requirement "$here/requirements.txt"
fi
if [ -n "$lacks_all" ]; then
  echo "installing LibTorch into $libtorch"
  unzip -q "$scratch"/torch-*.whl 'torch/include/*' 'torch/lib/libtorch_cpu.so' 'torch/lib/libc10.so' 'torch/lib/libgomp*' \
    -d "$scratch"
  for wheel in "$scratch"/nvidia_cuda_*.whl; do
    unzip -q -j -o "$wheel" '*/lib/lib*.so.*' -d "$scratch/torch/lib"
  done
  touch "$scratch/torch/.complete"
  rm -rf "$libtorch"
  mv "$scratch/torch" "$libtorch"
else
  echo "LibTorch: $libtorch"
fi
if [ -n "$lacks_cuda" ]; then
  echo "installing LibTorch's CUDA half into $libtorch, for the toolkit in $cuda_home"
  unzip -q -j "$scratch"/torch-*.whl "${cuda_half[@]/#/torch/lib/}" -d "$scratch/cuda_half"
  # The largest one last.
  for file in "${cuda_half[@]}"; do mv "$scratch/cuda_half/$file" "$libtorch/lib/$file"; done
elif [ -n "$cuda_home" ]; then
  echo "LibTorch: its CUDA half is there, for the toolkit in $cuda_home"
else
  echo "CUDA: no toolkit, so LibTorch's CUDA half is left out"
fi
