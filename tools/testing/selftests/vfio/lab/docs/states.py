#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Draw the migration states and their arcs, as the clause file has them.

The tests judge a driver by these clauses, so the picture and the tests cannot differ. An arc is
drawn if its clause says that it succeeds.

Usage: states.py [--check FILE] CLAUSES
  prints an SVG; with --check FILE, only compares it with FILE
Exit status: 0 printed, or equal; 1 a clause cannot be drawn, or FILE differs.
"""

import argparse
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import stanzas  # noqa: E402  pylint: disable=wrong-import-position

WIDTH, HEIGHT = 760, 372
BOX = 132, 40
# Centres of the boxes. The right column is one session.
PLACE = {
    'resuming': (106, 250), 'stop': (360, 250), 'stop-copy': (628, 250),
    'running-p2p': (360, 160), 'pre-copy-p2p': (628, 160),
    'running': (360, 70), 'pre-copy': (628, 70),
}
ARC = re.compile(rf'arc\.({"|".join(PLACE)})-to-({"|".join(PLACE)})')
# Needs of an arc, and how it is drawn
STYLE = {
    'MIGRATION': 'must', 'MIGRATION P2P': 'p2p', 'MIGRATION PRE_COPY': 'pre',
    'MIGRATION P2P PRE_COPY': 'both',
}
COLOUR = {'must': '#1f2933', 'p2p': '#0b6e99', 'pre': '#a14a00', 'both': '#6b3fa0'}
LEGEND = (('must', 'every device that can migrate'), ('p2p', 'with VFIO_MIGRATION_P2P'),
          ('pre', 'with VFIO_MIGRATION_PRE_COPY'), ('both', 'with both'))
HEAD = f'''\
<?xml version="1.0" encoding="UTF-8"?>
<!-- SPDX-License-Identifier: GPL-2.0-only -->
<!-- Made from tools/testing/selftests/vfio/migration/uapi/clauses by "make clauses". -->
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" \
font-family="sans-serif" font-size="14">
<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>
<rect x="545" y="12" width="166" height="270" rx="8" fill="#f3f0fa"/>
<text x="628" y="32" text-anchor="middle" fill="#555555">saving: one data_fd</text>
<rect x="23" y="200" width="166" height="82" rx="8" fill="#eef6ee"/>
<text x="106" y="218" text-anchor="middle" fill="#555555">loading: a data_fd</text>'''


def read_arcs(path):
    """Yields (from, to, style) of each arc that must succeed."""
    for line, fields in stanzas.read(path):
        found = ARC.fullmatch(fields.get('Id', ''))
        if not found or 'fails' in stanzas.one_line(fields['Text']):
            continue
        if fields['Needs'] not in STYLE:
            raise stanzas.Mistake(f'{path}:{line}: no colour for an arc that needs '
                                  f'{fields["Needs"]}')
        yield found[1], found[2], STYLE[fields['Needs']]


def edge(centre, towards):
    """The middle of the side of a box that faces another box"""
    sign = [(b > a) - (b < a) for a, b in zip(centre, towards)]
    return [c + s * size / 2 for c, s, size in zip(centre, sign, BOX)]


def arrow(source, target, style):
    """One arc; the two of a pair are beside each other."""
    begin, end = edge(PLACE[source], PLACE[target]), edge(PLACE[target], PLACE[source])
    if begin[0] == end[0]:
        shift = [18 if end[1] > begin[1] else -18, 0]
    else:
        shift = [0, -9 if end[0] > begin[0] else 9]
    numbers = ' '.join(f'{name}="{value + offset:g}"' for name, value, offset in
                       zip(('x1', 'y1', 'x2', 'y2'), begin + end, shift * 2))
    return (f'<line {numbers} stroke="{COLOUR[style]}" stroke-width="2" '
            f'marker-end="url(#{style})"/>')


def box(name):
    """A state"""
    x, y = PLACE[name]
    return (f'<rect x="{x - BOX[0] / 2:g}" y="{y - BOX[1] / 2:g}" width="{BOX[0]}" '
            f'height="{BOX[1]}" rx="6" fill="#ffffff" stroke="#1f2933"/>\n'
            f'<text x="{x}" y="{y + 5}" text-anchor="middle" fill="#1f2933">'
            f'{name.upper().replace("-", "_")}</text>')


def picture(path):
    """The SVG, as lines"""
    arcs = list(read_arcs(path))
    if not arcs:
        raise stanzas.Mistake(f'{path}: no arc')
    yield HEAD
    for style, colour in COLOUR.items():
        yield (f'<marker id="{style}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" '
               f'markerHeight="7" orient="auto"><path d="M0 0 L10 5 L0 10 z" '
               f'fill="{colour}"/></marker>')
    for name in PLACE:
        yield box(name)
    for source, target, style in arcs:
        yield arrow(source, target, style)
    for number, (style, text) in enumerate(LEGEND):
        x, y = 30 + 360 * (number % 2), 316 + 26 * (number // 2)
        yield (f'<line x1="{x}" y1="{y}" x2="{x + 36}" y2="{y}" stroke="{COLOUR[style]}" '
               f'stroke-width="2" marker-end="url(#{style})"/>\n'
               f'<text x="{x + 46}" y="{y + 5}" fill="#1f2933">{text}</text>')
    yield '</svg>'


def main():
    """Prints or compares."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--check')
    parser.add_argument('clauses')
    args = parser.parse_args()
    try:
        svg = '\n'.join(picture(args.clauses)) + '\n'
    except stanzas.Mistake as mistake:
        print(mistake, file=sys.stderr)
        return 1
    if not args.check:
        sys.stdout.write(svg)
    elif pathlib.Path(args.check).read_text('utf-8') != svg:
        print(f'{args.check}:1: not what the clauses say: run "make clauses"')
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
