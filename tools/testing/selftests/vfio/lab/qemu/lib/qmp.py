# SPDX-License-Identifier: GPL-2.0
"""A connection to a QEMU's monitor (QMP)."""

import json
import socket
import time


class QmpError(Exception):
    """QEMU refused a command; the text is QEMU's."""


class QmpClosed(Exception):
    """QEMU has closed the monitor."""


class Qmp:
    """One monitor. Events are ignored."""

    def __init__(self, path, deadline, alive):
        self.sock = socket.socket(socket.AF_UNIX)
        connect(self.sock, path, deadline, alive)
        self.pending = b''
        self.receive(deadline)
        self.run('qmp_capabilities')

    def receive(self, deadline):
        """The next message; None after the deadline."""
        while b'\n' not in self.pending:
            self.sock.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                more = self.sock.recv(65536)
            except TimeoutError:
                return None
            except OSError as error:
                raise QmpClosed(str(error)) from error
            if not more:
                raise QmpClosed('the monitor was closed')
            self.pending += more
        line, self.pending = self.pending.split(b'\n', 1)
        return json.loads(line)

    def run(self, command, limit=60, **arguments):
        """Run a command; '_' in the names of arguments is sent as '-'."""
        request = {'execute': command}
        if arguments:
            request['arguments'] = {name.replace('_', '-'): value
                                    for name, value in arguments.items()}
        try:
            self.sock.sendall(json.dumps(request).encode() + b'\n')
        except OSError as error:
            raise QmpClosed(str(error)) from error
        deadline = time.monotonic() + limit
        while True:
            message = self.receive(deadline)
            if message is None:
                raise TimeoutError(f'no answer to {command} in {limit} s')
            if 'return' in message:
                return message['return']
            if 'error' in message:
                raise QmpError(message['error']['desc'])

    def close(self):
        """Close the connection."""
        self.sock.close()


def connect(sock, path, deadline, alive=lambda: True):
    """Connect; wait for the socket while the process that makes it is alive."""
    while True:
        try:
            sock.connect(path)
            return
        except (FileNotFoundError, ConnectionRefusedError):
            if time.monotonic() > deadline or not alive():
                raise TimeoutError(f'no process listens at {path}') from None
            time.sleep(0.02)
