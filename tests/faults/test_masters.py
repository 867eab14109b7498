"""No name that the program writes to leads to a master."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from napari_sdcolor.batch.journal import JOURNAL
from napari_sdcolor.batch.lock import LOCK
from napari_sdcolor.batch.report import REPORTS
from napari_sdcolor.batch.thumbnails import THUMBNAILS
from napari_sdcolor.errors import SdcolorError

from . import batch_process

pytestmark = pytest.mark.skipif(os.name != 'posix', reason='links of POSIX')

FIXED = (LOCK, JOURNAL, THUMBNAILS, *REPORTS.values())
"""Every name that a batch writes to again and again."""


def webp() -> bytes:
    stream = io.BytesIO()
    Image.new('L', (40, 30), 90).save(stream, 'WEBP')
    return stream.getvalue()


CONTENTS = {
    'a scan': b'II*\0 the only scan of a glass plate',
    'no newline': b'{"journal": 1, "what": "a diary"}',
    'WebP': webp(),
    'a page': b'<!DOCTYPE html><p>My photographs</p>',
}


def as_symlink(master: Path, name: Path) -> None:
    name.symlink_to(master)


def as_hard_link(master: Path, name: Path) -> None:
    os.link(master, name)


def as_file(master: Path, name: Path) -> None:
    """A person's own file has the name."""
    master.rename(name)


def state(path: Path) -> tuple[bytes, int]:
    return path.read_bytes(), path.stat().st_mtime_ns


@pytest.mark.parametrize('begun', [False, True], ids=['new', 'begun'])
@pytest.mark.parametrize('content', CONTENTS)
@pytest.mark.parametrize('put', [as_symlink, as_hard_link, as_file])
@pytest.mark.parametrize('fixed', FIXED)
def test_a_batch_writes_through_no_name(
    photos: Path,
    tmp_path: Path,
    fixed: str,
    put: Callable[[Path, Path], None],
    content: str,
    begun: bool,
) -> None:
    out = tmp_path / 'out'
    out.mkdir()
    if begun:
        journal = b'{"journal": 1, "settings": {}}\n'
        (out / JOURNAL).write_bytes(journal)
        if fixed == JOURNAL:
            (out / JOURNAL).unlink()
    master = tmp_path / 'master'
    master.write_bytes(CONTENTS[content])
    before = state(master)
    put(master, out / fixed)
    with pytest.raises(SdcolorError):
        batch_process.run(str(photos), str(out), 1)
    assert state(master if master.exists() else out / fixed) == before
    assert (out / fixed).read_bytes() == before[0]


def test_a_report_that_a_person_edited_is_kept(
    photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / 'out'
    assert batch_process.run(str(photos), str(out), 1) == 0
    edited = {}
    for name in REPORTS.values():
        path = out / name
        path.write_bytes(path.read_bytes() + b'<!-- a remark -->')
        place = path.with_suffix(f'.edited-1{path.suffix}')
        edited[place] = path.read_bytes()
    for _ in range(2):
        assert batch_process.run(str(photos), str(out), 1) == 0
        kept = {path: path.read_bytes() for path in out.glob('*.edited-*')}
        assert kept == edited


def test_a_picture_of_a_person_gets_no_thumbnails(
    photos: Path, tmp_path: Path
) -> None:
    """Not even where a journal says that a batch worked there."""
    out = tmp_path / 'out'
    assert batch_process.run(str(photos), str(out), 1) == 0
    picture = out / THUMBNAILS
    picture.write_bytes(webp())
    (out / 'box 0').rename(tmp_path / 'results')  # to be colored anew
    before = state(picture)
    with pytest.raises(SdcolorError, match='in the way'):
        batch_process.run(str(photos), str(out), 1)
    assert state(picture) == before


@pytest.mark.parametrize('fixed', FIXED)
@pytest.mark.parametrize('kind', ['pipe', 'folder', 'dangling', 'loop'])
def test_a_batch_opens_nothing_odd(
    photos: Path, tmp_path: Path, fixed: str, kind: str
) -> None:
    """Neither does it wait for a pipe."""
    out = tmp_path / 'out'
    out.mkdir()
    name = out / fixed
    if kind == 'pipe':
        os.mkfifo(name)
    elif kind == 'folder':
        name.mkdir()
    else:
        name.symlink_to(tmp_path / 'nowhere' if kind == 'dangling' else name)
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(SdcolorError):
        batch_process.run(str(photos), str(out), 1)
    assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.parametrize('fixed', [THUMBNAILS, REPORTS['csv']])
def test_a_file_of_the_batch_is_no_photo(
    photos: Path, tmp_path: Path, fixed: str
) -> None:
    """A photo that lies there, named as an input by another name."""
    out = tmp_path / 'out'
    assert batch_process.run(str(photos), str(out), 1) == 0
    (out / fixed).write_bytes(webp())
    photo = photos / 'box 0' / 'another.webp'
    photo.symlink_to(out / fixed)
    before = state(photo)
    with pytest.raises(SdcolorError, match='writes|in the way'):
        batch_process.run(str(photos), str(out), 1)
    assert state(photo) == before
