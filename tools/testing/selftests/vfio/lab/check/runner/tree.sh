# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2015,SC2016,SC2034,SC2154
#
# The tests in a kernel tree: nothing is lost in git, nothing is left by a build, and one program
# that cannot be built does not stop the others. A stub is the compiler.

# Linux 6.18: tools/testing/selftests/vfio/.gitignore
ignore_of_the_kernel() {
	printf '%s\n' '*' '!/**/' '!*.c' '!*.h' '!*.S' '!*.sh' '!*.mk' '!.gitignore' '!Makefile'
}

# A tree with our files and those of the kernel that their build needs: tree DIR
kernel_tree() {
	local tests=tools/testing/selftests

	mkdir -p "$1/$tests/vfio" "$1/lib" "$1/include/uapi/linux"
	(cd "$KERNEL_SOURCE" && cp -rL $tests/lib.mk $tests/kselftest.h \
		$tests/kselftest_harness.h $tests/kselftest "$1/$tests")
	cp -L "$KERNEL_SOURCE/lib/xxhash.c" "$1/lib"
	cp -r "$repo/include" "$repo/samples" "$1"
	(cd "$repo" && git ls-files -z -- $tests/vfio | xargs -0 cp --parents -t "$1")
	# As in the kernel's
	printf '%s\n' '.*' '*.o' '*.ko' '!.gitignore' >"$1/.gitignore"
	ignore_of_the_kernel >"$1/$tests/vfio/.gitignore"
}

# A compiler that writes empty files, and fails for names that match $1
fake_compiler() {
	cat >"$plain/cc" <<-SCRIPT
		#!/bin/sh
		while [ \$# -gt 0 ]; do
			case \$1 in
			-o)	out=\$2; shift ;;
			*.o)	[ -e "\$1" ] || exit 1 ;;
			esac
			case \$1 in
			$1)	echo "cc: error: \$1" >&2; exit 1 ;;
			esac
			shift
		done
		echo text >"\$out"
		chmod +x "\$out"
		[ "\${out%.o}" = "\$out" ] || touch "\${out%.o}.d"
	SCRIPT
	chmod +x "$plain/cc"
}

make_tests() {
	plain_make -s -j2 -C "$plain/tree/tools/testing/selftests/vfio/migration" \
		CC="$plain/cc" KHDR_INCLUDES=-I/none "$@"
}

# Our files in git's list of a tree, below selftests/vfio
our_files() {
	(cd "$1" && git ls-files tools/testing/selftests/vfio/*/ | sort)
}

# Runner: in a kernel that ignores most kinds of files, git takes all of ours
case_git_takes_all() {
	kernel_tree "$plain/tree"
	cd "$plain/tree" || exit 1
	git -c init.defaultBranch=main init -q .
	git -c core.excludesFile=/dev/null add -A .
	diff <(our_files "$repo") <(our_files .) || fail "git ignores files of ours"
}

nothing_left() {
	git -c core.excludesFile=/dev/null ls-files --others --exclude-standard >"$dir/left"
	[ ! -s "$dir/left" ] || {
		cat "$dir/left"
		fail "files that git does not ignore"
	}
}

# Runner: a build in the tree leaves no file that git does not ignore, and clean removes it all
case_build_leaves_nothing() {
	local before

	kernel_tree "$plain/tree"
	fake_compiler none
	cd "$plain/tree" || exit 1
	git -c init.defaultBranch=main init -q .
	git -c core.excludesFile=/dev/null add -A .
	before=$(find tools -type f ! -name .gitignore | sort)
	make_tests all >/dev/null
	[ -x tools/testing/selftests/vfio/migration/uapi/arc_test ] || fail "nothing is built"
	[ -e tools/testing/selftests/vfio/migration/lib/vfio/io.o ] || fail "no object is built"
	nothing_left
	# Kernels before 6.18
	rm tools/testing/selftests/vfio/.gitignore
	nothing_left
	make_tests clean >/dev/null
	diff <(echo "$before") <(find tools -type f ! -name .gitignore | sort) || fail "make clean leaves files"
}

# Runner: what is installed, and so the archive of kselftest, has no object
case_install_has_no_objects() {
	kernel_tree "$plain/tree"
	fake_compiler none
	make_tests INSTALL_PATH="$plain/installed" install >/dev/null
	[ -x "$plain/installed/arc_test" ] && [ -e "$plain/installed/settings" ] &&
		[ -e "$plain/installed/config" ] || fail "files are missing"
	[ -z "$(find "$plain/installed" -name '*.[od]')" ] || fail "objects are installed"
}

# Runner: a program that cannot be built is left out with one line; the others are installed
case_program_left_out() {
	kernel_tree "$plain/tree"
	fake_compiler 'uapi/arc_test.c | */relay'
	make_tests INSTALL_PATH="$plain/installed" install >"$dir/output" 2>&1 || {
		cat "$dir/output"
		fail "the build fails"
	}
	[ "$(grep -c 'SKIP .* cannot be built here and is left out$' "$dir/output")" = 2 ] || {
		cat "$dir/output"
		fail "no line for each program"
	}
	[ -x "$plain/installed/info_test" ] && [ ! -e "$plain/installed/arc_test" ] &&
		[ ! -e "$plain/installed/relay" ] || fail "the wrong programs are installed"
	make_tests emit_tests COLLECTION=vfio/migration >"$dir/list"
	grep -qx vfio/migration:info_test "$dir/list" && ! grep -q arc_test "$dir/list" ||
		fail "the list of tests is wrong"
	# Here it must not get lost.
	! make_tests STRICT=1 all >/dev/null 2>&1 || fail "STRICT=1 does not fail"
	# Without the library there is no program.
	fake_compiler 'lib/vfio/io.c'
	make_tests clean >/dev/null
	! make_tests all >/dev/null 2>&1 || fail "the library may be left out"
}
