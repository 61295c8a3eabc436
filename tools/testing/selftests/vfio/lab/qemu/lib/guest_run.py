# SPDX-License-Identifier: GPL-2.0
"""A guest with a card, and its migrations."""

import contextlib
import os
import shutil
import subprocess

from . import config
from .card import Card
from .qemu import GUEST_INITRD, Vmm
from .guest import LIMIT, Report

# Bytes that each port must receive after a migration
PROGRESS = 512

# The socket of the destination, or the file
PATH = '/tmp/migration'


class Way:
    """How to migrate: capabilities, the transport, parameters of both sides. With a relay the
    source uses its path.
    """

    def __init__(self, capabilities=(), carrier='unix', relay=None, **parameters):
        self.capabilities = capabilities
        self.carrier = carrier
        self.relay = relay
        self.parameters = parameters

    def uri(self):
        """The address of the destination."""
        return f'{self.carrier}:{PATH}'

    def source_uri(self):
        """The address that the source connects to."""
        return f'{self.carrier}:{self.relay}' if self.relay else self.uri()


class GuestRun:
    """A running guest with two equal cards: one in use, one for the next destination.

    lost is a list of registers of config space that QEMU does not restore, because it needs
    more of a VMM than this QEMU does. Each migration must lose exactly these.
    """

    # Guests that had a triple fault, and QEMUs: a repeated case must not overwrite files.
    crashes = 0
    hops = 0

    def __init__(self, kind='mtty-2', msi=False, version=None, machine=None, options=None,
                 poke=False, lost=(), **attributes):
        self.cards = [Card(kind, **attributes), Card(kind, **attributes)]
        self.attributes = attributes
        self.options = {'msi': msi, 'machine': machine, 'poke': poke, 'options': options}
        self.version = version
        self.lost = lost
        self.config = None
        self.vmms = []
        self.label = ''
        self.vmm = None
        self.vmm = self.start()

    def add_card(self, kind='mtty-2', **attributes):
        """Make another card, equal but for these attributes; end() removes it."""
        self.cards.append(Card(kind, **{**self.attributes, **attributes}))
        return self.cards[-1]

    def start(self, incoming=False, card=None):
        """Start a QEMU with a given card, or with one that is not in use."""
        if not card:
            card = next(card for card in self.cards
                        if not self.vmm or card is not self.vmm.card)
        name = f'hop{GuestRun.hops}'
        GuestRun.hops += 1
        vmm = Vmm(name, card, incoming=incoming, version=self.version, **self.options)
        self.vmms.append(vmm)
        return vmm

    def boot(self, limit=LIMIT):
        """Wait for the guest's program; returns its first report."""
        return Report(self.vmm.link.wait_line('ready', limit))

    def destination(self, way, card=None):
        """Start a QEMU that is ready for migrate-incoming."""
        there = self.start(incoming=True, card=card)
        there.route_intx()
        there.setup(way.capabilities, **way.parameters)
        return there

    def send(self, way):
        """Begin to migrate."""
        self.vmm.setup(way.capabilities, **way.parameters)
        self.vmm.qmp.run('migrate', uri=way.source_uri())

    def note_config(self):
        """Note config space before a migration, or again after the guest has changed it."""
        space = self.vmm.link.config()
        for offset, value in config.MARKS:
            if not space[offset]:
                self.vmm.link.write_config(offset, value)
        self.config = self.vmm.link.config()

    def check_config(self):
        """Compare config space with what the migration must have left of it."""
        expected, self.config = self.config, None
        assert expected, 'config space was not noted before the migration'
        different = config.differences(expected, self.vmm.link.config())
        assert not different, 'config space: ' + ', '.join(different)

    def arrive(self, there):
        """End the source; the guest runs at the destination. Note it for report/timeline.py."""
        there.wait_migration('completed')
        if self.config:
            self.config = config.without(self.config, self.lost)
        with open('migrations.txt', 'a', encoding='ascii') as out:
            print(self.label, self.vmm.name, self.vmm.card.uuid, there.name, there.card.uuid,
                  file=out)
        self.vmm.quit()
        self.vmm = there

    def migrate(self, way, during=None):
        """Migrate. With a file the source ends before the destination starts."""
        self.note_config()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(PATH)
        if way.carrier == 'file':
            self.send(way)
            self.vmm.wait_migration('completed')
            there = self.destination(way)
            there.qmp.run('migrate-incoming', uri=way.uri())
        else:
            there = self.destination(way)
            there.qmp.run('migrate-incoming', uri=way.uri())
            self.send(way)
            if during:
                during(self.vmm)
            self.vmm.wait_migration('completed')
        self.arrive(there)
        return self.check_progress()

    def check_progress(self, limit=LIMIT):
        """After a migration, also one that failed: each port must receive bytes, and config
        space must be right. Returns the counters, or raises.
        """
        counters = self.vmm.link.progress(PROGRESS, limit)
        self.check_config()
        return counters

    def end(self):
        """End the QEMUs, and remove the cards."""
        GuestRun.crashes += any(vmm.has_crashed() for vmm in self.vmms)
        for vmm in self.vmms:
            vmm.kill()
        for card in self.cards:
            card.remove()


def pack_guest(program):
    """Make the initramfs of the guest: one program."""
    os.makedirs('/tmp/guest', exist_ok=True)
    shutil.copy(program, '/tmp/guest/init')
    with open(GUEST_INITRD, 'wb') as archive:
        subprocess.run(['busybox', 'cpio', '-o', '-H', 'newc'], input=b'init\n', cwd='/tmp/guest',
                       stdout=archive, stderr=subprocess.DEVNULL, check=True)
