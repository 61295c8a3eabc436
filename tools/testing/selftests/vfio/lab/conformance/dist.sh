#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Makes one archive of the conformance suite, for a machine with hardware and nothing else:
# the programs, linked statically, the clauses, and a page that says how to use them.
#
# Usage: dist.sh SELFTESTS ARCHIVE PROGRAM...
#   SELFTESTS  the installed tests
#   ARCHIVE    *.tar.xz
#   PROGRAM    names of the test programs
set -euo pipefail
export LC_ALL=C

here=$(dirname "$(realpath "$0")")
selftests=$1 archive=$2
shift 2
name=vfio-migration-conformance
work=$(mktemp -d "$archive.XXXXXX")
trap 'rm -rf "$work"' EXIT

error() {
	echo "error: $*" >&2
	exit 1
}

mkdir "$work/$name"
cp "$selftests/$name" "$selftests/mig_probe" "$selftests/clauses" "$here/dist-README" "$work/$name/"
mv "$work/$name/dist-README" "$work/$name/README"
for program; do
	cp "$selftests/$program" "$work/$name/"
done

for file in "$work/$name"/*; do
	# A static program has no interpreter.
	if [ -x "$file" ] && readelf -lW "$file" | grep -q INTERP; then
		error "$(basename "$file") is not linked statically"
	fi
done
strip "$work/$name"/*_test "$work/$name/$name" 2>/dev/null || true

# The same tree makes the same archive.
tar --sort=name --mtime=@"${SOURCE_DATE_EPOCH:-0}" --owner=0 --group=0 --numeric-owner \
	-C "$work" -cJf "$work/archive" "$name"
mv "$work/archive" "$archive"
echo "$archive ($(du -h "$archive" | cut -f1)); unpack it there, and read $name/README"
