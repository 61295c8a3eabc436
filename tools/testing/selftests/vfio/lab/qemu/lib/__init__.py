# SPDX-License-Identifier: GPL-2.0
"""What the tests with a real VMM share. It raises, and neither judges nor prints."""
