# SPDX-License-Identifier: GPL-2.0
"""A guest with a card, and its guest_runs from one QEMU to the next and back."""

import contextlib
import os
import shutil
import subprocess

from .card import Card
from .qemu import GUEST_INITRD, Vmm
from .guest import Report

# Bytes that must come back through every port, to believe that a guest is well.
WELL = 512


class Way:
    """How to migrate: capabilities and parameters of both sides, and what carries it."""

    def __init__(self, capabilities=(), carrier='unix', **parameters):
        self.capabilities = capabilities
        self.carrier = carrier
        self.parameters = parameters

    def uri(self):
        """Where both sides find it."""
        return f'{self.carrier}:/tmp/migration'


class GuestRun:
    """A running guest. It has two cards of a kind, one of them for where it goes next."""

    # Guests whose processor has given up.
    crashes = 0

    def __init__(self, kind='mtty-2', msi=False, version=None, machine=None, options=None,
                 poke=False, **attributes):
        self.cards = [Card(kind, **attributes), Card(kind, **attributes)]
        self.how = {'msi': msi, 'machine': machine, 'poke': poke, 'options': options}
        self.version = version
        self.hops = 0
        self.all = []
        self.label = ''
        self.vmm = None
        self.vmm = self.start()

    def spare(self, kind='mtty-2', **attributes):
        """One more card, of whatever kind; end() removes it, too."""
        self.cards.append(Card(kind, **attributes))
        return self.cards[-1]

    def start(self, incoming=False, card=None):
        """A QEMU on a given card, or on the one that is free, or the first."""
        if not card:
            card = next(card for card in self.cards
                        if not self.vmm or card is not self.vmm.card)
        name = f'hop{self.hops}'
        self.hops += 1
        vmm = Vmm(name, card, incoming=incoming, version=self.version, **self.how)
        self.all.append(vmm)
        return vmm

    def boot(self, limit=90):
        """Waits for the guest's program; it says what the guest has found."""
        return Report(self.vmm.link.hear('ready', limit))

    def destination(self, way, card=None):
        """A QEMU that is ready to be told where the guest comes from."""
        there = self.start(incoming=True, card=card)
        there.route_intx()
        there.setup(way.capabilities, **way.parameters)
        return there

    def send(self, way):
        """Begins to migrate to where the way leads."""
        self.vmm.setup(way.capabilities, **way.parameters)
        self.vmm.qmp.run('migrate', uri=way.uri())

    def arrive(self, there):
        """The guest runs there now; what was here has ended. For report/timeline.py."""
        there.wait_migration('completed')
        with open('migrations.txt', 'a', encoding='ascii') as out:
            print(self.label, self.vmm.name, self.vmm.card.uuid, there.name, there.card.uuid,
                  file=out)
        self.vmm.quit()
        self.vmm = there

    def migrate(self, way, during=None):
        """All of it. Over a file one side comes after the other."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink('/tmp/migration')
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
        return self.well()

    def well(self, limit=60):
        """The guest goes on; returns its counters. Raises if a port stands still."""
        return self.vmm.link.progress(WELL, limit)

    def end(self):
        """Nothing is left of it."""
        GuestRun.crashes += any(vmm.has_crashed() for vmm in self.all)
        for vmm in self.all:
            vmm.kill()
        for card in self.cards:
            card.remove()


def pack_guest(program):
    """The guest has one file; the kernel's own archive has the rest."""
    os.makedirs('/tmp/guest', exist_ok=True)
    shutil.copy(program, '/tmp/guest/init')
    with open(GUEST_INITRD, 'wb') as archive:
        subprocess.run(['busybox', 'cpio', '-o', '-H', 'newc'], input=b'init\n', cwd='/tmp/guest',
                       stdout=archive, stderr=subprocess.DEVNULL, check=True)
