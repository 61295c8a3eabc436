#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Report the coverage of the driver with gcovr (gcovr.cfg has the limits).

Each line that was not run is printed, with its reason from coverage-reasons. A line
without a reason is a failure: a test is missing.

Usage: coverage.py REPO OBJECTS COUNTERS OUT
  OBJECTS   directory with the module's .gcno files
  COUNTERS  tar file of its .gcda files, from boot.sh -g
  OUT       directory, gets index.html, and summary.json for make report
"""

import glob
import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))


def gather(objects, counters, work):
    """Put the .gcda files beside the .gcno files, as gcov needs them."""
    subprocess.run([os.path.join(HERE, '../get/marked.sh'), 'remove', work], check=True)
    os.makedirs(work)
    if subprocess.run(['tar', '-xf', counters, '-C', work, '--transform', 's|.*/||',
                       '--wildcards', '*.gcda'], check=False).returncode:
        sys.exit('error: no counters: has the kernel CONFIG_GCOV_KERNEL?')
    for note in glob.glob(os.path.join(objects, '*.gcno')):
        shutil.copy(note, work)


def read_reasons():
    """Return a dictionary from (file, function, code) to the reason."""
    reasons = {}
    with open(os.path.join(HERE, 'coverage-reasons'), encoding='utf-8') as file:
        for line in file:
            if line.startswith('\t'):
                reasons[(*place, line.strip())] = reason
            elif line.strip() and not line.startswith('#'):
                place, reason = line.strip().split(': ', 1)
                place = place.split()
    return reasons


def places(repo, result):
    """Yield the lines of a file that were not run: number, (file, function, code)."""
    with open(os.path.join(repo, result['file']), encoding='utf-8') as file:
        text = file.read().split('\n')
    for line in result['lines']:
        number = line['line_number']
        if not line['count'] and not line['gcovr/noncode']:
            function = max(((f['lineno'], f['name']) for f in result['functions']
                            if f['lineno'] <= number), default=(0, ''))[1]
            yield number, (os.path.basename(result['file']), function, text[number - 1].strip())


def main():
    """Exit with failure if a limit of gcovr.cfg is missed, or a reason is missing."""
    repo, objects, counters, out = map(os.path.realpath, sys.argv[1:])
    work = os.path.join(out, 'work')
    result = os.path.join(out, 'coverage.json')
    gather(objects, counters, work)
    status = subprocess.run(['gcovr', '--root', repo, '--config', os.path.join(HERE, 'gcovr.cfg'),
                             '--json', result, '--json-summary', os.path.join(out, 'summary.json'),
                             '--html-details', os.path.join(out, 'index.html'), work],
                            cwd=repo, check=False).returncode
    reasons = read_reasons()
    with open(result, encoding='utf-8') as file:
        files = json.load(file)['files']
    for number, place in [line for file in files for line in places(repo, file)]:
        print(f'{place[0]}:{number}: {place[1]}: {place[2]}')
        print(f'    {reasons.get(place, "not ok: no test, and no reason")}')
        status = status or place not in reasons
    print(f'details: {os.path.join(out, "index.html")}')
    return 1 if status else 0


if __name__ == '__main__':
    sys.exit(main())
