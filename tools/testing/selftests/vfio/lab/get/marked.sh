#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Marks directories as made here, and removes what has such a mark. OUT and CACHE are
# the user's to choose, so they may have files of the user's beside ours, and a name
# may be wrong: only the mark shows that all in a directory is ours.
#
# Usage: marked.sh claim DIR         makes DIR, and marks it unless it has other files
#        marked.sh check PATH        fails unless PATH has the mark or lies below one
#        marked.sh remove PATH...    removes what passes that check; fails at the first that does not
#        marked.sh clean DIR         removes each directory in DIR that has the mark
set -eu

mark=.mtty-vfio

die() {
	echo "error: $*" >&2
	exit 1
}

# A directory of the makefile's own name, from before there were marks
is_old() {
	[ -e "$1/.lock" ] && {
		[ -d "$1/stage/samples/vfio-mdev/mtty" ] || [ -s "$1/version" ] ||
			[ -e "$1/root.cpio" ]
	}
}

is_empty() {
	[ -z "$(find "$1" -mindepth 1 -maxdepth 1 -print -quit)" ]
}

claim() {
	case $1 in
	/*) ;;
	*) die "'$1' is no absolute path" ;;
	esac
	mkdir -p "$1"
	[ ! -e "$1/$mark" ] || return 0
	if is_empty "$1" || is_old "$1"; then
		echo "Made by the Makefile of mtty. Its make clean or distclean removes this directory." \
			>"$1/$mark"
	fi
}

# The path is judged without links and "..", and so is where the mark is looked for.
check() {
	case $1 in
	/*) ;;
	*) die "'$1' is no absolute path" ;;
	esac
	dir=$(realpath -m -- "$1")
	while [ "$dir" != / ]; do
		[ ! -f "$dir/$mark" ] || return 0
		dir=$(dirname -- "$dir")
	done
	die "$1 has files that were not made here; choose another OUT or CACHE, or remove it yourself"
}

clean() {
	found=
	for dir in "$1"/*/ "$1"/.[!.]*/; do
		dir=${dir%/}
		[ ! -L "$dir" ] || continue
		[ -f "$dir/$mark" ] || continue
		echo "removing $dir"
		rm -rf -- "$dir"
		found=1
	done
	# An empty directory that was here before stays.
	[ -z "$found" ] || rmdir --ignore-fail-on-non-empty -- "$1"
}

usage() {
	sed -n 's/^# Usage: /usage: /p; s/^#        ours/       ours/p' "$0" >&2
	exit 2
}

[ $# -ge 2 ] || usage
what=$1
shift
case $what in
remove)
	for path; do
		check "$path"
		rm -rf -- "$path"
	done
	;;
claim | check | clean)
	[ $# = 1 ] || usage
	"$what" "$1"
	;;
*)
	usage
	;;
esac
