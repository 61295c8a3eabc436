#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A model of how long a migration takes, and how long the guest stands still.

It does what a VMM does: reads a chunk of what is dirty, waits until the link has
taken it, and goes on; meanwhile the guest makes clean pages dirty again, each as
likely as any other. It stops the guest when nothing is left, or when it has sent as
much as it wants to; what is dirty then, and what the socket still holds, is what the
guest has to wait for. What the device, the VMM and the link's delay take comes on
top. See Documentation/driver-api/vfio-migration-downtime.rst.

Usage: downtime.py --state BYTES --dirty BYTES/S --link BITS/S [--precopy BYTES]
                   [--in-flight BYTES] [--chunk BYTES]
"""

import argparse
import math

PAGE = 4096
# Of an Ethernet frame with TCP over IPv4 and time stamps, what is not payload
LINK_SHARE = 1448 / 1514
# A record of mtty's stream with one page in it; those of a first pass have many
PAGE_COST = (PAGE + 48) / PAGE
# What vfio-migrate reads at once, and what it sends before it gives up
CHUNK = 1 << 20
PRECOPY = 8 * (4 << 20)


def predict(state, dirty, link, precopy=PRECOPY, in_flight=0, chunk=CHUNK):
    """Seconds: from the start to the guest on the other side, and of downtime.

    state: bytes that were written, and are written to; dirty: bytes of pages per
    second that the guest writes; link: bits per second; precopy: bytes to send at
    most while the guest runs, 0 for none; in_flight: bytes that the sender's socket
    can hold.
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


def size(text):
    """A number with K, M or G behind it, as powers of 1024."""
    unit = text[-1:].upper()
    factor = {'K': 1 << 10, 'M': 1 << 20, 'G': 1 << 30}.get(unit, 1)

    return float(text[:-1] if factor > 1 else text) * factor


def rate_of(text):
    """The same, as powers of 1000: links are sold like that."""
    unit = text[-1:].upper()
    factor = {'K': 1e3, 'M': 1e6, 'G': 1e9}.get(unit, 1)

    return float(text[:-1] if factor > 1 else text) * factor


def main():
    """A prediction for one migration."""
    parser = argparse.ArgumentParser(
        description='How long a migration takes, by a small model.')
    parser.add_argument('--state', type=size, required=True,
                        help='bytes to be sent (K, M, G)')
    parser.add_argument('--dirty', type=size, default=0,
                        help='bytes of pages that are written per second')
    parser.add_argument('--link', type=rate_of, required=True,
                        help='bits per second (K, M, G)')
    parser.add_argument('--precopy', type=size, default=PRECOPY,
                        help='bytes to send at most while the guest runs')
    parser.add_argument('--in-flight', type=size, default=0,
                        help='bytes that the socket can hold')
    parser.add_argument('--chunk', type=size, default=CHUNK,
                        help='bytes that are read at once')
    total, downtime = predict(**vars(parser.parse_args()))
    print(f'total {total * 1000:.0f} ms, downtime {downtime * 1000:.0f} ms')


if __name__ == '__main__':
    main()
