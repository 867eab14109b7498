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
from napari_sdcolor.training.recipe import Recipe, Task

if TYPE_CHECKING:
    from napari_sdcolor.core.colornet import ColorNetConfig
    from napari_sdcolor.core.gridnet import GridNetConfig

SHIPPED = {
    'color': Recipe(
        task='color',
        widths=(16, 32, 64, 128, 256),
        features='efficientnet-lite2',
        crop=160,
        steps=4000,
        cooldown=0.7,
        precision='float32',
        delta=0.05,
        vivid=1.5,
        swap=0.6,
        sure=0.6,
        own_maps=0.25,
        aging=0.25,
        unlabelled=0.5,
    ),
    'segmentation': Recipe(
        task='segmentation',
        widths=(96, 96, 96, 96, 96),
        features='efficientnet-lite2',
        size=192,
        crop=192,
        zoom=(1.0, 1.4),
        batch=12,
        steps=4000,
        rate=2e-3,
        warmup=100,
        cooldown=0.7,
        precision='float32',
        aging=0.3,
        decay=0.02,
        balance=0.4,
    ),
}
"""The recipes of the bundled weights, from beginning to end."""

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
    hint = (
        f'Did you mean {close[0]}?'
        if close
        else f'It has: {", ".join(known)}.'
    )
    return f'A recipe has no {name}, or no "=VALUE" follows it. {hint}'


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
