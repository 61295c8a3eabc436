#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Puts into a kernel tree what a series carries: the header, the driver in place of the sample
# mtty.c, and the tests. samples/Kconfig is changed in the entry of this driver only.
#
# Files are replaced, not written to: they may be hard links to those of another tree.
#
# Usage: overlay.sh TREE
set -euo pipefail
export LC_ALL=C

here=$(dirname "$(realpath "$0")")
repo=$(realpath "$here/../../../../../..")
tree=$1

die() {
	echo "error: $*" >&2
	exit 1
}

# All files of a directory of this repository, but what a build has made
files() {
	local dir

	for dir; do
		find "$dir" -type f ! -name '*.o' ! -name '*.d' ! -name '*.ko' ! -name '*.mod*' \
			! -name '.*.cmd' ! -name Module.symvers ! -name modules.order
	done
}

# A file that is not copied again causes no rebuild.
is_same() {
	cmp -s "$1" "$2" && [ "$(stat -c %a "$1")" = "$(stat -c %a "$2")" ]
}

[ -e "$tree/samples/Kconfig" ] || die "$tree is no kernel tree: it has no samples/Kconfig"
tree=$(realpath "$tree")
cd "$repo"
files include samples tools/testing/selftests/vfio/migration |
while read -r file; do
	! is_same "$file" "$tree/$file" || continue
	mkdir -p "$tree/${file%/*}"
	cp --remove-destination "$file" "$tree/$file"
done
rm -f "$tree/samples/vfio-mdev/mtty.c"
"$here/entry.sh" "$tree/samples/Kconfig"
