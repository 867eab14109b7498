"""Make the documentation's screenshots in a real napari window.

    NAPARI_CONFIG=$(mktemp -d)/napari.yaml SDCOLOR_AUTOSAVE=$(mktemp -d) \\
        xvfb-run -a -s "-screen 0 1600x1000x24" python docs/make_screenshots.py

(with settings and autosaved maps of their own, not yours).

It drives the plugin as a person would: opens a sample photograph, runs,
paints with the mouse's own functions, and grabs the whole window.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import napari
import numpy as np
from PIL import Image
from qtpy.QtWidgets import QApplication

from napari_sdcolor.classes import class_id
from napari_sdcolor.plugin.docks import open_dock
from napari_sdcolor.plugin.views.color_view import FILLED, OUTLINES
from napari_sdcolor.plugin.widget import ColorizeWidget

IMAGES = Path(__file__).parent / 'images'
SIZE = (1280, 800)


def wait(until: Callable[[], bool], seconds: float = 120) -> None:
    """Let the window live until something holds."""
    end = time.monotonic() + seconds
    while not until():
        if time.monotonic() > end:
            sys.exit('The window did not get ready in time.')
        QApplication.processEvents()
        time.sleep(0.01)


def pause(seconds: float) -> None:
    """Let the window draw for a while."""
    end = time.monotonic() + seconds
    wait(lambda: time.monotonic() > end)


def grab(viewer: napari.Viewer, name: str) -> None:
    """Save the whole window with as few colors as needed."""
    pause(0.5)
    picture = viewer.screenshot(canvas_only=False, flash=False)
    image = Image.fromarray(np.asarray(picture)[..., :3])
    image.save(IMAGES / f'{name}.png', optimize=True)


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    viewer = napari.Viewer()
    viewer.window.resize(*SIZE)
    viewer.open_sample('napari-sdcolor', 'rocket')
    widget = open_dock(viewer, ColorizeWidget)
    coordinator = widget.coordinator

    def idle() -> bool:
        return coordinator.jobs.idle and not coordinator.coloring.watching

    wait(idle)
    # As the Home button does: the dock has taken some room.
    viewer.reset_view()
    grab(viewer, 'dock_ready')
    widget.run()
    wait(idle)
    widget.views.color.style.value = FILLED
    grab(viewer, 'map_and_color')

    widget.views.color.style.value = OUTLINES
    trio = coordinator.trio
    grab(viewer, 'stroke_before')
    grass = class_id('grass')
    widget.views.classes.class_requested.emit(grass)
    widget.views.classes.brush.setValue(60)
    bottom = trio.map.data.shape[0] - 30
    for column in range(20, trio.map.data.shape[1], 20):
        trio.map.paint((bottom, column), grass)
    wait(idle)
    pause(0.2)
    wait(idle)
    grab(viewer, 'stroke_after')

    # The rest of what was taken for a wall is sky, too.
    sky = class_id('sky')
    widget.views.classes.class_requested.emit(sky)
    height, width = trio.map.data.shape
    for place in ((height // 4, 20), (height // 4, width - 20)):
        trio.map.fill(place, sky)
    wait(idle)
    pause(0.2)
    wait(idle)
    grab(viewer, 'main_window')
    viewer.close()


if __name__ == '__main__':
    main()
