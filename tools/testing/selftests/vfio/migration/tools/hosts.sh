# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Two hosts for a script that sources this: network namespaces with an mtty device each,
# and a veth link that can be shaped, cut and mended. All is removed when the script ends.
#
# hosts_SRC and hosts_DST are the addresses, hosts_src and hosts_dst the UUIDs.
hosts_SRC=10.77.0.1
hosts_DST=10.77.0.2
hosts_ns=vmig-$$
hosts_src=
hosts_dst=
hosts_bus=/sys/bus/mdev/devices

# Paths, because busybox has built-in programs of these names.
hosts_program() {
	for dir in /usr/sbin /sbin /usr/bin /bin; do
		[ ! -x "$dir/$1" ] || {
			echo "$dir/$1"
			return
		}
	done
	return 1
}

hosts_ip=$(hosts_program ip)
hosts_tc=$(hosts_program tc)

ip() {
	"$hosts_ip" "$@"
}
hosts_parent=/sys/devices/virtual/mtty/mtty/mdev_supported_types

# Fails, and prints the reason, if two hosts are not possible here.
hosts_possible() {
	if [ "$(id -u)" != 0 ]; then
		echo "not root"
	elif [ ! -d "$hosts_parent" ]; then
		echo "mtty is not there"
	elif [ -z "$hosts_ip" ] || [ -z "$hosts_tc" ]; then
		echo "no ip or tc (iproute2)"
	elif ! ip netns add "$hosts_ns-try" 2>/dev/null; then
		echo "no network namespaces"
	elif ! ip -n "$hosts_ns-try" link add dev one type veth peer name two 2>/dev/null; then
		ip netns del "$hosts_ns-try"
		echo "no veth"
	elif ! ip netns exec "$hosts_ns-try" "$hosts_tc" qdisc add dev one root netem \
			delay 1ms 2>/dev/null; then
		ip netns del "$hosts_ns-try"
		echo "no netem"
	else
		ip netns del "$hosts_ns-try"
		return 0
	fi
	return 1
}

# Creates a device; prints its UUID.
hosts_device() {
	uuid=$(cat /proc/sys/kernel/random/uuid)
	echo "$uuid" >"$hosts_parent/mtty-2/create" && echo "$uuid"
}

hosts_up() {
	trap hosts_down EXIT
	trap 'exit 130' INT TERM HUP
	for side in src dst; do
		ip netns add "$hosts_ns-$side" || return
		ip -n "$hosts_ns-$side" link set lo up || return
	done
	ip -n "$hosts_ns-src" link add dev wire type veth peer name wire \
		netns "$hosts_ns-dst" || return
	ip -n "$hosts_ns-src" addr add $hosts_SRC/24 dev wire || return
	ip -n "$hosts_ns-dst" addr add $hosts_DST/24 dev wire || return
	hosts_mend || return
	hosts_src=$(hosts_device) && hosts_dst=$(hosts_device)
}

hosts_down() {
	# A process that has a device open would keep it.
	for side in src dst; do
		for pid in $(ip netns pids "$hosts_ns-$side" 2>/dev/null); do
			kill -9 "$pid" 2>/dev/null
		done
		ip netns del "$hosts_ns-$side" 2>/dev/null
	done
	for uuid in $hosts_src $hosts_dst; do
		echo 1 >"$hosts_bus/$uuid/remove"
	done
}

# hosts_policy POLICY: of both devices
hosts_policy() {
	echo "$1" >"$hosts_bus/$hosts_src/migration/config_policy" &&
		echo "$1" >"$hosts_bus/$hosts_dst/migration/config_policy"
}

# hosts_shape [NETEM...]: of the link, both directions; without arguments: no limit
hosts_shape() {
	for side in src dst; do
		if [ $# -gt 0 ]; then
			ip netns exec "$hosts_ns-$side" "$hosts_tc" qdisc replace \
				dev wire root netem "$@" || return
		else
			ip netns exec "$hosts_ns-$side" "$hosts_tc" qdisc del \
				dev wire root 2>/dev/null
		fi
	done
}

hosts_cut() {
	ip -n "$hosts_ns-src" link set wire down
}

hosts_mend() {
	ip -n "$hosts_ns-src" link set wire up &&
		ip -n "$hosts_ns-dst" link set wire up
}

# Bytes sent by the source
hosts_sent() {
	ip netns exec "$hosts_ns-src" cat /sys/class/net/wire/statistics/tx_bytes
}

# exec_on_src COMMAND... &, exec_on_dst COMMAND... &: run it on one of the hosts;
# $! is the command itself, not a shell
exec_on_src() {
	exec "$hosts_ip" netns exec "$hosts_ns-src" "$@"
}

exec_on_dst() {
	exec "$hosts_ip" netns exec "$hosts_ns-dst" "$@"
}

# hosts_listening PORT: wait for a listener on the destination
hosts_listening() {
	hex=$(printf ':%04X 0*:0000 0A' "$1")
	tries=500
	# A listener for IPv4 and IPv6 is in tcp6, which a kernel without IPv6 lacks.
	until ip netns exec "$hosts_ns-dst" cat /proc/net/tcp /proc/net/tcp6 \
			2>/dev/null | grep -q "$hex"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.02
	done
}
