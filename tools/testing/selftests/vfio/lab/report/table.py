# SPDX-License-Identifier: GPL-2.0
"""Tables as text."""


def print_table(rows, left):
    """Print aligned columns; the numbers in left are those aligned to the left."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    for cells in rows:
        print('  '.join(cell.ljust(width) if i in left else cell.rjust(width)
                        for i, (cell, width) in enumerate(zip(cells, widths))).rstrip())
