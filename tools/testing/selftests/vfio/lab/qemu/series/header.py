#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The patches that import the header of the proposal: is it that of include/uapi?

Usage: header.py [--write]
  --write  writes the present header into the patches
Exit status: 0 it is, or it was written; 1 a patch has another header, which is named.
"""

import hashlib
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
HEADER = HERE.parents[6] / 'include/uapi/linux/vfio_mig_config.h'
NAME = 'vfio_mig_config.h'


def exported():
    """The header as "make headers_install" makes it"""
    return re.sub(r'^#(ifndef|define|endif\s*/\*)\s*_UAPI', r'#\1 ',
                  HEADER.read_text('utf-8'), flags=re.M)


def with_header(patch, header):
    """The patch with this header: the lines, their number, and the name of the blob"""
    lines = header.splitlines(keepends=True)
    data = header.encode()
    blob = hashlib.sha1(b'blob %d\0' % len(data) + data).hexdigest()
    head = patch[:patch.index('\n@@ ') + 1]
    head = re.sub(rf'({re.escape(NAME)} \| )\d+', rf'\g<1>{len(lines)}', head)
    head = re.sub(r'(1 file changed, )\d+', rf'\g<1>{len(lines)}', head)
    head = re.sub(r'^(index (0+)\.\.)[0-9a-f]+',
                  lambda found: found[1] + blob[:len(found[2])], head, flags=re.M)
    return head + f'@@ -0,0 +1,{len(lines)} @@\n' + ''.join('+' + line for line in lines)


def main():
    """Returns the exit status."""
    header = exported()
    status = 0
    for path in sorted(HERE.glob('*/0001-*.patch')):
        patch = path.read_text('utf-8')
        wanted = with_header(patch, header)
        if patch == wanted:
            continue
        if '--write' in sys.argv[1:]:
            path.write_text(wanted, 'utf-8')
        else:
            print(f'{path}:1: not the header of include/uapi; write it with {HERE.name}/header.py '
                  '--write')
            status = 1
    return status


if __name__ == '__main__':
    sys.exit(main())
