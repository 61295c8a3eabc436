# SPDX-License-Identifier: GPL-2.0
"""The steps that make demo has printed, in columns: who does what, sections and subflags"""

import re

import picture

from . import drawing, results
from .markup import code, details, element, escape, join, missing, table

TITLE = re.compile(r'Answer (\S+): (.*)')
STEP = re.compile(r'([a-z_]+|\(meanwhile\)|interrupt controller)(?:: .*)?')
LINE = re.compile(r'  (source|dest|stream >>|guest) +(.*)')
COLUMNS = {'source': 1, 'stream >>': 3, 'dest': 4, 'guest': 6}
HEAD = ('Step', 'Source', 'Its state', 'Stream', 'Destination', 'Its state', 'Guest')
COLOUR = re.compile(r'\033\[[0-9;]*m')
STATE = re.compile(r'SET MIG_DEVICE_STATE: (\w+)')


def lines_of(path):
    """Lines of the demo without colours"""
    with open(path, encoding='utf-8', errors='replace') as file:
        for line in file:
            yield COLOUR.sub('', line.rstrip('\r\n'))


def migrations(lines):
    """(answer, its meaning, steps) of each migration; a step is (name, column, text)."""
    found, step = [], ''
    # Other lines explain a word.
    for line in lines:
        title, part = TITLE.fullmatch(line), LINE.fullmatch(line)
        if title:
            found.append((title[1], title[2], []))
        elif part and found:
            found[-1][2].append((step, COLUMNS[part[1]], part[2]))
        elif STEP.fullmatch(line):
            step = line.split(':')[0]
        elif line and not line.startswith(' '):
            step = ''
    return [migration for migration in found if migration[2]]


def marked(text):
    """A subflag and an interrupt can be seen among the rest."""
    subflag = re.match(r'(.*?)\[(.*)\](.*)', text)
    if subflag:
        return join(subflag[1], element('mark', subflag[2]), subflag[3])
    if re.search(r'interrupt 0x|SET_IRQS', text):
        return element('strong', text)
    return escape(text)


def rows(steps):
    """A row for each line; a state stands where it begins."""
    last = None
    for step, column, text in steps:
        cells = [''] * len(HEAD)
        cells[0] = code(step) if step and step != last else ''
        cells[column] = marked(text)
        new = STATE.match(text)
        if new and new[1] in picture.STATES:
            cells[column + 1] = drawing.state(new[1])
        yield cells
        last = step


def make(found):
    """The steps of each migration of the last demo, or the command that shows them"""
    files = list(found.find('log', 'demo.txt'))
    parts = []
    for build, path in files:
        for number, (answer, note, steps) in enumerate(migrations(lines_of(path))):
            parts.append(details(f'The driver answers {answer}: {note} ({build})',
                                 table(HEAD, rows(steps), kind='wide steps'),
                                 is_open=not number and not parts))
    if not parts:
        return missing('QEMU knows no subflags; the steps of a VMM that does are shown here '
                       'after a demo.', 'make demo')
    return join(element('h3', 'Sections and subflags, step by step'),
                element('p', 'The model VMM of make demo, ',
                        results.date_of(*(path for _, path in files)), kind='date'), *parts)
