#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs the test programs in one VM and ends with the line
# "N passed, N failed, N skipped". TESTS selects programs, ARGS is given to
# each (for example "-t NAME", see a program's -h), TEST_TIMEOUT is the time
# limit for each, in seconds. TEST@cdev opens its devices that way; with BOTH_PATHS all
# that may are run so as well. NAME is that of the run, for its logs. With REPORT
# what the programs leave is kept in REPORT.tar, and shown in the directory REPORT.
#
# Usage: check.sh KERNEL_SOURCE OUT run.sh's arguments...
set -euo pipefail

here=$(dirname "$(realpath "$0")")
source=$1
out=$2
shift 2

# The limit for each program, where kselftest has it.
limit=${TEST_TIMEOUT:-$(sed -n 's/^timeout=//p' "$here/../settings")}
read -r -a tests <<<"${TESTS:-}"
if [ ${#tests[@]} -eq 0 ]; then
	for file in "$here"/../*_test.c "$here"/../*_test.sh; do
		tests+=("$(basename "$file" .c)")
	done
	for file in ${BOTH_PATHS:+$(cd "$here/.." && grep -l VMIG_PATH_ANY ./*_test.c)}; do
		tests+=("$(basename "$file" .c)@cdev")
	done
fi
for test in "${tests[@]}"; do
	[ -x "$out/selftests/${test%@*}" ] || {
		echo "error: no test program $test; there are:" \
			"$(cd "$here/.." && echo *_test.c *_test.sh)" >&2
		exit 2
	}
done

# Logs get their place when they are complete: two runs may share it.
mkdir -p "$out/log"
work=$(mktemp -d "$out/check.XXXXXX")
trap 'rm -rf "$work"' EXIT

mark=@$(od -An -N8 -tx8 /dev/urandom | tr -d ' ')
export RUN ADD
RUN="exec sh run-tests $mark $limit '${ARGS:-}' ${tests[*]}"
ADD="$here/run-tests ${ADD:-}"
summary="python3 $here/summary.py $source $mark $limit $work ${tests[*]}"
status=0
"$here/run.sh" "$@" ${REPORT:+-f "$REPORT.tar"} -n "${NAME:-check}" -r "$summary" || status=$?
# A VM that ended too early has left none.
[ ! -s "${REPORT:+$REPORT.tar}" ] || python3 "$here/timeline.py" "$REPORT.tar" "$REPORT" || status=1

passed=0 failed=0 skipped=0
if [ -s "$work/sums" ]; then
	read -r passed failed skipped <"$work/sums"
	mv "$work/ktap" "$out/log/${NAME:-check}.ktap"
fi
# A kernel report, say, fails the run though every case passed.
if [ "$status" != 0 ] && [ "$failed" = 0 ]; then
	echo "not ok the run as a whole: see the error above"
	failed=1
elif [ $((passed + failed)) = 0 ]; then
	echo "not ok the run as a whole: no test case passed"
	failed=1
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
