# SPDX-License-Identifier: GPL-2.0
"""make matrix: the tests on several kernels, and the cases that pass on none of them"""

import os

from . import results
from .markup import Section, code, details, element, join, not_run, table, verdict

TITLE = 'Kernels and architectures'
COMMAND = 'make matrix'


def rows_of(saved):
    """A row for each configuration; a build has no cases."""
    for row in saved['rows']:
        counts = [f'{row[name]:,}' if row['kind'] == 'tests' and row['state'] != 'not run' else '-'
                  for name in ('passed', 'failed', 'skipped')]
        yield (row['name'], verdict(row['state']), *counts, f'{row["seconds"] / 60:.0f}',
               code(row['command']))


def reasons_of(row):
    """The skips of a configuration, by reason"""
    return details(f'{row["skipped"]:,} skipped on {row["name"]}',
                   table(('Cases', 'Reason'), [(f'{count:,}', reason) for reason, count
                                               in row['reasons'].items()], (0,)))


def nowhere(saved):
    """The cases that passed in no configuration: those without a known reason first"""
    if not saved['never']:
        return ''
    cases = sorted(saved['never'], key=lambda case: bool(case['known']))
    rows = [(f'{case["program"]}: {case["case"]}', case['known'] or
             verdict('missed', ', for no known reason')) for case in cases]
    return details(f'{len(rows):,} cases passed in none', table(('Case', 'Reason'), rows))


def line_of(saved):
    """One line for the top of the page"""
    states = [row['state'] for row in saved['rows']]
    passed = f'{saved["cases"] - len(saved["never"]):,} of {saved["cases"]:,} cases passed somewhere'
    counts = ', '.join(f'{states.count(state)} {state}' for state in ('failed', 'not run'))
    part = '; a part of it' if saved['part'] else ''
    return f'{len(states)} configurations, {counts}; {passed}{part}'


def make(found):
    """The section"""
    path = found.path('matrix', 'results.json')
    if not os.path.exists(path):
        return not_run(COMMAND)
    saved = results.read_json(path)
    failures = [(row['name'], text) for row in saved['rows'] for text in row['failures']]
    if any(row['state'] == 'failed' for row in saved['rows']):
        state = 'bad'
    else:
        state = 'good' if saved['good'] and not saved['part'] else 'none'
    return Section(state, line_of(saved), join(
        element('p', results.date_of(path), kind='date'),
        table(('Configuration', 'Result', 'Passed', 'Failed', 'Skipped', 'Minutes', 'Command'),
              rows_of(saved), (2, 3, 4, 5)),
        table(('Configuration', 'Failure'), failures) if failures else '',
        *(reasons_of(row) for row in saved['rows'] if row['reasons']), nowhere(saved)))
