#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""QEMU 10: to itself, and to and from QEMU 11."""

from lib.cases import Program, need_version
from lib.guest_run import Way
from lib.qemu import has_version


def ten_to_ten(guest_run):
    """Pre-copy, with all defaults"""
    need_version(10)
    guest_run.migrate(Way())


def ten_to_eleven(guest_run):
    """To a newer version"""
    need_version(10)
    guest_run.version = None
    guest_run.migrate(Way())


def eleven_to_ten(guest_run):
    """To an older version"""
    need_version(10)
    guest_run.version = 10
    guest_run.migrate(Way())


if __name__ == '__main__':
    Program([ten_to_ten, ten_to_eleven, eleven_to_ten],
            version=10 if has_version(10) else None, machine='pc-q35-10.0').run()
