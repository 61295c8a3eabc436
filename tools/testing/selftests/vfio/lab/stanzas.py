# SPDX-License-Identifier: GPL-2.0
"""Read files of stanzas: fields "Name: value", separated by empty lines.

A line that begins with a blank goes on with the value. A line that begins with # is a comment.
"""

import re

FIELD = re.compile(r'([A-Z][A-Za-z-]*):(?: (.*))?')


class Mistake(Exception):
    """In a file of stanzas, as FILE:LINE: text"""


def read(path):
    """Yields (line number, fields) for each stanza; a value keeps its lines."""
    fields = {}
    first = last = None
    with open(path, encoding='utf-8') as file:
        lines = file.read().split('\n')
    for number, line in enumerate(lines + [''], 1):
        found = FIELD.fullmatch(line)
        if line.startswith('#'):
            continue
        if not line.strip():
            if fields:
                yield first, fields
            fields = {}
        elif line[0] == ' ' and fields:
            fields[last] += '\n' + line[1:]
        elif found and found[1] not in fields:
            first = first if fields else number
            last = found[1]
            fields[last] = found[2] or ''
        else:
            raise Mistake(f'{path}:{number}: not a field, or a second one: {line}')


def one_line(value):
    """A value without its line ends"""
    return ' '.join(value.split())
