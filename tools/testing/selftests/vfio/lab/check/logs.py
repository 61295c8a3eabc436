# SPDX-License-Identifier: GPL-2.0
"""Read the logs of a run of tests (*.ktap) again, and judge them as in the run itself."""

import re
from pathlib import Path

import summary

MIGRATION = Path(__file__).resolve().parents[2] / 'migration'
MARK = re.compile(r'(@[0-9a-f]{16}) (begin|end) (\S+)(?: (\d+) (\d+))?')


def known_programs():
    """The programs of make check, without lab/"""
    return {path.name.removesuffix('.c')
            for end in ('c', 'sh') for path in MIGRATION.glob(f'*/*_test.{end}')}


def end(program, parse, status, duration):
    """Judge a program as make check does; its cases are kept with their results."""
    while program.lines and not program.lines[-1]:
        program.lines.pop()
    program.judge(parse, status, duration // 1000)
    program.duration = duration
    program.cases = {case.name: case.status.name for case in parse(program.lines)[0]}
    return program


def read(path, parse):
    """Yields the programs in the log of one VM."""
    program = None
    with open(path, encoding='utf-8', errors='replace') as file:
        for line in file:
            mark = MARK.match(line)
            if mark and mark[2] == 'begin':
                program = summary.Program(mark[3])
            elif mark and program:
                yield end(program, parse, int(mark[4]), int(mark[5]))
                program = None
            elif program:
                program.lines.append(line.rstrip('\r\n'))
    if program:
        yield end(program, parse, None, 0)
