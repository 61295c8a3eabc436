#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# make kselftest-merge, which CI uses to configure a kernel: are all options there afterwards that
# the tests need? An option may be built in where the tests ask for a module.
#
# Usage: merge.sh TREE OUT
#   TREE  a kernel tree, after tree/overlay.sh
set -euo pipefail
export LC_ALL=C

here=$(dirname "$(realpath "$0")")
# shellcheck source=../building.sh
. "$here/../building.sh"
tree=$(realpath "$1")
out=$2
migration=$here/../../migration

kmake() {
	logged_make "$out/$1.log" "$1" -s -C "$tree" O="$out" ARCH=x86 "$1"
}

mkdir -p "$out"
kmake x86_64_defconfig
kmake kselftest-merge
missing=0 found=0
while IFS='=' read -r option _; do
	if grep -qE "^$option=[ym]$" "$out/.config"; then
		found=$((found + 1))
	else
		echo "not ok $option is not set"
		missing=$((missing + 1))
	fi
done < <(grep -h '^CONFIG_' "$migration/config" "$migration/config.x86_64")
echo "make kselftest-merge: $found options are set, $missing are not"
[ $missing = 0 ]
