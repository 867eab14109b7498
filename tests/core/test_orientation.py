"""All eight EXIF orientations against Pillow's reading of the tag."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageOps

from napari_sdcolor.core.orientation import as_stored, upright

ORIENTATION_TAG = 0x0112


@pytest.mark.parametrize('orientation', range(1, 9))
def test_upright_is_what_the_tag_says(orientation: int) -> None:
    stored = np.arange(6 * 9, dtype=np.uint8).reshape(6, 9)
    image = Image.fromarray(stored)
    image.getexif()[ORIENTATION_TAG] = orientation
    wanted = np.asarray(ImageOps.exif_transpose(image))
    assert np.array_equal(upright(stored, orientation), wanted)


@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize('channels', [(), (2,)])
def test_round_trip(orientation: int, channels: tuple[int, ...]) -> None:
    stored = np.random.default_rng(0).random((5, 8, *channels))
    turned = upright(stored, orientation)
    assert turned.shape[2:] == channels
    assert np.array_equal(as_stored(turned, orientation), stored)
    assert np.array_equal(
        upright(as_stored(stored, orientation), orientation), stored
    )


def test_the_eight_are_all_different() -> None:
    stored = np.arange(16).reshape(4, 4)
    turned = {upright(stored, tag).tobytes() for tag in range(1, 9)}
    assert len(turned) == 8
