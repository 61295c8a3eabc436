#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Tests of the Makefile and the scripts of lab/. They run on this machine, in temporary
# directories, with stubs for apt, QEMU and a kernel's build. No VM is booted, nothing is
# fetched.
#
# Each file in runner/ has functions case_NAME: a case passes if its function does. The rows
# of the table "verdicts" are cases, too.
#
# Usage: [KERNEL_SOURCE=DIR] runner_test.sh [-x] [-t NAME]...
#   KERNEL_SOURCE  has kunit's parser; make check-runner sets it
#   -x             end at the first case that fails
set -u
export LC_ALL=C

# make check sets these for the programs that it runs.
unset ACCEL ADD AGAIN ARCH ARGS BOOTING BOTH_PATHS JOBS MAY_SKIP MUTANTS MUTANTS_KERNEL NAME \
	PRINT_LOCK PROGRESS QUEUE REPORT RUN \
	TESTS TEST_TIMEOUT VERBOSE VMS VM_INPUT

here=$(dirname "$(realpath "$0")")
repo=$(realpath "$here/../../../../../..")
KERNEL_SOURCE=${KERNEL_SOURCE:-${HOME:-}/.cache/mtty-vfio/debian-6.12/src}
verdicts=()

for file in "$here"/runner/*.sh; do
	# shellcheck source=/dev/null
	. "$file"
done

# Ends a case; its output and the text are printed above its result.
fail() {
	echo "$*"
	exit 1
}

# make with a known environment, in the current directory
plain_make() {
	env -i PATH="$PATH" HOME="${HOME:-/}" TERM=dumb "${environment[@]}" make "$@"
}

# file_has FILE TEXT...: the file has each of these.
file_has() {
	local file=$1 text
	shift

	for text; do
		grep -qF -- "$text" "$file" || fail "${file##*/} does not have: $text"
	done
}

# make must fail, with this text.
refuses() {
	local text=$1
	shift

	! plain_make "$@" >"$dir/output" 2>&1 || fail "make $* does not fail"
	grep -qF -- "$text" "$dir/output" || {
		cat "$dir/output"
		fail "make $* does not print: $text"
	}
}

# A checkout, as far as a Makefile that builds nothing needs it
scratch_checkout() {
	local scripts=tools/testing/selftests/vfio

	mkdir -p "$1/$scripts"
	cp "$repo/Makefile" "$1"
	cp -r "$here/.." "$1/$scripts/lab"
	cd "$1" || exit 1
}

# Lists a directory, with sizes.
tree() {
	(cd "$1" && find . -printf '%y %s %p\n' | sort)
}

all_cases() {
	local row

	declare -F | sed -n 's/^declare -f case_//p'
	for row in "${verdicts[@]}"; do
		echo "${row%%|*}"
	done
}

# Runs a case in a subshell, with two new directories: $dir has a space in its name, $plain has
# no special character.
run_case() {
	local name=$1 dir="$work/a case" plain=$work/plain status

	mkdir "$dir" "$plain" || return 1
	(
		set -e
		# A case adds variables for make here.
		environment=()
		cd "$repo"
		if declare -F "case_$name" >/dev/null; then
			"case_$name"
		else
			judge_verdict "$name"
		fi
	) >"$work/log" 2>&1 </dev/null
	status=$?
	[ $status = 0 ] || sed 's/^/# /' "$work/log"
	rm -rf "$dir" "$plain"
	return $status
}

selected=()
first_only=
while getopts t:x option; do
	case $option in
	t) selected+=("$OPTARG") ;;
	x) first_only=1 ;;
	*) exit 2 ;;
	esac
done
[ ${#selected[@]} -gt 0 ] || mapfile -t selected < <(all_cases)
[ -e "$KERNEL_SOURCE/tools/testing/kunit/kunit_parser.py" ] || {
	echo "error: no kunit parser in $KERNEL_SOURCE: set KERNEL_SOURCE" >&2
	exit 1
}

work=$(mktemp -d /tmp/runner.XXXXXX)
trap 'trap "" INT TERM HUP; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
cases=$(all_cases)
number=0 failed=0
echo "TAP version 13"
echo "1..${#selected[@]}"
for name in "${selected[@]}"; do
	number=$((number + 1))
	word=ok
	if [[ $'\n'$cases$'\n' != *$'\n'"$name"$'\n'* ]]; then
		echo "# no such case"
		word="not ok"
	elif ! run_case "$name"; then
		word="not ok"
	fi
	[ "$word" = ok ] || failed=1
	echo "$word $number $name"
	[ -z "$first_only" ] || [ $failed = 0 ] || break
done
[ $failed = 0 ]
