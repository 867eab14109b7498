"""Reader contributions: a sidecar brings photo, map and color back.

A saved map alone opens as labels, not as a picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image
from numpy.typing import NDArray

from napari_sdcolor.archive.formats import LABELS_SUFFIX, SIDECAR_SUFFIX
from napari_sdcolor.core.depth import in_eight_bits
from napari_sdcolor.errors import PhotoError, SdcolorError
from napari_sdcolor.plugin.notices import show_warning
from napari_sdcolor.plugin.palette import names, palette
from napari_sdcolor.plugin.photo_layers import METADATA_KEY
from napari_sdcolor.plugin.placement import (
    color_fields,
    map_fields,
    placed,
    turned,
)
from napari_sdcolor.plugin.provenance import SOURCE_KEY
from napari_sdcolor.plugin.restoring import Restored
from napari_sdcolor.settings import Settings, window_words

if TYPE_CHECKING:
    from napari_sdcolor.archive.companions import Companions
    from napari_sdcolor.core.photo import Photo


LayerData = tuple[Any, dict[str, Any], str]


def get_reader(
    path: str | list[str],
) -> Callable[[str | list[str]], list[LayerData]] | None:
    """What reads a path, if it is the sidecar of a colored photo."""
    if isinstance(path, str) and path.endswith(SIDECAR_SUFFIX):
        return read
    return None


def read(path: str | list[str]) -> list[LayerData]:
    """Photo, color and map of a sidecar, as they were when it was saved.

    Files that are missing or were changed are told in a warning.

    Parameters
    ----------
    path
        ``NAME.sdcolor.json``.

    Returns
    -------
    list of tuple
        Three layers for each photo. Pages of one shape are one stack.

    Raises
    ------
    SdcolorError
        If the sidecar, the photo or its map cannot be read.
    """
    from napari_sdcolor.archive.companions import find_companions
    from napari_sdcolor.archive.sidecar import read_sidecar

    content = read_sidecar(str(path))
    found = find_companions(str(path), content)
    if found.photo is None and not found.sample:
        raise PhotoError(f'{path} cannot be shown. {" ".join(found.changes)}')
    settings = _settings(str(path), content, found.changes)
    name = Path(path).name.removesuffix(SIDECAR_SUFFIX)
    pages = _read_pages(str(path), content, found, settings)
    # After reading, which has changes to tell as well.
    for words in dict.fromkeys(found.changes):
        show_warning(words)
    if len({page['photo'].shape for page in pages}) == 1 < len(pages):
        pages = [_stacked(pages)]
    several = len(pages) > 1
    layers: list[LayerData] = []
    for number, page in enumerate(pages):
        title = f'{name} page {number}' if several else name
        layers += _layers(title, content, found, settings, page)
    return layers


def _settings(
    path: str, content: Mapping[str, Any], changes: list[str]
) -> Settings:
    from napari_sdcolor.archive.sidecar import window_of

    window = window_of(content, 0)
    if not isinstance(window, str):
        # The layers go on with it, too.
        points = window_words((window.low, window.high))
        content = {
            **content,
            'settings': {**content['settings'], 'window': points},
        }
    try:
        return Settings.from_dict(content['settings'])
    except SdcolorError as error:
        changes.append(
            f'Some settings are not understood by this version ({error})'
        )
    known = ('size', 'saturation', 'window')
    try:
        return Settings.from_dict(
            {name: content['settings'][name] for name in known}
        )
    except SdcolorError as error:
        raise SdcolorError(f'{path} cannot be shown: {error}') from error


def _read_pages(
    path: str,
    content: Mapping[str, Any],
    found: Companions,
    settings: Settings,
) -> list[dict[str, Any]]:
    """Photo, map and color of each page as arrays."""
    from napari_sdcolor.archive.companions import open_source
    from napari_sdcolor.archive.scan import refuse_beyond_memory
    from napari_sdcolor.archive.sidecar import window_of

    pages = []
    with open_source(path, content, found.photo) as file:
        for number, page in enumerate(file.pages):
            photo, pixels = file.read_with_pixels(
                page, window=window_of(content, number)
            )
            if not number:
                # All are shown together.
                known = file.page_bytes and [
                    file.page_bytes[each] for each in file.pages
                ]
                one = pixels.nbytes + 3 * math.prod(photo.shape)
                try:
                    refuse_beyond_memory(2 * sum(known or [one]))
                except PhotoError as error:
                    raise PhotoError(
                        f'{path} cannot be shown: {error}.'
                    ) from error
            pages.append(
                {
                    'photo': pixels,
                    'labels': _read_map(found, number, photo, settings),
                    'color': _read_color(content, found, number, photo.shape),
                    'window': photo.window,
                    'orientation': photo.origin.orientation,
                    'told': [content['pages'][number]],
                    'maps': [found.maps[number]],
                }
            )
    return pages


def _read_map(
    found: Companions, number: int, photo: Photo, settings: Settings
) -> NDArray[np.uint8] | None:
    from napari_sdcolor.archive.labels import read_labels

    path = found.maps[number]
    if path is None:
        return None
    labels, notes = read_labels(path, photo, settings.size)
    found.changes += notes
    return labels


def _read_color(
    content: Mapping[str, Any],
    found: Companions,
    number: int,
    shape: tuple[int, int],
) -> NDArray[np.uint8] | None:
    """(H, W, 3) as the screen shows it, in 8 bits."""
    from napari_sdcolor.archive.reading import open_photos

    if found.color is None:
        return None
    several = len(content['pages']) > 1
    try:
        with open_photos(found.color, number if several else None) as file:
            _, pixels = file.read_with_pixels(file.pages[0])
    except PhotoError as error:
        found.changes.append(str(error))
        return None
    if pixels.shape != (*shape, 3):
        found.changes.append(
            f'The colored file {found.color.name} has another size than the '
            'photo and is not shown.'
        )
        return None
    return in_eight_bits(pixels)


def _stacked(pages: list[dict[str, Any]]) -> dict[str, Any]:
    """Pages of one shape as one page with a further axis."""
    stack: dict[str, Any] = {
        name: pages[0][name] for name in ('window', 'orientation')
    }
    for name in ('photo', 'labels', 'color'):
        planes = [page[name] for page in pages]
        there = [plane for plane in planes if plane is not None]
        stack[name] = None
        if there:
            empty = np.zeros_like(there[0])
            stack[name] = np.stack(
                [empty if plane is None else plane for plane in planes]
            )
    for name in ('told', 'maps'):
        stack[name] = [page[name][0] for page in pages]
    return stack


def _layers(
    title: str,
    content: Mapping[str, Any],
    found: Companions,
    settings: Settings,
    page: Mapping[str, Any],
) -> list[LayerData]:
    pixels, labels, color = page['photo'], page['labels'], page['color']
    rgb = pixels.shape[-1] == 3 and pixels.ndim > 2
    limited = not rgb and pixels.dtype != bool
    restored = Restored(
        path=found.photo,
        sample=found.sample,
        limits=page['window'] if limited else None,
        window=settings.window,
        pages=[told['page'] for told in page['told']],
        settings=settings,
        facts=[told['labels'] for told in page['told']],
        maps=page['maps'],
        has_color=color is not None,
    )
    beside = {'metadata': {SOURCE_KEY: restored}}
    place = placed(content['run'], pixels, rgb)
    if not place and page['orientation'] != 1:
        plain = Image(np.zeros((2,) * (pixels.ndim - rgb)))
        size = pixels.shape[pixels.ndim - rgb - 2 :][:2]
        place = {'affine': turned(plain, size, page['orientation'])}
    shown = {'name': title, 'rgb': rgb, **place}
    if limited:
        shown['contrast_limits'] = page['window']
    # A layer of its own tells where color and map lie over it.
    model = Image(pixels, **shown)
    layers: list[LayerData] = [(pixels, {**shown, **beside}, 'image')]
    if color is not None:
        # Known as ours, so that nobody takes it for a photo.
        metadata = {METADATA_KEY: restored, SOURCE_KEY: restored}
        fields = {**color_fields(model), 'metadata': metadata}
        layers.append((color, fields, 'image'))
    if labels is not None:
        shape = model.data.shape[model.ndim - 2 :][:2]
        fields = map_fields(model, shape, labels.shape[-2:])
        layers.append((labels, {**fields, **beside}, 'labels'))
    return layers


# --- maps alone -----------------------------------------------------------


def get_map_reader(
    path: str | list[str],
) -> Callable[[str | list[str]], list[LayerData]] | None:
    """What reads a path, if it is the map of a photo."""
    if isinstance(path, str) and path.endswith(LABELS_SUFFIX):
        return read_map
    return None


def read_map(path: str | list[str]) -> list[LayerData]:
    """The ids of a map, in the colors and with the names of the classes.

    Parameters
    ----------
    path
        ``NAME.labels.png``.

    Returns
    -------
    list of tuple
        One labels layer (h, w).

    Raises
    ------
    LabelsError
        If the file cannot be read.
    """
    from napari_sdcolor.archive.label_files import read_ids

    shown = {
        'name': Path(str(path)).name.removesuffix('.png'),
        'colormap': palette(),
        'features': names(),
    }
    return [(read_ids(str(path)), shown, 'labels')]
