# SPDX-License-Identifier: GPL-2.0
"""Runs the cases of a test program, and says in KTAP how they ended.

A program has one guest, which goes through its cases one after the other. When one of
them fails, the next begins with another guest, as nobody knows what state the old one
is in. What holds for all of a guest's life is judged when it ends.
"""

import os
import sys
import time
import traceback

sys.path.append('/kselftest')
import ksft  # noqa: E402  pylint: disable=wrong-import-position,import-error

from .lab import GuestRun, pack_guest  # noqa: E402
from .trace import Trace  # noqa: E402


class Skip(Exception):
    """This case cannot be run here; the text is the reason."""


class Cases:
    """Cases that need no guest, or each one of its own."""

    def __init__(self, cases):
        self.cases = cases
        self.excused = False

    def run(self):
        """Runs all of them, and ends the process. "-t NAME" selects one."""
        if '-t' in sys.argv:
            wanted = sys.argv[sys.argv.index('-t') + 1]
            self.cases = [case for case in self.cases if case.__name__ == wanted]
        ksft.print_header()
        ksft.set_plan(self.plan())
        pack_guest('/selftests/qemu/guest/init')
        os.makedirs(where(), exist_ok=True)
        os.chdir(where())
        for case in self.cases:
            self.run_case(case)
        self.finish()
        sys.stdout.flush()
        ksft.finished()

    def run_case(self, case):
        """One of them."""
        start = time.monotonic()
        try:
            self.call(case)
        except Skip as skip:
            result(f'{case.__name__} # SKIP {skip}', True)
            return
        except Exception:  # pylint: disable=broad-except
            self.explain(traceback.format_exc())
            if self.is_to_be_repeated():
                self.run_case(case)
            else:
                result(case.__name__, False)
            return
        print(f'# {case.__doc__.splitlines()[0]} ({time.monotonic() - start:.1f} s)')
        result(case.__name__, True)

    def plan(self):
        """How many results there will be."""
        return len(self.cases)

    def call(self, case):
        """A case as it wants to be called."""
        case()

    def finish(self):
        """After the last case."""

    def is_to_be_repeated(self):
        """An emulated processor is now and then, in one of a hundred migrations, not up to
        running guests: the guest's faults three times, which none of our devices can make
        it do. That is excused once.
        """
        if not GuestRun.crashes or self.excused:
            return False
        self.excused = True
        print("# the guest's processor has given up (a triple fault): once more")
        return True

    def explain(self, text):
        """All that may tell why a case has failed."""
        for line in text.splitlines():
            print('#', line)


class Program(Cases):
    """Cases with a guest, and what there is to know of it (see GuestRun)."""

    def __init__(self, cases, **guest):
        super().__init__(cases)
        self.guest = guest
        self.guest_run = None
        self.trace = None

    def plan(self):
        return len(self.cases) + 1

    def call(self, case):
        if not self.guest_run:
            self.begin()
        self.guest_run.label = case.__name__
        case(self.guest_run)

    def begin(self):
        """A guest, watched from its first moment."""
        self.trace = Trace(messages=self.guest.get('msi', False))
        self.guest_run = GuestRun(**self.guest)
        ready = self.guest_run.boot()
        for port in ready.ports:
            assert port['uart'] == '16550A', ready.line
            assert port['irq'] > 0, ready.line
        self.trace.begin_interrupts(ready)
        self.guest_run.vmm.link.say('go')

    def abandon(self):
        """Nothing more can be learned from this guest."""
        if self.guest_run:
            self.guest_run.end()
            self.guest_run = None
        if self.trace:
            self.trace.end()
            self.trace = None

    def finish(self):
        """What holds for the guest's whole life."""
        try:
            if self.guest_run:
                judge_life(self.guest_run, self.trace)
            result('all_of_the_guests_life', bool(self.guest_run))
        except Exception:  # pylint: disable=broad-except
            self.explain(traceback.format_exc())
            result('all_of_the_guests_life', False)
        self.abandon()

    def explain(self, text):
        super().explain(text)
        for vmm in self.guest_run.all if self.guest_run else []:
            state = vmm.process.poll()
            print(f'# {vmm.name}:', 'runs' if state is None else f'ended with status {state}')
            for path in (vmm.said, f'{vmm.name}.console'):
                for line in tail(path, 12):
                    print(f'#   {path}: {line}')
        self.abandon()


def judge_life(guest_run, trace):
    """No byte and no interrupt was lost, and QEMU had nothing to say about our device."""
    last = guest_run.vmm.link.pause()
    log = guest_run.vmm.link.log()
    print(f'# {last.line}')
    print(f'# {log}')
    for index, port in enumerate(last.ports):
        assert port['sent'] == port['received'], f'bytes are missing: {last.line}'
        assert port['wrong'] == 0, f'bytes were wrong: {last.line}'
        assert port['oe'] == port['fe'] == port['pe'] == port['brk'] == 0, last.line
        assert port['tx'] == port['rx'] == port['sent'], f'the driver lost some: {last.line}'
        if log['error'] == 0:
            assert log[f'logged{index}'] == port['sent'], f'{log}, but {last.line}'
    assert log['error'] == 0 and log['wrong'] == 0, f'the log differs: {log}'
    if guest_run.how['msi']:
        trace.judge_msi(last)
    else:
        trace.judge_intx(last)
    said = [f'{vmm.name}: {line}' for vmm in guest_run.all for line in vmm.warnings()]
    assert not said, 'QEMU said: ' + '; '.join(said)


def result(text, passed):
    """A line of KTAP, at once."""
    ksft.test_result(passed, text)
    sys.stdout.flush()


def where():
    """The files of this program."""
    return os.path.join('/report', os.path.splitext(os.path.basename(sys.argv[0]))[0])


def tail(path, count):
    """The last lines of a file that may not be there."""
    try:
        with open(path, encoding='utf-8', errors='replace') as file:
            return [line.rstrip() for line in file][-count:]
    except FileNotFoundError:
        return []
