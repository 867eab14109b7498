"""A photo that is being edited: its color follows its label map.

The gray stream does not depend on the map, so its features are computed
once; an edit changes the color only inside its receptive box.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_sdcolor.core import cancel
from napari_sdcolor.core.compose import compose
from napari_sdcolor.core.orientation import as_stored, upright
from napari_sdcolor.core.paint import notes_on
from napari_sdcolor.core.photo import Photo
from napari_sdcolor.core.planes import Box, changed_box, check_labels, pad
from napari_sdcolor.core.upsample import Upsampler

if TYPE_CHECKING:
    from napari_sdcolor.core.engine import Colorizer


class RecolorSession:
    """One photo with its map, kept ready for the next edit.

    Parameters
    ----------
    colorizer
        The networks.
    photo
        What is colored.
    labels
        (h, w) uint8 at working size, in stored order.
    saturation
        Factor on the chroma.

    Attributes
    ----------
    labels : NDArray
        (h, w) uint8, the map that the color belongs to.
    chroma : NDArray
        (h, w, 2) float32 in Lab units, a live view.
    rgb : NDArray
        (H, W, 3) uint8 or uint16, a live view.
    """

    def __init__(
        self,
        colorizer: Colorizer,
        photo: Photo,
        labels: ArrayLike,
        saturation: float = 1.0,
    ) -> None:
        self.colorizer = colorizer
        self.photo = photo
        self.saturation = saturation
        self.labels = self._checked(labels).copy()
        size = colorizer.size
        guide = photo.working_lightness(size)
        self._upsample = Upsampler(photo.lightness, guide)
        gray = colorizer.network_gray(photo, 'color', size)
        self._padded = self._pad(gray, 'edge')
        with colorizer.inference():
            self._features = colorizer.encode_gray(self._padded)
        self.chroma = self._network(self.labels)
        self._full_chroma = self._upsample(self.chroma)
        self.rgb = self._compose()

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about chroma that no photo has."""
        return notes_on(self.chroma)

    def update(self, labels: ArrayLike) -> list[Box]:
        """Follow an edit of the map.

        Parameters
        ----------
        labels
            (h, w) uint8, the whole map at working size.

        Returns
        -------
        list of Box
            Working-size boxes (y0, x0, y1, x1), half-open, in which
            the chroma may have changed; empty if the map is the same.

        Raises
        ------
        LabelsError
            If the map has another size, type or wrong ids; then nothing
            changed.
        """
        labels = self._checked(labels)
        edited = changed_box(self.labels, labels)
        if edited is None:
            return []
        box = self._receptive(edited)
        chroma = self._network(labels)
        # From here on nothing can fail or be cancelled, so that map, chroma
        # and picture always belong together.
        y0, x0, y1, x1 = box
        self.chroma[y0:y1, x0:x1] = chroma[y0:y1, x0:x1]
        self.labels[...] = labels
        y0, x0, y1, x1 = self.photo_box(box)
        self._full_chroma[y0:y1, x0:x1] = self._upsample(
            self.chroma, (y0, x0, y1, x1)
        )
        self.rgb[y0:y1, x0:x1] = self._compose((y0, x0, y1, x1))
        return [box]

    def photo_box(self, box: Box) -> Box:
        """Photo pixels that a working-size box can change."""
        return self._upsample.reach(box)

    def set_saturation(self, saturation: float) -> None:
        """Compose the picture again with another factor on the chroma."""
        rgb = self._compose(saturation=saturation)
        self.saturation = saturation
        self.rgb[...] = rgb

    def full(self) -> NDArray:
        """Chroma (h, w, 2) computed anew in one full pass, to compare."""
        with self.colorizer.inference():
            features = self.colorizer.encode_gray(self._padded)
        return self._network(self.labels, features)

    def _compose(
        self, box: Box | None = None, saturation: float | None = None
    ) -> NDArray:
        y0, x0, y1, x1 = box or (0, 0, *self.photo.shape)
        factor = self.saturation if saturation is None else saturation
        depth = np.uint8 if self.photo.bits == 8 else np.uint16
        rgb = np.empty((y1 - y0, x1 - x0, 3), depth)
        rows = max(1, 2**16 // max(1, x1 - x0))
        for top in range(y0, y1, rows):
            if box is None:
                cancel.check()
            strip = slice(top, min(y1, top + rows))
            rgb[top - y0 : strip.stop - y0] = compose(
                self.photo.lightness[strip, x0:x1],
                self._full_chroma[strip, x0:x1],
                self.photo.bits,
                factor,
            )
        return rgb

    def _checked(self, labels: ArrayLike) -> NDArray[np.uint8]:
        shape = self.photo.working_shape(self.colorizer.size)
        return check_labels(labels, shape)

    def _pad(self, plane: NDArray, mode: str) -> NDArray:
        return pad(plane, self.colorizer.color_net.config.multiple, mode)[0]

    def _network(
        self, labels: NDArray[np.uint8], features: list | None = None
    ) -> NDArray:
        """Chroma of a map, in stored order."""
        orientation = self.photo.origin.orientation
        turned = upright(labels, orientation)
        padded = np.ascontiguousarray(self._pad(turned, 'constant'))
        with self.colorizer.inference():
            chroma = self.colorizer.decode(features or self._features, padded)
        h, w = turned.shape
        return np.ascontiguousarray(as_stored(chroma[:h, :w], orientation))

    def _receptive(self, box: Box) -> Box:
        """Working pixels whose chroma an edit inside a box can change.

        The reach of one label pixel depends on its phase; this is the
        largest over all phases, hence valid for turned photos too.
        """
        config = self.colorizer.color_net.config
        step = config.multiple
        reach = 4 * (step - 1) + config.final_convs + 2 + step - 1
        h, w = self.labels.shape
        y0, x0, y1, x1 = box
        return (
            max(0, y0 - reach),
            max(0, x0 - reach),
            min(h, y1 + reach),
            min(w, x1 + reach),
        )
