# SPDX-License-Identifier: GPL-2.0
"""The table of make matrix, as text and as JSON."""

import union

LAST_LINES = 15


class Row:
    """A configuration, and how it ended; without a status it has not run"""

    def __init__(self, name, kind, command, outcome):
        self.name = name
        self.kind = kind
        self.command = command
        self.outcome = outcome
        self.status = None
        self.seconds = 0
        # The end of its output, if that alone says why it failed
        self.lines = []

    def judge(self, output):
        """A run can fail though no case did: a build, or a report of the kernel."""
        if self.status == 0 or self.outcome.failed:
            return
        self.outcome.fail_run(f'{self.command}: exit status {self.status}')
        with open(output, encoding='utf-8', errors='replace') as file:
            self.lines = file.read().splitlines()[-LAST_LINES:]

    def state(self):
        """One word"""
        if self.status is None:
            return 'not run'
        return 'failed' if self.outcome.failed else 'passed'

    def cells(self):
        """The cells of the table"""
        outcome = self.outcome
        if self.status is None:
            counts = ('-', '-', '-', '')
        elif self.kind == 'build':
            counts = ('-', f'{outcome.failed}', '-', f'{self.seconds / 60:.1f}')
        else:
            counts = (f'{outcome.passed:,}', f'{outcome.failed:,}', f'{outcome.skipped:,}',
                      f'{self.seconds / 60:.1f}')
        return (self.name, *counts, self.state(), self.command)

    def as_json(self):
        """The row in results.json"""
        outcome = self.outcome
        return {'name': self.name, 'kind': self.kind, 'command': self.command,
                'state': self.state(), 'seconds': self.seconds, 'passed': outcome.passed,
                'failed': outcome.failed, 'skipped': outcome.skipped,
                'reasons': dict(outcome.reasons.most_common()), 'failures': outcome.failures}


class Table:
    """All rows, and the cases that passed in none of them"""

    def __init__(self, rows, known, programs, is_part):
        self.rows = rows
        self.is_part = is_part
        outcomes = {row.name: row.outcome for row in rows if row.kind == 'tests'}
        never, self.total = union.never_passed(outcomes, programs)
        self.never = [(case, known.reason(case), reasons)
                      for case, reasons in sorted(never.items())]
        self.unused = [] if is_part else known.unused()

    def unknown(self):
        """Cases that passed nowhere, without a known reason"""
        return [(case, reasons) for case, reason, reasons in self.never if not reason]

    def is_good(self):
        """Is the matrix a success?"""
        if any(row.state() == 'failed' for row in self.rows):
            return False
        if self.is_part:
            return True
        return not (self.unknown() or self.unused
                    or any(row.state() == 'not run' for row in self.rows))

    def show(self):
        """Print all of it."""
        lines = [('configuration', 'passed', 'failed', 'skipped', 'min', 'result', 'command'),
                 *(row.cells() for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*lines)]
        print()
        for line in lines:
            left = line[0].ljust(widths[0])
            numbers = (cell.rjust(width) for cell, width in zip(line[1:5], widths[1:5]))
            print('  '.join([left, *numbers, line[5].ljust(widths[5]), line[6]]).rstrip())
        self.show_reasons()
        self.show_failures()
        self.show_never()
        failed = sum(row.state() == 'failed' for row in self.rows)
        left = sum(row.state() == 'not run' for row in self.rows)
        part = ' (a part of the matrix)' if self.is_part else ''
        print(f'\n{len(self.rows)} configurations, {failed} failed, {left} not run; '
              f'{len(self.unknown())} of {self.total:,} cases passed in none, without a known '
              f'reason{part}', flush=True)

    def show_reasons(self):
        """Skips of each configuration, by reason"""
        for row in self.rows:
            if row.outcome.reasons:
                print(f'\nskipped on {row.name}:')
            for reason, count in row.outcome.reasons.most_common():
                print(f'{count:7,}  {reason}')

    def show_failures(self):
        """The failures, and where to read more"""
        for row in self.rows:
            if row.outcome.failures:
                print(f'\nfailed on {row.name}:')
            for text in row.outcome.failures:
                print(f'  {text}')
            for line in row.lines:
                print(f'    {line}')

    def show_never(self):
        """Cases that passed in no configuration"""
        if not self.total:
            return
        print(f'\n{self.total - len(self.never):,} of {self.total:,} cases passed in at least one '
              'configuration')
        by_reason = {}
        for case, reason, _ in self.never:
            by_reason.setdefault(reason, []).append(case)
        for reason, cases in by_reason.items():
            if reason:
                print(f'{len(cases):7,}  passed in none: {reason}')
        self.show_unknown()
        for pattern in self.unused:
            print(f'  {pattern} in the file "nowhere" fits no such case: remove it')

    def show_unknown(self):
        """A line for each program and reason; all names are in results.json."""
        groups = {}
        for (program, case), reasons in self.unknown():
            why = '; '.join(f'{name}: {reason}' for name, reason in reasons.items())
            groups.setdefault((program, why or 'it is in no run'), []).append(case)
        for (program, why), cases in groups.items():
            more = f' and {len(cases) - 1} more' if len(cases) > 1 else ''
            print(f'  passed in none: {program}: {cases[0]}{more} ({why})')

    def as_json(self):
        """The contents of results.json"""
        return {'rows': [row.as_json() for row in self.rows], 'part': self.is_part,
                'good': self.is_good(), 'cases': self.total,
                'never': [{'program': case[0], 'case': case[1], 'known': reason,
                           'reasons': reasons} for case, reason, reasons in self.never]}
