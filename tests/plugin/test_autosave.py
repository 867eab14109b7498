"""Edited maps survive a crash, whole or not at all."""

from __future__ import annotations

import errno
import os
import re

import numpy as np
import pytest
from PIL import Image

from napari_sdcolor.errors import SaveError
from napari_sdcolor.plugin import autosave

NAME = '0123456789abcdef'


@pytest.fixture
def labels() -> np.ndarray:
    rng = np.random.default_rng(5)
    blocks = rng.integers(0, 60, (8, 11))
    return np.kron(blocks, np.ones((4, 4))).astype(np.uint8)


@pytest.fixture
def damage(labels):
    """Keeps a map, then puts other bytes in its place."""
    path = autosave.store(NAME, labels)
    good = path.read_bytes()

    def change(edit) -> None:
        path.write_bytes(edit(bytearray(good)))

    return change


def test_a_kept_map_is_found_again(labels):
    autosave.store(NAME, labels)
    found, when = autosave.find(NAME, labels.shape)
    np.testing.assert_array_equal(found, labels)
    assert found.dtype == np.uint8
    assert re.fullmatch(r'\d{4}-\d\d-\d\d \d\d:\d\d', when)


def test_a_found_map_may_be_written_to(labels):
    autosave.store(NAME, labels)
    found, _ = autosave.find(NAME, labels.shape)
    found[0, 0] = 1


def test_the_variable_moves_the_folder(labels, autosave_folder):
    path = autosave.store(NAME, labels)
    assert path.parent == autosave_folder
    assert [p.name for p in autosave_folder.iterdir()] == [f'{NAME}.png']


def test_without_the_variable_it_is_a_folder_of_the_person(monkeypatch):
    monkeypatch.delenv(autosave.FOLDER_VARIABLE)
    usual = autosave.folder()
    assert usual.is_absolute()
    assert usual.parts[-2:] == ('napari-sdcolor', 'autosave')


def test_nothing_was_kept(labels, autosave_folder):
    assert autosave.find(NAME, labels.shape) is None
    assert not autosave_folder.exists()


def test_the_newest_map_of_a_photo_wins(labels):
    autosave.store(NAME, labels)
    newer = labels[::-1]
    autosave.store(NAME, newer)
    np.testing.assert_array_equal(autosave.find(NAME, labels.shape)[0], newer)


def test_photos_do_not_share_their_maps(labels):
    autosave.store(NAME, labels)
    autosave.store('other', 59 - labels)
    np.testing.assert_array_equal(autosave.find(NAME, labels.shape)[0], labels)


@pytest.mark.parametrize('shape', [(44, 32), (32, 43), (8, 11), (32, 44, 1)])
def test_a_map_of_another_shape_is_none(labels, shape):
    autosave.store(NAME, labels)
    assert autosave.find(NAME, shape) is None


def test_forgetting_twice_is_once(labels):
    autosave.store(NAME, labels)
    autosave.discard(NAME)
    assert autosave.find(NAME, labels.shape) is None
    autosave.discard(NAME)


# --- whole or not at all --------------------------------------------------


@pytest.mark.parametrize('step', ['fsync', 'replace'])
def test_a_failed_write_leaves_the_old_map_and_no_litter(
    labels, monkeypatch, autosave_folder, step
):
    autosave.store(NAME, labels)

    def fail(*words: object) -> None:
        raise OSError(errno.ENOSPC, 'no space left')

    with monkeypatch.context() as broken:
        broken.setattr(os, step, fail)
        with pytest.raises(SaveError, match='the disk is full'):
            autosave.store(NAME, 59 - labels)
    np.testing.assert_array_equal(autosave.find(NAME, labels.shape)[0], labels)
    assert len(list(autosave_folder.iterdir())) == 1


def test_the_file_gets_its_name_only_when_it_is_whole(
    labels, monkeypatch, autosave_folder
):
    real = os.replace
    seen = []

    def watched(source, target) -> None:
        with Image.open(source) as image:
            seen.append(np.array(image))
        assert not os.path.exists(target)
        real(source, target)

    monkeypatch.setattr(os, 'replace', watched)
    autosave.store(NAME, labels)
    np.testing.assert_array_equal(seen, [labels])


# --- damaged files --------------------------------------------------------


@pytest.mark.parametrize('share', [0.0, 0.1, 0.5, 0.9])
def test_half_a_file_is_none(labels, damage, share):
    damage(lambda good: good[: int(share * len(good))])
    assert autosave.find(NAME, labels.shape) is None


def test_any_flipped_bit_is_none_or_harmless(labels, damage):
    for place in range(0, 200, 3):

        def flip(good: bytearray, place: int = place) -> bytearray:
            good[place] ^= 1 << (place % 8)
            return good

        damage(flip)
        found = autosave.find(NAME, labels.shape)
        if found is not None:
            np.testing.assert_array_equal(found[0], labels)


def test_a_text_file_is_none(labels, damage):
    damage(lambda good: b'no picture at all')
    assert autosave.find(NAME, labels.shape) is None


def test_a_folder_of_that_name_is_none(labels, autosave_folder):
    (autosave_folder / f'{NAME}.png').mkdir(parents=True)
    assert autosave.find(NAME, labels.shape) is None


@pytest.mark.parametrize(
    'other',
    [
        np.zeros((32, 44, 3), np.uint8),
        np.zeros((32, 44), np.uint16),
        np.full((32, 44), 60, np.uint8),
    ],
    ids=['color', '16 bits', 'foreign id'],
)
def test_an_intact_picture_that_is_no_map_is_none(autosave_folder, other):
    autosave_folder.mkdir()
    Image.fromarray(other).save(autosave_folder / f'{NAME}.png')
    assert autosave.find(NAME, (32, 44)) is None


@pytest.mark.skipif(os.name != 'posix', reason='needs named pipes')
def test_a_pipe_is_no_kept_map():
    path = autosave.folder() / f'{NAME}.png'
    path.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(path)
    end = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    os.write(end, b'no map')
    try:
        assert autosave.find(NAME, (32, 44)) is None
    finally:
        os.close(end)


def test_another_size_is_not_decoded(monkeypatch):
    autosave.store(NAME, np.zeros((32, 44), np.uint8))
    assert autosave.find(NAME, (32, 44)) is not None

    def decode(data):
        pytest.fail('it was decoded')

    monkeypatch.setattr('imagecodecs.png_decode', decode)
    assert autosave.find(NAME, (44, 32)) is None
