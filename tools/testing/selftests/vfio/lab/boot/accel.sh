#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Prints the accelerator to use, "kvm" or "tcg". A /dev/kvm that can be opened
# proves nothing: some abort QEMU or hang the guest. So KVM is used only where
# a trial boot with a short limit has come to its end, and what that trial
# showed is kept for this machine and kernel. The trial has a command, a reader and
# files of its own, and no terminal: those of the run are not for it.
#
# Usage: accel.sh CACHE boot.sh's options...
set -eu
export LC_ALL=C

here=$(dirname "$(realpath "$0")")
cache=$1/accel
shift
trial_limit=25

if [ ! -w /dev/kvm ] || [ "${ARCH:-x86_64}" != "$(uname -m)" ]; then
	echo tcg
	exit
fi

kernel=
options=()
for word; do
	[ "${last:-}" != -k ] || kernel=$word
	[ "$word" = -i ] || options+=("$word")
	last=$word
done
known=$cache/$({
	uname -nr
	cat /etc/machine-id 2>/dev/null || true
	qemu-system-x86_64 --version
	sha256sum "$kernel"
} | sha256sum | cut -c -16)

"$here/../get/marked.sh" claim "$cache"
if [ ! -s "$known" ]; then
	echo "trying whether /dev/kvm works, once for this kernel (at most $trial_limit s) ..." >&2
	if RUN=true ADD='' VERBOSE='' "$here/boot.sh" "${options[@]}" -n kvm-trial -a kvm \
			-l $trial_limit -r cat -f '' -g '' -e '' \
			>"$known.log.$$" 2>&1; then
		echo kvm >"$known.$$"
	else
		echo tcg >"$known.$$"
	fi
	mv "$known.log.$$" "$known.log"
	mv "$known.$$" "$known"
fi
cat "$known"
