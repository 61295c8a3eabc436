# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2015,SC2016,SC2034,SC2154
#
# summary.py: the verdict on a program's output and exit status

# name | exit status of the program | text that the summary must print, or "ok" | output
verdicts+=(
	# Runner: a program that reports as announced has passed.
	'verdict_good|0|ok|TAP version 13\n1..2\n# text\nok 1 a\nok 2 b # SKIP reason\n'
	'verdict_good_subtests|0|ok|KTAP version 1\n1..1\n  KTAP version 1\n  1..2\n  ok 1 a\n  ok 2 b\nok 1 suite\n'
	'verdict_good_skip_all|4|ok|TAP version 13\n1..0 # SKIP no device\n'
	'verdict_good_without_line_end|0|ok|TAP version 13\n1..1\nok 1 a'
	'verdict_good_colour|0|ok|TAP version 13\n1..1\n# \033[31mred\033[0m\nok 1 a\n'
	# Runner: a case that failed is a failure, whatever the exit status.
	'verdict_not_ok|1|b failed|TAP version 13\n1..2\nok 1 a\nnot ok 2 b\n'
	'verdict_not_ok_exit_0|0|b failed|TAP version 13\n1..2\nok 1 a\nnot ok 2 b\n'
	'verdict_not_ok_without_line_end|0|b failed|TAP version 13\n1..2\nok 1 a\nnot ok 2 b'
	# Runner: an exit status that contradicts the results is a failure.
	'verdict_ok_exit_1|1|exit status 1, though no case failed|TAP version 13\n1..1\nok 1 a\n'
	'verdict_ok_exit_4|4|exit status 4 means that all cases were skipped|TAP version 13\n1..1\nok 1 a\n'
	'verdict_crash|139|crashed: SIGSEGV|TAP version 13\n1..1\nok 1 a\n'
	'verdict_killed|137|killed after its time limit|TAP version 13\n1..1\nok 1 a\n'
	# Runner: the results match the plan.
	'verdict_beyond_the_plan|0|more results than the 2 of the plan: .not ok 3 c|TAP version 13\n1..2\nok 1 a\nok 2 b\nnot ok 3 c\n'
	'verdict_ok_beyond_the_plan|0|more results than the 1 of the plan|TAP version 13\n1..1\nok 1 a\nok 2 b\n'
	'verdict_too_few|0|1 of 3 test cases were announced|TAP version 13\n1..3\nok 1 a\nok 2 b\n'
	'verdict_no_plan|0|a result without a plan|TAP version 13\nok 1 a\nok 2 b\n'
	'verdict_late_plan|0|a plan after the first result|TAP version 13\nok 1 a\n1..1\n'
	'verdict_second_plan|0|a second plan|TAP version 13\n1..1\nok 1 a\n1..2\n'
	'verdict_nothing|0|ran no test case|just text\n'
	'verdict_empty_plan|0|ran no test case|TAP version 13\n1..0\n'
	# Runner: numbers are consecutive.
	'verdict_number_twice|0|number 1 where 2 is expected|TAP version 13\n1..2\nok 1 a\nok 1 b\n'
	'verdict_number_order|0|number 2 where 1 is expected|TAP version 13\n1..2\nok 2 b\nok 1 a\n'
	'verdict_no_number|0|a result that is not KTAP|TAP version 13\n1..1\nok 1 a\nnot ok b\n'
	'verdict_unreadable|0|a result that is not KTAP|TAP version 13\n1..1\nok 1 a\nnot ok 2 b#c\n'
	# Runner: a list begins with a header; a result before it is an error.
	'verdict_no_header|0|a result before the header|1..1\nok 1 a\n'
	'verdict_before_header|0|a result before the header|not ok 1 a\nTAP version 13\n1..1\nok 1 a\n'
	'verdict_second_header|0|a second header|TAP version 13\n1..1\nok 1 a\nTAP version 13\n1..1\nnot ok 1 a\n'
	# Runner: a program that bails out has failed.
	'verdict_bail_out|0|Bail out!|TAP version 13\n1..1\nok 1 a\nBail out! no device\n'
	# Runner: subtests are checked, and the suite.
	'verdict_subtest|0|b failed|KTAP version 1\n1..1\n  KTAP version 1\n  1..2\n  ok 1 a\n  not ok 2 b\nok 1 suite\n'
	'verdict_suite|0|suite failed, though none|KTAP version 1\n1..1\n  KTAP version 1\n  1..1\n  ok 1 a\nnot ok 1 suite\n'
	'verdict_subtest_plan|0|more results than the 1 of the plan|KTAP version 1\n1..1\n  KTAP version 1\n  1..1\n  ok 1 a\n  not ok 2 b\nok 1 suite\n'
	# Runner: bytes that are not text may hide a result.
	'verdict_zero_byte|0|not text|TAP version 13\n1..1\nok 1 a\n\0not ok 2 b\n'
	'verdict_no_utf8|0|not text|TAP version 13\n1..1\nok 1 a\n\377\376not ok 2 b\n'
)

# summarize TEST...: standard input is the output of the VM
summarize() {
	mkdir -p "$dir/sums"
	timeout 60 python3 "$here/summary.py" "$KERNEL_SOURCE" @mark 9 "$dir/sums" "$@" \
		>"$dir/output" 2>&1
}

# judge_rows good|bad: all such rows in one run, as each run takes a while
judge_rows() {
	local row name status expected output names=() failures count result=0

	for row in "${verdicts[@]}"; do
		IFS='|' read -r name status expected output <<<"$row"
		[ "$1" = good ] && [ "$expected" != ok ] && continue
		[ "$1" = bad ] && [ "$expected" = ok ] && continue
		names+=("$name")
		printf '@mark begin %s\n' "$name"
		printf '%b' "$output"
		printf '\n@mark end %s %s 1\n' "$name" "$status"
	done >"$dir/rows"
	summarize "${names[@]}" <"$dir/rows" || result=$?
	# Each failure counts.
	read -r _ failures _ <"$dir/sums/sums"
	while read -r count; do
		failures=$((failures - count))
	done < <(sed -n 's/^not ok .* \([0-9]*\) failed.*/\1/p' "$dir/output")
	[ "$failures" = 0 ] || result="$result, $failures failures that no program has"
	echo "$result" >>"$dir/output"
	mv "$dir/output" "$work/$1"
}

judge_verdict() {
	local row expected kind=bad

	for row in "${verdicts[@]}"; do
		[ "${row%%|*}" != "$1" ] || break
	done
	IFS='|' read -r _ _ expected _ <<<"$row"
	[ "$expected" != ok ] || kind=good
	[ -e "$work/$kind" ] || judge_rows $kind
	sed -n "/^\(not \)\?ok $1:/,/^[^ ]/p" "$work/$kind" | sed '2,${/^[^ ]/d}' >"$dir/output"
	cat "$dir/output"
	if [ "$expected" = ok ]; then
		[ "$(tail -n 1 "$work/good")" = 0 ] || fail "exit status $(tail -n 1 "$work/good")"
		grep -q "^ok $1:" "$dir/output" || fail "not ok"
		return
	fi
	[ "$(tail -n 1 "$work/bad")" = 1 ] || fail "exit status $(tail -n 1 "$work/bad")"
	grep -q "^not ok $1:" "$dir/output" || fail "the summary reports ok"
	grep -q -- "$expected" "$dir/output" || fail "the summary does not print: $expected"
}

# may_skip PATTERN OUTPUT STATUS: the summary of a program, with MAY_SKIP
may_skip() {
	{
		printf '@mark begin a_test\n%b\n@mark end a_test %s 1\n@mark end-run\n' "$2" "$3"
	} | MAY_SKIP=$1 summarize a_test
}

# Runner: MAY_SKIP allows reasons for a skip; any other one is a failure.
case_may_skip() {
	local one='TAP version 13\n1..2\nok 1 a\nok 2 b # SKIP no cdev here'
	local all='TAP version 13\n1..0 # SKIP no device'

	may_skip 'no cdev' "$one" 0 || fail "a reason that is allowed is refused"
	! may_skip 'no device' "$one" 0 || fail "a case skips for another reason"
	grep -q 'b was skipped, which MAY_SKIP does not allow: no cdev here' "$dir/output" ||
		fail "the reason is not printed"
	may_skip 'no device' "$all" 4 || fail "a reason of a program that is allowed is refused"
	! may_skip 'no cdev' "$all" 4 || fail "a program skips for another reason"
	grep -q '^not ok a_test' "$dir/output" || fail "the summary reports ok"
}

# fails_in PROGRAM CASE: the case fails, and AGAIN is set
fails_in() {
	printf '@mark begin %s\nTAP version 13\n1..1\n# log\nnot ok 1 %s\n@mark end %s 1 1\n' \
		"$1" "$2" "$1" |
		AGAIN='make check' summarize "$1" && fail "a failure passes"
	return 0
}

# Runner: a case that failed is printed with its label, and with the command that repeats it.
case_failure_says_what_and_how() {
	fails_in uart_test@cdev uart.port_0.detected_as_16550a
	file_has "$dir/output" "    # log" \
		"    16550: what autoconfig() of the 8250 driver checks to find a 16550A" \
		"    run it again: make check TESTS=uart_test@cdev ARGS='-r uart.port_0.detected_as_16550a'"
	fails_in arc_test arc.stop_to_resuming
	file_has "$dir/output" \
		"    Clause arc.stop-to-resuming: STOP to RESUMING succeeds and begins a session."
	# In a comment of several lines, without its further paragraphs
	fails_in reorder_test reorder.data_are_charged_and_snapshots_take_no_memory
	file_has "$dir/output" "take no memory, whatever their number"
	! grep -q "may be SLACK behind" "$dir/output" || fail "a paragraph more"
	fails_in runner_test.sh failure_says_what_and_how
	file_has "$dir/output" "    Runner: a case that failed is printed with its label, and with" \
		"    run it again: make check ARGS='-t failure_says_what_and_how'"
	fails_in qemu/ways.py there
	file_has "$dir/output" "again: make check TESTS=qemu/ways.py ARGS='-t there'"
	fails_in mtty_client_test.sh a
	file_has "$dir/output" "    run it again: make check TESTS=mtty_client_test.sh"
}

# Runner: a program that must run twice and ran once is reported.
case_run_twice() {
	! printf '@mark begin a_test\n%b\n@mark end a_test 0 1\n' \
		'TAP version 13\n1..1\nok 1 a\n' | summarize a_test a_test ||
		fail "the summary reports ok"
	grep -q '^not ok, were not run: a_test' "$dir/output" || fail "the summary does not report it"
}

# Runner: the summary exits when its reader closes the output.
case_summary_reader_gone() {
	local status

	mkdir "$dir/sums"
	mkfifo "$dir/fifo"
	exec 5<>"$dir/fifo"
	printf '@mark begin a_test\n%b\n@mark end a_test 0 1\n' \
		'TAP version 13\n1..1\nok 1 a\n' >&5
	timeout 60 python3 "$here/summary.py" "$KERNEL_SOURCE" @mark 9 "$dir/sums" a_test \
		<"$dir/fifo" 2>"$dir/errors" | head -n 1 >"$dir/output" || true
	status=${PIPESTATUS[0]}
	grep -q '^ok a_test' "$dir/output" || fail "the summary is lost"
	[ "$status" = 141 ] || fail "exit status $status"
	[ ! -s "$dir/errors" ] || fail "$(cat "$dir/errors")"
}
