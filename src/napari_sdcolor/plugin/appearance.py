"""How the layers look: before and after, opacity of the map."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QObject

if TYPE_CHECKING:
    from napari.layers import Image, Labels

    from napari_sdcolor.plugin.trio import Trio
    from napari_sdcolor.plugin.views.color_view import ColorView

COMPARE_KEY = 'C'
"""On our own layers only: hides and shows the color."""


class Appearance(QObject):
    """Keeps the color view and the layers of one trio in step.

    Parameters
    ----------
    view
        Slider and button.
    """

    def __init__(self, view: ColorView) -> None:
        super().__init__()
        self.view = view
        self._color: Image | None = None
        self._map: Labels | None = None
        view.opacity_requested.connect(self._on_opacity_requested)
        view.before_requested.connect(self._on_before_requested)

    def bind(self, trio: Trio | None) -> None:
        """Follow another trio, or none; its layers may be new."""
        self.unbind()
        if trio is None:
            return
        self._color, self._map = trio.color, trio.map
        for layer in self._layers():
            layer.bind_key(COMPARE_KEY, self._on_compare, overwrite=True)
        if self._color is not None:
            self._color.events.visible.connect(self._on_visible)
            self._on_visible()
        if self._map is not None:
            self._map.events.opacity.connect(self._on_opacity)
            self._on_opacity()
        self.view.set_saturation(trio.saturation)

    def unbind(self) -> None:
        for layer in self._layers():
            layer.bind_key(COMPARE_KEY, None)
        if self._color is not None:
            self._color.events.visible.disconnect(self._on_visible)
        if self._map is not None:
            self._map.events.opacity.disconnect(self._on_opacity)
        self._color = self._map = None

    def _layers(self) -> list[Image | Labels]:
        """The layers that are followed."""
        both = (self._color, self._map)
        return [layer for layer in both if layer is not None]

    def _on_compare(self, layer: Image | Labels) -> None:
        """The key was pressed on one of them: hide or show the color.

        napari reads the name of what is bound to a key: a method has one.
        """
        if self._color is not None:
            self._color.visible = not self._color.visible

    def _on_opacity_requested(self, opacity: float) -> None:
        if self._map is not None:
            self._map.opacity = opacity

    def _on_before_requested(self, before: bool) -> None:
        if self._color is not None:
            self._color.visible = not before

    def _on_visible(self) -> None:
        self.view.set_before(not self._color.visible)

    def _on_opacity(self) -> None:
        self.view.set_opacity(self._map.opacity)
