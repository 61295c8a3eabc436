# SPDX-License-Identifier: GPL-2.0
"""Is the series fit to be sent?"""

import fnmatch
import os
import re
import shutil
import subprocess

REPO = os.path.realpath(os.path.join(os.path.dirname(__file__), '../../../../../..'))
MTTY = 'samples/vfio-mdev/mtty'
MIGRATION = 'tools/testing/selftests/vfio/migration'
# Words that mean something in this repository only
TARGETS = re.compile(r'\bmake (?:bench|check|clauses|conformance|coverage|demo|docs|fuzz|'
                     r'install-module|kconfig|lab|lint|mutants|series|shell|stage|tree|tutorial|vm)'
                     r'(?:-[a-z]+)*\b|\bvfio/lab\b|\blab/[a-z]|~/\.cache|'
                     r'LINUX_VERSION_CODE|KERNEL_VERSION\(|\bcompat\.h\b')
# Characters of a mail that a mailing list takes, and a reviewer can read
MAX_SIZE = 150000
# Files that need this repository
NOT_SENT = {f'{MTTY}/compat.h', 'Documentation/driver-api/vfio-migration-tutorial.rst'}
SUBJECT = re.compile(r'(?:vfio/mtty|vfio|selftests/vfio/migration|docs: vfio|MAINTAINERS): .+')


class Failure(Exception):
    """A message for the user"""


def version(tree):
    """VERSION.PATCHLEVEL of a kernel tree"""
    with open(os.path.join(tree, 'Makefile'), encoding='utf-8') as file:
        head = file.read(500)
    return '.'.join(re.search(rf'^{key} = (\d+)', head, flags=re.M)[1]
                    for key in ('VERSION', 'PATCHLEVEL'))


def git(tree, *words):
    """The output of git"""
    return subprocess.run(['git', '-C', tree, *words], stdout=subprocess.PIPE, encoding='utf-8',
                          check=True).stdout


def check_words(tree):
    """No text that only this repository understands"""
    found = []
    for line in git(tree, 'diff', '-U0', 'base', 'series').split('\n'):
        name = re.match(r'\+\+\+ b/(.*)', line)
        if name:
            path = name[1]
        elif line.startswith('+') and TARGETS.search(line):
            found.append(f'{path}: {line[1:].strip()}')
    return found


def check_messages(tree):
    """Subjects and their length"""
    found = []
    for subject in git(tree, 'log', '--format=%s', 'base..series').split('\n'):
        if subject and (not SUBJECT.fullmatch(subject) or len(subject) > 75):
            found.append(f'subject: {subject}')
    return found


def check_sizes(files):
    """No patch is too large for a mail"""
    return [f'{os.path.basename(name)}: {os.path.getsize(name)} characters'
            for name in files if os.path.getsize(name) > MAX_SIZE]


def check_complete(tree, repo):
    """Each file of the tests is in the series"""
    return [f'no patch takes {name}'
            for name in git(repo, 'ls-files', MIGRATION, MTTY, 'Documentation').split()
            if not os.path.exists(os.path.join(tree, name)) and name not in NOT_SENT]


def check_maintainers(tree):
    """get_maintainer finds each new file: a F: line of the entry of this series matches"""
    with open(os.path.join(tree, 'MAINTAINERS'), encoding='utf-8') as file:
        entry = re.search(r'^VFIO MIGRATION TEST.*\n(?:.+\n)+', file.read(), flags=re.M)[0]
    patterns = [line.split()[1] for line in entry.split('\n') if line.startswith('F:')]
    return [f'MAINTAINERS: {name}' for name in
            git(tree, 'diff', '--name-only', '--diff-filter=A', 'base', 'series').split()
            if not any(fnmatch.fnmatch(name, p + '*' if p.endswith('/') else p) for p in patterns)]


def ignored_types():
    """The lists of make lint, by the kind of file"""
    path = os.path.join(os.path.dirname(__file__), '../lint/checkpatch-ignored')
    with open(path, encoding='utf-8') as file:
        return dict(line.split() for line in file if not line.startswith('#'))


def check_style(tree, files):
    """checkpatch.pl of BASE. check_maintainers() does better than FILE_PATH_CHANGES."""
    lists = ignored_types()
    script = os.path.join(tree, 'scripts/checkpatch.pl')
    found = []
    for file in files:
        ignored = ['FILE_PATH_CHANGES', 'CAMELCASE']
        with open(file, encoding='utf-8') as patch:
            text = patch.read()
        ignored += [lists['harness']] if '\n+++ b/tools/' in text else []
        ignored += [lists['trace']] if '\n+++ b/samples/vfio-mdev/mtty/mtty_trace.h' in text else []
        done = subprocess.run(['perl', script, '--no-tree', '--strict', '--terse', '--show-types',
                               '--ignore', ','.join(ignored), file], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, encoding='utf-8', check=False)
        found += [os.path.basename(line) for line in done.stdout.split('\n')
                  if re.search(r': (ERROR|WARNING|CHECK):', line)]
    return found


def check_am(tree, out, files):
    """The patches, as they are sent, give the same tree"""
    path = os.path.join(out, 'am')
    shutil.rmtree(path, ignore_errors=True)
    git(tree, 'worktree', 'prune')
    git(tree, 'worktree', 'add', '-q', '--detach', path, 'base')
    done = subprocess.run(['git', '-C', path, 'am', '-q', *files], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, encoding='utf-8', check=False)
    found = [f'git am: {done.stdout}'] if done.returncode else []
    trees = git(path, 'rev-parse', 'HEAD^{tree}'), git(tree, 'rev-parse', 'series^{tree}')
    if not found and trees[0] != trees[1]:
        found = ['git am: the result differs']
    git(tree, 'worktree', 'remove', '--force', path)
    return found


def make(*words):
    """make without the variables of the make that runs this program; status and output"""
    env = {key: os.environ[key] for key in ('PATH', 'HOME') if key in os.environ}
    return subprocess.run(['make', '-s', *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          encoding='utf-8', check=False, env=env)


def build_step(tree, commit, kdir, path):
    """The module at one commit, as an external one"""
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    archive = subprocess.run(['git', '-C', tree, 'archive', commit, 'samples/vfio-mdev',
                              'include/uapi/linux'], stdout=subprocess.PIPE, check=True)
    subprocess.run(['tar', '-x', '-C', path], input=archive.stdout, check=True)
    # Only the header of the proposal: the others are those of KDIR.
    uapi = os.path.join(path, 'include/uapi/linux')
    for name in os.listdir(uapi):
        if name != 'vfio_mig_config.h':
            full = os.path.join(uapi, name)
            shutil.rmtree(full) if os.path.isdir(full) else os.remove(full)
    done = make('-C', kdir, f'M={path}/{MTTY}', 'W=1', 'CONFIG_SAMPLE_VFIO_MDEV_MTTY=m',
                'CONFIG_DEBUG_INFO_BTF_MODULES=', f'KCFLAGS=-Werror -I{path}/include', 'modules')
    if done.returncode or not os.path.exists(f'{path}/{MTTY}/mtty.ko'):
        return done.stdout or 'no mtty.ko'
    return ''


class Tests:
    """Builds the tests at one commit after the other; what has not changed is kept"""

    def __init__(self, tree, headers, out):
        self.tree, self.headers = tree, headers
        self.path, self.objects = os.path.join(out, 'tests'), os.path.join(out, 'objects')
        for path in self.path, self.objects:
            shutil.rmtree(path, ignore_errors=True)
        os.makedirs(self.objects)
        git(tree, 'worktree', 'prune')
        git(tree, 'worktree', 'add', '-q', '--detach', self.path, 'base')

    def build(self, commit):
        """The output of a build that fails, or an empty text"""
        git(self.path, 'checkout', '-q', commit)
        done = make(f'-j{os.cpu_count()}', '-C', f'{self.path}/{MIGRATION}',
                    f'OUTPUT={self.objects}', f'KHDR_INCLUDES=-isystem {self.headers}',
                    'USERCFLAGS=-Werror', 'STRICT=1', 'all')
        return (done.stdout or 'make fails') if done.returncode else ''

    def end(self):
        """The result does not matter any more"""
        git(self.tree, 'worktree', 'remove', '--force', self.path)
        shutil.rmtree(self.objects)


def build_all(tree, path, build):
    """Build at each commit that changes PATH, and say so"""
    found = []
    commits = git(tree, 'log', '--reverse', '--format=%h %s', 'base..series', '--', path)
    for line in commits.strip().split('\n'):
        commit, _, subject = line.partition(' ')
        text = build(commit)
        print(f'{"not ok" if text else "ok"} build: {subject}', flush=True)
        if text:
            found.append(f'{subject}:\n{text}')
    return found


def check_build(tree, kernel, out):
    """mtty.ko and the tests at each commit that changes them"""
    kdir, headers = kernel
    with open(os.path.join(kdir, 'include/config/kernel.release'), encoding='utf-8') as file:
        release = '.'.join(re.split(r'[.-]', file.read())[:2])
    if release != version(tree):
        print(f'not built: KERNEL is {release}, the tree is {version(tree)}')
        return []
    found = build_all(tree, 'samples/vfio-mdev',
                      lambda commit: build_step(tree, commit, kdir, os.path.join(out, 'build')))
    tests = Tests(tree, headers, out)
    found += build_all(tree, MIGRATION, tests.build)
    tests.end()
    return found


def all_of_it(tree, files, kernel, out):
    """Prints a line for each check; the status of the program"""
    failed = 0
    for name, result in (('words', check_words(tree)), ('subjects', check_messages(tree)),
                         ('sizes', check_sizes(files[1:])),
                         ('each file is in it', check_complete(tree, REPO)),
                         ('maintainers', check_maintainers(tree)),
                         ('git am', check_am(tree, out, files[1:])),
                         ('checkpatch --strict', check_style(tree, files[1:])),
                         ('each step builds', check_build(tree, kernel, out))):
        print(f'{"not ok" if result else "ok"} {name}')
        print(''.join(f'    {line}\n' for line in result), end='', flush=True)
        failed += bool(result)
    return int(failed > 0)
