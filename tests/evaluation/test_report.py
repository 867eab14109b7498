"""Plots, contact sheet and the files of an evaluation."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from napari_sdcolor import Colorizer
from napari_sdcolor.errors import SaveError
from napari_sdcolor.evaluation.report import files, plots, sheet
from napari_sdcolor.evaluation.run import Evaluation

NAMES = {
    'evaluation.json',
    'evaluation.md',
    'methods.png',
    'gain.png',
    'swaps.png',
    'bleeding.png',
    'classes.png',
    'reliability.png',
    'review.png',
    'contact-sheet.png',
    'user-study.html',
    'user-study-key.json',
}


@pytest.fixture
def evaluation(shot: Any, halves: Any, painter: Any) -> Evaluation:
    """Five photos of the classes 7 and 9, the last one without a map."""
    labels = [halves(7, 9), halves(9, 7), halves(7, 9), halves(9, 7), None]
    gray = np.full((48, 48, 3), 120, np.uint8)
    entries = [
        shot(map_, gray if map_ is None else None, name=f'{n}')
        for n, map_ in enumerate(labels)
    ]
    return Evaluation(painter, entries, train_entries=entries)


def image(content: bytes) -> Image.Image:
    found = Image.open(io.BytesIO(content))
    assert found.format == 'PNG'
    return found


def test_everything_is_written_once_and_twice_the_same(
    evaluation: Evaluation, tiny_colorizer: Colorizer, tmp_path: Path
) -> None:
    entries = evaluation.split.entries
    one, two = tmp_path / 'one', tmp_path / 'two'
    for folder in (one, two):
        folder.mkdir()
        evaluation = Evaluation(tiny_colorizer, entries, train_entries=entries)
        result = evaluation.measure()
        paths = files.write_report(folder, evaluation, result, 3)
    assert {path.name for path in paths} == NAMES
    assert {path.name for path in two.iterdir()} == NAMES
    told = json.loads((two / 'evaluation.json').read_text())
    assert told == json.loads(json.dumps(result))
    page = (two / 'evaluation.md').read_text()
    for path in paths:
        if path.suffix == '.png':
            assert f'({path.name})' in page
            colors = np.asarray(image(path.read_bytes()).convert('RGB'))
            assert len(np.unique(colors.reshape(-1, 3), axis=0)) > 4
    with pytest.raises(SaveError, match=r'evaluation\.json'):
        files.refuse_used(two)
    with pytest.raises(SaveError):
        files.write_report(two, evaluation, result, 0)
    # Byte by byte, the pictures and the user study included.
    found = [
        {path.name: path.read_bytes() for path in folder.iterdir()}
        for folder in (one, two)
    ]
    assert found[0] == found[1]


def test_only_what_was_measured_is_drawn(
    evaluation: Evaluation, shot: Any, halves: Any, painter: Any
) -> None:
    entries = [shot(halves(7, 9))]
    small = Evaluation(painter, entries, groups=('map',)).measure()
    assert plots.draw_all(small) == {}
    plain = np.full((48, 48, 3), 90, np.uint8)
    unlabeled = Evaluation(painter, [shot(None, plain)]).measure()
    assert set(plots.draw_all(unlabeled)) == {'methods.png', 'gain.png'}


def test_other_methods_are_in_plots_and_sheet(
    evaluation: Evaluation, shot: Any, painter: Any, tmp_path: Path
) -> None:
    entries = evaluation.split.entries
    for entry in entries[:3]:
        Image.fromarray(entry.rgb).save(tmp_path / f'{entry.name}.png')
    with_others = Evaluation(painter, entries, results={'Theirs': tmp_path})
    result = with_others.measure()
    assert set(plots.draw_all(result)) >= {'methods.png', 'bleeding.png'}
    narrow = image(sheet.contact_sheet(evaluation, evaluation.measure()))
    wide = image(sheet.contact_sheet(with_others, result))
    assert wide.width - narrow.width == sheet.WIDTH + 10


def lines(*gains: float) -> list[dict[str, Any]]:
    return [
        {
            'photo': f'made/{number}',
            'psnr_ab': {'gray': 20.0, 'predicted': 20.0 + gain, 'true': 30.0},
        }
        for number, gain in enumerate(gains)
    ]


def names(groups: dict[str, list]) -> dict[str, list[str]]:
    return {
        words: [line['photo'][5:] for line in group]
        for words, group in groups.items()
    }


def test_best_median_and_worst() -> None:
    gains = [3, 9, -5, 1, 4, 0, 2, 8, -1, 5, 7]
    assert names(sheet.choose(lines(*gains))) == {
        'best': ['1', '7', '10'],
        'median': ['4', '0', '6'],
        'worst': ['5', '8', '2'],
    }


@pytest.mark.parametrize('count', range(1, 12))
def test_no_photo_is_shown_twice(count: int) -> None:
    groups = sheet.choose(lines(*range(count)))
    shown = sum(names(groups).values(), [])
    assert len(shown) == len(set(shown)) >= min(count, 3)
    assert shown == sorted(shown, key=int, reverse=True)


def test_photos_without_a_map_are_shown_only_where_none_has_one() -> None:
    mixed = lines(1, 2, 3)
    del mixed[2]['psnr_ab']['true']
    assert names(sheet.choose(mixed)) == {'best': ['1'], 'worst': ['0']}
    for line in mixed[:2]:
        del line['psnr_ab']['true']
    assert names(sheet.choose(mixed))['best'] == ['2']


def test_a_sheet_shows_each_picture_in_its_column() -> None:
    red, blue = (
        np.full((50, 80, 3), color, np.uint8)
        for color in ((250, 0, 0), (0, 0, 250))
    )
    row = sheet.Row('a', [red, None, blue], ['', '', '8 dB'], [])
    found = np.asarray(
        image(sheet.compose_sheet(['one', 'two', 'three'], [('best', [row])]))
    )
    step = sheet.WIDTH + 10
    for color, column in ((red[0, 0], 0), (blue[0, 0], 2)):
        y, x = np.nonzero((found == color).all(axis=-1))
        assert len(y) == 50 * 80
        assert x.min() == 10 + column * step
