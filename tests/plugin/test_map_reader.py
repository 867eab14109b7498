"""A saved map opens in napari as labels in the colors of the classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from napari.layers import Labels

from napari_sdcolor.archive.labels import write_labels_png
from napari_sdcolor.classes import CLASSES
from napari_sdcolor.errors import LabelsError
from napari_sdcolor.plugin import readers


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A map of all classes."""
    path = tmp_path / 'castle.labels.png'
    ids = np.arange(60, dtype=np.uint8).reshape(6, 10)
    path.write_bytes(write_labels_png(ids))
    return path


def test_the_ids_are_the_labels(saved: Path) -> None:
    read = readers.get_map_reader(str(saved))
    assert read is not None
    ((data, shown, kind),) = read(str(saved))
    assert kind == 'labels'
    layer = Labels(data, **shown)
    assert layer.name == 'castle.labels'
    assert np.array_equal(layer.data.ravel(), np.arange(60))
    sky = next(entry for entry in CLASSES if entry.name == 'sky')
    np.testing.assert_allclose(
        layer.get_color(sky.id)[:3], np.array(sky.color) / 255, atol=1e-6
    )
    assert layer.features['name'][sky.id] == 'sky'


def test_other_pictures_are_left_to_others(saved: Path) -> None:
    assert readers.get_map_reader('castle.png') is None
    assert readers.get_map_reader([str(saved)]) is None


def test_what_is_no_map_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'castle.labels.png'
    path.write_text('no picture')
    with pytest.raises(LabelsError, match='no intact PNG'):
        readers.read_map(str(path))


@pytest.mark.viewer
def test_napari_opens_it(saved: Path, make_napari_viewer) -> None:
    viewer = make_napari_viewer()
    (layer,) = viewer.open(str(saved), plugin='napari-sdcolor')
    assert isinstance(layer, Labels)
    assert np.array_equal(layer.data.ravel(), np.arange(60))
