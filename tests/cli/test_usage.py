"""Wrong usage: exit 2 for every command, a sentence, and nothing written."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from typer.testing import CliRunner, Result

from napari_sdcolor.archive.folders import output_folder
from napari_sdcolor.cli import app
from napari_sdcolor.errors import FolderError


@pytest.fixture
def place(
    make_photo: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A folder with a photo, color photos and a file in the way."""
    folder = tmp_path / 'place'
    folder.mkdir()
    make_photo('castle.png').rename(folder / 'castle.png')
    (folder / 'scans').mkdir()
    make_photo('mill.png').rename(folder / 'scans' / 'mill.png')
    photos = folder / 'photos'
    photos.mkdir()
    rng = np.random.default_rng(0)
    for name in 'abcd':
        rgb = rng.integers(0, 256, (40, 40, 3), np.uint8)
        Image.fromarray(rgb).save(photos / f'{name}.png')
    (folder / 'file').write_text('in the way')
    monkeypatch.chdir(folder)
    return folder


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def everything(folder: Path) -> set[str]:
    return {str(path) for path in folder.rglob('*')}


COMMANDS = {
    'colorize': 'colorize castle.png -o OUT',
    'segment': 'segment castle.png -o OUT',
    'batch': 'batch scans -o OUT',
    'demo': 'demo --photo castle.png --no-gui -o OUT',
    'train color': 'train color --data photos --steps 1 --out OUT',
    'train segmentation': 'train segmentation --data photos --steps 1 '
    '--set features= --maps predicted --out OUT',
    'evaluate': 'evaluate --data photos --only fidelity -o OUT',
    'bench': 'bench --quick --plot OUT/bench.png',
}
"""Commands that write into a folder."""

WEIGHTS = {
    'train color': '--init',
    'train segmentation': '--maps-from',
}


def words_of(command: str, output: str) -> list[str]:
    return COMMANDS[command].replace('OUT', output).split()


@pytest.mark.parametrize('command', COMMANDS)
@pytest.mark.parametrize('output', ['new', 'new/deep/er'])
def test_unknown_weights(place: Path, command: str, output: str) -> None:
    before = everything(place)
    option = WEIGHTS.get(command, '--weights')
    result = run(*words_of(command, output), option, 'nobody')
    assert result.exit_code == 2, result.output
    assert "no weights named 'nobody'" in result.stderr
    assert everything(place) == before


@pytest.mark.parametrize('command', COMMANDS)
def test_a_file_in_the_place_of_a_folder(
    place: Path, tiny_model: str, command: str
) -> None:
    before = everything(place)
    result = run(*words_of(command, 'file/deep'))
    assert result.exit_code == 2, result.output
    said = ' '.join(result.stderr.split())
    assert 'file/deep cannot be the output folder: there is a file' in said
    assert everything(place) == before


@pytest.mark.parametrize('command', COMMANDS)
def test_a_folder_in_which_nothing_can_be_written(
    place: Path,
    tiny_model: str,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
) -> None:
    """The administrator may write anywhere, so the system is played."""

    def forbidden(*args: object, **more: object) -> None:
        raise PermissionError(13, 'Permission denied', 'there')

    monkeypatch.setattr(
        'napari_sdcolor.archive.folders.TemporaryFile', forbidden
    )
    before = everything(place)
    result = run(*words_of(command, 'there/deep'))
    assert result.exit_code == 2, result.output
    assert 'writing is not allowed there' in result.stderr
    assert everything(place) == before


def test_the_folder_of_models_that_cannot_be_written(
    place: Path,
    tiny_parts: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv('SDCOLOR_MODELS', str(place / 'file' / 'models'))
    result = run('models', 'add', tiny_parts['color'], '--name', 'mine')
    assert result.exit_code == 2
    assert 'there is a file in its place' in result.stderr


@pytest.mark.parametrize(
    ('words', 'sentence'),
    [
        ('colorize castle.png -o new --saturation 9', 'number from 0 to 3'),
        ('colorize castle.png -o new --saturation nan', 'number from 0 to 3'),
        ('batch scans -o new --saturation much', 'number from 0 to 3'),
        ('batch scans -o new --confidence 2', 'number from 0 to 1'),
        ('batch scans -o new --batch-size 0', 'whole number of at least 1'),
        ('colorize castle.png -o new --page 1.5', 'whole number of at least'),
        ('segment castle.png -o new --page -1', 'whole number of at least 0'),
        ('colorize castle.png -o new --format gif', 'none of tiff, png, jpeg'),
        ('colorize castle.png -o new --dtype int8', 'none of float32, float'),
        ('segment castle.png -o new --device tpu', 'none of auto, cpu, cuda'),
        ('segment castle.png -o new --size 3', 'between 64 and 2048'),
        ('demo --sample dog', 'none of astronaut, cat, coffee'),
        ('evaluate --data photos --limit 0', 'whole number of at least 1'),
        ('evaluate --data photos --source x', 'none of pack, pascal-context'),
        ('train color --data photos --out new --rate inf', 'of at least 0'),
        ('train color --data photos --out new --preset x', 'shipped, paper'),
        ('bench --at 3', 'whole number from 64 to 4096'),
        ('bench --plot bench.txt', 'one of .pdf, .png, .svg'),
        ('train export photos -o new/a.pt', 'must end in .safetensors'),
        ('train export photos -o new/a.safetensors', 'holds no checkpoint'),
    ],
)
def test_settings_out_of_their_limits(
    place: Path, tiny_model: str, words: str, sentence: str
) -> None:
    """Told in our words, which no version of typer changes."""
    before = everything(place)
    result = run(*words.split())
    assert result.exit_code == 2, result.output
    said = ' '.join(result.stderr.replace('│', ' ').split())
    assert sentence in said
    assert 'Input should' not in said
    assert 'Value error' not in said
    assert everything(place) == before


def test_some_photos_without_the_page_are_failures(
    place: Path, tiny_model: str
) -> None:
    """The others are done, so that it was no wrong usage."""
    pages = np.zeros((2, 40, 50), np.uint8)
    tifffile.imwrite('album.tif', pages, photometric='minisblack')
    words = ['--size', 64, '--page', 1, '-o', 'new', '--json']
    both = run('segment', 'castle.png', 'album.tif', *words)
    assert both.exit_code == 1
    assert [each['name'] for each in json.loads(both.stdout)['photos']] == [
        'album'
    ]
    alone = run('segment', 'castle.png', *words)
    assert alone.exit_code == 2
    assert 'it has no page 1' in alone.stderr


# -- mix-ups ----------------------------------------------------------------


def test_a_folder_is_for_batch(place: Path, tiny_model: str) -> None:
    words = ['scans', '-o', 'my colors', '--saturation', 1.5]
    words += ['--labels', 'photos', '--format', 'png', '--weights', tiny_model]
    before = everything(place)
    result = run('colorize', *words)
    assert result.exit_code == 2
    told = result.stderr.strip().splitlines()[-1]
    assert told.startswith('scans is a folder.')
    meant = (
        "sdcolor batch scans -o 'my colors' --labels photos --format png "
        f'--saturation 1.5 --weights {tiny_model}'
    )
    assert told.endswith(meant)
    assert everything(place) == before
    words = meant.replace("'", '').replace('my colors', 'new').split()[1:]
    done = run(*words, '--size', 64)
    assert done.exit_code == 0, done.output
    assert (place / 'new' / 'mill.color.png').is_file()


def test_a_folder_cannot_be_segmented(place: Path, tiny_model: str) -> None:
    result = run('segment', 'castle.png', 'scans', '-o', 'new')
    assert result.exit_code == 2
    assert 'sdcolor batch castle.png scans -o new' in result.stderr
    assert not (place / 'new').exists()


@pytest.mark.parametrize('command', ['colorize', 'segment', 'batch'])
@pytest.mark.parametrize(
    ('name', 'sentence'),
    [
        ('castle.labels.png', 'label map'),
        ('castle.sdcolor.json', 'replay'),
        ('castle.color.tif', 'this program'),
    ],
)
def test_our_own_files_are_no_photos(
    place: Path, tiny_model: str, command: str, name: str, sentence: str
) -> None:
    done = run('colorize', 'castle.png', '-o', 'done', '--size', 64)
    assert done.exit_code == 0, done.output
    result = run(command, f'done/{name}', '-o', 'new')
    assert result.exit_code == 2, result.output
    assert sentence in result.stderr
    assert not (place / 'new').exists()


def test_a_map_given_as_photo_tells_what_was_meant(
    place: Path, tiny_model: str
) -> None:
    run('segment', 'castle.png', '-o', '.', '--size', 64)
    result = run('colorize', 'castle.labels.png', '-o', 'new')
    assert result.stderr.strip().endswith(
        'sdcolor colorize castle.png -o new --labels castle.labels.png'
    )


def test_own_files_beside_photos_do_not_stop_a_batch(
    place: Path, tiny_model: str
) -> None:
    """As a shell spells out scans/*."""
    run('segment', 'castle.png', '-o', '.', '--size', 64)
    words = ['castle.png', 'castle.labels.png', '-o', 'new', '--size', 64]
    assert run('batch', *words).exit_code == 0
    assert (place / 'new' / 'castle.color.tif').is_file()


@pytest.mark.parametrize('name', ['castle.png', 'done/castle.color.tif'])
def test_a_picture_is_no_sidecar(
    place: Path, tiny_model: str, name: str
) -> None:
    done = run('colorize', 'castle.png', '-o', 'done', '--size', 64)
    assert done.exit_code == 0, done.output
    result = run('replay', name)
    assert result.exit_code == 2
    assert f'{name} is no sidecar' in result.stderr
    if 'color' in name:
        meant = 'sdcolor replay done/castle.sdcolor.json'
        assert result.stderr.strip().endswith(meant)


# -- the output folder ------------------------------------------------------


def test_what_was_made_and_stays_empty_is_removed(tmp_path: Path) -> None:
    deep = tmp_path / 'a' / 'b' / 'c'
    with output_folder(deep) as folder:
        assert folder.is_dir()
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError), output_folder(deep):
        raise ValueError
    assert not list(tmp_path.iterdir())


def test_what_was_there_or_holds_something_stays(tmp_path: Path) -> None:
    old = tmp_path / 'old'
    old.mkdir()
    with output_folder(old), output_folder(old / 'new' / 'deep'):
        pass
    assert old.is_dir()
    assert not list(old.iterdir())
    with output_folder(old / 'new' / 'deep') as folder:
        (folder.parent / 'file').write_text('a result')
    assert everything(old) == {
        str(old / 'new'),
        str(old / 'new' / 'file'),
    }


@pytest.mark.skipif(
    os.name != 'posix' or os.geteuid() == 0, reason='needs a plain user'
)
def test_a_folder_without_permission(tmp_path: Path) -> None:
    closed = tmp_path / 'closed'
    closed.mkdir(mode=0o500)
    for folder in (closed, closed / 'new'):
        with (
            pytest.raises(FolderError, match='not allowed'),
            output_folder(folder),
        ):
            pass


@pytest.mark.skipif(not os.path.isdir('/proc/self'), reason='needs Linux')
def test_a_file_system_that_takes_no_folders() -> None:
    with (
        pytest.raises(FolderError, match='/proc/new/deep cannot be'),
        output_folder(Path('/proc/new/deep')),
    ):
        pass
