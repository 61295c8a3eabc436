# SPDX-License-Identifier: GPL-2.0
"""A QEMU with KVM whose guest has an mtty card."""

import os
import platform
import re
import signal
import socket
import subprocess
import time

from .guest import LIMIT, GuestLink
from .qmp import Qmp, QmpClosed, connect

GUEST_KERNEL = '/added/vmlinuz'
GUEST_INITRD = '/tmp/guest.cpio'

# Another version of QEMU, with its libraries
OTHER_ROOT = '/qemu{version}'

# The version that has the patches of series/; built for the installed system, it uses its files
SERIES = 'series'

MACHINES = {
    # Nested XSAVE of an emulated processor does not work. The guest runs no guests, so there is no
    # nested state to migrate. The options skip parts of the boot.
    'x86_64': (['-M', 'q35', '-cpu', 'host,-xsave,-svm'],
               'quiet console=ttyS0 panic=-1 tsc=reliable no_timer_check mitigations=off '
               '8250.nr_uarts=8'),
    'aarch64': (['-M', 'virt,gic-version=3', '-cpu', 'host'],
                'quiet console=ttyAMA0 panic=-1 8250.nr_uarts=8'),
}

# The I/O ports of PCI in memory, on machines without I/O ports
IO_WINDOW = {'aarch64': 0x3eff0000}

# 8250_pci uses MSI for a few cards only. This one has one port, in BAR0.
MSI_CARD = {
    'x-pci-vendor-id': '0x9710', 'x-pci-device-id': '0x9900',
    'x-pci-sub-vendor-id': '0xa000', 'x-pci-sub-device-id': '0x1000',
}

# Events for the timeline, without register accesses: there are thousands.
TRACE = ('vfio_migration_*', 'vfio_save_*', 'vfio_load_*', 'vfio_vmstate_change*',
         'vfio_state_pending_*', 'vfio_intx_enable*', 'vfio_intx_disable*', 'vfio_intx_update',
         'vfio_msi_enable', 'vfio_msi_disable', 'vfio_pci_reset', 'vfio_mig_config_*',
         'migrate_set_state', 'runstate_set', 'vm_state_notify', 'loadvm_approve_switchover')

# Warnings about the kernel, not about the device. The VM has no IOMMU that tracks dirty
# pages, and kernels before 6.19 have no dma-buf of a region.
KERNEL_WARNINGS = (
    "VFIO device doesn't support device and IOMMU dirty tracking",
    'VFIO dma-buf not supported in kernel',
)

# Messages of a source after any failure
FAILURE_WORDS = ('failed to save SaveStateEntry', 'Unable to write to socket',
                 'Sibling indicated error')

# The guest's program (main.c) has ended, or its kernel has, or turned an interrupt off
GAVE_UP = re.compile(r'^guest: |Kernel panic|nobody cared|Disabling IRQ')

# The capabilities that the tests use: all are set for each migration.
CAPABILITIES = ('multifd', 'return-path', 'switchover-ack')
PARAMETERS = {'max_bandwidth': 1 << 30, 'downtime_limit': 300}


class Vmm:
    """One QEMU. Its files, in the current directory, begin with its name."""

    def __init__(self, name, card, incoming=False, version=None, options=None, poke=False,
                 **guest):
        self.name = name
        self.card = card
        self.version = version
        self.log = f'{name}.trace'
        self.stderr = f'{name}.err'
        self.expected = False
        self.failed = False
        self.asked_to_quit = False
        args = emulator(version) + command_line(name, card, dict(options or {}), **guest)
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
        with open(self.stderr, 'w', encoding='utf-8') as err:
            self.process = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=err,
                                            stderr=err)
        try:
            self.qmp = Qmp(f'{name}.qmp', time.monotonic() + LIMIT,
                           lambda: self.process.poll() is None)
        except (QmpClosed, TimeoutError) as error:
            self.kill()
            raise StartError(f'{error}; {name} ended with status {self.process.returncode}: '
                             f'{self.messages()}') from error
        self.link = GuestLink(f'{name}.control')

    def messages(self):
        """The lines that QEMU has printed."""
        with open(self.stderr, encoding='utf-8', errors='replace') as file:
            return [line.strip() for line in file if line.strip()]

    def warnings(self):
        """The messages without those that are expected: about the kernel, of a QEMU that must
        refuse a migration (expected), and of a source whose migration must fail (failed).
        """
        if self.expected:
            return []
        known = KERNEL_WARNINGS + (FAILURE_WORDS if self.failed else ())
        return [line for line in self.messages() if 'terminating on signal' not in line
                and not any(words in line for words in known)]

    def has_traced(self, words):
        """Return whether a line of the trace has these words."""
        with open(self.log, encoding='utf-8', errors='replace') as log:
            return any(words in line for line in log)

    def has_crashed(self):
        """Return whether the guest had a triple fault: QEMU ended without a command, and the
        guest's kernel and its program did not give up.
        """
        return self.process.poll() == 0 and not self.asked_to_quit and not self.gave_up()

    def gave_up(self):
        """The lines of the guest's console that say that it gave up."""
        with open(f'{self.name}.console', encoding='utf-8', errors='replace') as console:
            return [line.strip() for line in console if GAVE_UP.search(line)]

    def status(self):
        """running, postmigrate, inmigrate, ..."""
        return self.qmp.run('query-status')['status']

    def processor(self):
        """What the guest's processor does: lines for the report of a failure."""
        lines = [f'status: {self.status()}, migration: {self.migration()["status"]}']
        for command in ('info registers', 'info lapic'):
            answer = self.qmp.run('human-monitor-command', limit=10, command_line=command)
            lines += [line.strip() for line in answer.splitlines()
                      if line.lstrip().startswith(('RIP=', 'PC=', 'ISR', 'IRR', 'Timer'))]
        return lines

    def setup(self, capabilities=(), **parameters):
        """Set capabilities and parameters for the next migration, in or out."""
        self.qmp.run('migrate-set-capabilities', capabilities=[
            {'capability': name, 'state': name in capabilities} for name in CAPABILITIES])
        self.set(**{**PARAMETERS, **parameters})
        # The card's data use channels if there are several.
        self.qmp.run('qom-set', path='/machine/peripheral/card',
                     property='x-migration-multifd-transfer',
                     value='on' if 'multifd' in capabilities else 'off')

    def set(self, **parameters):
        """Change parameters of a migration, at any time."""
        self.qmp.run('migrate-set-parameters', **parameters)

    def migration(self):
        """The answer of query-migrate; the status is '' before the first migration."""
        answer = self.qmp.run('query-migrate')
        answer.setdefault('status', '')
        return answer

    def wait_migration(self, *wanted, limit=LIMIT):
        """Wait until the status is one of those; raises if the migration ends otherwise."""
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
        """Set up the routers of INTx, for a destination, where no firmware runs (PC machines).
        Without it KVM gets a line that the guest does not use, and QEMU does not notice
        when the state of the router is loaded. With the series it connects INTx after that.
        """
        if platform.machine() != 'x86_64' or self.version == SERIES:
            return
        for register in (0x60, 0x68):
            for port, value in ((0xcf8, 0x8000f800 | register), (0xcfc, 0x80808080)):
                self.qmp.run('human-monitor-command', command_line=f'o/w {port:#x} {value:#x}')

    def poke(self, register, value=None):
        """Read or write a register of the card's first port, also while the guest is stopped.
        Needs the option "poke".
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
        """End QEMU; kill it if it does not end."""
        self.asked_to_quit = True
        try:
            self.qmp.run('quit', limit=10)
            self.process.wait(20)
        except (QmpClosed, TimeoutError, subprocess.TimeoutExpired):
            pass
        self.kill()

    def kill(self):
        """Kill QEMU."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        for connection in ('qmp', 'link'):
            if hasattr(self, connection):
                getattr(self, connection).close()


class StartError(Exception):
    """A QEMU ended before its monitor was ready."""


class MigrationError(Exception):
    """A migration ended in an unexpected status; the text is QEMU's."""


def emulator(version):
    """The command that runs a QEMU: the installed one, or another version."""
    program = f'qemu-system-{platform.machine()}'
    if version is None:
        return [program]
    if version == SERIES:
        return [f'/added/{program}', '-L', '/usr/share/qemu', '-L', '/usr/share/seabios']
    root = OTHER_ROOT.format(version=version)
    libraries = ':'.join(f'{root}/{lib}/x86_64-linux-gnu' for lib in ('lib', 'usr/lib'))
    return [f'{root}/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2', '--library-path', libraries,
            f'{root}/usr/bin/{program}',
            '-L', f'{root}/usr/share/qemu', '-L', f'{root}/usr/share/seabios']


def has_version(version):
    """Return whether that version of QEMU is present."""
    return os.path.isdir(OTHER_ROOT.format(version=version))


def kernel_command_line():
    """The command line of the guest's kernel."""
    return MACHINES[platform.machine()][1]


def command_line(name, card, options, msi=False, machine=None):
    """The arguments that both sides of a migration share."""
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
