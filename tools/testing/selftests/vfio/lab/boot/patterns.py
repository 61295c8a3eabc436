# SPDX-License-Identifier: GPL-2.0
"""The patterns of kernel-reports and kernel-stalls: a regular expression in each line"""

import os
import re

HERE = os.path.dirname(os.path.realpath(__file__))


def read(name):
    """One pattern for a line that fits any of them"""
    with open(os.path.join(HERE, name), encoding='utf-8') as file:
        return re.compile('|'.join(file.read().split('\n')[:-1]))
