# SPDX-License-Identifier: GPL-2.0
"""Where results are: OUT has a directory for each kernel."""

import json
import os
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
LAB = os.path.dirname(os.path.dirname(HERE))
MIGRATION = os.path.join(os.path.dirname(LAB), 'migration')


def use_room(name):
    """Programs of another room of lab/ can be imported from now on."""
    path = os.path.join(LAB, name)
    if path not in sys.path:
        sys.path.append(path)


class Results:
    """The files of OUT"""

    def __init__(self, repo, source, out):
        self.repo = repo
        self.source = source
        self.out = out
        self.unreadable = False
        self.builds = sorted(name for name in os.listdir(out)
                             if os.path.isdir(os.path.join(out, name)))

    def path(self, *names):
        """A path in OUT"""
        return os.path.join(self.out, *names)

    def find(self, *names):
        """(build, path) for each build that has this file"""
        for build in self.builds:
            path = self.path(build, *names)
            if os.path.exists(path):
                yield build, path


def read_json(path):
    """The content of a file"""
    with open(path, encoding='utf-8') as file:
        return json.load(file)


def date_of(*paths):
    """When the newest of these files was written"""
    newest = max(os.path.getmtime(path) for path in paths)
    return time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime(newest))
