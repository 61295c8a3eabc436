# SPDX-License-Identifier: GPL-2.0
"""Remove the end of a device's data from a migration stream.

The stream stays one that QEMU can load. Only the device notices, when it leaves RESUMING.
"""

import contextlib
import socket
import struct
import threading

from . import relay

# VFIO_MIG_FLAG_DEV_DATA_STATE; the size and the data follow.
DATA = struct.pack('>Q', 0xffffffffef100004)


def without_the_last_block(stream):
    """The stream without the last block of device data."""
    start = stream.rindex(DATA)
    size, = struct.unpack('>Q', stream[start + 8:start + 16])
    assert 0 < size <= 1 << 20, f'a block of {size} bytes'
    return stream[:start] + stream[start + 16 + size:]


def cut_file(path):
    """Cut the stream in a file."""
    with open(path, 'rb') as file:
        stream = file.read()
    with open(path, 'wb') as file:
        file.write(without_the_last_block(stream))


class Relay:
    """A socket for the source. The stream is kept until the source waits for an answer, then it
    goes to the destination, cut; answers go back.
    """

    def __init__(self, target):
        self.target = target
        self.listener = relay.listen(1)
        self.source = None
        self.stream = bytearray()
        self.thread = None

    def keep(self, is_waiting):
        """Read the stream, until the source waits and sends nothing."""
        self.source, _ = self.listener.accept()
        self.source.settimeout(1)
        waits = False
        while True:
            try:
                more = self.source.recv(1 << 20)
            except TimeoutError:
                if waits:
                    return
                waits = is_waiting()
                continue
            assert more, 'the source has closed the connection'
            self.stream += more

    def send(self):
        """Send the stream, cut, and the answers back, until the destination ends."""
        there = socket.socket(socket.AF_UNIX)
        there.connect(self.target)
        self.thread = threading.Thread(target=self.answer, args=(there,))
        self.thread.start()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            there.sendall(without_the_last_block(self.stream))

    def answer(self, there):
        """Send answers back."""
        with contextlib.suppress(OSError):
            while more := there.recv(4096):
                self.source.sendall(more)
        there.close()
        self.source.close()

    def end(self):
        """Wait for the end of the destination."""
        self.thread.join(60)
        self.listener.close()
