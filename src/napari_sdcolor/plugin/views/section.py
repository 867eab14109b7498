"""How a dock is laid out: sections that fold away, in a column to scroll."""

from __future__ import annotations

from collections.abc import Iterable

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import (
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

NARROWEST = 250
"""Pixels in width that a dock needs at least."""


class Section(QWidget):
    """A title that shows or hides what is below it.

    Parameters
    ----------
    title
        Always in view.
    content
        Takes the height that it asks for, also when it grows later.
    unfolded
        Whether it is shown at first.
    """

    def __init__(
        self, title: str, content: QWidget, *, unfolded: bool = True
    ) -> None:
        super().__init__()
        self.header = QToolButton()
        self.header.setText(title)
        self.header.setCheckable(True)
        self.header.setChecked(unfolded)
        self.header.setToolButtonStyle(
            Qt.ToolButtonStyle.ToolButtonTextBesideIcon
        )
        self.header.setSizePolicy(
            QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed
        )
        self.content = content
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.header)
        layout.addWidget(content)
        self.header.toggled.connect(self._on_toggled)
        self.header.clicked.connect(self._on_clicked)
        # Its content gets its place only after the click.
        self._placed = QTimer(self)
        self._placed.setSingleShot(True)
        self._placed.setInterval(0)
        self._placed.timeout.connect(self._come_into_view)
        self._on_toggled(unfolded)

    def _on_clicked(self, unfolded: bool) -> None:
        if unfolded:
            self._placed.start()

    def _come_into_view(self) -> None:
        """Scroll to what was unfolded."""
        above = self.parentWidget()
        while above is not None:
            if isinstance(above, QScrollArea):
                above.ensureWidgetVisible(self, 0, 0)
            above = above.parentWidget()

    def _on_toggled(self, unfolded: bool) -> None:
        arrow = Qt.ArrowType.DownArrow if unfolded else Qt.ArrowType.RightArrow
        self.header.setArrowType(arrow)
        self.content.setVisible(unfolded)


def lay_out_dock(
    dock: QWidget,
    fixed: Iterable[QWidget],
    column: Iterable[QWidget],
    below: Iterable[QWidget] = (),
    *,
    grows: bool = False,
) -> None:
    """Put the parts of a dock in their places.

    Parameters
    ----------
    dock
        Has no layout yet.
    fixed
        Stays in view, whatever is folded or scrolled.
    column
        Scrolls below it.
    below
        Stays in view under it.
    grows
        Whether the last part of the column takes the room that is left.
    """
    inside = QWidget()
    scrolled = QVBoxLayout(inside)
    scrolled.setContentsMargins(0, 0, 4, 0)
    scrolled.setSpacing(2)
    parts = list(column)
    for part in parts:
        scrolled.addWidget(part)
    if grows:
        scrolled.setStretchFactor(parts[-1], 1)
    else:
        scrolled.addStretch()
    scroll = QScrollArea()
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QScrollArea.Shape.NoFrame)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setWidget(inside)
    layout = QVBoxLayout(dock)
    layout.setContentsMargins(4, 4, 4, 4)
    for part in fixed:
        layout.addWidget(part)
    layout.addWidget(scroll, 1)
    for part in below:
        layout.addWidget(part)
    dock.setMinimumWidth(NARROWEST)
