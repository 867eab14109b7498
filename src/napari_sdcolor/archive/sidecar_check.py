"""What a sidecar may hold: the published schema, and how far anything goes.

The schema bounds every number, list and text that has a meaning here. What
it leaves open, such as the statement on how weights were made, is bounded
in depth and in number as JSON. Both hold before anything is done with it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from itertools import islice
from pathlib import PurePath
from reprlib import repr as shortened
from typing import TYPE_CHECKING, Any

from napari_sdcolor.archive.scan import refuse_beyond_memory
from napari_sdcolor.core.tone import RECORDED
from napari_sdcolor.opening import parse_json, read_whole

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, ValidationError

MOST_BYTES = 2**28
"""An album of as many pages as are read takes less."""

MOST_VALUES = 2**24
"""Likewise; a value more may be a whole object."""

MOST_DEPTH = 64
"""Lists within lists; ours go to about ten."""

MOST_WHOLE = 2**64
"""No count, size or seed is larger."""

_VALUE_BYTES = 100
"""Memory that a small value takes, with its place in a list or object."""

_MOST_TROUBLE = 100
"""So many troubles are looked at for the one that is told."""


def read_content(path: str | os.PathLike[str]) -> Any:
    """What a JSON file holds, if it can be the content of a sidecar.

    Raises
    ------
    OSError, ValueError
        As ``opening.read_json``, and if it goes beyond all measure.
    PhotoError
        If this machine lacks the memory. The message is the reason only.
    """
    data = read_whole(path, MOST_BYTES)
    # Commas within texts count as well: it is a bound, and quickly found.
    values = sum(data.count(mark) for mark in (b',', b'[', b'{')) + 1
    if values > MOST_VALUES:
        raise ValueError(f'it holds more than {MOST_VALUES} values')
    refuse_beyond_memory(6 * len(data) + _VALUE_BYTES * values)
    content = parse_json(data)
    _refuse_beyond_measure(content)
    return content


def _refuse_beyond_measure(content: object) -> None:
    level, depth = [content], 0
    while level:
        depth += 1
        if depth > MOST_DEPTH:
            raise ValueError('it is nested too deeply')
        below: list[object] = []
        for value in level:
            if isinstance(value, dict):
                below += value.keys()
                below += value.values()
            elif isinstance(value, list):
                below += value
            elif isinstance(value, str):
                _refuse_half_letters(value)
            elif isinstance(value, int) and abs(value) >= MOST_WHOLE:
                raise ValueError('it holds a number beyond all measure')
        level = below


def _refuse_half_letters(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        # Such a text can be neither shown nor be the name of a file.
        raise ValueError('it holds half of a letter') from error


def trouble_with(content: Any) -> str:
    """What speaks against a sidecar; '' if nothing does."""
    from jsonschema.exceptions import best_match

    errors = _validator().iter_errors(content)
    found = best_match(islice(errors, _MOST_TROUBLE))
    if found is not None:
        return _told(found.absolute_path, found.message[:300])
    return next(_beyond_schema(content), '')


def _told(place: Any, words: str) -> str:
    return f'{".".join(map(str, place)) or "it"}: {words}'


def _beyond_schema(content: Mapping[str, Any]) -> Iterator[str]:
    """What a schema cannot say."""
    names = [(('source',), content['source']['file'])]
    names.append((('result',), content['result']['file']))
    for number, page in enumerate(content['pages']):
        place = 'pages', number
        names.append(((*place, 'labels'), page['labels']['file']))
        photo = page['photo']
        low, high = photo['tone_window']
        if photo['tone_rule'] == RECORDED and not low < high:
            place = *place, 'photo', 'tone_window'
            yield _told(place, f'{low:g} is not below {high:g}')
    for place, name in names:
        # Other systems part folders by other signs.
        if name and PurePath(name).name != name:
            yield _told((*place, 'file'), f'{name!r} is no bare file name')


def schema() -> dict[str, Any]:
    """The published JSON Schema of sidecars (draft 2020-12)."""
    file = resources.files(__package__) / 'sidecar.schema.json'
    return json.loads(file.read_text(encoding='utf-8'))


@cache
def _validator() -> Draft202012Validator:
    # Imported here: it takes a tenth of a second.
    from jsonschema import Draft202012Validator, validators

    strict = Draft202012Validator.TYPE_CHECKER.redefine('integer', _is_whole)
    rules = {'items': _items, 'maxItems': _most_items, 'anyOf': _any_of}
    kind = validators.extend(Draft202012Validator, rules, type_checker=strict)
    return kind(schema())


def _is_whole(checker: object, value: object) -> bool:
    """JSON has no whole numbers, but Python tells 2 from 2.0."""
    return isinstance(value, int) and not isinstance(value, bool)


def _items(
    validator: Draft202012Validator,
    items: Any,
    instance: Any,
    schema: Mapping[str, Any],
) -> Iterator[ValidationError]:
    """As the draft has it, but a list that is too long is not gone through."""
    from jsonschema import Draft202012Validator

    if isinstance(instance, list):
        most = schema.get('maxItems', len(instance))
        if len(instance) <= most:
            rule = Draft202012Validator.VALIDATORS['items']
            yield from rule(validator, items, instance, schema)


def _any_of(
    validator: Draft202012Validator,
    kinds: list[Any],
    instance: Any,
    schema: Mapping[str, Any],
) -> Iterator[ValidationError]:
    """As the draft has it, but in words for a person."""
    from jsonschema import ValidationError

    if not any(
        validator.evolve(schema=kind).is_valid(instance) for kind in kinds
    ):
        yield ValidationError(f'{shortened(instance)} cannot stand here')


def _most_items(
    validator: Draft202012Validator,
    most: int,
    instance: Any,
    schema: Mapping[str, Any],
) -> Iterator[ValidationError]:
    """As the draft has it, but the list is not repeated in the message."""
    from jsonschema import ValidationError

    if isinstance(instance, list) and len(instance) > most:
        yield ValidationError(
            f'it has {len(instance)} entries, and at most {most} are possible'
        )
