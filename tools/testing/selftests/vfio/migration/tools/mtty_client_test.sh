#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The client of the tutorial: a text moves from one device to another; a stream that is damaged,
# cut, or of another kind of device is refused.
here=$(dirname "$0")
# The module has to be there until the end.
[ -n "${WITH_MTTY:-}" ] || WITH_MTTY=1 exec "$here/with_mtty" "$0" "$@"
# Two directories up when installed, three in the source.
selftests=$here/../..
[ -d "$selftests/kselftest" ] || selftests=$here/../../..
# shellcheck disable=SC1091
. "$selftests/kselftest/ktap_helpers.sh"

client=$here/mtty-client
types=/sys/class/mdev_bus/mtty/mdev_supported_types
bus=/sys/bus/mdev/devices
dir=$(mktemp -d)
source='' destination='' other=''

end() {
	for uuid in $source $destination $other; do
		[ ! -e "$bus/$uuid" ] || echo 1 >"$bus/$uuid/remove"
	done
	rm -rf "$dir"
}
trap end EXIT

ktap_print_header

# create TYPE: prints the UUID of a new device
create() {
	uuid=$(cat /proc/sys/kernel/random/uuid)
	echo "$uuid" >"$types/$1/create" && echo "$uuid"
}

if ! { source=$(create mtty-1) && destination=$(create mtty-1) && other=$(create mtty-2); }; then
	ktap_exit_fail_msg "a device cannot be created"
fi

# ok NAME: the result of the last command
ok() {
	if [ $? = 0 ]; then
		ktap_test_pass "$1"
	else
		sed 's/^/# /' "$dir/out" "$dir/err"
		ktap_test_fail "$1"
	fi
}

save() {
	"$client" save "$@" >"$dir/stream" 2>"$dir/err"
}

load() {
	"$client" load "$@" >"$dir/out" 2>"$dir/err"
}

# is_refused DEVICE TEXT: load has failed, with this text, and prints nothing of the device
is_refused() {
	! load "$1" <"$dir/bad" && [ ! -s "$dir/out" ] && grep -q "$2" "$dir/err"
}

ktap_set_plan 7

# Tool: a text arrives, also the half that was received in PRE_COPY
save "$source" "0123456789abcdef" && load "$destination" <"$dir/stream" &&
	[ "$(cat "$dir/out")" = "0123456789abcdef" ]
ok "a_text_arrives"

# Tool: the data of PRE_COPY end with ENOMSG, those of STOP_COPY with the end of the stream
[ "$(grep -c 'bytes, then ENOMSG' "$dir/err")" = 0 ] && save "$source" "ab" &&
	[ "$(tr '\n' ' ' <"$dir/err" | sed 's/  [1-9][0-9]* bytes/ N bytes/g')" = \
	  "to PRE_COPY  N bytes, then ENOMSG to STOP_COPY  N bytes, then the end to STOP " ]
ok "each_step_is_printed"

# Tool: a device that cannot pre-copy
echo stop_copy >"$bus/$source/migration/features" &&
	echo stop_copy >"$bus/$destination/migration/features" &&
	save "$source" "ab" && ! grep -q PRE_COPY "$dir/err" &&
	load "$destination" <"$dir/stream" && [ "$(cat "$dir/out")" = ab ]
ok "without_pre_copy"

# Tool: a byte of the stream has changed
size=$(wc -c <"$dir/stream")
{
	head -c $((size - 40)) "$dir/stream"
	printf '\377'
	tail -c 39 "$dir/stream"
} >"$dir/bad"
! cmp -s "$dir/stream" "$dir/bad" && [ "$(wc -c <"$dir/bad")" = "$size" ] &&
	is_refused "$destination" "write() to the data_fd: Bad message"
ok "a_damaged_stream_is_refused"

# Tool: the stream ends too early
head -c $((size - 100)) "$dir/stream" >"$dir/bad"
is_refused "$destination" "to STOP: No data available"
ok "a_cut_stream_is_refused"

# Tool: the device has another number of ports
cp "$dir/stream" "$dir/bad"
echo stop_copy >"$bus/$other/migration/features"
is_refused "$other" "write() to the data_fd: Invalid cross-device link"
ok "another_kind_of_device_is_refused"

# Tool: more than the FIFO holds
! save "$source" "0123456789abcdefg" && [ ! -s "$dir/stream" ] &&
	grep -q "more than 16 bytes" "$dir/err"
ok "a_text_that_is_too_long"

ktap_finished
