# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2016,SC2154
#
# clauses.py: the clause file, the tests that name clauses, and the page made from both

checker=$here/../lint/clauses.py

# A directory of two clauses and one program, without findings
clauses_of_two() {
	cat >clauses <<-'END'
		# comment
		Id: info.one
		Symbol: VFIO_DEVICE_GET_INFO
		Level: MUST
		Since: 3.6
		By: driver
		Text: The first * of
		 cap_offset, with read().

		Id: arc.two-words
		Symbol: kernel core
		Level: OPEN
		Since: 5.18
		Until: 6.2
		Needs: MIGRATION P2P
		By: core
		Text: The second.
		Choice: yes
		Untested: no device can do it
	END
	cat >one_test.c <<-'END'
		/* CLAUSE_TEST_F(comment, a, "info.none") */
		#define MACRO(name) \
			TEST_F(name, a)
		DESTRUCTIVE_TEST_F(fixture, a, "writes, and (more) "
				   "text",
				   "info.one")
		{
			char quote = '"', *text = "TEST_F(b, \"c)";
		}
	END
}

# clauses.py must have this exit status, and print the text.
clauses_give() {
	local status=0

	"$checker" "${@:3}" >output 2>&1 || status=$?
	[ "$status" = "$1" ] && grep -qE -- "$2" output && return
	cat output
	fail "clauses.py ${*:3}: status $status, not $1, or not: $2"
}

# Each line of the input, "sed program | text": the file, edited, gives the text.
clauses_refuse() {
	local file=$1 edit text

	while IFS='|' read -r edit text; do
		clauses_of_two
		sed -i "$edit" "$file"
		clauses_give 1 "$file:$text" .
	done
}

# Runner: clauses.py, right files: no finding
case_clauses_good() {
	cd "$dir" || exit 1
	clauses_of_two
	clauses_give 0 '^2 clauses, 1 with a case, 0 findings$' .
}

# Runner: clauses.py, a clause file with one mistake: file, line and what is wrong
case_clauses_file() {
	local long

	cd "$dir" || exit 1
	long=$(printf '%91s' '')
	clauses_refuse clauses <<-END
		/MUST/d|2: no field Level
		s/By: driver/&\nColour: red/|7: unknown field Colour
		s/By: driver/&\n&/|7: a second field By
		s/arc.two-words/info.one/|10: info.one is in line 2 already
		s/Id: info.one/Id: Info.one/|2: Id is "Info.one", must be group.words
		s/Id: info.one/Id: info/|2: Id is "info", must be group.words
		s/Id: info.one/Id: colour.one/|2: no group colour
		s/Id: info.one/Id: size.one/|10: arc.two-words after group size
		s/VFIO_DEVICE_GET_INFO/a symbol/|3: Symbol is "a symbol"
		s/MUST/MAY/|4: Level is "MAY"
		s/3\.6/3/|5: Since is "3"
		s/6\.2/5.2/|14: Until is before Since
		s/P2P/P3P/|15: Needs is "MIGRATION P3P"
		s/P2P/MIGRATION/|15: Needs has a word twice
		s/By: core/By: kernel/|16: By is "kernel"
		s/second\./second/|17: Text is "The second"
		s/Choice: yes/Choice:/|18: Choice is ""
		s/no device/No device/|19: Untested is "No device
		/^Text: The f/d|2: no field Text
		/^Symbol: kernel/{h;d};/^Level: OPEN/G|10: the order of fields
		s/^ cap/cap/|8: neither "Field: value"
		1s/^/ a\n/|1: a continuation without a field
		s/second/s\xc3\xa9cond/|17: a character that is not ASCII
		s/second/&\t/|17: a tab, or a blank
		s/$/ /|1: a tab, or a blank
		s/second/&$long/|17: 108 columns
	END
	: >clauses
	clauses_give 1 '^clauses:1: no clause$' .
}

# Runner: clauses.py, clauses and tests that do not name each other
case_clauses_tests() {
	cd "$dir" || exit 1
	clauses_refuse one_test.c <<-'END'
		s/"info.one"/"info.none"/|4: no clause info.none in clauses
		s/"info.one"/INFO_ONE/|4: INFO_ONE: an id must be one string
		s/"info.one"/&, &/|4: info.one is named twice
		s/{/TEST_F(fixture, b) &/|7: TEST_F names no clause
		s/{/TEST(b) &/|7: TEST names no clause
		s/{/TEST_F_TIMEOUT(fixture, b, 1) &/|7: TEST_F_TIMEOUT names no clause
		s/{/CLAUSE_TEST_F(fixture, b) &/|7: CLAUSE_TEST_F names no clause
		s/"writes, .*$/WHY,/;s/^.*"text",$//|4: DESTRUCTIVE_TEST_F without a reason
		s/{/CLAUSE_TEST_F(fixture, b &/|7: the arguments of CLAUSE_TEST_F do not end
	END
	clauses_refuse clauses <<-'END'
		/Untested/d|10: arc.two-words has neither a case in . nor a reason
	END
	clauses_of_two
	sed -i 's/"info.one"/&, "arc.two-words"/' one_test.c
	clauses_give 1 '^clauses:19: arc.two-words is Untested, but one_test names it' .
	rm one_test.c
	clauses_give 1 '^clauses:2: info.one has neither a case in . nor a reason' .
}

# Runner: clauses.py --rst prints the page; --check-rst compares a file with it.
case_clauses_page() {
	local page=page.rst text
	local notes='       Needs MIGRATION, P2P. Core. A choice of the driver.'

	notes+=' Not tested: no device can do it.'
	cd "$dir" || exit 1
	clauses_of_two
	"$checker" --rst . >$page || fail "no page"
	for text in '   * - _`info.one`' '     - 5.18 to 6.2' \
		'     - The first \* of ``cap_offset``, with ``read()``.' \
		'       Judged by ``one_test``.' \
		'     - The second.' "$notes"; do
		grep -qxF -- "$text" $page || fail "not in the page: $text"
	done
	clauses_give 0 ' 0 findings$' --check-rst $page .
	sed -i 's/^     - MUST$/     - MAY/' $page
	clauses_give 1 "^$page:[0-9]+: does not fit the clauses and tests: run \"make clauses\"" \
		--check-rst $page .
	rm $page
	clauses_give 1 "^$page:1: does not fit" --check-rst $page .
	sed -i 's/MUST/MAY/' clauses
	! "$checker" --rst . >$page 2>errors || fail "a page is made of a wrong file"
	[ ! -s $page ] || fail "a finding is in the page"
	grep -q '^clauses:4: Level' errors || fail "no message"
}

# Runner: clauses.py, wrong options, no such file: exit status 2
case_clauses_usage() {
	cd "$dir" || exit 1
	clauses_give 2 'no file missing/clauses' missing
	clauses_give 2 'unrecognized arguments: --colour' --colour
	clauses_of_two
	clauses_give 2 'either --rst or --check-rst' --rst --check-rst a .
}
