# SPDX-License-Identifier: GPL-2.0
"""Try a mutant: apply it to a copy of the repository, build, boot a VM, and run the tests."""

import os
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections import namedtuple

import faults
import first_failure  # it finds the modules of check/
import durations

LAB = os.path.join(faults.HERE, '..')
sys.path.append(os.path.join(LAB, 'boot'))
import patterns  # noqa: E402  pylint: disable=wrong-import-position

SELFTESTS = 'tools/testing/selftests/vfio'
# A VM that does not come to its first test is booted again: a kernel under TCG may panic at
# boot on a busy host.
BOOTS = 3
# Reports of a kernel that a busy machine may cause
STALL = patterns.read('kernel-stalls')
# Programs that run on this machine
HOST_TESTS = f'{SELFTESTS}/lab/check'

# In place of the case, if a program on this machine fails and no case did
NO_CASE = 'exit status'


class Result(namedtuple('Result', 'outcome by')):
    """outcome: "killed", "survived" or "error"; by: the case that failed, or an error"""

    def names_a_program(self):
        """Is it a program that killed the mutant? It may be a report of the kernel, too."""
        return self.outcome == 'killed' and '_test' in faults.split_case(self.by)[0]


class Failure(Exception):
    """The mutant cannot be judged."""


class Stopped(Exception):
    """A signal ends the run."""


class Children:
    """The programs that run now; they are ended together."""

    def __init__(self):
        # A signal may come while this thread has it.
        self.lock = threading.RLock()
        self.running = set()
        # The exit status, after the end of all
        self.stopped = 0

    def run(self, command, log, stdout=None, **options):
        """Run a program to its end; returns its exit status, the log gets its messages."""
        with open(log, 'w', encoding='utf-8') as file:
            with self.lock:
                if self.stopped:
                    raise Stopped
                child = subprocess.Popen(  # pylint: disable=consider-using-with
                    command, stdin=subprocess.DEVNULL, stdout=stdout or file, stderr=file,
                    start_new_session=True, **options)
                self.running.add(child)
                # A signal may have come before.
                if self.stopped:
                    os.killpg(child.pid, signal.SIGTERM)
            status = child.wait()
        with self.lock:
            self.running.remove(child)
            if self.stopped:
                raise Stopped
        return status

    def stop(self, status):
        """End all; boot.sh ends its VM and removes its files."""
        with self.lock:
            self.stopped = self.stopped or status
            for child in self.running:
                try:
                    os.killpg(child.pid, signal.SIGTERM)
                except ProcessLookupError:
                    pass


def repository_files(repo):
    """The files of the checkout, but for those that git ignores"""
    command = ['git', '-C', repo, 'ls-files', '-z', '-co', '--exclude-standard']
    names = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    return [name for name in os.fsdecode(names).split('\0')
            if name and os.path.isfile(os.path.join(repo, name))]


def read(path):
    """The bytes of a file, or None"""
    try:
        with open(path, 'rb') as file:
            return file.read()
    except OSError:
        return None


def last_lines(path, count):
    """The end of a log"""
    with open(path, encoding='utf-8', errors='replace') as file:
        return ' | '.join([line.strip() for line in file if line.strip()][-count:])


class Setting:
    """The same for all mutants of a run"""

    def __init__(self, repo, source, build, cache, make, boot):
        self.repo = repo
        self.source = source
        self.build = build
        self.cache = cache
        self.make = make
        self.boot = boot
        self.children = Children()
        settings = read(os.path.join(repo, SELFTESTS, 'migration/settings')).decode()
        self.limit = os.environ.get('TEST_TIMEOUT') or re.search(r'timeout=(\d+)', settings)[1]
        # make passes its own variables to the programs that it runs.
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.startswith(('MAKE', 'MFLAGS'))}

    def programs(self):
        """All test programs of the VM, the quickest first"""
        names = {name for name in os.listdir(os.path.join(self.build, 'selftests'))
                 if re.fullmatch(r'\w+_test(\.sh)?', name)}
        known = durations.read(os.path.join(self.build, 'log/durations'))
        return sorted(names, key=lambda name: (known.get(name, 0), name))

    def host_programs(self):
        """The test programs of this machine"""
        return sorted(name for name in os.listdir(os.path.join(self.repo, HOST_TESTS))
                      if name.endswith('_test.sh'))


class Trial:
    """A copy of the repository, in which one mutant after the other is tried."""

    def __init__(self, setting, directory):
        self.setting = setting
        self.directory = directory
        self.copy = os.path.join(directory, 'repo')
        self.out = os.path.join(directory, 'out')
        self.build = os.path.join(self.out, os.path.basename(setting.build))
        os.makedirs(self.build, exist_ok=True)
        self.synchronize()

    def log(self, name):
        """The path of a log of the last mutant"""
        return os.path.join(self.directory, name + '.log')

    def synchronize(self):
        """Make the copy equal to the checkout; a file that changes gets a new time."""
        names = set(repository_files(self.setting.repo))
        for directory, _, files in os.walk(self.copy):
            for file in files:
                path = os.path.join(directory, file)
                path_there = os.path.relpath(path, self.copy)
                if path_there not in names and not path_there.startswith('.git/'):
                    os.unlink(path)
        for name in names:
            self.restore(name)
        # Cases of the runner ask git for the files of the repository.
        for words in (['init', '-q'], ['add', '-A']):
            subprocess.run(['git', '-C', self.copy, *words], check=True)

    def restore(self, name):
        """Copy a file, if it differs."""
        source, to = os.path.join(self.setting.repo, name), os.path.join(self.copy, name)
        if read(source) != read(to):
            os.makedirs(os.path.dirname(to), exist_ok=True)
            shutil.copyfile(source, to)
        shutil.copymode(source, to)

    def write(self, mutant):
        """Apply the mutant."""
        path = os.path.join(self.copy, mutant.path)
        with open(path, encoding='utf-8') as file:
            text = faults.apply(mutant, file.read())
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)

    def run_make(self, target):
        """Build a target in the copy."""
        log = self.log('build')
        command = ['make', '-C', self.copy, target, f'OUT={self.out}', 'JOBS=1',
                   *self.setting.make]
        if self.setting.children.run(command, log, env=self.setting.environment):
            with open(log, encoding='utf-8', errors='replace') as file:
                errors = [line.strip() for line in file if 'error: ' in line]
            raise Failure(f'does not build: {(errors or [last_lines(log, 6)])[0]}')

    def judge(self, mutant, likely):
        """Returns the result; likely: the programs to run first, or "PROGRAM: CASE"."""
        try:
            self.write(mutant)
            return self.build_and_run(mutant, likely)
        except (Failure, faults.Mistake) as error:
            return Result('error', str(error))
        finally:
            self.restore(mutant.path)

    def build_and_run(self, mutant, likely):
        """The mutant is in the copy."""
        if mutant.path.startswith(f'{SELFTESTS}/lab/'):
            return self.run_here(likely)
        module, tests = [], []
        if not mutant.path.startswith(f'{SELFTESTS}/'):
            self.run_make('modules')
            module = ['-t', self.module()]
        else:
            self.run_make('selftests')
            tests = ['-s', os.path.join(self.build, 'selftests')]
        first = list(dict.fromkeys(faults.split_case(item)[0] for item in likely))
        programs = self.setting.programs()
        unknown = set(first) - set(programs)
        if unknown:
            raise Failure(f'no such test program: {" ".join(sorted(unknown))}')
        # A lab kernel looks for leaks at the end of a VM: after a few programs, or after all.
        if mutant.kernel and first:
            result = self.run_in_vm(first, module + tests)
            if result.outcome != 'survived':
                return result
        return self.run_in_vm(first + [name for name in programs if name not in first],
                              module + tests)

    def module(self):
        """The module that was built in the copy"""
        return os.path.join(self.build, 'stage/samples/vfio-mdev/mtty/mtty.ko')

    def run_in_vm(self, programs, options):
        """Run the programs up to the first failure.

        A busy machine may be the cause of a time limit, of a stall, or of the end of a VM: that
        counts if it is seen twice.
        """
        result = self.run_once(programs, options)
        if result.outcome != 'unsure':
            return result
        program = faults.split_case(result.by)[0]
        again = self.run_once([program], options)
        if again.outcome == 'unsure':
            return Result('killed', again.by)
        rest = programs[programs.index(program) + 1:]
        return self.run_in_vm(rest, options) if again.outcome == 'survived' and rest else again

    def run_once(self, programs, options):
        """Run the programs in one VM; the outcome may be "unsure"."""
        for _ in range(BOOTS):
            status, result = self.boot(programs, options)
            if result:
                break
            if 'insmod mtty.ko failed' in last_lines(self.log('boot'), 100):
                return Result('killed', 'the module is not loaded')
        else:
            raise Failure(f'the VM does not boot: {last_lines(self.log("boot"), 6)}')
        if result == 'end' and status == 0:
            return Result('survived', '')
        if result == 'end':
            return Result('killed', self.reason(status))
        if not result.startswith('in '):
            return Result('unsure' if result.endswith(first_failure.TIME_LIMIT) else 'killed',
                          result)
        # The VM ended.
        program, reason = result.removeprefix('in '), self.reason(status)
        sure = reason.startswith('kernel: ') and not STALL.search(reason)
        return Result('killed' if sure else 'unsure', reason if sure else f'{program}: {reason}')

    def reason(self, status):
        """Why a run failed in which no case did"""
        with open(self.log('boot'), encoding='utf-8', errors='replace') as file:
            lines = [line.strip() for line in file]
        for at, line in enumerate(lines):
            if 'the kernel reported' in line:
                return 'kernel: ' + ' '.join(lines[at + 1:at + 4])
        errors = [line for line in lines if line.startswith('error: ')]
        return errors[0] if errors else f'exit status {status}'

    def boot(self, programs, options):
        """Returns the exit status, and what first_failure.py wrote."""
        result = os.path.join(self.directory, 'result')
        open(result, 'w', encoding='utf-8').close()
        queue = os.path.join(self.directory, 'queue')
        with open(queue, 'w', encoding='utf-8') as file:
            file.write('\n'.join(programs) + '\n')
        mark = f'@{random.getrandbits(64):016x}'
        reader = shlex.join(['python3', os.path.join(faults.HERE, 'first_failure.py'), mark,
                             result])
        command = [os.path.join(LAB, 'boot/run.sh'), self.setting.cache, *self.setting.boot,
                   '-o', self.build, '-n', 'mutant', '-q', '-r', reader, *options]
        environment = dict(self.setting.environment, QUEUE=queue,
                           ADD=os.path.join(LAB, 'boot/run-tests'),
                           RUN=shlex.join(['exec', 'sh', 'run-tests', mark, self.setting.limit,
                                           '']))
        status = self.setting.children.run(command, self.log('boot'), env=environment)
        return status, read(result).decode()

    def run_here(self, likely):
        """Run the tests of this machine up to the first failure; it must be seen twice."""
        for item in likely:
            program, case = faults.split_case(item)
            if case and self.fails_twice(self.copy, program, case):
                return Result('killed', f'{program}: {case}')
        for program in self.setting.host_programs():
            case = self.failed_case(self.copy, program)
            if case and self.fails_twice(self.copy, program, case):
                return Result('killed', f'{program}: {case}')
        return Result('survived', '')

    def fails_twice(self, repo, program, case):
        """Does this case of a program on this machine fail, and again?"""
        return all(self.failed_case(repo, program, case) == case for _ in range(2))

    def failed_case(self, repo, program, case=None):
        """Returns the first case of a program on this machine that failed, or None."""
        log = self.log('host')
        words = ['-t', case] if case and not case.startswith(NO_CASE) else []
        status = self.setting.children.run(
            ['timeout', '--kill-after=5', '900', os.path.join(repo, HOST_TESTS, program), '-x',
             *words], log, env=dict(self.setting.environment, KERNEL_SOURCE=self.setting.source))
        with open(log, encoding='utf-8', errors='replace') as file:
            text = file.read()
        found = re.findall(r'^not ok \d+ (.*)$', text, re.M)
        if '# no such case' in text:
            raise Failure(f'no such case: {program}: {case}')
        if found:
            return found[0]
        return f'{NO_CASE} {status}' if status else None

    def confirm(self, killers):
        """Without a fault, what failed must pass; returns a text, or None."""
        programs = [name for name in self.setting.programs()
                    if name in {faults.split_case(item)[0] for item in killers}]
        for item in sorted(killers):
            program, case = faults.split_case(item)
            # In the copy: its own faults would seem to be those of the mutants.
            if program in self.setting.host_programs() and self.failed_case(
                    self.copy, program, case):
                return item
        if not programs and killers:
            return None
        # The module of the copy: had it never been loaded, each mutant would seem killed.
        self.run_make('modules')
        return self.run_in_vm(programs or self.setting.programs()[:1],
                              ['-t', self.module()]).by or None
