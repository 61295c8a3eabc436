#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Write this work as a patch series for a kernel tree: OUT/series has commits and patches.

Usage: series.py BASE OUT KDIR HEADERS
  BASE  a kernel tree, or a git repository of one; it is not changed
  OUT   gets "tree", a repository with a commit for each patch, and "patches"
  KDIR  headers to build each step against; if they are of another version, nothing is built
  HEADERS  the exported headers of that kernel, for the tests
"""

import datetime
import os
import re
import shutil
import subprocess
import sys

import check
import resolve

HERE = os.path.dirname(os.path.realpath(__file__))
REPO = os.path.realpath(os.path.join(HERE, '../../../../../..'))
sys.path.insert(0, os.path.dirname(HERE))
import stanzas  # noqa: E402

MTTY = 'samples/vfio-mdev/mtty'
# All that a patch touches or a check reads. A whole tree has 90,000 files.
PARTS = ['Documentation/ABI/testing', 'Documentation/driver-api', 'Documentation/userspace-api',
         'include/linux', 'include/uapi/linux', 'samples', 'scripts',
         'tools/testing/selftests/vfio']
FILES = ['MAINTAINERS', 'Makefile', 'lib/xxhash.c'] + [
    f'tools/testing/selftests/{name}' for name in ('Makefile', 'lib.mk', 'kselftest.h',
                                                   'kselftest_harness.h')]


class Failure(Exception):
    """A message for the user"""


def run(*command, cwd=None, text=None, **options):
    """The output of a command; a failure if it fails"""
    done = subprocess.run(command, cwd=cwd, input=text, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, encoding='utf-8', check=False, **options)
    if done.returncode:
        raise Failure(f'{" ".join(command)}:\n{done.stdout}')
    return done.stdout


def identity():
    """Name and address of the user, who signs the patches off"""
    values = []
    for key in 'user.name', 'user.email':
        done = subprocess.run(['git', '-C', REPO, 'config', key], stdout=subprocess.PIPE,
                              encoding='utf-8', check=False)
        if not done.stdout.strip():
            raise Failure(f'git has no {key}, but each patch is signed off: '
                          f'git config --global {key} VALUE')
        values.append(done.stdout.strip())
    return tuple(values)


def make_base(base, tree):
    """A repository with what the series needs of BASE"""
    if os.path.exists(os.path.join(base, '.git')):
        run('git', 'clone', '-q', '--shared', '--no-checkout', base, tree)
        run('git', 'sparse-checkout', 'set', '--no-cone', *[f'/{part}/' for part in PARTS],
            *[f'/{name}' for name in FILES], cwd=tree)
        run('git', 'checkout', '-q', '-b', 'series', cwd=tree)
        return
    os.makedirs(tree)
    for part in PARTS:
        if os.path.isdir(os.path.join(base, part)):
            shutil.copytree(os.path.join(base, part), os.path.join(tree, part), symlinks=True)
    for name in FILES:
        os.makedirs(os.path.dirname(os.path.join(tree, name)), exist_ok=True)
        shutil.copy(os.path.join(base, name), os.path.join(tree, name))
    run('git', 'init', '-q', '-b', 'series', tree)
    run('git', 'add', '-Af', cwd=tree)


def configure(tree, who):
    """The user's name, and no setting of the user that changes what a patch looks like"""
    for key, value in (('user.name', who[0]), ('user.email', who[1]), ('commit.gpgsign', 'false'),
                       ('core.hooksPath', '/dev/null'), ('core.autocrlf', 'false')):
        run('git', 'config', key, value, cwd=tree)


class Patch:
    """One file of patches/: fields, then an empty line, then the changelog"""

    def __init__(self, path):
        with open(path, encoding='utf-8') as file:
            head, _, self.log = file.read().partition('\n\n')
        self.name = os.path.basename(path)
        self.fields = {}
        for line in head.split('\n'):
            key, colon, value = line.partition(': ')
            if not colon:
                raise Failure(f'{path}: not a field: {line}')
            self.fields.setdefault(key, []).append(value)
        self.subject = self.fields['Subject'][0]
        self.rfc = self.fields.get('Part') == ['RFC']

    def all(self, key):
        """All values of a field"""
        return self.fields.get(key, [])


class Step:
    """Does what a patch says in the tree"""

    def __init__(self, patch, tree, scratch, resolver):
        self.patch, self.tree, self.scratch, self.resolver = patch, tree, scratch, resolver

    def path(self, name):
        """A file of the tree"""
        return os.path.join(self.tree, name)

    def tracked(self, patterns):
        """Files of this repository, without those that a pattern with a ! excludes"""
        wanted = [f':(glob){p}' for p in patterns if p[0] != '!']
        wanted += [f':(glob,exclude){p[1:]}' for p in patterns if p[0] == '!']
        names = run('git', '-C', REPO, 'ls-files', '--', *wanted).split()
        if not names:
            raise Failure(f'{self.patch.name}: no file is {" ".join(patterns)}')
        return names

    def take(self):
        """Whole files of this repository, without what a later patch adds"""
        lines = [line.split() for line in self.patch.all('Files')]
        names = sorted({name for patterns in lines for name in self.tracked(patterns)})
        shutil.rmtree(self.scratch, ignore_errors=True)
        for name in names:
            copy = os.path.join(self.scratch, name)
            os.makedirs(os.path.dirname(copy), exist_ok=True)
            shutil.copy(os.path.join(REPO, name), copy)
        for cut in ' '.join(self.patch.all('Without')).split():
            self.cut(os.path.join(HERE, 'cuts', cut + '.diff'), names)
        for name in names:
            self.put(name)

    def cut(self, diff, names):
        """Take back what a diff adds, in the files of this patch"""
        include = [f'--include={name}' for name in names]
        run('git', 'apply', '-R', *include, '-p1', diff, cwd=self.scratch,
            env={**os.environ, 'GIT_CEILING_DIRECTORIES': os.path.dirname(self.scratch)})

    def put(self, name):
        """One file, for this kernel"""
        source, target = os.path.join(self.scratch, name), self.path(name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(source, encoding='utf-8') as file:
            text = self.resolver.text(name, file.read())
        with open(target, 'w', encoding='utf-8') as file:
            file.write(text)
        shutil.copymode(source, target)

    def move(self):
        """Renames: files of the tree, or files that this patch has taken"""
        for line in self.patch.all('Move'):
            old, new = line.split()
            os.makedirs(os.path.dirname(self.path(new)), exist_ok=True)
            os.rename(self.path(old), self.path(new))

    def remove(self):
        """Files that a later patch brings, or that were moved"""
        for name in self.patch.all('Remove'):
            os.remove(self.path(name))

    def edit(self, name, change):
        """Change the text of a file"""
        with open(self.path(name), encoding='utf-8') as file:
            text = file.read()
        changed = change(text)
        if changed == text:
            raise Failure(f'{self.patch.name}: nothing to change in {name}')
        with open(self.path(name), 'w', encoding='utf-8') as file:
            file.write(changed)

    def insert(self):
        """A line of a list of BASE, behind another: "FILE | PATTERN | LINE" """
        for value in self.patch.all('Insert'):
            name, pattern, line = value.split(' | ')
            line = line.replace('\\n', '\n')
            self.edit(name, lambda text, p=pattern, new=line: re.sub(
                rf'^({p})\n', lambda found: f'{found[1]}\n{new}\n', text, count=1, flags=re.M))

    def entry(self):
        """Replace an entry of Kconfig, or add one to MAINTAINERS"""
        for name in self.patch.all('Kconfig'):
            run(os.path.join(HERE, '../tree/entry.sh'), self.path(name))
        for name in self.patch.all('Maintainers'):
            with open(os.path.join(HERE, name), encoding='utf-8') as file:
                new = file.read().replace('@WHO@', '{} <{}>'.format(*self.resolver.who))
            self.edit('MAINTAINERS', lambda text, n=new: resolve.add_maintainers(text, n))

    def kbuild(self):
        """The object files whose sources are there"""
        have = {name for name in os.listdir(self.path(MTTY)) if name.endswith('.c')} \
            if os.path.isdir(self.path(MTTY)) else set()
        uapi = self.path(f'{MTTY}/uapi/linux/vfio_mig_config.h')
        private = 'ccflags-y += -I$(src)\n' if os.path.exists(uapi) else ''
        if have:
            with open(os.path.join(REPO, MTTY, 'Kbuild'), encoding='utf-8') as file:
                text = resolve.kbuild(file.read(), have, private)
            with open(self.path(f'{MTTY}/Kbuild'), 'w', encoding='utf-8') as file:
                file.write(text)

    def commit(self, who):
        """All of it, with a message"""
        self.take()
        self.move()
        self.remove()
        self.insert()
        self.entry()
        self.kbuild()
        message = f'{self.patch.subject}\n\n{self.patch.log.strip()}\n\n' \
                  'Signed-off-by: {} <{}>\n'.format(*who)
        run('git', 'add', '-Af', '.', cwd=self.tree)
        run('git', 'commit', '-q', '-F', '-', cwd=self.tree, text=message)


def cover(path, patches, facts):
    """Put the text of the cover letter into the one that git has made"""
    with open(os.path.join(HERE, 'cover'), encoding='utf-8') as file:
        subject, _, body = file.read().partition('\n\n')
    for key, value in facts.items():
        body = body.replace(f'@{key}@', value)
    first = next((n for n, p in enumerate(patches, 1) if p.rfc), len(patches) + 1)
    body = body.replace('@LAST@', str(first - 1)).replace('@RFC@', str(first))
    for number, patch in enumerate(patches, 1):
        body = body.replace(f'@{patch.name.partition("-")[2]}@', str(number))
    left = re.search(r'@[a-zA-Z-]+@', body)
    if left:
        raise Failure(f'cover: {left[0]} is no patch')
    with open(path, encoding='utf-8') as file:
        text = file.read()
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text.replace('*** SUBJECT HERE ***', subject)
                   .replace('*** BLURB HERE ***', body.strip()))


def export(tree, out, patches, facts):
    """The patches as files for git am and git send-email"""
    run('git', 'format-patch', '-q', '--cover-letter', '-M', '--no-signature',
        '--subject-prefix=PATCH', '-o', out, 'base', cwd=tree)
    names = sorted(os.listdir(out))
    cover(os.path.join(out, names[0]), patches, facts)
    for name, patch in zip(names[1:], patches):
        if patch.rfc:
            path = os.path.join(out, name)
            with open(path, encoding='utf-8', newline='') as file:
                text = file.read()
            with open(path, 'w', encoding='utf-8', newline='') as file:
                file.write(text.replace('Subject: [PATCH ', 'Subject: [RFC PATCH ', 1))
    return [os.path.join(out, name) for name in names]


def main(base, out, kdir, headers):
    """All of it"""
    base, out = os.path.realpath(base), os.path.realpath(out)
    if not os.path.exists(os.path.join(base, 'samples/vfio-mdev/mtty.c')):
        raise Failure(f'{base} is no kernel tree with samples/vfio-mdev/mtty.c')
    who = identity()
    tree, letters = os.path.join(out, 'tree'), os.path.join(out, 'patches')
    for path in tree, letters:
        shutil.rmtree(path, ignore_errors=True)
    make_base(base, tree)
    configure(tree, who)
    if not os.path.exists(os.path.join(base, '.git')):
        run('git', 'commit', '-q', '-m', f'Linux {check.version(base)}', cwd=tree)
    run('git', 'tag', 'base', cwd=tree)
    texts = [fields for _, fields in stanzas.read(os.path.join(HERE, 'texts'))]
    resolver = resolve.Resolver(REPO, tree, texts, who)
    patches = [Patch(os.path.join(HERE, 'patches', name))
               for name in sorted(os.listdir(os.path.join(HERE, 'patches')))]
    for patch in patches:
        Step(patch, tree, os.path.join(out, 'step'), resolver).commit(who)
    shutil.rmtree(os.path.join(out, 'step'), ignore_errors=True)
    resolver.check_used()
    files = export(tree, letters, patches, {
        'KERNEL': check.version(base), 'DATE': datetime.date.today().isoformat()})
    print(f'{len(files) - 1} patches and a cover letter: {letters}')
    return check.all_of_it(tree, files, (kdir, headers), out)


if __name__ == '__main__':
    try:
        sys.exit(main(*sys.argv[1:]))
    except (Failure, stanzas.Mistake, check.Failure, resolve.Failure) as error:
        sys.exit(f'error: {error}')
