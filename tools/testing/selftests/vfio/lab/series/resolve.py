# SPDX-License-Identifier: GPL-2.0
"""The text of a file for one kernel: without compat.h, and without words about this repository."""

import os
import re
import subprocess
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.realpath(__file__)), '../docs'))
import blocks  # noqa: E402  pylint: disable=wrong-import-position

MTTY = 'samples/vfio-mdev/mtty'


class Failure(Exception):
    """A message for the user"""


def unifdef(text, *settings):
    """Resolve conditions; unifdef exits with 1 if it has changed something"""
    done = subprocess.run(['unifdef', *settings], input=text, stdout=subprocess.PIPE,
                          encoding='utf-8', check=False)
    if done.returncode > 1:
        raise Failure(f'unifdef {" ".join(settings)} fails')
    return done.stdout


def behind_includes(text, more):
    """Put text behind the last #include"""
    end = [found.end() for found in re.finditer(r'^#include .*\n', text, flags=re.M)][-1]
    return text[:end] + ('\n' + more.strip() + '\n' if more.strip() else '') + text[end:]


def kbuild(text, have, private):
    """Only objects whose sources are there, and no settings for an external build.

    private: a line for the folder of the header, as long as that is private
    """
    text = re.sub(r'(?:^#.*\n)*^ifneq \(\$\((?:KBUILD_EXTMOD|MTTY_GCOV)\),\)\n(?:.*\n)*?endif\n\n?',
                  '', text, flags=re.M)
    text = re.sub(r'^ccflags-y .*\n', private, text, flags=re.M)

    def objects(found):
        kept = [name for name in found[2].split() if name[:-1] + 'c' in have]
        return f'{found[1]} {" ".join(kept)}\n' if kept else ''
    text = re.sub(r'^(mtty-\S+ \+?:?=) (.*)\n', objects, text, flags=re.M)
    if 'trace.c' not in have:
        text = re.sub(r'(?:^#.*\n)?^CFLAGS_trace.*\n', '', text, flags=re.M)
    return re.sub(r'\n{3,}', '\n\n', text).rstrip() + '\n'


def add_maintainers(text, entry):
    """An entry at its place in the alphabet, or another F: line of one that is there"""
    title = entry.split('\n')[0]
    if f'\n{title}\n' in text:
        old = re.search(rf'^{re.escape(title)}\n(?:.+\n)+', text, flags=re.M)
        return text.replace(old[0], entry)
    for found in re.finditer(r'\n\n(VFIO [^\n]*)\n', text):
        if found[1] > title:
            return text[:found.start() + 2] + entry + '\n' + text[found.start() + 2:]
    raise Failure('MAINTAINERS has no entries of VFIO')


class Resolver:
    """The differences for one kernel"""

    def __init__(self, repo, tree, texts, who):
        self.who = who
        self.texts = texts
        self.used = set()
        with open(os.path.join(repo, MTTY, 'compat.h'), encoding='utf-8') as file:
            compat = file.read()
        with open(os.path.join(tree, 'include/linux/vfio.h'), encoding='utf-8') as file:
            has_op = 'get_region_info_caps' in file.read()
        with open(os.path.join(tree, 'include/uapi/linux/vfio.h'), encoding='utf-8') as file:
            has_v2 = 'VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2' in file.read()
        with open(os.path.join(tree, 'include/linux/slab.h'), encoding='utf-8') as file:
            self.has_obj = 'define kzalloc_obj(' in file.read()
        self.has_op = f'-DMTTY_HAS_REGION_INFO_OP={int(has_op)}'
        compat = unifdef(compat, self.has_op, '-UMTTY_COMPAT_H', ('-D' if has_v2 else '-U') +
                         'VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2')
        self.region, self.precopy = self.split(compat)

    @staticmethod
    def split(compat):
        """The parts of compat.h for main.c and for save.c"""
        code = re.sub(r'^/\*.*?\*/\n', '', compat, count=2, flags=re.S)
        code = re.sub(r'^#ifndef kzalloc_obj\n(?:.*\n)*?#endif\n', '', code, flags=re.M)
        code = re.sub(r'^#(?:include|ifndef MTTY_COMPAT|define MTTY_|endif).*\n', '', code,
                      flags=re.M)
        code = re.sub(r'^/\* Older kernels.*\n', '', code, flags=re.M)
        region, comment, precopy = code.partition('/* VFIO_PRECOPY_INFO_REINIT')
        if not comment:
            raise Failure('compat.h has no part for VFIO_PRECOPY_INFO_REINIT')
        return region, comment + precopy

    def text(self, name, text):
        """The text of a file of this repository, for the kernel"""
        if name == f'{MTTY}/main.c':
            text = unifdef(text, self.has_op)
        if '#include "compat.h"\n' in text:
            part = {'main.c': self.region, 'save.c': self.precopy}.get(os.path.basename(name), '')
            text = behind_includes(text.replace('#include "compat.h"\n', ''), part)
        if name.startswith(MTTY) and not self.has_obj:
            text = re.sub(r'kzalloc_obj\((\*\w+), ', r'kzalloc(sizeof(\1), ', text)
        if name.endswith('.rst'):
            text = blocks.without_marks(text)
        for number, fields in enumerate(self.texts):
            if fields['In'] == name:
                old, new = fields['Old'], fields.get('New', '')
                if old in text:
                    self.used.add(number)
                    # A line that becomes empty goes, too.
                    whole = not new and (text.startswith(old) or '\n' + old in text)
                    text = text.replace(old + '\n' if whole else old, new)
        return text

    def check_used(self):
        """A text that is no longer there must be changed here, too"""
        for number, fields in enumerate(self.texts):
            if number not in self.used:
                raise Failure(f'texts: {fields["In"]} has no text "{fields["Old"]}"')
