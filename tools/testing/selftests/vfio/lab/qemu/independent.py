#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Policy "independent": QEMU has not opted in, and migrates the card as vfio.h describes it.

The data have no config space: it is the VMM's to restore. QEMU emulates BARs and MSI itself, and
writes the command register. The rest is lost, which is objection W of the proposal.
"""

from lib.cases import Program, and_back, need_version, there
from lib.config import NOT_RESTORED
from lib.guest_run import Way


def to_qemu_10(guest_run):
    """An older QEMU restores as little"""
    need_version(10)
    guest_run.version = 10
    guest_run.migrate(Way())


if __name__ == '__main__':
    Program([there, and_back, to_qemu_10], config_policy='independent', lost=NOT_RESTORED,
            machine='pc-q35-10.0').run()
