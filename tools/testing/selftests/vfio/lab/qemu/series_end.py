#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Data of a device that are not complete: an error when the device leaves RESUMING.

QEMU without the series notices when the guest starts on the destination, and resets the device.
With the series the load fails, and the guest continues on the source.
"""

import contextlib
import os

from lib import relay
from lib.cases import Cases
from lib.cut import Relay, cut_file
from lib.failing import fails
from lib.guest_run import PATH, Way
from lib.series import guest

IER = 1
FILE = Way(carrier='file')
RETURN_PATH = Way(('return-path',), relay=relay.PATH)


def cut_in_a_file(guest_run):
    """Save to a file, cut it, and begin to load it; returns the destination."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(PATH)
    guest_run.note_config()
    guest_run.send(FILE)
    guest_run.vmm.wait_migration('completed')
    cut_file(PATH)
    there = guest_run.destination(FILE)
    there.expected = True
    there.qmp.run('migrate-incoming', uri=FILE.uri())
    return there


def continue_on_the_source(guest_run, there):
    """The source still has all of the guest."""
    there.kill()
    guest_run.vmm.qmp.run('cont')
    guest_run.check_progress()


def not_noticed():
    """Without the series: the guest runs, with a device that was reset"""
    with guest('old', version=None, poke=True) as guest_run:
        assert guest_run.vmm.poke(IER), 'the guest uses no interrupt'
        there = cut_in_a_file(guest_run)
        there.wait_migration('completed')
        assert there.status() == 'running'
        assert there.poke(IER) == 0, 'the device was not reset'
        output = '\n'.join(there.messages())
        assert 'Failed setting device state' in output and 'Resetting device' in output, output
        continue_on_the_source(guest_run, there)


def noticed():
    """With the series: the load fails"""
    with guest('new', config_policy='before-data') as guest_run:
        there = cut_in_a_file(guest_run)
        assert there.process.wait(60) != 0
        output = '\n'.join(there.messages())
        assert 'the device cannot use its migration data: No data available' in output, output
        continue_on_the_source(guest_run, there)
        guest_run.migrate(Way())


def noticed_by_the_source():
    """With the series and return-path: the source continues by itself"""
    with guest('return-path', config_policy='before-data') as guest_run:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(PATH)
        guest_run.note_config()
        there = guest_run.destination(RETURN_PATH)
        there.qmp.run('migrate-incoming', uri=RETURN_PATH.uri())
        cutter = Relay(PATH)
        guest_run.send(RETURN_PATH)
        cutter.keep(lambda: guest_run.vmm.migration()['status'] == 'device')
        cutter.send()
        assert 'failed' in fails(guest_run, there)
        cutter.end()
        assert any('the device cannot use its migration data' in line
                   for line in there.messages()), there.messages()


if __name__ == '__main__':
    Cases([not_noticed, noticed, noticed_by_the_source]).run()
