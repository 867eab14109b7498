"""Promise 4: an edit is local, and following it equals starting anew."""

from __future__ import annotations

import weakref
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_sdcolor import Colorizer
from napari_sdcolor.core import colornet
from napari_sdcolor.core.features import WIDTHS, FeaturesConfig
from napari_sdcolor.core.gridnet import GridNetConfig
from napari_sdcolor.core.photo import Origin, photo_from_array
from napari_sdcolor.core.recolor import RecolorSession

CONFIGS = {
    'paper': replace(colornet.PAPER, widths=(2,) * 5, slope=0.3),
    'paper, embedding': replace(
        colornet.PAPER, widths=(2,) * 5, label_channels=3, slope=0.3
    ),
    'released': replace(colornet.RELEASED, widths=(2,) * 6),
    'features': replace(
        colornet.PAPER, widths=(2,) * 5, slope=0.3, features=WIDTHS
    ),
}
REACH = {
    'paper': 79,
    'paper, embedding': 79,
    'released': 158,
    'features': 79,
}


def build(config: str, dtype: str = 'float32', size: int = 64) -> Colorizer:
    colorizer = Colorizer.random(
        CONFIGS[config],
        grid=GridNetConfig(widths=(2, 2)),
        dtype=dtype,
        size=size,
    )
    if colorizer.features_net is not None:
        colorizer.features_net.config = FeaturesConfig(size=96)
    return colorizer


def scene(
    height: int, width: int, bits: int = 8, orientation: int = 1
) -> tuple[object, np.random.Generator]:
    rng = np.random.default_rng(height * width)
    codes = rng.integers(0, 2**bits, (height, width))
    photo = photo_from_array(codes.astype(f'uint{bits}'))
    return replace(photo, origin=Origin(orientation=orientation)), rng


def start(
    colorizer: Colorizer, photo: object, rng: np.random.Generator
) -> RecolorSession:
    shape = photo.working_shape(colorizer.size)
    return colorizer.session(photo, rng.integers(0, 60, shape, np.uint8))


def painted(
    session: RecolorSession, rng: np.random.Generator, radius: int = 3
) -> NDArray[np.uint8]:
    """The session's map with one more stroke."""
    labels = session.labels.copy()
    y, x = (int(rng.integers(0, side)) for side in labels.shape)
    spot = (
        slice(max(0, y - radius), y + radius + 1),
        slice(max(0, x - radius), x + radius + 1),
    )
    labels[spot] = (labels[spot].max() + 1 + rng.integers(0, 58)) % 60
    return labels


def outside(mask_shape: tuple[int, ...], boxes: list) -> NDArray[np.bool_]:
    free = np.ones(mask_shape, bool)
    for y0, x0, y1, x1 in boxes:
        free[y0:y1, x0:x1] = False
    return free


@pytest.mark.parametrize('config', CONFIGS)
@pytest.mark.parametrize(
    ('dtype', 'tolerance'), [('float32', 1e-3), ('float64', 1e-9)]
)
@pytest.mark.parametrize('bits', [8, 16])
def test_following_edits_equals_the_full_pass(
    config: str, dtype: str, tolerance: float, bits: int
) -> None:
    colorizer = build(config, dtype)
    photo, rng = scene(75, 333, bits)
    session = start(colorizer, photo, rng)
    for _ in range(8):
        labels = painted(session, rng)
        assert session.update(labels)
        assert np.array_equal(session.labels, labels)
        assert np.abs(session.chroma - session.full()).max() <= tolerance
    fresh = colorizer.session(photo, session.labels)
    assert np.abs(session.chroma - fresh.chroma).max() <= tolerance
    assert session.chroma.dtype == np.dtype(dtype)
    assert np.abs(session.rgb.astype(int) - fresh.rgb).max() <= 2 ** (bits - 8)


@pytest.mark.parametrize('config', CONFIGS)
@pytest.mark.parametrize('orientation', [1, 3, 6])
def test_edits_stay_inside_the_boxes_that_are_returned(
    config: str, orientation: int
) -> None:
    colorizer = build(config, 'float64')
    photo, rng = scene(70, 500, orientation=orientation)
    session = start(colorizer, photo, rng)
    h, w = session.labels.shape
    for spot in [(0, 0), (h - 1, w - 1), (h // 2, w // 2), (10, w // 3)]:
        chroma, rgb = session.chroma.copy(), session.rgb.copy()
        full = session.full()
        labels = session.labels.copy()
        labels[spot] = (labels[spot] + 30) % 60
        boxes = session.update(labels)
        for y0, x0, y1, x1 in boxes:
            assert 0 <= y0 < y1 <= h
            assert 0 <= x0 < x1 <= w
            assert y0 >= spot[0] - REACH[config]
            assert x0 >= spot[1] - REACH[config]
            assert y1 <= spot[0] + REACH[config] + 1
            assert x1 <= spot[1] + REACH[config] + 1
        free = outside((h, w), boxes)
        assert free.any()
        assert np.array_equal(session.chroma[free], chroma[free])
        # The full pass itself changes nothing out there.
        assert np.array_equal(session.full()[free], full[free])
        assert (session.chroma != chroma).any()
        free = outside(photo.shape, [session.photo_box(box) for box in boxes])
        assert free.any()
        assert np.array_equal(session.rgb[free], rgb[free])


def test_the_same_map_changes_nothing() -> None:
    photo, rng = scene(64, 90)
    session = start(build('paper'), photo, rng)
    chroma = session.chroma.copy()
    assert session.update(session.labels.copy()) == []
    assert np.array_equal(session.chroma, chroma)


def test_undoing_an_edit_brings_the_color_back() -> None:
    photo, rng = scene(80, 120)
    session = start(build('paper'), photo, rng)
    labels = session.labels.copy()
    chroma, rgb = session.chroma.copy(), session.rgb.copy()
    session.update(painted(session, rng))
    assert not np.array_equal(session.rgb, rgb)
    session.update(labels)
    np.testing.assert_allclose(session.chroma, chroma, atol=1e-3)
    assert np.abs(session.rgb.astype(int) - rgb).max() <= 1


def test_views_stay_the_same_arrays() -> None:
    photo, rng = scene(70, 90)
    session = start(build('paper'), photo, rng)
    views = session.chroma, session.rgb, session.labels
    session.update(painted(session, rng))
    session.set_saturation(0.5)
    assert all(
        one is other
        for one, other in zip(
            views,
            (session.chroma, session.rgb, session.labels),
            strict=True,
        )
    )


def test_the_map_given_is_not_kept() -> None:
    """The caller may go on painting into its own array."""
    photo, rng = scene(64, 80)
    colorizer = build('paper')
    labels = rng.integers(0, 60, photo.working_shape(64), np.uint8)
    session = colorizer.session(photo, labels)
    labels[3, 3] = (labels[3, 3] + 1) % 60
    assert session.update(labels)
    labels[4, 4] = (labels[4, 4] + 1) % 60
    assert session.update(labels)


def test_saturation_is_kept_through_edits() -> None:
    photo, rng = scene(70, 99, 16)
    colorizer = build('paper')
    session = start(colorizer, photo, rng)
    session.set_saturation(0)
    assert (session.rgb == session.rgb[..., :1]).all()
    session.update(painted(session, rng))
    assert (session.rgb == session.rgb[..., :1]).all()
    session.set_saturation(1.7)
    fresh = colorizer.session(photo, session.labels, saturation=1.7)
    assert np.abs(session.rgb.astype(int) - fresh.rgb).max() <= 256


def test_chroma_that_no_photo_has_is_said() -> None:
    photo, rng = scene(64, 80)
    colorizer = build('paper')
    colorizer.color_net.final_conv.weight.data.mul_(1e-4)
    session = start(colorizer, photo, rng)
    assert session.notes == ()
    colorizer.color_net.final_conv.weight.data.mul_(1e9)
    session = start(colorizer, photo, rng)
    assert any('chroma up to' in note for note in session.notes)


def test_ids_never_drift(thorough: bool) -> None:
    """Promise 3, in the long run over ten thousand recolor cycles."""
    colorizer = Colorizer.random(
        replace(colornet.PAPER, widths=(2, 2)),
        grid=GridNetConfig(widths=(2, 2)),
        size=16,
    )
    photo, rng = scene(16, 16)
    labels = (np.arange(256) % 60).astype(np.uint8).reshape(16, 16)
    # Painted gray: the gamut need not be looked for ten thousand times.
    session = colorizer.session(photo, labels, saturation=0)
    wanted = labels.copy()
    for _ in range(10_000 if thorough else 1000):
        spot = tuple(rng.integers(0, 16, 2))
        wanted[spot] = rng.integers(0, 60)
        labels = session.labels.copy()
        labels[spot] = wanted[spot]
        session.update(labels)
    assert np.array_equal(session.labels, wanted)
    assert session.labels.dtype == np.uint8
    assert np.abs(session.chroma - session.full()).max() <= 1e-3


@pytest.mark.parametrize(
    ('config', 'orientation'),
    [
        *(('paper', orientation) for orientation in range(1, 9)),
        ('features', 1),
        ('features', 6),
    ],
)
def test_boxes_are_exact_however_the_photo_is_turned(
    config: str, orientation: int
) -> None:
    """Every row and column at the rim of the box really changes."""
    colorizer = build(config, 'float64')
    photo, rng = scene(64, 420, orientation=orientation)
    session = start(colorizer, photo, rng)
    h, w = session.labels.shape
    for column in (200, 213):
        chroma, labels = session.chroma.copy(), session.labels.copy()
        labels[30, column] = (labels[30, column] + 30) % 60
        ((y0, x0, y1, x1),) = session.update(labels)
        moved = (session.chroma != chroma).any(axis=(0, 2))
        assert (y0, y1) == (0, h)
        assert np.flatnonzero(moved)[[0, -1]].tolist() == [x0, x1 - 1]


def test_distant_edits_in_one_update_are_boxes_of_their_own() -> None:
    colorizer = build('paper', 'float64')
    photo, rng = scene(64, 600)
    session = start(colorizer, photo, rng)
    chroma, labels = session.chroma.copy(), session.labels.copy()
    labels[10:13, 20:30] = 1
    labels[40:44, 560:562] = 2
    boxes = session.update(labels)
    assert len(boxes) == 2
    free = outside(session.labels.shape, boxes)
    assert free.any()
    assert np.array_equal(session.chroma[free], chroma[free])
    assert np.abs(session.chroma - session.full()).max() <= 1e-9


@pytest.mark.parametrize('config', ['paper, embedding', 'features'])
@pytest.mark.parametrize('memory', [0, 0.1, 1, 2048])
def test_any_budget_of_memory_gives_the_same_color(
    memory: float, config: str
) -> None:
    colorizer = build(config, 'float64')
    photo, rng = scene(70, 300)
    labels = rng.integers(0, 60, photo.working_shape(64), np.uint8)
    session = colorizer.session(photo, labels, memory=memory)
    planes = session.labels.size * 2 * 9
    assert session.nbytes <= memory * 2**20 + planes
    for _ in range(5):
        session.update(painted(session, rng))
        assert np.abs(session.chroma - session.full()).max() <= 1e-9


def test_a_session_that_nobody_holds_frees_its_memory() -> None:
    photo, rng = scene(64, 90)
    session = start(build('paper'), photo, rng)
    session.update(painted(session, rng))
    features = weakref.ref(session._pass)
    del session
    # Without waiting for the garbage collector.
    assert features() is None
