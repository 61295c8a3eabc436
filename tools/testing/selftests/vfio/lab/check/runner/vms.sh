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
	cp -r "$here" "$here/../boot" "$here/../stanzas.py" "$copy/lab"
	cp "$here/../../migration/settings" "$copy/migration"
	rm "$scripts/runner_test.sh"
	cat >"$copy/programs" <<<'program() { printf "TAP version 13\n1..1\nok 1 b\n"; }'
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
	touch "$copy"/migration/room/{b_test.c,c_test.sh} "$copy"/out/selftests/{b_test,c_test.sh}
	chmod +x "$scripts/a_test.sh" "$copy/lab/boot/run.sh" "$copy"/out/selftests/*
}

all_programs='a_test.sh b_test c_test.sh'

# run_check TESTS: check.sh with these programs; the output is in $dir/output.
run_check() {
	TESTS=$1 "$scripts/check.sh" "$KERNEL_SOURCE" "$copy/out" >"$dir/output" 2>&1
}

# Runner: the closing line counts the tests on this machine and in the VM.
case_closing_line() {
	copy_scripts
	! run_check "$all_programs" || fail "the failure is lost"
	cat "$dir/output"
	[ "$(tail -n 1 "$dir/output")" = "3 passed, 1 failed, 0 skipped" ] || fail "wrong closing line"
	[ -s "$copy/out/log/check.ktap" ] && [ -s "$copy/out/log/check-here.ktap" ] ||
		fail "a log is missing"
}

# Runner: TESTS selects programs on this machine and in the VM. The default is all of the VM.
case_selected() {
	copy_scripts
	run_check '' || fail "the default fails"
	[ "$(tail -n 1 "$dir/output")" = "2 passed, 0 failed, 0 skipped" ] || fail "another default"
	run_check b_test || fail "b_test fails"
	[ "$(tail -n 1 "$dir/output")" = "1 passed, 0 failed, 0 skipped" ] || fail "more than b_test"
	! run_check none_test || fail "an unknown program is accepted"
	file_has "$dir/output" "no test program none_test; there are: " " b_test "
	! grep -qF "b_test.c" "$dir/output" || fail "a name that TESTS does not take"
	mkdir -p "$copy/lab/qemu" && touch "$copy/lab/qemu/there.py"
	! run_check qemu/none.py || fail "an unknown program with QEMU is accepted"
	grep -qF "no test program qemu/none.py; there are: qemu/there.py" "$dir/output" ||
		fail "$(cat "$dir/output")"
}

# Runner: ARGS reaches a program in the VM unchanged.
case_args_quoted() {
	local args="-t it's"

	copy_scripts
	ARGS=$args run_check b_test || fail "b_test fails"
	cat "$copy/command"
	sh -c "$(sed 's/^exec sh/set --/' "$copy/command")"'; [ "$4" = "$0" ]' "$args" ||
		fail "ARGS is changed"
}

# Runner: a run that fails as a whole is a failure, though each case has passed.
case_run_as_a_whole() {
	copy_scripts
	# A report of the kernel, for example
	echo 'exit 1' >>"$copy/lab/boot/run.sh"
	! run_check b_test || fail "the failure is lost"
	grep -q '^not ok the run as a whole: see the error above' "$dir/output" ||
		fail "it is not reported"
	[ "$(tail -n 1 "$dir/output")" = "1 passed, 1 failed, 0 skipped" ] || fail "wrong closing line"
}

# Runner: a run in which all is skipped has failed; skipped cases are counted apart.
case_nothing_passed() {
	copy_scripts
	sed -i 's/ok 1 b/ok 1 b # SKIP no reason/' "$copy/programs"
	! run_check b_test || fail "nothing has passed, and the run has"
	grep -q '^not ok the run as a whole: no test case passed' "$dir/output" ||
		fail "it is not reported"
	[ "$(tail -n 1 "$dir/output")" = "0 passed, 1 failed, 1 skipped" ] || fail "wrong closing line"
}

# Runner: the exit status of a program on this machine counts as that of one in the VM.
case_status_on_this_machine() {
	copy_scripts
	printf '#!/bin/sh\nprintf "TAP version 13\n1..1\nok 1 a\n"; exit 1\n' >"$scripts/a_test.sh"
	! run_check a_test.sh || fail "the status is lost"
	grep -q 'a_test.sh: exit status 1, though no case failed' "$dir/output" ||
		fail "it is not reported"
}

# Runner: a summary that dies fails the run, on this machine
case_summary_dies_here() {
	dying_summary '/check-here\ *'
}

# Runner: a summary that dies fails the run, in the VM, too.
case_summary_dies_vm() {
	dying_summary /check
}

# dying_summary PATTERN: the summary with these words dies, the other one does not.
dying_summary() {
	local real

	copy_scripts
	real=$(command -v python3)
	printf '#!/bin/sh\nprintf "TAP version 13\n1..1\nok 1 a\n"\n' >"$scripts/a_test.sh"
	mkdir "$plain/bin"
	cat >"$plain/bin/python3" <<-SCRIPT
		#!/bin/sh
		case "\$*" in
		*summary.py*$1) [ -z "\$VM_INPUT" ] || echo >"\$VM_INPUT"; cat >/dev/null; exit 3 ;;
		esac
		exec $real "\$@"
	SCRIPT
	chmod +x "$plain/bin/python3"
	! PATH="$plain/bin:$PATH" TESTS='a_test.sh b_test' "$scripts/check.sh" "$KERNEL_SOURCE" \
		"$copy/out" >"$dir/output" 2>&1 || fail "the failure is lost"
	[ "$(tail -n 1 "$dir/output")" = "1 passed, 1 failed, 0 skipped" ] || fail "wrong closing line"
}

# check_vms VMS NAME...: make check with these programs, each long enough to be worth a VM, in
# the order of their duration. Standard input is the function "program".
check_vms() {
	local vms=$1 name number=$#
	shift

	[ -n "${copy:-}" ] || copy_scripts
	cat >"$copy/programs"
	mkdir -p "$copy/out/log"
	for name; do
		cp "$copy/out/selftests/b_test" "$copy/out/selftests/$name"
		number=$((number - 1))
		echo "$name ${number}0000"
	done >"$dir/durations"
	[ -e "$copy/out/log/durations" ] || cp "$dir/durations" "$copy/out/log"
	result=0
	VMS=$vms TESTS=$* timeout --kill-after=5 90 "$scripts/check.sh" "$KERNEL_SOURCE" \
		"$copy/out" >"${to:-$dir/output}" 2>"$dir/errors" || result=$?
	wait
	cat "$dir/output" "$dir/errors"
}

# closes_with LINE: the last line; the run has failed if a program did.
closes_with() {
	[ "$(tail -n 1 "$dir/output")" = "$1" ] || fail "it does not end with: $1"
	case $1 in
	*" 0 failed,"*)	[ "$result" = 0 ] || fail "exit status $result" ;;
	*)		[ "$result" = 1 ] || fail "exit status $result" ;;
	esac
	[ -z "$(find "$copy/out" -name 'check.*' -type d)" ] || fail "files are left"
}

# A program waits until N programs have begun: so many VMs run at the same time.
wait_for='wait_for() { until [ "$(wc -l <"$copy/runs")" -ge $1 ]; do sleep 0.05; done; }
	result() { printf "TAP version 13\n1..1\n$*ok 1 b\n"; }'

# Runner: each program runs once, in one of several VMs at the same time; logs are kept apart.
case_vms_share_programs() {
	local tests=(p{1..9}_test)

	check_vms 3 "${tests[@]}" <<-SCRIPT
		$wait_for
		program() { wait_for 3; result; }
	SCRIPT
	closes_with "9 passed, 0 failed, 0 skipped"
	diff <(printf '%s\n' "${tests[@]}") <(sed 's/.* //' "$copy/runs" | sort) ||
		fail "a program did not run once"
	for vm in 1 2 3; do
		[ "$(grep -c "^check-$vm " "$copy/runs")" = \
		  "$(grep -c ' begin ' "$copy/out/log/check-$vm.ktap")" ] || fail "the log of VM $vm"
	done
}

# Runner: logs of an earlier run with more VMs are removed.
case_vms_old_logs() {
	copy_scripts
	mkdir -p "$copy/out/log"
	touch "$copy"/out/log/{check,check-2,check-12}.{ktap,console} "$copy/out/log/check-here.ktap"
	check_vms 1 p_test <<<'program() { printf "TAP version 13\n1..1\nok 1 b\n"; }'
	closes_with "1 passed, 0 failed, 0 skipped"
	[ "$(cd "$copy/out/log" && echo check*)" = "check-here.ktap check.ktap" ] ||
		fail "logs: $(ls "$copy/out/log")"
}

# Runner: with one VM, which is make check JOBS=1, programs run one after the other in the given
# order, those of this machine first; the log is check.ktap.
case_vms_one_job() {
	copy_scripts
	mkdir -p "$copy/out/log"
	printf '%s\n' 'c_test.sh 10000' 'b_test 90000' >"$copy/out/log/durations"
	# It gives the VM time to begin.
	cat >"$scripts/a_test.sh" <<-SCRIPT
		#!/bin/sh
		tries=20
		until [ -e "$copy/runs" ] || [ \$tries = 0 ]; do
			sleep 0.05
			tries=\$((tries - 1))
		done
		echo here a_test.sh >>"$copy/runs"
		printf "TAP version 13\n1..1\nok 1 a\n"
	SCRIPT
	check_vms 1 c_test.sh a_test.sh b_test <<-'SCRIPT'
		echo "$name begins" >>"$copy/runs"
		program() { printf "TAP version 13\n1..1\nok 1 b\n"; }
	SCRIPT
	closes_with "3 passed, 0 failed, 0 skipped"
	diff - "$copy/runs" <<-'END' || fail "another order"
		here a_test.sh
		check begins
		check c_test.sh
		check b_test
	END
	[ -s "$copy/out/log/check.ktap" ] || fail "no check.ktap"
}

# Runner: the longest programs begin first, so none of them begins when the others have ended.
case_vms_longest_first() {
	check_vms 2 p{1..4}_test <<-SCRIPT
		$wait_for
		program() { wait_for 2; result; }
	SCRIPT
	closes_with "4 passed, 0 failed, 0 skipped"
	[ "$(head -n 2 "$copy/runs" | sed 's/.* //' | sort | xargs)" = "p1_test p2_test" ] ||
		fail "others began first: $(cat "$copy/runs")"
}

# Runner: programs that take less time than a boot share a VM.
case_vms_short_programs() {
	copy_scripts
	mkdir -p "$copy/out/log"
	printf '%s 1000\n' b_test c_test.sh >"$copy/out/log/durations"
	VMS=2 TESTS="b_test c_test.sh" "$scripts/check.sh" "$KERNEL_SOURCE" "$copy/out" \
		>"$dir/output" 2>&1 || fail "a failure"
	[ "$(sed 's/ .*//' "$copy/runs" | xargs)" = "check check" ] || fail "$(cat "$copy/runs")"
}

# Runner: if a VM ends early, its program has failed, and the other VM runs those that are left.
case_vms_one_ends() {
	check_vms 2 p{1..5}_test <<-SCRIPT
		$wait_for
		program() {
			wait_for 2
			[ \$name = check-1 ] || exit
			result
		}
	SCRIPT
	closes_with "4 passed, 1 failed, 0 skipped"
	[ "$(grep -c "$(sed -n 's/^check-2 \(.*\)/\1: the VM ended while it ran/p' "$copy/runs")" \
		"$dir/output")" = 1 ] || fail "the program of the VM that ended is not named"
}

# Runner: if all VMs end early, the programs that were not run are named, and have failed.
case_vms_all_end() {
	check_vms 2 p{1..5}_test <<-SCRIPT
		$wait_for
		program() { wait_for 2; exit; }
	SCRIPT
	closes_with "0 passed, 5 failed, 0 skipped"
	grep -qx "not ok, were not run: p3_test p4_test p5_test" "$dir/output" || fail "not named"
}

# Runner: a VM may end after it was sent a program, before that began.
case_vms_end_between() {
	check_vms 1 p{1..3}_test <<-SCRIPT
		$wait_for
		program() { result; }
		printf() {
			[[ "\$*" != "%s begin "*" p2_test" ]] || exit
			builtin printf "\$@"
		}
	SCRIPT
	closes_with "1 passed, 2 failed, 0 skipped"
	for test in p2_test p3_test; do
		grep -qx "not ok, were not run: $test" "$dir/output" || fail "$test is not named"
	done
}

# Runner: the failure of one VM fails the run, though each program passed.
case_vms_one_fails() {
	copy_scripts
	echo 'echo "error: the kernel reported in $name" >&2; [ $name != check-2 ]' \
		>>"$copy/lab/boot/run.sh"
	check_vms 2 p{1..3}_test <<<'program() { printf "TAP version 13\n1..1\nok 1 b\n"; }'
	closes_with "3 passed, 1 failed, 0 skipped"
	grep -q "the run as a whole" "$dir/output" && grep -q "reported in check-2" "$dir/errors" ||
		fail "no error"
}

# Both summaries have got a whole program, and wait: for the reader, or for each other.
summaries_wait() {
	local pids

	until [ "$(wc -l 2>/dev/null <"$copy/ended")" = 2 ]; do
		sleep 0.05
	done
	mapfile -t pids < <(pgrep -f "^python3 $scripts/summary.py")
	[ ${#pids[@]} = 2 ] || return
	while kill -0 "${pids[@]}" 2>/dev/null &&
			[ "$(cut -d ' ' -f 3 /proc/"${pids[0]}"/stat /proc/"${pids[1]}"/stat |
				xargs)" != "S S" ]; do
		sleep 0.05
	done
}

# Runner: the lines of a program are printed together.
case_vms_lines_together() {
	local to=$dir/fifo

	copy_scripts
	mkfifo "$to"
	{
		summaries_wait
		cat
	} <"$to" >"$dir/output" &
	check_vms 2 p{1,2}_test <<-SCRIPT
		$wait_for
		printf() {
			builtin printf "\$@"
			[[ \$1 != "%s end"* ]] || builtin echo >>"\$copy/ended"
		}
		program() {
			wait_for 2
			echo "TAP version 13"
			echo 1..1
			seq -f "# \$test %.0f \$(printf '%0900d' 0)" 2000
			echo "not ok 1 b"
		}
	SCRIPT
	closes_with "0 passed, 2 failed, 0 skipped"
	[ "$(grep -o 'p._test' "$dir/output" | uniq | wc -l)" = 2 ] || fail "lines are mixed"
}

# Runner: with several VMs a case that has ended names its program.
case_vms_progress() {
	local PROGRESS=1

	export PROGRESS
	check_vms 2 p{1,2}_test <<-SCRIPT
		$wait_for
		program() { wait_for 2; result "# text\n"; }
	SCRIPT
	closes_with "2 passed, 0 failed, 0 skipped"
	for test in p1_test p2_test; do
		grep -qx "  $test: b: text" "$dir/output" || fail "no line of $test"
	done
}

# Two VMs with the scripts in boot/ and a stub of QEMU, and a program here. Each adds its process
# to the file "pids"; standard input is what QEMU does then: $output, $input and $mark are there.
check_with_boot() {
	[ -n "${copy:-}" ] || copy_scripts
	cp "$here/../boot/run.sh" "$copy/lab/boot"
	fake_qemu < <(
		cat <<-SCRIPT
			echo \$\$ >>"$copy/pids"
			mark=\$(grep -ao 'run-tests @[0-9a-f]*' "\$initrd" | sed 's/.* //')
			echo "\$mark begin-run" >>"\$output"
		SCRIPT
		cat
	)
	printf '#!/bin/sh\necho $$ >>%s\nexec sleep 80\n' "$copy/pids" >"$scripts/a_test.sh"
	mkdir -p "$copy/out/log" "$plain/modules"
	touch "$plain/kernel" "$plain/mtty.ko" "$plain/modules/order" "$copy/out/base.cpio"
	printf '%s 90000\n' b_test c_test.sh >"$copy/out/log/durations"
	set -- "$KERNEL_SOURCE" "$copy/out" "$plain/cache" -k "$plain/kernel" -m "$plain/modules" \
		-t "$plain/mtty.ko" -o "$copy/out" -l 90
	export ACCEL=tcg VMS=2 TESTS='a_test.sh b_test c_test.sh'
	check=("$scripts/check.sh" "$@")
}

all_ended() {
	local pid

	[ "$(wc -l <"$copy/pids")" = 3 ] || fail "$(wc -l <"$copy/pids") processes began"
	while read -r pid; do
		! kill -0 "$pid" 2>/dev/null || fail "process $pid is left"
	done <"$copy/pids"
	[ -z "$(find "$copy/out" -name 'check.*' -o -name 'run.*')" ] || fail "files are left"
}

# check_is_ended SIGNAL PREFIX: a signal for check.sh, or with "-" for its group, as from a terminal
check_is_ended() {
	local pid status=0 begin

	check_with_boot <<<'exec sleep 80'
	setsid env --default-signal=INT,TERM "${check[@]}" >"$dir/output" 2>&1 &
	pid=$!
	until [ "$(wc -l 2>/dev/null <"$copy/pids")" = 3 ]; do
		kill -0 $pid || fail "check.sh has ended"
		sleep 0.05
	done
	begin=$SECONDS
	kill -s "$1" -- "$2$pid"
	wait $pid || status=$?
	cat "$dir/output"
	[ $((SECONDS - begin)) -lt "$soon" ] || fail "it took $((SECONDS - begin)) s"
	[ $status = 130 ] || fail "exit status $status"
	all_ended
}

# Runner: a signal ends all VMs and the program here, and leaves no files.
case_vms_terminated() {
	check_is_ended TERM ''
}

# Runner: the same for a signal from a terminal.
case_vms_interrupted() {
	check_is_ended INT -
}

# Runner: all VMs end when the reader of the output has exited.
case_vms_reader_gone() {
	local begin=$SECONDS

	copy_scripts
	# The first to get a program ends it, when the other has begun one, too.
	check_with_boot <<-SCRIPT
		read -r test <"\$input.in"
		echo "\$mark begin \$test" >>"\$output"
		until [ "\$(wc -l <"$copy/pids")" = 3 ]; do sleep 0.05; done
		[ \$test = b_test ] || exec sleep 80
		printf "TAP version 13\n1..1\nok 1 b\n\$mark end b_test 0 1\n" >>"\$output"
		exec sleep 80
	SCRIPT
	{
		"${check[@]}" 2>"$dir/errors"
		echo $? >"$dir/status"
	} | head -n 1 >"$dir/output" || true
	cat "$dir/output" "$dir/errors"
	grep -qx "ok b_test: 1 passed" "$dir/output" || fail "the summary is lost"
	[ "$(grep ^booting "$dir/errors")" = "booting 2 VMs under tcg ..." ] || fail "another line"
	[ $((SECONDS - begin)) -lt "$soon" ] || fail "it took $((SECONDS - begin)) s"
	[ "$(cat "$dir/status")" = 141 ] || fail "exit status $(cat "$dir/status")"
	all_ended
}

# Runner: reports of all VMs are in one file.
case_vms_report() {
	local REPORT

	copy_scripts
	export REPORT=$copy/report
	mkdir "$copy/lab/report"
	printf 'import sys\nprint("timelines of", *sys.argv[2:])\n' >"$copy/lab/report/timeline.py"
	check_vms 2 p{1,2}_test <<-SCRIPT
		$wait_for
		program() {
			wait_for 2
			result
			mkdir "\$copy/\$test"
			echo text >"\$copy/\$test/\$test.txt"
			tar -cf "\$report" -C "\$copy/\$test" .
		}
	SCRIPT
	closes_with "2 passed, 0 failed, 0 skipped"
	[ "$(grep -c "timelines of $REPORT" "$dir/output")" = 1 ] || fail "no timelines"
	[ "$(tar -tf "$REPORT.tar" | grep txt | sort | xargs)" = "./p1_test.txt ./p2_test.txt" ] ||
		fail "the files are lost"
}
