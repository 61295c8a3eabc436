# SPDX-License-Identifier: GPL-2.0
"""Read the KTAP of the conformance suite: one result for each clause."""

import re
from collections import Counter

RESULT = re.compile(r'(ok|not ok) \d+ (?:- )?(\S+)(?:\s+# SKIP (.*))?')
STATES = ('kept', 'violated', 'unchecked', 'not applicable')


def state(word, skip):
    """The state of a clause"""
    if word == 'not ok':
        return 'violated'
    if skip is None:
        return 'kept'
    return 'not applicable' if skip.startswith('not applicable') else 'unchecked'


def read(lines):
    """Returns a dictionary: clause to state."""
    found = (RESULT.match(line) for line in lines)
    return {match[2]: state(match[1], match[3]) for match in found if match}


def summary(results):
    """One line"""
    counts = Counter(results.values())
    return ', '.join(f'{counts[name]} {name}' for name in STATES)
