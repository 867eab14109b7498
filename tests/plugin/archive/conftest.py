"""A folder of small photos and the dock on a viewer without a window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_sdcolor.plugin.archive.choices import Choices
from napari_sdcolor.plugin.archive.widget import ArchiveWidget
from napari_sdcolor.settings import Settings

NAMES = ('a.png', 'b.png', 'box/c.png')


@pytest.fixture(autouse=True)
def remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of remembered choices, never the person's own."""
    path = tmp_path / 'remembered' / 'archive.json'
    monkeypatch.setenv('SDCOLOR_ARCHIVE_CHOICES', str(path))
    return path


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Three photos in two folders."""
    y, x = np.mgrid[:40, :56]
    for step, name in enumerate(NAMES):
        path = tmp_path / 'scans' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        gray = ((3 + 7 * step) * x + 5 * y) % 256
        Image.fromarray(gray.astype(np.uint8)).save(path)
    return tmp_path / 'scans'


@pytest.fixture
def choices(scans: Path, tmp_path: Path) -> Choices:
    return Choices(
        (str(scans),),
        str(tmp_path / 'out'),
        Settings(size=64, device='cpu'),
        confidence=1.0,
    )


@pytest.fixture
def make_dock(qtbot, viewer, engine, make_widget) -> Iterator[Callable]:
    """Builds the dock, with the dock "Colorize" at hand."""
    made: list[ArchiveWidget] = []
    colorize = make_widget(viewer)

    def make(choices: Choices | None = None, **more) -> ArchiveWidget:
        widget = ArchiveWidget(
            viewer,
            more.pop('engine', engine),
            colorize=more.pop('colorize', lambda: colorize.coordinator),
            **more,
        )
        qtbot.addWidget(widget)
        made.append(widget)
        if choices is not None:
            widget.coordinator.choose(choices)
        return widget

    yield make
    for widget in made:
        widget.coordinator.close()


@pytest.fixture
def rest(qtbot) -> Callable[[ArchiveWidget], None]:
    """Waits until the dock's workers have nothing left to do."""

    def wait(widget: ArchiveWidget) -> None:
        coordinator = widget.coordinator

        def quiet() -> bool:
            idle = coordinator.jobs.idle and coordinator.queue.jobs.idle
            return idle and not coordinator._timer.isActive()

        qtbot.waitUntil(quiet, timeout=30_000)

    return wait


@pytest.fixture
def done(make_dock, choices, rest) -> ArchiveWidget:
    """The dock after a finished run; every photo needs a person."""
    widget = make_dock(choices)
    rest(widget)
    widget.coordinator.start()
    rest(widget)
    return widget
