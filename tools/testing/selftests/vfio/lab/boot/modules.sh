#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Copies the kernel's modules that the VM needs, and their dependencies, decompressed, to
# OUT, and writes OUT/order: their file names in the order of loading. Modules that are built
# into the kernel are skipped.
#
# Usage: modules.sh TREE OUT
#   TREE  a built kernel tree, or a directory below /lib/modules
set -euo pipefail

here=$(dirname "$(realpath "$0")")
tree=$1
out=$2

# The ports to the host, mediated devices, KVM for the interrupt controller, and a link
# between two network namespaces. init loads that of KVM's vendor modules that fits the CPU.
required=(virtio_pci virtio_console vfio vfio_iommu_type1 mdev)
optional=(iommufd irqbypass kvm ccp kvm_amd kvm_intel veth sch_netem brd)

die() {
	echo "error: $*" >&2
	exit 1
}

[ -e "$tree/modules.order" ] ||
	die "$tree is not a built kernel tree (no modules.order): run make bzImage modules there first"

declare -A path builtin taken

# A module's name has '_' where its file may have '-'. In these lists the files end in .o or
# .ko, even if they are compressed.
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
	# Debug information would make the initramfs large.
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
		die "the kernel in $tree does not have $name, as a module or built in; see the fragments config and config.x86_64 in tools/testing/selftests/vfio/migration"
	take "$name"
done
for name in "${optional[@]}"; do
	take "$name"
done
