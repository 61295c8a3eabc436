# SPDX-License-Identifier: GPL-2.0
"""The literal blocks of a page, and what the page says of them.

A page is reStructuredText ("::" at the end of a line, or "code-block") or Markdown (between lines
with three backticks). A mark is a comment that applies to the next block: ".. WORDS: VALUE", or
"<!-- WORDS: VALUE -->". MARKS has them all. "machine" applies to the page.
"""

import collections
import pathlib
import re

MARKS = {
    'not run': 'why docs-check cannot run it, or why there is nothing to run',
    'excerpt': 'a file: the lines of the block, without their indentation, are a part of it',
    'lines of': 'files, or patterns: each line of the block, without its indentation, is in one',
    'compiles': 'a header: the block is C, and compiles without a warning behind it',
    'pasted': '"$" or "#": the block is one command for this machine or the VM, without output',
    'may differ': 'a regular expression: what differs in the outputs from run to run',
    'machine': 'shell-vmm: commands after "#" are for the VM with QEMU',
}
RST_MARK = re.compile(r'\.\. ([a-z ]+): (.*)')
MARKDOWN_MARK = re.compile(r'<!-- ([a-z ]+): (.*) -->')
CODE = re.compile(r'\s*([*-] +)*\.\. code-block::')

Block = collections.namedtuple('Block', 'line text marks')
Page = collections.namedtuple('Page', 'path blocks machine errors')


def without_marks(text):
    """The text of a page in reStructuredText without its marks, and the empty line behind each"""
    return re.sub(rf'^\.\. (?:{"|".join(MARKS)}): .*\n\n?', '', text, flags=re.M)


def indent_of(line):
    """Columns at the begin of a line"""
    line = line.expandtabs()
    return len(line) - len(line.lstrip())


def indented(lines, number):
    """The block behind a line "::": returns the number of its first line, and its lines."""
    outer = indent_of(lines[number])
    number += 1
    while number < len(lines) and not lines[number].strip():
        number += 1
    line = lines[number] if number < len(lines) else ''
    indent = indent_of(line)
    blanks = line[:len(line) - len(line.lstrip())]
    block = []
    first = number + 1
    if indent <= outer:
        return first, block
    while number < len(lines) and (not lines[number].strip() or indent_of(lines[number]) >= indent):
        block.append(lines[number].removeprefix(blanks))
        number += 1
    while not block[-1].strip():
        block.pop()
    return first, block


def fenced(lines, number):
    """The block behind a line with backticks, as indented()"""
    end = number + 1
    while end < len(lines) and not lines[end].startswith('```'):
        end += 1
    return number + 2, lines[number + 1:end]


def block_at(lines, number, markdown):
    """The block that a line begins, or None"""
    line = lines[number]
    if markdown:
        return fenced(lines, number) if line.startswith('```') else None
    if CODE.match(line) or line.endswith('::') and not line.lstrip().startswith('.. '):
        first, block = indented(lines, number)
        return (first, block) if block else None
    return None


def read(path):
    """Returns the Page."""
    markdown = path.endswith('.md')
    lines = pathlib.Path(path).read_text('utf-8').split('\n')
    page = Page(path, [], [], [])
    marks, number = {}, 0
    while number < len(lines):
        mark = (MARKDOWN_MARK if markdown else RST_MARK).fullmatch(lines[number])
        found = block_at(lines, number, markdown)
        number += 1
        if mark and mark[1] == 'machine':
            page.machine.append(mark[2])
        elif mark and mark[1] in MARKS:
            marks[mark[1]] = mark[2]
        elif found:
            first, block = found
            page.blocks.append(Block(first, block, marks))
            marks, number = {}, first - 1 + len(block) + markdown
    if marks:
        page.errors.append(f'{path}: no block after the mark "{list(marks)[0]}"')
    return page
