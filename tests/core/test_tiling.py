"""Tiles give the same colors as one piece, whatever their size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_sdcolor.core import cancel, colornet, progress, tiling
from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.core.features import WIDTHS, FeaturesConfig
from napari_sdcolor.core.gridnet import GridNetConfig
from napari_sdcolor.core.tiling import Moments, gray_statistics, tiles
from napari_sdcolor.errors import Cancelled, OutOfMemory

GRID = GridNetConfig(widths=(2, 2), columns=2)
CONFIGS = {
    'paper': replace(colornet.PAPER, widths=(3, 4, 4, 5, 6)),
    'released': replace(colornet.RELEASED, widths=(3, 4, 4, 5, 6, 6)),
    'embedding': replace(
        colornet.PAPER, widths=(3, 4, 4, 5, 6), label_channels=3
    ),
    'no normalization': replace(
        colornet.PAPER, widths=(3, 4, 4, 5, 6), instance_norm=False
    ),
    'features': replace(
        colornet.PAPER, widths=(3, 4, 4, 5, 6), features=WIDTHS
    ),
}


def build(name: str, dtype: str = 'float32') -> Colorizer:
    config = replace(CONFIGS[name], slope=0.5)
    colorizer = Colorizer.random(config, grid=GRID, dtype=dtype, size=64)
    if colorizer.features_net is not None:
        # Quick, and still another size than that of the planes.
        colorizer.features_net.config = FeaturesConfig(size=64)
    # Random weights ask for chroma in the thousands; bring it to Lab's range.
    largest = np.abs(colorizer.chroma(*planes(96, 96))).max()
    with torch.no_grad():
        colorizer.color_net.final_conv.weight *= float(50 / largest)
    return colorizer


def colored(
    colorizer: Colorizer,
    gray: np.ndarray,
    labels: np.ndarray,
    side: int | None,
) -> np.ndarray:
    """In tiles of a side, or in one piece."""
    features = colorizer.color_features(gray)
    return colorizer._color(gray, labels, features, side)


def planes(
    h: int, w: int, dtype: type = np.float32
) -> tuple[np.ndarray, np.ndarray]:
    """A gray plane whose parts differ in their statistics, and a map."""
    rng = np.random.default_rng(h * w)
    y, x = np.mgrid[:h, :w]
    gray = 0.3 * rng.random((h, w)) + 0.5 * (x / w) ** 3 + 0.2 * (y / h)
    return gray.astype(dtype), rng.integers(0, 60, (h, w), np.uint8)


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(1, 700),
    st.sampled_from([(16, 80), (32, 160)]),
)
def test_tiles_cover_every_pixel_once_and_stay_aligned(
    rows: int, columns: int, side: int, steps: tuple[int, int]
) -> None:
    multiple, halo = steps
    shape = rows * multiple, columns * multiple
    seen = np.zeros(shape, np.uint8)
    for tile in tiles(shape, side, halo, multiple):
        assert not any(edge % multiple for edge in tile.own + tile.seen)
        seen[tile.rows, tile.columns] += 1
        y0, x0, y1, x1 = tile.own
        assert 0 < y1 - y0 < side + multiple
        assert 0 < x1 - x0 < side + multiple
        top, left, bottom, right = tile.seen
        assert top in (0, y0 - halo)
        assert left in (0, x0 - halo)
        assert bottom in (shape[0], y1 + halo)
        assert right in (shape[1], x1 + halo)
    assert (seen == 1).all()


@pytest.mark.parametrize('name', CONFIGS)
@pytest.mark.parametrize(
    ('shape', 'side'),
    [
        ((288, 416), 96),
        ((416, 288), 128),
        ((32, 608), 128),
        ((608, 32), 32),
        ((160, 192), 4096),
        ((32, 32), 32),
    ],
)
def test_tiles_equal_one_piece(
    name: str, shape: tuple[int, int], side: int
) -> None:
    single, double = build(name), build(name, 'float64')
    gray, labels = planes(*shape)
    whole = colored(single, gray, labels, None)
    tiled = colored(single, gray, labels, side)
    assert tiled.shape == (*shape, 2)
    assert tiled.dtype == np.float32
    assert 30 < np.ptp(whole) < 400
    assert np.abs(tiled - whole).max() <= 1e-3
    gray = gray.astype(np.float64)
    whole = colored(double, gray, labels, None)
    tiled = colored(double, gray, labels, side)
    assert np.abs(tiled - whole).max() <= 1e-9


@settings(settings.get_profile('heavy'))
@given(
    st.sampled_from(['paper', 'released', 'features']),
    st.integers(1, 13),
    st.integers(1, 3),
    st.integers(1, 320),
)
def test_tiles_of_any_size_equal_one_piece(
    name: str, rows: int, columns: int, side: int
) -> None:
    colorizer = build(name, 'float64')
    gray, labels = planes(rows * 32, columns * 32, np.float64)
    whole = colored(colorizer, gray, labels, None)
    tiled = colored(colorizer, gray, labels, side)
    assert np.abs(tiled - whole).max() <= 1e-9


@pytest.mark.parametrize('preset', ['paper', 'released'])
def test_a_narrower_halo_leaves_seams(
    preset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the tests above are no accident."""
    colorizer = build(preset, 'float64')
    gray, labels = planes(384, 32, np.float64)
    whole = colored(colorizer, gray, labels, None)
    config = type(colorizer.color_net.config)
    halo, narrow = (80, 64) if preset == 'paper' else (160, 96)
    assert colorizer.color_net.config.halo == halo
    monkeypatch.setattr(config, 'halo', narrow)
    tiled = colored(colorizer, gray, labels, 192)
    assert np.abs(tiled - whole).max() > 1e-9


@pytest.mark.parametrize('name', ['paper', 'released'])
def test_statistics_are_those_of_the_whole_plane(name: str) -> None:
    colorizer = build(name, 'float64')
    gray, _ = planes(288, 352, np.float64)
    tensor = colorizer._tensor
    with torch.inference_mode():
        found = gray_statistics(colorizer.color_net, gray, 96, tensor)
        levels = colorizer.color_net.gray_levels(
            tensor(gray)[None, None] * 2 - 1
        )
        for (mean, variance), level in zip(found, levels, strict=True):
            torch.testing.assert_close(mean, level[0].mean((1, 2)))
            expected = level[0].var((1, 2), correction=0)
            torch.testing.assert_close(variance, expected)


def test_moments_survive_a_large_mean() -> None:
    """Sums of squares would lose the variance altogether."""
    values = torch.linspace(0, 1e-3, 4096, dtype=torch.float64) + 1e4
    moments = Moments()
    for piece in values.split(100):
        moments.add(piece.reshape(1, 1, 1, -1))
    assert moments.count == 4096
    expected = float(values.var(correction=0))
    assert float(moments.variance) == pytest.approx(expected, rel=1e-4)


def test_large_planes_go_in_tiles_and_say_how_far_they_are() -> None:
    colorizer = build('paper')
    gray, labels = planes(288, 416)
    whole = colorizer.chroma(gray, labels)
    colorizer.whole_area = gray.size - 1
    said: list[str] = []
    with progress.told_to(said.append):
        tiled = colorizer.chroma(gray, labels)
    assert np.abs(tiled - whole).max() <= 1e-3
    assert said == ['Measuring tile 1 of 1', 'Coloring tile 1 of 1']
    said.clear()
    colorizer.whole_area = gray.size
    with progress.told_to(said.append):
        colorizer.chroma(gray, labels)
    assert said == []


@pytest.mark.parametrize('stop_at', [1, 2, 9, 10, 15])
def test_stop_answers_between_tiles(stop_at: int) -> None:
    colorizer = build('paper')
    gray, labels = planes(288, 416)
    token = cancel.CancelToken()
    said: list[str] = []

    def listen(words: str) -> None:
        said.append(words)
        if len(said) == stop_at:
            token.cancel()

    with (
        token.active(),
        progress.told_to(listen),
        pytest.raises(Cancelled),
    ):
        colored(colorizer, gray, labels, 128)
    assert len(said) == stop_at


def scarce(colorizer: Colorizer, area: int) -> None:
    """Make the device run out of memory above so many pixels at once."""

    def refuse(module: torch.nn.Module, inputs: tuple) -> None:
        if inputs[0].shape[-2:].numel() > area:
            raise torch.OutOfMemoryError('out of memory')

    colorizer.color_net.encoder[0].register_forward_pre_hook(refuse)


@pytest.fixture
def small_sides(monkeypatch: pytest.MonkeyPatch) -> tuple[int, ...]:
    sides = (256, 128, 64)
    monkeypatch.setattr('napari_sdcolor.core.networks.SIDES', sides)
    return sides


def test_out_of_memory_tries_smaller_tiles_and_says_so(
    small_sides: tuple[int, ...],
) -> None:
    colorizer = build('paper')
    gray, labels = planes(512, 512)
    whole, notes = colorizer.color(gray, labels)
    assert notes == ()
    scarce(colorizer, (64 + 160) ** 2)
    said: list[str] = []
    with progress.told_to(said.append):
        tiled, notes = colorizer.color(gray, labels)
    assert np.abs(tiled - whole).max() <= 1e-3
    assert len(notes) == 1
    assert 'tiles of 64 pixels' in notes[0]
    assert any('tiles of 128 pixels' in words for words in said)


def test_too_little_memory_for_the_smallest_tiles_is_an_error(
    small_sides: tuple[int, ...],
) -> None:
    colorizer = build('paper')
    scarce(colorizer, 1000)
    with pytest.raises(OutOfMemory, match='smaller working size'):
        colorizer.chroma(*planes(512, 512))


def test_the_sentence_is_recorded_with_the_result(
    small_sides: tuple[int, ...], narrow: Callable[..., Colorizer]
) -> None:
    colorizer = narrow(size='native')
    scarce(colorizer, (128 + 160) ** 2)
    result = colorizer.colorize(np.uint8(planes(500, 400)[0] * 200))
    assert any('tiles of 128 pixels' in note for note in result.notes)


def test_the_rule_stands_in_one_place() -> None:
    assert Colorizer.whole_area == tiling.WHOLE_AREA
    assert list(tiling.SIDES) == sorted(tiling.SIDES, reverse=True)
