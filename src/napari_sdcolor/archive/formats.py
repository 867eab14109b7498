"""The file formats of results, their suffixes and what people call them."""

from __future__ import annotations

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
