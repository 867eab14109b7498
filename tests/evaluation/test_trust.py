"""Whether the confidence of a map can be trusted, and what age does to it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from napari_sdcolor.core import lab
from napari_sdcolor.core.photo import Photo
from napari_sdcolor.evaluation.report import plots
from napari_sdcolor.evaluation.report.tables import as_markdown
from napari_sdcolor.evaluation.run import evaluate
from napari_sdcolor.evaluation.trust import (
    BINS,
    Calibration,
    flag_figures,
    suggested_row,
)

SIDE = 48


def test_calibration_error_by_hand() -> None:
    """60 pixels at 0.9 of which half are right, 40 at 0.5 all right."""
    found = Calibration()
    found.count(np.full(60, 0.9, np.float32), np.arange(60) < 30)
    found.count(np.full(40, 0.5, np.float32), np.ones(40, bool))
    assert found.error() == pytest.approx(0.6 * 0.4 + 0.4 * 0.5, abs=1e-6)


def test_pixels_of_one_bin_count_together() -> None:
    """Too sure here and not sure enough there is right on the whole."""
    found = Calibration()
    found.count(np.array([0.81, 0.85]), np.array([True, False]))
    assert found.error() == pytest.approx(0.83 - 0.5)
    apart = Calibration()
    apart.count(np.array([0.1, 0.9]), np.array([False, True]))
    assert apart.error() == pytest.approx(0.1)


def test_full_confidence_is_in_the_last_bin() -> None:
    found = Calibration()
    found.count(np.array([0.0, 1.0]), np.array([False, True]))
    assert found.pixels.tolist() == [1, *[0] * (BINS - 2), 1]
    assert found.error() == 0
    assert np.isnan(Calibration().error())


def test_calibration_of_a_painter(
    shot: Any, halves: Any, painter: Any
) -> None:
    """Half sure of class 9, which a quarter of the known pixels have."""
    labels = halves(7, 9)
    labels[:, :16] = 255
    labels[24:, 24:] = 7
    found = evaluate(painter, [shot(labels), shot(None, shot(labels).rgb)])
    known, right = 48 * 32, 24 * 24
    figures = found['calibration']
    assert figures['pixels'] == known
    assert figures['confidence'] == pytest.approx(0.5)
    assert figures['accuracy'] == pytest.approx(right / known)
    assert figures['error'] == pytest.approx(0.5 - right / known)
    (filled,) = [row for row in figures['bins'] if row['pixels']]
    assert filled['low'] <= 0.5 < filled['high']
    assert len(figures['bins']) == BINS
    page = as_markdown(found)
    assert f'| {figures["error"]:.2%} | 50.0% |' in page


def test_the_flag_by_hand() -> None:
    found = flag_figures([0.2, 0.4, 0.6, 0.8], [0.1, 0.9, 0.5, 0.7])
    assert (found['photos'], found['needy']) == (4, 2)
    rows = {row['threshold']: row for row in found['thresholds']}
    assert rows[0.2]['precision'] is None
    assert rows[0.2]['recall'] == 0
    assert rows[0.3]['precision'] == 1
    assert rows[0.3]['recall'] == 0.5
    assert rows[0.3]['flagged'] == 0.25
    assert rows[0.7]['precision'] == pytest.approx(2 / 3)
    assert rows[0.7]['recall'] == 1
    assert rows[0.7]['f1'] == pytest.approx(0.8)
    # A photo is flagged below the threshold; 0.61 is the first that has 0.6.
    assert found['suggested'] == 0.61
    assert suggested_row(found) == rows[0.61]


def test_nobody_is_needed_where_all_maps_are_good() -> None:
    found = flag_figures([0.2, 0.9], [0.9, 0.8])
    assert found['needy'] == 0
    assert found['suggested'] is None
    assert suggested_row(found) is None
    assert all(row['recall'] is None for row in found['thresholds'])


def test_the_flag_is_formed_as_a_batch_forms_it(
    shot: Any, halves: Any, painter: Any
) -> None:
    """One photo is all 9, as the painter says, and one has no 9 at all."""
    means = iter((0.5, 0.3))
    plain = painter.segment

    def segment(photo: Photo) -> SimpleNamespace:
        found = plain(photo)
        # What counts is the mean over the whole map.
        found.confidence[:] = 0.1
        found.confidence[:, : SIDE // 2] = 2 * next(means) - 0.1
        return found

    painter.segment = segment
    pack = [shot(halves(9, 9), name='good'), shot(halves(7, 7), name='bad')]
    result = evaluate(painter, pack, groups=('review',))
    found = result['review']
    assert (found['photos'], found['needy']) == (2, 1)
    assert found['suggested'] == 0.31
    assert [line['confidence'] for line in result['per_photo']] == [
        pytest.approx(0.5),
        pytest.approx(0.3),
    ]
    page = as_markdown(result)
    assert '1 of 2 photos need a person' in page
    assert '| **0.31** | 50.0% | 100.0% | 100.0% | 1.00 |' in page
    assert set(plots.draw_all(result)) == {'review.png'}


def test_nothing_known_says_so(shot: Any, painter: Any) -> None:
    unknown = np.full((SIDE, SIDE), 255, np.uint8)
    result = evaluate(painter, [shot(unknown)])
    assert result['calibration'] is None
    assert result['review'] is None
    assert result['segmentation'] is None
    assert 'Not computed: no pixel is known.' in as_markdown(result)


def test_aged_photos_are_another_look_at_the_same_map(
    shot: Any, halves: Any, painter: Any
) -> None:
    """A network that sees 9 in a clean photo and 7 in an old one."""
    seen = []
    clean = shot(halves(9, 9), name='a')
    own = lab.rgb_to_lightness(clean.rgb / np.float32(255))

    def segment(photo: Photo) -> SimpleNamespace:
        shape = photo.working_shape(SIDE)
        seen.append(photo.lightness)
        return SimpleNamespace(
            labels=np.full(shape, 9 if len(seen) % 2 else 7, np.uint8),
            confidence=np.ones(shape, np.float32),
        )

    painter.segment = segment
    pack = [clean, shot(halves(9, 9, top=7), name='b')]
    result = evaluate(painter, pack, groups=('segmentation',))
    found = result['segmentation']
    assert found['pixel_accuracy'] == 0.75
    assert found['aged']['pixel_accuracy'] == 0.25
    assert np.abs(seen[0] - own).max() < 1e-4
    assert np.abs(seen[1] - own).mean() > 3
    assert found['aged']['classes'].keys() == found['classes'].keys()
    # Every photo ages in its own way, which its name decides.
    again = list(seen)
    assert not np.array_equal(seen[1], seen[3])
    seen.clear()
    evaluate(painter, pack, groups=('segmentation',))
    for one, other in zip(again, seen, strict=True):
        assert np.array_equal(one, other)
    assert '| aged photos | 25.0% |' in as_markdown(result)
