#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The lost interrupt, and the cure by the subflag, in a QEMU with the series.

The card has the defect, see early_irq.py. Interrupts stay off until the subflag enables them,
after the interrupt controller, so INTx arrives as well as MSI.
"""

from lib.cases import Cases
from lib.early_irq import measure
from lib.guest_run import Way
from lib.qemu import SERIES

# Migrations in each case
TIMES = 3

PLAIN = Way()
MULTIFD = Way(('multifd',))


def measured(label, way, kind, **arguments):
    """Measure, and compare: each interrupt arrives."""
    tally = measure(label, way, TIMES, version=SERIES, defect_early_irq=1,
                    config_policy='before-data', **arguments)
    tally.print(f'subflag{kind}')
    tally.check(TIMES, TIMES)
    assert not tally.unconnected, f'{tally.unconnected} signals before interrupts were enabled'


def msi():
    """MSI"""
    measured('msi', PLAIN, '', msi=True)


def msi_with_multifd():
    """MSI, and the last data use extra channels"""
    measured('msi-multifd', MULTIFD, '', msi=True)


def intx():
    """INTx"""
    measured('intx', PLAIN, '; INTx')


def intx_with_multifd():
    """INTx, and the last data use extra channels"""
    measured('intx-multifd', MULTIFD, '; INTx')


if __name__ == '__main__':
    Cases([msi, msi_with_multifd, intx, intx_with_multifd]).run()
