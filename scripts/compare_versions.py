"""Whether two checkouts of this program do the same, byte for byte.

    python scripts/compare_versions.py OLD NEW [--keep DIR]

Makes some thirty photographs, and a model of small random networks with OLD,
runs the same commands on them with either checkout, and compares exit codes,
what is printed, and every byte of every file. Prints a table, what differs,
and what was not compared, and exits 1 on a difference.

Both run in a folder of the same name, one after the other, so that no path
has to be left out of the comparison. What legitimately differs, such as the
time of day, stands in ``MASKS``; a mask that was not needed is named as such.

Run it with the Python of an environment that has what both checkouts need.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from glob import glob
from itertools import zip_longest
from pathlib import Path
from typing import Self

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageDraw

# --- what is not compared ---------------------------------------------------

DATE = r'\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(\+00:00|Z)?'
NUMBER = r'\d+(\.\d+)?(e-?\d+)?'
MASKS = {
    'time of day': re.compile(DATE),
    'seconds in JSON': re.compile(
        rf'(?<="seconds": )({NUMBER}|\{{[^{{}}]*\}})'
    ),
    'duration in words': re.compile(
        r'(?<= in )(\d+ (s|min|h))( \d+ (s|min))?'
        rf'|(?<=[ (]){NUMBER} photos? per (second|minute|hour)'
    ),
    'port of a local cluster': re.compile(r'(?<=tcp://127\.0\.0\.1:)\d+'),
}
# Of files that hold such things, the digests differ as well, wherever they
# stand; of a run of training, what it learned is compared in its export.
CHANGING = ('.sdcolor.json', '.safetensors')
DIGEST = 'SHA-256 of a file that holds one of these'
ORDER = 'order of the head of a .safetensors file'
LEFT_OUT = 'checkpoint.pt'


def masked(data: bytes, digests: Mapping[str, str], leave: str = '') -> str:
    """Text without what ``MASKS`` names, but for the mask to leave out.

    ``digests`` are those of files that change, with the names of the files.
    """
    if leave != ORDER:
        data = with_sorted_head(data)
    text = data.decode('utf-8', 'replace' if leave else 'strict')
    for name, pattern in MASKS.items():
        if name != leave:
            text = pattern.sub(f'<{name}>', text)
    if leave != DIGEST:
        for digest, name in digests.items():
            text = text.replace(digest, f'<SHA-256 of {name}>')
            text = text.replace(digest[:12], f'<SHA-256 of {name}>')
    return text


def with_sorted_head(data: bytes) -> bytes:
    """A .safetensors file as text, whatever order its head has."""
    size = int.from_bytes(data[:8], 'little')
    if not data[8:].startswith(b'{"') or not 0 < size <= len(data):
        return data
    head = json.loads(data[8 : 8 + size])
    tensors = hashlib.sha256(data[8 + size :]).hexdigest()
    return f'{json.dumps(head, sort_keys=True)} {tensors}'.encode()


# --- photographs ------------------------------------------------------------

HEIGHT, WIDTH = 72, 104


def scene(height: int = HEIGHT, width: int = WIDTH, seed: int = 0) -> NDArray:
    """Sky, hill, house and grain: floats (height, width) from 0 to 1."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / max(height, width)
    gray = 0.85 - 0.5 * y
    gray[y > 0.42 + 0.08 * np.sin(9 * x + seed)] *= 0.45
    house = (abs(x - 0.3) < 0.09) & (abs(y - 0.4) < 0.1)
    gray[house] = 0.7
    return np.clip(gray + rng.normal(0, 0.02, gray.shape), 0, 1)


def make_photos(folder: Path) -> None:
    """Writes about thirty small photographs of many kinds."""
    folder.mkdir(parents=True)
    gray = (scene() * 255).astype(np.uint8)
    deep = (scene(seed=1) * 65535).astype(np.uint16)
    twelve = (scene(seed=2) * 4095).astype(np.uint16)
    color = np.stack([gray, gray // 2 + 60, 255 - gray // 3], -1)
    alpha = np.dstack((gray, np.full_like(gray, 200)))
    alpha[:9, :, 1] = 0

    def tiff(name: str, pixels: NDArray, **options: object) -> None:
        options.setdefault('photometric', 'minisblack')
        options.setdefault('metadata', None)
        tifffile.imwrite(folder / name, pixels, **options)

    tiff('plain.tif', gray)
    tiff('lzw.tif', gray, compression='lzw', rowsperstrip=16)
    tiff('deflate.tif', deep, compression='zlib', predictor=True)
    tiff('packbits.tif', gray, compression='packbits')
    tiff('zstd.tif', deep, compression='zstd', byteorder='>')
    tiff('tiled.tif', deep, tile=(32, 48), compression='lzw')
    tiff('jpeg_tiles.tif', gray, tile=(32, 32), compression='jpeg')
    tiff('twelve.tif', twelve)
    tiff('inverted.tif', 255 - gray, photometric='miniswhite')
    tiff('float.tif', scene(seed=3).astype(np.float32))
    tiff('signed.tif', (deep // 2).astype(np.int16))
    tiff('alpha.tif', alpha, extrasamples=['unassalpha'])
    tiff('color.tif', color, photometric='rgb')
    tiff('big.tif', deep, bigtiff=True)
    tiff('windowed.tif', deep, extratags=_window(9000, 52000))
    tiff('turned.tif', gray, extratags=[(274, 'H', 1, 6, True)])
    tiff(
        'archive.tif',
        deep,
        resolution=(300, 300),
        resolutionunit='inch',
        description='A house on a hill.',
        iccprofile=imagecodecs.cms_profile('gray', gamma=1.8),
        extratags=[(315, 's', 0, 'A photographer', True)],
    )
    table = np.stack([np.arange(256)[::-1] * 257] * 3).astype(np.uint16)
    tiff('palette.tif', gray, photometric='palette', colormap=table)
    Image.fromarray(gray > 120).save(
        folder / 'group4.tif', compression='group4'
    )
    album = np.stack([gray, gray[:, ::-1], np.rot90(gray, 2)])
    tiff('album.tif', album)
    with tifffile.TiffWriter(folder / 'mixed.tif') as writer:
        writer.write(gray, photometric='minisblack', metadata=None)
        writer.write(twelve[:60, :80], photometric='minisblack', metadata=None)
    Image.fromarray(gray).save(folder / 'gray.png', dpi=(300, 300))
    Image.fromarray(gray > 120).save(folder / 'lineart.png')
    Image.fromarray(deep).save(folder / 'deep.png')
    Image.fromarray(alpha).save(folder / 'veil.png')
    Image.fromarray(gray).save(folder / 'access.jpg', quality=90)
    Image.fromarray(color).save(folder / 'postcard.jpg', quality=85)
    Image.fromarray(gray).save(folder / 'web.webp', lossless=True)
    Image.fromarray(gray).save(folder / 'lake.jp2')
    wide = (scene(50, 211, 4) * 255).astype(np.uint8)
    Image.fromarray(wide).save(folder / 'wide.png')
    whole = (folder / 'lzw.tif').read_bytes()
    (folder / 'broken.tif').write_bytes(whole[: len(whole) // 2])


def _window(low: int, high: int) -> list[tuple]:
    """TIFF's MinSampleValue and MaxSampleValue."""
    return [(280, 'H', 1, low, True), (281, 'H', 1, high, True)]


def make_maps(folder: Path) -> None:
    """A map of the right size, and one to be resized, and one of no use."""
    folder.mkdir(parents=True)

    def write(name: str, height: int, width: int) -> None:
        labels = np.full((height, width), 50, np.uint8)
        labels[height // 2 :] = 24
        labels[height // 3 : height // 2, width // 4 : width // 2] = 9
        labels[:2] = 255
        Image.fromarray(labels).save(folder / name)

    write('plain.labels.png', 64, 92)
    write('gray.png', 2 * HEIGHT, 2 * WIDTH)
    write('deep.labels.png', HEIGHT, WIDTH)
    write('wide.labels.png', 64, 64)


def make_tree(folder: Path, photos: Path) -> None:
    """Folders of photos for a batch, with a map beside one of them."""
    for place in (
        'plain.tif',
        'album.tif',
        'broken.tif',
        'box 1/gray.png',
        'box 1/deep/twelve.tif',
        'box 2/turned.tif',
        'box 2/access.jpg',
    ):
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(photos / path.name, path)
    (folder / 'notes.txt').write_text('Not a photo.\n')
    labels = np.full((64, 92), 24, np.uint8)
    Image.fromarray(labels).save(folder / 'box 1' / 'gray.labels.png')


def make_cards(folder: Path) -> None:
    """Photos with known colors and maps, to train on and to evaluate."""
    for kind in ('images', 'labels'):
        (folder / kind / 'cards').mkdir(parents=True)
    rows: list[list[object]] = [['dataset', 'id', 'split']]
    for number in range(6):
        rng = np.random.default_rng(number)
        rgb = np.full((48, 96, 3), (90, 140, 220), np.uint8)
        rgb[:, 48:] = (150, 120, 60)
        rgb += rng.integers(0, 30, rgb.shape, np.uint8)
        labels = np.full((48, 96), 50, np.uint8)
        labels[:, 48:] = 36
        labels[:, :4] = 255
        Image.fromarray(rgb).save(folder / f'images/cards/{number}.jpg')
        Image.fromarray(labels).save(folder / f'labels/cards/{number}.png')
        rows.append(['cards', number, 'val' if number % 2 else 'train'])
    with (folder / 'index.csv').open('w', newline='') as file:
        csv.writer(file).writerows(rows)
    other = folder.with_name('theirs')
    other.mkdir()
    for number in (1, 3):
        picture = Image.open(folder / f'images/cards/{number}.jpg')
        ImageDraw.Draw(picture).rectangle((5, 5, 30, 30), fill='red')
        picture.save(other / f'{number}.png')


MODEL = """
from pathlib import Path
from napari_sdcolor.core import models
from napari_sdcolor.core.colornet import ColorNetConfig
from napari_sdcolor.core.gridnet import GridNetConfig
from napari_sdcolor.core.weights import random_part, save_part

widths = (4, 4, 8, 8, 8)
for kind, config in (
    ('color', ColorNetConfig(widths=widths, label_channels=2)),
    ('segmentation', GridNetConfig(widths=widths)),
):
    part = random_part(kind, config, seed=1)
    save_part(Path(f'{kind}.safetensors'), part.network, part.training)
models.add([Path('color.safetensors'), Path('segmentation.safetensors')], 'tiny')
"""


def make_inputs(folder: Path, old: Path) -> None:
    """Everything that the commands read; the same for both checkouts."""
    photos = folder / 'photos'
    make_photos(photos)
    make_maps(folder / 'maps')
    make_tree(folder / 'tree', photos)
    make_cards(folder / 'cards')
    twin = folder / 'other box'
    twin.mkdir()
    shutil.copyfile(photos / 'gray.png', twin / 'plain.png')
    weights = folder / 'weights'
    weights.mkdir()
    subprocess.run(
        [sys.executable, '-c', MODEL],
        cwd=weights,
        env=environment(old, folder),
        check=True,
    )


# --- commands ---------------------------------------------------------------

# Imports everything once, and forks for each command: torch alone takes
# seconds. Reads folders and words as JSON lines, answers with exit codes.
SERVER = """
import atexit, gc, importlib, json, os, pkgutil, sys
import imagecodecs, jsonschema, matplotlib.pyplot, napari_sdcolor, skimage

for module in pkgutil.walk_packages(napari_sdcolor.__path__, 'napari_sdcolor.'):
    if module.name.split('.')[1] not in ('plugin', 'bench'):
        importlib.import_module(module.name)
gc.freeze()
for line in sys.stdin:
    folder, words, out, err = json.loads(line)
    child = os.fork()
    if not child:
        os.chdir(folder)
        for name, stream in ((os.devnull, 0), (out, 1), (err, 2)):
            flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC
            os.dup2(os.open(name, flags), stream)
        sys.argv = ['sdcolor', *words]
        sys.stdin = open(0)
        try:
            napari_sdcolor.cli.main()
        except SystemExit as answer:
            code = answer.code or 0
        # Taking all modules apart would take longer than most commands.
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    status = os.waitpid(child, 0)[1]
    print(os.waitstatus_to_exitcode(status), flush=True)
"""
ADD = 'models add ../weights/*.safetensors --name'
TINY = '--weights tiny --size 64'


@dataclass
class Ran:
    """What one command answered.

    ``parts`` has the exit code, what was printed, and the files that it wrote
    by name; ``digests`` are those of files that change, until then.
    """

    line: str
    parts: dict[str, bytes]
    digests: dict[str, str]


@dataclass
class Step:
    """One command line; ``before`` changes files in the folder first."""

    line: str
    before: Callable[[Path], None] | None = None


COMMANDS = [
    *('', 'colorize', 'segment', 'batch', 'replay', 'evaluate', 'study'),
    *('bench', 'demo', 'doctor', 'models', 'models list', 'models path'),
    *('models add', 'models verify', 'models remove', 'train'),
    *('train segmentation', 'train color', 'train export'),
    *('train calibrate', 'train narrow'),
]


def helps() -> list[Step]:
    asked = [Step(f'{name} --help') for name in COMMANDS]
    return [*asked, Step('--version'), Step('colorize'), Step('nonsense')]


def models() -> list[Step]:
    return [
        Step(f'{ADD} mine --json'),
        Step('models list'),
        Step('models list --json'),
        Step('models path'),
        Step('models verify --json'),
        Step('models remove mine'),
        Step('models verify mine'),
        Step('doctor --json'),
        Step('doctor'),
    ]


def coloring() -> list[Step]:
    return [
        Step(f'colorize ../photos/*.* -o all --json {TINY}'),
        Step(f'segment ../photos/*.* -o maps --json {TINY}'),
        Step(f'segment ../photos/album.tif -o page --page 1 {TINY}'),
        Step(f'segment ../photos/album.tif -o page --page 1 {TINY}'),
        Step(f'colorize ../photos/plain.tif ../photos/web.webp -o all {TINY}'),
    ]


def options() -> list[Step]:
    def colorize(words: str, out: str, *photos: str) -> Step:
        paths = ' '.join(f'../photos/{name}' for name in photos)
        return Step(f'colorize {paths} -o {out} {words} {TINY}')

    mapped = ('plain.tif', 'gray.png', 'deep.png', 'wide.png', 'lake.jp2')
    deep = ('twelve.tif', 'windowed.tif', 'float.tif', 'plain.tif')
    return [
        colorize('--format png', 'png', 'tiled.tif', 'alpha.tif', 'gray.png'),
        colorize('--format png', 'png', 'album.tif'),
        colorize('--format jpeg', 'jpeg', 'deep.png', 'turned.tif'),
        colorize('--labels ../maps --json', 'mapped', *mapped),
        colorize(
            '--labels ../maps/plain.labels.png --saturation 1.7',
            'one_map',
            'plain.tif',
        ),
        colorize('--labels ../maps/none.png', 'no_map', 'plain.tif'),
        colorize('--page 1 --json', 'page', 'album.tif', 'mixed.tif'),
        colorize('--page 7', 'no_page', 'album.tif'),
        colorize('--window minmax', 'minmax', *deep),
        colorize('--window type', 'type', *deep),
        colorize('--window 100,3000', 'bounds', *deep),
        colorize('--window 9,2', 'no_window', 'plain.tif'),
        colorize('--saturation 0', 'gray', 'deep.png'),
        colorize('--saturation 9', 'loud', 'deep.png'),
        colorize(
            '--source-type digitalArt --json', 'source_type', 'access.jpg'
        ),
        Step(
            'colorize ../photos/gray.png -o native --size native'
            ' --weights tiny'
        ),
        Step(
            'colorize ../photos/plain.tif "../other box/plain.png" -o twins'
            f' {TINY}'
        ),
        Step('colorize ../photos/gray.png -o bundled --size 64'),
        Step('colorize ../photos/gray.png -o none --weights nobody'),
    ]


def batches() -> list[Step]:
    def edit(folder: Path) -> None:
        path = folder / 'out/box 1/deep/twelve.labels.png'
        labels = np.asarray(Image.open(path)).copy()
        labels[20:40, 20:50] = 9
        Image.fromarray(labels).save(path)

    tree = f'batch ../tree {TINY}'
    return [
        Step(f'{tree} -o out --dry-run'),
        Step(f'{tree} -o out --limit 3 --json'),
        Step(f'{tree} -o out --json'),
        Step(f'{tree} -o out --json'),
        Step(f'{tree} -o out', edit),
        Step(f'{tree} -o out --saturation 2'),
        Step(
            f'{tree} -o mapped --labels ../maps --format png'
            ' --confidence 0.99 --no-recursive'
        ),
        Step(f'batch ../tree/plain.tif {TINY} -o machines --workers 1 --json'),
        Step(f'batch ../nowhere -o nowhere {TINY}'),
    ]


def replays() -> list[Step]:
    def remove_photo(folder: Path) -> None:
        path = folder / 'photos/gray.png'
        path.rename(path.with_name('moved.png'))

    def edit(folder: Path) -> None:
        path = folder / 'one/gray.labels.png'
        labels = np.asarray(Image.open(path)).copy()
        labels[20:40, 20:50] = 9
        Image.fromarray(labels).save(path)

    def copy_photos(folder: Path) -> None:
        (folder / 'photos').mkdir()
        for name in ('gray.png', 'album.tif', 'twelve.tif', 'plain.tif'):
            shutil.copyfile(
                folder.parent / 'photos' / name, folder / 'photos' / name
            )

    names = 'photos/gray.png photos/album.tif photos/twelve.tif'
    return [
        Step(f'colorize {names} -o one {TINY}', copy_photos),
        Step(f'colorize photos/plain.tif -o two --labels ../maps {TINY}'),
        Step('replay one/album.sdcolor.json --json'),
        Step('replay one/twelve.sdcolor.json -o again --json'),
        Step('replay one/twelve.sdcolor.json -o again'),
        Step('replay two/plain.sdcolor.json --json'),
        Step('replay two/plain.sdcolor.json -o again'),
        Step('replay one/gray.sdcolor.json'),
        Step('replay one/gray.sdcolor.json --json', edit),
        Step('replay one/gray.sdcolor.json', remove_photo),
        Step(
            'replay one/gray.sdcolor.json --source photos/moved.png'
            ' -o moved --json'
        ),
        Step('replay one/gray.sdcolor.json --source photos/album.tif'),
        Step('replay one/none.sdcolor.json'),
    ]


def like_all(folder: Path) -> None:
    """Answers to the study, of a person who gives each picture a number."""
    key = json.loads((folder / 'out/user-study-key.json').read_text())
    with (folder / 'answers.csv').open('w', newline='') as file:
        writer = csv.writer(file)
        measures = ('semantic_correctness', 'saturability', 'edges_keeping')
        writer.writerow(('study', 'rater', 'photo', 'position', *measures))
        for photo in key['photos']:
            for number, position in enumerate(sorted(photo['positions'])):
                points = (10 + number, 50, 90 - number)
                row = (key['study'], 'Ana', photo['photo'], position)
                writer.writerow(row + points)


def measures() -> list[Step]:
    evaluate = f'evaluate --data ../cards {TINY}'
    run = '--steps 2 --crop 32 --batch 2 --widths 4,4 --device cpu'
    run += ' --set features='
    return [
        Step(
            f'{evaluate} -o out --results Theirs=../theirs --study 2'
            ' --class-means means.json --json'
        ),
        Step('study answers.csv --key out/user-study-key.json', like_all),
        Step(f'{evaluate} --only fidelity,segmentation --limit 2'),
        Step(f'{evaluate} --only sharpness'),
        Step(f'train color --data ../cards --out run {run} --json'),
        Step('train export run -o color.safetensors --json'),
        Step(f'train color --data ../cards --out run {run} --steps 3'),
    ]


GROUPS = {
    'help': helps,
    'models': models,
    'coloring': coloring,
    'options': options,
    'batch': batches,
    'replay': replays,
    'measures': measures,
}


def environment(checkout: Path, folder: Path) -> dict[str, str]:
    """Of a child that runs the program of a checkout in a folder."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(('SDCOLOR_', 'QT_', 'NAPARI_', 'DISPLAY'))
    }
    return kept | {
        'PYTHONPATH': str(checkout / 'src'),
        'MPLBACKEND': 'agg',
        'OMP_NUM_THREADS': '1',
        'COLUMNS': '120',
        'HOME': str(folder.parent / 'home'),
        'SDCOLOR_MODELS': str(folder / 'added'),
        'SDCOLOR_AUTOSAVE': str(folder / 'autosave'),
        'NAPARI_CONFIG': str(folder / 'napari.yaml'),
        'MPLCONFIGDIR': str(folder.parent / 'home'),
    }


class Program:
    """The program of a checkout, ready to run commands in one folder."""

    def __init__(self, checkout: Path, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        shutil.copytree(folder.parent / 'added', folder / 'added')
        self._files = self._read()
        self._digests: dict[str, str] = {}
        self._server = subprocess.Popen(
            [sys.executable, '-c', SERVER],
            cwd=folder,
            env=environment(checkout, folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._server.communicate()

    def run(self, step: Step) -> Ran:
        """Runs one command, and reads what it wrote."""
        started = time.monotonic()
        if step.before:
            step.before(self.folder)
        words: list[str] = []
        for word in shlex.split(step.line):
            found = sorted(glob(word, root_dir=self.folder))
            words += found if '*' in word else [word]
        printed = [self.folder / '(stdout)', self.folder / '(stderr)']
        order = [str(self.folder), words, *map(str, printed)]
        self._server.stdin.write(f'{json.dumps(order)}\n')
        self._server.stdin.flush()
        code = self._server.stdout.readline().encode()
        if not code:
            raise SystemExit(f'The program does not start: {step.line}')
        before, self._files = self._files, self._read()
        parts = {'(exit code)': code}
        for name in before.keys() | self._files.keys():
            data = self._files.get(name, b'(removed)')
            if data != before.get(name) or name.startswith('('):
                parts[name] = data
            if name.endswith(CHANGING):
                self._digests[hashlib.sha256(data).hexdigest()] = name
        seconds = time.monotonic() - started
        print(f'{seconds:5.1f} s  {step.line}', file=sys.stderr)
        return Ran(step.line, parts, dict(self._digests))

    def _read(self) -> dict[str, bytes]:
        """All files that lie in the folder."""
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in self.folder.rglob('*')
            if path.is_file() and path.name != LEFT_OUT
        }


def run_all(
    checkout: Path, inputs: Path, place: Path, groups: list[str], jobs: int
) -> dict[tuple[str, int], Ran]:
    """Runs the commands of all groups with one checkout, in ``place``.

    The checkout lies there under the same name as the other one before it.
    """
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(inputs, place)
    link = place / 'checkout'
    link.symlink_to(checkout, target_is_directory=True)

    def run_group(name: str) -> dict[tuple[str, int], Ran]:
        with Program(link, place / name) as program:
            return {
                (name, number): program.run(step)
                for number, step in enumerate(GROUPS[name]())
            }

    found: dict[tuple[str, int], Ran] = {}
    with ThreadPoolExecutor(jobs) as pool:
        for answers in pool.map(run_group, groups):
            found |= answers
    return found


# --- comparing --------------------------------------------------------------


@dataclass
class Comparison:
    """What differs between two checkouts, and what was not compared."""

    rows: list[tuple[str, int, str]] = field(default_factory=list)
    used: Counter[str] = field(default_factory=Counter)

    def add(self, line: str, old: Ran, new: Ran) -> None:
        """Holds two answers to one command line against each other."""
        found = [
            f'{name}: {words}'
            for name in sorted(old.parts.keys() | new.parts.keys())
            if (words := self.difference(name, old, new))
        ]
        self.rows.append((line, len(new.parts) - 3, '\n'.join(found)))

    def difference(self, name: str, one: Ran, other: Ran) -> str:
        """The first difference of a part in words; empty if there is none."""
        old, new = one.parts.get(name), other.parts.get(name)
        if old == new:
            return ''
        if old is None or new is None:
            return 'only OLD has it' if new is None else 'only NEW has it'
        try:
            texts = masked(old, one.digests), masked(new, other.digests)
        except UnicodeDecodeError:
            at = len(os.path.commonprefix([old, new]))
            return f'{len(old)} and {len(new)} bytes, other from {at} on'
        if texts[0] == texts[1]:
            for mask in (*MASKS, DIGEST, ORDER):
                if masked(old, one.digests, mask) != masked(
                    new, other.digests, mask
                ):
                    self.used[mask] += 1
            return ''
        lines = (text.splitlines() for text in texts)
        for pair in zip_longest(*lines, fillvalue='(no such line)'):
            if pair[0] != pair[1]:
                same = len(os.path.commonprefix(pair))
                start = max(0, same - 40)
                shown = (line[start : start + 160] for line in pair)
                return 'OLD …{}\n        NEW …{}'.format(*shown)
        return 'the ends of its lines'

    def report(self) -> Iterator[str]:
        """The table, what differs, and what was not compared."""
        width = min(100, max(len(line) for line, _, _ in self.rows))
        for line, files, words in self.rows:
            short = line if len(line) <= width else line[: width - 1] + '…'
            answer = 'DIFFERS' if words else 'same'
            yield f'{short:{width}}  {files:4d} files  {answer}'
            yield from (f'    {word}' for word in words.splitlines())
        yield ''
        different = sum(bool(words) for _, _, words in self.rows)
        yield f'{len(self.rows)} commands, {different} with differences'
        for mask in (*MASKS, DIGEST, ORDER):
            yield f'not compared, {self.used[mask]} times: {mask}'
        yield f'not compared: {LEFT_OUT}, which holds seconds'


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('old', type=Path, metavar='OLD')
    parser.add_argument('new', type=Path, metavar='NEW')
    parser.add_argument(
        '--only', nargs='+', choices=GROUPS, default=list(GROUPS)
    )
    parser.add_argument('--jobs', type=int, default=2)
    parser.add_argument(
        '--keep', type=Path, metavar='DIR', help='leave all files there'
    )
    asked = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        folder = (asked.keep or Path(scratch)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        inputs, place = folder / 'inputs', folder / 'run'
        make_inputs(inputs, asked.old.resolve())
        answers = []
        for name in ('old', 'new'):
            checkout = getattr(asked, name).resolve()
            answers.append(
                run_all(checkout, inputs, place, asked.only, asked.jobs)
            )
            place.rename(folder / name)
    comparison = Comparison()
    for key, old in answers[0].items():
        comparison.add(old.line, old, answers[1][key])
    print('\n'.join(comparison.report()))
    print(f'{time.monotonic() - started:.0f} s')
    return int(any(words for _, _, words in comparison.rows))


if __name__ == '__main__':
    sys.exit(main())
