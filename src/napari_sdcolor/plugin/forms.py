"""magicgui widgets for the fields that ``settings.declare`` declared.

What a field is, what it may be and what it does is said once, where it is
declared; a form only says which fields it shows.
"""

from __future__ import annotations

from dataclasses import Field, fields
from typing import Any, get_type_hints

from magicgui.widgets import Container, create_widget
from magicgui.widgets.bases import ValueWidget, Widget

from napari_sdcolor.settings import Settings


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
        pairs of words and value, or a function that gives them).

    Returns
    -------
    ValueWidget
        With label, tooltip, limits, choices and default of the field.
    """
    entry = _declared(owner, name)
    value = overrides.pop('value', entry.default)
    label = overrides.pop('label', entry.metadata['title'])
    return create_widget(
        value=value,
        annotation=get_type_hints(owner)[name],
        name=name,
        label=label,
        options=options(name, owner, **overrides),
    )


def options(
    name: str, owner: type = Settings, **overrides: Any
) -> dict[str, Any]:
    """magicgui options of a declared field, for annotated signatures."""
    entry = _declared(owner, name)
    facts = entry.metadata
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


def form(*widgets: Widget) -> Container:
    """Labeled widgets below each other, as narrow as their dock."""
    return _packed(Container(widgets=widgets, labels=True))


def row(*widgets: Widget) -> Container:
    """Widgets beside each other, as narrow as their dock."""
    return _packed(
        Container(widgets=widgets, layout='horizontal', labels=False)
    )


def _packed(container: Container) -> Container:
    container.margins = (0, 0, 0, 0)
    for widget in container:
        # Long names of photos must not widen the dock.
        widget.native.setMinimumWidth(20)
    return container
