# SPDX-License-Identifier: GPL-2.0
"""Run the cases of a test program, and report in KTAP.

A program has one guest for all its cases. After a failed case the next begins with a new
guest, because the state of the old one is unknown. The counters of a guest's whole life are
checked when it ends.
"""

import contextlib
import os
import sys
import time
import traceback

sys.path.append('/kselftest')
import ksft  # noqa: E402  pylint: disable=wrong-import-position,import-error

from . import config  # noqa: E402
from .guest_run import GuestRun, Way, pack_guest  # noqa: E402
from .qemu import has_version  # noqa: E402
from .qmp import QmpClosed, QmpError  # noqa: E402
from .trace import Trace  # noqa: E402


class Skip(Exception):
    """The case is skipped; the text is the reason."""


class Cases:
    """Cases without a guest, or with a guest each."""

    def __init__(self, cases):
        self.cases = cases
        self.repeated = None

    def run(self):
        """Run the cases, and exit. "-t NAME" selects one."""
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
        """Run one case."""
        start = time.monotonic()
        try:
            self.call(case)
        except Skip as skip:
            result(f'{case.__name__} # SKIP {skip}', True)
            return
        except Exception:  # pylint: disable=broad-except
            self.explain(traceback.format_exc())
            if self.is_to_be_repeated(case):
                self.run_case(case)
            else:
                result(case.__name__, False)
            return
        again = '; repeated: the guest had a triple fault' if self.repeated is case else ''
        print(f'# {self.about(case)} ({time.monotonic() - start:.1f} s){again}')
        result(case.__name__, True)

    def about(self, case):
        """The text that is printed with the result."""
        return case.__doc__.splitlines()[0]

    def plan(self):
        """Return the number of results."""
        return len(self.cases)

    def call(self, case):
        """Call a case with its arguments."""
        case()

    def finish(self):
        """After the last case."""

    def is_to_be_repeated(self, case):
        """In about one of a hundred migrations, the guest of an emulated processor has a
        triple fault, which a device cannot cause. The case is repeated once.
        """
        if not GuestRun.crashes or self.repeated:
            return False
        self.repeated = case
        print('# the guest had a triple fault: the case is repeated')
        return True

    def explain(self, text):
        """Print what helps to find the reason of a failure."""
        for line in text.splitlines():
            print('#', line)


class Program(Cases):
    """Cases that share a guest; the arguments are those of GuestRun."""

    def __init__(self, cases, **guest):
        super().__init__(cases)
        self.guest = guest
        self.guest_run = None
        self.trace = None

    def plan(self):
        return len(self.cases) + 1

    def about(self, case):
        lost = self.guest.get('lost')
        if not lost:
            return super().about(case)
        return f'{super().about(case)}; QEMU loses ' + ', '.join(map(config.name, lost))

    def call(self, case):
        if not self.guest_run:
            self.begin()
        self.guest_run.label = case.__name__
        case(self.guest_run)

    def begin(self):
        """Start the guest, traced from its boot."""
        self.trace = Trace(messages=self.guest.get('msi', False))
        self.guest_run = GuestRun(**self.guest)
        ready = self.guest_run.boot()
        for port in ready.ports:
            assert port['uart'] == '16550A', ready.line
            assert port['irq'] > 0, ready.line
        self.trace.begin_interrupts(ready)
        self.guest_run.vmm.link.send('go')

    def abandon(self):
        """End the guest."""
        if self.guest_run:
            self.guest_run.end()
            self.guest_run = None
        if self.trace:
            self.trace.end()
            self.trace = None

    def finish(self):
        """Check the guest's whole life."""
        try:
            if self.guest_run:
                check_life(self.guest_run, self.trace)
            result('all_of_the_guests_life', bool(self.guest_run))
        except Exception:  # pylint: disable=broad-except
            self.explain(traceback.format_exc())
            result('all_of_the_guests_life', False)
        self.abandon()

    def explain(self, text):
        super().explain(text)
        for vmm in self.guest_run.vmms if self.guest_run else []:
            state = vmm.process.poll()
            print(f'# {vmm.name}:', 'runs' if state is None else f'ended with status {state}')
            for line in processor(vmm) if state is None else []:
                print(f'#   {line}')
            for path in (vmm.stderr, f'{vmm.name}.console'):
                for line in tail(path, 12):
                    print(f'#   {path}: {line}')
        self.abandon()


def there(guest_run):
    """Pre-copy, with all defaults"""
    guest_run.migrate(Way())


def and_back(guest_run):
    """With multifd"""
    guest_run.migrate(Way(('multifd',)))


def need_version(version):
    """Skip where Debian has no such package."""
    if not has_version(version):
        raise Skip(f'no QEMU {version} on this architecture')


def check_life(guest_run, trace):
    """No byte and no interrupt was lost, and QEMU printed no warning about the device."""
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
    if guest_run.options['msi']:
        trace.check_msi(last)
    else:
        trace.check_intx(last)
    gave_up = [f'{vmm.name}: {line}' for vmm in guest_run.vmms for line in vmm.gave_up()]
    assert not gave_up, 'the guest gave up: ' + '; '.join(gave_up)
    warnings = [f'{vmm.name}: {line}' for vmm in guest_run.vmms for line in vmm.warnings()]
    assert not warnings, 'QEMU printed: ' + '; '.join(warnings)


def result(text, passed):
    """Print a result, at once."""
    ksft.test_result(passed, text)
    sys.stdout.flush()


@contextlib.contextmanager
def new_guest(label, **arguments):
    """A guest and its trace, in a new directory; the guest sends."""
    directory = os.path.join(where(), label)
    os.makedirs(directory, exist_ok=True)
    os.chdir(directory)
    trace = Trace(messages=arguments.get('msi', False))
    guest_run = None
    try:
        guest_run = GuestRun(**arguments)
        trace.begin_interrupts(guest_run.boot())
        guest_run.vmm.link.send('go')
        yield guest_run, trace
    finally:
        if guest_run:
            guest_run.end()
        trace.end()


def where():
    """Directory for the files of this program."""
    return os.path.join('/report', os.path.splitext(os.path.basename(sys.argv[0]))[0])


def processor(vmm):
    """What the guest's processor does, if QEMU answers."""
    try:
        return vmm.processor()
    except (QmpClosed, QmpError, TimeoutError) as error:
        return [f'its monitor does not answer: {error}']


def tail(path, count):
    """The last lines of a file, if it exists."""
    try:
        with open(path, encoding='utf-8', errors='replace') as file:
            return [line.rstrip() for line in file][-count:]
    except FileNotFoundError:
        return []
