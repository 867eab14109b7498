"""Which pages of a TIFF file are photos, and stacks in their many forms."""

from __future__ import annotations

import struct

import numpy as np
import pytest
import tifffile

from napari_sdcolor.archive.reading import open_photos, read_photo
from napari_sdcolor.errors import PhotoError


@pytest.fixture
def planes(rng) -> np.ndarray:
    return rng.integers(0, 256, (3, 20, 30), dtype=np.uint8)


@pytest.mark.parametrize(
    'options',
    [
        {'photometric': 'minisblack'},
        {'photometric': 'minisblack', 'truncate': True},
        {'imagej': True, 'metadata': {'axes': 'ZYX'}},
        {'imagej': True, 'metadata': {'axes': 'CYX'}},
        {'ome': True, 'metadata': {'axes': 'TYX'}},
        {'photometric': 'minisblack', 'metadata': None, 'bigtiff': True},
    ],
)
def test_stacks_go_plane_by_plane(tmp_path, planes, options, assert_shows):
    path = tmp_path / 'film.tif'
    tifffile.imwrite(path, planes, **options)
    with open_photos(path) as file:
        assert file.count == 3
        assert file.is_album
        assert list(file.pages) == [0, 1, 2]
        assert file.result_bytes == 3 * planes.size
        # In any order, as a person may choose.
        for page in (2, 0, 1):
            photo = file.read(page)
            assert_shows(photo, planes[page], 255)
            assert photo.origin.page == page
    with open_photos(path, 1) as file:
        assert list(file.pages) == [1]
        assert not file.is_album


@pytest.mark.parametrize(
    'options',
    [
        {'photometric': 'minisblack'},
        {'imagej': True, 'metadata': {'axes': 'ZCYX'}},
        {'ome': True, 'metadata': {'axes': 'TCYX'}},
    ],
)
def test_two_axes_beside_the_picture_are_refused(tmp_path, planes, options):
    path = tmp_path / 'film.tif'
    tifffile.imwrite(path, np.stack([planes, 255 - planes]), **options)
    with pytest.raises(PhotoError, match=r'film.tif .*2 axes beside'):
        read_photo(path)
    assert read_photo(path, page=4).shape == (20, 30)


def test_a_stack_that_was_cut_off(tmp_path, planes):
    path = tmp_path / 'film.tif'
    tifffile.imwrite(path, planes, photometric='minisblack', truncate=True)
    data = path.read_bytes()
    path.write_bytes(data[: -planes[0].nbytes])
    with pytest.raises(PhotoError, match=r'only 1 is there.*: page=0\.$'):
        read_photo(path)
    # Nobody knows that it was the end: the first one may have moved.
    with pytest.raises(PhotoError, match='is damaged: .*only 1 is there'):
        read_photo(path, page=0)
    with open_photos(path, allow_damaged=True) as file:
        photo = file.read(0)
    assert photo.origin.damage == (
        'it says that it holds 3 planes, but only 1 is there',
    )


def test_a_list_of_planes_that_was_cut_through(tmp_path, planes):
    path = tmp_path / 'film.tif'
    tifffile.imwrite(path, planes, photometric='minisblack', truncate=True)
    data = path.read_bytes()
    place = data.index(b'"truncated"')
    path.write_bytes(data[:place] + data[place + 40 :])
    for page in (None, 0):
        with pytest.raises(PhotoError, match='list of planes is damaged'):
            read_photo(path, page=page)
    assert read_photo(path, allow_damaged=True).origin.damage


def test_an_ome_stack_that_lacks_a_page(tmp_path, planes):
    path = tmp_path / 'film.tif'
    tifffile.imwrite(path, planes, ome=True, metadata={'axes': 'ZYX'})
    with tifffile.TiffFile(path) as tif:
        second = tif.pages[1]
        end = second.offset + 2 + 12 * len(second.tags)
    data = bytearray(path.read_bytes())
    data[end : end + 4] = bytes(4)
    path.write_bytes(data)
    words = '3 planes, but only 2 are there'
    with pytest.raises(PhotoError, match=f'{words}.*page=0 to page=1'):
        read_photo(path)
    assert not read_photo(path, page=1).origin.damage
    with open_photos(path, allow_damaged=True) as file:
        assert file.count == 2
        assert words in file.read(1).origin.damage[0]


def test_the_largest_level_of_a_pyramid(tmp_path, ramp, assert_shows):
    path = tmp_path / 'photo.tif'
    with tifffile.TiffWriter(path, ome=True) as writer:
        writer.write(ramp, subifds=1, tile=(16, 16))
        writer.write(ramp[::2, ::2], subfiletype=1, tile=(16, 16))
    with open_photos(path) as file:
        assert file.count == 1
    assert_shows(read_photo(path), ramp, 65535)


def test_pages_that_run_in_a_circle(tmp_path, planes):
    path = tmp_path / 'film.tif'
    tifffile.imwrite(path, planes, photometric='minisblack')
    with tifffile.TiffFile(path) as tif:
        first, last = tif.pages[0], tif.pages[2]
        end = last.offset + 2 + 12 * len(last.tags)
    data = bytearray(path.read_bytes())
    struct.pack_into('<I', data, end, first.offset)
    path.write_bytes(data)
    with pytest.raises(PhotoError, match='circle'):
        read_photo(path)
    with pytest.raises(PhotoError, match='circle'):
        read_photo(path, page=0)


def test_the_file_is_read_once_and_hashed_once(tmp_path, planes):
    path = tmp_path / 'film.tif'
    tifffile.imwrite(path, planes, photometric='minisblack')
    with open_photos(path) as file:
        digest = file.sha256
        path.unlink()
        # Another file of that name is none of ours.
        path.write_bytes(b'something else')
        assert file.read(2).origin.sha256 == digest
