"""Work in a real window with a real mouse and real keys, and look at it.

    NAPARI_CONFIG=$(mktemp -d)/napari.yaml SDCOLOR_AUTOSAVE=$(mktemp -d) \\
        xvfb-run -a -s "-screen 0 1280x800x24 +extension GLX" \\
        .venv/bin/python scripts/try_window.py window.png

Starts a window manager, opens napari with the dock "Colorize" on a sample
photograph, runs it, paints a stroke with the mouse, takes it back with Ctrl+Z
and brings it again with Ctrl+Shift+Z: all of it through the X server, so that
a key that is bound but never arrives shows. Says what moved, and saves a
picture of the whole screen. Begin your own tries by changing ``main``.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

import napari
import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPoint
from qtpy.QtOpenGLWidgets import QOpenGLWidget
from qtpy.QtWidgets import QApplication

from napari_sdcolor.classes import class_id
from napari_sdcolor.plugin.docks import open_dock
from napari_sdcolor.plugin.widget import ColorizeWidget


def wait(until: Callable[[], bool], seconds: float = 120) -> None:
    """Let the window live until something holds."""
    end = time.monotonic() + seconds
    while not until():
        if time.monotonic() > end:
            sys.exit('The window did not get ready in time.')
        QApplication.processEvents()
        time.sleep(0.01)


def pause(seconds: float) -> None:
    """Let the window live for a while."""
    end = time.monotonic() + seconds
    wait(lambda: time.monotonic() > end)


def hand(*words: object) -> None:
    """One movement of mouse or keys, as ``xdotool`` takes it."""
    moving = subprocess.Popen(['xdotool', *map(str, words)])
    wait(lambda: moving.poll() is not None)
    pause(0.1)


def drag(start: QPoint, steps: int, stride: int) -> None:
    """Drag the left button to the right."""
    hand('mousemove', start.x(), start.y())
    hand('mousedown', 1)
    for step in range(1, steps):
        hand('mousemove', start.x() + step * stride, start.y())
    hand('mouseup', 1)


def moved(before: NDArray, after: NDArray) -> int:
    """Pixels that are not what they were."""
    changed = before != after
    return int(changed.reshape(*changed.shape[:2], -1).any(-1).sum())


def main(picture: str) -> None:
    manager = subprocess.Popen(['openbox'], stderr=subprocess.DEVNULL)
    viewer = napari.Viewer()
    viewer.window.resize(1280, 800)
    viewer.open_sample('napari-sdcolor', 'rocket')
    widget = open_dock(viewer, ColorizeWidget)
    coordinator = widget.coordinator

    def idle() -> bool:
        return coordinator.jobs.idle and not coordinator.coloring.watching

    def state() -> tuple[NDArray, NDArray]:
        pause(1)
        wait(idle)
        trio = coordinator.trio
        return trio.map.data.copy(), np.array(trio.color.data)

    wait(idle)
    viewer.reset_view()
    widget.run()
    labels, colors = state()
    widget.views.classes.class_requested.emit(class_id('grass'))
    pause(1)
    canvas = next(
        part
        for part in QApplication.allWidgets()
        if isinstance(part, QOpenGLWidget) and part.isVisible()
    )
    middle = canvas.mapToGlobal(canvas.rect().center())
    drag(middle - QPoint(60, 0), steps=8, stride=15)
    for words, keys in (
        ('the stroke', ''),
        ('Ctrl+Z', 'ctrl+z'),
        ('Ctrl+Shift+Z', 'ctrl+shift+z'),
    ):
        if keys:
            hand('key', keys)
        now_labels, now_colors = state()
        sys.stdout.write(
            f'After {words}, {moved(labels, now_labels)} pixels of the map '
            f'and {moved(colors, now_colors)} of the color are not as they '
            'were before the stroke.\n'
        )
    QApplication.primaryScreen().grabWindow(0).save(picture)
    viewer.close()
    manager.terminate()


if __name__ == '__main__':
    main(sys.argv[1] if len(sys.argv) > 1 else 'window.png')
