"""``sdcolor colorize``: photos in, colored photos with map and sidecar out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_sdcolor.cli import options
from napari_sdcolor.cli.console import Talk
from napari_sdcolor.cli.photos import refuse_clashes, work_through
from napari_sdcolor.cli.wrong_inputs import refuse_other_inputs
from napari_sdcolor.settings import Settings

if TYPE_CHECKING:
    from napari_sdcolor.archive.one_file import JobSpec, Page
    from napari_sdcolor.core.engine import Colorizer
    from napari_sdcolor.core.photo import Photo
    from napari_sdcolor.core.results import Colorized
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
    talk: Talk,
    colorizer: Colorizer,
    path: Path,
    spec: JobSpec,
    folder: Path,
    labels: Path | None = None,
) -> dict[str, Any]:
    """Color one photo, or all pages of one file, and save the result.

    Parameters
    ----------
    talk
        Hears what is understood and done.
    colorizer
        The networks.
    path
        The photo's file.
    spec
        How it is colored.
    folder
        Receives the results.
    labels
        Label map, or folder of label maps; None predicts them.

    Returns
    -------
    dict
        What was understood and written, JSON-serializable.

    Raises
    ------
    SdcolorError
        If anything is not as it should be; then nothing was written.
    """
    from napari_sdcolor.archive import one_file, saving
    from napari_sdcolor.archive.labels import find_page_labels
    from napari_sdcolor.archive.reading import open_photos
    from napari_sdcolor.archive.sidecar import run_facts
    from napari_sdcolor.core.device import threads
    from napari_sdcolor.files import refuse_existing

    started = datetime.now(UTC)
    name = saving.photo_name(path)
    refuse_existing(saving.output_paths(folder, name, spec.format))
    pages: list[dict[str, Any]] = []

    with open_photos(
        path, spec.page, allow_damaged=spec.allow_damaged
    ) as file:
        one_file.refuse_album(file, spec.format)

        def find_map(page: int | None) -> Path | None:
            if labels is None:
                return None
            alone = not file.is_album
            return find_page_labels(
                labels, name, page, alone=alone, photo=path
            )

        def results() -> Iterator[Colorized]:
            for number in file.pages:
                if file.is_album:
                    talk.say(f'  page {number} of {file.count}')
                photo = file.read(number, window=spec.settings.window)
                one_file.refuse_colored(file, photo)
                _say_photo(talk, photo)
                page = one_file.with_map(
                    file,
                    photo,
                    spec.settings.size,
                    find_map,
                    missing=name if labels else '',
                )
                result = _color_page(talk, colorizer, page, spec.settings)
                pages.append(_page_facts(page, result))
                yield result
                talk.say('  saving')

        with talk.progress():
            written = one_file.save_file(
                results(),
                file,
                folder,
                name,
                spec.format,
                partial(run_facts, started, threads=threads()),
            )
    for output in written:
        talk.answer(str(output))
    return {
        'photo': str(path),
        'name': name,
        'outputs': [str(output) for output in written],
        'seconds': (datetime.now(UTC) - started).total_seconds(),
        **({'pages': pages} if len(pages) > 1 else pages[0]),
    }


def _say_photo(talk: Talk, photo: Photo) -> None:
    talk.say(f'  {photo.describe()}')
    for note in photo.notes:
        talk.warn(f'  {note}')


def _color_page(
    talk: Talk, colorizer: Colorizer, page: Page, settings: Settings
) -> Colorized:
    from napari_sdcolor.archive.one_file import color_page

    for note in page.map_notes:
        talk.warn(f'  {note}')
    if page.map is None:
        talk.say('  finding out what is in it, and coloring it')
    else:
        talk.say(f'  coloring it after the map {page.map.file}')
    result = color_page(colorizer, page, settings)
    for note in result.notes:
        if note not in page.map_notes:
            talk.warn(f'  {note}')
    return result


def _page_facts(page: Page, result: Colorized) -> dict[str, Any]:
    return {
        'understood': page.photo.describe(),
        'tones': page.photo.tones.facts(),
        'labels': str(page.map.file) if page.map else result.labels_origin,
        'confidence': result.confidence,
        'notes': [*page.photo.notes, *result.notes],
        'damage': list(page.photo.origin.damage),
    }


def _arguments(spec: JobSpec, labels: Path | None) -> list[str]:
    """Options of the command line that are not the default."""
    words: list[str] = []
    if labels is not None:
        words += ['--labels', str(labels)]
    if spec.format != 'tiff':
        words += ['--format', spec.format]
    if spec.page is not None:
        words += ['--page', str(spec.page)]
    if spec.allow_damaged:
        words += ['--allow-damaged']
    return words + spec.settings.to_arguments()


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
    allow_damaged: options.AllowDamaged = False,
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
        from napari_sdcolor.archive.one_file import JobSpec
        from napari_sdcolor.archive.saving import photo_name

        spec = JobSpec(settings, form.value, page, dtype.value, allow_damaged)
        refuse_other_inputs(
            'colorize', photos, output, _arguments(spec, labels)
        )
        refuse_clashes(photos, photo_name)
        talk.import_torch()
        refuse_dtype(settings, spec.dtype)
        with output_folder(output):
            colorizer = load_colorizer(talk, settings, spec.dtype)
            tally = work_through(
                talk,
                photos,
                lambda path: color_one(
                    talk, colorizer, path, spec, output, labels
                ),
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
