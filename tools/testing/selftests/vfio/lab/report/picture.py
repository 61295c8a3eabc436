# SPDX-License-Identifier: GPL-2.0
"""Pictures (SVG), drawn by gnuplot."""

import re
import shutil
import subprocess

PACKAGE = 'gnuplot-nox'

# The colours are the same in all pictures. States are pale, to show the events on them.
STATES = {
    'ERROR': '0xf08080', 'STOP': '0xd9d9d9', 'RUNNING': '0xd6edd0', 'STOP_COPY': '0xf9dfb4',
    'RESUMING': '0xcfe3f7', 'RUNNING_P2P': '0xc9ece9', 'PRE_COPY': '0xfbf3b0',
    'PRE_COPY_P2P': '0xe8e8c0', 'closed': '0xf2f2f2', 'guest runs': '0xa8dba8',
    'stopped': '0xf3cfd2', 'waits': '0xe2d5f0',
}
EVENTS = {
    'data': '0x2266bb', 'config': '0x996600', 'SET_IRQS': '0x227722', 'interrupt': '0xaa00aa',
    'message taken': '0x00a5a5', 'message refused': '0xdd0000', 'ITS restored': '0x000000',
}
VERDICTS = {True: '0x33aa88', False: '0xcc5544', None: '0x888888'}


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
    svg = re.sub(r'\s*\n\s*(?=[a-z>])', ' ', svg)
    svg = re.sub(r'\s*\n\s*', '\n', re.sub(r'>\s+(</?(?:g|text))', r'>\1', svg))
    with open(path, 'w', encoding='utf-8') as out:
        out.write(svg)
