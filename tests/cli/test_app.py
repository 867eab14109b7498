"""The command line as a whole: help, exit codes, what goes to stdout."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import napari_sdcolor
from napari_sdcolor.cli import app
from napari_sdcolor.cli.console import Talk
from napari_sdcolor.cli.photos import Tally

RUN = ('-P', '-c', 'from napari_sdcolor.cli import main; main()')


def commands(command: Any, *path: str) -> Iterator[tuple[str, ...]]:
    yield path
    for name, child in getattr(command, 'commands', {}).items():
        yield from commands(child, *path, name)


ALL = list(commands(typer.main.get_command(app)))


def sdcolor(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    return subprocess.run(
        [sys.executable, *RUN, *words],
        capture_output=True,
        text=True,
        encoding='utf-8',
        check=False,
    )


def test_the_promised_commands_exist() -> None:
    assert {path[0] for path in ALL if path} >= {
        'batch',
        'colorize',
        'replay',
        'demo',
        'doctor',
        'evaluate',
        'models',
        'segment',
        'train',
    }


@pytest.mark.parametrize('path', ALL, ids=' '.join)
def test_every_help_has_an_example(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, [*path, '--help'])
    assert result.exit_code == 0
    words = ' '.join(result.stdout.split())
    assert f'Example: {" ".join(("sdcolor", *path))}' in words


@pytest.mark.parametrize('path', ALL, ids=' '.join)
def test_every_example_is_a_line_to_run(
    path: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it stands there, with files and folders of these names."""
    monkeypatch.setenv('COLUMNS', '300')
    monkeypatch.setenv('TERMINAL_WIDTH', '300')
    shown = CliRunner().invoke(app, [*path, '--help']).stdout
    (example,) = (line for line in shown.splitlines() if 'Example: ' in line)
    _, *words = shlex.split(example.partition('Example: ')[2])
    monkeypatch.chdir(tmp_path)
    for word in words[len(path) :]:
        place = tmp_path / word
        place.parent.mkdir(exist_ok=True)
        if place.suffix:
            place.touch()
        elif not word.startswith('-'):
            place.mkdir(exist_ok=True)

    class Understood(BaseException):
        """Raised where a command begins."""

    def begin(talk: Talk) -> None:
        raise Understood

    monkeypatch.setattr(Talk, 'refusing', begin)
    with pytest.raises(Understood):
        CliRunner().invoke(app, words, catch_exceptions=False)


def test_help_loads_nothing_heavy() -> None:
    """Torch or napari at this point would make every call slow."""
    code = (
        'import sys\n'
        'from napari_sdcolor.cli import app\n'
        'try:\n'
        '    app(["colorize", "--help"])\n'
        'except SystemExit as stop:\n'
        '    assert stop.code == 0\n'
        'heavy = {"torch", "numpy", "napari", "PIL", "qtpy", "skimage"}\n'
        'sys.exit(",".join(sorted(heavy & set(sys.modules))) or 0)'
    )
    done = subprocess.run(
        [sys.executable, '-P', '-c', code],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_version() -> None:
    result = CliRunner().invoke(app, ['--version'])
    assert result.exit_code == 0
    assert napari_sdcolor.__version__ in result.stdout


@pytest.mark.parametrize(
    'words',
    [
        [],
        ['colorise'],
        ['colorize'],
        ['colorize', 'a.tif'],
        ['colorize', 'a.tif', '-o', 'out', '--size', '63'],
        ['colorize', 'a.tif', '-o', 'out', '--size', '2049'],
        ['colorize', 'a.tif', '-o', 'out', '--saturation', '3.1'],
        ['colorize', 'a.tif', '-o', 'out', '--saturation', '-0.1'],
        ['colorize', 'a.tif', '-o', 'out', '--saturation', 'nan'],
        ['colorize', 'a.tif', '-o', 'out', '--window', '9,1'],
        ['colorize', 'a.tif', '-o', 'out', '--window', 'dark'],
        ['colorize', 'a.tif', '-o', 'out', '--window', '0,inf'],
        ['segment', 'a.tif', '-o', 'out', '--window', 'nan,1'],
        ['colorize', 'a.tif', '-o', 'out', '--device', 'tpu'],
        ['colorize', 'a.tif', '-o', 'out', '--format', 'gif'],
        ['colorize', 'a.tif', '-o', 'out', '--page', '-1'],
        ['colorize', 'a.tif', '-o', 'out', '--labels', 'nowhere'],
        ['segment', 'a.tif', '-o', 'out', '--saturation', '1'],
        ['segment', 'a.tif', 'b/a.png', '-o', 'out'],
        ['models', 'add', 'a.safetensors'],
        ['train', 'color', '--data', 'nowhere', '--out', 'run'],
        ['evaluate'],
    ],
    ids=' '.join,
)
def test_wrong_usage_ends_with_2(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2
    assert not list(tmp_path.iterdir())


def test_stdout_is_one_json_object_and_stderr_is_for_people(
    tiny_model: str, make_photo: Callable[..., Path], tmp_path: Path
) -> None:
    """As a script sees it: exit codes and channels of a real process."""
    good, bad = make_photo('good.png'), tmp_path / 'bad.tif'
    bad.write_text('no picture')
    words = ['--weights', tiny_model, '--size', '64', '--json']
    done = sdcolor(
        'colorize', str(good), str(bad), '-o', str(tmp_path / 'out'), *words
    )
    assert done.returncode == 1
    answer = json.loads(done.stdout)
    assert [entry['name'] for entry in answer['photos']] == ['good']
    assert [entry['photo'] for entry in answer['failed']] == [str(bad)]
    assert 'bad.tif' in done.stderr
    assert 'Traceback' not in done.stderr
    again = sdcolor(
        'colorize', str(good), '-o', str(tmp_path / 'again'), *words[:-1]
    )
    assert again.returncode == 0
    assert again.stdout.split() == [
        str(tmp_path / 'again' / name)
        for name in ('good.color.tif', 'good.labels.png', 'good.sdcolor.json')
    ]
    assert 'Device: ' in again.stderr
    assert sdcolor('colorize').returncode == 2


def test_needs_neither_napari_nor_qt(
    tiny_model: str, make_photo: Callable[..., Path], tmp_path: Path
) -> None:
    code = (
        'import sys\n'
        'for name in ("napari", "qtpy", "PyQt6", "PySide6", "vispy"):\n'
        '    sys.modules[name] = None\n'
        'from napari_sdcolor.cli import main\n'
        'main()'
    )
    photo, out = make_photo(), tmp_path / 'out'
    words = ['demo', '--photo', str(photo), '-o', str(out), '--no-gui']
    done = subprocess.run(
        [sys.executable, '-P', '-c', code, *words, '--weights', tiny_model],
        capture_output=True,
        text=True,
        encoding='utf-8',
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (out / 'castle.color.tif').is_file()


def test_names_that_the_terminal_cannot_show(
    tiny_model: str, make_photo: Callable[..., Path], tmp_path: Path
) -> None:
    photo = make_photo('Schloß – 城.png')
    done = subprocess.run(
        [sys.executable, *RUN, 'segment', str(photo)]
        + ['-o', str(tmp_path / 'out'), '--weights', tiny_model],
        capture_output=True,
        env={**os.environ, 'PYTHONIOENCODING': 'ascii'},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / 'out' / 'Schloß – 城.labels.png').is_file()


@pytest.mark.parametrize(
    ('done', 'failed', 'words'),
    [
        (1, 0, '1 photo colored'),
        (2, 0, '2 photos colored'),
        (0, 3, '0 photos colored, 3 failed'),
    ],
)
def test_tally_in_words(done: int, failed: int, words: str) -> None:
    tally = Tally([{}] * done, [{}] * failed)
    assert tally.words('colored') == words
    assert tally.exit_code == (1 if failed else 0)


def test_markup_in_names_is_shown_as_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv('FORCE_COLOR', raising=False)
    talk = Talk('test')
    talk.answer('[red]castle[/red] :cat:')
    talk.refuse('[/] broken', 'a[b].tif')
    captured = capsys.readouterr()
    assert captured.out == '[red]castle[/red] :cat:\n'
    assert captured.err == 'a[b].tif: [/] broken\n'


@pytest.mark.parametrize('as_json', [False, True])
def test_ctrl_c_has_a_sentence(
    as_json: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as end, Talk('demo', as_json).refusing():
        raise KeyboardInterrupt
    assert end.value.exit_code == 130
    stdout, stderr = capsys.readouterr()
    assert stderr.startswith('Stopped. ')
    if as_json:
        assert json.loads(stdout)['exit_code'] == 130
    else:
        assert stdout == ''
