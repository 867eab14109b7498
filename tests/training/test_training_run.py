"""A run survives what hours bring: kill -9, Ctrl+C, bad files, full disks."""

from __future__ import annotations

import csv
import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from napari_sdcolor.datasets.entry import BadEntry, Entry
from napari_sdcolor.datasets.pack import Pack
from napari_sdcolor.errors import DataError, SaveError
from napari_sdcolor.files import explaining
from napari_sdcolor.own_files import Known, replace_file
from napari_sdcolor.training import loop, record
from napari_sdcolor.training.loop import Trainer
from napari_sdcolor.training.recipe import Recipe

COLOR = Recipe(
    task='color',
    widths=(2, 2, 2),
    size=32,
    crop=16,
    batch=2,
    steps=6,
    warmup=2,
    aging=0.5,
    swap=0.3,
)
RECIPES = {
    'color': COLOR,
    'segmentation': replace(COLOR, task='segmentation', balance=0.2),
}


@pytest.fixture
def entries(shots: list, make_pack: Callable[[Sequence], Pack]) -> list[Entry]:
    return make_pack(shots).entries


def tensors_of(folder: Path) -> dict[str, torch.Tensor]:
    """All numbers of a checkpoint but the time that it took."""
    state = torch.load(folder / 'checkpoint.pt', weights_only=True)
    found = {'step': torch.tensor(state['step']), 'random': state['random']}
    for kind in ('network', 'averaged'):
        for name, tensor in state[kind].items():
            found[f'{kind}.{name}'] = tensor
    for number, moments in state['optimizer']['state'].items():
        for name, tensor in moments.items():
            found[f'optimizer.{number}.{name}'] = torch.as_tensor(tensor)
    return found


def assert_same(one: Path, other: Path) -> None:
    wanted, found = tensors_of(one), tensors_of(other)
    assert wanted.keys() == found.keys()
    for name, tensor in wanted.items():
        assert torch.equal(tensor, found[name]), name


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / 'log.csv').open(newline='') as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        del row['seconds']
    return rows


PROGRAM = """
import json, sys, time
from pathlib import Path
import torch
from napari_sdcolor.datasets.pack import Pack
from napari_sdcolor.training import record
from napari_sdcolor.training.loop import Trainer
from napari_sdcolor.training.recipe import Recipe
torch.set_num_threads(1)
# Drawing the curves again and again takes longer than the steps.
record.curves = lambda *words: b''
pack = Pack(Path(sys.argv[1]))
Trainer(
    Recipe.from_dict(json.loads(sys.argv[3])),
    pack.split('train'),
    Path(sys.argv[2]),
    held_out=pack.split('val'),
    check_every=20,
    progress=lambda progress: time.sleep(0.05),
).run(save_every=0.1)
"""


@pytest.mark.usefixtures('no_curves')
@pytest.mark.parametrize('task', RECIPES)
def test_a_killed_run_goes_on_as_if_nothing_had_happened(
    task: str,
    shots: list,
    write_pack: Callable[[Sequence], Path],
) -> None:
    """kill -9 in the middle; weights are equal bit by bit afterwards."""
    for number in (1, 4):
        shots[number].split = 'val'
    folder = write_pack(shots)
    pack = Pack(folder)
    straight, killed = folder.parent / 'straight', folder.parent / 'killed'
    recipe = replace(RECIPES[task], steps=60)
    words = [str(folder), str(killed), json.dumps(recipe.to_dict())]
    process = subprocess.Popen([sys.executable, '-c', PROGRAM, *words])
    deadline = time.monotonic() + 120
    log = killed / 'log.csv'
    while time.monotonic() < deadline:
        if log.is_file() and len(log.read_text().splitlines()) > 2:
            break
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.wait()
    step = torch.load(killed / 'checkpoint.pt', weights_only=True)['step']
    assert 0 < step < 60
    for place in (killed, straight):
        trainer = Trainer(
            recipe,
            pack.split('train'),
            place,
            held_out=pack.split('val'),
            check_every=20,
        )
        assert trainer.step == (step if place == killed else 0)
        trainer.run()
    assert_same(straight, killed)
    assert rows_of(straight) == rows_of(killed)
    assert [int(row['step']) for row in rows_of(killed)] == [0, 20, 40, 50, 60]


def test_ctrl_c_saves_and_the_run_goes_on(
    entries: list[Entry], tmp_path: Path
) -> None:
    def ask(progress: object) -> None:
        if progress.step == 3:
            os.kill(os.getpid(), signal.SIGINT)

    Trainer(COLOR, entries, tmp_path / 'straight').run()
    stopped = Trainer(COLOR, entries, tmp_path / 'stopped', progress=ask)
    assert stopped.run() is False
    assert stopped.step == 3
    resumed = Trainer(COLOR, entries, tmp_path / 'stopped')
    assert resumed.step == 3
    assert resumed.run() is True
    assert_same(tmp_path / 'straight', tmp_path / 'stopped')


@pytest.mark.parametrize('workers', [0, 2])
def test_bad_files_are_named_and_left_out(
    workers: int,
    shots: list,
    make_pack: Callable[[Sequence], Pack],
    tmp_path: Path,
) -> None:
    shots[0].labels = np.full((40, 60), 77, np.uint8)
    shots[1].labels = np.zeros((9, 9), np.uint8)
    shots[2].photo = b'torn'
    shots[4].photo = np.full((30, 30, 3), 99, np.uint8)
    entries = make_pack(shots).entries
    said: list[str] = []
    recipe = replace(COLOR, steps=20)
    trainer = Trainer(
        recipe, entries, tmp_path, report=said.append, workers=workers
    )
    assert trainer.run()
    with (tmp_path / 'skipped.csv').open(newline='') as file:
        reasons = {row['name']: row['reason'] for row in csv.DictReader(file)}
    assert reasons.keys() == {'000', '001', '002', '004'}
    assert 'ids outside' in reasons['000']
    assert '(9, 9)' in reasons['001']
    assert 'cannot identify' in reasons['002']
    assert reasons['004'] == 'the photo is black and white'
    named = [line for line in said if line.startswith('Left out')]
    assert len(named) == 4
    assert '4 files were left out' in trainer.record.left_out()


def test_the_same_good_photos_are_seen_whoever_reads(
    shots: list, make_pack: Callable[[Sequence], Pack], tmp_path: Path
) -> None:
    shots[2].photo = b'torn'
    entries = make_pack(shots).entries
    for workers in (0, 2):
        folder = tmp_path / str(workers)
        Trainer(COLOR, entries, folder, workers=workers).run()
    assert_same(tmp_path / '0', tmp_path / '2')


def test_when_the_photos_are_gone_the_state_is_saved(
    shots: list, write_pack: Callable[[Sequence], Path], tmp_path: Path
) -> None:
    folder = write_pack(shots)
    entries = Pack(folder).entries

    def unplug(progress: object) -> None:
        if progress.step == 2:
            for shard in folder.glob('*.tar'):
                shard.unlink()

    trainer = Trainer(COLOR, entries, tmp_path / 'run', progress=unplug)
    with pytest.raises(DataError, match='None of the photographs'):
        trainer.run()
    assert trainer.step == trainer.saved_step == 2
    assert Trainer(COLOR, entries, tmp_path / 'run').step == 2


class FullDisk:
    """Refuses checkpoints while it is full."""

    def __init__(self, full: Callable[[int], bool]) -> None:
        self.full = full
        self.calls = 0

    def __call__(self, path: Path, content: bytes, known: Known) -> None:
        if path.name == 'checkpoint.pt':
            self.calls += 1
            if self.full(self.calls):
                with explaining(path):
                    raise OSError(errno.ENOSPC, 'No space left on device')
        replace_file(path, content, known)


def test_a_full_disk_keeps_the_old_checkpoint_and_is_tried_again(
    entries: list[Entry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FullDisk(lambda call: call in (3, 4))
    monkeypatch.setattr(loop, 'replace_file', disk)
    monkeypatch.setattr(loop, 'RETRY', -1.0)
    said: list[str] = []
    trainer = Trainer(COLOR, entries, tmp_path, report=said.append)
    assert trainer.run(save_every=-1)
    assert disk.calls == 7
    wanted = 'The state of step {} was not saved: the disk is full. The one '
    for step in (3, 4):
        (line,) = (w for w in said if w.startswith(wanted.format(step)))
        assert 'of step 2 is kept' in line
    assert Trainer(COLOR, entries, tmp_path).step == 6


def test_a_checkpoint_that_was_being_written_is_cleared_away(
    entries: list[Entry], tmp_path: Path
) -> None:
    left = tmp_path / f'.{"0b" * 8}.part'
    left.write_bytes(b'half of a checkpoint')
    other = tmp_path / 'mine.part'
    other.write_bytes(b'')
    Trainer(COLOR, entries, tmp_path)
    assert not left.exists()
    assert other.exists()


def test_a_disk_that_stays_full_ends_in_a_sentence(
    entries: list[Entry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, 'replace_file', FullDisk(lambda call: call > 2))
    monkeypatch.setattr(loop, 'RETRY', -1.0)
    trainer = Trainer(COLOR, entries, tmp_path)
    with pytest.raises(SaveError, match='step 6 .* of step 2 is there: free'):
        trainer.run(save_every=-1)
    assert not list(tmp_path.glob('*.part'))
    assert Trainer(COLOR, entries, tmp_path).step == 2


def test_a_disk_that_was_full_from_the_start_promises_nothing(
    entries: list[Entry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, 'replace_file', FullDisk(lambda call: True))
    trainer = Trainer(COLOR, entries, tmp_path)
    with pytest.raises(SaveError, match='Nothing of this run is saved yet'):
        trainer.run()


def test_a_log_that_cannot_be_written_does_not_end_a_run(
    entries: list[Entry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / 'log.csv').mkdir()
    (tmp_path / 'previews').write_text('in the way')
    said: list[str] = []
    trainer = Trainer(
        COLOR,
        entries,
        tmp_path,
        report=said.append,
        held_out=entries,
        check_every=2,
        preview_every=2,
    )
    assert trainer.run()
    about_log = [line for line in said if line.startswith('log.csv')]
    assert len(about_log) == 1
    assert about_log[0].endswith('Training goes on.')
    assert any(line.startswith('step-000000.png was not') for line in said)


def test_without_matplotlib_there_is_a_sentence_and_no_plot(
    entries: list[Entry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*words: object) -> bytes:
        raise ImportError('matplotlib')

    monkeypatch.setattr(record, 'curves', missing)
    said: list[str] = []
    trainer = Trainer(
        COLOR,
        entries,
        tmp_path,
        report=said.append,
        held_out=entries,
        check_every=2,
    )
    assert trainer.run()
    (line,) = (line for line in said if 'matplotlib' in line)
    assert 'napari-sdcolor[train]' in line
    assert not (tmp_path / 'loss.png').exists()


@pytest.mark.parametrize('task', RECIPES)
def test_held_out_photos_are_looked_at_and_never_learned(
    task: str, entries: list[Entry], tmp_path: Path
) -> None:
    recipe = RECIPES[task]
    learned, shown = entries[:2] + entries[4:5], [*entries[2:4], entries[5]]
    Trainer(recipe, learned, tmp_path / 'blind').run()
    trainer = Trainer(
        recipe,
        learned,
        tmp_path / 'seeing',
        held_out=shown,
        check_every=2,
        preview_every=4,
    )
    trainer.run()
    assert_same(tmp_path / 'blind', tmp_path / 'seeing')
    rows = rows_of(tmp_path / 'seeing')
    assert [row['step'] for row in rows] == ['0', '2', '4', '6']
    for row in rows:
        assert float(row['val_loss']) > 0
        assert 0 <= float(row['val_score']) <= 100
    assert rows[0]['loss'] == ''
    sheets = sorted((tmp_path / 'seeing' / 'previews').iterdir())
    assert [path.name for path in sheets] == [
        f'step-00000{step}.png' for step in (0, 4, 6)
    ]
    with Image.open(sheets[0]) as image:
        assert image.width > 4 * 32
        assert image.height > 2 * 32
    with Image.open(tmp_path / 'seeing' / 'loss.png') as image:
        assert image.size == (900, 650)


def test_without_held_out_photos_it_is_said(
    entries: list[Entry], tmp_path: Path
) -> None:
    said: list[str] = []
    recipe = RECIPES['segmentation']
    Trainer(
        recipe, entries, tmp_path, report=said.append, held_out=entries[4:]
    ).run()
    assert 'no held-out figures' in said[0]
    assert 'with a map' in said[0]


def test_held_out_photos_that_cannot_be_used_are_named(
    entries: list[Entry], tmp_path: Path
) -> None:
    def load(*_: object, **__: object) -> None:
        raise BadEntry('made', 'torn', 'its map is of another size')

    torn = SimpleNamespace(
        dataset='made', name='torn', split='val', labels=True, load=load
    )
    said: list[str] = []
    Trainer(COLOR, entries, tmp_path, report=said.append, held_out=[torn])
    assert any('no held-out figures' in line for line in said)
    assert any(
        'made/torn: its map is of another size' in line for line in said
    )
    assert 'torn' in (tmp_path / 'skipped.csv').read_text()


def test_an_infinite_gradient_stops_before_the_weights_are_touched(
    entries: list[Entry], tmp_path: Path
) -> None:
    trainer = Trainer(COLOR, entries, tmp_path)
    genuine, calls = trainer.loss, [0]

    def loss(*planes: torch.Tensor) -> torch.Tensor:
        calls[0] += 1
        found = genuine(*planes)
        if calls[0] == 3:
            # A finite loss whose gradient is not.
            found = found + 0 * (found - found.detach()).abs().sqrt()
        return found

    trainer.loss = loss
    with pytest.raises(DataError, match='gradient is nan at step 3'):
        trainer.run(save_every=-1)
    for tensor in trainer.network.state_dict().values():
        assert torch.isfinite(tensor).all()
    assert Trainer(COLOR, entries, tmp_path).step == 2


def test_a_run_that_ended_before_its_first_checkpoint_starts_again(
    entries: list[Entry], tmp_path: Path
) -> None:
    (tmp_path / 'log.csv').write_text('step,loss,rate,seconds\n0,,1,0\n50,1,1')
    Trainer(COLOR, entries, tmp_path, held_out=entries).run()
    assert [row['step'] for row in rows_of(tmp_path)] == ['0', '6']


def test_a_run_can_be_stepped_by_another_thread(
    entries: list[Entry], tmp_path: Path
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(Trainer(COLOR, entries, tmp_path).run).result()
