"""The files of a result: what their names end in, and their formats."""

from __future__ import annotations

LABELS_SUFFIX = '.labels.png'
"""After NAME: the label map."""

SIDECAR_SUFFIX = '.sdcolor.json'
"""After NAME: the sidecar."""

SUFFIXES = {'tiff': '.tif', 'png': '.png', 'jpeg': '.jpg'}
"""Formats and the suffixes that they are given."""

FORMATS = {
    '.tif': 'tiff',
    '.tiff': 'tiff',
    '.png': 'png',
    '.jpg': 'jpeg',
    '.jpeg': 'jpeg',
}
"""Suffixes, in small letters, and the formats that they mean."""

TITLES = {
    'tiff': 'TIFF, exact',
    'png': 'PNG, exact',
    'jpeg': 'JPEG access copy',
}
"""Formats as they are offered."""
