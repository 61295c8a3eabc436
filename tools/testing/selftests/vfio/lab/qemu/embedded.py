#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Policy "embedded", the default: QEMU has not opted in, and loses no byte of config space."""

from lib.cases import Program, and_back, there

if __name__ == '__main__':
    Program([there, and_back], config_policy='embedded').run()
