"""What 0.1.0 saved and remembered is taken over by the window."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from napari.layers import Labels
from PIL import Image

from napari_sdcolor.archive.reading import read_photo
from napari_sdcolor.errors import PhotoError
from napari_sdcolor.plugin import autosave, preferences, readers
from napari_sdcolor.plugin.archive.choices import FILE_VARIABLE, recall
from napari_sdcolor.plugin.painter import fingerprint
from napari_sdcolor.plugin.preferences import PLUGIN, Preferences
from napari_sdcolor.samples import sample_pixels
from napari_sdcolor.settings import Settings

MADE = Path(__file__).parent.parent / 'v0_1_0'


FORMATS = ('format_2', 'format_3')


@pytest.fixture(params=FORMATS)
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """All that a person has who worked with 0.1.0."""
    folder = tmp_path / 'made'
    shutil.copytree(MADE / request.param, folder)
    return folder


@pytest.mark.parametrize(
    ('made', 'name'),
    [
        ('format_2', 'castle'),
        ('format_3', 'castle'),
        ('format_3', 'sample'),
    ],
    indirect=['made'],
)
def test_results_are_opened_as_they_were(
    made: Path, name: str, viewer, notices: Callable[[], list[str]]
) -> None:
    sidecar = made / 'results' / f'{name}.sdcolor.json'
    layers = []
    for data, meta, kind in readers.get_reader(str(sidecar))(str(sidecar)):
        add = viewer.add_image if kind == 'image' else viewer.add_labels
        layers.append(add(data, **meta))
    photo, color, labels = layers
    if name == 'castle':
        stored = np.asarray(Image.open(made / 'results' / 'castle.png'))
        saved = tifffile.imread(sidecar.with_name('castle.color.tif'))
    else:
        stored = sample_pixels('cat')
        saved = np.asarray(Image.open(sidecar.with_name('sample.color.jpg')))
    ids = np.asarray(Image.open(sidecar.with_name(f'{name}.labels.png')))
    assert isinstance(labels, Labels)
    for layer, pixels in ((photo, stored), (color, saved), (labels, ids)):
        np.testing.assert_array_equal(layer.data, pixels)
    assert notices() == []


def test_a_result_of_a_layer_says_why_it_cannot_be_opened(made: Path) -> None:
    sidecar = str(made / 'results' / 'layer.sdcolor.json')
    with pytest.raises(PhotoError, match='came from no file'):
        readers.get_reader(sidecar)(sidecar)


def test_all_pages_of_an_album_are_opened(made: Path, viewer) -> None:
    sidecar = str(made / 'results' / 'album.sdcolor.json')
    layers = readers.get_reader(sidecar)(sidecar)
    assert [len(data) for data, _, _ in layers] == [2, 2, 2]


def test_preferences_are_taken_over(
    made: Path, plugin_settings, tmp_plugin, tmp_path: Path
) -> None:
    shutil.copy(made / 'settings' / f'{PLUGIN}.yaml', tmp_path)
    wanted = {'size': 288, 'memory': 512, 'live': False}
    if 'weights' in (tmp_path / f'{PLUGIN}.yaml').read_text():
        wanted |= {'weights': 'tiny', 'show_map': False}
    with tmp_plugin(PLUGIN):
        assert preferences.read() == Preferences(**wanted)


def test_an_autosaved_map_is_found_again(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made / 'settings' / 'autosave'
    monkeypatch.setenv(autosave.FOLDER_VARIABLE, str(folder))
    photo = read_photo(made / 'scans' / 'castle.png')
    labels, _ = autosave.find(fingerprint(photo), photo.working_shape(64))
    assert (labels[:30] == 50).all()
    assert (labels[30:] == 24).all()


def test_the_archive_begins_where_it_was_left(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made / 'settings' / 'archive.json'
    told = path.read_text().replace('/tmp/sdcolor-0.1.0', str(made))
    path.write_text(told)
    monkeypatch.setenv(FILE_VARIABLE, str(path))
    choices = recall(Settings(device='cpu'))
    assert choices.inputs == (str(made / 'scans'),)
    assert choices.output == str(made / 'batch')
    assert (choices.format, choices.recursive) == ('png', False)
    assert choices.confidence == 0.3
    settings = choices.settings
    assert (settings.size, settings.saturation) == (64, 1.5)
    assert settings.device == 'cpu'
