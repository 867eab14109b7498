"""What the evaluation needs to know of a photograph of any data folder."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Entry(Protocol):
    """One photograph of a data folder."""

    @property
    def dataset(self) -> str: ...

    @property
    def name(self) -> str: ...

    def load(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
        """RGB (h, w, 3) and label map (h, w) with 255 for unknown."""


def full_name(entry: Entry) -> str:
    """Data set and name, which together are unique."""
    return f'{entry.dataset}/{entry.name}'
