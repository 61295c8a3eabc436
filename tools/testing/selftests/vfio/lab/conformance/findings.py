#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Print the violated clauses of several reports as one table for the documentation.

Usage: findings.py TITLE=FILE.json...
  TITLE  the heading of a column, such as "6.12"; several files may have the same
Each clause has what the first case that failed has seen, and a mark for each column.
"""

import json
import re
import sys
import textwrap

# "uapi/arc_test.c:78:combined_to_stop_copy:" before a message of the harness
PLACE = re.compile(r'^\S+\.[ch]:\d+:\w+:')
# A raw comparison says less than the message that follows it
RAW = re.compile(r'^Expected ')


def message_of(run):
    """What one run of a case has seen, in one line."""
    messages = [PLACE.sub('', line).strip() for line in run['messages']]
    said = [line for line in messages if not RAW.match(line)]
    text = '; '.join((said or messages)[:2])
    if run['why']:
        text = f'{run["why"]}; {text}' if text else run['why']
    return text


def findings_of(report):
    """The violated clauses of a report: id and what was seen."""
    cases = {case['name']: case for case in report['cases']}
    found = {}
    for clause in report['clauses']:
        if clause['verdict'] != 'violated':
            continue
        runs = [run for name in clause['cases'] for run in cases[name]['runs']
                if run['verdict'] == 'violated']
        found[clause['id']] = message_of(runs[0]) if runs else clause['why'] or ''
    return found


def print_row(cells):
    """A row of a list-table."""
    for number, cell in enumerate(cells):
        lead = '   * - ' if number == 0 else '     - '
        print('\n'.join(textwrap.wrap(cell, 96, initial_indent=lead,
                                      subsequent_indent='       ')) or lead.rstrip())


def main(arguments):
    """Read the reports, print the table."""
    titles = []
    table = {}
    for argument in arguments:
        title, _, name = argument.partition('=')
        if not name:
            sys.exit(__doc__)
        if title not in titles:
            titles.append(title)
        with open(name, encoding='utf-8') as file:
            report = json.load(file)
        for clause, seen in findings_of(report).items():
            row = table.setdefault(clause, {'seen': seen, 'titles': set()})
            row['titles'].add(title)
    print('.. list-table::\n   :header-rows: 1\n')
    print_row(['Clause', 'Seen'] + titles)
    for clause in sorted(table):
        row = table[clause]
        seen = row['seen'].replace('\\', '\\\\').replace('*', '\\*').replace('`', "'")
        print_row([f'``{clause}``', seen] + ['x' if title in row['titles'] else ''
                                             for title in titles])


if __name__ == '__main__':
    main(sys.argv[1:])
