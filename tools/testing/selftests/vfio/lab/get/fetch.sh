#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Fills the cache with parts of a Debian kernel. Packages are downloaded and unpacked here,
# never installed, and not kept. A complete part has a marker file, and needs no network and
# no call of apt again. The marker has the checksum of the script that made the part.
#
# Usage: [ARCH=x86_64|arm64] fetch.sh [-s SERIES] CACHE PART...
#   SERIES   6.12, the default, or for example 7: the newest of that series in the backports
#            to the next Debian, which has the part kernel only
#   image    CACHE/image-SUM/{vmlinuz,modules/}; SUM is the checksum of modules.sh: checkouts
#            with other lists of modules may share CACHE
#   headers  CACHE/headers/, and CACHE/build: the tree to build modules against
#   samples  CACHE/samples/: the kernel's own mediated devices, mtty.c and others
#   source   CACHE/src/: kselftest's harness, kunit's parser, XXH64, the uapi headers,
#            and the source of modules that Debian's kernel does not have (lacks)
#   user     CACHE/user/: programs and libraries for a VM of another architecture
#   sphinx   CACHE/sphinx/: the kernel's extensions of Sphinx
#   kernel   CACHE/kernel/: the whole source, to build a kernel
set -euo pipefail
export LC_ALL=C

here=$(dirname "$(realpath "$0")")
series=6.12
if [ "$1" = -s ]; then
	series=$2
	shift 2
fi
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
meta=linux-image-$series-$debian
source_package=linux-source-$series
backports=trixie-backports
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
	is_foreign || return 0
	# Packages of another architecture do not depend on the installed ones.
	: >"$dir/status"
	apt_private+=(-o "Dir::State=$dir" -o "Dir::State::status=$dir/status"
		      -o APT::Sandbox::User=root
		      -o "APT::Architecture=$debian"
		      -o "APT::Architectures::=$debian"
		      -o "APT::Architectures::=$native")
}

is_foreign() {
	[ "$debian" != "$native" ]
}

apt_update() {
	echo "fetching package lists ..."
	[ "$(id -u)" = 0 ] || [ ${#apt_private[@]} -gt 0 ] || apt_lists_private
	apt-get "${apt_private[@]}" -qq update </dev/null || die "apt-get update failed"
}

# Lists of the backports, from the mirror of this system; the system does not get them.
apt_lists_backports() {
	local mirror

	apt_lists_private
	mirror=$("$here/mirror.sh")
	[ -e "$keyring" ] || die "no $keyring (package debian-archive-keyring)"
	echo "deb [signed-by=$keyring] $mirror $backports main" \
		>"$cache/apt/sources.list"
	apt_private+=(-o "Dir::Etc::SourceList=$cache/apt/sources.list"
		      -o "Dir::Etc::SourceParts=-")
}

# Sets source_package to the newest of the series.
resolve_backports() {
	[ "$*" = kernel ] || die "series $series has only the part kernel"
	apt_lists_backports
	if [ -s "$cache/version" ]; then
		source_package=$(cat "$cache/version")
		return
	fi
	apt-get "${apt_private[@]}" -qq update </dev/null ||
		die "apt-get update failed"
	source_package=$(apt-cache "${apt_private[@]}" pkgnames \
		"linux-source-$series." | sort -V | tail -n 1)
	[ -n "$source_package" ] || die "$backports has no linux-source-$series.*"
	echo "$source_package" >"$cache/version"
}

# Prints the name of the kernel that the metapackage depends on, or nothing.
newest_kernel() {
	{ apt-cache "${apt_private[@]}" depends "$meta" 2>/dev/null || true; } |
		sed -n 's/^ *Depends: linux-image-//p' | sed -n 1p
}

# All parts must be of one kernel, that of the first part.
resolve() {
	command -v apt-get >/dev/null ||
		die "no apt-get here: give KERNEL=PATH of a built kernel tree"
	native=$(dpkg --print-architecture)
	if [ "$series" != 6.12 ]; then
		resolve_backports "$@"
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
	[ -n "$kver" ] || die "apt knows no $meta (Debian 12 has it in bookworm-security)"
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
	download "linux-image-$kver"
	dpkg-deb -x "$deb" unpacked
	mkdir image
	cp "unpacked/boot/vmlinuz-$kver" image/vmlinuz
	cp "unpacked/boot/config-$kver" image/config
	# Modules that are built here count as built in.
	[ ${#lacks[@]} = 0 ] ||
		printf '%s\n' "${lacks[@]/%/.ko}" >>"unpacked/lib/modules/$kver/modules.builtin"
	"$here/../boot/modules.sh" "unpacked/lib/modules/$kver" image/modules
	place image
}

fetch_headers() {
	local arch=${kver##*-} package makefile

	# kbuild's tools run on this machine.
	for package in "linux-headers-$kver" "linux-headers-${kver%-"$arch"}-common" \
		       "linux-kbuild-${kver%-"$arch"}:$native"; do
		download "$package"
		dpkg-deb -x "$deb" headers
	done
	# This Makefile includes the common one by its installed path.
	makefile=headers/usr/src/linux-headers-$kver/Makefile
	# shellcheck disable=SC2016
	sed -i 's|^include /usr/src/|include $(dir $(realpath $(lastword $(MAKEFILE_LIST))))../|' \
		"$makefile"
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
	# Without the variables of the calling make
	env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS \
		make -s -C src ARCH=$srcarch -j"$(nproc)" headers >headers.log 2>&1 || {
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

# Programs for mkinitramfs.sh and libraries for the tests, with their dependencies
fetch_user() {
	local deb

	echo "fetching the VM's programs ..."
	mkdir user
	apt-get "${apt_private[@]}" -o APT::Sandbox::User=root \
		-o "Dir::Cache::archives=$PWD" -qq -y --no-install-recommends \
		--download-only install iproute2 busybox-static \
		</dev/null >apt.log 2>&1 || {
		cat apt.log >&2
		die "cannot download the VM's programs"
	}
	for deb in *.deb; do
		dpkg-deb -x "$deb" user
	done
	place user
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
resolve "${todo[@]}"
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
