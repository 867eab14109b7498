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
    SCHEMA,
    build_sidecar,
    labels_facts,
    read_sidecar,
    result_facts,
    run_facts,
    sidecar_bytes,
)
from napari_sdcolor.errors import SaveError, SdcolorError
from napari_sdcolor.settings import Settings


def sidecar_of(result, form='tiff', **options):
    return build_sidecar(
        result,
        color=result_facts(result, Path('out/boat.color.tif'), b'c', form),
        labels=labels_facts(result, Path('out/boat.labels.png'), b'l', 0.1),
        **options,
    )


def test_contents(make_result):
    icc = bytes(range(256))
    result = make_result(16, icc=icc, orientation=6, texts=(('Artist', 'J'),))
    result = replace(result, notes=('One note.',))
    content = json.loads(sidecar_bytes(sidecar_of(result)))
    source = content['source']
    assert source['file'] == 'boat.tif'
    assert source['sha256'] == result.photo.origin.sha256
    assert base64.b64decode(source['icc_base64']) == icc
    assert source['photo_facts']['tone_window'] == [0, 65535]
    assert source['photo_facts']['orientation'] == 6
    assert source['texts'] == {'Artist': 'J'}
    assert content['result'] == {
        'file': 'boat.color.tif',
        'sha256': hashlib.sha256(b'c').hexdigest(),
        'format': 'tiff',
        'bits': 16,
        'width': 61,
        'height': 45,
    }
    assert content['labels'] == {
        'file': 'boat.labels.png',
        'sha256': hashlib.sha256(b'l').hexdigest(),
        'origin': 'predicted',
        'mean_confidence': 0.75,
        'edited_share': 0.1,
    }
    assert Settings.from_dict(content['settings']) == result.settings
    assert content['model'] == result.model
    assert content['notes'] == ['One note.']
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
    told = sidecar_of(make_result(), command=['sdcolor', 'batch'])
    assert told['command'] == ['sdcolor', 'batch']


def test_only_run_depends_on_the_moment(make_result):
    result = make_result()
    contents = []
    for day, path in ((1, 'here/boat.tif'), (2, '/there/boat.tif')):
        origin = replace(result.photo.origin, path=path)
        photo = replace(result.photo, origin=origin)
        moment = datetime(2031, 5, day, tzinfo=UTC)
        run = run_facts(moment, moment, threads=day)
        contents.append(sidecar_of(replace(result, photo=photo), run=run))
    runs = [content.pop('run') for content in contents]
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
    newer = sidecar_of(make_result()) | {'schema': SCHEMA + 1}
    path.write_bytes(sidecar_bytes(newer))
    with pytest.raises(SdcolorError, match='newer'):
        read_sidecar(path)
    for wrong in (b'', b'[]', b'{"schema": 1}', b'\xff', b'[' * 10**5):
        path.write_bytes(wrong)
        with pytest.raises(SdcolorError, match='boat.sdcolor.json'):
            read_sidecar(path)
    with pytest.raises(SdcolorError, match='cannot be read'):
        read_sidecar(tmp_path / 'missing.json')
