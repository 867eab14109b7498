"""What lies among photos and is none: why it is left out.

Only what is found in a folder or by a pattern is judged by this. A file that
a person names is taken.
"""

from __future__ import annotations

import os

from napari_sdcolor.archive.companions import sidecar_of
from napari_sdcolor.archive.formats import LABELS_SUFFIX, SIDECAR_SUFFIX
from napari_sdcolor.archive.reading import PHOTO_SUFFIXES
from napari_sdcolor.archive.signatures import looks_like_photo
from napari_sdcolor.errors import said

_THUMBNAILS = 'A folder of thumbnails that another program made.'
_KEPT = 'A folder of copies that another program kept.'
_DELETED = 'A folder of deleted files.'
_SYSTEM = "A folder of the operating system's own."

_FOLDERS = {
    '@eadir': _THUMBNAILS,  # Synology
    '.@__thumb': _THUMBNAILS,  # QNAP
    '@__thumb': _THUMBNAILS,
    '_thumb': _THUMBNAILS,
    '_thumbs': _THUMBNAILS,
    '.thumb': _THUMBNAILS,
    '.thumbs': _THUMBNAILS,
    '.thumbnails': _THUMBNAILS,
    '.xvpics': _THUMBNAILS,
    '.picasaoriginals': _KEPT,
    '#snapshot': _KEPT,
    '@recently-snapshot': _KEPT,
    '#recycle': _DELETED,
    '@recycle': _DELETED,
    '$recycle.bin': _DELETED,
    'recycler': _DELETED,
    '.dtrash': _DELETED,
    '__macosx': _SYSTEM,
    '.appledouble': _SYSTEM,
    '.spotlight-v100': _SYSTEM,
    'system volume information': _SYSTEM,
}
"""Folders of other programs by their names in small letters."""

_PREVIEWS = '.lrdata'
_TRASH = '.trash'

_RAW = (
    *('.3fr', '.arw', '.cr2', '.dcr', '.dng', '.erf', '.fff', '.iiq', '.kdc'),
    *('.mef', '.mos', '.nef', '.nrw', '.pef', '.rwl', '.sr2', '.srf', '.srw'),
)
"""Files of cameras, which begin like TIFF files and hold no picture yet."""

_CAMERA_THUMBNAIL = '.thm'
_EXIFTOOL = '_original'


def why_no_photos_in(folder: str) -> str:
    """Why a folder is not looked into, as a sentence; mostly empty.

    Parameters
    ----------
    folder
        Its name.
    """
    name = folder.lower()
    if name.endswith(_PREVIEWS):
        return _THUMBNAILS  # Lightroom
    if name.startswith(_TRASH):
        return _DELETED
    return _FOLDERS.get(name, '')


def has_usual_suffix(path: str) -> bool:
    """Whether the name is that of a photo; its content may still be none."""
    return path.lower().endswith(PHOTO_SUFFIXES)


def why_ours(path: str) -> str:
    """What a file is that this program wrote; empty for all others."""
    if path.endswith(LABELS_SUFFIX):
        return 'A label map without its photo.'
    if path.endswith(SIDECAR_SUFFIX):
        return 'The record of a colored photo; "sdcolor replay" reads it.'
    return 'A result of this program.' if sidecar_of(path) else ''


def why_no_photo(path: str) -> str:
    """Why a file is no photo to color, as a sentence; empty for photos.

    What has the suffix of a photo is taken for one without being opened:
    what else it may be is found when it is read, and told as a failure.
    """
    if has_usual_suffix(path):
        return why_ours(path)
    name = path.lower()
    if name.endswith(_RAW):
        return 'A raw file of a camera: develop it to a TIFF file first.'
    if name.endswith(_CAMERA_THUMBNAIL):
        return 'A thumbnail that a camera made.'
    kept_of = path.removesuffix(_EXIFTOOL)
    if kept_of != path and os.path.lexists(kept_of):
        return 'A copy that ExifTool kept of another file.'
    why = why_ours(path)
    if why:
        return why
    try:
        return '' if looks_like_photo(path) else 'No photo by its content.'
    except OSError as error:
        return (
            f'No photo by its suffix, and its content is unknown: '
            f'{said(error)}.'
        )
