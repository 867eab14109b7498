"""Finished pictures of other methods, matched by the photos' names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from napari_sdcolor.errors import DataError
from napari_sdcolor.evaluation.finished import Finished
from napari_sdcolor.evaluation.report.tables import as_markdown
from napari_sdcolor.evaluation.run import evaluate
from napari_sdcolor.evaluation.split import Split

GRAY = np.full((48, 48, 3), 120, np.uint8)


def save(path: Path, rgb: np.ndarray = GRAY) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rgb).save(path)
    return path


@pytest.fixture
def split(shot: Any, halves: Any) -> list:
    """Two photos of one data set and one without a map of another."""
    return [
        shot(halves(7, 9), name='a'),
        shot(halves(9, 7), name='b'),
        shot(None, GRAY, name='c', dataset='other'),
    ]


def test_a_perfect_method_gets_perfect_figures(
    split: list, painter: Any, tmp_path: Path
) -> None:
    for entry in split:
        save(tmp_path / f'{entry.name}.png', entry.rgb)
    result = evaluate(painter, split, results={'Theirs': tmp_path})
    for scope, photos in (('all', 3), ('labeled', 2), ('known', 2)):
        row = result['scopes'][scope]['methods']['Theirs']
        assert row['photos'] == photos
        assert row['psnr_ab'] > 100
        assert row['delta_e'] == 0
    theirs = result['bleeding']['methods']['Theirs']
    assert theirs['discrimination'] == 1
    assert theirs['delta_lcl'] == 0
    assert [row['psnr_ab']['Theirs'] > 100 for row in result['datasets']] == [
        True,
        True,
    ]
    page = as_markdown(result)
    assert 'Theirs: finished pictures of 3 of 3 photos.' in page
    # One table more: what the colors are worth beside a gray picture.
    assert page.count('| Theirs |') == 9


def test_every_place_and_format(split: list, tmp_path: Path) -> None:
    paths = [
        save(tmp_path / 'made' / 'a.jpg'),
        save(tmp_path / 'b.color.tif'),
        save(tmp_path / 'other' / 'c.webp'),
    ]
    save(tmp_path / 'a.png')  # the one in the data set's folder is nearer
    found = Finished('Theirs', tmp_path)
    found.match(Split(split), [0, 1, 2])
    assert [found.paths[place] for place in range(3)] == paths
    assert found.load(1).tolist() == GRAY.tolist()


def test_missing_and_unfit_pictures_are_named(
    split: list, painter: Any, tmp_path: Path
) -> None:
    save(tmp_path / 'a.png')
    wrong = save(tmp_path / 'b.png', GRAY[:, :40])
    result = evaluate(
        painter, split, results={'Theirs': tmp_path}, groups=('fidelity',)
    )
    assert result['results']['Theirs'] == {
        'pictures': 1,
        'missing': ['other/c'],
        'refused': [f'{wrong}: it is 40 × 48 pixels, the photo 48 × 48.'],
    }
    page = as_markdown(result)
    assert 'Theirs: finished pictures of 1 of 3 photos.' in page
    assert 'Missing: other/c.' in page
    assert '| Theirs (1 photos only) |' in page


def test_a_torn_picture_is_refused(split: list, tmp_path: Path) -> None:
    save(tmp_path / 'a.png')
    torn = tmp_path / 'b.png'
    torn.write_bytes((tmp_path / 'a.png').read_bytes()[:40])
    found = Finished('Theirs', tmp_path)
    found.match(Split(split), [0, 1])
    assert len(found.refused) == 1
    assert str(torn) in found.refused[0]


def test_no_picture_at_all(split: list, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r'for example made/a\.png or a\.png'):
        Finished('Theirs', tmp_path).match(Split(split), [0])
    for taken in ('gray', 'mapless', 'Ours', 'Original'):
        with pytest.raises(DataError, match=taken):
            Finished(taken, tmp_path)


def test_two_pictures_of_one_photo(tmp_path: Path) -> None:
    save(tmp_path / 'a.png')
    save(tmp_path / 'a.jpg')
    with pytest.raises(DataError, match='both'):
        Finished('Theirs', tmp_path)


def test_one_picture_of_two_photos(
    shot: Any, halves: Any, tmp_path: Path
) -> None:
    twins = Split([shot(halves(7, 9)), shot(halves(7, 9), dataset='other')])
    save(tmp_path / 'a.png')
    with pytest.raises(DataError, match='several photos'):
        Finished('Theirs', tmp_path).match(twins, [0, 1])
    save(tmp_path / 'made' / 'a.png')
    save(tmp_path / 'other' / 'a.png')
    found = Finished('Theirs', tmp_path)
    found.match(twins, [0, 1])
    assert found.paths[1] == tmp_path / 'other' / 'a.png'
