# SPDX-License-Identifier: GPL-2.0
"""Check the form of a program's KTAP.

The kernel's parser accepts broken logs: it stops when the plan is fulfilled, needs no plan,
and ignores wrong numbers. Here a program that does not report as announced has failed.

Form: Documentation/dev-tools/ktap.rst of the kernel.
"""

import re

HEADER = re.compile(r'( *)K?TAP version \d+$')
SUBTEST = re.compile(r'( *)# Subtest: ')
PLAN = re.compile(r'( *)1\.\.(\d+)(?= # SKIP|$)')
# As the kernel's parser expects it
RESULT = re.compile(r'( *)(ok|not ok) (\d+) [^#]*(?: # .*)?$')
# Almost a result: the kernel's parser would ignore it
ALMOST = re.compile(r'\s*(not ok\b|ok \d+\b)')
BAIL_OUT = re.compile(r'\s*Bail out!')
# Control characters but tab, carriage return and escape (of a colour); U+FFFD stands for
# bytes that are not UTF-8
NO_TEXT = re.compile('[\x00-\x08\x0a-\x0c\x0e-\x1a\x1c-\x1f\x7f\ufffd]')


class Level:
    """A list of results and its plan; those of subtests are indented."""

    def __init__(self, indent):
        self.indent = indent
        self.planned = None
        self.results = 0

    def plan(self, planned):
        """Count a plan; returns an error or None."""
        if self.planned is not None:
            return 'a second plan'
        self.planned = planned
        return 'a plan after the first result' if self.results else None

    def result(self, number):
        """Count a result; returns an error or None."""
        self.results += 1
        if self.planned is None:
            return 'a result without a plan' if self.results == 1 else None
        if self.results > self.planned:
            return f'more results than the {self.planned} of the plan'
        if number != self.results:
            return f'number {number} where {self.results} is expected'
        return None


class Checker:
    """Checks the lines of one program."""

    def __init__(self):
        self.levels = []
        self.ok = 0
        self.not_ok = 0

    def header(self, indent):
        """A list begins; returns an error or None."""
        while self.levels and self.levels[-1].indent > indent:
            self.levels.pop()
        if self.levels and self.levels[-1].indent == indent:
            return 'a second header'
        self.levels.append(Level(indent))
        return None

    def level(self, indent):
        """The list with this indentation, or None."""
        while self.levels and self.levels[-1].indent > indent:
            self.levels.pop()
        if self.levels and self.levels[-1].indent == indent:
            return self.levels[-1]
        return None

    def line(self, text):
        """Check one line; returns an error or None."""
        found = HEADER.match(text)
        if found:
            return self.header(len(found.group(1)))
        found = SUBTEST.match(text)
        if found and not self.level(len(found.group(1))):
            return self.header(len(found.group(1)))
        found = PLAN.match(text)
        if found:
            level = self.level(len(found.group(1)))
            if level:
                return level.plan(int(found.group(2)))
            return 'a plan before the header' if found.group(2) != '0' else None
        found = RESULT.match(text)
        if found:
            return self.result(*found.groups())
        if ALMOST.match(text):
            return 'a result that is not KTAP'
        if BAIL_OUT.match(text):
            return 'Bail out!'
        return 'not text' if NO_TEXT.search(text) else None

    def result(self, indent, word, number):
        """Count a result; returns an error or None."""
        level = self.level(len(indent))
        if level is None or level is self.levels[0]:
            if word == 'ok':
                self.ok += 1
            else:
                self.not_ok += 1
        return level.result(int(number)) if level else 'a result before the header'


def check(lines):
    """Return errors as (text, line), and the numbers of results ok and not ok."""
    checker = Checker()
    errors = []
    for line in lines:
        text = checker.line(line.rstrip())
        if text:
            errors.append((text, line))
    return errors, checker.ok, checker.not_ok
