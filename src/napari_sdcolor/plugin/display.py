"""Bring the views in line with the photo that is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_sdcolor.classes import N_CLASSES
from napari_sdcolor.errors import PhotoError
from napari_sdcolor.plugin.detail import cost
from napari_sdcolor.plugin.source import PhotoSource

if TYPE_CHECKING:
    from napari.layers import Image

    from napari_sdcolor.core.device import Device
    from napari_sdcolor.plugin.appearance import Appearance
    from napari_sdcolor.plugin.brush import BrushController
    from napari_sdcolor.plugin.trio import Trio
    from napari_sdcolor.plugin.widget import Views
    from napari_sdcolor.settings import Size

NEXT_STEP = (
    'Click a class, then paint on the photo: the color follows. Ctrl+Z '
    'undoes a stroke.'
)
NO_PHOTO = 'Open a gray photo (File > Open, or Open Sample), then press Run.'


class Display:
    """Says in every view what is so; decides nothing.

    Parameters
    ----------
    views
        The parts of the dock.
    brush, appearance
        Bound to the layers of the trio that is shown.
    """

    def __init__(
        self, views: Views, brush: BrushController, appearance: Appearance
    ) -> None:
        self.views = views
        self.brush = brush
        self.appearance = appearance

    def show_photo(self, photo: Image | None, *, running: bool) -> None:
        """A photo that was not run yet, or none."""
        views = self.views
        self.brush.bind(None)
        self.appearance.bind(None)
        views.save.set_ready(False)
        views.color.set_confidence(None)
        views.classes.set_shares(np.zeros(N_CLASSES))
        if not running:
            views.run.show_idle(
                NO_PHOTO
                if photo is None
                else f'Press Run to color {photo.name}.'
            )

    def show_trio(self, trio: Trio, *, running: bool) -> None:
        """A photo with its layers."""
        self.brush.bind(trio.map)
        self.appearance.bind(trio)
        self.views.save.set_ready(bool(trio.colored))
        self.show_plane(trio, running=running)

    def show_plane(self, trio: Trio, *, running: bool) -> None:
        """The shown plane of a trio: its areas and how far it is."""
        plane = trio.plane
        self.views.color.set_confidence(trio.confidence.get(plane))
        if trio.map is not None:
            labels, _ = trio.snapshot(plane)
            counts = np.bincount(labels.ravel(), minlength=N_CLASSES)
            self.views.classes.set_shares(counts[:N_CLASSES] / labels.size)
        if trio.is_stack and not running:
            done = plane in trio.colored
            self.views.run.show_status(
                f'{plane_words(trio)}: '
                + ('colored.' if done else 'press Run to color it.')
            )

    def show_detail(
        self, photo: Image | None, trio: Trio | None, size: Size
    ) -> None:
        """What the chosen detail costs for a photo, and from when on."""
        words = ''
        if photo is not None:
            try:
                words = cost(PhotoSource(photo).photo_shape, size)
            except PhotoError:
                pass  # Run says what is wrong with it.
            else:
                if trio is not None and trio.size not in (0, size):
                    words += (
                        ' The map that you edited keeps its own detail; '
                        'delete its layer to use another one.'
                        if trio.has_work
                        else ' Press Run to look again this closely.'
                    )
        self.views.run.set_cost(words)

    def show_device(self, device: Device) -> None:
        """Where the networks run."""
        self.views.badge.show_device(
            device.kind, device.words, ' '.join(device.notes)
        )

    def show_done(self, trio: Trio | None) -> None:
        """A long task has ended well."""
        if trio is None or trio.map is None:
            self.views.run.show_idle()
        elif trio.is_stack:
            self.views.run.show_idle(f'{plane_words(trio)}. {NEXT_STEP}')
        else:
            self.views.run.show_idle(NEXT_STEP)


def plane_words(trio: Trio) -> str:
    """Which plane of a stack is shown, such as 'Plane 3 of 12'."""
    return f'Plane {trio.plane + 1} of {trio.source.planes}'
