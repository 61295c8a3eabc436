#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Makes links in STAGE to the files of this repository and to those of a kernel tree that the
# builds need. kbuild and kselftest write beside their sources, so each kernel has a stage.
# Directories are not links, so that "../.." is in the stage.
#
# Usage: stage.sh REPO KSRC STAGE
#   KSRC  kernel source, for its tools/testing/selftests
set -eu
export LC_ALL=C

here=$(dirname "$(realpath "$0")")
repo=$(realpath "$1")
ksrc=$(realpath "$2")
stage=$3
selftests=tools/testing/selftests

# A correct link is not made again: a new one would cause a rebuild.
link() {
	[ "$(readlink "$2")" = "$1" ] || ln -sfn "$1" "$2"
}

"$here/marked.sh" check "$stage"
mkdir -p "$stage/$selftests"
stage=$(realpath "$stage")
find "$stage" -xtype l -delete

cd "$repo"
find include samples "$selftests" -path '*/lab' -prune -o -type f \
	\( -name '*.[ch]' -o -name '*.sh' -o -name Makefile \
	   -o -name Kbuild -o -name config -o -name config.x86_64 \
	   -o -name settings -o -name clauses \) ! -name '*.mod.c' -print |
while read -r file; do
	[ -L "$stage/$file" ] || mkdir -p "$stage/${file%/*}"
	link "$repo/$file" "$stage/$file"
done
mkdir -p "$stage/lib" "$stage/include/linux"
for file in lib/xxhash.c include/linux/xxhash.h "$selftests/lib.mk" \
	    "$selftests/kselftest.h" "$selftests/kselftest_harness.h" \
	    "$selftests/kselftest"; do
	link "$ksrc/$file" "$stage/$file"
done
