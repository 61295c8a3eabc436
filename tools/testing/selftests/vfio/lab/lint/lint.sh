#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# checkpatch and kernel-doc for all sources, shellcheck for all scripts; the clauses, pages
# and make commands that a text names, and the header in the patches for QEMU. Any finding is a
# failure. analyze.sh checks the code of the driver.
#
# Usage: lint.sh KERNEL_SOURCE     (in the root of the repository)
set -eu
export LC_ALL=C

scripts_dir=$(realpath "$1")/scripts
checkpatch=$scripts_dir/checkpatch.pl
status=0

echo "checkpatch, kernel-doc, shellcheck ..."
# CAMELCASE: vfio.h has such names (..._PRECOPY_INFOv2), which checkpatch knows only in a
# kernel tree with git.
check_sources() {
	dirs=$1
	shift
	# shellcheck disable=SC2086
	find $dirs -type f \( -name '*.[ch]' -o -name Kbuild \
		-o -name Makefile \) ! -name '*.mod.c' -exec \
		"$checkpatch" --no-tree --strict --terse --quiet \
		--show-types --no-summary --ignore CAMELCASE "$@" -f {} + ||
		status=1
}

# ignored KIND: a list of checkpatch-ignored
ignored() {
	sed -n "s/^$1 //p" tools/testing/selftests/vfio/lab/lint/checkpatch-ignored
}

# compat.h compares versions, and no other file does.
check_sources "include samples ! -name mtty_trace.h" \
	--ignore LINUX_VERSION_CODE,CONSTANT_COMPARISON
check_sources samples/vfio-mdev/mtty/mtty_trace.h --ignore "$(ignored trace)"
check_sources tools --ignore "$(ignored harness)"

# kernel-doc comments must be correct and complete.
find include samples tools -type f -name '*.[ch]' ! -name '*.mod.c' \
	-exec "$scripts_dir/kernel-doc" -none -Werror {} + || status=1

# Scripts have one of these lines.
scripts=$(grep -rlE '^(#!/bin/(ba)?sh|# shellcheck shell=)' .ci tools)
# shellcheck disable=SC2086
shellcheck -x -P SCRIPTDIR $scripts || status=1

echo "clauses ..."
tools/testing/selftests/vfio/lab/lint/clauses.py \
	--check-rst Documentation/driver-api/vfio-migration-clauses.rst || status=1
tools/testing/selftests/vfio/lab/docs/states.py \
	--check Documentation/driver-api/vfio-migration-states.svg \
	tools/testing/selftests/vfio/migration/uapi/clauses || status=1
tools/testing/selftests/vfio/lab/lint/references.sh || status=1
tools/testing/selftests/vfio/lab/lint/commands.py || status=1
tools/testing/selftests/vfio/lab/qemu/series/header.py || status=1
exit $status
