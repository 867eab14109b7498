"""``sdcolor segment``: the label map of what is in a photo."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from napari_sdcolor.cli import options
from napari_sdcolor.cli.colorize import load_colorizer, machine_facts
from napari_sdcolor.cli.console import Talk
from napari_sdcolor.cli.photos import refuse_clashes, work_through
from napari_sdcolor.cli.wrong_inputs import refuse_other_inputs
from napari_sdcolor.settings import Settings

if TYPE_CHECKING:
    from napari_sdcolor.core.engine import Colorizer
    from napari_sdcolor.core.results import Segmentation

LEAST_SHARE = 0.005
"""Classes with less of the area are summed up for a person."""


def shares(found: Segmentation) -> list[dict[str, Any]]:
    """The classes of a map, the largest first.

    Returns
    -------
    list
        Id, name, share of the area in [0, 1] and mean confidence in [0, 1]
        of each class.
    """
    import numpy as np

    from napari_sdcolor.classes import CLASSES

    ids, counts = np.unique(found.labels, return_counts=True)
    return [
        {
            'id': int(ids[place]),
            'name': CLASSES[ids[place]].title,
            'share': float(counts[place] / found.labels.size),
            'confidence': float(
                found.confidence[found.labels == ids[place]].mean()
            ),
        }
        for place in np.argsort(-counts, kind='stable')
    ]


def _table(classes: list[dict[str, Any]]) -> Table:
    table = Table('class', 'area', 'confidence', box=None)
    shown = [entry for entry in classes if entry['share'] >= LEAST_SHARE]
    for entry in shown:
        table.add_row(
            entry['name'],
            f'{entry["share"]:.1%}',
            f'{entry["confidence"]:.0%}',
        )
    if len(shown) < len(classes):
        rest = sum(entry['share'] for entry in classes[len(shown) :])
        table.add_row(f'{len(classes) - len(shown)} more', f'{rest:.1%}', '')
    return table


def _segment_one(
    talk: Talk,
    colorizer: Colorizer,
    path: Path,
    output: Path,
    page: int | None,
    window: str,
    allow_damaged: bool,
) -> dict[str, Any]:
    from napari_sdcolor.archive.labels import labels_path, write_labels_png
    from napari_sdcolor.archive.reading import read_photo
    from napari_sdcolor.archive.saving import photo_name
    from napari_sdcolor.files import publish, refuse_existing

    name = photo_name(path)
    target = labels_path(output, name)
    refuse_existing([target])
    photo = read_photo(
        path, window=window, page=page, allow_damaged=allow_damaged
    )
    talk.say(f'  {photo.describe()}')
    for note in photo.notes:
        talk.warn(f'  {note}')
    talk.say('  finding out what is in it')
    found = colorizer.segment(photo)
    publish([(target, write_labels_png(found.labels))])
    classes = shares(found)
    confidence = float(found.confidence.mean())
    talk.answer(str(target))
    talk.answer(_table(classes))
    talk.answer(f'Mean confidence: {confidence:.0%}')
    return {
        'photo': str(path),
        'name': name,
        'understood': photo.describe(),
        'tones': photo.tones.facts(),
        'outputs': [str(target)],
        'classes': classes,
        'confidence': confidence,
        'notes': list(photo.notes),
        'damage': list(photo.origin.damage),
    }


def segment(
    photos: options.Photos,
    output: options.OutFolder,
    page: options.Page = None,
    allow_damaged: options.AllowDamaged = False,
    size: options.Size = options.DEFAULTS.size,
    window: options.Window = options.DEFAULTS.window,
    weights: options.Weights = options.DEFAULTS.weights,
    device: options.DeviceOption = options.DEVICE,
    as_json: options.Json = False,
) -> None:
    """Write the map of what is in each photo, without coloring it.

    NAME.labels.png holds the ids of the 60 classes as 8-bit values. Edit
    it in napari or elsewhere, and hand it to "sdcolor colorize --labels".
    """
    talk = Talk('segment', as_json)
    with talk.refusing():
        settings = Settings(
            size=size, window=window, device=device.value, weights=weights
        )
        from napari_sdcolor.archive.folders import output_folder
        from napari_sdcolor.archive.saving import photo_name

        words = [] if page is None else ['--page', str(page)]
        words += ['--allow-damaged'] if allow_damaged else []
        words += settings.to_arguments()
        refuse_other_inputs('segment', photos, output, words)
        refuse_clashes(photos, photo_name)
        talk.import_torch()
        with output_folder(output):
            colorizer = load_colorizer(talk, settings, kinds=['segmentation'])
            tally = work_through(
                talk,
                photos,
                lambda path: _segment_one(
                    talk,
                    colorizer,
                    path,
                    output,
                    page,
                    settings.window,
                    allow_damaged,
                ),
            )
        talk.say(tally.words('segmented'))
        talk.finish(
            {
                'settings': settings.to_dict(),
                **machine_facts(colorizer),
                **tally.facts(),
            },
            tally.exit_code,
        )
