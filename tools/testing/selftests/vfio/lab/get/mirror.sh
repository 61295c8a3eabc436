#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Prints the mirror of this system, for package lists of other releases.
#
# Usage: mirror.sh
set -eu
export LC_ALL=C

codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
# shellcheck disable=SC2016
mirror=$(apt-get indextargets --format '$(RELEASE) $(REPO_URI)' |
	sed -n "s/^$codename //p" | sed -n 1p)
[ -n "$mirror" ] || {
	echo "error: apt has no source for $codename" >&2
	exit 1
}
echo "$mirror"
