#!/usr/bin/env bash
# Packs a bundle (deploy/bundle.sh) and tries it in an empty root: glibc, a
# shell, the bundle, LibTorch, and nothing else. Needs to be root.
set -euo pipefail
cd "$(dirname "$0")/../.."
libtorch=${LIBTORCH_ROOT:-$HOME/.cache/hydra/libtorch-2.11.0}
root=$(mktemp -d)
trap 'rm -rf --one-file-system "$root"' EXIT
deploy/bundle.sh "$root/bundle.tar.gz"
libraries=/lib/x86_64-linux-gnu
mkdir -p "$root"/{bin,bundle,dev,examples,lib64,proc,tmp,torch} "$root$libraries"
tar -C "$root/bundle" --strip-components=1 -xzf "$root/bundle.tar.gz"
rm "$root/bundle.tar.gz"
# What there is for a machine with a GPU says so where there is none.
gpu=$("$root/bundle/tests/gpu/run.sh" | tail -n 1)
echo "tests/gpu/run.sh of the bundle: $gpu"
case $gpu in
  *"passed, 0 failed"*) ;;
  *) echo "0 passed, 1 failed"; exit 1 ;;
esac
cp /bin/dash "$root/bin/sh"
cp -L /lib64/ld-linux-x86-64.so.2 "$root/lib64/"
for name in c m dl rt pthread util resolv; do cp -L $libraries/lib$name.so.[0-9]* "$root$libraries/"; done
cp -r examples/gpt2_wikitext2/{gpt2,gpt2-mini} examples/gpt2_wikitext2/data/heldout.test.tokens "$root/examples/"
cat > "$root/examples/job.yaml" <<'YAML'
name: bundle
model: {path: gpt2-mini, init: random, tokenizer_path: gpt2}
data: {train_files: [heldout.test.tokens]}
train: {max_steps: 2, context_length: 64, per_device_train_batch_size: 2, optim: sgd, learning_rate: 1e-3}
YAML
cat > "$root/try.sh" <<'SH'
set -u
export HOME=/tmp
cd /examples
if /bundle/bin/hydrad --set state_dir=/tmp/state 2>/tmp/refusal; then exit 10; fi
read -r refusal < /tmp/refusal
case $refusal in
  *LIBTORCH_ROOT*) ;;
  *) exit 11 ;;
esac
export LIBTORCH_ROOT=/torch
/bundle/bin/hydrad --version || exit 12
/bundle/bin/hydra-files 2>/tmp/refusal
read -r refusal < /tmp/refusal
case $refusal in
  *"is started by systemd"*) ;;
  *) exit 14 ;;
esac
/bundle/bin/hydra run job.yaml --device cpu:0 --device-memory 128MiB --pool-size 1GiB --state-dir /tmp/run || exit 13
SH
# The mounts end with the namespace.
export root libtorch
status=0
unshare --mount --fork bash -euc '
  mount -t proc proc "$root/proc"
  mount -t tmpfs tmpfs "$root/dev"
  mknod -m 666 "$root/dev/null" c 1 3
  mknod -m 666 "$root/dev/urandom" c 1 9
  mkdir -m 1777 "$root/dev/shm"
  mount -t tmpfs tmpfs "$root/dev/shm"
  mount --bind "$libtorch" "$root/torch"
  exec env -i /usr/sbin/chroot "$root" /bin/sh /try.sh
' || status=$?
if [ "$status" = 0 ]; then echo "1 passed, 0 failed"; else echo "it ended with $status"; echo "0 passed, 1 failed"; fi
exit "$status"
