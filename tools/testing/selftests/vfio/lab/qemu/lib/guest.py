# SPDX-License-Identifier: GPL-2.0
"""What a guest says of itself (guest/serve.c)."""

import re
import socket
import time

from .qmp import connect


class GuestError(Exception):
    """The guest has failed, or says what it must not."""


class Report:
    """Counters of the guest: interrupts of the card, and by port what it saw."""

    def __init__(self, line):
        head, *ports = line.split(' port ')
        self.line = line
        self.interrupts = int(head.rpartition('=')[2])
        self.ports = [self.parse_port(port) for port in ports]

    @staticmethod
    def parse_port(text):
        """Ours, and behind "tty" the kernel's line of /proc/tty/driver/serial."""
        ours, _, kernel = text.partition(' tty ')
        port = {name: int(value) for name, value in re.findall(r'(\w+)=(\d+)', ours)}
        port['uart'] = re.search(r'uart:(\S+)', kernel).group(1)
        for name in ('irq', 'tx', 'rx', 'oe', 'fe', 'pe', 'brk'):
            found = re.search(rf'\b{name}:(\d+)', kernel)
            port[name] = int(found.group(1)) if found else 0
        return port


class GuestLink:
    """The other end of the guest's virtio port, which moves with the guest."""

    def __init__(self, path, limit=20):
        self.sock = socket.socket(socket.AF_UNIX)
        connect(self.sock, path, time.monotonic() + limit)
        self.pending = b''

    def say(self, line):
        """Gives a command."""
        self.sock.sendall(line.encode() + b'\n')

    def hear(self, word, limit):
        """Waits for the line that begins with a word; the rest was said earlier."""
        deadline = time.monotonic() + limit
        while True:
            while b'\n' in self.pending:
                raw, self.pending = self.pending.split(b'\n', 1)
                line = raw.decode('ascii', 'replace')
                if line.startswith('failed '):
                    raise GuestError(line)
                if line.startswith(word + ' '):
                    return line
            self.sock.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                more = self.sock.recv(4096)
            except TimeoutError:
                raise GuestError(f'the guest did not say "{word}" within {limit} s') from None
            if not more:
                raise GuestError('QEMU has closed the port of the guest')
            self.pending += more

    def report(self, limit=60):
        """All counters, now."""
        self.say('report')
        return Report(self.hear('report', limit))

    def progress(self, bytes_more, limit=60):
        """Waits until so many more bytes have come back through every port."""
        first = self.report(limit)
        deadline = time.monotonic() + limit
        while True:
            now = self.report(limit)
            stuck = [index for index, (old, new) in enumerate(zip(first.ports, now.ports))
                     if new['received'] - old['received'] < bytes_more]
            if not stuck:
                return now
            if time.monotonic() > deadline:
                raise GuestError(f'port {stuck[0]} stands still: {now.line}')
            time.sleep(0.1)

    def pause(self, limit=60):
        """No more is sent, and all has come back."""
        self.say('pause')
        return Report(self.hear('paused', limit))

    def log(self, limit=120):
        """The card's own log against what the guest has sent, as numbers by name."""
        self.say('log')
        line = self.hear('log', limit)
        return {name: int(value) for name, value in re.findall(r'(\w+)=(-?\d+)', line)}

    def close(self):
        """No more of it."""
        self.sock.close()
