"""The widget "Colorize once": photo, map and settings in, layers out.

For scripts and pipelines that want a result and no dock that follows. The
function behind the widget takes and returns plain values::

    for data in color_layers(viewer.layers['castle'], saturation=1.2):
        viewer.add_layer(Layer.create(*data))
"""

from typing import Annotated, Any

import numpy as np
from magicgui import magic_factory
from napari.layers import Image, Labels
from napari.qt.threading import FunctionWorker, thread_worker
from napari.types import LayerDataTuple

from napari_sdcolor.core.depth import in_eight_bits
from napari_sdcolor.errors import PhotoError
from napari_sdcolor.plugin import forms
from napari_sdcolor.plugin.engine import Engine
from napari_sdcolor.plugin.placement import (
    color_fields,
    map_fields,
    same_place,
)
from napari_sdcolor.plugin.source import PhotoSource
from napari_sdcolor.settings import Settings, window_words

_ENGINE = Engine()
"""Loads the networks once for all calls."""


def color_layers(
    photo: Image, labels: Labels | None = None, **settings: Any
) -> list[LayerDataTuple]:
    """Color a photo in one full pass.

    Parameters
    ----------
    photo
        One gray or color image; stacks are refused.
    labels
        A map of ids 0..59 with the photo's aspect; None predicts one.
    **settings
        Fields of ``settings.Settings``, such as ``saturation``.

    Returns
    -------
    list of LayerDataTuple
        The color (H, W, 3), uint8, and the map (h, w), uint8, placed over
        the photo.

    Raises
    ------
    PhotoError, LabelsError, SettingsError, WeightsError, DeviceError
        If it cannot be done, with a sentence that says why.
    """
    from napari_sdcolor.archive.labels import fit_labels

    source = PhotoSource(photo)
    if source.planes > 1:
        raise PhotoError(
            f'{photo.name} is a stack of {source.planes} planes. Take one '
            'plane out of it first (Layers > Data), or use the dock Colorize.'
        )
    wanted = {**_ENGINE.settings().to_dict(), **settings}
    window = source.window(wanted['window'])
    chosen = Settings(**{**wanted, 'window': window_words(window)})
    understood = source.read(0, window)
    fitted = None
    if labels is not None:
        fitted, _ = fit_labels(
            np.asarray(labels.data), understood, chosen.size
        )
    result = _ENGINE.get(chosen).colorize(understood, fitted, settings=chosen)
    # napari shows 8 bits of a color picture.
    rgb = in_eight_bits(np.asarray(result.rgb))
    flat = Image(
        source.pixels(0), name=photo.name, rgb=photo.rgb, **same_place(photo)
    )
    fields = map_fields(flat, result.photo.shape, result.labels.shape)
    return [
        (rgb, color_fields(flat), 'image'),
        (result.labels, fields, 'labels'),
    ]


@magic_factory(call_button='Colorize')
def colorize_once(
    photo: Image,
    labels: Labels | None = None,
    size: Annotated[Any, forms.options('size')] = Settings.size,
    saturation: Annotated[
        float, forms.options('saturation')
    ] = Settings.saturation,
    window: Annotated[str, forms.options('window')] = Settings.window,
    weights: Annotated[str, forms.options('weights')] = Settings.weights,
    device: Annotated[str, forms.options('device')] = Settings.device,
) -> FunctionWorker[list[LayerDataTuple]]:
    """Color a photo in the background; two layers appear when it is done."""
    run = thread_worker(
        color_layers,
        start_thread=True,
        progress={'desc': f'Coloring {photo.name}'},
    )
    return run(
        photo,
        labels,
        size=size,
        saturation=saturation,
        window=window,
        weights=weights,
        device=device,
    )
