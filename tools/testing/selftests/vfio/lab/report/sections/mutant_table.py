# SPDX-License-Identifier: GPL-2.0
"""make mutants: which case of the tests fails on each deliberate fault"""

import subprocess

from . import results
from .markup import (Section, code, details, element, join, missing, not_run, table, verdict)

results.use_room('mutants')
import faults  # noqa: E402  pylint: disable=wrong-import-position
import run as mutants_run  # noqa: E402  pylint: disable=wrong-import-position

TITLE = 'Mutants'
COMMAND = 'make mutants'
OUTCOMES = ('killed', 'survived', 'error', 'equivalent', 'not tried')


def tree_hash(found):
    """The state of the code, or None outside a checkout: then no result counts as old."""
    try:
        return mutants_run.tree_hash(found.repo)
    except (OSError, subprocess.CalledProcessError):
        return None


class Outcomes:
    """The results of one build"""

    def __init__(self, path, tree):
        self.memory = mutants_run.Memory(path, tree)

    def of(self, mutant):
        """(outcome, by what, whether it is of older code)"""
        item = self.memory.items.get(mutant.name)
        if mutant.equivalent:
            return 'equivalent', mutant.equivalent, False
        if not item:
            return 'not tried', '', False
        old = self.memory.tree is not None and item['key'] != self.memory.key(mutant)
        return item['outcome'], item['by'], old


def room_of(mutant):
    """The file of mutants"""
    return mutant.name.rsplit('/', 1)[0]


def rooms(mutants, outcomes):
    """A row for each file of mutants"""
    counts = {}
    for mutant in mutants:
        row = counts.setdefault(room_of(mutant), dict.fromkeys(OUTCOMES, 0))
        row[outcomes.of(mutant)[0]] += 1
    rows = [(room, *(verdict(name, f' {row[name]}') if row[name] and name in ('survived', 'error')
                     else row[name] or '-' for name in OUTCOMES))
            for room, row in counts.items()]
    return table(('Mutants of', *(name.capitalize() for name in OUTCOMES)), rows, range(1, 6))


def rows_of(mutants, outcomes, wanted):
    """A row for each mutant with a wanted outcome"""
    for mutant in mutants:
        outcome, by, old = outcomes.of(mutant)
        if outcome in wanted:
            yield (join(verdict(outcome), ' of older code' if old else ''),
                   join(code(mutant.name), element('p', mutant.fault)), mutant.breaks, by)


def one_build(build, path, mutants, outcomes):
    """The part of one build"""
    head = 'Outcome', 'Mutant', 'Breaks', 'By'
    bad = list(rows_of(mutants, outcomes, ('survived', 'error')))
    others = list(rows_of(mutants, outcomes, ('killed', 'equivalent')))
    old = sum(outcomes.of(mutant)[2] for mutant in mutants)
    left = sum(outcomes.of(mutant)[0] == 'not tried' and not mutant.kernel for mutant in mutants)
    lab = sum(outcomes.of(mutant)[0] == 'not tried' and bool(mutant.kernel) for mutant in mutants)
    return join(
        element('h3', build), element('p', results.date_of(path), kind='date'),
        table(head, bad) if bad else '', rooms(mutants, outcomes),
        missing(f'{old} results are of older code.', COMMAND) if old else '',
        missing(f'{left} mutants were not tried.', COMMAND) if left else '',
        missing(f'{lab} mutants are shown by a lab kernel only.', 'make lab-mutants')
        if lab else '',
        details(f'{len(others)} mutants, and the case that fails on each', table(head, others)))


def make(found):
    """The section"""
    files = list(found.find('mutants', 'results.json'))
    if not files:
        return not_run(COMMAND)
    mutants = faults.read_all()
    tree = tree_hash(found)
    parts, old, sums = [], 0, dict.fromkeys(OUTCOMES, 0)
    for build, path in files:
        outcomes = Outcomes(path, tree)
        parts.append(one_build(build, path, mutants, outcomes))
        for mutant in mutants:
            sums[outcomes.of(mutant)[0]] += 1
            old += outcomes.of(mutant)[2]
    line = ', '.join(f'{sums[name]} {name}' for name in ('killed', 'survived', 'error'))
    line += f'; {old} of them of older code' if old else ''
    state = 'none' if old else 'good'
    return Section('bad' if sums['survived'] + sums['error'] else state, line, join(*parts))
