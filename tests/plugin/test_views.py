"""Views show state and emit requests; they decide nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QPushButton, QWidget

from napari_sdcolor.classes import CLASSES, GROUPS, N_CLASSES
from napari_sdcolor.plugin.source import WINDOW_CHOICES
from napari_sdcolor.plugin.views.banner import Banner
from napari_sdcolor.plugin.views.brush_status import (
    MODE_WORDS,
    BrushStatus,
    swatch,
)
from napari_sdcolor.plugin.views.class_panel import (
    ID_ROLE,
    MAX_BRUSH,
    ClassPanel,
)
from napari_sdcolor.plugin.views.color_view import ColorView
from napari_sdcolor.plugin.views.run_view import DeviceBadge, RunView
from napari_sdcolor.plugin.views.save_view import SaveView
from napari_sdcolor.plugin.views.section import Section
from napari_sdcolor.settings import declared

SKY, GRASS, WATER = 50, 36, 57


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


# --- the class panel ------------------------------------------------------


@pytest.fixture
def panel(show) -> ClassPanel:
    return show(ClassPanel())


def listed(panel: ClassPanel) -> list[int]:
    """Ids in the list, from top to bottom."""
    rows = range(panel.filter.rowCount())
    return [panel.filter.index(row, 0).data(ID_ROLE) for row in rows]


def click(qtbot, panel: ClassPanel, number: int) -> None:
    """Click the row of a class with the mouse."""
    panel.show()
    source = panel.model.index(panel.model.row_of(number))
    index = panel.filter.mapFromSource(source)
    panel.list.scrollTo(index)
    place = panel.list.visualRect(index).center()
    qtbot.mouseClick(
        panel.list.viewport(), Qt.MouseButton.LeftButton, pos=place
    )


def shares_of(**areas: float) -> np.ndarray:
    """Shares of classes by name."""
    shares = np.zeros(N_CLASSES)
    for entry in CLASSES:
        shares[entry.id] = areas.get(entry.name, 0)
    return shares


def test_all_classes_are_listed_group_by_group(panel):
    ids = listed(panel)
    assert sorted(ids) == list(range(60))
    groups = [CLASSES[number].group for number in ids]
    assert groups == sorted(groups, key=GROUPS.index)
    assert ids[0] == 0


def test_a_row_shows_name_color_and_more_on_hover(panel):
    index = panel.model.index(panel.model.row_of(SKY))
    assert index.data() == 'sky'
    icon = index.data(Qt.ItemDataRole.DecorationRole)
    pixel = icon.pixmap(16).toImage().pixelColor(8, 8)
    assert (pixel.red(), pixel.green(), pixel.blue()) == CLASSES[SKY].color
    assert 'id 50' in index.data(Qt.ItemDataRole.ToolTipRole)


@pytest.mark.parametrize('words', ['sky', 'SKY', 'sk'])
def test_the_search_finds_a_class(panel, words):
    panel.search.setText(words)
    assert SKY in listed(panel)
    assert GRASS not in listed(panel)


def test_the_search_takes_signs_as_they_are(panel):
    for words in ('.', '*', '(', 'sky|grass'):
        panel.search.setText(words)
        assert listed(panel) == []
    panel.search.setText('')
    assert len(listed(panel)) == 60


def test_enter_in_the_search_takes_the_first_hit(panel, qtbot):
    asked = record(panel.class_requested)
    panel.search.setText('water')
    qtbot.keyClick(panel.search, Qt.Key.Key_Return)
    assert asked == [WATER]


def test_enter_without_a_hit_asks_for_nothing(panel, qtbot):
    asked = record(panel.class_requested)
    panel.search.setText('zeppelin')
    qtbot.keyClick(panel.search, Qt.Key.Key_Return)
    assert asked == []


def test_a_click_asks_for_the_class_once(panel, qtbot):
    asked = record(panel.class_requested)
    click(qtbot, panel, GRASS)
    assert asked == [GRASS]
    click(qtbot, panel, 0)
    assert asked == [GRASS, 0]


def test_a_click_in_a_searched_list_asks_for_what_is_under_the_mouse(
    panel, qtbot
):
    panel.search.setText('wa')
    asked = record(panel.class_requested)
    click(qtbot, panel, WATER)
    assert asked == [WATER]


def test_showing_a_class_does_not_ask_for_it(panel):
    asked = record(panel.class_requested)
    for number in (GRASS, SKY, 0):
        panel.select(number)
        assert panel.selected == number
    assert asked == []


def test_a_class_that_the_search_hides_is_not_shown_as_chosen(panel):
    panel.select(SKY)
    panel.search.setText('grass')
    panel.select(SKY)
    assert panel.selected is None
    panel.select(GRASS)
    assert panel.selected == GRASS


def test_areas_stand_behind_the_names(panel):
    panel.set_shares(shares_of(sky=0.25, grass=0.75))
    rows = panel.model.row_of
    assert panel.model.index(rows(SKY)).data() == 'sky   25.0%'
    assert panel.model.index(rows(GRASS)).data() == 'grass   75.0%'
    assert panel.model.index(rows(WATER)).data() == 'water'


def test_only_what_is_in_the_photo(panel):
    panel.set_shares(shares_of(sky=0.25, grass=0.75))
    panel.only_present.setChecked(True)
    assert set(listed(panel)) == {SKY, GRASS}
    panel.set_shares(shares_of(water=1.0))
    assert listed(panel) == [WATER]
    panel.set_shares(np.zeros(N_CLASSES))
    assert listed(panel) == []
    panel.only_present.setChecked(False)
    assert len(listed(panel)) == 60


def test_search_and_in_this_photo_work_together(panel):
    panel.set_shares(shares_of(sky=0.25, grass=0.75))
    panel.only_present.setChecked(True)
    panel.search.setText('grass')
    assert listed(panel) == [GRASS]
    panel.search.setText('water')
    assert listed(panel) == []


def test_new_areas_keep_the_chosen_class(panel):
    asked = record(panel.class_requested)
    panel.set_shares(shares_of(sky=0.25, grass=0.75))
    panel.only_present.setChecked(True)
    panel.select(GRASS)
    panel.set_shares(shares_of(sky=0.2, grass=0.3, water=0.5))
    assert panel.selected == GRASS
    panel.only_present.setChecked(False)
    assert panel.selected == GRASS
    assert asked == []


def test_the_brush_slider_asks_for_a_size(panel):
    asked = record(panel.brush_size_requested)
    panel.brush.setValue(77)
    assert asked == [77]


@pytest.mark.parametrize(
    ('size', 'shown'), [(1, 1), (20, 20), (41, 41), (9999, MAX_BRUSH)]
)
def test_a_brush_size_from_elsewhere_is_shown_and_not_asked_for(
    panel, size, shown
):
    asked = record(panel.brush_size_requested)
    panel.set_brush_size(size)
    assert panel.brush.value() == shown
    assert asked == []


# --- run ------------------------------------------------------------------


@pytest.fixture
def run_view(show) -> RunView:
    return show(RunView())


def test_without_a_photo_there_is_nothing_to_press(run_view):
    run_view.set_photos([], -1)
    assert not run_view.button.isEnabled()
    assert not run_view.photo.isEnabled()


def test_the_button_runs_and_while_running_stops(run_view, qtbot):
    runs = record(run_view.run_requested)
    stops = record(run_view.stop_requested)
    run_view.set_photos(['castle'], 0)
    for _ in range(2):
        assert run_view.button.text().startswith('Run')
        assert run_view.bar.isHidden()
        run_view.button.click()
        run_view.show_running('Starting…')
        assert run_view.button.text() == 'Stop'
        assert not run_view.bar.isHidden()
        assert run_view.status.text() == 'Starting…'
        run_view.button.click()
        run_view.show_idle('Stopped.')
        assert run_view.status.text() == 'Stopped.'
    assert (len(runs), len(stops)) == (2, 2)


def test_a_running_task_can_be_stopped_after_its_photo_is_gone(run_view):
    run_view.set_photos(['castle'], 0)
    run_view.show_running('Coloring…')
    run_view.set_photos([], -1)
    assert run_view.button.isEnabled()
    run_view.show_idle()
    assert not run_view.button.isEnabled()


def test_idle_without_words_keeps_the_last_ones(run_view):
    run_view.show_status('The weights are missing.')
    run_view.show_idle()
    assert run_view.status.text() == 'The weights are missing.'


def test_listing_photos_does_not_choose_one(run_view):
    asked = record(run_view.photo_requested)
    run_view.set_photos(['castle', 'boat', 'castle'], 2)
    assert run_view.photo.currentIndex() == 2
    assert run_view.photo.count() == 3
    run_view.set_photos(['boat'], 0)
    assert run_view.photo.currentText() == 'boat'
    assert asked == []


def test_choosing_a_photo_asks_for_its_row(run_view, qtbot):
    """Rows and not names: two photos may share a name."""
    asked = record(run_view.photo_requested)
    run_view.set_photos(['castle', 'boat', 'castle'], 0)
    run_view.show()
    run_view.photo.setFocus()
    qtbot.keyClick(run_view.photo, Qt.Key.Key_End)
    assert asked == [2]


def test_every_tone_window_is_offered_by_words_and_asked_for_by_key(
    run_view, qtbot
):
    asked = record(run_view.window_requested)
    box = run_view.window
    words = [box.itemText(row) for row in range(box.count())]
    assert words == list(WINDOW_CHOICES.values())
    run_view.show()
    box.setFocus()
    for _ in words[1:]:
        qtbot.keyClick(box, Qt.Key.Key_Down)
    assert asked == list(WINDOW_CHOICES)[1:]


def test_what_was_understood_takes_room_only_when_there_are_words(run_view):
    run_view.set_understood('Understood: gray.')
    assert not run_view.understood.isHidden()
    run_view.set_understood('')
    assert run_view.understood.isHidden()


# --- the device -----------------------------------------------------------


@pytest.fixture
def badge(show) -> DeviceBadge:
    return show(DeviceBadge())


def test_before_the_check_no_device_is_claimed(badge):
    assert 'not checked' in badge.text()
    assert badge.styleSheet() == ''


def test_the_device_is_named_and_the_cpu_stands_out(badge):
    badge.show_device('cuda', 'GPU: NVIDIA H200', '')
    assert badge.text() == 'Runs on GPU: NVIDIA H200'
    assert 'faster' not in badge.toolTip()
    fast = badge.styleSheet()
    badge.show_device('cpu', 'CPU (8 threads)', 'No GPU was found.')
    assert badge.text() == 'Runs on CPU (8 threads)'
    assert badge.styleSheet() != fast
    assert 'GPU would be faster' in badge.toolTip()
    assert 'No GPU was found.' in badge.toolTip()


# --- color ----------------------------------------------------------------


@pytest.fixture
def color_view(show) -> ColorView:
    return show(ColorView())


def test_the_color_view_asks(color_view):
    view = color_view
    live = record(view.live_requested)
    updates = record(view.update_requested)
    saturations = record(view.saturation_requested)
    opacities = record(view.opacity_requested)
    before = record(view.before_requested)
    view.live.click()
    view.live.click()
    view.update_now.click()
    view.saturation.setValue(0.5)
    view.opacity.setValue(0.75)
    view.before.click()
    view.before.click()
    assert live == [True, False]
    assert updates == [()]
    assert saturations == pytest.approx([0.5])
    assert opacities == pytest.approx([0.75])
    assert before == [True, False]


def test_saturation_has_the_limits_that_the_settings_declare(color_view):
    limits = declared('saturation')
    slider = color_view.saturation
    assert slider.minimum() == limits.metadata['minimum']
    assert slider.maximum() == limits.metadata['maximum']
    assert slider.value() == limits.default


def test_following_a_change_from_elsewhere_asks_for_nothing(color_view):
    view = color_view
    asked = [
        record(view.opacity_requested),
        record(view.before_requested),
        record(view.saturation_requested),
    ]
    view.set_opacity(0.8)
    view.set_before(True)
    view.set_saturation(2)
    assert view.opacity.value() == pytest.approx(0.8)
    assert view.before.isChecked()
    assert view.saturation.value() == pytest.approx(2)
    assert asked == [[], [], []]


@pytest.mark.parametrize(
    ('mean', 'words'), [(None, '–'), (0.0, '0%'), (0.876, '88%'), (1.0, '100%')]
)
def test_confidence_in_percent(color_view, mean, words):
    color_view.set_confidence(mean)
    assert color_view.confidence.text() == words


# --- save -----------------------------------------------------------------


def test_saving_is_offered_only_when_there_is_something(show):
    view = show(SaveView())
    saves = record(view.save_requested)
    commands = record(view.command_requested)
    view.save.click()
    view.command.click()
    assert saves == commands == []
    view.set_ready(True)
    view.save.click()
    view.command.click()
    assert saves == commands == [()]
    view.set_ready(False)
    assert not view.save.isEnabled()


def test_words_about_saving_take_room_only_when_there_are_some(show):
    view = show(SaveView())
    assert view.words.isHidden()
    view.show_words('Saved in /photos.')
    assert view.words.text() == 'Saved in /photos.'
    assert not view.words.isHidden()
    view.show_words('')
    assert view.words.isHidden()


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


def test_a_section_grows_with_its_content(show):
    banner = Banner()
    section = show(Section('Photo', banner))
    section.show()
    banner.hide()
    small = section.sizeHint().height()
    banner.ask('A question?', {'yes': 'Yes'})
    assert section.sizeHint().height() > small
