"""Files of torch that strangers made: no bomb goes off in this process."""

from __future__ import annotations

import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from napari_sdcolor.core import pickles
from napari_sdcolor.core.pickles import read_tensors, refuse_bomb
from napari_sdcolor.opening import open_regular

IN_CHILD = pickles._in_child
"""As it is outside of the tests."""


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read in another process, as people do."""
    monkeypatch.setattr(pickles, '_in_child', IN_CHILD)


def hash_bomb() -> bytes:
    """A dictionary whose one key takes 2**60 steps to hash."""
    program = b'\x80\x02)q\x00'
    for _ in range(60):
        program += b'h\x00h\x00\x86q\x00'
    return program + b'}h\x00K\x01s.'


def memory_bomb() -> bytes:
    """A call of bytearray for 64 GB, which the unpickler lets through."""
    size = struct.pack('<q', 2**36)
    call = b'\x80\x02c__builtin__\nbytearray\n\x8a\x08' + size + b'\x85R.'
    return call


def as_archive(path: Path, program: bytes, packing: int = 0) -> Path:
    """The program in place of that of a file that torch wrote."""
    good = path.with_suffix('.good')
    torch.save({'w': torch.ones(3)}, good)
    with (
        zipfile.ZipFile(good) as source,
        zipfile.ZipFile(path, 'w', packing) as target,
    ):
        for member in source.infolist():
            held = source.read(member)
            if member.filename.endswith('data.pkl') and program:
                held = program
            target.writestr(member.filename, held)
    return path


def read(path: Path) -> dict[str, torch.Tensor]:
    with open_regular(path) as stream:
        return read_tensors(stream)


def tried(path: Path) -> None:
    with open_regular(path) as stream:
        refuse_bomb(stream)


@pytest.mark.usefixtures('apart')
def test_tensors_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / 'good.pth'
    shared = torch.arange(6.0)
    tensors = {
        'half': torch.ones(2, 3).half(),
        'view': shared[:4].reshape(2, 2).t(),
        'same': shared,
        'expanded': torch.tensor(0.5).expand(4, 5),
        'parameter': torch.nn.Parameter(torch.ones(2)),
        'count': torch.tensor(3),
        'none': torch.ones(0, 2, dtype=torch.bfloat16),
    }
    torch.save({'G': tensors}, path)
    with open_regular(path) as stream:
        found = read_tensors(stream, 'G')
        assert stream.read(2) == b'PK'
    assert found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)


@pytest.mark.usefixtures('apart')
@pytest.mark.parametrize('look', [read, tried])
def test_bombs_of_time_are_refused(
    look: Callable[[Path], object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip('resource')
    monkeypatch.setattr(pickles, 'PROCESSOR_SECONDS', 1)
    path = as_archive(tmp_path / 'bomb.pth', hash_bomb())
    with pytest.raises(ValueError, match='more time or memory'):
        look(path)


@pytest.mark.usefixtures('apart')
def test_nobody_waits_longer_than_the_patience_lasts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pickles, 'PATIENCE', 0.1)
    torch.save({}, tmp_path / 'good.pth')
    with pytest.raises(ValueError, match='more time or memory'):
        read(tmp_path / 'good.pth')


@pytest.mark.usefixtures('apart')
def test_bombs_of_memory_are_refused(tmp_path: Path) -> None:
    pytest.importorskip('resource')
    path = as_archive(tmp_path / 'bomb.pth', memory_bomb())
    with pytest.raises(ValueError, match='more time or memory'):
        tried(path)


@pytest.mark.parametrize('look', [read, tried])
def test_archives_that_grow_are_refused(
    look: Callable[[Path], object], tmp_path: Path
) -> None:
    program = b'\x80\x02' + b'N0' * 100_000 + b'N.'
    path = as_archive(tmp_path / 'x.pth', program, zipfile.ZIP_DEFLATED)
    with pytest.raises(ValueError, match='would grow to'):
        look(path)


@pytest.mark.parametrize(
    ('content', 'words'),
    [
        ([torch.ones(1)], 'no table of tensors'),
        ({1: torch.ones(1)}, 'no table of tensors'),
        ({'a': 3}, 'no table of tensors'),
        ({'a': torch.ones(2).to_sparse()}, 'no table of tensors'),
        ({'a': torch.ones(2, device='meta')}, 'no table of tensors'),
        ({'a': torch.ones(1).expand(2**30, 2**20)}, 'more numbers'),
    ],
)
def test_what_is_no_table_of_weights_is_refused(
    content: object, words: str, tmp_path: Path
) -> None:
    torch.save(content, tmp_path / 'odd.pth')
    with pytest.raises(ValueError, match=words):
        read(tmp_path / 'odd.pth')


def test_huge_files_are_not_opened_by_anybody(tmp_path: Path) -> None:
    path = tmp_path / 'huge.pth'
    with path.open('wb') as stream:
        stream.truncate(pickles.MOST_BYTES + 1)
    with pytest.raises(ValueError, match='larger than any'):
        read(path)


def test_a_plain_pickle_is_no_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / 'plain.pt'
    path.write_bytes(pickle.dumps({'step': 3}))
    with pytest.raises(ValueError, match='no archive of torch'):
        tried(path)


def test_one_process_tells_the_other_what_is_wrong(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    path = tmp_path / 'odd.pth'
    torch.save([1], path)
    with path.open('rb') as stream:
        monkeypatch.setattr(pickles, '_limit', max)
        monkeypatch.setattr('sys.stdin', type('In', (), {'buffer': stream}))
        monkeypatch.setattr('sys.argv', ['pickles', '9', 'read', ''])
        assert pickles.main() == pickles._REFUSED
    assert capfdbinary.readouterr().out == b'it is no table of tensors'
