"""Widgets say what the declaration of a field says."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from magicgui.widgets import CheckBox, ComboBox, FloatSlider, SpinBox
from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QEnterEvent, QFocusEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QWidget

from napari_sdcolor.core import model_files
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
        ('weights', ComboBox),
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
    forms.choose(size, 999)
    assert size.value == 999
    # napari asks for the choices anew whenever layers come or go.
    size.reset_choices()
    assert size.value == 999
    assert size.choices == (352, 'native', 999)


def _focus(box):
    QApplication.sendEvent(box, QFocusEvent(QEvent.Type.FocusIn))


def _enter(box):
    place = QPointF(3, 3)
    QApplication.sendEvent(box, QEnterEvent(place, place, place))


def _press(box):
    QTest.mousePress(box, Qt.MouseButton.LeftButton)
    box.hidePopup()


def _key(box):
    QTest.keyClick(box, Qt.Key.Key_Shift)


@pytest.mark.parametrize('look', [QWidget.show, _focus, _enter, _press, _key])
def test_weights_that_were_added_appear_when_one_looks(
    qtbot, tmp_path, monkeypatch, look
):
    monkeypatch.setenv(model_files.FOLDER_VARIABLE, str(tmp_path))
    weights = forms.setting('weights')
    qtbot.addWidget(weights.native)
    assert weights.choices == ('default',)
    (tmp_path / 'mine.color.safetensors').write_bytes(b'weights')
    look(weights.native)
    assert weights.choices == ('default', 'mine')
    assert weights.value == 'default'
    # What was chosen stays, also when its file goes.
    weights.value = 'mine'
    (tmp_path / 'mine.color.safetensors').unlink()
    weights.native.hide()
    look(weights.native)
    assert weights.value == 'mine'


def test_fields_of_other_dataclasses(qapp):
    widget = forms.field(Order, 'deep')
    assert isinstance(widget, CheckBox)
    assert widget.value is True
    assert widget.tooltip == 'Look into everything.'
