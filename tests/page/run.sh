#!/usr/bin/env bash
# Drives hydrad's page in Chromium: tests/page/run.sh [PICTURES | --figures]
#
# Installs what is missing (the package chromium with a font, and playwright
# from PyPI into ~/.cache/hydra/page), looks at every view at two widths, in
# light and dark, by keyboard, with ten thousand jobs and hostile names, and
# then at a hydrad that trains the quick start's sweep, if bin/ is built.
# PICTURES: a folder for pictures of every view. --figures: what the page costs
# (figures.py) instead, which needs bin/. A part of no other test run.
set -euo pipefail
cd "$(dirname "$0")/../.."
env=${PAGE_ENV:-$HOME/.cache/hydra/page}

. deploy/packages.sh
install_missing chromium fonts-dejavu-core python3-venv
if [ ! -e "$env/.complete" ]; then
  rm -rf "$env"
  /usr/bin/python3 -m venv "$env"
  "$env/bin/pip" install --quiet --disable-pip-version-check playwright==1.65.2
  touch "$env/.complete"
fi

arguments=()
if [ -x bin/hydrad ]; then
  arguments+=(--bin "$PWD/bin")
else
  echo "bin/hydrad is not built, so only answers that are made up are shown"
fi
if [ "${1:-}" = --figures ]; then
  exec "$env/bin/python" tests/page/figures.py "$PWD/bin"
fi
if (($#)); then
  mkdir -p "$1"
  arguments+=(--shots "$1")
fi
"$env/bin/python" tests/page/page_test.py "${arguments[@]}"
