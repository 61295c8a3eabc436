#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""libvirt's XML for a mediated device, with mtty.

virt-qemu-run is libvirt's QEMU driver without a daemon.
"""

import os
import subprocess

from lib.card import Card
from lib.cases import Cases, where
from lib.guest import LIMIT, GuestLink, Report
from lib.qemu import GUEST_INITRD, GUEST_KERNEL, kernel_command_line

# The hostdev element as in libvirt's documentation; the rest is for the guest.
DOMAIN = """
<domain type='kvm'>
  <name>guest</name>
  <memory unit='MiB'>192</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>{kernel}</kernel>
    <initrd>{initrd}</initrd>
    <cmdline>{command_line}</cmdline>
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

# The VM has no other users, no cgroups and no virtlogd.
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
    """Linux's driver binds both ports, and bytes are looped back"""
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
            with open('virt-qemu-run.log', encoding='utf-8') as output:
                print(*[f'# {line}' for line in output], sep='', end='')
    card.remove()


def use_the_card():
    """Check traffic, as the tests with QEMU do."""
    link = GuestLink(f'{where()}/control')
    ready = Report(link.wait_line('ready', LIMIT))
    assert [port['uart'] for port in ready.ports] == ['16550A', '16550A'], ready.line
    link.send('go')
    link.progress(512)
    last = link.pause()
    for port in last.ports:
        assert port['sent'] == port['received'] and port['wrong'] == 0, last.line
    link.close()


def domain(name):
    """The XML for a card."""
    return DOMAIN.format(kernel=GUEST_KERNEL, initrd=GUEST_INITRD,
                         command_line=kernel_command_line(), uuid=name, where=where())


if __name__ == '__main__':
    Cases([guest_uses_the_card]).run()
