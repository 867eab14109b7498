"""Which photo the panel is about, while layers come, go and move."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from napari.layers import Image

from napari_sdcolor.core.results import Segmentation
from napari_sdcolor.plugin.chooser import PhotoChooser
from napari_sdcolor.plugin.painter import Painted
from napari_sdcolor.plugin.trio import Trio
from napari_sdcolor.plugin.views.run_view import RunView


@pytest.fixture
def view(qtbot) -> RunView:
    made = RunView()
    qtbot.addWidget(made)
    return made


@pytest.fixture
def trios() -> list[Trio]:
    """Photos that were run."""
    return []


@pytest.fixture
def chooser(viewer, view, trios) -> Iterator[PhotoChooser]:
    made = PhotoChooser(viewer, view, trios)
    yield made
    made.close()


@pytest.fixture
def chosen(chooser) -> list[Image | None]:
    """Every photo that was announced, in order."""
    seen: list[Image | None] = []

    def note() -> None:
        seen.append(chooser.photo)

    chooser.chosen.connect(note)
    return seen


@pytest.fixture
def add(viewer) -> Callable[[str], Image]:
    def one(name: str) -> Image:
        return viewer.add_image(np.zeros((40, 50), np.uint8), name=name)

    return one


@pytest.fixture
def run(viewer, trios) -> Callable[[Image], Trio]:
    """Makes a photo's trio, as a finished run does."""

    def one(photo: Image) -> Trio:
        trio = Trio(viewer, photo)
        trios.append(trio)
        labels = np.zeros(trio.map_shape(64), np.uint8)
        found = Segmentation(labels, np.ones(labels.shape, np.float32))
        whole = ((0, 0, 40, 50), np.zeros((40, 50, 3), np.uint8))
        understood = trio.source.photo(0, 'type')
        trio.accept(
            Painted(0, trio.inputs(labels), [whole], understood, found),
            size=64,
        )
        return trio

    return one


def offered(view: RunView) -> list[str]:
    box = view.photo.native
    return [box.itemText(row) for row in range(box.count())]


def test_an_empty_viewer_offers_nothing(chooser, view):
    chooser.refresh()
    assert chooser.photo is None
    assert offered(view) == []
    assert not view.button.enabled


def test_photos_that_were_there_before_are_offered(viewer, view, add):
    for name in ('first', 'second'):
        add(name)
    viewer.layers.selection.active = viewer.layers[0]
    chooser = PhotoChooser(viewer, view, [])
    chooser.refresh()
    assert offered(view) == ['first', 'second']
    assert view.photo.current_choice == chooser.photo.name == 'first'
    chooser.close()


def test_a_new_photo_is_chosen_as_long_as_none_was_run(
    chooser, view, add, chosen
):
    first = add('first')
    second = add('second')
    assert chosen == [first, second]
    assert view.photo.current_choice == 'second'


def test_only_images_are_photos(viewer, chooser, view, add):
    add('photo')
    viewer.add_labels(np.zeros((40, 50), int), name='a map')
    viewer.add_points(np.zeros((3, 2)), name='points')
    assert offered(view) == ['photo']
    assert chooser.photo.name == 'photo'


# --- names and order ------------------------------------------------------


def test_renaming_is_shown_and_changes_no_choice(chooser, view, add, chosen):
    first, second = add('first'), add('second')
    chosen.clear()
    first.name = 'castle'
    assert offered(view) == ['castle', 'second']
    second.name = 'boat'
    assert view.photo.current_choice == 'boat'
    assert chosen == []


def test_photos_may_share_a_name(chooser, view, add, chosen):
    first, second = add('first'), add('second')
    first.name = second.name = 'same'
    chosen.clear()
    assert len(set(offered(view))) == 2
    view.photo.value = first
    assert chosen == [first]
    view.photo.value = second
    assert chosen == [first, second]


def test_reordering_moves_the_rows_and_keeps_the_choice(
    viewer, chooser, view, add, chosen
):
    first, *_ = add('first'), add('second'), add('third')
    view.photo.value = chooser.photos()[0]
    chosen.clear()
    viewer.layers.move(0, 3)
    assert offered(view) == ['second', 'third', 'first']
    assert view.photo.current_choice == 'first'
    viewer.layers.reverse()
    assert offered(view) == ['first', 'third', 'second']
    assert chooser.photo == first
    assert chosen == []


# --- removing -------------------------------------------------------------


def test_removing_the_photo_chooses_another(
    viewer, chooser, view, add, chosen
):
    first, second = add('first'), add('second')
    viewer.layers.remove(second)
    assert chooser.photo == first
    assert view.photo.current_choice == 'first'
    assert chosen[-1] == first


def test_removing_the_last_photo_leaves_none(
    viewer, chooser, view, add, chosen
):
    viewer.layers.remove(add('only'))
    assert chooser.photo is None
    assert chosen[-1] is None
    assert offered(view) == []
    assert not view.button.enabled


def test_a_removed_photo_is_not_followed_any_more(viewer, chooser, view, add):
    first, second = add('first'), add('second')
    viewer.layers.remove(first)
    first.name = 'gone'
    assert offered(view) == ['second']
    assert chooser.photo == second


def test_a_photo_that_is_gone_is_ignored(viewer, chooser, view, add, chosen):
    gone = add('gone')
    add('left')
    viewer.layers.remove(gone)
    chosen.clear()
    view.photo_requested.emit(gone)
    assert chosen == []


# --- what was run ---------------------------------------------------------


def test_color_layers_are_no_photos(viewer, chooser, view, add, run):
    first = add('first')
    trio = run(first)
    assert offered(view) == ['first']
    assert chooser.photos() == [first]
    # Whatever its name.
    trio.color.name = 'photo'
    run(add('second'))
    assert offered(view) == ['first', 'second']


def test_selecting_any_layer_of_a_trio_chooses_its_photo(
    viewer, chooser, view, add, run
):
    first, second = run(add('first')), run(add('second'))
    for trio, layer in (
        (first, first.map),
        (second, second.color),
        (first, first.color),
        (second, second.map),
        (first, first.photo),
    ):
        viewer.layers.selection.active = layer
        assert chooser.photo == trio.photo
        assert view.photo.current_choice == trio.photo.name


def test_selecting_another_photo_chooses_it_also_after_a_run(
    viewer, chooser, view, add, run
):
    first = add('first')
    trio = run(first)
    second = add('second')
    assert chooser.photo == second
    viewer.layers.selection.active = trio.map
    assert chooser.photo == first
    viewer.layers.selection.active = second
    assert chooser.photo == second
    assert view.photo.current_choice == 'second'


def test_selecting_nothing_or_another_layer_keeps_the_choice(
    viewer, chooser, add, chosen
):
    photo = add('first')
    points = viewer.add_points(np.zeros((3, 2)))
    chosen.clear()
    viewer.layers.selection.active = points
    viewer.layers.selection.clear()
    assert chooser.photo == photo
    assert chosen == []


def test_a_run_that_ends_does_not_take_the_choice_away(
    chooser, view, add, run, chosen
):
    first, *_ = add('first'), add('second'), add('third')
    view.photo.value = chooser.photos()[1]
    chosen.clear()
    run(first)
    assert chosen == []
    assert chooser.photo.name == 'second'


def test_a_color_layer_that_comes_back_is_no_photo(
    viewer, chooser, view, add, run
):
    trio = run(add('first'))
    color, understood = trio.color, trio.source.photo(0, 'type')
    viewer.layers.move(viewer.layers.index(trio.photo), 3)
    viewer.layers.remove(color)
    trio.forget_layer(color)
    whole = ((0, 0, 40, 50), np.zeros((40, 50, 3), np.uint8))
    trio.accept(Painted(0, trio.map_inputs(0), [whole], understood), size=64)
    assert offered(view) == ['first']


def test_a_photo_that_was_run_and_removed_gives_way(
    viewer, chooser, view, trios, add, run
):
    first = add('first')
    trio = run(first)
    second = add('second')
    # As the coordinator does when it hears of it.
    trio.unbind()
    trios.clear()
    viewer.layers.remove(first)
    assert first not in viewer.layers
    # Its color stays as a layer, but is no photo.
    assert offered(view) == ['second']
    assert chooser.photo == second


# --- the end --------------------------------------------------------------


def test_after_close_nothing_is_followed(viewer, chooser, view, add, chosen):
    photo = add('first')
    chosen.clear()
    chooser.close()
    add('second')
    photo.name = 'castle'
    viewer.layers.selection.active = photo
    assert offered(view) == ['first']
    assert chosen == []
