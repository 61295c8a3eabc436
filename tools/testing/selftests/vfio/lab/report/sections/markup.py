# SPDX-License-Identifier: GPL-2.0
"""HTML of the page: text is escaped, unless it is of class Html."""

import html
from collections import namedtuple

# Space behind these would show.
INLINE = ('a', 'mark', 'span', 'strong')

# state: good, bad or none; line: one line for the top of the page; body: Html
Section = namedtuple('Section', 'state line body')

VERDICTS = {
    'kept': 'good', 'passed': 'good', 'killed': 'good', 'met': 'good',
    'violated': 'bad', 'failed': 'bad', 'survived': 'bad', 'error': 'bad', 'missed': 'bad',
}


class Html(str):
    """Text that is HTML already"""


def escape(value):
    """HTML of a text"""
    return value if isinstance(value, Html) else Html(html.escape(str(value)))


def join(*parts):
    """Several texts in a row"""
    return Html(''.join(escape(part) for part in parts))


def element(name, *content, **attributes):
    """An element; the attribute class is written kind."""
    words = ''.join(f' {"class" if key == "kind" else key}="{html.escape(str(value))}"'
                    for key, value in attributes.items())
    end = '' if name in INLINE else '\n'
    return Html(f'<{name}{words}>{join(*content)}</{name}>{end}')


def code(text):
    """A command, or a name"""
    return Html(f'<code>{escape(text)}</code>')


def verdict(word, detail=''):
    """A word that is coloured by what it says"""
    return element('span', f'{word}{detail}', kind=f'verdict {VERDICTS.get(word, "none")}')


def table(head, rows, numbers=(), kind='wide'):
    """A table; numbers are the columns that are aligned to the right."""
    def cells(name, row):
        return join(*(element(name, cell, **({'kind': 'number'} if i in numbers else {}))
                      for i, cell in enumerate(row)))

    # With the focus on it, a keyboard scrolls it.
    return element('div', element(
        'table', element('thead', element('tr', cells('th', head))),
        element('tbody', *(element('tr', cells('td', row)) for row in rows))),
        kind=kind, tabindex='0')


def details(summary, *content, is_open=False):
    """A part that is shown on demand"""
    text = element('details', element('summary', summary), *content)
    return Html(text.replace('<details>', '<details open>', 1)) if is_open else text


def preformatted(lines):
    """Output of a program"""
    return element('pre', '\n'.join(lines), tabindex='0')


def missing(what, command):
    """A result that is not there, and the command that makes it"""
    return element('p', f'{what} Run: ', code(command), kind='missing')


def not_run(command):
    """A section without any result"""
    return Section('none', 'not run', missing('No result.', command))
