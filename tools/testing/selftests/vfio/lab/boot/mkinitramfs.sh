#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Packs a VM's root file system: an archive with busybox, iproute2, init and the kernel's
# modules, made once for a kernel, one with the tests, made again after a build of them, and one
# with the files of this run. The kernel unpacks archives one after the other.
#
# Usage: mkinitramfs.sh MODULES BASE TESTS ROOT OUT [USER [ARCHIVE]]
#   MODULES  made by modules.sh
#   BASE     the first archive; made again if it is out of date
#   TESTS    directory with programs for /selftests, or ''; its archive is TESTS.cpio
#   ROOT     directory with this run's files
#   OUT      gets the archives
#   USER     directory with the VM's programs, if not the host's
#   ARCHIVE  another archive to unpack
set -euo pipefail
export LC_ALL=C

here=$(dirname "$(realpath "$0")")
modules=$1
base=$2
tests=$3
root=$4
out=$5
user=${6:-}
more=${7:-}

archive() {
	(cd "$1" && find . -mindepth 1 | sort |
		cpio --quiet -o -H newc -R 0:0)
}

# A program of the host, with its libraries
add_program() {
	local dir=$1 program lib

	program=$(PATH=$PATH:/usr/sbin:/sbin command -v "$2")
	cp -L "$program" "$dir/sbin/$2"
	ldd "$program" | sed -n 's|^[^/]*\(/[^ ]*\) (0x.*|\1|p' |
	while read -r lib; do
		[ ! -e "$dir$lib" ] || continue
		mkdir -p "$dir${lib%/*}"
		cp -L "$lib" "$dir$lib"
	done
}

# A program of USER, with its libraries. The host cannot run it, so ldd does not work.
add_foreign_program() {
	local dir=$1 file=$2 to=$3 name

	[ ! -e "$dir/$to" ] || return 0
	cp -L "$(find "$user" -path "$user/$file" -size +0 \( -type f -o -lname '[!/]*' \) | head -n 1)" "$dir/$to"
	readelf -ld "$dir/$to" |
		sed -n -e 's|.*interpreter: .*/\(.*\)].*|\1|p' \
		       -e 's|.*(NEEDED).*\[\(.*\)].*|\1|p' |
	while read -r name; do
		add_foreign_program "$dir" "*lib/*/$name" "lib/$name"
	done
}

add_programs() {
	local dir=$1 program

	for program in ip tc; do
		if [ -n "$user" ]; then
			add_foreign_program "$dir" "*bin/$program" "sbin/$program"
		else
			add_program "$dir" "$program"
		fi
	done
}

make_base() {
	local dir applet

	dir=$(mktemp -d "$base.XXXXXX")
	mkdir "$dir/bin" "$dir/sbin" "$dir/dev" "$dir/proc" "$dir/sys" "$dir/tmp" \
		"$dir/root" "$dir/added" "$dir/modules" "$dir/lib"
	# busybox of the other architecture has the same applets.
	if [ -n "$user" ]; then
		cp "$user/bin/busybox" "$dir/bin/busybox"
	else
		cp "$(command -v busybox)" "$dir/bin/busybox"
	fi
	busybox --list | while read -r applet; do
		[ "$applet" = busybox ] || ln -s busybox "$dir/bin/$applet"
	done
	add_programs "$dir"
	cp "$here/init" "$dir/init"
	chmod 755 "$dir/init"
	cp "$modules"/* "$dir/modules/"
	archive "$dir" >"$dir.cpio"
	mv "$dir.cpio" "$base"
	rm -rf "$dir"
}

# The time of the last change of a file, not that of its contents: an installed program has the
# time of its build.
is_changed() {
	[ ! -e "$2" ] || [ -n "$(find "$1" -newercm "$2" -print -quit)" ]
}

make_tests() {
	local dir

	dir=$(mktemp -d "$base.XXXXXX")
	mkdir "$dir/selftests"
	cp -r "$tests/." "$dir/selftests"
	# Scripts look for it beside their directory, as in a kernel tree.
	[ ! -d "$tests/kselftest" ] || cp -r "$tests/kselftest" "$dir"
	archive "$dir" >"$dir.cpio"
	mv "$dir.cpio" "$1"
	rm -rf "$dir"
}

if [ -z "$(find "$base" -newer "$here/init" -newer "$modules/order" \
		-newer "$here/mkinitramfs.sh" 2>/dev/null)" ]; then
	make_base
fi
if [ -d "$tests" ]; then
	tests_archive=$tests.cpio
	! is_changed "$tests" "$tests_archive" || make_tests "$tests_archive"
fi
# cpio ends on a block of 512 bytes, so the next archive is aligned.
{
	cat "$base" ${more:+"$more"} ${tests_archive:+"$tests_archive"}
	archive "$root"
} >"$out"
