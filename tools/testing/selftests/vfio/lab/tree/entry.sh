#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Replaces the entry of mtty in a Kconfig file by Kconfig.mtty.
#
# Usage: entry.sh KCONFIG
set -euo pipefail
export LC_ALL=C

here=$(dirname "$(realpath "$0")")
kconfig=$1

# A new file: the old one may be a hard link to that of another tree.
awk -v entry="$here/Kconfig.mtty" '
	/^[a-z]/ { inside = 0 }
	$1 == "config" && $2 == "SAMPLE_VFIO_MDEV_MTTY" {
		while ((getline line <entry) > 0)
			print line
		print ""
		inside = found = 1
	}
	!inside
	END { exit !found }' "$kconfig" >"$kconfig.new" || {
	rm -f "$kconfig.new"
	echo "error: $kconfig has no entry SAMPLE_VFIO_MDEV_MTTY" >&2
	exit 1
}
mv "$kconfig.new" "$kconfig"
