"""What a batch finds, and what it refuses before any work."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from napari_sdcolor.batch.plan import make_plan
from napari_sdcolor.errors import PlanError


def places(plan) -> list[str]:
    return sorted(task.key for task in plan.tasks)


def reasons(plan) -> dict[str, str]:
    return {Path(item.path).name: item.reason for item in plan.refused}


def test_a_folder_keeps_its_tree(scans, out):
    plan = make_plan([scans], out)
    assert places(plan) == ['a', 'b', 'box 1/a', 'box 1/deep/c']
    folders = {task.key: Path(task.folder) for task in plan.tasks}
    assert folders['box 1/deep/c'] == out / 'box 1' / 'deep'
    assert not out.exists()


def test_not_recursive(scans, out):
    assert places(make_plan([scans], out, recursive=False)) == ['a', 'b']


def test_named_files_go_directly_into_the_output(scans, out):
    plan = make_plan([scans / 'a.png', scans / 'box 1/deep/c.png'], out)
    assert places(plan) == ['a', 'c']


@pytest.mark.parametrize(
    ('pattern', 'wanted'),
    [
        ('*.png', ['a', 'b']),
        ('**/*.png', ['a', 'b', 'box 1/a', 'box 1/deep/c']),
        ('**', ['a', 'b', 'box 1/a', 'box 1/deep/c']),
        ('*/*.png', ['box 1/a']),
        ('**/a.*', ['a', 'box 1/a']),
        ('box ?/**/c.png', ['box 1/deep/c']),
        ('[b-z].png', ['b']),
    ],
)
def test_patterns(scans, out, pattern, wanted):
    assert places(make_plan([scans / pattern], out)) == wanted


def test_a_pattern_in_the_current_folder(scans, out, monkeypatch):
    monkeypatch.chdir(scans)
    plan = make_plan(['**/*.png'], out)
    assert places(plan) == ['a', 'b', 'box 1/a', 'box 1/deep/c']
    assert {task.source for task in plan.tasks} >= {'a.png', 'box 1/a.png'}


def test_names_that_look_like_patterns(make_scans, out):
    scans = make_scans(['box [1]/a*.png'])
    assert places(make_plan([scans / 'box [1]'], out)) == ['a*']
    assert places(make_plan([scans / 'box [1]' / 'a*.png'], out)) == ['a*']


def test_lists(scans, out, tmp_path, monkeypatch):
    monkeypatch.chdir(scans)
    names = tmp_path / 'names.txt'
    names.write_text(f'./a.png\r\nbox 1/a.png\n\n{scans}/b.png\n')
    plan = make_plan([], out, lists=[names])
    assert places(plan) == ['a', 'b', 'box 1/a']


def test_a_list_from_standard_input(make_scans, out, monkeypatch):
    """As ``find -print0`` writes it, with names of every kind."""
    names = ['two\nlines.png', ' spaces .png', "it's.png"]
    scans = make_scans(names)
    raw = b'\0'.join(os.fsencode(scans / name) for name in names)
    stdin = SimpleNamespace(buffer=io.BytesIO(raw + b'\0'))
    monkeypatch.setattr(sys, 'stdin', stdin)
    plan = make_plan([], out, lists=['-'])
    assert places(plan) == sorted(name[:-4] for name in names)


def test_what_a_list_names_wrongly_is_left_out(scans, out, tmp_path):
    names = tmp_path / 'names.txt'
    names.write_text(f'{scans}\n{scans}/a.png\n{scans}/missing.png\n')
    plan = make_plan([], out, lists=[names])
    assert 'folder' in reasons(plan)['scans']
    assert places(plan) == ['a', 'missing']  # which opening it will find


def test_a_base_keeps_the_whole_tree(scans, out):
    plan = make_plan(
        [scans / 'box 1', scans / 'a.png'], out, base=scans.parent
    )
    assert places(plan) == [
        'scans/a',
        'scans/box 1/a',
        'scans/box 1/deep/c',
    ]
    with pytest.raises(PlanError, match='does not lie in'):
        make_plan([scans / 'a.png'], out, base=scans / 'box 1')


def test_the_same_photo_named_twice_is_colored_once(scans, out):
    plan = make_plan([scans, scans / 'a.png', f'{scans}/*.png'], out)
    assert places(plan) == ['a', 'b', 'box 1/a', 'box 1/deep/c']


def test_files_of_other_kinds(scans, out):
    (scans / 'notes.txt').write_text('x')
    (scans / '.hidden.png').write_bytes(b'x')
    (scans / '._a.png').write_bytes(b'x')
    (scans / 'a.labels.png').write_bytes(b'x')
    (scans / 'lost.labels.png').write_bytes(b'x')
    (scans / 'old.color.tif').write_bytes(b'x')
    (scans / 'old.sdcolor.json').write_bytes(b'x')
    (scans / 'my.color.tif').write_bytes(b'x')
    plan = make_plan([scans], out)
    assert 'my.color' in places(plan)
    assert len(plan.tasks) == 5
    assert set(reasons(plan)) == {
        'notes.txt',
        'lost.labels.png',
        'old.color.tif',
        'old.sdcolor.json',
    }
    assert not any(item.failed for item in plan.refused)


@pytest.mark.parametrize(
    'names',
    [
        ('x/a.png', 'x/a.tif'),
        ('x/Castle.png', 'x/castle.png'),
        ('x/caf\u00e9.png', 'x/cafe\u0301.png'),
        ('x/a.png', 'x/a.p0003.png'),
        ('X/a.png', 'x/a.png'),
        ('x/stra\u00dfe.png', 'x/STRASSE.png'),
    ],
)
def test_photos_that_would_share_names(make_scans, out, names):
    scans = make_scans(names)
    with pytest.raises(PlanError) as caught:
        make_plan([scans], out)
    for name in names:
        assert Path(name).name in str(caught.value)
    assert not out.exists()


def test_photos_of_two_folders_that_would_share_names(make_scans, out):
    one, two = make_scans(['a.png'], 'one'), make_scans(['a.png'], 'two')
    with pytest.raises(PlanError, match='--base'):
        make_plan([one, two], out)
    plan = make_plan([one, two], out, base=one.parent)
    assert places(plan) == ['one/a', 'two/a']


def test_inputs_that_do_not_exist(scans, out):
    with pytest.raises(PlanError, match='does not exist'):
        make_plan([scans, scans / 'missing'], out)
    with pytest.raises(PlanError, match='No file matches'):
        make_plan([scans / '*.tif'], out)
    with pytest.raises(PlanError, match='cannot be read'):
        make_plan([], out, lists=[scans / 'missing.txt'])
    with pytest.raises(PlanError, match='no map'):
        make_plan([scans], out, labels=scans / 'missing')


@pytest.mark.parametrize('place', ['.', 'new', 'box 1', 'box 1/deep/new'])
def test_an_output_inside_of_the_input(scans, place):
    with pytest.raises(PlanError, match='output folder'):
        make_plan([scans], scans / place)
    with pytest.raises(PlanError, match='output folder'):
        make_plan([f'{scans}/**/*.png'], scans / place)


def test_an_output_inside_by_links(scans, tmp_path):
    link = tmp_path / 'link'
    link.symlink_to(scans / 'box 1')
    for output in (link, link / 'new', tmp_path / 'scans/../link/deep'):
        with pytest.raises(PlanError, match='output folder'):
            make_plan([scans], output)
    with pytest.raises(PlanError, match='output folder'):
        make_plan([link], scans / 'box 1' / 'new')


def test_an_output_that_is_the_folder_of_a_named_photo(scans):
    with pytest.raises(PlanError, match='output folder'):
        make_plan([scans / 'a.png'], scans)
    assert make_plan([scans / 'a.png'], scans / 'colored').tasks


def test_a_folder_of_results_that_is_an_input_folder(scans):
    """The output folder is none, but a folder in its tree is."""
    with pytest.raises(PlanError, match='output folder'):
        make_plan([scans], scans.parent, base=scans.parent)


def test_a_case_insensitive_spelling(scans, monkeypatch):
    """Simulated: there stat finds the same folder for both spellings."""
    real = os.stat

    def stat(path, *args, **more):
        return real(str(path).replace('SCANS', 'scans'), *args, **more)

    monkeypatch.setattr(os, 'stat', stat)
    with pytest.raises(PlanError, match='output folder'):
        make_plan([scans], scans.parent / 'SCANS' / 'new')


@pytest.mark.parametrize('link', [os.link, os.symlink])
def test_a_result_that_is_a_link_to_an_input(scans, out, link):
    out.mkdir()
    link(scans / 'b.png', out / 'a.labels.png')
    with pytest.raises(PlanError, match='same file as the input'):
        make_plan([scans], out)


def test_links_to_folders_are_told_and_not_followed(scans, out):
    (scans / 'loop').symlink_to(scans)
    (scans / 'box 1' / 'up').symlink_to('..')
    (scans / 'self').symlink_to('self')
    plan = make_plan([scans], out)
    assert len(plan.tasks) == 4
    assert set(reasons(plan)) == {'loop', 'up', 'self'}
    assert 'not followed' in reasons(plan)['loop']
    plan = make_plan([f'{scans}/**/*'], out)
    assert len(plan.tasks) == 4


def test_a_named_link_to_a_folder_is_followed(scans, out, tmp_path):
    (tmp_path / 'link').symlink_to(scans)
    assert len(make_plan([tmp_path / 'link'], out).tasks) == 4


def test_a_folder_that_cannot_be_read(scans, out, monkeypatch):
    """Simulated: permissions do not hold the system's administrator."""
    real = os.scandir

    def scandir(path):
        if str(path).endswith('deep'):
            raise PermissionError(13, 'Permission denied', str(path))
        return real(path)

    monkeypatch.setattr(os, 'scandir', scandir)
    plan = make_plan([scans], out)
    assert places(plan) == ['a', 'b', 'box 1/a']
    (refused,) = plan.refused
    assert refused.failed
    assert 'Permission denied' in refused.reason


@pytest.mark.skipif(
    os.name != 'posix' or os.geteuid() == 0, reason='root may read anything'
)
def test_a_folder_without_permission(scans, out):
    (scans / 'box 1').chmod(0)
    try:
        plan = make_plan([scans], out)
    finally:
        (scans / 'box 1').chmod(0o755)
    assert places(plan) == ['a', 'b']
    assert plan.refused[0].failed


def test_names_with_too_many_bytes(make_scans, out):
    longest = 'x' * 251
    fitting = 'y' * (255 - len('.sdcolor.json'))
    scans = make_scans([f'{longest}.png', f'{fitting}.png', 'a.png'])
    plan = make_plan([scans], out)
    assert places(plan) == ['a', fitting]
    (refused,) = plan.refused
    assert refused.failed
    assert '264 bytes' in refused.reason


def test_a_name_of_dots_only(make_scans, out):
    scans = make_scans(['...png', 'a.png'])
    plan = make_plan([scans / '...png', scans / 'a.png'], out)
    assert places(plan) == ['a']
    assert 'no name' in reasons(plan)['...png']
    assert len(plan.unusable) == 1


def test_names_with_too_many_bytes_of_utf8(make_scans, out):
    scans = make_scans(['\u00e4' * 125 + '.png'])
    assert not make_plan([scans], out).tasks


def test_the_results_of_a_batch_are_no_input(scans, out):
    results = scans / 'colored'
    results.mkdir()
    (results / 'sdcolor-journal.jsonl').write_text('')
    (results / 'x.color.png').write_bytes(b'')
    plan = make_plan([scans], out)
    assert len(plan.tasks) == 4
    assert 'results of a batch' in reasons(plan)['colored']


def test_maps_beside_the_photos_and_elsewhere(scans, out, tmp_path):
    beside = scans / 'box 1' / 'a.labels.png'
    beside.write_bytes(b'x')
    (scans / 'b.p0000.labels.png').write_bytes(b'x')
    maps = tmp_path / 'maps'
    (maps / 'box 1' / 'deep').mkdir(parents=True)
    elsewhere = maps / 'box 1' / 'deep' / 'c.labels.png'
    elsewhere.write_bytes(b'x')

    def found(page=None, alone=True, **more):
        plan = make_plan([scans], out, **more)
        pairs = {
            task.key: task.find_map(page, alone=alone) for task in plan.tasks
        }
        return {key: path for key, path in pairs.items() if path}

    assert found() == {'box 1/a': str(beside)}
    assert found(0, alone=False) == {'b': str(scans / 'b.p0000.labels.png')}
    assert found(labels=maps) == {
        'box 1/a': str(beside),
        'box 1/deep/c': str(elsewhere),
    }
    assert set(found(labels=beside).values()) == {str(beside)}
    (maps / 'box 1' / 'a.labels.png').write_bytes(b'y')
    assert found(labels=maps)['box 1/a'] == str(
        maps / 'box 1' / 'a.labels.png'
    )


@pytest.mark.skipif(os.name != 'posix', reason='POSIX calls')
def test_very_deep_folders(scans, out):
    """Deeper than Python's own recursion goes."""
    here = os.open(scans, os.O_RDONLY)
    try:
        for _ in range(1200):
            # One step at a time: no call takes so long a path.
            os.mkdir('d', dir_fd=here)
            there = os.open('d', os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = there
        assert len(make_plan([scans], out).tasks) == 4
    finally:
        os.close(here)
        # Python's own way of removing folders is recursive.
        subprocess.run(['rm', '-rf', str(scans / 'd')], check=True)
