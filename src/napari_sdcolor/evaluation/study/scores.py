"""From answers to the paper's Table 1: mean scores and their intervals."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.errors import DataError, said
from napari_sdcolor.evaluation.markdown import cell, table
from napari_sdcolor.evaluation.metrics import finite_mean
from napari_sdcolor.evaluation.study import CRITERIA
from napari_sdcolor.opening import read_json, read_text
from napari_sdcolor.words import counted

COLUMNS = ('study', 'rater', 'photo', 'position', *CRITERIA)
"""Of the answers that the page saves."""

NATURALNESS = 'naturalness'
"""The mean of the three criteria (paper, section 4.2)."""

DRAWS = 2000
LEVEL = 0.95


@dataclass(frozen=True)
class Key:
    """What the page does not tell.

    Parameters
    ----------
    study
        Identity of the page.
    methods
        In the order of the table.
    positions
        For each photo the method at each letter.
    """

    study: str
    methods: list[str]
    positions: list[dict[str, str]]

    @classmethod
    def read(cls, path: Path) -> Key:
        """Read the file that was made together with the page.

        Raises
        ------
        DataError
            If it is no such file.
        """
        try:
            found = read_json(path)
            photos = [dict(each['positions']) for each in found['photos']]
            methods = list(found['methods'])
            shown = {one for photo in photos for one in photo.values()}
            if not (all(map(_is_word, methods)) and shown <= set(methods)):
                raise ValueError('it names methods that it does not list')
            return cls(str(found['study']), methods, photos)
        except OSError as error:
            raise DataError(
                f'{path} cannot be read ({said(error)}).'
            ) from error
        except (ValueError, LookupError, TypeError) as error:
            raise DataError(
                f'{path} is no key of a user study; it is called '
                'user-study-key.json and lies beside the page.'
            ) from error


def score_table(paths: Sequence[Path], key: Key) -> dict[str, Any]:
    """Scores of every method from the answers of all raters.

    The interval resamples raters and photos alike, both with replacement,
    because both are samples of many.

    Parameters
    ----------
    paths
        CSV files that the page saved, one or more for each rater.
    key
        To the page.

    Returns
    -------
    dict
        JSON-serializable: ``raters``, ``photos``, number of ``scores`` and
        of those left ``empty``, and for each method and criterion, and for
        'naturalness', ``mean`` and ``interval``, None without a score.

    Raises
    ------
    DataError
        If a file belongs to another study, is damaged, or answers twice
        for one rater.
    """
    answers: dict[tuple[str, int, str], NDArray] = {}
    for path in paths:
        for place, scores in _read(path, key).items():
            if place in answers:
                rater, photo, _ = place
                raise DataError(
                    f'{path}: {rater!r} has answers on photo {photo + 1} '
                    'in another file already; give one of them.'
                )
            answers[place] = scores
    raters = sorted({rater for rater, _, _ in answers})
    values = np.full(
        (len(raters), len(key.positions), len(key.methods), len(CRITERIA)),
        np.nan,
    )
    for (rater, photo, method), scores in answers.items():
        place = raters.index(rater), photo, key.methods.index(method)
        values[place] = scores
    if not np.isfinite(values).any():
        raise DataError('There is no score in the answers.')
    # Naturalness is the mean of the three, so that it needs all of them.
    values = np.concatenate([values, values.mean(-1, keepdims=True)], axis=-1)
    means, lows, highs = _summary(values)
    scored = np.isfinite(values[..., :-1])
    return {
        'study': key.study,
        'raters': raters,
        'photos': int(scored.any(axis=(0, 2, 3)).sum()),
        'scores': int(scored.sum()),
        'empty': int(scored.size - scored.sum()),
        'methods': {
            method: {
                name: _figure(means[m, c], lows[m, c], highs[m, c])
                for c, name in enumerate([*CRITERIA, NATURALNESS])
            }
            for m, method in enumerate(key.methods)
        },
    }


def _figure(mean: float, low: float, high: float) -> dict[str, Any] | None:
    if np.isnan(mean):
        return None
    return {'mean': float(mean), 'interval': [float(low), float(high)]}


def _summary(values: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Mean and interval (methods, criteria) of scores (raters, photos, …)."""
    rng = np.random.default_rng(0)
    raters, photos = values.shape[:2]
    draws = []
    for _ in range(DRAWS):
        drawn = values[rng.integers(0, raters, raters)]
        drawn = drawn[:, rng.integers(0, photos, photos)]
        draws.append(finite_mean(drawn, axis=(0, 1)))
    tail = 50 * (1 - LEVEL)
    stacked = np.array(draws)
    low, high = (np.full(stacked.shape[1:], np.nan) for _ in range(2))
    for place in np.ndindex(*stacked.shape[1:]):
        there = stacked[(slice(None), *place)]
        there = there[np.isfinite(there)]
        if there.size:
            low[place], high[place] = np.percentile(there, [tail, 100 - tail])
    return finite_mean(values, axis=(0, 1)), low, high


def _is_word(value: object) -> bool:
    return isinstance(value, str)


def _read(path: Path, key: Key) -> dict[tuple[str, int, str], NDArray]:
    """Scores (criteria,) by rater, photo and method; NaN where empty."""
    try:
        lines = io.StringIO(read_text(path), newline='')
        rows = list(csv.DictReader(lines))
    except OSError as error:
        raise DataError(f'{path} cannot be read ({said(error)}).') from error
    except (ValueError, csv.Error) as error:
        raise DataError(f'{path} is no table of answers.') from error
    if not rows or set(COLUMNS) - set(rows[0]):
        raise DataError(
            f'{path} is no table of answers; its columns must be '
            f'{", ".join(COLUMNS)}.'
        )
    found: dict[tuple[str, int, str], NDArray] = {}
    for number, row in enumerate(rows, 2):
        where = f'{path}, line {number}'
        if any(row[name] is None for name in COLUMNS):
            raise DataError(f'{where}: the line ends too early.')
        if row['study'] != key.study:
            raise DataError(
                f'{where}: these are answers to the study {row["study"]!r}, '
                f'the key is that of {key.study!r}.'
            )
        place = _place(row, key, where)
        if place in found:
            raise DataError(f'{where}: this picture was answered before.')
        found[place] = np.array(
            [_score(row[name], where) for name in CRITERIA]
        )
    return found


def _place(row: dict[str, str], key: Key, where: str) -> tuple[str, int, str]:
    try:
        photo = int(row['photo']) - 1
        if photo < 0:
            raise IndexError
        method = key.positions[photo][row['position']]
    except (ValueError, IndexError, KeyError) as error:
        raise DataError(
            f'{where}: the study has no picture {row["photo"]} '
            f'{row["position"]}.'
        ) from error
    return row['rater'], photo, method


def _score(text: str, where: str) -> float:
    if not text:
        return np.nan
    try:
        score = float(text)
    except ValueError:
        score = np.nan
    if not 0 <= score <= 100:
        raise DataError(f'{where}: {text!r} is no score from 0 to 100.')
    return score


def as_markdown(result: dict[str, Any]) -> str:
    """The table as the paper prints it, with intervals."""
    headings = {**CRITERIA, NATURALNESS: 'Naturalness'}
    columns = [('', 'method', 's')]
    columns += [(heading, name, 's') for name, heading in headings.items()]
    rows = [
        {'method': method, **{name: _words(figures[name]) for name in figures}}
        for method, figures in result['methods'].items()
    ]
    count = len(result['raters'])
    left = f', {result["empty"]} left empty' if result['empty'] else ''
    return (
        f'{counted(count, "person")}, '
        f'{result["photos"]} photos, {result["scores"]} scores from 0 to '
        f'100{left}. Mean and 95 % bootstrap interval over persons and '
        'photos; Naturalness is the mean of the three. Pictures of one photo '
        'were shown side by side in shuffled positions.\n\n'
        f'{table(columns, rows)}\n'
    )


def _words(figure: dict[str, Any] | None) -> str | None:
    if figure is None:
        return None
    return f'{figure["mean"]:.1f} ({cell(figure["interval"], ".1f")})'
