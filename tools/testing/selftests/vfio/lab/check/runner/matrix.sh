# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# make matrix: matrix.py, with a stub in place of make

# Configurations one, two and built. The stub of make copies $plain/logs/STOCK to the log of
# $plain/out/kSTOCK, and ends with the status in $plain/status/STOCK.
matrix_repo() {
	repository=$plain/repo
	lab=$repository/tools/testing/selftests/vfio/lab
	mkdir -p "$lab/../migration/uapi" "$plain/logs" "$plain/status" "$plain/out"
	cp -r "$here"/../{check,boot,matrix,mutants,stanzas.py} "$lab"
	touch "$lab/../migration/uapi/a_test.c" "$lab/../migration/uapi/b_test.sh"
	printf '%s\n' '# A comment' '' 'one tests make check STOCK=1' 'two	tests	make check STOCK=2' \
		'built build make build-all STOCK=3' >"$lab/matrix/configurations"
	: >"$lab/matrix/nowhere"
	git -C "$repository" init -q
	fake_program fake-make <<-'SCRIPT'
		#!/bin/bash
		echo "$*" >>"$FAKE/calls"
		env | sort >"$FAKE/environment"
		for word; do
			case $word in
			STOCK=*) name=${word#*=} ;;
			OUT=*) out=${word#*=} ;;
			esac
		done
		echo "the output of $name"
		[ ! -e "$FAKE/logs/$name" ] || {
			mkdir -p "$out/k$name/log"
			cp "$FAKE/logs/$name" "$out/k$name/log/check.ktap"
		}
		echo $$ >"$FAKE/process"
		[ ! -e "$FAKE/hang" ] || exec sleep 100
		exit "$(cat "$FAKE/status/$name" 2>/dev/null || echo 0)"
	SCRIPT
	export FAKE=$plain
	log 1 a_test 'ok 1 first' 'ok 2 second # SKIP no cdev'
	log 1 b_test.sh 'ok 1 third'
	log 2 a_test@cdev 'ok 1 first' 'ok 2 second'
	log 2 b_test.sh 'ok 1 third # SKIP no network'
}

# log STOCK PROGRAM RESULT...: adds a program to a log.
log() {
	local stock=$1 program=$2 status=0
	shift 2

	[[ "$*" != *"not ok"* ]] || status=1
	printf '%s\n' "@0123456789abcdef begin $program" 'TAP version 13' "1..$#" "$@" \
		"@0123456789abcdef end $program $status 20" >>"$plain/logs/$stock"
}

# run_matrix STATUS [OPTION]
run_matrix() {
	local want=$1 status=0
	shift

	"$lab/matrix/matrix.py" "$@" "$repository" "$KERNEL_SOURCE" "$plain/out" fake-make WORD=1 \
		>"$dir/output" 2>&1 || status=$?
	cat "$dir/output"
	[ $status = "$want" ] || fail "matrix.py ends with $status"
}

# table_has TEXT...: the output has these, with one blank where it has several.
table_has() {
	sed 's/  */ /g' "$dir/output" >"$dir/words"
	file_has "$dir/words" "$@"
}

# called TIMES: since the last look
called() {
	touch "$plain/calls"
	[ "$(wc -l <"$plain/calls")" = "$1" ] || {
		cat "$plain/calls"
		fail "make is not called $1 times"
	}
	rm -f "$plain/calls"
}

# Runner: the table has a row for each configuration, the skips by reason, and what passed in none.
case_matrix_table() {
	matrix_repo
	run_matrix 0
	table_has 'one 2 0 1 ' 'two 2 0 1 ' 'built - 0 - ' 'skipped on one:' ' 1 no cdev' \
		'3 of 3 cases passed in at least one' \
		'3 configurations, 0 failed, 0 not run; 0 of 3 cases passed in none'
	python3 - "$plain/out/matrix/results.json" <<-'END' || fail "results.json"
		import json, sys
		found = json.load(open(sys.argv[1]))
		assert found['good'] and found['cases'] == 3 and not found['never'], found
		assert [row['name'] for row in found['rows']] == ['one', 'two', 'built'], found
		assert found['rows'][1]['reasons'] == {'no network': 1}, found
	END
}

# Runner: a case that fails, fails the matrix, and is named.
case_matrix_failed_case() {
	matrix_repo
	log 1 c_test 'ok 1 bad'
	log 2 c_test 'not ok 1 bad'
	echo 2 >"$plain/status/2"
	run_matrix 1
	table_has 'two 2 1 1 ' 'failed on two:' 'c_test: bad failed' '3 configurations, 1 failed'
}

# Runner: a run or a build that fails without a case fails the matrix, and its end is shown.
case_matrix_failed_run() {
	matrix_repo
	echo 2 >"$plain/status/1"
	run_matrix 1
	table_has 'one 2 1 1 ' 'make check STOCK=1: exit status 2' ' the output of 1'
	rm "$plain/status/1"
	echo 1 >"$plain/status/3"
	rm -r "$plain/out/matrix"
	run_matrix 1
	table_has 'built - 1 - ' 'make build-all STOCK=3: exit status 1' ' the output of 3'
}

# Runner: a case that passes in no configuration fails the matrix, unless the file "nowhere" has it.
case_matrix_nowhere() {
	matrix_repo
	log 1 a_test 'ok 1 lonely # SKIP no reason here' 'ok 2 alone # SKIP no reason here'
	log 2 d_test 'ok 1 other # SKIP none there'
	run_matrix 1
	table_has '3 of 6 cases passed in none, without' \
		'passed in none: a_test: alone and 1 more (one: no reason here)' \
		'passed in none: d_test: other (two: none there)'
	printf '%s\n' 'Cases: [ad]_test:*o*' 'Reason: Nobody can.' >"$lab/matrix/nowhere"
	run_matrix 0
	table_has ' 3 passed in none: Nobody can.' '0 of 6 cases passed in none'
	printf '%s\n' '' 'Cases: e_test:*' 'Reason: None.' >>"$lab/matrix/nowhere"
	run_matrix 1
	table_has 'e_test:* in the file "nowhere" fits no such case'
}

# Runner: a program that is in no log, or was skipped as a whole, is a case that passed in none.
case_matrix_program_nowhere() {
	matrix_repo
	touch "$lab/../migration/uapi/new_test.c"
	printf '%s\n' '@0123456789abcdef begin w_test' '1..0 # SKIP no module' \
		'@0123456789abcdef end w_test 4 1' >>"$plain/logs/1"
	run_matrix 1
	table_has 'passed in none: new_test: (all cases) (it is in no run)' \
		'passed in none: w_test: (all cases) (one: no module)'
	log 2 w_test 'ok 1 works'
	log 2 new_test 'ok 1 works'
	rm -r "$plain/out/matrix"
	run_matrix 0
}

# Runner: what has run is not run again, until the repository changes. A failure is kept, too.
case_matrix_resumed() {
	matrix_repo
	run_matrix 0
	called 3
	run_matrix 0
	called 0
	table_has 'already run at this state, and not again: one two built' 'one 2 0 1 '
	rm -r "$plain/out/matrix/all/two"
	echo 1 >"$plain/status/2"
	run_matrix 1
	called 1
	run_matrix 1
	called 0
	rm "$plain/status/2"
	echo change >"$lab/../migration/uapi/a_test.c"
	run_matrix 0
	called 3
}

# Runner: the table can be printed again; what has not run is no success.
case_matrix_table_only() {
	matrix_repo
	run_matrix 0
	called 3
	run_matrix 0 -n
	called 0
	table_has 'one 2 0 1 ' '0 not run'
	rm -r "$plain/out/matrix/all/built"
	run_matrix 1 -n
	called 0
	table_has 'built - - - not run' '1 not run'
}

# Runner: MATRIX selects configurations, TESTS programs. A part does not replace the whole, and
# does not have to run each case.
case_matrix_selection() {
	matrix_repo
	run_matrix 0
	called 3
	log 1 a_test 'ok 1 lonely # SKIP no reason here'
	ARCH=arm64 TESTS=a_test MATRIX='one' run_matrix 0
	file_has "$plain/environment" TESTS=a_test
	! grep -E '^(ARCH|MATRIX)=' "$plain/environment" || fail "a variable of another configuration"
	called 1
	table_has '1 configurations, 0 failed' '(a part of the matrix)'
	[ -e "$plain/out/matrix/selected/one/check.ktap" ] || fail "no log is kept"
	run_matrix 0
	called 0
	table_has '0 of 3 cases passed in none'
	MATRIX='one three' run_matrix 2
	table_has 'no configuration three; there are: one two built'
}

# Runner: a log of another run in OUT is not taken for that of this configuration.
case_matrix_other_logs() {
	matrix_repo
	mkdir -p "$plain/out/other/log"
	echo "@0123456789abcdef begin z_test" >"$plain/out/other/log/check.ktap"
	rm "$plain/logs/1"
	echo 2 >"$plain/status/1"
	run_matrix 1
	table_has 'one 0 1 0 '
	! grep -q z_test "$dir/output" || fail "another log is read"
}

# Runner: a signal ends the configuration that runs, which has no result then.
case_matrix_ended() {
	local process

	matrix_repo
	touch "$plain/hang"
	env --default-signal "$lab/matrix/matrix.py" "$repository" "$KERNEL_SOURCE" "$plain/out" \
		fake-make >"$dir/output" 2>&1 &
	process=$!
	until [ -s "$plain/process" ]; do
		sleep 0.1
	done
	kill "$process"
	! wait "$process" || fail "it succeeds"
	! kill "$(cat "$plain/process")" 2>/dev/null || fail "make still runs"
	rm "$plain/hang"
	[ ! -e "$plain/out/matrix/all/one/result.json" ] || fail "it has a result"
}

# Runner: MATRIX is a variable of make, and the configurations are those of the file.
case_matrix_of_make() {
	# With -n nothing else of it is run.
	refuses "no configuration one; there are: stock-6.12 " -n MATRIX=one matrix
}
