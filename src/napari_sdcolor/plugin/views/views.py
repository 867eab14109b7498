"""All views of the dock "Colorize"."""

from __future__ import annotations

from dataclasses import dataclass, field

from napari_sdcolor.plugin.views.banner import Banner
from napari_sdcolor.plugin.views.brush_status import BrushStatus
from napari_sdcolor.plugin.views.class_panel import ClassPanel
from napari_sdcolor.plugin.views.color_view import ColorView
from napari_sdcolor.plugin.views.run_view import DeviceBadge, RunView
from napari_sdcolor.plugin.views.save_view import SaveView


@dataclass(frozen=True)
class Views:
    """Everything that the dock shows."""

    run: RunView = field(default_factory=RunView)
    classes: ClassPanel = field(default_factory=ClassPanel)
    color: ColorView = field(default_factory=ColorView)
    save: SaveView = field(default_factory=SaveView)
    brush: BrushStatus = field(default_factory=BrushStatus)
    banner: Banner = field(default_factory=Banner)
    badge: DeviceBadge = field(default_factory=DeviceBadge)
