"""One function colors a file, whoever asks: the same bytes come out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_sdcolor.archive.labels import page_stem
from napari_sdcolor.archive.one_file import (
    GivenMap,
    Page,
    color_page,
    read_map,
    refuse_album,
    with_map,
)
from napari_sdcolor.archive.reading import open_photos, read_photo
from napari_sdcolor.errors import WrongUsage
from napari_sdcolor.settings import Settings

SETTINGS = Settings(size=64)


@pytest.fixture
def photos(make_photo: Callable, gray_ramp: np.ndarray) -> list[Path]:
    """A photo of 8 bits, one of 16, and an album."""
    plain = make_photo()
    deep = plain.with_name('deep.tif')
    tifffile.imwrite(deep, gray_ramp.astype(np.uint16) * 257)
    album = plain.with_name('album.tif')
    pages = np.stack([gray_ramp, gray_ramp[::-1]])
    tifffile.imwrite(album, pages, photometric='minisblack')
    return [plain, deep, album]


@pytest.fixture
def maps(tmp_path: Path, photos: list[Path]) -> Path:
    """Maps of twice the working size, also of the album's pages."""
    folder = tmp_path / 'maps'
    folder.mkdir()
    labels = np.full((128, 214), 3, np.uint8)
    labels[:, 90:] = 36
    labels[0, :5] = 255
    stems = ['castle', 'deep', page_stem('album', 0), page_stem('album', 1)]
    for stem in stems:
        Image.fromarray(labels).save(folder / f'{stem}.labels.png')
    return folder


def told(path: Path) -> bytes:
    """A file's bytes; of a sidecar without the circumstances."""
    if path.suffix != '.json':
        return path.read_bytes()
    content = json.loads(path.read_text('utf-8'))
    del content['run']
    return json.dumps(content).encode()


@pytest.mark.parametrize('given', [False, True])
@pytest.mark.parametrize('form', ['tiff', 'png'])
def test_batch_equals_colorize(
    colorize, sdcolor, photos, maps, tmp_path, given, form
):
    words = ['--format', form, '--saturation', 1.2]
    words += ['--labels', maps] if given else []
    chosen = photos if form == 'tiff' else photos[:2]
    assert colorize(*chosen, *words).exit_code == 0
    out = tmp_path / 'batch'
    result = sdcolor('batch', *chosen, '-o', out, *words)
    assert result.exit_code == 0, result.output
    written = sorted((tmp_path / 'out').iterdir())
    assert len(written) == (10 if form == 'tiff' else 6)
    for path in written:
        assert told(out / path.name) == told(path), path.name
    if given:
        sidecar = json.loads((out / 'castle.sdcolor.json').read_text('utf-8'))
        words = ' '.join(sidecar['pages'][0]['notes'])
        assert 'castle.labels.png: resized' in words
        assert str(maps) not in words


def test_what_is_known_of_a_map_stays_with_it(tiny_colorizer, photos, maps):
    photo = read_photo(photos[0])
    given = read_map(maps / 'castle.labels.png', photo, 64)
    assert given.origin == 'castle.labels.png'
    assert len(given.notes) == 2
    result = color_page(tiny_colorizer, Page(photo, given), SETTINGS)
    found = tiny_colorizer.segment(photo).labels
    assert np.array_equal(result.predicted, found)
    assert result.labels_origin == given.origin
    assert result.confidence is None
    assert result.notes[-2:] == given.notes
    # A map from elsewhere is held against what its maker knows.
    mine = GivenMap(
        given.labels, 'edited', predicted=None, confidence=0.5, ask=False
    )
    result = color_page(tiny_colorizer, Page(photo, mine), SETTINGS)
    assert result.predicted is None
    assert (result.labels_origin, result.confidence) == ('edited', 0.5)


def test_a_map_is_looked_for_by_the_page(photos, maps):
    asked: list[int | None] = []

    def find(page: int | None) -> Path | None:
        asked.append(page)
        return None

    with open_photos(photos[2]) as file:
        pages = [
            with_map(file, file.read(page), 64, find, missing='album')
            for page in file.pages
        ]
    assert asked == [0, 1]
    assert 'none for album.p0001:' in pages[1].map_notes[0]
    with open_photos(photos[0]) as file:
        page = with_map(file, file.read(0), 64, find)
    assert asked[2:] == [None]
    assert page.map_notes == ()


def test_an_album_needs_a_format_that_holds_it():
    file = SimpleNamespace(is_album=True, path='a.tif', pages=range(3))
    refuse_album(file, 'tiff')
    with pytest.raises(WrongUsage, match='holds 3 pages'):
        refuse_album(file, 'png')
