# SPDX-License-Identifier: GPL-2.0
"""Pictures (SVG), drawn by gnuplot."""

import re
import shutil
import subprocess

PACKAGE = 'gnuplot-nox'

# The colours are the same in all pictures. States are pale, to show the events on them.
STATES = {
    'ERROR': '#f08080', 'STOP': '#d9d9d9', 'RUNNING': '#d6edd0', 'STOP_COPY': '#f9dfb4',
    'RESUMING': '#cfe3f7', 'RUNNING_P2P': '#c9ece9', 'PRE_COPY': '#fbf3b0',
    'PRE_COPY_P2P': '#e8e8c0', 'closed': '#f2f2f2', 'guest runs': '#a8dba8',
    'stopped': '#f3cfd2', 'waits': '#e2d5f0',
}
EVENTS = {
    'data': '#2266bb', 'config': '#996600', 'SET_IRQS': '#227722', 'interrupt': '#aa00aa',
    'message taken': '#00a5a5', 'message refused': '#dd0000', 'ITS restored': '#000000',
}
VERDICTS = {True: '#33aa88', False: '#cc5544', None: '#888888'}


def available():
    """Return False, and print the reason, where pictures cannot be drawn."""
    if shutil.which('gnuplot'):
        return True
    print(f'no pictures: gnuplot is missing (package {PACKAGE})')
    return False


def quoted(text):
    """A string of gnuplot's."""
    for plain, escaped in (('\\', '\\\\'), ('"', '\\"'), ('\n', '\\n')):
        text = text.replace(plain, escaped)
    return f'"{text}"'


def colour(text):
    """A colour of the tables above as a number, for "lc rgb variable"."""
    return int(text.removeprefix('#'), 16)


def block(name, rows):
    """Commands that define a data block. Strings in rows must be quoted."""
    return [f'${name} << EOD', *(' '.join(map(str, row)) for row in rows), 'EOD']


def draw(path, width, height, commands):
    """Run gnuplot, and write the picture without the parts that show nothing."""
    script = [f'set terminal svg size {width},{height} noenhanced font "sans-serif,12" '
              'background rgb "white"', 'set style fill solid noborder', 'unset border',
              *commands, '']
    svg = subprocess.run(['gnuplot'], input='\n'.join(script), text=True, check=True,
                         stdout=subprocess.PIPE).stdout
    svg = re.sub(r'<title>.*</desc>|<defs>.*?</defs>|<g [^>]*>\s*</g>', '', svg, flags=re.DOTALL)
    svg = re.sub(r'\s*\n\s*', '\n', re.sub(r'>\s+(</?(?:g|text))', r'>\1', svg))
    with open(path, 'w', encoding='utf-8') as out:
        out.write(svg)
