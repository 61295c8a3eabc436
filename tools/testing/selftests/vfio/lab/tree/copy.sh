#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Copies a kernel tree, by hard links if FROM and TO are on one file system. A tree that is there
# already stays.
#
# Usage: copy.sh FROM TO
set -eu

[ ! -e "$2" ] || exit 0
"$(dirname "$0")/../get/marked.sh" remove "$2.new"
cp -al "$1" "$2.new" 2>/dev/null || {
	"$(dirname "$0")/../get/marked.sh" remove "$2.new"
	cp -a "$1" "$2.new"
}
mv "$2.new" "$2"
