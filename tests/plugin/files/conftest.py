"""Files that say more than their samples, drawn small."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from napari.layers import Image
from numpy.typing import NDArray
from PIL import Image as PillowImage

from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.plugin.engine import Engine
from napari_sdcolor.plugin.widget import ColorizeWidget
from napari_sdcolor.settings import Settings

HEIGHT, WIDTH = 60, 80
TURNED = [(274, 'H', 1, 6, True)]


def gray() -> NDArray[np.uint8]:
    """The one picture that all files show, (60, 80)."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    wave = np.sin(y / 11) * np.cos(x / 7)
    return np.uint8(np.clip(40 + 2 * x + 40 * wave, 0, 255))


def color() -> NDArray[np.uint8]:
    """(60, 80, 3)."""
    one = gray()
    return np.dstack([one, np.roll(one, 7, 1), one[::-1]])


def gray_profile(gamma: float) -> bytes:
    """The smallest gray ICC profile."""
    curve = struct.pack('>4s4xIH2x', b'curv', 1, round(gamma * 256))
    name = b'desc\0\0\0\0' + struct.pack('>I', 5) + b'test\0' + b'\0' * 79
    white = b'XYZ \0\0\0\0' + struct.pack('>3i', 63190, 65536, 54061)
    tags = [
        (b'desc', name),
        (b'wtpt', white),
        (b'cprt', b'text\0\0\0\0none\0\0\0\0'),
        (b'kTRC', curve),
    ]
    head, body = struct.pack('>I', len(tags)), b''
    for key, value in tags:
        value += b'\0' * (-len(value) % 4)
        place = 132 + 12 * len(tags) + len(body)
        head += key + struct.pack('>II', place, len(value))
        body += value
    size = 128 + len(head) + len(body)
    start = struct.pack('>I', size) + b'lcms\2\x10\0\0mntrGRAYXYZ '
    start += struct.pack('>6H', 2000, 1, 1, 0, 0, 0) + b'acsp' + b'\0' * 28
    start += struct.pack('>3i', 63190, 65536, 54061)
    return start.ljust(128, b'\0') + head + body


def _tiff(path: Path, array: NDArray, kind: str, **tags: object) -> None:
    tifffile.imwrite(path, array, photometric=kind, **tags)


def _pages(path: Path, *pages: tuple[NDArray, dict]) -> None:
    with tifffile.TiffWriter(path) as tif:
        for array, tags in pages:
            tif.write(array, photometric='minisblack', metadata=None, **tags)


def _picture(path: Path, array: NDArray, mode: str = '', **more) -> None:
    image = PillowImage.fromarray(array)
    (image.convert(mode) if mode else image).save(path, **more)


def _turned(path: Path) -> None:
    exif = PillowImage.Exif()
    exif[274] = 6
    _picture(path, gray(), exif=exif)


def _negative_palette(path: Path) -> None:
    ramp = np.arange(255, -1, -1, dtype=np.uint16) * 257
    tifffile.imwrite(
        path, gray(), photometric='palette', colormap=np.stack([ramp] * 3)
    )


def _signed_jp2(path: Path) -> None:
    path.write_bytes(
        imagecodecs.jpeg2k_encode(
            gray().astype(np.int16) * 16 - 2048,
            level=0,
            codecformat='jp2',
            bitspersample=12,
        )
    )


def _gap(path: Path) -> None:
    pixels = np.float32(gray()) / 255
    pixels[:10] = -3.4028235e38
    nodata = (42113, 2, 0, '-3.40282346638529e+38', True)
    _tiff(path, pixels, 'minisblack', extratags=[nodata])


def _below(path: Path) -> None:
    pixels = np.float32(gray()) / 510
    pixels[5, 5] = -1e-7
    _tiff(path, pixels, 'minisblack')


def _planar(path: Path) -> None:
    planes = np.moveaxis(color(), -1, 0)
    tags = {'planarconfig': 'separate', 'metadata': None}
    _tiff(path, planes, 'rgb', **tags)


def _gray_alpha(path: Path) -> None:
    both = np.dstack([gray(), 255 - gray()])
    _tiff(
        path,
        both,
        'minisblack',
        extrasamples=['unassalpha'],
        planarconfig='contig',
        metadata=None,
    )


DRAWN: dict[str, Callable[[Path], None]] = {
    'plain.tif': lambda path: _tiff(path, gray(), 'minisblack'),
    'min_is_white.tif': lambda path: _tiff(
        path, 255 - gray(), 'miniswhite', resolution=(300, 300)
    ),
    'deep_min_is_white.tif': lambda path: _tiff(
        path, 65535 - gray().astype(np.uint16) * 257, 'miniswhite'
    ),
    'scan_min_is_white.tif': lambda path: _tiff(
        path, 4095 - gray().astype(np.uint16) * 16, 'miniswhite'
    ),
    'negative_palette.tif': _negative_palette,
    'dot_gain.tif': lambda path: _tiff(
        path, gray(), 'minisblack', iccprofile=gray_profile(1.2)
    ),
    'dot_gain.jpg': lambda path: _picture(
        path, gray(), icc_profile=gray_profile(1.2), quality=95
    ),
    'album.tif': lambda path: _pages(path, (gray(), {}), (gray()[:40], {})),
    'gray_alpha.tif': _gray_alpha,
    'planar.tif': _planar,
    'turned.tif': lambda path: _tiff(
        path, gray(), 'minisblack', extratags=TURNED
    ),
    'fax.tif': lambda path: _picture(path, gray() > 110, compression='group4'),
    'int16.tif': lambda path: _tiff(
        path, gray().astype(np.int16) * 16, 'minisblack'
    ),
    'uint16.tif': lambda path: _tiff(
        path, gray().astype(np.uint16) * 16, 'minisblack'
    ),
    'int32.tif': lambda path: _tiff(
        path, gray().astype(np.int32) * 257, 'minisblack'
    ),
    'float_nodata.tif': _gap,
    'float_below_0.tif': _below,
    'gray_palette.png': lambda path: _picture(path, gray(), 'P'),
    'gray_in_rgb.png': lambda path: _picture(path, np.dstack([gray()] * 3)),
    'gray_alpha.png': lambda path: _picture(path, gray(), 'LA'),
    'color_alpha.png': lambda path: _picture(path, color(), 'RGBA'),
    'palette.png': lambda path: _picture(path, color(), 'P'),
    'two_tones.png': lambda path: _picture(path, gray() > 110),
    'deep.png': lambda path: _picture(path, gray().astype(np.uint16) * 257),
    'whole.jpg': lambda path: _picture(path, gray(), quality=92),
    'turned.jpg': _turned,
    'turned.png': _turned,
    'jfif.jfif': lambda path: _picture(path, gray(), format='JPEG'),
    'signed.jp2': _signed_jp2,
    'thumb_first.tif': lambda path: _pages(
        path, (gray()[::3, ::3].copy(), {'subfiletype': 1}), (gray(), {})
    ),
}
"""What each file of a kind is like; all show ``gray`` or ``color``."""


@pytest.fixture
def draw(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a file of a kind."""

    def write(kind: str) -> Path:
        folder = tmp_path / 'photos'
        folder.mkdir(exist_ok=True)
        DRAWN[kind](folder / kind)
        return folder / kind

    return write


class SavedEngine(Engine):
    """Lends the networks that the command line loads, too."""

    def __init__(self, weights: str) -> None:
        super().__init__()
        self._settings = Settings(size=64, device='cpu', weights=weights)
        self._colorizer = Colorizer.load(weights, device='cpu', size=64)

    def settings(self) -> Settings:
        return self._settings

    def get(self, settings: Settings) -> Colorizer:
        return self._colorizer


@pytest.fixture
def engine(tiny_model: str) -> SavedEngine:
    return SavedEngine(tiny_model)


@pytest.fixture
def open_photo(viewer, tmp_plugin) -> Iterator[Callable[[Path], Image]]:
    """Opens files with napari's own readers."""

    def open_one(path: Path) -> Image:
        (layer,) = viewer.open(path, plugin='napari')
        return layer

    with tmp_plugin('napari'):
        yield open_one


@pytest.fixture
def dock(
    viewer, open_photo, make_widget, settle
) -> Callable[[Path], ColorizeWidget]:
    """The dock beside a photo that napari opened; nothing was pressed."""

    def beside(path: Path) -> ColorizeWidget:
        open_photo(path)
        widget = make_widget(viewer)
        settle(widget)
        return widget

    return beside


@pytest.fixture
def save(tmp_path, settle) -> Callable[[ColorizeWidget], Path]:
    """Saves what a dock shows; the colored file."""

    def one(widget: ColorizeWidget) -> Path:
        folder = tmp_path / 'by dock'
        folder.mkdir(exist_ok=True)
        trio = widget.coordinator.trio
        path = folder / f'{trio.source.path.stem}.color.tif'
        widget.coordinator.saver.save(trio, path)
        settle(widget)
        assert path.is_file(), widget.views.save.words.text()
        return path

    return one
