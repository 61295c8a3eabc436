# SPDX-License-Identifier: GPL-2.0
"""A QEMU with KVM whose guest has one of our cards: the command line, and its life."""

import os
import platform
import signal
import socket
import subprocess
import time

from .guest import GuestLink
from .qmp import Qmp, QmpClosed, connect

GUEST_KERNEL = '/added/vmlinuz'
GUEST_INITRD = '/tmp/guest.cpio'

# The second QEMU lies in a directory of its own, with the libraries it was made for.
OTHER_ROOT = '/qemu{version}'

MACHINES = {
    # XSAVE as an emulated processor has it does not add up to one for a guest; what
    # QEMU's machine for PCs has besides costs boot time only.
    'x86_64': (['-M', 'q35', '-cpu', 'host,-xsave'],
               'quiet console=ttyS0 panic=-1 tsc=reliable no_timer_check mitigations=off '
               '8250.nr_uarts=8'),
    'aarch64': (['-M', 'virt,gic-version=3', '-cpu', 'host'],
                'quiet console=ttyAMA0 panic=-1 8250.nr_uarts=8'),
}

# Where the processor finds the I/O ports of PCI, if it has no ports of its own.
IO_WINDOW = {'aarch64': 0x3eff0000}

# 8250_pci asks for MSI only for a few cards. This one of them has one port, in BAR0.
MSI_CARD = {
    'x-pci-vendor-id': '0x9710', 'x-pci-device-id': '0x9900',
    'x-pci-sub-vendor-id': '0xa000', 'x-pci-sub-device-id': '0x1000',
}

# Who did what when; not every register access, of which there are thousands.
TRACE = ('vfio_migration_*', 'vfio_save_*', 'vfio_load_*', 'vfio_vmstate_change*',
         'vfio_state_pending_*', 'vfio_intx_enable*', 'vfio_intx_disable*', 'vfio_intx_update',
         'vfio_msi_enable', 'vfio_msi_disable', 'vfio_pci_reset', 'migrate_set_state',
         'runstate_set', 'vm_state_notify', 'loadvm_approve_switchover')

# What QEMU says about the kernel and not about the device. Debian's kernel has no IOMMU
# of its own that iommufd could ask, so nobody can report what was written by DMA; and no
# kernel before 6.19 gives out a region as a dma-buf.
KERNEL_WARNINGS = (
    "VFIO device doesn't support device and IOMMU dirty tracking",
    'VFIO dma-buf not supported in kernel',
)

# What a source says when a migration has come to the wrong end, whatever the reason was.
FAILURE_WORDS = ('failed to save SaveStateEntry', 'Unable to write to socket')

# Of those that are used here; who has come with one would leave with it.
CAPABILITIES = ('multifd', 'return-path', 'switchover-ack')
PARAMETERS = {'max_bandwidth': 1 << 30, 'downtime_limit': 300}


class Vmm:
    """One QEMU. Its files begin with the name, in the current directory."""

    def __init__(self, name, card, incoming=False, version=None, options=None, poke=False,
                 **how):
        self.name = name
        self.card = card
        self.log = f'{name}.trace'
        self.said = f'{name}.err'
        self.expected = False
        self.failed = False
        self.dismissed = False
        args = emulator(version) + command_line(name, card, dict(options or {}), **how)
        if poke:
            args += ['-qtest', f'unix:{name}.qtest,server=on,wait=off', '-qtest-log', 'none']
        for events in TRACE:
            args += ['-trace', events]
        args += ['-D', self.log]
        if incoming:
            args += ['-incoming', 'defer']
        for path in (f'{name}.qmp', f'{name}.control', f'{name}.qtest'):
            if os.path.exists(path):
                os.unlink(path)
        with open(self.said, 'w', encoding='utf-8') as err:
            self.process = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=err,
                                            stderr=err)
        try:
            self.qmp = Qmp(f'{name}.qmp', time.monotonic() + 60,
                           lambda: self.process.poll() is None)
        except (QmpClosed, TimeoutError) as error:
            self.kill()
            raise StartError(f'{error}; {name} ended with status {self.process.returncode}: '
                             f'{self.all_said()}') from error
        self.link = GuestLink(f'{name}.control')

    def all_said(self):
        """What QEMU has said, line by line."""
        with open(self.said, encoding='utf-8', errors='replace') as said:
            return [line.strip() for line in said if line.strip()]

    def warnings(self):
        """The same but for what is about the kernel, or was asked for: all that a QEMU says
        that was to refuse what came, and that of one whose migration was to fail.
        """
        if self.expected:
            return []
        known = KERNEL_WARNINGS + (FAILURE_WORDS if self.failed else ())
        return [line for line in self.all_said() if 'terminating on signal' not in line
                and not any(words in line for words in known)]

    def has_traced(self, words):
        """Has QEMU come by a place? The words are those of a line of its trace."""
        with open(self.log, encoding='utf-8', errors='replace') as log:
            return any(words in line for line in log)

    def has_crashed(self):
        """Has the guest's processor been reset? Nobody has asked for that, and a kernel that
        does so itself says on its console why.
        """
        if self.process.poll() != 0 or self.dismissed:
            return False
        with open(f'{self.name}.console', encoding='utf-8', errors='replace') as console:
            return 'Kernel panic' not in console.read()

    def status(self):
        """running, postmigrate, inmigrate, ..."""
        return self.qmp.run('query-status')['status']

    def setup(self, capabilities=(), **parameters):
        """How the next migration, in or out, is to be done."""
        self.qmp.run('migrate-set-capabilities', capabilities=[
            {'capability': name, 'state': name in capabilities} for name in CAPABILITIES])
        self.set(**{**PARAMETERS, **parameters})
        # The card's data have channels of their own, if there are several.
        self.qmp.run('qom-set', path='/machine/peripheral/card',
                     property='x-migration-multifd-transfer',
                     value='on' if 'multifd' in capabilities else 'off')

    def set(self, **parameters):
        """Changes parameters of a migration, at any time."""
        self.qmp.run('migrate-set-parameters', **parameters)

    def migration(self):
        """Of query-migrate; the status is '' before there was any."""
        answer = self.qmp.run('query-migrate')
        answer.setdefault('status', '')
        return answer

    def wait_migration(self, *wanted, limit=120):
        """Waits until the status is one of those, or one that nothing follows."""
        deadline = time.monotonic() + limit
        while True:
            answer = self.migration()
            if answer['status'] in wanted:
                return answer
            if answer['status'] in ('failed', 'cancelled', 'completed'):
                raise MigrationError(f"{self.name}: migration {answer['status']}: "
                                     f"{answer.get('error-desc', 'no reason given')}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.name}: migration is {answer['status']} after {limit} s")
            time.sleep(0.05)

    def route_intx(self):
        """What firmware does at boot, for a destination, where none runs: it sets up the
        routers of INTx. Without that KVM is told of a line that the guest does not use,
        and QEMU does not notice when the state of the router arrives (PC machines only).
        """
        if platform.machine() != 'x86_64':
            return
        for register in (0x60, 0x68):
            for port, value in ((0xcf8, 0x8000f800 | register), (0xcfc, 0x80808080)):
                self.qmp.run('human-monitor-command', command_line=f'o/w {port:#x} {value:#x}')

    def poke(self, register, value=None):
        """Reads, or writes, a register of the card's first port as a processor does, whether
        there runs one or not (with the option "poke" only).
        """
        bar = next(region['address'] for bus in self.qmp.run('query-pci')
                   for device in bus['devices'] if device['qdev_id'] == 'card'
                   for region in device['regions'] if region['bar'] == 0)
        window = IO_WINDOW.get(platform.machine())
        calls = ('in', 'out') if window is None else ('read', 'write')
        words = [f'{calls[value is not None]}b', hex(bar + register + (window or 0))]
        words += [hex(value)] if value is not None else []
        with socket.socket(socket.AF_UNIX) as sock:
            connect(sock, f'{self.name}.qtest', time.monotonic() + 10)
            sock.sendall(' '.join(words).encode() + b'\n')
            answer = sock.makefile().readline().split()
        assert answer[0] == 'OK', f'{words}: {answer}'
        return int(answer[1], 0) if value is None else value

    def quit(self):
        """In good order; kill() if it does not."""
        self.dismissed = True
        try:
            self.qmp.run('quit', limit=10)
            self.process.wait(20)
        except (QmpClosed, TimeoutError, subprocess.TimeoutExpired):
            pass
        self.kill()

    def kill(self):
        """At once."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        for connection in ('qmp', 'link'):
            if hasattr(self, connection):
                getattr(self, connection).close()


class StartError(Exception):
    """A QEMU has not got as far as its monitor."""


class MigrationError(Exception):
    """A migration has come to another end than it should; the text is QEMU's own."""


def emulator(version):
    """The words that run a QEMU: this system's, or the other one."""
    program = f'qemu-system-{platform.machine()}'
    if version is None:
        return [program]
    root = OTHER_ROOT.format(version=version)
    libraries = ':'.join(f'{root}/{lib}/x86_64-linux-gnu' for lib in ('lib', 'usr/lib'))
    return [f'{root}/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2', '--library-path', libraries,
            f'{root}/usr/bin/{program}',
            '-L', f'{root}/usr/share/qemu', '-L', f'{root}/usr/share/seabios']


def has_version(version):
    """Is that other QEMU here?"""
    return os.path.isdir(OTHER_ROOT.format(version=version))


def guest_words():
    """What its kernel is told."""
    return MACHINES[platform.machine()][1]


def command_line(name, card, options, msi=False, machine=None):
    """What the two sides of a migration have in common."""
    base, append = MACHINES[platform.machine()]
    if machine:
        base = [machine if word == 'q35' else word for word in base]
    device = {'id': 'card', 'sysfsdev': card.path, 'enable-migration': 'on', **options}
    if msi:
        device.update(MSI_CARD)
    return [
        '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot',
        '-msg', 'timestamp=on', '-accel', 'kvm', *base, '-m', '192',
        '-kernel', GUEST_KERNEL, '-initrd', GUEST_INITRD, '-append', append,
        '-serial', f'file:{name}.console',
        '-chardev', f'socket,id=control,path={name}.control,server=on,wait=off',
        '-device', 'virtio-serial-pci,romfile=',
        '-device', 'virtserialport,chardev=control,name=control',
        '-qmp', f'unix:{name}.qmp,server=on,wait=off',
        '-device', 'vfio-pci,' + ','.join(f'{key}={value}' for key, value in device.items()),
    ]
