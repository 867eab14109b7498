"""``sdcolor demo``: one photograph colored, and opened where it can be."""

from __future__ import annotations

import io
import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_sdcolor.cli import options
from napari_sdcolor.cli.colorize import (
    color_one,
    load_colorizer,
    machine_facts,
)
from napari_sdcolor.cli.console import Talk
from napari_sdcolor.cli.probes import (
    has_display,
    qt_binding,
    try_opengl,
)
from napari_sdcolor.cli.values import choice
from napari_sdcolor.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FOLDER = 'sdcolor-demo'
"""Made in the current folder; a number is added where it exists."""


class Sample(StrEnum):
    """The photographs that come with the program's own requirements."""

    astronaut = 'astronaut'
    cat = 'cat'
    coffee = 'coffee'
    rocket = 'rocket'
    camera = 'camera'


def fresh_folder(parent: Path) -> Path:
    """``sdcolor-demo``, or the first ``sdcolor-demo-N`` that is free."""
    names = (FOLDER, *(f'{FOLDER}-{number}' for number in range(2, 10_000)))
    return next(
        parent / name for name in names if not os.path.lexists(parent / name)
    )


def write_sample(sample: Sample, folder: Path) -> Path:
    """Write a sample photograph, turned gray, as PNG.

    Raises
    ------
    SaveError
        If the file exists or cannot be written.
    """
    from PIL import Image

    from napari_sdcolor.files import publish
    from napari_sdcolor.samples import sample_pixels

    pixels = sample_pixels(sample.value)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, 'PNG')
    path = folder / f'{sample.value}.png'
    publish([(path, stream.getvalue())])
    return path


def gray_pixels(path: Path) -> NDArray[np.uint8 | np.uint16]:
    """A photo as gray pixels (H, W), in the depth of its results."""
    import numpy as np

    from napari_sdcolor.archive.reading import read_photo
    from napari_sdcolor.core.lab import lightness_to_gray

    photo = read_photo(path)
    dtype = np.uint8 if photo.bits == 8 else np.uint16
    gray = lightness_to_gray(photo.lightness.astype(np.float64))
    return np.rint(gray * np.iinfo(dtype).max).astype(dtype)


def why_no_window() -> str | None:
    """Why napari cannot be opened here; None if it can."""
    if not has_display():
        return 'There is no display here.'
    binding = qt_binding()
    if binding is None:
        return (
            'No Qt binding is installed, so napari has no window. Install '
            'one with: pip install "napari[all]"'
        )
    attempt = try_opengl(binding)
    if attempt.code != 0:
        return (
            f'No window can be drawn here ({attempt.said}). "sdcolor doctor" '
            'tells more.'
        )
    return None


def open_viewer(path: Path) -> None:
    """Open napari on a photo with the plugin beside it, and start it.

    Returns when the window is closed.
    """
    from napari_sdcolor.core.device import import_torch

    # Before Qt: on Windows torch does not load after it.
    import_torch()
    import napari

    from napari_sdcolor.plugin.docks import open_dock
    from napari_sdcolor.plugin.widget import ColorizeWidget

    viewer = napari.Viewer()
    viewer.add_image(gray_pixels(path), name=path.stem)
    open_dock(viewer, ColorizeWidget).run()
    napari.run()


def demo(
    output: Annotated[
        Path | None,
        typer.Option(
            '-o',
            '--output',
            metavar='DIR',
            file_okay=False,
            help='Folder for the pictures; a new one named '
            f'{FOLDER} without it.',
            show_default=False,
        ),
    ] = None,
    photo: Annotated[
        Path | None,
        typer.Option(
            '--photo',
            metavar='PATH',
            exists=True,
            dir_okay=False,
            help='A photo of your own instead of a sample.',
            show_default=False,
        ),
    ] = None,
    sample: Annotated[
        Sample,
        typer.Option(
            '--sample', **choice(Sample), help='The photograph to color.'
        ),
    ] = Sample.astronaut,
    gui: Annotated[
        bool,
        typer.Option(
            '--gui/--no-gui',
            help='Open napari on it, where there is a display.',
        ),
    ] = True,
    weights: options.Weights = options.DEFAULTS.weights,
    device: options.DeviceOption = options.DEVICE,
    as_json: options.Json = False,
) -> None:
    """Color a photograph that comes with the program.

    The pictures are always written, and where they lie is said. Where
    there is a display, napari opens on the gray photo with the semantic
    map ready to be edited.
    """
    talk = Talk('demo', as_json)
    with talk.refusing():
        settings = Settings(device=device.value, weights=weights)
        folder = output or fresh_folder(Path.cwd())
        from napari_sdcolor.archive.folders import output_folder
        from napari_sdcolor.archive.one_file import JobSpec

        talk.import_torch()
        with output_folder(folder):
            colorizer = load_colorizer(talk, settings)
            path = photo or write_sample(sample, folder)
            talk.say(str(path))
            spec = JobSpec(settings)
            done = color_one(talk, colorizer, path, spec, folder)
        talk.say(f'The pictures are in {folder.resolve()}')
        obstacle = why_no_window() if gui else 'Not wanted.'
        talk.finish(
            {
                'folder': str(folder.resolve()),
                'window': obstacle is None,
                'why_no_window': obstacle,
                **machine_facts(colorizer),
                **done,
            }
        )
        if obstacle is None:
            talk.say('Opening napari; close its window to end')
            open_viewer(path)
        elif gui:
            talk.warn(f'{obstacle} Look at the pictures instead.')
