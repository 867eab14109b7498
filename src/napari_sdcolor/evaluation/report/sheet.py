"""The contact sheet: best, median and worst photos beside each other."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from napari_sdcolor.classes import CLASSES
from napari_sdcolor.core.planes import resize_labels
from napari_sdcolor.datasets.sheets import paint_labels
from napari_sdcolor.evaluation.cases import Case
from napari_sdcolor.evaluation.run import Evaluation

PER_GROUP = 3
"""Photos in each of the three groups."""

WIDTH, HEIGHT = 260, 200
"""Largest size of a picture on the sheet, in pixels."""

LEGEND = 3
"""Classes named below a map, the largest ones."""

_GAP, _LINE = 10, 16


@dataclass(frozen=True)
class Row:
    """One photo on the sheet.

    Parameters
    ----------
    title
        Name and figures.
    pictures
        (H, W, 3) uint8 below each heading; None leaves it empty.
    captions
        One line below each picture.
    legend
        Names and colors of classes, below the map.
    """

    title: str
    pictures: list[NDArray[np.uint8] | None]
    captions: list[str]
    legend: list[tuple[str, tuple[int, int, int]]]


def contact_sheet(evaluation: Evaluation, result: dict[str, Any]) -> bytes:
    """A PNG of the best, median and worst photos.

    They are ranked by what color with the predicted map gains over gray in
    PSNR_ab. Labeled photos are shown, if there are any, because the others
    have no true map.
    """
    headings = ['gray', 'predicted map', 'ours, predicted map']
    headings += ['ours, true map', *result['results'], 'truth']
    chosen = choose(result['per_photo'])
    places = {
        entry.full_name: place
        for place, entry in enumerate(evaluation.split.usable)
    }
    groups = []
    for words, lines in chosen.items():
        rows = []
        for line in evaluation.ticker.over(f'{words} photos')(lines):
            with evaluation.case(places[line['photo']]) as case:
                rows.append(_row(case, line, result))
        groups.append((words, rows))
    return compose_sheet(headings, groups)


def choose(lines: Sequence[dict[str, Any]]) -> dict[str, list[dict]]:
    """Best, median and worst photos, no photo twice."""
    labeled = [line for line in lines if 'true' in line['psnr_ab']]
    ranked = sorted(labeled or lines, key=gained, reverse=True)
    count = min(PER_GROUP, max(1, len(ranked) // 3))
    between = ranked[count : max(count, len(ranked) - count)]
    start = (len(between) - count) // 2 if len(between) > count else 0
    groups = {
        'best': ranked[:count],
        'median': between[start : start + count],
        'worst': ranked[max(count, len(ranked) - count) :],
    }
    return {words: group for words, group in groups.items() if group}


def gained(line: dict[str, Any]) -> float:
    """PSNR_ab of the predicted map over gray, dB."""
    return line['psnr_ab']['predicted'] - line['psnr_ab']['gray']


def _row(case: Case, line: dict[str, Any], result: dict[str, Any]) -> Row:
    methods = ['predicted', 'true', *result['results']]
    map_ = resize_labels(case.predicted, case.photo.shape)
    pictures = [case.picture('gray').rgb, paint_labels(map_)]
    captions = ['', '']
    for method in methods:
        there = method in case.methods
        pictures.append(case.picture(method).rgb if there else None)
        captions.append(
            f'{line["psnr_ab"][method]:.1f} dB' if there else 'none'
        )
    return Row(
        f'{case.name}: {gained(line):+.1f} dB over gray',
        [*pictures, case.truth.rgb],
        [*captions, ''],
        _legend(map_),
    )


def _legend(map_: NDArray) -> list[tuple[str, tuple[int, int, int]]]:
    counts = np.bincount(map_.ravel(), minlength=len(CLASSES))
    largest = np.argsort(-counts, kind='stable')[:LEGEND]
    swatches = paint_labels(largest.astype(np.uint8))
    return [
        (CLASSES[number].title, tuple(int(each) for each in swatch))
        for number, swatch in zip(largest, swatches, strict=True)
        if counts[number]
    ]


def compose_sheet(
    headings: Sequence[str], groups: Sequence[tuple[str, Sequence[Row]]]
) -> bytes:
    """Rows of pictures under headings, group by group, as PNG."""
    rows = [row for _, group in groups for row in group]
    shrunk = {
        id(row): [_shrunk(picture) for picture in row.pictures] for row in rows
    }
    heights = {
        key: max(image.height for image in images if image)
        for key, images in shrunk.items()
    }
    width = len(headings) * (WIDTH + _GAP) + _GAP
    height = 2 * _LINE + _GAP
    height += sum(3 * _LINE + _GAP + heights[id(row)] for row in rows)
    height += len(groups) * (2 * _LINE + _GAP)
    canvas = Image.new('RGB', (width, height), 'white')
    draw = ImageDraw.Draw(canvas)
    bold, small = ImageFont.load_default(16), ImageFont.load_default(12)
    for x, heading in zip(_columns(headings), headings, strict=True):
        draw.text((x, _GAP), heading, fill='black', font=bold)
    y = 2 * _LINE
    for words, group in groups:
        y += _GAP
        draw.rectangle((0, y, width, y + _LINE + 8), fill='#e6e6e6')
        draw.text((_GAP, y + 3), words, fill='black', font=bold)
        y += 2 * _LINE
        for row in group:
            draw.text((_GAP, y), row.title, fill='#444444', font=small)
            y += _LINE + 2
            for x, image, caption in zip(
                _columns(headings), shrunk[id(row)], row.captions, strict=True
            ):
                below = y + heights[id(row)] + 3
                if image is not None:
                    canvas.paste(image, (x, y))
                draw.text((x, below), caption, fill='#444444', font=small)
            below = y + heights[id(row)] + 3
            _draw_legend(draw, row, WIDTH + 2 * _GAP, below, small)
            y = below + 2 * _LINE + _GAP - 5
    stream = io.BytesIO()
    canvas.save(stream, 'PNG')
    return stream.getvalue()


def _columns(headings: Sequence[str]) -> Iterator[int]:
    for number in range(len(headings)):
        yield _GAP + number * (WIDTH + _GAP)


def _shrunk(picture: NDArray[np.uint8] | None) -> Image.Image | None:
    if picture is None:
        return None
    image = Image.fromarray(np.ascontiguousarray(picture))
    image.thumbnail((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    return image


def _draw_legend(
    draw: ImageDraw.ImageDraw,
    row: Row,
    x: int,
    y: int,
    font: ImageFont.FreeTypeFont,
) -> None:
    for name, color in row.legend:
        draw.rectangle((x, y + 2, x + 10, y + 12), fill=color)
        draw.text((x + 14, y), name, fill='#444444', font=font)
        x += 14 + int(draw.textlength(name, font=font)) + 10
