"""One training run: data, maps, weights to begin with, and the trainer."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from napari_sdcolor.core import models
from napari_sdcolor.core.device import Device, choose
from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.datasets.coverage import class_photos
from napari_sdcolor.datasets.entry import Entry, Skipped
from napari_sdcolor.datasets.open import open_data
from napari_sdcolor.errors import UnfitData
from napari_sdcolor.training.beginning import Beginning, beginning
from napari_sdcolor.training.checkpoints import (
    CHECKPOINT,
    read_checkpoint,
    read_notes,
    refuse_other,
    write_notes,
)
from napari_sdcolor.training.loop import Trainer
from napari_sdcolor.training.maps import with_predicted_maps
from napari_sdcolor.training.presets import with_overrides
from napari_sdcolor.training.progress import Progress
from napari_sdcolor.training.recipe import Task, check

SURE = 0.8
"""A network learns from predicted maps only where they are this sure."""


def train(
    task: Task,
    data: Sequence[Path],
    out: Path,
    *,
    source: str | None,
    preset: str,
    changes: Mapping[str, Any],
    init: str | None,
    features: Path | None = None,
    features_from: str = 'default',
    maps: str | None,
    maps_from: str,
    device: str,
    workers: int | None,
    save_every: float,
    report: Callable[[str], None],
    warn: Callable[[str], None],
    progress: Callable[[Progress], None],
    **how: Any,
) -> Trainer:
    """Train a network, or go on with a run.

    Parameters
    ----------
    task
        Which network.
    data, source
        Folders of photographs, and their kind; see ``open_data``.
    out
        Folder of the run. If it holds a checkpoint, the run goes on, and
        ``preset``, ``init`` and the features are not used.
    preset, changes, init, features, features_from, maps_from
        See ``beginning``; ``maps_from`` also predicts maps.
    maps
        'predicted' or 'empty': what photos without a map get. None predicts
        maps for fine-tuning the colors, or if no photo has one.
    device
        See ``core.device.choose``.
    workers
        Processes that read photos; None chooses.
    save_every
        Seconds between two checkpoints.
    report, warn
        Called with sentences for a person.
    progress
        Called after every map and every step.
    **how
        See ``Trainer``.

    Returns
    -------
    Trainer
        After its run; not ``finished`` if it was asked to stop.

    Raises
    ------
    SettingsError, DataError, DeviceError, WeightsError, SaveError
        If something does not fit, or goes wrong on the way.
    """
    state, before, start = None, {}, Beginning()
    if (out / CHECKPOINT).is_file():
        begun, state = read_checkpoint(out)
        before = read_notes(out)
        recipe = with_overrides(begun, **changes)
        check(recipe)
        refuse_other(out, begun, recipe, task)
    else:
        recipe, start = beginning(
            task,
            preset,
            changes,
            init=init,
            features=features,
            features_from=features_from,
            maps_from=maps_from,
        )
    used = choose(device)
    report(f'Device: {used.words}')
    for note in used.notes:
        warn(note)
    learned, held_out, skipped = _photos(data, source, report)
    predicted = _wants_maps(task, maps, init, learned)
    notes = {
        'data': ', '.join(folder.resolve().name for folder in data),
        'preset': preset,
        'init': init and Path(init).name,
        'features': features and features.name,
        'class_photos': _class_photos(task, init, before, learned),
    }
    for name in ('init', 'features'):
        # A run that goes on began as it did.
        notes[name] = before.get(name, notes[name])
    if predicted:
        learned, held_out, bad = _predict_maps(
            task, maps_from, out, used, learned, held_out, report, progress
        )
        skipped += bad
    trainer = Trainer(
        recipe,
        learned,
        out,
        device=used.kind,
        workers=_workers(workers, used),
        report=report,
        progress=progress,
        held_out=held_out,
        state=state,
        **how,
    )
    # It is as large as the network and its optimizer.
    del state
    for network in (trainer.network, trainer.averaged):
        start.give(network)
    write_notes(out, notes)
    trainer.record.skip(skipped, aloud=False)
    if trainer.finished:
        report(
            f'This run has all its {recipe.steps} steps already; '
            '--steps N trains further.'
        )
    trainer.run(save_every)
    return trainer


def _class_photos(
    task: Task,
    init: str | None,
    before: Mapping[str, Any],
    entries: Sequence[Entry],
) -> dict[str, int]:
    """Photos that showed each class, those of the first weights included."""
    known = before.get('class_photos')
    if known is not None:
        return known
    found = class_photos(entries)
    if init is None:
        return found
    seen = models.training_record(init, task).get('class_photos')
    if not seen:
        # Of weights that do not say what they saw, nothing can be said.
        return {}
    return {name: count + seen.get(name, 0) for name, count in found.items()}


def _photos(
    folders: Sequence[Path],
    source: str | None,
    report: Callable[[str], None],
) -> tuple[list[Entry], list[Entry], list[Skipped]]:
    """Training photos, held-out photos, and what was left out."""
    train: list[Entry] = []
    val: list[Entry] = []
    skipped: list[Skipped] = []
    for folder in folders:
        report(f'Reading {folder}')
        found = open_data(folder, source, report)
        train += found.split('train')
        val += [entry for entry in found.entries if entry.split == 'val']
        skipped += found.skipped
    return train, val, skipped


def _wants_maps(
    task: Task, maps: str | None, init: str | None, entries: list[Entry]
) -> bool:
    """Whether photos without a map get a predicted one.

    Raises
    ------
    DataError
        If there is nothing that a map can be learned from.
    """
    without = [entry for entry in entries if entry.labels is None]
    none_has_one = len(without) == len(entries)
    if maps is None:
        fine_tuning = init is not None
        wanted = task == 'color' and (none_has_one or fine_tuning)
    else:
        wanted = maps == 'predicted'
    if task == 'segmentation' and none_has_one and not wanted:
        raise UnfitData(
            'There is no photograph with a map to learn from. "--maps '
            'predicted" learns from predicted maps, where they are sure.'
        )
    return wanted and bool(without)


def _predict_maps(
    task: Task,
    model: str,
    out: Path,
    used: Device,
    train: list[Entry],
    val: list[Entry],
    report: Callable[[str], None],
    progress: Callable[[Progress], None],
) -> tuple[list[Entry], list[Entry], list[Skipped]]:
    """Both splits with a map for every photo, and what was left out."""
    colorizer = Colorizer.load(model, device=used.kind)
    digest = colorizer.parts['segmentation'].digest[:12]
    folder = out / 'maps' / digest
    without = sum(entry.labels is None for entry in (*train, *val))
    report(
        f'{without} photographs have no map: the maps that '
        f'{model!r} predicts are made once and kept in {folder}.'
    )

    def tell(done: int, of: int) -> None:
        progress(Progress(done, of, unit='map'))

    sure = SURE if task == 'segmentation' else 0.0
    train, bad = with_predicted_maps(train, folder, colorizer, tell, sure=sure)
    val, also_bad = with_predicted_maps(
        val, folder, colorizer, tell, sure=sure
    )
    return train, val, [*bad, *also_bad]


def _workers(wanted: int | None, used: Device) -> int:
    if wanted is not None:
        return wanted
    return 0 if used.kind == 'cpu' else min(8, (os.cpu_count() or 1) - 1)
