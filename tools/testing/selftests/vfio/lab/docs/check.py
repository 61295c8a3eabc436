#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Run the commands of pages, and compare their output with what the pages show.

In a literal block, "$ COMMAND" is for this machine and "# COMMAND" for a VM. Lines that begin with
"> " continue a command. The other lines are the output that is expected; "..." stands for any
lines, and "# " cannot begin one. Errors count as output. Identities and times may differ, and so
may the order of the lines "ok PROGRAM". All blocks must be commands, or have a mark that says what
they are: see blocks.py.

Usage: check.py [--change OLD=NEW]... [--before COMMANDS] [--cc COMMAND]
                --vm COMMAND [--shell-vmm COMMAND] PAGE...
  --change     replace a text in commands for this machine, such as a path
  --before     shell commands before each of them, such as a function
  --cc         the compiler, with the paths of headers
  --vm         boots the VM with the files ADD, and runs RUN in it
  --shell-vmm  the same for pages with the mark "machine: shell-vmm"
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

import blocks

IDENTITY = re.compile(r'\b[0-9a-f]{32}\b')
TIME = re.compile(r'\b\d+(\.\d+)? (us|ms|s)\b')
MARK = '@@ command '

Command = collections.namedtuple('Command', 'line prompt text output may_differ')


def commands_of(block):
    """The commands of a block, each with the output that is expected; None if there is none"""
    may_differ = block.marks.get('may differ')
    if 'pasted' in block.marks:
        return [Command(block.line, block.marks['pasted'], block.text, [], may_differ)]
    if not block.text or block.text[0][:2] not in ('$ ', '# '):
        return None
    commands = []
    for number, line in enumerate(block.text, block.line):
        if line[:2] in ('$ ', '# '):
            commands.append(Command(number, line[0], [line[2:]], [], may_differ))
        elif line.startswith('> ') and not commands[-1].output:
            commands[-1].text.append(line[2:])
        else:
            commands[-1].output.append(line)
    return commands


def same_for_all(lines, may_differ):
    """Lines without what differs from run to run"""
    patterns = [(IDENTITY, 'IDENTITY')]
    patterns += [(re.compile(may_differ), 'DIFFERS')] if may_differ else []
    patterns.append((TIME, 'TIME'))
    result, programs = [], []
    for line in lines + ['']:
        for pattern, word in patterns:
            line = pattern.sub(word, line)
        # Programs that run at the same time end in any order.
        if line.startswith('ok '):
            programs.append(line.rstrip())
            continue
        result += sorted(programs) + [line.rstrip()]
        programs = []
    return result[:-1]


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


def run_in_vm(commands, boot):
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
        output = subprocess.run(['sh', '-c', boot], check=False, text=True, errors='replace',
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                env=os.environ | {'ADD': str(script), 'RUN': 'sh ./session'})
    outputs = re.split(rf'\n{MARK}\d+\n', '\n' + output.stdout)[1:]
    # The text after the last mark is of the machine that ends.
    wrong = None
    if len(outputs) <= len(commands):
        wrong = f'the VM ended after {len(outputs)} of {len(commands)} commands'
    elif output.returncode:
        wrong = f'the run of the VM failed, status {output.returncode}'
    return [lines_of(text) for text in outputs[:len(commands)]], wrong


def compare(path, command, got):
    """Prints how an output differs; returns the number of differences."""
    want = same_for_all(command.output, command.may_differ)
    got = same_for_all(got, command.may_differ)
    if is_as_shown(want, got):
        return 0
    print(f'{path}:{command.line}: the output is not what the page shows: {command.text[0]}')
    for line in list(difflib.unified_diff(want, got, 'page', 'run', lineterm='', n=2))[2:]:
        print(f'    {line}')
    return 1


def check_excerpt(path, block):
    """Returns 1 if the lines of a block are not in its file, in this order and without others."""
    name = block.marks['excerpt']
    text = [line.strip() for line in block.text]
    lines = [line.strip() for line in pathlib.Path(name).read_text('utf-8').split('\n')]
    if any(lines[i:i + len(text)] == text for i in range(len(lines))):
        return 0
    print(f'{path}:{block.line}: this is not a part of {name}')
    return 1


def check_lines(path, block):
    """Returns how many lines of a block are in none of its files; comments are the page's own."""
    known = {line.strip() for pattern in block.marks['lines of'].split()
             for path in pathlib.Path().glob(pattern)
             for line in path.read_text('utf-8').split('\n')}
    wrong = 0
    for number, line in enumerate(block.text, block.line):
        line = line.strip()
        if line not in known and not (line.startswith('/*') and line.endswith('*/')):
            print(f'{path}:{number}: no such line in {block.marks["lines of"]}: {line}')
            wrong += 1
    return wrong


def check_code(path, block, compiler):
    """Returns 1 if the block is no C code, or has a warning."""
    done = subprocess.run([*compiler.split(), '-Wall', '-Wextra', '-Werror', '-fsyntax-only',
                           '-include', block.marks['compiles'], '-x', 'c', '-'], check=False,
                          text=True, input=f'#line {block.line} "{path}"\n' + '\n'.join(block.text)
                          + '\n', stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    print(done.stdout, end='')
    return int(done.returncode > 0)


class Run:
    """Runs pages, and counts."""

    def __init__(self, args):
        self.args = args
        self.commands = self.code = self.not_run = self.wrong = 0

    def commands_in(self, page):
        """Checks all blocks without a command; returns the commands of the others."""
        commands = []
        for block in page.blocks:
            found = None
            if 'not run' in block.marks:
                self.not_run += 1
            elif 'excerpt' in block.marks:
                self.code += 1
                self.wrong += check_excerpt(page.path, block)
            elif 'lines of' in block.marks:
                self.code += 1
                self.wrong += check_lines(page.path, block)
            elif 'compiles' in block.marks:
                self.code += 1
                self.wrong += check_code(page.path, block, self.args.cc)
            else:
                found = commands_of(block)
                if found is None:
                    print(f'{page.path}:{block.line}: this block has no command, and no mark')
                    self.wrong += 1
            commands += found or []
        return commands

    def run_commands(self, page, commands):
        """Returns the number of differences."""
        wrong = 0
        for command in commands:
            if command.prompt == '$':
                wrong += compare(page.path, command, run_here(command, self.args))
        in_vm = [command for command in commands if command.prompt == '#']
        boot = self.args.shell_vmm if 'shell-vmm' in page.machine else self.args.vm
        outputs, failure = run_in_vm(in_vm, boot) if in_vm else ([], None)
        for command, got in zip(in_vm, outputs):
            wrong += compare(page.path, command, got)
        if failure:
            print(f'{page.path}: {failure}')
        return wrong + bool(failure)

    def page(self, path):
        """Runs one page."""
        page = blocks.read(path)
        for error in page.errors:
            print(error)
        before, self.wrong = self.wrong, self.wrong + len(page.errors)
        commands = self.commands_in(page)
        wrong = self.run_commands(page, commands)
        if wrong and page.machine:
            # lab/docs/qemu.rst, "Faults of the emulated processor"
            print(f'{path}: once more, because a guest fails in one of a hundred migrations',
                  flush=True)
            wrong = self.run_commands(page, commands)
        self.wrong += wrong
        self.commands += len(commands)
        print(f'{path}: {len(commands)} commands, {self.wrong - before} not as the page shows',
              flush=True)


def main():
    """Runs the pages."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--change', action='append', default=[])
    parser.add_argument('--before', default='')
    parser.add_argument('--cc', default='gcc')
    parser.add_argument('--vm', required=True)
    parser.add_argument('--shell-vmm')
    parser.add_argument('pages', nargs='+', metavar='page')
    run = Run(parser.parse_args())
    for path in run.args.pages:
        run.page(path)
    if not run.commands + run.code:
        print('no command, and no code')
        run.wrong += 1
    print(f'{run.commands} commands run, {run.code} blocks of code compared or compiled, '
          f'{run.not_run} blocks not run for the reason beside them, {run.wrong} findings')
    return 1 if run.wrong else 0


if __name__ == '__main__':
    sys.exit(main())
