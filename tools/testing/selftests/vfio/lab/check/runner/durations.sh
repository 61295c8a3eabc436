# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2015,SC2016,SC2034,SC2154
#
# durations.py: how long each program took

durations=$here/durations.py

# plan_is EXPECTED MAX TEST...: the number of VMs and the order, with the durations of the file
plan_is() {
	local plan

	plan=$("$durations" plan "$dir/durations" "${@:2}" | xargs) || fail "plan fails"
	[ "$plan" = "$1" ] || fail "plan ${*:2}: $plan, not $1"
}

# Runner: the longest program begins first; one without a duration counts as an average one.
case_durations_order() {
	printf '%s\n' 'a 10000' 'b 90000' 'b@cdev 20000' 'd 80000' >"$dir/durations"
	plan_is "2 b d new b@cdev a" 2 a b b@cdev new d
	plan_is "2 b b a" 2 a b b
}

# Runner: the order of programs that take the same time stays.
case_durations_same() {
	printf '%s 9000\n' c a b >"$dir/durations"
	plan_is "2 b c a" 2 b c a
}

# Runner: there are no more VMs than VMS, than programs, than are worth a boot. One VM runs the
# programs in the given order.
case_durations_vms() {
	printf '%s\n' 'a 1000' 'b 3000' 'c 4000' 'd 70000' >"$dir/durations"
	plan_is "4 d c b a" 8 a b c d
	plan_is "3 d c b a" 3 a b c d
	plan_is "1 a d" 1 a d
	plan_is "1 a b" 8 a b
	plan_is "2 c b a" 8 a b c
}

# Runner: a file that is missing, empty or broken does not matter; right lines of it count.
case_durations_broken() {
	plan_is "2 a b c d e f g h" 2 a b c d e f g h
	: >"$dir/durations"
	plan_is "2 a b c d e f g h" 2 a b c d e f g h
	printf '\0\377\376\n\na\na x\nb -1\na 1 2\nb 20000\nc 9999999999\na 3' >"$dir/durations"
	plan_is "2 a b c" 2 a b c
	printf '\nc 90000\n' >>"$dir/durations"
	plan_is "2 c b a" 2 a b c
}

# Runner: a run adds the durations of programs that ended, and keeps those of others.
case_durations_kept() {
	printf '%s\n' 'a 1' 'b 2' 'crash 3' >"$dir/durations"
	printf '%s\n' '@0f begin b' '@0f end b 0 20' '@0f end new 1 30' '@0f end skipped 4 40' \
		'@0f end crash 139 1' '@0f end time 137 300000' ' @0f end text 0 1' \
		'@0f end text 0' 'end text 0 1' >"$dir/1.ktap"
	printf '@0f end c@cdev 0 50\n' >"$dir/2.ktap"
	"$durations" keep "$dir/durations" "$dir/1.ktap" "$dir/2.ktap" || fail "keep fails"
	diff - "$dir/durations" <<-'END' || fail "wrong durations"
		a 1
		b 20
		c@cdev 50
		crash 3
		new 30
		skipped 40
	END
	[ "$(cd "$dir" && echo *)" = "1.ktap 2.ktap durations" ] || fail "files: $(ls "$dir")"
}

# Runner: another run sees the old file or the new one.
case_durations_replaced() {
	echo 'a 1' >"$dir/durations"
	exec 5<"$dir/durations"
	echo '@0f end a 0 20' >"$dir/ktap"
	"$durations" keep "$dir/durations" "$dir/ktap"
	[ "$(cat <&5)" = "a 1" ] || fail "the old file is written"
}

# Runner: make check keeps durations, but not those of a part of the cases.
case_durations_of_check() {
	copy_scripts
	! ARGS=x run_check "$all_programs" || fail "the failure is lost"
	[ ! -e "$copy/out/log/durations" ] || fail "kept with ARGS"
	! run_check "$all_programs" || fail "the failure is lost"
	[ "$(sed 's/ .*//' "$copy/out/log/durations" | xargs)" = "a_test.sh b_test c_test.sh" ] ||
		fail "$(cat "$copy/out/log/durations")"
}
