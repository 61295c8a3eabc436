#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs a command that prints a line for each step. Prints one line instead, which counts the
# steps in a terminal. If the command fails, all lines that are no steps are printed.
#
# Usage: quiet.sh WHAT COMMAND...
set -uo pipefail

what=$1
shift
log=$(mktemp) || exit
trap 'rm -f "$log"' EXIT

count() {
	local line steps=0

	while IFS= read -r line || [ -n "$line" ]; do
		printf '%s\n' "$line" >>"$log"
		steps=$((steps + 1))
		[ ! -t 1 ] || printf '\r%s: %d steps' "$what" "$steps"
	done
	[ "$steps" != 0 ] || return 0
	if [ -t 1 ]; then
		printf '\n'
	else
		printf '%s: %d steps\n' "$what" "$steps"
	fi
}

"$@" </dev/null 2>&1 | count
ret=${PIPESTATUS[0]}
# A step of make: "  CC       uart.o"
[ "$ret" = 0 ] || grep -vE '^  [A-Z]+( \[M\])? +[^ ]+$' "$log" >&2
exit "$ret"
