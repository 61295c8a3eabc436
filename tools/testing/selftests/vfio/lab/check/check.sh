#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs the tests of the runner on this machine and all others in one VM, and ends with the
# line "N passed, N failed, N skipped". TESTS selects programs, ARGS is passed to each (for
# example "-t NAME", see a program's -h), TEST_TIMEOUT is the time limit for each, in seconds.
# TEST@cdev opens devices as cdev; BOTH_PATHS adds that to all programs but those of
# tests-no-cdev. NAME is the name of the logs. With REPORT the files of the programs are kept
# in REPORT.tar, and timelines in the directory REPORT.
#
# Usage: check.sh KERNEL_SOURCE OUT run.sh's arguments...
set -euo pipefail
export LC_ALL=C

here=$(dirname "$(realpath "$0")")
source=$1
out=$2
shift 2
name=${NAME:-check}

# The names of all test programs
names() {
	local file

	for file in "$here"/*_test.sh "$here"/../../migration/*/*_test.{c,sh}; do
		basename "$file" .c
	done
}

# The limit for each program is in kselftest's settings.
limit=${TEST_TIMEOUT:-$(sed -n 's/^timeout=//p' "$here/../../migration/settings")}
read -r -a tests <<<"${TESTS:-}"
if [ ${#tests[@]} -eq 0 ]; then
	mapfile -t tests < <(names)
	for test in ${BOTH_PATHS:+$(names | grep "_test$" | grep -vxF -f "$here/tests-no-cdev")}; do
		tests+=("$test@cdev")
	done
fi
here_tests=()
vm_tests=()
for test in "${tests[@]}"; do
	if [[ $test == *_test.sh && -x $here/$test ]]; then
		here_tests+=("$test")
	elif [ -x "$out/selftests/${test%@*}" ]; then
		vm_tests+=("$test")
	else
		echo "error: no test program $test; there are: $(names | xargs)" >&2
		exit 2
	fi
done

# Another run may use the same logs: they are moved there when complete.
mkdir -p "$out/log"
work=$(mktemp -d "$out/check.XXXXXX")
trap 'rm -rf "$work"' EXIT
mark=@$(od -An -N8 -tx8 /dev/urandom | tr -d ' ')
status=0

# Prints the command that reads the output of TEST...; DIR gets its results.
summary() {
	local dir=$1
	shift

	mkdir "$dir"
	echo "python3 $here/summary.py $source $mark $limit $dir $*"
}

# Does what run-tests does in the VM, for programs on this machine.
run_here() {
	local test start status

	for test; do
		echo "$mark begin $test"
		start=${EPOCHREALTIME/.}
		status=0
		# ARGS is a list of words.
		# shellcheck disable=SC2086
		KERNEL_SOURCE=$source timeout --kill-after=5 -s KILL "$limit" \
			"$here/$test" ${ARGS:-} </dev/null >"$work/output" 2>&1 || status=$?
		# A file: a process that the test has not ended would keep a pipe open.
		cat "$work/output"
		printf '\n%s end %s %s %s\n' "$mark" "$test" "$status" \
			$(((${EPOCHREALTIME/.} - start) / 1000))
	done
}

run_in_vm() {
	local reader quoted=${ARGS:-}

	reader=$(summary "$work/vm" "$@")
	quoted=\'${quoted//\'/\'\\\'\'}\'
	RUN="exec sh run-tests $mark $limit $quoted $*" ADD="$here/../boot/run-tests ${ADD:-}" \
		"$here/../boot/run.sh" "${vm_options[@]}" ${REPORT:+-f "$work/report.tar"} \
		-n "$name" -r "$reader" || status=$?
	# A VM that ended early leaves no report.
	[ -s "$work/report.tar" ] || return 0
	python3 "$here/../report/timeline.py" "$work/report.tar" "$REPORT" || status=1
	mv "$work/report.tar" "$REPORT.tar"
}

passed=0 failed=0 skipped=0
add_up() {
	local dir=$1 log=$2 p f s

	[ -s "$dir/sums" ] || return 0
	read -r p f s <"$dir/sums"
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	mv "$dir/ktap" "$out/log/$log.ktap"
}

vm_options=("$@")
if [ ${#here_tests[@]} -gt 0 ]; then
	reader=$(summary "$work/here" "${here_tests[@]}")
	run_here "${here_tests[@]}" | $reader || status=$?
	add_up "$work/here" "$name-here"
fi
if [ ${#vm_tests[@]} -gt 0 ]; then
	run_in_vm "${vm_tests[@]}"
	add_up "$work/vm" "$name"
fi
# The run may fail though each case passed, for example by a report of the kernel.
if [ "$status" != 0 ] && [ "$failed" = 0 ]; then
	echo "not ok the run as a whole: see the error above"
	failed=1
elif [ $((passed + failed)) = 0 ]; then
	echo "not ok the run as a whole: no test case passed"
	failed=1
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
