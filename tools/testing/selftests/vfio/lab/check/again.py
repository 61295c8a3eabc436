# SPDX-License-Identifier: GPL-2.0
"""The labels of a case, from its source, and the command that runs it again."""

import functools
import itertools
import os
import re
import shlex
import sys
from pathlib import Path

LAB = Path(__file__).resolve().parents[1]
sys.path.append(str(LAB))
import stanzas  # noqa: E402  pylint: disable=wrong-import-position

MIGRATION = LAB.parent / 'migration'
# A comment in front of a case, and the case: TEST_F(FIXTURE, NAME, ...), TEST(NAME), case_NAME()
CASE = re.compile(r'(?:^/\*\s+(?:\* )?([A-Z0-9][A-Za-z0-9]*: (?:(?!\*/).)*?)\s*\*/\n)?'
                  r'^([A-Z_]*TEST[A-Z_]*)\((\w+)(?:,\s*(\w+))?([^{;]*)', re.S | re.M)
RUNNER_CASE = re.compile(r'((?:^# .*\n)*)^case_(\w+)\(\)', re.M)
RUNNER_LABEL = re.compile(r'Runner: .*', re.S)


def first_paragraph(text):
    """The first paragraph of a comment as one line"""
    lines = [line.strip(' *#\t') for line in text.split('\n')]
    return ' '.join(itertools.takewhile(bool, lines))


@functools.cache
def clauses():
    """Id to text"""
    return {fields['Id']: stanzas.one_line(fields['Text'])
            for _, fields in stanzas.read(MIGRATION / 'uapi/clauses')}


def labels_of_source(text):
    """Name of fixture and case to a list of what the case is about"""
    result = {}
    for label, macro, first, second, rest in CASE.findall(text):
        name = f'{first}.{second}' if second else f'global.{first}'
        labels = [first_paragraph(label)] if label else []
        if 'CLAUSE' in macro or 'DESTRUCTIVE' in macro:
            labels += [f'Clause {word}: {clauses()[word]}'
                       for word in re.findall(r'"([^"\n]*)"', rest) if word in clauses()]
        result[name] = labels
    return result


def labels_of_runner():
    """The same, of the tests of the runner; the rows of a table have none."""
    result = {}
    for path in sorted((LAB / 'check/runner').glob('*.sh')):
        for comment, name in RUNNER_CASE.findall(path.read_text('utf-8')):
            found = RUNNER_LABEL.search(comment)
            result[name] = [first_paragraph(found[0])] if found else []
    return result


def labels(program, case):
    """The labels of a case, a list of sentences; empty if its source has none"""
    program = program.split('@')[0]
    if program == 'runner_test.sh':
        return labels_of_runner().get(case, [])
    words = case.split('.')
    for path in MIGRATION.glob(f'*/{program}.c'):
        found = labels_of_source(path.read_text('utf-8'))
        return found.get(f'{words[0]}.{words[-1]}', [])
    return []


def command(program, case=None):
    """The command that repeats a case, or the whole program; None if AGAIN, its begin, is unset"""
    begin = os.environ.get('AGAIN')
    if not begin:
        return None
    if program == 'runner_test.sh':
        words, option = [], '-t'
    elif program.endswith('.sh'):
        words, option = [f'TESTS={program}'], None
    else:
        words = [f'TESTS={program}']
        option = '-t' if program.endswith('.py') else '-r'
    if case and option:
        words.append(f'ARGS={shlex.quote(f"{option} {case}")}')
    return ' '.join([begin] + words)
