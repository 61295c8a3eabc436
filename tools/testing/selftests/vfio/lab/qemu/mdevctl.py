#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""mdevctl, the administration tool for mediated devices, with mtty."""

import json
import os
import subprocess
import uuid

from lib.card import DEVICES
from lib.cases import Cases

UUID = str(uuid.uuid4())
ATTRIBUTES = {'migration/config_policy': 'reorder', 'migration/capture_size': '16384'}


def mdevctl(*words):
    """Run mdevctl; returns its output, or raises with its error."""
    run = subprocess.run(['mdevctl', *words], capture_output=True, text=True, check=False)
    assert run.returncode == 0, f'mdevctl {" ".join(words)}: {run.stderr}'
    return run.stdout


def listed(*words):
    """The entry of the device in mdevctl list, or None."""
    for parent in json.loads(mdevctl('list', '--dumpjson', *words) or '[]'):
        for device in parent.get('mtty', []):
            if UUID in device:
                return device[UUID]
    return None


def its_types_are_listed():
    """mdevctl types"""
    types = mdevctl('types', '--parent', 'mtty')
    for kind in os.listdir('/sys/class/mdev_bus/mtty/mdev_supported_types'):
        assert kind in types, types


def defined_with_attributes():
    """mdevctl define, modify --addattr: the device does not exist yet"""
    mdevctl('define', '--uuid', UUID, '--parent', 'mtty', '--type', 'mtty-2')
    for name, value in ATTRIBUTES.items():
        mdevctl('modify', '--uuid', UUID, f'--addattr={name}', f'--value={value}')
    device = listed('--defined')
    assert device['mdev_type'] == 'mtty-2', device
    assert {**device['attrs'][0], **device['attrs'][1]} == ATTRIBUTES, device
    assert not os.path.exists(os.path.join(DEVICES, UUID))


def started_and_configured():
    """mdevctl start: the device has the defined attributes"""
    mdevctl('start', '--uuid', UUID)
    assert listed()['mdev_type'] == 'mtty-2'
    for name, value in ATTRIBUTES.items():
        with open(os.path.join(DEVICES, UUID, name), encoding='ascii') as attribute:
            assert value in attribute.read().split(), name


def stopped_and_forgotten():
    """mdevctl stop, undefine"""
    mdevctl('stop', '--uuid', UUID)
    assert not os.path.exists(os.path.join(DEVICES, UUID))
    assert listed() is None
    mdevctl('undefine', '--uuid', UUID)
    assert listed('--defined') is None


if __name__ == '__main__':
    Cases([its_types_are_listed, defined_with_attributes, started_and_configured,
           stopped_and_forgotten]).run()
