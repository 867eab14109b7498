"""Trios of layers that were opened from a sidecar.

A reader knows no viewer, and no dock may be open when it works. So its
layers carry one common object, by which a dock finds out what belongs
together, now or later.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Image, Labels

from napari_sdcolor.plugin.provenance import SOURCE_KEY, Opened
from napari_sdcolor.plugin.trio import METADATA_KEY, Trio

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_sdcolor.settings import Settings


@dataclass(eq=False, kw_only=True)
class Restored(Opened):
    """What a sidecar told about the layers that carry this object.

    Parameters
    ----------
    settings
        As the color was made.
    facts
        What the sidecar says about the map of each plane.
    maps
        Files of the maps, None where there is none.
    has_color, has_map
        Which layers there are beside the photo.
    taken
        A trio follows the layers by now.
    """

    settings: Settings
    facts: list[dict[str, Any]]
    maps: list[Path | None] = field(default_factory=list)
    has_color: bool = True
    has_map: bool = True
    taken: bool = False


def take_over(viewer: ViewerModel) -> list[Trio]:
    """Trios of all restored layers that are complete and nobody follows.

    Parameters
    ----------
    viewer
        Holds the layers.
    """
    groups: dict[Restored, list[Any]] = {}
    for layer in viewer.layers:
        restored = layer.metadata.get(SOURCE_KEY)
        if isinstance(restored, Restored) and not restored.taken:
            groups.setdefault(restored, []).append(layer)
    trios = []
    for restored, layers in groups.items():
        photo = color = map_ = None
        for layer in layers:
            if isinstance(layer, Labels):
                map_ = layer
            elif METADATA_KEY in layer.metadata:
                color = layer
            elif isinstance(layer, Image):
                photo = layer
        complete = (color is not None) == restored.has_color
        if photo is not None and map_ is not None and complete:
            trios.append(_trio(viewer, restored, photo, color, map_))
    return trios


def _trio(
    viewer: ViewerModel,
    restored: Restored,
    photo: Image,
    color: Image | None,
    map_: Labels,
) -> Trio:
    restored.taken = True
    settings = restored.settings
    trio = Trio(viewer, photo)
    trio.size = settings.size
    trio.saturation = settings.saturation
    trio.window = _window(settings, photo)
    trio.adopt(color, map_)
    for plane, facts in enumerate(restored.facts):
        labels, _ = trio.snapshot(plane)
        if facts['origin'] == 'predicted':
            trio.predicted[plane] = labels
        if facts['mean_confidence'] is not None:
            trio.confidence[plane] = facts['mean_confidence']
        if restored.maps[plane] is not None:
            trio.saved_maps[plane] = (restored.maps[plane], labels)
        if color is not None:
            trio.colored[plane] = labels
            trio.requested[plane] = labels
            trio.saturated[plane] = settings.saturation
    return trio


def _window(settings: Settings, photo: Image) -> str:
    """The widget's choice that means the tone window of the result."""
    if settings.window in ('auto', 'type', 'minmax') or photo.rgb:
        return settings.window if ',' not in settings.window else 'auto'
    return 'contrast'
