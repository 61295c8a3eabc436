# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2015,SC2154
#
# make demo: its options, and quiet.sh, which hides the steps of a build

# quietly STATUS SCRIPT: run it; the output goes to $dir/output.
quietly() {
	local status=0

	"$here/../quiet.sh" 'making it' bash -c "$2" >"$dir/output" 2>&1 || status=$?
	cat "$dir/output"
	[ "$status" = "$1" ] || fail "exit status $status instead of $1"
}

# Runner: the steps of a build that succeeds are one line.
case_quiet_build() {
	quietly 0 'echo "  CC       a.o"; echo "  LD [M]   mtty.ko"'
	[ "$(cat "$dir/output")" = 'making it: 2 steps' ] || fail "more is printed"
	quietly 0 :
	[ ! -s "$dir/output" ] || fail "a build without a step is not silent"
}

# Runner: the reason of a build that fails is printed, without the steps.
case_quiet_build_fails() {
	quietly 3 'echo "  CC       a.o"; echo "a.c:1: error: wrong" >&2; echo "  CC       b.o"; exit 3'
	grep -qx 'a.c:1: error: wrong' "$dir/output" || fail "the reason is missing"
	! grep -q '\.o' "$dir/output" || fail "the steps are printed"
}

# Runner: a line without an end, and one with special characters, is printed as it is.
case_quiet_build_odd_lines() {
	quietly 1 'printf "  a\\\\n %%s *\n"; printf "no end"; exit 1'
	grep -qxF '  a\n %s *' "$dir/output" && grep -q 'no end' "$dir/output" ||
		fail "a line has changed"
}

# Runner: a wrong DEMO is an error, before anything is built.
case_demo_option() {
	refuses "DEMO is quick or full, not 'half'" demo DEMO=half
}
