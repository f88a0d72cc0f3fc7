#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs a command with MIEN_TEST_POSTGRES naming a database. Where nobody has named one, a server of
# its own serves a folder that goes away with it, on a Unix socket; as another user when this is
# root, whom PostgreSQL refuses. Exit status 77 (skipped) where no server can be started.
set -eu

if [ -n "${MIEN_TEST_POSTGRES:-}" ]; then
    exec "$@"
fi

skip()
{
    echo "skipped: $1"
    exit 77
}

bin=
for folder in /usr/lib/postgresql/*/bin; do
    [ -x "$folder/initdb" ] && bin=$folder
done
[ -n "$bin" ] || skip "there is no PostgreSQL server here (MIEN_TEST_POSTGRES may name a database)"

place=$(mktemp -d "${TMPDIR:-/tmp}/mien-pg-XXXXXX")
started=
# shellcheck disable=SC2086
finish()
{
    [ -z "$started" ] || $as "$bin/pg_ctl" -D "$place/data" -m immediate -w stop >/dev/null
    rm -rf "$place"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

as=
if [ "$(id -u)" -eq 0 ]; then
    command -v setpriv >/dev/null || skip "PostgreSQL does not run as root, and setpriv is not here"
    user=nobody
    ! id postgres >/dev/null 2>&1 || user=postgres
    as="setpriv --reuid=$user --regid=$(id -g $user) --clear-groups"
    chown "$user" "$place"
fi
cd "$place"
$as "$bin/initdb" -D "$place/data" -U mien -A trust -E UTF8 --locale=C --no-sync >"$place/log" 2>&1 ||
    skip "initdb fails: $(tail -n 3 "$place/log")"
$as "$bin/pg_ctl" -D "$place/data" -l "$place/data/log" -w -t 30 \
    -o "-k $place -c listen_addresses= -c fsync=off -c shared_buffers=4MB -c max_connections=20" \
    start >/dev/null || skip "the server does not start: $(tail -n 3 "$place/data/log")"
started=yes
MIEN_TEST_POSTGRES="postgresql:///postgres?host=$place&user=mien"
MIEN_TEST_POSTGRES_FOLDER=$place/data
export MIEN_TEST_POSTGRES MIEN_TEST_POSTGRES_FOLDER
cd - >/dev/null
"$@"
