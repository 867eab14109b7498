"""Where layer and file differ, the dock asks whose pixels count."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile
from qtpy.QtWidgets import QPushButton

from napari_sdcolor.archive.replay import Recording
from napari_sdcolor.archive.sidecar import read_sidecar
from napari_sdcolor.core.lab import rgb_to_lightness
from napari_sdcolor.errors import SaveError, SdcolorError
from napari_sdcolor.plugin import readers, saving
from napari_sdcolor.plugin.provenance import FACTS_KEY

from .conftest import HEIGHT, WIDTH, gray

FILE = 'The photo in the file'
LAYER = 'The pixels of the layer'
TURN = 'Turn upright'
LEAVE = 'Leave it'


def press(widget, text):
    """Clicks an answer of the dock's question."""
    buttons = widget.views.banner.findChildren(QPushButton)
    (button,) = [b for b in buttons if b.text() == text and not b.isHidden()]
    button.click()


def lightness(rgb):
    return rgb_to_lightness(rgb / 255)


def of_gray(pixels):
    return lightness(np.dstack([pixels] * 3))


@pytest.fixture
def changed(draw, open_photo, make_widget, settle, viewer):
    """The dock beside a layer whose pixels a person changed."""
    layer = open_photo(draw('plain.tif'))
    layer.data[20:30, 20:30] = 255
    widget = make_widget(viewer)
    settle(widget)
    return widget


def test_run_waits_for_the_answer_and_blocks_nothing(changed, settle, viewer):
    banner = changed.views.banner
    assert not banner.isHidden()
    assert 'not those that plain.tif holds' in banner.text
    changed.run()
    settle(changed)
    assert changed.coordinator.trio is None
    assert changed.coordinator.jobs.idle
    press(changed, LAYER)
    settle(changed)
    assert changed.coordinator.trio is not None


def test_the_pixels_of_the_layer_are_saved_honestly(
    changed, settle, save, viewer
):
    changed.run()
    press(changed, LAYER)
    settle(changed)
    (layer, *_) = viewer.layers
    trio = changed.coordinator.trio
    found = lightness(trio.color.data)
    assert np.abs(found - of_gray(layer.data)).max() <= 0.5
    assert 'those of the layer' in changed.views.run.understood.text()
    colored = save(changed)
    sidecar = colored.with_name('plain.sdcolor.json')
    told = read_sidecar(sidecar)
    assert told['source'] == {'file': 'plain.tif', 'sha256': ''}
    assert told['command'] == []
    assert any('those of the layer' in n for n in told['pages'][0]['notes'])
    with pytest.raises(SaveError, match='no command can read them'):
        saving.command_line(trio, 0, changed.coordinator.engine.settings())
    with pytest.raises(SdcolorError, match='name it with --source'):
        Recording(sidecar)


def test_the_pixels_of_the_file_are_colored_if_they_count(
    changed, settle, save
):
    changed.run()
    press(changed, FILE)
    settle(changed)
    trio = changed.coordinator.trio
    assert np.abs(lightness(trio.color.data) - of_gray(gray())).max() <= 0.5
    told = read_sidecar(save(changed).with_name('plain.sdcolor.json'))
    assert len(told['source']['sha256']) == 64


def test_the_answer_is_remembered_by_the_layer(
    changed, settle, make_widget, viewer
):
    press(changed, LAYER)
    assert changed.views.banner.isHidden()
    changed.coordinator.close()
    again = make_widget(viewer)
    settle(again)
    assert again.views.banner.isHidden()
    again.run()
    settle(again)
    assert again.coordinator.trio is not None


def test_an_answer_counts_for_the_pixels_it_was_about(changed, settle, viewer):
    changed.run()
    press(changed, LAYER)
    settle(changed)
    (layer, *_) = viewer.layers
    layer.data = 255 - gray()
    settle(changed)
    assert FACTS_KEY in layer.metadata
    assert not changed.views.banner.isHidden()
    # The file's own pixels again: nothing to ask.
    layer.data = gray()
    settle(changed)
    assert changed.views.banner.isHidden()
    assert 'Understood: gray' in changed.views.run.understood.text()


def test_another_answer_recolors_at_once(changed, settle, viewer):
    changed.run()
    press(changed, LAYER)
    settle(changed)
    (layer, *_) = viewer.layers
    layer.data = np.full_like(gray(), 90)
    settle(changed)
    trio = changed.coordinator.trio
    press(changed, FILE)
    settle(changed)
    assert np.abs(lightness(trio.color.data) - of_gray(gray())).max() <= 0.5


def test_a_question_goes_with_its_photo(changed, settle, viewer):
    other = viewer.add_image(gray(), name='another')
    changed.coordinator.chooser.choose(other)
    assert changed.views.banner.isHidden()
    changed.coordinator.chooser.choose(viewer.layers[0])
    assert not changed.views.banner.isHidden()


def test_stop_drops_what_waited_for_the_file(draw, dock, settle):
    widget = dock(draw('plain.tif'))
    coordinator = widget.coordinator
    coordinator.photo.metadata.pop(FACTS_KEY)
    widget.run()
    widget.coordinator.stop()
    settle(widget)
    assert coordinator.trio is None
    widget.run()
    settle(widget)
    assert coordinator.trio is not None


@pytest.mark.shows_errors  # tifffile logs what it finds
def test_a_file_that_we_cannot_read_is_told_and_the_layer_colored(
    draw, open_photo, make_widget, settle, viewer
):
    path = draw('plain.tif')
    open_photo(path)
    path.write_bytes(path.read_bytes()[:200])
    widget = make_widget(viewer)
    settle(widget)
    said = widget.views.run.understood.text()
    assert 'plain.tif' in said
    assert said.endswith('The pixels of the layer are colored.')
    widget.run()
    settle(widget)
    assert widget.coordinator.trio.reader(0)().origin.sha256 == ''


def test_a_thumbnail_is_no_photo_unless_somebody_says_so(
    draw, dock, settle, viewer
):
    widget = dock(draw('thumb_first.tif'))
    (thumbnail,) = viewer.layers
    banner = widget.views.banner
    assert f'{WIDTH} × {HEIGHT}' in banner.text
    assert 'thumbnail' in banner.text
    press(widget, FILE)
    settle(widget)
    photo = widget.coordinator.photo
    assert photo.name == 'thumb_first.tif'
    np.testing.assert_array_equal(photo.data, gray())
    assert thumbnail in viewer.layers
    widget.run()
    settle(widget)
    assert widget.coordinator.trio.color.data.shape == (HEIGHT, WIDTH, 3)


def test_who_wants_the_thumbnail_gets_it(draw, dock, settle, viewer):
    widget = dock(draw('thumb_first.tif'))
    (thumbnail,) = viewer.layers
    widget.run()
    press(widget, LAYER)
    settle(widget)
    trio = widget.coordinator.trio
    assert trio.photo == thumbnail
    assert trio.color.data.shape == (*thumbnail.data.shape, 3)


# --- orientation ----------------------------------------------------------


@pytest.mark.parametrize('kind', ['turned.tif', 'turned.jpg', 'turned.png'])
def test_a_photo_stored_sideways_is_turned_by_a_button(
    kind, draw, dock, settle, save, viewer
):
    widget = dock(draw(kind))
    (layer,) = viewer.layers
    assert 'stored sideways' in widget.views.banner.text
    widget.run()
    settle(widget)
    trio = widget.coordinator.trio
    assert not widget.views.banner.isHidden()
    press(widget, TURN)
    assert widget.views.banner.isHidden()
    # Orientation 6: the first stored row is the right column upright.
    for photo in (layer, trio.color):
        corner = photo.data_to_world([0, 0])
        np.testing.assert_allclose(corner, [0, HEIGHT - 1])
        np.testing.assert_allclose(
            photo.data_to_world([HEIGHT - 1, 0]), [0, 0], atol=1e-9
        )
    inside = np.array(trio.map.data.shape) - 0.5
    np.testing.assert_allclose(
        trio.map.data_to_world(inside),
        layer.data_to_world([HEIGHT - 0.5, WIDTH - 0.5]),
    )
    with tifffile.TiffFile(save(widget)) as tif:
        assert tif.pages[0].tags['Orientation'].value == 6
        assert tif.pages[0].shape[:2] == (HEIGHT, WIDTH)


def test_who_leaves_a_photo_sideways_is_not_asked_again(
    draw, dock, settle, viewer
):
    widget = dock(draw('turned.tif'))
    (layer,) = viewer.layers
    press(widget, LEAVE)
    widget.run()
    settle(widget)
    assert widget.views.banner.isHidden()
    np.testing.assert_array_equal(layer.affine.affine_matrix, np.eye(3))


def test_a_layer_that_is_upright_already_is_its_file(
    draw, open_photo, make_widget, settle, save, viewer
):
    layer = open_photo(draw('turned.tif'))
    layer.data = np.rot90(layer.data, -1)
    widget = make_widget(viewer)
    settle(widget)
    widget.run()
    settle(widget)
    trio = widget.coordinator.trio
    # Stored order, shown where the person's layer shows it.
    np.testing.assert_array_equal(trio.photo.data, gray())
    for stored, shown in (([0, 0], [0, HEIGHT - 1]), ([9, 5], [5, 50])):
        np.testing.assert_allclose(trio.photo.data_to_world(stored), shown)
        assert gray()[tuple(stored)] == layer.data[tuple(shown)]
    with tifffile.TiffFile(save(widget)) as tif:
        assert tif.pages[0].tags['Orientation'].value == 6


def test_a_result_of_a_sideways_photo_is_opened_upright(
    draw, dock, settle, save
):
    widget = dock(draw('turned.tif'))
    widget.run()
    settle(widget)
    sidecar = save(widget).with_name('turned.sdcolor.json')
    content = json.loads(sidecar.read_text('utf-8'))
    # As the command line writes it: nobody saw it lie anywhere.
    content['run'].pop('placement')
    sidecar.write_text(json.dumps(content), 'utf-8')
    for data, meta, kind in readers.read(str(sidecar)):
        assert kind in ('image', 'labels')
        affine = getattr(meta['affine'], 'affine_matrix', meta['affine'])
        corner = affine @ [0, 0, 1]
        assert corner[1] == HEIGHT - 1
        assert data.shape[0] < data.shape[1]


# --- tones ----------------------------------------------------------------


@pytest.mark.parametrize(
    'kind', ['uint16.tif', 'deep_min_is_white.tif', 'scan_min_is_white.tif']
)
def test_contrast_limits_of_a_person_win(kind, draw, dock, settle, save):
    widget = dock(draw(kind))
    layer = widget.coordinator.photo
    low, high = np.percentile(layer.data, (20, 80))
    layer.contrast_limits = (low, high)
    widget.run()
    settle(widget)
    assert 'contrast limits' in widget.views.run.understood.text()
    share = (layer.data.astype(float) - low) / (high - low)
    wanted = share if kind == 'uint16.tif' else 1 - share
    found = lightness(widget.coordinator.trio.color.data)
    wanted = rgb_to_lightness(np.dstack([wanted.clip(0, 1)] * 3))
    assert np.abs(found - wanted).max() <= 0.5
    told = read_sidecar(save(widget).with_name(f'{kind[:-4]}.sdcolor.json'))
    window = [float(v) for v in told['settings']['window'].split(',')]
    assert window == told['pages'][0]['photo']['tone_window']
    command = saving.command_line(
        widget.coordinator.trio, 0, widget.coordinator.engine.settings()
    )
    assert f'--window {told["settings"]["window"]}' in command


def test_limits_of_a_person_win_over_a_saved_result_too(
    draw, dock, settle, save, viewer, make_widget
):
    """Its layer shows the values upright, in the window of the file."""
    widget = dock(draw('scan_min_is_white.tif'))
    widget.run()
    settle(widget)
    sidecar = save(widget).with_name('scan_min_is_white.sdcolor.json')
    widget.coordinator.close()
    viewer.layers.clear()
    for data, meta, kind in readers.read(str(sidecar)):
        add = viewer.add_image if kind == 'image' else viewer.add_labels
        add(data, **meta)
    again = make_widget(viewer)
    settle(again)
    trio = again.coordinator.trio
    assert trio.source.window('auto') == 'auto'
    low, high = np.percentile(trio.photo.data, (20, 80))
    trio.photo.contrast_limits = (low, high)
    photo = trio.reader(0)()
    assert photo.origin.sha256
    wanted = (trio.photo.data.astype(float) - low) / (high - low)
    wanted = rgb_to_lightness(np.dstack([wanted.clip(0, 1)] * 3))
    assert np.abs(photo.lightness - wanted).max() < 0.5


def test_what_was_chosen_while_the_file_is_looked_at_is_not_lost(
    draw, open_photo, make_widget, settle, viewer
):
    """Tones and saturation, then Run, faster than the file can be read."""
    widget = make_widget(viewer)
    open_photo(draw('gray_alpha.png'))
    widget.views.run.window_requested.emit('minmax')
    widget.views.color.saturation_requested.emit(0.5)
    widget.run()
    widget.run()
    settle(widget)
    trio = widget.coordinator.trio
    assert trio.photo.ndim == 2
    assert (trio.window, trio.saturation) == ('minmax', 0.5)
    assert trio.planes[0].shown.saturation == 0.5
    assert len(widget.coordinator.coloring.trios) == 1
