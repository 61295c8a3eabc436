#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Run the conformance suite in a VM, on each device of a set.

A bad driver may end the VM, or hang it. The journal of the suite outlives the VM, so a new VM
goes on with the next case. Each file of devices/ describes a set: what the VM needs, which
devices the suite runs on, and the outcome that is expected.

The exit status is 0 if the outcome is the expected one, and 1 if it is not. If the suite could
not run, it is the suite's exit status.

Usage: [ARGS=OPTIONS TEST_TIMEOUT=SECONDS ADD=FILE...] run.py SET OUT CACHE boot.sh's options...
  OPTIONS  more options of the suite, for example "--clause arc.*"
  SECONDS  time limit for a case
  FILE     more files for /added
  OUT      build directory of this kernel; the reports go to OUT/conformance/SET
"""

import os
import re
import signal
import subprocess
import sys
import tarfile
import tempfile
import time

import devices
import ktap_results

HERE = os.path.dirname(os.path.realpath(__file__))
BOOT = os.path.join(HERE, '../boot')
sys.path.append(BOOT)
import patterns  # noqa: E402  pylint: disable=wrong-import-position

MAX_REBOOTS = 40
# On a busy host a kernel under TCG may panic at boot: "IO-APIC + timer doesn't work".
MAX_BARREN = 2
# Exit statuses of the suite, see vfio-migration-conformance --help
VIOLATED = 1
CANNOT_RUN = 2
CRASHED = 3
# For the boot, and for what the suite does between two cases
STALL_MARGIN = 90
# Lines of the console that a report has
REPORT_LINES = 40


class Failure(Exception):
    """The run cannot go on; has the exit status."""

    def __init__(self, text, status=CANNOT_RUN):
        super().__init__(text)
        self.status = status


class Journal:
    """The text from the VM: lines of the suite, and marks of the script suite.sh.

    "@kernel RELEASE", "@run NAME", "@end NAME STATUS", "@skip NAME"
    """

    def __init__(self, names, directory):
        self.names = names
        self.directory = directory
        self.lines = 0
        self.last = None
        self.kernel = ''
        self.status = {}
        self.skipped = set()
        for name in names:
            open(self.path(name), 'w', encoding='utf-8').close()

    def path(self, name):
        """The file that the next VM begins with."""
        return os.path.join(self.directory, name + '.journal')

    def add(self, text):
        """Add what one VM wrote; a last line without an end is not complete."""
        current = None
        self.status = {}
        for line in text.split('\n')[:-1]:
            word = line.split(' ')
            if word[0] == '@kernel':
                self.kernel = word[1]
            elif word[0] == '@run':
                current = word[1]
            elif word[0] == '@skip':
                self.skipped.add(word[1])
            elif word[0] == '@end':
                self.status[word[1]] = int(word[2])
            elif current in self.names:
                self.append(current, line)

    def append(self, name, line):
        """Add a line of the suite: "begin" and "end" have a case, "boot" is no result."""
        fields = line.split('\t')
        if fields[0] in ('begin', 'end'):
            self.lines += 1
            self.last = [name, *fields[:4]]
        with open(self.path(name), 'a', encoding='utf-8') as file:
            file.write(line + '\n')

    def take_back(self):
        """The last case that began is run again: the suite skips a case that has begun."""
        path = self.path(self.last[0])
        with open(path, encoding='utf-8') as file:
            lines = file.readlines()
        while not lines.pop().startswith('begin\t'):
            pass
        with open(path, 'w', encoding='utf-8') as file:
            file.writelines(lines)

    def end_case(self, kernel):
        """The VM ended in the last case that began; kernel: lines of its console.

        In words of the suite's journal.c: the time, a violation, a crash, why, messages,
        seen, calls, kernel.
        """
        name, _, *case = self.last
        text = ''.join(line.replace('\\', '\\\\').replace('\t', '    ') + '\\n'
                       for line in kernel)
        self.append(name, '\t'.join(['end', *case, '0', '1', 'crash', 'the machine died in it',
                                     '-', '-', '-', text or '-']))

    def is_complete(self):
        """Has the suite come to its end on each device?"""
        return all(name in self.skipped or self.status.get(name, CRASHED) != CRASHED
                   for name in self.names)


def log_name(setup, number):
    """The name of the logs of the VM with this number."""
    return f'conformance-{setup.name}-{number}'


def quoted(word):
    """A word for the shell of the VM"""
    return "'" + word.replace("'", "'\\''") + "'"


class Run:
    """The run on all devices of a set."""

    def __init__(self, setup, out, cache, options, work):
        self.setup = setup
        self.out = out
        self.command = [os.path.join(BOOT, 'run.sh'), cache, *options]
        self.work = work
        self.journal = Journal([run.name for run in setup.runs], work)
        self.limit = int(os.environ.get('TEST_TIMEOUT') or 10)
        # The kernel has a report, or the VM has ended early
        self.failed = False
        # Cases in which it reported that a CPU made no progress
        self.stalled = []

    def file(self, name):
        """The path of a temporary file"""
        return os.path.join(self.work, name)

    def write_inputs(self):
        """Write what the script in the VM reads; returns the names of all its files."""
        with open(self.file('runs'), 'w', encoding='utf-8') as file:
            for run in self.setup.runs:
                file.write(f'{run.name}\t{run.path}\t{run.device}\n')
        with open(self.file('functions'), 'w', encoding='utf-8') as file:
            file.writelines(f'{name}\n' for name in self.setup.functions)
        files = [os.path.join(HERE, 'suite.sh'), self.file('runs'), self.file('functions')]
        files += [self.journal.path(run.name) for run in self.setup.runs]
        if self.setup.module not in ('', 'mtty'):
            files.append(os.path.join(self.out, self.setup.module))
        return files

    def boot_options(self, number):
        """Options of boot.sh, besides those of the caller."""
        watch = os.path.join(HERE, 'watch.py')
        stall = 2 * self.limit + STALL_MARGIN
        options = ['-n', log_name(self.setup, number), '-j', self.file('vm'),
                   '-f', self.file('report.tar'),
                   '-r', f'python3 {watch} {self.file("vm")} {stall}']
        if self.setup.module != 'mtty':
            options += ['-t', '']
        if self.setup.machine:
            options += ['-d', self.setup.machine]
        if self.setup.cmdline:
            options += ['-c', self.setup.cmdline]
        if self.setup.tolerant:
            options.append('-w')
        return options

    def boot(self, number):
        """Boot a VM and add its journal; returns the exit status and the messages of boot.sh."""
        for name in ('vm', 'report.tar'):
            open(self.file(name), 'w', encoding='utf-8').close()
        words = [f'--timeout={self.limit}', *self.setup.options,
                 *os.environ.get('ARGS', '').split()]
        environment = dict(os.environ, ADD=' '.join(self.write_inputs() + [os.environ.get('ADD', '')]),
                           RUN='exec sh suite.sh ' + ' '.join(map(quoted, words)))
        with subprocess.Popen(self.command + self.boot_options(number), env=environment,
                              stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              encoding='utf-8', errors='replace') as child:
            try:
                _, messages = child.communicate()
            finally:
                # After a signal boot.sh ends QEMU and removes its files.
                child.terminate()
        with open(self.file('vm'), encoding='utf-8', errors='replace') as file:
            self.journal.add(file.read())
        return child.returncode, messages

    def kernel_report(self, number):
        """Lines of the console from the first report of the kernel on."""
        reports = patterns.read('kernel-reports')
        path = os.path.join(self.out, 'log', log_name(self.setup, number) + '.console')
        try:
            with open(path, encoding='ascii', errors='replace') as file:
                lines = [line.rstrip().replace('\ufffd', '?') for line in file]
        except OSError as error:
            return [str(error)]
        found = [number for number, line in enumerate(lines) if reports.search(line)]
        return lines[found[0]:found[0] + REPORT_LINES] if found else []

    def reboot(self, number, messages):
        """Print why a new VM is booted, and end the case that was running."""
        report = self.kernel_report(number)
        name, word, *case = self.journal.last
        # QEMU itself may have ended.
        report = report or [line for line in messages.split('\n') if 'error: ' in line][:1]
        # A busy host may be the cause of a stall, so it is judged when it is seen twice.
        again = (word == 'begin' and report and patterns.read('kernel-stalls').search(report[0])
                 and self.journal.last not in self.stalled)
        print(f'reboot {number + 1}: {name}: in {" ".join(case[1:])}: '
              f'{report[0] if report else "unknown"}{"; it is run again" if again else ""}',
              flush=True)
        if again:
            self.stalled.append(self.journal.last)
            self.journal.take_back()
        elif word == 'begin':
            self.journal.end_case(report)

    def until_complete(self):
        """Boot VMs until the suite has come to its end on each device."""
        barren = 0
        for number in range(MAX_REBOOTS + 1):
            before = self.journal.lines
            status, messages = self.boot(number)
            if status != 0 and not self.setup.tolerant:
                self.failed = True
                print(messages, end='', file=sys.stderr)
            # The reports are the last that a VM sends.
            if self.journal.is_complete() and os.path.getsize(self.file('report.tar')):
                return number
            barren = barren + 1 if self.journal.lines == before else 0
            if barren == MAX_BARREN:
                if self.setup.tolerant:
                    print(messages, end='', file=sys.stderr)
                raise Failure('the VM ended without a new result')
            if barren:
                print('the VM ended without a new result: once more', flush=True)
                continue
            self.reboot(number, messages)
        raise Failure(f'the VM ended early {MAX_REBOOTS + 1} times')

    def unpack(self):
        """Move the reports to their place; returns their directory."""
        to = os.path.join(self.out, 'conformance', self.setup.name)
        os.makedirs(to, exist_ok=True)
        for name in os.listdir(to):
            os.unlink(os.path.join(to, name))
        with tarfile.open(self.file('report.tar')) as tar:
            for member in tar:
                if member.isfile():
                    name = os.path.basename(member.name)
                    with open(os.path.join(to, name), 'wb') as file:
                        file.write(tar.extractfile(member).read())
        return to

    def results(self, run, directory):
        """The results of one run: clause to state."""
        path = os.path.join(directory, run.name + '.txt')
        status = self.journal.status[run.name]
        with open(path, encoding='utf-8', errors='replace') as file:
            text = file.read()
        if status not in (0, VIOLATED):
            print(text, end='')
            raise Failure(f'{run.name}: the suite ended with status {status}', status)
        return ktap_results.read(text.split('\n'))

    def judge(self, directory):
        """Print a line for each device and the differences; returns the exit status."""
        untested = devices.untested(os.path.join(self.out, 'selftests/clauses'))
        differences = {}
        for run in self.setup.runs:
            if run.name in self.journal.skipped:
                print(f'{run.name}: skipped, this kernel has no iommufd')
                continue
            results = self.results(run, directory)
            print(f'{run.name}: {ktap_results.summary(results)}')
            for text in self.setup.differences(run, self.journal.kernel, results, untested):
                differences.setdefault(text, []).append(run.name)
        for text, names in differences.items():
            print(f'not expected: {text} ({", ".join(names)})')
        return VIOLATED if differences or self.failed else 0


def remove_logs(setup, out):
    """An earlier run may have had more VMs."""
    directory = os.path.join(out, 'log')
    if not os.path.isdir(directory):
        return
    for name in os.listdir(directory):
        if re.fullmatch(re.escape(f'conformance-{setup.name}-') + r'\d+\.console', name):
            os.unlink(os.path.join(directory, name))


def main():
    """Returns the exit status."""
    if len(sys.argv) < 4:
        print(__doc__, file=sys.stderr)
        return CANNOT_RUN
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    name, out, cache, *options = sys.argv[1:]
    try:
        setup = devices.read(os.path.join(HERE, 'devices', name))
        remove_logs(setup, out)
        start = time.monotonic()
        with tempfile.TemporaryDirectory(prefix='conformance.', dir=out) as work:
            run = Run(setup, out, cache, options, work)
            reboots = run.until_complete()
            directory = run.unpack()
            status = run.judge(directory)
        print(f'{name}: {"as expected" if status == 0 else "NOT as expected"}, '
              f'{reboots} reboots, {time.monotonic() - start:.0f} s; reports: {directory}')
    except (Failure, devices.Mistake) as error:
        print(f'error: {error}', file=sys.stderr)
        return getattr(error, 'status', CANNOT_RUN)
    return status


if __name__ == '__main__':
    sys.exit(main())
