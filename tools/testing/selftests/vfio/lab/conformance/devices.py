# SPDX-License-Identifier: GPL-2.0
"""Read a file of devices/: stanzas of "Field: value", see README."""

import fnmatch
import os
import re
import sys
from collections import namedtuple

sys.path.append(os.path.join(os.path.dirname(os.path.realpath(__file__)), '..'))
import stanzas  # noqa: E402  pylint: disable=wrong-import-position
from stanzas import Mistake  # noqa: E402  pylint: disable=wrong-import-position

NAME = re.compile(r'[A-Za-z0-9._-]+')
# The first field of a stanza says what it describes. False: the field may be missing.
KINDS = {
    'Set': {'Module': False, 'Machine': False, 'Cmdline': False, 'Functions': False,
            'Options': False, 'Failures': True},
    'Run': {'Device': True, 'Paths': True},
    'Violated': {'Why': True, 'Runs': False, 'Kernels': False},
    'Random': {'Why': True, 'Runs': False, 'Kernels': False},
    'Unchecked': {'Why': True, 'Runs': False, 'Kernels': False},
}
PATHS = ('group', 'iommufd')
FAILURES = ('violated', 'unchecked', 'reports')

Run = namedtuple('Run', 'name device path')
# state: how the report calls it; runs and kernels: patterns
Expected = namedtuple('Expected', 'clause state runs kernels')


def read_stanzas(path):
    """Yields (line number, fields) for each stanza."""
    try:
        for number, fields in stanzas.read(path):
            yield number, {name: stanzas.one_line(value) for name, value in fields.items()}
    except FileNotFoundError:
        raise Mistake(f'no such set {os.path.basename(path)}; there are: '
                      + ' '.join(sorted(os.listdir(os.path.dirname(path))))) from None


def check_fields(where, fields):
    """The fields must be those of the kind of stanza."""
    kind = next(iter(fields))
    if kind not in KINDS:
        raise Mistake(f'{where}: a stanza begins with one of: {" ".join(KINDS)}')
    for name in fields:
        if name != kind and name not in KINDS[kind]:
            raise Mistake(f'{where}: {kind} has no field {name}')
    for name, needed in KINDS[kind].items():
        if needed and not fields.get(name):
            raise Mistake(f'{where}: {kind} needs the field {name}')
    return kind


def words_of(where, text, known):
    """The words of a field"""
    words = text.split()
    for word in words:
        if word not in known:
            raise Mistake(f'{where}: {word} is not one of: {" ".join(known)}')
    return words


class Setup:
    """A set of devices"""

    def __init__(self, name):
        self.name = name
        self.module = self.machine = self.cmdline = ''
        self.functions = []
        self.options = []
        self.failures = []
        self.runs = []
        self.expected = []

    @property
    def tolerant(self):
        """Reports of the kernel are findings of the suite, not failures of the run."""
        return 'reports' not in self.failures

    def add_set(self, where, fields):
        """The stanza that the file begins with"""
        self.module = fields.get('Module', '')
        self.machine = fields.get('Machine', '')
        self.cmdline = fields.get('Cmdline', '')
        self.functions = fields.get('Functions', '').split()
        self.options = fields.get('Options', '').split()
        self.failures = words_of(where, fields['Failures'], FAILURES)

    def add_run(self, where, fields):
        """A device, by each of the paths"""
        if not NAME.fullmatch(fields['Run']):
            raise Mistake(f'{where}: the name of a run is the name of a file, not: {fields["Run"]}')
        for path in words_of(where, fields['Paths'], PATHS):
            name = fields['Run'] + ('' if path == 'group' else '-' + path)
            if name in [run.name for run in self.runs]:
                raise Mistake(f'{where}: a second run {name}')
            self.runs.append(Run(name, fields['Device'], path))

    def add(self, where, fields):
        """Add a stanza."""
        kind = check_fields(where, fields)
        if kind == 'Set':
            self.add_set(where, fields)
        elif kind == 'Run':
            self.add_run(where, fields)
        else:
            for clause in fields[kind].split():
                self.expected.append(Expected(clause, kind.lower(),
                                              fields.get('Runs', '*').split(),
                                              fields.get('Kernels', '*').split()))

    def differences(self, run, kernel, results, untested):
        """Lists what is not as expected, as text.

        results: clause to state; untested: clauses that no device can be checked for
        """
        def matches(patterns, text):
            return any(fnmatch.fnmatchcase(text, pattern) for pattern in patterns)

        expected = {(item.clause, item.state) for item in self.expected
                    if matches(item.runs, run.name) and matches(item.kernels, kernel)}
        random = {clause for clause, state in expected if state == 'random'}
        expected = {item for item in expected if item[0] not in random}
        seen = {(clause, state) for clause, state in results.items()
                if state in self.failures and clause not in random
                and (state, clause in untested) != ('unchecked', True)}
        texts = [f'{clause} is {state}' for clause, state in sorted(seen - expected)]
        # A run of some clauses has no result for the others.
        return texts + [f'{clause} is {results[clause]}, no longer {state}'
                        for clause, state in sorted(expected - seen) if clause in results]


def untested(path):
    """Returns the clauses that have no test, for a reason that the clause file has."""
    if not os.path.exists(path):
        return set()
    return {fields['Id'] for _, fields in read_stanzas(path) if fields.get('Untested')}


def read(path):
    """Returns the set of this file."""
    setup = Setup(os.path.basename(path))
    for line, fields in read_stanzas(path):
        setup.add(f'{path}:{line}', fields)
    if not setup.failures or not setup.runs:
        raise Mistake(f'{path}: needs a stanza Set and a stanza Run')
    return setup
