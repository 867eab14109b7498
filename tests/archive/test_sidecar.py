"""What the sidecar tells, and that only ``run`` depends on the moment."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from napari_sdcolor.archive.sidecar import (
    FORMAT,
    build_sidecar,
    collect_profile,
    page_facts,
    read_sidecar,
    result_facts,
    run_facts,
    sidecar_bytes,
)
from napari_sdcolor.errors import SaveError, SdcolorError
from napari_sdcolor.settings import DEFAULT_SOURCE_TYPE, Settings

HASH = '0a' * 32


def sidecar_of(result, form='tiff', **options):
    path = Path('out/boat.color.tif')
    bits = result.photo.bits
    profiles = {}
    collect_profile(profiles, result)
    return build_sidecar(
        result,
        color=result_facts(path, HASH, form, bits, DEFAULT_SOURCE_TYPE),
        pages=[page_facts(result, Path('out/boat.labels.png'), b'l')],
        profiles=profiles,
        **options,
    )


def test_contents(make_result):
    icc = bytes(range(256))
    result = make_result(16, icc=icc, orientation=6, texts=(('Artist', 'J'),))
    predicted = result.labels.copy()
    predicted[:5] = (predicted[:5] + 1) % 60
    result = replace(result, notes=('One note.',), predicted=predicted)
    content = json.loads(sidecar_bytes(sidecar_of(result, notes=['Two.'])))
    assert content['source'] == {
        'file': 'boat.tif',
        'sha256': result.photo.origin.sha256,
    }
    (page,) = content['pages']
    digest = hashlib.sha256(icc).hexdigest()
    assert page['photo']['icc_sha256'] == digest
    assert base64.b64decode(content['profiles'][digest]) == icc
    assert page['photo']['tone_window'] == [0, 65535]
    assert page['photo']['orientation'] == 6
    assert page['photo']['texts'] == {'Artist': 'J'}
    assert (page['photo']['width'], page['photo']['height']) == (61, 45)
    assert content['result'] == {
        'file': 'boat.color.tif',
        'sha256': HASH,
        'format': 'tiff',
        'bits': 16,
        'digital_source_type': DEFAULT_SOURCE_TYPE,
    }
    labels = page['labels']
    edits = labels.pop('edits')
    height, width = result.labels.shape
    assert sum(edit['pixels'] for edit in edits) == 5 * width
    assert labels == {
        'file': 'boat.labels.png',
        'sha256': hashlib.sha256(b'l').hexdigest(),
        'origin': 'predicted',
        'mean_confidence': 0.75,
        'edited_share': 5 / height,
    }
    assert Settings.from_dict(content['settings']) == result.settings
    assert content['model'] == result.model
    assert page['notes'] == ['One note.']
    assert content['notes'] == ['Two.']
    versions = content['software']
    assert versions['numpy'] == np.__version__
    assert {'napari-sdcolor', 'python', 'torch', 'tifffile'} <= set(versions)


def test_command_gives_the_settings_back(make_result):
    command = sidecar_of(make_result())['command']
    assert command[:3] == ['sdcolor', 'colorize', 'boat.tif']
    assert command[command.index('--size') + 1] == '64'
    assert command[command.index('--saturation') + 1] == '1.25'
    assert '--labels' not in command
    given = replace(make_result(), labels_origin='maps/boat.png')
    command = sidecar_of(given, 'png')['command']
    assert command[command.index('--labels') + 1] == 'boat.labels.png'
    assert command[command.index('--format') + 1] == 'png'
    assert '--dtype' not in command
    half = make_result()
    half = replace(half, model={**half.model, 'dtype': 'float16'})
    command = sidecar_of(half)['command']
    assert command[command.index('--dtype') + 1] == 'float16'


def test_only_run_depends_on_the_moment(make_result):
    result = make_result()
    contents = []
    for day, path in ((1, 'here/boat.tif'), (2, '/there/boat.tif')):
        origin = replace(result.photo.origin, path=path)
        photo = replace(result.photo, origin=origin)
        moment = datetime(2031, 5, day, tzinfo=UTC)
        run = run_facts(moment, moment, threads=day)
        contents.append(sidecar_of(replace(result, photo=photo), run=run))
    runs = [content['run'] for content in contents]
    for content in contents:
        content['run'] = {}
    assert sidecar_bytes(contents[0]) == sidecar_bytes(contents[1])
    assert runs[0]['started'] == '2031-05-01T00:00:00+00:00'
    assert runs[1]['source_path'] == '/there/boat.tif'
    assert {'finished', 'host', 'threads'} <= set(runs[0])
    assert b'2031' not in sidecar_bytes(contents[0])


def test_bytes_are_sorted_readable_utf8(make_result):
    result = make_result(texts=(('Artist', 'José'),))
    data = sidecar_bytes(sidecar_of(result))
    assert data.endswith(b'}\n')
    assert 'José'.encode() in data
    keys = list(json.loads(data))
    assert keys == sorted(keys)


def test_facts_of_libraries_become_plain(make_result):
    model = {'score': np.float32(0.5), 'file': Path('a/b'), 'n': np.int64(3)}
    result = replace(make_result(), model=model)
    content = json.loads(sidecar_bytes(sidecar_of(result)))
    assert content['model'] == {'score': 0.5, 'file': 'a/b', 'n': 3}
    for wrong in (float('nan'), {1, 2}):
        result = replace(make_result(), model={'wrong': wrong})
        with pytest.raises(SaveError, match='JSON'):
            sidecar_bytes(sidecar_of(result))


def test_reading_back(tmp_path, make_result):
    path = tmp_path / 'boat.sdcolor.json'
    path.write_bytes(sidecar_bytes(sidecar_of(make_result())))
    assert read_sidecar(path)['source']['file'] == 'boat.tif'
    newer = sidecar_of(make_result()) | {'format': FORMAT + 1}
    path.write_text(json.dumps(newer))
    with pytest.raises(SdcolorError, match='newer'):
        read_sidecar(path)
    for wrong in (
        b'',
        b'[]',
        b'{"schema": 1}',
        b'{"format": 2}',
        b'\xff',
        b'[' * 10**5,
    ):
        path.write_bytes(wrong)
        with pytest.raises(SdcolorError, match='boat.sdcolor.json'):
            read_sidecar(path)
    with pytest.raises(SdcolorError, match='cannot be read'):
        read_sidecar(tmp_path / 'missing.json')
