# SPDX-License-Identifier: GPL-2.0
"""An mtty mediated device, as sysfs makes it."""

import os
import uuid

PARENT = '/sys/class/mdev_bus/mtty/mdev_supported_types'
DEVICES = '/sys/bus/mdev/devices'


class Card:
    """A device of a given kind; attributes are those of its directory migration/."""

    def __init__(self, kind='mtty-2', **attributes):
        self.uuid = str(uuid.uuid4())
        self.path = os.path.join(DEVICES, self.uuid)
        write(os.path.join(PARENT, kind, 'create'), self.uuid)
        for name, value in attributes.items():
            write(os.path.join(self.path, 'migration', name), str(value))

    def remove(self):
        """Nobody may have it open, or the kernel waits for him."""
        write(os.path.join(self.path, 'remove'), '1')


def write(path, text):
    """Writes to an attribute, which may refuse."""
    with open(path, 'w', encoding='ascii') as attribute:
        attribute.write(text)
