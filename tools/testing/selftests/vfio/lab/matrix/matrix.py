#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Run the tests on several kernels, build for more architectures, and print one table.

Each configuration (file "configurations") is a command of make. It is not run again at the same
state of the repository. The exit status is 0 if none failed and each case passed in one of them;
with TESTS, ARGS or MATRIX, which select a part, that a case passed nowhere is no failure.

Usage: [MATRIX="NAME..."] matrix.py [-n] REPO KERNEL_SOURCE OUT MAKE [WORD...]
  -n             run nothing, print the table of what was run
  KERNEL_SOURCE  has kunit's parser
  MAKE WORD...   make, and its variables for each configuration

  OUT/matrix/all/NAME      its output, its logs, and result.json; selected/NAME with TESTS or ARGS
  OUT/matrix/results.json  the table
"""

import glob
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple

import table
import union

sys.path += [os.path.join(union.LAB, 'mutants')]
import run as mutants_run  # noqa: E402  pylint: disable=wrong-import-position
import summary  # noqa: E402  pylint: disable=wrong-import-position

CANNOT_RUN = 2
Configuration = namedtuple('Configuration', 'name kind command')
# Variables of this make that are part of a configuration
OF_A_CONFIGURATION = ('ARCH', 'MATRIX')


class Mistake(Exception):
    """Nothing can be run."""


def configurations(path):
    """The file "configurations" """
    found = []
    with open(path, encoding='utf-8') as file:
        for line in file:
            words = line.split()
            if not words or words[0].startswith('#'):
                continue
            if len(words) < 4 or words[1] not in ('tests', 'build') or words[2] != 'make':
                raise Mistake(f'{path}: not a configuration: {line.strip()}')
            found.append(Configuration(words[0], words[1], words[3:]))
    return found


def select(found, names):
    """Those that MATRIX names, in the order of the file"""
    unknown = set(names) - {configuration.name for configuration in found}
    if unknown:
        raise Mistake(f'no configuration {" ".join(sorted(unknown))}; there are: '
                      + ' '.join(configuration.name for configuration in found))
    return [configuration for configuration in found if not names or configuration.name in names]


def state_of(repo):
    """A word for the state of the repository, or None if it is no git repository"""
    try:
        return mutants_run.tree_hash(repo)
    except (OSError, subprocess.CalledProcessError):
        return None


class Matrix:
    """The directories of a matrix"""

    def __init__(self, repo, out, make):
        self.repo = repo
        self.out = os.path.join(out, 'matrix')
        self.make = make
        self.build = out
        self.state = state_of(repo)
        self.selection = [os.environ.get(name, '') for name in ('TESTS', 'ARGS')]

    def dir(self, configuration):
        """Where the result of a configuration is; a part does not replace a run of all tests."""
        part = configuration.kind == 'tests' and any(self.selection)
        return os.path.join(self.out, 'selected' if part else 'all', configuration.name)

    def key(self, configuration):
        """A result counts as long as this does not change."""
        selection = self.selection if configuration.kind == 'tests' else []
        text = repr((self.state, configuration.command, selection))
        return hashlib.sha256(text.encode()).hexdigest()

    def result(self, configuration):
        """The result at this state, or None. Without git each counts."""
        try:
            with open(os.path.join(self.dir(configuration), 'result.json'),
                      encoding='utf-8') as file:
                result = json.load(file)
        except (OSError, ValueError):
            return None
        return result if not self.state or result['key'] == self.key(configuration) else None

    def logs(self):
        """The logs of tests in OUT, with the times of their last change"""
        return {path: os.stat(path).st_mtime_ns
                for path in glob.glob(f'{glob.escape(self.build)}/*/log/check*')}

    def run(self, configuration):
        """Run it, and keep its output, its logs and its result."""
        to, before, start = self.dir(configuration), self.logs(), time.monotonic()
        shutil.rmtree(to, ignore_errors=True)
        os.makedirs(to)
        status = self.call(configuration, os.path.join(to, 'output'))
        for path, changed in self.logs().items():
            if changed != before.get(path) and configuration.kind == 'tests':
                shutil.copy(path, to)
        result = {'key': self.key(configuration), 'status': status,
                  'seconds': round(time.monotonic() - start),
                  'date': time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())}
        with open(os.path.join(to, 'result.json'), 'w', encoding='utf-8') as file:
            json.dump(result, file)

    def call(self, configuration, log):
        """Call make; its output is printed and kept. Returns its status."""
        command = [*self.make, '-C', self.repo, '--no-print-directory', *configuration.command,
                   f'OUT={self.build}']
        environment = {name: value for name, value in os.environ.items()
                       if name not in OF_A_CONFIGURATION}
        with open(log, 'wb') as file, subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT) as process:
            try:
                for line in process.stdout:
                    file.write(line)
                    sys.stdout.buffer.write(line)
                    sys.stdout.flush()
            except BaseException:
                process.terminate()
                raise
        return process.returncode

    def run_all(self, chosen):
        """Run those that have no result at this state."""
        kept = [configuration for configuration in chosen if self.result(configuration)]
        if kept:
            print('already run at this state, and not again:',
                  ' '.join(configuration.name for configuration in kept))
            print(f'  to run one again, remove its directory in {self.out}')
        for configuration in chosen:
            if configuration not in kept:
                print(f'== {configuration.name}: make {" ".join(configuration.command)}',
                      flush=True)
                self.run(configuration)

    def row(self, configuration, parse):
        """The row of the table"""
        result = self.result(configuration)
        command = ' '.join(['make', *configuration.command])
        row = table.Row(configuration.name, configuration.kind, command, union.Outcome())
        if not result:
            return row
        row.status, row.seconds = result['status'], result['seconds']
        paths = glob.glob(f'{glob.escape(self.dir(configuration))}/check*.ktap')
        row.outcome = union.read(paths, parse)
        row.judge(os.path.join(self.dir(configuration), 'output'))
        return row


def main():
    """Returns the exit status."""
    words = sys.argv[1:]
    only_table = words[:1] == ['-n']
    repo, source, out, *make = words[only_table:]
    names = os.environ.get('MATRIX', '').split()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        chosen = select(configurations(os.path.join(union.HERE, 'configurations')), names)
        matrix = Matrix(os.path.realpath(repo), out, make)
        known = union.Known(os.path.join(union.HERE, 'nowhere'))
        if not only_table:
            matrix.run_all(chosen)
    except (Mistake, union.stanzas.Mistake, KeyError) as error:
        print(f'error: {error}', file=sys.stderr)
        return CANNOT_RUN
    except KeyboardInterrupt:
        print('ended; the same command goes on', file=sys.stderr)
        return 128 + signal.SIGINT
    parse = summary.make_parser(source)
    rows = [matrix.row(configuration, parse) for configuration in chosen]
    is_part = bool(names or any(matrix.selection))
    results = table.Table(rows, known, set() if is_part else union.logs.known_programs(), is_part)
    results.show()
    os.makedirs(matrix.out, exist_ok=True)
    with open(os.path.join(matrix.out, 'results.json'), 'w', encoding='utf-8') as file:
        json.dump(results.as_json(), file, indent=1)
    return 0 if results.is_good() else 1


if __name__ == '__main__':
    sys.exit(main())
