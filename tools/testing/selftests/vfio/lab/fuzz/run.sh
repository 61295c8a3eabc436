#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs the fuzzers of stream.c, uart.c and mig_config.c on this machine, one after the other,
# until the time is over or one finds something. Ends with the line
# "N executions, N findings", and fails if there are findings.
#
# make_seeds writes the first inputs to DIR/seeds. Inputs that reach new code are kept in
# DIR/corpus, and the next run begins with them, too.
#
# Usage: run.sh DIR [SECONDS | -n RUNS]
#   DIR      where the fuzzers were built
#   SECONDS  for all together (default: 60)
#   RUNS     for each of them instead
set -eu
export LC_ALL=C

usage() {
	sed -n 's/^# Usage: /usage: /p' "$0" >&2
	exit 2
}

is_number() {
	case $1 in
	'' | *[!0-9]* | 0*)
		false
		;;
	esac
}

[ $# -ge 1 ] || usage
dir=$1
shift
case $#:${1-} in
0:)
	limit=-max_total_time=20 long="20 seconds"
	;;
2:-n)
	is_number "$2" || usage
	limit=-runs=$2 long="$2 executions"
	;;
1:*)
	is_number "$1" || usage
	limit=-max_total_time=$((($1 + 2) / 3)) long="$((($1 + 2) / 3)) seconds"
	;;
*)
	usage
	;;
esac

# last_stat NAME: a number that libFuzzer printed
last_stat() {
	sed -n "s/^stat::$1: *//p" "$log" | tail -n 1
}

# sleep does not hold the output open: its reader does not wait for the last sleep.
progress() {
	while sleep 60 >/dev/null 2>&1; do
		echo "  $(grep -o '^#[0-9]*' "$log" | tail -n 1 | tr -d '#') executions so far"
	done
}

# libFuzzer's time limit for one input, 20 minutes, is too long. The search for leaks does
# not work on all machines.
fuzz() {
	name=$1
	log=$dir/$name.log
	corpus=$dir/corpus/$name
	mkdir -p "$corpus" "$dir/findings"
	status=0
	echo "$name: $long ..."
	progress &
	progress_pid=$!
	trap 'kill $progress_pid' EXIT
	"$dir/${name}_fuzz" "$limit" -max_len="$2" -timeout=60 -detect_leaks=0 \
		-print_final_stats=1 -artifact_prefix="$dir/findings/$name-" \
		"$corpus" "$dir/seeds/$name" >"$log" 2>&1 || status=$?
	kill $progress_pid
	trap - EXIT

	n=$(last_stat number_of_executed_units)
	executions=$((executions + ${n:-0}))
	echo "$name: ${n:-0} executions, $(last_stat average_exec_per_sec) per second"
	[ "$status" != 0 ] || return 0

	# The exit status does not say whether there is a finding, the output does.
	input=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
	if [ -n "$input" ]; then
		findings=$((findings + 1))
		sed -n '/FINDING\|ERROR\|runtime error/,$p' "$log" | head -n 40
		echo "to reproduce: $dir/${name}_fuzz $input"
	else
		failed=1
		tail -n 5 "$log"
		echo "error: ${name}_fuzz ended with $status, see $log"
	fi
}

export UBSAN_OPTIONS=print_stacktrace=1
executions=0 findings=0 failed=0
"$dir/make_seeds" "$dir/seeds"
fuzz stream 4096
fuzz uart 256
fuzz config 128
echo "$executions executions, $findings findings"
[ "$findings$failed" = 00 ] && [ "$executions" != 0 ]
