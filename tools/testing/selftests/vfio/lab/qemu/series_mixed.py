#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A QEMU with the series and Debian's QEMU 11: a migration works, or is refused while the guest
continues on the source.

The guests boot with QEMU 11. QEMU 10.0.13 makes each virtio queue longer than QEMU 11 accepts when
it loads it, so a guest that has booted there cannot leave for QEMU 11, with the series or without.
The machine type 10.0 stands for the first release that has the series, see series/README.
"""

from lib.cases import Cases
from lib.config import NOT_RESTORED
from lib.failing import begin, refused
from lib.guest_run import Way
from lib.qemu import SERIES
from lib.series import check_sections, guest, sections

QUERY = 'x-migration-config-query'
DEBIAN = None
MULTIFD = Way(('multifd',))


def to(guest_run, version, way=Way(), **options):
    """Migrate to a QEMU of that version, with such options for the card."""
    guest_run.version = version
    guest_run.options['options'] = options
    guest_run.migrate(way)


def refuses(guest_run, version, way=Way(), **options):
    """The same, and the destination must refuse it; returns what it has printed."""
    guest_run.version = version
    guest_run.options['options'] = options
    return refused(guest_run, begin(guest_run, way))


def in_both_directions(policy, lost, **attributes):
    """From Debian's QEMU 11 to the series; back, with the query on and off."""
    with guest(policy, version=DEBIAN, machine='pc-q35-10.0', config_policy=policy, lost=lost,
               **attributes) as guest_run:
        to(guest_run, SERIES)
        assert not sections(guest_run.vmm, 'load')
        source = guest_run.vmm
        for way in (Way(), MULTIFD):
            output = refuses(guest_run, DEBIAN, way)
            assert 'SETUP STATE: EOS not found 0xffffffffef100010' in output, output
        output = refuses(guest_run, SERIES, **{QUERY: 'off'})
        assert f'{QUERY} is off' in output, output
        # A failed migration leaves nothing behind.
        guest_run.lost = ()
        to(guest_run, SERIES, MULTIFD, **{QUERY: 'on'})
        check_sections(source, guest_run.vmm, MULTIFD, sections(guest_run.vmm, 'load'))
        guest_run.lost = lost


def without_the_query(policy, lost, machine, **options):
    """From Debian's QEMU 11 to the series without the query, and back."""
    with guest(f'{policy}-{machine}', version=DEBIAN, machine=machine, config_policy=policy,
               lost=lost) as guest_run:
        to(guest_run, SERIES, **options)
        to(guest_run, DEBIAN)
        to(guest_run, SERIES, MULTIFD if machine == 'pc-q35-10.0' else Way(), **options)
        assert not guest_run.vmm.has_traced('vfio_mig_config')


def independent():
    """"independent": old to new works; new to old, or to new without the query, is refused"""
    in_both_directions('independent', NOT_RESTORED)


def before_data():
    """"before-data", the same"""
    in_both_directions('before-data', NOT_RESTORED)


def reorder_without_pre_copy():
    """"reorder", the same, and all data in STOP_COPY"""
    in_both_directions('reorder', NOT_RESTORED, features='stop_copy')


def embedded():
    """"embedded", the same"""
    in_both_directions('embedded', ())


def query_off():
    """With the query off, new to old works too"""
    without_the_query('before-data', NOT_RESTORED, 'pc-q35-10.0', **{QUERY: 'off'})


def older_machine():
    """With an older machine type the query is off"""
    without_the_query('before-data', NOT_RESTORED, 'pc-q35-9.2')


if __name__ == '__main__':
    Cases([independent, before_data, reorder_without_pre_copy, embedded, query_off,
           older_machine]).run()
