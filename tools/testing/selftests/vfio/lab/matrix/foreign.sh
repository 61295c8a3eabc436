#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds the driver and the tests with a cross compiler, or with clang for x86-64, in a kernel tree;
# a warning is an error. Nothing of it is run.
#
# Usage: foreign.sh arm64|clang|i386|s390x|ppc64 TREE OUT JOBS
#   TREE  a kernel tree, after tree/overlay.sh
set -euo pipefail
export LC_ALL=C

here=$(dirname "$(realpath "$0")")
# shellcheck source=../building.sh
. "$here/../building.sh"
name=$1
tree=$(realpath "$2")
mkdir -p "$3"
out=$(realpath "$3")
jobs=$4
migration=$here/../../migration
symbol=CONFIG_SAMPLE_VFIO_MDEV_MTTY=m

flags=-Werror
# Options, the machine in an object, and names of the kernel and of the compiler
case $name in
arm64)
	options=() machine=AArch64 arch=arm64 cross=aarch64-linux-gnu-
	;;
clang)
	options=(CONFIG_64BIT=y) machine='Advanced Micro Devices X86-64' arch=x86_64 cross=''
	;;
i386)
	# The harness of kselftest casts each pointer that it compares to intmax_t.
	flags+=' -Wno-pointer-to-int-cast'
	options=() machine='Intel 80386' arch=i386 cross=i686-linux-gnu-
	;;
s390x)
	options=() machine='IBM S/390' arch=s390 cross=s390x-linux-gnu-
	;;
ppc64)
	options=(CONFIG_PPC64=y CONFIG_CPU_BIG_ENDIAN=y) machine=PowerPC64 arch=powerpc
	cross=powerpc64-linux-gnu-
	;;
*)
	echo "error: not arm64, clang, i386, s390x or ppc64: $name" >&2
	exit 2
	;;
esac

die() {
	echo "error: $*" >&2
	exit 1
}

# step WHAT WORD...: make
step() {
	echo "$name: $1 ..."
	logged_make "$out/$1.log" "$@"
}

compiler=CROSS_COMPILE=$cross
[ -n "$cross" ] || compiler=LLVM=1
kmake=(-s -C "$tree" O="$out/kernel" "ARCH=$arch" "$compiler" -j"$jobs")
{
	grep -h '^CONFIG' "$migration/config"
	printf '%s\n' CONFIG_MODULES=y CONFIG_PCI=y CONFIG_IOMMU_SUPPORT=y "${options[@]}"
} >"$out/fragment"
step allnoconfig "${kmake[@]}" KCONFIG_ALLCONFIG="$out/fragment" allnoconfig
grep -qx "$symbol" "$out/kernel/.config" || die "no $symbol with ARCH=$arch"
step prepare "${kmake[@]}" prepare headers
step driver "${kmake[@]}" W=1 KCFLAGS=-Werror samples/vfio-mdev/mtty/
step tests -s -C "$tree/tools/testing/selftests/vfio/migration" -j"$jobs" \
	"$compiler" OUTPUT="$out/objects" INSTALL_PATH="$out/selftests" \
	KHDR_INCLUDES="-isystem $out/kernel/usr/include" USERCFLAGS="$flags" STRICT=1 install

programs=("$out"/selftests/*_test)
for file in "$out/kernel/samples/vfio-mdev/mtty/mtty.o" "${programs[@]}"; do
	readelf -h "$file" 2>/dev/null | grep -q "Machine: *$machine" || die "$file is not for $machine"
done
echo "$name: the driver and ${#programs[@]} test programs are built, without a warning"
