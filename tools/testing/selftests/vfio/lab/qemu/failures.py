#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A migration that fails: the guest continues on the source, and loses nothing."""

from lib.cases import Program
from lib.failing import CASES

if __name__ == '__main__':
    Program(CASES).run()
