"""Names that act: on a terminal, in a page, in a spreadsheet."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from napari_sdcolor.cli import app

pytestmark = pytest.mark.skipif(os.name != 'posix', reason='names of POSIX')

NAMES = [
    b'\x1b[31mred\x1b[0m',
    b'\x1b]0;title\x07',
    b'two\nlines',
    b'tab\tbell\x07',
    '\u202egpj.exe'.encode(),
    '\u2066isolated\u2069'.encode(),
    'zero\u200bwidth'.encode(),
    b'\xff\xfe no text',
    b'[red]markup[blink]',
    b'<script>alert(1)<!--',
    b'=cmd()',
    b'-1+2',
    b'@sum',
    b'"quoted",cell',
]

ACTS = re.compile(
    '[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u202a-\\u202e\\u2066-\\u2069]'
)


@pytest.fixture
def named(photos: Path, tmp_path: Path) -> Path:
    """The same photo under each name."""
    photo = next(photos.rglob('*.png'))
    folder = tmp_path / 'named'
    folder.mkdir()
    for name in NAMES:
        target = os.fsencode(folder) + b'/' + name + b'.png'
        shutil.copyfile(os.fsencode(photo), target)
    # One that is refused is told with its name as well.
    bad = os.fsencode(folder) + b'/\x1b[1mbad.png'
    with open(bad, 'wb') as stream:
        stream.write(b'no picture')
    return folder


def test_a_batch_of_such_names(
    named: Path, tmp_path: Path, tiny_model: str
) -> None:
    out = tmp_path / 'out'
    line = ['batch', named, '-o', out, '--weights', 'tiny', '--size', 64]
    done = CliRunner().invoke(app, [str(word) for word in line])
    assert done.exit_code == 1  # the one that is no picture
    for said in (done.stdout, done.stderr):
        assert not ACTS.search(said.replace('\n', ' ').replace('\t', ' '))
    report = json.loads((out / 'sdcolor-report.json').read_text())
    assert len(report['photos']) == len(NAMES) + 1
    page = (out / 'sdcolor-report.html').read_text(encoding='utf-8')
    rows = re.search(r'id="entries">(.*?)</script>', page, re.DOTALL)
    assert rows is not None
    assert len(json.loads(rows[1])) == len(NAMES) + 1
    with (out / 'sdcolor-report.csv').open(newline='') as stream:
        table = list(csv.reader(stream))
    assert len(table) == len(NAMES) + 2
    for row in table[1:]:
        assert not any(cell.startswith(tuple('=+-@\t')) for cell in row)
