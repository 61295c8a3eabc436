#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Boots the VM, runs the shell command $RUN in it, and judges the run. It is a success if the
# verdict port of the VM has status 0, and the kernel's log has no report.
#
# Usage: [ARCH=x86_64|arm64 RUN=... ADD=...] boot.sh [options]
#   -k FILE      kernel image
#   -m DIR       the kernel's modules (modules.sh)
#   -t FILE      mtty.ko; '' if none is loaded
#   -x FILE      a module that mtty.ko needs and the kernel does not have
#   -u DIR       the VM's programs, if not the host's
#   -s DIR       programs for /selftests
#   -o DIR       build directory of this kernel; logs in DIR/log
#   -n NAME      name of the run, for its log
#   -a tcg|kvm   accelerator
#   -l SECONDS   time limit
#   -p           the kernel does not patch itself: it has no static keys
#   -g FILE      gets the counters of gcov, as a tar file
#   -f FILE      gets the files of /report, as a tar file
#   -j FILE      gets what $RUN writes to the device $JOURNAL, at once: it outlives the VM
#   -q           the reader can write to the VM: its $VM_INPUT is $INPUT of $RUN
#   -d WORDS     devices and options, added to QEMU's command line
#   -c WORDS     added to the kernel's command line
#   -w           reports of the kernel are no failure, and leaks are not searched
#   -v DIR       systems with QEMU (roots.sh): one to boot the VM with, and all of them in
#                the VM
#   -r COMMAND   reads the output of $RUN (default: output.py); when it exits, the VM is ended
#   -e FILE      gets the exit status of the run
#   -i           interactive shell, instead of $RUN
set -euo pipefail
export LC_ALL=C

here=$(dirname "$(realpath "$0")")
reader="python3 $here/output.py"
extra='' user='' interactive='' tests='' counters='' report='' systems='' status_file=''
journal='' input='' devices='' words='' tolerant=''
memory=2G
accel=tcg
# x86: one thread for all CPUs. With a thread for each, QEMU 7.2 may run code from before a
# kernel patched it: "Oops: int3", soon after a VM was created, which patches the scheduler.
threads=single
while getopts k:m:t:x:u:s:o:n:a:l:g:f:j:d:c:v:r:e:ipqw option; do
	case $option in
	k) kernel=$OPTARG ;;
	m) modules=$OPTARG ;;
	t) mtty=$OPTARG ;;
	x) extra=$OPTARG ;;
	u) user=$OPTARG ;;
	s) tests=$OPTARG ;;
	o) out=$OPTARG ;;
	n) name=$OPTARG ;;
	a) accel=$OPTARG ;;
	l) limit=$OPTARG ;;
	g) counters=$OPTARG ;;
	f) report=$OPTARG ;;
	j) journal=$OPTARG ;;
	d) devices=$OPTARG ;;
	c) words=$OPTARG ;;
	w) tolerant=1 ;;
	v) systems=$OPTARG ;;
	r) reader=$OPTARG ;;
	e) status_file=$OPTARG ;;
	i) interactive=1 ;;
	p) threads=multi ;;
	q) input=1 ;;
	*) exit 2 ;;
	esac
done

error() {
	echo "error: $*" >&2
}

[ -n "$interactive" ] || [ -n "${RUN:-}" ] || {
	error "nothing to run: give RUN='COMMAND'"
	exit 2
}
[ -e "$kernel" ] || {
	error "no kernel image $kernel"
	exit 2
}
mkdir -p "$out/log"
run=$(mktemp -d "$out/run.XXXXXX")
qemu_pid=
# A second signal must not end it half-way.
cleanup() {
	trap '' INT TERM HUP
	if [ -n "$qemu_pid" ]; then
		# A signal before exec may be lost. The reader might write files that the caller
		# removes.
		while kill "$qemu_pid" "$reader_pid" 2>/dev/null; do
			sleep 0.1
		done
	fi
	rm -rf "$run"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP
# Messages without a reader do not end the script: it still judges the run.
trap : PIPE

# The lock: another make must not build the files while they are packed.
pack() {
	local root=$run/root file

	mkdir -p "$root/added" "$root/vm"
	exec 8>"$out/.lock"
	flock 8
	[ -z "$mtty" ] || cp "$mtty" "$root/mtty.ko"
	[ -z "$extra" ] || cp "$extra" "$root/vm/"
	for file in ${ADD:-}; do
		cp -rL "$file" "$root/added/"
	done
	[ -z "$counters" ] || touch "$root/vm/counters"
	[ -z "$report" ] || mkdir "$root/report"
	[ -z "$journal" ] || touch "$root/vm/journal"
	[ -z "$input" ] || touch "$root/vm/input"
	[ -z "$tolerant" ] || touch "$root/vm/no-scan"
	if [ -n "$interactive" ]; then
		touch "$root/vm/shell"
	else
		printf '%s\n' "$RUN" >"$root/vm/command"
	fi
	"$here/mkinitramfs.sh" "$modules" "$out/base.cpio" "$tests" "$root" "$run/initramfs" \
		"$user" ${systems:+"$systems/root.cpio"}
	exec 8>&-
	rm -rf "$root"
}

# A crash of the kernel ends the VM. Things that no test needs cost much time in an emulator:
# retpolines, memory that is cleared twice, and accounting of the pages in the root. Most of the
# time of many tests was waiting for RCU, when a device, a VM or a trace instance is removed.
cmdline="loglevel=8 log_buf_len=4M panic=-1 oops=panic rdinit=/init rcupdate.rcu_expedited=1"
cmdline+=" mitigations=off init_on_alloc=0 rootfstype=ramfs"

# The emulated processor has the virtualization extensions of AMD, so KVM works in the VM.
machine_x86_64() {
	qemu=(qemu-system-x86_64)
	[ -z "$systems" ] || use_systems
	machine=(-M q35)
	# On a busy machine the timer may be late: the kernel must not take that for a fault.
	cmdline+=" console=ttyS0 tsc=reliable no_timer_check"
	[ "$accel" != kvm ] || return 0
	# Without the PIT the kernel measures its clock with the HPET. A busy machine delays the
	# PIT so much that the clock ran 5 to 60 times too fast. String instructions that move a
	# byte at a time are slow, so the kernel and libraries are told that they are. Without VGIF
	# KVM itself keeps the flag that lets a guest of the VM have interrupts. With it, the flag of
	# a running guest was clear at times, and KVM refused to load it.
	machine=(-M "q35,pit=off" -accel "tcg,thread=$threads"
		-cpu "max,+svm,+npt,-vgif,-erms,-fsrm")
}

# The QEMU of the systems, with its loader and libraries. KVM works in it only with a thread
# for each CPU: with one for all, a guest of the VM stops at some time. This QEMU handles
# patched code.
use_systems() {
	local lib=$systems/qemu11/usr/lib/x86_64-linux-gnu

	memory=4G
	[ "${ARCH:-x86_64}" = x86_64 ] || return 0
	threads=multi
	qemu=("$lib/ld-linux-x86-64.so.2" --library-path "$lib"
	      "$systems/qemu11/usr/bin/qemu-system-x86_64"
	      -L "$systems/qemu11/usr/share/qemu"
	      -L "$systems/qemu11/usr/share/seabios")
}

machine_arm64() {
	qemu=(qemu-system-aarch64)
	[ -z "$systems" ] || use_systems
	machine=(-M "virt,gic-version=3")
	cmdline+=" console=ttyAMA0"
	# pauth and SVE make each boot seconds slower.
	[ "$accel" = kvm ] || machine=(-M "virt,gic-version=3,virtualization=on,its=on"
		-accel "tcg,thread=multi" -cpu "max,sve=off,lpa2=off,pauth-impdef=on")
}

qemu_args() {
	"machine_${ARCH:-x86_64}"
	[ "$accel" != kvm ] || machine+=(-accel kvm -cpu host)
	# shellcheck disable=SC2054,SC2206
	args=(-nodefaults -no-user-config -display none -no-reboot
	      "${machine[@]}" $devices -smp 2 -m "$memory"
	      -kernel "$kernel" -initrd "$run/initramfs" -append "$cmdline${words:+ $words}"
	      -serial "file:$run/console"
	      -device virtio-serial-pci
	      -chardev "file,id=verdict,path=$run/verdict"
	      -device virtserialport,chardev=verdict,name=verdict)
	if [ -n "$interactive" ]; then
		args+=(-chardev "stdio,id=terminal,signal=off"
		       -device "virtconsole,chardev=terminal")
	else
		args+=(-chardev "file,id=output,path=$run/output"
		       -device "virtserialport,chardev=output,name=output")
	fi
	if [ -n "$report" ]; then
		args+=(-chardev "file,id=report,path=$run/report"
		       -device "virtserialport,chardev=report,name=report")
	fi
	if [ -n "$journal" ]; then
		args+=(-chardev "file,id=journal,path=$journal"
		       -device "virtserialport,chardev=journal,name=journal")
	fi
	if [ -n "$input" ]; then
		args+=(-chardev "pipe,id=input,path=$run/input"
		       -device "virtserialport,chardev=input,name=input")
	fi
	if [ -n "$counters" ]; then
		args+=(-chardev "file,id=counters,path=$run/counters"
		       -device "virtserialport,chardev=counters,name=counters")
	fi
}

# Sets qemu_status; 124: the time limit was reached.
run_qemu() {
	# A QEMU that refuses an option makes none of them.
	touch "$run/console" "$run/verdict" "$run/report" "$run/counters"
	qemu_status=0
	if [ -n "$interactive" ]; then
		"${qemu[@]}" "${args[@]}" || qemu_status=$?
		return
	fi
	# The shell opens both ends: neither QEMU nor the reader waits for the other. The reader
	# gets end of file when the shell closes them.
	mkfifo "$run/output"
	# QEMU opens both ends of these, too.
	[ -z "$input" ] || mkfifo "$run/input.in" "$run/input.out"
	exec 7<>"$run/output"
	# A child that gets a signal before exec would run the traps of this shell, which remove
	# the files.
	trap '' INT TERM HUP
	# shellcheck disable=SC2086
	env --default-signal=INT,TERM,HUP VM_INPUT="$run/input.in" $reader \
		<"$run/output" 7<&- &
	reader_pid=$!
	env --default-signal=INT,TERM,HUP timeout --kill-after=5 "$limit" "${qemu[@]}" "${args[@]}" \
		</dev/null >"$run/qemu.log" 2>&1 7<&- &
	qemu_pid=$!
	trap 'exit 130' INT TERM HUP
	wait_for_qemu
	exec 7<&-
	wait "$reader_pid" || reader_status=$?
	lock_printing
	cat "$run/qemu.log" >&2 || true
}

# check.sh runs several VMs: the lines of one are printed together.
lock_printing() {
	[ -n "${PRINT_LOCK:-}" ] || return 0
	exec 9>>"$PRINT_LOCK"
	flock 9
}

# If the reader exits first, nothing empties the pipe, and the VM would wait until the time
# limit.
wait_for_qemu() {
	local first

	wait -n -p first "$reader_pid" "$qemu_pid" || true
	# A signal before exec may be lost.
	while [ "$first" = "$reader_pid" ] && kill "$qemu_pid" 2>/dev/null; do
		reader_first=1
		sleep 0.2
	done
	wait "$qemu_pid" || qemu_status=$?
	qemu_pid=
}

last_lines() {
	error "the console's last lines (all of it: $log):"
	tail -n 30 "$run/text" | sed 's/^/    /' >&2
}

# Prints reports of the kernel, and during which test; fails if there are none.
kernel_reports() {
	local reports

	reports=$(REPORTS=$(paste -sd '|' "$here/kernel-reports") awk '
		/selftest: / { during = $0 }
		$0 ~ ENVIRON["REPORTS"] {
			if (during != "")
				print "    " during
			during = ""
			lines = 40
		}
		lines > 0 { print "    " $0; lines-- }' "$run/text" | head -n 120)
	[ -n "$reports" ] || return 1
	error "the kernel reported (all of it: $log):"
	echo "$reports" >&2
}

reader_exited() {
	if [ "$reader_status" = 141 ]; then
		error "the reader of the output has exited, so the VM was ended"
	else
		error "$reader ended with status $reader_status, before the VM did"
	fi
	[ "$reader_status" != 0 ] || return 1
	return "$reader_status"
}

judge() {
	local verdict result=0

	verdict=$(tail -n 1 "$run/verdict")
	if [ -n "$reader_first" ] && [ "${verdict#exit }" = "$verdict" ]; then
		qemu_status=ended
	fi
	case $qemu_status in
	0)
		;;
	ended)
		reader_exited || result=$?
		;;
	124 | 137)
		error "time limit: the VM was ended after $limit s (TIMEOUT= sets the limit)"
		last_lines
		result=124
		;;
	*)
		error "QEMU failed with status $qemu_status"
		result=1
		;;
	esac
	if [ -z "$tolerant" ] && kernel_reports; then
		result=1
	fi
	[ $result = 0 ] || return $result
	case $verdict in
	"exit 0")
		return "$reader_status"
		;;
	"exit "*)
		error "exit status ${verdict#exit }"
		return "${verdict#exit }"
		;;
	esac
	error "${verdict:-the VM ended before its first verdict}"
	last_lines
	return 1
}

reader_status=0
reader_first=
pack
qemu_args
run_qemu
log=$out/log/$name.console
# Another run may replace the log: the copy in $run is judged.
tr -d '\r' <"$run/console" >"$run/text"
cp "$run/text" "$run/log"
mv "$run/log" "$log"
[ -z "$counters" ] || mv "$run/counters" "$counters"
[ -z "$report" ] || mv "$run/report" "$report"
[ -z "${VERBOSE:-}" ] || cat "$run/text" || true
status=0
judge || status=$?
[ -z "$status_file" ] || echo "$status" >"$status_file"
[ "$status" = 0 ] || exit "$status"
