#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Fills the cache with systems that have QEMU, for the tests with QEMU: the newest QEMU for
# Debian 13, with programs that the tests need, and an older QEMU. Packages are unpacked, not
# installed; of their programs only QEMU runs on this machine, with its own loader. A complete
# system is not fetched again.
#
# Usage: [ARCH=x86_64|arm64] roots.sh CACHE
#   CACHE/qemu11/    Debian 13 with QEMU 11, python3, mdevctl, libvirt
#   CACHE/qemu10/    Debian 12 with QEMU 10 (x86_64 only)
#   CACHE/root.cpio  both, below /vmm, to be appended to a VM's initramfs
set -euo pipefail
export LC_ALL=C

here=$(dirname "$(realpath "$0")")
cache=$1
case ${ARCH:-x86_64} in
x86_64)
	debian=amd64
	new=(qemu-system-x86 mdevctl libvirt-daemon-driver-qemu libvirt-clients)
	old=(qemu-system-x86)
	;;
arm64)
	debian=arm64
	new=(qemu-system-arm)
	old=()
	;;
*)
	echo "error: ARCH is x86_64 or arm64, not '$ARCH'" >&2
	exit 2
	;;
esac
new+=(python3 busybox-static)

# Documents, and firmware of other machines
unused=(
	usr/share/{doc,man,locale,info,icons,bash-completion,perl,zoneinfo,i18n}
	usr/lib/systemd usr/lib/udev 'usr/lib/*/systemd' 'usr/lib/*/gconv' 'usr/lib/*/perl*'
	usr/bin/qemu-system-i386 'usr/bin/qemu-system-x86_64-microvm' 'usr/bin/perl*'
	'usr/share/qemu/*.efi' 'usr/share/qemu/skiboot*' 'usr/share/qemu/openbios*'
	'usr/share/qemu/*palcode*' 'usr/share/qemu/slof*' 'usr/share/qemu/vof*'
	'usr/share/qemu/u-boot*' 'usr/share/qemu/hppa*' 'usr/share/qemu/opensbi*'
	'usr/share/qemu/edk2*' 'usr/share/qemu/pxe-*' 'usr/share/qemu/efi-*'
	usr/share/AAVMF usr/share/OVMF var/lib/apt var/cache
	boot home media mnt opt root srv
)

die() {
	echo "error: $*" >&2
	exit 1
}

# make_root NAME SUITE PACKAGE...
make_root() {
	local name=$1 suite=$2 mode=unshare include
	shift 2

	[ ! -e "$cache/$name.done" ] || return 0
	[ "$(id -u)" != 0 ] || mode=root
	include=$(IFS=,; echo "$*")
	echo "fetching $* of $suite-backports ($debian), about 90 MB ..."
	"$here/marked.sh" remove "$cache/$name" "$cache/root.cpio"
	mkdir -p "$cache/$name"
	mmdebstrap --quiet --mode=$mode --variant=extract --architectures="$debian" \
		--aptopt="APT::Default-Release \"$suite-backports\"" \
		--include="$include" --format=tar "$suite" - \
		"deb $mirror $suite main" "deb $mirror $suite-backports main" \
		2>"$cache/$name.log" |
		tar -x -C "$cache/$name" --no-same-owner --exclude='./dev/*' || {
		cat "$cache/$name.log" >&2
		die "mmdebstrap failed"
	}
	(
		cd "$cache/$name" || exit 1
		# The patterns are expanded here.
		# shellcheck disable=SC2048,SC2086
		rm -rf ${unused[*]}
		# base-files and base-passwd would make these when installed.
		for dir in bin sbin lib; do
			[ -e $dir ] || [ ! -e usr/$dir ] || ln -s usr/$dir $dir
		done
		[ -e etc/passwd ] || printf '%s\n' 'root:x:0:0::/:/bin/sh' \
			'libvirt-qemu:x:64055:64055::/:/bin/false' >etc/passwd
		[ -e etc/group ] || printf '%s\n' 'root:x:0:' 'kvm:x:109:' \
			'libvirt-qemu:x:64055:' >etc/group
	)
	touch "$cache/$name.done"
}

pack() {
	local work

	[ ! -e "$cache/root.cpio" ] || return 0
	echo "packing them for the VM ..."
	work=$(mktemp -d "$cache/pack.XXXXXX")
	cp -al "$cache/qemu11" "$work/vmm"
	if [ ${#old[@]} -gt 0 ]; then
		cp -al "$cache/qemu10" "$work/vmm/qemu10"
	fi
	(cd "$work" && find . -mindepth 1 | sort |
		cpio --quiet -o -H newc -R 0:0) >"$cache/root.cpio.new"
	mv "$cache/root.cpio.new" "$cache/root.cpio"
	rm -rf "$work"
}

cache=$(realpath -m "$cache")
"$here/marked.sh" claim "$cache"
[ ! -e "$cache/root.cpio" ] || exit 0
exec 9>"$cache/.lock"
flock 9
mirror=$("$here/mirror.sh")
make_root qemu11 trixie "${new[@]}"
[ ${#old[@]} = 0 ] || make_root qemu10 bookworm "${old[@]}"
pack
