#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Print the closing line of a run of run_kselftest.sh, from what kunit.py parse has printed.

The exit status is 0 if no program failed, all that were announced have a result, and one passed.

Usage: closing.py PARSED RESULTS STATUS_OF_KUNIT STATUS_OF_THE_VM
"""

import re
import sys

COMPLETE = re.compile(r'Testing complete\. Ran (\d+) tests: (.*)')
COUNT = re.compile(r'(passed|failed|crashed|skipped|errors): (\d+)')


def read(path):
    """The text of a file"""
    with open(path, encoding='utf-8', errors='replace') as file:
        return file.read()


def counts(parsed):
    """Programs by kunit.py's word, or None without its last line"""
    found = COMPLETE.search(parsed)
    return {word: int(number) for word, number in COUNT.findall(found[2])} if found else None


def main():
    """Returns the exit status."""
    parsed, results, kunit_status, vm_status = sys.argv[1:]
    count = counts(read(parsed))
    errors = []
    if count is None:
        errors.append('kunit.py finds no tests')
        count = {}
    plan = re.search(r'^1\.\.(\d+)$', read(results), re.MULTILINE)
    ran = sum(number for word, number in count.items() if word != 'errors')
    if not plan or int(plan[1]) != ran:
        errors.append(f'{plan[1] if plan else "no"} programs were announced, {ran} have a result')
    # run_kselftest.sh says it before each program; the output of the program follows.
    limits = len(re.findall(r'^# timeout set to \d+$', read(results), re.MULTILINE))
    if limits != ran:
        errors.append(f'{limits} programs ran with a time limit, {ran} have a result')
    if kunit_status != '0':
        errors.append(f'kunit.py parse: exit status {kunit_status}')
    if vm_status != '0':
        errors.append(f'the VM: exit status {vm_status}, see the error above')
    failed = count.get('failed', 0) + count.get('crashed', 0)
    if errors and not failed:
        failed = 1
    for error in errors:
        print(f'error: {error}')
    print(f'{count.get("passed", 0)} passed, {failed} failed, {count.get("skipped", 0)} skipped')
    return 1 if failed or not count.get('passed') else 0


if __name__ == '__main__':
    sys.exit(main())
