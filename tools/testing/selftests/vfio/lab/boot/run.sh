#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Selects the accelerator, prints it, and boots the VM.
# ACCEL=tcg|kvm overrides the choice. BOOTING is what is booted; if it is empty, nothing is printed.
#
# Usage: run.sh CACHE boot.sh's options...
set -eu
export LC_ALL=C

here=$(dirname "$(realpath "$0")")
cache=$1
shift

case ${ACCEL:-} in
tcg|kvm)
	accel=$ACCEL
	;;
'')
	accel=$("$here/accel.sh" "$cache" "$@")
	;;
*)
	echo "error: ACCEL is tcg or kvm, not '$ACCEL'" >&2
	exit 2
	;;
esac
what=${BOOTING-the VM}
[ -z "$what" ] || echo "booting $what under $accel ..." >&2
exec "$here/boot.sh" "$@" -a "$accel"
