"""The networks at one working size, in turns with their reference."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from napari_sdcolor.bench.timing import Case, Row, row_of, take_turns
from napari_sdcolor.classes import N_CLASSES
from napari_sdcolor.core import device
from napari_sdcolor.core.multiplications import multiplications

if TYPE_CHECKING:
    from napari_sdcolor.core.engine import Colorizer

STROKES = (4, 16, 64)
"""Sides in pixels of the painted squares."""

GEMM_SIDE = 2048
"""Rows and columns of the matrices whose product is timed."""

REFERENCE = 'reference: eager forward of both streams'

Against = Callable[[NDArray, NDArray], NDArray]


def planes(size: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """A gray plane in [0, 1] with soft shapes and grain, and a map."""
    rng = np.random.default_rng(size)
    y, x = np.mgrid[:size, :size].astype(np.float32) / size
    gray = 0.5 + 0.2 * (np.sin(9 * y) + np.cos(7 * x + 3 * y))
    gray = np.clip(gray + rng.normal(0, 0.02, gray.shape), 0, 1)
    labels = rng.integers(0, N_CLASSES, (8, 8), np.uint8)
    rows = np.arange(size) * 8 // size
    return gray.astype(np.float32), labels[np.ix_(rows, rows)]


def measure_size(
    colorizer: Colorizer,
    size: int,
    *,
    budget: float,
    most: int,
    against: Against | None = None,
    one_thread: bool = False,
) -> list[Row]:
    """All rows of one working size.

    Parameters
    ----------
    colorizer
        Its own ``size`` does not matter.
    size
        Side of the square plane in pixels.
    budget, most
        As for ``timing.take_turns``.
    against
        Another implementation: (gray, labels) to ab.
    one_thread
        Show, too, what one thread of the CPU does.

    Returns
    -------
    list of Row
        The better reference first.
    """
    gray, labels = planes(size)
    references = dict(_references(colorizer, gray, labels))
    cases: dict[str, Case] = dict(references)
    cases['full pass'] = lambda: colorizer.chroma(gray, labels)
    with colorizer.inference():
        features = colorizer.color_net.encode_gray(
            colorizer.gray(gray), features=colorizer.color_features(gray)
        )

    def cached() -> None:
        network = colorizer.color_net
        with colorizer.inference():
            encoded = network.encode_labels(colorizer.ids(labels))
            colorizer.lab_units(network.decode(features, encoded))

    cases['gray cached'] = cached
    cases['segmentation'] = lambda: colorizer.logits(gray)
    counted = ('full pass', 'gray cached', 'segmentation')
    macs = {name: multiplications(cases[name]) for name in counted}
    if one_thread and torch.get_num_threads() > 1:
        cases['full pass, one thread'] = _on_one_thread(cases['full pass'])
    if against is not None:
        cases['against'] = lambda: against(gray, labels)
    wait = _waiting(colorizer)
    times = take_turns(cases, budget=budget, most=most, synchronize=wait)
    # The features make room: a session keeps its own.
    features = None
    best = min(references, key=lambda name: np.median(times[name]))
    reference = float(np.median(times[best]))
    rows = [
        row_of(
            REFERENCE,
            times[best],
            size=size,
            ratio=1.0,
            macs=macs['full pass'],
        )
    ]
    for name, found in times.items():
        if name in references:
            row = row_of(
                f'reference, {name}', found, size=size, macs=macs['full pass']
            )
        else:
            row = row_of(name, found, size=size, macs=macs.get(name))
        rows.append(_compared(row, reference))
    for stroke in STROKES:
        if stroke <= size:
            found, macs = _strokes(colorizer, size, stroke, most, wait)
            row = row_of('stroke', found, size=size, stroke=stroke, macs=macs)
            rows.append(_compared(row, reference))
    return rows


def _compared(row: Row, reference: float) -> Row:
    ratio = reference / row.median_s
    return replace(row, ratio=ratio, against=REFERENCE)


def _references(
    colorizer: Colorizer, gray: NDArray, labels: NDArray
) -> Iterator[tuple[str, Case]]:
    formats = {
        'NCHW': torch.contiguous_format,
        'channels_last': torch.channels_last,
    }
    features = colorizer.color_features(gray)
    seen = () if features is None else features.tensors
    for name, layout in formats.items():
        network = copy.deepcopy(colorizer.color_net).to(memory_format=layout)
        plane = colorizer.gray(gray).to(memory_format=layout)
        yield name, _forward(network, plane, colorizer.ids(labels), *seen)


def _on_one_thread(case: Case) -> Case:
    def run() -> object:
        with device.one_thread():
            return case()

    return run


def _forward(network: torch.nn.Module, *inputs: torch.Tensor) -> Case:
    def run() -> torch.Tensor:
        with torch.inference_mode():
            return network(*inputs)

    return run


def _strokes(
    colorizer: Colorizer,
    size: int,
    side: int,
    most: int,
    wait: Callable[[], None] | None,
) -> tuple[list[float], int | None]:
    """Times of edits at random places of the interior."""
    gray, labels = planes(size)
    twin = copy.copy(colorizer)
    twin.size = size
    rng = np.random.default_rng(side)
    rim = min(96, (size - side) // 2)
    with twin.session(np.uint8(np.rint(gray * 255)), labels) as session:

        def stroke() -> None:
            y, x = rng.integers(rim, size - side - rim + 1, 2)
            shift = int(rng.integers(1, N_CLASSES))
            new = (int(labels[y, x]) + shift) % N_CLASSES
            labels[y : y + side, x : x + side] = new
            session.update(labels)

        times = take_turns(
            {'stroke': stroke},
            budget=60,
            most=max(20, most),
            least=min(20, 4 * most),
            synchronize=wait,
        )
        return times['stroke'], _macs(session)


def _macs(session: Any) -> int | None:
    """Of the last update, where the session counts them."""
    found = getattr(session, 'macs', None)
    return int(found) if found else None


def _waiting(colorizer: Colorizer) -> Callable[[], None] | None:
    if colorizer.device.kind == 'cuda':
        return torch.cuda.synchronize
    if colorizer.device.kind == 'mps':
        return torch.mps.synchronize
    return None


def measure_gemm(colorizer: Colorizer) -> float:
    """Rate of a large matrix multiplication in 10^9 MAC per second.

    The better of two ways to ask for it: as a product, and as a convolution
    of single pixels, which goes through another library on most CPUs.
    """
    side = GEMM_SIDE
    place, dtype = (
        colorizer.device.torch,
        next(colorizer.color_net.parameters()).dtype,
    )
    one = torch.rand(side, side, device=place).to(dtype)
    plane = one.T.reshape(1, side, -1, GEMM_SIDE // 32)
    plane = plane.contiguous(memory_format=torch.channels_last)
    kernel = one[..., None, None]
    with torch.inference_mode():
        times = take_turns(
            {
                'product': lambda: one @ one,
                'convolution': lambda: functional.conv2d(plane, kernel),
            },
            budget=3.0,
            most=100,
            least=5,
            synchronize=_waiting(colorizer),
        )
    best = min(float(np.median(found)) for found in times.values())
    return side**3 / best / 1e9


def precision(colorizer: Colorizer, dtype: str, size: int) -> float:
    """Largest error of ab, in Lab units, of a data type against float32."""
    gray, labels = planes(size)
    exact = colorizer.chroma(gray, labels)
    other = type(colorizer)(
        copy.deepcopy(colorizer.parts), colorizer.device, dtype, size
    )
    return float(np.abs(other.chroma(gray, labels) - exact).max())
