# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# For scripts that build: without the variables of the calling make, with the output in a log; and
# something large in the cache, once.

# clean_make WORD...: make, without the variables of the make that runs the script
clean_make() {
	env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make "$@"
}

# logged_make LOG WHAT WORD...: the same; the output goes to LOG. If it fails, the end of it is
# printed, with WHAT, and the script ends.
logged_make() {
	local log=$1 what=$2
	shift 2

	clean_make "$@" >"$log" 2>&1 || {
		tail -n 40 "$log" >&2
		echo "error: make $what fails (its output: $log)" >&2
		exit 1
	}
}

# with_progress STEP LOG COMMAND...: run a command, whose output goes to LOG. STEP, a function, says
# how far it is: every 20 seconds this is printed, with the time. Returns the status of the command.
with_progress() {
	local step=$1 log=$2 start=$SECONDS status=0 took
	shift 2

	while sleep 20; do
		took=$((SECONDS - start))
		printf '  %d:%02d  %s\n' $((took / 60)) $((took % 60)) "$($step)"
	done 9>&- &
	progress_pid=$!
	trap 'kill $progress_pid' EXIT
	"$@" >"$log" 2>&1 || status=$?
	kill $progress_pid
	trap - EXIT
	wait $progress_pid 2>/dev/null || true
	return $status
}

# build_once LOCK RESULT COMMAND...: run a command, unless RESULT is there. If two run at a time,
# one waits for the other. The lock, descriptor 9, lasts until the script ends.
build_once() {
	local lock=$1 result=$2
	shift 2

	[ ! -e "$result" ] || return 0
	exec 9>"$lock"
	flock -n 9 || {
		echo "waiting for another run that builds in ${lock%/*} ..." >&2
		flock 9
	}
	# Another run may have built it.
	[ -e "$result" ] || "$@"
}
