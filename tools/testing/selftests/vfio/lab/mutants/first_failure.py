# SPDX-License-Identifier: GPL-2.0
"""Give programs to run-tests in a VM, read its output, and exit when a case has failed.

boot.sh ends the VM when this program, the reader of its output, exits. FILE gets the result:
"PROGRAM: CASE" that failed, "end" if all programs ran and no case failed, or "in PROGRAM" if the
output ended in it. It is empty if no program began.

Usage: QUEUE=PROGRAMS first_failure.py MARK FILE
"""

import os
import re
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.realpath(__file__)), '../check'))
import summary  # noqa: E402  pylint: disable=wrong-import-position

TIME_LIMIT = 'its time limit'
FAILED = re.compile(r'\s*not ok \d+ (?:- )?(.*)')


def judge_end(program, status):
    """The failure of a program that has ended, or None"""
    if status in (0, 4):
        return None
    if status == summary.KILLED:
        return f'{program}: {TIME_LIMIT}'
    return f'{program}: exit status {status}'


def send_next():
    """Send the next program to the VM, or the end."""
    summary.send(summary.take_next(os.environ['QUEUE']))


def first_failure(lines, mark):
    """Returns the result, as FILE gets it."""
    program, result = None, ''
    for line in lines:
        words = line.split()
        found = FAILED.match(line)
        if words[:1] == [mark]:
            if words[1] == 'begin-run':
                send_next()
            elif words[1] == 'begin':
                program = words[2]
                result = f'in {program}'
            elif words[1] == 'end':
                failure = judge_end(program, int(words[3]))
                if failure:
                    return failure
                send_next()
            elif words[1] == 'end-run':
                result = 'end'
        elif found and program:
            return f'{program}: {found[1]}'
    return result


def main():
    """Returns 0 if all programs ran."""
    mark, path = sys.argv[1:]
    lines = (raw.decode('utf-8', 'replace').rstrip('\r\n') for raw in sys.stdin.buffer)
    result = first_failure(lines, mark)
    with open(path, 'w', encoding='utf-8') as file:
        file.write(result)
    return 0 if result == 'end' else 1


if __name__ == '__main__':
    sys.exit(main())
