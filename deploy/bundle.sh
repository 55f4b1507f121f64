#!/usr/bin/env bash
# Builds, and packs into one archive what runs on any Linux with glibc 2.36 or
# newer: hydra, hydrad, hydra-files, hydra-worker (with libhydra_cuda.so, where
# the CUDA toolkit is), the shared libraries that a bare system lacks, with their
# licences, and tests/gpu/run.sh with what it needs. LibTorch is not in it: on
# the other machine LIBTORCH_ROOT names the folder "torch" of an installed
# PyTorch of the same version.
#
#   deploy/bundle.sh [ARCHIVE]     default: hydra-VERSION.tar.gz in this checkout
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
"$root/deploy/build.sh"
version=$("$root/bin/hydrad" --version | sed 's/^hydrad //')
archive=$(realpath "${1:-$root/hydra-$version.tar.gz}")

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
bundle=$scratch/hydra-$version
mkdir -p "$bundle"/{bin,lib,libexec,licenses}
cp "$root"/bin/{hydra,hydrad,hydra-files,hydra-worker} "$bundle/libexec/"
programs=(hydra hydrad hydra-files)
if [ -e "$root/bin/libhydra_cuda.so" ]; then
  cp "$root/bin/libhydra_cuda.so" "$bundle/libexec/"
  # Of tests/gpu/run.sh.
  (cd "$root" && bazel build //worker/device/cuda/module:gpu_device_test)
  cp "$root/bazel-bin/worker/device/cuda/module/gpu_device_test" "$bundle/libexec/"
  programs+=(gpu_device_test)
fi
for program in "${programs[@]}"; do install -m 755 "$root/deploy/bundled_program.sh" "$bundle/bin/$program"; done
cp -r "$root"/{LICENSE,README.md,docs} "$root"/deploy/{hydrad.yaml,hydrad.service,hydra-files.service,hydra-files.socket} "$bundle/"
mkdir -p "$bundle"/tests/{gpu,benchmarks}
cp "$root"/tests/gpu/{run.sh,*.py} "$bundle/tests/gpu/"
cp "$root/tests/benchmarks/local_server.py" "$bundle/tests/benchmarks/"
torch=$(sed -n 's/^torch==\([0-9.]*\).*/\1/p' "$root/deploy/requirements.txt")
echo "$torch" > "$bundle/libexec/pytorch_version"

# Of what the distribution has, all but glibc; the rest is LibTorch's.
ldd "${programs[@]/#/$bundle/libexec/}" "$bundle/libexec/hydra-worker" | sed -n 's|.* => \(/[^ ]*\) .*|\1|p' | sort -u |
  grep -E '^(/usr)?/lib/' | grep -vE '/(libc|libm|libdl|librt|libpthread|libutil|libresolv|ld-linux.*)\.so\.[0-9]+$' |
  while read -r library; do
    cp -L "$library" "$bundle/lib/"
    # Packages name files with and without the /usr of a merged system.
    file=$(realpath "$library")
    package=$({ dpkg-query -S "$file" || dpkg-query -S "${file#/usr}" || dpkg-query -S "$library"; } 2>/dev/null | head -n 1)
    cp -L "/usr/share/doc/${package%%:*}/copyright" "$bundle/licenses/${package%%:*}"
  done

tar -C "$scratch" --owner=0 --group=0 --sort=name -czf "$archive.part" "hydra-$version"
mv "$archive.part" "$archive"
echo "bundled: $archive, $(du -h "$archive" | cut -f1), with $(find "$bundle/lib" -type f | wc -l) libraries"
