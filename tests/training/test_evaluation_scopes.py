"""Which photos count where, and what is said of those that do not."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_sdcolor import Colorizer
from napari_sdcolor.core import lab
from napari_sdcolor.core.photo import photo_from_array
from napari_sdcolor.errors import DataError
from napari_sdcolor.training.data import Pack
from napari_sdcolor.training.evaluation import (
    as_markdown,
    evaluate,
)

SIDE = 48
PALETTE = np.full((60, 3), 120, np.uint8)
PALETTE[7] = 150, 120, 120
PALETTE[9] = 120, 120, 180
"""Colors of the classes in the pictures below; the others are gray."""

MakePack = Callable[[Sequence], Pack]


@pytest.fixture
def painter(paint_with: Callable[[NDArray], Any]) -> Any:
    """Colors by the map alone, and believes to see class 9 everywhere."""
    return paint_with(PALETTE)


def shot(
    labels: NDArray | None, photo: NDArray | None = None
) -> SimpleNamespace:
    """A photograph with exactly the palette's colors."""
    if photo is None:
        photo = PALETTE[np.where(labels == 255, 0, labels)]
    return SimpleNamespace(
        photo=photo, labels=labels, split='val', dataset='made'
    )


def halves(left: int, right: int, top: int | None = None) -> NDArray[np.uint8]:
    labels = np.full((SIDE, SIDE), left, np.uint8)
    labels[:, SIDE // 2 :] = right
    if top is not None:
        labels[: SIDE // 2] = top
    return labels


def test_unlabeled_photos_count_only_where_no_map_is_needed(
    make_pack: MakePack, painter: Any
) -> None:
    pack = make_pack(
        [
            shot(halves(7, 9)),
            shot(None, PALETTE[halves(9, 9)]),
            shot(np.full((SIDE, SIDE), 255, np.uint8)),
        ]
    )
    result = evaluate(painter, pack.entries)
    assert (result['photos'], result['labeled_photos']) == (3, 2)
    scopes = result['scopes']
    assert [
        scopes[name]['photos'] for name in ('all', 'labeled', 'known')
    ] == [
        3,
        2,
        1,
    ]
    assert set(scopes['all']['methods']) == {'gray', 'empty', 'predicted'}
    assert set(scopes['known']['methods']) == {
        'gray',
        'empty',
        'predicted',
        'true',
        'shuffled',
    }
    assert result['segmentation']['pixel_accuracy_per_photo'] == 0.5


def test_without_maps_nothing_is_said_about_maps(
    make_pack: MakePack, painter: Any
) -> None:
    pack = make_pack([shot(None, PALETTE[halves(7, 9)])])
    result = evaluate(painter, pack.entries)
    assert result['map'] == {'labeled': None, 'known': None}
    assert result['segmentation'] is None
    assert result['scopes']['known'] == {'photos': 0, 'methods': {}}
    page = as_markdown(result)
    assert page.count('not computed') >= 10


def test_a_single_labeled_photo_has_no_other_map(
    make_pack: MakePack, painter: Any
) -> None:
    result = evaluate(painter, make_pack([shot(halves(7, 9))]).entries)
    assert 'shuffled' not in result['scopes']['labeled']['methods']
    assert "another photo's map | not computed" in as_markdown(result)


def test_without_the_training_split_its_baseline_is_not_computed(
    make_pack: MakePack, painter: Any
) -> None:
    result = evaluate(painter, make_pack([shot(halves(7, 9))]).entries)
    assert result['class_means'] is None
    assert 'class mean of the true map | not computed' in as_markdown(result)


def test_maps_reach_the_network_as_it_wants_them(
    make_pack: MakePack, painter: Any
) -> None:
    """255 as 0, nearest ids at working size, whatever the photo's size."""
    labels = np.full((2 * SIDE, 3 * SIDE), 255, np.uint8)
    labels[:, SIDE:] = 7
    photo = np.full((*labels.shape, 3), 90, np.uint8)
    painter.segment = lambda photo: SimpleNamespace(
        labels=np.zeros(photo.working_shape(SIDE), np.uint8)
    )
    entries = make_pack([shot(labels, photo)]).entries

    def session(photo: object, labels: NDArray) -> SimpleNamespace:
        assert labels.shape == (SIDE, 72)
        rgb = np.zeros((*photo.shape, 3), np.uint8)
        return SimpleNamespace(update=painter.maps.append, rgb=rgb)

    painter.session = session
    evaluate(painter, entries)
    true = painter.maps[2]
    assert true.shape == (SIDE, 72)
    assert (true[:, :24] == 0).all()
    assert (true[:, 24:] == 7).all()


def test_no_photo_is_an_error(painter: Any) -> None:
    with pytest.raises(DataError, match='no photograph'):
        evaluate(painter, [])


def test_progress_is_reported(make_pack: MakePack, painter: Any) -> None:
    lines: list[str] = []
    pack = make_pack([shot(halves(7, 9))] * 12)
    evaluate(
        painter,
        pack.entries,
        train_entries=pack.entries,
        report=lines.append,
    )
    assert lines == [
        'class means of the training split',
        '10 of 12 photos',
        '12 of 12 photos',
    ]


def test_real_networks_are_evaluated_the_same_twice(
    make_pack: MakePack, shots: list, tiny_colorizer: Colorizer
) -> None:
    for each in shots:
        each.split = 'val'
    entries = make_pack(shots).entries
    result = evaluate(tiny_colorizer, entries, train_entries=entries)
    again = evaluate(tiny_colorizer, entries, train_entries=entries)
    assert json.dumps(result) == json.dumps(again)
    assert result['map']['labeled']['sensitivity'] > 0
    # The true map's figures are those of a fresh full pass.
    rgb, labels = entries[0].load()
    photo = photo_from_array(rgb, rgb=True)
    h, w = photo.working_shape(64)
    rows = (2 * np.arange(h) + 1) * labels.shape[0] // (2 * h)
    columns = (2 * np.arange(w) + 1) * labels.shape[1] // (2 * w)
    map_ = np.where(labels == 255, 0, labels)[np.ix_(rows, columns)]
    found = tiny_colorizer.colorize(photo, map_.astype(np.uint8)).rgb
    error = lab.rgb_to_lab(found / 255) - lab.rgb_to_lab(rgb / 255)
    wanted = 10 * np.log10(255**2 / (error[..., 1:] ** 2).mean())
    assert result['per_photo'][0]['psnr_ab']['true'] == pytest.approx(
        wanted, abs=0.02
    )
