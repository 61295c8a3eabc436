#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Print what QEMU does with config space in each migration of make check-vmm.

The columns are those of bench_config.py, for a real VMM: config sections of the source, snapshots
among them, SET_IRQS calls for the destination's device while it is loaded, and the time that the
guest stood still. QEMU without the series has one section, of its own.

Usage: qemu_config.py REPORT.tar [PROGRAM...]
  PROGRAM  for example series_policies; default: all that have migrated
"""

import os
import re
import sys
import tarfile

from table import print_table
from timeline import Directory

HEAD = ('MIGRATION', 'SECTIONS', 'SNAPSHOTS', 'SET_IRQS', 'DOWNTIME ms')


def events(migration, actor, name):
    """The texts of an actor's events."""
    return [event.text for event in migration.events
            if event.actor == actor and event.name == name]


def row(migration):
    """The cells of a migration."""
    saved = events(migration, 'source QEMU', 'vfio_mig_config_save')
    # The last packet of multifd has a section with nothing in it.
    flags = [int(re.search(r'subflags (0x\w+)', text).group(1), 16) for text in saved]
    sections = len(saved) or len(events(migration, 'source QEMU', 'vfio_save_device_config_state'))
    loads = [event for event in migration.events if event.actor == 'destination card' and
             event.when <= migration.runs]
    # While the device is loaded: before, QEMU connects INTx of the new device.
    begin = next((event.when for event in loads if '-> RESUMING' in event.text), migration.begins)
    loads = [event for event in loads if event.when >= begin]
    irqs = sum(event.name == 'mtty_set_irqs' for event in loads)
    return (migration.name, str(sections), str(sum(flag & 1 for flag in flags)),
            str(irqs), f'{migration.downtime():.0f}')


def main():
    """Print the table."""
    wanted = sys.argv[2:]
    rows = [HEAD]
    with tarfile.open(sys.argv[1]) as report:
        paths = sorted(os.path.dirname(name) for name in report.getnames()
                       if os.path.basename(name) == 'migrations.txt')
        for path in paths:
            if wanted and os.path.normpath(path).split('/')[0] not in wanted:
                continue
            rows += [row(migration) for migration in Directory(report, path).migrations()
                     if not migration.lacks()]
    if len(rows) == 1:
        sys.exit('error: no migration in this report')
    print_table(rows, (0,))


if __name__ == '__main__':
    main()
