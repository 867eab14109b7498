"""What napari tells a person in a corner of its window, as plain text."""

from __future__ import annotations

from napari.utils import notifications

from napari_sdcolor.plugin.plain import plain


def show_info(words: str) -> None:
    """Something that went as it should."""
    notifications.show_info(plain(words))


def show_warning(words: str) -> None:
    """Something the person should know, though the work goes on."""
    notifications.show_warning(plain(words))


def show_error(words: str) -> None:
    """Something that failed, and why."""
    notifications.show_error(plain(words))
