#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The lost interrupt, in each order of loading that QEMU has.

A card with the defect (migration/defect_early_irq) signals a pending interrupt as soon as it
has been loaded and has an eventfd. The guest gets it only if its interrupt controller has
been loaded before. QEMU connects MSI when it loads config space; early_intx.py has INTx.
"""

from lib.cases import Cases
from lib.early_irq import measure
from lib.guest_run import Way

# Migrations in each case
TIMES = 3

MULTIFD = Way(('multifd',))
CONFIG_LAST = 'x-migration-load-config-after-iter'


def measured(label, cure, way, defect, config_last, arrived):
    """Measure, and compare."""
    tally = measure(label, way, TIMES, msi=True, defect_early_irq=defect,
                    options={CONFIG_LAST: config_last})
    tally.print(cure)
    tally.check(TIMES, arrived)


def nothing_done():
    """Config space first, as QEMU 10.0 does it with multifd: lost without an error"""
    measured('nothing', 'nothing', MULTIFD, 1, 'off', 0)


def cured_by_the_order():
    """Config space after the interrupt controller, as QEMU does it with multifd on arm64"""
    measured('order', 'order', MULTIFD, 1, 'on', TIMES)


def cured_by_the_old_order():
    """Without multifd config space is always loaded after it"""
    measured('plain', 'order, without multifd', Way(), 1, 'off', TIMES)


def cured_by_the_driver():
    """The card without the defect, config space first: it signals when it runs"""
    measured('driver', 'driver', MULTIFD, 0, 'off', TIMES)


if __name__ == '__main__':
    Cases([nothing_done, cured_by_the_order, cured_by_the_old_order, cured_by_the_driver]).run()
