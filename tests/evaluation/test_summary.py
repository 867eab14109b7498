"""From figures of photos to figures of a split."""

from __future__ import annotations

import pytest

from napari_sdcolor.evaluation import summary


def test_a_network_broken_on_the_empty_map_is_no_gain() -> None:
    def photos(value: float) -> list[dict[str, float]]:
        return [{'psnr_ab': value}] * 3

    methods = {
        'gray': photos(25.0),
        'empty': photos(24.94),
        'predicted': photos(26.0),
        'repaired': photos(26.5),
        'true': photos(27.0),
    }
    assert not summary.map_figures(methods, [1.0] * 3)['valid']
    methods['empty'] = photos(24.96)
    figures = summary.map_figures(methods, [1.0] * 3)
    assert figures['valid']
    assert figures['gain'] == pytest.approx(2.04)
    assert figures['recovery'] == pytest.approx(1.04 / 2.04)
    assert figures['repaired_gain'] == pytest.approx(0.5)
