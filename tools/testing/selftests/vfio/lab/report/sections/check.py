# SPDX-License-Identifier: GPL-2.0
"""make check and its relatives: results of each room, failures and skips."""

import glob
import os
import re

from . import results
from .markup import (Section, code, details, element, join, missing, not_run, preformatted, table,
                     verdict)

results.use_room('boot')
results.use_room('check')
import logs  # noqa: E402  pylint: disable=wrong-import-position
import patterns  # noqa: E402  pylint: disable=wrong-import-position
import summary  # noqa: E402  pylint: disable=wrong-import-position

TITLE = 'Tests'
COMMAND = 'make check'

# The names of logs, and the command that writes them
KINDS = {'check': 'make check', 'check-here': 'make check TESTS=runner_test.sh',
         'check-vmm': 'make check-vmm', 'runner': 'make check-runner'}
LOG = re.compile(r'(check-here|check-vmm|check|runner)(?:-(?:\d+|here))?\.ktap')
RUNNER = ('runner_test.sh',)


class Run:
    """The programs of one run, which may be in the logs of several VMs"""

    def __init__(self, build, kind):
        self.build = build
        self.kind = kind
        self.paths = []
        self.programs = []
        self.cases = {}

    def read(self, path, parse):
        """Read the log of one VM."""
        self.paths.append(path)
        for program in logs.read(path, parse):
            self.programs.append(program)
            for case, result in program.cases.items():
                self.cases[program.name.split('@')[0], case] = result

    def total(self, what):
        """Cases passed, failed or skipped"""
        counts = (getattr(program, what) for program in self.programs)
        return sum(count if isinstance(count, int) else len(count) for count in counts)

    def room(self, program):
        """The directory that has its source"""
        if '/' in program.name:
            return program.name.split('/')[0]
        stem = program.name.split('@')[0].removesuffix('.sh')
        found = glob.glob(f'{results.MIGRATION}/*/{stem}.[cs]*')
        if found:
            return os.path.basename(os.path.dirname(found[0]))
        return 'runner' if program.name in RUNNER else 'not here any more'

    def again(self, program, case=None):
        """The command that runs it again"""
        words = KINDS[self.kind].split()[:2]
        if self.build.endswith('-arm64'):
            words.append('ARCH=arm64')
        if self.kind != 'runner':
            words.append(f'TESTS={program.name}')
        if case and self.kind != 'check-vmm':
            words.append(f"ARGS='-t {case.split('.')[-1]}'")
        return ' '.join(words)

    def kernel_reports(self):
        """(name of the console, line) of the first report of the kernel in each VM"""
        pattern = patterns.read('kernel-reports')
        for path in self.paths:
            console = path.removesuffix('.ktap') + '.console'
            if os.path.exists(console):
                with open(console, encoding='utf-8', errors='replace') as file:
                    line = next((line for line in file if pattern.search(line)), None)
                if line:
                    yield os.path.basename(console), line.strip()


def read_runs(found):
    """The runs in OUT, by build and kind"""
    runs = {}
    parse = None
    for build in found.builds:
        for path in sorted(glob.glob(found.path(build, 'log', '*.ktap'))):
            name = LOG.fullmatch(os.path.basename(path))
            if name:
                parse = parse or summary.make_parser(found.source)
                key = build, name[1]
                runs.setdefault(key, Run(*key)).read(path, parse)
    return list(runs.values())


def rooms(run):
    """A row for each room"""
    by_room = {}
    for program in run.programs:
        by_room.setdefault(run.room(program), []).append(program)
    rows = []
    for room, programs in sorted(by_room.items()):
        failed = sum(program.failed for program in programs)
        rows.append((room, len(programs), sum(program.passed for program in programs),
                     verdict('failed', f' {failed}') if failed else 0,
                     sum(len(program.skipped) for program in programs),
                     f'{sum(program.duration for program in programs) / 1000:.1f} s'))
    return table(('Room', 'Programs', 'Passed', 'Failed', 'Skipped', 'Time'), rows,
                 (1, 2, 3, 4, 5))


def failures(run):
    """Each failure in full, with the command that runs it again"""
    for program in run.programs:
        for text, lines in program.failures:
            case = text.removesuffix(' failed') if text.endswith(' failed') else None
            yield details(join(verdict('failed'), f' {program.name}: {text}'),
                          preformatted(lines) if lines else '',
                          element('p', 'Again: ', code(run.again(program, case))), is_open=True)
    for console, line in run.kernel_reports():
        yield details(join(verdict('failed'), f' The kernel reported, see log/{console}'),
                      preformatted([line]), is_open=True)


def skips(run):
    """A row for each reason"""
    reasons = {}
    for program in run.programs:
        for name, reason in program.skipped:
            reasons.setdefault(reason, []).append(f'{program.name}: {name}')
    if not reasons:
        return ''
    rows = [(reason, len(names), details('which', preformatted(names)))
            for reason, names in sorted(reasons.items(), key=lambda item: -len(item[1]))]
    return details(f'{run.total("skipped")} skipped, with reasons',
                   table(('Reason', 'Cases', 'Names'), rows, (1,)))


def programs_left(run):
    """The programs that make check would run, and that have no result in this run"""
    if run.kind != 'check':
        return []
    return sorted(logs.known_programs() - {program.name.split('@')[0] for program in run.programs})


def not_all(run):
    """Says which programs of make check have no result in this run."""
    left = programs_left(run)
    if not left:
        return ''
    return join(missing(f'{len(left)} programs of make check have no result in this run.',
                        COMMAND + (' ARCH=arm64' if run.build.endswith('-arm64') else '')),
                details('which', preformatted(left)))


def one_run(run):
    """The part of one run"""
    return join(element('h3', f'{KINDS[run.kind]}, {run.build}'),
                element('p', results.date_of(*run.paths), kind='date'),
                *failures(run), rooms(run), skips(run), not_all(run))


def make(found):
    """The section"""
    if not found.runs:
        return not_run(COMMAND)
    passed, failed, skipped = (sum(run.total(what) for run in found.runs)
                               for what in ('passed', 'failed', 'skipped'))
    failed += sum(len(list(run.kernel_reports())) for run in found.runs)
    sums = f'{passed} passed, {failed} failed, {skipped} skipped'
    kinds = {run.kind for run in found.runs}
    left = [missing(f'No result of {command}.', command) for kind, command in KINDS.items()
            if kind not in kinds and kind != 'check-here']
    # A part of the tests that passes is no good result of all.
    if not any(run.kind == 'check' and not programs_left(run) for run in found.runs):
        sums += '; not all programs of make check'
    state = 'none' if ';' in sums else 'good'
    return Section('bad' if failed else state, sums,
                   join(*(one_run(run) for run in found.runs), *left))
