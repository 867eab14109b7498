"""What is said of errors: sentences, without the program's own objects."""

from __future__ import annotations

import errno
import io
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, UnidentifiedImageError
from typer.testing import CliRunner

from napari_sdcolor.archive.labels import read_labels
from napari_sdcolor.archive.reading import read_photo
from napari_sdcolor.archive.sidecar import read_sidecar
from napari_sdcolor.cli import app
from napari_sdcolor.core.photo import photo_from_array
from napari_sdcolor.core.weights import load_part
from napari_sdcolor.datasets.entry import Entry, LabelFile, Place
from napari_sdcolor.errors import (
    PhotoError,
    SdcolorError,
    reason,
    said,
    why_not,
)

OBJECT = re.compile(r'<[A-Za-z_]| at 0x')


def unidentified() -> UnidentifiedImageError:
    with pytest.raises(UnidentifiedImageError) as caught:
        Image.open(io.BytesIO(b'nothing'))
    assert '<_io.BytesIO object at 0x' in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ('error', 'words'),
    [
        (unidentified(), 'cannot identify image file'),
        (ValueError('two\n lines.'), 'two lines'),
        (ValueError(''), 'ValueError'),
        (ValueError(object()), 'ValueError'),
        (OSError(28, 'No space left', 'out'), 'No space left'),
        (
            ValueError("<COMPRESSION.JPEG: 7> requires the 'codecs' package"),
            "COMPRESSION.JPEG requires the 'codecs' package",
        ),
        (TypeError("not <class 'numpy.float32'>"), 'not float32'),
        (ValueError('<tifffile.TiffPage 0 @8> is corrupt'), 'is corrupt'),
        (ValueError('2 < 3 and 5 > 4'), '2 < 3 and 5 > 4'),
    ],
)
def test_words_of_other_libraries(error: Exception, words: str) -> None:
    assert said(error).strip() == words
    assert len(said(ValueError('long ' * 1000))) <= 200


@pytest.mark.parametrize(
    ('error', 'words'),
    [
        (PhotoError('castle.tif is empty.'), 'castle.tif is empty.'),
        (MemoryError(), 'The memory of this machine does not suffice for it.'),
        (OSError(28, 'No space left', 'out'), 'out: No space left.'),
        (OSError(28, 'No space left'), 'No space left.'),
        (OSError('broken'), 'broken.'),
        (ValueError('two\n lines.'), 'two lines.'),
    ],
)
def test_reasons_are_sentences(error: Exception, words: str) -> None:
    assert reason(error) == words


@pytest.mark.parametrize(
    ('code', 'words', 'remedy'),
    [
        (errno.ENOSPC, 'the disk is full', 'Free some space'),
        (errno.EROFS, 'the disk is read-only', 'Choose another folder'),
        (errno.EIO, 'strange', 'Choose another folder'),
    ],
)
def test_why_a_disk_refuses(code: int, words: str, remedy: str) -> None:
    assert why_not(OSError(code, 'strange')) == (words, remedy)


GARBAGE = {
    'nothing': b'',
    'text': b'hello ' * 50,
    'png': b'\x89PNG\r\n\x1a\n' + b'\1' * 90,
    'jpeg': b'\xff\xd8\xff\xe0' + b'\1' * 90,
    'tiff': b'II*\0\x08\0\0\0' + b'\1' * 90,
    'big tiff': b'II+\0\x08\0\0\0' + b'\1' * 90,
    'webp': b'RIFF\x20\0\0\0WEBPVP8 ' + b'\1' * 90,
    'jpeg 2000': b'\0\0\0\x0cjP  \r\n\x87\n' + b'\1' * 90,
    'bare jpeg 2000': b'\xff\x4f\xff\x51' + b'\1' * 90,
    'gif': b'GIF89a' + b'\1' * 90,
    'matlab': b'MATLAB 5.0 MAT-file' + b'\1' * 200,
}


def read_map(path: Path) -> object:
    return read_labels(path, photo_from_array(_gray()), 64)


def read_photo_to_learn_from(path: Path) -> object:
    return Entry('set', path.name, 'train', Place(path)).load()


def read_map_to_learn_from(path: Path) -> object:
    photo = path.with_name('photo.png')
    Image.fromarray(_gray()).save(photo)
    labels = LabelFile(Place(path))
    return Entry('set', path.name, 'train', Place(photo), labels).load()


def _gray() -> object:
    import numpy as np

    return np.arange(64 * 64, dtype=np.uint8).reshape(64, 64)


@pytest.mark.parametrize('kind', GARBAGE)
@pytest.mark.parametrize(
    'read',
    [
        read_photo,
        read_map,
        read_photo_to_learn_from,
        read_map_to_learn_from,
        read_sidecar,
        load_part,
    ],
)
def test_no_reader_tells_of_its_objects(
    tmp_path: Path, kind: str, read: Callable[[Path], object]
) -> None:
    path = tmp_path / 'castle.x'
    path.write_bytes(GARBAGE[kind])
    with pytest.raises(SdcolorError) as caught:
        read(path)
    assert not OBJECT.search(str(caught.value)), caught.value
    assert 'castle.x' in str(caught.value)


def test_the_command_does_not_either(tmp_path: Path, tiny_model: str) -> None:
    photos = tmp_path / 'photos'
    photos.mkdir()
    for number, (_, content) in enumerate(GARBAGE.items()):
        (photos / f'{number}.jpg').write_bytes(content)
    words = ['evaluate', '--data', str(photos), '--only', 'fidelity']
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 1
    assert 'cannot identify image file' in result.stderr
    assert not OBJECT.search(result.stderr)
    batch = ['batch', str(photos), '-o', str(tmp_path / 'out')]
    result = CliRunner().invoke(app, batch)
    assert result.exit_code == 1
    report = (tmp_path / 'out' / 'sdcolor-report.json').read_text()
    assert len(os.listdir(photos)) == len(GARBAGE)
    assert not OBJECT.search(report)
