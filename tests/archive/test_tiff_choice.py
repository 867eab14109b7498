"""Which pages of a file are photos."""

from __future__ import annotations

import io

import numpy as np
import pytest
import tifffile

from napari_sdcolor.archive.tiff_file import TiffPhotos

FULL = np.arange(64 * 96, dtype=np.uint16).reshape(64, 96)
SMALL = FULL[::4, ::4].copy()

Page = tuple[np.ndarray, dict]


def photos(*pages: Page) -> TiffPhotos:
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as writer:
        for array, options in pages:
            writer.write(
                array, photometric='minisblack', metadata=None, **options
            )
    return TiffPhotos(stream, stream.seek(0, io.SEEK_END))


@pytest.mark.parametrize(
    ('pages', 'words'),
    [
        (
            [(SMALL, {'subfiletype': 1, 'subifds': 1}), (FULL, {})],
            'says that it is a smaller copy',
        ),
        ([(SMALL, {'subifds': 1}), (FULL, {})], 'SubIFDs'),
        (
            [
                (SMALL, {'subfiletype': 1, 'subifds': 2}),
                (FULL, {}),
                (FULL[::2, ::2], {'subfiletype': 1}),
            ],
            '96 × 64',
        ),
        ([(SMALL, {'subfiletype': 1}), (FULL, {})], 'page 0, 24 × 16'),
        ([(FULL, {}), (SMALL, {'subfiletype': 1})], 'photo is page 0'),
        ([(SMALL, {}), (FULL, {})], 'does not say so'),
        ([(FULL, {}), (SMALL, {})], 'does not say so'),
    ],
)
def test_the_full_picture_is_the_photo(pages: list[Page], words: str) -> None:
    found = photos(*pages)
    assert found.count == 1
    scan = found.scan(0)
    assert np.array_equal(scan.pixels, FULL)
    assert len(scan.notes) == 1
    assert words in scan.notes[0]


@pytest.mark.parametrize(
    'sizes', [[(64, 96), (60, 96)], [(64, 96), (32, 48)], [(16, 64), (64, 96)]]
)
def test_albums_stay_albums(sizes: list[tuple[int, int]]) -> None:
    found = photos(*[(FULL[:h, :w], {}) for h, w in sizes])
    assert found.count == len(sizes)
    assert found.scan(0).notes == ()


def test_the_smaller_levels_below_a_page_are_none() -> None:
    found = photos((FULL, {'subifds': 1}), (SMALL, {'subfiletype': 1}))
    assert found.count == 1
    assert np.array_equal(found.scan(0).pixels, FULL)
    assert found.scan(0).notes == ()


def test_where_all_are_copies_the_largest_counts() -> None:
    found = photos((SMALL, {'subfiletype': 1}), (FULL, {'subfiletype': 1}))
    assert found.count == 1
    assert found.scan(0).pixels.shape == FULL.shape
