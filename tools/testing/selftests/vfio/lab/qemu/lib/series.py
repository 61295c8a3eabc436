# SPDX-License-Identifier: GPL-2.0
"""Guests of a QEMU with the series, and the config sections of their migrations."""

import contextlib
import os
import re

from .cases import check_life, where
from .guest_run import GuestRun
from .qemu import SERIES
from .trace import Trace

# Subflags: a snapshot, and the permission to enable interrupts
KEEP_OFF, ENABLE, SET_ALL_UP, END = 1, 2, 3, 0


@contextlib.contextmanager
def guest(label, **arguments):
    """A guest for one case, with a directory of its own; in the end its life is checked."""
    os.makedirs(os.path.join(where(), label), exist_ok=True)
    os.chdir(os.path.join(where(), label))
    trace = Trace(messages=arguments.get('msi', False))
    guest_run = None
    try:
        guest_run = GuestRun(**{'version': SERIES, **arguments})
        guest_run.label = label
        trace.begin_interrupts(guest_run.boot())
        guest_run.vmm.link.send('go')
        yield guest_run
        check_life(guest_run, trace)
    finally:
        if guest_run:
            guest_run.end()
        trace.end()


def sections(vmm, verb):
    """The subflags of the config sections that a QEMU has saved or loaded, in their order."""
    with open(vmm.log, encoding='utf-8', errors='replace') as log:
        found = re.findall(rf'vfio_mig_config_{verb} +\(.*\) subflags (0x\w+)', log.read())
    return [int(word, 16) for word in found]


def check_sections(source, destination, way, expected):
    """Compare the sections of a migration, on both sides. With multifd two threads save, and
    two threads load: the order of the last two is not fixed.
    """
    saved, loaded = sections(source, 'save')[-len(expected):], sections(destination, 'load')
    print(f'# from {source.name} to {destination.name}: sections {saved}, loaded {loaded}')
    if 'multifd' in way.capabilities:
        saved, loaded, expected = sorted(saved), sorted(loaded), sorted(expected)
    assert saved == loaded == expected, f'{saved} and {loaded}, not {expected}'
