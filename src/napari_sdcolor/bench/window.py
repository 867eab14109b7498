"""Strokes inside a real napari window, where there is one."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from napari_sdcolor.bench.timing import Row
from napari_sdcolor.errors import SdcolorError

if TYPE_CHECKING:
    from napari_sdcolor.core.engine import Colorizer


def measure(colorizer: Colorizer, left_out: list[str]) -> list[Row]:
    """Stroke to color, and time on the thread of the window per move.

    Raises
    ------
    SdcolorError
        If napari, Qt or a display are not there.
    """
    if find_spec('napari') is None or find_spec('qtpy') is None:
        raise SdcolorError('napari and Qt are not installed.')
    if find_spec('napari_sdcolor.plugin.stroke_timing') is None:
        raise SdcolorError('this version has no measurement of it.')
    from napari_sdcolor.plugin import stroke_timing

    return stroke_timing.rows(colorizer)
