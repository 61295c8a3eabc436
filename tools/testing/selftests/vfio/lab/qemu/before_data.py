#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Policy "before-data": QEMU has not opted in, and migrates the card as vfio.h describes it.

The data have no config space: it is the VMM's to restore. QEMU emulates BARs and MSI itself, and
writes the command register. The rest is lost, which is objection W of the proposal.
"""

from lib.cases import Program, and_back, there
from lib.config import NOT_RESTORED

if __name__ == '__main__':
    Program([there, and_back], config_policy='before-data', lost=NOT_RESTORED).run()
