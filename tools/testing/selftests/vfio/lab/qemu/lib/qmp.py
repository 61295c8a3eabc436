# SPDX-License-Identifier: GPL-2.0
"""A connection to a QEMU's monitor (QMP): commands and their errors."""

import json
import socket
import time


class QmpError(Exception):
    """A command was refused; the text is QEMU's own."""


class QmpClosed(Exception):
    """QEMU has gone."""


class Qmp:
    """One monitor. Nobody here asks for events."""

    def __init__(self, path, deadline, alive):
        self.sock = socket.socket(socket.AF_UNIX)
        connect(self.sock, path, deadline, alive)
        self.pending = b''
        self.receive(deadline)
        self.run('qmp_capabilities')

    def receive(self, deadline):
        """The next message; None when time is up."""
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
        """Runs a command; '_' in the names of arguments stands for '-'."""
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
        """No more of it."""
        self.sock.close()


def connect(sock, path, deadline, alive=lambda: True):
    """Connects to a socket that may not be there yet, while its owner is alive."""
    while True:
        try:
            sock.connect(path)
            return
        except (FileNotFoundError, ConnectionRefusedError):
            if time.monotonic() > deadline or not alive():
                raise TimeoutError(f'nobody listens at {path}') from None
            time.sleep(0.02)
