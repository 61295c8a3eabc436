# SPDX-License-Identifier: GPL-2.0
"""make bench: mtty beside its references"""

import re

import bench

from . import drawing, results
from .markup import Section, details, element, join, not_run, table, verdict

TITLE = 'Speed beside references'
COMMAND = 'make bench'


def cells(row):
    """A row of the table of make bench, its verdict coloured"""
    *values, text = bench.cells(row)
    word = re.match('met|missed|no target', text)[0]
    return (*values, verdict(word, text.removeprefix(word)))


def one_file(build, path):
    """(rows, the part of one run)"""
    saved = results.read_json(path)
    rows = saved['rows']
    if not rows:
        return rows, ''
    return rows, join(
        element('h3', build), element('p', results.date_of(path), kind='date'),
        drawing.figure(lambda svg: bench.draw(svg, rows, saved['about']), 'Ratios to references'),
        details('The figures', table([word.capitalize() for word in bench.HEAD],
                                     [cells(row) for row in rows], (2, 3, 5, 6, 7, 8, 9))))


def make(found):
    """The section. A missed target is not a failure of make bench."""
    files = [one_file(*item) for item in found.find('bench.json')]
    judged = [row for rows, _ in files for row in rows if row['met'] is not None]
    if not judged:
        return not_run(COMMAND)
    return Section('good', f'{sum(row["met"] for row in judged)} of {len(judged)} targets met',
                   join(*(part for _, part in files)))
