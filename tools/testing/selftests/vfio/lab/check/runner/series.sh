# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2015,SC2016,SC2034,SC2154
#
# make series: what its checks find, and what it changes for an older kernel

# series_prints EXPRESSION ARG...: its value; check and resolve are the modules, a is the list
# of ARGs.
series_prints() {
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$here/../series python3 -c "
import sys
import check, resolve
a = sys.argv[1:]
print($1)" "${@:2}" || fail "python3 fails"
}

# Runner: a patch that is too large for a mail is named, one at the limit is not.
case_series_size() {
	head -c 150000 /dev/zero >"$dir/0001-fits.patch"
	head -c 150001 /dev/zero >"$dir/0002-large.patch"
	series_prints '*check.check_sizes(a)' "$dir"/000?-*.patch >"$dir/output"
	[ "$(cat "$dir/output")" = "0002-large.patch: 150001 characters" ] ||
		fail "found: $(cat "$dir/output")"
}

# Runner: a file that no patch takes is named, but not one that stays here.
case_series_is_complete() {
	local tests=tools/testing/selftests/vfio/migration

	mkdir -p "$dir/repo/$tests" "$dir/repo/samples/vfio-mdev/mtty" "$dir/tree/$tests"
	cd "$dir/repo" || exit 1
	touch $tests/taken.c $tests/lost.c samples/vfio-mdev/mtty/compat.h
	git -c init.defaultBranch=main init -q . && git add .
	touch "$dir/tree/$tests/taken.c"
	series_prints '*check.check_complete(*a)' "$dir/tree" "$dir/repo" >"$dir/output"
	[ "$(cat "$dir/output")" = "no patch takes $tests/lost.c" ] ||
		fail "found: $(cat "$dir/output")"
}

# series_kernel DEFINITION: a tree that has these headers
series_kernel() {
	mkdir -p "$dir/kernel/include/linux" "$dir/kernel/include/uapi/linux"
	touch "$dir/kernel/include/linux/vfio.h" "$dir/kernel/include/uapi/linux/vfio.h"
	echo "$1" >"$dir/kernel/include/linux/slab.h"
}

# Runner: in the series the driver allocates as the kernel BASE does, and has no compat.h.
case_series_allocates_as_base() {
	local value='resolve.Resolver(a[0], a[1], [], None).text("samples/vfio-mdev/mtty/load.c", a[2])'
	local old='#include <linux/slab.h>
#include "compat.h"
x = kzalloc_obj(*x, GFP_KERNEL);'

	# The conditions that unifdef resolves do not matter here.
	printf '#!/bin/sh\nexec cat\n' >"$plain/unifdef"
	chmod +x "$plain/unifdef"
	PATH=$plain:$PATH
	series_kernel '#define kzalloc_obj(P, ...) something'
	series_prints "$value" "$repo" "$dir/kernel" "$old" >"$dir/output"
	file_has "$dir/output" 'x = kzalloc_obj(*x, GFP_KERNEL);'
	! grep -q compat "$dir/output" || fail "it includes compat.h"
	series_kernel ''
	series_prints "$value" "$repo" "$dir/kernel" "$old" >"$dir/output"
	file_has "$dir/output" 'x = kzalloc(sizeof(*x), GFP_KERNEL);'
	series_prints 'resolve.Resolver(a[0], a[1], [], None).region' "$repo" "$dir/kernel" >"$dir/output"
	! grep -q kzalloc "$dir/output" || fail "compat.h leaves its kzalloc_obj()"
}
