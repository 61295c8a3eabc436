# SPDX-License-Identifier: GPL-2.0
"""Trace events of the driver, and of messages (MSI) in the guest's interrupt controller."""

import contextlib
import os
import platform
import re

TRACING = '/sys/kernel/tracing'

# The events of a message: which to record, and the pattern of the number of the message. On
# x86 KVM has an event for it. On arm64 probes are needed: KVM reports no error when the ITS
# refuses a message.
if platform.machine() == 'x86_64':
    PROBES = ()
    MESSAGE_EVENTS = ('kvm/kvm_msi_set_irq',)
    MESSAGE = ('kvm_msi_set_irq', r'vec (\d+)')
else:
    PROBES = (
        'p:vmm/its_restore vgic_its_restore_tables_v0',
        'r:vmm/its_restored vgic_its_restore_tables_v0 ret=$retval:s32',
        'r:vmm/its_inject vgic_its_inject_msi ret=$retval:s32',
        'p:vmm/lpi vgic_queue_irq_unlock intid=irq->intid:u32',
    )
    MESSAGE_EVENTS = ('vmm',)
    MESSAGE = ('lpi', r'intid=(\d+)')

# Interrupts with smaller numbers are not messages.
FIRST_LPI = 8192


class Trace:
    """An instance of tracefs, with the clock of QEMU's log."""

    def __init__(self, messages=False):
        self.path = os.path.join(TRACING, 'instances', 'vmm')
        self.messages_too = messages
        self.seen = []
        self.ready = 0
        self.counted = 0
        with contextlib.suppress(FileExistsError):
            os.mkdir(self.path)
        self.set('tracing_on', '0')
        # TAI is UTC here, because no program sets the offset.
        self.set('trace_clock', 'tai')
        self.set('buffer_size_kb', '8192')
        self.set('events/mtty/enable', '1')
        if messages:
            self.watch_messages()
        self.set('tracing_on', '1')
        self.pipe = os.open(os.path.join(self.path, 'trace_pipe'), os.O_RDONLY | os.O_NONBLOCK)
        self.rest = b''

    def watch_messages(self):
        """Record messages, too."""
        for probe in PROBES:
            change_probes(probe)
        for events in MESSAGE_EVENTS:
            self.set(f'events/{events}/enable', '1')
        if PROBES:
            self.set('events/vmm/lpi/filter', f'intid >= {FIRST_LPI}')

    def set(self, name, value):
        """Write a file of the instance."""
        with open(os.path.join(self.path, name), 'w', encoding='ascii') as file:
            file.write(value)

    def lines(self):
        """The events up to now: (seconds, name, text)."""
        with contextlib.suppress(BlockingIOError):
            while more := os.read(self.pipe, 1 << 16):
                self.rest += more
        *lines, self.rest = self.rest.split(b'\n')
        for line in lines:
            assert b'LOST' not in line, 'the buffer was too small'
            found = re.match(r'.*\s(\d+\.\d+): (\w+): (.*)', line.decode())
            if found:
                self.seen.append((float(found.group(1)), found.group(2), found.group(3)))
        return self.seen

    def signalled(self):
        """Number of interrupts signalled since the guest was ready."""
        return sum(name == 'mtty_signal' for _, name, _ in self.lines()[self.ready:])

    def begin_interrupts(self, report):
        """Count from here: the guest is ready, and does not use the card yet. The probe of
        its driver causes interrupts that the kernel does not count.
        """
        self.ready = len(self.lines())
        self.counted = report.interrupts

    def loaded(self):
        """Number of devices loaded since the guest was ready."""
        return sum(name == 'mtty_state' and 'RESUMING -> STOP ret=0' in text
                   for _, name, text in self.lines()[self.ready:])

    def check_intx(self, report):
        """Each signal arrives in the guest once, because INTx is masked until the guest has
        handled it. A level that is high when a device is loaded is signalled again; both
        signals are one interrupt if the guest has not handled the first.
        """
        signalled = self.signalled()
        loaded = self.loaded()
        arrived = report.interrupts - self.counted
        print(f'# interrupts: {signalled} signalled, {loaded} devices loaded, {arrived} arrived')
        assert 0 < arrived <= signalled <= arrived + loaded, \
            f'{signalled} signalled, {loaded} loaded, {arrived} arrived'

    def check_msi(self, report):
        """Each message reaches the guest's interrupt controller once. Two messages are one
        interrupt if the guest has not handled the first, as on any machine.
        """
        signalled = self.signalled()
        injected = self.injected()
        arrived = report.interrupts - self.counted
        print(f'# messages: {signalled} signalled, {injected} injected, {arrived} arrived')
        assert signalled == injected, f'{signalled} signalled, {injected} injected'
        assert 0 < arrived <= injected, f'{injected} injected, {arrived} arrived'

    def injected(self):
        """Number of messages of the card that reached the interrupt controller."""
        return len(self.messages(self.ready))

    def messages(self, first):
        """Times of the card's messages from event number first on."""
        name, pattern = MESSAGE
        events = self.lines()
        ids = []
        restoring = False
        for _, event, text in events:
            # Restoring an ITS injects messages again.
            restoring = event == 'its_restore' or (restoring and event != 'its_restored')
            is_message = event == name and not restoring
            ids.append(re.search(pattern, text).group(1) if is_message else None)
        # The messages after a signal are the card's.
        after = [ids[i + 1] for i, (_, event, _) in enumerate(events[:-1])
                 if event == 'mtty_signal' and ids[i + 1]]
        assert after, 'no message has reached the interrupt controller'
        card = max(after, key=after.count)
        return [events[i][0] for i in range(first, len(events)) if ids[i] == card]

    def end(self):
        """Write the events to the current directory, and remove the instance."""
        self.set('tracing_on', '0')
        with open('events.txt', 'a', encoding='utf-8') as out:
            for when, name, text in self.lines():
                out.write(f'{when:.6f} {name} {text}\n')
        os.close(self.pipe)
        if self.messages_too:
            for events in MESSAGE_EVENTS:
                self.set(f'events/{events}/enable', '0')
        os.rmdir(self.path)
        if self.messages_too:
            for probe in PROBES:
                change_probes('-:' + probe.split()[0][2:])


def change_probes(command):
    """Add or remove a probe; the file refuses the flags of open()."""
    events = os.open(os.path.join(TRACING, 'kprobe_events'), os.O_WRONLY | os.O_APPEND)
    try:
        os.write(events, command.encode() + b'\n')
    finally:
        os.close(events)
