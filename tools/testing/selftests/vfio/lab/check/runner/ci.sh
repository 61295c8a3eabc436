# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# ci/check.sh: the archive of kselftest in the VM, with stubs for the kernel's make and the VM

# The stub of the VM prints $plain/results, and ends with the status in $plain/vm-status.
ci_copy() {
	mkdir -p "$plain/lab" "$plain/tree"
	cp -r "$here/../ci" "$here/../boot" "$here/../building.sh" "$plain/lab"
	fake_program make <<<'#!/bin/sh'
	cat >"$plain/lab/boot/run.sh" <<-'SCRIPT'
		#!/bin/bash
		plain=$(dirname "$0")/../..
		printf '%s\n' "$RUN" "$ADD" "$*" >"$plain/command"
		[ ! -e "$plain/no-vm" ] || exit 1
		eval "${@: -1}" <"$plain/results"
		exit "$(cat "$plain/vm-status" 2>/dev/null || echo 0)"
	SCRIPT
	ktap 'ok 1 selftests: vfio/migration: a_test' 'ok 2 selftests: vfio/migration: b_test.sh # SKIP'
}

# ktap RESULT...: what run_kselftest.sh prints
ktap() {
	printf '%s\n' 'TAP version 13' "1..$#" >"$plain/results"
	printf '# timeout set to 300\n# TAP version 13\n# 1..1\n# ok 1 case\n%s\n' "$@" \
		>>"$plain/results"
}

# run_ci STATUS CLOSING-LINE
run_ci() {
	local status=0

	"$plain/lab/ci/check.sh" "$KERNEL_SOURCE" "$plain/tree" "$plain/out" 1 mtty.ko cache \
		>"$dir/output" 2>&1 || status=$?
	cat "$dir/output"
	[ $status = "$1" ] || fail "check.sh ends with $status"
	[ "$(tail -n 1 "$dir/output")" = "$2" ] || fail "the closing line is another"
}

# Runner: the whole collection is run, from the archive, without the VM's own mtty and tests.
case_ci_collection() {
	ci_copy
	run_ci 0 "1 passed, 0 failed, 1 skipped"
	file_has "$plain/command" 'sh in-vm -c vfio/migration' \
		"$plain/out/kselftest/kselftest_install/kselftest-packages/kselftest.tar.gz mtty.ko " \
		"cache -t  -s  -n tarball"
	file_has "$plain/out/results.ktap" '1..2'
}

# Runner: TESTS selects programs of the collection.
case_ci_selection() {
	ci_copy
	TESTS='a_test b_test.sh' run_ci 0 "1 passed, 0 failed, 1 skipped"
	file_has "$plain/command" 'sh in-vm -t vfio/migration:a_test -t vfio/migration:b_test.sh'
}

# Runner: a program that fails, has no result, or a report of the kernel fails the run.
case_ci_failures() {
	ci_copy
	ktap 'ok 1 selftests: vfio/migration: a_test' 'not ok 2 selftests: vfio/migration: b_test # exit=1'
	run_ci 1 "1 passed, 1 failed, 0 skipped"
	ktap 'ok 1 selftests: vfio/migration: a_test'
	sed -i 's/^1\.\.1$/1..2/' "$plain/results"
	run_ci 1 "1 passed, 1 failed, 0 skipped"
	ktap 'ok 1 selftests: vfio/migration: a_test'
	echo 1 >"$plain/vm-status"
	run_ci 1 "1 passed, 1 failed, 0 skipped"
	rm "$plain/vm-status"
	run_ci 0 "1 passed, 0 failed, 0 skipped"
	sed -i '/timeout/d' "$plain/results"
	run_ci 1 "1 passed, 1 failed, 0 skipped"
	file_has "$dir/output" '0 programs ran with a time limit, 1 have a result'
	ktap 'ok 1 selftests: vfio/migration: a_test # SKIP'
	run_ci 1 "0 passed, 1 failed, 1 skipped"
}

# Runner: without results, or without an archive, an earlier run does not count.
case_ci_nothing() {
	ci_copy
	run_ci 0 "1 passed, 0 failed, 1 skipped"
	: >"$plain/results"
	run_ci 1 "error: run_kselftest.sh has printed nothing"
	ci_copy
	run_ci 0 "1 passed, 0 failed, 1 skipped"
	touch "$plain/no-vm"
	run_ci 1 "error: run_kselftest.sh has printed nothing"
	fake_program make <<<'#!/bin/sh
		echo no compiler
		exit 2'
	run_ci 1 "error: make kselftest-gen_tar fails (its output: $plain/out/archive.log)"
	file_has "$dir/output" 'no compiler'
}

# Runner: the test definition for LAVA reports each program.
case_ci_lava() {
	cd "$plain" || exit 1
	ci_copy
	ktap 'ok 1 selftests: vfio/migration: a_test' 'ok 2 selftests: vfio/migration: b_test.sh # SKIP' \
		'not ok 3 selftests: vfio/migration: c_test # exit=1' \
		'not ok 4 selftests: vfio/migration: d_test # TIMEOUT 300 seconds'
	mv results results.ktap
	fake_program lava-test-case <<-'SCRIPT'
		#!/bin/sh
		echo "$*" >>results
	SCRIPT
	# The last step, which is folded
	sed -n '/- >-/,$s/^      //p' "$here/../ci/lava.yaml" | paste -sd ' ' >step
	sh step
	diff - results <<-'END' || fail "other results"
		a_test --result pass
		b_test.sh --result skip
		c_test --result fail
		d_test --result fail
	END
}
