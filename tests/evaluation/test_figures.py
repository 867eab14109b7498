"""Evaluation against a painter whose figures can be worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000

from napari_sdcolor.core import lab
from napari_sdcolor.evaluation.fidelity import map_figures
from napari_sdcolor.evaluation.report.tables import as_markdown
from napari_sdcolor.evaluation.run import evaluate
from napari_sdcolor.evaluation.split import LEAST_PIXELS, class_means

SIDE = 48
PALETTE = np.full((60, 3), 120, np.uint8)
PALETTE[7] = 150, 120, 120
PALETTE[9] = 120, 120, 180
"""Colors of the classes in the pictures below; the others are gray."""


def db(error: float) -> float:
    return 10 * math.log10(255**2 / max(error, 1e-6))


def ab_error(one: int, other: int) -> float:
    """Mean square over a and b between two classes' colors."""
    first, second = (
        lab.rgb_to_lab(PALETTE[number] / 255)[1:] for number in (one, other)
    )
    return float(((first - second) ** 2).mean())


@pytest.fixture
def result(shot: Any, halves: Any, painter: Any) -> dict[str, Any]:
    """One photo of classes 7 and 9, one of 7 whose upper half is unknown."""
    pack = [shot(halves(7, 9)), shot(halves(7, 7, top=255))]
    return evaluate(painter, pack)


def test_fidelity_is_the_mean_over_photos(result: dict[str, Any]) -> None:
    rows = result['scopes']['labeled']['methods']
    assert result['scopes']['labeled']['photos'] == 2
    # Errors of single pixels on 8 bits: class 7 is 30 off in red, class 9
    # 60 off in blue; the unknown half was painted as class 0.
    seven, nine = 30**2 / 3, 60**2 / 3
    assert rows['true']['psnr_rgb'] == pytest.approx(db(0))
    assert rows['empty']['psnr_rgb'] == pytest.approx(
        (db((seven + nine) / 2) + db(seven / 2)) / 2
    )
    assert rows['empty']['psnr_ab'] == pytest.approx(
        (db((ab_error(7, 0) + ab_error(9, 0)) / 2) + db(ab_error(7, 0) / 2))
        / 2,
        abs=1e-4,
    )
    assert rows['predicted']['psnr_ab'] == pytest.approx(
        (db(ab_error(7, 9) / 2) + db((ab_error(7, 9) + ab_error(0, 9)) / 2))
        / 2,
        abs=1e-4,
    )


def test_color_differences_are_mean_and_tail(
    shot: Any, halves: Any, painter: Any
) -> None:
    """Five of 48 rows have a color, which the empty map does not know."""
    labels = np.zeros((SIDE, SIDE), np.uint8)
    labels[:5] = 7
    result = evaluate(painter, [shot(labels)])
    empty = result['scopes']['labeled']['methods']['empty']
    gray, seven = (lab.rgb_to_lab(PALETTE[n] / 255) for n in (0, 7))
    wanted = float(deltaE_ciede2000(seven, gray))
    assert wanted > 5
    assert empty['delta_e'] == pytest.approx(wanted * 5 / 48, abs=1e-4)
    assert empty['delta_e_p95'] == pytest.approx(wanted, abs=1e-4)


def test_the_second_column_is_over_known_pixels(
    result: dict[str, Any],
) -> None:
    rows = result['scopes']['known']['methods']
    assert rows['empty']['psnr_rgb'] == pytest.approx(
        (db((30**2 + 60**2) / 6) + db(30**2 / 3)) / 2
    )
    assert rows['predicted']['psnr_ab'] == pytest.approx(
        (db(ab_error(7, 9) / 2) + db(ab_error(7, 9))) / 2, abs=1e-4
    )


def test_map_figures(result: dict[str, Any], painter: Any) -> None:
    known = result['map']['known']
    empty = (
        db((ab_error(7, 0) + ab_error(9, 0)) / 2) + db(ab_error(7, 0))
    ) / 2
    predicted = (db(ab_error(7, 9) / 2) + db(ab_error(7, 9))) / 2
    gain = db(0) - empty
    assert known['photos'] == 2
    assert known['gain'] == pytest.approx(gain, abs=1e-4)
    low, high = known['gain_interval']
    assert low <= known['gain'] <= high
    assert known['recovery'] == pytest.approx(
        (predicted - empty) / gain, abs=1e-4
    )
    distance = [math.sqrt(2 * ab_error(number, 0)) for number in (7, 9)]
    assert known['sensitivity'] == pytest.approx(
        (sum(distance) / 2 + distance[0]) / 2, abs=1e-4
    )
    # The painter's empty map is as gray as gray itself.
    assert known['psnr_ab']['empty'] == pytest.approx(
        known['psnr_ab']['gray'], abs=0.01
    )
    assert known['valid']


def test_the_repaired_map_is_right_where_anything_is_known(
    result: dict[str, Any],
) -> None:
    """The painter guesses 9, which is left where nothing is known."""
    rows = result['scopes']['labeled']['methods']
    assert result['scopes']['known']['methods']['repaired'][
        'psnr_rgb'
    ] == pytest.approx(db(0))
    # Of the second photo the upper half is painted as class 0 in truth.
    assert rows['repaired']['psnr_ab'] == pytest.approx(
        (db(0) + db(ab_error(0, 9) / 2)) / 2, abs=1e-4
    )
    for scope in ('labeled', 'known'):
        found = result['map'][scope]
        photos = result['scopes'][scope]['methods']
        assert found['repaired_gain'] == pytest.approx(
            photos['repaired']['psnr_ab'] - photos['predicted']['psnr_ab']
        )
        low, high = found['repaired_gain_interval']
        assert low <= found['repaired_gain'] <= high
    assert 'repaired gain' in as_markdown(result)
    assert 'repaired' in result['classes'][0]['delta_e']


def test_the_other_photos_map_is_another_photos(
    result: dict[str, Any],
) -> None:
    """Two photos swap maps, so the first is painted as the second."""
    found = [photo['psnr_ab'] for photo in result['per_photo']]
    assert found[0]['shuffled'] == pytest.approx(
        db(
            # Upper half empty; of the lower half class 7 is right.
            (ab_error(7, 0) + ab_error(9, 0)) / 4 + ab_error(9, 7) / 4
        ),
        abs=1e-4,
    )
    assert found[0]['true'] == pytest.approx(db(0))


def test_segmentation_figures(
    result: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = result['segmentation']
    # 9 is right in half of the first photo and never in the second.
    assert found['pixel_accuracy'] == pytest.approx(0.5 / 1.5)
    assert found['pixel_accuracy_per_photo'] == pytest.approx(0.25)
    # Class 9 has 1152 known pixels, too few; 7 has 2304 and is never found.
    assert found['classes'] == {'car': 0.0}
    assert found['miou'] == 0
    assert LEAST_PIXELS == 2000


def test_gray_is_gray(result: dict[str, Any]) -> None:
    for name in ('all', 'labeled', 'known'):
        scope = result['scopes'][name]
        gray = scope['methods']['gray']
        assert gray['colorfulness'] == 0
        assert gray['delta_cf'] == gray['delta_cf_per_photo'] > 0


def test_colorfulness_differences(
    shot: Any, halves: Any, painter: Any
) -> None:
    """One photo too colorful and one too dull cancel in one figure only."""
    seven, nothing = np.full((SIDE, SIDE), 7, np.uint8), halves(0, 0)
    pack = [shot(seven, PALETTE[nothing]), shot(nothing, PALETTE[seven])]
    rows = evaluate(painter, pack)['scopes']['labeled']['methods']
    vivid = 0.3 * math.hypot(30, 15)
    assert rows['true']['colorfulness'] == pytest.approx(vivid / 2)
    assert rows['true']['delta_cf'] == pytest.approx(0)
    assert rows['true']['delta_cf_per_photo'] == pytest.approx(vivid)


def test_a_map_without_gain_recovers_nothing(
    shot: Any, halves: Any, painter: Any
) -> None:
    """Maps that are wrong on purpose: G is negative, and said to be."""
    pack = list([shot(halves(7, 9), PALETTE[halves(0, 0)])] * 2)
    figures = evaluate(painter, pack)['map']['labeled']
    assert figures['gain'] < 0
    assert figures['recovery'] is None


def test_class_means(shot: Any, halves: Any) -> None:
    """Over the known pixels of all photos alike."""
    labels = np.full((SIDE, SIDE), 255, np.uint8)
    labels[:10] = 9
    photo = PALETTE[np.full((SIDE, SIDE), 7)]
    pack = [shot(halves(7, 9)), shot(labels, photo)]
    found = class_means(pack)
    means = found.ab
    seven, nine = (
        lab.rgb_to_lab(PALETTE[number] / 255)[1:] for number in (7, 9)
    )
    counts = SIDE * SIDE / 2, 10 * SIDE
    wanted = (nine * counts[0] + seven * counts[1]) / sum(counts)
    np.testing.assert_allclose(means[7], seven, atol=1e-3)
    np.testing.assert_allclose(means[9], wanted, atol=1e-3)
    assert not means[[0, 1, 59]].any()
    assert found.pixels[[7, 9, 0]].tolist() == [1152, 1152 + 480, 0]
    assert class_means([shot(None, photo)]) is None


def test_the_class_mean_baseline(shot: Any, halves: Any, painter: Any) -> None:
    """Where every class has one color, its mean is the truth."""
    pack = [shot(halves(7, 9)), shot(halves(7, 7, top=255))]
    result = evaluate(painter, pack, train_entries=pack)
    known = result['scopes']['known']['methods']
    assert known['class-mean']['psnr_ab'] > 45
    assert known['class-mean']['delta_e'] < 1
    assert np.shape(result['class_means']) == (60, 2)
    page = as_markdown(result)
    assert 'not computed' not in page.split('## Class swaps')[0]


def test_the_page_names_every_figure(result: dict[str, Any]) -> None:
    page = as_markdown(result)
    for words in (
        '2 photos, 2 of them with a label map',
        'Labeled photos, known pixels only (2 photos)',
        'baseline: gray',
        'PSNR_ab',
        'ΔE2000 p95',
        'map gain G',
        'recovery ρ',
        'sensitivity S',
        'mIoU',
        '| 7 car | 2,304 |',
    ):
        assert words in page
    for block in page.split('## Does')[0].split('## ')[1:]:
        widths = {
            line.count('|')
            for line in block.splitlines()
            if line.startswith('|')
        }
        assert len(widths) == 1


def test_a_network_broken_on_the_empty_map_is_no_gain() -> None:
    def photos(value: float) -> list[float]:
        return [value] * 3

    methods = {
        'gray': photos(25.0),
        'empty': photos(24.94),
        'predicted': photos(26.0),
        'repaired': photos(26.5),
        'true': photos(27.0),
    }
    assert not map_figures(methods, [1.0] * 3)['valid']
    methods['empty'] = photos(24.96)
    figures = map_figures(methods, [1.0] * 3)
    assert figures['valid']
    assert figures['gain'] == pytest.approx(2.04)
    assert figures['recovery'] == pytest.approx(1.04 / 2.04)
    assert figures['repaired_gain'] == pytest.approx(0.5)
