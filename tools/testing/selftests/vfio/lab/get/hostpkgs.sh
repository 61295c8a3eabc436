#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Makes sure that the host programs a build and a boot need are there.
# As root it installs the packages that are missing, by name; as an ordinary
# user it says which ones to ask for, and fails. Where nothing is missing it
# neither calls apt nor needs a network.
#
# Usage: hostpkgs.sh [vm | arm64 | vmm | kernel | coverage | fuzz | lint]
#   vm        for a build and a boot (default)
#   arm64     for a build and a boot of that architecture, besides
#   vmm       for roots.sh
#   kernel    for lab/kernel.sh
#   coverage  for lab/coverage.py
#   fuzz      for fuzz/
#   lint      for lint/
set -eu
export LC_ALL=C

# What must be there (a program, or a file named by its path), and the Debian
# package that brings it. The busybox must be the static one: but for ip and
# tc it is the VM's whole user space. Perl's pod2usage stands for what the kernel's kernel-doc
# needs, which a build with W=1 calls.
needs_vm() {
	cat <<-LIST
		gcc			gcc
		gcc-12			gcc-12
		make			make
		ld			binutils
		/usr/include/stdlib.h	libc6-dev
		/usr/lib/x86_64-linux-gnu/libelf.so.1	libelf1
		cpio			cpio
		rsync			rsync
		xz			xz-utils
		pod2usage		perl
		python3			python3
		qemu-system-x86_64	qemu-system-x86
		static-busybox		busybox-static
		/usr/share/doc/iproute2	iproute2
	LIST
}

needs_arm64() {
	cat <<-LIST
		aarch64-linux-gnu-gcc	gcc-aarch64-linux-gnu
		/usr/aarch64-linux-gnu/include/stdlib.h	libc6-dev-arm64-cross
		qemu-system-aarch64	qemu-system-arm
	LIST
}

needs_vmm() {
	cat <<-LIST
		mmdebstrap		mmdebstrap
		/usr/share/keyrings/debian-archive-keyring.gpg	debian-archive-keyring
	LIST
}

needs_kernel() {
	cat <<-LIST
		flex			flex
		bison			bison
		bc			bc
		/usr/include/libelf.h	libelf-dev
	LIST
}

needs_coverage() {
	echo "gcovr gcovr"
}

# The symbolizer gives the stack of a finding its names.
needs_fuzz() {
	cat <<-LIST
		clang			clang
		libfuzzer		libclang-rt-dev
		llvm-symbolizer		llvm
		gcc			gcc
		rsync			rsync
		xz			xz-utils
		/usr/include/stdlib.h	libc6-dev
	LIST
}

needs_lint() {
	cat <<-LIST
		shellcheck		shellcheck
		sparse			sparse
		spatch			coccinelle
	LIST
}

is_there() {
	case $1 in
	/*)
		[ -e "$1" ]
		;;
	static-busybox)
		[ -x /bin/busybox ] && [ -e /usr/share/doc/busybox-static ]
		;;
	libfuzzer)
		[ -e "$(clang -print-runtime-dir 2>/dev/null)/libclang_rt.fuzzer-$(uname -m).a" ]
		;;
	*)
		command -v "$1" >/dev/null
		;;
	esac
}

kind=${1:-vm}
case $kind in
vm | arm64 | vmm | kernel | coverage | fuzz | lint)
	;;
*)
	echo "usage: hostpkgs.sh [vm | arm64 | vmm | kernel | coverage | fuzz | lint]" >&2
	exit 2
	;;
esac
missing=$("needs_$kind" | while read -r what package; do
	is_there "$what" || printf ' %s' "$package"
done)
missing=${missing# }
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
	echo "error: not a Debian system, and the programs of these Debian packages are missing: $missing" >&2
	exit 1
fi
if [ "$(id -u)" != 0 ]; then
	echo "error: packages are missing. As root, run:" >&2
	echo "    apt-get install --no-install-recommends $missing" >&2
	exit 1
fi

install_missing() {
	# Another run may be installing. $missing is a list of words.
	# shellcheck disable=SC2086
	DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -qq -y \
		--no-install-recommends $missing </dev/null >"$log" 2>&1
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "installing $missing ..."
# Lists that are missing or out of date make the first attempt fail.
if ! install_missing; then
	apt-get -qq update </dev/null >"$log" 2>&1 || {
		cat "$log" >&2
		echo "error: apt-get update failed" >&2
		exit 1
	}
	install_missing || {
		cat "$log" >&2
		echo "error: apt-get install $missing failed" >&2
		exit 1
	}
fi
