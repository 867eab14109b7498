"""``sdcolor colorize``: photos in, colored photos with map and sidecar out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_sdcolor.cli import options
from napari_sdcolor.cli.coloring import Coloring, Order
from napari_sdcolor.cli.console import Talk
from napari_sdcolor.cli.photos import refuse_clashes, work_through
from napari_sdcolor.cli.wrong_inputs import refuse_other_inputs
from napari_sdcolor.errors import WrongUsage
from napari_sdcolor.settings import Settings

if TYPE_CHECKING:
    from napari_sdcolor.core.engine import Colorizer
    from napari_sdcolor.core.weights import Part


def load_colorizer(
    talk: Talk,
    settings: Settings,
    dtype: str = 'float32',
    kinds: Sequence[str] | None = None,
) -> Colorizer:
    """The networks on their device; says what is really used.

    ``kinds`` are those that are needed; by default both.

    Raises
    ------
    WeightsError, DeviceError
        See ``Colorizer.load``.
    """
    talk.say(f'Loading the networks ({settings.weights})')
    from napari_sdcolor.core.engine import Colorizer
    from napari_sdcolor.core.model_files import NETWORKS

    colorizer = Colorizer.load(
        settings.weights,
        device=settings.device,
        dtype=dtype,
        size=settings.size,
        kinds=kinds or NETWORKS,
    )
    talk.say(f'Device: {colorizer.device.words}')
    for note in colorizer.device.notes:
        talk.warn(note)
    return colorizer


def refuse_dtype(settings: Settings, dtype: str) -> None:
    """Refuse a data type that the device is not made for.

    Raises
    ------
    UnfitDevice
        Before the networks are loaded.
    """
    from napari_sdcolor.core.device import choose, refuse_half

    refuse_half(dtype, choose(settings.device))


def machine_facts(colorizer: Colorizer) -> dict[str, Any]:
    """Device and weights, JSON-serializable."""
    device = colorizer.device
    return {
        'device': {
            'kind': device.kind,
            'words': device.words,
            'notes': list(device.notes),
        },
        'weights': weights_facts(colorizer.parts),
    }


def weights_facts(parts: Mapping[str, Part]) -> dict[str, Any]:
    """The weights of each network, JSON-serializable."""
    return {
        kind: {
            'name': part.name,
            'file_sha256': part.file_sha256,
            'tensors_sha256': part.digest,
        }
        for kind, part in parts.items()
    }


def color_one(
    talk: Talk, colorizer: Colorizer, path: Path, order: Order
) -> dict[str, Any]:
    """Color one photo, or all pages of one file, and save the result.

    Returns
    -------
    dict
        What was understood and written, JSON-serializable.

    Raises
    ------
    SdcolorError
        If anything is not as it should be; then nothing was written.
    """
    from napari_sdcolor.archive import saving
    from napari_sdcolor.archive.reading import open_photos
    from napari_sdcolor.archive.sidecar import run_facts
    from napari_sdcolor.files import refuse_existing

    started = datetime.now(UTC)
    name = saving.photo_name(path)
    refuse_existing(saving.output_paths(order.folder, name, order.format))
    run = partial(run_facts, started, threads=_threads())
    with open_photos(path, order.page) as file:
        if file.is_album and order.format != 'tiff':
            raise WrongUsage(
                f'{path} has {file.count} pages, which only a TIFF file can '
                'hold: leave out --format, or choose one page with --page.'
            )
        coloring = Coloring(talk, colorizer, file, order, name)
        if file.is_album:
            with talk.progress():
                written = saving.save_pages(
                    coloring.results(),
                    order.folder,
                    name,
                    file.count,
                    result_bytes=file.result_bytes,
                    run=run,
                )
        else:
            (result,) = coloring.results()
            with talk.progress():
                written = saving.save_result(
                    result, order.folder, name, order.format, run=run
                )
    for output in written:
        talk.answer(str(output))
    return {
        'photo': str(path),
        'name': name,
        'outputs': [str(output) for output in written],
        'seconds': (datetime.now(UTC) - started).total_seconds(),
        **coloring.facts(),
    }


def _threads() -> int:
    import torch

    return torch.get_num_threads()


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
    form: options.Form = options.Format.tiff,
    page: options.Page = None,
    source_type: options.SourceType = options.DEFAULTS.source_type,
    size: options.Size = options.DEFAULTS.size,
    saturation: options.Saturation = options.DEFAULTS.saturation,
    window: options.Window = options.DEFAULTS.window,
    weights: options.Weights = options.DEFAULTS.weights,
    device: options.DeviceOption = options.DEVICE,
    dtype: options.DtypeOption = options.Dtype.float32,
    as_json: options.Json = False,
) -> None:
    """Color photos.

    For each photo three files are written into DIR: NAME.color.tif (or
    .png, .jpg) at the photo's full size, NAME.labels.png, the map of what
    is in it, and NAME.sdcolor.json, the record of how it was made. NAME is
    the photo's file name without its last suffix. A file of several pages
    gives one NAME.color.tif of as many pages, and a map NAME.p0000.labels.png
    for each.

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
            source_type=source_type,
        )
        from napari_sdcolor.archive.folders import output_folder
        from napari_sdcolor.archive.saving import photo_name

        order = Order(output, settings, labels, form.value, page)
        refuse_other_inputs('colorize', photos, output, order.arguments())
        refuse_clashes(photos, photo_name)
        refuse_dtype(settings, dtype.value)
        with output_folder(output):
            colorizer = load_colorizer(talk, settings, dtype.value)
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
