#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Try deliberate faults, see README: which case of the tests fails on each?

Each is tried by itself. JOBS of them are tried at once, each in a copy of the repository. A
result is kept in BUILD/mutants: a run that was ended goes on, and the program that failed on a
mutant is run first the next time. A change of the code or the tests makes all results void.

MUTANTS is a list of patterns of names, such as "driver/uart/*". "quick" stands for those that
CI tries. Without it all are tried that this kernel can show.

The exit status is 0 if none survived, 1 if one did or could not be judged.

MUTANTS_KERNEL, for example kasan, selects the mutants with this field Kernel.

Usage: [MUTANTS=PATTERNS] [MUTANTS_KERNEL=KIND] run.py REPO KERNEL_SOURCE BUILD CACHE JOBS
         [make's words] -- [boot.sh's]
  BUILD  build directory of this kernel, with the module and the tests without a fault
"""

import fcntl
import fnmatch
import hashlib
import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time

import faults
import trial

FOUND = 1
CANNOT_RUN = 2


def tree_hash(repo):
    """The hash of all that a result depends on"""
    result = hashlib.sha256()
    for name in sorted(trial.repository_files(repo)):
        if name.startswith(('.ci/', 'Makefile', 'include/', 'samples/', 'tools/')) \
                and not re.search('/lab/mutants/.*/', name):
            result.update(f'{name}\0'.encode() + trial.read(os.path.join(repo, name)))
    return result.hexdigest()


class Memory:
    """The results of this and earlier runs, in a file"""

    def __init__(self, path, tree):
        self.path = path
        self.tree = tree
        self.lock = threading.Lock()
        try:
            self.items = json.loads(trial.read(path) or b'{}')
        except ValueError:
            print(f'{path} is damaged: all mutants are tried anew', file=sys.stderr)
            self.items = {}

    def key(self, mutant):
        """A result counts as long as this does not change."""
        text = repr((self.tree, mutant.path, mutant.hunks))
        return hashlib.sha256(text.encode()).hexdigest()

    def result(self, mutant):
        """The result of an earlier run, or None"""
        item = self.items.get(mutant.name)
        if not item or item['key'] != self.key(mutant) or item['outcome'] == 'error':
            return None
        return trial.Result(item['outcome'], item['by'])

    def likely(self, mutant):
        """The programs to run first"""
        item = self.items.get(mutant.name, {})
        return ([item['by']] if item.get('killer') else []) + mutant.tests

    def add(self, mutant, result):
        """Write the file anew."""
        with self.lock:
            self.items[mutant.name] = {'key': self.key(mutant), 'outcome': result.outcome,
                                       'by': result.by, 'killer': result.names_a_program(),
                                       'confirmed': False}
            self.write()

    def confirm(self, names):
        """All that failed on these mutants has passed without a fault."""
        with self.lock:
            for name in names:
                self.items[name]['confirmed'] = True
            self.write()

    def write(self):
        """The caller has the lock."""
        with open(self.path + '.new', 'w', encoding='utf-8') as file:
            json.dump(self.items, file, indent=1)
        os.rename(self.path + '.new', self.path)


class Progress:
    """Prints a line for each mutant."""

    def __init__(self, total, workers):
        self.total = total
        self.workers = workers
        self.done = 0
        self.start = time.monotonic()
        self.lock = threading.Lock()

    def add(self, mutant, result, seconds):
        """A mutant was tried."""
        with self.lock:
            self.done += 1
            mean = (time.monotonic() - self.start) / self.done
            left = mean * (self.total - self.done) / 60
            by = f' by {result.by}' if result.outcome == 'killed' else f' {result.by}'
            print(f'[{self.done}/{self.total}, {left:.0f} min left] {mutant.name}: '
                  f'{result.outcome}{by.rstrip()} ({seconds:.0f} s)', flush=True)


def select(mutants, patterns, kind):
    """Returns the selected mutants that this kernel can show.

    kind: None or one of faults.KERNELS
    """
    if patterns == ['quick']:
        chosen = [mutant for mutant in mutants if mutant.quick]
    else:
        chosen = [mutant for mutant in mutants if not patterns
                  or any(fnmatch.fnmatchcase(mutant.name, pattern) for pattern in patterns)]
    if not chosen:
        raise faults.Mistake(f'no mutant fits MUTANTS={" ".join(patterns)}')
    if kind not in (None, *faults.KERNELS):
        raise faults.Mistake(f'MUTANTS_KERNEL is one of {" ".join(faults.KERNELS)}, not {kind}')
    shown = [mutant for mutant in chosen if mutant.kernel == kind]
    if not shown and kind is None:
        raise faults.Mistake('only a lab kernel shows these: make lab-mutants')
    return shown


def is_slow(mutant):
    """Does it need the tests built? Such mutants are tried in one copy only."""
    return mutant.path.startswith(f'{trial.SELFTESTS}/migration/')


class Campaign:
    """The mutants of a run, and their results"""

    def __init__(self, setting, memory, mutants, jobs):
        self.setting = setting
        self.memory = memory
        self.results = {mutant.name: result for mutant in mutants
                        if (result := memory.result(mutant))}
        todo = [mutant for mutant in mutants if mutant.name not in self.results]
        self.kept = len(self.results)
        self.killers = {memory.items[name]['by'] for name in self.results
                        if memory.items[name]['killer'] and not memory.items[name]['confirmed']}
        self.slow, self.quick = queue.Queue(), queue.Queue()
        for mutant in todo:
            (self.slow if is_slow(mutant) else self.quick).put(mutant)
        self.jobs = max(1, min(jobs, self.quick.qsize() + min(1, self.slow.qsize())))
        self.todo = len(todo)
        self.progress = Progress(len(todo), self.jobs)
        self.errors = []

    def next(self, number):
        """The next mutant for a worker, or None"""
        queues = [self.slow, self.quick] if number == 0 else [self.quick]
        for source in queues:
            try:
                return source.get_nowait()
            except queue.Empty:
                pass
        return None

    def work(self, number):
        """Try mutants until there are no more."""
        try:
            here = trial.Trial(self.setting, self.directory(number))
            while mutant := self.next(number):
                start = time.monotonic()
                result = here.judge(mutant, self.memory.likely(mutant))
                self.memory.add(mutant, result)
                self.results[mutant.name] = result
                if result.names_a_program():
                    self.killers.add(result.by)
                self.progress.add(mutant, result, time.monotonic() - start)
        except trial.Stopped:
            pass
        except Exception as error:  # pylint: disable=broad-except
            self.errors.append(f'{type(error).__name__}: {error}')
            self.setting.children.stop(FOUND)

    def directory(self, number):
        """The directory of a worker"""
        return os.path.join(self.setting.build, 'mutants', str(number + 1))

    def run(self):
        """Try all. Signals are handled while the threads run."""
        threads = [threading.Thread(target=self.work, args=[number])
                   for number in range(self.jobs if self.todo else 0)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.errors:
            raise faults.Mistake(self.errors[0])
        if self.setting.children.stopped:
            raise trial.Stopped

    def confirm(self):
        """Returns what fails without a fault, or None."""
        if not any(result.outcome == 'killed' for result in self.results.values()) \
                or not self.killers and not self.todo:
            return None
        print(f'without a fault: the {len(self.killers)} programs or cases that failed ...',
              flush=True)
        failing = trial.Trial(self.setting, self.directory(0)).confirm(self.killers)
        if not failing:
            self.memory.confirm(self.results)
        return failing


def write_table(mutants, results, path):
    """A line for each mutant"""
    with open(path, 'w', encoding='utf-8') as file:
        for mutant in mutants:
            result = results.get(mutant.name)
            if mutant.equivalent:
                text = f'equivalent: {mutant.equivalent}'
            elif result:
                text = f'{result.outcome} {result.by}'.rstrip()
            else:
                text = 'not tried'
            file.write(f'{mutant.name}\t{mutant.fault}\t{mutant.breaks}\t{text}\n')


def print_table(mutants, results):
    """A line for each file of mutants"""
    rooms = {}
    for mutant in mutants:
        result = results.get(mutant.name)
        counts = rooms.setdefault(mutant.name.rsplit('/', 1)[0], {})
        outcome = 'equivalent' if mutant.equivalent else result.outcome if result else 'not tried'
        counts[outcome] = counts.get(outcome, 0) + 1
    columns = ['killed', 'survived', 'error', 'equivalent', 'not tried']
    columns = [name for name in columns if any(name in counts for counts in rooms.values())]
    print(f'{"MUTANTS":24}' + ''.join(f'{name.upper():>12}' for name in columns))
    for room, counts in rooms.items():
        print(f'{room:24}' + ''.join(f'{counts.get(name, 0) or "-":>12}' for name in columns))


def report(mutants, results, again, path):
    """Print the outcome; returns the exit status."""
    write_table(mutants, results, path)
    print_table(mutants, results)
    for outcome in ('survived', 'error'):
        for mutant in mutants:
            result = results.get(mutant.name)
            if result and result.outcome == outcome:
                print(f'{outcome}: {mutant.name}: {mutant.fault} {result.by}'.rstrip())
    for text in again:
        print(f'error: fails without a fault, too: {text}')
    counts = [sum(result.outcome == outcome for result in results.values())
              for outcome in ('killed', 'survived', 'error')]
    print(f'{counts[0]} killed, {counts[1]} survived, {counts[2] + len(again)} errors; '
          f'each with its case: {path}')
    return FOUND if counts[1] or counts[2] or again else 0


def read_arguments():
    """Returns the setting, and the number of jobs."""
    if '--' not in sys.argv or sys.argv.index('--') < 6:
        print(__doc__, file=sys.stderr)
        sys.exit(CANNOT_RUN)
    split = sys.argv.index('--')
    repo, source, build, cache, jobs, *make = sys.argv[1:split]
    repo = os.path.realpath(repo)
    return trial.Setting(repo, source, build, cache, make, sys.argv[split + 1:]), int(jobs)


def end_on_signals(children):
    """End the programs; the threads end as their programs do.

    An exception in the handler would end the wait for a thread, and the thread would be lost.
    """
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda number, _: children.stop(128 + number))


def main():
    """Returns the exit status."""
    setting, jobs = read_arguments()
    directory = os.path.join(setting.build, 'mutants')
    os.makedirs(directory, exist_ok=True)
    end_on_signals(setting.children)
    lock = open(os.path.join(directory, 'lock'), 'w', encoding='utf-8')
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        every = faults.read_all()
        faults.check(every, setting.repo)
        kind = os.environ.get('MUTANTS_KERNEL') or None
        chosen = select(every, os.environ.get('MUTANTS', '').split(), kind)
        tried = [mutant for mutant in chosen if not mutant.equivalent]
        memory = Memory(os.path.join(directory, 'results.json'), tree_hash(setting.repo))
        # A race is seen if two threads run at once, so a VM needs the CPUs for itself.
        campaign = Campaign(setting, memory, tried, 1 if kind == 'kcsan' else jobs)
        print(f'{len(tried)} mutants of {len(every)}, {campaign.kept} of them tried before',
              flush=True)
        campaign.run()
        failing = campaign.confirm()
    except trial.Stopped:
        return setting.children.stopped
    except (faults.Mistake, trial.Failure, subprocess.SubprocessError, OSError) as error:
        print(f'error: {error}', file=sys.stderr)
        return CANNOT_RUN
    return report(chosen, campaign.results, [failing] if failing else [],
                  os.path.join(directory, 'table'))


if __name__ == '__main__':
    sys.exit(main())
