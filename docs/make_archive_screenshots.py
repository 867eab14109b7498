"""Make the screenshots of the archive dock in a real napari window.

    xvfb-run -a -s "-screen 0 1600x1000x24" \
        python docs/make_archive_screenshots.py

It drives the dock as a curator would, with the photographs that come with
scikit-image in a folder of their own: start, stop, resume, open a photo
that needs a person, paint, save and next.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

import napari
from make_screenshots import SIZE, grab, pause, wait
from PIL import Image
from skimage import data

from napari_sdcolor.classes import class_id
from napari_sdcolor.plugin.archive.choices import Choices
from napari_sdcolor.plugin.archive.widget import ArchiveWidget
from napari_sdcolor.plugin.docks import open_dock
from napari_sdcolor.samples import gray_version

PHOTOS = {
    'people/astronaut': data.astronaut,
    'people/photographer': data.camera,
    'animals/cat': data.chelsea,
    'things/coffee': data.coffee,
    'things/rocket': data.rocket,
}


def write_photos(folder: Path) -> None:
    """The folder of a small archive, one file in it damaged."""
    for name, read in PHOTOS.items():
        pixels = read()
        gray = pixels if pixels.ndim == 2 else gray_version(pixels)
        path = folder / f'{name}.tif'
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(gray).save(path)
    (folder / 'things' / 'torn.tif').write_bytes(b'II*\0torn')


def main(home: Path, theme: str, suffix: str) -> None:
    scans = home / 'scans'
    write_photos(scans)
    os.environ['SDCOLOR_ARCHIVE_CHOICES'] = str(home / 'archive.json')
    viewer = napari.Viewer()
    viewer.theme = theme
    viewer.window.resize(*SIZE)
    widget = open_dock(viewer, ArchiveWidget)
    coordinator = widget.coordinator

    def idle() -> bool:
        return coordinator.jobs.idle and coordinator.queue.jobs.idle

    def rest() -> None:
        wait(idle, 300)
        pause(0.4)

    rest()
    coordinator.choose(Choices((str(scans),), str(home / 'colored')))
    rest()
    coordinator.start()
    wait(lambda: coordinator.table.counts()['done'] >= 2, 300)
    grab(viewer, f'archive_running{suffix}')
    coordinator.stop()
    pause(0.2)
    coordinator.start()
    rest()
    grab(viewer, f'archive_done{suffix}')
    coordinator.queue.open_next()
    rest()
    (trio,) = coordinator.queue.open_photo.trios
    height, width = trio.map.data.shape
    colorize = coordinator.queue.open_photo.colorize()
    colorize.views.classes.class_requested.emit(class_id('grass'))
    trio.map.brush_size = 60
    for column in range(20, width, 20):
        trio.map.paint((height - 20, column), class_id('grass'))
    pause(0.3)
    wait(lambda: colorize.jobs.idle and not colorize.coloring.watching)
    grab(viewer, f'archive_correcting{suffix}')
    coordinator.queue.save_and_next()
    rest()
    viewer.close()


if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('--theme', default='dark')
    parser.add_argument('--suffix', default='')
    chosen = parser.parse_args()
    # A short place, as the dock shows it.
    with tempfile.TemporaryDirectory(prefix='photos-') as folder:
        main(Path(folder), chosen.theme, chosen.suffix)
