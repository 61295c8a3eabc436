# SPDX-License-Identifier: GPL-2.0
"""A socket between a source and a destination"""

import pathlib
import socket

PATH = '/tmp/relay'


def listen(backlog):
    """The socket that the source connects to; an older one is removed."""
    pathlib.Path(PATH).unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(PATH)
    listener.listen(backlog)
    return listener
