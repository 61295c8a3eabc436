#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Measures the cost of sending config space over a link of limited rate: for each policy,
# each --config mode, and with a guest that writes its config space or not. Prints a line
# for each migration, for lab/report/bench_config.py.
#
# Usage: bench_config.sh [REPETITIONS]     (5)
here=$(dirname "$0")
# shellcheck source=hosts.sh
. "$here/hosts.sh"

repetitions=${1:-5}
tool=$here/vfio-migrate
port=7000
log=$(mktemp -d)

if ! reason=$(hosts_possible); then
	echo "error: $reason"
	exit 1
fi
hosts_up || exit 1
hosts_shape rate 20mbit delay 1ms || exit 1

# migrate POLICY MODE GUEST [OPTIONS]
migrate() {
	policy=$1 mode=$2 guest=$3
	shift 3
	hosts_policy "$policy" || return
	exec_on_dst "$tool" load --guest=20 --json "$hosts_dst" "tcp::$port" \
		>"$log/load" &
	load=$!
	hosts_listening $port || return
	exec_on_src "$tool" save --guest=100 --json --config "$mode" "$@" \
		"$hosts_src" "tcp:$hosts_DST:$port" >"$log/save" &
	wait $! && wait $load || return
	printf 'migration {"guest":"%s","save":%s,"load":%s}\n' "$guest" "$(cat "$log/save")" \
		"$(cat "$log/load")"
}

# Policies and modes with which the destination gets its config space
ways="independent/auto independent/always independent/last
before-data/auto before-data/always
reorder/auto reorder/always reorder/last
embedded/auto embedded/always embedded/last"

echo "kernel $(uname -r)"
model=$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)
echo "cpu $model, $(grep -c ^processor /proc/cpuinfo) of them"
echo "link $(ip netns exec "$hosts_ns-src" "$hosts_tc" qdisc show dev wire |
	sed 's/.*limit [0-9]* //')"
# The first migration is slower.
migrate independent auto quiet >/dev/null
i=0
while [ $i -lt "$repetitions" ]; do
	for way in $ways; do
		migrate "${way%/*}" "${way#*/}" quiet || exit 1
		migrate "${way%/*}" "${way#*/}" busy --busy-config || exit 1
	done
	i=$((i + 1))
done
rm -rf "$log"
