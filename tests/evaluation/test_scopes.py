"""Which photos count where, and what is said of those that do not."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_sdcolor import Colorizer
from napari_sdcolor.core import lab
from napari_sdcolor.core.photo import photo_from_array
from napari_sdcolor.datasets.entry import BadEntry
from napari_sdcolor.errors import DataError
from napari_sdcolor.evaluation.report.tables import as_markdown
from napari_sdcolor.evaluation.run import evaluate

SIDE = 48
PALETTE = np.full((60, 3), 120, np.uint8)
PALETTE[7] = 150, 120, 120
PALETTE[9] = 120, 120, 180
"""Colors of the classes in the pictures below; the others are gray."""


def test_unlabeled_photos_count_only_where_no_map_is_needed(
    shot: Any, halves: Any, painter: Any
) -> None:
    pack = [
        shot(halves(7, 9)),
        shot(None, PALETTE[halves(9, 9)]),
        shot(np.full((SIDE, SIDE), 255, np.uint8)),
    ]
    result = evaluate(painter, pack)
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
        'repaired',
        'true',
        'shuffled',
    }
    assert scopes['unlabeled']['photos'] == 1
    assert set(scopes['unlabeled']['methods']) == {
        'gray',
        'empty',
        'predicted',
    }
    assert result['segmentation']['pixel_accuracy_per_photo'] == 0.5


def test_without_maps_nothing_is_said_about_maps(
    shot: Any, halves: Any, painter: Any
) -> None:
    pack = [shot(None, PALETTE[halves(7, 9)])]
    result = evaluate(painter, pack)
    assert result['map'] == {'labeled': None, 'known': None}
    assert result['segmentation'] is None
    assert result['scopes']['known'] == {'photos': 0, 'methods': {}}
    page = as_markdown(result)
    assert 'No photo has a label map' in page
    assert 'not computed' not in page.lower()
    assert 'Labeled' not in page
    assert 'map gain' not in page


def test_without_maps_colors_are_held_against_gray(
    shot: Any, halves: Any, painter: Any
) -> None:
    """The painter paints class 9: right on one photo, wrong on the other."""
    pack = [
        shot(None, PALETTE[halves(9, 9)], name='right'),
        shot(None, PALETTE[halves(7, 7)], name='wrong'),
    ]
    result = evaluate(painter, pack, train_entries=pack)
    assert result['class_means'] is None
    found = result['over_gray']
    assert set(found) == {'empty', 'predicted'}
    # An empty map is painted gray here.
    assert found['empty']['psnr_ab'] == 0
    assert found['empty']['color'] == 0
    assert found['predicted']['photos'] == 2
    assert found['predicted']['nearer'] == 0.5
    right, wrong = (
        line['psnr_ab']['predicted'] - line['psnr_ab']['gray']
        for line in result['per_photo']
    )
    assert right > 0 > wrong
    assert found['predicted']['psnr_ab'] == pytest.approx((right + wrong) / 2)
    low, high = found['predicted']['psnr_ab_interval']
    assert low == pytest.approx(wrong)
    assert high == pytest.approx(right)
    blue, red = spread(PALETTE[9]), spread(PALETTE[7])
    assert found['predicted']['color'] == pytest.approx(
        2 * blue / (blue + red)
    )
    assert '## Against a gray picture' in as_markdown(result)


def test_photos_without_a_map_have_a_table_of_their_own(
    shot: Any, halves: Any, painter: Any
) -> None:
    """The painter paints class 9, which only the unlabeled photo has."""
    alone = shot(None, PALETTE[halves(9, 9)], name='alone')
    result = evaluate(painter, [shot(halves(7, 7), name='mapped'), alone])
    own = evaluate(painter, [alone])
    scope = result['scopes']['unlabeled']
    assert scope == {'photos': 1, **own['scopes']['all']}
    assert result['over_gray_unlabeled'] == own['over_gray']
    assert result['over_gray_unlabeled']['predicted']['psnr_ab'] > 0
    assert result['over_gray']['predicted']['photos'] == 2
    assert set(result['over_gray_labeled']) == {
        'empty',
        'predicted',
        'repaired',
        'true',
    }
    assert result['over_gray_labeled']['true']['photos'] == 1
    page = as_markdown(result)
    heading = '## Photos without a map, all pixels (1 photo)'
    assert heading in page
    assert 'not computed' not in page.split(heading)[1].split('## Does')[0]
    # Where there is nothing else it would only repeat the first table.
    assert 'Photos without a map' not in as_markdown(own)
    mapped = evaluate(painter, [shot(halves(7, 7))])
    assert mapped['over_gray_unlabeled'] == {}
    assert 'Photos without a map' not in as_markdown(mapped)


def spread(color: NDArray) -> float:
    """Colorfulness of a picture of one color."""
    red, green, blue = (int(part) for part in color)
    return 0.3 * np.hypot(red - green, (red + green) / 2 - blue)


def test_a_single_labeled_photo_has_no_other_map(
    shot: Any, halves: Any, painter: Any
) -> None:
    result = evaluate(painter, [shot(halves(7, 9))])
    assert 'shuffled' not in result['scopes']['labeled']['methods']
    assert "another photo's map | not computed" in as_markdown(result)


def test_without_the_training_split_its_baseline_is_not_computed(
    shot: Any, halves: Any, painter: Any
) -> None:
    result = evaluate(painter, [shot(halves(7, 9))])
    assert result['class_means'] is None
    assert 'class mean of the true map | not computed' in as_markdown(result)


def test_maps_reach_the_network_as_it_wants_them(
    shot: Any, halves: Any, painter: Any
) -> None:
    """255 as 0, nearest ids at working size, whatever the photo's size.

    The repaired map has its guess where nothing is known.
    """
    labels = np.full((2 * SIDE, 3 * SIDE), 255, np.uint8)
    labels[:, SIDE:] = 7
    photo = np.full((*labels.shape, 3), 90, np.uint8)

    def segment(photo: Any) -> SimpleNamespace:
        shape = photo.working_shape(SIDE)
        return SimpleNamespace(
            labels=np.full(shape, 3, np.uint8),
            confidence=np.ones(shape, np.float32),
        )

    painter.segment = segment
    entries = [shot(labels, photo)]

    def session(photo: object, labels: NDArray) -> SimpleNamespace:
        assert labels.shape == (SIDE, 72)
        rgb = np.zeros((*photo.shape, 3), np.uint8)
        return SimpleNamespace(
            update=painter.maps.append, rgb=rgb, close=lambda: None
        )

    painter.session = session
    evaluate(painter, entries)
    predicted, repaired, true = painter.maps[:3]
    assert (predicted == 3).all()
    for map_, unknown in ((repaired, 3), (true, 0)):
        assert map_.shape == (SIDE, 72)
        assert (map_[:, :24] == unknown).all()
        assert (map_[:, 24:] == 7).all()


def test_no_photo_is_an_error(painter: Any) -> None:
    with pytest.raises(DataError, match='no photograph'):
        evaluate(painter, [])


def test_progress_is_reported(shot: Any, halves: Any, painter: Any) -> None:
    lines: list[str] = []
    pack = list([shot(halves(7, 9))] * 12)
    evaluate(
        painter,
        pack,
        train_entries=pack,
        report=lines.append,
    )
    assert lines == [
        '12 of 12 training photos',
        '12 of 12 photos looked through',
        '12 of 12 photos',
    ]


def test_real_networks_are_evaluated_the_same_twice(
    noisy: list, tiny_colorizer: Colorizer
) -> None:
    entries = noisy
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


def test_photos_that_cannot_be_read_are_named_and_left_out(
    shot: Any, halves: Any, painter: Any
) -> None:
    good = shot(halves(7, 9))

    def load() -> None:
        raise BadEntry('made', 'torn', 'the file ends early')

    torn = SimpleNamespace(dataset='made', name='torn', load=load)
    result = evaluate(painter, [torn, good, good], train_entries=[torn, good])
    assert result['photos'] == 2
    assert result['skipped'] == ['made/torn: the file ends early.']
    assert result['class_means'][7] != [0, 0]
    with pytest.raises(DataError, match='torn'):
        evaluate(painter, [torn])
