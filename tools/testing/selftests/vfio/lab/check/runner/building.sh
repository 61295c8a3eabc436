# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2015,SC2154
#
# building.sh: a build is run once, and its status is not lost.

# build_script COMMANDS: a script in $plain that sources building.sh
build_script() {
	printf 'set -euo pipefail\n. "%s"\n%s\n' "$here/../building.sh" "$1" >"$plain/script"
}

# Runner: a build that fails ends with its status, and its output is in the log alone.
case_building_fails() {
	local status=0

	build_script "how_far() { echo half; }
		fails() { echo wrong; return 3; }
		with_progress how_far '$plain/log' fails || exit \$?"
	bash "$plain/script" >"$dir/output" 2>&1 || status=$?
	cat "$dir/output"
	[ $status = 3 ] || fail "exit status $status instead of 3"
	[ "$(cat "$plain/log")" = wrong ] && [ ! -s "$dir/output" ] || fail "the log is another one"
}

# Runner: a result that is there is not built again.
case_building_once() {
	local i

	build_script "make_it() { echo built >>'$plain/calls'; touch '$plain/result'; }
		build_once '$plain/lock' '$plain/result' make_it"
	for i in 1 2; do
		bash "$plain/script" || fail "run $i fails"
	done
	[ "$(cat "$plain/calls")" = built ] || fail "built $(wc -l <"$plain/calls") times"
}

# Runner: the second of two runs waits, and takes what the first has built.
case_building_waits() {
	build_script "make_it() { echo built >>'$plain/calls'; touch '$plain/result'; }
		build_once '$plain/lock' '$plain/result' make_it"
	exec 9>"$plain/lock"
	flock 9
	bash "$plain/script" 9>&- >"$dir/output" 2>&1 &
	until grep -q 'waiting for another run that builds in' "$dir/output"; do
		kill -0 $! || fail "it does not wait"
	done
	touch "$plain/result"
	exec 9>&-
	wait $! || fail "it fails"
	[ ! -e "$plain/calls" ] || fail "it was built twice"
}

# Runner: a step of a build that fails ends the build.
case_building_stops() {
	build_script "make_it() { false; touch '$plain/result'; }
		build_once '$plain/lock' '$plain/result' make_it"
	! bash "$plain/script" || fail "it does not fail"
	[ ! -e "$plain/result" ] || fail "the build goes on"
}

# Runner: make gets no variable of the calling make; if it fails, the end of its log is printed.
case_building_logged_make() {
	local status=0

	fake_program make <<-'SCRIPT'
		#!/bin/sh
		echo "words: $*, flags: $MAKEFLAGS$MFLAGS$MAKELEVEL."
		[ "$2" != bad ]
	SCRIPT
	build_script "logged_make '$plain/log' it -s good; echo then; logged_make '$plain/log' it -s bad; echo never"
	MAKEFLAGS=k MFLAGS=-k MAKELEVEL=1 bash "$plain/script" >"$dir/output" 2>&1 || status=$?
	[ $status = 1 ] || fail "exit status $status instead of 1"
	diff "$dir/output" - <<-END || fail "another output"
		then
		words: -s bad, flags: .
		error: make it fails (its output: $plain/log)
	END
}
