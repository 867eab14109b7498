"""Models by name: added, listed, loaded, verified, removed."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from napari_sdcolor import Colorizer
from napari_sdcolor.classes import class_id
from napari_sdcolor.core import model_files, models, weights
from napari_sdcolor.core.colornet import ColorNetConfig
from napari_sdcolor.core.gridnet import GridNetConfig
from napari_sdcolor.core.weights import random_part, save_part
from napari_sdcolor.errors import SaveError, UnfitWeights, WeightsError


@pytest.fixture(autouse=True)
def bundled(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A stand-in for the weights that come with the package."""
    folder = tmp_path_factory.mktemp('bundled')
    for kind, config in (
        ('color', ColorNetConfig(widths=(2, 2))),
        ('segmentation', GridNetConfig(widths=(2, 2))),
    ):
        network = random_part(kind, config, 0).network
        save_part(folder / f'default.{kind}.safetensors', network, {})
    monkeypatch.setattr(model_files, 'bundled_folder', lambda: folder)
    return folder


def make(path: Path, kind: str = 'color', seed: int = 1) -> Path:
    config = {
        'color': ColorNetConfig(widths=(2, 2)),
        'segmentation': GridNetConfig(widths=(2, 2)),
    }[kind]
    network = random_part(kind, config, seed).network
    path.unlink(missing_ok=True)
    save_part(path, network, {'statement': f'seed {seed}'})
    return path


def test_added_models_are_listed_and_loaded(
    tmp_path: Path, models_folder: Path
) -> None:
    color = make(tmp_path / 'a.safetensors')
    grid = make(tmp_path / 'b.safetensors', 'segmentation', 2)
    added = models.add([color, grid], 'Prado-1900_b')
    assert {entry.kind for entry in added} == {'color', 'segmentation'}
    assert {entry.path.parent for entry in added} == {models_folder}
    names = [entry.model for entry in models.list_models()]
    assert names == ['default'] * 2 + ['Prado-1900_b'] * 2
    parts = models.load('Prado-1900_b')
    assert parts['color'].training == {'statement': 'seed 1'}
    assert parts['segmentation'].training == {'statement': 'seed 2'}
    assert Colorizer.load('Prado-1900_b', device='cpu').size == 352


def test_the_missing_half_comes_from_the_default(tmp_path: Path) -> None:
    color = make(tmp_path / 'a.safetensors')
    models.add([color], 'half')
    parts = models.load('half')
    default = models.load('default')
    assert parts['color'].digest != default['color'].digest
    assert parts['segmentation'].digest == default['segmentation'].digest
    assert models.load(str(color))['color'].digest == parts['color'].digest


def test_a_missing_default_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models.add([make(tmp_path / 'a.safetensors')], 'half')
    monkeypatch.setattr(
        model_files, 'bundled_folder', lambda: tmp_path / 'none'
    )
    with pytest.raises(WeightsError, match='segmentation weights of .half.'):
        models.load('half')
    with pytest.raises(WeightsError, match='default'):
        models.load('default')


def test_unknown_names_list_what_there_is() -> None:
    with pytest.raises(WeightsError, match="'vermeer'.*default"):
        models.load('vermeer')


@pytest.mark.parametrize(
    'name', ['', 'a b', '../up', 'a/b', 'a.b', 'é', 'default', 'taken']
)
def test_odd_and_taken_names_add_nothing(name: str, tmp_path: Path) -> None:
    path = make(tmp_path / 'a.safetensors')
    models.add([path], 'taken')
    before = models.list_models()
    with pytest.raises(WeightsError):
        models.add([path], name)
    assert models.list_models() == before


def test_a_bad_file_adds_nothing(tmp_path: Path, models_folder: Path) -> None:
    good = make(tmp_path / 'a.safetensors')
    bad = tmp_path / 'b.safetensors'
    bad.write_bytes(good.read_bytes()[:-9])
    with pytest.raises(WeightsError, match='b.safetensors'):
        models.add([good, bad], 'pair')
    with pytest.raises(WeightsError, match='Two files hold color'):
        models.add([good, good], 'pair')
    assert list(models_folder.iterdir()) == []


def test_checkpoints_of_the_authors_can_be_added(tmp_path: Path) -> None:
    """The GridNet's, the smaller one; its numbers are kept whole."""
    from napari_sdcolor.core.gridnet import GridNet

    path = tmp_path / 'seg_weights.pth.tar'
    state = {}
    for name, tensor in GridNet().state_dict().items():
        state[theirs(name)] = (
            tensor
            if name.endswith('num_batches_tracked')
            else torch.tensor(0.1).expand(tensor.shape)
        )
    torch.save({'G': state}, path)
    (entry,) = models.add([path], 'authors')
    assert entry.kind == 'segmentation'
    part = models.load('authors')['segmentation']
    assert part.encoding == 'opencv'
    assert 'authors' in part.training['statement']
    wanted = torch.tensor(0.1)
    assert torch.equal(part.network.last.conv1.weight[0, 0, 0, 0], wanted)
    with pytest.raises(WeightsError, match='neither checkpoint'):
        path.write_bytes(path.read_bytes()[:1000])
        models.add([path], 'cut')
    models.remove('authors')


def theirs(name: str) -> str:
    """One of our GridNet's tensor names as the authors write it."""
    if not name.startswith(('lateral.', 'down.', 'up.')):
        for ours, other in (
            ('first_norm.', 'batchNormInitial.'),
            ('first.', 'firstConv.'),
            ('last.', 'lastConv.'),
        ):
            if name.startswith(ours):
                return other + name.removeprefix(ours)
    kind, column, row, rest = name.split('.', 3)
    j, i = int(column), int(row)
    if kind == 'lateral':
        return f'convSequence{i}_{j}to{i}_{j + 1}.{rest}'
    if kind == 'down':
        return f'subSamplingSequence{i}_{j}to{i + 1}_{j}.{rest}'
    rest = rest.replace('conv1', 'convTranspose1')
    return f'upSamplingSequence{i + 1}_{j + 3}to{i}_{j + 3}.{rest}'


def test_verify_tells_what_changed(
    tmp_path: Path, models_folder: Path
) -> None:
    (entry,) = models.add([make(tmp_path / 'a.safetensors')], 'mine')
    assert models.verify(entry) == 'ok'
    make(entry.path, seed=9)
    assert 'has changed' in models.verify(entry)
    make(models_folder / 'loose.color.safetensors')
    loose = next(e for e in models.list_models() if e.model == 'loose')
    assert 'by hand' in models.verify(loose)


def test_verify_reads_what_the_hash_agrees_with(
    tmp_path: Path, models_folder: Path
) -> None:
    (entry,) = models.add([make(tmp_path / 'a.safetensors')], 'mine')
    entry.path.write_bytes(b'noise')
    record = {entry.path.name: entry.sha256}
    (models_folder / 'sha256.json').write_text(json.dumps(record))
    (entry,) = (e for e in models.list_models() if e.model == 'mine')
    assert 'truncated' in models.verify(entry)


def test_what_changed_stays_changed_when_others_are_added(
    tmp_path: Path, models_folder: Path
) -> None:
    (entry,) = models.add([make(tmp_path / 'a.safetensors')], 'mine')
    make(entry.path, seed=9)
    models.add([make(tmp_path / 'b.safetensors')], 'more')
    models.remove('more')
    (entry,) = (e for e in models.list_models() if e.model == 'mine')
    assert 'has changed' in models.verify(entry)


def _fifo(path: Path) -> None:
    if not hasattr(os, 'mkfifo'):
        pytest.skip('no named pipes')
    os.mkfifo(path)


def _unreadable(path: Path) -> None:
    make(path)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip('everything can be read here')


TROUBLES = {
    'folder': Path.mkdir,
    'named pipe': _fifo,
    'no such file': lambda path: path.symlink_to(path.parent / 'gone'),
    'permission': _unreadable,
}


@pytest.mark.parametrize('kind', ['color', 'features'])
@pytest.mark.parametrize('what', TROUBLES)
def test_what_only_has_the_name_of_weights_disturbs_no_other(
    what: str, kind: str, tmp_path: Path, models_folder: Path
) -> None:
    odd = models_folder / f'odd.{kind}.safetensors'
    TROUBLES[what](odd)
    (entry,) = models.add([make(tmp_path / 'a.safetensors')], 'mine')
    assert models.verify(entry) == 'ok'
    assert models.load('mine').keys() == {'color', 'segmentation'}
    (found,) = (e for e in models.list_models() if e.model == 'odd')
    facts = models.facts_of(found)
    assert facts['file_sha256'] == facts['tensors_sha256'] == ''
    for words in (facts['trouble'], models.verify(found)):
        assert odd.name in words
        assert what in words.lower()
    if kind == 'color':
        with pytest.raises(WeightsError):
            models.load('odd')


def test_a_model_in_trouble_can_be_removed(models_folder: Path) -> None:
    link = models_folder / 'odd.color.safetensors'
    link.symlink_to(models_folder / 'gone')
    assert models.remove('odd') == [link]
    assert not link.is_symlink()
    link.mkdir()
    with pytest.raises(WeightsError, match='was not removed'):
        models.remove('odd')


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_added_weights_stay_byte_for_byte(
    dtype: torch.dtype, tmp_path: Path
) -> None:
    """Those beyond half precision as well."""
    path = tmp_path / 'wide.safetensors'
    network = random_part('color', ColorNetConfig(widths=(2, 2)), 1).network
    network.final_conv.weight.data[0, 0, 0, 0] = 70_000
    digest = save_part(path, network.to(dtype), {}, half=False)
    (entry,) = models.add([path], 'wide')
    assert entry.path.read_bytes() == path.read_bytes()
    assert models.load('wide')['color'].digest == digest
    assert models.facts_of(entry)['tensors_sha256'] == digest


def test_weights_that_change_while_they_are_added_are_refused(
    tmp_path: Path, models_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make(tmp_path / 'a.safetensors')
    real = models.read_any

    def read_any(path: Path) -> weights.Part:
        part = real(path)
        make(path, seed=7)
        return part

    monkeypatch.setattr(models, 'read_any', read_any)
    with pytest.raises(WeightsError, match='while it was being added'):
        models.add([path], 'mine')
    assert list(models_folder.iterdir()) == []


def test_what_was_put_there_by_hand_is_not_removed(
    models_folder: Path,
) -> None:
    path = make(models_folder / 'mine.color.safetensors')
    with pytest.raises(UnfitWeights, match='by hand'):
        models.remove('mine')
    assert path.exists()


def test_weights_of_an_unknown_kind_are_refused(tmp_path: Path) -> None:
    path = make(tmp_path / 'a.safetensors')
    about, tensors = weights._read(path)
    path.unlink()
    weights._write(path, tensors, about | {'kind': 'depth'})
    with pytest.raises(WeightsError, match="'depth' weights"):
        models.load(str(path))


def test_removed_models_are_gone(tmp_path: Path, models_folder: Path) -> None:
    models.add([make(tmp_path / 'a.safetensors')], 'mine')
    kept = models.add([make(tmp_path / 'b.safetensors')], 'kept')
    assert len(models.remove('mine')) == 1
    assert [e for e in models.list_models() if e.model != 'default'] == kept
    record = (models_folder / 'sha256.json').read_text()
    assert list(json.loads(record)) == ['kept.color.safetensors']
    with pytest.raises(WeightsError, match="'mine'"):
        models.remove('mine')


def test_the_bundled_model_cannot_be_removed(bundled: Path) -> None:
    with pytest.raises(WeightsError, match="'default'"):
        models.remove('default')
    assert len(list(bundled.iterdir())) == 2


@pytest.mark.parametrize(
    'record',
    ['{', '[1]', '{"a": 1}', Path.mkdir, _fifo, TROUBLES['no such file']],
)
def test_a_damaged_record_disturbs_no_model(
    record: str | Callable[[Path], None], tmp_path: Path, models_folder: Path
) -> None:
    """It is said where hashes are looked at, and never written over."""
    models.add([make(tmp_path / 'a.safetensors')], 'mine')
    path = models_folder / 'sha256.json'
    path.unlink()
    if isinstance(record, str):
        path.write_text(record)
    else:
        record(path)
    (entry,) = (e for e in models.list_models() if e.model == 'mine')
    assert 'sha256.json' in entry.trouble
    assert models.verify(entry) == entry.trouble
    assert models.load('mine')['color'].training == {'statement': 'seed 1'}
    with pytest.raises(WeightsError, match='sha256.json'):
        models.add([make(tmp_path / 'b.safetensors')], 'more')
    with pytest.raises(WeightsError, match='sha256.json'):
        models.remove('mine')
    assert entry.path.exists()


@pytest.mark.skipif(sys.platform == 'win32', reason='file modes are of POSIX')
def test_adding_leaves_no_half_file(
    tmp_path: Path, models_folder: Path
) -> None:
    models.add([make(tmp_path / 'a.safetensors')], 'mine')
    names = {path.name for path in models_folder.iterdir()}
    assert names == {'mine.color.safetensors', 'sha256.json'}


@pytest.mark.parametrize('number', [1, 2, 3])
def test_a_full_disk_adds_nothing(
    tmp_path: Path,
    models_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    """The number-th of three files does not fit any more."""
    models.add([make(tmp_path / 'a.safetensors')], 'first')
    before = {each.name: each.read_bytes() for each in models_folder.iterdir()}
    parts = [
        make(tmp_path / f'{kind}.safetensors', kind)
        for kind in ('color', 'segmentation')
    ]
    calls: list[Path] = []

    def limited(name: str) -> None:
        real = getattr(os, name)

        def named(source: Path, target: Path) -> None:
            calls.append(target)
            if len(calls) == number:
                raise OSError(errno.ENOSPC, 'no space left')
            real(source, target)

        monkeypatch.setattr(os, name, named)

    limited('link')
    limited('replace')
    with pytest.raises(SaveError, match='the disk is full') as caught:
        models.add(parts, 'second')
    assert str(calls[-1]) in str(caught.value)
    after = {each.name: each.read_bytes() for each in models_folder.iterdir()}
    assert after == before


def test_rare_classes_come_from_the_training_record(tmp_path: Path) -> None:
    path = tmp_path / 'a.safetensors'
    network = random_part('color', ColorNetConfig(widths=(2, 2)), 0).network
    counted = {'sky': 500, 'snow': 5, 'plate': 0, 'boat': models.RARE}
    save_part(path, network, {'class_photos': counted})
    record = models.training_record(str(path), 'color')
    rare = models.rarely_seen(record)
    assert rare == {class_id('snow'): 5, class_id('plate'): 0}
    models.add([path], 'counted')
    assert models.training_record('counted', 'color') == record
    # Nothing is known of weights that do not count.
    assert models.rarely_seen({'statement': 'x'}) == {}
    assert models.rarely_seen({'class_photos': 'many'}) == {}


def test_the_training_record_of_no_weights_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'a.safetensors'
    path.write_bytes(b'no weights')
    with pytest.raises(WeightsError, match='cannot be read as weights'):
        models.training_record(str(path), 'color')
