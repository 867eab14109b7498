"""One rule for the tone window, whatever the pixels come from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_sdcolor.core.photo import photo_from_array
from napari_sdcolor.core.tone import ToneTags, ToneWindow
from napari_sdcolor.core.tone_choice import ToneChoice, choose_tones

y, x = np.mgrid[:100, :120]
PICTURE = np.uint8(np.clip(20 + 1.7 * x + 25 * np.sin(y / 9), 0, 250))


def shown(tones: ToneWindow) -> tuple[float, float, str]:
    return tones.low, tones.high, tones.rule


def times(factor: float, dtype: str) -> NDArray:
    return (PICTURE.astype(np.float64) * factor).astype(dtype)


@pytest.mark.parametrize(
    ('dtype', 'factor', 'high'),
    [
        ('u2', 1, 255),
        ('u2', 4, 1023),
        ('u2', 16, 4095),
        ('>u2', 16, 4095),
        ('u2', 64, 16383),
        ('i2', 16, 4095),
        ('>i2', 64, 16383),
        ('u4', 16, 4095),
        ('u4', 257, 65535),
        ('i4', 257, 65535),
        ('i8', 257, 65535),
        ('f4', 1, 255),
        ('f4', 16, 4095),
        ('f8', 257, 65535),
    ],
)
def test_scans_in_wider_types_look_as_in_8_bits(
    dtype: str, factor: int, high: int
) -> None:
    array = times(factor, dtype)
    tones = choose_tones(array)
    assert shown(tones) == (0, high, 'power of two')
    assert f'{high.bit_length()} bits' in tones.sentence
    assert tones.sentence[0] == 'T'
    assert tones.sentence[-1] == '.'
    assert tones.notes == ()
    photo = photo_from_array(array)
    assert photo.window == (0, high)
    assert tones.words in photo.describe()
    plain = photo_from_array(PICTURE)
    assert abs(photo.lightness.mean() - plain.lightness.mean()) < 0.5


@pytest.mark.parametrize(
    ('array', 'window'),
    [
        (PICTURE, (0, 255)),
        (PICTURE // 9, (0, 255)),
        (times(257, 'u2'), (0, 65535)),
        (times(80, 'u2'), (0, 65535)),  # more than a quarter
        ((times(2**24, 'i8') - 2**31).astype('i4'), (-(2**31), 2**31 - 1)),
        ((times(257, 'i8') - 2**15).astype('i2'), (-32768, 32767)),
        (times(120, 'i2'), (0, 32767)),  # no value is negative
    ],
)
def test_the_type_for_8_bits_and_for_what_fills_it(
    array: NDArray, window: tuple[float, float]
) -> None:
    assert shown(choose_tones(array)) == (*window, 'type')


@pytest.mark.parametrize(
    ('array', 'expected'),
    [
        (times(16, 'i2') - 2048, (-2048, 2047, 'power of two')),
        (times(16, 'i2') - 100, (0, 4095, 'power of two')),
        (times(16, 'f4') - 100, (0, 4095, 'power of two')),
        (times(16, 'i2') - 400, (-400, 3552, 'min-max')),
    ],
)
def test_signed_values_around_zero(
    array: NDArray, expected: tuple[float, float, str]
) -> None:
    assert shown(choose_tones(array)) == expected


@pytest.mark.parametrize('stray', [-1e-7, -5.0, 1.5, 1e9, -1e20])
@pytest.mark.parametrize('dtype', ['f4', 'f8'])
def test_a_stray_value_does_not_flip_a_float_photo(
    stray: float, dtype: str
) -> None:
    array = times(1 / 510, dtype)
    clean = photo_from_array(array)
    array[5, 5:8] = stray
    photo = photo_from_array(array)
    assert shown(photo.tones) == (0, 1, 'float range')
    assert any('3 values lie outside' in note for note in photo.notes)
    assert abs(photo.lightness.mean() - clean.lightness.mean()) < 0.1


def test_overshoot_of_sharpening_does_not_flip_it_either() -> None:
    array = times(1 / 250, 'f4')
    array[:, -1] = 1.04  # nearly a hundredth
    assert shown(choose_tones(array)) == (0, 1, 'float range')
    # A tenth is no overshoot any more.
    array[:, -12:] = np.linspace(1, 2, 12)
    assert choose_tones(array).rule == 'min-max'


def test_other_floats_keep_their_extremes_without_a_dead_pixel() -> None:
    array = times(3.7, 'f4') + np.float32(0.25)
    low, high = float(array.min()), float(array.max())
    assert shown(choose_tones(array)) == (low, high, 'min-max')
    array[3, 3] = 1e12
    tones = choose_tones(array)
    assert shown(tones) == (low, high, 'min-max')
    assert any('1 value lies outside' in note for note in tones.notes)


@pytest.mark.parametrize('value', [65535, 40000])
def test_a_dead_pixel_does_not_darken_a_12_bit_scan(value: int) -> None:
    array = times(16, 'u2')
    array[7, 7] = value
    tones = choose_tones(array)
    assert shown(tones) == (0, 4095, 'power of two')
    assert any('1 value lies outside' in note for note in tones.notes)


@pytest.mark.parametrize(
    ('dtype', 'factor', 'gap', 'window'),
    [
        ('f4', 1 / 255, -3.4028235e38, (0, 1)),
        ('f4', 1 / 255, 1e20, (0, 1)),
        ('f4', 1 / 255, 3.4028235e38, (0, 1)),
        ('f8', 1 / 255, -9999, (0, 1)),
        ('f4', 16, -9999, (0, 4095)),
        ('f8', 257, -1e308, (0, 65535)),
        ('f4', 16, 1e20, (0, 4095)),
        ('i2', 16, -9999, (0, 4095)),
        ('i2', 16, -32768, (0, 4095)),
        ('i4', 257, -2147483648, (0, 65535)),
        ('i4', 257, 2147483647, (0, 65535)),
        ('u4', 257, 4294967295, (0, 65535)),
        ('u2', 16, 65535, (0, 4095)),
    ],
)
@pytest.mark.parametrize('tagged', [False, True])
def test_missing_data_is_left_out_black_and_said(
    dtype: str,
    factor: float,
    gap: float,
    window: tuple[float, float],
    tagged: bool,
) -> None:
    array = times(factor, dtype)
    clean = photo_from_array(array)
    array[:20] = gap
    tags = ToneTags(nodata=gap if tagged else None)
    tones = choose_tones(array, 'auto', tags)
    assert (tones.low, tones.high) == window
    (note,) = tones.notes
    assert 'missing data' in note
    assert ('The file says' in note) == tagged
    photo = photo_from_array(array, window=tones)
    assert (photo.lightness[:20] == 0).all()
    assert np.array_equal(photo.lightness[20:], clean.lightness[20:])


def test_black_and_white_in_wide_types_is_no_missing_data() -> None:
    for dtype, white in (('u2', 65535), ('i2', 32767), ('f4', 255)):
        drawing = np.where(PICTURE > 100, white, 0).astype(dtype)
        drawing[::7, ::3] = 3  # ink is never quite black
        tones = choose_tones(drawing)
        assert tones.nodata == ()
        assert photo_from_array(drawing).lightness.max() > 99


@pytest.mark.parametrize('dtype', ['u2', 'i2', 'i4', 'f4'])
def test_what_a_file_says_comes_first(dtype: str) -> None:
    array = times(4, dtype)
    tags = ToneTags(0, 4095, 'SMaxSampleValue')
    tones = choose_tones(array, 'auto', tags)
    assert shown(tones) == (0, 4095, 'tags')
    assert 'SMaxSampleValue' in tones.sentence
    # It also gives the way to a person's own choice.
    assert choose_tones(array, '3,900', tags).rule == 'given'


def test_tags_of_another_picture_are_not_believed() -> None:
    tags = ToneTags(0, 255, 'SMaxSampleValue')
    tones = choose_tones(times(16, 'u2'), 'auto', tags)
    assert shown(tones) == (0, 4095, 'power of two')
    assert any('not used' in note for note in tones.notes)


def test_significant_bits_count_unless_values_need_more() -> None:
    tags = ToneTags(source='12 significant bits', bits=12)
    dark = choose_tones(times(1, 'u2'), 'auto', tags)
    assert shown(dark) == (0, 4095, 'tags')
    # Stored in the upper bits, they fill the type.
    assert choose_tones(times(257, 'u2'), 'auto', tags).rule == 'type'


@pytest.mark.parametrize('dtype', ['u2', 'i2', 'u4', 'f4'])
def test_part_by_part_is_as_at_once(dtype: str) -> None:
    array = times(16, dtype)
    array[40:50] = 60000 if dtype in ('u4', 'f4') else 5
    array[60, 60] = 7
    choice = ToneChoice(array.dtype)
    assert choice.needs_values
    for top in range(0, 100, 17):
        choice.look(array[top : top + 17])
    whole = choose_tones(array)
    assert choice.chosen() == whole


def test_planes_of_a_stack_agree_when_they_are_chosen_together() -> None:
    stack = np.stack([times(16, 'u2'), times(3, 'u2')])
    tones = choose_tones(stack)
    assert shown(tones) == (0, 4095, 'power of two')
    dark = photo_from_array(stack[1], window=tones)
    assert dark.window == (0, 4095)


@pytest.mark.parametrize('dtype', ['u2', 'i2', 'i4', 'f4', 'f8'])
@pytest.mark.parametrize('value', [0, 1, 300])
def test_one_tone_only(dtype: str, value: int) -> None:
    tones = choose_tones(np.full((20, 20), value, dtype))
    assert tones.low < tones.high
    assert tones.nodata == ()


def test_named_windows(true_lightness: Callable) -> None:
    array = times(16, 'u2')
    assert shown(choose_tones(array, 'type')) == (0, 65535, 'type')
    low, high = float(array.min()), float(array.max())
    assert shown(choose_tones(array, 'minmax')) == (low, high, 'min-max')
    assert shown(choose_tones(array, '3,900')) == (3, 900, 'given')
    assert choose_tones(array > 9).sentence == (
        'Tone window 0 to 1, black and white.'
    )


def test_facts_are_for_programs() -> None:
    assert choose_tones(times(16, 'u2')).facts() == {
        'low': 0,
        'high': 4095,
        'rule': 'power of two',
        'words': 'Tone window 0 to 4095, as of a photo of 12 bits, since its '
        'highest value is 3952.',
    }
