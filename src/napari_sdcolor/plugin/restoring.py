"""Trios of layers that were opened from a sidecar.

A reader knows no viewer, and no dock may be open when it works. So its
layers carry one common object, by which a dock finds out what belongs
together, now or later.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Image, Labels

from napari_sdcolor.plugin.photo_layers import METADATA_KEY
from napari_sdcolor.plugin.plane import EDITED
from napari_sdcolor.plugin.provenance import SOURCE_KEY, Opened
from napari_sdcolor.plugin.status import Kind, Outcome
from napari_sdcolor.plugin.trio import Trio

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
    has_color
        Whether there is a layer of colors beside the photo.
    trio
        Follows the layers, once somebody took them over.
    """

    settings: Settings
    facts: list[dict[str, Any]]
    maps: list[Path | None] = field(default_factory=list)
    has_color: bool = True
    trio: Trio | None = None


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
        if isinstance(restored, Restored) and restored.trio is None:
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


def trios_of(layers: Iterable[Any]) -> list[Trio]:
    """Trios to which some layers belong, whoever follows them."""
    found: dict[Trio, None] = {}
    for layer in layers:
        trio = layer.metadata.get(METADATA_KEY)
        if not isinstance(trio, Trio):
            restored = layer.metadata.get(SOURCE_KEY)
            trio = getattr(restored, 'trio', None)
        if trio is not None and trio.owns(layer):
            found[trio] = None
    return list(found)


def _trio(
    viewer: ViewerModel,
    restored: Restored,
    photo: Image,
    color: Image | None,
    map_: Labels,
) -> Trio:
    settings = restored.settings
    trio = restored.trio = Trio(viewer, photo)
    trio.size = trio.detail = settings.size
    trio.saturation = settings.saturation
    trio.window = _window(settings, photo)
    trio.adopt(color, map_)
    for plane, facts in enumerate(restored.facts):
        labels, _ = trio.snapshot(plane)
        known = trio.planes[plane]
        known.give(
            labels,
            facts['origin'],
            facts['mean_confidence'],
            _edited(facts),
        )
        known.outcome = Outcome(Kind.RESTORED)
        if restored.maps[plane] is not None:
            known.saved = (restored.maps[plane], labels)
        if color is not None:
            known.shown = known.asked = trio.inputs(labels)
    return trio


def _edited(facts: dict[str, Any]) -> float:
    """Share of a map that a person had changed when it was saved."""
    if facts['origin'] != EDITED:
        return 0.0
    # Older sidecars do not tell how much it was.
    share = facts.get('edited_share')
    return 1.0 if share is None else share


def _window(settings: Settings, photo: Image) -> str:
    """The widget's choice that means the tone window of the result."""
    if ',' not in settings.window:
        return settings.window
    return 'auto' if photo.rgb else 'contrast'
