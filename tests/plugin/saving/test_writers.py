"""Files that napari's own Save dialog makes with our writers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from napari.layers import Image, Labels
from PIL import Image as PillowImage

from napari_sdcolor.archive.labels import read_ids
from napari_sdcolor.core.photo import photo_from_array
from napari_sdcolor.errors import SaveError
from napari_sdcolor.plugin import writers
from napari_sdcolor.plugin.photo_layers import METADATA_KEY
from napari_sdcolor.plugin.trio import Trio
from napari_sdcolor.settings import DEFAULT_SOURCE_TYPE

GRASS = 36
PLUGIN = 'napari-sdcolor'


@pytest.fixture(autouse=True)
def lent(engine, monkeypatch) -> None:
    """Writers make their own engine: let it be the tiny one."""
    monkeypatch.setattr(writers, 'Engine', lambda: engine)


@pytest.fixture
def run_trio(viewer, run, tiny_colorizer) -> Callable[..., Trio]:
    """Photo, color and map of pixels."""

    def once(pixels: np.ndarray, plane: int = 0) -> Trio:
        trio = Trio(viewer, viewer.add_image(pixels, name='castle'))
        return run(trio, tiny_colorizer, plane)

    return once


@pytest.fixture
def trio(run_trio, pixels) -> Trio:
    return run_trio(pixels)


def write(path: Path, layer: Image) -> list[str]:
    """As napari calls a writer of single layers."""
    return writers.write(str(path), [layer.as_layer_data_tuple()])


def write_pair(path: Path, *layers: Image | Labels) -> list[str]:
    """As napari calls a writer of several layers."""
    data = [layer.as_layer_data_tuple() for layer in layers]
    return writers.write(str(path), data)


def read(path: Path) -> np.ndarray:
    if path.suffix == '.png':
        with PillowImage.open(path) as image:
            return np.array(image)
    return tifffile.imread(path)


def sidecar_of(path: Path) -> dict:
    beside = path.with_name(f'{path.stem}.sdcolor.json')
    return json.loads(beside.read_text('utf-8'))


# --- our color layer ------------------------------------------------------


@pytest.mark.parametrize('name', ['a.tif', 'a.tiff', 'a.png', 'A.TIF'])
def test_the_file_holds_the_picture_on_the_screen(
    trio, tmp_path, name, assert_as_shown
):
    path = tmp_path / name
    written = write(path, trio.color)
    assert written[0] == str(path)
    assert sorted(written) == sorted(map(str, tmp_path.glob('[aA].*')))
    assert_as_shown(read(path), trio.color.data)


@pytest.mark.parametrize('name', ['a.tif', 'a.png'])
def test_the_file_is_marked_as_machine_colored(trio, tmp_path, name):
    path = tmp_path / name
    write(path, trio.color)
    assert DEFAULT_SOURCE_TYPE.encode() in path.read_bytes()


def test_the_record_tells_how_it_was_made(trio, tmp_path):
    trio.saturation = 0.5
    trio.map.data_setitem((np.arange(9), np.arange(9)), [GRASS] * 9)
    write(tmp_path / 'a.tif', trio.color)
    record = sidecar_of(tmp_path / 'a.tif')
    assert record['settings']['saturation'] == 0.5
    assert record['pages'][0]['labels']['origin'] == 'edited in napari'
    assert record['result']['file'] == 'a.tif'


def test_deep_photos_are_saved_deep(run_trio, pixels, tmp_path):
    trio = run_trio(pixels.astype(np.uint16) * 200)
    write(tmp_path / 'a.tif', trio.color)
    assert tifffile.imread(tmp_path / 'a.tif').dtype == np.uint16


def test_the_shown_plane_of_a_stack_is_saved(
    viewer, run_trio, pixels, tmp_path, assert_as_shown
):
    trio = run_trio(np.stack([pixels, 255 - pixels]), plane=1)
    viewer.dims.set_current_step(0, 1)
    write(tmp_path / 'a.tif', trio.color)
    assert_as_shown(tifffile.imread(tmp_path / 'a.tif'), trio.color.data[1])


@pytest.mark.parametrize('there', ['a.tif', 'a.labels.png', 'a.sdcolor.json'])
def test_nothing_is_ever_overwritten(trio, tmp_path, there):
    other = tmp_path / there
    other.write_text('precious')
    with pytest.raises(SaveError, match='never overwritten'):
        write(tmp_path / 'a.tif', trio.color)
    assert other.read_text() == 'precious'
    assert [path.name for path in tmp_path.glob('a.*')] == [there]


def test_an_unknown_suffix_is_refused(trio, tmp_path):
    with pytest.raises(SaveError, match='suffix'):
        write(tmp_path / 'a.gif', trio.color)
    assert not list(tmp_path.glob('a.*'))


@pytest.mark.parametrize(
    'metadata', [{}, {METADATA_KEY: None}, {METADATA_KEY: 'castle'}]
)
def test_layers_of_others_are_refused(pixels, tmp_path, metadata):
    rgb = np.dstack([pixels] * 3)
    with pytest.raises(SaveError, match='another writer'):
        write(tmp_path / 'a.tif', Image(rgb, metadata=metadata))
    assert not list(tmp_path.glob('a.*'))


def test_without_its_map_the_color_is_refused(viewer, trio, tmp_path):
    map_ = trio.map
    viewer.layers.remove(map_)
    trio.forget_layer(map_)
    with pytest.raises(SaveError, match='map was deleted'):
        write(tmp_path / 'a.tif', trio.color)


# --- a photo with a map, from anywhere ------------------------------------


@pytest.fixture
def labels(tiny_colorizer, pixels) -> np.ndarray:
    return tiny_colorizer.segment(pixels).labels


@pytest.mark.parametrize('turned', [False, True], ids=['pi', 'ip'])
@pytest.mark.parametrize('name', ['a.tif', 'a.png'])
def test_photo_and_map_give_a_colored_photo(
    pixels, labels, tiny_colorizer, tmp_path, name, turned
):
    path = tmp_path / name
    layers = (Image(pixels), Labels(labels))
    written = write_pair(path, *(layers[::-1] if turned else layers))
    assert written[0] == str(path)
    expected = tiny_colorizer.colorize(photo_from_array(pixels), labels)
    np.testing.assert_array_equal(read(path), expected.rgb)
    assert DEFAULT_SOURCE_TYPE.encode() in path.read_bytes()
    assert sidecar_of(path)['pages'][0]['labels']['origin'] == 'given'


def test_the_map_steers_the_color(pixels, labels, tmp_path):
    write_pair(tmp_path / 'a.tif', Image(pixels), Labels(labels))
    other = np.full_like(labels, GRASS)
    write_pair(tmp_path / 'b.tif', Image(pixels), Labels(other))
    one, two = read(tmp_path / 'a.tif'), read(tmp_path / 'b.tif')
    assert (one != two).any()


def test_a_map_at_full_size_is_resized(pixels, tmp_path):
    full = np.full(pixels.shape, GRASS, np.int32)
    write_pair(tmp_path / 'a.tif', Image(pixels), Labels(full))
    small = np.full((64, 85), GRASS, np.uint8)
    write_pair(tmp_path / 'b.tif', Image(pixels), Labels(small))
    np.testing.assert_array_equal(
        read(tmp_path / 'a.tif'), read(tmp_path / 'b.tif')
    )


def test_deep_photos_get_the_contrast_that_is_shown(
    pixels, labels, tiny_colorizer, tmp_path
):
    deep = pixels.astype(np.uint16) * 16
    layer = Image(deep, contrast_limits=(300, 3600))
    write_pair(tmp_path / 'a.tif', layer, Labels(labels))
    photo = photo_from_array(deep, window=(300, 3600))
    expected = tiny_colorizer.colorize(photo, labels)
    np.testing.assert_array_equal(read(tmp_path / 'a.tif'), expected.rgb)
    facts = sidecar_of(tmp_path / 'a.tif')['pages'][0]['photo']
    assert facts['tone_window'] == [300, 3600]


@pytest.mark.parametrize(
    ('other', 'words'),
    [
        (np.zeros((64, 64), np.uint8), 'another aspect'),
        (np.full((64, 85), 60, np.uint8), 'no class: 60'),
        (np.zeros((2, 64, 85), np.uint8), 'two axes'),
    ],
    ids=['aspect', 'id', 'stack'],
)
def test_a_map_that_does_not_fit_is_refused(pixels, tmp_path, other, words):
    with pytest.raises(SaveError, match=words):
        write_pair(tmp_path / 'a.tif', Image(pixels), Labels(other))
    assert not list(tmp_path.glob('a.*'))


def test_a_pair_never_overwrites_either(pixels, labels, tmp_path):
    (tmp_path / 'a.tif').write_text('precious')
    with pytest.raises(SaveError, match='never overwritten'):
        write_pair(tmp_path / 'a.tif', Image(pixels), Labels(labels))
    assert (tmp_path / 'a.tif').read_text() == 'precious'


# --- through napari -------------------------------------------------------


@pytest.fixture
def plugin(tmp_plugin) -> Iterator[None]:
    """Only this plugin and napari's own are known."""
    with (
        tmp_plugin(PLUGIN),
        tmp_plugin('napari'),
    ):
        yield


@pytest.mark.usefixtures('plugin')
def test_napari_saves_the_selected_color_with_our_writer(
    viewer, trio, tmp_path, assert_as_shown
):
    path = tmp_path / 'a.tif'
    viewer.layers.selection.active = trio.color
    saved = viewer.layers.save(str(path), selected=True, plugin=PLUGIN)
    assert [Path(name).name for name in saved] == [
        'a.tif',
        'a.labels.png',
        'a.sdcolor.json',
    ]
    assert_as_shown(read(path), trio.color.data)


@pytest.mark.usefixtures('plugin')
def test_napari_saves_photo_and_map_with_our_writer(
    viewer, pixels, labels, tmp_path
):
    path = tmp_path / 'a.tif'
    viewer.add_image(pixels)
    viewer.add_labels(labels)
    viewer.layers.save(str(path), plugin=PLUGIN)
    assert read(path).shape == (*pixels.shape, 3)


@pytest.mark.usefixtures('plugin')
def test_napari_passes_our_refusal_on(viewer, pixels, tmp_path):
    viewer.add_image(np.dstack([pixels] * 3))
    with pytest.raises(SaveError, match='another writer'):
        viewer.layers.save(str(tmp_path / 'a.tif'), plugin=PLUGIN)


@pytest.mark.usefixtures('plugin')
def test_napari_passes_on_what_is_wrong_with_a_map(viewer, pixels, tmp_path):
    viewer.add_image(pixels)
    viewer.add_labels(np.zeros((64, 64), np.uint8))
    with pytest.raises(SaveError, match='another aspect'):
        viewer.layers.save(str(tmp_path / 'a.tif'), plugin=PLUGIN)


@pytest.mark.parametrize(
    'order',
    [
        ('napari', PLUGIN),
        (PLUGIN, 'napari'),
    ],
    ids=['napari first', 'ours first'],
)
@pytest.mark.parametrize('name', ['a.tif', 'a.png'])
def test_without_asking_for_us_napari_saves_its_own_way(
    viewer, tmp_plugin, pixels, tmp_path, order, name
):
    """The order in which plugins are found is that of a folder: any."""
    viewer.add_image(pixels)
    first, second = order
    with (
        tmp_plugin(first),
        tmp_plugin(second),
    ):
        viewer.layers.save(str(tmp_path / name))
    np.testing.assert_array_equal(read(tmp_path / name), pixels)


@pytest.mark.parametrize('chosen', ['color', 'photo and map'])
def test_what_napari_saves_of_ours_is_what_is_shown_and_comes_back(
    colored, settle, stroke, tmp_path, chosen
):
    """Saturation and an edited map, through napari's own way of saving."""
    trio = colored.coordinator.trio
    colored.views.classes.class_requested.emit(GRASS)
    stroke(trio.map, [(20, 20), (25, 40)])
    colored.views.color.saturation.value = 0.5
    settle(colored)
    layers = [trio.color] if chosen == 'color' else [trio.photo, trio.map]
    path = tmp_path / 'mine.tif'
    writers.write(str(path), [layer.as_layer_data_tuple() for layer in layers])
    saved = tifffile.imread(path).astype(int)
    assert np.abs(saved - trio.color.data).max() <= 1
    record = json.loads((tmp_path / 'mine.sdcolor.json').read_bytes())
    assert record['settings']['saturation'] == 0.5
    assert record['pages'][0]['labels']['origin'] == 'edited in napari'
    np.testing.assert_array_equal(
        read_ids(tmp_path / 'mine.labels.png'), trio.map.data
    )
