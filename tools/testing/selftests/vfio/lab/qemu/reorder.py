#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Policy "reorder": QEMU does not know the query, and can migrate the card."""

from lib.cases import Program, and_back, there

if __name__ == '__main__':
    Program([there, and_back], config_policy='reorder').run()
