"""magicgui widgets for the fields that ``settings.declare`` declared.

What a field is, what it may be and what it does is said once, where it is
declared; a form only says which fields it shows.
"""

from __future__ import annotations

from dataclasses import Field, fields
from functools import partial
from typing import Any, get_type_hints

from magicgui.widgets import ComboBox, Container, create_widget
from magicgui.widgets.bases import ValueWidget, Widget
from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from napari_sdcolor.core import model_files
from napari_sdcolor.settings import Settings


class Form(Container):
    """Widgets below each other, their labels in one column.

    Parameters
    ----------
    *widgets
        In the order in which they are shown.
    """

    def __init__(self, *widgets: Widget) -> None:
        super().__init__()
        self.margins = (0, 0, 0, 0)
        # Given at once, each label would be as wide as its own words.
        self.extend(widgets)


def column(parent: QWidget, *parts: QWidget, spacing: int = 3) -> QVBoxLayout:
    """Put widgets below each other, as close as fits; the layout."""
    layout = QVBoxLayout(parent)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(spacing)
    for part in parts:
        layout.addWidget(part)
    return layout


def row(*widgets: Widget) -> Container:
    """Some widgets beside each other, without labels."""
    beside = Container(widgets=widgets, layout='horizontal', labels=False)
    beside.margins = (0, 0, 0, 0)
    for widget in widgets:
        # As narrow as their dock.
        widget.native.setMinimumWidth(20)
    return beside


def setting(name: str, **overrides: Any) -> ValueWidget:
    """The widget for one of the settings; see ``field``."""
    return field(Settings, name, **overrides)


def field(owner: type, name: str, **overrides: Any) -> ValueWidget:
    """The widget for one declared field of a dataclass.

    A field with choices becomes a combo box, a float between limits a
    slider, anything else what magicgui takes for its type.

    Parameters
    ----------
    owner
        The dataclass.
    name
        Of the field, and of the widget.
    **overrides
        Options of the magicgui widget that are to differ from the
        declaration, such as ``value``, ``label`` or ``choices`` (values,
        pairs of words and value, or a function that gives them and is
        asked again whenever a person turns to the widget).

    Returns
    -------
    ValueWidget
        With label, tooltip, limits, choices and default of the field.
    """
    entry = _declared(owner, name)
    value = overrides.pop('value', entry.default)
    label = overrides.pop('label', entry.metadata['title'])
    found = options(name, owner, **overrides)
    offered = found.get('choices')
    if offered is not None:
        found['choices'] = partial(_offer, offered)
    widget = create_widget(
        value=value,
        annotation=get_type_hints(owner)[name],
        name=name,
        label=label,
        options=found,
    )
    if isinstance(widget, ComboBox):
        # Long words never widen a dock.
        widget.native.setSizePolicy(
            QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed
        )
        if callable(offered):
            Renewal(widget)
    return widget


def options(
    name: str, owner: type = Settings, **overrides: Any
) -> dict[str, Any]:
    """magicgui options of a declared field, also for annotated signatures.

    Parameters
    ----------
    name, owner, **overrides
        As for ``field``.
    """
    if owner is Settings and name == 'weights':
        overrides.setdefault('choices', _installed)
    facts = _declared(owner, name).metadata
    found: dict[str, Any] = {'tooltip': facts['help']}
    choices = facts.get('choices') or facts.get('offered')
    if choices or 'choices' in overrides:
        found['choices'] = choices
        found['widget_type'] = 'ComboBox'
    elif 'minimum' in facts:
        found |= {'min': facts['minimum'], 'max': facts['maximum']}
        if get_type_hints(owner)[name] is float:
            found['widget_type'] = 'FloatSlider'
        if 'step' in facts:
            found['step'] = facts['step']
    return found | overrides


def _declared(owner: type, name: str) -> Field:
    return next(entry for entry in fields(owner) if entry.name == name)


def show(widget: ValueWidget, value: Any) -> None:
    """Show a value that was chosen elsewhere, and ask for nothing."""
    with widget.changed.blocked():
        widget.value = value


def choose(widget: ComboBox, value: Any) -> None:
    """Show a value, also one that the list does not offer."""
    if value not in widget.choices:
        widget.set_choice(str(value), value)
    if widget.value != value:
        widget.value = value


def _offer(offered: Any, widget: ComboBox) -> list[tuple[str, Any]]:
    """Words and values of a list, and of what is chosen now."""
    values = offered(widget) if callable(offered) else offered
    pairs = [
        value if isinstance(value, tuple) else (str(value), value)
        for value in values
    ]
    chosen = widget.value
    if chosen is not None and chosen not in [value for _, value in pairs]:
        pairs.append((str(chosen), chosen))
    return pairs


def _installed(widget: ComboBox) -> list[str]:
    """Names of the weights that there are now."""
    return model_files.names()


class Renewal(QObject):
    """Asks for the choices of a combo box before a person sees its list."""

    LOOKED_AT = (
        QEvent.Type.Show,
        QEvent.Type.Enter,
        QEvent.Type.FocusIn,
        QEvent.Type.MouseButtonPress,
        QEvent.Type.KeyPress,
    )

    def __init__(self, widget: ComboBox) -> None:
        # The combo box owns it.
        super().__init__(widget.native)
        self.widget = widget
        widget.native.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in self.LOOKED_AT:
            self.widget.reset_choices()
        return False
