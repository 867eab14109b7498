"""The photo behind an image layer, plane by plane."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Image
from napari.layers.utils.layer_utils import calc_data_range
from numpy.typing import NDArray

from napari_sdcolor.core.photo import Origin, Photo, photo_from_array
from napari_sdcolor.core.tone import ToneWindow
from napari_sdcolor.core.tone_choice import choose_tones
from napari_sdcolor.errors import PhotoError
from napari_sdcolor.plugin.preferences import PLUGIN
from napari_sdcolor.plugin.provenance import (
    FACTS_KEY,
    FILE,
    LAYER,
    SOURCE_KEY,
    FileFacts,
    Match,
    Opened,
    Window,
)

if TYPE_CHECKING:
    from napari_sdcolor.plugin.stored import Stored

WINDOW_CHOICES = {
    'auto': 'Automatic',
    'contrast': "Layer's contrast limits",
    'type': 'Whole range of the type',
    'minmax': 'Darkest to brightest',
}
"""Tone windows that the widget offers."""

NO_FILE = (
    'The photo is a layer of napari and no file, so a saved result cannot '
    'be opened again: save the layer as TIFF and open that file before.'
)


@dataclass(frozen=True)
class _Read:
    """How a plane was read last: whether from its file, where, in what."""

    from_file: bool
    page: int | None
    window: tuple[float, float]


class PhotoSource:
    """Reads planes of an image layer as photos.

    A layer that shows a file means what the file says: which value is
    white, which palette, profile, resolution and orientation. The file
    counts as long as its stored pixels are those of the layer, or if the
    person said so.

    Parameters
    ----------
    layer
        Two image axes, at most one more in front of them.

    Attributes
    ----------
    data : array
        Pixels of the largest level, those that the layer had when this was
        made.

    Raises
    ------
    PhotoError
        If the layer has more axes than that.
    """

    def __init__(self, layer: Image) -> None:
        if layer.ndim > 3:
            raise PhotoError(
                f'{layer.name} has {layer.ndim} axes. Photos have two, stacks '
                'of photos three: take it apart first (Layers > Data).'
            )
        if layer.ndim < 2:
            raise PhotoError(f'{layer.name} has only one axis: no photo.')
        self.layer = layer
        # Of the largest level. The layer may get other pixels while a
        # worker still needs these.
        self.data: NDArray = _largest(layer)
        self._read: dict[int, _Read] = {}
        self._napari_limits: tuple[float, float] | None = None
        self._tones: ToneWindow | None = None

    @property
    def is_image(self) -> bool:
        """Whether the layer shows tones; napari takes some for labels."""
        return isinstance(self.layer, Image)

    @property
    def outdated(self) -> bool:
        """The layer has other pixels by now."""
        return _largest(self.layer) is not self.data

    @property
    def planes(self) -> int:
        """Number of photos: 1, or the length of the stack."""
        return 1 if self.layer.ndim == 2 else int(self.data.shape[0])

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of one plane."""
        height, width = self.data.shape[self.layer.ndim - 2 :][:2]
        return int(height), int(width)

    @property
    def photo_shape(self) -> tuple[int, int]:
        """(H, W) of the photo, also where the layer has other axes."""
        facts = self.facts
        if facts is not None and facts.match is Match.REARRANGED:
            return facts.shape
        return self.shape

    # --- where it came from -----------------------------------------------

    @property
    def opened(self) -> Opened | None:
        """Where the photo came from, if it was us who opened it."""
        return self.layer.metadata.get(SOURCE_KEY)

    @property
    def facts(self) -> FileFacts | None:
        """What is known of the file, once somebody looked."""
        return self.layer.metadata.get(FACTS_KEY)

    @property
    def path(self) -> Path | None:
        """The file that the photo was read from."""
        if self.opened is not None:
            return self.opened.path
        path = self.layer.source.path
        return Path(path) if path else None

    @property
    def sample(self) -> str:
        """Name of the sample photo that the layer was opened as, or ''."""
        if self.opened is not None:
            return self.opened.sample
        plugin, name = self.layer.source.sample or ('', '')
        return name if plugin == PLUGIN else ''

    @property
    def unknown(self) -> bool:
        """There is a file at which nobody looked yet."""
        if self.opened is not None or self.facts is not None:
            return False
        return self.path is not None and self.path.is_file()

    def page(self, plane: int) -> int | None:
        """Number of a plane in the file; None if it holds one photo."""
        if self.opened is not None:
            return self.opened.pages[plane]
        if plane in self._read:
            return self._read[plane].page
        return plane if self.layer.ndim == 3 else None

    def from_file(self, plane: int) -> bool:
        """Whether the file's pixels are colored, as far as it is known."""
        if self.path is None or not self.path.is_file():
            return False
        if self.facts is not None and self.facts.counts == LAYER:
            return False
        return plane not in self._read or self._read[plane].from_file

    # --- tones ------------------------------------------------------------

    def window(self, choice: str) -> Window:
        """What the widget's choice means for this layer.

        'auto' is the one rule for all photos, unless a person set contrast
        limits: then it is those. They are values that the layer shows.
        """
        colored = not self.is_image or self.layer.rgb
        if colored or self.data.dtype == bool:
            return 'auto' if choice == 'contrast' else choice
        low, high = map(float, self.layer.contrast_limits)
        if choice == 'contrast' or (choice == 'auto' and self._own_limits()):
            return low, high
        return choice

    def _own_limits(self) -> bool:
        """The contrast limits are neither napari's own nor ours.

        napari takes darkest and brightest value of an array. Of data that
        are loaded when they are looked at, nobody knows them.
        """
        limits = tuple(map(float, self.layer.contrast_limits))
        if self.opened is not None and self.opened.limits is not None:
            return limits != self.opened.limits
        data = self.layer.data[-1] if self.layer.multiscale else self.data
        if not isinstance(data, np.ndarray):
            return False
        if self._napari_limits is None:
            low, high = calc_data_range(data, rgb=self.layer.rgb)
            self._napari_limits = float(low), float(high)
        return limits != self._napari_limits

    def window_read(self, plane: int, choice: str) -> Window:
        """As ``window``, but in the values of the photo that was read."""
        window = self.window(choice)
        if isinstance(window, tuple) and plane in self._read:
            return self._read[plane].window
        return window

    # --- pixels -----------------------------------------------------------

    def pixels(self, plane: int) -> NDArray:
        """(H, W) or (H, W, channels) of one plane."""
        data = self.data if self.layer.ndim == 2 else self.data[plane]
        return np.asarray(data)

    def photo(self, plane: int, window: Window) -> Photo:
        """One plane as the layer holds it; may take a while."""
        if window == 'auto' and self.planes > 1:
            window = self._stack_tones() or window
        return photo_from_array(
            self.pixels(plane),
            window=window,
            rgb=self.layer.rgb,
            name=self.layer.name,
        )

    def _stack_tones(self) -> ToneWindow | None:
        """One tone window for all planes, unless they are loaded lazily."""
        if self._tones is None and isinstance(self.data, np.ndarray):
            self._tones = choose_tones(self.data)
        return self._tones

    def read(self, plane: int, window: Window) -> Photo:
        """The photo of a plane, as its file means it where the file counts.

        May take a while; safe in a worker.

        Parameters
        ----------
        plane
            Of a stack, else 0.
        window
            As ``window`` gives it.

        Raises
        ------
        PhotoError
            If neither the file nor the layer holds a photo.
        """
        photo = self._from_file(plane, window)
        photo = photo or self._from_layer(plane, window)
        if isinstance(window, tuple):
            note = "Black and white are the layer's contrast limits."
            photo = replace(photo, notes=(*photo.notes, note))
        from_file = bool(photo.origin.sha256)
        page = photo.origin.page if from_file else self.page(plane)
        self._read[plane] = _Read(from_file, page, photo.window)
        return photo

    def stored(self, plane: int, window: Window = 'auto') -> Stored:
        """What the file holds for a plane; for the worker.

        Raises
        ------
        PhotoError
            If our reader cannot read it.
        """
        from napari_sdcolor.plugin.stored import read_stored

        page = self.page(plane)
        stored = read_stored(self.path, page, window)
        if not isinstance(window, tuple):
            return stored
        own = stored.window_of(window, self.pixels(plane))
        return stored if own == window else read_stored(self.path, page, own)

    def look_at_file(self, plane: int, window: Window) -> FileFacts:
        """Find out what the file holds; for the worker."""
        try:
            stored = self.stored(plane, window)
        except PhotoError as error:
            return FileFacts(f'{error} The pixels of the layer are colored.')
        photo = stored.photo
        match = stored.match(self.pixels(plane), self.data)
        if match is Match.SAME and not self.is_image:
            match = Match.REARRANGED
        words = understood(photo)
        if match is Match.REARRANGED:
            words += (
                ' napari shows its parts as a stack, or turned, or as '
                'labels: Run opens the photo as a layer of its own.'
            )
        return FileFacts(
            words,
            match,
            photo.origin.page,
            photo.shape,
            photo.origin.orientation,
        )

    def _from_file(self, plane: int, window: Window) -> Photo | None:
        if self.sample:
            return self._from_sample(plane, window)
        if self.path is None or not self.path.is_file():
            return None
        counts = self.facts.counts if self.facts is not None else ''
        if counts == LAYER:
            return None
        try:
            stored = self.stored(plane, window)
        except PhotoError:
            return None
        shown = self.pixels(plane)
        if stored.photo.shape != shown.shape[:2]:
            return None
        if counts == FILE or stored.shown_by(shown):
            return stored.photo
        if self.opened is not None and self.opened.window != window:
            # Other tones may give other codes than those of the layer.
            before = self.stored(plane, self.opened.window)
            return stored.photo if before.shown_by(shown) else None
        return None

    def _from_sample(self, plane: int, window: Window) -> Photo | None:
        from napari_sdcolor.samples import SAMPLES, SampleFile

        if self.sample not in SAMPLES:
            return None
        photo, pixels = SampleFile(self.sample).read_with_pixels(window=window)
        same = np.array_equal(pixels, self.pixels(plane))
        return photo if same else None

    def _from_layer(self, plane: int, window: Window) -> Photo:
        photo = self.photo(plane, window)
        if self.path is None:
            return replace(photo, notes=(*photo.notes, NO_FILE))
        note = (
            f'The pixels are those of the layer {self.layer.name}, not those '
            f'that {self.path.name} holds.'
        )
        # The name tells where they came from, and no hash claims more.
        origin = Origin(path=str(self.path))
        return replace(photo, origin=origin, notes=(*photo.notes, note))


def source_of(layer: Image | None) -> PhotoSource | None:
    """Reads a layer; None if there is none, or it is no photo."""
    try:
        return None if layer is None else PhotoSource(layer)
    except PhotoError:
        return None


def _largest(layer: Image) -> NDArray:
    """Pixels of a layer's largest level."""
    return layer.data[0] if layer.multiscale else layer.data


def understood(photo: Photo) -> str:
    """What was understood of a photo, in a few sentences."""
    return ' '.join([f'Understood: {photo.describe()}.', *photo.notes])
