"""``sdcolor evaluate`` and ``sdcolor study`` on a few photos."""

from __future__ import annotations

import csv
import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from napari_sdcolor.cli import app


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope='module')
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos of halves with maps, two in 'train' and two in 'val'."""
    folder = tmp_path_factory.mktemp('data') / 'cards'
    for kind in ('images', 'labels'):
        (folder / kind / 'cards').mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(4):
        rgb = np.full((48, 96, 3), (90, 140, 220), np.uint8)
        rgb[:, 48:] = (150, 120, 60)
        rgb += rng.integers(0, 30, rgb.shape, np.uint8)
        labels = np.full((48, 96), 50, np.uint8)
        labels[:, 48:] = 36
        labels[:, :4] = 255
        Image.fromarray(rgb).save(folder / f'images/cards/{number}.jpg')
        Image.fromarray(labels).save(folder / f'labels/cards/{number}.png')
    with (folder / 'index.csv').open('w', newline='') as file:
        csv.writer(file).writerows(
            [
                ['dataset', 'id', 'split'],
                *(['cards', n, 'val' if n % 2 else 'train'] for n in range(4)),
            ]
        )
    return folder


@pytest.fixture
def evaluate(photos: Path, tiny_model: str) -> Callable[..., Result]:
    def call(*words: object) -> Result:
        line = ['evaluate', '--data', photos, '--weights', tiny_model]
        return run(*line, '--size', 64, *words)

    return call


def theirs(photos: Path, folder: Path, *numbers: int) -> Path:
    """Another method's pictures: the photos themselves."""
    folder.mkdir()
    for number in numbers:
        with Image.open(photos / f'images/cards/{number}.jpg') as image:
            image.save(folder / f'{number}.png')
    return folder


def test_everything_into_a_folder(
    evaluate: Callable[..., Result], photos: Path, tmp_path: Path
) -> None:
    out, means = tmp_path / 'out', tmp_path / 'means.json'
    others = theirs(photos, tmp_path / 'theirs', 1, 3)
    words = ['-o', out, '--results', f'Theirs={others}', '--study', 2]
    words += ['--class-means', means]
    result = evaluate(*words, '--json')
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    written = json.loads((out / 'evaluation.json').read_text())
    assert {Path(name) for name in answer.pop('written')} == set(out.iterdir())
    for name in ('command', 'exit_code'):
        answer.pop(name)
    assert answer == written
    assert answer['split'] == 'val'
    assert answer['scopes']['all']['methods']['Theirs']['psnr_ab'] > 100
    assert f'Wrote {out / "user-study.html"}' in result.stderr
    # Again into the same folder: refused before anything is read.
    again = evaluate(*words)
    assert again.exit_code == 1
    assert 'evaluation.json' in again.stderr
    assert 'Reading' not in again.stderr
    # With the kept class means the training photos are not read again.
    kept = evaluate('--class-means', means, '--json')
    assert 'training photos' not in kept.stderr
    assert json.loads(kept.stdout)['class_means'] == answer['class_means']


def test_missing_pictures_of_others_are_named(
    evaluate: Callable[..., Result], photos: Path, tmp_path: Path
) -> None:
    others = theirs(photos, tmp_path / 'theirs', 1)
    words = ['--results', f'Theirs={others}', '--only', 'fidelity']
    result = evaluate(*words, '--json')
    assert result.exit_code == 1
    assert 'Theirs, cards/3: there is no picture of it.' in result.stderr
    answer = json.loads(result.stdout)
    assert answer['exit_code'] == 1
    assert answer['results']['Theirs']['missing'] == ['cards/3']
    assert answer['scopes']['all']['methods']['Theirs']['photos'] == 1


@pytest.mark.parametrize(
    'words',
    [
        ['--results', 'Theirs'],
        ['--results', '=.'],
        ['--results', 'Theirs=nowhere'],
        ['--results', 'A=.', '--results', 'A=.'],
        ['--only', 'sharpness'],
        ['--limit', '0'],
        ['--study', '-1'],
        ['--source', 'imagenet'],
    ],
    ids=' '.join,
)
def test_wrong_usage(evaluate: Callable[..., Result], words: list) -> None:
    assert evaluate(*words).exit_code == 2


def test_photos_that_cannot_be_read_are_named(
    evaluate: Callable[..., Result], photos: Path, tmp_path: Path
) -> None:
    path = photos / 'images/cards/3.jpg'
    content = path.read_bytes()
    path.write_bytes(content[:300])
    try:
        result = evaluate('--only', 'fidelity', '--json')
    finally:
        path.write_bytes(content)
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    assert answer['photos'] == 1
    assert answer['skipped'][0].startswith('cards/3: ')
    assert answer['skipped'][0] in result.stderr


def test_stop(
    evaluate: Callable[..., Result],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    from napari_sdcolor.evaluation.run import Evaluation

    def interrupted(self: Evaluation) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Evaluation, 'measure', interrupted)
    result = evaluate('-o', tmp_path / 'out')
    assert result.exit_code == 1
    assert 'Stopped' in result.stderr
    assert not (tmp_path / 'out').exists()


def test_weights_that_never_saw_a_map(
    evaluate: Callable[..., Result], tiny_parts: dict[str, Path]
) -> None:
    words = ['--without-maps', tiny_parts['color'], '--only', 'map', '--json']
    result = evaluate(*words)
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    figures = answer['map']['labeled']
    # The same weights: the gain over them is that over the empty map.
    assert figures['gain_over_mapless'] == pytest.approx(
        figures['gain'], abs=0.05
    )
    assert answer['mapless']['color'] is not None
    assert evaluate('--without-maps', 'nowhere').exit_code == 2


def test_class_means_of_other_photos_are_refused(
    evaluate: Callable[..., Result], tmp_path: Path
) -> None:
    means = tmp_path / 'means.json'
    words = ['--class-means', means, '--only', 'swaps']
    assert evaluate(*words).exit_code == 0
    kept = json.loads(means.read_text())
    means.write_text(json.dumps(kept | {'names': 'others'}))
    other = evaluate(*words)
    assert other.exit_code == 1
    assert 'other training photos' in other.stderr
    means.write_text('[]')
    damaged = evaluate(*words)
    assert damaged.exit_code == 1
    assert 'no class means' in damaged.stderr


def test_study(tmp_path: Path) -> None:
    key = tmp_path / 'key.json'
    key.write_text(
        json.dumps(
            {
                'study': 's1',
                'methods': ['Original', 'Ours'],
                'photos': [
                    {'photo': 'a', 'positions': {'A': 'Ours', 'B': 'Original'}}
                ],
            }
        )
    )
    answers = tmp_path / 'answers.csv'
    answers.write_text(
        'study,rater,photo,position,semantic_correctness,saturability,'
        'edges_keeping\ns1,Ana,1,A,10,20,30\ns1,Ana,1,B,80,90,100\n'
    )
    result = run('study', answers, '--key', key, '--json')
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert answer['methods']['Ours']['naturalness']['mean'] == 20
    page = run('study', answers, '--key', key)
    assert '| Original | 80.0 (80.0 to 80.0) |' in page.stdout
    wrong = run('study', answers, '--key', answers)
    assert wrong.exit_code == 1
    assert str(answers) in wrong.stderr
    assert run('study', '--key', key).exit_code == 2


def test_without_matplotlib_there_are_no_plots(
    evaluate: Callable[..., Result],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
    out = tmp_path / 'out'
    result = evaluate('-o', out, '--only', 'fidelity', '--study', 0)
    assert result.exit_code == 0, result.output
    assert 'pip install' in result.stderr
    assert {path.name for path in out.iterdir()} == {
        'evaluation.json',
        'evaluation.md',
        'contact-sheet.png',
    }


def test_the_tables_are_printed(evaluate: Callable[..., Result]) -> None:
    page = evaluate('--limit', 1, '--only', 'fidelity')
    assert page.exit_code == 0, page.output
    assert '1 photo, 1 of them with a label map' in page.stdout
    assert 'PSNR_ab' in page.stdout
    assert 'PSNR_ab' not in page.stderr


def test_an_empty_split_is_refused(evaluate: Callable[..., Result]) -> None:
    result = evaluate('--split', 'test')
    assert result.exit_code == 2
    assert "'test'" in result.stderr


def test_only_some_figures_of_single_files(
    photos: Path, tiny_parts: dict[str, Path]
) -> None:
    words = ['evaluate', '--data', photos, '--size', 64]
    words += ['--only', 'segmentation,swaps']
    words += ['--color', tiny_parts['color']]
    words += ['--segmentation', tiny_parts['segmentation'], '--json']
    result = run(*words)
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert answer['groups'] == ['swaps', 'segmentation']
    assert answer['scopes'] is None
    assert answer['segmentation']['miou'] is not None
    assert answer['model']['color'] != answer['model']['segmentation']
    wrong = run(*words, '--color', tiny_parts['segmentation'])
    assert wrong.exit_code == 2
    assert 'color' in wrong.stderr


def test_photographs_without_maps(tiny_model: str, tmp_path: Path) -> None:
    """Held against gray; a list of the photos to look at is enough."""
    folder = tmp_path / 'family album'
    (folder / 'sea').mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name in ('a.jpg', 'b.png', 'c.jpg', 'sea/d.jpg'):
        rgb = rng.integers(0, 256, (40, 50, 3), np.uint8)
        Image.fromarray(rgb).save(folder / name)
    (folder / 'val.txt').write_text('b\nsea/d\n')
    words = ['evaluate', '--data', folder, '--size', 64]
    words += ['--weights', tiny_model, '-o', tmp_path / 'figures']
    result = run(*words, '--json')
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert answer['photos'] == 2
    assert answer['labeled_photos'] == 0
    assert [line['photo'] for line in answer['per_photo']] == [
        'family album/b.png',
        'family album/sea/d.jpg',
    ]
    methods = answer['scopes']['all']['methods']
    assert list(methods) == ['gray', 'empty', 'predicted']
    assert set(answer['over_gray']) == {'empty', 'predicted'}
    assert 'val.txt lists 2 of 4 photos' in result.stderr
    page = (tmp_path / 'figures' / 'evaluation.md').read_text()
    assert '## Against a gray picture' in page
    # Nothing to train on is needed.
    (folder / 'val.txt').write_text('a\nb\nc\nd\n')
    result = run(*words[:-2], '--json')
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)['photos'] == 4
    (folder / 'val.txt').write_text('nobody\n')
    result = run(*words[:-2])
    assert result.exit_code == 2
    assert "no photograph in split 'val'" in result.stderr
