"""Under which name a colored photo is saved, and who says it is unmarked."""

from __future__ import annotations

from pathlib import Path

import pytest
from napari.utils.history import update_save_history
from qtpy.QtWidgets import QFileDialog

from napari_sdcolor.plugin import saver, writers
from napari_sdcolor.plugin.saver import TYPES, ask_path, with_suffix
from napari_sdcolor.plugin.writers import newest

TIFF, PNG, JPEG = TYPES


@pytest.mark.parametrize(
    ('name', 'kind', 'saved'),
    [
        ('castle.color', TIFF, 'castle.color.tif'),
        ('castle', PNG, 'castle.png'),
        ('castle.v2', JPEG, 'castle.v2.jpg'),
        ('castle.png', TIFF, 'castle.png'),
        ('castle.TIFF', PNG, 'castle.TIFF'),
    ],
)
def test_the_chosen_type_gives_the_suffix(name, kind, saved):
    assert with_suffix(Path('/out') / name, kind) == Path('/out') / saved


@pytest.mark.parametrize(
    'taken', ['castle.color.tif', 'castle.labels.png', 'castle.sdcolor.json']
)
def test_a_free_name_is_proposed(tmp_path, taken):
    (tmp_path / taken).touch()
    path = saver.free_path(tmp_path, 'castle')
    assert path == tmp_path / 'castle-2.color.tif'
    path.touch()
    path = saver.free_path(tmp_path, 'castle')
    assert path == tmp_path / 'castle-3.color.tif'


@pytest.fixture
def dialog(monkeypatch, tmp_path):
    """A person who types a name; says what was proposed."""
    proposed: list[str] = []

    def answer(parent, title, path, kinds, **more):
        proposed.append(path)
        return str(tmp_path / 'chosen' / 'castle'), PNG

    monkeypatch.setattr(QFileDialog, 'getSaveFileName', answer)
    (tmp_path / 'chosen').mkdir()
    (tmp_path / 'photos').mkdir()
    return proposed


def test_the_last_folder_is_remembered(dialog, tmp_path):
    update_save_history(str(Path.home() / 'x'))
    photos = tmp_path / 'photos'
    assert ask_path('castle', photos) == tmp_path / 'chosen' / 'castle.png'
    assert Path(dialog[0]) == photos / 'castle.color.tif'
    ask_path('boat', photos)
    assert Path(dialog[1]) == tmp_path / 'chosen' / 'boat.color.tif'


def test_nothing_chosen_is_nothing(monkeypatch):
    monkeypatch.setattr(
        QFileDialog, 'getSaveFileName', lambda *a, **k: ('', '')
    )
    assert ask_path('castle', None) is None


def test_only_what_was_written_just_now_counts(tmp_path):
    import os

    assert newest(tmp_path) is None
    old, new = tmp_path / 'old.tif', tmp_path / 'new.tif'
    for path in (old, new):
        path.touch()
    os.utime(old, (1, 1))
    assert newest(tmp_path) == new
    new.unlink()
    assert newest(tmp_path) is None
    assert newest(tmp_path / 'nowhere') is None


@pytest.mark.viewer
@pytest.mark.parametrize('ours', [True, False])
def test_saving_by_a_type_of_naparis_own_is_said(
    make_napari_viewer_proxy,
    engine,
    pixels,
    settle,
    notices,
    monkeypatch,
    tmp_path,
    ours,
):
    """Through the action of the File menu and its dialog."""
    from napari_sdcolor.plugin.widget import ColorizeWidget

    monkeypatch.setattr(writers, 'Engine', lambda: engine)
    viewer = make_napari_viewer_proxy()
    viewer.add_image(pixels, name='castle')
    widget = ColorizeWidget(viewer, engine)
    viewer.window.add_dock_widget(widget, name='Colorize')
    widget.run()
    settle(widget)

    def answer(parent, caption, path, **more):
        kinds = more['filter'].split(';;')
        kind = next(k for k in kinds if ('with mark' in k) is ours)
        return str(tmp_path / 'castle.tif'), kind

    monkeypatch.setattr(QFileDialog, 'getSaveFileName', staticmethod(answer))
    viewer.layers.selection.active = widget.coordinator.trio.color
    save = next(
        action
        for action in viewer.window.file_menu.actions()
        if action.text().startswith('Save Selected')
    )
    save.trigger()
    assert (tmp_path / 'castle.tif').exists(), notices()
    said = [words for words in notices() if 'no mark' in words]
    assert len(said) == (0 if ours else 1)
    assert (tmp_path / 'castle.sdcolor.json').exists() is ours
    widget.coordinator.close()
    widget.unmarked.close()
