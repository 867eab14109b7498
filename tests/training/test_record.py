"""The log holds every row once, and what is left out is named once."""

from __future__ import annotations

import csv
import os
from pathlib import Path

from napari_sdcolor.datasets.entry import Skipped
from napari_sdcolor.training.recipe import Recipe
from napari_sdcolor.training.record import LOGGED, Log, Record


def row(step: int, **more: object) -> dict[str, object]:
    return {
        'step': step,
        'loss': 0.5,
        'rate': 1e-3,
        'seconds': step,
        'val_loss': '',
        'val_score': '',
        **more,
    }


def test_rows_are_appended_below_one_header(tmp_path: Path) -> None:
    log = Log(tmp_path / 'log.csv')
    assert log.rows() == []
    log.add(row(50))
    log.add(row(100, val_loss=0.25, val_score=21.5))
    lines = log.path.read_text().splitlines()
    assert lines[0] == ','.join(LOGGED)
    assert len(lines) == 3
    assert [each['val_score'] for each in log.rows()] == ['', '21.5']


def test_rows_that_will_come_again_are_taken_out(tmp_path: Path) -> None:
    log = Log(tmp_path / 'log.csv')
    log.forget_after(0)
    assert not log.path.exists()
    for step in (50, 100, 150):
        log.add(row(step))
    log.forget_after(100)
    log.add(row(150))
    assert [each['step'] for each in log.rows()] == ['50', '100', '150']


def test_half_a_row_is_taken_out(tmp_path: Path) -> None:
    log = Log(tmp_path / 'log.csv')
    log.add(row(50))
    with log.path.open('a') as file:
        file.write('100,0.1')
    log.forget_after(100)
    log.add(row(100))
    assert [each['step'] for each in log.rows()] == ['50', '100']
    assert log.rows()[1]['loss'] == '0.5'


def test_a_log_with_fewer_columns_is_brought_up_to_date(
    tmp_path: Path,
) -> None:
    log = Log(tmp_path / 'log.csv')
    log.path.write_text('step,loss,rate,seconds\r\n50,0.1,1e-3,9\r\n')
    log.forget_after(70)
    log.add(row(100))
    first, second = log.rows()
    assert first['loss'] == '0.1'
    assert first['val_loss'] == ''
    assert second['step'] == '100'


def test_each_file_is_named_once(tmp_path: Path) -> None:
    said: list[str] = []
    record = Record(tmp_path, Recipe('color', (2, 2)), said.append)
    path = tmp_path / 'skipped.csv'
    record.skip([])
    assert record.left_out() == ''
    assert not path.exists()
    torn = Skipped('made', 'a', 'the photo is torn')
    record.skip([torn, torn])
    assert said == ['Left out: made/a: the photo is torn.']
    assert record.left_out().startswith('1 file was left out (1 × the photo')
    other = Skipped('made', 'b, c', 'the photo is torn')
    record.skip([torn, other])
    assert said[1:] == ['Left out: made/b, c: the photo is torn.']
    with path.open(newline='') as file:
        found = list(csv.DictReader(file))
    assert [each['name'] for each in found] == ['a', 'b, c']
    assert '2 files were left out (2 × the photo is torn)' in record.left_out()
    assert str(path) in record.left_out()


def test_odd_names_are_named_too(tmp_path: Path) -> None:
    """A spreadsheet takes them for text; bytes that are no text stay told."""
    record = Record(tmp_path, Recipe('color', (2, 2)), str)
    odd = os.fsdecode(b'caf\xe9')
    record.skip(Skipped('made', name, 'torn') for name in ('=1+1', odd))
    with (tmp_path / 'skipped.csv').open(newline='') as file:
        names = [each['name'] for each in csv.DictReader(file)]
    assert names == ["'=1+1", 'caf\\xe9']
