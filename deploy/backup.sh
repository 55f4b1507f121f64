#!/usr/bin/env bash
# Copies what cannot be made again of a hydrad's state directory, as its user,
# while no hydrad runs on it: jobs.db, the audit log, logs, models and
# checkpoints. Weights, which are written once and then only removed, are linked
# where both folders are on one file system, so that it takes seconds; copy the
# backup elsewhere afterwards, when hydrad runs again. jobs.db is read as a whole
# first.
#
#   backup.sh STATE_DIR BACKUP_DIR     BACKUP_DIR must not be there
#
# To restore, copy it to the path where STATE_DIR was (cp -a), while no hydrad
# runs. HYDRAD: the program, if it is not in the search path.
set -euo pipefail
if [ $# -ne 2 ]; then
  echo "usage: backup.sh STATE_DIR BACKUP_DIR" >&2
  exit 2
fi
hydrad=${HYDRAD:-hydrad}
state=$(realpath -- "$1")
backup=$(realpath -m -- "$2")
if [ -e "$backup" ]; then
  echo "backup.sh: $backup is there already" >&2
  exit 2
fi
case $backup/ in
  "$state"/*)
    echo "backup.sh: $backup is in the state directory itself" >&2
    exit 2
    ;;
esac

# Fails where a hydrad runs, and where jobs.db is damaged.
"$hydrad" recover --set "state_dir=$state" >&2
# From here on none can start.
exec 9>>"$state/lock"
if ! flock -n 9; then
  echo "backup.sh: a hydrad runs on $state: stop it first" >&2
  exit 3
fi

partial=$(mktemp -d "$backup.partial-XXXXXX")
trap 'rm -rf -- "$partial"' EXIT
link=
if [ "$(stat -c %d -- "$state")" = "$(stat -c %d -- "$partial")" ]; then link=--link; fi
cd "$state"
for name in jobs.db jobs.db-wal audit.jsonl audit.jsonl.1 logs; do
  if [ -e "$name" ]; then cp -a -- "$name" "$partial/"; fi
done
if [ -d outputs ]; then
  cp -a $link -- outputs "$partial/"
  # What grows, or is written anew in its place, gets a copy of its own.
  find outputs -type f ! -name '*.safetensors' -print0 |
    xargs -0r cp -a --remove-destination --parents -t "$partial" --
fi
# Whoever copies it back copies these, too.
chmod --reference="$state" -- "$partial"
if [ "$(id -u)" = 0 ]; then chown --reference="$state" -- "$partial"; fi
sync -f "$partial"
mv -T -- "$partial" "$backup"
trap - EXIT
echo "$backup"
