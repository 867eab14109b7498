"""What careful readers read is read, and what is missing is told."""

from __future__ import annotations

import io
import lzma
import struct
import zlib
from collections.abc import Callable

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_sdcolor.archive.reading import read_photo
from napari_sdcolor.archive.scan import Scan
from napari_sdcolor.archive.tiff_file import TiffPhotos
from napari_sdcolor.errors import PhotoError

H, W = 46, 64
GRAY = np.random.default_rng(5).integers(0, 255, (H, W), dtype=np.uint8)
LINES = np.tile(np.arange(W) // 5 % 2 == 0, (H, 1))
LINES ^= np.arange(H)[:, None] // 7 % 2 == 0

Tags = dict[int, tuple[str, list]]


def tiff(
    tags: Tags, strips: list[bytes], order: str = '<', end: bool = True
) -> bytes:
    """A file with one page: {code: (type of struct, values)}."""
    kinds = {'B': 1, 'H': 3, 'I': 4, 'f': 11, 'd': 12, 'h': 8, 'i': 9}
    out = bytearray(b'II*\0' if order == '<' else b'MM\0*') + bytes(4)
    places = []
    for strip in strips:
        places.append(len(out))
        out += strip
    every = {
        256: ('I', [W]),
        257: ('I', [H]),
        258: ('H', [8]),
        259: ('H', [1]),
        262: ('H', [1]),
        273: ('I', places),
        277: ('H', [1]),
        278: ('I', [H]),
        279: ('I', [len(strip) for strip in strips]),
        **tags,
    }
    entries = b''
    for code, (kind, values) in sorted(every.items()):
        if not values:
            continue
        data = struct.pack(f'{order}{len(values)}{kind}', *values)
        if len(data) > 4:
            place = len(out)
            out += data
            data = struct.pack(f'{order}I', place)
        entries += struct.pack(f'{order}HHI', code, kinds[kind], len(values))
        entries += data.ljust(4, b'\0')
    struct.pack_into(f'{order}I', out, 4, len(out))
    out += struct.pack(f'{order}H', len(entries) // 12) + entries
    return bytes(out) + (bytes(4) if end else b'')


def scan(data: bytes) -> Scan:
    return TiffPhotos(io.BytesIO(data), len(data)).scan(0)


@pytest.mark.parametrize('order', '<>')
@pytest.mark.parametrize(
    'tags',
    [
        {274: ('B', [8])},
        {274: ('I', [8])},
        {274: ('H', [8, 0])},
        {256: ('B', [W]), 257: ('d', [H]), 274: ('h', [8])},
        {258: ('B', [8]), 262: ('B', [1]), 274: ('f', [8])},
        {278: ('I', [0]), 274: ('H', [8])},
        {278: ('I', [2**32 - 1]), 274: ('H', [8])},
        {279: ('I', []), 274: ('H', [8])},
        {279: ('I', [0]), 274: ('H', [8])},
        {279: ('f', [H * W]), 274: ('H', [8])},
    ],
)
def test_tags_of_other_types(tags: Tags, order: str) -> None:
    found = scan(tiff(tags, [GRAY.tobytes()], order))
    assert np.array_equal(found.pixels, GRAY)
    assert found.orientation == 8
    assert found.damage == ()


@pytest.mark.parametrize('kind', 'fdI')
def test_resolutions_that_are_no_fractions(kind: str) -> None:
    tags = {282: (kind, [300]), 283: (kind, [150]), 296: ('B', [2])}
    assert scan(tiff(tags, [GRAY.tobytes()])).resolution == (300, 150, 2)


def test_one_number_of_bits_for_three_samples() -> None:
    color = np.dstack([GRAY, GRAY[::-1], GRAY])
    for tags in ({277: ('H', [3])}, {277: ('H', [])}):
        found = scan(tiff({**tags, 262: ('H', [2])}, [color.tobytes()]))
        assert np.array_equal(found.pixels, color)


def test_the_end_of_the_chain_may_be_left_out() -> None:
    assert np.array_equal(
        scan(tiff({}, [GRAY.tobytes()], end=False)).pixels, GRAY
    )


PACKERS: dict[int, Callable[[bytes], bytes]] = {
    1: bytes,
    5: imagecodecs.lzw_encode,
    8: zlib.compress,
    32773: imagecodecs.packbits_encode,
    34925: lzma.compress,
    50000: imagecodecs.zstd_encode,
}


@pytest.mark.parametrize('compression', PACKERS)
@pytest.mark.parametrize('order', [1, 2])
def test_the_last_strip_may_have_all_rows(
    compression: int, order: int
) -> None:
    rows = np.vstack([GRAY, np.zeros((2, W), np.uint8)])
    pack = PACKERS[compression]
    strips = [bytes(pack(rows[k : k + 16].tobytes())) for k in (0, 16, 32)]
    if order == 2:
        strips = [bytes(imagecodecs.bitorder_decode(one)) for one in strips]
    tags: Tags = {259: ('H', [compression]), 278: ('H', [16])}
    found = scan(tiff({**tags, 266: ('H', [order])}, strips))
    assert np.array_equal(found.pixels, GRAY)
    assert found.damage == ()


@pytest.mark.parametrize('compression', PACKERS)
@pytest.mark.parametrize('harm', ['cut', 'missing'])
def test_strips_with_holes_are_told(compression: int, harm: str) -> None:
    pack = PACKERS[compression]
    strips = [bytes(pack(GRAY[k : k + 16].tobytes())) for k in (0, 16, 32)]
    strips[1] = strips[1][: len(strips[1]) // 2 if harm == 'cut' else 0]
    tags: Tags = {259: ('H', [compression]), 278: ('H', [16])}
    found = scan(tiff(tags, strips))
    assert np.array_equal(found.pixels[:16], GRAY[:16])
    assert np.array_equal(found.pixels[32:], GRAY[32:])
    assert not found.pixels[31].any()
    (words,) = found.damage
    assert words.startswith('1 of its 3 strips')


def test_empty_tiles_of_gdal_are_no_holes() -> None:
    strips = [GRAY[:16].tobytes(), b'', GRAY[32:].tobytes()]
    tags: Tags = {278: ('H', [16]), 42113: ('B', [*b'7\0'])}
    places = {273: ('I', [8, 0, 8 + 16 * W])}
    found = scan(tiff({**tags, **places}, strips))
    assert found.damage == ()
    assert (found.pixels[16:32] == 7).all()


Spans = list[tuple[int, int]]


def placed(
    compression: int, move: Callable[[Spans], Spans], gray: np.ndarray = GRAY
) -> Scan:
    """Four strips that are said to be elsewhere, read."""
    pack = PACKERS[compression]
    strips = [bytes(pack(gray[k : k + 12].tobytes())) for k in (0, 12, 24, 36)]
    counts = [len(strip) for strip in strips]
    true = [8 + sum(counts[:number]) for number in range(4)]
    places, counts = zip(
        *move(list(zip(true, counts, strict=True))), strict=True
    )
    tags: Tags = {259: ('H', [compression]), 278: ('H', [12])}
    tags |= {273: ('I', list(places)), 279: ('I', list(counts))}
    return scan(tiff(tags, strips))


def doubled(spans: Spans) -> Spans:
    return [*spans[:2], spans[1], spans[3]]


@pytest.mark.parametrize('compression', PACKERS)
def test_strips_that_are_said_to_be_where_another_is(compression: int) -> None:
    trouble = 'said to be where another one is'
    words = f'2 of its 4 strips are not whole (1: {trouble}; 2: {trouble})'
    assert placed(compression, doubled).damage == (words,)


def test_plain_strips_that_lie_over_each_other() -> None:
    def moved(spans: Spans) -> Spans:
        return [*spans[:2], (spans[1][0] + W, spans[2][1]), spans[3]]

    (damage,) = placed(1, moved).damage
    assert damage.startswith('2 of its 4 strips are not whole (1: said to be')


@pytest.mark.parametrize('compression', [1, 8])
def test_blank_strips_may_be_stored_once(compression: int) -> None:
    blank = np.repeat(np.uint8([[9], [7], [7], [5]]), 12, 0)[:H]
    blank = np.tile(blank, (1, W))
    found = placed(compression, doubled, blank)
    assert found.damage == ()
    assert np.array_equal(found.pixels, blank)


def test_blank_strips_without_numbers_may_be_stored_once() -> None:
    data = zlib.compress(np.full((H // 2, W), np.nan, np.float32).tobytes())
    tags: Tags = {
        258: ('H', [32]),
        259: ('H', [8]),
        273: ('I', [8, 8]),
        278: ('H', [H // 2]),
        279: ('I', [len(data)] * 2),
        339: ('H', [3]),
    }
    assert scan(tiff(tags, [data])).damage == ()


@pytest.mark.parametrize('number', [0, 2])
@pytest.mark.parametrize('place', [1, 7, 'table', 'into the table'])
def test_pixels_that_are_said_to_be_in_the_header_or_the_table(
    number: int, place: int | str
) -> None:
    def moved(spans: Spans) -> Spans:
        table = sum(spans[-1]) + 2 * 4 * 4  # behind two lists of strips
        words = {'table': table + 4, 'into the table': table - 60}
        spans[number] = words.get(place, place), spans[number][1]
        return spans

    (damage,) = placed(1, moved).damage
    trouble = f'{number}: said to be where the file holds no pixels'
    assert damage == f'1 of its 4 strips are not whole ({trouble})'


def test_the_only_strip_may_not_begin_in_the_header() -> None:
    found = scan(tiff({273: ('I', [1])}, [GRAY.tobytes()]))
    words = 'its only strip: said to be where the file holds no pixels'
    assert found.damage == (words,)


FAX = {'tiff_ccitt': {}, 'group3': {}, 'group3 both': {292: 1}, 'group4': {}}


def fax(name: str) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(LINES).save(
        stream, 'TIFF', compression=name.split()[0], tiffinfo=FAX[name]
    )
    return stream.getvalue()


@pytest.mark.parametrize('name', FAX)
def test_fax_that_is_whole(name: str) -> None:
    found = scan(fax(name))
    assert np.array_equal(found.pixels.astype(bool), LINES)
    assert found.damage == ()


@pytest.mark.parametrize('name', FAX)
def test_damage_in_fax_is_told(name: str) -> None:
    data = bytearray(fax(name))
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages[0]
        place = page.dataoffsets[0] + page.databytecounts[0] // 4
    data[place : place + 3] = bytes(3)
    found = scan(bytes(data))
    assert ' lost' in found.damage[0]
    same = (found.pixels.astype(bool) == LINES).all(axis=1)
    assert same[:4].all()
    if 'group3' in name:
        assert same.sum() > H - 8
    elif not same.all():
        # What is lost is white paper.
        assert found.pixels[-1].all()


def old_jpeg(cut: int = 0) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(GRAY).save(stream, 'JPEG', quality=95)
    jpeg = stream.getvalue()
    start = jpeg.index(b'\xff\xda')
    tags: Tags = {
        259: ('H', [6]),
        513: ('I', [8]),
        514: ('I', [start]),
        273: ('I', [8 + start]),
        279: ('I', [len(jpeg) - start - cut]),
    }
    return tiff(tags, [jpeg])


def test_old_style_jpeg() -> None:
    found = scan(old_jpeg())
    assert np.abs(found.pixels.astype(int) - GRAY).max() < 30
    assert found.damage == ()
    assert scan(old_jpeg(cut=900)).damage


def test_old_style_jpeg_without_a_stream_is_refused_by_its_name() -> None:
    tags: Tags = {259: ('H', [6]), 519: ('I', [8])}
    with pytest.raises(PhotoError, match='old-style JPEG'):
        scan(tiff(tags, [GRAY.tobytes()]))


def test_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    scan(tiff({42113: ('B', [*b'-1e99\0'])}, [GRAY.tobytes()]))
    assert not caplog.records


def test_pages_that_share_their_bytes() -> None:
    stream = io.BytesIO()
    tifffile.imwrite(
        stream, np.zeros((8000, 8000), np.uint8), compression='zlib'
    )
    data = stream.getvalue()
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages[0]
        start, end = page.offset, page.offset + 2 + 12 * len(page.tags)
    table = data[start:end]
    out = bytearray(data)
    for _ in range(200):
        struct.pack_into('<I', out, end, len(out))
        end = len(out) + len(table)
        out += table + bytes(4)
    found = TiffPhotos(io.BytesIO(out), len(out))
    assert 'share the same bytes' in found.trouble


def test_parts_of_a_page_that_share_their_bytes() -> None:
    many = 2**10
    tags: Tags = {
        256: ('I', [2**11]),
        257: ('I', [2**10 * many + 1]),
        259: ('H', [8]),
        273: ('I', [8] * many),
        278: ('I', [2**10]),
        279: ('I', [2**16] * many),
    }
    data = tiff(tags, [bytes(2**16)])
    trouble = TiffPhotos(io.BytesIO(data), len(data)).trouble
    assert trouble.startswith('the parts of its image lie over each other')


def test_a_channel_that_nobody_needs_may_be_missing(tmp_path):
    """Planes of unknown meaning are left out, whole or not."""
    gray = np.arange(50 * 50, dtype=np.uint8).reshape(50, 50)
    path = tmp_path / 'two.tif'
    tifffile.imwrite(
        path,
        np.stack([gray, gray]),
        photometric='minisblack',
        planarconfig='separate',
        extrasamples=['unspecified'],
        compression='zlib',
        metadata=None,
    )
    with tifffile.TiffFile(path, mode='r+') as tif:
        tag = tif.pages[0].tags['StripOffsets']
        counts = tif.pages[0].tags['StripByteCounts']
        tag.overwrite((tag.value[0], 0))
        counts.overwrite((counts.value[0], 0))
    photo = read_photo(path)
    assert photo.origin.damage == ()
    assert photo.shape == (50, 50)


@pytest.mark.parametrize(
    ('place', 'count', 'trouble'),
    [
        (0, 0, 'missing'),
        (0, None, 'missing'),
        (None, 0, 'missing'),
        (None, 1, ''),
        (10**6, None, 'missing'),
        (8, None, ''),
    ],
)
@pytest.mark.parametrize('compression', ['jpeg2000', 'lzw'])
def test_a_lost_tile_is_told_in_every_compression(
    tmp_path, rng, compression, place, count, trouble
):
    array = rng.integers(0, 255, (64, 80), np.uint8)
    path = tmp_path / 'photo.tif'
    tifffile.imwrite(path, array, tile=(32, 32), compression=compression)
    data = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as tif:
        tags = tif.pages.first.tags
        for tag, value in ((tags[324], place), (tags[325], count)):
            size = 4 if tag.dtype == 4 else 2
            if value is not None:
                at = tag.valueoffset + 4 * size
                data[at : at + size] = value.to_bytes(size, 'little')
    path.write_bytes(data)
    photo = read_photo(path, allow_damaged=True)
    (damage,) = photo.origin.damage
    assert damage.startswith('1 of its 6 tiles are not whole (4: ' + trouble)
    with pytest.raises(PhotoError, match='is damaged: 1 of its 6 tiles'):
        read_photo(path)


def test_boxes_around_a_jpeg_2000_tile_are_left_out(tmp_path, rng):
    """The page tells what its samples are; palettes may be of any size."""
    array = rng.integers(0, 255, (32, 32), np.uint8)
    stream = imagecodecs.jpeg2k_encode(array, level=0, codecformat='j2k')

    def box(kind: bytes, *content: bytes) -> bytes:
        body = b''.join(content)
        return struct.pack('>I4s', 8 + len(body), kind) + body

    values = struct.pack('>HB', 1, 2) + b'\7\7\1\2'
    mapping = struct.pack('>HBBHBB', 0, 1, 0, 0, 1, 1)
    told = struct.pack('>IIHBBBB', 32, 32, 1, 7, 7, 0, 0)
    space = struct.pack('>BBBI', 1, 0, 0, 17)
    tile = (
        box(b'jP  ', b'\r\n\x87\n')
        + box(b'ftyp', b'jp2 \0\0\0\0jp2 ')
        + box(
            b'jp2h',
            box(b'ihdr', told),
            box(b'colr', space),
            box(b'pclr', values),
            box(b'cmap', mapping),
        )
        + box(b'jp2c', bytes(stream))
    )
    path = tmp_path / 'photo.tif'
    options = {'tile': (32, 32), 'compression': 'jpeg2000'}
    shape = {'shape': array.shape, 'dtype': array.dtype}
    tifffile.imwrite(path, iter([tile]), **shape, **options)
    photo, whole = read_photo(path), read_photo(array)
    np.testing.assert_array_equal(photo.lightness, whole.lightness)
