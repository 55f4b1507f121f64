# shellcheck shell=bash
# Sourced by scripts that need packages of the distribution.

# install_missing PACKAGE...: installs those that are not installed.
install_missing() {
  local package missing=() sudo=()
  for package; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
  done
  if ((${#missing[@]} == 0)); then return; fi
  echo "installing packages: ${missing[*]}"
  if [ "$(id -u)" != 0 ]; then sudo=(sudo); fi
  "${sudo[@]}" apt-get update -qq
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
