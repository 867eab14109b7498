"""Settings that one photo has of its own: used, recorded, replayed."""

from __future__ import annotations

import json
import os

import pytest
from typer.testing import CliRunner

from napari_sdcolor.archive.labels import read_ids
from napari_sdcolor.batch.corrections import save_maps
from napari_sdcolor.batch.journal import read_records
from napari_sdcolor.batch.outcome import CORRECTED
from napari_sdcolor.batch.photo_settings import (
    own_of,
    read_own,
    save_own,
    with_own,
)
from napari_sdcolor.batch.plan import make_plan
from napari_sdcolor.batch.status import read_statuses
from napari_sdcolor.batch.task import EDITED_MAPS, OWN_SETTINGS
from napari_sdcolor.cli import app
from napari_sdcolor.settings import Settings, SettingsError

KEY = 'box 1/a'


def keep(out, own):
    """Save a photo's map as it is, with settings of its own."""
    labels = read_ids(out / f'{KEY}.labels.png').astype('uint8')
    save_own(out, KEY, own)
    save_maps(out, KEY, [(None, labels)])


def sidecar(out):
    return json.loads((out / f'{KEY}.sdcolor.json').read_text())


@pytest.mark.parametrize(
    'own', [{'saturation': 0.4}, {'window': '20,180'}, {'size': 96}]
)
def test_own_settings_are_used_recorded_and_replayed(
    scans, out, run_plan, contents, own, tmp_path
):
    run_plan(scans, out)
    before = contents(out)
    keep(out, own)
    plan = make_plan([scans], out)
    status = {item.key: item.status for item in read_statuses(plan)}
    assert status[KEY] == CORRECTED
    summary = run_plan(plan)
    assert not summary.failed
    assert summary.progress.colored == 1
    assert contents(out)[f'{KEY}.color.tif'] != before[f'{KEY}.color.tif']
    told = sidecar(out)['settings']
    assert {name: told[name] for name in own} == own
    assert read_records(out)[KEY]['own'] == own
    report = json.loads((out / 'sdcolor-report.json').read_text())
    assert 'settings of its own' in json.dumps(report)
    # Nothing is left to do, and elsewhere the same comes out.
    assert run_plan(plan).progress.colored == 0
    other = tmp_path / 'other'
    run_plan(make_plan([scans], other, labels=out / EDITED_MAPS))
    names = [f'{KEY}{end}' for end in ('.color.tif', '.labels.png')]
    mine, theirs = contents(out), contents(other)
    assert [mine[name] for name in names] == [theirs[name] for name in names]
    assert read_records(other)[KEY]['own'] == own


def test_settings_that_are_taken_back_color_the_photo_anew(
    scans, out, run_plan, contents
):
    run_plan(scans, out)
    before = contents(out)
    for own in ({'saturation': 0.0}, {}):
        keep(out, own)
        assert run_plan(scans, out).progress.colored == 1
    assert contents(out)[f'{KEY}.color.tif'] == before[f'{KEY}.color.tif']
    assert not list((out / EDITED_MAPS).rglob(f'*{OWN_SETTINGS}'))
    assert 'own' not in read_records(out)[KEY]


def test_settings_of_a_folder_of_maps_are_held_against_the_result(
    scans, out, run_plan, tmp_path
):
    maps = tmp_path / 'maps'
    place = maps / f'{KEY}{OWN_SETTINGS}'
    place.parent.mkdir(parents=True)
    place.write_text('{"saturation": 2}')
    run_plan(make_plan([scans], out, labels=maps))
    place.write_text('{"saturation": 1.5}')
    summary = run_plan(make_plan([scans], out, labels=maps))
    ((_, reason),) = summary.failed
    assert 'The settings of' in reason
    assert sidecar(out)['settings']['saturation'] == 2


@pytest.mark.parametrize(
    'text', ['', '[]', '{"weights": "x"}', '{"saturation": 9}', '{"size": []}']
)
def test_settings_that_cannot_be_used_fail_their_photo(
    scans, out, run_plan, text
):
    run_plan(scans, out)
    keep(out, {'saturation': 2.0})
    path = out / EDITED_MAPS / f'{KEY}{OWN_SETTINGS}'
    path.write_text(text)
    summary = run_plan(scans, out)
    ((_, reason),) = summary.failed
    assert str(path) in reason
    with pytest.raises(SettingsError):
        read_own(str(path))
    # The earlier result stays until there is a better one.
    assert sidecar(out)['settings']['saturation'] == 1
    path.write_text('{"saturation": 0.5}')
    assert not run_plan(scans, out).failed
    assert sidecar(out)['settings']['saturation'] == 0.5


def test_what_differs_is_a_photos_own():
    batch = Settings(size=512, saturation=0.8)
    photo = Settings(size=512, saturation=1.0, window='0,4095')
    own = own_of(photo, batch)
    assert own == {'saturation': 1.0, 'window': '0,4095'}
    assert with_own(batch, own) == photo


def test_the_command_line_does_the_same_and_replay_agrees(
    scans, out, tiny_model, contents
):
    words = ['batch', str(scans), '-o', str(out), '--weights', tiny_model]
    words += ['--size', '64', '--device', 'cpu']
    assert CliRunner().invoke(app, words).exit_code == 0
    keep(out, {'saturation': 0.3, 'window': 'minmax'})
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert sidecar(out)['settings']['saturation'] == 0.3
    path = str(out / f'{KEY}.sdcolor.json')
    source = next(scans.glob(f'{KEY}.*'))
    replayed = CliRunner().invoke(
        app, ['replay', path, '--source', str(source)]
    )
    assert replayed.exit_code == 0, replayed.output


@pytest.mark.parametrize(
    'content',
    [
        b'',
        b'[]',
        b'null',
        b'"size"',
        b'[' * 100_000,
        b'{"size": true}',
        b'{"size": 352.5}',
        b'{"size": "large"}',
        b'{"size": null}',
        b'{"size": [64]}',
        b'{"size": 1' + b'0' * 5000 + b'}',
        b'{"saturation": NaN}',
        b'{"saturation": 1e999}',
        b'{"saturation": false}',
        b'{"saturation": {}}',
        b'{"window": 7}',
        b'{"window": ["auto"]}',
        b'{"window": "' + b'9' * 10**5 + b'"}',
        b'{"window": "\\ud800"}',
        b'{"device": "cpu"}',
        b'\xff\xfe',
        b' ' * (2**24 + 1),
    ],
    ids=lambda content: content[:20].decode('latin-1'),
)
def test_odd_content_is_a_sentence(tmp_path, content):
    path = tmp_path / 'a.settings.json'
    path.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        read_own(str(path))
    words = str(caught.value)
    assert words.startswith(str(path))
    assert words.endswith('.')
    assert len(words) < 600


@pytest.mark.skipif(os.name != 'posix', reason='needs devices')
def test_settings_lie_in_a_file(tmp_path):
    for path in ('/dev/zero', str(tmp_path)):
        with pytest.raises(SettingsError, match='not a file'):
            read_own(path)
