#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Over all sources the kernel's checkpatch and kernel-doc, over all scripts the usual
# checker of shell. Each says what it finds; any finding is a failure. What
# the driver means, and not how it is written, is for analyze.sh.
#
# Usage: lint.sh KERNEL_SOURCE     (in the root of the repository)
set -eu
export LC_ALL=C

scripts_dir=$(realpath "$1")/scripts
checkpatch=$scripts_dir/checkpatch.pl
status=0

echo "checkpatch, kernel-doc, shellcheck ..."
# vfio.h itself has names with small letters (..._PRECOPY_INFOv2), which
# checkpatch would know only from a whole kernel tree in git.
check_sources() {
	dirs=$1
	shift
	# shellcheck disable=SC2086
	find $dirs -type f \( -name '*.[ch]' -o -name Kbuild -o -name Kconfig \
		-o -name Makefile \) ! -name '*.mod.c' -exec \
		"$checkpatch" --no-tree --strict --terse --quiet \
		--show-types --no-summary --ignore CAMELCASE "$@" -f {} + ||
		status=1
}

# compat.h is what compares versions, so that nothing else has to.
check_sources "include samples ! -name mtty_trace.h" \
	--ignore LINUX_VERSION_CODE,CONSTANT_COMPARISON
# The parts of an event are arguments of a macro, but are written, here as in the
# rest of the kernel, as the structure and the statements that they become.
check_sources samples/vfio-mdev/mtty/mtty_trace.h \
	--ignore OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT
# In the harness's tests, "*" after FIXTURE_DATA(x) declares a pointer, and
# macros that build an initialiser or a check are the rule.
check_sources tools --ignore SPACING,COMPLEX_MACRO,MACRO_ARG_REUSE

# A comment that begins as kernel-doc has to be right, and whole.
find include samples tools -type f -name '*.[ch]' ! -name '*.mod.c' \
	-exec "$scripts_dir/kernel-doc" -none -Werror {} + || status=1

# A script is a file with such a first line.
scripts=$(grep -rlE '^(#!/bin/(ba)?sh|# shellcheck shell=)' .ci tools)
# shellcheck disable=SC2086
shellcheck -x -P SCRIPTDIR $scripts || status=1
exit $status
