#!/usr/bin/env bash
# Builds the Debian package (deploy/make_deb.sh), looks at what is in it, and in
# a copy of this system, which ends with the test, installs it, trains with it
# as its user, upgrades, removes and purges it. The copy has no LibTorch but the
# package's. Needs to be root, and overlayfs.
#
#   tests/deb/run.sh [--bin DIR]     as deploy/make_deb.sh has it
set -euo pipefail
cd "$(dirname "$0")/../.."
scratch=$(mktemp -d)
trap 'rm -rf --one-file-system "$scratch"' EXIT
deploy/make_deb.sh "$@" "$scratch"
deb=$(echo "$scratch"/hydrad_*.deb)
echo "the package: $(stat -c %s "$deb") B, installed $(dpkg-deb --field "$deb" Installed-Size) KiB"

passed=0
failed=0
check() {
  if eval "$2"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED: $1"
  fi
}
end() {
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ]
}

dpkg-deb --contents "$deb" | awk '{print $1, $2, $6 ($7 == "->" ? " -> " $8 : "")}' > "$scratch/contents"
has() { grep -qE "^$1 root/root \./$2${3:+ -> $3}\$" "$scratch/contents"; }
for program in hydra hydrad hydra-files hydra-worker; do
  check "$program is a program" "has -rwxr-xr-x usr/lib/hydra/$program"
done
for library in libtorch_cpu.so libc10.so libgomp.so.1 libcudart.so.13 libcupti.so.13; do
  check "$library is beside it" "has -rw-r--r-- usr/lib/hydra/$library"
done
check "hydractl is the client" "has lrwxrwxrwx usr/bin/hydractl '\.\./lib/hydra/hydra'"
check "hydrad is in sbin" "has lrwxrwxrwx usr/sbin/hydrad '\.\./lib/hydra/hydrad'"
check "/usr/bin/hydra is left alone" "! grep -qE ' \./usr/bin/hydra( |\$)' '$scratch/contents'"
for file in etc/hydra/hydrad.yaml lib/systemd/system/hydrad.service lib/systemd/system/hydra-files.service \
  lib/systemd/system/hydra-files.socket usr/lib/sysusers.d/hydrad.conf \
  usr/lib/tmpfiles.d/hydrad.conf usr/share/bash-completion/completions/hydractl usr/share/zsh/vendor-completions/_hydractl \
  usr/share/fish/vendor_completions.d/hydractl.fish usr/share/man/man1/hydractl.1.gz usr/share/man/man8/hydrad.8.gz \
  usr/share/doc/hydrad/copyright; do
  check "$file is there" "has -rw-r--r-- $file"
done
check "the configuration is a conffile" "dpkg-deb --info '$deb' conffiles | grep -qx /etc/hydra/hydrad.yaml"
depends=$(dpkg-deb --field "$deb" Depends)
check "it depends on the distribution's gRPC" "[[ '$depends' == *libgrpc++* ]]"
check "it depends on no LibTorch" "[[ '$depends' != *torch* && '$depends' != *cuda* ]]"

mkdir "$scratch/files"
dpkg-deb --extract "$deb" "$scratch/files"
lib=$scratch/files/usr/lib/hydra
for file in "$lib"/*; do
  check "${file##*/} finds what is beside it, and looks nowhere else" \
    "readelf -d '$file' | grep -E 'R(UN)?PATH' | grep -qF '[\$ORIGIN]'"
done
check "nothing is missing for the worker" "! env -u LD_LIBRARY_PATH ldd '$lib/hydra-worker' | grep -q 'not found'"
units=$scratch/files/lib/systemd/system
check "the unit starts the package's hydrad" "grep -q '^ExecStart=/usr/sbin/hydrad ' '$units/hydrad.service'"
check "and the other one its hydra-files" "grep -qx 'ExecStart=/usr/lib/hydra/hydra-files' '$units/hydra-files.service'"
for unit in hydrad hydra-files; do
  exposure=$(systemd-analyze security --offline=yes "$units/$unit.service" 2>&1 | sed -n 's/.*exposure level.*: \([0-9.]*\) .*/\1/p')
  echo "$unit.service: exposure $exposure"
  check "$unit's exposure is below 3.0, and is $exposure" "awk 'BEGIN { exit !($exposure < 3.0) }'"
done
check "hydra-files needs no library but the distribution's" "! ldd '$lib/hydra-files' | grep -E 'torch|libc10|not found'"

# The copy: what is written goes to memory, and ends with the namespace.
examples=$(realpath examples/gpt2_wikitext2)
mkdir "$scratch/copy"
export deb scratch examples
cat > "$scratch/try.sh" <<'SH'
set -u
fail() { echo "FAILED: $1"; exit 1; }
export HOME=/tmp
# No hydrad, and no hydra, of this machine's own.
dpkg -P hydrad >/tmp/log 2>&1
rm -rf /var/lib/hydra /etc/hydra /usr/bin/hydra
begun=$(date +%s%N)
seconds_from() { echo "$((($(date +%s%N) - $1) / 1000000))" | sed -E 's/^/000/; s/(...)$/.\1/; s/^0+([0-9])/\1/'; }
dpkg -i /tmp/hydrad.deb >/tmp/log 2>&1 || { cat /tmp/log; fail "install"; }
installed=$(seconds_from "$begun")
getent passwd hydra >/dev/null || fail "there is no user hydra"
getent group hydra-admin >/dev/null || fail "there is no group hydra-admin"
[ "$(stat -c '%U %a' /var/lib/hydra)" = "hydra 700" ] || fail "/var/lib/hydra is $(stat -c '%U %a' /var/lib/hydra)"
[ "$(readlink -f /usr/bin/hydra)" = /usr/lib/hydra/hydra ] || fail "hydra is not the client"
hydractl --version || fail "hydractl --version"
hydrad --version || fail "hydrad --version"
[ "$(hydrad --check-config /etc/hydra/hydrad.yaml)" = ok ] || fail "the configuration is not ok"
bash -c 'source /usr/share/bash-completion/completions/hydractl; complete -p hydractl' >/dev/null || fail "completion"
man -w hydractl hydrad >/dev/null || fail "manual pages"
for unit in hydrad.service hydra-files.socket; do
  [ -z "$(find /etc/systemd/system -name "$unit")" ] || fail "$unit is enabled by itself"
done
hydra_files=$(/usr/lib/hydra/hydra-files 2>&1)
case $hydra_files in *"is started by systemd"*) ;; *) fail "hydra-files says: $hydra_files" ;; esac

# As the service runs it.
started=$(date +%s%N)
setpriv --reuid hydra --regid hydra --init-groups --no-new-privs \
  hydrad --config /etc/hydra/hydrad.yaml --set pool.size_bytes=1GiB --device cpu:0=128MiB 2>/tmp/hydrad.log &
hydrad=$!
until hydractl info >/dev/null 2>&1; do
  kill -0 $hydrad || { cat /tmp/hydrad.log; fail "hydrad ended"; }
  sleep 0.2
done
hydractl submit /srv/examples/job.yaml --watch || { cat /tmp/hydrad.log; fail "training"; }
echo "installed in $installed s, and from hydrad's start to the end of a job $(seconds_from "$started") s"
hydractl doctor | grep connection || fail "doctor"

# What an admin changed stays; a hydrad that runs is another process's matter.
echo "# changed" >> /etc/hydra/hydrad.yaml
dpkg -i --force-confold /tmp/hydrad.deb >/tmp/log 2>&1 || { cat /tmp/log; fail "upgrade"; }
grep -q '^# changed$' /etc/hydra/hydrad.yaml || fail "the configuration was replaced"
kill $hydrad
wait $hydrad || fail "hydrad did not end well"
ls /var/lib/hydra/outputs/*/model.safetensors || fail "there is no model"

dpkg -r hydrad >/tmp/log 2>&1 || { cat /tmp/log; fail "removal"; }
[ ! -e /usr/lib/hydra ] || fail "programs stay after removal"
[ ! -e /usr/bin/hydra ] && [ ! -L /usr/bin/hydra ] || fail "the name hydra stays after removal"
[ -e /etc/hydra/hydrad.yaml ] && [ -e /var/lib/hydra/jobs.db ] || fail "removal took configuration or state"
dpkg -P hydrad >/tmp/log 2>&1 || { cat /tmp/log; fail "purge"; }
[ ! -e /etc/hydra/hydrad.yaml ] && [ ! -e /var/lib/hydra/jobs.db ] || fail "purge left configuration or state"
ls /var/lib/hydra/outputs/*/model.safetensors || fail "purge took a user's model"
[ -z "$(find /var/lib/hydra -name checkpoints)" ] || fail "purge left checkpoints"

# Another program of that name keeps it.
printf '#!/bin/sh\necho another\n' > /usr/bin/hydra
chmod 755 /usr/bin/hydra
dpkg -i /tmp/hydrad.deb >/tmp/log 2>&1 || { cat /tmp/log; fail "install beside another hydra"; }
[ "$(/usr/bin/hydra)" = another ] || fail "the other hydra is gone"
dpkg -P hydrad >/tmp/log 2>&1 || { cat /tmp/log; fail "purge beside another hydra"; }
[ "$(/usr/bin/hydra)" = another ] || fail "the other hydra is gone after purge"
SH
cat > "$scratch/job.yaml" <<'YAML'
name: package
model: {path: gpt2-mini, init: random, tokenizer_path: gpt2}
data: {train_files: [data/heldout.test.tokens]}
train: {max_steps: 2, context_length: 64, per_device_train_batch_size: 2, optim: sgd, learning_rate: 1e-3}
YAML
status=0
unshare --mount --pid --fork bash -euc '
  mount -t tmpfs tmpfs "$scratch/copy"
  cd "$scratch/copy"
  mkdir upper work root
  mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
  mount -t proc proc root/proc
  mount -t tmpfs tmpfs root/dev
  for node in "null c 1 3" "zero c 1 5" "urandom c 1 9"; do mknod -m 666 "root/dev/"$node; done
  mkdir -m 1777 root/dev/shm
  mount -t tmpfs tmpfs root/dev/shm
  # No LibTorch of whoever built it.
  for folder in root home tmp run srv; do mount -t tmpfs -o mode=1777 tmpfs "root/$folder"; done
  mkdir root/srv/examples
  cp -r "$examples"/{gpt2,gpt2-mini,data} "$scratch/job.yaml" root/srv/examples/
  chmod -R a+rX root/srv/examples
  cp "$deb" root/tmp/hydrad.deb
  cp "$scratch/try.sh" root/tmp/
  exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin /usr/sbin/chroot root /bin/bash /tmp/try.sh
' || status=$?
check "installed, trained with, upgraded, removed and purged" "[ $status = 0 ]"
end
