"""JPEG 2000 files: boxes, colors, and what is missing of a picture."""

from __future__ import annotations

import struct
import tracemalloc

import imagecodecs
import numpy as np
import pytest
from PIL import ImageCms

from napari_sdcolor.archive import jpeg2000, raster_scan
from napari_sdcolor.core import lab, tone
from napari_sdcolor.errors import PhotoError

SRGB, GRAY, SYCC, CMYK, LAB = 16, 17, 18, 12, 14
OWN, COLOR, ALPHA = 65535, 0, 1


@pytest.fixture
def rgb(rng) -> np.ndarray:
    return rng.integers(0, 255, (40, 50, 3), np.uint8, endpoint=True)


def _box(kind: bytes, *content: bytes) -> bytes:
    body = b''.join(content)
    return struct.pack('>I', 8 + len(body)) + kind + body


def _space(
    number: int, precedence: int = 0, approximation: int = 0, more: bytes = b''
) -> bytes:
    told = struct.pack('>BbBI', 1, precedence, approximation, number)
    return _box(b'colr', told, more)


def _icc(icc: bytes, method: int = 2, precedence: int = 0) -> bytes:
    return _box(b'colr', struct.pack('>BbB', method, precedence, 1), icc)


def _gamma(exponent: float, space: bytes = b'RGB ') -> bytes:
    """A profile with the primaries of sRGB and this exponent."""

    def xyz(*values: float) -> bytes:
        fixed = (round(value * 65536) for value in values)
        return b'XYZ \0\0\0\0' + struct.pack('>3i', *fixed)

    curve = b'curv\0\0\0\0' + struct.pack('>IH', 1, int(exponent * 256))
    tags = {
        b'desc': b'desc\0\0\0\0'
        + struct.pack('>I', 5)
        + b'test\0'
        + bytes(79),
        b'wtpt': xyz(0.9642, 1, 0.8249),
        b'cprt': b'text\0\0\0\0none\0\0\0\0',
    }
    if space == b'GRAY':
        tags[b'kTRC'] = curve
    else:
        tags[b'rXYZ'] = xyz(0.4361, 0.2225, 0.0139)
        tags[b'gXYZ'] = xyz(0.3851, 0.7169, 0.0971)
        tags[b'bXYZ'] = xyz(0.1431, 0.0606, 0.7141)
        tags |= dict.fromkeys((b'rTRC', b'gTRC', b'bTRC'), curve)
    head, body = struct.pack('>I', len(tags)), b''
    for kind, content in tags.items():
        padded = content + bytes(-len(content) % 4)
        place = 132 + 12 * len(tags) + len(body)
        head += kind + struct.pack('>II', place, len(content))
        body += padded
    start = struct.pack('>I', 128 + len(head + body)) + b'lcms\2\x10\0\0mntr'
    start += space + b'XYZ ' + bytes(12) + b'acspAPPL' + bytes(24)
    start += struct.pack('>3i', 63190, 65536, 54061)
    return start.ljust(128, b'\0') + head + body


def _jp2(array: np.ndarray, *boxes: bytes, bits: int = 8) -> bytes:
    stream = imagecodecs.jpeg2k_encode(
        array, level=0, codecformat='j2k', bitspersample=bits, mct=False
    )
    channels = 1 if array.ndim == 2 else array.shape[2]
    size = struct.pack(
        '>IIHBBBB', *array.shape[:2], channels, bits - 1, 7, 0, 0
    )
    return (
        _box(b'jP  ', b'\r\n\x87\n')
        + _box(b'ftyp', b'jp2 \0\0\0\0jp2 ')
        + _box(b'jp2h', _box(b'ihdr', size), *boxes)
        + _box(b'jp2c', bytes(stream))
    )


def _defined(*channels: tuple[int, int, int]) -> bytes:
    told = b''.join(struct.pack('>3H', *channel) for channel in channels)
    return _box(b'cdef', struct.pack('>H', len(channels)), told)


def _lightness(rgb: np.ndarray) -> np.ndarray:
    return lab.rgb_to_lightness(rgb / 255)


@pytest.mark.parametrize('method', [2, 3])
@pytest.mark.parametrize('space', [b'GRAY', b'RGB '])
def test_a_profile_is_applied_once(read_jp2, gray, rgb, method, space):
    array = gray if space == b'GRAY' else rgb
    icc = _gamma(1.0, space)
    photo = read_jp2(_jp2(array, _icc(icc, method)))
    linear = array / 255
    if space == b'RGB ':
        linear = linear @ (0.2225, 0.7169, 0.0606)
    cube = np.cbrt(linear)
    wanted = np.where(linear > 216 / 24389, 116 * cube - 16, linear * 903.3)
    # In 8 bits, linear light has few codes in the shadows; twice would be 17.
    assert np.abs(photo.lightness - wanted).mean() < 0.5
    assert photo.kind == ('gray' if space == b'GRAY' else 'color')
    assert photo.origin.icc == icc
    assert any(note.startswith('Converted from') for note in photo.notes)


def test_srgb_and_gray_stay_as_they_are(read_jp2, gray, rgb, assert_shows):
    assert_shows(read_jp2(_jp2(gray, _space(GRAY))), gray, 255)
    photo = read_jp2(_jp2(rgb, _space(SRGB)))
    np.testing.assert_allclose(photo.lightness, _lightness(rgb), atol=1e-4)


def test_sycc_is_converted(read_jp2, rgb):
    red, green, blue = np.moveaxis(rgb.astype(float), -1, 0)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    parts = luma, (blue - luma) / 1.772 + 128, (red - luma) / 1.402 + 128
    coded = np.rint(np.dstack(parts)).clip(0, 255).astype(np.uint8)
    photo = read_jp2(_jp2(coded, _space(SYCC)))
    np.testing.assert_allclose(photo.lightness, _lightness(rgb), atol=1)


@pytest.mark.parametrize('bits', [8, 16])
@pytest.mark.parametrize('told', [False, True])
def test_cielab_is_converted(read_jp2, gray, bits, told):
    top = 2**bits - 1
    share = lab.gray_to_lightness(gray / 255) / 100
    zero = 2 ** (bits - 1), 2 ** (bits - 1) if told else 3 * 2 ** (bits - 3)
    parts = share * top, *(np.full(share.shape, value) for value in zero)
    coded = np.rint(np.dstack(parts)).astype(f'u{bits // 8}')
    more = b''
    if told:
        more = struct.pack('>6I', 100, 0, 255, zero[0], 255, zero[1])
    photo = read_jp2(_jp2(coded, _space(LAB, more=more), bits=bits))
    np.testing.assert_allclose(photo.lightness, share * 100, atol=0.5)
    assert photo.bits == bits


@pytest.mark.parametrize(
    ('space', 'channels', 'name'),
    [
        (_space(CMYK), 4, 'CMYK'),
        (_space(11), 3, 'CMY'),
        (_space(21), 3, 'ROMM-RGB'),
        (_icc(_gamma(1.8, b'CMYK')), 4, 'CMYK'),
        (_icc(_gamma(1.8, b'Lab ')), 3, 'Lab'),
    ],
)
def test_other_colors_are_refused(read_jp2, gray, space, channels, name):
    array = np.dstack([gray] * channels)
    with pytest.raises(PhotoError, match=f'are stored as {name}; convert'):
        read_jp2(_jp2(array, space))


def test_of_several_statements_the_first_in_rank_counts(read_jp2, rgb):
    linear = _icc(_gamma(1.0), 3, precedence=1)
    wanted = _lightness(rgb)
    for boxes in (
        (_space(SRGB, 2), linear),
        (linear, _space(SRGB, 2)),
        (_space(SRGB, 1, 1), linear),
        (_box(b'colr', b'\4\7\0', bytes(16)), _space(SRGB)),
    ):
        photo = read_jp2(_jp2(rgb, *boxes))
        np.testing.assert_allclose(photo.lightness, wanted, atol=1e-4)
    photo = read_jp2(_jp2(rgb, _space(SRGB), linear))
    assert photo.origin.icc == _gamma(1.0)


@pytest.mark.parametrize('bits', [8, 12, 16])
def test_signed_samples_keep_all_tones(read_jp2, gray, bits, assert_shows):
    codes = np.rint(gray / 255 * (2**bits - 1)).astype(np.int32)
    signed = (codes - 2 ** (bits - 1)).astype('i1' if bits == 8 else 'i2')
    photo = read_jp2(_jp2(signed, _space(GRAY), bits=bits))
    assert_shows(photo, codes, 2**bits - 1)
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile('sRGB')).tobytes()
    color = np.dstack([signed] * 3)
    photo = read_jp2(_jp2(color, _icc(icc), bits=bits))
    assert_shows(photo, codes, 2**bits - 1, tolerance=0.01)


def test_channels_are_what_they_are_defined_to_be(read_jp2, gray, rgb):
    wanted = _lightness(rgb)
    first = np.dstack([gray, rgb[..., ::-1]])
    told = _defined((0, ALPHA, 0), (1, 0, 3), (2, 0, 2), (3, 0, 1))
    photo = read_jp2(_jp2(first, _space(SRGB), told))
    np.testing.assert_allclose(photo.lightness, wanted, atol=1e-4)
    np.testing.assert_array_equal(photo.alpha, gray)
    last = np.dstack([rgb, gray])
    told = _defined((0, 0, 1), (1, 0, 2), (2, 0, 3), (3, OWN, OWN))
    photo = read_jp2(_jp2(last, _space(SRGB), told))
    assert photo.alpha is None
    assert 'A channel that is no color and no alpha was left out.' in (
        photo.notes
    )


def test_alpha_that_was_multiplied_in_is_divided_out(
    read_jp2, gray, assert_shows
):
    half = np.full_like(gray, 128)
    multiplied = np.rint(gray * (128 / 255)).astype(np.uint8)
    array = np.dstack([multiplied, half])
    told = _defined((0, 0, 1), (1, 2, 0))
    photo = read_jp2(_jp2(array, _space(GRAY), told))
    assert_shows(photo, gray, 255, tolerance=1)


def test_palettes_of_gray_and_of_color(read_jp2, gray, assert_shows):
    turned = np.arange(255, -1, -1, dtype=np.uint8)
    boxes = (
        _box(b'pclr', struct.pack('>HB', 256, 1), b'\7', bytes(turned)),
        _box(b'cmap', struct.pack('>HBB', 0, 1, 0)),
    )
    assert_shows(read_jp2(_jp2(gray, _space(GRAY), *boxes)), turned[gray], 255)
    entries = np.repeat(turned, 3)
    mapping = (struct.pack('>HBB', 0, 1, column) for column in range(3))
    boxes = (
        _box(b'pclr', struct.pack('>HB', 256, 3), b'\7' * 3, bytes(entries)),
        _box(b'cmap', *mapping),
    )
    photo = read_jp2(_jp2(gray, _space(SRGB), *boxes))
    assert_shows(photo, turned[gray], 255)
    assert photo.kind == 'gray'


def _many_values(channels: int, bits: int = 8) -> bytes:
    """A palette of so many columns, all of which are used."""
    table = np.arange(256 * channels).reshape(256, channels) % 251
    return _box(
        b'pclr',
        struct.pack('>HB', 256, channels),
        bytes([bits - 1]) * channels,
        table.astype(f'>u{bits // 8}').tobytes(),
    ) + _box(b'cmap', *(struct.pack('>HBB', 0, 1, n) for n in range(channels)))


@pytest.mark.parametrize(
    ('boxes', 'reason'),
    [
        (_many_values(6), 'holds 6 channels'),
        (_many_values(255), 'holds 255 channels'),
        (_many_values(1) + _box(b'cmap', b'\0\0\1\7'), None),
        (_box(b'pclr', b'\0\0\1\7'), 'palette is damaged'),
        (_box(b'pclr', b'\4\1\1\7', bytes(1025)), 'palette is damaged'),
        (_box(b'cdef', bytes(2 + 6 * (2**14 + 1))), 'holds 16385 channels'),
        (_box(b'free') * 2**14, 'more boxes than any picture'),
    ],
)
def test_boxes_are_judged_before_anything_is_decoded(
    read_jp2, gray, monkeypatch, boxes, reason
):
    data = _jp2(gray, _space(GRAY), boxes)
    if reason is None:  # the first of several counts
        assert read_jp2(data).kind == 'gray'
        return
    monkeypatch.setattr(imagecodecs, 'jpeg2k_decode', None)
    with pytest.raises(PhotoError, match=f'cannot be used: .*{reason}'):
        read_jp2(data)
    with pytest.raises(PhotoError, match='more boxes than any picture'):
        read_jp2(_box(b'jP  ', b'\r\n\x87\n') + _box(b'free') * 2**14 + data)


@pytest.mark.parametrize(
    ('channels', 'boxes'),
    [
        (3, _space(LAB)),
        (
            4,
            _space(SRGB)
            + _defined((0, 0, 1), (1, 0, 2), (2, 0, 3), (3, 2, 0)),
        ),
        (1, _space(GRAY) + _many_values(4, 16)),
    ],
)
def test_colors_take_no_more_memory_than_is_estimated(
    read_jp2, monkeypatch, channels, boxes
):
    for module, name in (
        (jpeg2000, 'BAND'),
        (raster_scan, 'STRIP'),
        (tone, 'STRIP'),
    ):
        monkeypatch.setattr(module, name, 2**14)
    smooth = np.tile(np.arange(600, dtype=np.uint8), (500, 1))
    array = np.dstack([smooth] * channels) if channels > 1 else smooth
    data, told = _jp2(array, boxes), []
    monkeypatch.setattr(raster_scan, 'refuse_beyond_memory', told.append)
    tracemalloc.start()
    try:
        read_jp2(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= told[-1], (peak, told)


@pytest.mark.parametrize('kind', [b'resc', b'resd'])
def test_resolution_is_carried(read_jp2, gray, kind):
    told = struct.pack('>4H2b', 23622, 10, 11811, 100, 1, 2)
    boxes = _space(GRAY), _box(b'res ', _box(kind, told))
    across, down, unit = read_jp2(_jp2(gray, *boxes)).origin.resolution
    assert (across, down) == pytest.approx((300, 600), abs=0.01)
    assert unit == 2


def test_damaged_boxes_are_said(read_jp2, gray, assert_shows):
    photo = read_jp2(_jp2(gray, _box(b'colr', b'\1')))
    assert_shows(photo, gray, 255)
    assert 'What the file says on its colors is damaged.' in photo.notes


def _claiming(
    size: tuple[int, int], tile: tuple[int, int], count: int, bits: int
) -> bytes:
    """A codestream of a few bytes whose header claims much."""
    components = struct.pack('>BBB', bits - 1, 1, 1) * count
    told = struct.pack('>HIIIIIIIIH', 0, *size, 0, 0, *tile, 0, 0, count)
    return (
        b'\xff\x4f\xff\x51'
        + struct.pack('>H', len(told) + len(components) + 2)
        + told
        + components
        + b'\xff\x52\0\x0c\0\0\0\1\0\5\4\4\0\1\xff\x5c\0\x13\x40'
        + bytes(16)
        + b'\xff\x90\0\x0a\0\0\0\0\0\x0e\0\1\xff\x93\xff\xd9'
    )


@pytest.mark.parametrize(
    'claims',
    [
        ((256, 256), (256, 256), 16384, 8),
        ((4096, 4096), (17, 17), 3, 8),
        ((1000, 1000), (4, 4), 3, 8),
        ((16000, 16000), (16000, 16000), 1, 8),
        ((300, 300), (300, 300), 1, 38),
        ((300, 300), (0, 300), 1, 8),
        ((0, 300), (300, 300), 1, 8),
    ],
)
def test_claims_are_judged_before_anything_is_decoded(
    read_jp2, monkeypatch, claims
):
    monkeypatch.setattr(imagecodecs, 'jpeg2k_decode', None)
    with pytest.raises(PhotoError, match='cannot be used') as caught:
        read_jp2(_claiming(*claims))
    assert 'opj' not in str(caught.value)
