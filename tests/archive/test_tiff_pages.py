"""What is understood of intact TIFF files."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_sdcolor.archive.profiles import srgb_profile
from napari_sdcolor.archive.reading import open_photos, read_photo
from napari_sdcolor.core import lab
from napari_sdcolor.errors import PhotoError


@pytest.mark.parametrize('tile', [None, (32, 16)])
@pytest.mark.parametrize(
    ('compression', 'byteorder'),
    [
        (None, '<'),
        (None, '>'),
        ('lzw', '<'),
        ('lzw', '>'),
        ('zlib', '>'),
        ('packbits', '<'),
        ('zstd', '>'),
        ('jpeg2000', '<'),
    ],
)
def test_tiff_layouts_give_the_same_photo(
    tmp_path, ramp, compression, tile, byteorder, assert_shows
):
    path = tmp_path / 'photo.tif'
    rows = None if tile else 7
    tifffile.imwrite(
        path,
        ramp,
        compression=compression,
        tile=tile,
        rowsperstrip=rows,
        byteorder=byteorder,
    )
    photo = read_photo(path)
    assert_shows(photo, ramp, 65535)
    assert (photo.bits, photo.kind) == (16, 'gray')


@pytest.mark.parametrize(
    ('dtype', 'bits'),
    [('u1', 8), ('u2', 16), ('u4', 16), ('i2', 16), ('f4', 16), ('f8', 16)],
)
def test_data_types_and_white_is_zero(
    tmp_path, ramp, dtype, bits, assert_shows
):
    share = ramp / 65535
    if dtype[0] == 'f':
        values, low, high = share.astype(dtype), 0.0, 1.0
    else:
        limits = np.iinfo(dtype)
        low, high = float(limits.min), float(limits.max)
        values = np.rint(low + share * (high - low)).astype(dtype)
    shown = (values.astype(np.float64) - low) / (high - low)
    for photometric, wanted in [
        ('minisblack', shown),
        ('miniswhite', 1 - shown),
    ]:
        path = tmp_path / f'{photometric}.tif'
        tifffile.imwrite(path, values, photometric=photometric)
        photo = read_photo(path)
        assert_shows(photo, wanted, 1, tolerance=2e-4)
        assert photo.bits == bits
        assert any('inverted' in note for note in photo.notes) == (
            photometric == 'miniswhite'
        )


@pytest.mark.parametrize('compression', ['raw', 'group4', 'tiff_lzw'])
def test_one_bit_files_are_black_and_white(tmp_path, ramp, compression):
    path = tmp_path / 'page.tif'
    black_and_white = ramp > 30000
    Image.fromarray(black_and_white).save(path, compression=compression)
    photo = read_photo(path)
    assert photo.kind == 'black and white'
    assert (photo.lightness == 100 * black_and_white).all()


@pytest.mark.parametrize('photometric', ['minisblack', 'miniswhite'])
def test_twelve_bits_in_sixteen_use_their_own_range(
    tmp_path, ramp, photometric, assert_shows
):
    values = ramp >> 4
    packed = imagecodecs.packints_encode(values, 12)
    path = tmp_path / 'scan.tif'
    tifffile.imwrite(
        path,
        iter([packed]),
        shape=values.shape,
        dtype=np.uint16,
        bitspersample=12,
        photometric=photometric,
        rowsperstrip=values.shape[0],
    )
    photo = read_photo(path)
    wanted = 4095 - values if photometric == 'miniswhite' else values
    assert_shows(photo, wanted, 4095)
    assert photo.window == (0, 4095)
    darker = read_photo(path, window='0,65535')
    assert darker.window == (0, 65535)


def test_palette_is_applied(tmp_path, rng, assert_shows):
    indices = rng.integers(0, 256, (30, 40), dtype=np.uint8)
    gray = rng.permutation(256).astype(np.uint8)
    path = tmp_path / 'gray.tif'
    tifffile.imwrite(
        path,
        indices,
        photometric='palette',
        colormap=np.stack([gray.astype(np.uint16) * 257] * 3),
    )
    photo = read_photo(path)
    assert_shows(photo, gray[indices], 255)
    assert (photo.kind, photo.bits) == ('gray', 8)

    colors = rng.integers(0, 256, (3, 256)).astype(np.uint16)
    path = tmp_path / 'color.tif'
    tifffile.imwrite(
        path, indices, photometric='palette', colormap=colors << 8
    )
    wanted = lab.rgb_to_lightness(colors.T[indices] / 255)
    photo = read_photo(path)
    np.testing.assert_allclose(photo.lightness, wanted, atol=1e-4)
    assert (photo.kind, photo.bits) == ('color', 8)


@pytest.mark.parametrize('planar', ['contig', 'separate'])
def test_color_and_alpha_in_both_plane_orders(tmp_path, rng, planar):
    array = rng.integers(0, 65536, (30, 40, 4), dtype=np.uint16)
    stored = np.moveaxis(array, -1, 0) if planar == 'separate' else array
    path = tmp_path / 'photo.tif'
    tifffile.imwrite(
        path,
        stored,
        photometric='rgb',
        planarconfig=planar,
        extrasamples=['unassalpha'],
    )
    photo = read_photo(path)
    wanted = lab.rgb_to_lightness(array[..., :3] / 65535)
    np.testing.assert_allclose(photo.lightness, wanted, atol=1e-4)
    assert (photo.alpha == array[..., 3]).all()


def test_gray_with_alpha_of_each_kind(tmp_path, ramp, assert_shows):
    alpha = np.full_like(ramp, 32768)
    alpha[:20] = 65535
    path = tmp_path / 'photo.tif'

    def write(gray, kind):
        tifffile.imwrite(
            path,
            np.dstack((gray, alpha)),
            photometric='minisblack',
            planarconfig='contig',
            extrasamples=[kind],
        )
        return read_photo(path)

    plain = write(ramp, 'unassalpha')
    assert_shows(plain, ramp, 65535)
    assert (plain.alpha == alpha).all()
    multiplied = np.rint(ramp * (alpha / 65535)).astype(np.uint16)
    divided = write(multiplied, 'assocalpha')
    assert_shows(divided, ramp, 65535, tolerance=0.01)
    assert (divided.lightness[:20] == plain.lightness[:20]).all()
    unknown = write(ramp, 'unspecified')
    assert unknown.alpha is None
    assert any('left out' in note for note in unknown.notes)


def test_alpha_beside_a_deep_palette(tmp_path, rng):
    indices = rng.integers(0, 256, (30, 40), dtype=np.uint8)
    alpha = rng.integers(0, 256, (30, 40), dtype=np.uint8)
    colors = rng.integers(0, 65536, (3, 256)).astype(np.uint16)
    path = tmp_path / 'photo.tif'
    tifffile.imwrite(
        path,
        np.dstack((indices, alpha)),
        photometric='minisblack',
        planarconfig='contig',
        extrasamples=['unassalpha'],
        extratags=[(320, 'H', 768, colors.ravel().tolist(), True)],
    )
    with tifffile.TiffFile(path, mode='r+') as tif:
        tif.pages[0].tags['PhotometricInterpretation'].overwrite(3)
    photo = read_photo(path)
    wanted = lab.rgb_to_lightness(colors.T[indices] / 65535)
    np.testing.assert_allclose(photo.lightness, wanted, atol=1e-4)
    assert (photo.alpha == alpha.astype(np.uint16) * 257).all()


def test_a_page_of_several_must_be_chosen(tmp_path, rng, assert_shows):
    pages = rng.integers(0, 256, (3, 20, 30), dtype=np.uint8)
    path = tmp_path / 'album.tif'
    tifffile.imwrite(path, pages, photometric='minisblack')
    with open_photos(path) as file:
        assert file.count == 3
    with pytest.raises(PhotoError, match=r'album.tif .*3 pages.*page=2'):
        read_photo(path)
    for number, page in enumerate(pages):
        assert_shows(read_photo(path, page=number), page, 255)
    with pytest.raises(PhotoError, match='no page 3'):
        read_photo(path, page=3)
    with pytest.raises(PhotoError, match='no page -1'):
        read_photo(path, page=-1)
    tifffile.imwrite(path, pages[0], photometric='minisblack')
    with pytest.raises(PhotoError, match=r'no page 1; its only page is 0\.$'):
        read_photo(path, page=1)


def test_thumbnails_are_no_pages(tmp_path, ramp, assert_shows):
    path = tmp_path / 'photo.tif'
    with tifffile.TiffWriter(path) as writer:
        writer.write(ramp[::2, ::2], subfiletype=1)
        writer.write(ramp, subfiletype=0)
    with open_photos(path) as file:
        assert file.count == 1
    assert_shows(read_photo(path), ramp, 65535)


def test_tiff_tags_are_carried(tmp_path, ramp):
    path = tmp_path / 'photo.tif'
    tifffile.imwrite(
        path,
        ramp,
        resolution=(300, 150.5),
        resolutionunit='centimeter',
        iccprofile=srgb_profile(),
        extratags=[
            (274, 'H', 1, 6, True),
            (285, 's', 0, 'leaf 4', True),
            (315, 's', 0, 'José'.encode(), True),
        ],
    )
    origin = read_photo(path).origin
    assert origin.orientation == 6
    assert origin.resolution == (300, 150.5, 3)
    assert dict(origin.texts) == {'Artist': 'José', 'PageName': 'leaf 4'}
    assert origin.icc == srgb_profile()


def test_senseless_tags_count_as_absent(tmp_path, ramp):
    path = tmp_path / 'photo.tif'
    tifffile.imwrite(
        path,
        ramp,
        extratags=[(274, 'H', 1, 9, True)],
        resolution=((0, 1), (0, 1)),
    )
    origin = read_photo(path).origin
    assert (origin.orientation, origin.resolution) == (1, None)
    Image.fromarray((ramp >> 8).astype(np.uint8)).save(tmp_path / 'photo.jpg')
    assert read_photo(tmp_path / 'photo.jpg').origin.resolution is None
