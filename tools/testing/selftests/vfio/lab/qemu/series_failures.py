#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A migration that fails, of a QEMU with the series, under "before-data"."""

from lib.cases import Program
from lib.failing import CASES, begin, refused
from lib.guest_run import Way
from lib.qemu import SERIES


def destination_of_another_policy(guest_run):
    """The destination's driver refuses the answer of the source; the guest continues"""
    other = guest_run.add_card(config_policy='reorder')
    output = refused(guest_run, begin(guest_run, Way(), card=other))
    assert 'the device does not accept migration data that depend on config space' in output, output


if __name__ == '__main__':
    Program(CASES + (destination_of_another_policy,), version=SERIES,
            config_policy='before-data').run()
