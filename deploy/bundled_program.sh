#!/bin/sh
# In a bundle (deploy/bundle.sh): runs the program of this name with the
# bundle's libraries and, for workers, LibTorch's. The shell's own commands
# alone, since a bare system may have no others.
here=$(cd "${0%/*}/.." && pwd)
if [ "${0##*/}" = hydrad ] && [ "$1" != --version ] && [ ! -e "$LIBTORCH_ROOT/lib/libtorch_cpu.so" ]; then
  read -r version < "$here/libexec/pytorch_version"
  echo "hydrad: LIBTORCH_ROOT is \"$LIBTORCH_ROOT\"; expected the folder \"torch\" of an installed PyTorch $version, for its workers" >&2
  exit 3
fi
export LD_LIBRARY_PATH="$here/lib${LIBTORCH_ROOT:+:$LIBTORCH_ROOT/lib}${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
exec "$here/libexec/${0##*/}" "$@"
