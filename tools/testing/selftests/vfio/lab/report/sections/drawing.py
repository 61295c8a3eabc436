# SPDX-License-Identifier: GPL-2.0
"""Pictures of gnuplot within the page, which follow its colours"""

import os
import re
import tempfile

import picture

from .markup import Html, element

# A dark form of a pale colour: a dark grey, and on it what the colour has beside its grey.
DARK = 52
AMPLIFIED = 1.15


def hexadecimal(parts):
    """#rrggbb"""
    return '#' + ''.join(f'{int(part):02x}' for part in parts)


def as_hexadecimal(colour):
    """The form in an SVG of a colour of picture.py"""
    return '#' + colour.removeprefix('0x')


def dark(pale):
    """The colour of a state on a dark page"""
    parts = [int(pale[i:i + 2], 16) for i in (1, 3, 5)]
    return hexadecimal(DARK + AMPLIFIED * (part - min(parts)) for part in parts)


def state(name):
    """The name of a state on its colour"""
    colour = as_hexadecimal(picture.STATES[name])
    return element('span', name, kind='state', style=f'--pale: {colour}; --dark: {dark(colour)}')


def rules():
    """CSS for dark pages: states get dark, events on them get light."""
    lines = ['.state { background: var(--dark); }']
    for colour in sorted(set(picture.STATES.values())):
        old = as_hexadecimal(colour)
        lines.append(f'figure svg [fill="{old}"] {{ fill: {dark(old)}; }}')
    for colour in sorted(set(picture.EVENTS.values())):
        old = as_hexadecimal(colour)
        light = hexadecimal(int(old[i:i + 2], 16) * 0.5 + 120 for i in (1, 3, 5))
        lines.append(f'figure svg [stroke="{old}"] {{ stroke: {light}; }}')
        lines.append(f'figure svg [fill="{old}"] {{ fill: {light}; }}')
    return '\n'.join(lines)


def inline(svg, label):
    """The part of an SVG file that goes into a page"""
    size = re.search(r'<svg width="(\d+)" height="(\d+)"', svg)
    svg = re.sub(r'^.*?<svg [^>]*>', '', svg, flags=re.DOTALL)
    svg = re.sub(r' id="[^"]*"', '', svg)
    # The background
    svg = re.sub(r'<rect x="0" y="0" [^>]*fill="#ffffff"/>', '', svg)
    svg = re.sub(r' color="[^"]*"', '', svg)
    svg = re.sub(r"""(fill|stroke) ?= ?["']black["']""", r'\1="currentColor"', svg)
    svg = re.sub(r"""(fill|stroke) ?= ?'rgb\( *(\d+), *(\d+), *(\d+)\)'""",
                 lambda found: f'{found[1]}="{hexadecimal(found.groups()[1:])}"', svg)
    svg = f'<svg viewBox="0 0 {size[1]} {size[2]}" role="img" aria-label="{label}">{svg}'
    return element('figure', Html(svg), style=f'--width: {size[1]}px', tabindex='0')


def figure(draw, label):
    """draw(path) writes a picture; without gnuplot the page has none."""
    if not picture.available():
        return Html('')
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, 'picture.svg')
        draw(path)
        with open(path, encoding='utf-8') as file:
            return inline(file.read(), label)
