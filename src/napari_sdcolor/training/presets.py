"""Recipes to start from, and how a person changes them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import fields, replace
from typing import (
    TYPE_CHECKING,
    Any,
    get_args,
    get_origin,
    get_type_hints,
)

from napari_sdcolor.settings import SettingsError
from napari_sdcolor.training.recipe import SHIPPED, Recipe, Task

if TYPE_CHECKING:
    from napari_sdcolor.core.colornet import ColorNetConfig
    from napari_sdcolor.core.gridnet import GridNetConfig

_PAPER = Recipe(
    task='color',
    widths=(32, 64, 128, 256, 512),
    label_channels=0,
    instance_norm=True,
    size=360,
    squash=True,
    crop=352,
    zoom=(1.0, 1.0),
    draw='epochs',
    sparing=0.0,
    batch=16,
    # 1000 epochs of the 10,103 photos of PASCAL-Context.
    steps=631_000,
    rate=1e-4,
    decay=0.0,
    warmup=0,
    cooldown=0.0,
    betas=(0.9, 0.999),
    clip=0.0,
    precision='float32',
    average=0.0,
    delta=1.0,
    vivid=0.0,
    swap=0.0,
    empty_map=0.0,
    partial_map=0.0,
    coarse_map=0.0,
    aging=0.0,
    unlabelled=1.0,
    smoothing=0.0,
    balance=0.0,
)

PRESETS: dict[str, dict[Task, Recipe]] = {
    'shipped': SHIPPED,
    'paper': {
        'color': _PAPER,
        'segmentation': replace(
            _PAPER, task='segmentation', widths=(16, 32, 64, 128, 256)
        ),
    },
}
"""``paper`` trains as the paper says in section 3, ``shipped`` as the bundled
weights were."""

FINE_TUNING = {
    'steps': 600,
    'rate': 1e-4,
    'warmup': 50,
    'cooldown': 1.0,
    'average': 0.99,
}
"""What differs when trained weights are taken further."""


def with_overrides(recipe: Recipe, **changes: object) -> Recipe:
    """A recipe with some fields changed; None leaves a field alone."""
    return replace(
        recipe, **{k: v for k, v in changes.items() if v is not None}
    )


def fine_tuning(
    recipe: Recipe, config: ColorNetConfig | GridNetConfig
) -> Recipe:
    """A recipe that takes trained weights further: their network, gently."""
    shape: dict[str, Any] = {'widths': config.widths}
    if recipe.task == 'color':
        shape['label_channels'] = config.label_channels
        shape['instance_norm'] = config.instance_norm
    elif config.size is not None:
        shape['size'] = config.size
    shape['features'] = 'efficientnet-lite2' if config.features else ''
    return replace(recipe, **FINE_TUNING, **shape)


def check(recipe: Recipe) -> None:
    """Refuse a recipe that makes no sense.

    Raises
    ------
    SettingsError
        Saying which of its values, and what it may be.
    """
    levels = len(recipe.widths)
    grid_on_features = recipe.task == 'segmentation' and recipe.features
    if grid_on_features and (levels != 5 or len(set(recipe.widths)) > 1):
        raise SettingsError(
            'A GridNet on photo features has five rows of the same width: '
            'choose --widths such as 96,96,96,96,96, or --set features= for '
            'one on gray values.'
        )
    multiple = 2**levels if grid_on_features else 2 ** (levels - 1)
    # The coarsest level must keep more than one pixel to normalize.
    if recipe.crop % multiple or recipe.crop < 2 * multiple:
        raise SettingsError(
            f'Crops of {recipe.crop} pixels do not fit {levels} levels: '
            f'choose --crop as a multiple of {multiple}, at least '
            f'{2 * multiple}.'
        )
    if grid_on_features and recipe.batch == 1 and recipe.crop <= 2 * multiple:
        raise SettingsError(
            f'One crop of {recipe.crop} pixels leaves its coarsest row a '
            'single value, which cannot be normalized: choose a --batch of 2 '
            f'or more, or a --crop of {3 * multiple} or more.'
        )
    if recipe.matching:
        _check_matching(recipe)
    if recipe.adversarial:
        _check_adversarial(recipe)
    if recipe.squash and recipe.crop > recipe.size:
        raise SettingsError(
            f'Crops of {recipe.crop} pixels do not fit into photos of '
            f'{recipe.size}: choose a smaller --crop, or a larger size.'
        )
    for name in ('batch', 'steps', 'size', 'features_size', 'rate', 'delta'):
        if not getattr(recipe, name) > 0:
            raise SettingsError(f'{name} must be more than 0.')
    for name in (
        'average',
        'empty_map',
        'partial_map',
        'own_maps',
        'sure',
        'coarse_map',
        'swap',
        'aging',
        'smoothing',
        'cooldown',
    ):
        if not 0 <= getattr(recipe, name) <= 1:
            raise SettingsError(f'{name} must be from 0 to 1.')
    for name in (
        'seed',
        'label_channels',
        'features_rate',
        'vivid',
        'rare',
        'matching',
        'adversarial',
        'unlabelled',
        'clip',
        'warmup',
    ):
        if not getattr(recipe, name) >= 0:
            raise SettingsError(f'{name} must not be negative.')
    low, high = recipe.zoom
    if not 0 < low <= high:
        raise SettingsError('zoom must be two factors, the lower one first.')


def _check_matching(recipe: Recipe) -> None:
    from napari_sdcolor.core.features import STRIDES

    if recipe.task != 'color' or not recipe.features:
        raise SettingsError(
            'Only a color network that reads photo features can match them: '
            'choose --set matching=0, or --set features=efficientnet-lite2.'
        )
    if recipe.crop % STRIDES[-1]:
        raise SettingsError(
            'Photo features are matched in crops whose side is a multiple of '
            f'{STRIDES[-1]}: choose such a --crop, or --set matching=0.'
        )


def _check_adversarial(recipe: Recipe) -> None:
    from napari_sdcolor.training.adversary import SMALLEST

    if recipe.task != 'color':
        raise SettingsError(
            'Only colorings can be told from photographs: choose --set '
            'adversarial=0 for a segmentation.'
        )
    if recipe.crop < SMALLEST:
        raise SettingsError(
            f'Crops of {recipe.crop} pixels are too small to be told from '
            f'photographs: choose a --crop of at least {SMALLEST}, or --set '
            'adversarial=0.'
        )


def parse_changes(words: Iterable[str]) -> dict[str, Any]:
    """Fields of a recipe from 'name=value' words.

    Parameters
    ----------
    words
        Such as 'rate=3e-4', 'zoom=0.8,1.2', 'instance_norm=no'.

    Raises
    ------
    SettingsError
        If there is no such field, or the value does not fit it.
    """
    kinds = get_type_hints(Recipe)
    changes = {}
    for word in words:
        name, equals, value = word.partition('=')
        name = name.strip().replace('-', '_')
        if not equals or name not in kinds or name == 'task':
            raise SettingsError(_no_such(name if equals else word))
        try:
            changes[name] = _parse(kinds[name], value.strip())
        except ValueError as error:
            raise SettingsError(
                f'{word!r}: {name} is {_kind_words(kinds[name])}.'
            ) from error
    return changes


def _no_such(name: str) -> str:
    known = [each.name for each in fields(Recipe) if each.name != 'task']
    close = difflib.get_close_matches(name, known, 1)
    hint = f'Did you mean {close[0]}?' if close else f'It has: {known}.'
    return (
        f'A recipe has no {name!r}, or no "=VALUE" follows it. {hint}'.replace(
            "'", ''
        )
        .replace('[', '')
        .replace(']', '')
    )


def _parse(kind: Any, value: str) -> Any:
    if kind is bool:
        answers = {'yes': True, 'true': True, '1': True}
        answers |= {'no': False, 'false': False, '0': False}
        if value.lower() not in answers:
            raise ValueError(value)
        return answers[value.lower()]
    if get_origin(kind) is tuple:
        of, *rest = get_args(kind)
        found = tuple(_parse(of, each) for each in value.split(','))
        if Ellipsis not in rest and len(found) != 1 + len(rest):
            raise ValueError(value)
        return found
    if get_args(kind):
        if value not in get_args(kind):
            raise ValueError(value)
        return value
    return kind(value)


def _kind_words(kind: Any) -> str:
    if kind is bool:
        return 'yes or no'
    if kind is int:
        return 'a whole number'
    if kind is float:
        return 'a number'
    if get_origin(kind) is tuple:
        many = Ellipsis in get_args(kind)
        return 'numbers with commas' if many else 'two numbers and a comma'
    return ' or '.join(str(each) or 'empty' for each in get_args(kind))
