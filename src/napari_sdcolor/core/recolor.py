"""A photo that is being edited: its color follows its label map.

An edit changes the color only inside its receptive box, and only that is
computed (see ``core.incremental``), brought to the photo's size and
composed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_sdcolor.core import cancel, progress
from napari_sdcolor.core.boxes import clip, edit_boxes, margin, slices
from napari_sdcolor.core.compose import compose
from napari_sdcolor.core.device import free_memory
from napari_sdcolor.core.incremental import IncrementalPass
from napari_sdcolor.core.networks import Networks
from napari_sdcolor.core.orientation import (
    as_stored,
    box_as_stored,
    upright,
)
from napari_sdcolor.core.paint import PAINTERS, notes_on
from napari_sdcolor.core.photo import Photo
from napari_sdcolor.core.planes import Box, bands, check_labels, pad
from napari_sdcolor.core.upsample import STRIP, Upsampler
from napari_sdcolor.errors import OutOfMemory, WrongUsage


class RecolorSession:
    """One photo with its map, kept ready for the next edit.

    Whatever goes wrong during an edit, map, chroma and picture stay those
    from before it, and belong together.

    Threads may share a session: it does one thing at a time. Who looks at
    the live views while another thread may edit holds ``lock`` meanwhile.
    A session is a context manager that closes itself::

        with colorizer.session(photo, labels) as session:
            session.update(edited)
            picture = session.rgb.copy()

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
    memory
        MiB of features of the network that may be kept between edits.

    Attributes
    ----------
    lock : threading.RLock
        Held by whatever the session does.
    """

    def __init__(
        self,
        colorizer: Networks,
        photo: Photo,
        labels: ArrayLike,
        saturation: float = 1.0,
        memory: float = 2048,
    ) -> None:
        self.lock = threading.RLock()
        self._closed = False
        self.colorizer = colorizer
        self.photo = photo
        self.saturation = saturation
        self._labels = self._checked(labels).copy()
        size = colorizer.size
        guide = photo.working_lightness(size)
        self._upsample = Upsampler(photo.lightness, guide)
        gray = colorizer.network_gray(photo, 'color', size)
        self._gray = self._pad(gray, 'edge')
        self._pass, self._chroma = self._start(memory)
        # Boxes of the map (upright) for which the kept features may not be
        # those of ``labels``, because an edit was interrupted.
        self._unsettled: list[Box] = []
        self._rgb = self._paint((0, 0, *photo.shape), saturation)

    def _start(self, memory: float) -> tuple[IncrementalPass, NDArray]:
        """The full pass; keeps nothing where the device has no memory."""
        colorizer = self.colorizer
        try:
            with colorizer.inference():
                steps = IncrementalPass(
                    colorizer.color_net,
                    colorizer.gray(self._gray),
                    memory,
                    colorizer.photo_features(self.photo),
                )
                chroma = steps.full(self._padded(self._labels))
                return steps, self._stored(colorizer.lab_units(chroma))
        except OutOfMemory:
            if memory == 0:
                raise
        # Outside the handler: its traceback holds the tensors.
        free_memory(colorizer.device)
        progress.say(
            'The memory is short: nothing is kept, so that edits take longer.'
        )
        return self._start(0)

    def __enter__(self) -> RecolorSession:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the memory; nothing can be asked of the session afterwards.

        What another thread has begun is finished first. Arrays that were
        handed out stay.
        """
        with self.lock:
            if self._closed:
                return
            self._closed = True
            del self._labels, self._chroma, self._rgb
            del self._upsample, self._gray, self._pass
        free_memory(self.colorizer.device)

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._closed

    @contextmanager
    def _open(self) -> Iterator[None]:
        """Nobody else uses the session meanwhile.

        Raises
        ------
        WrongUsage
            If it is closed.
        """
        with self.lock:
            if self._closed:
                raise WrongUsage(
                    'This session was closed. Start another one with '
                    'Colorizer.session.'
                )
            yield

    @property
    def labels(self) -> NDArray[np.uint8]:
        """(h, w) uint8, the map that the color belongs to."""
        with self._open():
            return self._labels

    @property
    def chroma(self) -> NDArray:
        """(h, w, 2) float32 in Lab units, a live view."""
        with self._open():
            return self._chroma

    @property
    def rgb(self) -> NDArray:
        """(H, W, 3) uint8 or uint16, a live view."""
        with self._open():
            return self._rgb

    @property
    def nbytes(self) -> int:
        """Bytes of features that are kept on the device between edits."""
        with self._open():
            return self._pass.nbytes

    @property
    def macs(self) -> int:
        """Multiplications with additions of the last edit."""
        with self._open():
            return self._pass.macs

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about chroma that no photo has."""
        with self._open():
            return notes_on(self._chroma)

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
            If the map has another size, type or wrong ids.
        NetworkError
            If the network gives NaN or infinity.
        DeviceError
            If the device ran out of memory or is gone.
        Cancelled
            If the running job was cancelled meanwhile.
        WrongUsage
            If the session is closed.
        """
        with self._open():
            return self._update(self._checked(labels))

    def _update(self, labels: NDArray[np.uint8]) -> list[Box]:
        orientation = self.photo.origin.orientation
        turned = upright(labels, orientation)
        edits = edit_boxes(
            upright(self._labels, orientation),
            turned,
            margin(self.colorizer.color_net.config),
        )
        if not edits:
            return []
        self._unsettled = [*edits, *self._unsettled]
        with self.colorizer.inference():
            patches = [
                (clip(box, turned.shape), self.colorizer.lab_units(found))
                for box, found in self._pass.update(turned, self._unsettled)
            ]
        boxes = [
            box_as_stored(box, turned.shape, orientation) for box, _ in patches
        ]
        chroma = upright(self._chroma, orientation)
        before = [self._chroma[slices(box)].copy() for box in boxes]
        with ExitStack() as otherwise:
            otherwise.callback(self._put_back, boxes, before)
            for box, found in patches:
                y0, x0, y1, x1 = box
                chroma[slices(box)] = found[: y1 - y0, : x1 - x0]
            painted = [
                (box, self._paint(box, self.saturation))
                for box in map(self.photo_box, boxes)
            ]
            otherwise.pop_all()
        # From here on nothing can fail.
        for box, pixels in painted:
            self._rgb[slices(box)] = pixels
        self._labels[...] = labels
        self._unsettled = []
        return boxes

    def _put_back(self, boxes: list[Box], before: list[NDArray]) -> None:
        for box, old in zip(boxes, before, strict=True):
            self._chroma[slices(box)] = old

    def photo_box(self, box: Box) -> Box:
        """Photo pixels that a working-size box can change."""
        with self._open():
            return self._upsample.reach(box)

    def set_saturation(self, saturation: float) -> None:
        """Compose the picture again with another factor on the chroma."""
        with self._open():
            rgb = self._paint((0, 0, *self.photo.shape), saturation)
            self.saturation = saturation
            self._rgb[...] = rgb

    def full(self) -> NDArray:
        """Chroma (h, w, 2) computed anew in one full pass, to compare."""
        with self._open():
            chroma, _ = self.colorizer.color(
                self._gray,
                self._padded(self._labels),
                self.colorizer.photo_features(self.photo),
            )
            return self._stored(chroma)

    def _paint(self, box: Box, saturation: float) -> NDArray:
        """Pixels of a box of the photo."""
        cancel.check()
        y0, x0, y1, x1 = box
        depth = np.uint8 if self.photo.bits == 8 else np.uint16
        rgb = np.empty((y1 - y0, x1 - x0, 3), depth)

        def paint(rows: slice) -> None:
            strip = y0 + rows.start, x0, y0 + rows.stop, x1
            rgb[rows] = compose(
                self.photo.lightness[slices(strip)],
                self._upsample(self._chroma, strip),
                self.photo.bits,
                saturation,
            )

        strips = list(bands(rgb.shape, STRIP))
        if len(strips) == 1:
            paint(*strips)
            return rgb
        # NumPy lets threads run side by side.
        with ThreadPoolExecutor(PAINTERS) as painters:
            works = [painters.submit(paint, rows) for rows in strips]
            try:
                for work in works:
                    cancel.check()
                    work.result()
            finally:
                for work in works:
                    work.cancel()
        return rgb

    def _checked(self, labels: ArrayLike) -> NDArray[np.uint8]:
        shape = self.photo.working_shape(self.colorizer.size)
        return check_labels(labels, shape)

    def _pad(self, plane: NDArray, mode: str) -> NDArray:
        return pad(plane, self.colorizer.color_net.config.multiple, mode)[0]

    def _padded(self, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A map in stored order as the network sees it."""
        turned = upright(labels, self.photo.origin.orientation)
        return np.ascontiguousarray(self._pad(turned, 'constant'))

    def _stored(self, chroma: NDArray) -> NDArray:
        """The network's chroma in stored order, without the padding."""
        orientation = self.photo.origin.orientation
        h, w = upright(self._labels, orientation).shape
        return np.ascontiguousarray(as_stored(chroma[:h, :w], orientation))
