"""What is known of one plane of a photo, in one place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.plugin.provenance import Window
from napari_sdcolor.plugin.status import Outcome

PREDICTED = 'predicted'
EDITED = 'edited in napari'
"""Where a map came from, as sidecars tell it; else the name of its file."""
OUTDATED = 'predicted before the photo was changed'


@dataclass(frozen=True, eq=False)
class Inputs:
    """All that the color of a plane is a function of.

    Parameters
    ----------
    labels
        (h, w) uint8 map; None while it is still to be predicted.
    window
        Tone window.
    saturation
        Factor on the chroma.
    version
        Of the photo's pixels, see ``Trio.version``.
    weights
        Name of the networks' weights; None is as preferred.
    """

    labels: NDArray[np.uint8] | None
    window: Window = 'auto'
    saturation: float = 1.0
    version: int = 0
    weights: str | None = None

    def same(self, other: Inputs | None) -> bool:
        """Whether the color comes out alike."""
        return (
            other is not None
            and self.version == other.version
            and self.weights == other.weights
            and self.saturation == other.saturation
            and self.window == other.window
            and np.array_equal(self.labels, other.labels)
        )


@dataclass(eq=False)
class Plane:
    """What is known of one plane.

    Parameters
    ----------
    baseline
        (h, w) map as the networks or a file gave it; None if nobody did.
        Where the shown map differs from it, a person was at work.
    origin
        Where the baseline came from.
    edited_before
        Share in [0, 1] that a person had changed in a baseline from a file.
    confidence
        Mean probability of a predicted map.
    shown, asked
        What the shown color was made of, and what it was last asked for.
    saved
        File in which the map was saved last, and that map.
    kept
        The map as it was autosaved last.
    fingerprint
        Names the photo by its content; empty while it is not known.
    filled
        The color layer shows something here: color, or the photo's grays.
    outcome, save_outcome
        What came of the last run and of the last saving.
    save_inputs
        What the color was made of that was saved last, or whose command was
        copied.
    """

    baseline: NDArray[np.uint8] | None = None
    origin: str = PREDICTED
    edited_before: float = 0.0
    confidence: float | None = None
    shown: Inputs | None = None
    asked: Inputs | None = None
    saved: tuple[Path, NDArray[np.uint8]] | None = None
    kept: NDArray[np.uint8] | None = None
    fingerprint: str = ''
    filled: bool = False
    outcome: Outcome | None = None
    save_outcome: Outcome | None = None
    save_inputs: Inputs | None = None

    def give(
        self,
        labels: NDArray[np.uint8],
        origin: str = PREDICTED,
        confidence: float | None = None,
        edited_before: float = 0.0,
    ) -> None:
        """The networks or a file gave a map (h, w)."""
        self.baseline = labels
        self.origin = origin
        self.confidence = confidence
        self.edited_before = edited_before

    def edited_share(self, labels: NDArray[np.uint8]) -> float:
        """Share in [0, 1] of a map (h, w) that a person changed."""
        if self.baseline is None:
            # Nobody gave anything: all that is there was painted.
            return float(np.mean(labels != 0))
        if labels.shape != self.baseline.shape:
            return 1.0
        changed = float(np.mean(labels != self.baseline))
        return max(changed, self.edited_before)

    def forget(
        self, *, map_: bool = False, color: bool = False, pixels: bool = False
    ) -> None:
        """Something is gone, and with it all that was known by it.

        Parameters
        ----------
        map_
            The map layer.
        color
            The color layer.
        pixels
            The photo's pixels: the map is still there, but was made for
            others, and the color is not that of the photo any more.
        """
        if map_:
            self.baseline = self.confidence = self.kept = None
            self.origin, self.edited_before = PREDICTED, 0.0
        if color:
            self.shown = None
            self.filled = False
        if pixels:
            self.filled = False
            self.confidence = None
            if self.origin == PREDICTED:
                self.origin = OUTDATED
        if map_ or pixels:
            self.fingerprint = ''
        self.asked = None
        self.outcome = None
