# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2015,SC2016,SC2034,SC2154
#
# check-vmm: report/timeline.py, and the library of lab/qemu with stubs for QEMU and its guest

# Two cards
card=11111111-0000-4000-8000-000000000001
other=11111111-0000-4000-8000-000000000002

# The trace of a source: its guest runs, and stops at second $1
source_trace() {
	cat <<-END
		2026-01-01T00:00:00.000000Z vm_state_notify running 1 reason 9 (running)
		2026-01-01T00:00:01.000000Z migrate_set_state new state setup
		2026-01-01T00:00:0$1.000000Z vm_state_notify running 0 reason 7 (finish-migrate)
		2026-01-01T00:00:08.000000Z migrate_set_state new state completed
	END
}

# The trace of a destination: the guest runs at second $1
destination_trace() {
	cat <<-END
		2026-01-01T00:00:01.000000Z migrate_set_state new state setup
		2026-01-01T00:00:0$1.000000Z vm_state_notify running 1 reason 9 (running)
	END
}

# The files of a program that has migrated once, for 2 s, in $dir/report
migrated_once() {
	mkdir -p "$dir/report/ways"
	cd "$dir/report/ways" || exit 1
	source_trace 2 >hop0.trace
	destination_trace 4 >hop1.trace
	echo "and_back hop0 $card hop1 $other" >migrations.txt
	# The seconds of 2026-01-01
	cat >events.txt <<-END
		1767225603.000000 mtty_state $card STOP -> STOP_COPY ret=0 now=STOP_COPY
		1767225605.000000 mtty_close $card state=STOP
	END
}

# timeline TEXT...: the output has each; a program that can be killed half-way does not end it
timeline() {
	local text

	tar -cf "$dir/report.tar" -C "$dir/report" .
	"$here/../report/timeline.py" "$dir/report.tar" "$dir/out" >"$dir/output" 2>&1 ||
		{ cat "$dir/output"; fail "timeline.py fails"; }
	cat "$dir/output"
	for text; do
		grep -qE -- "$text" "$dir/output" || fail "it does not print: $text"
	done
}

# Runner: a timeline has the steps of both QEMUs and both cards, and the downtime.
case_timeline() {
	migrated_once
	timeline '^ +2000 ms  ways-and_back$'
	grep -qE '1000\.0  source QEMU +the guest stops' "$dir/out/ways-and_back.txt" &&
		grep -qE '2000\.0  source card +STOP -> STOP_COPY' "$dir/out/ways-and_back.txt" &&
		grep -qE '3000\.0  destination QEMU +the guest runs' "$dir/out/ways-and_back.txt" ||
		{ cat "$dir/out/ways-and_back.txt"; fail "a step is missing"; }
}

# Runner: a case that migrates again keeps the timeline of its first migration.
case_timeline_repeated() {
	migrated_once
	source_trace 2 >hop2.trace
	destination_trace 5 >hop3.trace
	echo "and_back hop2 $card hop3 $other" >>migrations.txt
	timeline '^ +2000 ms  ways-and_back$' '^ +3000 ms  ways-and_back-2$'
	[ "$(cd "$dir/out" && echo *.txt)" = "ways-and_back-2.txt ways-and_back.txt" ] ||
		fail "timelines: $(ls "$dir/out")"
}

# Runner: a program that was killed has no events: the others' timelines are there, and its own.
case_timeline_no_events() {
	migrated_once
	cp -r . ../killed
	rm ../killed/events.txt
	timeline '^ +2000 ms  ways-and_back$' '^ +2000 ms  killed-and_back$' \
		'^killed has no events.txt: was the program killed[?]$'
}

# Runner: without the trace of a QEMU there is no downtime, and no other is printed instead.
case_timeline_no_trace() {
	migrated_once
	cp -r . ../source
	cp -r . ../destination
	rm ../source/hop0.trace ../destination/hop1.trace
	timeline '^ +2000 ms  ways-and_back$' '^source has no hop0.trace' \
		'^ +[?] +source-and_back: the trace of the source ' \
		'^destination has no hop1.trace' \
		'^ +[?] +destination-and_back: the trace of the destination '
	[ "$(grep -c ' ms ' "$dir/output")" = 1 ] || fail "a downtime that is not known"
}

# Runner: a trace that belongs to another QEMU does not show that the guest stopped.
case_timeline_overwritten_trace() {
	migrated_once
	cp hop1.trace hop0.trace
	timeline '^ +[?] +ways-and_back: the trace of the source '
}

# qemu_library TEXT: runs a program in Python with the library of lab/qemu; it prints TEXT.
qemu_library() {
	PYTHONPATH="$here/../qemu:$KERNEL_SOURCE/tools/testing/selftests/kselftest" \
		PYTHONDONTWRITEBYTECODE=1 python3 - >"$dir/output" 2>&1 || true
	cat "$dir/output"
	grep -qE -- "$1" "$dir/output" || fail "it does not print: $1"
}

# Runner: a case of check-vmm that passes when it is repeated says so in its line.
case_vmm_repeated() {
	cd "$dir" || exit 1
	qemu_library '^# Words [(][0-9.]+ s[)]; repeated: the guest had a triple fault$' <<-'END'
		from lib import cases

		cases.pack_guest = lambda program: None
		cases.where = lambda: 'here'

		def one():
		    """Words"""
		    cases.GuestRun.crashes += 1
		    assert cases.GuestRun.crashes > 1

		def two():
		    """Others"""

		cases.Cases([one, two]).run()
	END
	grep -qE '^# Others [(][0-9.]+ s[)]$' "$dir/output" || fail "the other was not repeated"
}

# crashed STATUS LINE: what has_crashed() says of a QEMU that ended like this
crashed() {
	cd "$dir" || exit 1
	printf '%s\r\n' "$2" >hop0.console
	qemu_library . <<-END
		import types
		from lib.qemu import Vmm

		vmm = Vmm.__new__(Vmm)
		vmm.name = 'hop0'
		vmm.asked_to_quit = False
		vmm.process = types.SimpleNamespace(poll=lambda: $1)
		print(vmm.has_crashed())
	END
	[ "$(cat "$dir/output")" = "$3" ] || fail "after '$2': $(cat "$dir/output"), not $3"
}

# Runner: a guest that gives up is a failure, not a fault of the emulated processor, after which a
# case would be repeated.
case_vmm_gave_up() {
	crashed 0 '[    1.0] kvm-guest: a message' True
	crashed 0 'guest: the card and its driver: No such device' False
	crashed 0 '[    9.1] Kernel panic - not syncing: Attempted to kill init!' False
	crashed 1 '[    1.0] a message' False
	crashed None '[    1.0] a message' False
}

# The programs that make check-vmm runs
vmm_programs() {
	plain_make -s --eval='programs:;@echo $(VMM_SELECTED)' programs "$@"
}

# Runner: make check-vmm TESTS=quick runs a part of the programs; other words are programs.
case_vmm_quick() {
	local quick test

	quick=$(vmm_programs TESTS=quick)
	for test in $quick; do
		[[ " $(vmm_programs) " == *" $test "* ]] || fail "no program $test"
	done
	[ "$(wc -w <<<"$quick")" -ge 2 ] || fail "quick is: $quick"
	[ "$(wc -w <<<"$quick")" -lt "$(vmm_programs | wc -w)" ] || fail "quick is all"
	[ "$(vmm_programs TESTS='qemu/msi.py b')" = "qemu/msi.py b" ] || fail "TESTS is lost"
}
