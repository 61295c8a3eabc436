#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Prints the accelerator to use, "kvm" or "tcg". That /dev/kvm can be opened is not enough:
# it may abort QEMU or hang the guest. KVM is used only after a trial boot with a short limit.
# The result is kept for this machine and kernel. The trial does not use the command, the
# reader, the files and the terminal of the run.
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
result=$cache/$({
	uname -nr
	cat /etc/machine-id 2>/dev/null || true
	qemu-system-x86_64 --version
	sha256sum "$kernel"
} | sha256sum | cut -c -16)

"$here/../get/marked.sh" claim "$cache"
# The lock: check.sh boots several VMs at once.
exec 9>"$cache/.lock"
flock 9
if [ ! -s "$result" ]; then
	echo "testing whether /dev/kvm works, once for this kernel (at most $trial_limit s) ..." >&2
	if RUN=true ADD='' VERBOSE='' "$here/boot.sh" "${options[@]}" -n kvm-trial -a kvm \
			-l $trial_limit -r cat -f '' -j '' -g '' -e '' \
			>"$result.log.$$" 2>&1; then
		echo kvm >"$result.$$"
	else
		echo tcg >"$result.$$"
	fi
	mv "$result.log.$$" "$result.log"
	mv "$result.$$" "$result"
fi
cat "$result"
