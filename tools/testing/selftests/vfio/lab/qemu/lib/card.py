# SPDX-License-Identifier: GPL-2.0
"""An mtty mediated device, made by sysfs."""

import os
import uuid

PARENT = '/sys/class/mdev_bus/mtty/mdev_supported_types'
DEVICES = '/sys/bus/mdev/devices'


class Card:
    """A device; attributes are files of its directory migration/."""

    def __init__(self, kind='mtty-2', **attributes):
        self.uuid = str(uuid.uuid4())
        self.path = os.path.join(DEVICES, self.uuid)
        write(os.path.join(PARENT, kind, 'create'), self.uuid)
        for name, value in attributes.items():
            write(os.path.join(self.path, 'migration', name), str(value))

    def remove(self):
        """The kernel waits until the device is closed."""
        write(os.path.join(self.path, 'remove'), '1')


def write(path, text):
    """Write an attribute."""
    with open(path, 'w', encoding='ascii') as attribute:
        attribute.write(text)
