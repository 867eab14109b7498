"""What a batch is made with, which stays the same in one output folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_sdcolor.archive.one_file import JobSpec
from napari_sdcolor.batch.journal import Journal, read_last_run
from napari_sdcolor.errors import PlanError
from napari_sdcolor.settings import Settings

if TYPE_CHECKING:
    from napari_sdcolor.core.weights import Part

OTHERS = ('format', 'page', 'dtype')
"""What counts beside settings and weights."""

TONES = 2
"""Which rule chooses tone windows; runs of the first do not tell it."""


def mixed_tones(output: Path, settings: Settings) -> str:
    """What is to be said before going on with a batch of an older version.

    Parameters
    ----------
    output
        Of the batch.
    settings
        With which it goes on.

    Returns
    -------
    str
        A sentence, if photos from now on may be brighter or darker than
        those that are done; else an empty string.
    """
    before = read_last_run(output)
    if before is None or before.get('tones') == TONES:
        return ''
    if settings.window not in ('auto', 'minmax'):
        return ''
    return (
        f'{output} was begun by an older version, which chose the tone '
        'window of photos with more than 8 bits by another rule. Photos that '
        'are colored from now on may look brighter than those that are done; '
        'the report tells the tone window of each. Choose another output '
        'folder to color all of them by one rule.'
    )


def identity_of(parts: Mapping[str, Part]) -> dict[str, str]:
    """What tells networks apart that may give other results.

    Parameters
    ----------
    parts
        By kind.

    Returns
    -------
    dict
        For each kind the digest of its tensors, and under names such as
        'color.slope' its encoding and its configuration, as JSON.
    """
    identity = {}
    for kind, part in parts.items():
        identity[kind] = part.digest
        meaning = {'encoding': part.encoding, **part.network.config.to_dict()}
        for name, value in meaning.items():
            identity[f'{kind}.{name}'] = json.dumps(value)
    return identity


def made_with(spec: JobSpec, weights: Mapping[str, str]) -> dict[str, Any]:
    """What a run is made with; ``refuse_other`` compares most of it."""
    settings = spec.settings.to_dict()
    # Where, and under which name; the weights themselves are compared.
    del settings['device'], settings['weights']
    return {
        'settings': settings,
        'format': spec.format,
        'page': spec.page,
        'dtype': spec.dtype,
        'weights': dict(weights),
        # May change: photos that failed for damage can be tried with it.
        'allow_damaged': spec.allow_damaged,
    }


def refuse_other(
    output: Path, journal: Journal, facts: Mapping[str, Any]
) -> None:
    """Refuse to go on with a batch that was made with something else.

    Raises
    ------
    PlanError
        Naming what it was and what it is now.
    """
    if journal.is_new:
        return
    now = _by_name(facts)
    # Journals of earlier versions tell only the digests of weights, and no
    # data type, since there was only one.
    before = {
        'dtype': 'float32',
        **{name: value for name, value in now.items() if '.' in name},
        **_by_name(journal.last_run()),
    }
    changed = [
        f'{name} was {before.get(name)!r} and is now {value!r}'
        for name, value in now.items()
        if before.get(name) != value
    ]
    if changed:
        raise PlanError(
            f'{output} holds the results of a batch with other settings: '
            f'{"; ".join(changed)}. Use the same ones to go on, or choose '
            'another output folder.'
        )


def _by_name(facts: Mapping[str, Any]) -> dict[str, Any]:
    """All in one dictionary."""
    weights = facts.get('weights', {})
    return {
        **facts.get('settings', {}),
        **{name: facts[name] for name in OTHERS if name in facts},
        **{f'weights {kind}': digest for kind, digest in weights.items()},
    }
