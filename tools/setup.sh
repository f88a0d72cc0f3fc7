#!/bin/sh
# Installs the Debian packages of the named groups (tools/packages.txt) that are missing. Without
# root it prints the one line that does.
set -eu
here=$(dirname "$0")

if ! command -v dpkg-query >/dev/null; then
    echo "This is no Debian system: see tools/packages.txt for what is needed." >&2
    exit 0
fi

# is_there PACKAGE [PROGRAM]
is_there() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ] ||
        { [ -n "$2" ] && command -v "$2" >/dev/null; }
}

missing=
while read -r group package program; do
    case " $* " in
    *" $group "*) is_there "$package" "$program" || missing="$missing $package" ;;
    esac
done <"$here/packages.txt"
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
