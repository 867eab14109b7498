"""magicgui widgets for the fields that ``settings.declare`` declared.

What a field is, what it may be and what it does is said once, where it is
declared; a form only says which fields it shows.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any, get_type_hints

from magicgui.widgets import create_widget
from magicgui.widgets.bases import ValueWidget

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
    entry = next(entry for entry in fields(owner) if entry.name == name)
    facts = entry.metadata
    kind = get_type_hints(owner)[name]
    options: dict[str, Any] = {'tooltip': facts['help']}
    choices = facts.get('choices') or facts.get('offered')
    if choices or 'choices' in overrides:
        options['choices'] = choices
        options['widget_type'] = 'ComboBox'
    elif 'minimum' in facts:
        options |= {'min': facts['minimum'], 'max': facts['maximum']}
        if kind is float:
            options['widget_type'] = 'FloatSlider'
        if 'step' in facts:
            options['step'] = facts['step']
    value = overrides.pop('value', entry.default)
    label = overrides.pop('label', facts['title'])
    return create_widget(
        value=value,
        annotation=kind,
        name=name,
        label=label,
        options=options | overrides,
    )
