#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds QEMU 10.0 with the patches of 10.0/, if the cache does not have it, and prints the
# path of the program. Progress goes to standard error. The name has a hash of the source, the
# patches and the options.
#
# Usage: [ARCH=x86_64|arm64] build.sh CACHE JOBS
#   CACHE    of get/qemu.sh
set -euo pipefail
export LC_ALL=C

here=$(dirname "$(realpath "$0")")
get=$here/../../get
cache=$1
jobs=$2
options=(
	--without-default-features --enable-kvm --enable-fdt=system --disable-install-blobs
	--disable-download --enable-werror --cc=gcc --host-cc=gcc
)
case ${ARCH:-x86_64} in
x86_64)
	target=x86_64 strip=strip
	;;
arm64)
	target=aarch64 strip=aarch64-linux-gnu-strip
	;;
esac
if [ "$target" != "$(uname -m)" ]; then
	options+=("--cross-prefix=$target-linux-gnu-" "--cc=$target-linux-gnu-gcc")
fi
options+=("--target-list=$target-softmmu")
program=qemu-system-$target
patches=("$here"/10.0/0*.patch)

die() {
	echo "error: $*" >&2
	exit 1
}

# Runs a command in the root, without a network.
in_root() {
	local user=()

	[ "$(id -u)" = 0 ] || user=(--map-root-user)
	# shellcheck disable=SC2016
	unshare --mount --net "${user[@]}" bash -c '
		mount --rbind /dev "$0/dev" && mount --rbind /proc "$0/proc" &&
			exec chroot "$0" /usr/bin/env -i PATH=/usr/bin:/usr/sbin HOME=/ LC_ALL=C \
				PYTHONDONTWRITEBYTECODE=1 \
				PKG_CONFIG_LIBDIR="$1" bash -euc "$2"' \
		"$cache/root" "/usr/lib/$target-linux-gnu/pkgconfig:/usr/share/pkgconfig" "$1"
}

# Without firmware, which is most of the source. One of Debian's patches is needed, as Debian's
# archive lacks the files that it is about. Files that did not change keep their time, so another
# build is short.
unpack() {
	local new=$src/new patch needed=debian/patches/skip-unpack-edk2-blobs.patch

	echo "unpacking QEMU and applying ${#patches[@]} patches ..."
	rm -rf "$new"
	mkdir "$new"
	tar -xf "$src"/qemu_*.orig.tar.xz -C "$new" --strip-components=1 \
		--exclude='*/roms/*' >"$log" 2>&1 || failed
	tar -xf "$src"/qemu_*.debian.tar.xz -C "$new" "$needed" >"$log" 2>&1 || failed
	for patch in "${patches[@]}" "$new/$needed"; do
		patch -d "$new" -p1 --no-backup-if-mismatch --fuzz=0 <"$patch" >"$log" 2>&1 ||
			failed
	done
	if [ -e "$src/qemu" ]; then
		rsync -rlpc --delete --exclude=__pycache__ "$new/" "$src/qemu"
		rm -rf "$new"
	else
		mv "$new" "$src/qemu"
	fi
}

failed() {
	tail -n 30 "$log" >&2
	die "it failed (its output: $log)"
}

steps() {
	sed -n 's/^\(\[[0-9]*\/[0-9]*\]\).*/\1/p' "$log" | tail -n 1
}

build() {
	echo "building $program, once for these patches: some 8 minutes on two CPUs, if none is built ..."
	with_progress steps "$log" in_root "mkdir -p /src/build && cd /src/build
		[ \"\$(cat .options)\" = '${options[*]}' ] || ../qemu/configure ${options[*]}
		echo '${options[*]}' >.options
		ninja -j$jobs $program" || failed
	! grep -q 'warning:' "$log" || {
		grep 'warning:' "$log"
		die "the build has warnings (its output: $log)"
	}
	rm -rf "$done_dir"
	mkdir "$done_dir.new"
	in_root "$strip -o /src/$program /src/build/$program"
	mv "$src/$program" "$done_dir.new"
	mv "$done_dir.new" "$done_dir"
}

make_program() {
	"$get/marked.sh" check "$done_dir"
	rm -rf "$done_dir.new"
	unpack >&2
	build >&2
}

# shellcheck source=../../building.sh
. "$here/../../building.sh"

"$get/qemu.sh" "$cache" >&2
cache=$(realpath "$cache")
src=$cache/root/src
log=$cache/build.log
hash=$(cat "$src"/*.dsc "${patches[@]}" <(echo "${options[*]}") | sha256sum | cut -c -12)
done_dir=$cache/qemu-$hash
"$here/header.py" >&2 || die "the patches are older than the header"
build_once "$cache/.lock" "$done_dir" make_program
echo "$done_dir/$program"
