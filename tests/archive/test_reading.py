"""What is understood of intact files that are no TIFF, and of arrays."""

from __future__ import annotations

import hashlib

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_sdcolor.archive.reading import read_photo
from napari_sdcolor.core import lab
from napari_sdcolor.errors import PhotoError


@pytest.mark.parametrize('channels', [1, 2, 3, 4])
@pytest.mark.parametrize('bits', [8, 16])
def test_png_keeps_its_depth(tmp_path, rng, bits, channels, assert_shows):
    dtype = np.dtype(f'u{bits // 8}')
    top = np.iinfo(dtype).max
    array = rng.integers(0, top, (20, 30, channels), dtype, endpoint=True)
    path = tmp_path / 'photo.png'
    path.write_bytes(imagecodecs.png_encode(np.squeeze(array)))
    photo = read_photo(path)
    assert photo.bits == bits
    if channels < 3:
        assert_shows(photo, array[..., 0], top)
    else:
        wanted = lab.rgb_to_lightness(array[..., :3] / top)
        np.testing.assert_allclose(photo.lightness, wanted, atol=1e-4)
    if channels in (2, 4):
        assert (photo.alpha == array[..., -1]).all()


@pytest.mark.parametrize(
    ('suffix', 'options'),
    [
        ('.png', {}),
        ('.jpg', {'quality': 100}),
        ('.webp', {'lossless': True}),
        ('.jp2', {}),
    ],
)
def test_other_formats(tmp_path, ramp, suffix, options, assert_shows):
    gray = (ramp >> 8).astype(np.uint8)
    path = tmp_path / f'photo{suffix}'
    Image.fromarray(gray).save(path, **options)
    photo = read_photo(str(path))
    # JPEG at its best quality may be off by a code value.
    assert_shows(photo, gray, 255, tolerance=1.0 if suffix == '.jpg' else 1e-4)
    assert photo.bits == 8
    assert photo.origin.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert photo.origin.path == str(path)


def test_twelve_bit_jpeg2000(tmp_path, ramp, assert_shows):
    path = tmp_path / 'photo.jp2'
    coded = imagecodecs.jpeg2k_encode(
        ramp >> 4, level=0, reversible=True, bitspersample=12
    )
    path.write_bytes(coded)
    assert_shows(read_photo(path), ramp >> 4, 4095)


def test_content_decides_not_the_suffix(tmp_path, ramp):
    path = tmp_path / 'photo.jpg'
    tifffile.imwrite(path, ramp)
    assert read_photo(path).origin.facts.startswith('TIFF')


@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.webp'])
def test_exif_tags_are_carried(tmp_path, ramp, suffix):
    exif = Image.Exif()
    exif[274] = 8
    exif[315] = 'José'.encode()
    exif[282], exif[283], exif[296] = 118.0, 59.0, 3
    path = tmp_path / f'photo{suffix}'
    Image.fromarray((ramp >> 8).astype(np.uint8)).save(path, exif=exif)
    origin = read_photo(path).origin
    assert origin.orientation == 8
    assert origin.resolution == (118, 59, 3)
    assert dict(origin.texts) == {'Artist': 'José'}


def test_arrays_are_photos_too(ramp, assert_shows):
    assert_shows(read_photo(ramp), ramp, 65535)
    assert_shows(read_photo((ramp / 65535).tolist()), ramp, 65535)
    assert read_photo(ramp).origin.path == ''
    with pytest.raises(PhotoError, match='no pages'):
        read_photo(ramp, page=1)
