# SPDX-License-Identifier: GPL-2.0
"""The connection to the program in the guest (guest/serve.c)."""

import re
import socket
import time

from .config import content
from .qmp import connect

# Seconds for an answer. Only a guest that hangs needs more, also on a busy machine.
LIMIT = 180


class GuestError(Exception):
    """The guest has failed, or does not answer."""


class Report:
    """Counters of the guest: interrupts of the card, and bytes of each port."""

    def __init__(self, line):
        head, *ports = line.split(' port ')
        self.line = line
        self.interrupts = int(head.rpartition('=')[2])
        self.ports = [self.parse_port(port) for port in ports]

    @staticmethod
    def parse_port(text):
        """The program's counters, and after "tty" the line of /proc/tty/driver/serial."""
        own, _, kernel = text.partition(' tty ')
        port = {name: int(value) for name, value in re.findall(r'(\w+)=(\d+)', own)}
        port['uart'] = re.search(r'uart:(\S+)', kernel).group(1)
        for name in ('irq', 'tx', 'rx', 'oe', 'fe', 'pe', 'brk'):
            found = re.search(rf'\b{name}:(\d+)', kernel)
            port[name] = int(found.group(1)) if found else 0
        return port


class GuestLink:
    """The other end of the guest's virtio port, which moves with the guest."""

    def __init__(self, path, limit=LIMIT):
        self.sock = socket.socket(socket.AF_UNIX)
        connect(self.sock, path, time.monotonic() + limit)
        self.pending = b''

    def send(self, line):
        """Send a command."""
        self.sock.sendall(line.encode() + b'\n')

    def wait_line(self, word, limit):
        """Wait for the line that begins with a word; earlier lines are dropped."""
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
                raise GuestError(f'the guest did not send "{word}" within {limit} s') from None
            if not more:
                raise GuestError('QEMU has closed the port of the guest')
            self.pending += more

    def report(self, limit=LIMIT):
        """Get the counters."""
        self.send('report')
        return Report(self.wait_line('report', limit))

    def progress(self, bytes_more, limit=LIMIT):
        """Wait until each port has received that many more bytes."""
        first = self.report(limit)
        deadline = time.monotonic() + limit
        while True:
            now = self.report(limit)
            stuck = [index for index, (old, new) in enumerate(zip(first.ports, now.ports))
                     if new['received'] - old['received'] < bytes_more]
            if not stuck:
                return now
            if time.monotonic() > deadline:
                raise GuestError(f'port {stuck[0]} receives nothing: {now.line}')
            time.sleep(0.1)

    def pause(self, limit=LIMIT):
        """Stop sending, and wait until all bytes are received."""
        self.send('pause')
        return Report(self.wait_line('paused', limit))

    def log(self, limit=LIMIT):
        """Compare the card's log with the bytes sent; returns numbers by name."""
        self.send('log')
        line = self.wait_line('log', limit)
        return {name: int(value) for name, value in re.findall(r'(\w+)=(-?\d+)', line)}

    def config(self, limit=LIMIT):
        """Config space of the card, see config.py."""
        self.send('config')
        return content(self.wait_line('config', limit))

    def write_config(self, offset, value):
        """Write a byte of it."""
        self.send(f'config {offset} {value}')

    def close(self):
        """Close the connection."""
        self.sock.close()
