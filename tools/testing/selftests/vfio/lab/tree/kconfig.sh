#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The entry of mtty in samples/Kconfig: can it be selected where it can be built, not where it
# cannot, and are the dependencies of all that it selects met? Only scripts/kconfig runs.
#
# Usage: kconfig.sh TREE OUT [RANDOM]
#   TREE    a kernel tree, after overlay.sh
#   OUT     gets the configurations and the messages
#   RANDOM  how many random configurations (20)
set -uo pipefail
export LC_ALL=C

# shellcheck source=../building.sh
. "$(dirname "$(realpath "$0")")/../building.sh"
tree=$(realpath "$1")
mkdir -p "$2"
out=$(realpath "$2")
random=${3:-20}
symbol=CONFIG_SAMPLE_VFIO_MDEV_MTTY
failed=0

# The dependencies of mtty, and no more
cat >"$out/fragment" <<WORDS
CONFIG_MODULES=y
CONFIG_SAMPLES=y
CONFIG_VFIO=m
$symbol=m
WORDS
# The same with IOMMUFD, which VFIO can use in place of its own containers
{
	cat "$out/fragment"
	echo CONFIG_IOMMU_SUPPORT=y
	echo CONFIG_IOMMUFD=m
	echo CONFIG_VFIO_DEVICE_CDEV=y
} >"$out/fragment-iommufd"

# kconfig NAME GOAL VARIABLE=VALUE...: the configuration NAME
kconfig() {
	local name=$1 goal=$2
	shift 2

	clean_make -s -C "$tree" O="$out/$name" \
		"$@" "$goal" >"$out/$name.log" 2>&1 || {
		cat "$out/$name.log"
		fail "$name" "make $goal fails"
	}
}

fail() {
	echo "not ok $1: $2"
	failed=$((failed + 1))
}

# expect NAME VALUE [LINE...]: value of the symbol, other lines, and no warning about it
expect() {
	local name=$1 want=$2 seen line unmet
	shift 2

	seen=$(sed -n "s/^$symbol=//p" "$out/$name/.config")
	[ "${seen:-n}" = "$want" ] || {
		fail "$name" "the entry is '${seen:-n}', not '$want'"
		return
	}
	for line; do
		grep -qx "$line" "$out/$name/.config" || {
			fail "$name" "no line $line"
			return
		}
	done
	unmet=$(awk '/^WARNING: unmet/ { text = $0; next }
		     { text = text "\n" $0 }
		     /Selected by.*SAMPLE_VFIO_MDEV_MTTY|- SAMPLE_VFIO_MDEV_MTTY/ { print text }' \
		"$out/$name.log")
	[ -z "$unmet" ] || {
		echo "$unmet"
		fail "$name" "it selects what cannot be"
		return
	}
	echo "ok $name: ${seen:-n}"
}

selected=(CONFIG_VFIO_MDEV=m CONFIG_VFIO_VIRQFD=y 'CONFIG_XXHASH=[my]')
kconfig allno allnoconfig ARCH=x86 KCONFIG_ALLCONFIG="$out/fragment"
expect allno m "${selected[@]}"
kconfig allno-iommufd allnoconfig ARCH=x86 KCONFIG_ALLCONFIG="$out/fragment-iommufd"
expect allno-iommufd m "${selected[@]}" CONFIG_IOMMUFD_DRIVER=y
kconfig def defconfig ARCH=x86
cat "$out/fragment" >>"$out/def/.config"
kconfig def olddefconfig ARCH=x86
expect def m "${selected[@]}"
kconfig allmod allmodconfig ARCH=x86
expect allmod m "${selected[@]}" CONFIG_IOMMUFD_DRIVER=y
kconfig allyes allyesconfig ARCH=x86
expect allyes y CONFIG_VFIO_MDEV=y CONFIG_VFIO_VIRQFD=y CONFIG_XXHASH=y

# kbuild does not use the compiler here: that of this machine is good enough.
native=(CC=gcc LD=ld)
for arch in arm64 s390 powerpc; do
	kconfig "$arch" allmodconfig ARCH=$arch "${native[@]}"
	expect "$arch" m "${selected[@]}"
done
# Pages of 256 KiB are larger than a record of the stream.
kconfig hexagon allnoconfig ARCH=hexagon "${native[@]}" KCONFIG_ALLCONFIG=<(
	cat "$out/fragment"
	echo CONFIG_PAGE_SIZE_256KB=y)
expect hexagon n CONFIG_PAGE_SIZE_256KB=y CONFIG_VFIO=m
# The driver maps its memory.
kconfig no-mmu allnoconfig ARCH=m68k "${native[@]}" KCONFIG_ALLCONFIG="$out/fragment"
expect no-mmu n CONFIG_VFIO=m '# CONFIG_MMU is not set'

for ((seed = 1; seed <= random; seed++)); do
	# Half of them with VFIO built in, so that all selected is built in, too
	sed "$( ((seed % 2)) || echo 's/=m$/=y/')" "$out/fragment" >"$out/fragment-random"
	kconfig random-$seed randconfig ARCH=x86 KCONFIG_SEED=$seed \
		KCONFIG_ALLCONFIG="$out/fragment-random"
	value=m
	((seed % 2)) || value=y
	# An option of the configuration may forbid VFIO as a whole.
	grep -q '^CONFIG_VFIO=' "$out/random-$seed/.config" || value=n
	grep -q '^CONFIG_VFIO=m' "$out/random-$seed/.config" && value=m
	expect random-$seed $value
done
[ $failed = 0 ]
