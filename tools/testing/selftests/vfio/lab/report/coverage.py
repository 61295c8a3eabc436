#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Says what of the module's code has run, and fails if that is too little.

Prints a table of lines and branches by file, and the lines that have not run,
each with the reason why it cannot. Any other one is a test that is missing, and a
failure. Counting is left to gcovr, which also writes the HTML.

Usage: coverage.py REPO OBJECTS COUNTERS REASONS OUT
  OBJECTS   directory with the module's .gcno files
  COUNTERS  tar file of its .gcda files, from boot.sh -g
  REASONS   why some lines cannot run: "FILE FUNCTION: REASON", and below that,
            each behind a tab, the lines of code themselves. And of which lines
            the branches do not count: "branches REGEXP: REASON"
  OUT       directory, gets index.html
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile

OURS = os.path.join(os.path.dirname(os.path.realpath(__file__)), '../get/marked.sh')
MODULE = 'samples/vfio-mdev/mtty'
LINES_MIN = 97
BRANCHES_MIN = 90


def gather(objects, counters, work):
    """Puts counters beside what they belong to, as gcov wants them."""
    subprocess.run([OURS, 'remove', work], check=True)
    os.makedirs(work)
    names = 0
    with tarfile.open(counters) as tar:
        for member in tar:
            if not member.name.endswith('.gcda'):
                continue
            name = os.path.basename(member.name)
            with open(os.path.join(work, name), 'wb') as out:
                shutil.copyfileobj(tar.extractfile(member), out)
            note = name.removesuffix('.gcda') + '.gcno'
            shutil.copy(os.path.join(objects, note), work)
            names += 1
    if not names:
        sys.exit('error: nothing was counted: has the kernel CONFIG_GCOV_KERNEL?')


def measure(repo, work, out):
    """Lets gcovr count, and returns what it says of each file."""
    os.makedirs(out, exist_ok=True)
    result = os.path.join(out, 'coverage.json')
    subprocess.run(['gcovr', '--root', repo, '--filter', os.path.join(repo, MODULE, ''),
                    '--json', result, '--html-details', os.path.join(out, 'index.html'),
                    '--html-title', 'mtty', work],
                   cwd=work, check=True)
    with open(result, encoding='utf-8') as file:
        return json.load(file)['files']


class File:
    """What ran of one file."""

    def __init__(self, repo, result, macros):
        self.name = os.path.basename(result['file'])
        with open(os.path.join(repo, result['file']), encoding='utf-8') as file:
            self.text = [line.strip() for line in file]
        self.functions = sorted((f['lineno'], f['name']) for f in result['functions'])
        lines = [line for line in result['lines'] if not line['gcovr/noncode']]
        self.lines = len(lines)
        self.missing = [line['line_number'] for line in lines if not line['count']]
        branches = []
        self.left_out = dict.fromkeys(macros, 0)
        for line in lines:
            macro = next((macro for macro in macros
                          if macro.search(self.text[line['line_number'] - 1])), None)
            if macro:
                self.left_out[macro] += len(line['branches'])
            else:
                branches += line['branches']
        self.branches = len(branches)
        self.taken = sum(branch['count'] > 0 for branch in branches)

    def place(self, number):
        """Gives file, function and code of a line."""
        before = [name for start, name in self.functions if start <= number]
        return self.name, before[-1] if before else '', self.text[number - 1]

    def row(self):
        """Gives what the table has of it."""
        return self.lines, self.lines - len(self.missing), self.branches, self.taken


def percent(part, whole):
    """Rounds down: only what is whole is 100."""
    return int(1000 * part / whole) / 10 if whole else 100.0


def print_table(files):
    """Prints it, and returns both percentages of the whole."""
    rows = [(file.name, *file.row()) for file in files]
    rows.append(('all', *map(sum, zip(*(file.row() for file in files)))))
    print(f'{"file":16}{"lines":>8}{"run":>8}{"%":>8}{"branches":>11}{"taken":>8}{"%":>8}')
    for name, lines, run, branches, taken in rows:
        print(f'{name:16}{lines:8}{run:8}{percent(run, lines):8.1f}'
              f'{branches:11}{taken:8}{percent(taken, branches):8.1f}')
    return percent(run, lines), percent(taken, branches)


def read_reasons(path):
    """Gives dictionaries from (file, function, code), and from macro, to reason."""
    reasons = {}
    macros = {}
    with open(path, encoding='utf-8') as file:
        for line in file:
            if line.startswith('\t'):
                reasons[(*place, line.strip())] = text
            elif line.startswith('branches '):
                pattern, text = line.strip().removeprefix('branches ').split(': ', 1)
                macros[re.compile(pattern)] = text
            elif line.strip() and not line.startswith('#'):
                where, text = line.strip().split(': ', 1)
                place = where.split()
    return reasons, macros


def explain(files, reasons):
    """Prints what has not run, and why; returns how often that is not known."""
    unknown = 0
    for file in files:
        for number in file.missing:
            place = file.place(number)
            if place not in reasons:
                unknown += 1
            print(f'{file.name}:{number}: {place[1]}: {place[2]}')
            print(f'    {reasons.get(place, "not ok: no test, and no reason")}')
    return unknown


def print_left_out(files, macros):
    """Says which branches the table does not have."""
    for macro, reason in macros.items():
        branches = sum(file.left_out[macro] for file in files)
        print(f'not counted: {branches} branches in lines with {macro.pattern}: {reason}')


def main():
    """Counts, prints, and judges."""
    repo, objects, counters, reasons, out = map(os.path.realpath, sys.argv[1:])
    work = os.path.join(out, 'work')
    gather(objects, counters, work)
    reasons, macros = read_reasons(reasons)
    files = [File(repo, result, macros) for result in measure(repo, work, out)]
    wrong = explain(files, reasons)
    lines, branches = print_table(files)
    print_left_out(files, macros)
    print(f'all of it: {os.path.join(out, "index.html")}')
    if lines < LINES_MIN or branches < BRANCHES_MIN:
        print(f'not ok: at least {LINES_MIN} % of lines and {BRANCHES_MIN} % of branches are to run')
        wrong += 1
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
