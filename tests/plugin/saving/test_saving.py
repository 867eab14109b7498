"""What is saved is what is shown, at its full depth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_sdcolor.archive.saving import save_result
from napari_sdcolor.errors import SaveError
from napari_sdcolor.plugin import saving
from napari_sdcolor.settings import Settings, parse_window

GRASS = 36
BASE = Settings(size=64, device='cpu')


# --- names ----------------------------------------------------------------


@pytest.mark.parametrize(
    ('chosen', 'name', 'form'),
    [
        ('castle.color.tif', 'castle', 'tiff'),
        ('castle.tif', 'castle', 'tiff'),
        ('castle.TIFF', 'castle', 'tiff'),
        ('castle.color.png', 'castle', 'png'),
        ('castle.color.jpg', 'castle', 'jpeg'),
        ('castle.JPEG', 'castle', 'jpeg'),
        ('box 3.1/№ 7.v2.color.tif', '№ 7.v2', 'tiff'),
        ('castle.color.color.tif', 'castle.color', 'tiff'),
    ],
)
def test_folder_name_and_format_of_a_chosen_file(chosen, name, form):
    path = Path('/photos') / chosen
    assert saving.split_name(path) == (path.parent, name, form)


@pytest.mark.parametrize('chosen', ['castle', 'castle.color', 'castle.gif'])
def test_other_suffixes_are_refused_with_the_known_ones(chosen):
    with pytest.raises(SaveError, match=r'choose \.tif, \.png or \.jpg'):
        saving.split_name(Path('/photos') / chosen)


@pytest.mark.parametrize(
    ('layer_name', 'name'),
    [
        ('castle', 'castle'),
        ('castle [1]', 'castle [1]'),
        ('box/castle', 'box-castle'),
        ('box\\castle', 'box-castle'),
        ('  ', 'photo'),
    ],
)
def test_a_photo_without_file_is_called_like_its_layer(
    viewer, make_trio, pixels, layer_name, name
):
    trio = make_trio(viewer.add_image(pixels, name=layer_name))
    assert saving.result_name(trio, 0) == name


def test_a_photo_from_a_file_is_called_like_the_file(
    open_photo, make_trio, make_photo
):
    layer = open_photo(make_photo('box 3.v2.png'))
    layer.name = 'something else'
    assert saving.result_name(make_trio(layer), 0) == 'box 3.v2'


def test_planes_of_a_stack_do_not_share_a_name(viewer, make_trio, pixels):
    trio = make_trio(viewer.add_image(np.stack([pixels] * 3), name='film'))
    assert saving.result_name(trio, 0) == 'film.p0000'
    assert saving.result_name(trio, 2) == 'film.p0002'


# --- the photo that is colored --------------------------------------------


def test_an_unchanged_file_brings_along_what_it_knows(
    open_photo, make_trio, pixels, tmp_path, write_tiff
):
    path = write_tiff(
        tmp_path / 'castle.tif',
        pixels,
        resolution=(600, 600),
        resolutionunit='INCH',
    )
    trio = make_trio(open_photo(path))
    photo = trio.reader(0)()
    assert photo.origin.path == str(path)
    assert len(photo.origin.sha256) == 64
    assert photo.origin.resolution == (600, 600, 2)
    np.testing.assert_array_equal(
        photo.lightness, trio.source.photo(0, 'type').lightness
    )


def test_changed_pixels_are_saved_as_they_are_shown(
    open_photo, make_trio, make_photo
):
    trio = make_trio(open_photo(make_photo()))
    assert trio.reader(0)().origin.sha256
    trio.photo.data[3, 4] ^= 1
    photo = trio.reader(0)()
    assert photo.origin.sha256 == ''
    np.testing.assert_array_equal(
        photo.lightness, trio.source.photo(0, 'type').lightness
    )


def test_a_file_that_another_one_replaced_is_not_believed(
    open_photo, make_trio, make_photo, gray_ramp
):
    path = make_photo()
    trio = make_trio(open_photo(path))
    make_photo(array=gray_ramp[:, ::-1])
    assert trio.reader(0)().origin.sha256 == ''
    make_photo(array=gray_ramp[:20])
    assert trio.reader(0)().shape == gray_ramp.shape


@pytest.mark.parametrize('trouble', ['gone', 'damaged', 'a folder'])
def test_without_its_file_a_photo_is_still_saved(
    open_photo, make_trio, make_photo, gray_ramp, trouble
):
    path = make_photo()
    trio = make_trio(open_photo(path))
    content = path.read_bytes()
    path.unlink()
    if trouble == 'damaged':
        path.write_bytes(content[:200])
    elif trouble == 'a folder':
        path.mkdir()
    photo = trio.reader(0)()
    assert photo.shape == gray_ramp.shape
    assert photo.origin.sha256 == ''


def test_the_layers_window_is_the_files_window(
    open_photo, make_trio, pixels, tmp_path, write_tiff
):
    deep = pixels.astype(np.uint16) * 16
    trio = make_trio(open_photo(write_tiff(tmp_path / 'deep.tif', deep)))
    trio.photo.contrast_limits = (300, 3500)
    photo = trio.reader(0)()
    assert photo.origin.sha256
    assert photo.window == (300, 3500)
    assert photo.bits == 16


def test_the_photo_itself_is_never_written_to(
    open_photo, make_trio, make_photo, tiny_colorizer, tmp_path, run
):
    path = make_photo()
    before = path.read_bytes(), path.stat().st_mtime_ns
    path.chmod(0o444)
    trio = run(make_trio(open_photo(path)), tiny_colorizer)
    labels, _ = trio.snapshot(0)
    result = saving.full_result(
        tiny_colorizer, saving.save_request(trio, 0, labels, BASE)
    )
    save_result(result, tmp_path, 'castle')
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


# --- the full result ------------------------------------------------------


def test_the_full_result_is_the_picture_on_the_screen(
    viewer, make_trio, pixels, tiny_colorizer, run, assert_as_shown
):
    trio = run(make_trio(viewer.add_image(pixels)), tiny_colorizer)
    labels, _ = trio.snapshot(0)
    result = saving.full_result(
        tiny_colorizer, saving.save_request(trio, 0, labels, BASE)
    )
    assert_as_shown(result.rgb, trio.color.data)
    assert np.ptp(result.rgb.astype(int), axis=-1).max() > 10


def test_the_depth_of_the_photo_is_saved_not_that_of_the_screen(
    viewer, make_trio, pixels, tiny_colorizer, run
):
    deep = pixels.astype(np.uint16) * 200
    trio = run(make_trio(viewer.add_image(deep)), tiny_colorizer)
    labels, _ = trio.snapshot(0)
    result = saving.full_result(
        tiny_colorizer, saving.save_request(trio, 0, labels, BASE)
    )
    assert trio.color.data.dtype == np.uint8
    assert result.rgb.dtype == np.uint16
    # More than 8 bits: not all values are multiples of 257.
    assert (result.rgb % 257 != 0).any()
    shown = trio.color.data.astype(float) / 255
    assert np.abs(result.rgb / 65535 - shown).mean() < 1 / 255


def test_an_edited_map_is_called_so(
    viewer, make_trio, pixels, tiny_colorizer, run
):
    trio = run(make_trio(viewer.add_image(pixels)), tiny_colorizer)
    labels, _ = trio.snapshot(0)
    kept = saving.full_result(
        tiny_colorizer, saving.save_request(trio, 0, labels, BASE)
    )
    assert kept.labels_origin == 'predicted'
    assert kept.confidence == trio.planes[0].confidence

    labels[5, 5] = GRASS if labels[5, 5] != GRASS else 0
    edited = saving.full_result(
        tiny_colorizer, saving.save_request(trio, 0, labels, BASE)
    )
    assert edited.labels_origin == 'edited in napari'
    np.testing.assert_array_equal(edited.labels, labels)


def test_a_plane_of_a_stack_is_saved_alone(
    viewer, make_trio, pixels, tiny_colorizer, run, assert_as_shown
):
    stack = np.stack([pixels, 255 - pixels])
    trio = run(make_trio(viewer.add_image(stack)), tiny_colorizer, plane=1)
    labels, _ = trio.snapshot(1)
    result = saving.full_result(
        tiny_colorizer, saving.save_request(trio, 1, labels, BASE)
    )
    assert result.rgb.shape == (90, 120, 3)
    assert_as_shown(result.rgb, trio.color.data[1])


# --- settings -------------------------------------------------------------


def test_settings_of_a_trio(viewer, make_trio, pixels):
    trio = make_trio(viewer.add_image(pixels))
    trio.saturation = 1.25
    assert trio.settings(BASE) == replace(BASE, saturation=1.25, window='auto')
    trio.window = 'minmax'
    assert trio.settings(BASE).window == 'minmax'


def test_a_map_keeps_the_size_that_it_was_made_for(
    viewer, make_trio, pixels, tiny_colorizer, run
):
    """Though the person prefers another one by now."""
    trio = make_trio(viewer.add_image(pixels))
    preferred = replace(BASE, size=96)
    assert trio.settings(preferred).size == 96
    run(trio, tiny_colorizer)
    settings = trio.settings(preferred)
    assert settings.size == 64
    labels, _ = trio.snapshot(0)
    saving.full_result(
        tiny_colorizer, saving.save_request(trio, 0, labels, settings)
    )


@pytest.mark.parametrize(
    'limits',
    [(100, 4000), (-5.5, 12.25), (0.0, 1e-3), (0.123456789, 0.87654321)],
)
def test_contrast_limits_become_words_that_mean_the_same(
    viewer, make_trio, pixels, limits
):
    layer = viewer.add_image(pixels / 255, contrast_limits=limits)
    words = make_trio(layer).settings(BASE).window
    assert parse_window(words) == limits
