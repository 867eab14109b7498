"""Codes from tables are those of the arithmetic, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_sdcolor.core import lab
from napari_sdcolor.core.staircase import staircase

KINDS = [(8, np.float32), (16, np.float64), (8, np.float64)]
ROUNDINGS = {'nearest': np.rint, 'down': np.floor}


def by_arithmetic(linear: NDArray, bits: int, rounding: str) -> NDArray:
    top = linear.dtype.type(2**bits - 1)
    return ROUNDINGS[rounding](lab.linear_to_srgb(linear) * top)


@pytest.mark.parametrize('rounding', ROUNDINGS)
@pytest.mark.parametrize(('bits', 'dtype'), KINDS)
def test_any_light(bits: int, dtype: type, rounding: str) -> None:
    rng = np.random.default_rng(bits)
    linear = np.concatenate(
        [
            rng.uniform(0, 1, 300_000),
            rng.uniform(0, 0.004, 100_000),
            rng.uniform(0, 1, 100_000) ** 9,
            [0, -0.0, 1, np.finfo(dtype).smallest_subnormal],
        ]
    ).astype(dtype)
    found = staircase(bits, dtype, rounding)(linear)
    assert np.array_equal(found, by_arithmetic(linear, bits, rounding))


@pytest.mark.parametrize('rounding', ROUNDINGS)
@pytest.mark.parametrize(('bits', 'dtype'), KINDS)
def test_next_to_every_border(bits: int, dtype: type, rounding: str) -> None:
    stairs = staircase(bits, dtype, rounding)
    at = stairs.borders[:-1]
    at = at[at <= 1]
    code = np.arange(len(at))
    assert len(at) >= 2**bits - 2
    assert np.array_equal(stairs(at), code + 1)
    assert np.array_equal(stairs(np.nextafter(at, dtype(0))), code)
    # A little farther away, where the last bits of the power do not matter.
    slack = 16 * np.finfo(dtype).eps
    for linear in (at * (1 - slack), np.minimum(at * (1 + slack), dtype(1))):
        wanted = by_arithmetic(linear, bits, rounding)
        assert np.array_equal(stairs(linear), wanted)


@pytest.mark.parametrize('rounding', ROUNDINGS)
@pytest.mark.parametrize(('bits', 'dtype'), KINDS)
def test_borders_rise_and_end(bits: int, dtype: type, rounding: str) -> None:
    borders = staircase(bits, dtype, rounding).borders
    assert borders.shape == (2**bits,)
    assert (np.diff(borders[:-1]) > 0).all()
    assert borders[-1] == np.inf


@pytest.mark.parametrize(('bits', 'dtype'), KINDS)
def test_planes_of_any_form(bits: int, dtype: type) -> None:
    rng = np.random.default_rng(1)
    linear = np.moveaxis(rng.uniform(0, 1, (3, 7, 11)), 0, -1).astype(dtype)
    stairs = staircase(bits, dtype, 'nearest')
    found = stairs(linear)
    assert found.shape == (7, 11, 3)
    assert np.array_equal(found[2:5, ::2, 1], stairs(linear[2:5, ::2, 1]))
    assert stairs(linear[:0]).shape == (0, 11, 3)
