# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# make docs: the check of tables, and the picture of the migration states

docs=$here/../docs

# Builds the page on standard input, with only the check of tables.
build_page() {
	mkdir -p "$dir/source"
	{ printf 'Page\n====\n\n'; cat; } >"$dir/source/index.rst"
	PYTHONPATH=$docs sphinx-build -q -E -W -C -D extensions=rows -b html \
		"$dir/source" "$dir/html" >"$dir/output" 2>&1
}

# The page must be refused, with this text.
page_is_refused() {
	! build_page || fail "the page is accepted"
	grep -qF -- "$1" "$dir/output" && return
	cat "$dir/output"
	fail "the output does not have: $1"
}

case_docs_wrapped_first_column() {
	page_is_refused "index.rst:4:Malformed table" <<-'END'
		============================ ===========================================
		Question                     Answer
		============================ ===========================================
		RESUMING to STOP, stream not ENODATA; the state stays RESUMING, and the
		complete                     rest may still be written
		============================ ===========================================
	END
}

case_docs_simple_table_without_head() {
	page_is_refused "This is a simple table" <<-'END'
		===== ===
		a     b
		===== ===
	END
}

case_docs_empty_first_cell() {
	page_is_refused "a row of a table begins with an empty cell: \"rest\"" <<-'END'
		+-----+------+
		| a   | all  |
		+-----+------+
		|     | rest |
		+-----+------+
	END
}

case_docs_tables_that_are_right() {
	build_page <<-'END' || { cat "$dir/output"; fail "the page is refused"; }
		+-------------+------+
		| two lines   | one  |
		| in one cell | line |
		+-------------+------+
		| b           |      |
		+-------------+------+

		.. list-table::

		   * - a first cell in
		       two lines
		     - b

		A literal block::

		  ===== ===
		  a     b
		  ===== ===
	END
}

two_arcs() {
	cat >clauses <<-'END'
		Id: arc.stop-to-resuming
		Needs: MIGRATION
		Text: STOP to RESUMING succeeds.

		Id: arc.stop-copy-to-pre-copy
		Needs: MIGRATION PRE_COPY
		Text: STOP_COPY to PRE_COPY fails.

		Id: arc.combined-to-stop
		Needs: MIGRATION
		Text: Other states to STOP succeeds.
	END
}

# Arcs are the lines beside the four of the legend.
case_docs_states_draws_arcs_that_succeed() {
	cd "$dir" && two_arcs
	"$docs/states.py" clauses >picture || fail "no picture"
	[ "$(grep -c '<line' picture)" = 5 ] || fail "$(grep -c '<line' picture) lines"
	sed -i 's/fails/succeeds/' clauses
	"$docs/states.py" clauses >picture
	[ "$(grep -c '<line' picture)" = 6 ] || fail "an arc that succeeds is not drawn"
}

case_docs_states_check() {
	cd "$dir" && two_arcs
	"$docs/states.py" clauses >picture
	"$docs/states.py" --check picture clauses || fail "a current picture is refused"
	sed -i 's/stop-to-resuming/resuming-to-stop/' clauses
	! "$docs/states.py" --check picture clauses || fail "an old picture is accepted"
}

case_docs_states_cannot_be_drawn() {
	cd "$dir" && two_arcs
	sed -i '0,/MIGRATION/s//MIGRATION MSI/' clauses
	! "$docs/states.py" clauses >output 2>&1 || fail "an arc with unknown needs is drawn"
	grep -qF "clauses:1: no colour for an arc that needs MIGRATION MSI" output ||
		fail "$(cat output)"
	echo "Id: info.one" >clauses
	! "$docs/states.py" clauses >output 2>&1 || fail "a picture without an arc"
}

case_docs_references() {
	local lab=tools/testing/selftests/vfio/lab

	cd "$dir" && mkdir -p Documentation/a .ci include samples "$lab/docs"
	touch Makefile Documentation/a/there.rst "$lab/docs/there.rst"
	{
		echo "[a](Documentation/a/there.rst), [b](Makefile), [c](#part), [d](https://a.b/c)"
		echo "Documentation/a/there.rst lab/docs/there.rst"
	} >README.md
	"$here/../lint/references.sh" || fail "pages that exist are refused"
	echo "see Documentation/a/none.svg, lab/docs/none.rst" >include/a.h
	echo "[a](none)" >>README.md
	! "$here/../lint/references.sh" >output || fail "missing pages are accepted"
	sort >expected <<-END
		README.md:3: there is no none
		include/a.h:1: there is no Documentation/a/none.svg
		include/a.h:1: there is no $lab/docs/none.rst
	END
	sort output | diff - expected
}

# A repository with one target, one program and a page
one_target() {
	local lab=tools/testing/selftests/vfio/lab

	cd "$dir" && mkdir -p Documentation/a "$lab/docs" "$lab/../migration/mtty" || return
	printf 'VARS_USER := ARGS \\\n\tTESTS\nVARS_COMMAND := BASE\ncheck: all ## text\n' >Makefile
	echo "TEST_F(uart, loopback)" >"$lab/../migration/mtty/uart_test.c"
	echo "Any \`make check TESTS='uart_test NAME_test' ARGS='-t loopback'\`; exit" >README.md
}

# Runner: make commands that pages name exist, with their variables, programs and cases.
case_docs_commands() {
	one_target
	printf 'Text \x60\x60make\ncheck; exit 1\x60\x60::\n\n  $ make check BASE=x\n' >Documentation/a/page.rst
	"$here/../lint/commands.py" >output || fail "commands that exist are refused: $(cat output)"
	file_has output "3 make commands in pages, 0 findings"
}

case_docs_commands_that_do_not_exist() {
	one_target
	cat >Documentation/a/page.rst <<-'END'
		Text ``make chekc`` and ``make check TEST=uart_test``::

		  $ make check TESTS='uart_test urt_test'
		  make check TESTS=uart_test ARGS='-t lopback'   # comment
	END
	! "$here/../lint/commands.py" >output || fail "commands that do not exist are accepted"
	diff - output <<-'END'
		Documentation/a/page.rst:1: no target chekc
		Documentation/a/page.rst:1: no variable TEST
		Documentation/a/page.rst:3: no program urt_test
		Documentation/a/page.rst:4: no case lopback
		5 make commands in pages, 4 findings
	END
}

# lint_ends STATUS LINE FAILING: make lint with stubs for its checks, one of which fails
lint_ends() {
	local status=0 file

	for file in get/hostpkgs.sh lint/lint.sh lint/analyze.sh lint/circles.sh; do
		printf '#!/bin/sh\necho %s\n[ %s != %s ]\n' "$file" "$file" "$3" \
			>"tools/testing/selftests/vfio/lab/$file"
	done
	plain_make -s -o modules -o selftests lint OUT="$plain/out" >"$dir/output" 2>&1 || status=$?
	[ "$status" = "$1" ] && grep -qxF "$2" "$dir/output" && file_has "$dir/output" lint/circles.sh
}

# Runner: make lint runs all checks, and ends with a verdict.
case_lint_verdict() {
	scratch_checkout "$plain/checkout"
	lint_ends 0 "lint: PASS, no findings" none || fail "$(cat "$dir/output")"
	lint_ends 2 "lint: FAIL, see above" lint/lint.sh || fail "$(cat "$dir/output")"
	lint_ends 2 "lint: FAIL, see above" lint/circles.sh || fail "$(cat "$dir/output")"
}
