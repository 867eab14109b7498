"""Where one photo after the other lies open for correction.

What happens to a person's work: a map is kept when the person says "Save
and next". A map that was edited and then left by Skip, Back or by opening
another photo is kept as a draft, and is there again when the photo is
opened again, as long as the dock lives. Layers that the person opened are
never touched.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Layer
from numpy.typing import NDArray
from qtpy.QtCore import Signal

from napari_sdcolor.archive.saving import output_paths
from napari_sdcolor.batch.photo_settings import OWN
from napari_sdcolor.errors import PhotoError, SaveError
from napari_sdcolor.plugin.listener import Listener
from napari_sdcolor.plugin.photo_layers import METADATA_KEY
from napari_sdcolor.plugin.placement import map_place
from napari_sdcolor.plugin.restoring import trios_of
from napari_sdcolor.plugin.source import SOURCE_KEY
from napari_sdcolor.settings import Settings, Size, declared

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_sdcolor.plugin.coordinator import Coordinator
    from napari_sdcolor.plugin.jobs import Report
    from napari_sdcolor.plugin.trio import Trio

SAVE_KEY, SKIP_KEY, BACK_KEY = 'N', 'K', 'J'
"""On the layers of the photo that is being corrected only."""

EDITED = 'edited in napari'
"""Where such a map comes from, as in a sidecar."""

Maps = list[tuple[int | None, NDArray[np.uint8]]]


@dataclass(frozen=True)
class Look:
    """How a photo was colored in the dock, beside its map."""

    size: Size
    saturation: float
    window: str
    limits: tuple[float, float] | None

    @classmethod
    def of(cls, trio: Trio) -> Look:
        photo = trio.photo
        limits = None if photo.rgb else tuple(photo.contrast_limits)
        return cls(trio.size, trio.saturation, trio.window, limits)

    def put_back(self, trio: Trio) -> None:
        trio.saturation, trio.window = self.saturation, self.window
        if self.limits is not None:
            trio.photo.contrast_limits = self.limits


@dataclass(frozen=True)
class Draft:
    """What a person made of a photo: its maps, and how it is colored."""

    maps: Maps
    looks: list[Look]

    def same_as(self, other: Draft) -> bool:
        """Whether nothing was painted or set."""
        return (
            self.looks == other.looks
            and len(self.maps) == len(other.maps)
            and all(
                np.array_equal(one, another)
                for (_, one), (_, another) in zip(
                    self.maps, other.maps, strict=True
                )
            )
        )


class OpenPhoto(Listener):
    """Puts the layers of one photo into the viewer and takes them out.

    Parameters
    ----------
    viewer
        Receives the layers.
    colorize
        Opens the dock that colors what is painted, and brings it to the
        front.

    Signals
    -------
    left
        The person removed the open photo's layers.
    save_requested, skip_requested, back_requested
        A key was pressed on one of its layers.
    """

    left = Signal()
    save_requested = Signal()
    skip_requested = Signal()
    back_requested = Signal()

    def __init__(
        self,
        viewer: ViewerModel,
        colorize: Callable[[], Coordinator],
    ) -> None:
        super().__init__()
        self.viewer = viewer
        self.colorize = colorize
        self.key: str | None = None
        self.trios: list[Trio] = []
        self.drafts: dict[str, Draft] = {}
        self._opened = Draft([], [])
        self._opened_as: list[Settings] = []
        self._coordinator: Coordinator | None = None
        self._changed = self.once_after(0, self._on_changed)
        removed = viewer.layers.events.removed
        self.listen(viewer, [(removed, self._on_removed)])

    def close(self) -> None:
        """The dock goes away; what lies open stays in the viewer."""
        super().close()
        self._forget()

    @staticmethod
    def read(output: Path, key: str, report: Report) -> list[tuple]:
        """In the worker: photo, color and map of a result.

        Parameters
        ----------
        output
            Folder of the batch.
        key
            Of the photo's task.
        report
            Takes progress words.
        """
        from napari_sdcolor.plugin.readers import read

        report(f'Opening {key}…')
        folder, _, name = key.rpartition('/')
        return read(str(output_paths(output / folder, name).sidecar))

    def show(self, key: str, layers: list[tuple], weights: str) -> None:
        """Lay a photo open, in place of the one before.

        Parameters
        ----------
        key
            Of its task.
        layers
            As ``read`` gives them.
        weights
            Of the batch; it is colored with them as it is painted on.

        Raises
        ------
        PhotoError
            If something is missing without which no map can be painted.
        """
        self.clear()
        coordinator = self._coordinator = self.colorize()
        draft = self.drafts.pop(key, None)
        if draft is not None:
            layers = at_size_of(draft, layers)
        added = [Layer.create(*data) for data in layers]
        for layer in added:
            self.viewer.add_layer(layer)
        self.trios = trios_of(added)
        # Should several docks watch the layers, this one colors them.
        coordinator.trios.adopt()
        if not self.trios:
            for layer in added:
                self.viewer.layers.remove(layer)
            raise PhotoError(
                f'The map or the colored photo of {key} is missing, so there '
                'is nothing to paint on. Press Resume to have it made again.'
            )
        self.key = key
        for trio in self.trios:
            trio.weights = weights
        self._opened = self.draft()
        self._opened_as = [self.settings_of(trio) for trio in self.trios]
        self._set_keys(bound=True)
        self.viewer.layers.selection.active = self.trios[-1].map
        if draft is not None:
            self._put_back(draft)
        self.viewer.reset_view()

    def maps(self) -> Maps:
        """Page and map of everything that lies open."""
        return [
            (trio.source.page(plane), trio.snapshot(plane)[0])
            for trio in self.trios
            if trio.map is not None
            for plane in range(trio.source.planes)
        ]

    def draft(self) -> Draft:
        """What lies open, as it is now."""
        return Draft(self.maps(), [Look.of(trio) for trio in self.trios])

    def settings(self) -> Settings:
        """With which the open photo is to be colored.

        Those that it was opened with, and what the person changed since.

        Raises
        ------
        SaveError
            If pages of one file were given different ones.
        """
        changed: dict[str, Any] = {}
        for trio, before in zip(self.trios, self._opened_as, strict=True):
            now = self.settings_of(trio)
            for name in OWN:
                value = getattr(now, name)
                if value == getattr(before, name):
                    continue
                if changed.setdefault(name, value) != value:
                    title = declared(name).metadata['title']
                    raise SaveError(
                        f'{title} differs between the pages of {self.key}, '
                        'and one file has one. Choose the same for all of '
                        'them, then save again.'
                    )
        return replace(self._made_with(self.trios[0]), **changed)

    def settings_of(self, trio: Trio) -> Settings:
        """With which a page of the open photo is colored now."""
        return trio.settings(self._made_with(trio))

    @staticmethod
    def _made_with(trio: Trio) -> Settings:
        return trio.photo.metadata[SOURCE_KEY].settings

    def clear(self, *, keep_draft: bool = True) -> None:
        """Take the open photo's layers out of the viewer."""
        if self.key is None:
            return
        key, self.key = self.key, None
        now = self.draft()
        if keep_draft and not now.same_as(self._opened):
            self.drafts[key] = now
        self._set_keys(bound=False)
        trios, self.trios = self.trios, []
        for trio in trios:
            self._coordinator.trios.let_go(trio)

    def saved(self) -> None:
        """The open map is on the disk: its other copies are not needed."""
        for trio in self.trios:
            for plane in range(trio.source.planes):
                self._coordinator.autosaver.on_saved(trio, plane)

    def _put_back(self, draft: Draft) -> None:
        maps = dict(draft.maps)
        for trio in self.trios:
            for plane in range(trio.source.planes):
                labels = maps.get(trio.source.page(plane))
                if labels is not None:
                    trio.put_map(plane, labels)
        for look, trio in zip(draft.looks, self.trios, strict=False):
            look.put_back(trio)
        self._coordinator.show_state()
        self._coordinator.update()

    def _set_keys(self, *, bound: bool) -> None:
        """Bind the keys on the layers of the open photo, or release them."""
        # napari asks every function that is bound for its name: methods
        # have one, partials have none.
        keys = {
            SAVE_KEY: self._on_save_key,
            SKIP_KEY: self._on_skip_key,
            BACK_KEY: self._on_back_key,
        }
        for trio in self.trios:
            for layer in (trio.photo, trio.color, trio.map):
                if layer is None:
                    continue
                for key, answer in keys.items():
                    layer.bind_key(
                        key, answer if bound else None, overwrite=True
                    )

    def _on_save_key(self, layer: Layer) -> None:
        self.save_requested.emit()

    def _on_skip_key(self, layer: Layer) -> None:
        self.skip_requested.emit()

    def _on_back_key(self, layer: Layer) -> None:
        self.back_requested.emit()

    def _on_removed(self, event: object) -> None:
        if self.key is not None and self.trios:
            # Run puts another map in the place of one of another size.
            self._changed.start()

    def _on_changed(self) -> None:
        """Layers of the open photo went, and others may have come."""
        if self.key is None:
            return
        needed = [trio.photo for trio in self.trios]
        needed += [trio.map for trio in self.trios]
        if all(layer in self.viewer.layers for layer in needed):
            self._set_keys(bound=True)
        else:
            # Without its photo or map nothing can be saved any more.
            self._forget()
            self.left.emit()

    def _forget(self) -> None:
        """What lies open is no longer ours; it stays in the viewer."""
        self._set_keys(bound=False)
        self.key = None
        self.trios = []


def at_size_of(draft: Draft, layers: list[tuple]) -> list[tuple]:
    """The layers of a photo, its map as large as that of a draft.

    Parameters
    ----------
    draft
        What a person made of the photo.
    layers
        As ``OpenPhoto.read`` gives them.
    """
    maps, changed = dict(draft.maps), []
    for data, meta, kind in layers:
        restored = meta['metadata'][SOURCE_KEY]
        if kind == 'image' and METADATA_KEY not in meta['metadata']:
            photo = Image(data, **meta)
        if kind == 'labels':
            planes = [maps[page] for page in restored.pages if page in maps]
            shapes = {labels.shape for labels in planes}
            if len(planes) == len(restored.pages) and shapes != {
                data.shape[-2:]
            }:
                # It was found anew in another detail; the person's by now.
                restored.settings = replace(
                    restored.settings, size=draft.looks[0].size
                )
                restored.facts = [
                    facts | {'origin': EDITED} for facts in restored.facts
                ]
                data = planes[0] if data.ndim == 2 else np.stack(planes)
                shape = photo.data.shape[photo.ndim - 2 :][:2]
                meta = meta | map_place(photo, shape, planes[0].shape)
        changed.append((data, meta, kind))
    return changed
