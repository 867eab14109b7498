"""From the pixels of a PNG, JPEG, WebP or JPEG 2000 file to a scan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from napari_sdcolor.archive.heard import without_warnings
from napari_sdcolor.archive.scan import (
    COLOR_BAND,
    DECODE_ERRORS,
    HARMLESS_BYTES,
    TEXT_TAGS,
    Scan,
    clean_orientation,
    clean_resolution,
    clean_texts,
    refuse_beyond_memory,
    refuse_bomb,
)
from napari_sdcolor.core.tone import NO_TAGS, STRIP, ToneTags
from napari_sdcolor.errors import PhotoError

MAX_SURPLUS = 2
"""No photo takes so many times the bytes of its pixels: something else is
in the file, or nothing at all (a hole of the file system)."""


@dataclass(frozen=True)
class Claim:
    """What a picture says of itself before it is decoded.

    Parameters
    ----------
    width, height
        In pixels.
    pixel_bytes
        Of one decoded pixel.
    kept
        Further bytes per pixel that its decoder takes.
    fixed
        Bytes that its decoder takes whatever its size.
    least
        A file of fewer bytes cannot hold it.
    """

    width: int
    height: int
    pixel_bytes: float
    kept: float = 0
    fixed: float = 0
    least: int = 0

    def judge(self, size: int) -> None:
        """Refuse what no photo is, and what this machine cannot hold.

        Parameters
        ----------
        size
            Bytes of the file, none of which was read yet.

        Raises
        ------
        PhotoError
            The message is the reason only; the caller names the file.
        """
        if size < self.least:
            raise PhotoError('the file ends before the image does')
        refuse_bomb(self.width, self.height, self.pixel_bytes, size)
        pixels = self.width * self.height
        decoded = pixels * self.pixel_bytes
        if size > max(HARMLESS_BYTES, MAX_SURPLUS * decoded):
            raise PhotoError(
                f'it holds {size} bytes for {self.width} × {self.height} '
                'pixels, far more than such a picture takes'
            )
        # Decoders hold two copies, of the pixels and of the file's bytes; L*
        # comes on top.
        each = 2 * self.pixel_bytes + 4 + self.kept
        band = min(pixels, STRIP) * COLOR_BAND
        refuse_beyond_memory(3 * size + pixels * each + band + self.fixed)


def raster_scan(
    array: NDArray,
    info: dict,
    facts: str,
    *,
    resolution: tuple[object, object, object] | None = None,
    texts: Sequence[tuple[str, object]] = (),
    notes: Sequence[str] = (),
    tags: ToneTags = NO_TAGS,
) -> Scan:
    """Tell what pixels mean.

    Parameters
    ----------
    array
        (H, W), or (H, W, 1 to 4): gray or color, then alpha.
    info
        Bytes of ``exif`` and ``icc_profile``, where the file has them.
    facts, notes, tags
        As of ``Scan``.
    resolution
        Across, down and unit; None takes that of the EXIF data.
    texts
        Name and text of what is carried besides that of the EXIF data.

    Raises
    ------
    PhotoError
        If there are more channels.
    """
    exif, said = _exif(info.get('exif'))
    if resolution is None:
        resolution = exif.get(282), exif.get(283), exif.get(296, 2)
    if array.ndim == 2:
        array = array[..., None]
    if array.shape[-1] > 4:
        raise PhotoError(f'it holds {array.shape[-1]} channels')
    colors = 3 if array.shape[-1] > 2 else 1
    pixels, alpha = array[..., :colors], None
    if array.shape[-1] > colors:
        alpha = np.ascontiguousarray(array[..., colors])
    carried = dict(
        clean_texts((name, exif.get(tag)) for name, tag in TEXT_TAGS.items())
    )
    carried.update(clean_texts(texts))
    return Scan(
        pixels=pixels[..., 0] if colors == 1 else pixels,
        alpha=alpha,
        tags=tags,
        icc=info.get('icc_profile') or None,
        orientation=clean_orientation(exif.get(274)),
        resolution=clean_resolution(*resolution),
        texts=tuple(sorted(carried.items())),
        facts=facts,
        notes=(*notes, *said),
    )


def _exif(data: bytes | None) -> tuple[dict[int, object], tuple[str, ...]]:
    exif = Image.Exif()
    if not data:
        return {}, ()
    try:
        with without_warnings():
            exif.load(data)
            return {tag: _utf8(value) for tag, value in exif.items()}, ()
    except DECODE_ERRORS:
        return {}, ('The EXIF data is damaged and was left out.',)


def _utf8(value: object) -> object:
    """Undo Pillow's reading of UTF-8 as Latin-1."""
    if isinstance(value, str):
        try:
            return value.encode('latin-1').decode('utf-8')
        except UnicodeError:
            pass
    return value
