"""Sidecars that another program, a bad disk or a foe left behind."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

Content = dict[str, Any]


def _at(content: Content, place: str) -> tuple[Any, Any]:
    """What holds a place such as 'pages.0.photo', and its key there."""
    holder: Any = content
    *steps, last = [
        int(step) if step.isdigit() else step for step in place.split('.')
    ]
    for step in steps:
        holder = holder[step]
    return holder, last


def _set(place: str, value: Any) -> Callable[[Content], bytes]:
    def change(content: Content) -> bytes:
        holder, key = _at(content, place)
        holder[key] = value
        return json.dumps(content).encode()

    return change


def _without(place: str) -> Callable[[Content], bytes]:
    def change(content: Content) -> bytes:
        holder, key = _at(content, place)
        del holder[key]
        return json.dumps(content).encode()

    return change


def _text(place: str, literal: str) -> Callable[[Content], bytes]:
    """A value that Python would not write."""

    def change(content: Content) -> bytes:
        data = _set(place, '@here@')(content)
        return data.replace(b'"@here@"', literal.encode())

    return change


def _pages(
    count: int, number: Callable[[int], int | None]
) -> Callable[[Content], bytes]:
    def change(content: Content) -> bytes:
        (page,) = content['pages']
        content['pages'] = [
            page | {'page': number(place)} for place in range(count)
        ]
        return json.dumps(content).encode()

    return change


def _dumped(content: Content) -> str:
    return json.dumps(content)


_DEEP = '[' * 200 + ']' * 200
_EDIT = {'from': 1, 'to': 2, 'pixels': 3, 'box': [0, 0, 1, 1]}

BROKEN: dict[str, Callable[[Content], bytes]] = {
    # no JSON, or none of ours
    'empty': lambda content: b'',
    'no JSON': lambda content: b'Dear archivist,',
    'cut': lambda content: _dumped(content).encode()[:-9],
    'zeros': lambda content: bytes(4096),
    'null': lambda content: b'null',
    'a number': lambda content: b'3',
    'a list': lambda content: b'[{}]',
    'an empty object': lambda content: b'{}',
    'two objects': lambda content: 2 * _dumped(content).encode(),
    'no UTF-8': lambda content: b'{"format": "\xff\xfe"}',
    'byte order mark': lambda content: (
        b'\xef\xbb\xbf' + _dumped(content).encode()
    ),
    'UTF-16': lambda content: _dumped(content).encode('utf-16'),
    'too deep to parse': lambda content: b'[' * 100_000,
    'deep in a free place': _text('settings.more', _DEEP),
    'deep in the weights': _text(
        'model.config', '{"a":' * 150 + '1' + '}' * 150
    ),
    'larger than most': lambda content: (
        _dumped(content).encode() + b' ' * 17 * 2**20
    ),
    'many values': lambda content: b'[' + b',' * 2**24 + b']',
    'half a letter': _text('notes', '["\\ud800"]'),
    'half a letter as a name': _text('result.file', '"\\udc00.tif"'),
    'twice the same key': lambda content: (
        b'{"format": "x",' + _dumped(content).encode()[1:]
    ),
    # versions
    'no format': _without('format'),
    'another format': _set('format', 99),
    'an older format': _set('format', 1),
    'a negative format': _set('format', -3),
    'a format in words': _set('format', '3'),
    'true as format': _set('format', True),
    'a huge format': _text('format', '1' + '0' * 5000),
    # what is missing
    **{
        f'without {place}': _without(place)
        for place in (
            *('source', 'result', 'pages', 'settings', 'model', 'run'),
            *('pages.0.photo', 'pages.0.labels', 'result.file'),
            *('pages.0.photo.tone_window', 'settings.size'),
        )
    },
    # wrong types
    'source is a list': _set('source', []),
    'pages is an object': _set('pages', {}),
    'no pages': _set('pages', []),
    'a page is null': _set('pages', [None]),
    'notes is a text': _set('notes', 'a note'),
    'model is null': _set('model', None),
    'a width in words': _set('pages.0.photo.width', '61'),
    'true as width': _set('pages.0.photo.width', True),
    'a negative height': _set('pages.0.photo.height', -5),
    'half a page': _set('pages.0.page', 0.5),
    'a page as float': _set('pages.0.page', 0.0),
    'a size as float': _set('settings.size', 64.0),
    'a kind of source in numbers': _set('settings.source_type', 5),
    'weights as list': _set('settings.weights', ['tiny']),
    'saturation as list': _set('settings.saturation', [1]),
    'a window of no tones': _set('settings.window', 'x,y'),
    'an unknown device': _set('settings.device', 'abacus'),
    'an unknown data type': _set('model.dtype', 'decimal'),
    'an unknown setting': _set('settings.flavor', 'vanilla'),
    'an unknown key': _set('extra', 1),
    # beyond all measure
    'NaN': _text('settings.saturation', 'NaN'),
    'infinity': _text('pages.0.photo.tone_window', '[0, Infinity]'),
    'a float beyond measure': _text('settings.saturation', '1e999'),
    'a whole number beyond measure': _set('settings.more', 10**300),
    'a window beyond measure': _set('pages.0.photo.tone_window', [0, 10**400]),
    'a huge size': _set('settings.size', 10**9),
    'a tiny size': _set('settings.size', 1),
    'a huge saturation': _set('settings.saturation', 1e300),
    'many threads': _set('run.threads', 10**9),
    'many photos in a pass': _set('run.batch_size', 10**12),
    'photos in a pass as float': _set('run.batch_size', 3.0),
    'many edits': _set('pages.0.labels.edits', [_EDIT] * 4000),
    'many notes': _set('notes', ['a note'] * 5000),
    'a long note': _set('notes', ['n' * 10**6]),
    'many texts': _set(
        'pages.0.photo.texts', {str(n): 'x' for n in range(500)}
    ),
    'a long text': _set('pages.0.photo.texts', {'Artist': 'J' * 10**6}),
    'a long name': _set('source.file', 'n' * 5000),
    'a long place': _set('run.source_path', '/n' * 20000),
    'a long window': _set('settings.window', '1' * 10**6),
    'many scales': _set('run.placement', {'scale': [1] * 20000}),
    'a long unit': _set('run.placement', {'units': ['9**' * 999, 'm']}),
    'a unit to compute': _set(
        'run.placement', {'units': ['9**9**9**9', 'pixel']}
    ),
    'a flat affine': _set('run.placement', {'affine': [[0] * 3] * 3}),
    'odd labels': _set('run.placement', {'axis_labels': [1, 2]}),
    'a window upside down': lambda content: _set(
        'pages.0.photo',
        content['pages'][0]['photo']
        | {'tone_rule': 'recorded', 'tone_window': [9, 9]},
    )(content),
    # pages that there are not
    'one page many times': _pages(250, lambda place: 0),
    'one photo many times': _pages(250, lambda place: None),
    'pages that are not there': _pages(250, lambda place: place),
    'a page that is not there': _set('pages.0.page', 7),
    'a page beyond measure': _set('pages.0.page', 10**15),
    # names that lead elsewhere
    **{
        f'{place} is {name!r}': _set(place, name)
        for place in ('source.file', 'result.file', 'pages.0.labels.file')
        for name in ('../../x', '/etc/passwd', '..', '.', 'a\0b')
    },
    'a map of no name': _set('pages.0.labels.file', ''),
    'a place with a NUL': _set('run.source_path', '/a\0b'),
    'a device as the photo': lambda content: _set(
        'source', content['source'] | {'file': 'zero'}
    )(_moved(content, '/dev/zero')),
}


def _moved(content: Content, place: str) -> Content:
    content['run']['source_path'] = place
    return content


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _loop(path: Path) -> None:
    path.symlink_to(path)


def _dangling(path: Path) -> None:
    path.symlink_to(path.with_name('nowhere'))


def _device(path: Path) -> None:
    path.symlink_to('/dev/zero')


def _sparse(path: Path) -> None:
    with path.open('wb') as stream:
        stream.truncate(300 * 2**20)


THINGS: dict[str, Callable[[Path], object]] = {
    'a pipe': _fifo,
    'a loop of links': _loop,
    'a link to nowhere': _dangling,
    'a device': _device,
    'a folder': Path.mkdir,
    'a huge file': _sparse,
}
"""What else may lie under the name of a file."""


def broken(name: str, content: Content) -> bytes:
    """A sidecar that is broken in the way that the name says."""
    return BROKEN[name](deepcopy(content))
