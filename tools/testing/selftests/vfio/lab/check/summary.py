#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Judge the output of the tests.

Reads the output of run-tests while the VM runs, and prints one line for each test program, and
failures in full. At the end of each program it takes the next from the file QUEUE, which other
VMs use, too, and sends its name to the VM. If the form of the KTAP is right (ktap.py), it is
parsed by the kernel's tools/testing/kunit/kunit_parser.py. The exit status is 0 only if each
program ran to its end and no case failed. With MAY_SKIP, a regular expression, other reasons
for a skip are failures.
With AGAIN, the begin of a make command, a failure has the command that repeats it; what the case is
about is in its source (again.py).
With PROGRESS each case is printed when it ends, with the line that the program printed before.
With PRINT_LOCK, a file, other processes print their lines before or after those of a program.

Usage: [QUEUE=FILE] summary.py KERNEL_SOURCE MARK TIMEOUT DIR [TEST...]
  TEST is a program that is run without QUEUE.
  DIR  gets "ktap", the input, and "sums": cases passed, failed, skipped
"""

import contextlib
import fcntl
import io
import os
import re
import signal
import sys
from collections import Counter

import again
import ktap

sys.path.append(os.path.join(os.path.dirname(os.path.realpath(__file__)), '../boot'))
import output  # noqa: E402  pylint: disable=wrong-import-position

KILLED = 128 + signal.SIGKILL
ERRORS_SHOWN = 10


class Program:
    """The results of one test program."""

    def __init__(self, name):
        self.name = name
        self.lines = []
        self.passed = 0
        self.failed = 0
        self.missing = 0
        self.skipped = []
        self.failures = []

    def fail(self, text, lines=(), case=None):
        """Add a failure, to be printed in full, and how to repeat it."""
        command = again.command(self.name, case)
        self.failures.append((text, [*lines] + ([f'run it again: {command}'] if command else [])))

    def judge(self, parse, status, limit):
        """Counts the cases; status is None if the VM ended first."""
        cases = self.count_cases(parse)
        if self.missing:
            self.fail(f'{self.missing} of {len(cases)} test cases were announced, but not reported')
        if status is None:
            self.fail_program('the VM ended while it ran')
        elif status == KILLED:
            self.fail_program(f'killed after its time limit, {limit} s')
        elif status > 128:
            self.fail_program(f'crashed: {signal_name(status - 128)}')
        elif not cases and status == 4:
            self.skip(self.name, skip_all_reason(self.lines))
        elif not cases and not self.failed:
            self.fail_program(f'ran no test case (exit status {status})')
        elif status == 4 and self.passed:
            self.fail_program('exit status 4 means that all cases were skipped, but some passed')
        elif status not in (0, 4) and not self.failed:
            self.fail_program(f'exit status {status}, though no case failed')

    def count_cases(self, parse):
        """Return the cases; none if the form is wrong."""
        errors, passed, failed = ktap.check(self.lines)
        if errors:
            self.passed += passed
            self.failed += failed + 1
            for text, line in errors[:ERRORS_SHOWN]:
                self.fail(f'{text}: {line!r}')
            if len(errors) > ERRORS_SHOWN:
                self.fail(f'and {len(errors) - ERRORS_SHOWN} more such lines')
            return []
        cases, odd = parse(self.lines)
        for case in cases:
            self.count(case)
        if odd and not self.failed:
            for text in odd:
                self.fail_program(text)
        return cases

    def count(self, case):
        """Count a case of the parser."""
        result = case.status.name
        if result == 'SUCCESS':
            self.passed += 1
        elif result == 'SKIPPED':
            self.skip(case.name, skip_reason(self.lines, case.name))
        else:
            self.failed += 1
            if result == 'FAILURE':
                self.fail(f'{case.name} failed', again.labels(self.name, case.name) + case.log,
                          case.name)
            else:
                self.missing += 1

    def skip(self, name, reason):
        """Count a skipped case; it is a failure if MAY_SKIP does not allow it."""
        if re.search(os.environ.get('MAY_SKIP', ''), reason):
            self.skipped.append((name, reason))
        else:
            self.failed += 1
            self.fail(f'{name} was skipped, which MAY_SKIP does not allow: {reason}')

    def fail_program(self, text):
        """Count a failure of the program as a whole."""
        self.failed += 1
        self.fail(text, self.lines[-30:])

    def show(self):
        """Print the program's line, and its failures."""
        with printing():
            self.show_all()

    def show_all(self):
        """Print without a lock."""
        word = 'not ok' if self.failed else 'ok'
        counts = [f'{self.passed} passed']
        if self.failed:
            counts.append(f'{self.failed} failed')
        if self.skipped:
            counts.append(f'{len(self.skipped)} skipped')
        print(f'{word} {self.name}:', ', '.join(counts))
        for text, lines in self.failures:
            print(f'  {self.name}: {text}')
            for line in lines:
                print('    ' + line)
        self.show_skipped()
        sys.stdout.flush()

    def show_skipped(self):
        """Print a line for each reason."""
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
    """The reason of a skipped case, which the parser does not keep."""
    for line in lines:
        found = re.match(r'\s*(?:not )?ok \d+ (?:- )?(.*?) # SKIP\s*(.*)', line)
        if found and found.group(1) == name:
            return found.group(2) or 'no reason given'
    return 'no reason given'


def skip_all_reason(lines):
    """The reason of a program that skipped all its cases."""
    for line in lines:
        if line.startswith('1..0 # SKIP '):
            return line.split(' # SKIP ', 1)[1]
    return 'no reason given'


def leaves(test):
    """The cases of a test of the parser."""
    for sub in test.subtests:
        if sub.subtests:
            yield from leaves(sub)
        else:
            yield sub


def suites(test):
    """The tests below a test of the parser that have cases."""
    for sub in test.subtests:
        if sub.subtests:
            yield sub
            yield from suites(sub)


def make_parser(source):
    """Return a function from lines of KTAP to test cases, and to errors."""
    sys.path.insert(0, os.path.join(source, 'tools/testing/kunit'))
    sys.dont_write_bytecode = True
    import kunit_parser
    import kunit_printer

    def parse(lines):
        output = io.StringIO()
        silent = kunit_printer.Printer(output=output)
        # The parser prints while it parses. Up to 6.13 it has the printer in a variable.
        if hasattr(kunit_parser, 'stdout'):
            with contextlib.ExitStack() as stack:
                for module in (kunit_parser, kunit_printer):
                    stack.callback(setattr, module, 'stdout', module.stdout)
                    module.stdout = silent
                test = kunit_parser.parse_run_tests(lines)
        else:
            test = kunit_parser.parse_run_tests(lines, silent)
        odd = re.findall(r'\[ERROR\] Test: (.*)', output.getvalue()) if test.subtests else []
        odd += [f'{suite.name} failed, though none of its cases did' for suite in suites(test)
                if suite.status.name == 'FAILURE']
        return list(leaves(test)), odd
    return parse


@contextlib.contextmanager
def locked(path):
    """Other processes wait."""
    with open(path, 'a+', encoding='utf-8') as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        yield file


@contextlib.contextmanager
def printing():
    """No other process prints between the lines."""
    if 'PRINT_LOCK' not in os.environ:
        yield
        return
    with locked(os.environ['PRINT_LOCK']):
        yield
        sys.stdout.flush()


def take_next(queue):
    """Remove the first program of the queue, and return it; an empty string if there is none."""
    with locked(queue) as file:
        first, *rest = file.read().split('\n')
        file.truncate(0)
        file.write('\n'.join(rest))
    return first


def send(line):
    """Send a line to the VM. The file is open for reading, too: a VM that ended reads nothing."""
    file = os.open(os.environ['VM_INPUT'], os.O_RDWR)
    os.write(file, (line + '\n').encode())
    os.close(file)


class Run:
    """Splits the stream at its marks, and adds up the results."""

    def __init__(self, parse, limit, expected):
        self.parse = parse
        self.limit = limit
        self.expected = expected
        self.queue = os.environ.get('QUEUE')
        self.done = []
        self.current = None

    def line(self, line, mark):
        """Process one line of the stream."""
        words = line.split()
        if not words or words[0] != mark:
            if self.current:
                self.progress(line)
                self.current.lines.append(line)
        elif words[1] == 'begin-run':
            self.next()
        elif words[1] == 'begin':
            self.current = Program(words[2])
        elif words[1] == 'end':
            self.finish(int(words[3]))
            self.next()

    def next(self):
        """Send the next program to the VM, or the end."""
        if self.queue:
            test = take_next(self.queue)
            if test:
                self.expected.append(test)
            send(test)

    def progress(self, line):
        """Print a case that has ended, with the line before its result."""
        found = re.match(r'(?:not )?ok \d+ (.*)', line)
        if not found or 'PROGRESS' not in os.environ:
            return
        about = self.current.lines[-1] if self.current.lines else ''
        name = f'{self.current.name}: ' if 'PRINT_LOCK' in os.environ else ''
        with printing():
            print(f'  {name}{found.group(1)}:', about.removeprefix('# '), flush=True)

    def finish(self, status):
        """The current program has ended, or the stream."""
        while self.current.lines and not self.current.lines[-1]:
            self.current.lines.pop()
        self.current.judge(self.parse, status, self.limit)
        self.current.show()
        self.done.append(self.current)
        self.current = None

    def end(self):
        """Count programs that were not run, and return the sums."""
        if self.current:
            self.finish(None)
        never = Counter(self.expected) - Counter(program.name for program in self.done)
        never = list(never.elements())
        if never:
            with printing():
                print('not ok, were not run:', ' '.join(never), flush=True)
        passed = sum(program.passed for program in self.done)
        failed = sum(program.failed for program in self.done) + len(never)
        skipped = sum(len(program.skipped) for program in self.done)
        return passed, failed, skipped


def main():
    """Read standard input to its end."""
    source, mark, limit, directory, *expected = sys.argv[1:]
    run = Run(make_parser(source), limit, expected)
    with open(os.path.join(directory, 'ktap'), 'w', encoding='utf-8') as ktap_file:
        for raw in sys.stdin.buffer:
            line = raw.decode('utf-8', 'replace').rstrip('\r\n')
            ktap_file.write(line + '\n')
            ktap_file.flush()
            run.line(line, mark)
    sums = run.end()
    with open(os.path.join(directory, 'sums'), 'w', encoding='utf-8') as out:
        print(*sums, file=out)
    return 1 if sums[1] else 0


if __name__ == '__main__':
    sys.exit(output.run(main))
