# SPDX-License-Identifier: GPL-2.0
"""The library of the tests with QEMU. Imports go one way: cases, guest_run, qemu, guest, qmp.

config.py, card.py and trace.py import no other.
"""
