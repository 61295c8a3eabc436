#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Installs the host programs that a build and a boot need, if the user is root. Other
# users get the names of the missing packages, and the script fails. If nothing is missing,
# neither apt nor a network is used.
#
# Usage: hostpkgs.sh [GROUP]
#   vm        builds and boots (default)
#   arm64     builds and boots for arm64, besides vm
#   clang, i386, s390x, ppc64   matrix/foreign.sh
#   vmm       roots.sh
#   kernel    kernels/kernel.sh
#   coverage  report/coverage.py
#   report    pictures
#   fuzz      fuzz/
#   lint      lint/
#   docs      docs/
#   series    series/
#   install   install/
set -eu
export LC_ALL=C

# The compiler of the release, with which Debian builds its kernel
kernel_gcc=gcc-12
! grep -qsx VERSION_CODENAME=trixie /etc/os-release || kernel_gcc=gcc-14

# Group, program or path of a file, and the Debian package that has it. busybox must be
# static: with ip and tc it is the whole userspace of the VM. pod2usage stands for the needs
# of the kernel's kernel-doc, which a build with W=1 runs. llvm-symbolizer names the functions
# in the stack of a finding.
list="
vm	gcc			gcc
vm	$kernel_gcc		$kernel_gcc
vm	make			make
vm	ld			binutils
vm	/usr/include/stdlib.h	libc6-dev
vm	/usr/lib/x86_64-linux-gnu/libelf.so.1	libelf1
vm	cpio			cpio
vm	rsync			rsync
vm	xz			xz-utils
vm	pod2usage		perl
vm	python3			python3
vm	qemu-system-x86_64	qemu-system-x86
vm	static-busybox		busybox-static
vm	/usr/share/doc/iproute2	iproute2
arm64	aarch64-linux-gnu-gcc	gcc-aarch64-linux-gnu
arm64	/usr/aarch64-linux-gnu/include/stdlib.h	libc6-dev-arm64-cross
arm64	qemu-system-aarch64	qemu-system-arm
clang	clang			clang
clang	ld.lld			lld
clang	llvm-ar			llvm
clang	/usr/include/libelf.h	libelf-dev
i386	i686-linux-gnu-gcc	gcc-i686-linux-gnu
i386	/usr/i686-linux-gnu/include/stdlib.h	libc6-dev-i386-cross
s390x	s390x-linux-gnu-gcc	gcc-s390x-linux-gnu
s390x	/usr/s390x-linux-gnu/include/stdlib.h	libc6-dev-s390x-cross
ppc64	powerpc64-linux-gnu-gcc	gcc-powerpc64-linux-gnu
ppc64	/usr/powerpc64-linux-gnu/include/stdlib.h	libc6-dev-ppc64-cross
vmm	mmdebstrap		mmdebstrap
vmm	/usr/share/keyrings/debian-archive-keyring.gpg	debian-archive-keyring
kernel	flex			flex
kernel	bison			bison
kernel	bc			bc
kernel	/usr/include/libelf.h	libelf-dev
coverage	gcovr		gcovr
report	gnuplot			gnuplot-nox
fuzz	gcc			gcc
fuzz	rsync			rsync
fuzz	xz			xz-utils
fuzz	clang			clang
fuzz	libfuzzer		libclang-rt-dev
fuzz	llvm-symbolizer		llvm
fuzz	/usr/include/stdlib.h	libc6-dev
lint	shellcheck		shellcheck
lint	sparse			sparse
lint	spatch			coccinelle
docs	sphinx-build		python3-sphinx
series	git			git
series	unifdef			unifdef
install	dkms			dkms
"

is_there() {
	case $1 in
	/*) [ -e "$1" ] ;;
	static-busybox) [ -x /bin/busybox ] && [ -e /usr/share/doc/busybox-static ] ;;
	libfuzzer) [ -e "$(clang -print-runtime-dir 2>/dev/null)/libclang_rt.fuzzer-$(uname -m).a" ] ;;
	*) command -v "$1" >/dev/null ;;
	esac
}

wanted=${1:-vm}
echo "$list" | grep -q "^$wanted	" || {
	echo "usage: hostpkgs.sh [vm | arm64 | i386 | s390x | ppc64 | vmm | kernel | coverage | report | fuzz | lint | docs | series | install]" >&2
	exit 2
}
missing=$(echo "$list" | while read -r group file package; do
	[ "$group" != "$wanted" ] || is_there "$file" || printf ' %s' "$package"
done)
missing=${missing# }
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
	echo "error: apt-get is missing (not Debian?), and so are these Debian packages: $missing" >&2
	exit 1
fi
if [ "$(id -u)" != 0 ]; then
	echo "error: packages are missing. As root, run:" >&2
	echo "    apt-get install --no-install-recommends $missing" >&2
	exit 1
fi

install_missing() {
	# The lock: another run may be installing. $missing is a list of words.
	# shellcheck disable=SC2086
	DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -qq -y \
		--no-install-recommends $missing </dev/null >"$log" 2>&1
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "installing $missing ..."
# The first attempt fails if apt's lists are missing or out of date.
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
