"""One photo of the split and everything that is made of it, each once."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.classes import UNKNOWN
from napari_sdcolor.core import lab
from napari_sdcolor.core.compose import compose
from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.core.photo import photo_from_array
from napari_sdcolor.core.planes import Box, resize_labels
from napari_sdcolor.core.results import Segmentation
from napari_sdcolor.evaluation.finished import Finished
from napari_sdcolor.evaluation.split import Split
from napari_sdcolor.evaluation.swaps import Swap, choose_swaps
from napari_sdcolor.training.augment import oldest

if TYPE_CHECKING:
    from napari_sdcolor.core.recolor import RecolorSession


class Picture:
    """A color picture with its Lab values.

    Parameters
    ----------
    rgb
        (H, W, 3) uint8.
    """

    def __init__(self, rgb: NDArray[np.uint8]) -> None:
        self.rgb = rgb

    @cached_property
    def lab(self) -> NDArray[np.float32]:
        """(H, W, 3), L*, a and b."""
        return lab.rgb_to_lab(self.rgb / np.float32(255))

    @property
    def ab(self) -> NDArray[np.float32]:
        """(H, W, 2)."""
        return self.lab[..., 1:]


class Case:
    """One photo of the split; colored on demand, every map only once.

    Parameters
    ----------
    colorizer
        The networks; what is shown to them is the photo's lightness.
    split
        The photos.
    place
        Which of them.
    finished
        Other methods' pictures of the split.
    mapless
        Networks that were trained with empty maps only, to compare with.

    Attributes
    ----------
    name, dataset : str
        Of the photo; the name includes the data set.
    truth : Picture
        The photo in its own colors.
    labels : NDArray or None
        (H, W) true map, 255 for unknown; None if there is none.
    photo : Photo
        What the networks see of it.
    """

    def __init__(
        self,
        colorizer: Colorizer,
        split: Split,
        place: int,
        finished: Sequence[Finished] = (),
        mapless: Colorizer | None = None,
    ) -> None:
        entry = split.usable[place]
        rgb, self.labels = entry.load()
        self.colorizer = colorizer
        self.split = split
        self.place = place
        self.dataset = entry.dataset
        self.name = entry.full_name
        self.truth = Picture(rgb)
        self.photo = photo_from_array(rgb, rgb=True, name=self.name)
        self.finished = {
            each.name: each for each in finished if place in each.paths
        }
        self.mapless = mapless
        self._session: RecolorSession | None = None
        self._pictures: dict[str, Picture] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Free what coloring the photo again and again has kept."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    @property
    def methods(self) -> list[str]:
        """Ways to color this photo, from knowing nothing to its map."""
        names = ['gray']
        if self.labels is not None and self.split.means is not None:
            names.append('class-mean')
        names.append('empty')
        if self.labels is not None and self.split.other(self.place):
            names.append('shuffled')
        names.append('predicted')
        if self.labels is not None:
            names += ['repaired', 'true']
        if self.mapless is not None:
            names.append('mapless')
        return [*names, *self.finished]

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """(H, W), where the true class is known."""
        if self.labels is None:
            return np.zeros(self.photo.shape, bool)
        return self.labels != UNKNOWN

    @cached_property
    def scopes(self) -> dict[str, NDArray[np.bool_]]:
        """Sets of pixels (H, W) over which figures are formed.

        'all', for photos with a map also 'labeled', which are all as well,
        and 'known' if any are, for others 'unlabeled'.
        """
        everywhere = np.ones(self.photo.shape, bool)
        if self.labels is None:
            return {'all': everywhere, 'unlabeled': everywhere}
        scopes = {'all': everywhere, 'labeled': everywhere}
        if self.known.any():
            scopes['known'] = self.known
        return scopes

    @cached_property
    def found(self) -> Segmentation:
        """What the networks believe to see, at working size."""
        return self.colorizer.segment(self.photo)

    @property
    def predicted(self) -> NDArray[np.uint8]:
        """The map (h, w) that the networks believe in, at working size."""
        return self.found.labels

    @property
    def repaired(self) -> NDArray[np.uint8]:
        """The predicted map (h, w) with every known pixel put right.

        It is what a careful person with a brush reaches: nobody leaves the
        holes in it that the true map has.
        """
        true = self.working_labels
        return np.where(true == UNKNOWN, self.predicted, true)

    @property
    def working_labels(self) -> NDArray[np.uint8]:
        """The true map (h, w) at working size, 255 for unknown."""
        shape = self.photo.working_shape(self.colorizer.size)
        return resize_labels(self.labels, shape)

    @cached_property
    def predicted_aged(self) -> NDArray[np.uint8]:
        """The map (h, w) that the networks believe in of an old print.

        The photo has everything at once that age does (``augment.oldest``),
        always the same for its name.
        """
        rng = np.random.default_rng(zlib.crc32(self.name.encode()))
        gray = lab.lightness_to_gray(100 * oldest(self.truth.rgb, rng))
        scan = np.uint8(np.rint(255 * gray))
        return self.colorizer.segment(photo_from_array(scan)).labels

    @cached_property
    def swaps(self) -> list[Swap]:
        """Regions of the true map to give another class, see ``swaps``."""
        means = self.split.means
        if self.labels is None or means is None:
            return []
        return choose_swaps(self.labels, means, self.split.classes, self.name)

    def as_map(self, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A map as the network gets it: 255 as 0, at working size."""
        labels = np.where(labels == UNKNOWN, 0, labels).astype(np.uint8)
        shape = self.photo.working_shape(self.colorizer.size)
        return resize_labels(labels, shape)

    def picture(self, method: str) -> Picture:
        """The photo colored by one of ``methods``."""
        if method not in self._pictures:
            self._pictures[method] = self._made(method)
        return self._pictures[method]

    def swapped(self, number: int) -> Picture:
        """Colored by the true map with one of ``swaps`` made."""
        name = f'swap {number}'
        if name not in self._pictures:
            swap = self.swaps[number]
            self._pictures[name] = self.colored(swap.done(self.labels))
        return self._pictures[name]

    def colored(self, labels: NDArray[np.uint8]) -> Picture:
        """Colored by any map (H, W) of the photo's own size."""
        return self._recolored(self.as_map(labels))

    def change_outside_box(self, swap: Swap) -> float:
        """Largest change (Lab units) where a swap cannot reach.

        Both colors are full passes, none is an incremental update.
        """
        with self.colorizer.session(
            self.photo, self.as_map(self.labels)
        ) as session:
            before = session.full()
            boxes = session.update(self.as_map(swap.done(self.labels)))
            change = np.abs(session.full() - before).max(axis=-1)
        return _largest_outside(change, boxes)

    def _made(self, method: str) -> Picture:
        if method in self.finished:
            return Picture(self.finished[method].load(self.place))
        if method == 'gray':
            return self._painted(np.zeros((*self.photo.shape, 2)))
        if method == 'class-mean':
            ids = np.where(self.known, self.labels, 0)
            return self._painted(self.split.means.ab[ids])
        if method == 'predicted':
            return self._recolored(self.predicted)
        if method == 'repaired':
            return self._recolored(self.repaired)
        if method == 'true':
            return self.colored(self.labels)
        if method == 'shuffled':
            return self.colored(self.split.other(self.place).load()[1])
        if method == 'mapless':
            shape = self.photo.working_shape(self.mapless.size)
            empty = np.zeros(shape, np.uint8)
            with self.mapless.session(self.photo, empty) as session:
                return Picture(session.rgb)
        return self.colored(np.zeros(self.photo.shape, np.uint8))

    def _painted(self, ab: NDArray) -> Picture:
        return Picture(compose(self.photo.lightness, ab, 8))

    def _recolored(self, map_: NDArray[np.uint8]) -> Picture:
        if self._session is None:
            self._session = self.colorizer.session(self.photo, map_)
        else:
            self._session.update(map_)
        return Picture(self._session.rgb.copy())


def _largest_outside(change: NDArray, boxes: list[Box]) -> float:
    for y0, x0, y1, x1 in boxes:
        change[y0:y1, x0:x1] = 0
    return float(change.max())
