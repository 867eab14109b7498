"""Codes of 8 and 16 bits mean the same."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sdcolor.core.depth import in_eight_bits, in_sixteen_bits

NARROW = np.arange(256, dtype=np.uint8)
WIDE = np.arange(65536, dtype=np.uint16)


@pytest.mark.parametrize('rounding', ['nearest', 'down', 'upper byte'])
@pytest.mark.parametrize('dtype', ['<u2', '>u2'])
def test_there_and_back(rounding: str, dtype: str) -> None:
    wide = in_sixteen_bits(NARROW)
    assert wide.dtype == np.uint16
    assert wide[[0, 1, 255]].tolist() == [0, 257, 65535]
    back = in_eight_bits(wide.astype(dtype), rounding)
    assert back.dtype == np.uint8
    np.testing.assert_array_equal(back, NARROW)


def test_eight_bits_stay_what_they_are() -> None:
    assert in_eight_bits(NARROW) is NARROW


def test_all_codes() -> None:
    share = WIDE / 65535 * 255
    np.testing.assert_array_equal(in_eight_bits(WIDE), np.rint(share))
    np.testing.assert_array_equal(
        in_eight_bits(WIDE, 'down'), np.floor(share + 1e-9)
    )
    np.testing.assert_array_equal(
        in_eight_bits(WIDE, 'upper byte'), WIDE // 256
    )
    assert in_eight_bits(WIDE.reshape(2, -1, 4)).shape == (2, 8192, 4)
