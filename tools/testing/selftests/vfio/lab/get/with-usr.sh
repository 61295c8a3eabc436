#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs a command with the programs and libraries of another Debian: ROOT/usr is in place of /usr,
# for this command only. All other files are those of this machine, with the same names. Without
# ROOT the command just runs.
#
# Usage: with-usr.sh ROOT COMMAND...
set -euo pipefail

root=$1
shift
[ -n "$root" ] || exec "$@"

die() {
	echo "error: $*" >&2
	exit 1
}

[ "$(realpath /lib)" = /usr/lib ] ||
	die "/lib is no link to /usr/lib, so the libraries cannot be replaced"
user=()
[ "$(id -u)" = 0 ] || user=(--map-root-user)
# shellcheck disable=SC2016
exec unshare --mount "${user[@]}" bash -c '
	mount --bind "$0/usr" /usr && cd "$PWD" && exec "$@"' "$root" "$@"
