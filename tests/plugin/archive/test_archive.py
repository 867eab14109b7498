"""The story of a curator: start, stop, resume, correct, go on."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shlex
import threading
from copy import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from qtpy.QtWidgets import QApplication
from typer.testing import CliRunner

from napari_sdcolor.archive.labels import read_ids
from napari_sdcolor.archive.reading import open_photos
from napari_sdcolor.batch.corrections import SUPERSEDED
from napari_sdcolor.batch.journal import read_records
from napari_sdcolor.batch.outcome import CORRECTED
from napari_sdcolor.batch.task import EDITED_MAPS
from napari_sdcolor.cli import app
from napari_sdcolor.plugin import forms
from napari_sdcolor.plugin.archive.choices import Choices, recall, remember
from napari_sdcolor.plugin.archive.dialogs import start
from napari_sdcolor.plugin.archive.views import TWO_VALUES
from napari_sdcolor.plugin.engine import Engine
from napari_sdcolor.plugin.widget import ColorizeWidget
from napari_sdcolor.settings import Settings


def results(folder: Path) -> dict[str, str]:
    """SHA-256 of photos and maps, sidecars without ``run``."""
    found = {}
    for path in sorted(folder.rglob('*')):
        if path.is_dir() or 'sdcolor-' in str(path.relative_to(folder)):
            continue
        data = path.read_bytes()
        if path.name.endswith('.sdcolor.json'):
            sidecar = json.loads(data)
            del sidecar['run']
            data = json.dumps(sidecar, sort_keys=True).encode()
        if not path.name.startswith('.'):
            place = path.relative_to(folder).as_posix()
            found[place] = hashlib.sha256(data).hexdigest()
    return found


class Answers:
    """Chooses without a dialog."""

    def __init__(self, *folders: str) -> None:
        self.folders = list(folders)

    def folder(self, title, near):
        return self.folders.pop(0)

    def files(self, title, near):
        return [self.folders.pop(0)]


def test_the_empty_dock_says_what_to_do_next(make_dock, scans, tmp_path, rest):
    dock = make_dock(chooser=Answers('', str(scans), str(tmp_path / 'out')))
    run, folders = dock.views.run, dock.views.folders
    assert not run.button.isEnabled()
    assert 'choose a folder of photos' in run.status.text()
    folders.folder.native.click()  # and think better of it
    assert 'choose a folder of photos' in run.status.text()
    (scans / 'notes.txt').write_text('no photo')
    folders.folder.native.click()
    rest(dock)
    assert 'folder for the results' in run.status.text()
    # What the folder holds is said before anything starts.
    assert folders.counted.text() == (
        '3 photographs, 1 file left out. 1: No photo by its content.'
    )
    folders.output.native.click()
    rest(dock)
    assert run.button.isEnabled()
    assert '0 of 3' in run.status.text()
    assert 'Start colors 3' in run.status.text()
    assert not (tmp_path / 'out').exists()


def test_choices_are_remembered(make_dock, choices, rest):
    rest(make_dock(choices))
    base = Settings(device='cpu')
    assert recall(base) == choices
    Path(choices.inputs[0]).rename(choices.inputs[0] + ' moved')
    assert recall(base).inputs == ()


def test_a_full_disk_leaves_the_choices_that_were_remembered(
    choices, remembered, monkeypatch
):
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, 'no space left')

    remember(choices)
    monkeypatch.setattr(os, 'fsync', full)
    remember(replace(choices, format='png'))
    assert recall(Settings(device='cpu')) == choices
    assert list(remembered.parent.iterdir()) == [remembered]


def test_a_dialog_begins_where_the_last_photos_were(choices, rest, make_dock):
    box = Path(choices.inputs[0]) / 'box'
    dock = make_dock(replace(choices, near=str(box), inputs=(str(box),)))
    rest(dock)
    for path in box.iterdir():
        path.unlink()
    box.rmdir()
    again = recall(Settings())
    assert again.inputs == ()
    assert start((*again.inputs, again.near)) == choices.inputs[0]
    assert start(('',)) == str(Path.home())


def test_counting_can_be_stopped(make_dock, choices, monkeypatch, qtbot):
    begun = threading.Event()

    def endless(folder):
        # Every folder holds another one.
        begun.set()
        (Path(folder) / 'x').mkdir(exist_ok=True)
        return os_scandir(folder)

    os_scandir = os.scandir
    monkeypatch.setattr('napari_sdcolor.batch.find.os.scandir', endless)
    dock = make_dock(replace(choices, output=''))
    run = dock.views.run
    qtbot.waitUntil(begun.is_set)
    assert run.button.text() == 'Stop'
    run.button.click()
    assert run.button.text() == 'Start'
    qtbot.waitUntil(lambda: dock.coordinator.jobs.idle)
    assert not dock.views.folders.counted.text()


def test_tones_and_weights_reach_the_command(make_dock, choices, rest):
    dock = make_dock(replace(choices, output=choices.output))
    rest(dock)
    options, run = dock.views.options, dock.views.run
    options.window.value = 'minmax'
    assert '--window minmax' in dock.views.command.words.toPlainText()
    assert not options.points.enabled
    options.window.value = TWO_VALUES
    assert options.points.enabled
    options.points.value = '4095'
    assert "The tone window '4095'" in run.status.text()
    assert not run.button.isEnabled()
    options.points.value = '0,4095'
    assert run.button.isEnabled()
    assert '--window 0,4095' in dock.views.command.words.toPlainText()
    forms.choose(options.weights, '/weights/mine.safetensors')
    command = dock.views.command.words.toPlainText()
    assert '--weights /weights/mine.safetensors' in command
    again = make_dock()
    assert again.views.options.points.value == '0,4095'
    assert again.views.options.weights.value == '/weights/mine.safetensors'


@pytest.mark.parametrize('text', ['', '[]', '{"inputs": 3}'])
def test_damaged_memory_counts_as_none(remembered, text):
    remembered.parent.mkdir()
    remembered.write_text(text)
    assert recall(Settings()) == Choices()


def test_a_run_colors_and_tells(done, choices):
    out = Path(choices.output)
    assert len(list(out.rglob('*.color.tif'))) == 3
    views = done.views
    assert '3 of 3' in views.run.status.text()
    assert views.photos.kind.itemText(1) == 'Need a person (3)'
    model = views.photos.model
    assert model.rowCount() == 3
    assert 'needs a person' in model.data(model.index(0, 2))
    # Which tones were chosen is seen where the photos are.
    assert 'tone window 0 to 255' in model.data(model.index(0, 2))
    (size,) = model.data(model.index(0, 0), 1).availableSizes()
    assert size.width() > 50


def test_a_stop_leaves_what_a_resume_finishes(
    make_dock, choices, rest, tmp_path, done
):
    whole = results(Path(choices.output))
    other = Choices(choices.inputs, str(tmp_path / 'o'), choices.settings)
    dock = make_dock(other)
    rest(dock)
    coordinator = dock.coordinator
    stopped = []

    def stop_after_one():
        if not stopped:
            stopped.append(True)
            dock.views.run.button.click()

    coordinator._observed.connect(stop_after_one)
    dock.views.run.button.click()
    assert dock.views.run.button.text() == 'Stop'
    while not stopped:
        QApplication.processEvents()
    assert dock.views.run.button.text() == 'Resume'
    assert 'Stopped' in dock.views.run.status.text()
    dock.views.run.button.click()
    rest(dock)
    assert '3 of 3' in dock.views.run.status.text()
    assert results(tmp_path / 'o') == whole


def test_a_new_dock_goes_on_with_the_settings_of_the_folder(
    done, make_dock, choices, rest
):
    changed = Settings(size=64, device='cpu', saturation=2.0)
    dock = make_dock(Choices(choices.inputs, choices.output, changed))
    rest(dock)
    assert dock.coordinator.choices.settings.saturation == 1.0
    assert dock.views.options.saturation.value == 1.0
    assert dock.views.run.button.text() == 'Check again'


def test_the_copied_command_gives_the_same_bytes(
    make_dock, choices, rest, tiny_model, tmp_path
):
    settings = Settings(
        size=64, device='cpu', weights=tiny_model, saturation=1.3
    )
    dock = make_dock(replace(choices, settings=settings), engine=Engine())
    rest(dock)
    dock.coordinator.start()
    rest(dock)
    dock.coordinator.queue.open('box/c')
    rest(dock)
    (trio,) = dock.coordinator.queue.open_photo.trios
    trio.put_map(0, np.full_like(trio.map.data, 36))
    dock.coordinator.queue.save_and_next()
    rest(dock)
    dock.views.command.copy.click()
    words = shlex.split(QApplication.clipboard().text())
    assert words == shlex.split(dock.views.command.words.toPlainText())
    assert words[:2] == ['sdcolor', 'batch']
    # Run again it finds all done; elsewhere it does the same.
    again = CliRunner().invoke(app, words[1:])
    assert again.exit_code == 0, again.output
    words[words.index('-o') + 1] = str(tmp_path / 'again')
    result = CliRunner().invoke(app, words[1:])
    assert result.exit_code == 0, result.output
    mine = results(Path(choices.output))
    assert len(mine) == 9
    assert results(tmp_path / 'again') == mine


def test_save_and_next_walks_through_and_recolors(
    done, viewer, choices, rest, settle
):
    out = Path(choices.output)
    before = results(out)
    photos, coordinator = done.views.photos, done.coordinator
    photos.save.click()
    rest(done)
    assert coordinator.queue.open_photo.key == 'a'
    assert len(viewer.layers) == 3
    (trio,) = coordinator.queue.open_photo.trios
    labels = trio.map.data.copy()
    labels[:20, :20] = 36
    trio.put_map(0, labels)
    assert photos.save.text() == 'Save and next (N)'
    photos.save.click()
    rest(done)
    assert coordinator.queue.open_photo.key == 'b'
    assert len(viewer.layers) == 3
    kept = out / EDITED_MAPS / 'a.labels.png'
    assert np.array_equal(read_ids(kept), labels)
    after = results(out)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {'a.color.tif', 'a.labels.png', 'a.sdcolor.json'}
    old = out / SUPERSEDED / 'a' / '1' / 'a.color.tif'
    digest = hashlib.sha256(old.read_bytes()).hexdigest()
    assert digest == before['a.color.tif']
    assert read_records(out)['a']['maps'][0][1] == after['a.labels.png']
    table = photos.model
    words = table.data(table.index(table.row_of('a'), 2))
    assert words.startswith('colored by your map: ')


def test_skip_back_and_drafts(done, viewer, rest):
    photos, coordinator = done.views.photos, done.coordinator
    coordinator.queue.open('b')
    rest(done)
    (trio,) = coordinator.queue.open_photo.trios
    trio.put_map(0, np.full_like(trio.map.data, 11))
    photos.skip.click()
    rest(done)
    assert coordinator.queue.open_photo.key == 'a'
    photos.back.click()
    rest(done)
    assert coordinator.queue.open_photo.key == 'b'
    assert (coordinator.queue.open_photo.trios[0].map.data == 11).all()
    for _ in range(3):
        photos.skip.click()
        rest(done)
    assert coordinator.queue.open_photo.key is None
    assert not len(viewer.layers)


def test_keys_live_on_our_own_layers_only(done, viewer, rest, pixels):
    own = viewer.add_image(pixels, name='mine')
    done.coordinator.queue.open('a')
    rest(done)
    for layer in viewer.layers:
        keys = {str(key) for key in layer.keymap}
        assert ({'N', 'K', 'J'} <= keys) == (layer is not own)
    done.coordinator.queue.skip()
    rest(done)
    assert own in viewer.layers


def test_deleting_the_open_map_ends_its_correction(done, viewer, rest, qtbot):
    done.coordinator.queue.open('a')
    rest(done)
    open_photo = done.coordinator.queue.open_photo
    (trio,) = open_photo.trios
    viewer.layers.remove(trio.map)
    qtbot.waitUntil(lambda: open_photo.key is None)
    assert not trio.photo.keymap
    assert done.views.photos.save.text().startswith('Correct')
    done.coordinator.queue.save_and_next()
    rest(done)


def test_a_map_that_waits_is_not_opened_as_it_was(
    done, make_dock, choices, rest, notices
):
    from napari_sdcolor.batch.corrections import save_maps

    labels = np.full((64, 90), 5, np.uint8)
    save_maps(Path(choices.output), 'a', [(None, labels)])
    dock = make_dock(choices)
    rest(dock)
    assert dock.coordinator.table.get('a').status == CORRECTED
    dock.coordinator.queue.open('a')
    rest(dock)
    assert dock.coordinator.queue.open_photo.key is None
    assert 'is not colored by it yet' in notices()[-1]


def test_failures_are_named_with_their_reason(
    make_dock, choices, rest, notices
):
    (Path(choices.inputs[0]) / 'broken.tif').write_bytes(b'no photo')
    dock = make_dock(choices)
    rest(dock)
    dock.coordinator.start()
    rest(dock)
    assert any('broken.tif' in words for words in notices())
    assert '1 failed' in dock.views.run.status.text()
    dock.views.photos.kind.setCurrentIndex(2)
    dock.views.photos.kind_requested.emit('failed')
    assert dock.coordinator.table.rowCount() == 1


@pytest.mark.shows_errors
def test_an_output_inside_the_photos_is_refused(
    make_dock, choices, rest, notices
):
    inside = Path(choices.inputs[0]) / 'colored'
    dock = make_dock(Choices(choices.inputs, str(inside), choices.settings))
    rest(dock)
    assert 'lies in the input folder' in notices()[-1]
    assert 'lies in the input folder' in dock.views.run.status.text()
    assert not inside.exists()


def test_closing_in_the_middle_of_a_run(make_dock, choices, rest):
    dock = make_dock(choices)
    rest(dock)
    dock.coordinator.start()
    dock.coordinator.close()
    dock.deleteLater()
    QApplication.processEvents()


def give(trio, coordinator, name, value):
    """Change one control of the dock "Colorize", as a person would."""
    views = coordinator.views
    if name == 'saturation':
        views.color.saturation_requested.emit(value)
    elif name == 'window':
        views.run.window_requested.emit(value)
    else:
        views.run.detail_requested.emit(value)
        coordinator.segment_and_color()


@pytest.mark.parametrize(
    ('name', 'value'),
    [('saturation', 0.4), ('window', 'minmax'), ('size', 96)],
)
def test_what_was_set_for_an_open_photo_is_saved_with_it(
    make_dock, viewer, choices, rest, tiny_model, tmp_path, qtbot, name, value
):
    """Every control × (save, reopen, replay, the command line)."""
    place = Path(choices.inputs[0]) / 'a.png'
    narrow = np.asarray(Image.open(place)) // 2 + 40
    Image.fromarray(narrow).save(place)
    settings = Settings(size=64, device='cpu', weights=tiny_model)
    # The dock prefers other weights than those of the batch.
    own = ColorizeWidget(viewer, Engine())
    qtbot.addWidget(own)
    dock = make_dock(
        replace(choices, settings=settings, confidence=0.0),
        engine=Engine(),
        colorize=lambda: own.coordinator,
    )
    rest(dock)
    dock.coordinator.start()
    rest(dock)
    queue, out = dock.coordinator.queue, Path(choices.output)
    before = results(out)
    queue.open('a')
    rest(dock)
    (trio,) = queue.open_photo.trios
    colorize = queue.open_photo.colorize()
    give(trio, colorize, name, value)
    qtbot.waitUntil(lambda: colorize.jobs.idle, timeout=30_000)
    # Left and opened again, it is as it was left.
    queue.open('b')
    rest(dock)
    queue.back()
    rest(dock)
    qtbot.waitUntil(lambda: colorize.jobs.idle, timeout=30_000)
    (trio,) = queue.open_photo.trios
    assert getattr(queue.open_photo.settings(), name) == value
    shown = trio.color.data.copy()
    queue.save_and_next()
    rest(dock)
    after = results(out)
    changed = {key for key in before if before[key] != after[key]}
    assert {'a.color.tif', 'a.sdcolor.json'} <= changed
    assert all(key.startswith('a.') for key in changed)
    sidecar = json.loads((out / 'a.sdcolor.json').read_text())
    assert sidecar['settings'][name] == value
    assert read_records(out)['a']['own'] == {name: value}
    # What was shown is what was saved.
    with open_photos(out / 'a.color.tif') as file:
        _, saved = file.read_with_pixels(file.pages[0])
    assert np.abs(saved.astype(int) - shown).max() <= 1
    # Opened again, it comes back as it was saved.
    queue.open('a')
    rest(dock)
    assert getattr(queue.open_photo.settings(), name) == value
    queue.open_photo.clear()
    # Replayed, and by the command line into another folder: the same.
    runner = CliRunner()
    words = ['replay', str(out / 'a.sdcolor.json'), '--source', str(place)]
    replayed = runner.invoke(app, words)
    assert replayed.exit_code == 0, replayed.output
    words = shlex.split(dock.coordinator.choices.command())[1:]
    words[words.index('-o') + 1] = str(tmp_path / 'again')
    done = runner.invoke(app, [*words, '--device', 'cpu'])
    assert done.exit_code == 0, done.output
    again = results(tmp_path / 'again')
    assert again['a.color.tif'] == results(out)['a.color.tif']
    assert again['a.sdcolor.json'] == results(out)['a.sdcolor.json']
    own.coordinator.close()


@pytest.mark.shows_errors
def test_pages_of_one_file_share_their_settings(done, rest, notices, choices):
    queue = done.coordinator.queue
    queue.open('a')
    rest(done)
    open_photo = queue.open_photo
    (trio,) = open_photo.trios
    # As two pages of one file, one of them with another saturation.
    open_photo.trios = [trio, copy(trio)]
    open_photo._opened_as = [open_photo.settings_of(trio)] * 2
    open_photo.trios[0].saturation, open_photo.trios[1].saturation = 0.5, 0.7
    queue.save_and_next()
    rest(done)
    assert 'Saturation differs between the pages of a' in notices()[-1]
    assert not (Path(choices.output) / EDITED_MAPS).exists()
