"""How closely the networks look at a photo, and what that costs, in words."""

from __future__ import annotations

from napari_sdcolor.core.photo import working_shape
from napari_sdcolor.settings import DETAILS, NATIVE, Size

_NAMES = {352: 'Standard', 512: 'Fine', 704: 'Very fine', NATIVE: 'Native'}


def choices(preferred: Size) -> dict[Size, str]:
    """Working sizes to choose from, with their names.

    Parameters
    ----------
    preferred
        The size of the preferences; listed even if it is an unusual one.
    """
    sizes = [size for size in DETAILS if size != NATIVE]
    if preferred not in DETAILS:
        sizes = sorted([*sizes, preferred])
    named = {
        size: f'{_NAMES.get(size, "Preferred")} ({size})' for size in sizes
    }
    return named | {NATIVE: f'{_NAMES[NATIVE]} (full size)'}


def cost(shape: tuple[int, int], size: Size) -> str:
    """What a working size means for a photo, in one sentence.

    Parameters
    ----------
    shape
        (H, W) of the photo.
    size
        The working size.
    """
    height, width = working_shape(shape, size)
    standard = working_shape(shape, DETAILS[0])
    times = height * width / (standard[0] * standard[1])
    if 0.8 < times < 1.25:
        work = 'the usual time'
    elif times < 1:
        work = f'{times:.0%} of the usual time'
    else:
        digits = '.2g' if times < 100 else '.0f'
        work = f'about {times:{digits}} times the usual time'
    return f'Seen at {width} × {height} pixels: {work}.'
