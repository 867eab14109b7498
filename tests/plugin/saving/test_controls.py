"""Every control: what is shown is saved, comes back, and can be replayed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel

from napari_sdcolor.archive.replay import Recording, replay
from napari_sdcolor.archive.sidecar import read_sidecar
from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.plugin import readers
from napari_sdcolor.plugin.engine import Engine
from napari_sdcolor.plugin.widget import ColorizeWidget
from napari_sdcolor.settings import Settings

GRASS = 36
PLANE = 1
LIMITS = (40, 200)


class AnySize(Engine):
    """Lends tiny networks at whatever size is asked for."""

    def __init__(self, colorizer: Colorizer) -> None:
        super().__init__()
        self._tiny = colorizer
        self._made: dict[object, Colorizer] = {}

    def settings(self) -> Settings:
        return Settings(size=64, device='cpu')

    def get(self, settings: Settings) -> Colorizer:
        if settings.size not in self._made:
            self._made[settings.size] = Colorizer(
                self._tiny.parts, self._tiny.device, size=settings.size
            )
        return self._made[settings.size]


@pytest.fixture
def engine(tiny_colorizer) -> AnySize:
    return AnySize(tiny_colorizer)


@pytest.fixture
def dock(
    engine, make_widget, open_photo, viewer, write_tiff, tmp_path, pixels
) -> Callable[[str], ColorizeWidget]:
    """The dock on a deep photo, or on a plane of a stack of 8 bits.

    Nothing was run.
    """

    def opened(kind: str) -> ColorizeWidget:
        gray = pixels.astype(np.uint16) * 2 + 10
        stack = np.stack([pixels[::-1], pixels])
        data = gray if kind == 'photo' else stack
        open_photo(write_tiff(tmp_path / 'photos' / 'castle.tif', data))
        widget = make_widget(viewer)
        if kind == 'plane':
            viewer.dims.set_current_step(0, PLANE)
        return widget

    return opened


def choose(widget: ColorizeWidget, tones: str, size: object) -> None:
    """What a person does in the dock."""
    run = widget.views.run
    if tones == 'contrast':
        widget.coordinator.photo.contrast_limits = LIMITS
    run.window.value = tones
    run.detail.value = size


def shown(widget: ColorizeWidget) -> np.ndarray:
    trio = widget.coordinator.trio
    return trio.plane_of(trio.color.data, trio.plane)


def assert_same_picture(path: Path, screen: np.ndarray) -> None:
    saved = tifffile.imread(path)
    deep = saved.dtype == np.uint16
    eight = (saved.astype(np.uint32) + 128) // 257 if deep else saved
    moved = np.abs(eight.astype(int) - screen)
    assert moved.max() <= 1
    # Of a deep photo the screen shows what a file of 8 bits would hold.
    assert (moved > 0).mean() < (0.05 if deep else 1e-3)


@pytest.fixture
def reopen(make_widget) -> Iterator[Callable[[Path], ColorizeWidget]]:
    """Opens a sidecar in a viewer of its own, with a dock of its own."""
    viewers = []

    def opened(sidecar: Path) -> ColorizeWidget:
        viewer = ViewerModel()
        viewers.append(viewer)
        for data, meta, kind in readers.read(str(sidecar)):
            add = viewer.add_image if kind == 'image' else viewer.add_labels
            add(data, **meta)
        return make_widget(viewer)

    yield opened


KINDS = ('photo', 'plane')
TONES = ('auto', 'contrast', 'type', 'minmax')
SATURATIONS = (0.5, 1.0)
SIZES = (64, 'native')


def cases() -> Iterator[object]:
    """All choices; in the short run each two of them meet once or more."""
    choices = (KINDS, TONES, SATURATIONS, SIZES)
    for places in itertools.product(*(range(len(each)) for each in choices)):
        kind, tones, saturation, size = places
        meets = (kind, size) == (
            tones // 2 ^ saturation,
            tones % 2 ^ saturation,
        )
        yield pytest.param(
            *(
                each[place]
                for each, place in zip(choices, places, strict=True)
            ),
            marks=() if meets else pytest.mark.thorough,
        )


@pytest.mark.parametrize(('kind', 'tones', 'saturation', 'size'), [*cases()])
def test_every_control_is_saved_comes_back_and_is_replayed(
    dock,
    settle,
    reopen,
    engine,
    tmp_path,
    kind,
    tones,
    saturation,
    size,
):
    widget = dock(kind)
    # Half of the cases choose after a first run, half before any.
    ran = saturation != 1
    if ran:
        widget.run()
        settle(widget)
    choose(widget, tones, size)
    widget.views.color.saturation.value = saturation
    widget.run()
    settle(widget)
    trio = widget.coordinator.trio
    assert min(trio.map.data.shape[-2:]) == (
        64 if size == 64 or (kind == 'plane' and ran) else 90
    )
    edit = tuple(np.arange(9) for _ in range(2))
    where = edit if kind == 'photo' else (np.full(9, PLANE), *edit)
    trio.map.data_setitem(where, GRASS)
    settle(widget)
    out = tmp_path / 'out'
    out.mkdir()
    widget.coordinator.saver.save(trio, out / 'a.color.tif')
    settle(widget)
    assert_same_picture(out / 'a.color.tif', shown(widget))
    told = read_sidecar(out / 'a.sdcolor.json')
    settings = told['settings']
    assert settings['saturation'] == saturation
    assert settings['size'] == trio.size
    assert settings['window'] == {
        'type': 'type',
        'minmax': 'minmax',
        'contrast': '40.0,200.0',
    }.get(tones, settings['window'])
    (page,) = told['pages']
    assert 0 < page['labels']['edited_share'] <= 9 / trio.map.data[0].size

    again = reopen(out / 'a.sdcolor.json')
    settle(again)
    assert again.views.color.saturation.value == saturation
    assert again.views.run.detail.value == trio.size
    assert_same_picture(out / 'a.color.tif', shown(again))
    # Nothing is to be done: the color is that of the map and the settings.
    assert 'is back as it was saved' in again.views.run.status.text()
    again.coordinator.update()
    settle(again)
    assert_same_picture(out / 'a.color.tif', shown(again))
    again.coordinator.saver.save(again.coordinator.trio, out / 'b.color.tif')
    settle(again)
    second = read_sidecar(out / 'b.sdcolor.json')
    assert second['settings'] == settings
    assert second['source'] == told['source']
    assert second['result']['sha256'] == told['result']['sha256']

    copy = tmp_path / 'replayed'
    copy.mkdir()
    recording = Recording(out / 'a.sdcolor.json')
    done, _ = replay(recording, engine.get(recording.settings), copy)
    assert done.identical, done.differences


@pytest.mark.parametrize('kind', ['photo', 'plane'])
def test_what_was_not_run_is_run_when_it_is_saved(
    dock, settle, engine, tmp_path, kind
):
    widget = dock(kind)
    assert widget.views.save.save.enabled
    choose(widget, 'minmax', 'native')
    widget.views.color.saturation.value = 0.5
    widget.coordinator.saver.choose = lambda name, beside: (
        tmp_path / 'a.color.tif'
    )
    widget.views.save.save.native.click()
    settle(widget)
    assert_same_picture(tmp_path / 'a.color.tif', shown(widget))
    told = read_sidecar(tmp_path / 'a.sdcolor.json')
    (page,) = told['pages']
    assert page['labels']['origin'] == 'predicted'
    assert page['labels']['edited_share'] == 0
    assert 0 < page['labels']['mean_confidence'] <= 1
    assert (told['settings']['saturation'], told['settings']['size']) == (
        0.5,
        'native',
    )
    trio = widget.coordinator.trio
    assert trio.edited_share(trio.plane) == 0
    assert 'Saved in' in widget.views.save.words.text()


def test_settings_act_on_every_plane_also_with_live_off(
    dock, settle, tmp_path, viewer
):
    widget = dock('plane')
    for plane in (0, 1):
        viewer.dims.set_current_step(0, plane)
        widget.run()
        settle(widget)
    widget.views.color.live.value = False
    widget.views.color.saturation.value = 0.3
    widget.views.run.window_requested.emit('minmax')
    settle(widget)
    viewer.dims.set_current_step(0, 0)
    settle(widget)
    widget.coordinator.saver.save(
        widget.coordinator.trio, tmp_path / 'a.color.tif'
    )
    settle(widget)
    assert_same_picture(tmp_path / 'a.color.tif', shown(widget))


def test_a_saving_brings_the_colors_up_to_date_with_live_off(
    dock, settle, tmp_path
):
    widget = dock('photo')
    widget.run()
    settle(widget)
    widget.views.color.live.value = False
    trio = widget.coordinator.trio
    trio.map.data_setitem((np.arange(40), np.arange(40)), GRASS)
    settle(widget)
    widget.coordinator.saver.save(trio, tmp_path / 'a.color.tif')
    settle(widget)
    assert_same_picture(tmp_path / 'a.color.tif', shown(widget))


def test_contrast_limits_moved_after_the_run_are_shown_and_saved(
    dock, settle, tmp_path
):
    widget = dock('photo')
    choose(widget, 'contrast', 64)
    widget.run()
    settle(widget)
    before = shown(widget).copy()
    widget.coordinator.photo.contrast_limits = (100, 300)
    settle(widget)
    assert (shown(widget) != before).any()
    widget.coordinator.saver.save(
        widget.coordinator.trio, tmp_path / 'a.color.tif'
    )
    settle(widget)
    assert_same_picture(tmp_path / 'a.color.tif', shown(widget))


# --- what a person did, and what not --------------------------------------


def save_and_read(widget, settle, folder: Path, name: str) -> dict:
    widget.coordinator.saver.save(
        widget.coordinator.trio, folder / f'{name}.color.tif'
    )
    settle(widget)
    (page,) = read_sidecar(folder / f'{name}.sdcolor.json')['pages']
    return page['labels']


def test_the_map_of_a_file_is_nobodys_edit(
    dock, settle, reopen, tmp_path, monkeypatch
):
    widget = dock('photo')
    widget.run()
    settle(widget)
    first = save_and_read(widget, settle, tmp_path, 'a')
    assert (first['origin'], first['edited_share']) == ('predicted', 0)
    monkeypatch.setattr(
        'napari_sdcolor.plugin.restoring.Restored.facts',
        property(
            lambda restored: [{**first, 'origin': 'mine.png'}],
            lambda restored, facts: None,
        ),
        raising=False,
    )
    again = reopen(tmp_path / 'a.sdcolor.json')
    trio = again.coordinator.trio
    assert trio.edited_share(0) == 0
    told = save_and_read(again, settle, tmp_path, 'b')
    assert (told['origin'], told['edited_share']) == ('mine.png', None)
    trio.map.data_setitem((np.array([3]), np.array([4])), GRASS)
    told = save_and_read(again, settle, tmp_path, 'c')
    assert told['origin'] == 'edited in napari'
    assert told['edited_share'] == pytest.approx(1 / trio.map.data.size)


def test_an_old_map_on_other_pixels_is_no_edit_and_no_prediction_of_them(
    dock, settle, tmp_path
):
    widget = dock('photo')
    widget.run()
    settle(widget)
    widget.coordinator.photo.data = 600 - widget.coordinator.photo.data
    settle(widget)
    told = save_and_read(widget, settle, tmp_path, 'a')
    assert told['origin'] == 'predicted before the photo was changed'
    assert told['edited_share'] is None


def test_only_strokes_count_on_a_plane_that_was_never_run(
    dock, settle, tmp_path, viewer
):
    widget = dock('plane')
    viewer.dims.set_current_step(0, 0)
    widget.run()
    settle(widget)
    viewer.dims.set_current_step(0, PLANE)
    trio = widget.coordinator.trio
    trio.map.data_setitem(
        (np.array([PLANE]), np.array([3]), np.array([4])), GRASS
    )
    settle(widget)
    told = save_and_read(widget, settle, tmp_path, 'a')
    assert told['origin'] == 'edited in napari'
    assert told['edited_share'] == pytest.approx(1 / trio.map.data[0].size)
