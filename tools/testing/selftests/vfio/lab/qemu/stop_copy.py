#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A card without pre-copy and P2P: all data is sent while the guest is stopped."""

from lib.cases import Program, and_back
from lib.guest_run import Way


def there(guest_run):
    """Everything in STOP_COPY"""
    assert guest_run.vmm.has_traced('mig_flags 0x1,')
    guest_run.migrate(Way())


if __name__ == '__main__':
    Program([there, and_back], features='stop_copy').run()
