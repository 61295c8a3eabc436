# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2015,SC2016,SC2034,SC2154
#
# boot.sh, accel.sh, make vm and .ci/run. A stub of QEMU writes to the files of the VM's ports.

# fake_qemu: standard input is the script of the stub; it has $output, $verdict, $console,
# $journal, $report, $input and $initrd.
fake_qemu() {
	fake_program qemu-system-x86_64 < <(
		cat <<-'SCRIPT'
			#!/bin/bash
			for word; do
				case $word in
				file,id=output,path=*) output=${word##*=} ;;
				file,id=verdict,path=*) verdict=${word##*=} ;;
				file,id=journal,path=*) journal=${word##*=} ;;
				file,id=report,path=*) report=${word##*=} ;;
				pipe,id=input,path=*) input=${word##*=} ;;
				file:*/console) console=${word#file:} ;;
				*/initramfs) initrd=$word ;;
				esac
			done
		SCRIPT
		cat
	)
}

# boot OPTIONS...: errors go to $dir/errors.
boot() {
	mkdir -p "$plain/out" "$plain/modules"
	touch "$plain/kernel" "$plain/mtty.ko" "$plain/modules/order"
	# Packing the VM's programs would be slow.
	touch "$plain/out/base.cpio"
	RUN=true "$here/../boot/boot.sh" -k "$plain/kernel" -m "$plain/modules" \
		-t "$plain/mtty.ko" -o "$plain/out" -n test -l 90 "$@" 2>"${errors:-$dir/errors}"
}

# Seconds: enough on a busy machine, and less than the stub sleeps
soon=45

# boot_ends STATUS OPTIONS...: boot.sh ends soon, with this status.
boot_ends() {
	local expected=$1 status=0 begin=$SECONDS
	shift

	boot -e "$dir/status" "$@" >"$dir/output" || status=$?
	cat "$dir/output" "$dir/errors"
	[ $((SECONDS - begin)) -lt $soon ] || fail "it took $((SECONDS - begin)) s"
	[ "$status" = "$expected" ] || fail "exit status $status instead of $expected"
	[ "$(cat "$dir/status")" = "$expected" ] || fail "-e has $(cat "$dir/status")"
	[ -z "$(find "$plain/out" -name 'run.*')" ] || fail "files are left"
}

# reader_exits SCRIPT: the reader of this VM exits after the first line, and with
# errors=/dev/stdout that of the errors.
reader_exits() {
	local begin=$SECONDS

	fake_qemu <<<"$1"
	{
		boot -e "$dir/status" || true
	} | head -n 1 >"$dir/output"
	[ "$(cat "$dir/output")" = y ] || fail "the first line is missing"
	[ $((SECONDS - begin)) -lt $soon ] || fail "the VM ran for $((SECONDS - begin)) s"
	[ -n "${errors:-}" ] || grep -q 'the reader of the output has exited' "$dir/errors" ||
		fail "the error is missing"
	[ "$(cat "$dir/status")" = 141 ] || fail "exit status $(cat "$dir/status")"
	[ -z "$(find "$plain/out" -name 'run.*')" ] || fail "files are left"
}

# Runner: the VM is ended when the reader of its output has exited, if it writes
case_reader_gone_yes() {
	reader_exits 'yes >"$output"'
}

# Runner: or is silent,
case_reader_gone_silent() {
	reader_exits 'echo y >"$output"; exec sleep 80'
}

# Runner: and if the reader of the errors has exited, too.
case_reader_gone_for_all() {
	local errors=/dev/stdout

	reader_exits 'echo y >"$output"; exec sleep 80'
}

# Runner: a reader that fails ends the VM, and fails the run.
case_reader_fails() {
	fake_qemu <<-'SCRIPT'
		yes >"$output"
	SCRIPT
	boot_ends 1 -r "grep -m 1 y"
	grep -q 'grep -m 1 y ended with status 0, before' "$dir/errors" || fail "the error is missing"
	boot_ends 2 -r "ls --none"
}

# Runner: README, the exit status is that of the command,
case_status() {
	fake_qemu <<-'SCRIPT'
		echo text >"$output"
		echo "exit $(cat "$0.status")" >>"$verdict"
	SCRIPT
	for status in 0 1 7 125 255; do
		echo $status >"$plain/bin/qemu-system-x86_64.status"
		boot_ends $status
		[ "$(cat "$dir/output")" = text ] || fail "the output is lost"
	done
}

# Runner: README, 124 after the time limit,
case_status_time() {
	fake_qemu <<<'exec sleep 80'
	boot_ends 124 -l 1
}

# Runner: README, and 1 if the command did not end, or the kernel logged a report.
case_status_kernel() {
	fake_qemu <<<'exit 0'
	boot_ends 1
	fake_qemu <<-'SCRIPT'
		echo "BUG: it is" >"$console"
		echo "exit 0" >>"$verdict"
	SCRIPT
	boot_ends 1
	grep -q 'BUG: it is' "$dir/errors" || fail "the report is lost"
}

# Runner: with -w reports of the kernel are no failure.
case_status_tolerant() {
	fake_qemu <<-'SCRIPT'
		echo "BUG: it is" >"$console"
		echo "exit 0" >>"$verdict"
	SCRIPT
	boot_ends 0 -w
}

# Runner: what the VM writes to the journal is kept, however the VM ends.
case_journal_outlives_vm() {
	fake_qemu <<-'SCRIPT'
		echo text >>"$journal"
		exec sleep 80
	SCRIPT
	boot_ends 124 -l 1 -j "$plain/journal"
	[ "$(cat "$plain/journal")" = text ] || fail "the journal is lost"
}

# Runner: what the reader writes reaches the VM.
case_input() {
	fake_qemu <<-'SCRIPT'
		echo text >"$output"
		read -r line <"$input.in"
		echo "$line" >"$0.line"
		echo "exit 0" >>"$verdict"
	SCRIPT
	printf '#!/bin/sh\nread -r line\necho "more $line" >"$VM_INPUT"\ncat >/dev/null\n' \
		>"$plain/reader"
	chmod +x "$plain/reader"
	boot_ends 0 -q -r "$plain/reader"
	[ "$(cat "$plain/bin/qemu-system-x86_64.line")" = "more text" ] || fail "the line is lost"
}

# Runner: errors wait until another process has printed its lines.
case_errors_wait() {
	local pid

	fake_qemu <<<'echo "exit 7" >>"$verdict"'
	fake_program flock <<-SCRIPT
		#!/bin/sh
		echo "\$1" >>"$plain/flocks"
		exec /usr/bin/flock "\$@"
	SCRIPT
	exec 5>"$plain/lock"
	/usr/bin/flock 5
	PRINT_LOCK=$plain/lock boot >"$dir/output" 5>&- &
	pid=$!
	until grep -sqx 9 "$plain/flocks" || ! kill -0 $pid; do
		sleep 0.05
	done
	[ ! -s "$dir/errors" ] || fail "errors are printed"
	/usr/bin/flock -u 5
	! wait $pid || fail "the failure is lost"
	grep -q "exit status 7" "$dir/errors" || fail "the error is lost"
}

# Runner: a set of devices adds to the command lines of QEMU and of the kernel, and needs no
# mtty.ko.
case_machine_words() {
	fake_qemu <<-'SCRIPT'
		printf '%s\n' "$@" >"$0.words"
		cp "$initrd" "$(dirname "$0")/initrd"
		echo "exit 0" >>"$verdict"
	SCRIPT
	boot_ends 0 -d "-machine x=off -device edu,addr=9" -c "intel_iommu=on a=b" -t ''
	grep -A 1 -xF -e -device "$plain/bin/qemu-system-x86_64.words" | grep -qxF edu,addr=9 ||
		fail "the device is missing"
	grep -q ' rdinit=/init .* intel_iommu=on a=b$' "$plain/bin/qemu-system-x86_64.words" ||
		fail "the words for the kernel are missing"
	# -z: a name in the archive ends with a zero byte.
	! grep -azq '0mtty\.ko$' "$plain/bin/initrd" || fail "the VM has mtty.ko"
	boot_ends 0
	grep -azq '0mtty\.ko$' "$plain/bin/initrd" || fail "the VM has no mtty.ko"
}

# Runner: the archive of the tests is made again when one was installed, also if it was built
# before, and not otherwise.
case_tests_packed() {
	fake_qemu <<-'SCRIPT'
		cp "$initrd" "$(dirname "$0")/initrd"
		echo "exit 0" >>"$verdict"
	SCRIPT
	mkdir -p "$plain/tests/kselftest"
	touch "$plain/tests/a_test" "$plain/tests/kselftest/helper"
	boot_ends 0 -s "$plain/tests"
	for file in selftests/a_test selftests/kselftest/helper kselftest/helper; do
		grep -azq "0$file\$" "$plain/bin/initrd" || fail "no $file"
	done
	ln "$plain/tests.cpio" "$plain/first"
	boot_ends 0 -s "$plain/tests"
	[ "$plain/tests.cpio" -ef "$plain/first" ] || fail "the archive was made again"
	grep -azq '0selftests/a_test$' "$plain/bin/initrd" || fail "no a_test"
	echo "another program" >"$plain/new"
	touch -d 2001-01-01 "$plain/new"
	cp -p "$plain/new" "$plain/tests/a_test"
	boot_ends 0 -s "$plain/tests"
	grep -aq 'another program' "$plain/bin/initrd" || fail "the old a_test"
	# Another directory, which is older
	mkdir -p "$plain/others/kselftest"
	touch "$plain/others/b_test" "$plain/others/kselftest/helper"
	boot_ends 0 -s "$plain/others"
	boot_ends 0 -s "$plain/tests"
	boot_ends 0 -s "$plain/others"
	! grep -aq 'another program' "$plain/bin/initrd" || fail "a_test of another directory"
}

# Runner: README, the files of ADD are in /added.
case_added_files() {
	fake_qemu <<-'SCRIPT'
		cp "$initrd" "$(dirname "$0")/initrd"
		echo "exit 0" >>"$verdict"
	SCRIPT
	mkdir -p "$plain/some"
	echo text >"$plain/some/file"
	ADD="$plain/some/file $plain/some" boot_ends 0
	grep -aq 'added/file' "$plain/bin/initrd" || fail "the file is missing"
	grep -aq 'added/some/file' "$plain/bin/initrd" || fail "the directory is missing"
	grep -q 'cd /added' "$here/../boot/init" && grep -q '/added' README.md || fail "README or init has another directory"
	[ ! -e /added ] || fail "this machine has such a directory"
}

# Runner: a run is judged by its own log, even if another run replaces the file.
case_log_of_another_run() {
	fake_qemu <<<'echo "exit 0" >>"$verdict"'
	fake_program mv <<-'SCRIPT'
		#!/bin/sh
		/bin/mv "$@"
		case $2 in
		*.console) echo "BUG: of another run" >"$2" ;;
		esac
	SCRIPT
	boot_ends 0
}

# Runner: README, "make vm STATUS=FILE" writes it into a file.
case_make_vm_status() {
	fake_kernel
	fake_qemu <<-'SCRIPT'
		cp "$initrd" "$(dirname "$0")/initrd"
		echo "exit 7" >>"$verdict"
	SCRIPT
	mkdir -p "$plain/out"
	environment=(ACCEL=tcg RUN="it's \$HOME")
	! plain_make "${fake_arguments[@]}" STATUS="$dir/status" vm >"$dir/output" 2>&1 ||
		fail "the failure is lost"
	[ "$(cat "$dir/status")" = 7 ] || {
		cat "$dir/output"
		fail "the status is lost"
	}
	grep -aqF 'it'"'"'s $HOME' "$plain/bin/initrd" || fail "RUN is changed"
	grep -aqF 'selftests/a_test' "$plain/bin/initrd" || fail "the VM has no tests"
	# The status of an earlier run is removed.
	! plain_make "${fake_arguments[@]}" STATUS="$dir/status" KERNEL=/none vm \
		>"$dir/output" 2>&1 || fail "a missing kernel is accepted"
	[ -e "$dir/status" ] && [ ! -s "$dir/status" ] || fail "the old status is left"
}

# Runner: the trial of KVM does not use the reader and the shell of the run.
case_kvm_trial() {
	cp -r "$here"/../boot "$here"/../get "$plain"
	sed -i "s|/dev/kvm|$plain/kvm|" "$plain/boot/accel.sh"
	touch "$plain/kvm" "$plain/kernel"
	cat >"$plain/boot/boot.sh" <<-'SCRIPT'
		#!/bin/bash
		for word; do
			[ "$word" != -i ] || exit 1
			[ "$last" != -r ] || reader=$word
			last=$word
		done
		[ "$reader" = cat ]
	SCRIPT
	accel=$(ARCH=$(uname -m) "$plain/boot/accel.sh" "$plain/cache" -k "$plain/kernel" -i \
		-r false -n check)
	[ "$accel" = kvm ] || fail "$accel"
}

# ci_ends LINE LINT CONFORM STATUS OUTPUT [MUTANTS]: .ci/run with a stub of make. make lint, docs
# and docs-check exit with LINT, make conformance with CONFORM, make mutants with MUTANTS or 0, all
# others print OUTPUT and exit with STATUS.
ci_ends() {
	local status=0

	scratch_checkout "$dir/ci"
	mkdir -p .ci
	cp "$repo/.ci/run" .ci
	fake_program make <<-SCRIPT
		#!/bin/sh
		case \$* in
		"lint OUT=/x" | "docs OUT=/x" | "docs-check OUT=/x") exit $2 ;;
		"conformance DEVICE="*" OUT=/x") exit $3 ;;
		"mutants MUTANTS=quick OUT=/x") exit ${6:-0} ;;
		"check-vmm TESTS=quick OUT=/x") ;;
		"\$1 OUT=/x") ;;
		*) exit 1 ;;
		esac
		echo "$5"
		[ $4 = 0 ] || echo "make: *** Error"
		exit $4
	SCRIPT
	.ci/run OUT=/x >"$dir/output" 2>&1 || status=$?
	cat "$dir/output"
	[ "$(tail -n 1 "$dir/output")" = "$1" ] || fail "it does not end with: $1"
	case $1 in
	*" 0 failed,"*)	[ $status = 0 ] || fail "exit status $status" ;;
	*)		[ $status != 0 ] || fail "exit status 0" ;;
	esac
}

# The lines before the last one name these failed steps, and no others.
ci_failed() {
	local want

	want=$(printf 'failed: make %s OUT=/x\n' "$@")
	[ "$(grep '^failed: ' "$dir/output")" = "$want" ] || fail "it does not name: $want"
}

# Runner: .ci/run ends with the sums of its runs, and fails if one failed. Lint, docs,
# docs-check and each of the four drivers count as one, and so do the mutants. The failed steps
# are named at the end, as the log is long.
case_ci_all() {
	ci_ends "18 passed, 0 failed, 5 skipped" 0 0 0 "2 passed, 0 failed, 1 skipped"
}

case_ci_check_fails() {
	ci_ends "18 passed, 5 failed, 5 skipped" 0 0 2 "2 passed, 1 failed, 1 skipped"
	ci_failed check-runner check "check-vmm TESTS=quick" lab-kasan lab-kcsan
}

case_ci_lint_fails() {
	ci_ends "15 passed, 3 failed, 5 skipped" 1 0 0 "2 passed, 0 failed, 1 skipped"
	ci_failed lint docs docs-check
}

case_ci_conformance_fails() {
	ci_ends "14 passed, 4 failed, 5 skipped" 0 1 0 "2 passed, 0 failed, 1 skipped"
}

case_ci_mutant_survives() {
	ci_ends "17 passed, 1 failed, 5 skipped" 0 0 0 "2 passed, 0 failed, 1 skipped" 1
	ci_failed "mutants MUTANTS=quick"
}

case_ci_nothing_counted() {
	ci_ends "8 passed, 5 failed, 0 skipped" 0 0 0 ""
}

# A make that fails though each case passed counts as a failure.
case_ci_make_fails() {
	ci_ends "18 passed, 5 failed, 0 skipped" 0 0 2 "2 passed, 0 failed, 0 skipped"
}

case_ci_no_temporary_file() {
	export TMPDIR=/none
	ci_ends "0 passed, 1 failed, 0 skipped" 0 0 0 ""
}

# Messages of a kernel, a line for each pattern of kernel-reports
kernel_messages() {
	cat <<-'LINES'
		BUG: unable to handle page fault for address: ffffc90000000000
		[   12.345678] WARNING: CPU: 0 PID: 1 at kernel/fork.c:1 copy_process+0x1/0x2
		------------[ cut here ]------------
		Oops: 0000 [#1] PREEMPT SMP
		KASAN: null-ptr-deref in range [0x0000000000000000-0x0000000000000007]
		KCSAN: data-race in mtty_read / mtty_write
		KFENCE: use-after-free read in mtty_read+0x1/0x2
		UBSAN: shift-out-of-bounds in samples/vfio-mdev/mtty/uart.c:1:1
		kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)
		unreferenced object 0xffff888100000000 (size 64):
		Kernel panic - not syncing: Attempted to kill init!
		kernel BUG at mm/slub.c:1!
		general protection fault, probably for non-canonical address 0xdead000000000100
		WARNING possible circular locking dependency detected
		possible recursive locking detected
		inconsistent lock state
		suspicious RCU usage
		rcu: INFO: rcu_preempt self-detected stall on CPU
		INFO: task mtty_test:1 blocked for more than 120 seconds.
		watchdog: soft lockup - CPU#0 stuck for 22s!
		Watchdog detected hard LOCKUP on cpu 0
		refcount_t: underflow; use-after-free.
		list_add corruption. next->prev should be prev
		list_del corruption, ffff888100000000->next is NULL
		slab-out-of-bounds in mtty_read+0x1/0x2
		sleeping function called from invalid context at kernel/locking/mutex.c:1
		scheduling while atomic: mtty_test/1/0x00000002
		bad unlock balance detected!
		held lock freed!
		lock held when returning to user space!
		DEBUG_LOCKS_WARN_ON(lock->magic != lock)
		unregister_netdevice: waiting for lo to become free. Usage count = 1
		Objects remaining in kmalloc-64 on __kmem_cache_shutdown()
		mtty_test: page allocation failure: order:0, mode:0xcc0(GFP_KERNEL)
		mtty_test invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0
		** 12 printk messages dropped **
		INFO: trying to register non-static key.
		turning off the locking correctness validator.
		Disabling lock debugging due to kernel taint
		the kernel memory leak detector disabled
		kmemleak: Cannot insert 0xffff888100000000 into the object search tree
		kmemleak: Cannot allocate a kmemleak_object structure
		kmemleak: Memory pool empty, consider increasing it
		ODEBUG disabled
		[mtty] uses a deprecated workqueue
	LINES
}

# Runner: each kind of report of the kernel is noticed.
case_kernel_reports() {
	local line pattern list=$here/../boot/kernel-reports

	kernel_messages >"$dir/messages"
	while IFS= read -r line; do
		grep -qE -f "$list" <<<"$line" || fail "not noticed: $line"
	done <"$dir/messages"
	while IFS= read -r pattern; do
		grep -qE -- "$pattern" "$dir/messages" || fail "no message matches: $pattern"
	done <"$list"
	! grep -qE -f "$list" <<<"mtty mtty: MDEV: Registered" || fail "any line is a report"
}

# Runner: a QEMU that fails is a failure, whatever its VM has said.
case_status_of_qemu() {
	fake_qemu <<-'SCRIPT'
		echo "exit 0" >>"$verdict"
		exit 3
	SCRIPT
	boot_ends 1
	grep -q 'QEMU failed with status 3' "$dir/errors" || fail "the error is missing"
}

# Runner: the last verdict counts, and after it the status of the reader.
case_status_of_the_reader() {
	printf '#!/bin/sh\ncat\nexit 3\n' >"$plain/reader"
	chmod +x "$plain/reader"
	fake_qemu <<-'SCRIPT'
		echo "exit 7" >>"$verdict"
		echo "exit 0" >>"$verdict"
	SCRIPT
	boot_ends 0
	boot_ends 3 -r "$plain/reader"
}
