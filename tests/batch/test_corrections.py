"""Corrected maps: colored anew, the earlier result kept, at any cut."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from napari_sdcolor.archive.labels import read_ids
from napari_sdcolor.batch import corrections, run
from napari_sdcolor.batch.corrections import SUPERSEDED, save_maps
from napari_sdcolor.batch.journal import read_records
from napari_sdcolor.batch.outcome import (
    CORRECTED,
    DONE,
    FAILED,
    WAITING,
)
from napari_sdcolor.batch.plan import make_plan
from napari_sdcolor.batch.status import read_statuses
from napari_sdcolor.batch.task import EDITED_MAPS
from napari_sdcolor.batch.thumbnails import read_thumbnail
from napari_sdcolor.errors import SaveError

KEY = 'box 1/a'


def edited(out):
    """The map of the result with a block painted over."""
    labels = read_ids(out / f'{KEY}.labels.png').astype(np.uint8)
    labels[:20, :20] = (labels[0, 0] + 7) % 60
    return labels


@pytest.fixture
def corrected(scans, out, run_plan):
    """A finished batch, one photo of which got another map since."""
    run_plan(scans, out)
    save_maps(out, KEY, [(None, edited(out))])
    return make_plan([scans], out)


def test_only_the_corrected_photo_is_colored_anew(
    scans, out, corrected, run_plan, contents, untouched
):
    before, masters = contents(out), untouched(scans)
    summary = run_plan(corrected)
    assert not summary.failed
    assert summary.progress.colored == 1
    after = contents(out)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {
        f'{KEY}{end}' for end in ('.color.tif', '.labels.png', '.sdcolor.json')
    }
    kept = out / SUPERSEDED / KEY / '1'
    for name in changed:
        place = f'{SUPERSEDED}/{KEY}/1/{name.rpartition("/")[2]}'
        assert after[place] == before[name]
    assert len(list(kept.iterdir())) == 3
    assert untouched(scans) == masters
    sidecar = json.loads((out / f'{KEY}.sdcolor.json').read_text())
    assert sidecar['pages'][0]['labels']['origin'] == 'a.labels.png'


def test_the_result_is_that_of_the_map_given_from_the_beginning(
    scans, out, corrected, run_plan, contents, tmp_path
):
    run_plan(corrected)
    other = tmp_path / 'other'
    save_maps(
        tmp_path / 'kept',
        KEY,
        [(None, edited_again(out))],
    )
    maps = tmp_path / 'kept' / EDITED_MAPS
    run_plan(make_plan([scans], other, labels=maps))
    mine = contents(out)
    for name, digest in contents(other).items():
        assert mine[name] == digest


def edited_again(out):
    path = out / EDITED_MAPS / f'{KEY}.labels.png'
    return read_ids(path).astype(np.uint8)


def test_afterwards_nothing_is_left_to_do(corrected, run_plan, contents, out):
    run_plan(corrected)
    before = contents(out)
    summary = run_plan(corrected)
    assert summary.progress.known == 4
    assert not summary.failed
    assert contents(out) == before


@pytest.mark.parametrize('cut', ['keep', 'journal', 'color', 'remove'])
def test_cut_off_anywhere_and_run_again(
    corrected, run_plan, contents, out, cut, monkeypatch, worker, scans
):
    class Cut(BaseException):
        pass

    def cutting(*_, **__):
        raise Cut

    with monkeypatch.context() as patch:
        if cut == 'keep':
            patch.setattr(corrections, 'keep_copy', cutting)
        elif cut == 'journal':
            patch.setattr(run.Journal, 'add', cutting)
        elif cut == 'color':
            patch.setattr(worker.colorizer, 'colorize', cutting)
        else:
            module = 'napari_sdcolor.archive.one_file.save_result'
            patch.setattr(module, cutting)
        with pytest.raises(Cut):
            run_plan(corrected)
    assert not run_plan(corrected).failed
    done = read_ids(out / f'{KEY}.labels.png')
    assert np.array_equal(done, edited_again(out))
    records = read_records(out)
    assert {record['status'] for record in records.values()} == {DONE}


def test_a_result_that_somebody_changed_is_not_replaced(
    corrected, run_plan, out
):
    color = out / f'{KEY}.color.tif'
    color.write_bytes(color.read_bytes() + b'retouched')
    summary = run_plan(corrected)
    ((_, reason),) = summary.failed
    assert 'was changed after it was written' in reason
    assert color.read_bytes().endswith(b'retouched')
    assert not list((out / SUPERSEDED / KEY).iterdir())


def test_a_map_that_cannot_be_used_leaves_the_earlier_result(
    corrected, run_plan, out, contents
):
    path = out / EDITED_MAPS / f'{KEY}.labels.png'
    path.write_bytes(path.read_bytes()[:300])
    before = contents(out)
    summary = run_plan(corrected)
    assert len(summary.failed) == 1
    after = contents(out)
    assert all(after[name] == before[name] for name in before)
    save_maps(out, KEY, [(None, edited(out))])
    assert not run_plan(corrected).failed


def test_only_the_chosen_photos_are_worked_on(scans, out, run_plan):
    summary = run_plan(make_plan([scans], out), only={'a', KEY})
    assert summary.progress.colored == 2
    statuses = read_statuses(make_plan([scans], out))
    assert [item.status for item in statuses].count(WAITING) == 2


def test_statuses_tell_what_is_to_be_done(corrected, run_plan, out):
    status = {item.key: item.status for item in read_statuses(corrected)}
    assert status.pop(KEY) == CORRECTED
    assert set(status.values()) == {DONE}
    item = read_statuses(corrected)[0]
    assert 0 < item.confidence < 1
    assert read_thumbnail(out, item.thumbnail_place)[8:12] == b'WEBP'


def test_statuses_survive_torn_lines_and_name_failures(
    make_scans, out, run_plan
):
    scans = make_scans()
    (scans / 'broken.png').write_bytes(b'no picture')
    run_plan(scans, out)
    with (out / 'sdcolor-journal.jsonl').open('ab') as stream:
        stream.write(b'{"key": "a", "sta')
    found = {item.key: item for item in read_statuses(make_plan([scans], out))}
    assert found['a'].status == DONE
    assert found['broken'].status == FAILED
    assert 'broken.png' in found['broken'].reason


def test_maps_of_pages_have_names_of_their_own(tmp_path):
    labels = np.zeros((8, 9), np.uint8)
    paths = save_maps(tmp_path, 'b/x', [(0, labels), (12, labels + 1)])
    assert [path.name for path in paths] == [
        'x.p0000.labels.png',
        'x.p0012.labels.png',
    ]
    # A later correction of the same map replaces the earlier one.
    save_maps(tmp_path, 'b/x', [(0, labels + 2)])
    assert read_ids(paths[0]).max() == 2


def test_a_full_disk_is_told(tmp_path):
    (tmp_path / EDITED_MAPS).write_bytes(b'in the way')
    with pytest.raises(SaveError, match='was not written'):
        save_maps(tmp_path, 'x', [(None, np.zeros((8, 9), np.uint8))])


def test_a_journal_that_names_other_files_replaces_nothing(
    out, corrected, contents
):
    (task,) = (task for task in corrected.tasks if task.key == KEY)
    (done,) = (each for each in read_statuses(corrected) if each.key == KEY)
    before = contents(out)
    wrong = replace(done, outputs={'../other.tif': 'x'})
    with pytest.raises(SaveError, match=r'names .\.\./other\.tif'):
        corrections.keep_superseded(out, task, wrong)
    assert contents(out) == before
