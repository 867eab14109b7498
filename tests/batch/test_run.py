"""Running a plan: what is done, skipped, refused and remembered."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_sdcolor.archive.one_file import JobSpec
from napari_sdcolor.batch.outcome import DONE, FAILED, KNOWN
from napari_sdcolor.batch.pipeline import Pipeline
from napari_sdcolor.batch.plan import make_plan
from napari_sdcolor.batch.worker import Worker
from napari_sdcolor.core.cancel import CancelToken
from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.core.weights import describe_again, load_part
from napari_sdcolor.errors import PlanError
from napari_sdcolor.settings import Settings

WEIGHTS = {
    'color': '1',
    'segmentation': '2',
    'segmentation.temperature': '1.0',
}


def statuses(out: Path) -> dict[str, str]:
    lines = (out / 'sdcolor-journal.jsonl').read_text().splitlines()
    records = [json.loads(line) for line in lines]
    return {
        record['key']: record['status']
        for record in records
        if 'key' in record
    }


class Watcher:
    """Remembers the outcomes; may stop after some of them."""

    def __init__(self, stop_after: int = 0) -> None:
        self.outcomes = []
        self.token = CancelToken()
        self.stop_after = stop_after

    def __call__(self, outcome, progress) -> None:
        self.outcomes.append(outcome)
        if len(self.outcomes) == self.stop_after:
            self.token.cancel()

    def by_status(self, status: str) -> list[str]:
        return [one.key for one in self.outcomes if one.status == status]


def test_everything_is_colored_and_no_input_touched(
    scans, out, run_plan, contents, untouched
):
    before = untouched(scans)
    summary = run_plan(scans, out)
    assert untouched(scans) == before
    assert summary.progress.colored == 4
    assert not summary.failed
    assert sorted(contents(out)) == sorted(
        f'{key}{suffix}'
        for key in ('a', 'b', 'box 1/a', 'box 1/deep/c')
        for suffix in ('.color.tif', '.labels.png', '.sdcolor.json')
    )
    assert set(statuses(out).values()) == {DONE}
    assert not list(out.rglob('.*.part'))
    assert not (out / '.sdcolor-lock').exists()


def test_a_read_only_input_folder(scans, out, run_plan, untouched):
    for path in (*scans.rglob('*'), scans):
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = untouched(scans)
    try:
        assert not run_plan(scans, out).failed
        assert untouched(scans) == before
    finally:
        for path in (scans, *scans.rglob('*')):
            path.chmod(0o755)


def test_a_second_run_only_checks(scans, out, run_plan, monkeypatch):
    run_plan(scans, out)
    before = {path: path.stat().st_mtime_ns for path in out.rglob('*.tif')}
    watcher = Watcher()
    monkeypatch.delattr(Colorizer, 'colorize')  # it is not asked
    summary = run_plan(scans, out, observers=[watcher])
    assert watcher.by_status(KNOWN) == ['a', 'b', 'box 1/a', 'box 1/deep/c']
    assert summary.progress.known == 4
    assert before == {p: p.stat().st_mtime_ns for p in out.rglob('*.tif')}


def test_new_photos_are_added(scans, out, run_plan, make_scans):
    run_plan(scans, out)
    make_scans(['z.png', 'box 2/new.png'])
    watcher = Watcher()
    run_plan(scans, out, observers=[watcher])
    assert watcher.by_status(DONE) == ['z', 'box 2/new']


def test_a_limit(scans, out, run_plan):
    assert run_plan(scans, out, limit=3).progress.colored == 3
    summary = run_plan(scans, out, limit=3)
    assert (summary.progress.colored, summary.progress.known) == (1, 3)


def test_broken_and_foreign_files_do_not_stop_the_others(scans, out, run_plan):
    (scans / 'box 1' / 'broken.tif').write_bytes(b'II*\0garbage')
    (scans / 'empty.png').write_bytes(b'')
    (scans / 'text.jpg').write_text('no photo')
    (scans / 'nowhere.tif').symlink_to('missing.tif')
    os.mkfifo(scans / 'pipe.tif')
    (scans / 'notes.txt').write_text('x')
    summary = run_plan(scans, out)
    assert summary.progress.colored == 4
    failed = {Path(path).name: reason for path, reason in summary.failed}
    assert set(failed) == {
        'broken.tif',
        'empty.png',
        'text.jpg',
        'nowhere.tif',
        'pipe.tif',
    }
    assert all(reason.endswith('.') for reason in failed.values())
    assert [Path(path).name for path, _ in summary.skipped] == ['notes.txt']
    assert not list(out.rglob('broken*'))


def test_a_failed_photo_is_tried_again(scans, out, run_plan, make_scans):
    good = (scans / 'a.png').read_bytes()
    (scans / 'a.png').write_bytes(good[:100])
    assert len(run_plan(scans, out).failed) == 1
    assert statuses(out)['a'] == FAILED
    (scans / 'a.png').write_bytes(good)
    assert not run_plan(scans, out).failed
    assert statuses(out)['a'] == DONE


@pytest.mark.parametrize(
    'name', ['a.color.tif', 'a.labels.png', 'a.sdcolor.json']
)
def test_foreign_results_are_refused_and_kept(
    scans, out, run_plan, name, worker
):
    out.mkdir()
    (out / name).write_bytes(b'precious')
    for _ in range(2):
        summary = run_plan(scans, out)
        ((path, reason),) = summary.failed
        assert path == str(scans / 'a.png')
        assert name in reason
        assert 'never overwritten' in reason
        assert (out / name).read_bytes() == b'precious'
        assert len(list(out.glob('a.*'))) == 1


def test_results_of_colorize_are_foreign_too(scans, out, run_plan, sdcolor):
    assert sdcolor('colorize', scans / 'a.png', '-o', out).exit_code == 0
    summary = run_plan(scans, out)
    assert [path for path, _ in summary.failed] == [str(scans / 'a.png')]


@pytest.mark.parametrize(
    'name', ['a.color.tif', 'a.labels.png', 'a.sdcolor.json']
)
def test_a_changed_result_is_kept_and_told(scans, out, run_plan, name):
    run_plan(scans, out)
    with (out / name).open('ab') as stream:
        stream.write(b'!')
    changed = (out / name).read_bytes()
    summary = run_plan(scans, out)
    ((path, reason),) = summary.failed
    assert 'was changed after it was written' in reason
    assert (out / name).read_bytes() == changed
    assert summary.progress.known == 3
    # What is known stays known: undo the change, and all is well.
    (out / name).write_bytes(changed[:-1])
    assert not run_plan(scans, out).failed


@pytest.mark.parametrize(
    'names',
    [
        ['a.color.tif'],
        ['a.labels.png'],
        ['a.sdcolor.json'],
        ['a.color.tif', 'a.labels.png', 'a.sdcolor.json'],
    ],
)
def test_a_missing_result_is_made_again(scans, out, run_plan, contents, names):
    run_plan(scans, out)
    before = contents(out)
    for name in names:
        (out / name).unlink()
    summary = run_plan(scans, out)
    assert not summary.failed
    assert (summary.progress.colored, summary.progress.known) == (1, 3)
    assert contents(out) == before


def test_a_changed_photo_is_told(scans, out, run_plan, contents):
    run_plan(scans, out)
    before = contents(out)
    Image.fromarray(np.eye(40, dtype=np.uint8) * 255).save(scans / 'a.png')
    summary = run_plan(scans, out)
    ((_, reason),) = summary.failed
    assert 'was changed after it was colored' in reason
    assert contents(out) == before


def test_a_new_map_is_told(scans, out, run_plan, contents):
    run_plan(scans, out)
    before = contents(out)
    Image.fromarray(np.zeros((64, 90), np.uint8)).save(scans / 'a.labels.png')
    summary = run_plan(scans, out)
    ((_, reason),) = summary.failed
    assert 'map' in reason
    assert contents(out) == before


def test_maps_beside_the_photos_are_used_and_recorded(
    scans, out, run_plan, contents
):
    run_plan(scans, out)
    labels = np.full((64, 90), 7, np.uint8)
    labels[:, :40] = 36
    Image.fromarray(labels).save(scans / 'a.labels.png')
    other = out.parent / 'other'
    watcher = Watcher()
    assert not run_plan(scans, other, observers=[watcher]).failed
    with Image.open(other / 'a.labels.png') as image:
        np.testing.assert_array_equal(np.array(image), labels)
    sidecar = json.loads((other / 'a.sdcolor.json').read_text())
    (page,) = sidecar['pages']
    assert page['labels']['origin'] == 'a.labels.png'
    assert page['labels']['edited_share'] > 0.5
    outcome = next(one for one in watcher.outcomes if one.key == 'a')
    assert outcome.maps[0][1]
    assert outcome.confidence is None
    one, two = contents(out), contents(other)
    assert one['a.color.tif'] != two['a.color.tif']
    assert one['box 1/a.color.tif'] == two['box 1/a.color.tif']
    assert run_plan(scans, other).progress.known == 4


@pytest.mark.parametrize(
    'change',
    [
        {'spec': JobSpec(Settings(size=64, saturation=0.5))},
        {'spec': JobSpec(Settings(size=64), page=0)},
        {'spec': JobSpec(Settings(size=64), 'png')},
        {'spec': JobSpec(Settings(size=64), dtype='float16')},
        {'weights': {'color': 'other', 'segmentation': '2'}},
        {'weights': WEIGHTS | {'segmentation.temperature': '1.4'}},
    ],
)
def test_other_settings_are_refused(scans, out, run_plan, untouched, change):
    run_plan(scans, out, weights=WEIGHTS)
    before = untouched(out)
    with pytest.raises(PlanError, match='other settings.*was .* now '):
        run_plan(scans, out, **change)
    after = untouched(out)
    # The lock came and went in the folder itself.
    del before[str(out)], after[str(out)]
    assert after == before


def test_journals_of_before_tell_no_configuration(scans, out, run_plan):
    digests = {'color': '1', 'segmentation': '2'}
    run_plan(scans, out, weights=digests)
    assert run_plan(scans, out, weights=WEIGHTS).progress.known == 4
    other = WEIGHTS | {'segmentation.temperature': '1.4'}
    with pytest.raises(PlanError, match=r"temperature was '1\.0' and is now"):
        run_plan(scans, out, weights=other)


def test_calibrated_weights_are_others(
    scans, out, sdcolor, models_folder, tiny_model
):
    assert sdcolor('batch', scans, '-o', out).exit_code == 0
    path = models_folder / f'{tiny_model}.segmentation.safetensors'
    part = load_part(path)
    config = part.network.config.to_dict() | {'temperature': 1.4}
    again = path.with_name('again.safetensors')
    describe_again(path, again, config, part.training)
    again.replace(path)
    result = sdcolor('batch', scans, '-o', out)
    assert result.exit_code == 2
    assert 'temperature' in result.stderr


def test_journals_of_before_tell_no_data_type(scans, out, run_plan):
    run_plan(scans, out)
    journal = out / 'sdcolor-journal.jsonl'
    words = journal.read_text()
    assert words.count('"dtype": "float32", ') == 1
    journal.write_text(words.replace('"dtype": "float32", ', ''))
    assert run_plan(scans, out).progress.known == 4
    other = JobSpec(Settings(size=64), dtype='float16')
    journal.write_text(words.replace('"dtype": "float32", ', ''))
    with pytest.raises(PlanError, match="dtype was 'float32'"):
        run_plan(scans, out, spec=other)


def test_the_device_may_change(scans, out, run_plan):
    run_plan(scans, out)
    spec = JobSpec(Settings(size=64, device='cpu'))
    assert run_plan(scans, out, spec=spec).progress.known == 4


@pytest.mark.parametrize('name', ['sdcolor-report.csv', 'sdcolor-report.html'])
def test_a_report_of_somebody_else_is_kept(scans, out, run_plan, name):
    out.mkdir()
    (out / name).write_text('mine')
    with pytest.raises(PlanError, match='no journal'):
        run_plan(scans, out)
    assert os.listdir(out) == [name]
    assert (out / name).read_text() == 'mine'


def test_low_confidence_is_flagged(scans, out, run_plan):
    summary = run_plan(scans, out, confidence=1.0)
    assert len(summary.flagged) == 4
    # Another threshold needs no new colors.
    assert run_plan(scans, out, confidence=0.0).flagged == ()
    assert len(run_plan(scans, out, confidence=1.0).flagged) == 4


def test_stopping_and_going_on(scans, out, run_plan, contents):
    run_plan(scans, out)
    for number in range(1, 4):
        folder = out.parent / f'stopped {number}'
        watcher = Watcher(number)
        summary = run_plan(
            scans, folder, observers=[watcher], token=watcher.token
        )
        assert summary.stopped
        assert number <= summary.progress.colored <= number + 2
        assert not list(folder.rglob('.*.part'))
        summary = run_plan(scans, folder)
        assert not summary.stopped
        assert summary.progress.known >= number
        assert contents(folder) == contents(out)


def test_an_error_of_an_observer_leaves_a_resumable_state(
    scans, out, run_plan, contents
):
    class Bang(Exception):
        pass

    def observer(outcome, progress):
        if outcome.key == 'b':
            raise Bang

    with pytest.raises(Bang):
        run_plan(scans, out, observers=[observer])
    assert not (out / '.sdcolor-lock').exists()
    run_plan(scans, out)
    whole = out.parent / 'whole'
    run_plan(scans, whole)
    assert contents(out) == contents(whole)


def test_work_may_come_back_in_any_order(
    scans, out, run_plan, contents, worker
):
    def backwards(tasks):
        for task in reversed(list(tasks)):
            yield worker(task)

    run_plan(scans, out, work=backwards)
    other = out.parent / 'other'
    run_plan(scans, other)
    assert contents(out) == contents(other)
    assert run_plan(scans, out).progress.known == 4


def test_progress(scans, out, run_plan):
    (scans / 'broken.tif').write_bytes(b'')
    seen = []

    def observer(outcome, progress):
        seen.append((progress.done, progress.total, progress.remaining))

    run_plan(scans, out, observers=[observer])
    assert [done for done, _, _ in seen] == [1, 2, 3, 4, 5]
    assert {total for _, total, _ in seen} == {5}
    assert all(left is not None and left >= 0 for _, _, left in seen)
    assert seen[-1][2] == 0


class Album:
    """A file of three pages and its folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        y, x = np.mgrid[:40, :56]
        self.pages = np.stack(
            [(step * x + 3 * y) % 256 for step in (2, 5, 11)]
        ).astype(np.uint8)
        tifffile.imwrite(
            folder / 'album.tif',
            self.pages,
            photometric='minisblack',
            compression='zlib',
        )


@pytest.fixture
def album(tmp_path):
    return Album(tmp_path / 'albums')


def test_pages(album, out, run_plan, worker):
    labels = np.full((64, 90), 9, np.uint8)
    Image.fromarray(labels).save(album.folder / 'album.p0001.labels.png')
    watcher = Watcher()
    summary = run_plan(album.folder, out, observers=[watcher])
    assert not summary.failed
    names = {path.name for path in out.glob('album.*')}
    assert names == {
        'album.color.tif',
        'album.p0000.labels.png',
        'album.p0001.labels.png',
        'album.p0002.labels.png',
        'album.sdcolor.json',
    }
    (outcome,) = watcher.outcomes
    assert [bool(digest) for _, digest in outcome.maps] == [False, True, False]
    assert run_plan(album.folder, out).progress.known == 1
    direct = worker(make_plan([album.folder], out.parent / 'direct').tasks[0])
    assert (
        direct.outputs['album.color.tif']
        == (outcome.outputs['album.color.tif'])
    )


def test_a_damaged_page_fails_the_whole_file(album, out, run_plan):
    path = album.folder / 'album.tif'
    with tifffile.TiffFile(path) as tif:
        offset = tif.pages[1].dataoffsets[0]
    data = bytearray(path.read_bytes())
    data[offset : offset + 40] = b'?' * 40
    path.write_bytes(data)
    summary = run_plan(album.folder, out)
    assert len(summary.failed) == 1
    assert not list(out.glob('album.*'))
    assert not list(out.glob('.*.part'))


def test_an_album_in_a_format_without_pages(
    album, out, run_plan, tiny_colorizer
):
    spec = JobSpec(Settings(size=64), 'png')
    plan = make_plan([album.folder], out, format='png')
    work = Pipeline(Worker(spec, tiny_colorizer))
    summary = run_plan(plan, spec=spec, work=work)
    ((_, reason),) = summary.failed
    assert '3 pages' in reason


@pytest.mark.parametrize('name', ['outputs', 'maps', 'source_sha256'])
def test_a_record_that_proves_nothing_is_no_record(
    scans, out, run_plan, contents, name
):
    run_plan(scans, out)
    before = contents(out)
    journal = out / 'sdcolor-journal.jsonl'
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    for line in lines:
        if line.get('status') == DONE:
            del line[name]
    journal.write_text(''.join(f'{json.dumps(line)}\n' for line in lines))
    summary = run_plan(scans, out)
    assert not summary.failed
    assert summary.progress.known == 0
    assert summary.progress.colored == 4
    after = contents(out)
    colored = [path for path in before if path.endswith('.color.tif')]
    assert len(colored) == 4
    assert all(after[path] == before[path] for path in colored)
