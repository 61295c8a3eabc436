#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Fills the cache with parts of a Debian kernel. Packages are downloaded and unpacked here,
# never installed, and not kept. A complete part has a marker file, and needs no network and
# no call of apt again. The marker has the checksum of the script that made the part.
#
# Usage: [ARCH=x86_64|arm64] fetch.sh [-s SERIES] [-f FLAVOUR] CACHE PART...
#   SERIES   6.12, the default, or for example 7: the newest of that series in the backports
#            to the next Debian, for x86_64 only
#   FLAVOUR  rt: the kernel with PREEMPT_RT
#   image    CACHE/image-SUM/{vmlinuz,modules/}; SUM is the checksum of modules.sh: checkouts
#            with other lists of modules may share CACHE
#   headers  CACHE/headers/, and CACHE/build: the tree to build modules against
#   samples  CACHE/samples/: the kernel's own mediated devices, mtty.c and others
#   source   CACHE/src/: kselftest's harness, kunit's parser, XXH64, the uapi headers,
#            and the source of modules that not all of Debian's kernels have (lacks)
#   compiler CACHE/compiler/usr/: what a build of modules for SERIES needs, with-usr.sh
#   user     CACHE/user/: programs and libraries for a VM of another architecture
#   sphinx   CACHE/sphinx/: the kernel's extensions of Sphinx
#   kernel   CACHE/kernel/: the whole source, to build a kernel
set -euo pipefail
export LC_ALL=C

here=$(dirname "$(realpath "$0")")
# shellcheck source=../building.sh
. "$here/../building.sh"
series=6.12 flavour=''
while getopts s:f: option; do
	case $option in
	s) series=$OPTARG ;;
	f) flavour=$OPTARG- ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
cache=$1
shift
case ${ARCH:-x86_64} in
x86_64)
	debian=amd64 srcarch=x86 lacks=()
	;;
arm64)
	debian=arm64 srcarch=arm64 lacks=(mdev)
	;;
*)
	echo "error: ARCH is x86_64 or arm64, not '$ARCH'" >&2
	exit 2
	;;
esac
meta=linux-image-$series-$flavour$debian
source_package=linux-source-$series
release=trixie
# The flavour rt has no mdev; the source is that of all flavours.
[ "$series" = 6.12 ] || lacks=(mdev)
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

die() {
	echo "error: $*" >&2
	exit 1
}

# The user's own package lists, for when the system has none and the user
# may not fetch them.
apt_private=()

apt_lists_private() {
	local dir=$cache/apt

	mkdir -p "$dir/lists/partial" "$dir/archives/partial"
	apt_private=(-o "Dir::State::Lists=$dir/lists" -o "Dir::Cache=$dir")
	[ "$series" = 6.12 ] || apt_nothing_installed
	is_foreign || return 0
	apt_nothing_installed
	apt_private+=(-o "APT::Architecture=$debian"
		      -o "APT::Architectures::=$debian"
		      -o "APT::Architectures::=$native")
}

# Packages of another architecture or release do not depend on the installed ones.
apt_nothing_installed() {
	local dir=$cache/apt

	: >"$dir/status"
	apt_private+=(-o "Dir::State=$dir" -o "Dir::State::status=$dir/status"
		      -o APT::Sandbox::User=root)
}

is_foreign() {
	[ "$debian" != "$native" ]
}

apt_update() {
	echo "fetching package lists ..."
	[ "$(id -u)" = 0 ] || [ ${#apt_private[@]} -gt 0 ] || apt_lists_private
	apt-get "${apt_private[@]}" -qq update </dev/null || die "apt-get update failed"
}

# Lists of the next Debian and its backports, from the mirror of this system; the system does not
# get them.
apt_lists_backports() {
	local mirror

	apt_lists_private
	mirror=$("$here/mirror.sh")
	[ -e "$keyring" ] || die "no $keyring (package debian-archive-keyring)"
	printf "deb [signed-by=$keyring] $mirror %s main\n" $release $release-backports \
		>"$cache/apt/sources.list"
	apt_private+=(-o "Dir::Etc::SourceList=$cache/apt/sources.list"
		      -o "Dir::Etc::SourceParts=-"
		      -o "APT::Default-Release=$release-backports")
}

# newest PREFIX REGEX: the newest package whose name is PREFIX and the rest
newest() {
	apt-cache "${apt_private[@]}" pkgnames "$1" | { grep -x "$1$2" || true; } |
		sort -V | tail -n 1
}

# Sets source_package to the newest of the series, and kver to a kernel of this source. Both stay
# while the cache is there.
resolve_backports() {
	! is_foreign || die "series $series is for $native only"
	apt_lists_backports
	apt-get "${apt_private[@]}" -qq update </dev/null || die "apt-get update failed"
	[ -s "$cache/version" ] || newest "linux-source-$series." '[0-9.]*' >"$cache/version"
	source_package=$(cat "$cache/version")
	[ -n "$source_package" ] || die "$release-backports has no linux-source-$series.*"
	[ -s "$cache/kernel-version" ] ||
		newest "linux-image-${source_package#*-*-}." "[0-9.]*+deb[0-9]*-$flavour$debian" \
			>"$cache/kernel-version"
	kver=$(sed 's/^linux-image-//' "$cache/kernel-version")
}

# The source may be there longer than a kernel of it.
need_kernel() {
	[ -n "$kver" ] || die "$release-backports has no kernel $flavour$debian of $source_package"
}

# Prints the kernel of the series that a metapackage depends on, or nothing. Debian 12 has a
# metapackage for 6.12; Debian 13 has no other kernel.
newest_kernel() {
	{ apt-cache "${apt_private[@]}" depends "$meta" "linux-image-$debian" 2>/dev/null ||
		true; } | sed -n "s/^ *Depends: linux-image-\($series\.\)/\1/p" | sed -n 1p
}

# All parts must be of one kernel, that of the first part.
resolve() {
	command -v apt-get >/dev/null ||
		die "no apt-get here: give KERNEL=PATH of a built kernel tree"
	native=$(dpkg --print-architecture)
	if [ "$series" != 6.12 ]; then
		resolve_backports
		return
	fi
	if is_foreign; then
		apt_lists_private
		apt_update
	elif [ -d "$cache/apt/lists" ]; then
		apt_lists_private
	fi
	if [ -s "$cache/version" ]; then
		kver=$(cat "$cache/version")
		return
	fi
	kver=$(newest_kernel)
	if [ -z "$kver" ]; then
		apt_update
		kver=$(newest_kernel)
	fi
	[ -n "$kver" ] || die "apt knows no kernel $series (Debian 12 has $meta in bookworm-security)"
	echo "$kver" >"$cache/version"
}

# Downloads a package into the current directory; $deb is then its name.
download() {
	local package=$1 bytes

	bytes=$(apt-cache "${apt_private[@]}" --no-all-versions show \
		"$package" 2>/dev/null | sed -n 's/^Size: //p') || true
	echo "fetching $package ($((${bytes:-0} / 1000000)) MB) ..."
	if ! apt_download "$package"; then
		apt_update
		apt_download "$package" ||
			die "cannot download $package; to start again with a newer kernel, remove $cache"
	fi
	deb=$(echo "${package%:*}"_*.deb)
}

apt_download() {
	apt-get "${apt_private[@]}" -o APT::Sandbox::User=root -qq \
		download "$1" </dev/null
}

fetch_image() {
	local package packages=("linux-image-$kver") modules name

	need_kernel
	[ "$series" = 6.12 ] || packages=("linux-"{base,binary,modules}"-$kver")
	for package in "${packages[@]}"; do
		download "$package"
		dpkg-deb -x "$deb" unpacked
	done
	modules=$(find unpacked -path "*/lib/modules/$kver" -type d)
	mkdir image
	cp "$(find unpacked -name 'vmlinuz*' -type f)" image/vmlinuz
	# Modules that are built here count as built in.
	for name in "${lacks[@]}"; do
		grep -q "/$name\." "$modules/modules.order" ||
			echo "$name.ko" >>"$modules/modules.builtin"
	done
	"$here/../boot/modules.sh" "$modules" image/modules
	place image
}

fetch_headers() {
	local package makefile

	need_kernel
	# kbuild's tools run on this machine.
	for package in "linux-headers-$kver" "linux-headers-${kver%%-*}-common" \
		       "linux-kbuild-${kver%%-*}:$native"; do
		download "$package"
		dpkg-deb -x "$deb" headers
	done
	# This Makefile has the installed paths of its directory and of the common one.
	makefile=headers/usr/src/linux-headers-$kver/Makefile
	# shellcheck disable=SC2016
	sed -i -e 's#^\(include \|KBUILD_OUTPUT=\)/usr/src/#\1HERE../#' \
		-e 's|HERE|$(dir $(realpath $(lastword $(MAKEFILE_LIST))))|' "$makefile"
	# Before the part is marked as complete
	ln -sfn "headers/usr/src/linux-headers-$kver" "$cache/build"
	place headers
}

# "make headers" and the test tools need this much of the source.
source_parts=(
	Makefile "arch/$srcarch" include lib/xxhash.c scripts tools/include usr
	tools/testing/kunit tools/testing/selftests/lib.mk
	tools/testing/selftests/kselftest
	tools/testing/selftests/kselftest.h
	tools/testing/selftests/kselftest_harness.h
)

# unpack_source DIR STRIP [PART...]: parts of the source, or all; STRIP as for tar
unpack_source() {
	local dir=$1 strip=$2
	shift 2

	download "$source_package"
	echo "unpacking $source_package ..."
	mkdir "$dir"
	dpkg-deb --fsys-tarfile "$deb" |
		tar -xO "./usr/src/$source_package.tar.xz" |
		tar -xJ -C "$dir" --strip-components="$strip" \
			"${@/#/$source_package/}"
}

fetch_source() {
	unpack_source src 1 "${source_parts[@]}" \
		"${lacks[@]/#/drivers/vfio/}"
	echo "making the kernel's uapi headers ..."
	clean_make -s -C src ARCH=$srcarch -j"$(nproc)" headers >headers.log 2>&1 || {
		cat headers.log >&2
		die "make headers failed"
	}
	mv src/include/linux/xxhash.h .
	rm -r src/arch src/include src/tools/include
	mkdir -p src/include/linux
	mv xxhash.h src/include/linux
	place source src
}

fetch_samples() {
	unpack_source samples 3 samples/vfio-mdev
	place samples
}

fetch_sphinx() {
	unpack_source sphinx 3 Documentation/sphinx
	place sphinx
}

# unpack_with_dependencies DIR PACKAGE...: where nothing counts as installed
unpack_with_dependencies() {
	local dir=$1 deb
	shift

	mkdir "$dir"
	apt-get "${apt_private[@]}" -o APT::Sandbox::User=root \
		-o "Dir::Cache::archives=$PWD" -qq -y --no-install-recommends \
		--download-only install "$@" </dev/null >apt.log 2>&1 || {
		cat apt.log >&2
		die "cannot download $*"
	}
	for deb in *.deb; do
		dpkg-deb -x "$deb" "$dir"
	done
}

# Programs for mkinitramfs.sh and libraries for the tests
fetch_user() {
	echo "fetching the VM's programs ..."
	unpack_with_dependencies user iproute2 busybox-static
	place user
}

# kbuild's tools for a newer kernel need a newer C library, its options a newer compiler.
fetch_compiler() {
	echo "fetching a compiler of Debian's $release, about 90 MB ..."
	unpack_with_dependencies compiler bash coreutils dash diffutils findutils grep gzip mawk perl \
		sed gcc make python3 pahole libelf1t64 libssl3t64
	# The maintainer scripts, which do not run, would make these.
	[ -e compiler/usr/bin/sh ] || ln -s dash compiler/usr/bin/sh
	ln -s mawk compiler/usr/bin/awk
	place compiler
}

fetch_kernel() {
	unpack_source kernel 1
	echo "$deb" >kernel/.debian-package
	place kernel
}

made_by() {
	case $1 in
	source)
		printf '%s\n' "${source_parts[@]}" | cksum
		;;
	esac
}

# The name of a part in the cache
name_of() {
	local sum

	[ "$1" = image ] || {
		echo "$1"
		return
	}
	read -r sum _ < <(cksum <"$here/../boot/modules.sh")
	echo "image-$sum"
}

is_done() {
	local mark

	mark=$cache/$(name_of "$1").done
	[ -e "$mark" ] && [ "$(cat "$mark")" = "$(made_by "$1")" ]
}

# Moves a finished part into the cache and marks it as complete.
place() {
	local part=$1 dir=${2:-$1} name to

	name=$(name_of "$part")
	to=$cache/${2:-$name}
	"$here/marked.sh" remove "$to"
	mv "$dir" "$to"
	made_by "$part" >"$cache/$name.done"
}

cache=$(realpath -m "$cache")
"$here/marked.sh" claim "$cache"
todo=()
for part; do
	is_done "$part" || todo+=("$part")
done
[ ${#todo[@]} -gt 0 ] || exit 0

exec 9>"$cache/.lock"
flock -n 9 || {
	echo "waiting for another run that fills $cache ..."
	flock 9
}
"$here/marked.sh" remove "$cache"/tmp.*
work=$(mktemp -d "$cache/tmp.XXXXXX")
trap 'cd / && rm -rf "$work"' EXIT
resolve
for part in "${todo[@]}"; do
	# Another run may have finished it.
	! is_done "$part" || continue
	mkdir "$work/$part"
	cd "$work/$part"
	"fetch_$part"
	cd "$cache"
	"$here/marked.sh" remove "$work/$part"
done
# apt's lists are larger than the parts.
"$here/marked.sh" remove "$cache/apt"
