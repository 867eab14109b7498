"""JPEG pictures of several scans, and of kinds whose decoders are silent."""

from __future__ import annotations

import base64
import io
import re
import struct
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_sdcolor.archive.jpeg_damage import damage_of
from napari_sdcolor.archive.jpeg_parts import Jpeg
from napari_sdcolor.archive.reading import read_photo
from napari_sdcolor.errors import PhotoError

EOI = b'\xff\xd9'
Y, X = np.mgrid[:64, :96]
GRAY = (90 + X + 50 * np.sin(Y / 5) + (X * Y) % 13).clip(0, 255)
GRAY = GRAY.astype(np.uint8)
COLOR = np.dstack([GRAY, GRAY[::-1], GRAY[:, ::-1]])
DEEP = GRAY.astype(np.uint16) * 16 + GRAY % 16

ARITHMETIC = {
    'arithmetic': """
/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0a
HBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5PTgyPC4zNDL/yQALCAAoACgBAREA/8wABgAQEAX/2gAI
AQEAAD8A0oSXa/a0OogQ7YvoCVXNxX7gDeyt80d7L4lJCm6MBgYd/wCOm2X98Qk6CgEdEz2wt82R
vA4SIEtZuBDzHauw+dhlGdr3J61sT5Dhb/8AxovA2MoOdlUAjHfYjubdzlVw2KP/AOzmG7KtVFc9
IAhu5ZK1N/T49SYcSOrqRwsjuE6R7h8AfDEK8gVZdnUlAyGaRwwJboF4gsLG7/xXN9+NAeW4s9KN
jCD+C07OGPLXjbvsuJC/RvWfmozqudcZdUcmOk1/N2ur4E72rRVULpTGFMOFTRF8CgCaLrWR593b
ARYtD+tEQZP7DuyXDgmRaW/5bzk1TJ7FIBlmQsgUuQ6Vkp1TwnxvHXnqQH5/f1FmzNV2DyB2ct+e
+ID/2Q==
""",
    'progressive arithmetic': """
/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0a
HBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5PTgyPC4zNDL/ygALCAAoACgBAREA/8wABAAQ/9oACAEB
AAAAAdIpPqsTc25wa1QymxOm4x9TZQAmpoD/zAAEEAX/2gAIAQEAAQUCFCzJRrQO1vdYPgT7hzfW
/wCNUlwV3xepgwI1pMfdbWbqZZPyrTXGIS7glkQETRdr42L7uyP/zAAEEAX/2gAIAQEABj8C1nRT
L9z/zAAEEAX/2gAIAQEAAT8hfR8ZWK+dXp4Ke63DV6Uz0+ROxGXQp7E2yAQl2FLq4APgetiP+XIU
VTSXZ4Jp/wC4M/AkWinv/9oACAEBAAAAENGTBv/MAAQQBf/aAAgBAQABPxA7euKg1KnAPbI1wwat
sYK0EGnyJuw4pieu0Y0ehc3fjVqJOtEccwR2VP7CWuAEP3gkuwDhgXmBXgCcub0BYLArI8lOV0wo
WNeoD6LQ45EEIV5nZJsiqxEELotCT9d8SCOaJyNble3KZmJnTp9D/wB9L1CFkA1wGb3AADoAJRPp
8P/Z
""",
}
"""Made with jpegtran, for want of an encoder here."""


def coded(pixels: np.ndarray, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, 'JPEG', quality=90, **options)
    return stream.getvalue()


def one_by_one() -> bytes:
    """A picture that sends one channel after the other, by hand."""
    single = [coded(plane) for plane in np.moveaxis(COLOR, -1, 0)]
    first = single[0]
    frame, scan = first.index(b'\xff\xc0'), first.index(b'\xff\xda')
    channels = b''.join(bytes((number, 0x11, 0)) for number in (1, 2, 3))
    size = struct.pack('>HBHHB', 17, 8, *GRAY.shape, 3)
    data = first[:frame] + b'\xff\xc0' + size + channels
    data += first[frame + 2 + 11 : scan]
    for number, each in enumerate(single, 1):
        sent = bytearray(each[each.index(b'\xff\xda') : -2])
        sent[5] = number
        data += sent
    return data + EOI


def parts(data: bytes) -> list[bytes]:
    """What stands in front of the scans, and each scan with its tables."""
    starts = [0]
    for found in re.finditer(rb'\xff\xda', data):
        end = re.compile(rb'\xff[^\0\xd0-\xd7]').search(data, found.end())
        starts.append(end.start())
    head = data.index(b'\xff\xda')
    return [data[:head]] + [
        data[max(head, start) : stop]
        for start, stop in zip(starts, starts[1:], strict=False)
    ]


SEVERAL = {
    'progressive': coded(COLOR, progressive=True),
    'gray, progressive': coded(GRAY, progressive=True),
    'one channel after the other': one_by_one(),
}
SILENT = {
    '12 bits': imagecodecs.jpeg8_encode(DEEP, level=90, bitspersample=12),
    'color of 12 bits': imagecodecs.jpeg8_encode(
        np.dstack([DEEP, DEEP[::-1], DEEP]), level=90, bitspersample=12
    ),
    'lossless, 12 bits': imagecodecs.jpeg8_encode(
        DEEP, lossless=True, bitspersample=12
    ),
    'lossless, 16 bits': imagecodecs.jpeg8_encode(DEEP * 16, lossless=True),
    'lossless color': imagecodecs.jpeg8_encode(COLOR, lossless=True),
    'another lossless encoder': imagecodecs.ljpeg_encode(DEEP * 16),
}


def damage(data: bytes) -> tuple[str, ...]:
    jpeg = Jpeg.of(data)
    return damage_of(jpeg, jpeg.frame)


def from_text(text: str) -> bytes:
    return base64.b64decode(text)


@pytest.mark.parametrize('kind', SEVERAL)
def test_each_scan_is_missed(tmp_path: Path, kind: str) -> None:
    head, *scans = parts(SEVERAL[kind])
    path = tmp_path / 'photo.jpg'
    path.write_bytes(head + b''.join(scans) + EOI)
    assert not read_photo(path).origin.damage
    for gone in range(len(scans)):
        some = b''.join(scans[:gone] + scans[gone + 1 :])
        path.write_bytes(head + some + EOI)
        with pytest.raises(PhotoError, match='scans .* are missing'):
            read_photo(path)
    assert len(scans) > 2


def test_all_but_one_of_the_scans_are_missed() -> None:
    head, *scans = parts(SEVERAL['one channel after the other'])
    for scan in scans:
        assert 'scans' in damage(head + scan + EOI)[0]


def test_a_scan_that_comes_twice_is_no_hole() -> None:
    head, *scans = parts(SEVERAL['one channel after the other'])
    assert damage(head + b''.join([*scans, scans[-1]]) + EOI) == ()


@pytest.mark.parametrize('kind', SILENT)
def test_holes_of_deep_and_lossless_pictures(
    tmp_path: Path, kind: str
) -> None:
    data = SILENT[kind]
    path = tmp_path / 'photo.jpg'
    path.write_bytes(data)
    assert not read_photo(path).origin.damage
    start, stop = data.index(b'\xff\xda') + 14, len(data) - 2
    for share in (0, 0.3, 0.5, 0.9):
        end = start + int(share * (stop - start))
        path.write_bytes(data[:end] + EOI)
        with pytest.raises(PhotoError, match='a part of the picture is miss'):
            read_photo(path)
        assert read_photo(path, allow_damaged=True).origin.damage
    path.write_bytes(data[: stop - 6] + EOI)
    with pytest.raises(PhotoError, match='is damaged'):
        read_photo(path)
    middle = (start + stop) // 2
    path.write_bytes(data[: middle - 700] + data[middle:])
    with pytest.raises(PhotoError, match='is damaged'):
        read_photo(path)


@pytest.mark.parametrize('kind', ARITHMETIC)
def test_holes_of_arithmetic_codes(tmp_path: Path, kind: str) -> None:
    data = from_text(ARITHMETIC[kind])
    path = tmp_path / 'photo.jpg'
    path.write_bytes(data)
    assert not read_photo(path).origin.damage
    for end in (-40, -100, -200):
        path.write_bytes(data[:end] + EOI)
        with pytest.raises(PhotoError, match='is damaged'):
            read_photo(path)


def test_what_cannot_be_checked_is_not_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **options: object) -> None:
        raise ValueError(options)

    data = SILENT['12 bits']
    monkeypatch.setattr(imagecodecs, 'tiff_decode', refuse)
    assert damage(data) == ()
    assert 'missing' in damage(data[: len(data) // 2] + EOI)[0]
    monkeypatch.setattr(imagecodecs, 'jpeg_decode', refuse)
    assert 'cannot be told' in damage(data)[0]


@pytest.mark.parametrize('kind', [*SEVERAL, *SILENT])
def test_strips_of_tiff(tmp_path: Path, kind: str) -> None:
    data = (SEVERAL | SILENT)[kind]
    pixels = imagecodecs.jpeg_decode(data)
    head, *scans = parts(data)
    holes = [
        data[: len(data) * 2 // 3] + EOI,
        head + b''.join(scans[1:] or [scans[0][:200]]) + EOI,
    ]
    path = tmp_path / 'photo.tif'
    for number, strip in enumerate([data, *holes]):
        tifffile.imwrite(
            path,
            iter([data, strip]),
            shape=(2 * len(pixels), *pixels.shape[1:]),
            dtype=pixels.dtype,
            photometric='minisblack' if pixels.ndim == 2 else 'rgb',
            compression='jpeg',
            rowsperstrip=len(pixels),
            metadata=None,
        )
        if number == 0:
            assert not read_photo(path).origin.damage
            continue
        with pytest.raises(PhotoError, match='1 of its 2 strips'):
            read_photo(path)
