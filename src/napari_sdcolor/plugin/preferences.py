"""This plugin's page in napari's preferences, read and written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

PLUGIN = 'napari-sdcolor'


@dataclass(frozen=True)
class Preferences:
    """What is remembered between starts."""

    device: str = 'auto'
    size: int = 352
    weights: str = 'default'
    memory: int = 2048
    live: bool = True
    show_map: bool = True


def _page() -> Any:
    """napari's settings object for us, None where there is none."""
    from napari.settings import get_plugin_settings

    try:
        return get_plugin_settings(PLUGIN)
    except (KeyError, AttributeError):
        # Not installed as a plugin, as in a script: the defaults hold.
        return None


def read() -> Preferences:
    """The person's preferences, or the defaults."""
    page = _page()
    if page is None:
        return Preferences()
    return Preferences(
        device=page.inference.device,
        size=page.inference.size,
        weights=page.inference.weights.strip() or Preferences.weights,
        memory=page.inference.memory,
        live=page.painting.live,
        show_map=page.painting.show_map,
    )


def remember(name: str, value: object) -> None:
    """Keep one of the preferences for the next start."""
    page = _page()
    if page is None:
        return
    part = page.inference if hasattr(page.inference, name) else page.painting
    if getattr(part, name) != value:
        setattr(part, name, value)
