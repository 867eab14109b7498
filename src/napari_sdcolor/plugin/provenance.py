"""What is known of where the pixels of a layer came from.

It is kept in the metadata of the layer, so that it outlives the dock.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

Window = str | tuple[float, float]

SOURCE_KEY = 'napari-sdcolor source'
"""Where a photo that we opened keeps where it came from."""

FACTS_KEY = 'napari-sdcolor file'
"""Where a photo that napari opened keeps what its file holds."""

FILE = 'file'
LAYER = 'layer'


class Match(StrEnum):
    """How the pixels of a layer are those of the photo in its file.

    SAME
        Pixel on pixel.
    REARRANGED
        The same pixels, but the axes of the layer are not those of the
        photo: alpha or the colors are an axis, or the photo was turned.
        Or it is no image.
    SIZE
        The layer has another size, such as that of a thumbnail.
    OTHER
        Other pixels.
    """

    SAME = 'same'
    REARRANGED = 'rearranged'
    SIZE = 'size'
    OTHER = 'other'


@dataclass(eq=False, kw_only=True)
class Opened:
    """Where the pixels of a layer came from that we opened.

    Parameters
    ----------
    path
        The photo's file; None if it is a sample.
    pages
        Number of each plane in that file; None if it holds one photo.
    sample
        Name of the sample photo, or ''.
    limits
        Contrast limits that we gave the layer, None where we gave none.
    window
        Tone window that its pixels were read with.
    """

    path: Path | None
    pages: list[int | None]
    sample: str = ''
    limits: tuple[float, float] | None = None
    window: Window = 'auto'


@dataclass(eq=False)
class FileFacts:
    """What was found out about the file of a layer that napari opened.

    Parameters
    ----------
    words
        What was understood, for a person.
    match
        How the layer shows the file's photo; None if we cannot read it.
    page
        Of the file, None if it holds one photo.
    shape
        (H, W) of the file's photo.
    orientation
        How the file says that it is stored, EXIF 1..8.
    counts
        Whose pixels the person wants, FILE or LAYER; '' if nobody asked.
    placed
        The person answered how the photo should lie.
    """

    words: str
    match: Match | None = None
    page: int | None = None
    shape: tuple[int, int] = (0, 0)
    orientation: int = 1
    counts: str = ''
    placed: bool = False

    @property
    def undecided(self) -> bool:
        """Layer and file differ, and nobody said which counts."""
        return not self.counts and self.match in (Match.SIZE, Match.OTHER)

    @property
    def needs_layer(self) -> bool:
        """The photo that counts cannot be laid over this layer."""
        apart = self.match in (Match.REARRANGED, Match.SIZE)
        return apart and self.counts != LAYER

    @property
    def lies_wrong(self) -> bool:
        """The layer shows the photo as it is stored, but not upright."""
        shown = self.match is Match.SAME or (
            self.match is Match.OTHER and self.counts == FILE
        )
        return shown and self.orientation != 1 and not self.placed
