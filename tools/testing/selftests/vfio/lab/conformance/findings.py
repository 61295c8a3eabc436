#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Print the violated clauses of several reports as one table for the documentation.

Usage: findings.py SET TITLE=FILE.json...
  SET    a file of devices/, which has the reasons
  TITLE  the heading of a column, such as "6.12"; several files may have the same
"""

import json
import os
import sys
import textwrap

import devices

HERE = os.path.dirname(os.path.realpath(__file__))


def reasons_of(name):
    """The reason of each clause that is expected to be violated"""
    reasons = {}
    for _, fields in devices.read_stanzas(os.path.join(HERE, 'devices', name)):
        clauses = fields.get('Violated', '') + ' ' + fields.get('Random', '')
        for clause in clauses.split():
            reasons.setdefault(clause, fields['Why'])
    return reasons


def print_row(cells):
    """A row of a list-table"""
    for number, cell in enumerate(cells):
        lead = '   * - ' if number == 0 else '     - '
        print('\n'.join(textwrap.wrap(cell, 96, initial_indent=lead,
                                      subsequent_indent='       ')) or lead.rstrip())


def main(arguments):
    """Read the reports, print the table."""
    if len(arguments) < 2 or not all('=' in word for word in arguments[1:]):
        sys.exit(__doc__)
    reasons = reasons_of(arguments[0])
    titles = []
    table = {}
    for argument in arguments[1:]:
        title, _, name = argument.partition('=')
        titles += [title] if title not in titles else []
        with open(name, encoding='utf-8') as file:
            report = json.load(file)
        for clause in report['clauses']:
            if clause['verdict'] == 'violated':
                table.setdefault(clause['id'], set()).add(title)
    marks = ' '.join(['8'] * len(titles))
    print(f'.. list-table::\n   :header-rows: 1\n   :widths: 25 60 {marks}\n')
    print_row(['Clause', 'Reason'] + titles)
    for clause in sorted(table):
        print_row([f'``{clause}``', reasons.get(clause, 'not known yet')]
                  + ['x' if title in table[clause] else '' for title in titles])


if __name__ == '__main__':
    main(sys.argv[1:])
