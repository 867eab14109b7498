"""Widgets say what the declaration of a field says."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from magicgui.widgets import CheckBox, ComboBox, FloatSlider, LineEdit, SpinBox

from napari_sdcolor.plugin import forms
from napari_sdcolor.settings import Settings, declare, declared


@dataclass
class Order:
    deep: bool = declare(True, 'Deep', 'Look into everything.')


@pytest.mark.parametrize(
    ('name', 'kind'),
    [
        ('size', ComboBox),
        ('saturation', FloatSlider),
        ('window', ComboBox),
        ('device', ComboBox),
        ('weights', LineEdit),
        ('source_type', ComboBox),
        ('memory', SpinBox),
    ],
)
def test_every_setting_has_the_widget_of_its_declaration(qapp, name, kind):
    widget, entry = forms.setting(name), declared(name)
    assert isinstance(widget, kind)
    assert widget.name == name
    assert widget.label == entry.metadata['title']
    assert widget.tooltip == entry.metadata['help']
    assert widget.value == getattr(Settings(), name)


def test_limits_hold(qapp):
    saturation = forms.setting('saturation')
    limits = declared('saturation').metadata
    assert (saturation.min, saturation.max) == (0.0, limits['maximum'])
    assert saturation.step == limits['step']
    with pytest.raises(ValueError, match='outside'):
        saturation.value = 4


def test_a_form_may_say_it_otherwise(qapp):
    pairs = [('Standard', 352), ('Whole', 'native')]
    size = forms.setting('size', choices=pairs, value='native', label='Seen')
    assert (size.value, size.label) == ('native', 'Seen')
    assert size.current_choice == 'Whole'
    names = ['default']
    weights = forms.setting('weights', choices=lambda widget: names)
    names.append('mine')
    weights.reset_choices()
    assert weights.choices == ('default', 'mine')


def test_fields_of_other_dataclasses(qapp):
    widget = forms.field(Order, 'deep')
    assert isinstance(widget, CheckBox)
    assert widget.value is True
    assert widget.tooltip == 'Look into everything.'
