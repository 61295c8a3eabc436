#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# Runs the conformance suite in the VM, on the devices of the file "runs" (name, path, device),
# after it has bound the PCI functions of the file "functions" to vfio-pci. All files are in
# the current directory, with modules of drivers. $JOURNAL is a device: what is written there
# is on the host at once.
#
# Usage: suite.sh OPTION...     (of the suite)
set -u

program=/selftests/vfio-migration-conformance
added=$PWD

mark() {
	echo "@$*" >>"$JOURNAL"
}

die() {
	echo "error: $*" >&2
	exit 1
}

bind() {
	dir=/sys/bus/pci/devices/$1

	[ -d "$dir" ] || die "the VM has no PCI function $1"
	[ -e /sys/bus/pci/drivers/vfio-pci ] || die "this kernel has no vfio-pci"
	[ -e "$dir/iommu_group" ] ||
		die "no IOMMU for $1: has the kernel CONFIG_INTEL_IOMMU?"
	echo vfio-pci >"$dir/driver_override"
	[ ! -e "$dir/driver" ] || echo "$1" >"$dir/driver/unbind"
	echo "$1" >/sys/bus/pci/drivers/vfio-pci/bind || die "vfio-pci does not take $1"
}

# A lab kernel has no interrupt remapping. The VM has no devices but its own.
allow_interrupts() {
	for file in /sys/module/vfio_iommu_type1 /sys/module/iommufd; do
		file=$file/parameters/allow_unsafe_interrupts
		[ ! -e "$file" ] || echo Y >"$file"
	done
}

# The suite notices an oops and reports it. It asks for a new VM by its exit status.
echo 0 >/proc/sys/kernel/panic_on_oops
mark kernel "$(uname -r)"
for module in *.ko; do
	[ ! -e "$module" ] || insmod "$module" || die "insmod $module failed"
done
allow_interrupts
while read -r function; do
	bind "$function"
done <functions
while IFS="$(printf '\t')" read -r name path device; do
	if [ "$path" = iommufd ] && [ ! -e /dev/iommu ]; then
		mark skip "$name"
		continue
	fi
	mark run "$name"
	(cd /selftests && exec "$program" --device "$device" --path "$path" "$@" \
		--journal "$added/$name.journal" --journal-copy "$JOURNAL" --stop-on-crash \
		--json "/report/$name.json" --html "/report/$name.html") \
		</dev/null >"/report/$name.txt" 2>&1
	status=$?
	mark end "$name" $status
	# The kernel may be damaged: init would hang.
	[ $status != 3 ] || poweroff -f
done <runs
