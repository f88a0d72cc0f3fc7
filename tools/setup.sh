#!/bin/sh
# Installs the Debian packages of the named groups (tools/packages.txt) that are missing. Without
# root it prints the one line that does.
set -eu
here=$(dirname "$0")

if ! command -v dpkg-query >/dev/null; then
    echo "This is no Debian system: see tools/packages.txt for what is needed." >&2
    exit 0
fi

missing=
for group in "$@"; do
    for package in $(awk -v group="$group" '$1 == group { print $2 }' "$here/packages.txt"); do
        status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
        [ "$status" = installed ] || missing="$missing $package"
    done
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
    echo "Packages are missing. Install them with:" >&2
    echo "  sudo apt-get install --no-install-recommends$missing" >&2
    exit 1
fi
echo "installing$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $missing >/dev/null
