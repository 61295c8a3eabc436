#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Marks directories that are made here, and removes marked ones. The user chooses OUT and
# CACHE, so they may have other files: only a directory with the mark may be removed.
#
# Usage: marked.sh claim DIR         makes DIR, and marks it if it has no other files
#        marked.sh check PATH        fails if neither PATH nor a directory above it has the mark
#        marked.sh remove PATH...    removes paths that pass this check; fails at another
#        marked.sh clean DIR         removes each directory in DIR that has the mark
set -eu

mark=.mtty-vfio

die() {
	echo "error: $*" >&2
	exit 1
}

# A directory that was made before there were marks
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
	*) die "'$1' is not an absolute path" ;;
	esac
	mkdir -p "$1"
	[ ! -e "$1/$mark" ] || return 0
	if is_empty "$1" || is_old "$1"; then
		echo "Made by the Makefile of mtty. Its make clean or distclean removes this directory." \
			>"$1/$mark"
	fi
}

# realpath: links and ".." could lead out of a marked directory.
check() {
	case $1 in
	/*) ;;
	*) die "'$1' is not an absolute path" ;;
	esac
	dir=$(realpath -m -- "$1")
	while [ "$dir" != / ]; do
		[ ! -f "$dir/$mark" ] || return 0
		dir=$(dirname -- "$dir")
	done
	die "$1 has files that were not made here; choose another OUT or CACHE, or remove it by hand"
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
	# An empty directory that existed before stays.
	[ -z "$found" ] || rmdir --ignore-fail-on-non-empty -- "$1"
}

usage() {
	sed -n 's/^# Usage: /usage: /p; s/^#        marked/       marked/p' "$0" >&2
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
