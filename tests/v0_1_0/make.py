"""Made the files beside it with the code of 0.1.0; kept to show how.

    PYTHONPATH=CHECKOUT/src OMP_NUM_THREADS=1 python make.py FOLDER

FOLDER must not be there. Commits 1c37c91 (whose sidecars have format 3) and
bd918bf (format 2) both called themselves 0.1.0.
"""

from __future__ import annotations

import csv
import io
import os
import platform
import shutil
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import tifffile
import torch
from PIL import Image
from typer.testing import CliRunner

from napari_sdcolor.archive.batch.corrections import save_maps
from napari_sdcolor.archive.reading import read_photo
from napari_sdcolor.archive.saving import save_result
from napari_sdcolor.cli import app
from napari_sdcolor.core.colornet import ColorNetConfig
from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.core.gridnet import GridNetConfig
from napari_sdcolor.core.weights import random_part, save_part
from napari_sdcolor.plugin import autosave
from napari_sdcolor.plugin.archive.choices import Choices, remember
from napari_sdcolor.plugin.painter import fingerprint
from napari_sdcolor.settings import Settings

platform.node = lambda: 'archive'  # recorded in every sidecar
torch.set_num_threads(1)

WIDTHS = (2, 2)


def sdcolor(*words: object) -> None:
    done = CliRunner().invoke(app, [str(word) for word in words])
    if done.exit_code:
        raise SystemExit(f'{words}: {done.output}\n{done.exception!r}')


def gray(height: int = 40, width: int = 56, step: int = 5) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return ((step * x + 3 * y + x * y // step) % 256).astype(np.uint8)


def make_photos(folder: Path) -> None:
    (folder / 'box').mkdir(parents=True)
    Image.fromarray(gray()).save(folder / 'castle.png')
    twelve = gray(step=7).astype(np.uint16) * 16
    tifffile.imwrite(folder / 'box' / 'deep.tif', twelve, compression='zlib')
    album = np.stack([gray(step=9), gray(step=11)])
    tifffile.imwrite(
        folder / 'album.tif', album, photometric='minisblack', metadata=None
    )


def make_model(folder: Path) -> None:
    folder.mkdir()
    for kind, config in (
        ('color', ColorNetConfig(widths=WIDTHS, label_channels=2)),
        ('segmentation', GridNetConfig(widths=WIDTHS, columns=2)),
    ):
        part = random_part(kind, config, seed=1)
        save_part(folder / f'{kind}.safetensors', part.network, part.training)


def make_results(folder: Path, photos: Path) -> None:
    """Photos beside their results; one from a layer, one from a sample."""
    folder.mkdir()
    for name in ('castle.png', 'album.tif'):
        (folder / name).write_bytes((photos / name).read_bytes())
    paths = folder / 'castle.png', folder / 'album.tif'
    sdcolor('colorize', *paths, '-o', folder, *TINY)
    colorizer = Colorizer.load('tiny', device='cpu', size=64)
    settings = Settings(size=64, weights='tiny', saturation=1.25)

    def save(photo: object, name: str, **options: str) -> None:
        found = colorizer.segment(photo)
        labels = found.labels.copy()
        labels[10:20, 10:30] = 36
        result = colorizer.colorize(photo, labels, settings=settings)
        result = replace(
            result, labels_origin='edited in napari', predicted=found.labels
        )
        save_result(result, folder, name, **options)

    save(read_photo(gray(step=13)), 'layer')
    try:
        from napari_sdcolor.samples import SampleFile
    except ImportError:
        return
    save(SampleFile('cat').read(), 'sample', format='jpeg')


def make_batch(folder: Path, photos: Path) -> None:
    """A batch that was run, corrected and gone on with."""
    sdcolor('batch', photos, '-o', folder, '--confidence', 0.9, *TINY)
    labels = np.array(Image.open(folder / 'castle.labels.png'))
    labels[:20, :20] = 36
    save_maps(folder, 'castle', [(None, labels)])
    sdcolor('batch', photos, '-o', folder, '--confidence', 0.9, *TINY)


def make_pack(folder: Path) -> None:
    folder.mkdir()
    rng = np.random.default_rng(0)
    rows: list[list[object]] = [['dataset', 'id', 'split', 'shard']]
    with tarfile.open(folder / 'photos-0.tar', 'w') as tar:
        for number in range(4):
            rgb = np.full((32, 40, 3), (90, 140, 220), np.uint8)
            rgb[16:] = (70, 150, 60)
            rgb += rng.integers(0, 30, rgb.shape, np.uint8)
            labels = np.full((32, 40), 50, np.uint8)
            labels[16:] = 24
            for place, pixels, kind in (
                (f'images/cards/{number}.jpg', rgb, 'JPEG'),
                (f'labels/cards/{number}.png', labels, 'PNG'),
            ):
                stream = io.BytesIO()
                Image.fromarray(pixels).save(stream, kind)
                about = tarfile.TarInfo(place)
                about.size = len(stream.getvalue())
                tar.addfile(about, io.BytesIO(stream.getvalue()))
            rows.append(['cards', number, 'val' if number % 2 else 'train', 0])
    with (folder / 'index.csv').open('w', newline='') as file:
        csv.writer(file).writerows(rows)


def make_settings(folder: Path, photos: Path, out: Path) -> None:
    """What the window remembers: preferences, maps, the Archive's choices."""
    from napari.settings import get_plugin_settings, get_settings
    from npe2 import PluginManager

    folder.mkdir()
    get_settings(str(folder / 'napari.yaml'))
    PluginManager.instance().discover()
    page = get_plugin_settings('napari-sdcolor')
    page.inference.size = 288
    page.inference.memory = 512
    page.painting.live = False
    if hasattr(page.painting, 'show_map'):
        page.inference.weights = 'tiny'
        page.painting.show_map = False
    get_settings().save()
    photo = read_photo(photos / 'castle.png')
    labels = np.full(photo.working_shape(64), 50, np.uint8)
    labels[30:] = 24
    os.environ['SDCOLOR_AUTOSAVE'] = str(folder / 'autosave')
    autosave.store(fingerprint(photo), labels)
    os.environ['SDCOLOR_ARCHIVE_CHOICES'] = str(folder / 'archive.json')
    remember(
        Choices(
            inputs=(str(photos),),
            output=str(out),
            settings=Settings(size=64, weights='tiny', saturation=1.5),
            format='png',
            recursive=False,
        )
    )


TINY = ('--weights', 'tiny', '--size', 64, '--device', 'cpu')

if __name__ == '__main__':
    root = Path(sys.argv[1])
    root.mkdir()
    os.environ['SDCOLOR_MODELS'] = str(root / 'added')
    os.environ['NAPARI_CONFIG'] = str(root / 'settings' / 'napari.yaml')
    make_photos(root / 'scans')
    make_model(root / 'model')
    weights = sorted((root / 'model').iterdir())
    sdcolor('models', 'add', *weights, '--name', 'tiny')
    shutil.rmtree(root / 'model')
    make_results(root / 'results', root / 'scans')
    make_batch(root / 'batch', root / 'scans')
    make_pack(root / 'pack')
    sdcolor(
        *('train', 'color', '--data', root / 'pack', '--out', root / 'run'),
        *('--steps', 2, '--crop', 32, '--batch', 2, '--widths', '2,2'),
        *('--device', 'cpu', '--maps-from', 'tiny'),
    )
    shutil.rmtree(root / 'run' / 'previews')  # large
    (root / 'run' / 'loss.png').unlink()
    make_settings(root / 'settings', root / 'scans', root / 'batch')
