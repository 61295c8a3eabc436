#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Measures the downtime over links of limited rate, for several sizes of state and rates
# of writes. Prints a line for each migration, for lab/report/downtime.py.
#
#   downtime NAME STATE DIRTY LINK PRECOPY IN_FLIGHT TOTAL DOWNTIME
#
# STATE, PRECOPY (limit) and IN_FLIGHT (socket buffer) are in bytes, DIRTY in bytes per
# second, LINK in bits per second, times in nanoseconds.
#
# Usage: downtime.sh [REPETITIONS]     (5)
here=$(dirname "$0")
# shellcheck source=hosts.sh
. "$here/hosts.sh"

repetitions=${1:-5}
tool=$here/vfio-migrate
port=7000
log=$(mktemp -d)
# Limit of one round of pre-copy, see lib/vmm/vmm_save.c
round=4194304
in_flight=262144

if ! reason=$(hosts_possible); then
	echo "error: $reason"
	exit 1
fi
hosts_up || exit 1
for side in src dst; do
	# A large buffer would add to the downtime
	ip netns exec "$hosts_ns-$side" sh -c \
		"echo 4096 $in_flight $in_flight >/proc/sys/net/ipv4/tcp_wmem" || exit 1
done
for uuid in $hosts_src $hosts_dst; do
	echo 16M >"$hosts_bus/$uuid/migration/capture_size" || exit 1
done

# field NAME FILE: a number of the JSON object in a file
field() {
	sed -n "s/.*\"$1\":\\([0-9]*\\).*/\\1/p" "$2"
}

# migrate NAME STATE_KIB DIRTY_KIB LINK_MBIT ROUNDS
migrate() {
	hosts_shape rate "$4"mbit || return
	set -- "$@" --max-rounds "$5"
	[ "$5" != 0 ] || set -- "$@" --no-precopy
	name=$1 state=$2 dirty=$3 link=$4 rounds=$5
	shift 5
	exec_on_dst "$tool" load --json "$hosts_dst" "tcp::$port" >"$log/load" &
	load=$!
	hosts_listening $port || return
	exec_on_src "$tool" save --json --dirty "$state:$dirty" "$@" \
		"$hosts_src" "tcp:$hosts_DST:$port" >"$log/save" &
	wait $! && wait $load || return
	started=$(field started_ns "$log/save")
	stopped=$(field stopped_ns "$log/save")
	running=$(field running_ns "$log/load")
	sizes="$((state * 1024)) $((dirty * 1024))"
	times="$((running - started)) $((running - stopped))"
	echo "downtime $name $sizes $((link * 1000000)) $((rounds * round)) $in_flight $times"
}

i=0
while [ $i -lt "$repetitions" ]; do
	#	name		state	dirty	link	rounds
	migrate stopped-4M-40M	4096	0	40	0 &&
	migrate stopped-8M-40M	8192	0	40	0 &&
	migrate stopped-8M-80M	8192	0	80	0 &&
	migrate calm-1M/s	4096	1024	40	8 &&
	migrate calm-2M/s	4096	2048	40	8 &&
	migrate calm-3M/s	4096	3072	40	8 &&
	migrate busy-8M-8M/s	8192	8192	40	2 &&
	migrate busy-8M-12M/s	8192	12288	40	2 &&
	migrate busy-12M-16M/s	12288	16384	80	3 || exit 1
	i=$((i + 1))
done
rm -rf "$log"
