# SPDX-License-Identifier: GPL-2.0
"""Draws who was in which state when, and what happened, on one time axis (SVG)."""

from html import escape

LEFT, WIDTH, HEIGHT, GAP = 150, 780, 26, 22

# Of a colour for each state: pale, so that marks can be seen on them.
PALETTE = ('#cfe3f7', '#f9dfb4', '#d6edd0', '#f3cfd2', '#e2d5f0', '#d9d9d9', '#fbf3b0',
           '#c9ece9', '#efdcc9', '#e8e8c0')


class Lane:
    """One actor: states that follow each other, and marks at moments."""

    def __init__(self, name):
        self.name = name
        self.states = []
        self.marks = []

    def state(self, when, text):
        """From now on it is in this one."""
        self.states.append((when, text))

    def mark(self, when, kind):
        """Something has happened."""
        self.marks.append((when, kind))


class Picture:
    """Lanes, of which each panel shows a stretch of time."""

    def __init__(self, title, lanes, kinds, dots=()):
        self.title = title
        self.lanes = lanes
        self.kinds = kinds  # of marks: name and colour
        self.dots = dots  # those that must be seen among many
        self.colours = {}
        self.panels = []

    def panel(self, title, begin, end):
        """Shows from begin to end, in seconds."""
        self.panels.append((title, begin, max(end, begin + 1e-6)))

    def svg(self):
        """All of it."""
        body = [f'<text x="10" y="20" font-size="14">{escape(self.title)}</text>']
        y = 34
        for panel in self.panels:
            body += self.draw_panel(y, *panel)
            y += 50 + (HEIGHT + 8) * len(self.lanes) + GAP
        x = LEFT
        shown = {kind for lane in self.lanes for _, kind in lane.marks}
        for name, colour in self.kinds.items():
            if name not in shown:
                continue
            body.append((f'<circle cx="{x}" cy="{y - 4}" r="4" fill="{colour}"/>'
                         if name in self.dots else
                         f'<path d="M{x} {y - 10}v14" stroke="{colour}" stroke-width="2"/>') +
                        f'<text x="{x + 6}" y="{y}">{escape(name)}</text>')
            x += 20 + 7 * len(name)
        return '\n'.join([
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 20}" '
            f'height="{y + 14}" font-family="sans-serif" font-size="12">',
            '<rect width="100%" height="100%" fill="white"/>', *body, '</svg>', ''])

    def draw_panel(self, top, title, begin, end):
        """Its axis, and below it a bar for each lane."""
        def place(when):
            return LEFT + (min(max(when, begin), end) - begin) / (end - begin) * WIDTH

        body = [f'<text x="10" y="{top + 14}">{escape(title)}</text>']
        top += 40
        for i in range(6):
            x = LEFT + WIDTH * i / 5
            anchor = 'end' if i == 5 else 'middle'
            body.append(f'<path d="M{x:.1f} {top - 4}v{(HEIGHT + 8) * len(self.lanes)}" '
                        'stroke="#bbb" stroke-dasharray="2 3"/>'
                        f'<text x="{x:.1f}" y="{top - 8}" text-anchor="{anchor}" fill="#555">'
                        f'{((end - begin) * i / 5 * 1000):.1f} ms</text>')
        for i, lane in enumerate(self.lanes):
            body += self.draw_lane(lane, top + (HEIGHT + 8) * i, place, (begin, end))
        return body

    def draw_lane(self, lane, y, place, stretch):
        """One actor, for a stretch of time."""
        begin, end = stretch
        body = [f'<text x="10" y="{y + 17}">{escape(lane.name)}</text>']
        for i, (when, text) in enumerate(lane.states):
            until = lane.states[i + 1][0] if i + 1 < len(lane.states) else end
            if until <= begin or when >= end or not text:
                continue
            x, width = place(when), place(until) - place(when)
            colour = self.colours.setdefault(text, PALETTE[len(self.colours) % len(PALETTE)])
            shown = escape(text) if width > 8 * len(text) else ''
            body.append(f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{HEIGHT}" '
                        f'fill="{colour}" stroke="#888" stroke-width="0.5">'
                        f'<title>{escape(text)}</title></rect>'
                        f'<text x="{x + 3:.1f}" y="{y + 17}" pointer-events="none">{shown}</text>')
        for when, kind in lane.marks:
            if not begin <= when <= end:
                continue
            title = f'<title>{escape(kind)}</title>'
            if kind in self.dots:
                body.append(f'<circle cx="{place(when):.1f}" cy="{y + HEIGHT}" r="4" '
                            f'fill="{self.kinds[kind]}">{title}</circle>')
            else:
                body.append(f'<path d="M{place(when):.1f} {y - 3}v{HEIGHT + 6}" '
                            f'stroke="{self.kinds[kind]}">{title}</path>')
        return body
