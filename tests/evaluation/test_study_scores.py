"""From answers to a table, worked out by hand."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from napari_sdcolor.errors import DataError
from napari_sdcolor.evaluation.study import CRITERIA
from napari_sdcolor.evaluation.study.scores import (
    COLUMNS,
    Key,
    as_markdown,
    score_table,
)

KEY = Key(
    's1',
    ['Original', 'Ours'],
    [{'A': 'Ours', 'B': 'Original'}, {'A': 'Original', 'B': 'Ours'}],
)
PLACES = [(1, 'A'), (1, 'B'), (2, 'A'), (2, 'B')]


def answer(
    path: Path, rater: str, scores: list[tuple], study: str = 's1'
) -> Path:
    """What the page saves: a byte-order mark, and a row for each picture."""
    with path.open('w', newline='', encoding='utf-8-sig') as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for (photo, letter), three in zip(PLACES, scores, strict=True):
            writer.writerow([study, rater, photo, letter, *three])
    return path


@pytest.fixture
def answers(tmp_path: Path) -> list[Path]:
    return [
        answer(
            tmp_path / 'one.csv',
            'Ana',
            [(10, 20, 30), (90, 80, 70), (100, 80, 60), (30, 40, 50)],
        ),
        answer(
            tmp_path / 'two.csv',
            'Ben',
            [(50, 50, 50), (60, 60, 60), ('', '', ''), (70, 70, '')],
        ),
    ]


def test_means_by_hand(answers: list[Path]) -> None:
    result = score_table(answers, KEY)
    assert (result['raters'], result['photos']) == (['Ana', 'Ben'], 2)
    # Of 2 x 2 x 2 x 3 scores Ben left four empty.
    assert (result['scores'], result['empty']) == (20, 4)
    ours, original = (result['methods'][name] for name in ('Ours', 'Original'))
    wanted = {
        'semantic_correctness': ((10 + 30 + 50 + 70) / 4, (90 + 100 + 60) / 3),
        'saturability': ((20 + 40 + 50 + 70) / 4, (80 + 80 + 60) / 3),
        # Ben's last score is empty, and so is his naturalness there.
        'edges_keeping': ((30 + 50 + 50) / 3, (70 + 60 + 60) / 3),
        'naturalness': ((20 + 40 + 50) / 3, (80 + 80 + 60) / 3),
    }
    for name, (mine, own) in wanted.items():
        assert ours[name]['mean'] == pytest.approx(mine)
        assert original[name]['mean'] == pytest.approx(own)
        low, high = ours[name]['interval']
        assert low <= mine <= high
    assert score_table(answers, KEY) == result
    assert score_table(answers[::-1], KEY) == result


def test_an_interval_of_equal_scores_is_a_point(tmp_path: Path) -> None:
    path = answer(tmp_path / 'a.csv', 'Ana', [(40, 50, 60)] * 4)
    figures = score_table([path], KEY)['methods']['Ours']
    assert figures['naturalness'] == {'mean': 50, 'interval': [50, 50]}


def test_the_interval_counts_photos_and_persons(tmp_path: Path) -> None:
    """One person, two photos with 0 and 100: means of 0, 50 and 100."""
    path = answer(
        tmp_path / 'a.csv', 'Ana', [(0,) * 3, (5,) * 3, (5,) * 3, (100,) * 3]
    )
    found = score_table([path], KEY)['methods']
    assert found['Ours']['naturalness']['interval'] == [0, 100]
    assert found['Original']['naturalness']['interval'] == [5, 5]


def test_a_method_without_scores_is_not_computed(tmp_path: Path) -> None:
    empty = ('', '', '')
    path = answer(
        tmp_path / 'a.csv', 'Ana', [empty, (5, 5, 5), (5, 5, 5), empty]
    )
    result = score_table([path], KEY)
    assert result['methods']['Ours']['naturalness'] is None
    assert '| Ours | not computed |' in as_markdown(result)
    json.dumps(result, allow_nan=False)


def test_the_page_is_the_papers_table(answers: list[Path]) -> None:
    page = as_markdown(score_table(answers, KEY))
    assert '2 persons, 2 photos, 20 scores from 0 to 100, 4 left empty' in page
    for title in (*CRITERIA.values(), 'Naturalness'):
        assert title in page
    assert page.index('| Original |') < page.index('| Ours |')
    assert '| Ours | 40.0 (' in page


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        ({'scores': [(1, 2, 101)] * 4}, "'101' is no score"),
        ({'scores': [(1, 2, 'good')] * 4}, "'good' is no score"),
        ({'scores': [(1, 2, 'nan')] * 4}, "'nan' is no score"),
        ({'scores': [('', '', '')] * 4}, 'no score in the answers'),
        ({'study': 's2'}, "study 's2'"),
    ],
)
def test_bad_answers_are_refused(
    tmp_path: Path, change: dict, words: str
) -> None:
    given = {'rater': 'Ana', 'scores': [(1, 2, 3)] * 4} | change
    path = answer(tmp_path / 'a.csv', **given)
    with pytest.raises(DataError, match=words):
        score_table([path], KEY)


def test_answers_given_twice_are_refused(answers: list[Path]) -> None:
    with pytest.raises(DataError, match=r"'Ana' has answers on photo 1"):
        score_table([*answers, answers[0]], KEY)
    doubled = answers[0]
    text = doubled.read_text(encoding='utf-8')
    doubled.write_text(text + text.splitlines()[1] + '\n', encoding='utf-8')
    with pytest.raises(DataError, match='line 6: this picture was'):
        score_table([doubled], KEY)


@pytest.mark.parametrize('place', ['3,A', '0,A', '1,C', 'x,A'])
def test_pictures_that_do_not_exist(answers: list[Path], place: str) -> None:
    text = (
        answers[0]
        .read_text(encoding='utf-8')
        .replace('Ana,1,A', f'Ana,{place}')
    )
    answers[0].write_text(text, encoding='utf-8')
    with pytest.raises(DataError, match='line 2: the study has no picture'):
        score_table(answers, KEY)


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / 'a.csv'
    path.write_text('name,score\nAna,5\n')
    with pytest.raises(DataError, match='columns must be'):
        score_table([path], KEY)
    path.write_bytes(b'\xff\xfe\x00\x81')
    with pytest.raises(DataError, match='no table of answers'):
        score_table([path], KEY)
    path.write_text('{"photos": 3}')
    with pytest.raises(DataError, match='no key of a user study'):
        Key.read(path)


@pytest.mark.parametrize(
    'content',
    [
        b'',
        b'3',
        b'[]',
        b'\xff',
        b'[' * 100_000,
        b'{"study": 1, "methods": [], "photos": [{"positions": 3}]}',
        b'{"study": 1, "methods": [{}], "photos": []}',
        b'{"study": 1, "methods": [], "photos": [{"positions": {"A": "x"}}]}',
    ],
    ids=lambda content: content[:60].decode('latin-1'),
)
def test_what_is_no_key(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / 'key.json'
    path.write_bytes(content)
    with pytest.raises(DataError, match=r'key\.json is no key'):
        Key.read(path)


def test_a_line_that_ends_too_early(tmp_path: Path) -> None:
    path = tmp_path / 'answers.csv'
    path.write_text(','.join(COLUMNS) + '\ns1,Ana\n')
    with pytest.raises(DataError, match=r'line 2: the line ends'):
        score_table([path], KEY)


def test_a_folder_is_neither_key_nor_answers(tmp_path: Path) -> None:
    with pytest.raises(DataError, match='folder'):
        Key.read(tmp_path)
    with pytest.raises(DataError, match='folder'):
        score_table([tmp_path], KEY)
