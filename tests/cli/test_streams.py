"""Standard output that is closed or full, and what appears on a terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.table import Table
from typer.testing import CliRunner

from napari_sdcolor.cli import app
from napari_sdcolor.cli.console import Talk

MAIN = 'from napari_sdcolor.cli import main; main()'
NASTY = 'a\x1b[31m\x9b2J\r\x07\x7f\u202eb\u200b\ufeff\u2066\u061cc\n[red]d'
PLAIN = r'a\x1b[31m\x9b2J\r\x07\x7f\u202eb\u200b\ufeff\u2066\u061cc\n[red]d'

posix = pytest.mark.skipif(os.name != 'posix', reason='POSIX shells')


def in_a_shell(line: str) -> subprocess.CompletedProcess[str]:
    """Run a line of a shell, in which sdcolor stands for the command."""
    function = f'sdcolor() {{ "{sys.executable}" -P -c "{MAIN}" "$@"; }}'
    return subprocess.run(
        ['bash', '-c', f'set -o pipefail; {function}; {line}'],
        capture_output=True,
        text=True,
        encoding='utf-8',
        check=False,
        timeout=120,
    )


@posix
@pytest.mark.parametrize(
    ('line', 'why'),
    [
        ('sdcolor models list --json >/dev/full', 'No space left'),
        ('sdcolor models list >/dev/full', 'No space left'),
        ('sdcolor --version >/dev/full', 'No space left'),
        ('sdcolor --help >/dev/full', 'No space left'),
        ('sdcolor models list --json >&-', 'closed'),
        ('sdcolor --version >&-', 'closed'),
        ('sdcolor models list --json | true', 'Broken pipe'),
        ('sdcolor --help | true', 'Broken pipe'),
    ],
)
def test_an_answer_that_cannot_be_given(line: str, why: str) -> None:
    done = in_a_shell(line)
    assert done.returncode == 1
    *_, last = done.stderr.splitlines()
    assert last.startswith('Standard output cannot be written: ')
    assert why in last
    for word in ('Traceback', 'Exception ignored', 'Errno'):
        assert word not in done.stderr


@posix
@pytest.mark.parametrize('there', ['2>&-', '2>/dev/full', '<&-'])
def test_nobody_needs_to_listen(there: str) -> None:
    """Nor does anybody get what was meant for a closed stream."""
    done = in_a_shell(f'sdcolor models list --json {there}')
    assert done.returncode == 0
    assert json.loads(done.stdout)['models']


@posix
def test_a_list_from_a_closed_standard_input() -> None:
    done = in_a_shell('sdcolor batch --from-file - -o nowhere <&-')
    assert done.returncode == 2
    assert 'standard input is closed' in ' '.join(done.stderr.split())


def test_nothing_in_a_name_acts(capsys: pytest.CaptureFixture[str]) -> None:
    talk = Talk('test')
    talk.say(NASTY)
    talk.warn(NASTY)
    talk.refuse(NASTY, NASTY)
    talk.answer(NASTY)
    talk.answer_page('one\n\ntwo\x1b\n')
    table = Table('class', box=None)
    table.add_row(NASTY)
    talk.answer(table)
    said = capsys.readouterr()
    assert said.err == f'{PLAIN}\n{PLAIN}\n{PLAIN}: {PLAIN}\n'
    lines = [line.rstrip() for line in said.out.split('\n')]
    assert lines[:5] == [PLAIN, 'one', '', 'two\\x1b', '']
    assert [line.strip() for line in lines[5:7]] == ['class', PLAIN]


@pytest.mark.parametrize(
    'words',
    [
        ['x\x1b[31m'],
        ['--x\x1b[31m'],
        ['models', 'x\x1b[31m'],
        ['models', 'path', 'a', 'x\x1b[31m'],
        ['colorize', 'a.tif', '-o', 'out', '--size', 'x\x1b[31m'],
        ['batch', 'a', '-o', 'out', '--base', 'x\x1b[31m'],
        ['models', 'verify', 'x\x1b[31m'],
        ['colorize', 'x\x1b[31m.tif', '-o', 'out'],
    ],
)
def test_nothing_that_was_typed_acts(
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tiny_model: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    if words[0] == 'colorize':
        words = [*words, '--weights', tiny_model]
    result = CliRunner().invoke(app, words)
    assert result.exit_code in (1, 2)
    assert '\x1b[31m' not in result.stderr
    assert '\\x1b[31m' in result.stderr


def test_json_has_no_word_for_what_is_no_number(
    capsys: pytest.CaptureFixture[str],
) -> None:
    facts = {'a': float('nan'), 'b': [float('inf'), (1.5, 2)], 'c': '\x7f\xe9'}
    Talk('test', as_json=True).finish({**facts, 'd': os.fsdecode(b'\xff')})
    text = capsys.readouterr().out
    assert text.isascii()
    assert all(line.isprintable() for line in text.split('\n'))
    told = json.loads(text)
    assert (told['a'], told['b']) == (None, [None, [1.5, 2]])
    assert told['c'] == facts['c']
    assert told['d'] == '\udcff'
