# SPDX-License-Identifier: GPL-2.0
"""Keep a migration in pre-copy until a test has seen enough.

With the capability switchover-ack the source does not stop its guest before the destination has
acknowledged. A relay between the two passes the stream on, and holds the answers back. A limit of
the bandwidth is not enough: where a guest is slow, a round of pre-copy can find no dirty page.
"""

import contextlib
import socket
import threading

from . import relay
from .guest_run import PATH, Way


class HeldAnswers:
    """The connections of a source to a destination; answers wait for release()."""

    def __init__(self, target):
        self.target = target
        self.released = threading.Event()
        self.listener = relay.listen(16)
        start(self.accept)

    def accept(self):
        """Multifd has more connections than one."""
        while True:
            source, _ = self.listener.accept()
            there = socket.socket(socket.AF_UNIX)
            there.connect(self.target)
            start(self.copy, source, there)
            start(self.copy, there, source, self.released)

    @staticmethod
    def copy(here, there, allowed=None):
        """Copy until a side has closed."""
        with contextlib.suppress(OSError):
            while data := here.recv(1 << 16):
                if allowed:
                    allowed.wait()
                there.sendall(data)
            there.shutdown(socket.SHUT_WR)

    def release(self):
        """The source gets the answers, and can complete the migration."""
        self.released.set()


def held_way(capabilities=()):
    """A way that stays in pre-copy until its answers are released; returns both. The source
    waits, and does not look for dirty pages all the time.
    """
    way = Way((*capabilities, 'return-path', 'switchover-ack'), relay=relay.PATH,
              max_bandwidth=24 << 20)
    return way, HeldAnswers(PATH)


def start(function, *arguments):
    """Run it beside the test; it ends with the program at the latest."""
    threading.Thread(target=function, args=arguments, daemon=True).start()
