"""WebP files: what is missing of a picture."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from napari_sdcolor.archive.reading import read_photo
from napari_sdcolor.errors import PhotoError

WAYS = {'lossy': {'quality': 80}, 'lossless': {'lossless': True}}


def _coded(array: np.ndarray, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, 'WEBP', **options)
    return stream.getvalue()


@pytest.mark.parametrize('way', WAYS)
@pytest.mark.parametrize('padded', [False, True])
def test_half_a_picture_is_refused_unless_allowed(tmp_path, rng, way, padded):
    data = _coded(rng.integers(0, 255, (64, 80), np.uint8), **WAYS[way])
    half = data[: len(data) * 2 // 3]
    path = tmp_path / 'photo.webp'
    path.write_bytes(half.ljust(len(data), b'\0') if padded else half)
    with pytest.raises(PhotoError, match=r'photo\.webp is damaged: '):
        read_photo(path)
    assert read_photo(path, allow_damaged=True).origin.damage


@pytest.mark.parametrize('way', WAYS)
@pytest.mark.parametrize('level', [0, 100, 255])
def test_what_is_flat_is_whole(tmp_path, way, level):
    path = tmp_path / 'photo.webp'
    flat = np.full((700, 900), level, np.uint8)
    path.write_bytes(_coded(flat, **WAYS[way]) + bytes(500))
    assert not read_photo(path).origin.damage
