"""Sidecars of the first format are still read."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest

from napari_sdcolor.archive.sidecar import FORMAT, read_sidecar, window_of
from napari_sdcolor.errors import SdcolorError

SHA = '5e' * 32
ICC = b'a profile'


def first_format() -> dict[str, Any]:
    facts = {
        'width': 61,
        'height': 45,
        'dtype': 'uint8',
        'kind': 'gray',
        'tone_window': [0.0, 255.0],
        'orientation': 6,
        'notes': ['One note.'],
    }
    weights = {
        'name': 'default.color.safetensors',
        'sha256': SHA,
        'encoding': 'lightness',
        'config': {},
        'training': {},
    }
    return {
        'schema': 1,
        'source': {
            'file': 'boat.tif',
            'sha256': SHA,
            'facts': 'TIFF, LZW, 8 bit, strips',
            'page': None,
            'photo_facts': facts,
            'resolution': [300.0, 300.0, 2],
            'texts': {'Artist': 'José'},
            'icc_base64': base64.b64encode(ICC).decode(),
        },
        'result': {
            'file': 'boat.color.tif',
            'sha256': SHA,
            'format': 'tiff',
            'bits': 8,
            'width': 61,
            'height': 45,
        },
        'labels': {
            'file': 'boat.labels.png',
            'sha256': SHA,
            'origin': 'predicted',
            'mean_confidence': 0.5,
            'edited_share': None,
        },
        'settings': {
            'size': 352,
            'saturation': 1.0,
            'window': 'auto',
            'device': 'auto',
            'weights': 'default',
        },
        'model': {'device': 'cpu', 'dtype': 'float32', 'color': weights},
        'software': {'napari-sdcolor': '0.1.0', 'python': '3.11.7'},
        'command': ['sdcolor', 'colorize', 'boat.tif'],
        'notes': ['One note.'],
        'run': {'source_path': 'box 3/boat.tif'},
    }


def written(path, content) -> dict[str, Any]:
    path.write_text(json.dumps(content), encoding='utf-8')
    return read_sidecar(path)


def test_one_photo(tmp_path):
    content = written(tmp_path / 'boat.sdcolor.json', first_format())
    assert content['format'] == FORMAT
    (page,) = content['pages']
    digest = hashlib.sha256(ICC).hexdigest()
    assert page['photo']['icc_sha256'] == digest
    assert base64.b64decode(content['profiles'][digest]) == ICC
    assert page['photo']['orientation'] == 6
    assert page['photo']['tone_window'] == [0, 255]
    assert page['photo']['tone_rule'] == 'recorded'
    window = window_of(content, 0)
    assert (window.low, window.high) == (0, 255)
    assert page['photo']['texts'] == {'Artist': 'José'}
    assert page['labels']['origin'] == 'predicted'
    assert page['labels']['edits'] is None
    assert page['notes'] == ['One note.']
    assert content['model']['color']['tensors_sha256'] == SHA
    assert 'sha256' not in content['model']['color']


def test_several_pages(tmp_path):
    old = first_format()
    page = {
        'photo_facts': old['source']['photo_facts'],
        'labels': old.pop('labels'),
        'notes': [],
    }
    old['pages'] = [page, page]
    content = written(tmp_path / 'boat.sdcolor.json', old)
    assert [page['page'] for page in content['pages']] == [0, 1]


@pytest.mark.parametrize('key', ['labels', 'result', 'model', 'run'])
def test_damaged_ones_end_in_a_sentence(tmp_path, key):
    old = first_format()
    del old[key]
    with pytest.raises(SdcolorError, match=r'boat.sdcolor.json .*damaged'):
        written(tmp_path / 'boat.sdcolor.json', old)
