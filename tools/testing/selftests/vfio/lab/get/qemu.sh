#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Fills the cache with what a build of QEMU needs: the source of Debian 13's QEMU, and a Debian
# 13 with a compiler and libraries. Packages are unpacked, not installed. A complete part is
# not fetched again.
#
# Usage: [ARCH=x86_64|arm64] qemu.sh CACHE
#   CACHE/root/  Debian 13; the source package is in its directory src
set -euo pipefail
export LC_ALL=C

here=$(dirname "$(realpath "$0")")
cache=$1
native=$(dpkg --print-architecture)
packages=(
	bash coreutils dash diffutils findutils grep gzip libc-bin mawk patch perl sed tar xz-utils
	bison flex gcc libc6-dev make meson ninja-build pkg-config
	python3-pycotap python3-setuptools python3-venv
)
libraries=(libfdt-dev libglib2.0-dev libpixman-1-dev zlib1g-dev)
case ${ARCH:-x86_64} in
x86_64)
	debian=amd64 cross=()
	;;
arm64)
	debian=arm64 cross=(gcc-aarch64-linux-gnu libc6-dev-arm64-cross)
	;;
*)
	echo "error: ARCH is x86_64 or arm64, not '$ARCH'" >&2
	exit 2
	;;
esac
if [ "$debian" = "$native" ]; then
	architectures=$native
	packages+=("${libraries[@]}")
else
	architectures=$native,$debian
	packages+=("${cross[@]}" "${libraries[@]/%/:$debian}")
fi

die() {
	echo "error: $*" >&2
	exit 1
}

# The maintainer scripts, which do not run, would make these.
complete_root() {
	local dir

	for dir in bin sbin lib lib64; do
		[ -e $dir ] || [ ! -e usr/$dir ] || ln -s usr/$dir $dir
	done
	mkdir -p proc tmp etc/ssl/certs
	[ -e usr/bin/sh ] || ln -s dash usr/bin/sh
	[ -e usr/bin/awk ] || ln -s mawk usr/bin/awk
	cat usr/share/ca-certificates/mozilla/*.crt >etc/ssl/certs/ca-certificates.crt
}

make_root() {
	local mode=unshare include mirror

	[ "$(id -u)" != 0 ] || mode=root
	include=$(IFS=,; echo "${packages[*]}")
	mirror=$("$here/mirror.sh")
	echo "fetching a compiler and the source of QEMU of Debian 13, about 160 MB ..."
	"$here/marked.sh" remove "$cache/root"
	mkdir -p "$cache/root"
	# The hook gets the source with the lists of the new root.
	# shellcheck disable=SC2016
	mmdebstrap --quiet --mode=$mode --variant=extract --architectures="$architectures" \
		--include="$include" --format=tar \
		--extract-hook='mkdir -p "$1/src" && cd "$1/src" &&
			APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get -qq \
				-o APT::Sandbox::User=root source --download-only qemu' \
		trixie - "deb $mirror trixie main" "deb-src $mirror trixie main" \
		2>"$cache/root.log" |
		tar -x -C "$cache/root" --no-same-owner --exclude='./dev/*' || {
		cat "$cache/root.log" >&2
		die "mmdebstrap failed"
	}
	(cd "$cache/root" && complete_root)
	touch "$cache/root.done"
}

cache=$(realpath -m "$cache")
"$here/marked.sh" claim "$cache"
[ ! -e "$cache/root.done" ] || exit 0
exec 9>"$cache/.lock"
flock 9
[ -e "$cache/root.done" ] || make_root
