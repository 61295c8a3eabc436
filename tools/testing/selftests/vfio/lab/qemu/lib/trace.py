# SPDX-License-Identifier: GPL-2.0
"""What the kernel reports of our devices: the driver's own trace events, and what becomes
of a message in the guest's interrupt controller.
"""

import contextlib
import os
import platform
import re

TRACING = '/sys/kernel/tracing'

# A message on its way into the guest: events to be recorded, and how one of them says
# which message it was. KVM has an event for that on x86; on arm64 there are probes:
# a message that the ITS has no use for yet is refused, and nobody is told.
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

# Below that are interrupts which are no messages.
FIRST_LPI = 8192


class Trace:
    """A buffer of its own in tracefs, on the clock that QEMU's log has, too."""

    def __init__(self, messages=False):
        self.path = os.path.join(TRACING, 'instances', 'vmm')
        self.messages_too = messages
        self.seen = []
        self.ready = 0
        self.counted = 0
        with contextlib.suppress(FileExistsError):
            os.mkdir(self.path)
        self.set('tracing_on', '0')
        # Without leap seconds, which nobody has told the kernel of, that is UTC.
        self.set('trace_clock', 'tai')
        self.set('buffer_size_kb', '8192')
        self.set('events/mtty/enable', '1')
        if messages:
            self.watch_messages()
        self.set('tracing_on', '1')
        self.pipe = os.open(os.path.join(self.path, 'trace_pipe'), os.O_RDONLY | os.O_NONBLOCK)
        self.rest = b''

    def watch_messages(self):
        """What becomes of them, too."""
        for probe in PROBES:
            change_probes(probe)
        for events in MESSAGE_EVENTS:
            self.set(f'events/{events}/enable', '1')
        if PROBES:
            self.set('events/vmm/lpi/filter', f'intid >= {FIRST_LPI}')

    def set(self, name, value):
        """Writes to one of its files."""
        with open(os.path.join(self.path, name), 'w', encoding='ascii') as file:
            file.write(value)

    def lines(self):
        """All events so far: (seconds, name, text)."""
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
        """How often a device has signalled an interrupt since the guest was ready."""
        return sum(name == 'mtty_signal' for _, name, _ in self.lines()[self.ready:])

    def begin_interrupts(self, report):
        """The guest is ready, and has not begun to use the card. While a driver looks for
        its card that makes some interrupts which are counted nowhere.
        """
        self.ready = len(self.lines())
        self.counted = report.interrupts

    def loaded(self):
        """How often a device has become what a stream describes, since the guest was ready."""
        return sum(name == 'mtty_state' and 'RESUMING -> STOP ret=0' in text
                   for _, name, text in self.lines()[self.ready:])

    def judge_intx(self, report):
        """Each signal of a device has arrived in the guest, once: INTx is masked until the
        guest has taken it. A level that is high when a device is loaded is signalled there
        again; if the guest has not taken the first signal by then, both are one interrupt.
        """
        signalled = self.signalled()
        loaded = self.loaded()
        arrived = report.interrupts - self.counted
        print(f'# interrupts: {signalled} signalled, {loaded} devices loaded, {arrived} arrived')
        assert 0 < arrived <= signalled <= arrived + loaded, \
            f'{signalled} signalled, {loaded} loaded, {arrived} arrived'

    def judge_msi(self, report):
        """Each message has got to the guest's interrupt controller, and once. Two that
        come before the guest has taken the first are one to the guest, as on any machine.
        """
        signalled = self.signalled()
        injected = self.injected()
        arrived = report.interrupts - self.counted
        print(f'# messages: {signalled} signalled, {injected} injected, {arrived} arrived')
        assert signalled == injected, f'{signalled} signalled, {injected} injected'
        assert 0 < arrived <= injected, f'{injected} injected, {arrived} arrived'

    def injected(self):
        """The card's messages that have got to the guest's interrupt controller."""
        return len(self.messages(self.ready))

    def messages(self, first):
        """When the card's messages, since an event, were injected."""
        name, pattern = MESSAGE
        events = self.lines()
        ids = []
        restoring = False
        for _, event, text in events:
            # What an ITS is given back has been pending before.
            restoring = event == 'its_restore' or (restoring and event != 'its_restored')
            is_message = event == name and not restoring
            ids.append(re.search(pattern, text).group(1) if is_message else None)
        # Those that follow upon a signal are the card's.
        after = [ids[i + 1] for i, (_, event, _) in enumerate(events[:-1])
                 if event == 'mtty_signal' and ids[i + 1]]
        assert after, 'no message has got to the interrupt controller'
        card = max(after, key=after.count)
        return [events[i][0] for i in range(first, len(events)) if ids[i] == card]

    def end(self):
        """Takes the buffer away, and leaves what was in it in the current directory."""
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
    """Adds a probe or takes one away; the file does not like to be opened by open()."""
    events = os.open(os.path.join(TRACING, 'kprobe_events'), os.O_WRONLY | os.O_APPEND)
    try:
        os.write(events, command.encode() + b'\n')
    finally:
        os.close(events)
