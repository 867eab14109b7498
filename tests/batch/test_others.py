"""Which files a batch takes: by content, and not what others left there."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from napari_sdcolor.batch.plan import make_plan
from napari_sdcolor.errors import PlanError

HEADS = {
    'jfif': b'\xff\xd8\xff\xe0',
    'tf8': b'II+\0\x08\0\0\0',
    'btf': b'MM\0+\0\x08\0\0',
    'j2c': b'\xff\x4f\xff\x51',
    'jpf': b'\0\0\0\x0cjP  \r\n\x87\n',
    'dat': b'RIFF\0\0\0\0WEBP',
    'scan': b'MM\0*',
    '001': b'\x89PNG\r\n\x1a\n',
}


def places(plan) -> list[str]:
    return sorted(task.key for task in plan.tasks)


def reasons(plan) -> dict[str, str]:
    return {Path(item.path).name: item.reason for item in plan.refused}


@pytest.mark.parametrize('pattern', ['', '**/*'])
def test_the_content_decides(scans, out, pattern):
    for suffix, head in HEADS.items():
        (scans / f'odd {suffix}.{suffix}').write_bytes(head)
    (scans / 'bare').write_bytes(HEADS['scan'])
    (scans / 'text.txt').write_bytes(b'notes')
    (scans / 'empty').write_bytes(b'')
    plan = make_plan([scans / pattern if pattern else scans], out)
    wanted = {f'odd {suffix}' for suffix in HEADS} | {'bare'}
    assert set(places(plan)) == wanted | {'a', 'b', 'box 1/a', 'box 1/deep/c'}
    assert reasons(plan) == {
        'text.txt': 'No photo by its content.',
        'empty': 'No photo by its content.',
    }
    assert not plan.unusable


def test_what_has_a_usual_suffix_is_not_opened(scans, out, monkeypatch):
    """A million photos must not be opened twice."""
    (scans / 'broken.tif').write_bytes(b'notes')

    def refuse(path):
        raise AssertionError(path)

    monkeypatch.setattr('napari_sdcolor.batch.others.looks_like_photo', refuse)
    assert 'broken' in places(make_plan([scans], out))


@pytest.mark.skipif(os.name != 'posix', reason='named pipes')
def test_what_is_no_file_is_not_opened(scans, out):
    os.mkfifo(scans / 'pipe')
    plan = make_plan([scans], out)
    assert 'named pipe' in reasons(plan)['pipe']
    assert not plan.unusable


def test_a_copy_of_an_odd_suffix_holds_nothing_up(scans, out):
    shutil.copy(scans / 'a.png', scans / 'a.bak')
    shutil.copy(scans / 'a.png', scans / 'a.png_original')
    plan = make_plan([scans], out)
    assert places(plan) == ['a', 'b', 'box 1/a', 'box 1/deep/c']
    assert [Path(item.path).name for item in plan.unusable] == ['a.bak']
    assert str(scans / 'a.png') in reasons(plan)['a.bak']
    assert 'ExifTool' in reasons(plan)['a.png_original']


@pytest.mark.parametrize('name', ['x.NEF', 'x.dng', 'x.THM'])
def test_what_a_camera_left(scans, out, name):
    (scans / name).write_bytes(HEADS['scan'])
    plan = make_plan([scans], out)
    assert 'camera' in reasons(plan)[name]
    assert len(plan.tasks) == 4
    assert len(make_plan([scans / name], out).tasks) == 1


FOLDERS = [
    '@eaDir',
    '.@__thumb',
    '_thumb',
    '.thumbnails',
    '.picasaoriginals',
    '#recycle',
    '$RECYCLE.BIN',
    '.Trash-1000',
    '__MACOSX',
    'Catalog Previews.lrdata',
]


@pytest.mark.parametrize('name', FOLDERS)
def test_folders_of_other_programs(make_scans, out, name):
    scans = make_scans(['a.png', f'{name}/b.png', f'box/{name}/c/d.png'])
    for given in (scans, scans / '**'):
        plan = make_plan([given], out)
        assert places(plan) == ['a']
        assert len(plan.refused) == 2
        for item in plan.others:
            assert Path(item.path).name == name
            assert item.reason.startswith('A folder of')
    # Whoever names it wants it.
    assert places(make_plan([scans / name], out)) == ['b']
    assert places(make_plan([scans / name / 'b.png'], out)) == ['b']
    assert places(make_plan([f'{scans}/*/{name}/**'], out)) == [
        f'box/{name}/c/d'
    ]


def test_a_map_beside_a_photo_of_an_odd_suffix(scans, out):
    (scans / 'odd.jfif').write_bytes(HEADS['jfif'])
    (scans / 'odd.labels.png').write_bytes(b'')
    plan = make_plan([scans], out)
    assert plan.refused == ()
    (task,) = (task for task in plan.tasks if task.name == 'odd')
    assert task.find_map() == str(scans / 'odd.labels.png')


@pytest.mark.parametrize('how', ['folder', 'pattern', 'name', 'list'])
def test_a_result_that_has_a_name_of_its_own(make_scans, out, tmp_path, how):
    """As napari saves it: NAME.tif beside NAME.sdcolor.json."""
    scans = make_scans(['mine.png', 'a.png', 'b.png', 'c.png', 'd.png'])
    for name, content in {
        'mine': json.dumps({'result': {'file': 'mine.png'}}),
        'a': json.dumps({'result': {'file': 'a.color.tif'}}),
        'b': '{"result": 7}',
        'c': '[' * 10_000,
        'd': '',
    }.items():
        (scans / f'{name}.sdcolor.json').write_text(content)
    names = [scans / f'{name}.png' for name in ('mine', 'a', 'b', 'c', 'd')]
    (tmp_path / 'list').write_text('\n'.join(map(str, names)))
    plan = {
        'folder': lambda: make_plan([scans], out),
        'pattern': lambda: make_plan([scans / '*'], out),
        'name': lambda: make_plan(names, out),
        'list': lambda: make_plan([], out, lists=[tmp_path / 'list']),
    }[how]()
    assert places(plan) == ['a', 'b', 'c', 'd']
    assert reasons(plan) == {'mine.png': 'A result of this program.'}


def test_names_with_brackets(make_scans, out):
    scans = make_scans(['scan[1].png', 'box [1]/a.png', 'box 1/b.png'])
    assert places(make_plan([f'{scans}/scan[1].png'], out)) == ['scan[1]']
    assert places(make_plan([f'{scans}/box [1]/*.png'], out)) == ['a']
    with pytest.raises(PlanError) as caught:
        make_plan([f'{scans}/scan[2].png'], out)
    assert "scan[[]2].png'" in str(caught.value)
    assert 'Brackets' in str(caught.value)
    assert places(make_plan([f'{scans}/scan[[]?].png'], out)) == ['scan[1]']
    with pytest.raises(PlanError, match=r'No file matches \S+\.tif\.$'):
        make_plan([f'{scans}/*.tif'], out)


@pytest.mark.skipif(os.name != 'posix', reason='named pipes')
def test_a_list_that_another_command_says(scans, out):
    read, write = os.pipe()
    os.write(write, os.fsencode(scans / 'a.png'))
    os.close(write)
    try:
        plan = make_plan([], out, lists=[f'/dev/fd/{read}'])
    finally:
        os.close(read)
    assert places(plan) == ['a']
    os.mkfifo(scans / 'pipe')
    with pytest.raises(PlanError, match='named pipe'):
        make_plan([], out, lists=[scans / 'pipe'])
