"""The page of a user study: complete in itself, and blind."""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from napari_sdcolor.evaluation.run import Evaluation
from napari_sdcolor.evaluation.study.page import build, make_study
from napari_sdcolor.evaluation.study.scores import Key

METHODS = ['Original', 'Theirs', 'Ours']
GRAYS = dict(zip(METHODS, (40, 120, 200), strict=True))
"""Each method paints all of its pictures in one gray."""


def rows(count: int) -> list[dict[str, Any]]:
    return [
        {
            'name': f'made/secret-{number}',
            'gray': np.zeros((20, 30, 3), np.uint8),
            'pictures': {
                name: np.full((20, 30, 3), value, np.uint8)
                for name, value in GRAYS.items()
            },
        }
        for number in range(count)
    ]


def study_of(page: bytes) -> dict[str, Any]:
    found = re.search(
        r'<script type="application/json" id="study">(.*?)</script>',
        page.decode(),
        re.DOTALL,
    )
    return json.loads(found[1])


def picture(url: str) -> Image.Image:
    head, _, data = url.partition(',')
    assert head == 'data:image/jpeg;base64'
    return Image.open(io.BytesIO(base64.b64decode(data)))


def test_the_key_tells_which_picture_is_whose(tmp_path: Path) -> None:
    page, key = build(rows(12), METHODS)
    path = tmp_path / 'key.json'
    path.write_bytes(key)
    secret, study = Key.read(path), study_of(page)
    assert secret.study == study['id']
    assert secret.methods == METHODS
    assert len(secret.positions) == len(study['photos']) == 12
    for positions, photo in zip(
        secret.positions, study['photos'], strict=True
    ):
        assert sorted(positions.values()) == sorted(METHODS)
        for letter, url in zip('ABC', photo['pictures'], strict=True):
            value = np.asarray(picture(url)).mean()
            assert value == pytest.approx(GRAYS[positions[letter]], abs=2)
    # Shuffled anew for every photo.
    orders = {tuple(each.values()) for each in secret.positions}
    assert len(orders) > 2


def test_the_page_tells_nothing() -> None:
    page = build(rows(3), ['Original', 'Theirs', 'Ours'])[0]
    text = page.decode()
    for word in ('Original', 'Theirs', 'Ours', 'secret', 'made/', 'sdcolor'):
        assert word not in text
    for url in study_of(page)['photos'][0]['pictures']:
        assert not picture(url).getexif()
        assert set(picture(url).info) <= {
            'jfif',
            'jfif_version',
            'jfif_unit',
            'jfif_density',
        }


def test_the_page_needs_nothing_beside_it() -> None:
    text = build(rows(1), METHODS)[0].decode()
    assert not re.search(r'(src|href)\s*=\s*["\']', text)
    assert 'http' not in text
    assert '@import' not in text


def test_equal_pictures_give_equal_pages() -> None:
    assert build(rows(5), METHODS) == build(rows(5), METHODS)
    other = study_of(build(rows(4), METHODS)[0])
    assert other['id'] != study_of(build(rows(5), METHODS)[0])['id']


def test_large_pictures_are_shrunk() -> None:
    row = rows(1)[0]
    row['gray'] = np.zeros((500, 1500, 3), np.uint8)
    study = study_of(build([row], METHODS)[0])
    assert picture(study['photos'][0]['gray']).size == (720, 240)


@pytest.fixture
def split(shot: Any, halves: Any) -> list:
    """Six photos, of which the first has no map."""
    return [
        shot(None if n == 0 else halves(7, 9), halves_rgb(n), name=f'{n}')
        for n in range(6)
    ]


def halves_rgb(number: int) -> np.ndarray:
    return np.full((48, 48, 3), 60 + 20 * number, np.uint8)


def test_without_other_methods_ours_with_the_true_map_takes_part(
    split: list, painter: Any
) -> None:
    evaluation = Evaluation(painter, split, groups=('map',))
    key = json.loads(make_study(evaluation, 3)[1])
    assert key['methods'] == ['Original', 'Ours', 'Ours, true map']
    names = [photo['photo'] for photo in key['photos']]
    # Three of the five photos with a map, evenly spread.
    assert names == ['made/1', 'made/2', 'made/4']


def test_only_photos_of_which_all_have_a_picture(
    split: list, painter: Any, tmp_path: Path
) -> None:
    for entry in split[:2]:
        Image.fromarray(entry.rgb).save(tmp_path / f'{entry.name}.png')
    evaluation = Evaluation(
        painter, split, groups=('map',), results={'Theirs': tmp_path}
    )
    key = json.loads(make_study(evaluation, 20)[1])
    assert key['methods'] == ['Original', 'Theirs', 'Ours']
    names = [photo['photo'] for photo in key['photos']]
    assert names == ['made/0', 'made/1']


def test_nothing_to_show(split: list, painter: Any) -> None:
    evaluation = Evaluation(painter, split[:1], groups=('map',))
    assert make_study(evaluation, 20) is None
