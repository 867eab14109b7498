"""Encoded files, read back by libraries that know nothing of this one."""

from __future__ import annotations

import io
import re
import struct
from xml.etree import ElementTree

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from napari_sdcolor.archive import writing
from napari_sdcolor.archive.formats import SUFFIXES
from napari_sdcolor.archive.marking import make_mark
from napari_sdcolor.archive.profiles import srgb_profile
from napari_sdcolor.archive.writing import Picture, write
from napari_sdcolor.errors import SaveError

SHA = 'c0ffee' * 10 + 'c0de'
SOURCE_TYPE = (
    'http://cv.iptc.org/newscodes/digitalsourcetype/'
    'compositeWithTrainedAlgorithmicMedia'
)
LOSSLESS = ['tiff', 'png']


@pytest.fixture
def make_picture(rng):
    def build(bits=8, alpha=False, shape=(300, 270), **beside):
        dtype = np.dtype(f'u{bits // 8}')
        top = np.iinfo(dtype).max
        codes = rng.integers(0, top, (*shape, 4), dtype=dtype, endpoint=True)
        return Picture(
            rgb=codes[..., :3],
            mark=make_mark(SHA),
            alpha=codes[..., 3] if alpha else None,
            **beside,
        )

    return build


def encode(pictures, form: str, **options) -> bytes:
    stream = io.BytesIO()
    write(stream, iter(pictures), form, **options)
    return stream.getvalue()


def pixels_of(data: bytes, form: str) -> np.ndarray:
    if form == 'tiff':
        return tifffile.imread(io.BytesIO(data))
    if form == 'png':
        return imagecodecs.png_decode(data)
    return np.asarray(Image.open(io.BytesIO(data)))


def xmp_of(data: bytes, form: str) -> bytes:
    if form == 'tiff':
        with tifffile.TiffFile(io.BytesIO(data)) as tif:
            return tif.pages[0].tags[700].value
    with Image.open(io.BytesIO(data)) as image:
        if form == 'jpeg':
            return image.info['xmp']
        return image.info['XML:com.adobe.xmp'].encode()


@pytest.mark.parametrize('alpha', [False, True])
@pytest.mark.parametrize('bits', [8, 16])
@pytest.mark.parametrize('form', LOSSLESS)
def test_lossless_formats_keep_every_code(make_picture, form, bits, alpha):
    picture = make_picture(bits, alpha)
    found = pixels_of(encode([picture], form), form)
    assert found.dtype == picture.rgb.dtype
    assert (found[..., :3] == picture.rgb).all()
    assert found.shape[-1] == 3 + alpha
    if alpha:
        assert (found[..., 3] == picture.alpha).all()


@pytest.mark.parametrize('bits', [8, 16])
def test_jpeg_is_close(rng, bits):
    smooth = np.linspace(0, 2**bits - 1, 200).astype(f'u{bits // 8}')
    rgb = np.stack([np.tile(smooth, (90, 1))] * 3, axis=-1)
    data = encode([Picture(rgb, make_mark(SHA))], 'jpeg')
    found = pixels_of(data, 'jpeg').astype(int)
    wanted = rgb / (2**bits - 1) * 255
    assert found.shape == rgb.shape
    assert np.abs(found - wanted).max() <= 3


@pytest.mark.parametrize('bits', [8, 16])
@pytest.mark.parametrize('form', SUFFIXES)
def test_every_file_is_marked(make_picture, form, bits):
    data = encode([make_picture(bits)], form)
    root = ElementTree.fromstring(xmp_of(data, form))
    texts = {node.tag.split('}')[1]: node.text for node in root.iter()}
    assert texts['DigitalSourceType'] == SOURCE_TYPE
    assert texts['documentID'] == f'sha256:{SHA}'
    assert texts['CreatorTool'].startswith('napari-sdcolor ')
    assert 'added by a machine' in texts['li']
    # Readers that look at bytes alone must find it as well.
    assert SOURCE_TYPE.encode() in data
    assert b'added by a machine' in data


def test_tiff_tags(make_picture):
    picture = make_picture(
        alpha=True,
        orientation=7,
        resolution=(300.0, 150.5, 3),
        texts=(
            ('Artist', 'José'),
            ('Copyright', '© the archive'),
            ('DocumentName', 'box 3'),
            ('ImageDescription', 'A boat.'),
            ('PageName', 'leaf 4'),
        ),
    )
    with tifffile.TiffFile(io.BytesIO(encode([picture], 'tiff'))) as tif:
        assert len(tif.pages) == 1
        page = tif.pages[0]
        tags = {tag.name: tag.value for tag in page.tags}
        assert page.is_tiled
        assert page.compression == 8
        assert page.extrasamples == (2,)
    assert tags['Orientation'] == 7
    assert tags['XResolution'] == (300, 1)
    assert tags['YResolution'] == (301, 2)
    assert tags['ResolutionUnit'] == 3
    assert tags['InterColorProfile'] == srgb_profile()
    assert tags['Software'].startswith('napari-sdcolor ')
    assert tags['ImageDescription'].startswith('The colors were added by')
    assert tags['ImageDescription'].endswith('A boat.')
    assert (tags['Artist'], tags['Copyright']) == ('José', '© the archive')
    assert (tags['DocumentName'], tags['PageName']) == ('box 3', 'leaf 4')
    assert 'DateTime' not in tags


@pytest.mark.parametrize('bits', [8, 16])
def test_png_chunks(make_picture, bits):
    picture = make_picture(
        bits,
        orientation=6,
        resolution=(300.0, 150.0, 2),
        texts=(('Artist', 'José'),),
    )
    with Image.open(io.BytesIO(encode([picture], 'png'))) as image:
        image.verify()
    with Image.open(io.BytesIO(encode([picture], 'png'))) as image:
        assert image.getexif()[274] == 6
        assert image.info['icc_profile'] == srgb_profile()
        assert image.info['Software'].startswith('napari-sdcolor ')
        assert image.info['Author'] == 'José'
        assert image.info['dpi'] == pytest.approx((300, 150), abs=0.02)


def test_jpeg_segments(make_picture):
    picture = make_picture(
        orientation=3,
        resolution=(120.0, 60.0, 3),
        texts=(('Artist', 'José'), ('ImageDescription', 'A boat.')),
    )
    with Image.open(io.BytesIO(encode([picture], 'jpeg'))) as image:
        exif = image.getexif()
        assert exif[274] == 3
        assert (exif[282], exif[283], exif[296]) == (120, 60, 3)
        assert exif[315].encode('latin-1').decode() == 'José'
        assert exif[270].endswith('A boat.')
        assert exif[305].startswith('napari-sdcolor ')
        assert image.info['dpi'] == (305, 152)
        assert image.info['icc_profile'] == srgb_profile()


@pytest.mark.parametrize('bits', [8, 16])
@pytest.mark.parametrize('form', SUFFIXES)
def test_equal_pictures_give_equal_bytes_without_a_clock(
    make_picture, form, bits
):
    picture = make_picture(bits, orientation=6, resolution=(300.0, 300.0, 2))
    first = encode([picture], form)
    srgb_profile.cache_clear()
    again = Picture(
        np.asfortranarray(picture.rgb),
        make_mark(SHA),
        orientation=6,
        resolution=(300.0, 300.0, 2),
    )
    assert encode([again], form) == first
    # The name of IPTC's namespace holds a date, which is no clock's.
    rest = first.replace(b'Iptc4xmpExt/2008-02-29/', b'')
    dates = re.findall(rb'20\d\d[-:]\d\d[-:]\d\d', rest)
    assert dates == []


def test_srgb_profile_is_srgb_at_a_fixed_date():
    profile = srgb_profile()
    assert struct.unpack('>6H', profile[24:36]) == (2000, 1, 1, 0, 0, 0)
    reference = ImageCms.createProfile('sRGB')
    steps = np.arange(0, 256, 3)
    colors = np.stack(np.meshgrid(steps, steps[::-1]), axis=-1)
    colors = np.dstack((colors, colors[..., 0] // 2)).astype(np.uint8)
    picture = Image.fromarray(colors)
    converted = ImageCms.profileToProfile(
        picture, io.BytesIO(profile), reference
    )
    assert (np.asarray(converted) == np.asarray(picture)).all()


def test_several_pages(make_picture):
    pictures = [make_picture(16, shape=(40, 50 + n)) for n in range(3)]
    data = encode(pictures, 'tiff')
    with tifffile.TiffFile(io.BytesIO(data)) as tif:
        assert len(tif.pages) == 3
        for page, picture in zip(tif.pages, pictures, strict=True):
            assert (page.asarray() == picture.rgb).all()
            assert page.tags[700].value == picture.mark.xmp
    for form in ('png', 'jpeg'):
        with pytest.raises(SaveError, match='choose tiff'):
            encode(pictures, form)


def test_large_files_become_bigtiff(make_picture, monkeypatch):
    picture = make_picture()
    assert encode([picture], 'tiff')[2] == 42
    monkeypatch.setattr(writing, '_BIG', picture.rgb.nbytes - 1)
    data = encode([picture], 'tiff')
    assert data[2] == 43
    assert (pixels_of(data, 'tiff') == picture.rgb).all()


def test_a_file_without_its_mark_is_no_file(make_picture, monkeypatch):
    monkeypatch.setattr(writing, '_with_xmp', lambda data, xmp: data)
    with pytest.raises(SaveError, match='mark is missing'):
        encode([make_picture()], 'jpeg')


def test_what_cannot_be_encoded_is_said(make_picture, monkeypatch):
    picture = make_picture()
    with pytest.raises(SaveError, match="'gif' is no format"):
        encode([picture], 'gif')
    for wrong in (
        picture.rgb.astype(np.float32),
        picture.rgb[..., 0],
        np.dstack([picture.rgb] * 2),
    ):
        with pytest.raises(SaveError, match='cannot be saved'):
            encode([Picture(wrong, make_mark(SHA))], 'tiff')
    with pytest.raises(SaveError, match='cannot be saved'):
        bad = picture.rgb[..., 0].astype(np.uint16)
        encode([Picture(picture.rgb, make_mark(SHA), bad)], 'tiff')
    monkeypatch.setattr(writing, 'JPEG_MAX_SIDE', 200)
    with pytest.raises(SaveError, match=r'as jpeg .*another format'):
        encode([picture], 'jpeg')


@pytest.mark.parametrize('form', SUFFIXES)
def test_out_of_memory_is_said(make_picture, monkeypatch, form):
    def full(*args, **options):
        raise MemoryError('no room')

    for owner, name in [
        (writing, 'TiffWriter'),
        (writing.imagecodecs, 'png_encode'),
        (writing.Image, 'fromarray'),
    ]:
        monkeypatch.setattr(owner, name, full)
    with pytest.raises(SaveError, match='no room'):
        encode([make_picture()], form)
