"""``sdcolor batch``: what is written, said and returned."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_sdcolor.batch.lock import locked
from napari_sdcolor.cli import batch as batch_command


def test_the_same_bytes_as_colorize(scans, out, sdcolor, contents):
    labels = np.full((64, 90), 36, np.uint8)
    labels[:20] = 3
    Image.fromarray(labels).save(scans / 'b.labels.png')
    for form in ('tiff', 'png', 'jpeg'):
        more = ['--saturation', 1.5, '--window', 'minmax', '--format', form]
        result = sdcolor('batch', scans, '-o', out / form, *more)
        assert result.exit_code == 0, result.output
        alone = out.parent / 'alone' / form
        for name in ('a.png', 'b.png', 'box 1/a.png', 'box 1/deep/c.png'):
            maps = ['--labels', scans] if name == 'b.png' else []
            folder = (alone / name).parent
            result = sdcolor(
                'colorize', scans / name, '-o', folder, *maps, *more
            )
            assert result.exit_code == 0, result.output
        assert contents(out / form) == contents(alone)


def test_what_a_person_reads(scans, out, sdcolor):
    (scans / 'broken.tif').write_bytes(b'II*\0')
    (scans / 'notes.txt').write_text('x')
    result = sdcolor('batch', scans, '-o', out, '--confidence', 1)
    assert result.exit_code == 1
    said = result.stderr
    assert '5 photos found, 1 file of other kinds left out.' in said
    assert 'broken.tif' in said
    assert '4 photos colored in' in said
    assert '1 failed' in said
    assert 'The maps of 4 photos should be looked at' in said
    assert result.stdout.split() == [
        str(out / f'sdcolor-report.{kind}') for kind in ('json', 'csv', 'html')
    ]
    (scans / 'broken.tif').unlink()
    result = sdcolor('batch', scans, '-o', out)
    assert result.exit_code == 0
    assert '4 were done before' in result.stderr


def test_counts_of_one(make_scans, out, sdcolor):
    words = 'batch', make_scans(['a.png']), '-o', out, '--confidence', 1
    said = sdcolor(*words).stderr
    assert '1 photo found.' in said
    assert '1 photo colored' in said
    assert 'The map of 1 photo should be looked at' in said
    said = sdcolor(*words).stderr
    assert '0 photos colored, 1 was done before.' in said


@pytest.mark.skipif(os.name != 'posix', reason='POSIX signals')
@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_stop_before_the_first_photo_ends_at_once(
    scans, out, sdcolor, monkeypatch, number
):
    def load(*_):
        os.kill(os.getpid(), number)
        pytest.fail('It went on.')

    monkeypatch.setattr(batch_command, 'workers', load)
    result = sdcolor('batch', scans, '-o', out, '--json')
    assert result.exit_code == 130
    assert 'Stopped. What was finished is saved' in result.stderr
    assert json.loads(result.stdout)['exit_code'] == 130
    assert not out.exists()


def test_a_report_that_a_person_edited_is_told(scans, out, sdcolor):
    words = 'batch', scans, '-o', out, '--limit', 1, '--json'
    assert json.loads(sdcolor(*words).stdout)['notes'] == []
    table = out / 'sdcolor-report.csv'
    table.write_text(table.read_text() + 'a remark')
    result = sdcolor(*words)
    (note,) = json.loads(result.stdout)['notes']
    assert 'kept as sdcolor-report.edited-1.csv' in note
    assert note in result.stderr


def test_what_a_script_reads(scans, out, sdcolor):
    (scans / 'broken.tif').write_bytes(b'II*\0')
    result = sdcolor('batch', scans, '-o', out, '--json', '--limit', 2)
    answer = json.loads(result.stdout)
    assert answer['exit_code'] == result.exit_code
    assert answer['colored'] + len(answer['failed']) == 2
    assert answer['weights']['color']['tensors_sha256']
    assert [Path(path).exists() for path in answer['reports']] == [True] * 3


def test_a_dry_run_writes_nothing(scans, out, sdcolor, untouched):
    (scans / 'a.labels.png').write_bytes(b'x')
    before = untouched(scans.parent)
    result = sdcolor('batch', scans, '-o', out, '--dry-run', networks=False)
    assert result.exit_code == 0
    assert untouched(scans.parent) == before
    assert f'{scans}/b.png -> {out}/b.color.tif\n' in result.stdout
    assert f'by the map {scans}/a.labels.png' in result.stdout
    assert '4 photos found, 1 with a map of their own' in result.stderr


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (['missing', '-o', 'out'], 'does not exist'),
        (['scans/*.tif', '-o', 'out'], 'No file matches'),
        (['-o', 'out'], 'nothing to color'),
        (['scans', '-o', 'scans/out'], 'input folder'),
        (['scans', '-o', 'SCANS/../scans'], ''),
        (['scans', '-o', 'out', '--confidence', '2'], 'confidence'),
        (['scans', '-o', 'out', '--limit', '0'], 'limit'),
        (['scans', '-o', 'out', '--window', 'odd'], 'window'),
        (['scans'], 'output'),
        (['--from-file', 'missing.txt', '-o', 'out'], 'cannot be read'),
        (['scans', 'scans/box 1', '-o', 'out'], 'share'),
    ],
)
def test_wrong_usage(scans, sdcolor, monkeypatch, words, said):
    monkeypatch.chdir(scans.parent)
    result = sdcolor('batch', *words, networks=False)
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert os.listdir() == ['scans']


def test_a_concurrent_run_is_refused(scans, out, sdcolor):
    out.mkdir()
    with locked(out):
        result = sdcolor('batch', scans, '-o', out)
    assert result.exit_code == 2
    assert f'process {os.getpid()}' in result.stderr
    assert os.listdir(out) == []


def test_lists_and_base(scans, out, sdcolor, tmp_path):
    names = tmp_path / 'names.txt'
    names.write_text(f'{scans}/a.png\n{scans}/box 1/a.png\n')
    result = sdcolor('batch', '--from-file', names, '--base', scans, '-o', out)
    assert result.exit_code == 0, result.output
    assert (out / 'box 1' / 'a.color.tif').exists()


@pytest.mark.skipif(os.name != 'posix', reason='POSIX signals')
@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_leaves_a_resumable_state(
    make_scans, out, sdcolor, contents, number, models_folder
):
    scans = make_scans([f'{name}.png' for name in range(16)])
    words = [
        'batch', str(scans), '-o', str(out), '--weights', 'tiny',
        '--size', '64', '--json',
    ]  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, '-c', 'from napari_sdcolor.cli import main; main()',
         *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {'SDCOLOR_MODELS': str(models_folder)},
    )  # fmt: skip
    while not list(out.glob('*.color.tif')) and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 1, stderr
    answer = json.loads(stdout)
    assert answer['stopped']
    assert 0 < answer['colored'] < 16
    assert len(list(out.glob('*.color.tif'))) == answer['colored']
    assert not list(out.glob('.*.part'))
    assert 'goes on from here' in stderr
    result = sdcolor(*words[:-1][:4])
    assert result.exit_code == 0
    were = 'was' if answer['colored'] == 1 else 'were'
    assert f'{answer["colored"]} {were} done before' in result.stderr
    whole = out.parent / 'whole'
    assert sdcolor('batch', scans, '-o', whole).exit_code == 0
    assert contents(out) == contents(whole)


@pytest.fixture
def scan(scans):
    """A 12-bit scan in a file of 16 bits beside the other photos."""
    y, x = np.mgrid[:40, :56]
    tifffile.imwrite(scans / 'scan.tif', (x * 60 + y).astype(np.uint16))
    return scans / 'scan.tif'


def test_the_tone_window_is_told(scans, scan, out, sdcolor):
    assert sdcolor('batch', scans, '-o', out).exit_code == 0
    report = json.loads((out / 'sdcolor-report.json').read_text())
    words = 'tone window 0 to 4095, as of a photo of 12 bits'
    told = {Path(e['photo']).name: e['understood'] for e in report['photos']}
    assert words in told['scan.tif']
    for kind in ('csv', 'html'):
        assert words in (out / f'sdcolor-report.{kind}').read_text()


def test_a_batch_of_an_older_version_is_not_mixed_in_silence(
    scans, scan, out, sdcolor
):
    words = 'begun by an older version'
    first = sdcolor('batch', scans, '-o', out, '--limit', 1, '--json')
    assert json.loads(first.stdout)['notes'] == []
    journal = out / 'sdcolor-journal.jsonl'
    text = journal.read_text()
    assert '"tones": 2' in text
    journal.write_text(text.replace(', "tones": 2', ''))
    second = sdcolor('batch', scans, '-o', out, '--limit', 1, '--json')
    assert second.exit_code == 0
    assert words in ' '.join(second.stderr.split())
    (note,) = json.loads(second.stdout)['notes']
    assert words in note


def test_a_window_of_its_own_is_never_mixed(scans, out, sdcolor):
    more = ['--window', 'type', '--limit', 1, '--json']
    sdcolor('batch', scans, '-o', out, *more)
    journal = out / 'sdcolor-journal.jsonl'
    journal.write_text(journal.read_text().replace(', "tones": 2', ''))
    again = sdcolor('batch', scans, '-o', out, *more)
    assert json.loads(again.stdout)['notes'] == []


def test_a_damaged_journal_is_told_line_by_line(scans, out, sdcolor):
    assert sdcolor('batch', scans, '-o', out).exit_code == 0
    journal = out / 'sdcolor-journal.jsonl'
    lines = journal.read_bytes().splitlines(keepends=True)
    deep = b'[' * 100_000 + b'\n'
    odd = b'{"key": "../x", "status": "done", "thumbnail": [-1, 1e300]}\n'
    journal.write_bytes(b''.join([*lines[:2], deep, odd, *lines[2:]]))
    again = sdcolor('batch', scans, '-o', out, '--json')
    assert again.exit_code == 0
    told = json.loads(again.stdout)
    assert told['known'] == 4
    words = 'were damaged and not used: lines 3, 4.'
    assert words in again.stderr
    assert any(words in note for note in told['notes'])
