"""A file gives the same picture through the dock and the command line."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import pytest
import tifffile
from napari.layers import Image, Labels
from typer.testing import CliRunner

from napari_sdcolor.archive.sidecar import read_sidecar
from napari_sdcolor.cli import app
from napari_sdcolor.core.lab import rgb_to_lightness
from napari_sdcolor.plugin import saving
from napari_sdcolor.plugin.provenance import FILE

from .conftest import DRAWN, HEIGHT, WIDTH, color, gray


@pytest.fixture
def by_command(tiny_model, tmp_path):
    """Colors a file with the command; its colored file and sidecar."""

    def run(path: Path, *more: str) -> Path:
        out = tmp_path / 'by command'
        words = ['colorize', path, '-o', out, '--weights', tiny_model]
        words += ['--size', 64, '--device', 'cpu', *more]
        done = CliRunner().invoke(app, [str(word) for word in words])
        assert done.exit_code == 0, done.output
        return out / f'{path.stem}.color.tif'

    return run


@pytest.mark.parametrize('kind', DRAWN)
def test_the_dock_and_the_command_give_the_same_file(
    kind, draw, dock, save, settle, by_command
):
    path = draw(kind)
    widget = dock(path)
    widget.run()
    settle(widget)
    if kind == 'thumb_first.tif':
        widget.views.banner.withdraw()
        widget.views.banner.answered.emit(FILE)
        settle(widget)
    trio = widget.coordinator.trio
    shape = (HEIGHT, WIDTH)
    assert trio.color.data.shape == (*shape, 3)
    colored = save(widget)
    more = ['--page', '0'] if kind == 'album.tif' else []
    again = by_command(path, *more)
    assert colored.read_bytes() == again.read_bytes()
    told, wanted = (
        read_sidecar(file.with_name(f'{path.stem}.sdcolor.json'))
        for file in (colored, again)
    )
    assert told['source'] == wanted['source']
    assert told['source']['file'] == kind
    assert len(told['source']['sha256']) == 64
    assert told['command'] == wanted['command']
    assert told['pages'][0]['photo'] == wanted['pages'][0]['photo']


@pytest.mark.parametrize(
    'kind',
    ['min_is_white.tif', 'deep_min_is_white.tif', 'negative_palette.tif'],
)
def test_a_negative_is_no_negative(kind, draw, dock, settle):
    path = draw(kind)
    if kind == 'negative_palette.tif':
        wanted = rgb_to_lightness(np.dstack([255 - gray()] * 3) / 255)
    else:
        wanted = rgb_to_lightness(np.dstack([gray()] * 3) / 255)
    widget = dock(path)
    widget.run()
    settle(widget)
    shown = widget.coordinator.trio.color.data
    found = rgb_to_lightness(shown / 255)
    assert np.abs(found - wanted).max() <= 0.5


def test_a_gray_profile_is_applied(draw, dock, settle):
    widget = dock(draw('dot_gain.tif'))
    widget.run()
    settle(widget)
    trio = widget.coordinator.trio
    told = trio.reader(0)()
    plain = trio.source.photo(0, 'type')
    assert np.abs(told.lightness - plain.lightness).max() > 5
    found = rgb_to_lightness(trio.color.data / 255)
    assert np.abs(found - told.lightness).max() <= 0.5


def test_resolution_profile_and_command_are_kept(draw, dock, save, settle):
    path = draw('min_is_white.tif')
    widget = dock(path)
    assert 'inverted' in widget.views.run.understood.text()
    widget.run()
    settle(widget)
    colored = save(widget)
    with tifffile.TiffFile(colored) as tif:
        assert tif.pages[0].tags['XResolution'].value == (300, 1)
    words = shlex.split(
        saving.command_line(
            widget.coordinator.trio, 0, widget.coordinator.engine.settings()
        )
    )
    assert words[2] == str(path)


def test_the_main_page_of_an_album_is_named(draw, dock, settle):
    widget = dock(draw('album.tif'))
    widget.run()
    settle(widget)
    trio = widget.coordinator.trio
    assert trio.source.page(0) == 0
    command = saving.command_line(
        trio, 0, widget.coordinator.engine.settings()
    )
    assert '--page 0' in command


def test_planes_of_a_negative_film_are_read_page_by_page(
    tmp_path, dock, settle, viewer
):
    path = tmp_path / 'film.tif'
    film = np.stack([gray(), gray()[::-1], gray() // 2])
    tifffile.imwrite(path, 255 - film, photometric='miniswhite')
    widget = dock(path)
    viewer.dims.set_point(0, 1)
    widget.run()
    settle(widget)
    trio = widget.coordinator.trio
    assert trio.color.data.shape == (*film.shape, 3)
    found = rgb_to_lightness(trio.color.data[1] / 255)
    wanted = rgb_to_lightness(np.dstack([film[1]] * 3) / 255)
    assert np.abs(found - wanted).max() <= 0.5
    assert trio.source.page(1) == 1


@pytest.mark.parametrize('kind', ['gray_alpha.png', 'gray_alpha.tif'])
def test_gray_with_alpha_is_one_photo(kind, draw, dock, settle, viewer):
    widget = dock(draw(kind))
    (shown,) = viewer.layers
    assert 'layer of its own' in widget.views.run.understood.text()
    widget.run()
    settle(widget)
    photo, map_ = widget.coordinator.photo, widget.coordinator.trio.map
    assert photo != shown
    assert photo.name == kind
    np.testing.assert_array_equal(photo.data, gray())
    assert not shown.visible
    corner = np.array([HEIGHT, WIDTH]) - 0.5
    inside = np.array(map_.data.shape) - 0.5
    np.testing.assert_allclose(
        map_.data_to_world(inside), photo.data_to_world(corner)
    )
    # Run on the person's own layer again opens no second one.
    count = len(viewer.layers)
    widget.coordinator.chooser.choose(shown)
    widget.run()
    settle(widget)
    assert widget.coordinator.photo == photo
    assert len(viewer.layers) == count


def test_planar_color_is_one_color_photo(draw, dock, settle):
    widget = dock(draw('planar.tif'))
    shown = widget.coordinator.photo
    shown.scale, shown.translate = (1, 2, 3), (0, 5, 7)
    assert 'Seen at 85 × 64 pixels' in widget.views.run.cost.text()
    widget.run()
    settle(widget)
    photo = widget.coordinator.photo
    assert photo.rgb
    np.testing.assert_array_equal(photo.data, color())
    np.testing.assert_allclose(
        photo.data_to_world([10, 20]), shown.data_to_world([0, 10, 20])[1:]
    )
    assert widget.coordinator.trio.color.data.shape == color().shape


def test_a_photo_that_napari_takes_for_labels_is_offered(
    draw, dock, settle, viewer, notices
):
    """Integers of 32 bits; real labels are never chosen over an image."""
    widget = dock(draw('int32.tif'))
    (shown,) = viewer.layers
    assert isinstance(shown, Labels)
    assert widget.coordinator.photo == shown
    widget.run()
    settle(widget)
    photo = widget.coordinator.photo
    assert isinstance(photo, Image)
    viewer.layers.selection.active = shown
    assert widget.coordinator.photo == photo
    assert notices() == []
