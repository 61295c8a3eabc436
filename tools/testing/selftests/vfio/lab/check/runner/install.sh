# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# install/install.sh: what is missing is named, and nothing is left of a build that fails.
# A stub of dkms writes its arguments to a file.

# fake_headers OPTION: a directory with headers of a kernel that has this option
fake_headers() {
	mkdir -p "$plain/headers"
	printf 'kernelrelease: ; @echo 6.12.0-stub\n' >"$plain/headers/Makefile"
	printf '%s\n' "$1" >"$plain/headers/.config"
	fake_program dkms <<-SCRIPT
		#!/bin/sh
		echo "\$*" >>"$plain/calls"
	SCRIPT
}

# install_fails TEXT OPTIONS...: it must, with this text, and without a call of dkms.
install_fails() {
	local text=$1
	shift

	! "$here/../install/install.sh" -r "$plain/root" "$@" >"$dir/output" 2>&1 ||
		fail "it does not fail"
	cat "$dir/output"
	file_has "$dir/output" "$text"
	[ ! -e "$plain/calls" ] || fail "it calls dkms: $(cat "$plain/calls")"
}

# Runner: a kernel without headers: the package is named.
case_install_no_headers() {
	fake_headers CONFIG_VFIO_MDEV=m
	install_fails 'apt-get install linux-headers-6.12.0-none' -k 6.12.0-none install
}

# Runner: a kernel without mediated devices is refused before the build.
case_install_no_mdev() {
	fake_headers '# CONFIG_VFIO_MDEV is not set'
	install_fails 'kernel 6.12.0-stub has no mediated devices' -s "$plain/headers" install
}

# Runner: an unknown word is an error.
case_install_usage() {
	fake_headers CONFIG_VFIO_MDEV=m
	install_fails 'usage: install.sh' -s "$plain/headers" instal
}

# Runner: DKMS gets the driver with its uapi header, for the kernel of the headers.
case_install_calls() {
	fake_headers CONFIG_VFIO_MDEV=m
	# The stub builds nothing, so there is no module to copy.
	! "$here/../install/install.sh" -r "$plain/root" -s "$plain/headers" install \
		>"$dir/output" 2>&1 || fail "a build without a module succeeds"
	cat "$dir/output" "$plain/calls"
	grep -q "^build -k 6.12.0-stub --kernelsourcedir $plain/headers -m mtty" "$plain/calls" ||
		fail "another kernel"
	cmp "$repo/include/uapi/linux/vfio_mig_config.h" \
		"$plain/root/usr/src/mtty-1/include/uapi/linux/vfio_mig_config.h"
	cmp "$repo/samples/vfio-mdev/mtty/main.c" \
		"$plain/root/usr/src/mtty-1/samples/vfio-mdev/mtty/main.c"
	! grep -q @VERSION@ "$plain/root/usr/src/mtty-1/dkms.conf" || fail "no version"
}
