#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Collects the kernel's own modules that the VM needs, with all that they
# depend on, decompressed, in OUT, and writes OUT/order: their file names,
# each after those that it depends on. A module that is built into the kernel is
# skipped. An optional one may be missing.
#
# Usage: modules.sh TREE OUT
#   TREE  a built kernel tree, or a directory below /lib/modules
set -euo pipefail

here=$(dirname "$(realpath "$0")")
tree=$1
out=$2

# How to reach the host, mediated devices and PCI functions, KVM for the interrupt
# controller, and a link between two network namespaces. Both of KVM's vendor modules
# are taken along, init loads the one that fits the CPU.
required=(virtio_pci virtio_console vfio vfio_iommu_type1 mdev)
optional=(iommufd vfio_pci irqbypass kvm ccp kvm_amd kvm_intel veth sch_netem brd)

die() {
	echo "error: $*" >&2
	exit 1
}

[ -e "$tree/modules.order" ] ||
	die "$tree is no built kernel tree (it has no modules.order): make bzImage modules there first"

declare -A path builtin taken

# A module's name has '_' where its file may have '-', and in these lists the
# file's name ends in .o or .ko, whatever it is called on disk.
while read -r file; do
	name=${file##*/}
	name=${name%%.*}
	builtin[${name//-/_}]=1
done <"$tree/modules.builtin"
while read -r file; do
	file=${file%.*}
	name=${file##*/}
	path[${name//-/_}]=$tree/$file
done <"$tree/modules.order"

unpack() {
	local base=$1 to=$2

	if [ -e "$base.ko" ]; then
		cp "$base.ko" "$to"
	elif [ -e "$base.ko.xz" ]; then
		xz -dc "$base.ko.xz" >"$to"
	elif [ -e "$base.ko.zst" ]; then
		zstd -qdc "$base.ko.zst" >"$to"
	elif [ -e "$base.ko.gz" ]; then
		gzip -dc "$base.ko.gz" >"$to"
	else
		die "$base.ko is not built"
	fi
	# A kernel with debug information has modules of many megabytes.
	if readelf -SW "$to" | grep ' \.debug_info' >/dev/null; then
		strip --strip-debug "$to"
	fi
}

depends_of() {
	tr '\0' '\n' <"$1" | sed -n 's/^depends=//p' | tr ',' '\n'
}

take() {
	local name=$1 dep

	[ -z "${taken[$name]:-}" ] && [ -n "${path[$name]:-}" ] || return 0
	taken[$name]=1
	unpack "${path[$name]}" "$out/$name.ko"
	while read -r dep; do
		[ -z "$dep" ] || take "${dep//-/_}"
	done < <(depends_of "$out/$name.ko")
	echo "$name.ko" >>"$out/order"
}

[ ! -e "$out" ] || "$here/../get/marked.sh" remove "$out"
mkdir -p "$out"
: >"$out/order"
for name in "${required[@]}"; do
	[ -n "${path[$name]:-}${builtin[$name]:-}" ] ||
		die "the kernel in $tree has no $name, neither as a module nor built in; see the fragments config and config.x86_64 in tools/testing/selftests/vfio/migration"
	take "$name"
done
for name in "${optional[@]}"; do
	take "$name"
done
