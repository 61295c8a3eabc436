#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Does what KernelCI, LKFT and LAVA do: makes the archive of kselftest in a kernel tree, unpacks it
# in the VM, and runs the collection vfio/migration by run_kselftest.sh, which prints KTAP. kunit.py
# parses that. The VM gets the archive and the kernel's modules; nothing of lab/ but in-vm.
#
# TESTS selects programs. Ends with the line "N passed, N failed, N skipped", of programs.
#
# Usage: [TESTS="a_test..."] check.sh KERNEL_SOURCE TREE OUT JOBS MTTY.KO run.sh's arguments...
#   KERNEL_SOURCE  has kunit.py
#   TREE           a kernel tree, after tree/overlay.sh
#   OUT            its build directory, after merge.sh
set -euo pipefail
export LC_ALL=C

here=$(dirname "$(realpath "$0")")
# shellcheck source=../building.sh
. "$here/../building.sh"
source=$1
tree=$(realpath "$2")
out=$3
jobs=$4
mtty=$5
shift 5
collection=vfio/migration
archive=$out/kselftest/kselftest_install/kselftest-packages/kselftest.tar.gz
results=$out/results.ktap

mkdir -p "$out"
echo "making the archive of kselftest ..."
logged_make "$out/archive.log" kselftest-gen_tar -s -C "$tree" O="$out" ARCH=x86 -j"$jobs" \
	TARGETS=$collection kselftest-gen_tar

read -r -a tests <<<"${TESTS:-}"
selection=(-c "$collection")
[ ${#tests[@]} = 0 ] || selection=("${tests[@]/#/-t $collection:}")
# Another one would be that of an earlier run.
rm -f "$results"
# coreutils' timeout: without it run_kselftest.sh has no time limit, and busybox' has other options.
status=0
RUN="sh in-vm ${selection[*]}" ADD="$archive $mtty $here/in-vm $(command -v timeout)" \
	"$here/../boot/run.sh" "$@" -t '' -s '' -n tarball \
	-r "python3 $here/../boot/output.py $results" >"$out/output" || status=$?
[ -s "$results" ] || {
	echo "error: run_kselftest.sh has printed nothing" >&2
	exit 1
}
parsed=0
python3 "$source/tools/testing/kunit/kunit.py" parse "$results" >"$out/parsed" 2>&1 || parsed=$?
cat "$out/parsed"
exec python3 "$here/closing.py" "$out/parsed" "$results" "$parsed" "$status"
