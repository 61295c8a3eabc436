#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs mig_bench, then migrations over a link. With the kernel's own mtty it compares
# what both modules support, loading them in turn. Prints a line for each sample, for
# lab/report/bench.py.
#
# Usage: bench.sh [REPETITIONS [OURS THEIRS]]     (5; module files, THEIRS is optional)
here=$(dirname "$0")
repetitions=${1:-5}
ours=${2:-/mtty.ko}
theirs=${3:-mtty.ko}

# sample_of MODULE NAME
sample_of() {
	rmmod mtty && insmod "$1" || exit 1
	"$here/mig_bench" --small "$2" || exit 1
}

"$here/mig_bench" "$repetitions" || exit 1
"$here/downtime.sh" "$repetitions" || exit 1
[ -e "$theirs" ] || exit 0
i=0
while [ $i -lt "$repetitions" ]; do
	sample_of "$theirs" kernel
	sample_of "$ours" ours
	i=$((i + 1))
done
