#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Each make command that a page names can be run: its target, its variables, the programs of
TESTS= and the case of "-t" exist. The output of a command is the subject of make docs-check.

Usage: commands.py     (in the root of the repository)
Exit status: 0 no finding, 1 findings (FILE:LINE: what is missing).
"""

import pathlib
import re
import shlex
import sys

LAB = pathlib.Path('tools/testing/selftests/vfio/lab')
MIGRATION = LAB.parent / 'migration'
# Between backticks, or a line of a block
COMMAND = re.compile(r'`(make\s[^`]+)`|^(?:  +|```\n)(?:\$ )?(make [^#\n]+)', re.M)
# Targets of the kernel's Makefile, and a variable
KERNELS = {'allnoconfig', 'defconfig', 'headers', 'htmldocs', 'kselftest-merge'}
KERNELS_VARIABLES = {'TARGETS'}


def pages():
    """All pages"""
    return [pathlib.Path('README.md'), *sorted(pathlib.Path('Documentation').rglob('*.rst')),
            *sorted(LAB.glob('docs/*.rst'))]


def makefile():
    """Its targets, and the variables for the user"""
    text = pathlib.Path('Makefile').read_text('utf-8').replace('\\\n', ' ')
    targets = set(re.findall(r'^([a-z][a-z0-9-]*)(?=.*:(?!=))', text, re.M))
    targets |= {word for line in re.findall(r'^LAB_MUTANTS := (.*)', text, re.M)
                for word in line.split()}
    variables = {word for line in re.findall(r'^VARS_(?:USER|COMMAND) := (.*)', text, re.M)
                 for word in line.split()}
    return targets, variables


def program(name):
    """The source of a test program, a page, or None"""
    name = name.split('@')[0]
    found = [*MIGRATION.glob(f'*/{name}.c'), *MIGRATION.glob(f'*/{name}'), *LAB.glob(name),
             *LAB.glob(f'check/{name}'), *LAB.glob(f'check/tests-vmm-{name}'),
             *(page for page in pages() if page.name == name)]
    return found[0] if found else None


def is_example(word):
    """A word that the reader replaces, such as NAME_test or PATH"""
    return re.match(r'[A-Z]+', word) is not None


def check_tests(values):
    """Yields what is wrong with TESTS and ARGS."""
    tests = [word for word in values.get('TESTS', '').split() if not is_example(word)]
    sources = []
    for word in tests:
        source = program(word)
        if source is None:
            yield f'no program {word}'
        else:
            sources.append(source.read_text('utf-8'))
    case = re.search(r'-t (\w+)', values.get('ARGS', ''))
    if case and sources and not any(case[1] in text for text in sources):
        yield f'no case {case[1]}'


def check(words, targets, variables):
    """Yields what is wrong with the words behind "make"."""
    values = {}
    for word in words:
        name, equals, value = word.partition('=')
        if word in (';', '&&', '|') or word.startswith('-'):
            break
        if equals and name not in variables | KERNELS_VARIABLES:
            yield f'no variable {name}'
        elif equals:
            values[name] = value
        elif re.fullmatch(r'[a-z0-9-]+', word) and word not in targets | KERNELS:
            yield f'no target {word}'
    yield from check_tests(values)


def main():
    """Returns the exit status."""
    targets, variables = makefile()
    count = findings = 0
    for path in pages():
        text = path.read_text('utf-8')
        for match in COMMAND.finditer(text):
            words = shlex.split((match[1] or match[2]).replace(';', ' ; '))
            count += 1
            for wrong in check(words[1:], targets, variables):
                line = text.count('\n', 0, match.start()) + 1
                print(f'{path}:{line}: {wrong}')
                findings += 1
    print(f'{count} make commands in pages, {findings} findings')
    return int(findings > 0)


if __name__ == '__main__':
    sys.exit(main())
