"""The copied command makes the same files as the widget."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage
from typer.testing import CliRunner

from napari_sdcolor.archive.saving import save_result
from napari_sdcolor.cli import app
from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.errors import SaveError
from napari_sdcolor.plugin import saving
from napari_sdcolor.plugin.widget import ColorizeWidget
from napari_sdcolor.settings import Settings

GRASS = 36
BASE = Settings(size=64, device='cpu')


# --- the command line -----------------------------------------------------


def test_the_command_names_photo_folder_and_what_is_not_the_default(
    open_photo, make_trio, make_photo, tiny_colorizer, run
):
    path = make_photo()
    trio = run(make_trio(open_photo(path)), tiny_colorizer)
    words = shlex.split(saving.command_line(trio, 0, BASE))
    assert words[:3] == ['sdcolor', 'colorize', str(path)]
    options = dict(zip(words[3::2], words[4::2], strict=True))
    assert options['-o']
    assert options['--size'] == '64'
    assert options['--device'] == 'cpu'
    assert '--saturation' not in options
    assert '--labels' not in options

    trio.saturation = 0.5
    words = shlex.split(saving.command_line(trio, 0, BASE))
    assert words[words.index('--saturation') + 1] == '0.5'


def test_a_plane_of_a_stack_is_named_by_its_page(
    open_photo, make_trio, pixels, tmp_path, write_tiff
):
    path = write_tiff(tmp_path / 'film.tif', np.stack([pixels] * 3))
    trio = make_trio(open_photo(path))
    words = shlex.split(saving.command_line(trio, 2, BASE))
    assert words[words.index('--page') + 1] == '2'


def test_an_edited_map_is_named_in_the_command(
    open_photo, make_trio, make_photo, tiny_colorizer, run
):
    trio = run(make_trio(open_photo(make_photo())), tiny_colorizer)
    trio.map.data_setitem((np.arange(9), np.arange(9)), [GRASS] * 9)
    with pytest.raises(SaveError, match='press Save first'):
        saving.command_line(trio, 0, BASE)
    file = Path('/elsewhere/mine.labels.png')
    trio.planes[0].saved = (file, trio.map.data.copy())
    words = shlex.split(saving.command_line(trio, 0, BASE))
    assert Path(words[words.index('--labels') + 1]) == file


@pytest.mark.parametrize(
    'name', ['my castle.png', "it's; rm -r $HOME.png", 'a"b`c`.png']
)
def test_odd_names_are_quoted_for_the_shell(
    open_photo, make_trio, make_photo, name
):
    path = make_photo(name)
    command = saving.command_line(make_trio(open_photo(path)), 0, BASE)
    assert shlex.split(command)[2] == str(path)
    assert command.split(' -o ')[0].endswith(shlex.quote(str(path)))


def test_a_photo_from_no_file_has_no_command(viewer, make_trio, pixels):
    trio = make_trio(viewer.add_image(pixels, name='castle'))
    with pytest.raises(SaveError, match='castle was not opened from a file'):
        saving.command_line(trio, 0, BASE)


def test_a_photo_whose_file_is_gone_has_no_command(
    open_photo, make_trio, make_photo
):
    path = make_photo()
    trio = make_trio(open_photo(path))
    path.unlink()
    with pytest.raises(SaveError, match='from a file'):
        saving.command_line(trio, 0, BASE)


# --- the widget and the command line make the same bytes ------------------


def write_photo(kind: str, folder: Path, ramp: np.ndarray) -> Path:
    """A file of each kind that the two ways must agree on."""
    folder.mkdir()
    color = np.dstack([ramp, ramp[::-1], 255 - ramp])
    if kind in ('gray.png', 'color.png', 'color.jpg'):
        pixels = ramp if kind == 'gray.png' else color
        PillowImage.fromarray(pixels).save(folder / kind)
        return folder / kind
    pixels = {
        'deep.tif': ramp.astype(np.uint16) * 13 + 100,
        'float.tif': ramp.astype(np.float32) / 255,
        'film.tif': np.stack([ramp, ramp[::-1], 255 - ramp]),
    }
    tifffile.imwrite(folder / kind, pixels[kind], photometric='minisblack')
    return folder / kind


@pytest.fixture
def command(tiny_model, tmp_path) -> Callable[[list[str]], Path]:
    """Runs a copied command with tiny networks; gives its folder."""

    def call(words: list[str]) -> Path:
        folder = tmp_path / 'by command'
        words = words[1:] + ['--weights', tiny_model]
        words[words.index('-o') + 1] = str(folder)
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, done.output
        return folder

    return call


KINDS = [
    'gray.png',
    'color.png',
    'color.jpg',
    'deep.tif',
    'float.tif',
    'film.tif',
]


@pytest.mark.parametrize('edited', [True, False], ids=['edited', 'as found'])
@pytest.mark.parametrize('kind', KINDS)
def test_widget_and_command_line_make_the_same_bytes(
    open_photo,
    make_trio,
    command,
    tiny_model,
    gray_ramp,
    tmp_path,
    kind,
    edited,
    run,
):
    path = write_photo(kind, tmp_path / 'photos', gray_ramp)
    colorizer = Colorizer.load(tiny_model, device='cpu', size=64)
    trio = make_trio(open_photo(path))
    plane = trio.source.planes - 1
    run(trio, colorizer, plane)
    trio.saturation = 0.75
    if edited:
        labels, _ = trio.snapshot(plane)
        labels[np.arange(40), np.arange(40)] = GRASS
        trio.put_map(plane, labels)
    labels, _ = trio.snapshot(plane)
    settings = trio.settings(BASE)
    result = saving.full_result(
        colorizer, saving.save_request(trio, plane, labels, settings)
    )
    folder = tmp_path / 'by widget'
    folder.mkdir()
    names = save_result(result, folder, path.stem)
    trio.planes[plane].saved = (names.labels, trio.snapshot(plane)[0])

    words = shlex.split(saving.command_line(trio, plane, BASE))
    again = command(words)
    assert sorted(os.listdir(again)) == sorted(os.listdir(folder))
    for name in (names.color, names.labels):
        assert (again / name.name).read_bytes() == name.read_bytes()
    one, two = (
        json.loads((place / names.sidecar.name).read_text('utf-8'))
        for place in (folder, again)
    )
    assert one['source'] == two['source']
    assert one['result'] == two['result']


# --- through the dock -----------------------------------------------------


@pytest.fixture
def dock(
    viewer, open_photo, make_widget, settle
) -> Callable[[Path], ColorizeWidget]:
    """The widget after a finished run on a photo from a file."""

    def run_on(path: Path) -> ColorizeWidget:
        open_photo(path)
        widget = make_widget(viewer)
        widget.run()
        settle(widget)
        return widget

    return run_on


def test_a_turned_photo_is_saved_as_it_is_shown(
    dock, pixels, tiny_colorizer, tmp_path, assert_as_shown
):
    path = tmp_path / 'turned.tif'
    turned = [(274, 'H', 1, 6, True)]
    tifffile.imwrite(path, pixels, photometric='minisblack', extratags=turned)
    trio = dock(path).coordinator.trio
    labels, _ = trio.snapshot(0)
    result = saving.full_result(
        tiny_colorizer, saving.save_request(trio, 0, labels, BASE)
    )
    assert result.photo.origin.orientation == 6
    assert_as_shown(result.rgb, trio.color.data)


def test_the_command_names_the_map_that_was_saved(
    dock, make_photo, settle, tmp_path
):
    widget = dock(make_photo())
    trio = widget.coordinator.trio
    trio.map.data_setitem((np.arange(9), np.arange(9)), [GRASS] * 9)
    widget.coordinator.saver.save(trio, tmp_path / 'mine.color.tif')
    settle(widget)
    words = shlex.split(saving.command_line(trio, 0, BASE))
    saved = words[words.index('--labels') + 1]
    with PillowImage.open(saved) as image:
        np.testing.assert_array_equal(np.array(image), trio.map.data)


def test_a_map_edited_after_it_was_saved_is_not_named_by_its_old_file(
    dock, make_photo, settle, tmp_path
):
    widget = dock(make_photo())
    trio = widget.coordinator.trio
    trio.map.data_setitem((np.arange(9), np.arange(9)), [GRASS] * 9)
    widget.coordinator.saver.save(trio, tmp_path / 'mine.color.tif')
    settle(widget)
    trio.map.data_setitem((np.arange(20), np.arange(20)), [GRASS] * 20)
    settle(widget)
    with pytest.raises(SaveError, match='press Save first'):
        saving.command_line(trio, 0, BASE)
