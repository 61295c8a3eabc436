# SPDX-License-Identifier: GPL-2.0
"""The outcome of a configuration, from its logs; and the cases that passed in none of them."""

import fnmatch
import os
import sys
from collections import Counter

HERE = os.path.dirname(os.path.realpath(__file__))
LAB = os.path.dirname(HERE)
sys.path += [os.path.join(LAB, 'check'), LAB]
import logs  # noqa: E402  pylint: disable=wrong-import-position
import stanzas  # noqa: E402  pylint: disable=wrong-import-position

# In place of a case, for a program that was skipped as a whole or is in no log
WHOLE = '(all cases)'


class Outcome:
    """The cases of one configuration"""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.reasons = Counter()
        self.failures = []
        # (program, case) to reason; a case that passed has no reason
        self.cases = {}

    def add(self, program):
        """Add a program of a log; "TEST@cdev" has the same cases as TEST."""
        name = program.name.split('@')[0]
        self.passed += program.passed
        self.failed += program.failed
        self.skipped += len(program.skipped)
        self.reasons.update(reason for _, reason in program.skipped)
        self.failures += [f'{program.name}: {text}' for text, _ in program.failures]
        reasons = dict(program.skipped)
        if not program.cases:
            self.keep((name, WHOLE), reasons.get(program.name, 'the program failed'))
        for case, result in program.cases.items():
            self.keep((name, case), None if result == 'SUCCESS' else reasons.get(case, 'failed'))

    def keep(self, case, reason):
        """A case that passed once has passed."""
        if case not in self.cases or reason is None:
            self.cases[case] = reason

    def fail_run(self, text):
        """The run failed as a whole, and no case did."""
        self.failed += 1
        self.failures.append(text)


def read(paths, parse):
    """The outcome in these logs"""
    outcome = Outcome()
    for path in sorted(paths):
        for program in logs.read(path, parse):
            outcome.add(program)
    return outcome


def never_passed(outcomes, known):
    """(program, case) to the reason in each configuration, and the number of all cases.

    OUTCOMES: name of a configuration to its outcome; KNOWN: programs that should be in one.
    """
    reasons, passed = {}, set()
    for name, outcome in outcomes.items():
        for case, reason in outcome.cases.items():
            reasons.setdefault(case, {})[name] = reason
            if reason is None:
                passed.add(case)
    with_cases = {program for program, case in reasons if case != WHOLE}
    # That a program was skipped as a whole is of no interest if its cases are known.
    reasons = {case: text for case, text in reasons.items()
               if case[1] != WHOLE or case[0] not in with_cases}
    for program in known - {program for program, _ in reasons}:
        reasons[program, WHOLE] = {}
    return {case: text for case, text in reasons.items() if case not in passed}, len(reasons)


class Known:
    """The cases of which it is known that they run in no configuration: the file "nowhere" """

    def __init__(self, path):
        self.entries = [(fields['Cases'], stanzas.one_line(fields['Reason']))
                        for _, fields in stanzas.read(path)]
        self.used = set()

    def reason(self, case):
        """The reason for a case, or None"""
        for pattern, reason in self.entries:
            if fnmatch.fnmatchcase(f'{case[0]}:{case[1]}', pattern):
                self.used.add(pattern)
                return reason
        return None

    def unused(self):
        """Entries that fit no case any more"""
        return [pattern for pattern, _ in self.entries if pattern not in self.used]
