#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Builds all pages as HTML: those of Documentation/ and those of this directory. A warning is an
# error.
#
# Usage: build.sh REPO KSRC KERNEL_SPHINX OUT
#   KSRC           kernel source, for its kernel-doc
#   KERNEL_SPHINX  the kernel's Documentation/sphinx
#   OUT            gets the directories source and html
set -eu
export LC_ALL=C.UTF-8

here=$(dirname "$(realpath "$0")")
repo=$(realpath "$1")
kernel_doc=$(realpath "$2")/scripts/kernel-doc
kernel_sphinx=$(realpath "$3")
out=$4
library=Documentation/driver-api/vfio-migration-library.rst

# The page of the library has every header with kernel-doc that is not internal.
status=0
for header in "$repo"/tools/testing/selftests/vfio/migration/lib/*/*.h; do
	name=${header#"$repo/"}
	case $name in
	*_int.h | */irqchip/*) continue ;;
	esac
	if "$kernel_doc" -rst "$header" 2>/dev/null | grep -q '^\.\. c:' &&
	   ! grep -qxF ".. kernel-doc:: $name" "$repo/$library"; then
		echo "$library:1: no entry for $name" >&2
		status=1
	fi
done
[ $status = 0 ]

# A page that was removed must not stay.
"$here/../get/marked.sh" remove "$out/source" "$out/html"
mkdir -p "$out/source"
cp -r "$repo"/Documentation/driver-api "$repo"/Documentation/userspace-api "$out/source"
cp "$here"/*.rst "$here"/*.svg "$out/source"

env DOCS_DIR="$here" KERNEL_SPHINX="$kernel_sphinx" KERNEL_DOC="$kernel_doc" REPO="$repo" \
	sphinx-build -q -E -W --keep-going -b html -c "$here" -d "$out/doctrees" \
	"$out/source" "$out/html"
echo "docs: $(find "$out/html" -name '*.html' | wc -l) pages, no warning; begin with $out/html/index.html"
