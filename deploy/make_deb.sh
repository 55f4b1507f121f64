#!/usr/bin/env bash
# Builds Hydra and packs it as a Debian package: hydrad and hydra-files as
# services, workers with a LibTorch of their own, the command line, completions
# and manual pages. Installs debhelper and patchelf where they are missing.
#
#   deploy/make_deb.sh [--bin DIR] [OUTPUT_DIR]     default: this checkout
#
# --bin DIR  pack the programs in DIR, and build nothing
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
bin=""
if [ "${1:-}" = --bin ]; then
  bin=$(realpath "$2")
  shift 2
fi
output=$(realpath "${1:-$root}")
libtorch=${LIBTORCH_ROOT:-$HOME/.cache/hydra/libtorch-2.11.0}

. "$root/deploy/packages.sh"
install_missing debhelper dpkg-dev fakeroot patchelf
if [ -z "$bin" ]; then
  "$root/deploy/build.sh"
  bin=$root/bin
fi

version=$(sed -n 's/.*kVersion\[\] = "\(.*\)";/\1/p' "$root/common/version/version.h")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
tree=$scratch/hydra-training-$version
mkdir -p "$tree"/stage/{lib,etc,bash,zsh,fish,man,doc,examples}
cp -r "$root/deploy/debian" "$tree/"
chmod 755 "$tree/debian/rules"
stage=$tree/stage

# What stands beside a program is found there, wherever that is.
for program in hydra hydrad hydra-files hydra-worker libhydra_cuda.so; do
  if [ ! -e "$bin/$program" ] && [ "$program" = libhydra_cuda.so ]; then continue; fi
  install -m 755 "$bin/$program" "$stage/lib/"
  patchelf --set-rpath '$ORIGIN' "$stage/lib/$program"
done
# What is not the distribution's is LibTorch's.
LD_LIBRARY_PATH=$libtorch/lib ldd "$bin/hydra-worker" | sed -n 's|.* => \(/[^ ]*\) .*|\1|p' | sort -u |
  grep -vE '^(/usr)?/lib(64)?/' |
  while read -r library; do
    install -m 644 "$library" "$stage/lib/"
    patchelf --set-rpath '$ORIGIN' "$stage/lib/${library##*/}"
  done

install -m 644 "$root/deploy/hydrad.yaml" "$stage/etc/"
install -m 755 "$root/deploy/backup.sh" "$stage/lib/"
cp -r "$root/deploy/notify" "$stage/examples/"
sed 's|/usr/local/bin/hydrad|/usr/sbin/hydrad|' "$root/deploy/hydrad.service" > "$tree/debian/hydrad.service"
sed 's|/usr/local/bin/|/usr/lib/hydra/|' "$root/deploy/hydra-files.service" > "$tree/debian/hydrad.hydra-files.service"
cp "$root/deploy/hydra-files.socket" "$tree/debian/hydrad.hydra-files.socket"
hydra=$stage/lib/hydra
"$hydra" completion bash --program hydractl > "$stage/bash/hydractl"
"$hydra" completion zsh --program hydractl > "$stage/zsh/_hydractl"
"$hydra" completion fish --program hydractl > "$stage/fish/hydractl.fish"
"$hydra" man --program hydractl > "$stage/man/hydractl.1"
cp "$root/deploy/hydrad.8" "$stage/man/"
cp "$root/README.md" "$stage/doc/"
mkdir "$stage/doc/docs"
cp "$root"/docs/*.md "$stage/doc/docs/"

# The same commit makes the same package.
SOURCE_DATE_EPOCH=$(git -C "$root" log -1 --format=%ct 2>/dev/null || stat -c %Y "$bin/hydrad")
export SOURCE_DATE_EPOCH
cat > "$tree/debian/changelog" <<CHANGES
hydra-training ($version) unstable; urgency=medium

  * Hydra $version.

 -- Hydra <hydra@localhost>  $(date -u -R -d "@$SOURCE_DATE_EPOCH")
CHANGES
mkdir -p "$tree/debian/source"
echo "3.0 (native)" > "$tree/debian/source/format"
(cd "$tree" && dpkg-buildpackage -b -us -uc >"$scratch/log" 2>&1) || { cat "$scratch/log" >&2; exit 1; }
deb=$(echo "$scratch"/hydrad_*.deb)
mv "$deb" "$output/"
echo "packed: $output/${deb##*/}, $(du -h "$output/${deb##*/}" | cut -f1)"
