#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Pages and files that a text names must exist: each path to a page of Documentation/ or of
# lab/docs/, in any file, and each link of README.md.
#
# Usage: references.sh     (in the root of the repository)
# Exit status: 0 no finding, 1 findings (FILE:LINE: what is missing).
set -eu
export LC_ALL=C

lab=tools/testing/selftests/vfio/lab
# The kernel's own pages, and those that a patch for the kernel names
kernels='Documentation/dev-tools/ktap\.rst|lint/references\.sh:|kernel-index\.patch:|check/runner/|lab/series/patches/'

# Each line: FILE:LINE:PATH
named() {
	grep -rnoIE '\b(Documentation|lab/docs)/[A-Za-z0-9_/.-]+\.(rst|svg)\b' \
		README.md Makefile .ci Documentation include samples tools | grep -vE "$kernels" || true
	grep -noE '\]\([^)#:]+\)' README.md | sed 's/](//; s/)$//; s/^/README.md:/' || true
}

named | {
	status=0
	while IFS=: read -r file line path; do
		case $path in
		lab/docs/*) path=$lab/${path#lab/} ;;
		esac
		[ -e "$path" ] || {
			echo "$file:$line: there is no $path"
			status=1
		}
	done
	exit $status
}
