# SPDX-License-Identifier: GPL-2.0
"""What vfio.h promises, clause by clause: make check on mtty, make conformance on each device."""

import glob
import os
import pathlib

from . import check, results
from .markup import Section, code, details, element, join, missing, not_run, table, verdict

results.use_room('lint')
import clauses  # noqa: E402  pylint: disable=wrong-import-position

TITLE = 'Clauses'
COMMAND = 'make conformance DEVICE=mtty'
UAPI = pathlib.Path(results.MIGRATION) / 'uapi'
OUTCOMES = {'FAILURE': 'violated', 'TEST_CRASHED': 'violated', 'SUCCESS': 'kept',
            'SKIPPED': 'skipped'}


def cases_of_clauses():
    """Clause to its cases: (program, fixture, name)"""
    cases = {}
    for path in sorted(UAPI.glob('*.c')):
        text = clauses.without_comments(path.read_text('utf-8', 'replace'))
        for match in clauses.CASE.finditer(text):
            words = clauses.arguments(text, match.end()) or []
            for word in words[2:]:
                cases.setdefault(word.strip('"'), []).append((path.stem, *words[:2]))
    return cases


def checked(run):
    """Clause to the verdict of its cases in a run of make check; a variant is a case, too."""
    seen = {}
    for (program, name), status in run.cases.items():
        parts = name.split('.')
        seen.setdefault((program, parts[0], parts[-1]), set()).add(status)
    verdicts = {}
    for clause, cases in cases_of_clauses().items():
        statuses = set().union(*(seen.get(case, ()) for case in cases))
        word = next((word for status, word in OUTCOMES.items() if status in statuses), None)
        if word:
            verdicts[clause] = word
    return verdicts


def columns(found):
    """(title, clause to verdict) of each run; reports that have no clause are left out."""
    for run in found.runs:
        if run.kind == 'check':
            yield f'make check, {run.build}', checked(run)
    for build in found.builds:
        for path in sorted(glob.glob(found.path(build, 'conformance', '*', '*.json'))):
            try:
                report = results.read_json(path)
                verdicts = {clause['id']: clause['verdict'] for clause in report['clauses']}
            except (ValueError, KeyError, TypeError):
                # A VM that ended early leaves a part of a report.
                continue
            device = os.path.basename(os.path.dirname(path))
            name = os.path.basename(path).removesuffix('.json')
            yield f'{device} {name}, {build}', verdicts


def expected():
    """Device to the clauses that it violates, as lab/conformance/devices has them"""
    results.use_room('conformance')
    import devices  # pylint: disable=import-outside-toplevel
    known = {}
    for path in glob.glob(os.path.join(results.LAB, 'conformance/devices/*')):
        known[os.path.basename(path)] = {
            clause for _, fields in devices.read_stanzas(path)
            for clause in (fields.get('Violated', '') + ' ' + fields.get('Random', '')).split()}
    return known


def counts(title, verdicts, known):
    """A row of the table of runs"""
    violated = {clause for clause, word in verdicts.items() if word == 'violated'}
    new = violated - known.get(title.split()[0], set())
    words = [sum(word == name for word in verdicts.values())
             for name in ('kept', 'violated', 'not applicable', 'not checked', 'skipped')]
    words[3] += words.pop()
    return (title, *words, verdict('failed', f': {" ".join(sorted(new))}') if new else 'none')


def by_group(texts, found):
    """A table for each group of clauses; a column for each run"""
    titles = [element('span', title, kind='upright') for title, _ in found]
    for group, about in clauses.GROUPS.items():
        names = [name for name in texts if name.split('.')[0] == group]
        rows = []
        for name in names:
            text = {key: value for key, (_, value) in texts[name].items()}
            seen = [verdicts.get(name) for _, verdicts in found]
            rows.append((join(code(name), element('p', text['Text'])), text['Level'],
                         *(verdict(word) if word else '' for word in seen)))
        violated = sum(any(verdicts.get(name) == 'violated' for _, verdicts in found)
                       for name in names)
        more = f', {violated} violated' if violated else ''
        if rows:
            yield details(f'{about}: {len(names)} clauses{more}',
                          table(('Clause', 'Level', *titles), rows))


def make(found):
    """The section"""
    seen = [(title, verdicts) for title, verdicts in columns(found) if verdicts]
    if not seen:
        return not_run(COMMAND)
    known = expected()
    rows = [counts(title, verdicts, known) for title, verdicts in seen]
    texts = clauses.read_clauses(UAPI / 'clauses', clauses.Findings(None))
    wrong = sum(not isinstance(row[-1], str) or row[-1] != 'none' for row in rows)
    left = [] if any(not title.startswith('make check') for title, _ in seen) else \
        [missing('No report of the conformance suite.', COMMAND)]
    line = f'{len(texts)} clauses, runs: {len(seen)}, with a violation not expected: {wrong}'
    # A part of the tests is no good result of all.
    whole = not left or any(run.kind == 'check' and not check.programs_left(run)
                            for run in found.runs)
    return Section('bad' if wrong else 'good' if whole else 'none', line, join(
        table(('Run', 'Kept', 'Violated', 'Not applicable', 'Not checked',
               'Violated, not expected'), rows, (1, 2, 3, 4)),
        *left, *by_group(texts, seen)))
