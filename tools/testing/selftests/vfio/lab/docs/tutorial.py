#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Run the commands of a page, and compare their output with what the page shows.

In a literal block, "$ COMMAND" is for this machine and "# COMMAND" for a VM. Lines that begin with
"> " continue a command. The other lines are the output that is expected; "..." stands for any
lines. Errors count as output. Identities and times may differ. A block without a command is not
run. A block behind ".. excerpt: FILE" must be a part of that file.

Usage: tutorial.py [--change OLD=NEW]... [--before COMMANDS] PAGE VM_COMMAND...
  --change    replace a text in commands for this machine, such as a path
  --before    shell commands before each of them, such as a function
  VM_COMMAND  boots the VM and runs the file $SCRIPT in it
Exit status: 0 all outputs are as shown, 1 some are not (PAGE:LINE: what differs).
"""

import argparse
import collections
import difflib
import os
import pathlib
import re
import subprocess
import sys
import tempfile

MAY_DIFFER = (
    (re.compile(r'\b[0-9a-f]{32}\b'), 'IDENTITY'),
    (re.compile(r'\b\d+(\.\d+)? (us|ms|s)\b'), 'TIME'),
)
MARK = '@@ command '

Command = collections.namedtuple('Command', 'line prompt text output')


def indent_of(line):
    """Blanks at the begin of a line"""
    return len(line) - len(line.lstrip())


def literal_blocks(lines):
    """Yields (number of the first line, lines without their indentation, file or None)."""
    number, excerpt = 0, None
    while number < len(lines):
        line = lines[number]
        number += 1
        if line.startswith('.. excerpt: '):
            excerpt = line.split(': ', 1)[1]
        if not line.endswith('::') or line.startswith('.. '):
            continue
        while number < len(lines) and not lines[number].strip():
            number += 1
        first, block = number + 1, []
        indent = indent_of(lines[number]) if number < len(lines) else 0
        if indent <= indent_of(line):
            continue
        while number < len(lines) and (not lines[number].strip() or
                                       lines[number].startswith(' ' * indent)):
            block.append(lines[number][indent:])
            number += 1
        while block and not block[-1].strip():
            block.pop()
        yield first, block, excerpt
        excerpt = None


def commands_of(first, block):
    """The commands of a block, each with the output that is expected"""
    commands = []
    for number, line in enumerate(block, first):
        if line[:2] in ('$ ', '# '):
            commands.append(Command(number, line[0], [line[2:]], []))
        elif line.startswith('> ') and commands and not commands[-1].output:
            commands[-1].text.append(line[2:])
        elif commands:
            commands[-1].output.append(line)
    return commands


def same_for_all(lines):
    """Lines without what differs from run to run"""
    result = []
    for line in lines:
        for pattern, word in MAY_DIFFER:
            line = pattern.sub(word, line)
        result.append(line.rstrip())
    return result


def is_as_shown(want, got):
    """Compares lists of lines; "..." in want is any number of lines."""
    if not want:
        return not got
    if want[0] == '...':
        return any(is_as_shown(want[1:], got[i:]) for i in range(len(got) + 1))
    return bool(got) and want[0] == got[0] and is_as_shown(want[1:], got[1:])


def lines_of(text):
    """Output as lines, without the empty one behind the last"""
    return text[:-1].split('\n') if text.endswith('\n') else text.split('\n') if text else []


def run_here(command, args):
    """Runs a command on this machine, and returns its output."""
    text = '\n'.join(command.text)
    for change in args.change:
        text = text.replace(*change.split('=', 1))
    return lines_of(subprocess.run(['sh', '-c', f'{args.before}\n{text}'], check=False, text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT).stdout)


def run_in_vm(commands, args):
    """Runs all in one shell of one VM.

    Returns the output of each that has begun, and what is wrong with the whole run, or None.
    """
    with tempfile.TemporaryDirectory() as directory:
        script = pathlib.Path(directory) / 'session'
        parts = ['exec 2>&1']
        for number, command in enumerate(commands):
            parts += [f'printf "\\n{MARK}%d\\n" {number}'] + command.text
        parts += [f'printf "\\n{MARK}%d\\n" {len(commands)}']
        script.write_text('\n'.join(parts) + '\n', 'utf-8')
        output = subprocess.run(args.vm, check=False, text=True, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, env=os.environ | {'SCRIPT': str(script)})
    outputs = re.split(rf'\n{MARK}\d+\n', '\n' + output.stdout)[1:]
    # The text after the last mark is of the machine that ends.
    wrong = None
    if len(outputs) <= len(commands):
        wrong = f'the VM ended after {len(outputs)} of {len(commands)} commands'
    elif output.returncode:
        wrong = f'the run of the VM failed, status {output.returncode}'
    return [lines_of(text) for text in outputs[:len(commands)]], wrong


def report(page, command, got):
    """Prints how an output differs; returns the number of differences."""
    want, got = same_for_all(command.output), same_for_all(got)
    if is_as_shown(want, got):
        return 0
    print(f'{page}:{command.line}: the output is not what the page shows: {command.text[0]}')
    for line in list(difflib.unified_diff(want, got, 'page', 'run', lineterm='', n=2))[2:]:
        print(f'    {line}')
    return 1


def check_excerpt(page, first, block, name):
    """Returns 1 if the lines of a block are not in its file, in this order and without others."""
    if '\n'.join(block) in pathlib.Path(name).read_text('utf-8'):
        return 0
    print(f'{page}:{first}: this is not a part of {name}')
    return 1


def main():
    """Runs the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--change', action='append', default=[])
    parser.add_argument('--before', default='')
    parser.add_argument('page')
    parser.add_argument('vm', nargs=argparse.REMAINDER)
    args = parser.parse_args()
    wrong, commands = 0, []
    for first, block, excerpt in literal_blocks(pathlib.Path(args.page).read_text('utf-8')
                                                .split('\n')):
        if excerpt:
            wrong += check_excerpt(args.page, first, block, excerpt)
        else:
            commands += commands_of(first, block)
    for command in commands:
        if command.prompt == '$':
            wrong += report(args.page, command, run_here(command, args))
    in_vm = [command for command in commands if command.prompt == '#']
    outputs, failure = run_in_vm(in_vm, args) if in_vm else ([], None)
    for command, got in zip(in_vm, outputs):
        wrong += report(args.page, command, got)
    if failure:
        print(f'{args.page}: {failure}')
        wrong += 1
    if not commands:
        print(f'{args.page}: no command')
        wrong += 1
    print(f'{args.page}: {len(commands)} commands, {wrong} not as the page shows')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
