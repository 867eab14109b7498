"""Sidecars of older formats, brought into the present one."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from copy import deepcopy
from hashlib import sha256
from typing import Any

from napari_sdcolor.core.tone import ToneWindow


def upgraded(content: dict[str, Any]) -> dict[str, Any]:
    """A sidecar in the present format.

    What an older one lacks stays away; the schema then says so.
    """
    try:
        if 'format' not in content:
            content = _from_first(deepcopy(content))
        if content['format'] == 2:
            content = _from_second(deepcopy(content))
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        TypeError,
        ValueError,
    ):
        pass
    return content


def _from_first(old: dict[str, Any]) -> dict[str, Any]:
    """Format 1: one photo at the top, further pages beside it."""
    source, result = old['source'], old['result']
    profiles, digest = {}, None
    if source.get('icc_base64'):
        digest = sha256(b64decode(source['icc_base64'])).hexdigest()
        profiles[digest] = source['icc_base64']
    shared = {
        'facts': source.get('facts', ''),
        'resolution': source.get('resolution'),
        'texts': source.get('texts', {}),
        'icc_sha256': digest,
    }
    pages = old.get('pages') or [
        {
            'photo_facts': source['photo_facts'],
            'labels': old['labels'],
            'notes': old.get('notes', []),
        }
    ]
    several = len(pages) > 1
    return {
        'format': 2,
        'source': {'file': source['file'], 'sha256': source['sha256']},
        'result': {
            **{
                name: result[name]
                for name in ('file', 'sha256', 'format', 'bits')
            },
            'digital_source_type': None,
        },
        'pages': [
            {
                'page': number if several else source.get('page'),
                'photo': {
                    name: value
                    for name, value in page['photo_facts'].items()
                    if name != 'notes'
                }
                | shared,
                'labels': {**page['labels'], 'edits': None},
                'notes': page.get('notes', []),
            }
            for number, page in enumerate(pages)
        ],
        'profiles': profiles,
        'settings': old['settings'],
        'model': {
            name: _weights(value) for name, value in old['model'].items()
        },
        'software': old['software'],
        'command': old['command'],
        'notes': [],
        'run': old['run'],
    }


def _from_second(old: dict[str, Any]) -> dict[str, Any]:
    """Format 2: tone windows by another rule, which it does not tell."""
    for page in old['pages']:
        photo = page['photo']
        window = ToneWindow.recorded(*map(float, photo['tone_window']))
        photo['tone_rule'] = window.rule
        photo['tones'] = window.sentence
    old['format'] = 3
    return old


def _weights(value: Any) -> Any:
    """Format 1 called the digest of the tensors sha256."""
    if not isinstance(value, Mapping) or 'sha256' not in value:
        return value
    weights = dict(value)
    weights['tensors_sha256'] = weights.pop('sha256')
    weights['file_sha256'] = ''
    return weights
