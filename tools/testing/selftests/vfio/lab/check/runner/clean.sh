# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2015,SC2016,SC2034,SC2154
#
# make clean and distclean remove all that was made here, and nothing else.

special_characters=(' ' $'\t' \\ '"' "'" '`' '$' '#' '%' '*' '?' '[' ']' '{' '}' '(' ')' \
	'<' '>' '|' '&' ';' ':' '!' '^' ',')

# Runner: README, make refuses a path with special characters. A directory with the name of
# the path's first word stays.
case_checkout_with_space() {
	local target

	mkdir "$plain/two"
	touch "$plain/two/keep"
	scratch_checkout "$plain/two words/mtty"
	plain_make clean >/dev/null 2>&1 || true
	[ -e "$plain/two/keep" ] || fail "the other directory is removed"
	refuses "the directory of this makefile is '$PWD'" clean
	while read -r target; do
		refuses "it must be one path" "$target"
	done < <(sed -n 's/^\([a-z0-9-]*\):.*## .*/\1/p' Makefile)
	[ "$(ls)" = "$(printf 'Makefile\ntools')" ] ||
		fail "a file was made"
}

# Runner: OUT, CACHE and KERNEL, from the command line and the environment
case_special_characters() {
	local c name

	for c in "${special_characters[@]}"; do
		for name in OUT CACHE KERNEL; do
			refuses "$name is '/a${c}b'" "$name=/a${c}b" help
			environment=("$name=/a${c}b")
			refuses "$name is '/a${c}b'" help
			environment=()
		done
	done
	for name in OUT CACHE KERNEL; do
		refuses "$name is '~/a'" "$name=~/a" help
		refuses "$name must not be /" "$name=/a/.." help
	done
}

# Runner: the default of CACHE depends on HOME and XDG_CACHE_HOME.
case_special_home() {
	environment=(HOME="$dir")
	refuses "CACHE is '$dir/.cache/mtty-vfio'" help
	environment=(XDG_CACHE_HOME="$dir")
	refuses "CACHE is '$dir/mtty-vfio'" help
	# The XDG specification: a relative path is ignored.
	environment=(XDG_CACHE_HOME="relative dir")
	plain_make help >/dev/null
}

# Runner: all other characters are accepted.
case_usual_characters() {
	local path='/a/B-1.2_3+4=5@6~7/äöü'

	plain_make OUT="$path" CACHE="$path" KERNEL="$path" help >/dev/null ||
		fail "$path is refused"
}

# A directory of the user, with names that make uses
users_files() {
	local name

	for name in debian-6.12 fuzz coverage build accel vmm-x86_64 .; do
		mkdir -p "$1/$name"
		echo text >"$1/$name/keep"
	done
	touch "$1/debian-6.12/.lock"
}

# Runner: with any OUT or CACHE, clean and distclean keep the files of the user.
case_clean_harmless() {
	local clean before word

	scratch_checkout "$plain/mtty"
	users_files "$plain/home"
	users_files "$plain/mtty/relative"
	users_files "$plain/mtty/build"
	before=$(tree "$plain")
	environment=(HOME="$plain/home")
	for word in OUT= CACHE= OUT=/ CACHE=/ OUT=relative CACHE=relative OUT=. CACHE=.. \
		    OUT="$plain/home" CACHE="$plain/home" "OUT=$plain/home $plain/mtty" OUT=//; do
		for clean in clean distclean; do
			plain_make "$word" $clean >"$dir/output" 2>&1 || true
			[ "$(tree "$plain")" = "$before" ] || fail "make $clean $word changed files of the user"
		done
	done
}

# Runner: README, "make clean" removes what was built, and distclean what was fetched.
case_clean_removes() {
	local name marked=$here/../get/marked.sh

	scratch_checkout "$plain/mtty"
	users_files "$plain/o"
	users_files "$plain/c"
	for name in o/debian-6.12-arm64 o/kernel-1 c/debian-7; do
		"$marked" claim "$plain/$name"
		touch "$plain/$name/file"
	done
	# A directory of the user that looks like one made here, but has no mark
	mkdir -p "$plain/c/theirs"
	touch "$plain/c/theirs/.lock"
	echo 6.12 >"$plain/c/theirs/version"
	plain_make OUT="$plain/o" CACHE="$plain/c" clean
	[ ! -e "$plain/o/kernel-1" ] && [ ! -e "$plain/o/debian-6.12-arm64" ] || fail "builds are left"
	[ -e "$plain/c/debian-7" ] || fail "clean removes downloads"
	plain_make OUT="$plain/o" CACHE="$plain/c" distclean
	[ ! -e "$plain/c/debian-7" ] || fail "downloads are left"
	[ -e "$plain/c/theirs/version" ] || fail "a directory without a mark is removed"
	rm -r "$plain/c/theirs"
	users_files "$plain/expected"
	[ "$(tree "$plain/o")" = "$(tree "$plain/expected")" ] || fail "files of the user are removed"
}

# Runner: marked.sh removes only paths in a marked directory.
case_remove_checks() {
	local marked=$here/../get/marked.sh path before

	"$marked" claim "$dir/made"
	mkdir -p "$dir/others" "$dir/made/sub"
	touch "$dir/others/keep" "$dir/made/sub/file"
	ln -s ../others "$dir/made/link"
	before=$(tree "$dir/others")
	cd "$dir" || exit 1
	for path in '' / . made others "$dir" "$dir/others" "$dir/made/../others" \
		    "$dir/made/link" "$dir/made/link/keep" "$dir/made/sub/../.."; do
		! "$marked" remove "$path" 2>/dev/null || fail "'$path' is removed"
	done
	[ "$(tree "$dir/others")" = "$before" ] || fail "other files are removed"
	"$marked" claim "$dir/others"
	! "$marked" check "$dir/others" 2>/dev/null || fail "a directory with other files gets a mark"
	"$marked" remove "$dir/made/sub" "$dir/made/none"
	[ ! -e "$dir/made/sub" ] || fail "the path is not removed"
}

# Runner: stage.sh removes dangling links, but only in a marked directory.
case_stage_checks() {
	mkdir -p "$dir/others"
	ln -s nowhere "$dir/others/link"
	! "$here/../get/stage.sh" "$repo" "$KERNEL_SOURCE" "$dir/others" 2>/dev/null ||
		fail "a directory without a mark is accepted"
	[ -L "$dir/others/link" ] || fail "the link is removed"
}

# Runner: the clean target of the fuzzers removes only what they made.
case_fuzz_clean() {
	touch "$plain/keep" "$plain/uart_fuzz"
	plain_make -s -C "$here/../fuzz" OUTPUT="$plain" clean
	[ -e "$plain/keep" ] || fail "another file is removed"
	[ ! -e "$plain/uart_fuzz" ] || fail "uart_fuzz is left"
	environment=(OUTPUT="$plain")
	touch "$plain/uart_fuzz"
	plain_make -s -C "$here/../fuzz" clean
	[ -e "$plain/uart_fuzz" ] || fail "OUTPUT of the environment is used"
}
