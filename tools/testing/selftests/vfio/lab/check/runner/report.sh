# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2016,SC2154
#
# make report: the page of results, from small fixed results

out=debian-6.12

# A run of make check with a case that failed, one that was skipped, and a program that crashed
some_results() {
	mkdir -p "$plain/$out/log" "$plain/$out/mutants" "$plain/coverage"
	cat >"$plain/$out/log/check-1.ktap" <<-'END'
		@0123456789abcdef begin-run
		@0123456789abcdef begin uart_test
		TAP version 13
		1..3
		ok 1 uart.first
		# uart_test.c:7:second:Expected 1 (1) == <b> (2)
		not ok 2 uart.second
		ok 3 uart.third # SKIP needs a modem
		@0123456789abcdef end uart_test 1 250
		@0123456789abcdef begin arc_test
		TAP version 13
		1..1
		ok 1 arc.stop_copy_to_stop
		@0123456789abcdef end arc_test 0 30
		@0123456789abcdef begin size_test
		TAP version 13
		1..1
		@0123456789abcdef end size_test 139 30
		@0123456789abcdef end-run
	END
	cat >"$plain/$out/mutants/results.json" <<-'END'
		{"driver/uart/timeout-16-characters": {"key": "0", "outcome": "survived", "by": "",
		 "killer": false, "confirmed": true}}
	END
	cat >"$plain/coverage/summary.json" <<-'END'
		{"line_total": 10, "line_covered": 7, "line_percent": 70.0, "branch_total": 4,
		 "branch_covered": 3, "branch_percent": 75.0, "files": []}
	END
}

# make_page [STATUS]
make_page() {
	local status=0

	"$here/../report/page.py" "$repo" "$KERNEL_SOURCE" "$plain" >"$dir/output" 2>&1 || status=$?
	cat "$dir/output"
	[ $status = "${1:-0}" ] || fail "page.py ends with status $status"
	page=$plain/report.html
}

# page_has TEXT...
page_has() {
	file_has "$page" "$@"
}

# Runner: the page has what failed, with the command that runs it again; text is not markup.
case_report_failures() {
	some_results
	make_page
	page_has 'uart_test: uart.second failed' 'Expected 1 (1) == &lt;b&gt; (2)' \
		"make check TESTS=uart_test ARGS=&#x27;-t second&#x27;" \
		'size_test: crashed: SIGSEGV' 'needs a modem' \
		'2 passed, 3 failed, 1 skipped; not all programs of make check'
}

# Runner: each section has its results: clauses, mutants, coverage.
case_report_sections() {
	some_results
	make_page
	grep -A6 'arc.stop-copy-to-stop' "$page" | grep -q '>kept<' || fail "no verdict of a clause"
	page_has 'driver/uart/timeout-16-characters' '0 killed, 1 survived, 0 error' '70.0 % of lines'
}

# Runner: the page has each configuration of the matrix, and the cases that passed in none.
case_report_matrix() {
	mkdir -p "$plain/matrix"
	cat >"$plain/matrix/results.json" <<-'END'
		{"part": false, "good": false, "cases": 12, "rows": [
		 {"name": "stock", "kind": "tests", "command": "make check", "state": "passed",
		  "seconds": 90, "passed": 9, "failed": 0, "skipped": 3,
		  "reasons": {"no cdev on this kernel": 3}, "failures": []},
		 {"name": "rt", "kind": "tests", "command": "make check STOCK=7-rt", "state": "STATE",
		  "seconds": 0, "passed": 0, "failed": 0, "skipped": 0, "reasons": {}, "failures": []},
		 {"name": "i386", "kind": "build", "command": "make build-i386", "state": "passed",
		  "seconds": 60, "passed": 0, "failed": 0, "skipped": 0, "reasons": {},
		  "failures": []}],
		 "never": [{"program": "a_test", "case": "a.b", "known": "", "reasons": {}},
		  {"program": "a_test", "case": "a.c", "known": "needs hardware", "reasons": {}}]}
	END
	cp "$plain/matrix/results.json" "$dir/saved"
	sed -i 's/STATE/not run/' "$plain/matrix/results.json"
	make_page
	page_has 'class="tile none" href="#matrix-table"' 'no cdev on this kernel' \
		'3 configurations, 0 failed, 1 not run; 10 of 12 cases passed somewhere' \
		'make check STOCK=7-rt' 'a_test: a.b' 'for no known reason' 'needs hardware'
	sed 's/STATE/failed/; s/"failures": \[\]/"failures": ["<x> failed"]/' "$dir/saved" \
		>"$plain/matrix/results.json"
	make_page
	page_has 'class="tile bad" href="#matrix-table"' '&lt;x&gt; failed'
	sed 's/STATE/passed/; s/false/true/g' "$dir/saved" >"$plain/matrix/results.json"
	make_page
	page_has 'class="tile none" href="#matrix-table"' '; a part of it'
	sed 's/STATE/passed/; s/"good": false/"good": true/' "$dir/saved" \
		>"$plain/matrix/results.json"
	make_page
	page_has 'class="tile good" href="#matrix-table"'
}

# Runner: a run of some programs that pass is not shown as a good result of all.
case_report_of_a_part() {
	mkdir -p "$plain/$out/log"
	printf '@0123456789abcdef %s\n' 'begin arc_test' 'end arc_test 0 30' |
		sed '1a TAP version 13\n1..1\nok 1 arc.stop_copy_to_stop' >"$plain/$out/log/check.ktap"
	make_page
	page_has '1 passed, 0 failed, 0 skipped; not all' 'class="tile none" href="#check"' \
		'class="tile none" href="#clause-table"'
}

# Runner: without results the page names the command for each, and nothing has failed.
case_report_of_nothing() {
	local section command

	make_page
	while read -r section command; do
		sed -n "/<section id=\"$section\">/,/<\/section>/p" "$page" |
			grep -qF "<code>$command</code>" || fail "$section does not name $command"
	done <<-END
		check make check
		clause-table make conformance DEVICE=mtty
		matrix-table make matrix
		mutant-table make mutants
		migrations make check-vmm
		migrations make demo
		volume make check-vmm
		speed make bench
		coverage make coverage
	END
	! grep -qE 'class="(tile|verdict) bad"' "$page" || fail "something has failed"
}

# Runner: the page needs no other file.
case_report_is_one_file() {
	some_results
	make_page
	! grep -nE '<(script|link|img|iframe)|src=|url\(|@import|href="[^#]' "$page" ||
		fail "the page needs another file"
}

# Runner: results that are damaged do not hide the others, and are no success.
case_report_of_damaged_results() {
	some_results
	echo '{"line_' >"$plain/coverage/summary.json"
	echo '{' >"$plain/$out/bench.json"
	: >"$plain/$out/check-vmm.tar"
	make_page 1
	page_has 'uart_test: uart.second failed' 'To make them anew, run: make coverage' \
		'To make them anew, run: make bench' 'To make them anew, run: make check-vmm'
}

# Runner: a migration of QEMU is drawn, or listed where pictures cannot be drawn.
case_report_migration() {
	migrated_once
	mkdir -p "$plain/$out"
	tar -cf "$plain/$out/check-vmm.tar" -C "$dir/report" .
	make_page
	page_has 'migrations of QEMU: 1' 'ways-and_back' '2000 ms' 'STOP -&gt; STOP_COPY'
	! command -v gnuplot >/dev/null || page_has '<svg viewBox='
}

# Runner: bytes over time are those that were read from the source, before and after its stop.
case_report_bytes() {
	migrated_once
	cd "$plain" && mkdir -p "$out"
	{
		echo "1767225601.500000 mtty_data $card read count=100 ret=100"
		echo "1767225602.500000 mtty_data $card read count=100 ret=30"
		echo "1767225602.600000 mtty_data $other write count=100 ret=100"
	} >>"$dir/report/ways/events.txt"
	mv "$dir/report/ways" "$dir/report/reorder"
	sed -i 's/and_back/there/' "$dir/report/reorder/migrations.txt"
	tar -cf "$out/check-vmm.tar" -C "$dir/report" .
	make_page
	tr -d '\n' <"$page" | grep -qF \
		'<td>reorder</td><td class="number">100</td><td class="number">30</td>' ||
		fail "other numbers"
	page_has 'qemu/independent.py qemu/before_data.py qemu/embedded.py'
}

# Runner: the steps of a demo, with its subflags and states, also if it had colours
case_report_demo() {
	mkdir -p "$plain/$out/log"
	printf '%b\n' '\033[1mAnswer before-data: config first\033[0m' \
		'\033[1msave_state: last\033[0m' \
		'  source     SET MIG_DEVICE_STATE: STOP_COPY' \
		'  stream >>  DEV_CONFIG_STATE [enable interrupts]: 0 bytes' \
		'             = enable interrupts: the subflag that allows them' \
		>"$plain/$out/log/demo.txt"
	make_page
	page_has 'The driver answers before-data: config first' '<mark>enable interrupts</mark>' \
		'>STOP_COPY</span>'
	! grep -q 'the subflag that allows them' "$page" || fail "an explanation is a step"
}

# Runner: a file of the user with this name stays, and make clean removes only the page.
case_report_foreign() {
	echo mine >"$plain/report.html"
	! "$here/../report/page.py" "$repo" "$KERNEL_SOURCE" "$plain" 2>"$dir/output" ||
		fail "the file is replaced"
	grep -q 'was not made here' "$dir/output" || fail "$(cat "$dir/output")"
	plain_make clean OUT="$plain"
	[ "$(cat "$plain/report.html")" = mine ] || fail "the file is removed"
	rm "$plain/report.html"
	make_page
	plain_make clean OUT="$plain"
	[ ! -e "$page" ] || fail "the page is left"
}

# Runner: output.py keeps what it copies.
case_output_kept() {
	printf 'one\ntwo' | "$here/../boot/output.py" "$dir/kept" >"$dir/copy"
	printf 'one\ntwo' | cmp - "$dir/kept"
	cmp "$dir/kept" "$dir/copy"
}

# Runner: a report of the kernel is a failure of the run, though each case has passed.
case_report_of_the_kernel() {
	mkdir -p "$plain/$out/log"
	printf '@0123456789abcdef %s\n' 'begin size_test' 'end size_test 0 30' |
		sed '1a TAP version 13\n1..1\nok 1 size.first' >"$plain/$out/log/check.ktap"
	printf '[    1.0] fine\n[    2.0] BUG: KASAN: use-after-free in x\n' \
		>"$plain/$out/log/check.console"
	make_page
	page_has 'The kernel reported, see log/check.console' 'BUG: KASAN: use-after-free in x' \
		'1 passed, 1 failed' 'class="tile bad" href="#check"'
}

# report_of_device CLAUSE: a report of mtty in which this clause is violated
report_of_device() {
	mkdir -p "$plain/$out/conformance/kernel-mtty"
	cat >"$plain/$out/conformance/kernel-mtty/mtty-1.json" <<-END
		{"clauses": [{"id": "$1", "verdict": "violated"},
			     {"id": "open.fd-cloexec", "verdict": "kept"}]}
	END
	make_page
}

# Runner: a clause that a driver is known to violate is told from another; a part of a report, as
# of a VM that ended early, is left out.
case_report_violations() {
	report_of_device session.after-close
	page_has 'with a violation not expected: 0' 'class="tile good" href="#clause-table"'
	report_of_device open.group-twice
	page_has 'with a violation not expected: 1' ': open.group-twice</span>' \
		'class="tile bad" href="#clause-table"'
	echo '{ }' >"$plain/$out/conformance/kernel-mtty/mtty-1.json"
	make_page
	page_has 'class="tile none" href="#clause-table"'
}
