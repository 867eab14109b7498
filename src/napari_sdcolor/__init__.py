"""Semantic-driven colorization in napari: an editable map of what is in a
gray photo steers its color.

``Colorizer`` and ``read_photo`` are imported when first used, so that
importing the package loads neither torch nor Qt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_sdcolor._version import __version__

if TYPE_CHECKING:
    from napari_sdcolor.archive.reading import read_photo
    from napari_sdcolor.core.engine import Colorizer

__all__ = ('Colorizer', '__version__', 'read_photo')


def __getattr__(name: str) -> Any:
    if name == 'Colorizer':
        from napari_sdcolor.core.engine import Colorizer

        return Colorizer
    if name == 'read_photo':
        from napari_sdcolor.archive.reading import read_photo

        return read_photo
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
