"""Predicted maps: made once, kept, and fitted to their photos."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from napari_sdcolor.datasets.open import open_data
from napari_sdcolor.training.maps import with_predicted_maps


class Believer:
    """Sees sky above and grass below, at a small size, and counts."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def segment(self, photo: np.ndarray) -> SimpleNamespace:
        self.shapes.append(photo.shape)
        labels = np.full((8, 12), 50, np.uint8)
        labels[4:] = 36
        return SimpleNamespace(labels=labels)


@pytest.fixture
def album(tmp_path: Path) -> Path:
    folder = tmp_path / 'album'
    (folder / 'old').mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name in ('a.jpg', 'old/b.png'):
        rgb = rng.integers(0, 256, (30, 40, 3), np.uint8)
        Image.fromarray(rgb).save(folder / name)
    (folder / 'torn.jpg').write_bytes(b'\xff\xd8 torn')
    # Stored lying on its side, looked at upright: (60, 32).
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = Image.fromarray(rng.integers(0, 256, (32, 60, 3), np.uint8))
    turned.save(folder / 'turned.jpg', exif=exif)
    return folder


def test_maps_are_made_once_and_fit(album: Path, tmp_path: Path) -> None:
    entries = open_data(album).entries
    seen = []
    believer = Believer()
    found, skipped = with_predicted_maps(
        entries, tmp_path / 'maps', believer, lambda *how: seen.append(how)
    )
    assert [each.name for each in skipped] == ['torn.jpg']
    assert {entry.name for entry in found} == {
        'a.jpg',
        'old/b.png',
        'turned.jpg',
    }
    assert (60, 32, 3) in believer.shapes
    assert max(seen) == (4, 4)
    for entry in found:
        rgb, labels = entry.load()
        assert labels.shape == rgb.shape[:2]
        assert (labels[: len(labels) // 2] == 50).all()
        assert (labels[len(labels) // 2 :] == 36).all()
    again = Believer()
    same, _ = with_predicted_maps(entries, tmp_path / 'maps', again)
    assert same == found
    assert not again.shapes


def test_true_maps_stay(album: Path, tmp_path: Path) -> None:
    Image.fromarray(np.full((30, 40), 7, np.uint8)).save(
        album / 'a.labels.png'
    )
    entries = open_data(album).entries
    found, _ = with_predicted_maps(entries, tmp_path / 'maps', Believer())
    (labeled,) = (entry for entry in found if entry.name == 'a.jpg')
    assert labeled in entries
    assert (labeled.load()[1] == 7).all()


def test_photos_too_small_to_look_at_are_left_out(tmp_path: Path) -> None:
    from napari_sdcolor.core.colornet import ColorNetConfig
    from napari_sdcolor.core.engine import Colorizer
    from napari_sdcolor.core.gridnet import GridNetConfig

    folder = tmp_path / 'stamps'
    folder.mkdir()
    Image.new('RGB', (40, 9)).save(folder / 'a.png')
    colorizer = Colorizer.random(
        ColorNetConfig(widths=(2, 2)),
        grid=GridNetConfig(widths=(2, 2)),
        size=32,
    )
    found, (skipped,) = with_predicted_maps(
        open_data(folder).entries, tmp_path / 'maps', colorizer
    )
    assert found == []
    assert skipped.name == 'a.png'
    assert '16' in skipped.reason


@pytest.mark.parametrize(
    ('dataset', 'name'),
    [('..', '../../out'), ('', 'a'), ('a', '/etc/a'), ('Scans: 1', 'a.')],
)
def test_no_name_leads_out_of_the_folder(
    dataset: str, name: str, album: Path, tmp_path: Path
) -> None:
    entry = replace(open_data(album).entries[0], dataset=dataset, name=name)
    folder = tmp_path / 'run' / 'maps'
    (found,), _ = with_predicted_maps([entry], folder, Believer())
    place = found.labels.place.path
    assert place.resolve().parent == folder
    assert list(tmp_path.rglob('*.labels.png')) == [place]
    assert (found.dataset, found.name) == (dataset, name)
