#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs tests, and ends with the line "N passed, N failed, N skipped". TESTS selects programs: those
# of the runner run on this machine, all others in VMs, which is the default. ARGS is passed to
# each (for example "-t NAME", see a program's -h), TEST_TIMEOUT is the time limit for each, in
# seconds.
# TEST@cdev opens devices as cdev; BOTH_PATHS adds that to all programs but those of
# tests-no-cdev. VMS is the number of VMs, at most; a VM gets the next program when one has
# ended. With VMS=1, the default, nothing runs at the same time. NAME is the name of the logs.
# With REPORT the files of the programs are kept in REPORT.tar, and timelines in the directory
# REPORT.
#
# AGAIN is the make command for the user who wants to run a test that has failed again.
#
# Usage: check.sh KERNEL_SOURCE OUT run.sh's arguments...
set -euo pipefail
export LC_ALL=C

here=$(dirname "$(realpath "$0")")
source=$1
out=$2
shift 2
name=${NAME:-check}

# The names of the test programs in these directories
names() {
	local dir file

	for dir; do
		for file in "$dir"/*_test.{c,sh}; do
			[ ! -e "$file" ] || basename "$file" .c
		done
	done
}

# The names that a wrong one may mean: those with QEMU have a directory
names_like() {
	case $1 in
	*/*)	(cd "$here/.." && echo qemu/*.py) ;;
	*)	names "$here" "$here"/../../migration/* ;;
	esac
}

# The limit for each program is in kselftest's settings.
limit=${TEST_TIMEOUT:-$(sed -n 's/^timeout=//p' "$here/../../migration/settings")}
read -r -a tests <<<"${TESTS:-}"
if [ ${#tests[@]} -eq 0 ]; then
	mapfile -t tests < <(names "$here"/../../migration/*)
	if [ -n "${BOTH_PATHS:-}" ]; then
		for test in $(printf '%s\n' "${tests[@]}" | grep "_test$" |
				grep -vxF -f "$here/tests-no-cdev"); do
			tests+=("$test@cdev")
		done
	fi
fi
here_tests=()
vm_tests=()
for test in "${tests[@]}"; do
	if [[ $test == *_test.sh && -x $here/$test ]]; then
		here_tests+=("$test")
	elif [ -x "$out/selftests/${test%@*}" ]; then
		vm_tests+=("$test")
	else
		echo "error: no test program $test; there are: $(names_like "$test" | xargs)" >&2
		exit 2
	fi
done

# Another run may use the same logs: they are moved there when complete.
mkdir -p "$out/log"
work=$(mktemp -d "$out/check.XXXXXX")
mark=@$(od -An -N8 -tx8 /dev/urandom | tr -d ' ')
durations=$out/log/durations
status=0
# From process to the name of its logs
declare -A running

# A second signal must not end it half-way.
cleanup() {
	trap '' INT TERM HUP
	end_all
	rm -rf "$work"
}

end_all() {
	[ ${#running[@]} -gt 0 ] || return 0
	kill "${!running[@]}" 2>/dev/null || true
	wait "${!running[@]}" || true
	running=()
}

trap cleanup EXIT
trap 'exit 130' INT TERM HUP

# Sets vms and vm_tests: how many VMs, and the programs in the order of their start.
plan() {
	local memory free max=${VMS:-1}

	# GiB of a VM, see boot.sh
	memory=2
	[[ " ${vm_options[*]} " != *" -v "* ]] || memory=4
	free=$(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo)
	free=$((${free:-0} / 1048576 / memory))
	max=$((max < free ? max : free))
	max=$((max < 1 ? 1 : max))
	mapfile -t vm_tests < <(python3 "$here/durations.py" plan "$durations" "$max" \
		"${vm_tests[@]}")
	vms=${vm_tests[0]}
	vm_tests=("${vm_tests[@]:1}")
}

# Prints the command that reads the output of the programs; DIR gets its results.
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
			"$here/$test" ${ARGS:-} </dev/null >"$work/output" 2>&1 &
		child=$!
		wait "$child" || status=$?
		child=
		# A file: a process that the test has not ended would keep a pipe open.
		cat "$work/output"
		printf '\n%s end %s %s %s\n' "$mark" "$test" "$status" \
			$(((${EPOCHREALTIME/.} - start) / 1000))
	done
}

# In a process of its own
run_here_read() {
	local reader child=

	trap 'kill $child "$reader" 2>/dev/null; exit 130' TERM
	exec 4> >(exec $1)
	reader=$!
	shift
	run_here "$@" >&4
	exec 4>&-
	wait "$reader"
}

# start LOG COMMAND...: runs it beside this script.
start() {
	# A signal before exec would run the traps of this shell.
	trap '' INT TERM HUP
	"${@:2}" &
	running[$!]=$1
	trap 'exit 130' INT TERM HUP
	[ "${VMS:-1}" != 1 ] || wait_for_one
}

start_here() {
	local reader

	reader=$(summary "$work/$name-here" "${here_tests[@]}")
	start "$name-here" run_here_read "$reader" "${here_tests[@]}"
}

# start_vm LOG WHAT: run.sh prints that it boots WHAT.
start_vm() {
	local log=$1 reader quoted=${ARGS:-}

	reader=$(summary "$work/$log")
	quoted=\'${quoted//\'/\'\\\'\'}\'
	start "$log" env --default-signal=INT,TERM,HUP QUEUE="$work/queue" BOOTING="$2" \
		RUN="exec sh run-tests $mark $limit $quoted" ADD="$here/../boot/run-tests ${ADD:-}" \
		"$here/../boot/run.sh" "${vm_options[@]}" \
		${REPORT:+-f "$work/$log/report.tar"} -n "$log" -q -r "$reader"
}

start_vms() {
	local i

	printf '%s\n' "${vm_tests[@]}" >"$work/queue"
	rm -f "$out/log/$name"{,-[1-9]*}.{console,ktap}
	if [ "$vms" = 1 ]; then
		start_vm "$name" "the VM"
		return
	fi
	start_vm "$name-1" "$vms VMs"
	for ((i = 2; i <= vms; i++)); do
		start_vm "$name-$i" ''
	done
}

passed=0 failed=0 skipped=0
# Adds the results of a process that has ended.
add_up() {
	local log=$1 p f s

	[ -s "$work/$log/sums" ] || return 0
	read -r p f s <"$work/$log/sums"
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	# ARGS may select some cases of a program.
	[ -n "${ARGS:-}" ] || python3 "$here/durations.py" keep "$durations" "$work/$log/ktap"
	mv "$work/$log/ktap" "$out/log/$log.ktap"
}

wait_for_one() {
	local process log result=0

	wait -n -p process "${!running[@]}" || result=$?
	log=${running[$process]}
	unset "running[$process]"
	[ $result = 0 ] || status=$result
	# The reader of the output has exited.
	[ $result != 141 ] || end_all
	add_up "$log"
}

# A VM that ended early leaves no report.
gather_reports() {
	local report

	for report in "$work"/*/report.tar; do
		[ -s "$report" ] || continue
		if [ -e "$work/report.tar" ]; then
			tar -Af "$work/report.tar" "$report"
		else
			mv "$report" "$work/report.tar"
		fi
	done
	[ -e "$work/report.tar" ] || return 0
	python3 "$here/../report/timeline.py" "$work/report.tar" "$REPORT" || status=1
	mv "$work/report.tar" "$REPORT.tar"
}

# Programs that no VM took, as all have ended early
count_left() {
	local left

	[ -s "$work/queue" ] || return 0
	mapfile -t left <"$work/queue"
	echo "not ok, were not run: ${left[*]}"
	failed=$((failed + ${#left[@]}))
}

vm_options=("$@")
vms=0
[ ${#vm_tests[@]} = 0 ] || plan
if [ "${VMS:-1}" != 1 ] && [ $((vms + (${#here_tests[@]} > 0))) -gt 1 ]; then
	export PRINT_LOCK=$work/printing
fi
[ ${#here_tests[@]} = 0 ] || start_here
[ "$vms" = 0 ] || start_vms
while [ ${#running[@]} -gt 0 ]; do
	wait_for_one
done
[ "$vms" = 0 ] || count_left
[ -z "${REPORT:-}" ] || gather_reports
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
