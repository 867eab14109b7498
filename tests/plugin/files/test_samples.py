"""A sample photo is saved by its name, and comes back."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from napari_sdcolor.archive.sidecar import read_sidecar
from napari_sdcolor.cli import app
from napari_sdcolor.plugin import readers
from napari_sdcolor.samples import SampleFile


@pytest.fixture
def saved(viewer, tmp_plugin, make_widget, settle, tmp_path):
    """The sidecar of a sample that was colored in the dock."""
    with tmp_plugin('napari-sdcolor'):
        viewer.open_sample('napari-sdcolor', 'camera')
    widget = make_widget(viewer)
    widget.run()
    settle(widget)
    trio = widget.coordinator.trio
    trio.map.data_setitem((np.arange(9), np.arange(9)), [36] * 9)
    widget.coordinator.saver.save(trio, tmp_path / 'box.color.tif')
    settle(widget)
    return tmp_path / 'box.sdcolor.json'


def test_the_sidecar_names_the_sample(saved):
    told = read_sidecar(saved)
    wanted = SampleFile('camera').sha256
    assert told['source'] == {'file': '', 'sha256': wanted, 'sample': 'camera'}
    assert told['command'] == []
    assert told['pages'][0]['notes'] == []


def test_a_saved_sample_is_opened_again(
    saved, viewer, make_widget, settle, notices
):
    viewer.layers.clear()
    for data, meta, kind in readers.read(str(saved)):
        add = viewer.add_image if kind == 'image' else viewer.add_labels
        add(data, **meta)
    assert not any('sample' in words for words in notices())
    photo, color, map_ = viewer.layers
    np.testing.assert_array_equal(photo.data, SampleFile('camera')._pixels)
    assert (map_.data[np.arange(9), np.arange(9)] == 36).all()
    widget = make_widget(viewer)
    settle(widget)
    assert widget.coordinator.trio.color == color
    assert widget.coordinator.trio.reader(0)().origin.sample == 'camera'


def test_replay_colors_a_sample_again(saved, tiny_model):
    words = ['replay', str(saved), '--weights', tiny_model, '--json']
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)['identical']


def test_another_sample_of_that_name_is_told(saved, monkeypatch):
    content = json.loads(saved.read_text('utf-8'))
    content['source']['sha256'] = 'f' * 64
    saved.write_text(json.dumps(content), 'utf-8')
    told = []
    monkeypatch.setattr(readers, 'show_warning', told.append)
    readers.read(str(saved))
    assert any('camera is not the one' in words for words in told)


def test_changed_pixels_are_no_sample(viewer, tmp_plugin, make_widget, settle):
    with tmp_plugin('napari-sdcolor'):
        (layer,) = viewer.open_sample('napari-sdcolor', 'camera')
    layer.data[40:50] = 0
    widget = make_widget(viewer)
    widget.run()
    settle(widget)
    assert widget.coordinator.trio.reader(0)().origin.sample == ''
    said = widget.views.run.understood.text()
    assert 'cannot be opened again' in said
