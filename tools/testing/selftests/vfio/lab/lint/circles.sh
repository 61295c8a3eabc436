#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Structure: no files, and no directories, may need each other in a circle.
#
# Usage: circles.sh DRIVER OBJECTS DIR
#   DRIVER   the driver's directory, built
#   OBJECTS  of the tests
#   DIR      gets the objects of the guest's program
set -eu
export LC_ALL=C

here=$(dirname "$(realpath "$0")")
repo=$here/../../../../../..
mkdir -p "$3/guest"
for file in "$here"/../qemu/guest/*.c; do
	gcc -D_GNU_SOURCE -I"$repo/samples/vfio-mdev/mtty" -c "$file" \
		-o "$3/guest/$(basename "$file" .c).o"
done
echo "circles ..."
exec python3 "$here/circles.py" -o "$1" -o "$2/lib" -o "$2/tools/migrate" \
	-o "$2/tools/bench" -o "$3/guest" -s "$repo/samples/vfio-mdev/mtty" \
	-s "$here/../../migration" -s "$here/../fuzz"
