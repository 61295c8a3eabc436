#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The kernel's checkpatch over all sources, and shellcheck, where there is
# one, over all scripts. Each says what it finds; any finding is a failure.
#
# Usage: lint.sh KERNEL_SOURCE     (in the root of the repository)
set -eu

checkpatch=$(realpath "$1")/scripts/checkpatch.pl
status=0

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
check_sources "include samples" --ignore LINUX_VERSION_CODE,CONSTANT_COMPARISON
# In the harness's tests, "*" after FIXTURE_DATA(x) declares a pointer, and
# macros that build an initialiser or a check are the rule.
check_sources tools --ignore SPACING,COMPLEX_MACRO,MACRO_ARG_REUSE

# Scripts are what says so in its first line.
scripts=$(grep -rlE '^#!/bin/(ba)?sh' .ci tools)
if command -v shellcheck >/dev/null; then
	# shellcheck disable=SC2086
	shellcheck -x -P SCRIPTDIR $scripts || status=1
else
	echo "no shellcheck here: scripts were not checked"
fi
exit $status
