#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Migration between two hosts over TCP, with a guest that uses both ports and rewrites
# its config space: over good and bad links, links that are cut at many places, and with
# either side killed. The source continues if the destination does not run, and no byte
# is lost.
#
# Usage: two_hosts_test.sh [POSITIONS]    places to cut and kill at (4)
here=$(dirname "$0")
# The module has to be there until the end.
[ -n "${WITH_MTTY:-}" ] || WITH_MTTY=1 exec "$here/with_mtty" "$0" "$@"
# Two directories up when installed, three in the source.
selftests=$here/../..
[ -d "$selftests/kselftest" ] || selftests=$here/../../..
# shellcheck disable=SC1091
. "$selftests/kselftest/ktap_helpers.sh"
# shellcheck source=hosts.sh
. "$here/hosts.sh"

positions=${1:-4}
# All tests get the same arguments, so this one may be an option of another test.
case $positions in
*[!0-9]*) positions=4 ;;
esac

tool=$here/vfio-migrate
relay_tool=$here/relay
port=7000
log=$(mktemp -d)
# Timeouts in seconds: on a slow machine, and where the timeout is expected.
patience=30
impatience=5
policies="independent before-data reorder embedded"

ktap_print_header
if ! reason=$(hosts_possible); then
	ktap_skip_all "$reason"
	exit "$KSFT_SKIP"
fi
if ! hosts_up; then
	ktap_exit_fail_msg "cannot set up two hosts"
fi

# field NAME FILE: a number of the JSON object in a file
field() {
	sed -n "s/.*\"$1\":\\([0-9]*\\).*/\\1/p" "$2"
}

load_timeout=$patience
start_load() {
	exec_on_dst "$tool" load --guest=50 --json --timeout "$load_timeout" \
		"$hosts_dst" "tcp::$port" >"$log/load" 2>"$log/load.err" &
	load=$!
	hosts_listening $port
}

start_save() {
	exec_on_src "$tool" save --timeout $patience --guest=50 --busy-config \
		--json "$@" >"$log/save" 2>"$log/save.err" &
	save=$!
}

# finish: wait for both; sets save_status and load_status
finish() {
	wait "$save"
	save_status=$?
	wait "$load"
	load_status=$?
}

# expect SIDE: the guest runs on that side alone, and has lost nothing; "unsure": the
# source is stopped because it cannot know the result; "rest": the source was killed, and
# may have sent all
expect() {
	case $1 in
	destination)
		[ "$save_status" = 0 ] && [ "$load_status" = 0 ] &&
			[ "$(field lost "$log/load")" = 0 ]
		;;
	source)
		[ "$save_status" = 1 ] && [ "$load_status" != 0 ] &&
			[ "$(field running_ns "$log/load")" = 0 ] &&
			[ "$(field lost "$log/save")" = 0 ]
		;;
	unsure)
		[ "$save_status" = 5 ] && [ "$load_status" != 0 ] &&
			[ "$(field running_ns "$log/load")" = 0 ]
		;;
	rest)
		if [ "$load_status" = 0 ]; then
			[ "$(field lost "$log/load")" = 0 ]
		else
			[ "$(field running_ns "$log/load")" = 0 ]
		fi
		;;
	esac && return

	ktap_print_msg "expected the guest on: $1; save $save_status, load $load_status"
	sed 's/^/# save: /' "$log/save" "$log/save.err"
	sed 's/^/# load: /' "$log/load" "$log/load.err"
	return 1
}

migrate() {
	start_load || return
	start_save "$hosts_src" "tcp:$hosts_DST:$port"
	finish
	expect destination
}

# The relay, on the destination, acts as the link.
start_relay() {
	exec_on_dst "$relay_tool" "tcp::$((port + 1))" "tcp:127.0.0.1:$port" \
		"$1" "$2" &
	relay=$!
	hosts_listening $((port + 1))
}

# break_at BYTE HOW SIDE [OPTIONS]: break the link after so many bytes; expect SIDE
break_at() {
	byte=$1 how=$2 side=$3
	shift 3
	start_load && start_relay "$byte" "$how" || return
	start_save "$@" "$hosts_src" "tcp:$hosts_DST:$((port + 1))"
	finish
	wait "$relay"
	expect "$side" || {
		ktap_print_msg "link: $how after byte $byte"
		return 1
	}
}

# Each stream is longer: a page of the log, the ports, the interrupt controller.
shortest=6000

# at_positions SIGN COMMAND...: run it with many offsets in the stream, from its begin
# (+) or its end (-)
at_positions() {
	sign=$1
	shift
	i=0
	while [ $i -lt "$positions" ]; do
		at=$((i * shortest / positions))
		[ "$sign" = + ] || at=$((-1 - at))
		"$@" "$at" || return
		i=$((i + 1))
	done
}

reset_at() {
	break_at "$1" reset source
}

# An unsure source is stopped, unless it has the option to continue.
silence_at() {
	break_at "$1" silent source --timeout 1 --unsure resume
}

# when_sent BYTES: wait until the source has sent so many over the link
when_sent() {
	until [ "$(hosts_sent)" -ge $((sent_before + $1)) ]; do
		kill -0 "$save" 2>/dev/null || return 0
	done
}

# on_slow_link BYTES COMMAND OPTIONS...: run COMMAND when so much was sent. A save that
# succeeded was faster than COMMAND, and is repeated on a slower link.
on_slow_link() {
	bytes=$1 what=$2
	shift 2
	for kbit in 64 32 16 8; do
		hosts_shape rate ${kbit}kbit || return
		start_load || return
		sent_before=$(hosts_sent)
		start_save "$@" "$hosts_src" "tcp:$hosts_DST:$port"
		when_sent "$bytes"
		$what
		finish
		hosts_mend
		hosts_shape
		[ "$save_status" = 0 ] || return
	done
}

# The destination never gets the rest, so the source may continue.
cut_at() {
	on_slow_link "$1" hosts_cut --timeout 2 --unsure resume
	expect source
}

kill_load() {
	kill -9 "$load"
}

kill_save() {
	kill -9 "$save"
}

kill_load_at() {
	on_slow_link "$1" kill_load
	# It was killed before it could print.
	echo '"running_ns":0' >"$log/load"
	expect source
}

kill_save_at() {
	on_slow_link "$1" kill_save
	expect rest
}

# few COMMAND...: a quarter of the positions, where each takes seconds
few() (
	load_timeout=$impatience
	positions=$(((positions + 3) / 4))
	"$@"
)

test_policy() {
	hosts_policy "$1" && migrate
}

# The destination must wait longer than the source.
test_unsure() (
	load_timeout=$((2 * impatience))
	break_at -1 silent unsure --timeout 1
)

test_shape() {
	hosts_shape "$@" && migrate
	ret=$?
	hosts_shape
	return $ret
}

# Tool: in each case the guest runs on one side at most, and no byte is lost.
ktap_set_plan 15
for policy in $policies; do
	ktap_test_result "two_hosts.${policy}_policy" test_policy "$policy"
done
hosts_policy before-data

ktap_test_result "two_hosts.delay" test_shape delay 10ms 2ms
ktap_test_result "two_hosts.rate" test_shape rate 1mbit
ktap_test_result "two_hosts.loss" test_shape loss 2% delay 1ms
ktap_test_result "two_hosts.connection_reset_at_any_byte" at_positions + reset_at
ktap_test_result "two_hosts.connection_reset_at_the_end" at_positions - reset_at
ktap_test_result "two_hosts.silence_at_any_byte" few at_positions - silence_at
ktap_test_result "two_hosts.unsure_source_is_stopped" test_unsure
ktap_test_result "two_hosts.link_cut_at_any_byte" few at_positions + cut_at
ktap_test_result "two_hosts.destination_killed_at_any_byte" few \
	at_positions + kill_load_at
ktap_test_result "two_hosts.source_killed_at_any_byte" few \
	at_positions + kill_save_at
ktap_test_result "two_hosts.devices_work_afterwards" migrate
rm -rf "$log"
ktap_finished
