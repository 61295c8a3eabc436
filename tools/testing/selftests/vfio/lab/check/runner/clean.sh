# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2015,SC2016,SC2034,SC2154
#
# Removing: all that was made here, and nothing else.

special_characters=(' ' $'\t' \\ '"' "'" '`' '$' '#' '%' '*' '?' '[' ']' '{' '}' '(' ')' \
	'<' '>' '|' '&' ';' ':' '!' '^' ',')

# Runner: README, make works in paths without special characters, and refuses others.
# A folder named as the first word of the checkout's path stays.
case_checkout_with_space() {
	local target

	mkdir "$plain/two"
	touch "$plain/two/keep"
	scratch_checkout "$plain/two words/mtty"
	plain_make clean >/dev/null 2>&1 || true
	[ -e "$plain/two/keep" ] || fail "the neighbour is gone"
	refuses "the directory of this makefile is '$PWD'" clean
	while read -r target; do
		refuses "it must be one path" "$target"
	done < <(sed -n 's/^\([a-z0-9-]*\):.*## .*/\1/p' Makefile)
	[ "$(ls)" = "$(printf 'Makefile\ntools')" ] ||
		fail "something was made"
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

# Runner: the default of CACHE is made of the user's own directories.
case_special_home() {
	environment=(HOME="$dir")
	refuses "CACHE is '$dir/.cache/mtty-vfio'" help
	environment=(XDG_CACHE_HOME="$dir")
	refuses "CACHE is '$dir/mtty-vfio'" help
	# The standard wants this one to be ignored.
	environment=(XDG_CACHE_HOME="relative dir")
	plain_make help >/dev/null
}

# Runner: all other characters are fine.
case_usual_characters() {
	local path='/a/B-1.2_3+4=5@6~7/äöü'

	plain_make OUT="$path" CACHE="$path" KERNEL="$path" help >/dev/null ||
		fail "$path is refused"
}

# A directory of the user's, with the names that make has for what it makes
users_files() {
	local name

	for name in debian-6.12 fuzz coverage build accel vmm-x86_64 .; do
		mkdir -p "$1/$name"
		echo text >"$1/$name/keep"
	done
	touch "$1/debian-6.12/.lock"
}

# Runner: no value of OUT or CACHE makes clean or distclean remove what is the user's.
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
			plain_make "$word" $clean >"$dir/said" 2>&1 || true
			[ "$(tree "$plain")" = "$before" ] || fail "make $clean $word did harm"
		done
	done
}

# Runner: README, "make clean" removes what was built, and distclean what was fetched.
case_clean_removes() {
	local name ours=$here/../get/marked.sh

	scratch_checkout "$plain/mtty"
	users_files "$plain/o"
	users_files "$plain/c"
	for name in o/debian-6.12-arm64 o/kernel-1 c/debian-7; do
		"$ours" claim "$plain/$name"
		touch "$plain/$name/file"
	done
	# The user's, although it looks as those did that had no mark
	mkdir -p "$plain/c/theirs"
	touch "$plain/c/theirs/.lock"
	echo 6.12 >"$plain/c/theirs/version"
	plain_make OUT="$plain/o" CACHE="$plain/c" clean
	[ ! -e "$plain/o/kernel-1" ] && [ ! -e "$plain/o/debian-6.12-arm64" ] || fail "built things are left"
	[ -e "$plain/c/debian-7" ] || fail "clean removes what was fetched"
	plain_make OUT="$plain/o" CACHE="$plain/c" distclean
	[ ! -e "$plain/c/debian-7" ] || fail "fetched things are left"
	[ -e "$plain/c/theirs/version" ] || fail "a folder without a mark is gone"
	rm -r "$plain/c/theirs"
	users_files "$plain/expected"
	[ "$(tree "$plain/o")" = "$(tree "$plain/expected")" ] || fail "files of the user's are gone"
}

# Runner: marked.sh removes what lies in a marked directory, by whatever name.
case_remove_checks() {
	local ours=$here/../get/marked.sh path before

	"$ours" claim "$dir/ours"
	mkdir -p "$dir/others" "$dir/ours/sub"
	touch "$dir/others/keep" "$dir/ours/sub/file"
	ln -s ../others "$dir/ours/link"
	before=$(tree "$dir/others")
	cd "$dir" || exit 1
	for path in '' / . ours others "$dir" "$dir/others" "$dir/ours/../others" \
		    "$dir/ours/link" "$dir/ours/link/keep" "$dir/ours/sub/../.."; do
		! "$ours" remove "$path" 2>/dev/null || fail "'$path' is removed"
	done
	[ "$(tree "$dir/others")" = "$before" ] || fail "others' files are gone"
	"$ours" claim "$dir/others"
	! "$ours" check "$dir/others" 2>/dev/null || fail "others' files get a mark"
	"$ours" remove "$dir/ours/sub" "$dir/ours/none"
	[ ! -e "$dir/ours/sub" ] || fail "ours is not removed"
}

# Runner: laying the tree out removes links that lead nowhere, but only where it made them.
case_stage_checks() {
	mkdir -p "$dir/others"
	ln -s nowhere "$dir/others/link"
	! "$here/../get/stage.sh" "$repo" "$KERNEL_SOURCE" "$dir/others" 2>/dev/null ||
		fail "others' directory is taken"
	[ -L "$dir/others/link" ] || fail "others' link is gone"
}

# Runner: the fuzzers' own makefile removes what it makes.
case_fuzz_clean() {
	touch "$plain/keep" "$plain/uart_fuzz"
	plain_make -s -C "$here/../fuzz" OUTPUT="$plain" clean
	[ -e "$plain/keep" ] || fail "others' file is gone"
	[ ! -e "$plain/uart_fuzz" ] || fail "uart_fuzz is left"
	environment=(OUTPUT="$plain")
	touch "$plain/uart_fuzz"
	plain_make -s -C "$here/../fuzz" clean
	[ -e "$plain/uart_fuzz" ] || fail "a variable of the environment is taken for the makefile's"
}
