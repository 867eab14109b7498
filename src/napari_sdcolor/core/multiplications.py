"""How much the networks have to multiply, whatever the machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from torch.utils.flop_counter import FlopCounterMode

from napari_sdcolor.core.photo import photo_from_array

if TYPE_CHECKING:
    from napari_sdcolor.core.engine import Colorizer

SIDE = 352
"""Side in pixels of the photo by which networks are compared."""


def multiplications(run: Callable[[], object]) -> int:
    """Multiplications with additions of the networks in a call.

    Parameters
    ----------
    run
        Does the work; on meta tensors nothing is computed.
    """
    with FlopCounterMode(display=False) as counter:
        run()
    # A multiplication with its addition counts as two operations there.
    return counter.get_total_flops() // 2


def of_networks(colorizer: Colorizer) -> dict[str, int]:
    """Multiplications for a photo of 352 x 352 pixels, by network.

    Each network looks at the photo at the size that its weights were made
    for. What both need is counted with the segmentation, which comes first.

    Parameters
    ----------
    colorizer
        Whose own working size does not matter.

    Returns
    -------
    dict
        'segmentation', 'color' and their sum as 'all'; without 'color'
        where the colorizer has only a segmentation.
    """
    colorizer = colorizer.at(SIDE)
    photo = photo_from_array(np.zeros((SIDE, SIDE), np.uint8))
    labels = np.zeros((SIDE, SIDE), np.uint8)
    found = {'segmentation': multiplications(lambda: colorizer.segment(photo))}
    if colorizer.color_net is not None:
        found['color'] = multiplications(
            lambda: colorizer.colorize(photo, labels)
        )
    return {**found, 'all': sum(found.values())}
