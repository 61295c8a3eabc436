#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Write OUT/report.html: the latest results found in OUT, in one page without other files.

It runs nothing: a result that is not there is named with the command that makes it. The exit
status is 0 also if tests have failed, as the page says so; it is 1 if results cannot be read.

Usage: page.py REPO KERNEL_SOURCE OUT
       page.py --remove OUT     removes the page
  KERNEL_SOURCE  has kunit's parser; only needed if there are results of tests
"""

import functools
import os
import subprocess
import sys
import tarfile
import time

from sections import (check, clause_table, coverage, drawing, matrix_table, migrations,
                      mutant_table, results, speed, volume)
from sections.markup import Html, Section, element, join

HERE = os.path.dirname(os.path.realpath(__file__))
SECTIONS = (check, clause_table, matrix_table, mutant_table, migrations, volume, speed, coverage)
NAME = 'report.html'
# A page with this was made here, and may be replaced.
GENERATOR = '<meta name="generator" content="mtty make report">'

# The modules raise these for results that are damaged, or not of this version
UNREADABLE = (OSError, ValueError, LookupError, TypeError, AttributeError, ImportError,
              tarfile.TarError, subprocess.SubprocessError)


class Found(results.Results):
    """Results that several sections use are read once."""

    @functools.cached_property
    def runs(self):
        """The runs of tests"""
        return check.read_runs(self)

    @functools.cached_property
    def migrations(self):
        """The reports of migrations"""
        return list(migrations.read(self))


def head():
    """The head of the page; the picture's colours follow those of the page."""
    with open(os.path.join(HERE, 'page.css'), encoding='utf-8') as file:
        css = file.read()
    css += f'@media (prefers-color-scheme: dark) {{\n{drawing.rules()}\n}}\n'
    return Html(f'<meta charset="utf-8">\n{GENERATOR}\n'
                '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
                '<meta name="color-scheme" content="light dark">\n'
                f'<title>mtty: results</title>\n<style>\n{css}</style>\n')


def name_of(module):
    """The anchor of a section"""
    return module.__name__.split('.')[-1].replace('_', '-')


def make_section(module, found):
    """A result that cannot be read is named; the other sections are made."""
    try:
        return module.make(found)
    except UNREADABLE as error:
        reason = f'{type(error).__name__}: {error}'
        print(f'{name_of(module)}: {reason}', file=sys.stderr)
        found.unreadable = True
        return Section('bad', 'cannot be read', join(
            element('p', f'The results cannot be read: {reason}'),
            element('p', f'To make them anew, run: {module.COMMAND}', kind='missing')))


def page(found):
    """The whole page"""
    made = [(module, make_section(module, found)) for module in SECTIONS]
    tiles = [element('a', element('strong', module.TITLE), element('span', section.line),
                     kind=f'tile {section.state}', href=f'#{name_of(module)}')
             for module, section in made]
    parts = [element('section', element('h2', module.TITLE), section.body, id=name_of(module))
             for module, section in made]
    now = time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())
    return Html('<!DOCTYPE html>\n<html lang="en">\n' + element('head', head()) + element(
        'body', element('header', element('h1', 'mtty and its tests: the latest results'),
                        element('p', f'Made by make report, {now}, from {found.out}', kind='date')),
        element('nav', *tiles), element('main', *parts)) + '</html>\n')


def is_foreign(path):
    """Is there a file of this name that was not made here?"""
    try:
        with open(path, encoding='utf-8', errors='replace') as file:
            return GENERATOR not in file.read(4096)
    except FileNotFoundError:
        return False


def write(repo, source, out):
    """Write the page; returns the exit status."""
    path = os.path.join(out, NAME)
    os.makedirs(out, exist_ok=True)
    if is_foreign(path):
        print(f'error: {path} was not made here; remove it, or choose another OUT',
              file=sys.stderr)
        return 1
    found = Found(repo, source, out)
    with open(path + '.new', 'w', encoding='utf-8') as file:
        file.write(page(found))
    os.replace(path + '.new', path)
    print(f'{path}: {os.path.getsize(path) // 1024} KiB')
    return int(found.unreadable)


def remove(out):
    """make clean; returns the exit status."""
    path = os.path.join(out, NAME)
    if os.path.exists(path) and not is_foreign(path):
        os.unlink(path)
    return 0


def main():
    """Returns the exit status."""
    if len(sys.argv) == 3 and sys.argv[1] == '--remove':
        return remove(sys.argv[2])
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    return write(*map(os.path.realpath, sys.argv[1:]))


if __name__ == '__main__':
    sys.exit(main())
