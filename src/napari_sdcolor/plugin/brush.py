"""Keep the class panel, the brush status and the map's tools in step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import Signal
from skimage.segmentation import flood

from napari_sdcolor.classes import CLASSES, N_CLASSES
from napari_sdcolor.plugin.listener import Listener
from napari_sdcolor.plugin.notices import show_info

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels

    from napari_sdcolor.plugin.views.brush_status import BrushStatus
    from napari_sdcolor.plugin.views.class_panel import ClassPanel


class BrushController(Listener):
    """Binds one map at a time to the class panel.

    Parameters
    ----------
    viewer
        Whose active layer becomes the map when a class is clicked.
    panel, status
        The views.

    Signals
    -------
    painting
        Somebody is about to paint: color and map have to be in view.
    edited(Labels)
        The map was changed, perhaps while it is hidden: of hidden layers
        napari tells nothing.
    """

    painting = Signal()
    edited = Signal(object)

    def __init__(
        self, viewer: ViewerModel, panel: ClassPanel, status: BrushStatus
    ) -> None:
        super().__init__()
        self.viewer = viewer
        self.panel = panel
        self.status = status
        self.map: Labels | None = None
        self._last = 0
        self._alone: int | None = None
        # Old class, new class and the tool before, while a click is due.
        self._region: tuple[int, int, str] | None = None
        panel.class_requested.connect(self._on_class_requested)
        panel.alone_requested.connect(self._on_alone_requested)
        panel.region_requested.connect(self._on_region_requested)
        panel.brush_size_requested.connect(self._on_size_requested)

    def bind(self, layer: Labels | None) -> None:
        """Follow another map, or none."""
        if layer == self.map and layer is not None:
            return
        self.unbind()
        self.map = layer
        if layer is None:
            self.status.show_nothing()
            return
        events = layer.events
        self.listen(
            layer,
            [
                (events.selected_label, self._on_selected),
                (events.mode, self._show),
                (events.show_selected_label, self._show),
                (events.preserve_labels, self._show),
                (events.brush_size, self._on_size),
            ],
        )
        self._last = int(layer.selected_label)
        self.panel.set_brush_size(layer.brush_size)
        self._show()

    def unbind(self) -> None:
        self._end_region()
        self.unlisten(self.map)
        self.map = None

    def close(self) -> None:
        """The dock goes away: give the tool back."""
        self.unbind()
        super().close()

    def undo(self) -> None:
        """Take the last stroke back, as Ctrl+Z does."""
        if self.map is not None:
            self.map.undo()
            self.edited.emit(self.map)

    def redo(self) -> None:
        """Paint it again."""
        if self.map is not None:
            self.map.redo()
            self.edited.emit(self.map)

    def _on_class_requested(self, number: int) -> None:
        # Painting "no class" is painting 0; the eraser does the same, but
        # would lose the brush's class.
        self._take_up('paint', number)

    # --- one region -------------------------------------------------------

    def _on_region_requested(self, old: int, new: int) -> None:
        """The next click on a region of a class turns it into another one."""
        self._end_region()
        if self.map is None:
            show_info('Press Run first: there is no semantic map yet.')
            return
        self.painting.emit()
        self.viewer.layers.selection.active = self.map
        self._region = (old, new, str(self.map.mode))
        # A click must not paint meanwhile.
        self.map.mode = 'pan_zoom'
        self.map.mouse_drag_callbacks.append(self._on_region_clicked)
        self.status.show_words(
            f'Click the region of <b>{CLASSES[old].title}</b> that becomes '
            f'<b>{CLASSES[new].title}</b>'
        )

    def _on_region_clicked(self, layer: Labels, event: object) -> None:
        old, new, _ = self._region
        place = layer.world_to_data(event.position)
        labels = np.asarray(layer.data)
        index = tuple(int(round(float(value))) for value in place)
        inside = all(
            0 <= at < side
            for at, side in zip(index, labels.shape, strict=True)
        )
        if not inside:
            return
        if labels[index] != old:
            show_info(
                f'This is no {CLASSES[old].title}: click a region of it, or '
                'choose a class to paint instead.'
            )
            return
        plane = labels[index[:-2]]
        region = np.nonzero(flood(plane, index[-2:], connectivity=1))
        where = tuple(np.full(region[0].shape, at) for at in index[:-2])
        self._end_region()
        layer.data_setitem((*where, *region), np.uint8(new))

    def _end_region(self) -> None:
        """Give the tool back that was in hand."""
        if self._region is None:
            return
        *_, mode = self._region
        self._region = None
        if self.map is not None:
            self.map.mouse_drag_callbacks.remove(self._on_region_clicked)
            self.map.mode = mode
            self._show()

    def _on_alone_requested(self, number: int) -> None:
        """Hide all other classes, or show them again."""
        if self.map is None:
            return
        alone = self.map.show_selected_label and self._alone == number
        self._alone = None if alone else number
        self.map.show_selected_label = not alone

    def _take_up(self, mode: str, number: int) -> bool:
        """Make the next stroke paint a class; False if there is no map."""
        if self.map is None:
            show_info('Press Run first: there is no semantic map to paint on.')
            return False
        self._end_region()
        self.painting.emit()
        if self.viewer.dims.ndisplay != 2:
            # A brush has no depth.
            self.viewer.dims.ndisplay = 2
        self.viewer.layers.selection.active = self.map
        self.map.selected_label = number
        # With it, napari paints on "No class" only.
        self.map.preserve_labels = False
        self.map.mode = mode
        return True

    def _on_size_requested(self, size: int) -> None:
        if self.map is not None:
            self.map.brush_size = size

    def _on_selected(self) -> None:
        number = int(self.map.selected_label)
        if number >= N_CLASSES:
            show_info(
                f'There is no class {number}: ids go from 0 to '
                f'{N_CLASSES - 1}. The brush keeps its class.'
            )
            self.map.selected_label = self._last
            return
        self._last = number
        self._show()

    def _on_size(self) -> None:
        self.panel.set_brush_size(self.map.brush_size)

    def _show(self) -> None:
        if self._region is not None:
            return
        number = int(self.map.selected_label)
        if number < N_CLASSES:
            self.panel.select(number)
            shown = 0 if str(self.map.mode) == 'erase' else number
            self.status.show_class(
                CLASSES[shown],
                str(self.map.mode),
                alone=self.map.show_selected_label,
                preserving=self.map.preserve_labels,
            )
