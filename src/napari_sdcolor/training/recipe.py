"""How a network is trained: one dataclass for both networks."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

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
    size
        Short side in pixels at which the network sees a whole photo.
    crop
        Side of the square training crops in pixels.
    zoom
        Range of the random factor on ``size``.
    batch, steps, rate, decay, warmup, cooldown
        Optimizer (AdamW) and its schedule: linear warm-up, constant rate,
        and half a cosine down to zero over the last ``cooldown`` of all
        steps. As the rate before the cooldown does not depend on the number
        of steps, a run can be made longer or shorter while it goes on.
    average
        Decay of the exponential moving average of the weights, which is
        what is evaluated and shipped.
    delta
        Where the Huber loss on ab/128 turns from square to linear (paper,
        equation 1, uses 1).
    vivid
        Weight of colorful pixels in the color loss: 1 + ``vivid`` * C/32 for
        a true chroma C in Lab units. Against dullness: where gray and red
        are equally likely, the plain mean is brownish gray.
    swap
        Probability that one region is relabelled as another class, and its
        true color moved by the difference of the two classes' mean colors.
        It teaches that the map decides, not the texture alone.
    empty_map, partial_map, coarse_map
        Probability that the color network sees no map at all, a map with
        classes missing, a blocky map.
    aging
        Strength of the old-photograph augmentation of the gray input.
    unlabelled
        Sampling weight of photographs without a label map.
    smoothing
        Label smoothing of the cross-entropy.
    balance
        Exponent of the inverse class frequency in the cross-entropy.
    seed
        Of the weights and of every crop.
    """

    task: Task
    widths: tuple[int, ...]
    label_channels: int = 4
    size: int = 352
    crop: int = 144
    zoom: tuple[float, float] = (0.7, 1.2)
    batch: int = 16
    steps: int = 4000
    rate: float = 1e-3
    decay: float = 0.01
    warmup: int = 200
    cooldown: float = 1.0
    average: float = 0.998
    delta: float = 0.02
    vivid: float = 0.0
    swap: float = 0.0
    empty_map: float = 0.15
    partial_map: float = 0.1
    coarse_map: float = 0.2
    aging: float = 0.2
    unlabelled: float = 0.4
    smoothing: float = 0.05
    balance: float = 0.0
    seed: int = 0

    def to_dict(self) -> dict:
        return asdict(self)


SHIPPED = {
    'color': Recipe(
        task='color', widths=(24, 48, 96, 192, 384), crop=128, steps=3300
    ),
    'segmentation': Recipe(
        task='segmentation',
        widths=(16, 32, 64, 96, 160),
        size=176,
        crop=144,
        zoom=(0.8, 1.6),
        batch=12,
        steps=4100,
        aging=0.3,
        decay=0.03,
    ),
}
"""The recipes of the bundled weights."""
