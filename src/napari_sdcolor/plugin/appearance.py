"""How the layers look: before and after, the map as outlines or hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_sdcolor.plugin import preferences
from napari_sdcolor.plugin.forms import show
from napari_sdcolor.plugin.listener import Listener
from napari_sdcolor.plugin.notices import show_info
from napari_sdcolor.plugin.palette import OPACITIES, OUTLINE_WIDTH
from napari_sdcolor.plugin.views.color_view import FILLED, OUTLINES

if TYPE_CHECKING:
    from napari.layers import Image, Labels

    from napari_sdcolor.plugin.trio import Trio
    from napari_sdcolor.plugin.views.color_view import ColorView

COMPARE_KEY = 'C'
"""On our own layers only: hides and shows the color."""


class Appearance(Listener):
    """Keeps the color view and the layers of one trio in step.

    Parameters
    ----------
    view
        Buttons and sliders.
    """

    def __init__(self, view: ColorView) -> None:
        super().__init__()
        self.view = view
        self._photo: Image | None = None
        self._color: Image | None = None
        self._map: Labels | None = None
        # "Before" hides the map, too: to be shown again with the color.
        self._covered = False
        # napari puts the brush away when a layer is hidden.
        self._mode: str | None = None
        self._opacities = dict(OPACITIES)
        view.map_requested.connect(self._on_map_requested)
        view.style_requested.connect(self._on_style_requested)
        view.opacity_requested.connect(self._on_opacity_requested)
        view.before_requested.connect(self._on_before_requested)

    def bind(self, trio: Trio | None) -> None:
        """Follow another trio, or none; its layers may be new."""
        if trio is not None and (trio.color, trio.map) == (
            self._color,
            self._map,
        ):
            return
        self.unbind()
        if trio is not None:
            self._photo, self._color, self._map = (
                trio.photo,
                trio.color,
                trio.map,
            )
        for layer in self._layers():
            layer.bind_key(COMPARE_KEY, self._on_compare, overwrite=True)
        pairs = self._pairs()
        self.listen(self.view, pairs)
        for _, slot in pairs:
            slot()
        self.view.set_ready(self._map is not None, self._color is not None)

    def unbind(self) -> None:
        """Follow nothing; what "Before" hid is shown again."""
        self._uncover()
        for layer in self._layers():
            layer.bind_key(COMPARE_KEY, None)
        self.unlisten(self.view)
        self._photo = self._color = self._map = self._mode = None

    def close(self) -> None:
        """The dock goes away."""
        self.unbind()
        super().close()

    def _pairs(self) -> list[tuple]:
        pairs: list[tuple] = []
        if self._color is not None:
            pairs.append((self._color.events.visible, self._on_color_visible))
        if self._map is not None:
            events = self._map.events
            pairs += [
                (events.visible, self._on_map_visible),
                (events.opacity, self._on_opacity),
                (events.contour, self._on_contour),
            ]
        return pairs

    def _layers(self) -> list[Image | Labels]:
        """The layers that are followed."""
        both = (self._color, self._map)
        return [layer for layer in both if layer is not None]

    def reveal(self) -> None:
        """Show color and map, as somebody is about to paint."""
        if self._map is None:
            return
        hidden = not self._map.visible
        if self._color is not None and not self._color.visible:
            self._color.visible = True
        if not self._map.visible:
            # Setting it without need would put the brush away.
            self._map.visible = True
        if hidden:
            show_info(
                'The map is shown again, so that you see where you paint.'
            )

    # --- before and after -------------------------------------------------

    def _on_compare(self, layer: Image | Labels) -> None:
        """The key was pressed on one of the layers: hide or show the color.

        napari reads the name of what is bound to a key: a method has one.
        """
        if self._color is not None:
            self._on_before_requested(self._color.visible)

    def _on_before_requested(self, before: bool) -> None:
        if self._color is None:
            return
        if before:
            self._covered = self._map is not None and self._map.visible
            if self._covered:
                self._show_map(False)
            self._photo.visible = True
        self._color.visible = not before

    def _on_color_visible(self, event: object = None) -> None:
        visible = self._color.visible
        show(self.view.before, not visible)
        if visible:
            self._uncover()

    def _uncover(self) -> None:
        covered, self._covered = self._covered, False
        if covered and self._map is not None:
            self._show_map(True)

    # --- the map ----------------------------------------------------------

    def _on_map_requested(self, shown: bool) -> None:
        preferences.remember('show_map', shown)
        self._covered = False
        if self._map is not None:
            self._show_map(shown)

    def _show_map(self, shown: bool) -> None:
        """Show it with the tool in hand that it had when it was hidden."""
        if not shown:
            self._mode = str(self._map.mode)
        self._map.visible = shown
        if shown and self._mode is not None:
            self._map.mode, self._mode = self._mode, None

    def _on_map_visible(self, event: object = None) -> None:
        show(self.view.map, self._map.visible)

    def _on_style_requested(self, style: str) -> None:
        if self._map is None:
            return
        self._map.contour = OUTLINE_WIDTH if style == OUTLINES else 0
        self._map.opacity = self._opacities[style]

    def _on_opacity_requested(self, opacity: float) -> None:
        if self._map is not None:
            self._opacities[self._style] = opacity
            self._map.opacity = opacity

    @property
    def _style(self) -> str:
        return OUTLINES if self._map.contour else FILLED

    def _on_contour(self, event: object = None) -> None:
        show(self.view.style, self._style)

    def _on_opacity(self, event: object = None) -> None:
        show(self.view.opacity, self._map.opacity)
