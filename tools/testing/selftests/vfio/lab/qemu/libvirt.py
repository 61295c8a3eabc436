#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Does libvirt's device XML do what libvirt's documentation says, with our device?

virt-qemu-run is libvirt's driver of QEMU without a daemon around it.
"""

import os
import subprocess

from lib.card import Card
from lib.cases import Cases, where
from lib.guest import GuestLink, Report
from lib.qemu import GUEST_INITRD, GUEST_KERNEL, guest_words

# As libvirt documents a mediated device; the rest is what our guest needs.
DOMAIN = """
<domain type='kvm'>
  <name>guest</name>
  <memory unit='MiB'>192</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>{kernel}</kernel>
    <initrd>{initrd}</initrd>
    <cmdline>{words}</cmdline>
  </os>
  <features><acpi/><apic/></features>
  <cpu mode='host-passthrough'><feature policy='disable' name='xsave'/></cpu>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
    <hostdev mode='subsystem' type='mdev' model='vfio-pci'>
      <source>
        <address uuid='{uuid}'/>
      </source>
    </hostdev>
    <channel type='unix'>
      <source mode='bind' path='{where}/control'/>
      <target type='virtio' name='control'/>
    </channel>
    <serial type='file'><source path='{where}/console'/></serial>
  </devices>
</domain>
"""

# There are no other users here, no cgroups, and nobody to keep logs.
CONFIG = """
user = "root"
group = "root"
security_driver = "none"
cgroup_controllers = []
namespaces = []
stdio_handler = "file"
remember_owner = 0
"""


def guest_uses_the_card():
    """Linux's driver binds both ports, and bytes come back"""
    card = Card()
    root = '/tmp/libvirt'
    os.makedirs(f'{root}/etc', exist_ok=True)
    with open(f'{root}/etc/qemu.conf', 'w', encoding='ascii') as out:
        out.write(CONFIG)
    with open('domain.xml', 'w', encoding='utf-8') as out:
        out.write(domain(card.uuid))
    with open('virt-qemu-run.log', 'w', encoding='utf-8') as log, \
            subprocess.Popen(['virt-qemu-run', '--root', root, 'domain.xml'],
                             stdin=subprocess.DEVNULL, stdout=log, stderr=log) as libvirt:
        try:
            use_the_card()
        finally:
            libvirt.terminate()
            libvirt.wait(20)
            with open('virt-qemu-run.log', encoding='utf-8') as said:
                print(*[f'# {line}' for line in said], sep='', end='')
    card.remove()


def use_the_card():
    """As the tests with QEMU alone do."""
    link = GuestLink(f'{where()}/control', limit=60)
    ready = Report(link.hear('ready', 90))
    assert [port['uart'] for port in ready.ports] == ['16550A', '16550A'], ready.line
    link.say('go')
    link.progress(512)
    last = link.pause()
    for port in last.ports:
        assert port['sent'] == port['received'] and port['wrong'] == 0, last.line
    link.close()


def domain(name):
    """The XML, for a card."""
    return DOMAIN.format(kernel=GUEST_KERNEL, initrd=GUEST_INITRD, words=guest_words(),
                         uuid=name, where=where())


if __name__ == '__main__':
    Cases([guest_uses_the_card]).run()
