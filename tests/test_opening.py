"""Only regular files are read, and no more of them than they hold."""

from __future__ import annotations

import hashlib
import io
import os
import socket
from pathlib import Path

import pytest

from napari_sdcolor.files import sha256_of
from napari_sdcolor.opening import (
    HASHED_BYTES,
    JSON_BYTES,
    open_regular,
    parse_json,
    read_json,
    read_text,
    read_whole,
    sha256_of_stream,
)

posix = pytest.mark.skipif(os.name != 'posix', reason='things of POSIX')


def pipe(path: Path) -> None:
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.mkdir()


def bound_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


def device(path: Path) -> None:
    path.symlink_to('/dev/zero')


def loop(path: Path) -> None:
    path.symlink_to(path)


@posix
@pytest.mark.parametrize(
    ('make', 'words'),
    [
        (pipe, 'a named pipe'),
        (folder, 'a folder'),
        (bound_socket, 'a socket'),
        (device, 'a device'),
        (loop, 'symbolic links'),
    ],
)
@pytest.mark.parametrize('read', [open_regular, read_json, sha256_of])
def test_what_is_no_file_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make, words, read
) -> None:
    monkeypatch.chdir(tmp_path)  # names of sockets are short
    path = Path('thing')
    make(path)
    with pytest.raises(OSError, match='.') as caught:
        read(path)
    assert words in str(caught.value.strerror)
    assert str(caught.value.filename) == 'thing'


@posix
def test_a_name_that_changes_hands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was a file when it was looked at, and is a pipe when opened."""
    path = tmp_path / 'photo.tif'
    path.write_bytes(b'II*')
    original = os.open

    def late(name, *options):
        path.unlink()
        os.mkfifo(path)
        return original(name, *options)

    monkeypatch.setattr(os, 'open', late)
    with pytest.raises(OSError, match='named pipe'):
        open_regular(path)


def test_links_to_files_are_followed(tmp_path: Path) -> None:
    (tmp_path / 'photo.tif').write_bytes(b'II*')
    (tmp_path / 'link.tif').symlink_to('photo.tif')
    with open_regular(tmp_path / 'link.tif') as stream:
        assert stream.read() == b'II*'


@pytest.mark.skipif(not Path('/proc/self/status').exists(), reason='Linux')
def test_what_the_kernel_makes_up_is_empty() -> None:
    assert read_whole('/proc/self/status', 100) == b''


def test_size_is_judged_before_anything_is_read(tmp_path: Path) -> None:
    path = tmp_path / 'big.json'
    with path.open('wb') as stream:
        stream.truncate(6 * 2**30)  # takes no room on the disk
    with pytest.raises(OSError, match='6442450944 bytes'):
        read_json(path)
    with path.open('wb') as stream:
        stream.truncate(JSON_BYTES + 1)
    with pytest.raises(OSError, match='are refused'):
        read_json(path)


def test_no_hash_without_end(tmp_path: Path) -> None:
    path = tmp_path / 'photo.tif'
    with path.open('wb') as stream:
        stream.truncate(HASHED_BYTES + 1)  # takes no room on the disk
    with pytest.raises(OSError, match='are not hashed') as caught:
        sha256_of(path)
    assert caught.value.filename == str(path)


def test_a_file_that_grows_is_hashed_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / 'log'
    path.write_bytes(b'abc')
    with open(path, 'rb', 0) as stream:

        class Growing(io.BufferedReader):
            def read(self, size: int | None = -1) -> bytes:
                with path.open('ab') as more:
                    more.write(b'more')
                return stream.read(size)

        found = sha256_of_stream(Growing(stream))
    assert found == hashlib.sha256(b'abc').hexdigest()


def test_text_may_begin_with_a_mark(tmp_path: Path) -> None:
    path = tmp_path / 'names.txt'
    path.write_bytes('\ufeffcafé'.encode())
    assert read_text(path) == 'café'
    path.write_bytes(b'\xff\xfe')
    with pytest.raises(ValueError, match='utf-8'):
        read_text(path)


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('NaN', 'NaN'),
        ('[-Infinity]', 'Infinity'),
        ('{"a": 1e999}', 'beyond all measure'),
        ('[' * 100_000, 'nested too deeply'),
        ('{"a":' * 100_000, 'nested too deeply'),
        ('{"a": ' + '9' * 5000 + '}', 'beyond all measure'),
        ('', 'no JSON at line 1, column 1'),
        ('{"a": 1,\n]', 'no JSON at line 2, column 1'),
    ],
)
def test_odd_json(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_json(text)


def test_a_thing_named_twice_is_refused_where_it_is_asked_for() -> None:
    text = '{"a": {"b": 1, "b": 2}}'
    assert parse_json(text) == {'a': {'b': 2}}
    with pytest.raises(ValueError, match='names a thing twice'):
        parse_json(text, once=True)
