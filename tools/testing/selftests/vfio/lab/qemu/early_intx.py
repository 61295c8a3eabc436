#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The lost interrupt with INTx, see early_irq.py. QEMU connects INTx when it starts, so an order of
loading cures MSI only.
"""

from lib.cases import Cases
from lib.early_irq import measure
from lib.guest_run import Way

# Migrations in each case
TIMES = 3

CONFIG_LAST = 'x-migration-load-config-after-iter'


def measured(label, cure, way, defect, config_last, arrived):
    """Measure, and compare."""
    tally = measure(label, way, TIMES, hangs=not arrived, defect_early_irq=defect,
                    options={CONFIG_LAST: config_last})
    tally.print(f'{cure}; INTx')
    tally.check(TIMES, arrived)


def not_cured_by_the_order():
    """Config space after the interrupt controller, with multifd: lost"""
    measured('order', 'order', Way(('multifd',)), 1, 'on', 0)


def not_cured_by_the_old_order():
    """Without multifd: lost"""
    measured('plain', 'order, without multifd', Way(), 1, 'off', 0)


def cured_by_the_driver():
    """The card without the defect"""
    measured('driver', 'driver', Way(), 0, 'off', TIMES)


if __name__ == '__main__':
    Cases([not_cured_by_the_order, not_cured_by_the_old_order, cured_by_the_driver]).run()
