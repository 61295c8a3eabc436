# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2015,SC2154
#
# Debian's newer kernels: STOCK=7 and 7-rt

# Runner: STOCK names a kernel that there is.
case_stock_variable() {
	refuses "STOCK is 6.12, 7 or 7-rt, not '8'" STOCK=8 modules
	refuses "STOCK is 6.12, 7 or 7-rt, not '7 7-rt'" STOCK='7 7-rt' modules
	refuses "STOCK=7 is for x86_64" STOCK=7 ARCH=arm64 modules
}

# fetches WORD OPTION...: the first package that fetch.sh gets for the part image; apt is a stub.
fetches() {
	local word=$1
	shift

	"$here/../get/fetch.sh" "$@" "$plain/cache$*" image >"$dir/output" 2>&1 || true
	grep -q "^fetching $word " "$dir/output" || {
		cat "$dir/output"
		fail "fetch.sh $* does not fetch $word"
	}
}

# Runner: the newest kernel of a series is fetched, and that of the flavour.
case_stock_newest() {
	fake_program apt-get <<-'SCRIPT'
		#!/bin/sh
		case $* in
		*indextargets*)	sed -n 's|^VERSION_CODENAME=\(.*\)|\1 http://mirror/|p' /etc/os-release ;;
		*download*)	exit 1 ;;
		esac
	SCRIPT
	fake_program apt-cache <<-'SCRIPT'
		#!/bin/sh
		for word; do
			case $word in
			linux-source-7.)
				printf '%s\n' linux-source-7.9 linux-source-7.10 linux-source-7.10-rt ;;
			linux-image-7.10.)
				printf 'linux-image-7.10.%s\n' 9+deb13-amd64 10+deb13-amd64 \
					11+deb13-cloud-amd64 2+deb13-rt-amd64 12+deb13-amd64-dbg ;;
			esac
		done
	SCRIPT
	fetches linux-base-7.10.10+deb13-amd64 -s 7
	fetches linux-base-7.10.2+deb13-rt-amd64 -s 7 -f rt
}

# Runner: a command gets its words with another /usr, in this directory; its status is passed on.
case_stock_with_usr() {
	local status=0

	fake_program unshare <<-'SCRIPT'
		#!/bin/bash
		while [[ $1 == --* ]]; do
			shift
		done
		exec "$@"
	SCRIPT
	fake_program mount <<-'SCRIPT'
		#!/bin/sh
		echo "mount $*"
	SCRIPT
	fake_program show <<-'SCRIPT'
		#!/bin/bash
		printf '<%s>' "$@" "$PWD"
		exit 3
	SCRIPT
	cd "$dir" || exit 1
	"$here/../get/with-usr.sh" /other show 'a b' c >"$dir/output" || status=$?
	[ $status = 3 ] || fail "status $status"
	diff "$dir/output" <(printf '%s\n%s' 'mount --bind /other/usr /usr' "<a b><c><$dir>") ||
		fail "another command"
	[ "$("$here/../get/with-usr.sh" '' echo 'a  b')" = 'a  b' ] || fail "it needs a directory"
}

# Runner: the parser of kernels before 6.14 prints to a variable, that of others gets a printer.
case_parser_of_newer_kernels() {
	mkdir -p "$plain/tools/testing/kunit"
	cp "$KERNEL_SOURCE"/tools/testing/kunit/*.py "$plain/tools/testing/kunit"
	cd "$plain/tools/testing/kunit" || exit 1
	grep -q '^from kunit_printer import stdout' kunit_parser.py ||
		fail "the parser is newer: change this"
	# The old one as a module below a new one
	mv kunit_parser.py old_parser.py
	cat >kunit_parser.py <<-'END'
		import old_parser
		def parse_run_tests(lines, printer):
		    old_parser.stdout = printer
		    return old_parser.parse_run_tests(lines)
	END
	printf '%s\n' '@0 begin a_test' 'TAP version 13' '1..2' 'ok 1 first' 'not ok 2 second' \
		'@0 end a_test 1 5' |
		{ ! python3 "$here/summary.py" "$plain" @0 9 "$dir"; } >"$dir/output" 2>&1
	file_has "$dir/output" 'not ok a_test: 1 passed, 1 failed'
}
