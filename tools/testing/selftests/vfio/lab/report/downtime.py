#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A model of the total time and the downtime of a migration.

Like a VMM it reads a chunk of dirty data and waits until the link has sent it. Meanwhile
the guest writes to pages, each with the same probability. It stops the guest when no dirty
data is left, or when the limit of pre-copy is reached. The downtime is the time to send the
dirty pages and the data in the socket. The time of the device and the VMM, and the delay of
the link, are not included. See lab/docs/speed.rst.

Usage: downtime.py --state BYTES --dirty BYTES/S --link BITS/S [--precopy BYTES]
                   [--in-flight BYTES] [--chunk BYTES]
"""

import argparse
import math

PAGE = 4096
# Payload of an Ethernet frame with TCP over IPv4 and time stamps
LINK_SHARE = 1448 / 1514
# A record with one page, as in later passes; a record of the first pass has many pages
PAGE_COST = (PAGE + 48) / PAGE
# The size of a read() of vfio-migrate, and the most that it sends in pre-copy
CHUNK = 1 << 20
PRECOPY = 8 * (4 << 20)


def predict(state, dirty, link, precopy=PRECOPY, in_flight=0, chunk=CHUNK):
    """Return total time and downtime, in seconds.

    state: bytes of state, all written to; dirty: bytes of pages that the guest writes per
    second; link: bits per second; precopy: most bytes to send while the guest runs, 0 for
    no pre-copy; in_flight: bytes in the sender's socket.
    """
    rate = link / 8 * LINK_SHARE
    left, sent, cost = state, 0, 0

    while precopy and sent < precopy and left >= PAGE:
        part = min(chunk, left)
        before = max(0, cost - in_flight) / rate
        cost += part * (1 if sent < state else PAGE_COST)
        sent += part
        left -= part
        seconds = max(0, cost - in_flight) / rate - before
        left += (state - left) * (1 - math.exp(-dirty * seconds / state))
    queued = min(in_flight, cost)
    downtime = (queued + left * (PAGE_COST if sent else 1)) / rate

    return max(0, cost - in_flight) / rate + downtime, downtime


def number(text, unit):
    """A number with the suffix K, M or G, which are powers of the unit."""
    power = 'KMG'.find(text[-1:].upper()) + 1
    return float(text[:-1] if power else text) * unit ** power


def size(text):
    """A number of bytes."""
    return number(text, 1024)


def rate_of(text):
    """A number of bits per second, as links are specified."""
    return number(text, 1000)


def main():
    """Predict one migration."""
    parser = argparse.ArgumentParser(
        description='Predict total time and downtime of a migration.')
    parser.add_argument('--state', type=size, required=True,
                        help='bytes of state (K, M, G)')
    parser.add_argument('--dirty', type=size, default=0,
                        help='bytes of pages that the guest writes per second')
    parser.add_argument('--link', type=rate_of, required=True,
                        help='bits per second (K, M, G)')
    parser.add_argument('--precopy', type=size, default=PRECOPY,
                        help='most bytes to send while the guest runs')
    parser.add_argument('--in-flight', type=size, default=0,
                        help='bytes in the socket')
    parser.add_argument('--chunk', type=size, default=CHUNK,
                        help='bytes to read at once')
    total, downtime = predict(**vars(parser.parse_args()))
    print(f'total {total * 1000:.0f} ms, downtime {downtime * 1000:.0f} ms')


if __name__ == '__main__':
    main()
