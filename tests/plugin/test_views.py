"""Views show state and emit requests; they decide nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QIcon
from qtpy.QtWidgets import QLabel, QPushButton, QWidget

from napari_sdcolor.classes import CLASSES
from napari_sdcolor.plugin import forms
from napari_sdcolor.plugin.views.banner import Banner
from napari_sdcolor.plugin.views.brush_status import (
    MODE_WORDS,
    BrushStatus,
    swatch,
    swatch_icon,
)
from napari_sdcolor.plugin.views.color_view import FILLED, ColorView
from napari_sdcolor.plugin.views.save_view import SaveView
from napari_sdcolor.plugin.views.section import Section
from napari_sdcolor.settings import declared

SKY, GRASS = 50, 36


@pytest.fixture
def show(qtbot) -> Callable[[QWidget], QWidget]:
    """Hands a view to the test bot, which destroys it in the end."""

    def shown(view: QWidget) -> QWidget:
        qtbot.addWidget(view)
        return view

    return shown


def record(signal) -> list:
    """The values that a signal carries from now on."""
    seen: list = []

    def note(*values: object) -> None:
        seen.append(values[0] if len(values) == 1 else values)

    signal.connect(note)
    return seen


# --- color ----------------------------------------------------------------


@pytest.fixture
def color_view(show) -> ColorView:
    return show(ColorView())


def test_the_color_view_asks(color_view):
    view = color_view
    view.set_ready(has_map=True, has_color=True)
    names = ('undo', 'redo', 'update')
    pressed = {n: record(getattr(view, f'{n}_requested')) for n in names}
    live = record(view.live_requested)
    saturations = record(view.saturation_requested)
    opacities = record(view.opacity_requested)
    styles = record(view.style_requested)
    maps = record(view.map_requested)
    before = record(view.before_requested)
    for button in (view.undo, view.redo, view.update_now):
        button.native.click()
    for button in (view.live, view.map, view.before):
        button.native.click()
        button.native.click()
    view.saturation.value = 0.5
    view.opacity.value = 0.75
    view.style.value = FILLED
    assert list(pressed.values()) == [[()], [()], [()]]
    assert live == maps == before == [True, False]
    assert saturations == pytest.approx([0.5])
    assert opacities == pytest.approx([0.75])
    assert styles == [FILLED]


def test_saturation_has_the_limits_that_the_settings_declare(color_view):
    limits = declared('saturation')
    slider = color_view.saturation
    assert slider.min == limits.metadata['minimum']
    assert slider.max == limits.metadata['maximum']
    assert slider.value == limits.default


def test_following_a_change_from_elsewhere_asks_for_nothing(color_view):
    view = color_view
    asked = [
        record(view.opacity_requested),
        record(view.before_requested),
        record(view.map_requested),
        record(view.style_requested),
        record(view.saturation_requested),
    ]
    forms.show(view.opacity, 0.8)
    forms.show(view.before, True)
    forms.show(view.map, True)
    forms.show(view.style, FILLED)
    forms.show(view.saturation, 2)
    assert view.opacity.value == pytest.approx(0.8)
    assert view.before.value
    assert view.map.value
    assert view.style.value == FILLED
    assert view.saturation.value == pytest.approx(2)
    assert asked == [[], [], [], [], []]


@pytest.mark.parametrize(
    ('mean', 'words'),
    [(None, '–'), (0.0, '0%'), (0.876, '88%'), (1.0, '100%')],
)
def test_confidence_in_percent(color_view, mean, words):
    color_view.set_confidence(mean)
    assert color_view.confidence.text().endswith(words)


# --- save -----------------------------------------------------------------


def test_saving_is_offered_only_when_there_is_something(show):
    view = show(SaveView())
    saves = record(view.save_requested)
    commands = record(view.command_requested)
    view.save.native.click()
    view.command.native.click()
    assert saves == commands == []
    view.set_ready(True)
    view.save.native.click()
    view.command.native.click()
    assert saves == commands == [()]
    view.set_ready(False)
    assert not view.save.enabled


def test_words_about_saving_keep_their_room(show):
    view = show(SaveView())
    height = view.sizeHint().height()
    view.words.setText('Saved in /photos.')
    assert view.words.text() == 'Saved in /photos.'
    view.words.setText('Saved. ' * 100)
    assert view.sizeHint().height() == height


# --- the banner -----------------------------------------------------------


@pytest.fixture
def banner(show) -> Banner:
    return show(Banner())


def buttons(banner: Banner) -> dict[str, QPushButton]:
    """Buttons that a person can press, by their text."""
    return {
        button.text(): button
        for button in banner.findChildren(QPushButton)
        if not button.isHidden()
    }


def test_a_banner_without_question_takes_no_room(banner):
    assert banner.isHidden()


def test_each_answer_has_its_key(banner):
    answers = record(banner.answered)
    for text, key in (('Use it', 'restore'), ('Forget it', 'discard')):
        banner.ask(
            'Go on with it?', {'restore': 'Use it', 'discard': 'Forget it'}
        )
        assert banner.text == 'Go on with it?'
        assert not banner.isHidden()
        assert list(buttons(banner)) == ['Use it', 'Forget it']
        buttons(banner)[text].click()
        assert answers.pop() == key
        assert banner.isHidden()
        assert buttons(banner) == {}


def test_a_new_question_replaces_the_old_one(banner, qtbot):
    answers = record(banner.answered)
    banner.ask('Old?', {'yes': 'Yes', 'no': 'No'})
    banner.ask('New?', {'fine': 'Fine'})
    assert banner.text == 'New?'
    # Qt shows what comes into a visible parent a little later.
    qtbot.waitUntil(lambda: list(buttons(banner)) == ['Fine'])
    buttons(banner)['Fine'].click()
    assert answers == ['fine']


def test_a_withdrawn_question_has_no_answer(banner):
    answers = record(banner.answered)
    banner.ask('Really?', {'yes': 'Yes'})
    banner.withdraw()
    assert banner.isHidden()
    assert buttons(banner) == {}
    assert answers == []


def test_an_answer_may_ask_the_next_question(banner, qtbot):
    def again(key: str) -> None:
        banner.ask('And this?', {'last': 'Well'})

    banner.answered.connect(again)
    banner.ask('This?', {'yes': 'Yes'})
    buttons(banner)['Yes'].click()
    assert banner.text == 'And this?'
    assert not banner.isHidden()
    qtbot.waitUntil(lambda: list(buttons(banner)) == ['Well'])


# --- the brush ------------------------------------------------------------


@pytest.fixture
def status(show) -> BrushStatus:
    return show(BrushStatus())


def test_without_a_map_there_is_no_brush(status):
    assert status.text == 'No semantic map yet'


@pytest.mark.parametrize('mode', MODE_WORDS)
def test_tool_and_class_are_named(status, mode):
    status.show_class(CLASSES[GRASS], mode)
    assert status.text.startswith(MODE_WORDS[mode])
    assert 'grass' in status.text


def test_a_mode_that_does_not_paint_says_so(status):
    status.show_class(CLASSES[SKY], 'pan_zoom')
    assert 'Not painting' in status.text
    assert 'sky' in status.text


def test_a_lost_map_takes_the_swatch_with_it(status):
    status.show_class(CLASSES[SKY], 'paint')
    assert any(not label.pixmap().isNull() for label in pictures(status))
    status.show_nothing()
    assert all(label.pixmap().isNull() for label in pictures(status))


def pictures(status: BrushStatus) -> list[QLabel]:
    return status.findChildren(QLabel)


def test_swatches_are_distinct_and_no_class_is_crossed_out(qapp):
    middles = set()
    for entry in CLASSES[1:]:
        pixel = swatch(entry).toImage().pixelColor(8, 8)
        assert pixel.alpha() == 255
        middles.add((pixel.red(), pixel.green(), pixel.blue()))
    assert len(middles) == 59
    crossed = swatch(CLASSES[0]).toImage()
    assert crossed.pixelColor(4, 3).alpha() == 0
    assert crossed.pixelColor(4, 11).alpha() == 255


# --- sections -------------------------------------------------------------


def test_a_section_folds_and_unfolds(show):
    content = QLabel('inside')
    section = show(Section('Photo', content))
    section.show()
    assert section.header.text() == 'Photo'
    assert content.isVisible()
    unfolded = section.sizeHint().height()
    section.header.click()
    assert not content.isVisible()
    assert section.header.isVisible()
    assert section.header.arrowType() == Qt.ArrowType.RightArrow
    assert section.sizeHint().height() < unfolded
    section.header.click()
    assert content.isVisible()
    assert section.header.arrowType() == Qt.ArrowType.DownArrow


def test_a_selected_row_does_not_tint_its_swatch(qapp):
    icon = swatch_icon(CLASSES[GRASS])
    plain = icon.pixmap(16, QIcon.Mode.Normal).toImage()
    assert icon.pixmap(16, QIcon.Mode.Selected).toImage() == plain


def test_a_section_grows_with_its_content(show):
    banner = Banner()
    section = show(Section('Photo', banner))
    section.show()
    banner.hide()
    small = section.sizeHint().height()
    banner.ask('A question?', {'yes': 'Yes'})
    assert section.sizeHint().height() > small
