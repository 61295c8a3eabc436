# SPDX-License-Identifier: GPL-2.0
"""An extension of Sphinx: rows of tables that were not meant are errors.

In a simple table of reStructuredText (borders of "="), each line with text in the first column
begins a row. If that text is wrapped, its second line becomes a row of its own, and Sphinx says
nothing. No program can distinguish such a row from a real one. So simple tables are refused:
in a grid table or a list-table the author says where a row ends. An empty first cell is refused,
too, because it is the rest of a row that was divided.
"""

from docutils import nodes
from docutils.parsers.rst import tableparser
from sphinx.util import logging


class NoSimpleTables(tableparser.SimpleTableParser):
    """Docutils reports the error with file and line."""

    def parse(self, block):
        raise tableparser.TableMarkupError(
            'This is a simple table, where a wrapped first column makes a new row in silence. '
            'Use a list-table or a grid table.')


def check_first_cells(_app, doctree):
    """Warns of rows that begin with an empty cell."""
    logger = logging.getLogger(__name__)
    for row in doctree.findall(nodes.row):
        first = row.next_node(nodes.entry)
        if not first.astext().strip() and not list(first.findall(nodes.image)):
            logger.warning('a row of a table begins with an empty cell: "%s"',
                           ' | '.join(row.astext().split()), location=row)


def setup(app):
    """Called by Sphinx"""
    tableparser.SimpleTableParser = NoSimpleTables
    app.connect('doctree-read', check_first_cells)
    return {'parallel_read_safe': True}
