#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Checks the clause file, and that clauses and tests name each other; makes its documentation.

Usage: clauses.py [--rst | --check-rst FILE] [DIR]
  DIR               has clauses and the tests; default: migration/uapi
  --rst             print the documentation; findings in tests do not count
  --check-rst FILE  all checks, and FILE must be what --rst prints
Exit status: 0 no finding, 1 findings (FILE:LINE: what is wrong), 2 wrong usage or no such file.
"""

import argparse
import os
import pathlib
import re
import sys
import textwrap

UAPI = pathlib.Path(os.path.relpath(pathlib.Path(__file__).resolve().parents[2] / 'migration/uapi'))
MAX_COLUMNS = 100

GROUPS = {
    'open': 'Opening a device',
    'info': 'Information on the device',
    'region': 'Regions',
    'irq': 'Interrupts',
    'reset': 'Reset',
    'feature': 'Features',
    'state': 'Migration states',
    'arc': 'Arcs between migration states',
    'session': 'Data transfer sessions',
    'precopy': 'Pre-copy',
    'size': 'Size of the data of STOP_COPY',
    'dma': 'DMA logging',
    'profile': 'Sequences of calls of VMMs',
}
NEEDS = set('MIGRATION P2P PRE_COPY PRECOPY_V2 DATA_SIZE DMA_LOGGING RESET PCI IRQ INTX MSI MSIX '
            'REGION MMAP MDEV CDEV GROUP DMA VGA'.split())
ID = re.compile(r'([a-z]+)\.[a-z0-9]+(-[a-z0-9]+)*')

# For each field, in this order: a check of its value, and how to say that check.
FIELDS = {
    'Id': (ID.fullmatch, 'group.words-with-hyphens'),
    'Symbol': (re.compile(r'kernel core|((enum|struct) )?\w+').fullmatch,
               'a name of vfio.h, or "kernel core"'),
    'Level': ({'MUST', 'SHOULD', 'OPEN'}.__contains__, 'MUST, SHOULD or OPEN'),
    'Since': (re.compile(r'\d+\.\d+').fullmatch, 'a kernel, such as 5.18'),
    'Until': (re.compile(r'\d+\.\d+').fullmatch, 'a kernel, such as 6.18'),
    'Needs': (lambda value: NEEDS.issuperset(value.split()),
              f'some of {" ".join(sorted(NEEDS))}'),
    'By': ({'driver', 'core'}.__contains__, 'driver or core'),
    'Text': (re.compile(r'[A-Za-z].*\.').fullmatch, 'sentences'),
    'Choice': ({'yes'}.__contains__, 'yes, or absent'),
    'Untested': (re.compile(r'[a-z].*[^.]').fullmatch, 'a reason, without a full stop'),
}
REQUIRED = ('Id', 'Symbol', 'Level', 'Since', 'By', 'Text')

# Macros that begin a case. Only the first two name clauses.
CASE = re.compile(r'\b((?:CLAUSE|DESTRUCTIVE)_TEST_F|TEST(?:_F|_SIGNAL|_F_SIGNAL|_F_TIMEOUT)?)'
                  r'\s*\(')
COMMENT_OR_LITERAL = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'
                                r"'(?:\\.|[^'\\\n])+'", re.S)
STRING = re.compile(r'"((?:\\.|[^"\\\n])*)"')

RST_HEAD = '''\
.. SPDX-License-Identifier: GPL-2.0-only
.. Made from tools/testing/selftests/vfio/migration/uapi/clauses by "make clauses": change that.

=====================================
Clauses of VFIO devices and migration
=====================================

This page lists what ``include/uapi/linux/vfio.h`` and the VFIO core ask of a device, as far
as userspace can see it. Each clause is one thing that one test can judge. The reports of the
conformance suite use the same ids.

A clause applies from the kernel in column "Since" on, to devices that have what it needs.
"Core" means that ``drivers/vfio`` answers, not the driver. The levels are:

MUST
  vfio.h demands it, or the core guarantees it.
SHOULD
  vfio.h says "should", or all uses rest on it.
OPEN
  vfio.h leaves it to the driver. The suite accepts all, and records what it saw.
'''


class Findings:
    """Prints findings, and counts them."""

    def __init__(self, output):
        self.count = 0
        self.output = output

    def add(self, path, line, text):
        """A finding in a line of a file"""
        self.count += 1
        print(f'{path}:{line}: {text}', file=self.output)


def check_line(line):
    """Says what is wrong with the form of a line, or returns None."""
    if not line.isascii():
        return 'a character that is not ASCII'
    if len(line) > MAX_COLUMNS:
        return f'{len(line)} columns, more than {MAX_COLUMNS}'
    if '\t' in line or line != line.rstrip():
        return 'a tab, or a blank at the end of the line'
    return None


def stanzas(path, findings):
    """The fields of each stanza: name to (line, value)."""
    result, fields, last = [], None, None
    for number, line in enumerate(path.read_text('utf-8', 'replace').split('\n'), 1):
        wrong = check_line(line)
        if wrong:
            findings.add(path, number, wrong)
        if line.startswith('#'):
            continue
        match = re.match(r'([A-Z][A-Za-z]*):(?: (.*))?$', line)
        if not line.strip():
            fields = last = None
        elif line[0] == ' ':
            if last is None:
                findings.add(path, number, 'a continuation without a field before it')
            else:
                start, value = fields[last]
                fields[last] = start, f'{value} {line.strip()}'.lstrip()
        elif not match:
            findings.add(path, number, 'neither "Field: value", nor a continuation or a comment')
        else:
            if fields is None:
                fields = {}
                result.append(fields)
            last = match[1]
            if last in fields:
                findings.add(path, number, f'a second field {last}')
            fields[last] = number, (match[2] or '').strip()
    return result


def check_fields(path, fields, findings):
    """Names and values of the fields of one stanza"""
    first = min(line for line, _ in fields.values())
    for name in REQUIRED:
        if name not in fields:
            findings.add(path, first, f'no field {name}')
    known = [name for name in fields if name in FIELDS]
    if known != sorted(known, key=list(FIELDS).index):
        findings.add(path, first, f'the order of fields is: {" ".join(FIELDS)}')
    for name, (line, value) in fields.items():
        if name not in FIELDS:
            findings.add(path, line, f'unknown field {name}; there are: {" ".join(FIELDS)}')
        elif not value or not FIELDS[name][0](value):
            findings.add(path, line, f'{name} is "{value}", must be {FIELDS[name][1]}')
    words = fields.get('Needs', (0, ''))[1].split()
    if len(words) != len(set(words)):
        findings.add(path, fields['Needs'][0], 'Needs has a word twice')


def version(text):
    """A kernel's version that can be compared"""
    return [int(word) for word in text.split('.')]


def check_clause(path, fields, seen, findings):
    """A valid stanza beside the others; seen: id to line, in order"""
    line, name = fields['Id']
    group = name.split('.')[0]
    if name in seen:
        findings.add(path, line, f'{name} is in line {seen[name]} already')
    if group not in GROUPS:
        findings.add(path, line, f'no group {group}; there are: {" ".join(GROUPS)}')
    elif seen:
        previous = list(seen)[-1].split('.')[0]
        order = list(GROUPS)
        if previous in GROUPS and order.index(previous) > order.index(group):
            findings.add(path, line, f'{name} after group {previous}; the order of groups is: '
                         f'{" ".join(GROUPS)}')
    until = fields.get('Until')
    if until and version(until[1]) < version(fields['Since'][1]):
        findings.add(path, until[0], 'Until is before Since')
    seen.setdefault(name, line)


def read_clauses(path, findings):
    """Id to the fields of the clause. Wrong stanzas are findings, and are left out."""
    clauses, seen = {}, {}
    for fields in stanzas(path, findings):
        before = findings.count
        check_fields(path, fields, findings)
        if findings.count == before:
            check_clause(path, fields, seen, findings)
            clauses.setdefault(fields['Id'][1], fields)
    if not clauses and not findings.count:
        findings.add(path, 1, 'no clause')
    return clauses


def without_comments(text):
    """C source, all but code and strings blanked; lines and columns stay."""
    def blank(match):
        return match[0] if match[0][0] == '"' else re.sub(r'[^\n]', ' ', match[0])

    text = COMMENT_OR_LITERAL.sub(blank, text)
    return re.sub(r'^[ \t]*#(?:[^\n]*\\\n)*[^\n]*', lambda m: re.sub(r'[^\n]', ' ', m[0]), text,
                  flags=re.M)


def arguments(text, start):
    """Arguments of a macro call; start is behind its "("; None if it does not end."""
    result, depth, position, begin = [], 0, start, start
    while position < len(text):
        string = STRING.match(text, position)
        if string:
            position = string.end()
            continue
        letter = text[position]
        if letter == ',' and not depth or letter == ')' and not depth:
            result.append(text[begin:position].strip())
            begin = position + 1
            if letter == ')':
                return result
        depth += (letter in '([{') - (letter in ')]}')
        position += 1
    return None


def check_case(path, line, macro, words, clauses, findings):
    """The ids that one case names; words: arguments of its macro"""
    if macro not in ('CLAUSE_TEST_F', 'DESTRUCTIVE_TEST_F'):
        findings.add(path, line, f'{macro} names no clause: use CLAUSE_TEST_F')
        return []
    if words is None:
        findings.add(path, line, f'the arguments of {macro} do not end')
        return []
    destructive = macro.startswith('DESTRUCTIVE')
    if destructive and (len(words) < 3 or not STRING.match(words[2])):
        findings.add(path, line, f'{macro} without a reason: it is a string behind the name')
    ids = []
    for word in words[2 + destructive:]:
        match = STRING.fullmatch(word)
        if not match:
            findings.add(path, line, f'{word}: an id must be one string, so that it can be found')
        elif match[1] not in clauses:
            findings.add(path, line, f'no clause {match[1]} in {path.parent / "clauses"}')
        elif match[1] in ids:
            findings.add(path, line, f'{match[1]} is named twice')
        else:
            ids.append(match[1])
    if len(words) <= 2 + destructive:
        findings.add(path, line, f'{macro} names no clause')
    return ids


def read_tests(directory, clauses, findings):
    """Id to the names of the programs that judge it"""
    judges = {}
    for path in sorted(directory.glob('*.c')):
        text = without_comments(path.read_text('utf-8', 'replace'))
        code = STRING.sub(lambda match: '"' + ' ' * len(match[1]) + '"', text)
        for match in CASE.finditer(code):
            line = text.count('\n', 0, match.start()) + 1
            words = arguments(text, match.end())
            for name in check_case(path, line, match[1], words, clauses, findings):
                programs = judges.setdefault(name, [])
                if path.stem not in programs:
                    programs.append(path.stem)
    return judges


def check_tested(path, clauses, judges, findings):
    """A clause has a case, or a reason to have none."""
    for name, fields in clauses.items():
        line = fields['Id'][0]
        if name not in judges and 'Untested' not in fields:
            findings.add(path, line, f'{name} has neither a case in {path.parent} nor a reason '
                         '(field Untested)')
        if name in judges and 'Untested' in fields:
            findings.add(path, fields['Untested'][0],
                         f'{name} is Untested, but {judges[name][0]} names it')


def literals(text):
    """Text for reStructuredText: names of fields and functions as literals, "*" and such quoted"""
    result = []
    for part in re.split(r'(\b[a-z0-9]+(?:_[a-z0-9]+)+\b(?:\(\))?|\b[a-z]+\([0-9]?\))', text):
        if len(result) % 2:
            result.append(f'``{part}``')
        else:
            result.append(re.sub(r'([\\*`|]|_(?=\W|$))', r'\\\1', part))
    return ''.join(result)


def cell(first, paragraphs):
    """A cell of a list-table; first: "* - " or "  - " """
    lines = []
    for number, paragraph in enumerate(paragraphs):
        if number:
            lines.append('')
        lines += textwrap.wrap(paragraph, MAX_COLUMNS - 7, break_long_words=False,
                               break_on_hyphens=False)
    return [f'   {first}{lines[0]}'] + [f'       {line}' if line else '' for line in lines[1:]]


def row(name, fields, programs):
    """The row of a clause"""
    value = {key: text for key, (_, text) in fields.items()}
    kernels = value['Since'] + (f' to {value["Until"]}' if 'Until' in value else '')
    notes = []
    if 'Needs' in value:
        notes.append(f'Needs {", ".join(value["Needs"].split())}.')
    if value['By'] == 'core':
        notes.append('Core.')
    if value.get('Choice'):
        notes.append("A choice of the driver.")
    if programs:
        notes.append(f'Judged by {", ".join(f"``{program}``" for program in programs)}.')
    elif 'Untested' in value:
        notes.append(literals(f'Not tested: {value["Untested"]}.'))
    else:
        notes.append('Not tested.')
    return (cell('* - ', [f'_`{name}`', f'``{value["Symbol"]}``'])
            + cell('  - ', [value['Level']]) + cell('  - ', [kernels])
            + cell('  - ', [literals(value['Text']), ' '.join(notes)]))


def documentation(clauses, judges):
    """The page"""
    lines = [RST_HEAD]
    for group, title in GROUPS.items():
        names = [name for name in clauses if name.split('.')[0] == group]
        if not names:
            continue
        lines += [title, '=' * len(title), '', '.. list-table::', '   :header-rows: 1',
                  '   :widths: 30 8 8 54', '', '   * - Clause, and where it comes from',
                  '     - Level', '     - Since', '     - Text']
        for name in names:
            lines += row(name, clauses[name], judges.get(name, []))
        lines.append('')
    return '\n'.join(lines)


def check_page(path, text, findings):
    """The committed page is what --rst prints."""
    old = path.read_text('utf-8').split('\n') if path.is_file() else []
    new = text.split('\n')
    if old != new:
        line = next((number for number, (one, other) in enumerate(zip(old, new), 1)
                     if one != other), min(len(old), len(new)) + 1)
        findings.add(path, line, 'does not fit the clauses and tests: run "make clauses"')


def main():
    """Returns the exit status."""
    parser = argparse.ArgumentParser(usage=__doc__.split('Usage: ')[1], add_help=False)
    parser.add_argument('--rst', action='store_true')
    parser.add_argument('--check-rst', type=pathlib.Path)
    parser.add_argument('directory', nargs='?', type=pathlib.Path, default=UAPI)
    options = parser.parse_args()
    if options.rst and options.check_rst:
        parser.error('either --rst or --check-rst')
    path = options.directory / 'clauses'
    if not path.is_file():
        parser.error(f'no file {path}')

    findings = Findings(sys.stderr if options.rst else sys.stdout)
    clauses = read_clauses(path, findings)
    if findings.count:
        return 1
    if options.rst:
        judges = read_tests(options.directory, clauses, findings)
        print(documentation(clauses, judges), end='')
        return 0
    judges = read_tests(options.directory, clauses, findings)
    check_tested(path, clauses, judges, findings)
    if options.check_rst:
        check_page(options.check_rst, documentation(clauses, judges), findings)
    print(f'{len(clauses)} clauses, {len(judges)} with a case, {findings.count} findings')
    return int(findings.count > 0)


if __name__ == '__main__':
    sys.exit(main())
