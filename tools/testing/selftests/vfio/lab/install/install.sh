#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds mtty with DKMS for a kernel of this machine, installs and loads it, so that a VMM that
# is developed here finds a device to migrate. "install.sh remove" takes it away.
#
# Usage: install.sh [-k VERSION] [-s DIR] [-r ROOT] install | remove
#   -k  of the kernel (that of the headers, or the one that runs)
#   -s  its headers (/lib/modules/VERSION/build)
#   -r  build only, in this directory: ROOT/mtty.ko
set -euo pipefail
export LC_ALL=C

here=$(dirname "$(realpath "$0")")
repo=$(realpath "$here/../../../../../..")
version=1

die() {
	echo "error: $*" >&2
	exit 1
}

kernel='' headers='' root=''
while getopts k:s:r: option; do
	case $option in
	k) kernel=$OPTARG ;;
	s) headers=$OPTARG ;;
	r) root=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ -n "$kernel" ] || [ -z "$headers" ] || kernel=$(make -s -C "$headers" kernelrelease)
[ -n "$kernel" ] || kernel=$(uname -r)
[ -n "$headers" ] || headers=/lib/modules/$kernel/build

[ "$(id -u)" = 0 ] || die "only root can install a module"
command -v dkms >/dev/null || die "no dkms here; on Debian: apt-get install dkms"
source=$root/usr/src/mtty-$version
trees=()
if [ -n "$root" ]; then
	mkdir -p "$root"/{usr/src,var/lib/dkms}
	trees=(--sourcetree "$root/usr/src" --dkmstree "$root/var/lib/dkms")
fi

run_dkms() {
	dkms "$@" -m mtty -v "$version" "${trees[@]}"
}

remove() {
	[ -n "$root" ] || ! grep -q '^mtty ' /proc/modules || modprobe -r mtty ||
		die "mtty is in use: remove its devices first"
	[ -z "$(run_dkms status)" ] || run_dkms remove --all
	rm -rf "$source"
}

copy() {
	mkdir -p "$source"
	(cd "$repo" && cp -r --parents samples/vfio-mdev/mtty include "$source")
	sed "s/@VERSION@/$version/" "$here/dkms.conf" >"$source/dkms.conf"
}

install() {
	[ -e "$headers/Makefile" ] ||
		die "no headers of kernel $kernel; on Debian: apt-get install linux-headers-$kernel"
	grep -q '^CONFIG_VFIO_MDEV=[ym]' "$headers/.config" "$headers/include/config/auto.conf" \
		2>/dev/null || die "kernel $kernel has no mediated devices (CONFIG_VFIO_MDEV)"
	remove
	copy
	run_dkms add
	if ! run_dkms build -k "$kernel" --kernelsourcedir "$headers"; then
		cat "${root:-}/var/lib/dkms/mtty/$version/build/make.log" >&2 || :
		die "mtty cannot be built for kernel $kernel"
	fi
	if [ -n "$root" ]; then
		cp "$root/var/lib/dkms/mtty/$version/$kernel"/*/module/mtty.ko "$root"
		return
	fi
	run_dkms install -k "$kernel"
	modprobe mtty
	echo "mtty is loaded. A device of type mtty-2, with two ports:"
	# For the user's shell
	# shellcheck disable=SC2016
	echo '  uuidgen >/sys/class/mdev_bus/mtty/mdev_supported_types/mtty-2/create'
}

case ${1:-} in
install | remove) "$1" ;;
*) die "usage: install.sh [-k VERSION] [-s DIR] [-r ROOT] install | remove" ;;
esac
