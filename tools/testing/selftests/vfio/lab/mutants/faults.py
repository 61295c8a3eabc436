# SPDX-License-Identifier: GPL-2.0
"""Read the files of deliberate faults, see README, and apply one to a text."""

import os
import re
import sys
from collections import namedtuple

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.append(os.path.join(HERE, '..'))
import stanzas  # noqa: E402  pylint: disable=wrong-import-position
from stanzas import Mistake  # noqa: E402  pylint: disable=wrong-import-position

NAME = re.compile(r'[a-z0-9]+(-[a-z0-9]+)*')
LABEL = re.compile(r'(Clause|Driver|Proposal|16550|PCI|Library|Tool|Runner): \S.*')
# The first field of a stanza names the mutant. False: the field may be missing.
FIELDS = {'Mutant': True, 'File': True, 'Fault': True, 'Breaks': True, 'Change': True,
          'Tests': False, 'Kernel': False, 'Equivalent': False, 'Quick': False}
KERNELS = ('kasan', 'kcsan', 'newer')

# name: FILE/NAME; path: relative to the repository; hunks: pairs of old and new lines
Mutant = namedtuple('Mutant', 'name path fault breaks tests kernel equivalent quick hunks')


def split_case(text):
    """Returns the program and the case of "PROGRAM: CASE"; the case may be missing."""
    program, _, case = text.partition(':')
    return program, case.strip()


def split_hunks(where, change):
    """Returns the pairs of old and new lines."""
    hunks = [([], [])]
    for line in change.split('\n')[1:]:
        if line == '@@':
            hunks.append(([], []))
        elif line == '.':
            hunks[-1][0].append('')
            hunks[-1][1].append('')
        elif line[:1] in ('-', ' ', '+'):
            if line[0] != '+':
                hunks[-1][0].append(line[1:])
            if line[0] != '-':
                hunks[-1][1].append(line[1:])
        else:
            raise Mistake(f'{where}: not a line of a change: {line}')
    if any(not old or old == new for old, new in hunks):
        raise Mistake(f'{where}: a hunk without old lines, or without a change')
    return hunks


def make(where, room, fields):
    """The mutant of a stanza"""
    for name in fields:
        if name not in FIELDS:
            raise Mistake(f'{where}: no such field {name}')
    for name, needed in FIELDS.items():
        if needed and not fields.get(name):
            raise Mistake(f'{where}: needs the field {name}')
    text = {name: stanzas.one_line(value) for name, value in fields.items() if name != 'Change'}
    if not NAME.fullmatch(text['Mutant']):
        raise Mistake(f'{where}: a name is of a-z, 0-9 and hyphens, not: {text["Mutant"]}')
    if not LABEL.fullmatch(text['Breaks']):
        raise Mistake(f'{where}: Breaks begins with a label of the tests: {text["Breaks"]}')
    if text.get('Kernel', KERNELS[0]) not in KERNELS:
        raise Mistake(f'{where}: Kernel is one of {" ".join(KERNELS)}')
    return Mutant(f'{room}/{text["Mutant"]}', text['File'], text['Fault'], text['Breaks'],
                  text.get('Tests', '').split(), text.get('Kernel'), text.get('Equivalent'),
                  text.get('Quick') == 'yes', split_hunks(where, fields['Change']))


def find(lines, old):
    """The places of a block of lines"""
    return [at for at in range(len(lines) - len(old) + 1) if lines[at:at + len(old)] == old]


def apply(mutant, text):
    """Returns the text with the fault; a hunk must fit in one place."""
    lines = text.split('\n')
    for old, new in mutant.hunks:
        places = find(lines, old)
        if len(places) != 1:
            raise Mistake(f'{mutant.name}: the change fits in {len(places)} places of '
                          f'{mutant.path}, not in one')
        lines[places[0]:places[0] + len(old)] = new
    return '\n'.join(lines)


def read_all():
    """Returns all mutants, in the order of the names of their files."""
    mutants = {}
    for directory, _, files in sorted(os.walk(HERE)):
        room = os.path.relpath(directory, HERE)
        for name in sorted(files):
            if room == '.' or room.startswith('__') or name == 'README':
                continue
            path = os.path.join(directory, name)
            for line, fields in stanzas.read(path):
                mutant = make(f'{path}:{line}', f'{room}/{name}', fields)
                if mutant.name in mutants:
                    raise Mistake(f'{path}:{line}: a second mutant {mutant.name}')
                mutants[mutant.name] = mutant
    return list(mutants.values())


def check(mutants, repo):
    """Each must fit; raises Mistake with a line for each that does not."""
    wrong = []
    for mutant in mutants:
        try:
            with open(os.path.join(repo, mutant.path), encoding='utf-8') as file:
                apply(mutant, file.read())
        except (OSError, Mistake) as error:
            wrong.append(str(error))
    if wrong:
        raise Mistake('\n'.join(wrong))
