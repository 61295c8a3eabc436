#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Policy "reorder": QEMU has not opted in, and migrates the card as vfio.h describes it."""

from lib.cases import Program, and_back, config_is_lost, there

if __name__ == '__main__':
    Program([there, and_back, config_is_lost], config_policy='reorder').run()
