# SPDX-License-Identifier: GPL-2.0
"""How many bytes of device data each policy of the device has sent, and when"""


import bench_config
import picture

from . import drawing, results
from .markup import Section, element, join, missing, not_run, table

TITLE = 'Bytes over time, for each policy'
COMMAND = 'make check-vmm'

# The migration of qemu/POLICY.py that is shown, and its colour
CASE = 'there'
COLOURS = {'independent': '0x2266bb', 'before_data': '0x996600', 'reorder': '0x227722',
           'embedded': '0xaa00aa'}


def curve(migration):
    """(ms, bytes read from the source so far), from 0 to the end"""
    total, points = 0, [(0.0, 0)]
    for event in migration.events:
        if event.actor == migration.ACTORS[1] and event.bulk() == 'mtty_data read':
            total += event.size()
            points.append(((event.when - migration.begins) * 1000, total))
    points.append(((migration.ends - migration.begins) * 1000, total))
    return points


def before_stop(migration):
    """Bytes read while the guest ran"""
    stop = (migration.stops - migration.begins) * 1000
    return [total for when, total in curve(migration) if when <= stop][-1]


def draw(path, chosen):
    """Steps for each policy, and a line where the guest stops"""
    commands, plots = [], []
    for policy, migration in chosen.items():
        rows = [(f'{when:.3f}', total) for when, total in curve(migration)]
        stop = f'{(migration.stops - migration.begins) * 1000:.3f}'
        commands += picture.block(f'curve_{policy}', rows)
        commands += picture.block(f'stop_{policy}', [(stop, before_stop(migration))])
        line = f'lc rgb {picture.quoted(drawing.as_hexadecimal(COLOURS[policy]))}'
        plots += [f'$curve_{policy} with steps lw 2 {line} title {picture.quoted(policy)}',
                  f'$stop_{policy} with impulses lw 1 {line} notitle']
    picture.draw(path, 960, 380, [
        *commands, 'set border 3', 'set tics nomirror', 'set xlabel "ms since the migration began"',
        'set ylabel "bytes read from the device"', 'set xrange [0:]', 'set yrange [0:*]',
        'set key outside top center horizontal', 'set lmargin 12', 'set rmargin 4',
        'plot ' + ', '.join(plots)])


def one_report(build, path, migrations):
    """The curves of one run, or None without any"""
    whole = {migration.name: migration for migration in migrations if not migration.lacks()}
    chosen = {policy: whole[f'{policy}-{CASE}'] for policy in COLOURS
              if f'{policy}-{CASE}' in whole}
    if not chosen:
        return None
    rows = [(policy, before_stop(migration), curve(migration)[-1][1] - before_stop(migration),
             f'{migration.downtime():.0f} ms') for policy, migration in chosen.items()]
    left = [f'qemu/{policy}.py' for policy in COLOURS if policy not in chosen]
    return join(
        element('h3', f'QEMU, {build}'), element('p', results.date_of(path), kind='date'),
        drawing.figure(lambda svg: draw(svg, chosen), 'Bytes over time'),
        element('p', 'A vertical line: the guest stops.'),
        table(('Policy', 'Bytes while the guest ran', 'Bytes after it stopped', 'Downtime'), rows,
              (1, 2, 3)),
        missing('Not all policies were run.', f"{COMMAND} TESTS='{' '.join(left)}'")
        if left else '')


def config_cost(build, path):
    """The table of make bench-config"""
    saved = results.read_json(path)
    groups = {}
    for run in saved['migrations']:
        key = run['guest'], run['save']['policy'], run['save']['config']
        groups.setdefault(key, []).append(run)
    rows = [bench_config.row(key, runs, groups.get(key[:2] + ('always',), runs))
            for key, runs in sorted(groups.items(), key=lambda item: item[0][0], reverse=True)]
    return join(element('h3', f'make bench-config, {build}'),
                element('p', f'{results.date_of(path)}; {"; ".join(saved["about"])}', kind='date'),
                table(bench_config.HEAD, rows, range(3, 12)))


def make(found):
    """The section"""
    curves = [one_report(build, path, migrations)
              for build, path, migrations, _ in found.migrations]
    curves = [part for part in curves if part]
    costs = [config_cost(*item) for item in found.find('bench-config.json')]
    if not curves and not costs:
        return not_run(COMMAND)
    parts = curves or [missing('No migration of QEMU was recorded.', COMMAND)]
    parts += costs or [missing('The cost of config space was not measured.', 'make bench-config')]
    return Section('good', 'measured', join(*parts))
