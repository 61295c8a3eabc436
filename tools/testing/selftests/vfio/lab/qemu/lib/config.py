# SPDX-License-Identifier: GPL-2.0
"""Config space of the card as the guest sees it: before a migration, and after."""

# Bits that report a state of the device, which changes with the traffic: (offset, mask)
STATE_BITS = ((0x06, 0x08),)    # interrupt status

# Registers that only keep what a guest writes. Nothing in this guest acts on them, and QEMU (10.0
# to 11.1) writes them to no device. A guest gives them these values, which differ from those after
# a reset: (offset, value)
MARKS = ((0x0c, 16), (0x0d, 72), (0x3c, 11))
NOT_RESTORED = tuple(offset for offset, _ in MARKS)

# The header of type 0, and the MSI capability of mtty: (first byte, name)
REGISTERS = (
    (0x00, 'vendor ID'), (0x02, 'device ID'), (0x04, 'command'), (0x06, 'status'),
    (0x08, 'revision'), (0x09, 'class'), (0x0c, 'cache line size'), (0x0d, 'latency timer'),
    (0x0e, 'header type'), (0x0f, 'BIST'), (0x10, 'BAR0'), (0x14, 'BAR1'), (0x18, 'BAR2'),
    (0x1c, 'BAR3'), (0x20, 'BAR4'), (0x24, 'BAR5'), (0x28, 'CardBus CIS'),
    (0x2c, 'subsystem vendor ID'), (0x2e, 'subsystem ID'), (0x30, 'expansion ROM'),
    (0x34, 'capability list'), (0x35, 'reserved'), (0x3c, 'interrupt line'),
    (0x3d, 'interrupt pin'), (0x3e, 'min grant'), (0x3f, 'max latency'), (0x40, 'byte'),
)


def content(answer):
    """The bytes of the guest's answer, without the bits that report a state."""
    space = bytearray.fromhex(answer.partition('bytes=')[2])
    assert len(space) >= 256, f'the guest has read {len(space)} bytes of config space'
    for offset, mask in STATE_BITS:
        space[offset] &= ~mask
    return bytes(space)


def without(space, offsets):
    """The same with the reset value in these registers. Each must have had another value."""
    expected = bytearray(space)
    for offset in offsets:
        assert space[offset], f'{name(offset)} has its reset value: a loss would not be seen'
        expected[offset] = 0
    return bytes(expected)


def name(offset):
    """The name of the register that has this byte."""
    return f'{[text for first, text in REGISTERS if first <= offset][-1]} ({offset:#04x})'


def differences(expected, found):
    """A text for each byte that differs."""
    texts = [f'{name(offset)} is {new:#04x}, not {old:#04x}'
             for offset, (old, new) in enumerate(zip(expected, found)) if old != new]
    if len(expected) != len(found):
        texts.append(f'{len(found)} bytes, not {len(expected)}')
    return texts
