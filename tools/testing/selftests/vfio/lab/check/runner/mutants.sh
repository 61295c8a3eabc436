# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2015,SC2016,SC2034,SC2154
#
# mutants/run.py: applies faults one at a time, and judges the tests. Stubs stand for make and the
# VM: the module is a copy of the source, and a program fails if it finds its name in it.

# mutant NAME OLD NEW [FIELD...]: a stanza
mutant() {
	printf '%s\n' "" "Mutant: $1" "File: samples/a.c" "Fault: A fault." "Breaks: Driver: a choice" \
		"${@:4}" "Change:" " -$2" " +$3"
}

# A repository with the lines "one", "two", "two" in samples/a.c, and stubs. Standard input has the
# stanzas.
mutant_repo() {
	repository=$plain/repo
	scripts_dir=$repository/tools/testing/selftests/vfio
	mkdir -p "$scripts_dir/migration" "$repository/samples" "$plain/out/k/selftests"
	cp -r "$here/.." "$scripts_dir/lab"
	find "$scripts_dir/lab/mutants" -mindepth 1 -type d -prune -exec rm -r {} +
	mkdir "$scripts_dir/lab/mutants/driver"
	cat >"$scripts_dir/lab/mutants/driver/a"
	echo timeout=9 >"$scripts_dir/migration/settings"
	printf '%s\n' one two two >"$repository/samples/a.c"
	git -C "$repository" init -q
	touch "$plain/out/k/selftests/a_test" "$plain/out/k/selftests/b_test"
	fake_program make <<-'SCRIPT'
		#!/bin/bash
		for word; do
			[ "${word%%=*}" != OUT ] || to=${word#OUT=}/k/stage/samples/vfio-mdev/mtty
		done
		if grep -q broken "$2/samples/a.c"; then
			echo "a.c:1: error: broken"
			exit 1
		fi
		mkdir -p "$to"
		cp "$2/samples/a.c" "$to/mtty.ko"
	SCRIPT
	cat >"$scripts_dir/lab/boot/run.sh" <<-'SCRIPT'
		#!/bin/bash
		while [ $# -gt 0 ]; do
			case $1 in
			-t) module=$2 ;;
			-r) reader=$2 ;;
			esac
			shift
		done
		set -- $RUN
		mark=$4 dir=$(mktemp -d)
		mkfifo "$dir/input"
		exec 5<>"$dir/input"
		{
			echo "$mark begin-run"
			while read -r test <&5 && [ -n "$test" ]; do
				echo "$test" >>"$0.ran"
				echo "$mark begin $test"
				! grep -q dies "$module" || exit 3
				printf 'TAP version 13\n1..1\n'
				if grep -q "$test" "$module" "$0.always" 2>/dev/null; then
					echo "not ok 1 case"
					exit
				fi
				echo "ok 1 case"
				status=0
				if grep -q slow "$module"; then
					status=137
					[ -e "$0.always_slow" ] || sed -i s/slow// "$module"
				fi
				echo "$mark end $test $status 1"
				[ $status = 0 ] || exit
			done
			echo "$mark end-run"
		} | VM_INPUT=$dir/input $reader
		status=$?
		rm -r "$dir"
		if grep -q dies "$module"; then
			[ -e "$0.always_dies" ] || sed -i s/dies// "$module"
			echo "error: the VM ended" >&2
			exit 1
		fi
		if grep -q report "$module"; then
			printf 'error: the kernel reported (all of it: log):\n    BUG: x\n\n' >&2
			exit 1
		fi
		exit $status
	SCRIPT
	vm=$scripts_dir/lab/boot/run.sh
	printf 'one\n' >"$plain/module"
}

# try_mutants STATUS [PATTERNS]: run.py ends with this status.
try_mutants() {
	local expected=$1 status=0

	MUTANTS=${2:-} timeout 250 "$scripts_dir/lab/mutants/run.py" "$repository" "$KERNEL_SOURCE" \
		"$plain/out/k" "$plain/cache" 2 -- -t "$plain/module" >"$dir/output" 2>&1 || status=$?
	cat "$dir/output"
	[ "$status" = "$expected" ] || fail "exit status $status instead of $expected"
}

# Runner: the case that fails kills a mutant. One on which no case fails survives, and one that does
# not build is an error. Both fail the run.
case_mutants_outcomes() {
	mutant_repo < <(
		mutant killed one b_test
		mutant survives one three
		mutant unbuilt one broken
		mutant same one four "Equivalent: it is the same"
	)
	try_mutants 1
	prints "driver/a/killed: killed by b_test: case" "driver/a/survives: survived" \
		"driver/a/unbuilt: error does not build: a.c:1: error: broken" \
		"1 killed, 1 survived, 1 errors"
	! grep -q 'driver/a/same:' "$dir/output" || fail "an equivalent mutant was tried"
	try_mutants 0 driver/a/killed
	prints "1 killed, 0 survived, 0 errors"
}

# Runner: the fault is in the copy only, and each mutant is tried by itself.
case_mutants_alone() {
	mutant_repo < <(
		mutant first one a_test
		mutant second one a_test
		mutant third one three
	)
	# Two copies, so one of them gets two mutants
	try_mutants 1
	prints "2 killed, 1 survived, 0 errors" "driver/a/third: survived"
	[ "$(xargs <"$repository/samples/a.c")" = "one two two" ] || fail "the repository is changed"
}

# Runner: a report of the kernel kills a mutant, too.
case_mutants_kernel_report() {
	mutant_repo < <(mutant reports one report)
	try_mutants 0
	prints "driver/a/reports: killed by kernel: BUG: x"
}

# Runner: a time limit kills a mutant only if it is seen twice.
case_mutants_time_limit() {
	mutant_repo < <(mutant slow one slow)
	try_mutants 1
	prints "driver/a/slow: survived"
	touch "$vm.always_slow"
	rm "$plain/out/k/mutants/results.json"
	try_mutants 0
	prints "driver/a/slow: killed by a_test: its time limit"
}

# Runner: the end of a VM without a report kills a mutant only if it is seen twice.
case_mutants_vm_ends() {
	mutant_repo < <(mutant ends one dies)
	try_mutants 1
	prints "driver/a/ends: survived"
	touch "$vm.always_dies"
	rm "$plain/out/k/mutants/results.json"
	try_mutants 0
	prints "driver/a/ends: killed by a_test: error: the VM ended"
}

# Runner: a change that does not fit in one place, or is no change, is an error before any trial.
case_mutants_misfit() {
	mutant_repo < <(mutant two-places two three)
	try_mutants 2
	prints "driver/a/two-places: the change fits in 2 places of samples/a.c, not in one"
	mutant no-place four five >"$scripts_dir/lab/mutants/driver/a"
	try_mutants 2
	prints "driver/a/no-place: the change fits in 0 places"
	mutant no-change one one >"$scripts_dir/lab/mutants/driver/a"
	try_mutants 2
	prints "without a change"
	mutant field one two "Test: a_test" >"$scripts_dir/lab/mutants/driver/a"
	try_mutants 2
	prints "no such field Test"
	mutant test one two "Tests: c_test" >"$scripts_dir/lab/mutants/driver/a"
	try_mutants 1
	prints "no such test program: c_test"
	[ ! -e "$vm.ran" ] || fail "a VM was booted"
}

# Runner: a case that fails without a fault, too, proves nothing.
case_mutants_unmutated() {
	mutant_repo < <(
		mutant killed one b_test
		mutant other one a_test
	)
	echo b_test >"$vm.always"
	try_mutants 1 driver/a/killed
	prints "fails without a fault, too: b_test"
	# The result is kept, but it was not confirmed.
	rm "$vm.ran"
	try_mutants 1 driver/a/killed
	prints "1 of them tried before" "fails without a fault, too: b_test"
	# Another mutant confirms only its own result.
	rm "$vm.ran"
	try_mutants 0 driver/a/other
	rm "$vm.ran"
	try_mutants 1 driver/a/killed
	prints "1 of them tried before" "fails without a fault, too: b_test"
}

# host_test TEXT: the program of this machine fails if this command does.
host_test() {
	cat >"$scripts_dir/lab/check/runner_test.sh" <<-SCRIPT
		#!/bin/bash
		cd "\$(dirname "\$0")" && $1 && echo "ok 1 case" || echo "not ok 1 case"
	SCRIPT
}

# Runner: a program of this machine that fails in the copy only proves nothing. git works there.
case_mutants_copy() {
	mutant_repo < <(
		mutant host "# The runner of the tests" "# Another" |
			sed 's,samples/a.c,tools/testing/selftests/vfio/lab/check/a,'
	)
	echo "# The runner of the tests" >"$scripts_dir/lab/check/a"
	host_test "[ ../../../../../../.. -ef '$plain' ]"
	try_mutants 1
	prints "driver/a/host: killed by runner_test.sh: case" \
		"fails without a fault, too: runner_test.sh: case"
	host_test "[ \$(git ls-files a) = a ] && ! grep Another a"
	try_mutants 0
	prints "driver/a/host: killed by runner_test.sh: case"
	host_test "[ \$(git ls-files a) = a ]"
	try_mutants 1
	prints "driver/a/host: survived"
}

# Runner: a result is kept until the code or the tests change. The program that failed is then run
# first.
case_mutants_resumed() {
	mutant_repo < <(mutant killed one b_test)
	try_mutants 0
	[ "$(xargs <"$vm.ran")" = "a_test b_test b_test" ] || fail "ran: $(xargs <"$vm.ran")"
	rm "$vm.ran"
	try_mutants 0
	prints "1 mutants of 1, 1 of them tried before" "1 killed, 0 survived"
	[ ! -e "$vm.ran" ] || fail "it was tried again"
	echo three >>"$repository/samples/a.c"
	try_mutants 0
	[ "$(head -n 1 "$vm.ran")" = b_test ] || fail "ran: $(xargs <"$vm.ran")"
	echo broken >"$plain/out/k/mutants/results.json"
	try_mutants 0
	prints "results.json is damaged: all mutants are tried anew"
}

# Runner: MUTANTS selects by name, or those for CI.
case_mutants_selected() {
	mutant_repo < <(
		mutant one one a_test
		mutant two one b_test "Quick: yes"
		mutant lab one b_test "Kernel: kasan"
	)
	try_mutants 0 quick
	prints "driver/a/two: killed" "1 killed"
	try_mutants 0 "driver/*/o*"
	prints "driver/a/one: killed" "1 killed"
	try_mutants 0
	prints "2 mutants of 3" "2 killed"
	try_mutants 2 "driver/b/*"
	prints "no mutant fits MUTANTS=driver/b/*"
	try_mutants 2 driver/a/lab
	prints "only a lab kernel shows these"
	MUTANTS_KERNEL=kasam try_mutants 2
	prints "MUTANTS_KERNEL is one of kasan kcsan newer, not kasam"
	MUTANTS_KERNEL=kasan try_mutants 0
	prints "driver/a/lab: killed" "1 killed"
}

# Runner: on a kernel with KCSAN one mutant is tried at a time, so that threads run at once.
case_mutants_kcsan() {
	mutant_repo < <(
		mutant one one a_test "Kernel: kcsan"
		mutant two one b_test "Kernel: kcsan"
	)
	MUTANTS_KERNEL=kcsan try_mutants 0
	prints "2 killed"
	[ "$(cd "$plain/out/k/mutants" && echo [0-9]*)" = 1 ] || fail "two at a time"
	sed -i 's/kcsan/kasan/' "$scripts_dir/lab/mutants/driver/a"
	MUTANTS_KERNEL=kasan try_mutants 0
	[ -d "$plain/out/k/mutants/2" ] || fail "one at a time"
}

# Runner: a signal ends the programs that run.
case_mutants_signal() {
	mutant_repo < <(mutant killed one b_test)
	printf '#!/bin/bash\necho $$ >"$0.new"; mv "$0.new" "$0.pid"; sleep 80; touch "$0.ended"\n' \
		>"$vm"
	"$scripts_dir/lab/mutants/run.py" "$repository" "$KERNEL_SOURCE" "$plain/out/k" "$plain/cache" \
		1 -- -t "$plain/module" >"$dir/output" 2>&1 &
	until [ -e "$vm.pid" ]; do
		kill -0 $! || fail "run.py has ended"
		sleep 0.05
	done
	kill $!
	wait $! && fail "exit status 0" || [ $? = 143 ] || fail "another exit status"
	! kill -0 "$(cat "$vm.pid")" 2>/dev/null || fail "the VM runs"
	[ ! -e "$vm.ended" ] || fail "the VM was not ended"
}
