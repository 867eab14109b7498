"""The log holds every row once, however often a run was cut off."""

from __future__ import annotations

from pathlib import Path

from napari_sdcolor.training.runlog import COLUMNS, RunLog


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
    log = RunLog(tmp_path / 'log.csv')
    assert log.rows() == []
    log.add(row(50))
    log.add(row(100, val_loss=0.25, val_score=21.5))
    lines = log.path.read_text().splitlines()
    assert lines[0] == ','.join(COLUMNS)
    assert len(lines) == 3
    assert [each['val_score'] for each in log.rows()] == ['', '21.5']


def test_rows_that_will_come_again_are_taken_out(tmp_path: Path) -> None:
    log = RunLog(tmp_path / 'log.csv')
    log.forget_after(0)
    assert not log.path.exists()
    for step in (50, 100, 150):
        log.add(row(step))
    log.forget_after(100)
    log.add(row(150))
    assert [each['step'] for each in log.rows()] == ['50', '100', '150']


def test_half_a_row_is_taken_out(tmp_path: Path) -> None:
    log = RunLog(tmp_path / 'log.csv')
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
    log = RunLog(tmp_path / 'log.csv')
    log.path.write_text('step,loss,rate,seconds\r\n50,0.1,1e-3,9\r\n')
    log.forget_after(70)
    log.add(row(100))
    first, second = log.rows()
    assert first['loss'] == '0.1'
    assert first['val_loss'] == ''
    assert second['step'] == '100'
