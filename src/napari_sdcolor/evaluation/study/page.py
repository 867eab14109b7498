"""The page on which people score pictures, and the key to it.

The page holds everything that it needs and tells nothing about the methods:
their order is shuffled for every photo, and only the key, a file of its
own, knows it.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Sequence
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from napari_sdcolor.evaluation.cases import Case
from napari_sdcolor.evaluation.names import ORIGINAL, OURS, OURS_TRUE
from napari_sdcolor.evaluation.run import Evaluation
from napari_sdcolor.evaluation.study import CRITERIA

LONGEST = 720
"""Longer sides of pictures are shrunk to this."""

QUALITY = 92
"""JPEG quality of the pictures on the page."""

LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'


def make_study(
    evaluation: Evaluation, photos: int
) -> tuple[bytes, bytes] | None:
    """The page (HTML) and its key (JSON).

    The original, ours with the predicted map and every method with finished
    pictures take part; where there is none, ours with the true map does, so
    that there is something to compare. Photos are evenly spread over those
    of which all have a picture.

    Parameters
    ----------
    evaluation
        Gives the photos and their pictures.
    photos
        At most so many.

    Returns
    -------
    tuple of bytes, or None
        None if there is no photo of which all methods have a picture.
    """
    finished = evaluation.finished
    methods = [ORIGINAL, *(each.name for each in finished)]
    methods += [OURS] if finished else [OURS, OURS_TRUE]
    places = [
        place
        for place in evaluation.places
        if (finished or place in evaluation.split.labeled)
        and all(place in each.paths for each in finished)
    ]
    if not places:
        return None
    count = min(photos, len(places))
    chosen = [places[n * len(places) // count] for n in range(count)]
    rows = []
    for place in evaluation.ticker.over('photos of the user study')(chosen):
        with evaluation.case(place) as case:
            pictures = {name: _picture(case, name) for name in methods}
            gray = case.picture('gray').rgb
        rows.append({'name': case.name, 'gray': gray, 'pictures': pictures})
    return build(rows, methods)


def _picture(case: Case, method: str) -> NDArray[np.uint8]:
    if method == ORIGINAL:
        return case.truth.rgb
    names = {OURS: 'predicted', OURS_TRUE: 'true'}
    return case.picture(names.get(method, method)).rgb


def build(
    rows: Sequence[dict[str, Any]], methods: Sequence[str], seed: int = 0
) -> tuple[bytes, bytes]:
    """Page and key of photos and their pictures.

    Parameters
    ----------
    rows
        For each photo ``name``, ``gray`` (H, W, 3) uint8 and ``pictures``,
        one such array for each method.
    methods
        In the order of the table that comes of it.
    seed
        Of the shuffled positions.

    Returns
    -------
    tuple of bytes
        HTML and JSON; equal input gives equal bytes.
    """
    rng = np.random.default_rng(seed)
    photos, key = [], []
    for row in rows:
        order = [methods[place] for place in rng.permutation(len(methods))]
        photos.append(
            {
                'gray': _as_url(row['gray']),
                'pictures': [_as_url(row['pictures'][name]) for name in order],
            }
        )
        key.append(
            {
                'photo': row['name'],
                'positions': dict(zip(LETTERS, order, strict=False)),
            }
        )
    digest = hashlib.sha256(json.dumps([photos, key]).encode()).hexdigest()
    identity = digest[:12]
    study = {
        'id': identity,
        'criteria': [
            {'id': name, 'title': title} for name, title in CRITERIA.items()
        ],
        'photos': photos,
    }
    template = (
        resources.files('napari_sdcolor.evaluation.study')
        .joinpath('page.html')
        .read_text(encoding='utf-8')
    )
    # Nothing in the data may end the script element that holds it.
    data = json.dumps(study).replace('<', '\\u003c')
    page = template.replace('/*study*/', data)
    secret = {'study': identity, 'methods': list(methods), 'photos': key}
    return page.encode(), (json.dumps(secret, indent=1) + '\n').encode()


def _as_url(rgb: NDArray[np.uint8]) -> str:
    image = Image.fromarray(np.ascontiguousarray(rgb))
    image.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    image.save(stream, 'JPEG', quality=QUALITY, subsampling=0)
    data = base64.b64encode(stream.getvalue()).decode()
    return f'data:image/jpeg;base64,{data}'
