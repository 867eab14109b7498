"""Writer contributions: every file carries its mark and its sidecar.

napari's own file types come first in its Save dialog, and there is no way
to take part in what they write. So a dock looks at the files afterwards.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image
from napari.utils.history import get_save_history

from napari_sdcolor.errors import LabelsError, SaveError
from napari_sdcolor.plugin import saving
from napari_sdcolor.plugin.engine import Engine
from napari_sdcolor.plugin.listener import Listener
from napari_sdcolor.plugin.notices import show_info, show_warning
from napari_sdcolor.plugin.photo_layers import METADATA_KEY
from napari_sdcolor.plugin.restoring import Restored
from napari_sdcolor.plugin.source import PhotoSource
from napari_sdcolor.plugin.trio import Trio
from napari_sdcolor.settings import window_words

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_sdcolor.core.results import Colorized

LayerData = tuple[Any, dict[str, Any], str]

RECENT = 10.0
"""Seconds: a file that is younger was written by the Save just before."""

_SAVE_SELECTED = 'napari.window.file.save_layers_dialog.selected'
_SAVE_ALL = 'napari.window.file.save_layers_dialog'

written: set[Path] = set()
"""Files that these writers wrote since the start: they carry their mark."""


def write(path: str, layers: list[LayerData]) -> list[str]:
    """Save a color layer of ours, or a photo together with its map.

    One contribution for both, as napari asks writers of a fixed single
    type before its own: it must stay free for other images.

    Parameters
    ----------
    path
        Ends in .tif, .tiff or .png.
    layers
        One image, or one image and one labels layer.

    Raises
    ------
    SaveError
        If the file exists, the map does not fit the photo, or the layers
        are not for us.
    """
    from napari_sdcolor.archive.saving import save_as

    engine = Engine()
    image, *maps = sorted(layers, key=_image_first)
    trio = _trio_of(maps[0] if maps else image)
    if trio is not None:
        request = saving.as_shown(trio, trio.plane, engine.settings())
        result = saving.full_result(engine.get(request.settings), request)
    elif not maps:
        raise SaveError(
            'This layer was not colored by napari-sdcolor, or its semantic '
            'map was deleted. Choose another writer to save it as it is.'
        )
    else:
        result = _colored(engine, *image[:2], maps[0][0])
    paths = save_as(result, Path(path))
    written.update(paths)
    names = ', '.join(made.name for made in paths)
    show_info(f'Saved in {Path(path).parent}: {names}')
    return [str(made) for made in paths]


def _trio_of(layer: LayerData) -> Trio | None:
    """Of a color or a map that a dock made, which knows what it is of."""
    trio = layer[1].get('metadata', {}).get(METADATA_KEY)
    if isinstance(trio, Restored):
        raise SaveError(
            'Open Plugins > Colorize first: it goes on with the layers of a '
            'saved result, and can save them again.'
        )
    there = isinstance(trio, Trio) and trio.map is not None
    return trio if there else None


def _colored(
    engine: Engine, pixels: Any, meta: dict[str, Any], labels: Any
) -> Colorized:
    """Color a photo with a map, both as layers hold them."""
    from napari_sdcolor.archive.labels import fit_labels
    from napari_sdcolor.archive.one_file import GivenMap, Page, color_page
    from napari_sdcolor.core.photo import photo_from_array

    window = _window(np.asarray(pixels), meta)
    settings = replace(engine.settings(), window=window_words(window))
    photo = photo_from_array(
        np.asarray(pixels),
        window=window,
        rgb=bool(meta.get('rgb')),
        name=str(meta.get('name', 'The image')),
    )
    try:
        fitted, notes = fit_labels(np.asarray(labels), photo, settings.size)
    except LabelsError as error:
        # It is a ValueError, too, which napari takes for "no such writer"
        # and keeps to itself.
        raise SaveError(str(error)) from error
    page = Page(photo, GivenMap(fitted, 'given', notes, ask=False))
    return color_page(engine.get(settings), page, settings)


def _image_first(layer: LayerData) -> bool:
    return layer[2] != 'image'


def _window(
    pixels: np.ndarray, meta: dict[str, Any]
) -> str | tuple[float, float]:
    """The tones of a layer that napari describes, as the dock takes them."""
    limits = meta.get('contrast_limits')
    layer = Image(pixels, rgb=bool(meta.get('rgb')))
    if limits and not layer.rgb:
        layer.contrast_limits = limits
    return PhotoSource(layer).window('auto')


# --- what napari wrote by itself ------------------------------------------


class UnmarkedWarning(Listener):
    """Watches the two Save actions of napari's File menu.

    Parameters
    ----------
    viewer
        Whose window; a viewer without one is left alone.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self.viewer = viewer
        window = getattr(viewer, 'window', None)
        if window is None:
            return
        slots = {
            _SAVE_SELECTED: self._on_saved_selected,
            _SAVE_ALL: self._on_saved_all,
        }
        for action in window.file_menu.actions():
            slot = slots.get(action.objectName())
            if slot is not None:
                # After napari's own slot, which returns when it has saved.
                self.listen(action, [(action.triggered, slot)])

    def _on_saved_selected(self, checked: bool = False) -> None:
        self._tell(self.viewer.layers.selection)

    def _on_saved_all(self, checked: bool = False) -> None:
        self._tell(self.viewer.layers)

    def _tell(self, layers: object) -> None:
        if not any(
            isinstance(layer, Image) and METADATA_KEY in layer.metadata
            for layer in layers
        ):
            return
        path = newest(Path(get_save_history()[0]))
        if path is None or path in written:
            return
        show_warning(
            f'{path.name} was saved by napari itself: it carries no mark '
            'that a machine colored it, and no sidecar. "Save…" in the dock '
            'Colorize, or the type "Colored photo with mark and sidecar", '
            'writes both.'
        )


def newest(folder: Path) -> Path | None:
    """What was written in a folder just now, if anything."""
    try:
        dated = [(path.stat().st_mtime, path) for path in folder.iterdir()]
    except OSError:
        return None
    when, path = max(dated, default=(0.0, folder))
    return path if time.time() - when < RECENT else None
