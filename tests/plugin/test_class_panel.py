"""The list of classes: search, areas, clicks, and the brush slider."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_sdcolor.classes import CLASSES, GROUPS, N_CLASSES
from napari_sdcolor.plugin.views.class_panel import (
    ID_ROLE,
    MAX_BRUSH,
    RARE_WORDS,
    ClassPanel,
)

SKY, GRASS, WATER = 50, 36, 57


def record(signal) -> list:
    """The values that a signal carries from now on."""
    seen: list = []

    def note(*values: object) -> None:
        seen.append(values[0] if len(values) == 1 else values)

    signal.connect(note)
    return seen


@pytest.fixture
def panel(qtbot) -> ClassPanel:
    view = ClassPanel()
    qtbot.addWidget(view)
    return view


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


def test_rare_classes_are_marked(panel: ClassPanel) -> None:
    panel.model.set_rare({SKY: 0, GRASS: 12})
    panel.set_shares(shares_of(sky=0.25))

    def words(number: int, role: Qt.ItemDataRole) -> str:
        return panel.model.index(panel.model.row_of(number)).data(role)

    shown, tip = Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole
    assert words(SKY, shown) == f'sky   25.0%   {RARE_WORDS}'
    assert 'No training photograph' in words(SKY, tip)
    assert 'Only 12 training photographs' in words(GRASS, tip)
    assert words(WATER, shown) == 'water'
    assert 'training' not in words(WATER, tip)
    # The search looks at the name alone.
    panel.search.setText('training')
    assert listed(panel) == []


def test_in_this_photo_lists_the_largest_area_first(panel):
    panel.set_shares(shares_of(sky=0.2, grass=0.5, water=0.3))
    panel.only_present.setChecked(True)
    assert listed(panel) == [GRASS, WATER, SKY]
    panel.set_shares(shares_of(sky=0.6, grass=0.3, water=0.1))
    assert listed(panel) == [SKY, GRASS, WATER]
    panel.only_present.setChecked(False)
    assert len(listed(panel)) == N_CLASSES
