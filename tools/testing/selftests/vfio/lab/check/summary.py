#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Turns what the tests print into a verdict.

Reads the output of run-tests while the VM runs, prints one line for each
test program, and in full what failed. Reading KTAP is left to the kernel's
own parser, tools/testing/kunit/kunit_parser.py, where its form is right (ktap.py). The
exit status is 0 only if every program ran to its end and no case failed. With MAY_SKIP
set a case may only be skipped for a reason that this regular expression is found in. With
PROGRESS set each case that takes its time is printed when it ends, with the line that the
program has printed before.

Usage: summary.py KERNEL_SOURCE MARK TIMEOUT DIR TEST...
  DIR  gets "ktap", all that was read, and "sums": cases passed, failed, skipped
"""

import contextlib
import io
import os
import re
import signal
import select
import sys
import threading
from collections import Counter

import ktap

KILLED = 128 + signal.SIGKILL
NO_READER = 128 + signal.SIGPIPE
FAULTS_SHOWN = 10


class Program:
    """All that is known of one test program."""

    def __init__(self, name):
        self.name = name
        self.lines = []
        self.passed = 0
        self.failed = 0
        self.missing = 0
        self.skipped = []
        self.troubles = []

    def trouble(self, text, lines=()):
        """Notes something that the console is to show in full."""
        self.troubles.append((text, list(lines)))

    def judge(self, parse, status, limit):
        """Counts the cases; status is None if the VM ended first."""
        cases = self.count_cases(parse)
        if self.missing:
            self.trouble(f'{self.missing} of {len(cases)} test cases were announced, but never reported')
        if status is None:
            self.not_a_case('the VM ended while it ran')
        elif status == KILLED:
            self.not_a_case(f'killed after its time limit, {limit} s')
        elif status > 128:
            self.not_a_case(f'crashed: {signal_name(status - 128)}')
        elif not cases and status == 4:
            self.skip(self.name, skip_all_reason(self.lines))
        elif not cases and not self.failed:
            self.not_a_case(f'ran no test case (exit status {status})')
        elif status == 4 and self.passed:
            self.not_a_case('exit status 4 means that all was skipped, though cases passed')
        elif status not in (0, 4) and not self.failed:
            self.not_a_case(f'exit status {status}, though no case failed')

    def count_cases(self, parse):
        """Returns the cases; there are none to be had from what has a wrong form."""
        faults, passed, failed = ktap.check(self.lines)
        if faults:
            self.passed += passed
            self.failed += failed + 1
            for text, line in faults[:FAULTS_SHOWN]:
                self.trouble(f'{text}: {line!r}')
            if len(faults) > FAULTS_SHOWN:
                self.trouble(f'and {len(faults) - FAULTS_SHOWN} more such lines')
            return []
        cases, odd = parse(self.lines)
        for case in cases:
            self.count(case)
        if odd and not self.failed:
            for text in odd:
                self.not_a_case(text)
        return cases

    def count(self, case):
        """One case of the parser's."""
        result = case.status.name
        if result == 'SUCCESS':
            self.passed += 1
        elif result == 'SKIPPED':
            self.skip(case.name, skip_reason(self.lines, case.name))
        else:
            self.failed += 1
            if result == 'FAILURE':
                self.trouble(f'{case.name} failed', case.log)
            else:
                self.missing += 1

    def skip(self, name, reason):
        """Not run, which where all should be there is no better than failed."""
        if re.search(os.environ.get('MAY_SKIP', ''), reason):
            self.skipped.append((name, reason))
        else:
            self.failed += 1
            self.trouble(f'{name} was skipped, and must not be here: {reason}')

    def not_a_case(self, text):
        """The program as a whole went wrong: that counts as one failure."""
        self.failed += 1
        self.trouble(text, self.lines[-30:])

    def show(self):
        """Prints the program's line, and what failed below it."""
        word = 'not ok' if self.failed else 'ok'
        counts = [f'{self.passed} passed']
        if self.failed:
            counts.append(f'{self.failed} failed')
        if self.skipped:
            counts.append(f'{len(self.skipped)} skipped')
        print(f'{word} {self.name}:', ', '.join(counts))
        for text, lines in self.troubles:
            print(f'  {self.name}: {text}')
            for line in lines:
                print('    ' + line)
        self.show_skipped()
        sys.stdout.flush()

    def show_skipped(self):
        """A line for each reason: one missing feature may skip many cases."""
        by_reason = {}
        for name, reason in self.skipped:
            by_reason.setdefault(reason, []).append(name)
        for reason, names in by_reason.items():
            more = f' and {len(names) - 1} more' if len(names) > 1 else ''
            print(f'  skipped {names[0]}{more}: {reason}')


def signal_name(number):
    """For example SIGSEGV."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f'signal {number}'


def skip_reason(lines, name):
    """The parser keeps the name of a skipped case, but not the reason."""
    for line in lines:
        found = re.match(r'\s*(?:not )?ok \d+ (?:- )?(.*?) # SKIP\s*(.*)', line)
        if found and found.group(1) == name:
            return found.group(2) or 'no reason given'
    return 'no reason given'


def skip_all_reason(lines):
    """Gives the reason of a program that cannot run any of its cases here."""
    for line in lines:
        if line.startswith('1..0 # SKIP '):
            return line.split(' # SKIP ', 1)[1]
    return 'no reason given'


def leaves(test):
    """The cases below a test of the parser's."""
    for sub in test.subtests:
        if sub.subtests:
            yield from leaves(sub)
        else:
            yield sub


def suites(test):
    """Those below a test of the parser's that have cases themselves."""
    for sub in test.subtests:
        if sub.subtests:
            yield sub
            yield from suites(sub)


def make_parser(source):
    """Gives a function from lines of KTAP to test cases, and to what is odd about them."""
    sys.path.insert(0, os.path.join(source, 'tools/testing/kunit'))
    sys.dont_write_bytecode = True
    import kunit_parser
    import kunit_printer

    def parse(lines):
        said = io.StringIO()
        silent = kunit_printer.Printer(said)
        # It prints as it parses; here the result alone is wanted.
        with contextlib.ExitStack() as stack:
            for module in (kunit_parser, kunit_printer):
                stack.callback(setattr, module, 'stdout', module.stdout)
                module.stdout = silent
            test = kunit_parser.parse_run_tests(lines)
        odd = re.findall(r'\[ERROR\] Test: (.*)', said.getvalue()) if test.subtests else []
        odd += [f'{suite.name} failed, though no case of it did' for suite in suites(test)
                if suite.status.name == 'FAILURE']
        return list(leaves(test)), odd
    return parse


class Run:
    """Splits the stream by its marks and adds everything up."""

    def __init__(self, parse, limit, expected):
        self.parse = parse
        self.limit = limit
        self.expected = expected
        self.done = []
        self.current = None

    def line(self, line, mark):
        """Takes one line of the stream."""
        words = line.split()
        if not words or words[0] != mark:
            if self.current:
                self.progress(line)
                self.current.lines.append(line)
        elif words[1] == 'begin':
            self.current = Program(words[2])
        elif words[1] == 'end':
            self.finish(int(words[3]))

    def progress(self, line):
        """A case has ended, whose name and text are two lines."""
        found = re.match(r'(?:not )?ok \d+ (.*)', line)
        if not found or 'PROGRESS' not in os.environ:
            return
        about = self.current.lines[-1] if self.current.lines else ''
        print(f'  {found.group(1)}:', about.removeprefix('# '), flush=True)

    def finish(self, status):
        """The current program has come to its end, or the stream has."""
        while self.current.lines and not self.current.lines[-1]:
            self.current.lines.pop()
        self.current.judge(self.parse, status, self.limit)
        self.current.show()
        self.done.append(self.current)
        self.current = None

    def end(self):
        """Accounts for what was not run, and returns the sums."""
        if self.current:
            self.finish(None)
        never = Counter(self.expected) - Counter(program.name for program in self.done)
        never = list(never.elements())
        if never:
            print('not ok, were not run:', ' '.join(never))
            sys.stdout.flush()
        passed = sum(program.passed for program in self.done)
        failed = sum(program.failed for program in self.done) + len(never)
        skipped = sum(len(program.skipped) for program in self.done)
        return passed, failed, skipped


def main():
    """Reads standard input to its end."""
    source, mark, limit, directory, *expected = sys.argv[1:]
    run = Run(make_parser(source), limit, expected)
    with open(os.path.join(directory, 'ktap'), 'w', encoding='utf-8') as copy:
        for raw in sys.stdin.buffer:
            line = raw.decode('utf-8', 'replace').rstrip('\r\n')
            copy.write(line + '\n')
            copy.flush()
            run.line(line, mark)
    sums = run.end()
    with open(os.path.join(directory, 'sums'), 'w', encoding='utf-8') as out:
        print(*sums, file=out)
    return 1 if sums[1] else 0


def end_with_the_reader():
    """Waits until nobody reads what this prints, and ends it then: so the VM ends, too."""
    poll = select.poll()
    # Without an event to wait for, errors alone are reported.
    poll.register(sys.stdout.fileno(), 0)
    poll.poll()
    os._exit(NO_READER)


def main_or_no_reader():
    """The verdict has no use when nobody reads it any more."""
    threading.Thread(target=end_with_the_reader, daemon=True).start()
    try:
        return main()
    except BrokenPipeError:
        # Python itself would complain about what is left to be written.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NO_READER


if __name__ == '__main__':
    sys.exit(main_or_no_reader())
