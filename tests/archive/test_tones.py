"""The tone window of files: their own tags, their pages, their records."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from napari_sdcolor.archive import strips
from napari_sdcolor.archive.reading import open_photos, read_photo
from napari_sdcolor.core.photo import Photo, photo_from_array

y, x = np.mgrid[:60, :90]
PICTURE = np.uint8(np.clip(10 + 2.6 * x + 12 * np.sin(y / 7), 0, 250))
SCAN = PICTURE.astype(np.uint16) * 16
PLAIN = photo_from_array(PICTURE)


def tags(kind: str, low: float, high: float) -> dict[str, Any]:
    """SMinSampleValue and SMaxSampleValue."""
    pairs = ((340, low), (341, high))
    return {'extratags': [(tag, kind, 1, v, True) for tag, v in pairs]}


def write(path: Path, array: NDArray, **options: Any) -> Path:
    order = options.pop('byteorder', '<')
    options = {'photometric': 'minisblack', **options}
    tifffile.imwrite(path, array, byteorder=order, **options)
    return path


def assert_looks_like(photo: Photo, other: Photo = PLAIN) -> None:
    assert abs(float(photo.lightness.mean() - other.lightness.mean())) < 0.5


@pytest.mark.parametrize('order', ['<', '>'])
@pytest.mark.parametrize('photometric', ['minisblack', 'miniswhite'])
@pytest.mark.parametrize(
    ('dtype', 'factor', 'high'),
    [('u2', 16, 4095), ('i2', 16, 4095), ('i4', 257, 65535), ('f4', 16, 4095)],
)
def test_scans_in_wider_types(
    tmp_path: Path,
    dtype: str,
    factor: int,
    high: int,
    photometric: str,
    order: str,
) -> None:
    array = PICTURE.astype(np.float64) * factor
    if photometric == 'miniswhite':
        array = high - array
    path = write(
        tmp_path / 'a.tif',
        array.astype(dtype),
        photometric=photometric,
        byteorder=order,
    )
    photo = read_photo(path)
    assert photo.window == (0, high)
    assert photo.tones.rule == 'power of two'
    assert_looks_like(photo)


def test_a_color_scan(tmp_path: Path) -> None:
    rgb = np.dstack([SCAN, SCAN[::-1], SCAN // 2])
    photo = read_photo(write(tmp_path / 'a.tif', rgb, photometric='rgb'))
    assert photo.window == (0, 4095)
    plain = photo_from_array((rgb // 16).astype(np.uint8), rgb=True)
    assert_looks_like(photo, plain)


@pytest.mark.parametrize(
    ('dtype', 'kind'), [('u2', 'H'), ('i2', 'h'), ('i4', 'i'), ('f4', 'f')]
)
def test_smin_and_smax(tmp_path: Path, dtype: str, kind: str) -> None:
    array = (SCAN // 5).astype(dtype)
    path = write(tmp_path / 'a.tif', array, **tags(kind, 0, 4095))
    photo = read_photo(path)
    assert photo.window == (0, 4095)
    assert photo.tones.rule == 'tags'
    assert 'SMaxSampleValue' in photo.tones.sentence


def test_smin_and_smax_of_the_whole_type_say_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / 'a.tif', SCAN, **tags('H', 0, 65535))
    assert read_photo(path).tones.rule == 'power of two'


def test_8_bits_are_taken_as_they_are(tmp_path: Path) -> None:
    path = write(tmp_path / 'a.tif', PICTURE, **tags('B', 0, 99))
    assert read_photo(path).window == (0, 255)


def test_the_display_range_of_imagej(tmp_path: Path) -> None:
    path = tmp_path / 'a.tif'
    said = {'min': 100.0, 'max': 3000.0}
    tifffile.imwrite(path, SCAN, imagej=True, metadata=said)
    photo = read_photo(path)
    assert photo.window == (100, 3000)
    assert photo.tones.rule == 'tags'
    assert 'ImageJ' in photo.tones.sentence


def test_significant_bits_of_ome(tmp_path: Path) -> None:
    path = tmp_path / 'a.ome.tif'
    tifffile.imwrite(path, SCAN // 9, metadata={'SignificantBits': 12})
    photo = read_photo(path)
    assert photo.window == (0, 4095)
    assert 'OME' in photo.tones.sentence


def test_significant_bits_of_png(tmp_path: Path) -> None:
    def png(array: NDArray) -> bytes:
        data = imagecodecs.png_encode(array)
        chunk = b'sBIT' + bytes([12])
        packed = struct.pack('>I', 1) + chunk
        packed += struct.pack('>I', zlib.crc32(chunk))
        return data[:33] + packed + data[33:]

    path = tmp_path / 'a.png'
    path.write_bytes(png(SCAN // 9))
    assert read_photo(path).window == (0, 4095)
    # As the standard wants it, the bits lie on top.
    path.write_bytes(png(SCAN * 16))
    assert read_photo(path).window == (0, 65535)


def test_signed_jpeg_2000(tmp_path: Path) -> None:
    path = tmp_path / 'a.jp2'
    coded = imagecodecs.jpeg2k_encode(
        SCAN.astype('i2') - 2048, level=0, codecformat='jp2', bitspersample=12
    )
    path.write_bytes(coded)
    photo = read_photo(path)
    assert photo.window == (-2048, 2047)
    assert_looks_like(photo)


@pytest.mark.parametrize(
    ('dtype', 'factor', 'value', 'points'),
    [
        ('f4', 1 / 255, '-3.40282346638529e+38', (0, 1)),
        ('f8', 1 / 255, '1e20', (0, 1)),
        ('f4', 16, '-9999', (0, 4095)),
        ('i2', 16, '-32768', (0, 4095)),
        ('u2', 16, '65535', (0, 4095)),
        ('u2', 16, '5000', (0, 4095)),
        ('u1', 1, '255', (0, 255)),
    ],
)
@pytest.mark.parametrize('photometric', ['minisblack', 'miniswhite'])
def test_gdal_nodata(
    tmp_path: Path,
    dtype: str,
    factor: float,
    value: str,
    points: tuple[float, float],
    photometric: str,
) -> None:
    array = (PICTURE * float(factor)).astype(dtype)
    if photometric == 'miniswhite':
        array = (points[1] - array).astype(dtype)
    array[:12] = np.array(float(value)).astype(dtype)
    path = write(
        tmp_path / 'a.tif',
        array,
        photometric=photometric,
        extratags=[(42113, 2, 0, value, True)],
    )
    photo = read_photo(path)
    assert photo.window == points
    assert any('stands for missing data' in note for note in photo.notes)
    for asked in ('auto', 'minmax', 'type', f'{points[0]},{points[1]}'):
        photo = read_photo(path, window=asked)
        assert (photo.lightness[:12] == 0).all()
    valid = photo_from_array(PICTURE[12:])
    assert (
        abs(
            float(read_photo(path).lightness[12:].mean())
            - float(valid.lightness.mean())
        )
        < 0.5
    )


@pytest.mark.parametrize('photometric', ['minisblack', 'miniswhite', 'rgb'])
def test_a_color_profile_takes_the_window_for_its_black_and_white(
    tmp_path: Path, photometric: str
) -> None:
    space = 'adobergb' if photometric == 'rgb' else 'gray'
    icc = imagecodecs.cms_profile(space, gamma=1.0)
    narrow, full = SCAN, SCAN * 16 + SCAN // 256
    if photometric == 'rgb':
        narrow, full = (np.dstack([a, a[::-1], a]) for a in (narrow, full))
    if photometric == 'miniswhite':
        narrow, full = 4095 - narrow, 65535 - full
    found = [
        read_photo(
            write(
                tmp_path / f'{name}.tif',
                array,
                photometric=photometric,
                iccprofile=icc,
            )
        )
        for name, array in (('narrow', narrow), ('full', full))
    ]
    assert [photo.window[1] for photo in found] == [4095, 65535]
    for photo in found:
        assert any('Converted' in note for note in photo.notes)
    np.testing.assert_allclose(
        found[0].lightness, found[1].lightness, atol=0.5
    )


# --- pages and large files ------------------------------------------------


def album(path: Path, *pages: NDArray) -> Path:
    with tifffile.TiffWriter(path) as writer:
        for page in pages:
            writer.write(page, photometric='minisblack', metadata=None)
    return path


@pytest.mark.parametrize(
    'pages',
    [
        (SCAN // 9, SCAN, np.zeros_like(SCAN)),
        (SCAN.astype('f4') // 9, SCAN.astype('f4'), SCAN.astype('f4') * 0),
        (SCAN.astype('i2') // 9, SCAN.astype('i2')),
    ],
)
def test_pages_of_one_scan_agree(
    tmp_path: Path, pages: tuple[NDArray, ...]
) -> None:
    path = album(tmp_path / 'a.tif', *pages)
    with open_photos(path) as file:
        windows = [file.read(page).window for page in file.pages]
    assert windows == [(0, 4095)] * len(pages)
    # So they do when one of them is chosen.
    assert read_photo(path, page=0).window == (0, 4095)


def test_one_page_that_fills_the_type_decides(tmp_path: Path) -> None:
    path = album(tmp_path / 'a.tif', SCAN, SCAN * 16, SCAN // 9)
    with open_photos(path) as file:
        photos = [file.read(page) for page in file.pages]
    assert {photo.window for photo in photos} == {(0, 65535)}
    assert {photo.tones.rule for photo in photos} == {'type'}


def test_pages_of_other_kinds_have_no_say(tmp_path: Path) -> None:
    path = album(tmp_path / 'a.tif', SCAN, PICTURE, SCAN.astype('i4') * 16)
    with open_photos(path) as file:
        windows = [file.read(page).window for page in file.pages]
    assert windows == [(0, 4095), (0, 255), (0, 65535)]


def test_a_damaged_page_does_not_keep_the_others(tmp_path: Path) -> None:
    path = tmp_path / 'a.tif'
    with tifffile.TiffWriter(path) as writer:
        for page in (SCAN // 9, SCAN):
            writer.write(page, compression='zlib', metadata=None)
    with tifffile.TiffFile(path) as tif:
        place = tif.pages[1].dataoffsets[0]
    data = bytearray(path.read_bytes())
    data[place : place + 40] = b'x' * 40
    path.write_bytes(data)
    assert read_photo(path, page=0).window == (0, 511)


@pytest.mark.parametrize('order', ['<', '>'])
@pytest.mark.parametrize('photometric', ['minisblack', 'miniswhite'])
@pytest.mark.parametrize('dtype', ['u2', 'i2', 'i4'])
@pytest.mark.parametrize('nodata', ['', '7'])
def test_files_larger_than_memory_get_the_same_window(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    dtype: str,
    photometric: str,
    order: str,
    nodata: str,
) -> None:
    array = SCAN.astype(dtype)
    array[30, 40] = 20000 if dtype != 'i2' else -3  # strays, in one band
    array[::9] = 7
    extra = [(42113, 2, 0, nodata, True)] if nodata else []
    path = write(
        tmp_path / 'a.tif',
        array,
        photometric=photometric,
        byteorder=order,
        rowsperstrip=8,
        extratags=extra,
    )
    whole = read_photo(path)
    monkeypatch.setattr(strips, 'LARGE', 0)
    monkeypatch.setattr(strips, 'BAND', 1500)
    with open_photos(path) as file:
        photo = file.read(0)
        assert not photo.in_memory
        assert photo.tones == whole.tones
        assert photo.notes == whole.notes
        assert np.array_equal(np.asarray(photo.lightness), whole.lightness)


# --- records --------------------------------------------------------------


@pytest.fixture
def scan_file(tmp_path: Path) -> Path:
    folder = tmp_path / 'photos'
    folder.mkdir()
    return write(folder / 'castle.tif', SCAN)


def as_before(sidecar: Path) -> dict[str, Any]:
    """The sidecar as the first version wrote it."""
    told = json.loads(sidecar.read_text())
    told['format'] = 2
    for page in told['pages']:
        del page['photo']['tone_rule'], page['photo']['tones']
    told['settings']['window'] = 'auto'
    sidecar.write_text(json.dumps(told))
    return told


def test_it_is_said_everywhere(
    colorize: Callable, scan_file: Path, tmp_path: Path
) -> None:
    result = colorize(scan_file)
    words = 'one window 0 to 4095, as of a photo of 12 bits'
    assert words in ' '.join(result.stderr.split())
    told = json.loads((tmp_path / 'out/castle.sdcolor.json').read_text())
    photo = told['pages'][0]['photo']
    assert photo['tone_window'] == [0, 4095]
    assert photo['tone_rule'] == 'power of two'
    assert words in photo['tones']
    result = colorize(scan_file, '--json', '-o', tmp_path / 'other')
    (facts,) = json.loads(result.stdout)['photos']
    assert facts['tones']['rule'] == 'power of two'
    assert (facts['tones']['low'], facts['tones']['high']) == (0, 4095)


@pytest.mark.parametrize('window', ['auto', 'type', 'minmax', '100,3000'])
def test_new_records_replay(
    colorize: Callable, scan_file: Path, tmp_path: Path, window: str
) -> None:
    assert colorize(scan_file, '--window', window).exit_code == 0
    answer = replayed(tmp_path / 'out' / 'castle.sdcolor.json')
    assert answer['identical']
    assert answer['circumstances'] == []


def replayed(sidecar: Path, *words: object) -> dict[str, Any]:
    from typer.testing import CliRunner

    from napari_sdcolor.cli import app

    line = ['replay', str(sidecar), '--json', *map(str, words)]
    result = CliRunner().invoke(app, line)
    return json.loads(result.stdout)


@pytest.mark.parametrize('points', ['0,65535', '10,3952'])
@pytest.mark.parametrize('photometric', ['minisblack', 'miniswhite'])
def test_old_records_replay_with_the_window_that_they_tell(
    colorize: Callable,
    scan_file: Path,
    tmp_path: Path,
    points: str,
    photometric: str,
) -> None:
    write(scan_file, SCAN, photometric=photometric)
    assert colorize(scan_file, '--window', points).exit_code == 0
    sidecar = tmp_path / 'out' / 'castle.sdcolor.json'
    as_before(sidecar)
    answer = replayed(sidecar, '-o', tmp_path / 'again')
    assert answer['identical'], answer['differences']
    told = json.loads((tmp_path / 'again' / sidecar.name).read_text())
    assert told['pages'][0]['photo']['tone_rule'] == 'recorded'
    given = told['command'][told['command'].index('--window') + 1]
    assert [float(part) for part in given.split(',')] == [
        float(part) for part in points.split(',')
    ]
    # And what came of it can be replayed in its turn.
    assert replayed(tmp_path / 'again' / sidecar.name)['identical']


def test_missing_data_of_an_old_record_stays_as_it_was(
    colorize: Callable, scan_file: Path, tmp_path: Path
) -> None:
    gap = PICTURE.astype(np.float32) / 255
    gap[:20] = 1e20
    write(scan_file, gap)
    assert colorize(scan_file, '--window', '0,1').exit_code == 0
    sidecar = tmp_path / 'out' / 'castle.sdcolor.json'
    as_before(sidecar)
    assert replayed(sidecar)['identical']
