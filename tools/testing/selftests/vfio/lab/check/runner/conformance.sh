# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2015,SC2016,SC2034,SC2154
#
# conformance/run.py: goes on after a crash of the VM, and judges the results. A stub of QEMU
# stands for a VM: it writes the journal and the report.

# A set of devices
test_set='Set: test
Module: none.ko
Failures: violated unchecked

Run: one
Device: a/b
Paths: group iommufd'

# fake_vms: standard input is a script that runs as the VM with the number $vm. It has
# case_lines and finish.
fake_vms() {
	fake_qemu < <(
		cat <<-'SCRIPT'
			vm=$(($(cat "$0.count" 2>/dev/null || echo 0) + 1))
			echo $vm >"$0.count"
			begin() {
				printf '%s\n' "@kernel 6.12.1" "@run one" >>"$journal"
			}
			# case_lines WORD...: lines of the suite's journal
			case_lines() {
				for word; do
					printf '%s\t0\tprogram\t%s\n' ${word%:*} ${word#*:} >>"$journal"
				done
			}
			# finish STATUS RESULT...: the suite ended; its report has these results
			finish() {
				dir=$(mktemp -d)
				echo "@end one $1" >>"$journal"
				echo "@skip one-iommufd" >>"$journal"
				shift
				printf '%s\n' "KTAP version 1" "1..$#" "$@" >"$dir/one.txt"
				tar -c -C "$dir" . >"$report"
				rm -r "$dir"
				echo "exit 0" >>"$verdict"
			}
			begin
		SCRIPT
		cat
	)
}

# conform STATUS [SET]: run.py ends with this status.
conform() {
	local expected=$1 status=0 begin=$SECONDS lab=$plain/lab

	[ -e "$lab" ] || cp -r "$here/.." "$lab"
	printf '%s\n' "${2:-$test_set}" >"$lab/conformance/devices/test"
	mkdir -p "$plain/out" "$plain/modules"
	touch "$plain/kernel" "$plain/out/none.ko" "$plain/modules/order" "$plain/out/base.cpio"
	rm -f "$plain/bin/qemu-system-x86_64.count"
	ACCEL=tcg "$lab/conformance/run.py" test "$plain/out" "$plain/cache" -k "$plain/kernel" \
		-m "$plain/modules" -t /none -o "$plain/out" -l 90 >"$dir/output" 2>&1 ||
		status=$?
	cat "$dir/output"
	[ $((SECONDS - begin)) -lt "$soon" ] || fail "it took $((SECONDS - begin)) s"
	[ "$status" = "$expected" ] || fail "exit status $status instead of $expected"
	[ -z "$(find "$plain/out" -name 'run.*' -o -name 'conformance.*')" ] ||
		fail "files are left"
}

# prints TEXT...: the output of the last run has these.
prints() {
	file_has "$dir/output" "$@"
}

# Runner: after a crash a new VM goes on with the journal of the one before.
case_conformance_reboot() {
	fake_vms <<-'SCRIPT'
		case $vm in
		1)	case_lines begin:case_a
			printf '%s\n' 'Kernel panic - not syncing: it is a\b' >"$console"
			exit ;;
		2)	# The report of the kernel has become a part of the result.
			grep -aqP 'end\t0\tprogram\tcase_a\t0\t1\tcrash\t.*Kernel panic.*it is a\\\\b\\n' \
				"$initrd" || exit
			case_lines begin:case_b
			# A line that is not complete: its write did not end.
			printf 'end\t0\tprog' >>"$journal"
			exit ;;
		3)	grep -aqP 'end\t0\tprogram\tcase_b' "$initrd" || exit
			! grep -aqxP 'end\t0\tprog' "$initrd" || exit
			finish 0 "ok 1 arc.a" ;;
		esac
	SCRIPT
	conform 0
	prints 'reboot 1: one: in program case_a: Kernel panic - not syncing: it is' \
		'reboot 2: one: in program case_b: error: the VM ended before' \
		'one: 1 kept, 0 violated' '2 reboots' 'one-iommufd: skipped'
	[ -s "$plain/out/conformance/test/one.txt" ] || fail "the report is missing"
}

# Runner: a stall may be the host's fault: its case is run again, and is judged the second time.
case_conformance_stall() {
	fake_vms <<-'SCRIPT'
		stalled='watchdog: BUG: soft lockup - CPU#0 stuck for 27s! [a_test:525]'
		case $vm in
		1)	case_lines end:first begin:case_a
			echo "$stalled" >"$console" ;;
		2)	grep -aqP 'end\t0\tprogram\tfirst' "$initrd" || exit
			! grep -aqP '(begin|end)\t0\tprogram\tcase_a' "$initrd" || exit
			case_lines begin:case_a
			echo "$stalled" >"$console" ;;
		3)	grep -aqP 'end\t0\tprogram\tcase_a\t0\t1\tcrash\t.*soft lockup' "$initrd" || exit
			finish 0 "ok 1 arc.a" ;;
		esac
	SCRIPT
	conform 0
	prints 'reboot 1: one: in program case_a: watchdog: BUG: soft lockup - CPU#0' \
		'; it is run again' '2 reboots'
	[ "$(grep -c 'it is run again' "$dir/output")" = 1 ] || fail "it is run too often"
	! grep 'without a new result' "$dir/output" || fail "a VM had a wrong journal"
}

# Runner: the suite asks for a new VM by its status 3.
case_conformance_stops() {
	fake_vms <<-'SCRIPT'
		case $vm in
		1)	case_lines end:case_a
			echo "@end one 3" >>"$journal" ;;
		2)	# It has ended, and does not end again.
			! grep -aqP 'end\t0\tprogram\tcase_a\t0\t1\tcrash' "$initrd" || exit
			finish 0 "ok 1 arc.a" ;;
		esac
	SCRIPT
	conform 0
	prints '1 reboots'
}

# Runner: a VM that hangs is ended.
case_conformance_hang() {
	fake_vms <<-'SCRIPT'
		case $vm in
		1)	case_lines begin:case_a
			exec sleep 80 ;;
		2)	finish 0 "ok 1 arc.a" ;;
		esac
	SCRIPT
	cp -r "$here/.." "$plain/lab"
	sed -i 's/^STALL_MARGIN = .*/STALL_MARGIN = -18/' "$plain/lab/conformance/run.py"
	conform 0
	prints '1 reboots'
}

# Runner: a run that is interrupted ends its VM and removes its files.
case_conformance_interrupted() {
	fake_vms <<-'SCRIPT'
		case_lines begin:case_a
		echo $$ >"$0.pid"
		# The parent of boot.sh, which is the parent of timeout
		read -r _ _ _ boot _ </proc/$PPID/stat
		read -r _ _ _ run _ </proc/$boot/stat
		kill "$run"
		exec sleep 80
	SCRIPT
	conform 143
	! kill -0 "$(cat "$plain/bin/qemu-system-x86_64.pid")" 2>/dev/null || fail "the VM runs"
}

# Runner: the number of reboots is limited,
case_conformance_too_many() {
	fake_vms <<-'SCRIPT'
		case_lines begin:case_$vm
	SCRIPT
	cp -r "$here/.." "$plain/lab"
	sed -i 's/^MAX_REBOOTS = .*/MAX_REBOOTS = 3/' "$plain/lab/conformance/run.py"
	conform 2
	prints 'error: the VM ended early 4 times'
	[ "$(cat "$plain/bin/qemu-system-x86_64.count")" = 4 ] || fail "more VMs"
}

# Runner: and the second VM in a row without a new result is the last one.
case_conformance_no_progress() {
	fake_vms <<-'SCRIPT'
		echo "boot	$vm" >>"$journal"
		[ $vm != 1 ] || case_lines begin:case_a
	SCRIPT
	conform 2
	prints 'error: the VM ended without a new result'
	[ "$(cat "$plain/bin/qemu-system-x86_64.count")" = 3 ] || fail "more VMs, or less"
}

# Runner: a VM that dies at its boot is booted again.
case_conformance_boot_again() {
	fake_vms <<-'SCRIPT'
		case $vm in
		1)	case_lines begin:case_a ;;
		3)	finish 0 "ok 1 arc.a" ;;
		esac
	SCRIPT
	conform 0
	prints 'the VM ended without a new result: once more'
}

# Runner: the exit status of a suite that could not run is passed on, with its output.
case_conformance_status() {
	local status

	for status in 2 4 139; do
		fake_vms <<-SCRIPT
			finish $status "# no such device"
		SCRIPT
		conform $status
		prints "the suite ended with status $status" "# no such device"
	done
}

# Runner: a violation that is not expected fails the run, and so does one that is gone.
case_conformance_expected() {
	local expected=$test_set$'\n\nViolated: arc.b\nWhy: a reason\nKernels: 6.12.*'

	fake_vms <<-'SCRIPT'
		finish 1 "ok 1 arc.a" "not ok 2 arc.b"
	SCRIPT
	conform 1
	prints 'not expected: arc.b is violated'
	conform 0 "$expected"
	conform 1 "${expected/6.12/7}"
	conform 0 "$expected"$'\nRuns: two o*'
	conform 1 "$expected"$'\nRuns: two'
	fake_vms <<-'SCRIPT'
		finish 0 "ok 1 arc.a" "ok 2 arc.b"
	SCRIPT
	conform 1 "$expected"
	prints 'not expected: arc.b is kept, no longer violated'
	# A run of other clauses
	fake_vms <<-'SCRIPT'
		finish 0 "ok 1 arc.a"
	SCRIPT
	conform 0 "$expected"
}

# Runner: a clause whose outcome is random is never a difference.
case_conformance_random() {
	local random=$test_set$'\n\nRandom: arc.b\nWhy: a reason'

	fake_vms <<-'SCRIPT'
		finish 1 "ok 1 arc.a" "not ok 2 arc.b"
	SCRIPT
	conform 0 "$random"
	conform 1 "${random/arc.b/arc.c}"
	fake_vms <<-'SCRIPT'
		finish 0 "ok 1 arc.a" "ok 2 arc.b"
	SCRIPT
	conform 0 "$random"
}

# Runner: what was not checked is a failure if the set says so.
case_conformance_unchecked() {
	fake_vms <<-'SCRIPT'
		finish 0 "ok 1 arc.a # SKIP not checked: no operation" "ok 2 irq.a # SKIP not applicable: none"
	SCRIPT
	conform 1
	prints 'not expected: arc.a is unchecked' '0 kept, 0 violated, 1 unchecked, 1 not applicable'
	conform 0 "${test_set/ unchecked/}"
	# The reason is in the clause file.
	mkdir "$plain/out/selftests"
	printf '%s\n' 'Id: arc.a' 'Text: text' ' more' 'Untested: a reason' \
		>"$plain/out/selftests/clauses"
	conform 0
	rm -r "$plain/out/selftests"
	conform 0 "$test_set"$'\n\nUnchecked: arc.a\nWhy: a reason\nRuns: on*'
	conform 1 "$test_set"$'\n\nUnchecked: arc.a\nWhy: a reason\nRuns: two'
}

# Runner: a report of the kernel is a failure if the set says so.
case_conformance_reports() {
	fake_vms <<-'SCRIPT'
		echo "BUG: it is" >"$console"
		finish 0 "ok 1 arc.a"
	SCRIPT
	conform 0
	conform 1 "${test_set/Failures:/Failures: reports}"
	prints 'BUG: it is'
}

# Runner: a mistake in a set has one clear line.
case_conformance_mistakes() {
	local row

	for row in "Device: x|$plain/lab/conformance/devices/test:1: a stanza begins with" \
		   "Set: x|Set needs the field Failures" \
		   $'Set: x\nFailures: all|all is not one of' \
		   $'Set: x\nFailures: violated|needs a stanza Set and a stanza Run' \
		   "$test_set"$'\nModul: y|test:5: Run has no field Modul' \
		   "$test_set"$'\nDevice: y|test:8: not a field, or a second one' \
		   "${test_set/Run: one/Run: ..\/one}|the name of a run is the name of a file" \
		   "$test_set"$'\n\nViolated: a|Violated needs the field Why'; do
		conform 2 "${row%|*}"
		prints "${row##*|}"
		[ "$(wc -l <"$dir/output")" = 1 ] || fail "more than a line"
	done
}

# Runner: make conformance refuses a device without a set.
case_conformance_device() {
	refuses "DEVICE is one of" DEVICE=nothing conformance
	refuses "not 'mtty mdpy'" DEVICE='mtty mdpy' conformance
}

# Runner: LAB=7 runs the suite on the lab kernel of that series, with the set's module built for
# it, and gives a case more time.
case_conformance_lab() {
	local lab=tools/testing/selftests/vfio/lab

	fake_kernel
	scratch_checkout "$plain/mtty"
	mkdir -p include samples "$lab/../migration" "$plain/kernel/source/samples/vfio-mdev"
	touch "$plain/kernel/source/samples/vfio-mdev/mdpy.c"
	printf 'install: ; @mkdir -p $(INSTALL_PATH)\n' >"$lab/../migration/Makefile"
	printf '#!/bin/sh\necho %s\n' "$plain/kernel" >"$lab/kernels/kernel.sh"
	chmod +x "$lab/kernels/kernel.sh"
	printf '#!/bin/sh\nenv >%s\necho "$*" >>%s\n' "$plain/seen" "$plain/seen" \
		>"$lab/conformance/run.py"
	plain_make -s "${fake_arguments[@]:1}" LAB=7 DEVICE=mdpy ARGS='--clause $x' conformance
	grep -q "^mdpy $plain/out/kernel-[0-9]* .* -k $plain/kernel/arch/x86/boot/bzImage" \
		"$plain/seen" && grep -qxF 'TEST_TIMEOUT=60' "$plain/seen" &&
		grep -qxF 'ARGS=--clause $x' "$plain/seen" || fail "$(cat "$plain/seen")"
	[ -s "$(echo "$plain"/out/kernel-*/kernel-mdpy/mtty.ko)" ] || fail "no module is built"
}

# Runner: findings.py prints a row for each violated clause, with the reason that is known.
case_conformance_findings() {
	local clause=session.after-close

	cd "$dir" || exit 1
	cat >report.json <<-END
		{"clauses": [{"id": "$clause", "verdict": "violated"},
			     {"id": "none.known", "verdict": "violated"},
			     {"id": "open.fd-cloexec", "verdict": "kept"}]}
	END
	"$here/../conformance/findings.py" kernel-mtty 6.12=report.json >output || fail "it fails"
	cat output
	grep -A1 none.known output | grep -q 'not known yet' || fail "no row of a clause"
	! grep -q open.fd-cloexec output || fail "a clause that is kept"
	grep -q "$clause" output && ! grep -A1 "$clause" output | grep -q 'not known yet' ||
		fail "a known reason is lost"
}
