#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds a lab kernel, if the cache does not have it, and prints the path of the tree, for
# KERNEL=. Progress goes to standard error. The name of a tree has a hash of its source,
# options and compiler; if one changes, another tree is built.
#
# Usage: kernel.sh KIND CACHE SERIES JOBS
#   KIND     kasan, kcsan or gcov: KIND.config
#   CACHE    of fetch.sh, for this series
#   SERIES   of fetch.sh
set -euo pipefail
export LC_ALL=C

here=$(dirname "$(realpath "$0")")
get=$here/../get
kind=$1
cache=$2
series=$3
jobs=$4
tests=$here/../../migration
fragments=("$tests/config" "$tests/config.x86_64" "$here/lab.config"
	   "$here/$kind.config")
[ "$series" = 6.12 ] || fragments+=("$here/newer.config")
# KCSAN checks the module only.
variables=()
[ "$kind" != kcsan ] || variables=(KCSAN_SANITIZE=n)
# Lines that a build prints, for the progress
about=3000
minutes=12
[ "$kind" = kasan ] || minutes=6

die() {
	echo "error: $*" >&2
	exit 1
}

# shellcheck source=../building.sh
. "$here/../building.sh"

"$get/hostpkgs.sh" kernel >&2
"$get/fetch.sh" -s "$series" "$cache" kernel >&2
cache=$(realpath "$cache")
source=$cache/kernel

kmake() {
	clean_make -C "$source" O="$tree" \
		ARCH=x86 "${variables[@]}" "$@"
}

version=$(sed 's/^[^_]*_\([^-~]*\).*/\1/' "$source/.debian-package")
hash=$({
	cat "$source/.debian-package"
	grep -h CONFIG_ "${fragments[@]}" | sort
	echo "${variables[*]}"
	gcc --version | head -n 1
} | sha256sum | cut -c -12)
tree=$cache/$kind-$version-$hash

# Kconfig drops options without a message if their dependencies are missing.
check_config() {
	local line missing=

	while read -r line; do
		case $line in
		CONFIG_*)
			grep -qxF "$line" "$tree/.config" ||
				missing+=" $line"
			;;
		"# CONFIG_"*" is not set")
			line=${line#\# }
			! grep -q "^${line%% *}=" "$tree/.config" ||
				missing+=" ${line%% *}=n"
			;;
		esac
	done < <(cat "${fragments[@]}")
	[ -z "$missing" ] || die "missing dependencies: this kernel cannot have$missing"
}

configure() {
	mkdir -p "$tree"
	cat "${fragments[@]}" >"$tree/fragment"
	kmake -s KCONFIG_ALLCONFIG="$tree/fragment" allnoconfig \
		>"$tree/build.log" 2>&1 || {
		cat "$tree/build.log" >&2
		die "make allnoconfig failed"
	}
	check_config
}

steps() {
	echo "$(wc -l <"$tree/build.log") of about $about steps"
}

build() {
	echo "building a kernel $version with ${kind^^}, once for these options: some $minutes minutes on two CPUs ..."
	with_progress steps "$tree/build.log" kmake -j"$jobs" bzImage modules headers || {
		grep -iE -m 20 'error|\*\*\*' "$tree/build.log" || true
		die "the build failed (its output: $tree/build.log)"
	}
}

# Keeps a tenth: what modules and a VM need.
prune() {
	"$get/marked.sh" check "$tree"
	find "$tree" -name '*.[oa]' ! -path '*/tools/*' ! -path '*/scripts/*' -delete
	find "$tree" -name '.tmp_*' -delete
}

make_tree() {
	configure
	build >&2
	prune
	touch "$tree/.complete"
}

build_once "$cache/.lab-lock" "$tree/.complete" make_tree
echo "$tree"
