#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Finds parts that need each other: A needs B, and B, perhaps by way of C, needs A.

An object file needs the file that defines a symbol which it uses. A source file needs the
file that it includes, and a directory the directories of such files. Fails if there is a
circle, and prints it.

Usage: circles.py [-o OBJECTS]... [-s SOURCES]...    directories
"""

import getopt
import pathlib
import re
import subprocess
import sys


def symbols(path):
    """Names that an object file defines for others, and names that it uses."""
    defined, used = set(), set()
    for line in subprocess.run(['nm', '-g', path], check=True, text=True,
                               capture_output=True).stdout.splitlines():
        kind, name = line.split()[-2:]
        (used if kind in 'Uw' else defined).add(name)
    return defined, used


def by_symbols(directory):
    """The files that each object file needs, and why."""
    files = {str(path.relative_to(directory)): symbols(path)
             for path in sorted(directory.rglob('*.o'))
             if not path.name.endswith('.mod.o')}
    homes = {name: file for file, (defined, _) in files.items() for name in defined}
    edges = {file: {} for file in files}
    for file, (defined, used) in files.items():
        for name in sorted(used - defined):
            if name in homes:
                edges[file].setdefault(homes[name], []).append(name)
    return edges


def by_includes(directory):
    """The files in the directory that each source includes."""
    sources = {path.resolve() for path in directory.rglob('*.[ch]')}
    root = directory.resolve()
    edges = {}
    for path in sorted(sources):
        needed = edges[str(path.relative_to(root))] = {}
        for name in re.findall(r'^#\s*include\s+"(.+)"', path.read_text(), re.M):
            for base in path.parent, root:
                if (base / name).resolve() in sources:
                    needed[str((base / name).resolve().relative_to(root))] = [name]
                    break
    return edges


def of_directories(edges):
    """The same for the directories of the files."""
    result = {}
    for file, needed in edges.items():
        needs = result.setdefault(str(pathlib.Path(file).parent), {})
        for other in needed:
            parent = str(pathlib.Path(other).parent)
            if parent != str(pathlib.Path(file).parent):
                needs.setdefault(parent, []).append(file)
                result.setdefault(parent, {})
    return result


def reachable(edges, start):
    """All that a part needs, directly or not."""
    seen, todo = set(), [start]
    while todo:
        new = set(edges[todo.pop()]) - seen
        seen |= new
        todo += new
    return seen


def circles(directory, edges):
    """Prints the circles, and returns how many there are."""
    reach = {part: reachable(edges, part) for part in edges}
    rest = {part for part in edges if part in reach[part]}
    count = 0
    while rest:
        first = min(rest)
        circle = {part for part in rest if part in reach[first] and first in reach[part]}
        rest -= circle
        count += 1
        print(f'{directory}: these need each other:')
        for part in sorted(circle):
            for other in sorted(circle & set(edges[part])):
                print(f'  {part} needs {other}: {" ".join(edges[part][other])}')
    return count


def main():
    """Returns the exit status."""
    files = found = 0
    for option, word in getopt.getopt(sys.argv[1:], 'o:s:')[0]:
        directory = pathlib.Path(word)
        edges = by_symbols(directory) if option == '-o' else by_includes(directory)
        if not edges:
            sys.exit(f'error: no files in {word}')
        files += len(edges)
        found += circles(directory, edges)
        if option == '-s':
            found += circles(directory, of_directories(edges))
    print(f'{files} files, {found} circles')
    return found > 0


if __name__ == '__main__':
    sys.exit(main())
