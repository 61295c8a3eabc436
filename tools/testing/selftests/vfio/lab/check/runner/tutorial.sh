# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2016,SC2154
#
# make tutorial: the commands of a page are run, and differences are found

# tutorial_gives STATUS TEXT [OPTION]...: the page on standard input gives both; a shell is the VM
tutorial_gives() {
	local status=0

	cd "$dir" || return
	cat >page.rst
	"$here/../docs/tutorial.py" "${@:3}" page.rst sh -c 'sh "$SCRIPT"' >output 2>&1 || status=$?
	[ "$status" = "$1" ] && grep -qF -- "$2" output && return
	cat output
	fail "status $status, not $1, or not: $2"
}

case_tutorial_page_that_is_right() {
	tutorial_gives 0 "page.rst: 6 commands, 0 not as the page shows" --change here=there \
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

		A block without a command::

		  text

		* in a list::

		    $ twice echo here
		    there
		    there
		    # true
	END
}

case_tutorial_other_output() {
	tutorial_gives 1 "page.rst:5: the output is not what the page shows: echo 2" <<-'END'
		Text::

		  # echo 1
		  1
		  # echo 2
		  3
	END
	grep -A1 -xF "    -3" output | grep -qxF "    +2" || fail "no difference is shown"
}

case_tutorial_output_that_is_missing() {
	tutorial_gives 1 "page.rst:3: the output is not what the page shows: true" <<-'END'
		Text::

		  # true
		  a
	END
}

case_tutorial_output_that_is_not_shown() {
	tutorial_gives 1 "page.rst:3: the output is not what the page shows: echo a; echo b" <<-'END'
		Text::

		  # echo a; echo b
		  a
	END
}

case_tutorial_error_that_is_not_shown() {
	tutorial_gives 1 "+sh: error" <<-'END'
		Text::

		  $ echo sh: error >&2
	END
}

case_tutorial_vm_ends_early() {
	tutorial_gives 1 "page.rst: the VM ended after 2 of 3 commands" <<-'END'
		Text::

		  # echo 1
		  1
		  # exit 0
		  # echo 2
		  2
	END
}

case_tutorial_vm_ends_in_the_last_command() {
	tutorial_gives 1 "page.rst: the VM ended after 1 of 1 commands" <<-'END'
		Text::

		  # exit 0
	END
}

# Such as a report of the kernel
case_tutorial_run_of_the_vm_fails() {
	tutorial_gives 1 "page.rst: the run of the VM failed, status 3" <<-'END'
		Text::

		  # trap 'exit 3' EXIT
	END
}

case_tutorial_excerpt() {
	printf 'int a;\n\tint b;\nint c;\n' >"$dir/file.c"
	tutorial_gives 0 "0 not as the page shows" <<-'END'
		.. excerpt: file.c

		Text::

		  int a;
		  	int b;

		Text::

		  # true
	END
	tutorial_gives 1 "page.rst:5: this is not a part of file.c" <<-'END'
		.. excerpt: file.c

		Text::

		  int a;
		  int c;

		Text::

		  # true
	END
}

case_tutorial_without_a_command() {
	tutorial_gives 1 "page.rst: no command" <<-'END'
		Text.
	END
}
