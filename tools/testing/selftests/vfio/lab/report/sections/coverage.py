# SPDX-License-Identifier: GPL-2.0
"""make coverage: the summary of gcovr"""

import os

from . import results
from .markup import Section, code, element, join, not_run, table

TITLE = 'Coverage of the driver'
COMMAND = 'make coverage'


def make(found):
    """The section"""
    path = found.path('coverage', 'summary.json')
    if not os.path.exists(path):
        return not_run(COMMAND)
    saved = results.read_json(path)
    rows = [(os.path.basename(row['filename']), *numbers(row)) for row in saved['files']]
    rows.append((element('strong', 'all'), *numbers(saved)))
    return Section('good', f'{saved["line_percent"]} % of lines, '
                   f'{saved["branch_percent"]} % of branches', join(
                       element('p', results.date_of(path), kind='date'),
                       table(('File', 'Lines', 'Run', '%', 'Branches', 'Taken', '%'), rows,
                             range(1, 7)),
                       element('p', 'Line by line: ', code('coverage/index.html'), ' in OUT')))


def numbers(row):
    """Of a file, or of all"""
    return tuple(row[f'{what}_{part}'] for what in ('line', 'branch')
                 for part in ('total', 'covered', 'percent'))
