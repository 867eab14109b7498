"""How a network is trained: one dataclass for both networks."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import (
    Annotated,
    Any,
    Literal,
    get_args,
    get_origin,
    get_type_hints,
)

from napari_sdcolor.core.limits import CHANNELS, check_channels
from napari_sdcolor.settings import SettingsError

Task = Literal['segmentation', 'color']

_POSITIVE, _NOT_NEGATIVE, _SHARE = (
    'be more than 0',
    'not be negative',
    'be from 0 to 1',
)
_LIMITS: dict[str, Callable[[float], bool]] = {
    _POSITIVE: lambda value: value > 0,
    _NOT_NEGATIVE: lambda value: value >= 0,
    _SHARE: lambda value: 0 <= value <= 1,
}


@dataclass(frozen=True)
class Recipe:
    """All choices of one training run.

    Parameters
    ----------
    task
        Which of the two networks.
    widths
        Channels of each level or row, finest first.
    label_channels
        Channels of the label embedding; 0 is the paper's ordinal scalar.
    instance_norm
        Whether the color network normalizes its gray features.
    size
        Short side in pixels at which the network sees a whole photo.
    features
        Backbone of the photo features that the network reads, such as
        'efficientnet-lite2'; empty for a network on gray values.
    features_rate
        Factor on ``rate`` for the backbone; 0 leaves it as it is. The color
        network never changes it.
    features_size
        Short side in pixels at which whole photos are seen for features.
    squash
        Make every photo a square of ``size`` pixels, as the paper does;
        otherwise its aspect is kept.
    crop
        Side of the square training crops in pixels.
    zoom
        Range of the random factor on ``size``; not with ``squash``.
    draw
        'weighted' draws photos at random; 'epochs' shows each once before
        any comes again.
    sparing
        1 shows data sets of one class without its surroundings sparingly,
        0 as often as others.
    batch, steps, rate, decay, warmup, cooldown
        Optimizer (AdamW) and its schedule: linear warm-up, constant rate,
        and half a cosine down to zero over the last ``cooldown`` of all
        steps; 0 keeps the rate constant. As the rate before the cooldown does not depend on the number
        of steps, a run can be made longer or shorter while it goes on.
    betas
        Of the optimizer's averages; with ``decay`` 0 it is Adam.
    clip
        Largest norm of the gradient; 0 does not limit it.
    precision
        'bfloat16' or 'float32': of the network's arithmetic in training.
    average
        Decay of the exponential moving average of the weights, which is
        what is evaluated and shipped; 0 ships the last weights.
    delta
        Where the Huber loss on ab/128 turns from square to linear (paper,
        equation 1, uses 1).
    vivid
        Weight of colorful pixels in the color loss: 1 + ``vivid`` * C/32 for
        a true chroma C in Lab units. Against dullness: where gray and red
        are equally likely, the plain mean is brownish gray.
    rare
        Exponent by which colors count more the rarer they are in the
        training photographs (class rebalancing of Zhang et al., 2016): in
        bins of 10 Lab units, none counting less than 0.3 or more than 6
        times the mean.
    matching
        Weight of a second color loss beside the first: how far the photo
        features of the a and b planes are from those of the true ones. For a
        network that reads photo features.
    adversarial
        How strongly a network that learns to tell colorings from photographs
        (``training.adversary``) pulls at the colors; 1 is as strongly as the
        color loss does. For the last part of a training, on a GPU.
    swap
        Probability that one region is relabelled as another class, and its
        true color moved by the difference of the two classes' mean colors.
        It teaches that the map decides, not the texture alone.
    empty_map, partial_map, coarse_map
        Probability that the color network sees no map at all, a map with
        classes missing, a blocky map.
    sure
        Unknown pixels, and photographs without a map, get the class that the
        segmentation predicts where it is at least so sure of it; for a
        color network that reads photo features. 1 fills nothing.
    grid_widths
        Channels of the rows of that segmentation, whatever was asked for.
    own_maps
        Probability that the color network sees the whole predicted map
        instead of the true one.
    aging
        Probability of what old photographs have, in the gray input: fading
        and grain; red-blind film, blur, scratches and JPEG half as often.
    unlabelled
        Sampling weight of photographs without a label map.
    smoothing
        Label smoothing of the cross-entropy.
    balance
        Exponent of the inverse class frequency in the cross-entropy; no
        class weighs less than 0.3 or more than 6 times the mean.
    seed
        Of the weights and of every crop.
    """

    task: Task
    widths: tuple[int, ...]
    label_channels: Annotated[int, _NOT_NEGATIVE] = 4
    instance_norm: bool = True
    features: Literal['', 'efficientnet-lite2'] = ''
    features_rate: Annotated[float, _NOT_NEGATIVE] = 0.2
    features_size: Annotated[int, _POSITIVE] = 256
    size: Annotated[int, _POSITIVE] = 352
    squash: bool = False
    crop: int = 144
    zoom: tuple[float, float] = (0.7, 1.2)
    draw: Literal['weighted', 'epochs'] = 'weighted'
    sparing: float = 1.0
    batch: Annotated[int, _POSITIVE] = 16
    steps: Annotated[int, _POSITIVE] = 4000
    rate: Annotated[float, _POSITIVE] = 1e-3
    decay: float = 0.01
    warmup: Annotated[int, _NOT_NEGATIVE] = 200
    cooldown: Annotated[float, _SHARE] = 1.0
    betas: tuple[float, float] = (0.9, 0.999)
    clip: Annotated[float, _NOT_NEGATIVE] = 1.0
    precision: Literal['bfloat16', 'float32'] = 'bfloat16'
    average: Annotated[float, _SHARE] = 0.998
    delta: Annotated[float, _POSITIVE] = 0.02
    vivid: Annotated[float, _NOT_NEGATIVE] = 0.0
    rare: Annotated[float, _NOT_NEGATIVE] = 0.0
    matching: Annotated[float, _NOT_NEGATIVE] = 0.0
    adversarial: Annotated[float, _NOT_NEGATIVE] = 0.0
    swap: Annotated[float, _SHARE] = 0.0
    empty_map: Annotated[float, _SHARE] = 0.15
    partial_map: Annotated[float, _SHARE] = 0.1
    coarse_map: Annotated[float, _SHARE] = 0.2
    sure: Annotated[float, _SHARE] = 1.0
    grid_widths: tuple[int, ...] = (96, 96, 96, 96, 96)
    own_maps: Annotated[float, _SHARE] = 0.0
    aging: Annotated[float, _SHARE] = 0.2
    unlabelled: Annotated[float, _NOT_NEGATIVE] = 0.4
    smoothing: Annotated[float, _SHARE] = 0.05
    balance: float = 0.0
    seed: Annotated[int, _NOT_NEGATIVE] = 0

    @property
    def fills(self) -> bool:
        """Whether a segmentation takes part in training the colors."""
        return bool(self.features) and (self.sure < 1 or self.own_maps > 0)

    @property
    def network_size(self) -> int:
        """Short side at which the trained network looks at a photo."""
        return self.crop if self.squash else self.size

    @property
    def largest(self) -> int:
        """Short side in pixels beyond which no photo needs to be read."""
        return math.ceil(self.size * max(1, self.zoom[1]))

    def to_dict(self) -> dict:
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: dict) -> Recipe:
        """The recipe of a file; what other versions add is left out.

        Raises
        ------
        TypeError
            If a field without a default is missing, or one holds something
            of another kind.
        """
        kinds = get_type_hints(cls)
        known = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in fields.items()
            if name in kinds
        }
        for name, value in known.items():
            if not _fits(kinds[name], value):
                raise TypeError(f'{name} cannot be {value!r}')
        return cls(**known)


def _fits(kind: Any, value: object) -> bool:
    """Whether a value is of the kind that a field is declared as."""
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    if get_origin(kind) is tuple:
        of, *_ = get_args(kind)
        return isinstance(value, tuple) and all(_fits(of, x) for x in value)
    if isinstance(value, bool) or kind is bool:
        return isinstance(value, bool) and kind is bool
    return isinstance(value, (int, float) if kind is float else kind)


def learning_rate(recipe: Recipe, step: int) -> float:
    """Linear warm-up, constant, then half a cosine down to zero."""
    if step < recipe.warmup:
        return recipe.rate * (step + 1) / recipe.warmup
    length = recipe.cooldown * max(1, recipe.steps - recipe.warmup)
    share = 1 - (recipe.steps - step) / max(1.0, length)
    share = min(1.0, max(0.0, share))
    return recipe.rate * 0.5 * (1 + math.cos(math.pi * share))


def without_augmentation(recipe: Recipe) -> Recipe:
    """The same with nothing made worse: how held-out photos are shown."""
    return replace(
        recipe,
        zoom=(1.0, 1.0),
        aging=0.0,
        swap=0.0,
        empty_map=0.0,
        partial_map=0.0,
        coarse_map=0.0,
        own_maps=0.0,
        smoothing=0.0,
    )


def check(recipe: Recipe) -> None:
    """Refuse a recipe that makes no sense.

    Raises
    ------
    SettingsError
        Saying which of its values, and what it may be.
    """
    try:
        check_channels('widths', recipe.widths)
    except ValueError as error:
        raise SettingsError(f'There is no such network: {error}.') from error
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
    for name, kind in get_type_hints(Recipe, include_extras=True).items():
        for limit in getattr(kind, '__metadata__', ()):
            if not _LIMITS[limit](getattr(recipe, name)):
                raise SettingsError(f'{name} must {limit}.')
    if recipe.label_channels > CHANNELS:
        raise SettingsError(f'label_channels must be at most {CHANNELS}.')
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
