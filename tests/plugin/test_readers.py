"""A saved result comes back as it was, and the dock goes on with it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from napari.layers import Image, Labels
from PIL import Image as PillowImage

from napari_sdcolor.archive.reading import open_photos
from napari_sdcolor.archive.saving import save_pages, save_result
from napari_sdcolor.archive.sidecar import read_sidecar
from napari_sdcolor.errors import SaveError, SdcolorError
from napari_sdcolor.plugin import readers
from napari_sdcolor.plugin.photo_layers import METADATA_KEY
from napari_sdcolor.plugin.placement import map_place, placement_facts
from napari_sdcolor.plugin.source import SOURCE_KEY
from napari_sdcolor.plugin.trio import Trio
from napari_sdcolor.plugin.writers import write
from napari_sdcolor.settings import Settings

GRASS = 36


@pytest.fixture
def save(tmp_path: Path, tiny_colorizer) -> Callable[..., Path]:
    """Colors a photo and saves it; the sidecar."""

    def one(photo: Path, *, edit: bool = False, run=None, **settings) -> Path:
        out = tmp_path / 'box'
        out.mkdir(exist_ok=True)
        wanted = Settings(size=64, **settings)
        with open_photos(photo) as file:
            results = []
            for page in file.pages:
                read = file.read(page, window=wanted.window)
                found = tiny_colorizer.segment(read)
                labels = found.labels.copy()
                labels[:9] = GRASS if edit else labels[:9]
                result = tiny_colorizer.colorize(read, labels, settings=wanted)
                origin = 'edited in napari' if edit else 'predicted'
                results.append(
                    replace(
                        result,
                        labels_origin=origin,
                        predicted=found.labels,
                        confidence=0.5,
                    )
                )
        if len(results) == 1:
            return save_result(results[0], out, photo.stem, run=run).sidecar
        places = save_pages(results, out, photo.stem, len(results), run=run)
        return places[-1]

    return one


@pytest.fixture
def open_sidecar(viewer) -> Callable[[Path], list]:
    """Adds a reader's layers one by one, as napari does it."""

    def opened(path: Path) -> list:
        reader = readers.get_reader(str(path))
        layers = []
        for data, meta, kind in reader(str(path)):
            add = viewer.add_image if kind == 'image' else viewer.add_labels
            layers.append(add(data, **meta))
        return layers

    return opened


def test_only_sidecars_are_read():
    assert readers.get_reader('box/castle.sdcolor.json') is not None
    assert readers.get_reader('box/castle.json') is None
    assert readers.get_reader(['a.sdcolor.json', 'b.sdcolor.json']) is None


def test_three_layers_as_they_were(
    save, open_sidecar, make_photo, gray_ramp, notices
):
    sidecar = save(make_photo(), edit=True)
    photo, color, map_ = open_sidecar(sidecar)
    np.testing.assert_array_equal(photo.data, gray_ramp)
    saved = tifffile.imread(sidecar.with_name('castle.color.tif'))
    np.testing.assert_array_equal(color.data, saved)
    with PillowImage.open(sidecar.with_name('castle.labels.png')) as image:
        np.testing.assert_array_equal(map_.data, np.asarray(image))
    assert isinstance(map_, Labels)
    assert map_.editable
    assert [layer.name for layer in (photo, color, map_)] == [
        'castle',
        'castle color',
        'castle semantic map',
    ]
    # The map's corners lie on the photo's, half a pixel outside the centers.
    for corner in ([-0.5, -0.5], [47.5, 79.5]):
        share = (np.array(corner) + 0.5) / gray_ramp.shape
        inside = share * map_.data.shape - 0.5
        np.testing.assert_allclose(
            map_.data_to_world(inside), photo.data_to_world(corner)
        )
    assert notices() == []


def test_deep_photos_come_back_with_their_tone_window(
    save, open_sidecar, make_photo, gray_ramp
):
    path = make_photo('castle.tif')
    deep = gray_ramp.astype(np.uint16) * 16
    tifffile.imwrite(path, deep)
    photo, color, _ = open_sidecar(save(path, window='100,3000'))
    np.testing.assert_array_equal(photo.data, deep)
    assert photo.contrast_limits == [100, 3000]
    saved = tifffile.imread(path.parents[1] / 'box' / 'castle.color.tif')
    assert saved.dtype == np.uint16
    assert color.data.dtype == np.uint8
    assert np.abs(saved / 257 - color.data).max() <= 0.5


def test_results_of_an_older_version_keep_their_tones(
    save, open_sidecar, make_photo, gray_ramp
):
    path = make_photo('castle.tif')
    tifffile.imwrite(path, gray_ramp.astype(np.uint16) * 16)
    sidecar = save(path, window='0,65535')
    told = json.loads(sidecar.read_text())
    told['format'], told['settings']['window'] = 2, 'auto'
    for page in told['pages']:
        del page['photo']['tone_rule'], page['photo']['tones']
    sidecar.write_text(json.dumps(told))
    photo, color, _ = open_sidecar(sidecar)
    assert photo.contrast_limits == [0, 65535]
    restored = photo.metadata[SOURCE_KEY]
    assert restored.settings.window == '0.0,65535.0'
    assert color.data.shape[:2] == photo.data.shape


@pytest.mark.parametrize('first', ['dock', 'layers'])
def test_the_dock_goes_on(
    save, open_sidecar, make_photo, make_widget, settle, viewer, first
):
    sidecar = save(make_photo(), edit=True, saturation=1.5)
    widget = make_widget(viewer) if first == 'dock' else None
    photo, color, map_ = open_sidecar(sidecar)
    widget = widget or make_widget(viewer)
    (trio,) = widget.coordinator.coloring.trios
    assert (trio.photo, trio.color, trio.map) == (photo, color, map_)
    assert color.metadata[METADATA_KEY] is trio
    assert widget.coordinator.photo == photo
    assert viewer.layers.selection.active == map_
    assert trio.saturation == 1.5
    assert trio.edited_share(0) > 0
    before = color.data.copy()
    settle(widget)
    np.testing.assert_array_equal(color.data, before)
    # A stroke: the color follows, the layers stay the same three.
    map_.data_setitem((np.arange(20, 40), np.arange(20, 40)), 15)
    widget.coordinator.coloring.follow(trio)
    settle(widget)
    assert (color.data != before).any()
    assert len(viewer.layers) == 3
    map_.undo()
    widget.coordinator.coloring.follow(trio)
    settle(widget)
    np.testing.assert_array_equal(color.data, before)


def test_run_asks_before_it_replaces_a_restored_edited_map(
    save, open_sidecar, make_photo, make_widget, settle, viewer
):
    sidecar = save(make_photo(), edit=True)
    *_, map_ = open_sidecar(sidecar)
    widget = make_widget(viewer)
    labels = map_.data.copy()
    widget.run()
    settle(widget)
    np.testing.assert_array_equal(map_.data, labels)
    assert widget.views.banner.isVisibleTo(widget)


def test_what_is_restored_is_saved_alike(
    save, open_sidecar, make_photo, make_widget, settle, viewer, tmp_path
):
    sidecar = save(make_photo(), edit=True)
    open_sidecar(sidecar)
    widget = make_widget(viewer)
    (trio,) = widget.coordinator.coloring.trios
    again = tmp_path / 'again'
    again.mkdir()
    widget.coordinator.saver.save(trio, again / 'castle.color.tif')
    settle(widget)
    for name in ('castle.color.tif', 'castle.labels.png'):
        first = sidecar.with_name(name).read_bytes()
        assert (again / name).read_bytes() == first
    told = [
        read_sidecar(folder / 'castle.sdcolor.json')
        for folder in (sidecar.parent, again)
    ]
    for content in told:
        for changing in ('run', 'command', 'settings'):
            content.pop(changing)
        content['pages'][0]['labels'].pop('mean_confidence')
        content['pages'][0].pop('notes')
    assert told[0] == told[1]


def test_pages_come_back_as_a_stack(
    save, open_sidecar, make_photo, gray_ramp, make_widget, viewer
):
    path = make_photo('film.tif')
    pages = np.stack((gray_ramp, gray_ramp[::-1], gray_ramp // 2))
    tifffile.imwrite(path, pages, photometric='minisblack')
    photo, color, map_ = open_sidecar(save(path))
    np.testing.assert_array_equal(photo.data, pages)
    assert color.data.shape == (*pages.shape, 3)
    assert map_.data.shape == (3, 64, 107)
    widget = make_widget(viewer)
    (trio,) = widget.coordinator.coloring.trios
    viewer.dims.set_point(0, 2)
    assert trio.plane == 2
    assert trio.reader(2)().origin.page == 2
    assert trio.edited_share(1) == 0


def test_pages_of_several_sizes_come_back_one_by_one(
    save, open_sidecar, make_photo, gray_ramp, make_widget, viewer
):
    path = make_photo('album.tif')
    with tifffile.TiffWriter(path) as writer:
        writer.write(gray_ramp)
        writer.write(gray_ramp[:40])
    layers = open_sidecar(save(path))
    assert len(layers) == 6
    assert layers[3].name == 'album page 1'
    trios = make_widget(viewer).coordinator.coloring.trios
    assert [trio.reader(0)().shape for trio in trios] == [(48, 80), (40, 80)]
    assert trios[1].reader(0)().origin.page == 1


def test_all_pages_are_held_against_the_memory(
    save, open_sidecar, make_photo, gray_ramp, monkeypatch
):
    """Also where the first one is the smallest."""
    path = make_photo('album.tif')
    with tifffile.TiffWriter(path) as writer:
        writer.write(gray_ramp[:20, :20])
        writer.write(gray_ramp.astype(np.float32))
    sidecar = save(path)
    asked = []
    monkeypatch.setattr(
        'napari_sdcolor.archive.scan.refuse_beyond_memory', asked.append
    )
    open_sidecar(sidecar)
    assert asked == [2 * (20 * 20 * (1 + 3) + gray_ramp.size * (4 + 3))]


def test_moved_folders_and_changed_files_are_told(
    save, make_photo, tmp_path, notices
):
    photo = make_photo()
    sidecar = save(photo)
    moved = tmp_path / 'elsewhere' / 'box'
    moved.parent.mkdir()
    shutil.move(sidecar.parent, moved)
    shutil.move(photo, moved.parent / photo.name)
    sidecar = moved / sidecar.name
    assert len(readers.read(str(sidecar))) == 3
    assert notices() == []
    PillowImage.fromarray(np.zeros((48, 80), np.uint8)).save(
        moved.parent / photo.name
    )
    labels = moved / 'castle.labels.png'
    ids = np.asarray(PillowImage.open(labels)).copy()
    ids[:3] = 5
    PillowImage.fromarray(ids).save(labels)
    (moved / 'castle.color.tif').unlink()
    layers = readers.read(str(sidecar))
    assert [kind for *_, kind in layers] == ['image', 'labels']
    np.testing.assert_array_equal(layers[1][0], ids)
    words = ' '.join(notices())
    assert 'castle.png is not the one that was colored' in words
    assert 'castle.labels.png was changed' in words
    assert 'castle.color.tif is no longer' in words


def test_a_lost_photo_ends_in_a_sentence(save, make_photo):
    photo = make_photo()
    sidecar = save(photo)
    photo.unlink()
    with pytest.raises(SdcolorError, match='Put it beside the sidecar'):
        readers.read(str(sidecar))
    sidecar.write_text('{}')
    with pytest.raises(SdcolorError, match='no sidecar'):
        readers.read(str(sidecar))


def test_places_in_the_world_are_kept(save, open_sidecar, make_photo):
    layer = Image(
        np.zeros((48, 80)), scale=(2, 3), rotate=30, translate=(5, -7)
    )
    run = {'placement': placement_facts(layer)}
    photo, color, map_ = open_sidecar(save(make_photo(), run=run))
    for point in ([0, 0], [47, 79], [10, 60]):
        wanted = layer.data_to_world(point)
        np.testing.assert_allclose(photo.data_to_world(point), wanted)
        np.testing.assert_allclose(color.data_to_world(point), wanted)
    place = map_place(layer, (48, 80), map_.data.shape)
    wanted = Labels(map_.data, **place).data_to_world([3, 4])
    np.testing.assert_allclose(map_.data_to_world([3, 4]), wanted)


def test_a_real_viewer_finds_the_reader(
    save,
    make_photo,
    make_napari_viewer_proxy,
    engine,
    settle,
    stroke,
    tmp_plugin,
    qtbot,
):
    """By the manifest; the layers come through napari's proxies."""
    from napari_sdcolor.plugin.widget import ColorizeWidget

    sidecar = save(make_photo(), edit=True)
    with tmp_plugin('napari-sdcolor'):
        viewer = make_napari_viewer_proxy(show=True)
        widget = ColorizeWidget(viewer, engine)
        viewer.window.add_dock_widget(widget, name='Colorize', area='right')
        viewer.open(str(sidecar), plugin='napari-sdcolor')
        (trio,) = widget.coordinator.coloring.trios
        assert 'is back as it was saved' in widget.views.run.status.text()
        common = np.bincount(trio.map.data.flat).argmax()
        assert trio.map.selected_label == common
        before = trio.color.data.copy()
        # A hidden dock follows no edits.
        qtbot.waitUntil(widget.isVisible)
        widget.views.classes.class_requested.emit(GRASS)
        stroke(trio.map, [(20, 20), (25, 40)])
        settle(widget)
        assert (trio.color.data != before).any()
        assert len(viewer.layers) == 3
        widget.coordinator.close()


def test_writing_a_restored_color_without_the_dock(save, make_photo, tmp_path):
    layers = readers.read(str(save(make_photo())))
    _, meta, _ = layers[1]
    assert not isinstance(meta['metadata'][METADATA_KEY], Trio)
    with pytest.raises(SaveError, match='Open Plugins > Colorize first'):
        write(str(tmp_path / 'again.tif'), [layers[1]])
