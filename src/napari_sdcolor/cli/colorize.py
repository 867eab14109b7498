"""``sdcolor colorize``: photos in, colored photos with map and sidecar out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_sdcolor.cli import options
from napari_sdcolor.cli.photos import (
    make_folder,
    refuse_clashes,
    work_through,
)
from napari_sdcolor.cli.talk import Talk
from napari_sdcolor.settings import Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_sdcolor.core.engine import Colorizer
    from napari_sdcolor.core.photo import Photo


@dataclass(frozen=True)
class Order:
    """What is wanted for each of the photos.

    Parameters
    ----------
    folder
        Receives the results.
    settings
        Tone window and saturation are read here; the rest is recorded.
    labels
        Label map, or folder of label maps; None predicts them.
    format
        Of the colored photo: 'tiff', 'png' or 'jpeg'.
    page
        Page of multi-page files, from 0.
    """

    folder: Path
    settings: Settings
    labels: Path | None = None
    format: str = options.Format.tiff.value
    page: int | None = None


def load_colorizer(talk: Talk, settings: Settings) -> Colorizer:
    """The networks on their device; says what is really used.

    Raises
    ------
    WeightsError, DeviceError
        See ``Colorizer.load``.
    """
    talk.say(f'Loading the networks ({settings.weights})')
    from napari_sdcolor.core.engine import Colorizer

    colorizer = Colorizer.load(
        settings.weights, device=settings.device, size=settings.size
    )
    talk.say(f'Device: {colorizer.device.words}')
    for note in colorizer.device.notes:
        talk.warn(note)
    return colorizer


def machine_facts(colorizer: Colorizer) -> dict[str, Any]:
    """Device and weights, JSON-serializable."""
    device = colorizer.device
    return {
        'device': {
            'kind': device.kind,
            'words': device.words,
            'notes': list(device.notes),
        },
        'weights': {
            kind: {'name': part.name, 'sha256': part.digest}
            for kind, part in colorizer.parts.items()
        },
    }


def color_one(
    talk: Talk, colorizer: Colorizer, path: Path, order: Order
) -> dict[str, Any]:
    """Color one photo and save the result.

    Returns
    -------
    dict
        What was understood and written, JSON-serializable.

    Raises
    ------
    SdcolorError
        If anything is not as it should be; then nothing was written.
    """
    from napari_sdcolor.archive.atomic import refuse_existing
    from napari_sdcolor.archive.reading import read_photo
    from napari_sdcolor.archive.saving import (
        output_paths,
        photo_name,
        save_result,
    )
    from napari_sdcolor.archive.sidecar import run_facts

    started = datetime.now(UTC)
    name = photo_name(path)
    refuse_existing(output_paths(order.folder, name, order.format))
    photo = read_photo(path, window=order.settings.window, page=order.page)
    talk.say(f'  {photo.describe()}')
    for note in photo.notes:
        talk.warn(f'  {note}')
    found, labels, notes = _find_map(path, photo, order, name, colorizer.size)
    for note in notes:
        talk.warn(f'  {note}')
    if found is None:
        talk.say('  finding out what is in it, and coloring it')
    else:
        talk.say(f'  coloring it after the map {found}')
    with talk.progress():
        result = colorizer.colorize(photo, labels, settings=order.settings)
    for note in result.notes:
        talk.warn(f'  {note}')
    # The folder is no property of the result: only the map's name is kept.
    origin = result.labels_origin if found is None else found.name
    result = replace(
        result, labels_origin=origin, notes=(*result.notes, *notes)
    )
    talk.say('  saving')
    finished = datetime.now(UTC)
    with talk.progress():
        written = save_result(
            result,
            order.folder,
            name,
            order.format,
            run=run_facts(started, finished, threads=_threads()),
        )
    for output in written:
        talk.answer(str(output))
    return {
        'photo': str(path),
        'name': name,
        'understood': photo.describe(),
        'outputs': [str(output) for output in written],
        'labels': origin if found is None else str(found),
        'confidence': result.confidence,
        'notes': [*photo.notes, *result.notes],
        'seconds': (finished - started).total_seconds(),
    }


def _threads() -> int:
    import torch

    return torch.get_num_threads()


def _find_map(
    path: Path, photo: Photo, order: Order, name: str, size: int
) -> tuple[Path | None, NDArray | None, tuple[str, ...]]:
    """The map's file and ids, both None if it is to be predicted."""
    from napari_sdcolor.archive.labels import find_labels, read_labels

    if order.labels is None:
        return None, None, ()
    found = find_labels(order.labels, name)
    if found is not None and order.labels.is_dir() and found.samefile(path):
        # Photos and maps in one folder: NAME.png is the photo itself.
        found = None
    if found is None:
        note = f'The folder of maps holds none for {name}: it is predicted.'
        return None, None, (note,)
    labels, notes = read_labels(found, photo, size)
    # Notes are recorded, and folders are no property of the result.
    named = (note.replace(str(found), found.name) for note in notes)
    return found, labels, tuple(named)


def colorize(
    photos: options.Photos,
    output: options.OutFolder,
    labels: Annotated[
        Path | None,
        typer.Option(
            '--labels',
            metavar='FILE_OR_DIR',
            exists=True,
            help='Label map to color by, or a folder that holds '
            'NAME.labels.png or NAME.png for each photo. Maps that are not '
            'there are predicted.',
            show_default=False,
        ),
    ] = None,
    form: Annotated[
        options.Format,
        typer.Option(
            '--format',
            case_sensitive=False,
            help='Of the colored photo. Only TIFF and PNG keep the '
            'lightness exactly; JPEG is an 8-bit access copy.',
        ),
    ] = options.Format.tiff,
    page: options.Page = None,
    size: options.Size = options.DEFAULTS.size,
    saturation: options.Saturation = options.DEFAULTS.saturation,
    window: options.Window = options.DEFAULTS.window,
    weights: options.Weights = options.DEFAULTS.weights,
    device: options.DeviceOption = options.DEVICE,
    as_json: options.Json = False,
) -> None:
    """Color photos.

    For each photo three files are written into DIR: NAME.color.tif (or
    .png, .jpg) at the photo's full size, NAME.labels.png, the map of what
    is in it, and NAME.sdcolor.json, the record of how it was made. NAME is
    the photo's file name without its last suffix.

    Exit code 0: all colored; 1: some photos failed, each named with its
    reason; 2: wrong usage.
    """
    talk = Talk('colorize', as_json)
    with talk.refusing():
        settings = Settings(
            size=size,
            saturation=saturation,
            window=window,
            device=device.value,
            weights=weights,
        )
        from napari_sdcolor.archive.saving import photo_name

        refuse_clashes(talk, photos, photo_name)
        colorizer = load_colorizer(talk, settings)
        make_folder(output)
        order = Order(output, settings, labels, form.value, page)
        tally = work_through(
            talk,
            photos,
            lambda path: color_one(talk, colorizer, path, order),
        )
        talk.say(tally.words('colored'))
        talk.finish(
            {
                'settings': settings.to_dict(),
                **machine_facts(colorizer),
                **tally.facts(),
            },
            tally.exit_code,
        )
