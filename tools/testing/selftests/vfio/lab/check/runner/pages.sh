# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2016,SC2154
#
# make docs-check: the commands of a page are run, and differences are found

# page_gives STATUS TEXT [OPTION]...: the page on standard input gives both; a shell is the VM
page_gives() {
	local status=0 page=${page:-page.rst}

	cd "$dir" || return
	cat >"$page"
	"$here/../docs/check.py" "${@:3}" --vm 'sh "$ADD"' --shell-vmm 'with_qemu=1 sh "$ADD"' "$page" \
		>output 2>&1 || status=$?
	[ "$status" = "$1" ] && grep -qF -- "$2" output && return
	cat output
	fail "status $status, not $1, or not: $2"
}

case_pages_page_that_is_right() {
	page_gives 0 "page.rst: 6 commands, 0 not as the page shows" --change here=there \
		--before 'twice() { "$@"; "$@"; }' <<-'END'
		Text::

		  # x=1
		  # echo $x; echo identity 0123456789abcdef0123456789abcdef
		  1
		  identity ffffffffffffffffffffffffffffffff
		  # printf 'a\nb\nc\n'; echo error >&2
		  a
		  ...
		  error
		  # echo two \
		  >      lines
		  two lines

		.. not run: it has no command

		A block::

		  text

		* in a list::

		    $ twice echo here
		    there
		    there
		    # true
	END
}

case_pages_other_output() {
	page_gives 1 "page.rst:5: the output is not what the page shows: echo 2" <<-'END'
		Text::

		  # echo 1
		  1
		  # echo 2
		  3
	END
	grep -A1 -xF "    -3" output | grep -qxF "    +2" || fail "no difference is shown"
}

case_pages_output_that_is_missing() {
	page_gives 1 "page.rst:3: the output is not what the page shows: true" <<-'END'
		Text::

		  # true
		  a
	END
}

case_pages_output_that_is_not_shown() {
	page_gives 1 "page.rst:3: the output is not what the page shows: echo a; echo b" <<-'END'
		Text::

		  # echo a; echo b
		  a
	END
}

case_pages_error_that_is_not_shown() {
	page_gives 1 "+sh: error" <<-'END'
		Text::

		  $ echo sh: error >&2
	END
}

case_pages_vm_ends_early() {
	page_gives 1 "page.rst: the VM ended after 2 of 3 commands" <<-'END'
		Text::

		  # echo 1
		  1
		  # exit 0
		  # echo 2
		  2
	END
}

case_pages_vm_ends_in_the_last_command() {
	page_gives 1 "page.rst: the VM ended after 1 of 1 commands" <<-'END'
		Text::

		  # exit 0
	END
}

# Such as a report of the kernel
case_pages_run_of_the_vm_fails() {
	page_gives 1 "page.rst: the run of the VM failed, status 3" <<-'END'
		Text::

		  # trap 'exit 3' EXIT
	END
}

case_pages_excerpt() {
	printf 'int a;\n\tint b;\nint c;\n' >"$dir/file.c"
	page_gives 0 "0 not as the page shows" <<-'END'
		.. excerpt: file.c

		Text::

		  int a;
		  	int b;

		Text::

		  # true
	END
	page_gives 1 "page.rst:5: this is not a part of file.c" <<-'END'
		.. excerpt: file.c

		Text::

		  int a;
		  int c;

		Text::

		  # true
	END
	page_gives 1 "page.rst:5: this is not a part of file.c" <<-'END'
		.. excerpt: file.c

		Text::

		  	int d;

		Text::

		  # true
	END
}

case_pages_without_a_command() {
	page_gives 1 "no command, and no code" <<-'END'
		Text.
	END
}

case_pages_block_without_a_mark() {
	page_gives 1 "page.rst:3: this block has no command, and no mark" <<-'END'
		Text::

		  make something

		Text::

		  # true
	END
	page_gives 1 "page.rst:5: this block has no command, and no mark" <<-'END'
		* .. code-block:: sh

		* .. code-block:: c

		      int a;
	END
}

# The number of blocks that are not run is printed.
case_pages_block_with_a_mark() {
	page_gives 0 "1 commands run, 0 blocks of code compared or compiled, 2 blocks not run" <<-'END'
		.. not run: it needs a card

		Text::

		  # false
		  no

		.. list-table::
		   :header-rows: 1

		   * - no block

		.. not run: C

		.. code-block:: c

		   int a;

		Text::

		  # true
	END
	page_gives 1 'page.rst: no block after the mark "not run"' <<-'END'
		Text::

		  # true

		.. not run: it needs a card
	END
}

case_pages_pasted() {
	page_gives 0 "page.rst: 3 commands, 0 not as the page shows" <<-'END'
		.. pasted: #

		Text::

		  hello() {
		      echo "$1"

		  }

		.. pasted: $

		::

		  true

		Text::

		  # hello you
		  you
	END
	page_gives 1 "+a" <<-'END'
		.. pasted: #

		Text::

		  echo a
	END
}

case_pages_may_differ() {
	page_gives 0 "0 not as the page shows" <<-'END'
		.. may differ: \d+ bytes

		Text::

		  # echo there are 5 bytes
		  there are 6 bytes
	END
	# In that block only
	page_gives 1 "page.rst:10: the output is not what the page shows: echo 5 bytes" <<-'END'
		.. may differ: \d+ bytes

		Text::

		  # echo 5 bytes
		  6 bytes

		Text::

		  # echo 5 bytes
		  6 bytes
	END
}

# Programs run at the same time.
case_pages_order_of_programs() {
	page_gives 0 "0 not as the page shows" <<-'END'
		Text::

		  # echo start; echo ok b: 2; echo ok a: 1; echo 3 passed
		  start
		  ok a: 1
		  ok b: 2
		  3 passed
	END
	page_gives 1 "+ok c: 1" <<-'END'
		Text::

		  # echo ok b: 2; echo ok c: 1
		  ok a: 1
		  ok b: 2
	END
}

case_pages_lines_of() {
	printf 'int a;\n\tint b;\n' >"$dir/a.c"
	echo "int c;" >"$dir/b.c"
	page_gives 0 "0 not as the page shows" <<-'END'
		.. lines of: a.c b.c

		Text::

		  	/* both */
		  int b;
		  int c;

		Text::

		  # true
	END
	page_gives 1 "page.rst:6: no such line in a.c b.c: int d;" <<-'END'
		.. lines of: a.c b.c

		Text::

		  int b;
		  int d;

		Text::

		  # true
	END
}

case_pages_compiles() {
	echo "int put(void);" >"$dir/a.h"
	page_gives 0 "1 commands run, 1 blocks of code compared or compiled, 0 blocks not run" <<-'END'
		.. compiles: a.h

		Text::

		  int a(void)
		  {
		  	return put();
		  }

		Text::

		  # true
	END
	page_gives 1 "page.rst:5:" <<-'END'
		.. compiles: a.h

		Text::

		  int a(void) { return put(1); }

		Text::

		  # true
	END
}

# A page with QEMU is run again if a guest has failed.
case_pages_with_qemu() {
	page_gives 0 "page.rst: 1 commands, 0 not as the page shows" <<-'END'
		.. machine: shell-vmm

		Text::

		  # echo $with_qemu; test ! -e before || echo again; touch before
		  1
		  again
	END
	file_has output "page.rst: once more"
}

case_pages_markdown() {
	local page=page.md

	page_gives 1 "page.md:10: the output is not what the page shows: echo b" <<-'END'
		Text

		<!-- not run: a list -->

		```
		a   b
		```

		```
		$ echo b
		c
		# echo d
		d
		```
	END
	file_has output "2 commands run, 0 blocks of code compared or compiled, 1 blocks not run"
	page_gives 1 "page.md:4: this block has no command, and no mark" <<-'END'
		Text

		```sh
		echo b
		```
	END
}
