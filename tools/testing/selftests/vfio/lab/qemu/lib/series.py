# SPDX-License-Identifier: GPL-2.0
"""Guests of a QEMU with the series, and the config sections of their migrations."""

import contextlib
import re

from .cases import check_life, new_guest
from .qemu import SERIES

# Subflags: a snapshot, and the permission to enable interrupts
KEEP_OFF, ENABLE, SET_ALL_UP, END = 1, 2, 3, 0


@contextlib.contextmanager
def guest(label, **arguments):
    """A guest for one case, with a directory of its own; in the end its life is checked."""
    with new_guest(label, **{'version': SERIES, **arguments}) as (guest_run, trace):
        guest_run.label = label
        yield guest_run
        check_life(guest_run, trace)


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
