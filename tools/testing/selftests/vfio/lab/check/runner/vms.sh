# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2015,SC2016,SC2034,SC2154
#
# check.sh: programs on this machine and in several VMs, one summary. Stubs stand for VMs.

# A copy of the scripts with stubs. run.sh is a VM: it calls the function "program" of the file
# "programs" for each that it is given, which prints the output and sets "status".
copy_scripts() {
	copy=$plain
	scripts=$copy/lab/check
	mkdir -p "$copy/lab" "$copy/migration/room" "$copy/out/selftests"
	cp -r "$here" "$here/../boot" "$copy/lab"
	cp "$here/../../migration/settings" "$copy/migration"
	rm "$scripts/runner_test.sh"
	echo 'program() { printf "TAP version 13\n1..1\nok 1 b\n"; }' >"$copy/programs"
	cat >"$copy/lab/boot/run.sh" <<-'SCRIPT'
		#!/bin/bash
		copy=$(dirname "$0")/../..
		printf '%s\n' "$RUN" >"$copy/command"
		while [ $# -gt 0 ]; do
			case $1 in
			-f) report=$2 ;;
			-n) name=$2 ;;
			-r) reader=$2 ;;
			esac
			shift
		done
		set -- $RUN
		. "$copy/programs"
		mkfifo "$copy/$name.input"
		exec 5<>"$copy/$name.input"
		{
			printf '%s begin-run\n' "$4"
			while read -r test <&5 && [ -n "$test" ]; do
				printf '%s begin %s\n' "$4" "$test"
				echo "$name $test" >>"$copy/runs"
				status=0
				program
				printf '%s end %s %s 1\n' "$4" "$test" "$status"
			done
		} | VM_INPUT=$copy/$name.input $reader
	SCRIPT
	printf '#!/bin/sh\nprintf "TAP version 13\n1..2\nok 1 a\nnot ok 2 $*\n"; exit 1\n' \
		>"$scripts/a_test.sh"
	touch "$copy/migration/room/b_test.c" "$copy/migration/room/c_test.sh" "$copy/out/selftests/b_test" \
		"$copy/out/selftests/c_test.sh"
	chmod +x "$scripts/a_test.sh" "$copy/lab/boot/run.sh" "$copy"/out/selftests/*
}

run_check() {
	TESTS='' "$scripts/check.sh" "$KERNEL_SOURCE" "$copy/out" >"$dir/output" 2>&1 || return
}

# Runner: the closing line counts the tests on this machine and in the VM.
case_closing_line() {
	copy_scripts
	! run_check || fail "the failure is lost"
	cat "$dir/output"
	[ "$(tail -n 1 "$dir/output")" = "3 passed, 1 failed, 0 skipped" ] || fail "wrong closing line"
	[ -s "$copy/out/log/check.ktap" ] && [ -s "$copy/out/log/check-here.ktap" ] ||
		fail "a log is missing"
}

# Runner: TESTS selects programs on this machine and in the VM.
case_selected() {
	copy_scripts
	TESTS=b_test "$scripts/check.sh" "$KERNEL_SOURCE" "$copy/out" >"$dir/output" 2>&1 ||
		fail "b_test fails"
	[ "$(tail -n 1 "$dir/output")" = "1 passed, 0 failed, 0 skipped" ] || fail "more than b_test"
	! TESTS=none_test "$scripts/check.sh" "$KERNEL_SOURCE" "$copy/out" >"$dir/output" 2>&1 ||
		fail "an unknown program is accepted"
	grep -q 'no test program none_test' "$dir/output" || fail "the error does not name none_test"
}

# Runner: ARGS reaches a program in the VM unchanged.
case_args_quoted() {
	local args="-t it's"

	copy_scripts
	TESTS=b_test ARGS=$args "$scripts/check.sh" "$KERNEL_SOURCE" "$copy/out" \
		>"$dir/output" 2>&1 || fail "b_test fails"
	cat "$copy/command"
	sh -c "$(sed 's/^exec sh/set --/' "$copy/command")"'; [ "$4" = "$0" ]' "$args" ||
		fail "ARGS is changed"
}
