"""How a network is trained: one dataclass for both networks."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args, get_origin, get_type_hints

Task = Literal['segmentation', 'color']


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
    label_channels: int = 4
    instance_norm: bool = True
    features: Literal['', 'efficientnet-lite2'] = ''
    features_rate: float = 0.2
    features_size: int = 256
    size: int = 352
    squash: bool = False
    crop: int = 144
    zoom: tuple[float, float] = (0.7, 1.2)
    draw: Literal['weighted', 'epochs'] = 'weighted'
    sparing: float = 1.0
    batch: int = 16
    steps: int = 4000
    rate: float = 1e-3
    decay: float = 0.01
    warmup: int = 200
    cooldown: float = 1.0
    betas: tuple[float, float] = (0.9, 0.999)
    clip: float = 1.0
    precision: Literal['bfloat16', 'float32'] = 'bfloat16'
    average: float = 0.998
    delta: float = 0.02
    vivid: float = 0.0
    rare: float = 0.0
    matching: float = 0.0
    adversarial: float = 0.0
    swap: float = 0.0
    empty_map: float = 0.15
    partial_map: float = 0.1
    coarse_map: float = 0.2
    sure: float = 1.0
    grid_widths: tuple[int, ...] = (96, 96, 96, 96, 96)
    own_maps: float = 0.0
    aging: float = 0.2
    unlabelled: float = 0.4
    smoothing: float = 0.05
    balance: float = 0.0
    seed: int = 0

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
    """The same with nothing made worse: what held-out photos are shown."""
    return replace(
        recipe,
        zoom=(1.0, 1.0),
        aging=0.0,
        swap=0.0,
        empty_map=0.0,
        partial_map=0.0,
        coarse_map=0.0,
        own_maps=0.0,
    )


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
