#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Policy "embedded", the default: QEMU has not opted in, and loses no byte of config space."""

from lib.cases import CACHE_LINE_SIZE, Program, and_back, there
from lib.guest_run import Way


def config_arrives(guest_run):
    """The data have config space: also a byte that QEMU does not write"""
    guest_run.vmm.config_byte(CACHE_LINE_SIZE, 0x10)
    guest_run.migrate(Way())
    assert guest_run.vmm.config_byte(CACHE_LINE_SIZE) == 0x10


if __name__ == '__main__':
    Program([there, and_back, config_arrives]).run()
