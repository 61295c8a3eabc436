#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Static analysis of the driver: sparse with byte order, gcc's analyzer, and the kernel's
# semantic patches. Any finding is a failure.
#
# Usage: analyze.sh BUILD SOURCE DRIVER DIR
#   BUILD   kernel tree to build modules
#   SOURCE  kernel source, for its scripts
#   DRIVER  the driver's directory, with the kernel tree's layout around it
#   DIR     build directory; removed and made
set -euo pipefail
export LC_ALL=C

here=$(dirname "$(realpath "$0")")
build=$1
source=$(realpath "$2")
dir=$4
# The driver includes files three directories above it.
driver=$dir/samples/vfio-mdev/mtty

"$here/../get/marked.sh" remove "$dir"
mkdir -p "$driver"
cp -r "$3/../../../include" "$dir"
cp "$3"/*.[ch] "$3/Kbuild" "$driver"

status=0
echo "sparse, and gcc's analyzer ..."
make -s -C "$build" M="$(realpath "$driver")" W=1 C=2 CHECK=sparse \
	CF='-D__CHECK_ENDIAN__ -Wsparse-error' KCFLAGS='-fanalyzer -Werror' \
	CONFIG_DEBUG_INFO_BTF_MODULES= -j"$(nproc)" modules || status=1

echo "the kernel's semantic patches ..."
# A patch that cannot be applied is an error. Those in OCaml would need its compiler; they
# check tables of other drivers.
# shellcheck disable=SC2016
apply='
options=$(sed -n "s,^// Options:,,p" "$1")
spatch --very-quiet -D report --no-show-diff --cocci-file "$1" $options \
	--dir "$2" -I "$3" 2>"$4/$$.stderr" || {
	echo "$1 cannot be applied:"
	cat "$4/$$.stderr"
}'
patches=$(grep -rL ocaml "$source/scripts/coccinelle" --include='*.cocci' || :)
[ -n "$patches" ] || {
	echo "error: no semantic patches in $source/scripts/coccinelle"
	status=1
}
findings=$(xargs -P "$(nproc)" -I '{}' sh -c "$apply" apply '{}' "$driver" \
		"$dir/include" "$dir" <<<"$patches" | sed '/^$/d') || {
	echo "error: not all semantic patches could be applied"
	status=1
}
if [ -n "$findings" ]; then
	echo "$findings"
	status=1
fi
exit $status
