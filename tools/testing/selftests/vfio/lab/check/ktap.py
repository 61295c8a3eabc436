# SPDX-License-Identifier: GPL-2.0
"""Says what is wrong with the form of a program's KTAP.

The kernel's parser is made to get as much as it can out of a broken log. It stops where
the plan is fulfilled, needs no plan, and goes on after a wrong number. For a verdict that
is too kind: a program that does not report as it has announced has failed.

Form: Documentation/dev-tools/ktap.rst of the kernel.
"""

import re

HEADER = re.compile(r'( *)K?TAP version \d+$')
SUBTEST = re.compile(r'( *)# Subtest: ')
PLAN = re.compile(r'( *)1\.\.(\d+)(?= # SKIP|$)')
# As the kernel's parser wants it
RESULT = re.compile(r'( *)(ok|not ok) (\d+) [^#]*(?: # .*)?$')
# This was meant to be a result, and would be overlooked
ALMOST = re.compile(r'\s*(not ok\b|ok \d+\b)')
BAIL_OUT = re.compile(r'\s*Bail out!')
# All control characters but tab, carriage return and escape (of a colour); U+FFFD stands
# for bytes that are no UTF-8
NO_TEXT = re.compile('[\x00-\x08\x0a-\x0c\x0e-\x1a\x1c-\x1f\x7f\ufffd]')


class Level:
    """A list of results and its plan; those of subtests are indented."""

    def __init__(self, indent):
        self.indent = indent
        self.planned = None
        self.results = 0

    def plan(self, planned):
        """A plan has come; returns what is wrong with it."""
        if self.planned is not None:
            return 'a second plan'
        self.planned = planned
        return 'a plan behind the first result' if self.results else None

    def result(self, number):
        """A result has come; returns what is wrong with it."""
        self.results += 1
        if self.planned is None:
            return 'a result without a plan' if self.results == 1 else None
        if self.results > self.planned:
            return f'more results than the {self.planned} of the plan'
        if number != self.results:
            return f'number {number} where {self.results} comes next'
        return None


class Form:
    """Goes through the lines of one program."""

    def __init__(self):
        self.levels = []
        self.ok = 0
        self.not_ok = 0

    def header(self, indent):
        """A list begins."""
        while self.levels and self.levels[-1].indent > indent:
            self.levels.pop()
        if self.levels and self.levels[-1].indent == indent:
            return 'a second header'
        self.levels.append(Level(indent))
        return None

    def level(self, indent):
        """The list that what is so far indented belongs to."""
        while self.levels and self.levels[-1].indent > indent:
            self.levels.pop()
        if self.levels and self.levels[-1].indent == indent:
            return self.levels[-1]
        return None

    def line(self, text):
        """Returns what is wrong with one line."""
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
            return 'no result in the form of KTAP'
        if BAIL_OUT.match(text):
            return 'it gave up'
        return 'not text' if NO_TEXT.search(text) else None

    def result(self, indent, word, number):
        """One result."""
        level = self.level(len(indent))
        if level is None or level is self.levels[0]:
            if word == 'ok':
                self.ok += 1
            else:
                self.not_ok += 1
        return level.result(int(number)) if level else 'a result before the header'


def check(lines):
    """Gives what is wrong as (text, line), and how many results are ok and not ok."""
    form = Form()
    faults = []
    for line in lines:
        text = form.line(line.rstrip())
        if text:
            faults.append((text, line))
    return faults, form.ok, form.not_ok
